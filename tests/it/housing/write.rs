//! The truth as JSON, and the README.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::truth::{Account, Defect, Total, account, amount};
use super::world::{NAMES, World};

/// Writes `planted.json`: one line for each finding, so that a change of the fixture reads well in a diff.
pub fn planted(world: &World) -> String {
    let defects: Vec<String> = world.defects.iter().map(defect).collect();
    let accounts: Vec<String> =
        NAMES.iter().enumerate().map(|(set, name)| dataset(world, set, name)).collect();
    format!(
        "{{\n\"as_of\": \"2026-03-09\",\n\"verdict\": {},\n\"planted\": [\n{}\n],\n\"datasets\": {{\n{}\n}}\n}}\n",
        json!({"gate": "failed", "exit_code": 1}),
        defects.join(",\n"),
        accounts.join(",\n")
    )
}

fn defect(defect: &Defect) -> String {
    let mut fields = vec![
        format!("\"id\": {}", json!(defect.id)),
        format!("\"says\": {}", json!(defect.says)),
        format!("\"dataset\": {}", json!(defect.dataset)),
        format!("\"kind\": {}", json!(defect.kind)),
        format!("\"count\": {}", defect.count()),
        format!("\"keys\": {}", json!(defect.keys)),
    ];
    if !defect.held_back.is_empty() {
        fields.push(format!("\"held_back\": {}", json!(defect.held_back)));
    }
    let findings: Vec<String> = defect
        .findings
        .iter()
        .map(|f| {
            let mut finding =
                json!({"dataset": f.dataset, "rule": f.rule, "side": f.side, "key": f.key, "column": f.column});
            if let Some(class) = f.class {
                finding["group"] = json!(class);
            }
            format!("    {finding}")
        })
        .collect();
    let findings =
        if findings.is_empty() { "[]".to_owned() } else { format!("[\n{}\n  ]", findings.join(",\n")) };
    fields.push(format!("\"consequences\": {findings}"));
    format!("{{ {} }}", fields.join(",\n  "))
}

fn dataset(world: &World, set: usize, name: &str) -> String {
    let account = account(world, set);
    let two_sided = set < world.target.len();
    let mut fields = vec![
        format!(
            "\"rows\": {}",
            json!({"source": sum(&account.source), "target": two_sided.then(|| sum(&account.target))})
        ),
        format!(
            "\"ledger\": {}",
            json!({"source": account.source, "target": two_sided.then_some(&account.target)})
        ),
        format!("\"buckets\": {}", if two_sided { buckets(&account) } else { Value::Null }),
        format!("\"corrections\": {}", json!(account.corrections)),
        format!("\"corrections_held_back\": {}", json!(account.corrections_held_back)),
    ];
    if let Some((rule, groups)) = &account.totals {
        let groups: Vec<String> =
            groups.iter().map(|(group, t)| format!("      {}: {}", json!(group), total(t))).collect();
        fields.push(format!("\"totals\": {{ {}: {{\n{}\n    }} }}", json!(rule), groups.join(",\n")));
    }
    format!("  {}: {{\n    {} }}", json!(name), fields.join(",\n    "))
}

fn total(total: &Total) -> Value {
    let side =
        |side: Option<(usize, i64)>| side.map(|(count, sum)| json!({"count": count, "sum": amount(sum)}));
    json!({"expected": side(total.expected), "target": side(total.target), "differs": total.differing()})
}

/// The buckets: pairs that match or not, and rows that have no pair.
fn buckets(account: &Account) -> Value {
    let get = |side: &BTreeMap<&str, usize>, fate| side.get(fate).copied().unwrap_or_default();
    let both = |fate| json!({"expected": get(&account.source, fate), "target": get(&account.target, fate)});
    json!({
        "matched": get(&account.target, "matched"),
        "mismatched": get(&account.target, "mismatched"),
        "missing": get(&account.source, "missing"),
        "unexpected": get(&account.target, "unexpected"),
        "duplicate_key": both("duplicate_key"),
        "no_key": both("no_key"),
    })
}

fn sum(side: &BTreeMap<&str, usize>) -> usize {
    side.values().sum()
}

/// Writes the README: what is said by hand stands in `readme.md`, the numbers are counted here.
pub fn readme(world: &World) -> String {
    let mut files = String::new();
    for (set, name) in NAMES.iter().enumerate() {
        let account = account(world, set);
        let target = world.target.get(set);
        files.push_str(&format!(
            "| {name} | `{}` | {} | {} | {} |\n",
            world.source[set].path.trim_start_matches("data/"),
            sum(&account.source),
            target.map_or_else(String::new, |side| format!("`{}`", side.path.trim_start_matches("data/"))),
            target.map_or_else(String::new, |_| sum(&account.target).to_string()),
        ));
    }
    let mut planted = String::new();
    for defect in &world.defects {
        planted.push_str(&format!(
            "| `{}` | {} | {} | {} | {} |\n",
            defect.id,
            defect.kind,
            defect.count(),
            defect.findings.len(),
            defect.says
        ));
    }
    include_str!("readme.md").replace("FILES\n", &files).replace("PLANTED\n", &planted)
}
