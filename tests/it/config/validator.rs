//! A validator for those keywords of JSON Schema that our schemas use. It refuses all others.

use regex::Regex;
use serde_json::{Map, Value};

/// Keywords that say nothing of a value.
const ANNOTATIONS: &[&str] = &["$schema", "$defs", "title", "description", "default"];

/// Returns where and why a value does not fulfil a schema; nothing where it does.
pub fn problems(root: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    Validator { root }.check(root, value, "", &mut found);
    found
}

/// Returns where and why a value does not fulfil one of a schema's definitions.
pub fn problems_of(root: &Value, definition: &str, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    Validator { root }.check(&root["$defs"][definition], value, "", &mut found);
    found
}

struct Validator<'s> {
    root: &'s Value,
}

impl Validator<'_> {
    fn check(&self, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
        let schema = match schema {
            Value::Bool(true) => return,
            Value::Bool(false) => return found.push(format!("{at}: nothing is allowed here")),
            Value::Object(schema) => schema,
            other => panic!("not a schema: {other}"),
        };
        for (keyword, wanted) in schema {
            self.keyword(schema, keyword, wanted, value, at, found);
        }
    }

    fn keyword(
        &self,
        schema: &Map<String, Value>,
        keyword: &str,
        wanted: &Value,
        value: &Value,
        at: &str,
        found: &mut Vec<String>,
    ) {
        let list = |wanted: &Value| wanted.as_array().expect("a list").clone();
        let limit = |wanted: &Value| usize::try_from(wanted.as_u64().expect("a number")).expect("small");
        let length = value.as_str().map(|text| text.chars().count());
        match keyword {
            _ if ANNOTATIONS.contains(&keyword) => {}
            "$ref" => {
                let path =
                    wanted.as_str().expect("a reference").strip_prefix('#').expect("within the schema");
                let target = self.root.pointer(path).unwrap_or_else(|| panic!("{path} leads nowhere"));
                self.check(target, value, at, found);
            }
            "type" => {
                let types = if wanted.is_array() { list(wanted) } else { vec![wanted.clone()] };
                if !types.iter().any(|name| is_of_type(value, name.as_str().expect("a type"))) {
                    found.push(format!("{at}: {value} is not {wanted}"));
                }
            }
            "const" if wanted != value => {
                found.push(format!("{at}: {value} is not {wanted}"));
            }
            "enum" if !list(wanted).contains(value) => {
                found.push(format!("{at}: {value} is none of {wanted}"));
            }
            "const" | "enum" => {}
            "pattern" => {
                let pattern = Regex::new(wanted.as_str().expect("a pattern")).expect("a regular expression");
                if value.as_str().is_some_and(|text| !pattern.is_match(text)) {
                    found.push(format!("{at}: {value} does not match {wanted}"));
                }
            }
            "minLength" if length.is_some_and(|n| n < limit(wanted)) => {
                found.push(format!("{at}: too short"));
            }
            "maxLength" if length.is_some_and(|n| n > limit(wanted)) => {
                found.push(format!("{at}: too long"));
            }
            "minItems" if value.as_array().is_some_and(|items| items.len() < limit(wanted)) => {
                found.push(format!("{at}: too few"));
            }
            "minimum" if value.as_f64().is_some_and(|n| n < wanted.as_f64().expect("a number")) => {
                found.push(format!("{at}: {value} is less than {wanted}"));
            }
            "maximum" if value.as_f64().is_some_and(|n| n > wanted.as_f64().expect("a number")) => {
                found.push(format!("{at}: {value} is more than {wanted}"));
            }
            "minLength" | "maxLength" | "minItems" | "minimum" | "maximum" => {}
            "required" => {
                let names = list(wanted);
                let names = names.iter().map(|name| name.as_str().expect("a name"));
                for name in names.filter(|name| value.is_object() && value.get(name).is_none()) {
                    found.push(format!("{at}: `{name}` is missing"));
                }
            }
            "properties" => {
                for (name, schema) in wanted.as_object().expect("properties") {
                    if let Some(value) = value.get(name) {
                        self.check(schema, value, &format!("{at}/{name}"), found);
                    }
                }
            }
            "additionalProperties" => {
                let known = schema.get("properties").and_then(Value::as_object);
                for (name, value) in value.as_object().into_iter().flatten() {
                    if known.is_none_or(|known| !known.contains_key(name)) {
                        self.check(wanted, value, &format!("{at}/{name}"), found);
                    }
                }
            }
            "items" => {
                for (i, item) in value.as_array().into_iter().flatten().enumerate() {
                    self.check(wanted, item, &format!("{at}/{i}"), found);
                }
            }
            "allOf" => list(wanted).iter().for_each(|schema| self.check(schema, value, at, found)),
            "anyOf" | "oneOf" => {
                let forms: Vec<Vec<String>> = list(wanted)
                    .iter()
                    .map(|schema| {
                        let mut own = Vec::new();
                        self.check(schema, value, at, &mut own);
                        own
                    })
                    .collect();
                let fulfilled = forms.iter().filter(|problems| problems.is_empty()).count();
                if fulfilled == 0 || (keyword == "oneOf" && fulfilled > 1) {
                    found.push(format!("{at}: {fulfilled} forms of {keyword} fit {value}: {forms:?}"));
                }
            }
            other => panic!("the validator does not know the keyword `{other}`"),
        }
    }
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("there is no type `{other}`"),
    }
}

#[test]
fn the_validator_sees_what_is_wrong() {
    let schema = serde_json::json!({
        "$defs": {"word": {"type": "string", "minLength": 2, "maxLength": 3, "pattern": "^[a-z]+$"}},
        "type": "object",
        "properties": {
            "a": {"$ref": "#/$defs/word"},
            "b": {"type": "array", "items": {"enum": [1, 2]}, "minItems": 1},
            "c": {"oneOf": [{"type": "integer"}, {"type": "number", "minimum": 0}]},
            "d": {"const": null},
        },
        "required": ["a"],
        "additionalProperties": false,
    });
    for (value, wrong) in [
        (serde_json::json!({"a": "ab", "b": [1], "c": -1, "d": null}), 0),
        (serde_json::json!({"a": "a"}), 1),
        (serde_json::json!({"a": "abcD"}), 2),
        (serde_json::json!({"a": 1}), 1),
        (serde_json::json!({"b": []}), 2),
        (serde_json::json!({"a": "ab", "b": [1, 3, "2"]}), 2),
        (serde_json::json!({"a": "ab", "c": 1}), 1),
        (serde_json::json!({"a": "ab", "c": -0.5}), 1),
        (serde_json::json!({"a": "ab", "d": 0, "e": 1}), 2),
        (serde_json::json!([]), 1),
    ] {
        let found = problems(&schema, &value);
        assert_eq!(found.len(), wrong, "{value}: {found:?}");
    }
    assert_eq!(problems_of(&schema, "word", &serde_json::json!("no!")).len(), 1);
}
