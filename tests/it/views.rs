//! The views without pictures: JUnit, the Markdown summary, the last lines on a terminal.

mod sample;

use counterfoil::findings::{DatasetResult, RuleResult, RunResult, SideFigure};
use counterfoil::gate::{judge, side_status, worst};
use counterfoil::ledger::Ledger;
use counterfoil::model::{Severity, Side, Status};
use counterfoil::report::{junit_xml, summary_md, terminal_summary};
use proptest::prelude::*;
use quick_junit::{NonSuccessKind, Report, TestCaseStatus, TestSuite};

use crate::support::{Folder, golden};
use sample::{dataset, figure, rule, run, sample};

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("UTF-8")
}

fn junit(result: &RunResult) -> (String, Report) {
    let xml = text(junit_xml(result).expect("XML"));
    let report = Report::deserialize_from_str(&xml).unwrap_or_else(|error| panic!("{error}\n{xml}"));
    (xml, report)
}

/// Returns the cases of a suite as `name: what became of it`.
fn cases(suite: &TestSuite) -> Vec<String> {
    let word = |status: &TestCaseStatus| match status {
        TestCaseStatus::Success { .. } => "passed".to_owned(),
        TestCaseStatus::Skipped { message, .. } => {
            format!("skipped, {}", message.as_ref().expect("a reason").as_str())
        }
        TestCaseStatus::NonSuccess { kind, ty, message, .. } => {
            assert!(message.is_some(), "a message");
            let kind = if *kind == NonSuccessKind::Error { "error" } else { "failure" };
            format!("{kind} {}", ty.as_ref().expect("a type").as_str())
        }
    };
    suite.test_cases.iter().map(|case| format!("{}: {}", case.name.as_str(), word(&case.status))).collect()
}

#[test]
fn the_views_of_a_result_are_as_committed() {
    let result = sample();
    golden("tests/it/views/junit.xml", &junit(&result).0);
    golden("tests/it/views/summary.md", &text(summary_md(&result)));
    golden("tests/it/views/terminal.txt", &(terminal_summary(&result).join("\n") + "\n"));
}

#[test]
fn junit_has_a_suite_for_each_dataset_and_a_case_for_each_rule_and_gating_side() {
    let (_, report) = junit(&sample());
    let names: Vec<&str> = report.test_suites.iter().map(|suite| suite.name.as_str()).collect();
    assert_eq!(names, ["tenancies", "rent | `accounts` 2026", "members", "lookups"]);
    assert_eq!(
        cases(&report.test_suites[0]),
        [
            "ledger: passed",
            "not_null-tag_ref (expected): passed",
            "not_null-tag_ref (target): passed",
            "ends-after-it-starts (expected): failure fail",
            "ends-after-it-starts (target): passed",
            "foreign_key-prop_ref (expected): passed",
            "foreign_key-prop_ref (target): failure fail",
            "exact-prop_ref-cot (expected): passed",
            "row_count (target): failure fail",
            "reconcile-missing (expected): failure fail",
            "reconcile-duplicate_key (expected): passed",
            "reconcile-duplicate_key (target): passed",
            "reconcile-rent (target): passed",
            "total-balance-tenure (target): failure fail",
        ]
    );
    assert_eq!(
        cases(&report.test_suites[1]),
        [
            "ledger: error broken",
            "pattern-ref (target): error broken",
            "accepted_values-kind (target): failure inconclusive",
            "unique-ref: skipped, waits for the letters",
            "range-sum: skipped, it looked at no side",
        ]
    );
    assert_eq!(cases(&report.test_suites[2]), ["dataset: error broken"], "one errored case");
    assert_eq!((report.tests, report.skipped), (22, 2));
}

