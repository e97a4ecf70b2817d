//! What is written loads, whatever tables and columns are called.

use counterfoil::config::{self, Plan, Tables};
use counterfoil::diagnostic::Diagnostics;
use counterfoil::init::{Found, Project, Spec, Wanted, project, read, specs, write};
use counterfoil::model::Logical;
use counterfoil::source::{Cancel, Catalogue, Described, DescribedColumn, ForeignKey, Listed, SourceError};
use proptest::prelude::*;
use proptest::sample::subsequence;

use crate::support::Folder;

/// A database of which everything is known beforehand.
#[derive(Debug, Clone, Default)]
struct Known(Vec<(Listed, Described)>);

impl Catalogue for Known {
    fn column_facts(&self, _: &Listed, _: &Cancel) -> Result<Vec<Vec<Option<String>>>, SourceError> {
        Ok(Vec::new())
    }

    fn tables(&self, _: &Cancel) -> Result<Vec<Listed>, SourceError> {
        Ok(self.0.iter().map(|(listed, _)| listed.clone()).collect())
    }

    fn describe(&self, table: &Listed, _: &Cancel) -> Result<Described, SourceError> {
        Ok(self.0.iter().find(|(listed, _)| listed == table).expect("one of these").1.clone())
    }
}

fn two() -> Vec<Spec> {
    let variables = |name: &str| (name == "A").then(|| "Driver=x".to_owned());
    specs(&["old=${A}".to_owned(), "new=${A}".to_owned()], &variables).expect("two connections")
}

fn found(old: &Known, new: Option<&Known>) -> Found {
    let target = new.map(|new| ("new", new as &dyn Catalogue));
    read(("old", old), target, &Wanted::default(), &Cancel::default(), &|_| ()).expect("tables")
}

/// Writes a project and loads it; no diagnostic may be there.
fn loaded(project: &Project) -> Plan {
    let folder = Folder::new();
    write(project, folder.path()).expect("an empty folder");
    let mut out = Diagnostics::default();
    let variables = |name: &str| (name == "A").then(|| "Driver=x".to_owned());
    let plan = config::load(folder.path(), &variables, Tables::NotAsked, &mut out);
    let files = || project.files.iter().map(|(name, text)| format!("{name}\n{text}")).collect::<String>();
    assert!(out.is_empty(), "{}\n{}", out.render(false), files());
    plan.expect("a plan")
}

fn column(name: &str, logical: Option<Logical>, nullable: bool) -> DescribedColumn {
    DescribedColumn { name: name.to_owned(), logical, declared: "some\ntype".to_owned(), nullable }
}

fn table(schema: &str, name: &str, columns: Vec<DescribedColumn>) -> (Listed, Described) {
    let listed = Listed {
        schema: schema.to_owned(),
        name: name.to_owned(),
        written: format!("{schema}.{name}"),
        is_view: false,
        rows: Some(7),
    };
    (listed, Described { columns, ..Described::default() })
}

/// Names as nobody should give them.
fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-c_]{1,3}",
        2 => prop::sample::select(vec![
            "NO", "007", "*", "*x", "null", "~", "true", "a: b", "# x", "- a", "a.b", "${X}", "$${X}", "_row", "missing",
            "unexpected", "no_key", "it's", "\"", "a\nb", "a\tb", " a ", "[a]", "{a}", "Łódź", "😀", "con", "../x", "a,b",
            "forename", "notes", "id", "ID", "Id", "i d", "%", "@a", "`", "\\", "key", "1e5", "a-b", "?", "&x", "|", ">",
        ]).prop_map(str::to_owned),
        1 => "\\PC{1,12}",
        1 => any::<String>().prop_filter("no name", |name| !name.is_empty()).prop_map(|name| name.chars().take(40).collect()),
    ]
}

fn any_type() -> impl Strategy<Value = Option<Logical>> {
    prop::sample::select(vec![
        None,
        Some(Logical::I64),
        Some(Logical::TEXT),
        Some(Logical::Date),
        Some(Logical::TIMESTAMP),
        Some(Logical::TIMESTAMP_UTC),
        Some(Logical::Other("x".to_owned())),
    ])
}

