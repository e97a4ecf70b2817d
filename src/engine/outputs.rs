//! Writes the files of a run.

use std::path::Path;

use crate::correct::{KeyTexts, changes, corrected, parents, quarantine};
use crate::findings::{DatasetResult, FindingRow, RunResult, fingerprint, to_batch};
use crate::frame::Frame;
use crate::model::Side;
use crate::report;
use crate::snapshot::{WriteError, write_frame, write_parquet};

use super::dataset::{Judgement, World};
use super::folder::RunFolder;
use super::project_key::ProjectKey;
use super::reconciled::Reconciled;
use super::{EngineError, Stage};

/// Writes the Parquet files of one dataset, and completes its result with what they count.
///
/// # Errors
/// Where a file cannot be written.
pub fn write(
    folder: &RunFolder,
    world: &World<'_>,
    key: &ProjectKey,
    judgement: Judgement,
) -> Result<DatasetResult, EngineError> {
    let Judgement { mut result, findings, reconciled, keys, parents: missing, .. } = judgement;
    let name = result.name.clone();
    for (side, word) in [(Side::Source, "source"), (Side::Target, "target")] {
        if let Some(loaded) = world.side(&name, side) {
            loaded.snapshot.link_into(&folder.folder(&format!("snapshots/{name}/{word}"))?)?;
        }
    }
    let (written, repairs) = rayon::join(
        || write_findings(folder, key, &result, findings),
        || reconciled.as_ref().map(Reconciled::repairs_table),
    );
    written?;
    if let Some(reconciled) = &reconciled {
        folder.write(&format!("causes/{name}.json"), pretty(&reconciled.remedies()).as_bytes())?;
    }
    if world.stage() == Stage::Everything && world.is_referred_to(&name) && result.error.is_none() {
        write_frame(&folder.place(&format!("parents/{name}.parquet"))?, &parents(&missing)?)?;
    }
    let Some(working) = world.working(&name).filter(|_| result.error.is_none()) else { return Ok(result) };
    let Some(expected) = world.expected(&name) else { return Ok(result) };
    let (Some(cleansed_keys), Some(expected_keys)) = (&keys.source, &keys.expected) else {
        return Ok(result);
    };
    let target = world.frame(&name, Side::Target);
    let put = |kind: &str, frame: &Frame| -> Result<(), EngineError> {
        write_frame(&folder.place(&format!("{kind}/{name}.parquet"))?, frame)?;
        Ok(())
    };
    // What is loaded has the target's codes, and the values that it is to calculate.
    if world.stage() == Stage::Everything {
        let ties = reconciled.as_ref().map(|done| done.ties(expected.frame.height())).unwrap_or_default();
        let expected_frame = reconciled.as_ref().map_or(&expected.frame, |done| &done.prepared.expected);
        let made = corrected(expected_frame, expected_keys, target, &ties)?;
        result.notes.extend(made.notes);
        put("corrected", &made.frame)?;
    }
    put("changes", &changes(&working.corrections, &working.all, cleansed_keys)?)?;
    if let Some(raw) = world.frame(&name, Side::Source) {
        let raw_keys = KeyTexts::new(raw, &result.key);
        put("quarantine", &quarantine(&working.held_rows(), raw, cleansed_keys, &raw_keys)?)?;
    }
    if let Some(repairs) = repairs {
        let (made, counts) = repairs?;
        result.repairs = counts;
        result.notes.extend(made.notes);
        put("repairs", &made.frame)?;
        if let Some(renumbered) = reconciled.as_ref().map(Reconciled::renumbered).transpose()?.flatten() {
            put("renumbered", &renumbered)?;
        }
    }
    Ok(result)
}

fn write_findings(
    folder: &RunFolder,
    key: &ProjectKey,
    result: &DatasetResult,
    findings: Vec<(usize, Vec<crate::model::Finding>)>,
) -> Result<(), EngineError> {
    let fingerprint_key = key.derive("fingerprints");
    let mut rows = Vec::new();
    for (position, list) in findings {
        let rule = &result.rules[position];
        for finding in list {
            let fingerprint = fingerprint(
                &fingerprint_key,
                &result.name,
                &rule.id,
                finding.side,
                finding.key.as_deref(),
                finding.column.as_deref(),
            );
            rows.push(FindingRow {
                rule: rule.id.clone(),
                kind: rule.kind.clone(),
                dimension: rule.dimension,
                severity: rule.severity,
                finding,
                fingerprint,
            });
        }
    }
    let batch = to_batch(rows)?;
    let path = folder.place(&format!("findings/{}.parquet", result.name))?;
    write_parquet::<WriteError>(&path, batch.schema(), [Ok(batch)])?;
    Ok(())
}

/// Writes the ledger, the views and, last, run.json.
///
/// # Errors
/// Where a file cannot be written or the report cannot be made.
pub fn finish(
    folder: &RunFolder,
    result: &RunResult,
    key: &ProjectKey,
    templates: Option<&Path>,
) -> Result<(), EngineError> {
    let ledgers: serde_json::Map<String, serde_json::Value> = result
        .datasets
        .iter()
        .filter_map(|dataset| {
            let mut ledger = serde_json::to_value(dataset.ledger.as_ref()?).ok()?;
            if let (Some(tranches), Some(ledger)) = (&dataset.tranches, ledger.as_object_mut()) {
                ledger.insert("tranches".to_owned(), serde_json::to_value(tranches).ok()?);
            }
            Some((dataset.name.clone(), ledger))
        })
        .collect();
    folder.write("ledger.json", pretty(&ledgers).as_bytes())?;
    let mask_key = blake3::Hash::from_bytes(key.derive("masks")).to_hex();
    folder.write(report::MASK_KEY_FILE, format!("{mask_key}\n").as_bytes())?;
    for (name, bytes) in report::render_result(result, folder.part(), templates)? {
        folder.write(&name, &bytes)?;
    }
    folder.write("run.json", pretty(result).as_bytes())?;
    Ok(())
}

