//! Which tables there are, and which of the two databases belong together.

use rayon::prelude::*;

use crate::diagnostic::nearest;
use crate::source::{Cancel, Catalogue, Described, Listed, SourceError};

use super::pair::{How, Pair, pairs};
use super::{InitError, Table, yaml};

/// Which tables are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Patterns of the source's tables; all where there is none.
    pub tables: Vec<String>,
    /// Patterns of what is left out, on both sides.
    pub skip: Vec<String>,
}

/// What was found in the databases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The tables of the datasets: source, target, and why they belong together.
    pub datasets: Vec<(Option<Table>, Option<Table>, Option<How>)>,
    /// What was left out, and why; a sentence each, without a full stop.
    pub left_out: Vec<String>,
}

/// A database to read from.
pub struct Database<'a> {
    name: &'a str,
    catalogue: &'a dyn Catalogue,
    cancel: &'a Cancel,
}

impl Database<'_> {
    fn failed(&self, source: SourceError) -> InitError {
        InitError::Source { name: self.name.to_owned(), source: Box::new(source) }
    }

    fn tables(&self) -> Result<Vec<Listed>, InitError> {
        self.catalogue.tables(self.cancel).map_err(|error| self.failed(error))
    }

    /// Says how many tables may not be read, where there are any. Where that cannot be asked, the rest goes on.
    fn unreadable(&self) -> Option<String> {
        match self.catalogue.unreadable(self.cancel) {
            Ok(count @ 1..) => Some(format!(
                "{}: {count} {} that this user may not read",
                self.name,
                if count == 1 { "table or view" } else { "tables and views" }
            )),
            _ => None,
        }
    }

    fn describe(&self, listed: Listed) -> Result<Table, InitError> {
        let described = self.catalogue.describe(&listed, self.cancel).map_err(|error| self.failed(error))?;
        Ok(Table { listed, described })
    }
}

/// Reads the catalogues of the source and, where there is one, the target; each with its connection's name.
///
/// `tell` is told what goes on.
///
/// # Errors
/// Where a database cannot be read, or has nothing that is wanted.
pub fn read(
    source: (&str, &dyn Catalogue),
    target: Option<(&str, &dyn Catalogue)>,
    wanted: &Wanted,
    cancel: &Cancel,
    tell: &dyn Fn(String),
) -> Result<Found, InitError> {
    let source = Database { name: source.0, catalogue: source.1, cancel };
    let target = target.map(|(name, catalogue)| Database { name, catalogue, cancel });
    let mut found = Found::default();
    let all = source.tables()?;
    if all.is_empty() {
        return Err(InitError::NoTables(source.name.to_owned()));
    }
    found.left_out.extend(source.unreadable());
    let own = chosen(source.name, all, wanted, &mut found.left_out)?;
    tell(format!("{}: {}", source.name, tables(own.len())));
    let mut theirs = Vec::new();
    if let Some(target) = &target {
        let all = target.tables()?;
        if all.is_empty() {
            return Err(InitError::NoTables(target.name.to_owned()));
        }
        found.left_out.extend(target.unreadable());
        theirs = all.into_iter().filter(|table| !wanted.skip.iter().any(|p| matches(p, table))).collect();
        tell(format!("{}: {}", target.name, tables(theirs.iter().filter(|t| !t.is_view).count())));
    }
    let together = of_names(&own, &theirs);
    let is_needed = |at: usize, table: &Listed| {
        together.iter().any(|pair| pair.right == at) || (wanted.tables.is_empty() && !table.is_view)
    };
    let own: Vec<Table> =
        own.into_par_iter().map(|listed| source.describe(listed)).collect::<Result<_, _>>()?;
    let mut described: Vec<Option<Table>> = Vec::new();
    if let Some(target) = &target {
        described = theirs
            .par_iter()
            .enumerate()
            .map(|(at, listed)| is_needed(at, listed).then(|| target.describe(listed.clone())).transpose())
            .collect::<Result<_, _>>()?;
    }
    for (at, table) in own.into_iter().enumerate() {
        let pair = together.iter().find(|pair| pair.left == at);
        let slot = pair.and_then(|pair| described.get_mut(pair.right));
        let fits = |other: &Table| {
            pair.is_some_and(|pair| {
                pair.how < How::Plural || share_columns(&table.described, &other.described)
            })
        };
        let other = slot.filter(|slot| slot.as_ref().is_some_and(fits)).and_then(Option::take);
        let how = pair.map(|pair| pair.how).filter(|_| other.is_some());
        found.datasets.push((Some(table), other, how));
    }
    let paired = |listed: &Listed| {
        found.datasets.iter().any(|(_, other, _)| other.as_ref().is_some_and(|other| other.listed == *listed))
    };
    let left: Vec<Listed> = theirs.into_iter().filter(|listed| !paired(listed)).collect();
    if let Some(target) = &target {
        let written =
            |views: bool| left.iter().filter(move |t| t.is_view == views).map(|t| t.written.as_str());
        found.left_out.extend(without(target.name, "view", written(true)));
        if wanted.tables.is_empty() {
            let rest = described.into_iter().flatten().filter(|table| !table.listed.is_view);
            found.datasets.extend(rest.map(|table| (None, Some(table), None)));
        } else {
            let what = "table without a partner among those of `--tables`";
            found.left_out.extend(without(target.name, what, written(false)));
        }
    }
    Ok(found)
}

