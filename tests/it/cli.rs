//! The command line: help pages, exit codes, streams, interrupts.

use std::process::{Command, Stdio};

use serde_json::Value as Json;

use crate::support::{Folder, Ran, golden, program};

const COMMANDS: &[&str] = &[
    "init",
    "run",
    "snapshot",
    "recheck",
    "reconcile",
    "check-config",
    "doctor",
    "report",
    "explain",
    "explain-differences",
    "schema",
    "completions",
    "man",
];

const RULES: &str = "dataset: t\nkey: [id]\nsource: { connection: files, file: source.csv }\ntarget: { connection: files, file: target.csv }\n";
const GOOD: &str = "id,name\n1,Ann\n2,Bob\n3,Cid\n4,Dot\n";

fn good_project() -> Folder {
    let folder = Folder::new();
    folder.project(RULES, GOOD, GOOD);
    folder
}

fn failing_project() -> Folder {
    let folder = Folder::new();
    folder.project(RULES, GOOD, &GOOD.replace("Cid", "Sid"));
    folder
}

/// Reads a log of JSON lines; every line must be an object with what a collector needs.
fn log(text: &str) -> Vec<Json> {
    let lines: Vec<Json> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    for line in &lines {
        let of = |name: &str| line[name].as_str().unwrap_or_else(|| panic!("{line} has no {name}"));
        assert!(chrono::DateTime::parse_from_rfc3339(of("time")).is_ok(), "{line}");
        assert!(["info", "warning", "error"].contains(&of("level")), "{line}");
        assert!(!of("event").is_empty() && !of("message").is_empty(), "{line}");
    }
    lines
}

fn events(lines: &[Json]) -> Vec<&str> {
    lines.iter().filter_map(|line| line["event"].as_str()).collect()
}

#[test]
fn every_help_page_is_as_committed() {
    let folder = Folder::new();
    golden("tests/it/help/counterfoil.txt", &folder.run(&["--help"]).stdout);
    for command in COMMANDS {
        let ran = folder.run(&[command, "--help"]);
        assert_eq!(ran.code, Some(0), "{command}");
        golden(&format!("tests/it/help/{command}.txt"), &ran.stdout);
    }
}

#[test]
fn wrong_arguments_are_exit_code_2() {
    let folder = Folder::new();
    for arguments in [&["rum"][..], &["run", "--as-of", "yesterday"], &["report"], &[]] {
        let ran = folder.run(arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        assert!(!ran.stderr.is_empty());
    }
}

#[test]
fn every_kind_is_listed_and_has_a_page() {
    let folder = Folder::new();
    let list = folder.run(&["explain"]).stdout;
    golden("tests/it/help/kinds.txt", &list);
    let mut family = "";
    let mut pages = 0;
    let (kinds, causes) =
        list.split_once("\nCauses, of cells that differ\n").expect("causes behind the kinds");
    let (causes, _) = causes.split_once("\nSections\n").expect("sections behind the causes");
    let mut told = 0;
    for line in causes.lines().filter(|line| !line.is_empty()) {
        let (cause, summary) = line.trim_start().split_once("  ").expect("a cause and its first sentence");
        if counterfoil::config::all_kinds().iter().any(|kind| kind.name == cause) {
            continue;
        }
        let page = folder.run(&["explain", cause]).stdout;
        assert!(page.starts_with(&format!("# cause: {cause}\n\n{}\n", summary.trim())), "{page}");
        assert!(page.contains("```rows expected\n"), "`{cause}` has no example");
        told += 1;
    }
    assert!(told >= 24, "only {told} causes");
    for line in kinds.lines().filter(|line| !line.is_empty()) {
        let Some(entry) = line.strip_prefix("  ") else {
            family = match line {
                "Steps, under cleanse" => "step",
                "Checks, under checks" => "check",
                "Matches, under duplicates" => "match",
                other => panic!("{other}"),
            };
            continue;
        };
        let (kind, summary) = entry.split_once("  ").expect("a kind and its first sentence");
        let page = folder.run(&["explain", kind]);
        assert_eq!(page.code, Some(0), "{page:?}");
        assert!(page.stdout.starts_with(&format!("# {family}: {kind}\n\n{}\n", summary.trim())), "{page:?}");
        for part in ["\n## Parameters\n", "\n## Fields of every ", "\n- `"] {
            assert!(page.stdout.contains(part), "`{kind}` has no {part}");
        }
        let example = format!("```yaml {family}\n");
        assert!(page.stdout.contains(&example), "`{kind}` has no example");
        pages += 1;
    }
    assert!(pages >= 23, "only {pages} kinds");
    for (section, says) in [
        ("project", "`fail_on`"),
        ("dataset", "counterfoil explain reconcile"),
        ("source", "`timezones`"),
        ("target", "`timezones`"),
        ("reconcile", "`tolerance`"),
    ] {
        assert!(section == "target" || list.contains(&format!("  {section} ")), "{list}");
        assert!(folder.run(&["explain", section]).stdout.contains(says), "{section}");
    }
}

#[test]
fn an_unknown_kind_is_an_error_that_names_the_nearest() {
    let folder = Folder::new();
    let ran = folder.run(&["explain", "not_nul"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.contains("did you mean `not_null`?"), "{ran:?}");
    assert!(folder.run(&["explain", "zzz"]).stderr.contains("`counterfoil explain` lists them all"));
}

#[test]
fn completions_and_manual_are_made() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(folder.run(&["completions", shell]).stdout.contains("counterfoil"), "{shell}");
    }
    assert!(folder.run(&["man"]).stdout.starts_with(".ie"));
    assert_eq!(folder.run(&["man", "--out", "pages"]).code, Some(0));
    assert!(folder.path().join("pages/counterfoil-run.1").exists());
}