fn pretty(value: &impl serde::Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use polars::prelude::{Column, DataFrame};

    use super::*;
    use crate::diagnostic::Diagnostics;
    use crate::engine::row_keys::RowKeys;
    use crate::engine::{Silent, bind_all, make_expected, prepare, reconciled};
    use crate::frame::{Texts, Value, series_of};
    use crate::model::Logical;
    use crate::reconcile::Means;
    use crate::source::Cancel;

    /// Applies a table of repairs to a target. Returns nothing where a value does not have the target's type.
    fn apply(table: &Frame, target: &Frame, keys: &KeyTexts) -> Option<Frame> {
        let texts = |name: &str| table.texts(name).unwrap();
        let (action, key) = (texts("action"), texts("key"));
        let mut of_key: BTreeMap<String, usize> = BTreeMap::new();
        for row in 0..table.height() {
            if action.owned(row).unwrap() != "insert" {
                assert!(of_key.insert(key.owned(row).unwrap(), row).is_none(), "one repair for a row");
            }
        }
        // What stands in each row of the mended target: a row of the target, or one of the repairs.
        let mut rows: Vec<Result<usize, usize>> = Vec::new();
        let mut used = 0;
        for row in 0..target.height() {
            match of_key.get(&keys.get(row)) {
                None => rows.push(Ok(row)),
                Some(repair) => {
                    used += 1;
                    if action.owned(*repair).unwrap() == "update" {
                        rows.push(Err(*repair));
                    }
                }
            }
        }
        assert_eq!(used, of_key.len(), "every repair has its row");
        rows.extend((0..table.height()).filter(|row| action.owned(*row).unwrap() == "insert").map(Err));
        let mut columns = Vec::new();
        for (field, column) in target.schema.fields.iter().zip(target.df.columns()) {
            let name = match field.source_name.as_str() {
                name @ ("action" | "reason" | "columns" | "key") => format!("target_{name}"),
                name => name.to_owned(),
            };
            let (own, mended) =
                (Texts::new(column.as_materialized_series(), &field.logical), table.texts(&name).unwrap());
            let values: Option<Vec<Option<Value>>> = rows
                .iter()
                .map(|row| {
                    let text = match row {
                        Ok(row) => own.owned(*row),
                        Err(repair) => mended.owned(*repair),
                    };
                    match text {
                        Some(text) => Value::parse(&text, &field.logical).map(Some),
                        None => Some(None),
                    }
                })
                .collect();
            columns.push(Column::from(series_of(&field.name, &field.logical, &values?)));
        }
        Some(Frame::new(target.schema.clone(), DataFrame::new(rows.len(), columns).unwrap()))
    }

    #[test]
    fn the_mended_target_is_expected() {
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/housing/counterfoil.yml");
        let mut out = Diagnostics::default();
        let plan =
            crate::config::load(&project, &|_| None, crate::config::Tables::NotAsked, &mut out).unwrap();
        let store = tempfile::tempdir().unwrap();
        let cancel = Cancel::default();
        let as_of = plan.as_of.unwrap();
        let mut loaded = prepare::load_all(
            &plan,
            store.path(),
            prepare::From::Connections { resume: false },
            &std::collections::BTreeSet::new(),
            (as_of, &cancel),
            &Silent,
        );
        let (bound, _) = bind_all(&plan, &mut loaded, as_of).unwrap();
        let working = make_expected(&plan, &loaded, &bound, as_of, &cancel, &Silent).unwrap();
        let mut repaired = 0;
        let means = Means { memory: None, folder: store.path().to_owned(), partners: true, stop: &|| false };
        for dataset in &plan.datasets {
            let name = &dataset.name.value;
            let (Some(rules), Ok(working)) = (bound[name].reconcile(), &working[name]) else { continue };
            let (expected, target) =
                (working.expected().unwrap(), &loaded[name].target.as_ref().unwrap().frame);
            let key: Vec<String> = dataset.key.iter().map(|k| k.value.clone()).collect();
            let done = reconciled::reconcile(rules, &expected, working, target, &means).unwrap();
            let ties = done.ties(expected.frame.height());
            let list = done.repairs();
            let RowKeys { expected: Some(expected_keys), target: Some(keys), .. } =
                RowKeys::new(&key, Some(rules), None, Some(&expected.frame), Some(target))
            else {
                panic!("keys of both sides")
            };
            let (made, counts) = done.repairs_table().unwrap();
            assert_eq!(counts.values().sum::<u64>(), list.len() as u64);
            assert_eq!(made.notes, [""; 0], "{name}");
            let mended = apply(&made.frame, target, &keys).unwrap_or_else(|| panic!("{name}: a type"));
            let done = reconciled::reconcile(rules, &expected, working, &mended, &means).unwrap();
            assert_eq!(done.repairs(), [], "{name}: nothing is left to mend");
            repaired += list.len();

            let made = corrected(&expected.frame, &expected_keys, Some(target), &ties).unwrap();
            for field in &target.schema.fields {
                if let Some(found) = made.frame.schema.get(&field.source_name) {
                    assert_eq!(found.logical, field.logical, "{name}: {}: {:?}", field.name, made.notes);
                }
            }
            if name == "transactions" {
                let zoned = made.frame.schema.get("updated_at").unwrap();
                assert_eq!(zoned.logical, Logical::TIMESTAMP_UTC);
            }
        }
        assert!(repaired > 0);
    }
}
