//! The files of a project, as texts.

use crate::model::Side;

use super::dataset::{Dataset, Declared, On, declared, guesses, why};
use super::names::Names;
use super::read::Found;
use super::spec::Spec;
use super::yaml::{behind, comment, commented_out, list, names, text};
use super::{Project, Table};

/// Makes the project of what was found; `timezone` is the databases' zone, where somebody declared it.
pub fn project(found: Found, source: &Spec, target: Option<&Spec>, timezone: Option<&str>) -> Project {
    let mut given = Names::default();
    let mut project = Project { left_out: found.left_out, ..Project::default() };
    let mut datasets: Vec<Dataset> = Vec::new();
    for (own, theirs, how) in found.datasets {
        let readable = |table: &Table| table.described.columns.iter().any(|column| column.logical.is_some());
        let Some(listed) = own.as_ref().or(theirs.as_ref()).map(|table| &table.listed) else { continue };
        if ![&own, &theirs].into_iter().flatten().all(readable) {
            project.left_out.push(format!("`{}`: it has no column that can be read exactly", listed.written));
            continue;
        }
        let name = given.give(&listed.schema, &listed.name);
        datasets.push(Dataset::new(name, own, theirs, how, timezone.is_some()));
    }
    project.files.push(("counterfoil.yml".to_owned(), project_file(source, target, timezone)));
    let connections = Connections { source, target, timezone };
    for dataset in &datasets {
        let path = format!("rules/{}.yml", dataset.name);
        let file = File { dataset, all: &datasets, connections: &connections };
        project.decisions.extend(file.decisions().into_iter().map(|text| format!("{path}: {text}")));
        project.files.push((path, file.text()));
    }
    project.two_sided = datasets.iter().filter(|dataset| dataset.is_two_sided()).count();
    project.one_sided = datasets.len() - project.two_sided;
    project
}

fn project_file(source: &Spec, target: Option<&Spec>, timezone: Option<&str>) -> String {
    let specs: Vec<&Spec> = [Some(source), target].into_iter().flatten().collect();
    let all: Vec<&str> = specs.iter().map(|spec| spec.name.as_str()).collect();
    let told = match all.as_slice() {
        [one] => format!("`{one}` says of its tables"),
        all => format!(
            "{} say of their tables",
            all.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ")
        ),
    };
    let mut out =
        comment(0, &format!("Made by `counterfoil init` from what {told}. It is yours now: change it."));
    out += &comment(0, "`counterfoil explain project` lists all that may stand here.");
    out += "version: 1\n";
    out += &format!("project: {}\n", text(&all.join(" to ")));
    out += "connections:\n";
    for spec in specs {
        out += &format!("  {}:\n", text(&spec.name));
        for line in spec.lines(timezone).lines() {
            out += &format!("    {line}\n");
        }
    }
    out += "datasets: rules/*.yml\n";
    out += "gate:\n  fail_on: error\n";
    out += &comment(
        0,
        "fingerprint_key: \"${COUNTERFOIL_KEY}\"   <- where several people or machines run it; else one is made in .counterfoil/",
    );
    out
}

/// The connections of the two sides.
struct Connections<'a> {
    source: &'a Spec,
    target: Option<&'a Spec>,
    timezone: Option<&'a str>,
}

/// One dataset file.
struct File<'a> {
    dataset: &'a Dataset,
    all: &'a [Dataset],
    connections: &'a Connections<'a>,
}

