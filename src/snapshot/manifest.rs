//! What a snapshot says about itself: `manifest.json`.

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::model::{Field, Logical, Schema, Structure};
use crate::source::{Made, ReadRequest, Server, hex};

/// The form of the manifests that this program writes and reads.
pub const MANIFEST_VERSION: u32 = 1;

/// The manifest of a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of this file, [`MANIFEST_VERSION`].
    pub version: u32,
    /// The snapshot's id, made from its content.
    pub id: String,
    /// The dataset.
    pub dataset: String,
    /// `source` or `target`.
    pub side: String,
    /// The connection's name.
    pub connection: Option<String>,
    /// What was asked for: the file or pattern.
    pub query: String,
    /// How it was to be read.
    pub options: Json,
    /// The files that were read, in that order.
    pub inputs: Vec<Input>,
    /// When the reading began, in UTC (RFC 3339); where it was continued, when it first did.
    pub taken_at: String,
    /// When its parts were read, where those are of several moments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moments: Option<Moments>,
    /// The number of rows.
    pub rows: u64,
    /// The columns, in the order of the source.
    pub columns: Vec<Column>,
    /// The Parquet files that hold the rows, in that order.
    pub files: Vec<DataFile>,
    /// What is known of the server and of how it was read; nothing for files.
    pub server: Option<Server>,
    /// What the database declares of the table beside its columns' types; nothing for files and queries, and where
    /// it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub structure: Option<Structure>,
    /// What the rows were made of, where they are those of a query over other datasets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<Made>,
    /// The version of the program that took the snapshot.
    pub tool: String,
}

/// When the parts of a snapshot were read, by the clock of the machine that read them, in UTC (RFC 3339).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moments {
    /// When the first part was begun.
    pub first: String,
    /// When the last part was begun.
    pub last: String,
    /// When the reading was last continued that had been cut off; nothing where it was read in one go.
    pub continued: Option<String>,
}

impl Moments {
    /// Says in words when the parts were read: `continued on …; its first rows were read on …`.
    pub fn words(&self) -> String {
        match &self.continued {
            Some(then) => {
                format!("continued on {}; its first rows were read on {}", day(then), day(&self.first))
            }
            None if day(&self.first) == day(&self.last) => format!("read on {}", day(&self.first)),
            None => format!("read from {} to {}", day(&self.first), day(&self.last)),
        }
    }
}

/// Returns an RFC 3339 time as people write it, `23 November 2026, 18:15 UTC`; anything else as it is.
pub(super) fn day(text: &str) -> String {
    match DateTime::parse_from_rfc3339(text) {
        Ok(time) => time.to_utc().format("%-d %B %Y, %H:%M UTC").to_string(),
        Err(_) => text.to_owned(),
    }
}

/// A file that a snapshot was read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// Its path, relative to the connection's folder where it lies inside.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last modified, in UTC (RFC 3339).
    pub modified: Option<String>,
    /// The SHA-256 of its bytes.
    pub sha256: String,
}

/// A column of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Their name, which is the one in the Parquet files.
    pub source_name: String,
    /// Our name.
    pub name: String,
    /// The logical type.
    #[serde(with = "logical_text")]
    pub logical: Logical,
    /// The type as the source calls it.
    pub source_type: String,
    /// True where the type was inferred from the values.
    pub inferred: bool,
    /// How inferred timestamps were written.
    pub format: Option<String>,
    /// The zone whose wall clock a timestamp without zone shows.
    pub timezone: Option<String>,
    /// The number of NULLs; nothing where a copied file does not say.
    pub nulls: Option<u64>,
    /// For `char(n)`: how many values have trailing blanks, which are dropped when the snapshot is read.
    pub padded: Option<u64>,
    /// What should be known of the column, e.g. that its type was widened.
    pub notes: Vec<String>,
}

/// A Parquet file of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFile {
    /// Its name in the snapshot's folder.
    pub name: String,
    /// The number of rows.
    pub rows: u64,
    /// The SHA-256 of its bytes.
    pub sha256: String,
}

