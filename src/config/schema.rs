//! The JSON Schemas of the project's files, for editors.

use serde_json::{Map, Value as Json, json};

use crate::node::{FieldDoc, FromNode};

use super::dataset::DatasetConfig;
use super::family::{Checks, Family, Matches, Steps};
use super::project::ProjectConfig;

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Returns the JSON Schema of the project file.
pub fn project_schema() -> Json {
    titled("counterfoil.yml", ProjectConfig::schema(), None)
}

/// Returns the JSON Schema of a dataset file, with every kind of step, check and match.
pub fn dataset_schema() -> Json {
    let definitions = json!({
        Steps::FAMILY.word(): family::<Steps>(),
        Checks::FAMILY.word(): family::<Checks>(),
        Matches::FAMILY.word(): family::<Matches>(),
    });
    let mut schema = DatasetConfig::schema();
    let of_tables = |side: &str| {
        let whole = json!({"description": "The side of a file for a whole schema.", "required": ["tables"]});
        json!({"required": [side], "properties": {side: whole}})
    };
    if let Json::Object(schema) = &mut schema {
        // A file for a whole schema has no name of its own.
        let either = json!([{"required": ["dataset"]}, of_tables("source"), of_tables("target")]);
        schema.insert("anyOf".to_owned(), either);
    }
    titled("A dataset of a Counterfoil project", schema, Some(definitions))
}

fn titled(title: &str, schema: Json, definitions: Option<Json>) -> Json {
    let mut whole = Map::new();
    whole.insert("$schema".to_owned(), json!(DRAFT));
    whole.insert("title".to_owned(), json!(title));
    if let Json::Object(schema) = schema {
        whole.extend(schema);
    }
    if let Some(definitions) = definitions {
        whole.insert("$defs".to_owned(), definitions);
    }
    Json::Object(whole)
}

/// Returns the schema of a family's rules: one form a kind.
fn family<F: Family>() -> Json {
    let word = F::FAMILY.word();
    let forms: Vec<Json> = F::kinds()
        .iter()
        .map(|kind| {
            let mut fields = vec![FieldDoc {
                name: word,
                alias: None,
                doc: kind.documentation().lines().next().unwrap_or_default().to_owned(),
                required: true,
                default: None,
                schema: json!({"const": kind.name}),
            }];
            fields.extend((kind.docs)());
            fields.extend(F::common_docs());
            FieldDoc::object(&fields)
        })
        .collect();
    json!({"oneOf": forms})
}