#[test]
fn a_warning_is_told_in_a_case_that_passes_unless_it_fails_the_gate() {
    let warned = |fail_on: Severity| {
        let side = figure(Side::Target, Status::Warn, 3, 10);
        let one = rule("exact-name", "exact", Status::Warn, vec![side]);
        run(vec![DatasetResult { rules: vec![one], ..dataset("t") }], fail_on)
    };
    let (_, report) = junit(&warned(Severity::Error));
    let suite = &report.test_suites[0];
    assert_eq!(cases(suite), ["exact-name (target): passed"]);
    let told = suite.test_cases[0].system_out.as_ref().expect("the warning").as_str();
    assert!(told.starts_with("warn: 3 of 10 target records"), "{told}");
    let (_, report) = junit(&warned(Severity::Warning));
    assert_eq!(cases(&report.test_suites[0]), ["exact-name (target): failure warn"]);
    assert_eq!(
        terminal_summary(&warned(Severity::Error))[0],
        "! Warn. Ready: no rule stops the gate; 1 rule warns."
    );
    assert_eq!(terminal_summary(&warned(Severity::Warning))[0], "✕ Fail. Not ready: 1 rule stops the gate.");
}

#[test]
fn the_verdict_is_said_in_words_and_marks() {
    let with = |statuses: &[Status]| {
        let rules = statuses.iter().enumerate().map(|(i, status)| {
            let sides = if *status == Status::Skipped {
                Vec::new()
            } else {
                vec![figure(Side::Target, *status, 1, 2)]
            };
            rule(&format!("r{i}"), "range", *status, sides)
        });
        let result = run(vec![DatasetResult { rules: rules.collect(), ..dataset("t") }], Severity::Error);
        terminal_summary(&result)
    };
    assert_eq!(with(&[]), ["– Nothing judged. Ready: no rule stops the gate, but none was judged."]);
    assert_eq!(with(&[Status::Pass]), ["✓ Pass. Ready: no rule stops the gate."]);
    assert_eq!(
        with(&[Status::Pass, Status::Pass, Status::Skipped]),
        ["✓ Pass. Ready: no rule stops the gate; 1 rule was skipped."]
    );
    assert_eq!(with(&[Status::Fail, Status::Inconclusive])[0], "✕ Fail. Not ready: 2 rules stop the gate.");
    assert_eq!(
        with(&[Status::Broken, Status::Fail])[0],
        "◌ Could not judge: 1 rule could not be run; besides, 1 rule stops the gate."
    );
    let many = with(&[Status::Fail; 5]);
    assert_eq!(many.len(), 5, "{many:?}");
    assert_eq!(many[4], "  and 2 more problems: see the report");
}

#[test]
fn the_worst_comes_first() {
    let rules = [
        ("warned", Status::Warn, 90),
        ("few", Status::Fail, 1),
        ("empty", Status::Inconclusive, 0),
        ("many", Status::Fail, 50),
        ("broken", Status::Broken, 0),
    ]
    .map(|(id, status, failed)| rule(id, "range", status, vec![figure(Side::Target, status, failed, 100)]));
    let mut result = run(vec![DatasetResult { rules: rules.to_vec(), ..dataset("t") }], Severity::Error);
    let order = |result: &RunResult| -> Vec<String> {
        let ids = ["warned", "few", "empty", "many", "broken"];
        let lines = terminal_summary(result);
        let named = lines.iter().skip(1).filter_map(|line| ids.iter().find(|id| line.contains(**id)));
        named.map(|id| (*id).to_owned()).collect()
    };
    assert_eq!(order(&result), ["broken", "many", "few"]);
    result.datasets[0].rules.retain(|rule| !["broken", "many"].contains(&rule.id.as_str()));
    assert_eq!(order(&result), ["few", "empty", "warned"]);

    let whole = rule("short", "row_count", Status::Fail, vec![figure(Side::Target, Status::Fail, 1, 100)]);
    let total = rule("sums", "total", Status::Fail, vec![figure(Side::Target, Status::Fail, 60, 70)]);
    let both = [figure(Side::Expected, Status::Fail, 2, 9), figure(Side::Target, Status::Fail, 5, 9)];
    let twice = rule("twice", "unique", Status::Fail, both.to_vec());
    let result =
        run(vec![DatasetResult { rules: vec![total, twice, whole], ..dataset("t") }], Severity::Error);
    assert_eq!(
        terminal_summary(&result)[1..],
        [
            "  t: the target fails the check that every value lies within bounds (short)",
            "  t: 5 of 9 target records are the same with another in `cot` (twice)",
            "  t: 60 of 70 totals of `cot` differ (sums)",
        ]
    );
}

