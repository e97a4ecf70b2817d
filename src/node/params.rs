//! Parameter structs: one definition gives the reading, the JSON Schema and the documentation.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::diagnostic::{Diagnostics, SourceFile};

use super::{Node, Value, parse};

/// What users are told about a parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldDoc {
    /// The name in the file.
    pub name: &'static str,
    /// Another name for the same, where there is one.
    pub alias: Option<&'static str>,
    /// The doc comment.
    pub doc: String,
    /// True where it must be given.
    pub required: bool,
    /// The default as YAML, where there is one.
    pub default: Option<&'static str>,
    /// The JSON Schema of its value.
    pub schema: Json,
}

impl FieldDoc {
    /// Returns the JSON Schema of the value with its documentation and default.
    pub fn documented_schema(&self) -> Json {
        let mut schema = self.schema.clone();
        if let Json::Object(map) = &mut schema {
            map.insert("description".to_owned(), Json::String(self.doc.clone()));
            if let Some(default) = self.default {
                map.insert("default".to_owned(), default_json(default));
            }
        }
        schema
    }

    /// Returns the JSON Schema of an object with these fields and no others.
    pub fn object(fields: &[FieldDoc]) -> Json {
        let mut properties = serde_json::Map::new();
        for field in fields {
            properties.insert(field.name.to_owned(), field.documented_schema());
            if let Some(alias) = field.alias {
                properties.insert(alias.to_owned(), field.documented_schema());
            }
        }
        let required: Vec<&str> =
            fields.iter().filter(|f| f.required && f.alias.is_none()).map(|f| f.name).collect();
        let either: Vec<Json> = fields
            .iter()
            .filter(|f| f.required)
            .filter_map(|f| {
                f.alias.map(
                    |alias| serde_json::json!({"anyOf": [{"required": [f.name]}, {"required": [alias]}]}),
                )
            })
            .collect();
        let mut schema =
            serde_json::json!({"type": "object", "properties": properties, "additionalProperties": false});
        if let Json::Object(map) = &mut schema {
            if !required.is_empty() {
                map.insert("required".to_owned(), serde_json::json!(required));
            }
            if !either.is_empty() {
                map.insert("allOf".to_owned(), Json::Array(either));
            }
        }
        schema
    }
}

/// Returns a default written as YAML as the JSON that an editor would write for it.
fn default_json(text: &str) -> Json {
    let file = Arc::new(SourceFile::new("default", text));
    parse(&file, &mut Diagnostics::default())
        .map_or_else(|| Json::String(text.to_owned()), |node| json_of(&node))
}

fn json_of(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Scalar { text, quoted } => match text.as_str() {
            "true" if !quoted => Json::Bool(true),
            "false" if !quoted => Json::Bool(false),
            _ => match serde_json::from_str::<serde_json::Number>(text) {
                Ok(number) if !quoted => Json::Number(number),
                _ => Json::String(text.clone()),
            },
        },
        Value::List(items) => items.iter().map(json_of).collect(),
        Value::Map(entries) => {
            Json::Object(entries.iter().map(|(name, node)| (name.text.clone(), json_of(node))).collect())
        }
    }
}

/// Cleans a doc comment joined by the `params!` macro: one leading blank a line is the comment's own.
pub(crate) fn clean_doc(lines: &str) -> String {
    lines
        .lines()
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n")
        .trim()
        .to_owned()
}

/// Makes a parameter struct that can be read from a node.
///
/// A field is `name: Type`, with `| alias` for a second name and `= "yaml"` for its default. `Option` fields
/// may be left out; other fields without a default must be given. Every field has a doc comment.
macro_rules! params {
    (
        $(#[doc = $doc:expr])*
        $vis:vis struct $name:ident($owner:literal) {
            $($(#[doc = $fdoc:expr])+ $field:ident $(| $alias:ident)? : $type:ty $(= $default:literal)?,)*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone)]
        $vis struct $name {
            $($(#[doc = $fdoc])+ pub $field: $type,)*
        }

        impl $name {
            /// Reads the fields; what is wrong goes to `out`.
            pub fn read(fields: &mut $crate::node::Fields<'_>, out: &mut $crate::diagnostic::Diagnostics) -> Option<Self> {
                $(let $field = fields.read::<$type>(
                    $crate::node::name_of(stringify!($field)),
                    $crate::node::params!(@option $($alias)?),
                    $crate::node::params!(@default $($default)?),
                    out,
                );)*
                Some($name { $($field: $field?,)* })
            }

            /// Returns what users are told about the fields.
            pub fn docs() -> Vec<$crate::node::FieldDoc> {
                vec![$($crate::node::FieldDoc {
                    name: $crate::node::name_of(stringify!($field)),
                    alias: $crate::node::params!(@option $($alias)?),
                    doc: $crate::node::clean_doc(concat!($($fdoc, "\n"),+)),
                    required: $crate::node::params!(@default $($default)?).is_none()
                        && <$type as $crate::node::FromNode>::missing().is_none(),
                    default: $crate::node::params!(@default $($default)?),
                    schema: <$type as $crate::node::FromNode>::schema(),
                },)*]
            }
        }

        impl $crate::node::FromNode for $name {
            fn from_node(node: &$crate::node::Node, out: &mut $crate::diagnostic::Diagnostics) -> Option<Self> {
                let mut fields = $crate::node::Fields::new(node, $owner, out)?;
                let value = Self::read(&mut fields, out);
                fields.finish(out);
                value
            }

            fn schema() -> serde_json::Value {
                $crate::node::FieldDoc::object(&Self::docs())
            }
        }
    };
    (@option) => { None::<&'static str> };
    (@option $alias:ident) => { Some(stringify!($alias)) };
    (@default) => { None::<&'static str> };
    (@default $default:literal) => { Some($default) };
}
pub(crate) use params;

/// Makes an enum whose values are words in a file.
macro_rules! choices {
    (
        $(#[doc = $doc:expr])*
        $vis:vis enum $name:ident {
            $($(#[doc = $vdoc:expr])+ $variant:ident = $word:literal,)+
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        $vis enum $name { $($(#[doc = $vdoc])+ $variant,)+ }

        impl $name {
            /// Returns the word used in files.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl $crate::node::FromNode for $name {
            fn from_node(node: &$crate::node::Node, out: &mut $crate::diagnostic::Diagnostics) -> Option<Self> {
                let text = <String as $crate::node::FromNode>::from_node(node, out)?;
                match text.as_str() {
                    $($word => Some(Self::$variant),)+
                    other => {
                        out.push($crate::diagnostic::Diagnostic::error(&node.span, format!("`{other}` is not a choice here")).suggest(other, [$(Self::$variant.word()),+]));
                        None
                    }
                }
            }

            fn schema() -> serde_json::Value {
                serde_json::json!({"enum": [$($word),+]})
            }
        }
    };
}
pub(crate) use choices;

/// Returns a field's name in the file: Rust's raw identifiers lose their prefix.
pub(crate) const fn name_of(field: &'static str) -> &'static str {
    match field.as_bytes() {
        [b'r', b'#', ..] => field.split_at(2).1,
        _ => field,
    }
}
