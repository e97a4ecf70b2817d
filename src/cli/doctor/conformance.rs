//! `counterfoil doctor --conformance CONNECTION`.

use std::path::Path;

use serde_json::{Map, json};

use crate::cli::Output;
use crate::cli::output::Level;
use crate::source::{Cancel, SourceError, Tried, Verdict};

use super::told::hanging;

/// How many types came out how.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    right: usize,
    wrong: usize,
    untried: usize,
    not_there: usize,
}

pub(super) fn run(
    name: &str,
    project: Option<&Path>,
    output: &Output,
    cancel: &Cancel,
) -> Result<u8, SourceError> {
    let named = [name.to_owned()];
    let Ok(Some((project, _))) = super::project(project, &named, output) else { return Ok(2) };
    let Some((_, Ok(connection))) = project.connections.into_iter().next() else { return Ok(2) };
    let mut all = Vec::new();
    let Some(done) = connection.examine(&project.folder).conform(cancel, &mut |tried| all.push(tried)) else {
        output.error(format!("`{name}` is a folder of files: there are no types to try"));
        return Ok(2);
    };
    if matches!(done, Err(SourceError::Cancelled)) {
        return Err(SourceError::Cancelled);
    }
    if !all.is_empty() {
        tell(&all, output);
    }
    if let Err(error) = done {
        let at = match all.last() {
            Some(last) => format!("after `{}` ", last.native),
            None => String::new(),
        };
        output.error(format!("{name}: the types could not all be tried; {at}this failed: {error}"));
        return Ok(2);
    }
    let counts = Counts::of(&all);
    let (code, said) = (counts.code(), counts.sentence());
    if output.json() {
        let mut fields = Map::new();
        fields.insert("exit_code".to_owned(), json!(code));
        let level = if code == 0 { Level::Info } else { Level::Error };
        output.record(level, "conformance", &said, fields);
    } else if code == 0 {
        output.say(format!("\n{said}"));
    } else {
        output.error(format!("{name}: {said}"));
    }
    Ok(code)
}

impl Counts {
    fn of(all: &[Tried]) -> Self {
        let mut counts = Counts::default();
        for tried in all {
            match tried.verdict {
                Verdict::Right(_) => counts.right += 1,
                Verdict::Wrong(_) => counts.wrong += 1,
                Verdict::Untried(_) => counts.untried += 1,
                Verdict::NotThere(_) => counts.not_there += 1,
            }
        }
        counts
    }

    fn code(&self) -> u8 {
        match self {
            Counts { wrong: 1.., .. } => 1,
            // What was not tried is not right, and of a server without any of the types nothing is known.
            Counts { untried: 1.., .. } | Counts { right: 0, .. } => 2,
            _ => 0,
        }
    }

    fn sentence(&self) -> String {
        let Counts { right, wrong, untried, not_there } = self;
        let types = if *right == 1 { "type" } else { "types" };
        let mut said = format!("{right} {types} came out right");
        for (count, what) in
            [(wrong, "came out wrong"), (untried, "could not be tried"), (not_there, "not there")]
        {
            if *count > 0 {
                said.push_str(&format!(", {count} {what}"));
            }
        }
        said.push('.');
        said
    }
}

/// The cells of a line: type, declared, read as, values.
fn cells(tried: &Tried) -> [String; 4] {
    let of = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let verdict = match &tried.verdict {
        Verdict::Right(count) => format!("{count} of {count} right"),
        Verdict::Wrong(_) => "WRONG".to_owned(),
        Verdict::Untried(_) => "not tried".to_owned(),
        Verdict::NotThere(_) => "not there".to_owned(),
    };
    [tried.native.to_owned(), of(&tried.declared), of(&tried.logical), verdict]
}

/// What stands below a line.
fn below(tried: &Tried) -> Vec<&str> {
    match &tried.verdict {
        Verdict::Wrong(wrong) => wrong.iter().map(String::as_str).collect(),
        Verdict::Untried(why) => vec![why],
        Verdict::Right(_) | Verdict::NotThere(_) => Vec::new(),
    }
}

fn tell(all: &[Tried], output: &Output) {
    if output.json() {
        for tried in all {
            let Tried { native, declared, logical, verdict } = tried;
            let [.., word] = cells(tried);
            let why: Vec<&str> = match verdict {
                Verdict::NotThere(why) => vec![why],
                _ => below(tried),
            };
            let level = match verdict {
                Verdict::Right(_) | Verdict::NotThere(_) => Level::Info,
                Verdict::Wrong(_) | Verdict::Untried(_) => Level::Error,
            };
            let mut fields = Map::new();
            fields.insert("type".to_owned(), json!(native));
            fields.insert("declared".to_owned(), json!(declared));
            fields.insert("read_as".to_owned(), json!(logical));
            fields.insert("values".to_owned(), json!(word));
            fields.insert("why".to_owned(), json!(why));
            output.record(level, "type", &format!("{native}: {word}"), fields);
        }
        return;
    }
    for line in table(all) {
        output.say(line);
    }
    if output.quiet() {
        for tried in all {
            for why in below(tried) {
                output.error(format!("{}: {why}", tried.native));
            }
        }
    }
}

/// Returns the lines of the table.
fn table(all: &[Tried]) -> Vec<String> {
    let head = ["type", "declared", "read as", "values"].map(str::to_owned);
    let rows: Vec<[String; 4]> = std::iter::once(head).chain(all.iter().map(cells)).collect();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let (first, second, third) = (width(0), width(1), width(2));
    let line = |[native, declared, logical, values]: &[String; 4]| {
        format!("{native:first$}  {declared:second$}  {logical:third$}  {values}")
    };
    let mut lines = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        lines.push(line(row));
        let tried = at.checked_sub(1).and_then(|at| all.get(at));
        for why in tried.map(below).unwrap_or_default() {
            lines.push(hanging("    ", why));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(native: &'static str, verdict: Verdict) -> Tried {
        Tried { native, declared: Some("d".to_owned()), logical: None, verdict }
    }

    #[test]
    fn what_is_wrong_stands_below_its_type() {
        let all = [
            tried("int", Verdict::Right(3)),
            tried("varchar(20)", Verdict::Wrong(vec!["'a' came out as `b`, not `a`".to_owned()])),
            tried("xml", Verdict::NotThere("no".to_owned())),
        ];
        assert_eq!(
            table(&all).join("\n"),
            "type         declared  read as  values\n\
             int          d         -        3 of 3 right\n\
             varchar(20)  d         -        WRONG\n    \
                 'a' came out as `b`, not `a`\n\
             xml          d         -        not there"
        );
        let counts = Counts::of(&all);
        assert_eq!(
            (counts.code(), counts.sentence().as_str()),
            (1, "1 type came out right, 1 came out wrong, 1 not there.")
        );
    }

    #[test]
    fn what_was_not_tried_is_not_right() {
        let untried = || tried("a", Verdict::Untried("why".to_owned()));
        assert_eq!(Counts::of(&[tried("b", Verdict::Right(1)), untried()]).code(), 2);
        assert_eq!(Counts::of(&[tried("b", Verdict::NotThere(String::new()))]).code(), 2);
        let right = || tried("b", Verdict::Right(1));
        assert_eq!(Counts::of(&[right(), tried("c", Verdict::NotThere(String::new()))]).code(), 0);
        assert_eq!(Counts::of(&[tried("b", Verdict::Wrong(Vec::new())), untried()]).code(), 1);
    }
}
