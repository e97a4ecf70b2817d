//! Writes the files of a run.

use std::path::Path;

use crate::correct::{changes, corrected, quarantine, repairs};
use crate::findings::{DatasetResult, FindingRow, RunResult, fingerprint, to_batch};
use crate::frame::Frame;
use crate::model::Side;
use crate::report;
use crate::snapshot::{WriteError, write_frame, write_parquet};

use super::EngineError;
use super::dataset::{Judgement, World};
use super::folder::RunFolder;
use super::project_key::ProjectKey;

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
    let Judgement { mut result, findings, reconciled } = judgement;
    let name = result.name.clone();
    for (side, word) in [(Side::Source, "source"), (Side::Target, "target")] {
        if let Some(loaded) = world.side(&name, side) {
            loaded.snapshot.link_into(&folder.place(&format!("snapshots/{name}/{word}"))?)?;
        }
    }
    write_findings(folder, key, &result, findings)?;
    let Some(working) = world.working(&name).filter(|_| result.error.is_none()) else { return Ok(result) };
    let Some(expected) = world.expected(&name) else { return Ok(result) };
    let key_columns = result.key.clone();
    let target = world.frame(&name, Side::Target);
    let put = |kind: &str, frame: &Frame| -> Result<(), EngineError> {
        write_frame(&folder.place(&format!("{kind}/{name}.parquet"))?, frame)?;
        Ok(())
    };
    let made = corrected(&expected.frame, &key_columns, target.map(|t| &t.schema))?;
    result.notes.extend(made.notes);
    put("corrected", &made.frame)?;
    put("changes", &changes(&working.corrections, &working.all, &key_columns)?)?;
    if let Some(raw) = world.frame(&name, Side::Source) {
        put("quarantine", &quarantine(&working.held_rows(), raw, &key_columns)?)?;
    }
    if let (Some(reconciled), Some(target)) = (&reconciled, target) {
        let list = reconciled.repairs();
        for repair in &list {
            *result.repairs.entry(repair.action().to_owned()).or_insert(0) += 1;
        }
        put("repairs", &repairs(&list, &expected.frame, target, &key_columns)?)?;
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
        .filter_map(|d| Some((d.name.clone(), serde_json::to_value(d.ledger.as_ref()?).ok()?)))
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