fn tables(number: usize) -> String {
    format!("{number} {}", if number == 1 { "table" } else { "tables" })
}

/// Says what was left out; nothing where that is nothing.
fn without<'n>(name: &str, what: &str, names: impl Iterator<Item = &'n str>) -> Option<String> {
    let names: Vec<&str> = names.collect();
    let shown = yaml::names(names.iter().take(5).copied());
    let more = names.len().saturating_sub(5);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let (word, rest) =
        what.split_once(' ').map_or((what, String::new()), |(w, rest)| (w, format!(" {rest}")));
    let plural = if names.len() == 1 { "" } else { "s" };
    (!names.is_empty()).then(|| format!("{} {word}{plural}{rest} of `{name}`: {shown}{more}", names.len()))
}

/// Returns the tables that are wanted; views only where a pattern names them in full.
fn chosen(
    name: &str,
    all: Vec<Listed>,
    wanted: &Wanted,
    left_out: &mut Vec<String>,
) -> Result<Vec<Listed>, InitError> {
    for pattern in wanted.tables.iter().chain(&wanted.skip) {
        if !wanted.tables.contains(pattern) || all.iter().any(|table| matches(pattern, table)) {
            continue;
        }
        let near = nearest(pattern, all.iter().flat_map(|t| [t.written.as_str(), t.name.as_str()]));
        return Err(InitError::NoMatch {
            name: name.to_owned(),
            pattern: pattern.clone(),
            near: near.map(str::to_owned),
        });
    }
    let mut views = Vec::new();
    let mut own = Vec::new();
    for table in all {
        let is_named = |pattern: &String| !pattern.contains(['*', '?']) && matches(pattern, &table);
        let is_wanted =
            wanted.tables.is_empty() || wanted.tables.iter().any(|pattern| matches(pattern, &table));
        if !is_wanted || wanted.skip.iter().any(|pattern| matches(pattern, &table)) {
            continue;
        }
        if table.is_view && !wanted.tables.iter().any(is_named) {
            views.push(table.written);
        } else {
            own.push(table);
        }
    }
    left_out.extend(
        without(name, "view", views.iter().map(String::as_str))
            .map(|text| format!("{text}; `--tables` takes one that it names in full")),
    );
    if own.is_empty() {
        return Err(InitError::NoTables(name.to_owned()));
    }
    Ok(own)
}

/// Returns true where a pattern names a table: `*` stands for any letters, `?` for one; case does not count.
///
/// A pattern with a point is of schema and name, another of the name alone.
fn matches(pattern: &str, table: &Listed) -> bool {
    let escaped = glob::Pattern::escape(pattern).replace("[*]", "*").replace("[?]", "?");
    let Ok(glob) = glob::Pattern::new(&escaped) else { return false };
    let options = glob::MatchOptions {
        case_sensitive: false,
        require_literal_separator: false,
        require_literal_leading_dot: false,
    };
    let whole = format!("{}.{}", table.schema, table.name);
    [table.name.as_str(), whole.as_str(), table.written.as_str()]
        .iter()
        .any(|name| glob.matches_with(name, options))
}