#[test]
fn every_row_of_a_table_has_the_cells_of_its_head() {
    let summary = text(summary_md(&sample()));
    let mut cells = None;
    let mut tables = 0;
    for line in summary.lines() {
        if !line.starts_with('|') {
            cells = None;
            continue;
        }
        let found = line.replace("\\|", "").matches('|').count();
        tables += usize::from(cells.is_none());
        assert_eq!(*cells.get_or_insert(found), found, "{line}");
    }
    assert_eq!(tables, 3, "{summary}");
}

#[test]
fn a_summary_is_never_too_long_for_a_comment() {
    let rules = (0..500).map(|i| {
        rule(&format!("rule-{i}"), "range", Status::Fail, vec![figure(Side::Target, Status::Fail, 1, 2)])
    });
    let result = run(vec![DatasetResult { rules: rules.collect(), ..dataset("t") }], Severity::Error);
    let summary = text(summary_md(&result));
    assert!(summary.contains("and 450 more, in the report"), "{summary}");
    assert!(summary.len() < 20_000, "{}", summary.len());
}

#[test]
fn a_run_leaves_views_that_say_the_same_as_its_exit_code() {
    let rules = "dataset: t\nowner: Tenancy services\nkey: [id]\nsource: { connection: files, file: source.csv }\ntarget: { connection: files, file: target.csv }\n";
    let good = "id,name\n1,Ann\n2,Bob\n";
    let refuse =
        "cleanse:\n  - step: map_values\n    column: name\n    values: { Ann: A }\n    unmapped: refuse\n";
    for (more, target, code) in [("", good, 0), ("", "id,name\n1,Ann\n", 1), (refuse, good, 2)] {
        let folder = Folder::new();
        let ran = folder.project(&format!("{rules}{more}"), good, target).run(&["run"]);
        assert_eq!(ran.code, Some(code), "{ran:?}");
        let read = |name: &str| {
            std::fs::read_to_string(folder.run_folder().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
        };
        let report = Report::deserialize_from_str(&read("junit.xml")).expect("JUnit");
        assert_eq!(report.failures > 0, code == 1, "{report:?}");
        assert_eq!(report.errors > 0, code == 2, "{report:?}");
        let verdict = terminal_summary(&folder.result()).remove(0);
        assert!(ran.stdout.starts_with(&verdict), "{ran:?}");
        let sentence = verdict.trim_start_matches("✓ Pass. ").trim_start_matches("✕ Fail. ");
        let sentence = sentence.trim_start_matches("◌ ").trim_end_matches('.').to_owned();
        assert!(read("summary.md").contains(&sentence), "{sentence}");
        if code == 1 {
            let problem = "  t: 1 of 2 expected records is missing in the target (reconcile-missing)";
            assert!(ran.stdout.lines().any(|line| line == problem), "{ran:?}");
            assert!(
                read("summary.md")
                    .contains("| t | reconcile-missing | expected | 1 of 2 | none | Tenancy services |")
            );
        }
    }
}

fn severities() -> impl Strategy<Value = Severity> {
    prop::sample::select(Severity::ALL.to_vec())
}

/// A side as the engine makes it.
fn figures(side: Side, severity: Severity) -> impl Strategy<Value = SideFigure> {
    (0u64..4, 0u64..4, any::<bool>(), 0u8..8).prop_map(move |(evaluated, failed, gates, luck)| {
        let failed = failed.min(evaluated);
        let status =
            if luck == 0 { Status::Broken } else { side_status(severity, None, false, evaluated, failed) };
        SideFigure { gates, ..figure(side, status, failed, evaluated) }
    })
}

/// A rule as the engine makes it.
fn rules() -> impl Strategy<Value = RuleResult> {
    severities()
        .prop_flat_map(|severity| {
            let sides = (
                figures(Side::Source, severity),
                figures(Side::Expected, severity),
                figures(Side::Target, severity),
            );
            let chosen = prop::sample::subsequence(vec![0usize, 1, 2], 0..=3);
            (Just(severity), sides, chosen, 0u8..8)
        })
        .prop_map(|(severity, (source, expected, target), chosen, luck)| {
            let all = [source, expected, target];
            let sides: Vec<SideFigure> = chosen.into_iter().map(|i| all[i].clone()).collect();
            let status = match luck {
                0 => Status::Skipped,
                1 => Status::Broken,
                _ => worst(sides.iter().filter(|f| f.gates).map(|f| f.status)),
            };
            RuleResult { severity, ..rule("", "range", status, sides) }
        })
}

/// A rule whose status has nothing to do with its sides: no engine should make it, and no view may trust that.
fn odd_rules() -> impl Strategy<Value = RuleResult> {
    let statuses = || prop::sample::select(Status::ALL.to_vec());
    let side = (prop::sample::select(Side::ALL.to_vec()), statuses(), any::<bool>())
        .prop_map(|(side, status, gates)| SideFigure { gates, ..figure(side, status, 1, 2) });
    (statuses(), prop::collection::vec(side, 0..4))
        .prop_map(|(status, sides)| rule("", "reconcile", status, sides))
}

fn results() -> impl Strategy<Value = RunResult> {
    let rules = prop::collection::vec(prop_oneof![3 => rules(), 1 => odd_rules()], 0..5);
    let datasets = (rules, 0u8..8).prop_map(|(mut rules, luck)| {
        for (i, rule) in rules.iter_mut().enumerate() {
            rule.id = format!("rule-{i}");
        }
        let ledger = (luck > 1).then(|| Ledger { balanced: luck != 2, ..Ledger::default() });
        let error = (luck == 0).then(|| "the source could not be read".to_owned());
        let inconclusive = (luck % 3 == 0).then(|| "the target has no rows".to_owned());
        DatasetResult { rules, ledger, error, inconclusive, ..dataset("") }
    });
    let gate = prop_oneof![Just(Severity::Error), Just(Severity::Warning)];
    (prop::collection::vec(datasets, 0..4), gate).prop_map(|(mut datasets, fail_on)| {
        for (i, dataset) in datasets.iter_mut().enumerate() {
            dataset.name = format!("dataset-{i}");
        }
        run(datasets, fail_on)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_gate_and_junit_never_disagree(result in results()) {
        let (xml, report) = junit(&result);
        let code = result.gate.exit_code;
        prop_assert_eq!(judge(&result.datasets, result.gate.fail_on).exit_code, code);
        prop_assert_eq!(report.failures + report.errors > 0, code != 0, "{}", &xml);
        prop_assert_eq!(report.errors > 0, code == 2, "{}", &xml);
        prop_assert_eq!(report.test_suites.len(), result.datasets.len());
        for (suite, dataset) in report.test_suites.iter().zip(&result.datasets) {
            let stops = result.gate.stopped_by.contains(&dataset.name);
            let own: Vec<_> =
                suite.test_cases.iter().filter(|c| ["dataset", "ledger"].contains(&c.name.as_str())).collect();
            let failed = own.iter().any(|c| matches!(c.status, TestCaseStatus::NonSuccess { .. }));
            prop_assert_eq!(failed, stops, "{}", dataset.name);
            prop_assert!(own.len() <= 1);
            for rule in &dataset.rules {
                let of_rule = |case: &&quick_junit::TestCase| {
                    case.name.as_str() == rule.id || case.name.as_str().starts_with(&format!("{} (", rule.id))
                };
                let found: Vec<_> = suite.test_cases.iter().filter(of_rule).collect();
                prop_assert!(!found.is_empty(), "{} has no case", rule.id);
                let stops = result.gate.stopped_by.contains(&format!("{}/{}", dataset.name, rule.id));
                let failed = found.iter().any(|c| matches!(c.status, TestCaseStatus::NonSuccess { .. }));
                prop_assert_eq!(failed, stops, "{}", rule.id);
            }
        }
        prop_assert!(!xml.contains(" time") , "no times");
        prop_assert_eq!(text(junit_xml(&result).expect("XML")), xml);
    }

    #[test]
    fn the_summary_and_the_terminal_say_whether_the_gate_stops(result in results()) {
        let summary = text(summary_md(&result));
        let stops = !result.gate.stopped_by.is_empty();
        let first = &terminal_summary(&result)[0];
        prop_assert_eq!(summary.contains("### What stops the gate\n\nNone."), !stops, "{}", &summary);
        prop_assert_eq!(!first.contains(" Ready: "), stops, "{}", first);
    }
}
