//! A result with something of everything.

use std::collections::BTreeMap;

use counterfoil::findings::{
    Buckets, ColumnResult, DatasetResult, FORMAT_VERSION, Masking, RuleResult, RunResult, SideFigure,
    SideResult,
};
use counterfoil::gate::judge;
use counterfoil::ledger::{Entry, Ledger};
use counterfoil::model::{Dimension, Severity, Side, Status};

/// A dataset without anything.
pub fn dataset(name: &str) -> DatasetResult {
    DatasetResult {
        name: name.to_owned(),
        owner: None,
        key: vec!["tag_ref".to_owned()],
        status: Status::Pass,
        error: None,
        inconclusive: None,
        source: None,
        expected_rows: None,
        target: None,
        columns: Vec::new(),
        rules: Vec::new(),
        steps: Vec::new(),
        buckets: None,
        moved: None,
        totals: Vec::new(),
        references: Vec::new(),
        ledger: None,
        tranches: None,
        corrections: 0,
        quarantined: 0,
        repairs: BTreeMap::new(),
        masking: Masking::default(),
        notes: Vec::new(),
    }
}

/// A side that gates.
pub fn figure(side: Side, status: Status, failed: u64, evaluated: u64) -> SideFigure {
    SideFigure {
        side,
        gates: true,
        status,
        evaluated,
        unknown: 0,
        failed,
        findings: failed,
        classes: BTreeMap::new(),
        note: None,
    }
}

/// A rule at severity error.
pub fn rule(id: &str, kind: &str, status: Status, sides: Vec<SideFigure>) -> RuleResult {
    RuleResult {
        id: id.to_owned(),
        kind: kind.to_owned(),
        says: "Every value lies within bounds.".to_owned(),
        columns: vec!["cot".to_owned()],
        dimension: Dimension::Validity,
        severity: Severity::Error,
        status,
        reason: None,
        max_failures: None,
        sides,
    }
}

/// A run of these datasets, judged by the gate.
pub fn run(datasets: Vec<DatasetResult>, fail_on: Severity) -> RunResult {
    RunResult {
        format_version: FORMAT_VERSION,
        tool: "counterfoil 0.1.0".to_owned(),
        project: "Housing data in the cloud".to_owned(),
        as_of: "2026-11-23T18:15:00Z".to_owned(),
        gate: judge(&datasets, fail_on),
        datasets,
        notes: Vec::new(),
    }
}

fn side(rows: u64) -> SideResult {
    SideResult {
        snapshot: "0123456789abcdef".to_owned(),
        origin: "extracts: tenagree.csv".to_owned(),
        rows,
        read: None,
        out_of_scope: 0,
        files: BTreeMap::new(),
    }
}

fn ledger(rows: u64, merged: u64, balanced: bool) -> Ledger {
    let entry = |disposition: &str, rows| Entry { disposition: disposition.to_owned(), rows };
    Ledger {
        source: vec![entry("merged", merged), entry("matched_unchanged", rows - merged)],
        target: vec![entry("matched", rows - merged)],
        source_rows: rows,
        target_rows: rows - merged,
        balanced,
    }
}

fn column(name: &str, not_compared: Option<&str>) -> ColumnResult {
    // As it stands in run.json: a reader of another version may lack a field.
    let column = serde_json::json!({
        "name": name, "source_type": "text", "expected_type": "text", "target_type": null,
        "compared_as": null, "not_compared": not_compared, "compared": 0, "mismatched": 0,
    });
    serde_json::from_value(column).expect("a column of run.json")
}

fn with(rule: RuleResult, says: &str, columns: &[&str]) -> RuleResult {
    RuleResult { says: says.to_owned(), columns: columns.iter().map(|c| (*c).to_owned()).collect(), ..rule }
}