/// Finds the tables that belong together by their names: tables first, then views of the target for what is left.
fn of_names(own: &[Listed], theirs: &[Listed]) -> Vec<Pair> {
    let names = |tables: &[Listed], only: &dyn Fn(usize, &Listed) -> bool| -> Vec<(usize, String)> {
        let kept = tables.iter().enumerate().filter(|(at, table)| only(*at, table));
        kept.map(|(at, table)| (at, table.name.clone())).collect()
    };
    let mut found: Vec<Pair> = Vec::new();
    // The same name in the same schema is surer than any other.
    for (left, table) in own.iter().enumerate() {
        let same = |other: &&Listed| (&other.schema, &other.name) == (&table.schema, &table.name);
        let right = theirs.iter().filter(|other| !other.is_view).position(|other| same(&other));
        let right = right.and_then(|_| theirs.iter().position(|other| !other.is_view && same(&other)));
        found.extend(right.map(|right| Pair { left, right, how: How::Same }));
    }
    for views in [false, true] {
        let left = names(own, &|at, _| found.iter().all(|pair| pair.left != at));
        let right =
            names(theirs, &|at, table| table.is_view == views && found.iter().all(|pair| pair.right != at));
        let texts = |named: &[(usize, String)]| -> Vec<String> {
            named.iter().map(|(_, name)| name.clone()).collect()
        };
        let (left_names, right_names) = (texts(&left), texts(&right));
        let left_names: Vec<&str> = left_names.iter().map(String::as_str).collect();
        let right_names: Vec<&str> = right_names.iter().map(String::as_str).collect();
        let new = pairs(&left_names, &right_names, true, &|_, _| !views);
        found.extend(new.into_iter().filter_map(|pair| {
            Some(Pair { left: left.get(pair.left)?.0, right: right.get(pair.right)?.0, how: pair.how })
        }));
    }
    found
}

/// Returns true where half of the columns of the smaller table are in the other one too: then a guess is likely right.
fn share_columns(a: &Described, b: &Described) -> bool {
    let names = |described: &Described| -> Vec<String> {
        described.columns.iter().map(|column| column.name.clone()).collect()
    };
    let (a, b) = (names(a), names(b));
    let (a, b): (Vec<&str>, Vec<&str>) =
        (a.iter().map(String::as_str).collect(), b.iter().map(String::as_str).collect());
    let common = pairs(&a, &b, false, &|_, _| false).len();
    common > 0 && common * 2 >= a.len().min(b.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(schema: &str, name: &str, is_view: bool) -> Listed {
        Listed {
            schema: schema.to_owned(),
            name: name.to_owned(),
            written: format!("{schema}.{name}"),
            is_view,
            rows: None,
        }
    }

    #[test]
    fn patterns_are_of_names_and_schemas() {
        let table = listed("dbo", "TenAgree", false);
        for pattern in ["*", "dbo.*", "tenagree", "DBO.TENAGREE", "ten*", "*.ten?gree"] {
            assert!(matches(pattern, &table), "{pattern}");
        }
        for pattern in ["old.*", "ten", "[t]enagree", "dbo"] {
            assert!(!matches(pattern, &table), "{pattern}");
        }
    }

    #[test]
    fn views_are_for_those_who_name_them() {
        let all = vec![listed("dbo", "t", false), listed("dbo", "v", true), listed("dbo", "w", true)];
        let names = |tables: &[&str], skip: &[&str]| {
            let texts = |list: &[&str]| list.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
            let wanted = Wanted { tables: texts(tables), skip: texts(skip) };
            let mut left_out = Vec::new();
            let own = chosen("uh", all.clone(), &wanted, &mut left_out);
            own.map(|own| (own.into_iter().map(|t| t.name).collect::<Vec<_>>(), left_out.len()))
                .map_err(|error| error.to_string())
        };
        assert_eq!(names(&[], &[]), Ok((vec!["t".to_owned()], 1)));
        assert_eq!(names(&["dbo.v", "t"], &[]), Ok((vec!["t".to_owned(), "v".to_owned()], 0)));
        assert!(names(&["dbo.x"], &[]).unwrap_err().contains("named as in `dbo.x`"));
        assert!(names(&[], &["t"]).unwrap_err().contains("has no table"));
    }

    #[test]
    fn tables_meet_by_name_and_then_views() {
        let own = [listed("dbo", "a", false), listed("old", "a", false), listed("dbo", "people", false)];
        let theirs = [listed("dbo", "a", false), listed("x", "people", true), listed("x", "other", false)];
        let says: Vec<(usize, usize)> =
            of_names(&own, &theirs).into_iter().map(|pair| (pair.left, pair.right)).collect();
        assert_eq!(says, [(0, 0), (2, 1)]);
    }

    #[test]
    fn what_is_left_out_is_said_in_short() {
        let many = ["a", "b", "c", "d", "e", "f", "g"];
        assert_eq!(
            without("uh", "view", many.into_iter()).unwrap(),
            "7 views of `uh`: `a`, `b`, `c`, `d`, `e` and 2 more"
        );
        assert_eq!(without("uh", "view", many.into_iter().take(1)).unwrap(), "1 view of `uh`: `a`");
        assert_eq!(without("uh", "view", [].into_iter()), None);
    }
}
