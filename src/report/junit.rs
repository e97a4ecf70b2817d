//! junit.xml: a suite for each dataset, a case for each rule and gating side.
//!
//! It says the same as the gate: a case fails or is an error exactly where it stops the gate. There are no times in
//! it, so that the same run gives the same bytes.

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use crate::findings::RunResult;
use crate::model::Status;

use super::ReportError;
use super::words::{Judged, judged, one_line};

/// Renders junit.xml: a suite for each dataset, a case for each rule and gating side. It holds no cell value.
///
/// # Errors
/// Where the XML cannot be written.
pub fn junit_xml(result: &RunResult) -> Result<Vec<u8>, ReportError> {
    let mut report = Report::new(one_line(&result.project));
    let judged = judged(result);
    for dataset in &result.datasets {
        let mut suite = TestSuite::new(one_line(&dataset.name));
        if let Some(owner) = &dataset.owner {
            suite.add_property(Property::new("owner", one_line(owner)));
        }
        let of_dataset = judged.iter().filter(|j| std::ptr::eq(j.dataset, dataset));
        suite.add_test_cases(of_dataset.map(case));
        report.add_test_suite(suite);
    }
    let mut bytes = Vec::new();
    report
        .serialize(&mut bytes)
        .map_err(|error| ReportError::Make { name: "junit.xml", problem: error.to_string() })?;
    Ok(bytes)
}

fn case(judged: &Judged<'_>) -> TestCase {
    let name = match judged.side() {
        Some(side) => format!("{} ({side})", judged.name()),
        None => judged.name().to_owned(),
    };
    let mut output = None;
    let mut status = match judged.status {
        // Broken and not stopping cannot be; what stops nothing passes, whatever it is called.
        Status::Broken if judged.stops => TestCaseStatus::non_success(NonSuccessKind::Error),
        _ if judged.stops => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Status::Skipped => TestCaseStatus::skipped(),
        _ => TestCaseStatus::success(),
    };
    match &status {
        TestCaseStatus::NonSuccess { .. } => {
            status.set_message(message(judged));
            status.set_type(judged.status.word());
            if let Some(description) = description(judged) {
                status.set_description(description);
            }
        }
        TestCaseStatus::Skipped { .. } => {
            status.set_message(judged.observed());
        }
        TestCaseStatus::Success { .. } => {
            let told = judged.status != Status::Pass || judged.failed() > 0;
            output = told.then(|| format!("{}: {}", judged.status, message(judged)));
        }
    }
    let mut case = TestCase::new(one_line(&name), status);
    case.set_classname(one_line(&judged.dataset.name));
    if let Some(output) = output {
        case.set_system_out(output);
    }
    case
}

/// What was found against what is allowed.
fn message(judged: &Judged<'_>) -> String {
    match (judged.figure, judged.status) {
        (Some(_), Status::Pass | Status::Warn | Status::Fail) => {
            format!("{}; allowed: {}", judged.sentence(), judged.allowed())
        }
        _ => judged.sentence(),
    }
}

fn description(judged: &Judged<'_>) -> Option<String> {
    let mut lines: Vec<String> = judged.rule.iter().map(|rule| one_line(&rule.says)).collect();
    if let Some(rule) = judged.rule {
        lines.push(format!("Dimension: {}. Severity: {}.", rule.dimension, rule.severity));
    }
    lines.extend(judged.causes());
    if let Some(owner) = &judged.dataset.owner {
        lines.push(format!("Owner: {}.", one_line(owner)));
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}