#[test]
fn away_from_a_terminal_progress_is_plain_lines() {
    let folder = failing_project();
    let ran = folder.run(&["run"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(!ran.stderr.contains('\u{1b}') && !ran.stdout.contains('\u{1b}'), "{ran:?}");
    let lines: Vec<&str> = ran.stderr.lines().collect();
    for line in ["t source: 4 rows read", "t target: 4 rows read", "t: checking", "t: reconciling", "t: done"]
    {
        assert!(lines.contains(&line), "{line}: {ran:?}");
    }
    let said: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(
        said[..3],
        [
            "✕ Fail. Not ready: 1 rule stops the gate.",
            "  t: `name` differs in 1 of 4 pairs of records, from real changes (reconcile-name)",
            "  Why values differ in t: The one differing cell comes from real changes, in name.",
        ]
    );
    let page = said[3].strip_prefix("Report: ").expect("the report's path");
    assert!(page.ends_with("/report/index.html"), "{page}");
}

#[test]
fn a_quiet_run_says_nothing() {
    for (folder, code) in [(good_project(), 0), (failing_project(), 1)] {
        let ran = folder.run(&["run", "--quiet"]);
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(code), "", ""));
    }
    let folder = Folder::new();
    folder.project(&RULES.replace("key", "kee"), GOOD, GOOD);
    let ran = folder.run(&["check-config", "--quiet"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.contains("rules/t.yml:2:1"), "errors are told: {ran:?}");
}

#[test]
fn json_logs_are_json_in_every_line() {
    let folder = failing_project();
    let ran = folder.run(&["run", "--json-logs"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    let lines = log(&ran.stderr);
    for event in ["reading", "read", "stage"] {
        assert!(events(&lines).contains(&event), "{event}: {ran:?}");
    }
    let verdict = lines.last().expect("a line");
    assert_eq!(verdict["event"], "verdict");
    assert_eq!(
        (&verdict["level"], &verdict["exit_code"], &verdict["status"]),
        (&"error".into(), &1.into(), &"fail".into())
    );
    assert_eq!(verdict["stopped_by"][0], "t/reconcile-name");
    let run = verdict["run"].as_str().expect("the run's folder");
    assert!(folder.path().join(run).join("run.json").exists(), "{run}");

    let read = lines.iter().find(|line| line["event"] == "read" && line["side"] == "source").expect("source");
    assert_eq!((&read["rows"], &read["dataset"]), (&4.into(), &"t".into()));

    let ran = folder.run(&["snapshot", "--json-logs"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""));
    assert!(events(&log(&ran.stderr)).contains(&"result"), "{ran:?}");
}

#[test]
fn errors_are_json_too_where_the_log_is() {
    let folder = Folder::new();
    folder.project(&RULES.replace("key", "kee"), GOOD, GOOD);
    let ran = folder.run(&["run", "--json-logs"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    let lines = log(&ran.stderr);
    let found = lines.iter().find(|line| line["line"] == 2).expect("a place in line 2");
    assert_eq!((&found["event"], &found["level"]), (&"diagnostic".into(), &"error".into()));
    assert!(found["file"].as_str().is_some_and(|file| file.ends_with("rules/t.yml")), "{found}");
    assert_eq!(found["column"], 1);

    let ran = folder.run(&["report", "nowhere", "--json-logs"]);
    assert_eq!((ran.code, events(&log(&ran.stderr))), (Some(2), vec!["error"]));
    let ran = folder.run(&["--json-logs", "rum"]);
    assert_eq!((ran.code, events(&log(&ran.stderr))), (Some(2), vec!["usage"]));
    let ran = good_project().run(&["run", "--json-logs", "--quiet"]);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(0), "", ""));
}

#[test]
fn what_was_asked_for_is_on_standard_output_in_every_form() {
    let folder = Folder::new();
    for how in ["--quiet", "--json-logs"] {
        let ran = folder.run(&["schema", how]);
        assert_eq!(ran.code, Some(0));
        assert!(serde_json::from_str::<Json>(&ran.stdout).is_ok_and(|schema| schema.is_object()), "{ran:?}");
        assert!(folder.run(&["explain", "trim", how]).stdout.starts_with("# step: trim"));
    }
}

#[test]
fn a_report_is_made_again_from_the_latest_run() {
    let folder = failing_project();
    assert_eq!(folder.run(&["run"]).code, Some(1));
    let read = |name: &str| std::fs::read(folder.run_folder().join(name)).expect("a view");
    let before = [read("junit.xml"), read("summary.md")];
    for name in ["junit.xml", "summary.md"] {
        std::fs::remove_file(folder.run_folder().join(name)).expect("removed");
    }
    let ran = folder.run(&["report", "counterfoil-out/runs/latest"]);
    assert_eq!(ran.code, Some(0), "rendering is what was asked for, not the gate: {ran:?}");
    assert!(ran.stdout.starts_with("Report: counterfoil-out/runs/latest/report/index.html"), "{ran:?}");
    assert_eq!([read("junit.xml"), read("summary.md")], before);
    let ran = folder.run(&["report", "counterfoil-out/runs"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("there is no complete run `counterfoil-out/runs`"), "{ran:?}");
}

#[test]
fn a_run_from_the_latest_one_needs_no_connection() {
    let folder = failing_project();
    assert_eq!(folder.run(&["run"]).code, Some(1));
    let first = folder.result();
    std::fs::remove_file(folder.path().join("source.csv")).expect("removed");
    std::fs::remove_file(folder.path().join("target.csv")).expect("removed");
    let ran = folder.run(&["run", "--from", "counterfoil-out/runs/latest"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(folder.result(), first);
    // By its id, and by the word for the last one; what is none is told once.
    let id = folder.run_folder().file_name().unwrap().to_string_lossy().into_owned();
    for name in [id.as_str(), "latest"] {
        let ran = folder.run(&["run", "--from", name]);
        assert_eq!(ran.code, Some(1), "{name}: {ran:?}");
        assert_eq!(folder.run(&["report", name]).code, Some(0), "{name}");
    }
    for command in [&["run", "--from", "nonsense"][..], &["report", "nonsense"]] {
        let ran = folder.run(command);
        assert_eq!((ran.code, ran.stderr.lines().count()), (Some(2), 1), "{ran:?}");
        assert!(ran.stderr.contains("there is no complete run `nonsense`: give its id, `latest`"), "{ran:?}");
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    let project = good_project();
    for arguments in [&["explain", "trim"][..], &["explain"], &["schema"], &["run"], &["--help"]] {
        for (closed, other) in [("stdout", "stderr"), ("stderr", "stdout")] {
            let mut child = Command::new(program())
                .args(arguments)
                .current_dir(project.path())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("the program runs");
            if closed == "stdout" {
                drop(child.stdout.take());
            } else {
                drop(child.stderr.take());
            }
            let ran = Ran::from(child.wait_with_output().expect("an end"));
            assert_eq!(ran.code, Some(0), "{arguments:?} with {closed} closed and {other} open: {ran:?}");
            assert!(!ran.stderr.contains("error") && !ran.stderr.contains("panic"), "{ran:?}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_standard_output_is_an_error() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a full device");
    let output = Command::new(program()).arg("schema").stdout(full).output().expect("the program runs");
    let ran = Ran::from(output);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("standard output could not be written"), "{ran:?}");
}

#[cfg(unix)]
mod interrupts {
    use std::io::{BufRead, BufReader};
    use std::process::Child;
    use std::time::{Duration, Instant};

    use super::*;

    /// A project that takes long enough to be interrupted.
    fn long_project() -> Folder {
        let folder = Folder::new();
        let rows = 150_000;
        let mut source = String::from("id,name,day,sum,note\n");
        let mut target = source.clone();
        for i in 0..rows {
            source.push_str(&format!("{i},Name {i},2026-01-{:02},{i}.50,a note\n", i % 28 + 1));
            target.push_str(&format!("{i},name {i},2026-01-{:02},{i}.50,a note\n", i % 28 + 1));
        }
        let steps = "cleanse:\n  - { step: case, columns: [name], to: lower }\nchecks:\n  - { check: unique, columns: [name, day] }\n";
        folder.project(&format!("{RULES}{steps}"), &source, &target);
        folder
    }

    fn signal(child: &Child, name: &str) {
        let status = Command::new("kill").args([name, &child.id().to_string()]).status().expect("kill");
        assert!(status.success());
    }

    /// Runs until the log has a line that `wanted` likes, sends the signals, and returns what the program left.
    fn interrupted(folder: &Folder, signals: &[&str], wanted: impl Fn(&Json) -> bool) -> (Ran, Duration) {
        let mut child = Command::new(program())
            .args(["run", "--json-logs"])
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let mut stderr = String::new();
        loop {
            let line = lines.next().expect("the program is at work").expect("a line");
            stderr.push_str(&line);
            stderr.push('\n');
            if wanted(&log(&line)[0]) {
                break;
            }
        }
        let asked = Instant::now();
        for name in signals {
            signal(&child, name);
        }
        for line in lines {
            stderr.push_str(&line.expect("a line"));
            stderr.push('\n');
        }
        let mut ran = Ran::from(child.wait_with_output().expect("an end"));
        ran.stderr = stderr;
        (ran, asked.elapsed())
    }

    fn runs(folder: &Folder) -> Vec<String> {
        let runs = std::fs::read_dir(folder.path().join("counterfoil-out/runs")).expect("the folder of runs");
        runs.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn an_interrupt_leaves_no_half_run_and_is_exit_code_2() {
        let folder = long_project();
        let stage = |name: &'static str| move |line: &Json| line["event"] == "stage" && line["stage"] == name;
        let reading = |line: &Json| line["event"] == "reading";
        let at: [(&str, &dyn Fn(&Json) -> bool); 4] = [
            ("-INT", &reading),
            ("-TERM", &stage("cleanse")),
            ("-HUP", &stage("check")),
            ("-INT", &stage("reconcile")),
        ];
        for (i, (name, wanted)) in at.into_iter().enumerate() {
            let (ran, took) = interrupted(&folder, &[name], wanted);
            assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{i}: {ran:?}");
            let lines = log(&ran.stderr);
            let last = lines.last().expect("a line");
            assert_eq!(last["message"], "stopped: no run was written", "{i}: {ran:?}");
            let errors: Vec<&Json> = lines.iter().filter(|line| line["level"] == "error").collect();
            assert_eq!(errors.len(), 1, "{i}: to be stopped is no failure of a dataset: {errors:?}");
            assert_eq!(runs(&folder), Vec::<String>::new(), "{i}");
            assert_eq!(folder.left_overs(), Vec::<std::path::PathBuf>::new(), "{i}");
            assert!(took < Duration::from_secs(15), "{i}: {took:?}");
        }
    }

    #[test]
    fn what_a_killed_run_has_left_is_removed_by_the_next_and_said() {
        let folder = long_project();
        let cleansing = |line: &Json| line["event"] == "stage" && line["stage"] == "cleanse";
        let (ran, _) = interrupted(&folder, &["-KILL"], cleansing);
        assert_eq!(ran.code, None, "{ran:?}");
        let left = runs(&folder);
        assert!(left.len() == 1 && left[0].ends_with(".part"), "{left:?}");
        let told = format!("removed runs/{}", left[0]);
        let removed = |line: &Json| line["message"].as_str().is_some_and(|text| text.starts_with(&told));
        let (ran, _) = interrupted(&folder, &["-INT"], removed);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert_eq!(runs(&folder), Vec::<String>::new());
    }

    /// Both signals wait while the program stands still, so that it has the second as soon as the first.
    #[test]
    fn a_second_interrupt_ends_it_at_once_and_leaves_no_half_run_either() {
        let folder = long_project();
        let written = |line: &Json| line["event"] == "stage" && line["stage"] == "write";
        let (ran, _) = interrupted(&folder, &["-STOP", "-INT", "-TERM", "-CONT"], written);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        let lines = log(&ran.stderr);
        let said: Vec<&str> =
            lines.iter().rev().take(2).filter_map(|line| line["message"].as_str()).collect();
        assert_eq!(said, ["stopped: no run was written", "leaving at once"], "{ran:?}");
        assert_eq!(runs(&folder), Vec::<String>::new());
    }
}