impl Column {
    /// Returns the column as a schema has it.
    pub fn field(&self) -> Field {
        Field {
            name: self.name.clone(),
            source_name: self.source_name.clone(),
            logical: self.logical.clone(),
            source_type: self.source_type.clone(),
            inferred: self.inferred,
            format: self.format.clone(),
            timezone: self.timezone.clone(),
        }
    }
}

impl Manifest {
    /// Returns between which moments the rows were as the snapshot shows them, in microseconds since 1970 in UTC.
    ///
    /// Of a database the one moment that it says its data is of, by its own clock, else when the first and the last part
    /// were begun; of files when they were last modified; of a query what holds of the rows that it read; else when the
    /// reading began. Nothing where no time can be read.
    pub fn seen(&self) -> Option<(i64, i64)> {
        let micros = |text: &str| Some(DateTime::parse_from_rfc3339(text).ok()?.timestamp_micros());
        let taken = micros(&self.taken_at);
        let modified = || -> Option<(i64, i64)> {
            let of_inputs = self.inputs.iter().map(|input| micros(input.modified.as_deref()?));
            let all: Vec<i64> = of_inputs.collect::<Option<_>>()?;
            // A file that seems to be of the future was read nevertheless.
            let least = |time: i64| taken.map_or(time, |taken| time.min(taken));
            Some((least(*all.iter().min()?), least(*all.iter().max()?)))
        };
        let seen = self.server.as_ref().and_then(|server| micros(server.seen_at.as_deref()?));
        let parts = self.moments.as_ref().and_then(|of| Some((micros(&of.first)?, micros(&of.last)?)));
        let files = self.server.is_none().then(modified).flatten();
        let one = |moment: i64| (moment, moment);
        if let Some(made) = &self.made {
            return made.seen;
        }
        seen.map(one).or(parts).or(files).or(taken.map(one))
    }

    /// Returns the schema.
    pub fn schema(&self) -> Schema {
        Schema { fields: self.columns.iter().map(Column::field).collect() }
    }

    /// Returns the first setting of a request that is not the one the snapshot was taken with, in backticks.
    pub fn other_setting(&self, request: &ReadRequest) -> Option<String> {
        if self.connection != request.connection {
            return Some("`connection`".to_owned());
        }
        if self.query != request.query() {
            return Some(request.asked_with().to_owned());
        }
        let asked = request.options();
        let names: BTreeSet<&String> =
            [&self.options, &asked].into_iter().filter_map(Json::as_object).flat_map(|o| o.keys()).collect();
        names.into_iter().find_map(|name| {
            let (then, now) = (self.options.get(name), asked.get(name));
            let none = serde_json::Map::new();
            let entries = |of: Option<&'_ Json>| of.and_then(Json::as_object).cloned();
            match (entries(then), entries(now)) {
                (None, None) => (settled(then) != settled(now)).then(|| format!("`{name}`")),
                (then, now) => {
                    let (then, now) = (then.unwrap_or(none.clone()), now.unwrap_or(none));
                    let columns: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
                    let other = columns.into_iter().find(|column| then.get(*column) != now.get(*column))?;
                    Some(format!("`{name}` of `{other}`"))
                }
            }
        })
    }

    /// Returns the id that the content has: what was read and what came of it, whenever that was.
    pub fn content_id(&self) -> String {
        let mut content = serde_json::json!({
            "version": self.version,
            "dataset": self.dataset,
            "side": self.side,
            "connection": self.connection,
            "query": self.query,
            "options": self.options,
            "inputs": self.inputs.iter().map(|i| (&i.path, &i.sha256)).collect::<Vec<_>>(),
            "rows": self.rows,
            "columns": self.columns,
            "files": self.files,
        });
        if let (Some(structure), Json::Object(content)) = (&self.structure, &mut content) {
            content.insert("structure".to_owned(), serde_json::json!(structure));
        }
        if let (Some(server), Json::Object(content)) = (&self.server, &mut content) {
            // The same rows, seen otherwise, are not as sure.
            content.insert("read".to_owned(), serde_json::json!([server.isolation, server.stable]));
        }
        if let (Some(made), Json::Object(content)) = (&self.made, &mut content) {
            content.insert("made".to_owned(), serde_json::json!([made.version, made.reads, made.columns]));
        }
        let mut id = hex(&Sha256::digest(content.to_string()));
        id.truncate(16);
        id
    }
}