impl File<'_> {
    fn connection(&self, side: Side) -> &str {
        match (side, self.connections.target) {
            (Side::Target, Some(target)) => &target.name,
            _ => &self.connections.source.name,
        }
    }

    /// Returns true where two tables are there and no key to compare them by.
    fn lacks_key(&self) -> bool {
        self.dataset.source.is_some() && self.dataset.target.is_some() && self.dataset.key.is_none()
    }

    /// Returns the columns that are not compared because nobody says which zone they show.
    fn zones_unknown(&self) -> Vec<String> {
        if self.connections.timezone.is_some() || !self.dataset.is_two_sided() {
            return Vec::new();
        }
        self.dataset.without_zone().into_iter().map(|column| column.ours.clone()).collect()
    }

    /// Returns what somebody has to decide.
    fn decisions(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.lacks_key() {
            found.push("name a `key`: none is declared, so the target is not read yet".to_owned());
        }
        let zones = self.zones_unknown();
        if !zones.is_empty() {
            let show = if zones.len() == 1 { "shows" } else { "show" };
            let zones = names(zones.iter().map(String::as_str));
            found.push(format!(
                "say which zone {zones} {show}, or run `init` with `--timezone`: not compared yet"
            ));
        }
        if self.dataset.how.is_some_and(|how| why(how).is_some()) {
            found.push("are these two tables the same? It is a guess by their names".to_owned());
        }
        if let Some(guessed) = guesses(self.dataset) {
            found.push(format!("are the partners of {guessed} right? They are guesses by their names"));
        }
        found
    }

    fn text(&self) -> String {
        let dataset = self.dataset;
        let mut out = self.head();
        out += &format!("dataset: {}\n", text(&dataset.name));
        out += &comment(0, "owner: whose data it is, as reports show it");
        out += &self.key();
        let sensitive = dataset.sensitive();
        if !sensitive.is_empty() {
            out += &comment(
                0,
                "No report shows these. They are guesses by name: add what is missing, take out what may be seen.",
            );
            out += &list(0, "sensitive", &sensitive);
        }
        let free_text = dataset.free_text();
        if !free_text.is_empty() {
            out += &comment(
                0,
                "Free text, into which anyone may have written anything: no report shows it. A guess by name too.",
            );
            out += &list(0, "free_text", &free_text);
        }
        for side in [Side::Expected, Side::Target] {
            let lines = self.side(side);
            out += &if dataset.sides().contains(&side) { lines } else { commented_out(&lines) };
        }
        out += &self.alone();
        if dataset.source.is_some() {
            out += &comment(
                0,
                "Steps that bring the source into the target's form, such as these; `counterfoil explain` lists them.",
            );
            out += &commented_out("cleanse:\n  - step: trim\n    columns: \"*\"\n");
        }
        let checks = declared(dataset, self.all);
        if !checks.is_empty() {
            out += &comment(
                0,
                "What the databases declare. The old one may not hold to it, nor may what comes from it.",
            );
            out += "checks:\n";
            out += &checks.iter().map(check).collect::<String>();
        }
        out += &self.reconcile();
        out
    }

    fn head(&self) -> String {
        let dataset = self.dataset;
        let place = |side: Side| {
            let listed = &dataset.table(side)?.listed;
            let rows = listed
                .rows
                .map(|rows| format!(", about {rows} {}", if rows == 1 { "row" } else { "rows" }))
                .unwrap_or_default();
            Some(format!("{} of `{}`{rows}", listed.written, self.connection(side)))
        };
        let places: Vec<String> = [Side::Expected, Side::Target].into_iter().filter_map(place).collect();
        let mut out = comment(0, &format!("{}.", places.join("; ")));
        if let Some(why) = dataset.how.and_then(why) {
            out += &comment(0, &format!("That the two are the same is a {why}."));
        }
        if self.connections.target.is_some() && places.len() == 1 {
            let (other, section) = match dataset.source {
                Some(_) => (Side::Target, "target"),
                None => (Side::Expected, "source"),
            };
            out += &comment(
                0,
                &format!(
                    "No table of `{}` has a name like this one's. Where there is one, name it under `{section}`, and take \
                     its own file away.",
                    self.connection(other)
                ),
            );
        }
        out
    }

    fn key(&self) -> String {
        match &self.dataset.key {
            Some(key) => list(0, "key", &key.columns).trim_end().to_owned() + &behind(&key.from) + "\n",
            None if self.lacks_key() => {
                let candidates = self.dataset.key_candidates();
                let candidates = match candidates.as_slice() {
                    [] => String::new(),
                    some => {
                        format!(" By their names, these may be part of one: {}.", names(some.iter().copied()))
                    }
                };
                comment(
                    0,
                    &format!(
                        "No key is declared whose columns both sides have, and rows are compared by one. Name it here, and \
                         take away the marks before `target` and what follows it.{candidates}"
                    ),
                ) + "# key: []\n"
            }
            None => {
                comment(0, "key: []   <- no key is declared; findings name a row by it, where one is there")
            }
        }
    }

    fn side(&self, side: Side) -> String {
        let Some(table) = self.dataset.table(side) else { return String::new() };
        let word = if side == Side::Target { "target" } else { "source" };
        let mut out = format!("{word}:\n  connection: {}\n", text(self.connection(side)));
        out += &format!("  table: {}\n", text(&table.listed.written));
        let renamed = self.dataset.renamed(side);
        if !renamed.is_empty() {
            out += "  columns:";
            out += &behind("their names: ours");
            out.push('\n');
            for (theirs, column) in renamed {
                let guess = column.how.filter(|_| column.source.is_some()).and_then(why);
                let guess = guess.map(behind).unwrap_or_default();
                out += &format!("    {}: {}{guess}\n", text(theirs), text(&column.ours));
            }
        }
        let unreadable = self.dataset.unreadable(side);
        if !unreadable.is_empty() {
            let types: Vec<String> =
                unreadable.iter().map(|(name, declared)| format!("`{name}` ({declared})")).collect();
            out += &comment(
                2,
                &format!(
                    "Of these types nothing can be read that is known to be exact: {}. A `query` in the place of `table` \
                     can convert them.",
                    types.join(", ")
                ),
            );
            let omitted: Vec<String> = unreadable.iter().map(|(name, _)| (*name).to_owned()).collect();
            out += &list(2, "omit", &omitted);
        }
        out
    }

    /// Says which columns have no partner.
    fn alone(&self) -> String {
        if self.dataset.source.is_none() || self.dataset.target.is_none() {
            return String::new();
        }
        let mut out = String::new();
        for (side, word) in [(Side::Expected, "source"), (Side::Target, "target")] {
            let alone = self.dataset.alone(side);
            if !alone.is_empty() {
                out += &comment(0, &format!("Only in the {word}, so not compared: {}.", names(alone)));
            }
        }
        if !out.is_empty() {
            out += &comment(
                0,
                "Where two of them are the same, write it under `columns` of the target, as `theirs: ours`.",
            );
        }
        out
    }

    fn reconcile(&self) -> String {
        if !self.dataset.is_two_sided() {
            return String::new();
        }
        let zones = self.zones_unknown();
        if zones.is_empty() {
            return comment(
                0,
                "reconcile: every column that both sides have is compared exactly; `counterfoil explain reconcile`.",
            );
        }
        let mut out = String::from("reconcile:\n");
        out += &comment(
            2,
            "These have a zone on one side only. Say whose clock the other shows, as `timezone: Europe/London` on its \
             connection, and take this list away: then they are compared.",
        );
        out += &list(2, "exclude", &zones);
        out
    }
}

fn check(check: &Declared) -> String {
    let mut out = format!("  - check: {}\n", check.kind);
    if let Some(id) = &check.id {
        out += &format!("    id: {}\n", text(id));
    }
    out += &match check.columns.as_slice() {
        [one] => format!("    column: {}\n", text(one)),
        columns => list(4, "columns", columns),
    };
    if let Some((dataset, columns)) = &check.references {
        let simple = |name: &str| text(name) == name && !name.contains('.');
        out += &match columns.as_slice() {
            [one] if simple(dataset) && simple(one) => format!("    references: {dataset}.{one}\n"),
            columns => {
                format!("    references:\n      dataset: {}\n{}", text(dataset), list(6, "columns", columns))
            }
        };
    }
    if let On::Only(side) = check.on {
        out += &format!("    on: [{}]\n", side.word());
    }
    out
}
