//! Cleansing: what steps refuse, what they do to any text, and what the pipeline records.

mod mistakes;
mod numbers_and_dates;
mod pipeline;
mod texts;

use std::path::Path;

use counterfoil::cleanse::{Cleansed, CleansingRule, Step, cleanse, series};
use counterfoil::diagnostic::Diagnostics;
use counterfoil::frame::{Frame, Value};
use counterfoil::model::{Field, Logical, Schema};
use counterfoil::rule::ProjectFiles;
use polars::prelude::{Column, DataFrame};

use crate::examples::{read_step, yaml};

/// Reads a step that must be sound.
fn step(rule: &str) -> Box<dyn Step> {
    let (step, mut out) = read_step(&yaml(rule));
    let step = step.unwrap_or_else(|| panic!("{rule}: {}", out.render(false)));
    step.check(&ProjectFiles::default(), &mut out);
    assert!(out.is_empty(), "{rule}: {}", out.render(false));
    step
}

/// Makes a frame of one column `c`.
fn column(logical: &Logical, texts: &[Option<String>]) -> Frame {
    let values = texts.iter().map(|text| text.clone().map(Value::Text));
    let df = DataFrame::new(texts.len(), vec![Column::from(series("c", logical, values))]).unwrap();
    Frame::new(Schema { fields: vec![Field::new("c", logical.clone())] }, df)
}

/// Runs steps, each with its place as its id.
fn run(frame: &Frame, steps: &[Box<dyn Step>]) -> Cleansed {
    let ids: Vec<String> = (0..steps.len()).map(|i| i.to_string()).collect();
    let rules: Vec<CleansingRule<'_>> = steps
        .iter()
        .zip(&ids)
        .map(|(step, id)| CleansingRule { id, step: step.as_ref(), condition: None })
        .collect();
    cleanse(frame, &rules, &ProjectFiles::default()).unwrap_or_else(|e| panic!("{e}"))
}

/// Returns the texts of the column `c`.
fn texts(frame: &Frame) -> Vec<Option<String>> {
    let texts = frame.texts("c").unwrap();
    (0..frame.height()).map(|i| texts.owned(i)).collect()
}

/// Returns what a step makes of texts.
fn made(rule: &str, logical: &Logical, before: &[Option<String>]) -> Vec<Option<String>> {
    texts(&run(&column(logical, before), &[step(rule)]).frame)
}

/// Returns what is wrong with a step: with itself, else with a dataset of these columns.
fn problems(rule: &str, columns: &[(&str, Logical)], folder: &Path) -> Diagnostics {
    let (step, mut out) = read_step(&yaml(rule));
    let Some(step) = step else { return out };
    let files = ProjectFiles::new(folder);
    step.check(&files, &mut out);
    if out.has_errors() {
        return out;
    }
    let fields = columns.iter().map(|(name, logical)| Field::new(*name, logical.clone())).collect();
    let rule = CleansingRule { id: "r", step: step.as_ref(), condition: None };
    counterfoil::cleanse::bind(&Schema { fields }, &[rule], &files, &mut out);
    out
}
