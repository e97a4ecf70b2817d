//! What `counterfoil explain` says of a kind.

use serde_json::Value as Json;

use crate::node::FieldDoc;
use crate::reconcile::Reconcile;
use crate::reconcile::cause::CAUSES;
use crate::rule::Kind;
use crate::source::SideConfig;

use super::dataset::DatasetConfig;
use super::family::{Checks, Family, Matches, RuleFamily, Steps};
use super::project::ProjectConfig;

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

/// Returns the causes of differences, by name, each with the first sentence of its documentation.
pub fn causes() -> Vec<(&'static str, String)> {
    CAUSES.iter().map(|cause| (cause.name, cause.summary())).collect()
}

/// Returns the family that has a kind of this name.
pub(super) fn family_of(name: &str) -> Option<RuleFamily> {
    all_kinds().into_iter().find(|kind| kind.name == name).map(|kind| kind.family)
}

/// The sections of a project's files that have a page too, each with its first sentence.
pub const SECTIONS: &[(&str, &str)] = &[
    ("project", "The project file: where the data is, and which dataset files belong to it."),
    ("dataset", "A dataset file: one business table with its sides and its rules."),
    ("source", "Where one side of a dataset comes from; `target` is written in the same way."),
    ("reconcile", "How expected and target are compared."),
    ("sql", "A side that is a query over other datasets: what it may say, and what that means."),
];

/// Returns a page as Markdown: of a kind its documentation, its parameters and the fields it shares with others; of
/// a cause its documentation; of one of [`SECTIONS`] its parameters. A word of a kind and of a cause has both pages.
pub fn explain(name: &str) -> Option<String> {
    let kind = page::<Steps>(name).or_else(|| page::<Checks>(name)).or_else(|| page::<Matches>(name));
    match (kind, cause(name)) {
        (Some(kind), Some(cause)) => Some(format!("{kind}\n{cause}")),
        (kind, cause) => kind.or(cause).or_else(|| section(name)),
    }
}

fn cause(name: &str) -> Option<String> {
    let cause = CAUSES.iter().find(|cause| cause.name == name)?;
    Some(format!(
        "# cause: {name}\n\n{}\n\n## How to read the examples\n\n{}\n",
        cause.documentation().trim_end(),
        "`rows expected` and `rows target` are rows that belong together one to one; over each column are its name and its\n\
         type. `causes` are those of the cells that differ. The lines under `settles` are for the dataset's file: they make\n\
         these cells equal, and `counterfoil explain-differences` says what they give up."
    ))
}

/// Returns the section whose page explains a setting of this name.
pub fn page_of(setting: &str) -> Option<&'static str> {
    let sections = ["project", "dataset", "source", "reconcile"];
    sections.into_iter().find(|name| {
        let has = |line: &str| {
            let named = line.trim_start().strip_prefix("- `").and_then(|rest| rest.strip_prefix(setting));
            named.is_some_and(|rest| rest.starts_with('`'))
        };
        section(name).is_some_and(|page| page.lines().any(has))
    })
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

fn section(name: &str) -> Option<String> {
    let docs = match name {
        "sql" => return Some(format!("# sql\n\n{}\n", crate::query::documentation().trim_end())),
        "project" => ProjectConfig::docs(),
        "dataset" => DatasetConfig::docs(),
        "source" | "target" => SideConfig::docs(),
        "reconcile" => Reconcile::docs(),
        _ => return None,
    };
    let summary =
        SECTIONS.iter().find(|(section, _)| *section == name || name == "target" && *section == "source");
    let mut text = format!("# {name}\n\n{}\n\n## Parameters\n\n", summary.map_or("", |(_, summary)| summary));
    for field in &docs {
        // What has a page of its own is not listed again.
        let own = name == "dataset" && ["source", "target", "reconcile"].contains(&field.name);
        let entry = if own {
            line(field) + &format!("  See `counterfoil explain {}`.\n", field.name)
        } else {
            entry(field)
        };
        text.push_str(&entry);
    }
    Some(text)
}

/// One parameter, and below it the names of what it is made of.
fn entry(field: &FieldDoc) -> String {
    let mut text = line(field);
    nested(&field.schema, "  ", &mut text);
    text
}

/// One parameter: its names, type, default and documentation.
fn line(field: &FieldDoc) -> String {
    let name = match field.alias {
        Some(alias) => format!("`{}` or `{alias}`", field.name),
        None => format!("`{}`", field.name),
    };
    let need = match (field.required, field.default) {
        (true, _) => ", required".to_owned(),
        (false, Some(default)) => format!(", default `{default}`"),
        (false, None) => String::new(),
    };
    format!("- {name} ({}{need}): {}\n", words(&field.schema), in_one_line(&field.doc))
}

fn in_one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// Writes the names that the maps of a schema have, each with its type and description.
fn nested(schema: &Json, indent: &str, text: &mut String) {
    for (name, field) in schema.get("properties").and_then(Json::as_object).into_iter().flatten() {
        let doc = field.get("description").and_then(Json::as_str).unwrap_or_default();
        text.push_str(&format!("{indent}- `{name}` ({}): {}\n", words(field), in_one_line(doc)));
        nested(field, &format!("{indent}  "), text);
    }
    for form in ["anyOf", "oneOf"] {
        // A list of maps has the same names as one map.
        let forms = schema.get(form).and_then(Json::as_array).into_iter().flatten();
        forms.filter(|form| form.get("items").is_none()).for_each(|form| nested(form, indent, text));
    }
    for inner in ["items", "additionalProperties"] {
        if let Some(inner) = schema.get(inner) {
            nested(inner, indent, text);
        }
    }
}

/// Returns a JSON Schema's type in words.
fn words(schema: &Json) -> String {
    if let Some(choices) = schema.get("enum").and_then(Json::as_array) {
        let choices: Vec<String> =
            choices.iter().filter_map(|c| c.as_str()).map(|c| format!("`{c}`")).collect();
        return choices.join(", ");
    }
    if let Some(one) = schema.get("const") {
        return format!("`{}`", one.as_str().map_or_else(|| one.to_string(), str::to_owned));
    }
    if let Some(forms) = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Json::as_array) {
        let is_list = |form: &Json| form.get("items").is_some();
        let mut singles: Vec<String> =
            forms.iter().filter(|form| !is_list(form)).map(words).filter(|form| form != "null").collect();
        singles.sort();
        singles.dedup();
        let list = if forms.iter().any(is_list) { ", or a list" } else { "" };
        return format!("{}{list}", singles.join(" or "));
    }
    match schema.get("type") {
        Some(Json::String(one)) => match one.as_str() {
            "array" => match schema.get("items").and_then(|items| items.get("$ref")).and_then(Json::as_str) {
                Some(family) => format!("list; each is a {}", family.rsplit('/').next().unwrap_or_default()),
                None => format!("list of {}", schema.get("items").map_or_else(|| "values".to_owned(), words)),
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