fn any_database() -> impl Strategy<Value = Known> {
    let columns = prop::collection::btree_map(any_name(), (any_type(), any::<bool>()), 1..7);
    let one = (columns, any::<prop::sample::Index>(), any::<u8>());
    let tables =
        prop::collection::btree_map((prop::sample::select(vec!["dbo", "x y"]), any_name()), one, 1..5);
    tables.prop_flat_map(|tables| {
        let names: Vec<(String, String)> =
            tables.keys().map(|(schema, name)| ((*schema).to_owned(), name.clone())).collect();
        let mut known: Vec<(Listed, Described)> = Vec::new();
        let mut choices = Vec::new();
        for ((schema, name), (columns, _, _)) in tables {
            let columns: Vec<DescribedColumn> = columns
                .into_iter()
                .map(|(name, (logical, nullable))| column(&name, logical, nullable))
                .collect();
            let own: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
            let most = own.len();
            let keys = (
                subsequence(own.clone(), 0..=most.min(2)),
                prop::collection::vec(subsequence(own.clone(), 1..=most.min(2)), 0..3),
                prop::collection::vec(
                    (prop::sample::select(own), prop::sample::select(names.clone()), any_name()),
                    0..3,
                ),
            );
            known.push(table(schema, &name, columns));
            choices.push(keys);
        }
        (Just(known), choices).prop_map(|(mut known, choices)| {
            let all = known.clone();
            for ((_, described), (primary, unique, foreign)) in known.iter_mut().zip(choices) {
                described.primary_key = primary;
                described.unique_keys = unique;
                described.foreign_keys = foreign
                    .into_iter()
                    .map(|(own, (schema, table), reference)| {
                        let parent = all.iter().find(|(l, _)| (&l.schema, &l.name) == (&schema, &table));
                        let first = parent.and_then(|(_, d)| d.columns.first()).map(|c| c.name.clone());
                        ForeignKey {
                            columns: vec![own],
                            schema,
                            table,
                            references: vec![first.unwrap_or(reference)],
                        }
                    })
                    .collect();
            }
            Known(known)
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_names_there_are_the_project_loads(old in any_database(), new in any_database(), zone in any::<bool>()) {
        let specs = two();
        let zone = zone.then_some("Europe/London");
        let found = found(&old, Some(&new));
        let made = project(found, &specs[0], Some(&specs[1]), zone);
        if made.two_sided + made.one_sided > 0 {
            let plan = loaded(&made);
            prop_assert_eq!(plan.datasets.len(), made.two_sided + made.one_sided);
            let two = plan.datasets.iter().filter(|d| d.source.is_some() && d.target.is_some()).count();
            prop_assert_eq!(two, made.two_sided);
        }
    }
}

#[test]
fn an_id_is_one_line_whatever_columns_are_called() {
    let columns =
        |first: &str| vec![column(first, Some(Logical::I64), true), column("b", Some(Logical::I64), true)];
    let mut child = table("dbo", "child", columns("a\tb"));
    let key = |table: &str| ForeignKey {
        columns: vec!["a\tb".to_owned()],
        schema: "dbo".to_owned(),
        table: table.to_owned(),
        references: vec!["id".to_owned()],
    };
    child.1.foreign_keys = vec![key("one"), key("two")];
    let known = Known(vec![child, table("dbo", "one", columns("id")), table("dbo", "two", columns("id"))]);
    let specs = two();
    let made = project(found(&known, None), &specs[0], None, None);
    let plan = loaded(&made);
    let child = plan.datasets.iter().find(|dataset| dataset.name.value == "child").expect("the child");
    let ids: Vec<&str> = child.checks.iter().map(|check| check.id.as_str()).collect();
    assert_eq!(ids, ["foreign_key-a_b", "foreign_key-a_b-2"]);
}

fn one_rule(made: &Project, name: &str) -> String {
    made.files.iter().find(|(path, _)| path == &format!("rules/{name}.yml")).expect("such a file").1.clone()
}

#[test]
fn names_of_the_reconciliations_own_rules_get_others() {
    let columns = || {
        let mut columns: Vec<DescribedColumn> = ["_row", "missing", "missing_", "x"]
            .iter()
            .map(|name| column(name, Some(Logical::I64), false))
            .collect();
        columns.push(column("unreadable", None, true));
        columns
    };
    let mut known = table("dbo", "t", columns());
    known.1.primary_key = vec!["_row".to_owned()];
    let (old, new) = (Known(vec![known.clone()]), Known(vec![known]));
    let specs = two();
    let made = project(found(&old, Some(&new)), &specs[0], Some(&specs[1]), None);
    let rules = one_rule(&made, "t");
    assert_eq!(rules.matches("    _row: row_\n    missing: missing__\n").count(), 2, "{rules}");
    assert_eq!(rules.matches("  omit: [unreadable]\n").count(), 2, "{rules}");
    let plan = loaded(&made);
    assert_eq!(plan.datasets[0].key[0].value, "row_");
}

#[test]
fn a_table_without_a_key_waits_for_one() {
    let columns =
        || vec![column("tag_ref", Some(Logical::TEXT), true), column("rent", Some(Logical::I64), true)];
    let (old, new) = (
        Known(vec![table("dbo", "tenancy", columns())]),
        Known(vec![table("housing", "tenancies", columns())]),
    );
    let specs = two();
    let made = project(found(&old, Some(&new)), &specs[0], Some(&specs[1]), None);
    assert_eq!((made.two_sided, made.one_sided), (0, 1));
    assert!(made.decisions[0].starts_with("rules/tenancy.yml: name a `key`"), "{:?}", made.decisions);
    let rules = one_rule(&made, "tenancy");
    assert!(rules.contains("may be part of one: `tag_ref`"), "{rules}");
    assert!(loaded(&made).datasets[0].target.is_none());
    // As the comment says.
    let rules = rules
        .replace("# key: []", "key: [tag_ref]")
        .replace("# target:\n#   connection: new\n#   table: ", "target:\n  connection: new\n  table: ");
    let mut files = made.clone();
    files.files[1].1 = rules;
    assert!(loaded(&files).datasets[0].target.is_some());
}

#[test]
fn what_somebody_wrote_is_not_overwritten() {
    let (old, specs) = (Known(vec![table("dbo", "t", vec![column("a", Some(Logical::I64), true)])]), two());
    let made = project(found(&old, None), &specs[0], None, None);
    for (path, said) in
        [("counterfoil.yml", "counterfoil.yml"), ("rules/other.yml", "rules/other.yml"), ("rules", "rules")]
    {
        let folder = Folder::new();
        folder.write(path, "mine");
        let error = write(&made, folder.path()).unwrap_err().to_string();
        assert!(error.contains(&format!("in the way: {said};")), "{error}");
        assert_eq!(std::fs::read_to_string(folder.path().join(path)).unwrap(), "mine");
    }
}
