//! Each type of each dialect that can be run: every sample comes out as its canonical text.

use counterfoil::source::{Sample, samples};

use super::Database;

/// The samples of a dialect.
pub fn samples_of(word: &str) -> &'static [Sample] {
    samples().into_iter().find(|(name, _)| *name == word).expect("a dialect").1
}

fn all_samples_come_out(word: &str) {
    let Some(database) = Database::new(word) else { return };
    let mut wrong = Vec::new();
    for (number, sample) in samples_of(word).iter().enumerate() {
        let table = format!("s{number}");
        let mut sql = format!("CREATE TABLE {table} (id int, v {});\n", sample.native);
        sql.push_str(&format!("INSERT INTO {table} VALUES (0, NULL);\n"));
        for (at, (literal, _)) in sample.values.iter().enumerate() {
            sql.push_str(&format!("INSERT INTO {table} VALUES ({}, {literal});\n", at + 1));
        }
        database.execute(&sql);
        let taken = match database.try_take(&format!("{{ table: {table} }}"), serde_json::json!({})) {
            Ok(taken) => taken,
            Err(error) => {
                wrong.push(format!("{}: {error}", sample.native));
                continue;
            }
        };
        let logical = sample.logical.strip_prefix("other:").unwrap_or(sample.logical);
        if taken.logical("v") != logical {
            wrong.push(format!("{} is {}, not {logical}", sample.native, taken.logical("v")));
        }
        if sample.logical.starts_with("other:") && taken.notes("v").is_empty() {
            wrong.push(format!("{} has no note", sample.native));
        }
        let mut expected: Vec<Option<String>> = vec![None];
        expected.extend(sample.values.iter().map(|(_, canonical)| Some((*canonical).to_owned())));
        let ids = taken.texts("id");
        let mut found: Vec<_> = ids.iter().zip(taken.texts("v")).collect();
        found.sort();
        let found: Vec<_> = found.into_iter().map(|(_, value)| value).collect();
        if found != expected {
            wrong.push(format!("{}: {found:?}, not {expected:?}", sample.native));
        }
    }
    assert!(wrong.is_empty(), "{word}:\n{}", wrong.join("\n"));
}

#[test]
fn mysql() {
    all_samples_come_out("mysql");
}

#[test]
fn postgres() {
    all_samples_come_out("postgres");
}

#[test]
fn sqlite() {
    all_samples_come_out("sqlite");
}
