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
    let mut text = format!("# {word}: {name}\n\n{}\n\n## Parameters\n\n", kind.documentation().trim_end());
    (kind.docs)().iter().for_each(|field| text.push_str(&entry(field)));
    text.push_str(&format!("\n## Fields of every {word}\n\n"));
    F::common_docs().iter().for_each(|field| text.push_str(&entry(field)));
    if F::FAMILY != RuleFamily::Step {
        text.push_str(&format!("\nDimension: {}.\n", kind.dimension));
    }
    Some(text)
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
        forms.sort();
        forms.dedup();
        return forms.join(" or ");
    }
    match schema.get("type") {
        Some(Json::String(one)) => match one.as_str() {
            "array" => format!("list of {}", schema.get("items").map_or_else(|| "values".to_owned(), words)),
            "string" => "text".to_owned(),
            "integer" => "whole number".to_owned(),
            "object" => "names with values".to_owned(),
            other => other.to_owned(),
        },
        Some(Json::Array(types)) if types.iter().any(|t| t == "null") => {
            "a value as written, or null".to_owned()
        }
        Some(Json::Array(_)) => "text".to_owned(),
        _ => "value".to_owned(),
    }
}
