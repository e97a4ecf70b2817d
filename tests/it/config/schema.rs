//! The schemas for editors: current, true to what is accepted, and of use where a file is wrong.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use counterfoil::diagnostic::{Diagnostics, SourceFile};
use counterfoil::node::{Node, Value, parse};
use regex::Regex;
use serde_json::Value as Json;

use super::samples;
use super::validator::{problems, problems_of};
use crate::support::{Folder, golden, root};

static PROJECT: LazyLock<Json> = LazyLock::new(counterfoil::config::project_schema);
static DATASET: LazyLock<Json> = LazyLock::new(counterfoil::config::dataset_schema);

/// Reads YAML as an editor does, with the types of YAML 1.2's core schema.
fn as_editor(text: &str) -> Option<Json> {
    let file = Arc::new(SourceFile::new("t.yml", text.trim_start_matches('\u{feff}')));
    let mut out = Diagnostics::default();
    let node = parse(&file, &mut out)?;
    out.is_empty().then(|| json(&node))
}

fn json(node: &Node) -> Json {
    static INTEGER: LazyLock<Regex> = LazyLock::new(|| Regex::new("^[-+]?[0-9]+$").expect("a pattern"));
    static FLOAT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$").expect("a pattern")
    });
    match &node.value {
        Value::Null => Json::Null,
        Value::Scalar { text, quoted: true } => Json::String(text.clone()),
        Value::Scalar { text, .. } => match text.as_str() {
            "true" | "True" | "TRUE" => Json::Bool(true),
            "false" | "False" | "FALSE" => Json::Bool(false),
            "Null" | "NULL" => Json::Null,
            text if INTEGER.is_match(text) && text.parse::<i64>().is_ok() => {
                Json::from(text.parse::<i64>().expect("a whole number"))
            }
            text if FLOAT.is_match(text) => Json::from(text.parse::<f64>().expect("a number")),
            text => Json::String(text.to_owned()),
        },
        Value::List(items) => items.iter().map(json).collect(),
        Value::Map(entries) => {
            Json::Object(entries.iter().map(|(name, node)| (name.text.clone(), json(node))).collect())
        }
    }
}

/// Returns every YAML file of a project with the schema it should fulfil.
fn files(project: &Path) -> Vec<(String, &'static Json)> {
    let mut found = Vec::new();
    let mut open = vec![project.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "yml") {
                let text = std::fs::read_to_string(&path).expect("UTF-8");
                found.push((text, if name == "counterfoil.yml" { &*PROJECT } else { &*DATASET }));
            }
        }
    }
    found
}

#[test]
fn committed_schemas_are_what_the_program_prints() {
    let folder = Folder::new();
    for (name, schema) in [("project", &*PROJECT), ("dataset", &*DATASET)] {
        let ran = folder.run(&["schema", name]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert_eq!(serde_json::from_str::<Json>(&ran.stdout).expect("JSON"), *schema);
        golden(&format!("rules/schema/{name}.schema.json"), &ran.stdout);
    }
}

#[test]
fn what_is_right_fulfils_the_schemas() {
    let mut projects = samples("valid");
    projects.push(root().join("fixtures/housing"));
    for project in projects {
        for (text, schema) in files(&project) {
            let found = problems(schema, &as_editor(&text).expect("YAML"));
            assert!(found.is_empty(), "{}: {found:#?}\n{text}", project.display());
        }
    }
    let readme = std::fs::read_to_string(root().join("README.md")).expect("README.md");
    let mut shown = 0;
    for block in readme.split("```yaml\n").skip(1) {
        let text = block.split("```").next().expect("a block");
        let schema = if text.starts_with("# counterfoil.yml") { &*PROJECT } else { &*DATASET };
        let found = problems(schema, &as_editor(text).expect("YAML"));
        assert!(found.is_empty(), "README.md: {found:#?}\n{text}");
        shown += 1;
    }
    assert!(shown >= 2, "{shown} blocks in README.md");
}

#[test]
fn every_example_of_a_kind_fulfils_the_schema() {
    let mut checked = 0;
    for kind in counterfoil::config::all_kinds() {
        let page = counterfoil::config::explain(kind.name).expect("a page");
        for (info, text) in counterfoil::rule::example_blocks(&page) {
            if info == format!("yaml {}", kind.family.word()) {
                let found = problems_of(&DATASET, kind.family.word(), &as_editor(&text).expect("YAML"));
                assert!(found.is_empty(), "{}: {found:#?}\n{text}", kind.name);
                checked += 1;
            }
        }
    }
    assert!(checked >= counterfoil::config::all_kinds().len(), "{checked} examples");
}

#[test]
fn what_is_built_wrongly_does_not_fulfil_the_schemas() {
    for name in [
        "fields-of-rules/rules/tenancies.yml",
        "mistakes-everywhere/counterfoil.yml",
        "mistakes-everywhere/rules/properties.yml",
        "mistakes-everywhere/rules/tenancies.yml",
        "names-of-datasets/rules/d.yml",
        "names-of-datasets/rules/f.yml",
        "project-file/counterfoil.yml",
        "reconcile/rules/tenancies.yml",
        "types-and-files/rules/tenancies.yml",
        "unknown-kinds/rules/tenancies.yml",
        "unknown-names/rules/tenancies.yml",
        "windows-file/rules/tenancies.yml",
        "wrong-types/rules/tenancies.yml",
    ] {
        let text =
            std::fs::read_to_string(root().join("fixtures/config/invalid").join(name)).expect("a sample");
        let schema = if name.ends_with("counterfoil.yml") { &*PROJECT } else { &*DATASET };
        assert!(!problems(schema, &as_editor(&text).expect("YAML")).is_empty(), "{name}");
    }
}

#[test]
fn every_parameter_and_every_kind_is_described() {
    fn walk(schema: &Json, at: &str, missing: &mut Vec<String>) {
        if !schema.is_object() {
            return;
        }
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let at = format!("{at}/{name}");
            if field["description"].as_str().is_none_or(|text| text.trim().is_empty()) {
                missing.push(at.clone());
            }
            walk(field, &at, missing);
        }
        for form in ["anyOf", "oneOf", "allOf"] {
            schema[form].as_array().into_iter().flatten().for_each(|schema| walk(schema, at, missing));
        }
        for inner in ["items", "additionalProperties"] {
            walk(&schema[inner], at, missing);
        }
        schema["$defs"]
            .as_object()
            .into_iter()
            .flatten()
            .for_each(|(name, schema)| walk(schema, name, missing));
    }
    let mut missing = Vec::new();
    walk(&PROJECT, "project", &mut missing);
    walk(&DATASET, "dataset", &mut missing);
    assert_eq!(missing, Vec::<String>::new());
}
