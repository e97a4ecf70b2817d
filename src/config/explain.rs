//! What `counterfoil explain` says of a kind.

use serde_json::Value as Json;

use crate::node::FieldDoc;
use crate::rule::Kind;

use super::family::{Checks, Family, Matches, RuleFamily, Steps};

/// A kind of rule, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindInfo {
    /// The word in a rule file.
    pub name: &'static str,
    /// Its family.
    pub family: RuleFamily,
    /// The first sentence of its documentation.
    pub summary: String,
}

/// Returns every kind, by family and name.
pub fn all_kinds() -> Vec<KindInfo> {
    let mut kinds = infos::<Steps>();
    kinds.extend(infos::<Checks>());
    kinds.extend(infos::<Matches>());
    kinds
}

fn infos<F: Family>() -> Vec<KindInfo> {
    let info = |kind: &Kind<F::Rule>| KindInfo {
        name: kind.name,
        family: F::FAMILY,
        summary: kind.documentation().lines().next().unwrap_or_default().to_owned(),
    };
    F::kinds().iter().map(info).collect()
}

/// Returns the family that has a kind of this name.
pub(super) fn family_of(name: &str) -> Option<RuleFamily> {
    all_kinds().into_iter().find(|kind| kind.name == name).map(|kind| kind.family)
}

/// Returns the page of a kind as Markdown: its documentation, its parameters, the fields it shares with others.
pub fn explain(name: &str) -> Option<String> {
    page::<Steps>(name).or_else(|| page::<Checks>(name)).or_else(|| page::<Matches>(name))
}

fn page<F: Family>(name: &str) -> Option<String> {
    let kind = F::kinds().iter().find(|kind| kind.name == name)?;
    let word = F::FAMILY.word();
    let mut text = format!("# {word}: {name}\n\n{}\n\n", kind.documentation().trim_end());
    text.push_str(&format!("## How to read the examples\n\n{}\n\n## Parameters\n\n", reading(F::FAMILY)));
    text.extend((kind.docs)().iter().map(entry));
    text.push_str(&format!("\n## Fields of every {word}\n\n"));
    text.extend(F::common_docs().iter().map(entry));
    if F::FAMILY != RuleFamily::Step {
        text.push_str(&format!("\nDimension: {}.\n", kind.dimension));
    }
    Some(text)
}

/// Returns what a newcomer must know to read a kind's examples.
fn reading(family: RuleFamily) -> String {
    let first = format!(
        "The rule stands under `{}` in a dataset's file. Tables are extracts: over each column are its name and its type.",
        family.section()
    );
    let rest = match family {
        RuleFamily::Step => {
            "`rows before` and `rows after` are the same rows before and after the step; a row that is `refused` is held \
             back in quarantine, with that reason."
        }
        RuleFamily::Check => {
            "`findings` are what the check finds in them: `row 2: cot` is the second row's cell in the column `cot`, \
             `row 2` the row itself, `side` the table as a whole. Rows of one `group` belong together."
        }
        RuleFamily::Match => {
            "`findings` are the duplicates in them: rows of one `group` are the same thing, and one that `stays` is the \
             row into which the others of its group are merged."
        }
    };
    format!("{first}\n{rest}")
}

/// One parameter: its names, type, default and documentation.
fn entry(field: &FieldDoc) -> String {
    let name = match field.alias {
        Some(alias) => format!("`{}` or `{alias}`", field.name),
        None => format!("`{}`", field.name),
    };
    let need = match (field.required, field.default) {
        (true, _) => ", required".to_owned(),
        (false, Some(default)) => format!(", default `{default}`"),
        (false, None) => String::new(),
    };
    let doc = field.doc.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    format!("- {name} ({}{need}): {doc}\n", words(&field.schema))
}

/// Returns a JSON Schema's type in words.
fn words(schema: &Json) -> String {
    if let Some(choices) = schema.get("enum").and_then(Json::as_array) {
        let choices: Vec<String> =
            choices.iter().filter_map(|c| c.as_str()).map(|c| format!("`{c}`")).collect();
        return choices.join(", ");
    }
    if let Some(forms) = schema.get("anyOf").and_then(Json::as_array) {
        let mut forms: Vec<String> = forms.iter().map(words).collect();
        forms.sort_by_key(|form| (form.starts_with("list of"), form.clone()));
        forms.dedup();
        // YAML's null is the choice `null`, written without quotes.
        if forms.iter().any(|form| form.contains("`null`")) {
            forms.retain(|form| form != "null");
        }
        return forms.join(" or ");
    }
    match schema.get("type") {
        Some(Json::String(one)) => match one.as_str() {
            "array" => match schema.get("items").map(words).as_deref() {
                None | Some("value") => "list of values".to_owned(),
                Some(items) => format!("list of {items}"),
            },
            "string" => "text".to_owned(),
            "integer" => "whole number".to_owned(),
            "object" => "names with values".to_owned(),
            other => other.to_owned(),
        },
        Some(Json::Array(types)) if types.iter().any(|t| t == "null") => "value".to_owned(),
        Some(Json::Array(_)) => "text".to_owned(),
        _ => "value".to_owned(),
    }
}