/// A setting as it counts: of a list the order does not, and nothing is the same as none.
fn settled(setting: Option<&Json>) -> Option<Json> {
    match setting {
        None | Some(Json::Null) => None,
        Some(Json::Array(items)) => {
            let mut items = items.clone();
            items.sort_by_key(Json::to_string);
            Some(Json::Array(items))
        }
        Some(other) => Some(other.clone()),
    }
}

/// Returns a time as RFC 3339 in UTC, to the microsecond.
pub(super) fn time_text(time: impl Into<DateTime<Utc>>) -> String {
    time.into().to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Logical types as users write them; types without a form of their own as `other:<name>`.
mod logical_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::model::Logical;

    pub fn serialize<S: Serializer>(logical: &Logical, serializer: S) -> Result<S::Ok, S::Error> {
        match logical {
            Logical::Other(name) => serializer.serialize_str(&format!("other:{name}")),
            logical => serializer.collect_str(logical),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Logical, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.strip_prefix("other:") {
            Some(name) => Ok(Logical::Other(name.to_owned())),
            None => text.parse().map_err(D::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Stable;

    fn server(stable: Stable, seen_at: &str) -> Server {
        Server {
            version: "1".to_owned(),
            isolation: "REPEATABLE READ".to_owned(),
            seen_at: Some(seen_at.to_owned()),
            stable,
        }
    }

    fn manifest() -> Manifest {
        Manifest {
            version: MANIFEST_VERSION,
            id: String::new(),
            dataset: "t".to_owned(),
            side: "source".to_owned(),
            connection: None,
            query: "t".to_owned(),
            options: Json::Null,
            inputs: Vec::new(),
            taken_at: String::new(),
            rows: 0,
            columns: Vec::new(),
            files: Vec::new(),
            server: None,
            moments: None,
            structure: None,
            made: None,
            tool: String::new(),
        }
    }

    #[test]
    fn a_database_says_when_it_was_seen_and_a_file_when_it_was_modified() {
        let micros = |text: &str| text.parse::<DateTime<Utc>>().unwrap().timestamp_micros();
        let hour = |hour: u32| format!("2026-03-31T{hour:02}:00:00Z");
        let input = |modified: Option<u32>| Input {
            path: "t.csv".to_owned(),
            size: 1,
            modified: modified.map(hour),
            sha256: String::new(),
        };
        let of_server = Some(server(Stable::PerPart, &hour(3)));
        let mut manifest = Manifest { taken_at: hour(9), server: of_server, ..manifest() };
        manifest.moments = Some(Moments { first: hour(4), last: hour(5), continued: None });
        let mut seen = vec![manifest.seen()];
        manifest.server = Some(Server { seen_at: None, ..server(Stable::PerPart, "") });
        seen.push(manifest.seen());
        manifest.moments = None;
        seen.push(manifest.seen());
        manifest.server = None;
        manifest.inputs = vec![input(Some(7)), input(Some(6)), input(Some(20))];
        seen.push(manifest.seen());
        manifest.inputs.push(input(None));
        seen.push(manifest.seen());
        let hours = [(3, 3), (4, 5), (9, 9), (6, 9), (9, 9)];
        assert_eq!(seen, hours.map(|(first, last)| Some((micros(&hour(first)), micros(&hour(last))))));
    }

    #[test]
    fn the_same_rows_seen_otherwise_are_another_snapshot() {
        let mut manifest = Manifest { server: Some(server(Stable::PerPart, "then")), ..manifest() };
        let parts = manifest.content_id();
        manifest.server = Some(server(Stable::OnePoint, "then"));
        let whole = manifest.content_id();
        assert_ne!(parts, whole);
        manifest.server = Some(server(Stable::OnePoint, "now"));
        assert_eq!(manifest.content_id(), whole);
    }
}