fn tenancies() -> DatasetResult {
    use Side::{Expected, Source, Target};
    use Status::{Fail, Pass, Warn};
    let before = SideFigure { gates: false, ..figure(Source, Fail, 70, 2_040) };
    let orphans = SideFigure {
        classes: [("inherited".to_owned(), 12), ("introduced".to_owned(), 6)].into(),
        ..figure(Target, Fail, 18, 1_993)
    };
    let no_value = SideFigure { unknown: 3_410, ..figure(Expected, Fail, 18, 2_000) };
    let rules = vec![
        with(
            rule(
                "not_null-tag_ref",
                "not_null",
                Pass,
                vec![before, figure(Expected, Pass, 0, 2_000), figure(Target, Pass, 0, 1_993)],
            ),
            "Every row has a value in these columns.",
            &["tag_ref"],
        ),
        RuleResult {
            max_failures: Some("0.5%".to_owned()),
            ..with(
                rule(
                    "ends-after-it-starts",
                    "expression",
                    Fail,
                    vec![no_value, figure(Target, Pass, 3, 1_993)],
                ),
                "Every row fulfils a condition in SQL.",
                &[],
            )
        },
        with(
            rule(
                "foreign_key-prop_ref",
                "foreign_key",
                Fail,
                vec![figure(Expected, Pass, 0, 2_000), orphans],
            ),
            "Every row that refers to a row of another dataset finds it there.",
            &["prop_ref"],
        ),
        with(
            RuleResult {
                severity: Severity::Warning,
                ..rule("exact-prop_ref-cot", "exact", Warn, vec![figure(Expected, Warn, 44, 2_000)])
            },
            "Rows with the same values in all of these columns are the same thing.",
            &["prop_ref", "cot"],
        ),
        with(
            rule("row_count", "row_count", Fail, vec![figure(Target, Fail, 1, 1_993)]),
            "The number of rows lies within bounds.",
            &[],
        ),
        with(
            RuleResult {
                max_failures: Some("10".to_owned()),
                ..rule("reconcile-missing", "reconcile", Fail, vec![figure(Expected, Fail, 12, 2_000)])
            },
            "Every expected record is in the target.",
            &["tag_ref"],
        ),
        with(
            RuleResult {
                max_failures: Some("2000".to_owned()),
                ..rule(
                    "reconcile-duplicate_key",
                    "reconcile",
                    Pass,
                    vec![figure(Expected, Pass, 325, 2_000), figure(Target, Pass, 650, 1_993)],
                )
            },
            "No key stands twice.",
            &["tag_ref"],
        ),
        with(
            rule("reconcile-rent", "reconcile", Pass, vec![figure(Target, Pass, 0, 1_600)]),
            "`rent` is the same on both sides.",
            &["rent"],
        ),
        with(
            rule("total-balance-tenure", "total", Fail, vec![figure(Target, Fail, 3, 12)]),
            "The totals of `balance` agree for each tenure.",
            &["balance", "tenure"],
        ),
    ];
    DatasetResult {
        owner: Some("Tenancy services".to_owned()),
        status: Fail,
        source: Some(side(2_040)),
        expected_rows: Some(2_000),
        target: Some(side(1_993)),
        columns: vec![
            column("tag_ref", Some("part of the key")),
            column("tstamp", Some("excluded")),
            column("_note|`x`", Some("only in the source")),
            column("rent", None),
        ],
        rules,
        buckets: Some(Buckets {
            matched: 1_600,
            mismatched: 63,
            mismatched_cells: 70,
            missing: 12,
            unexpected: 5,
            duplicate_key_expected: 325,
            duplicate_key_target: 650,
            ..Buckets::default()
        }),
        ledger: Some(ledger(2_040, 2, true)),
        quarantined: 38,
        ..dataset("tenancies")
    }
}

fn accounts() -> DatasetResult {
    use Side::Target;
    let broken = SideFigure {
        note: Some("the rule broke off inside;\nthis is a fault of the tool".to_owned()),
        ..figure(Target, Status::Broken, 0, 0)
    };
    let empty = SideFigure {
        note: Some("no row was evaluated".to_owned()),
        ..figure(Target, Status::Inconclusive, 0, 0)
    };
    DatasetResult {
        owner: Some("Income | <team> & co".to_owned()),
        status: Status::Broken,
        target: Some(side(7)),
        rules: vec![
            rule("pattern-ref", "pattern", Status::Broken, vec![broken]),
            RuleResult {
                reason: Some("no row was evaluated".to_owned()),
                ..rule("accepted_values-kind", "accepted_values", Status::Inconclusive, vec![empty])
            },
            RuleResult {
                reason: Some("waits for the letters".to_owned()),
                ..rule("unique-ref", "unique", Status::Skipped, Vec::new())
            },
            rule("range-sum", "range", Status::Pass, Vec::new()),
        ],
        ledger: Some(ledger(7, 0, false)),
        ..dataset("rent |\n`accounts` 2026")
    }
}

/// A run with something of everything.
pub fn sample() -> RunResult {
    let members = DatasetResult {
        status: Status::Broken,
        error: Some(
            "The target could not be read: persons.csv, line 7: 3 values, where the first line has 4."
                .to_owned(),
        ),
        source: Some(side(4_100)),
        ..dataset("members")
    };
    let lookups = DatasetResult {
        source: Some(side(1)),
        rules: vec![rule(
            "range-cot",
            "range",
            Status::Pass,
            vec![figure(Side::Expected, Status::Pass, 0, 1)],
        )],
        ledger: Some(ledger(1, 0, true)),
        ..dataset("lookups")
    };
    let mut result = run(vec![tenancies(), accounts(), members, lookups], Severity::Error);
    result.notes.push("Only the *reconciliation* was run.".to_owned());
    result
}
