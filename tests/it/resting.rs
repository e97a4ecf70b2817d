//! Datasets whose rows stay in their snapshots while they are reconciled: what is found is what is found in memory.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use counterfoil::frame::{Frame, Rows, to_record_batch};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use proptest::prelude::*;

use crate::support::{Folder, column, read_parquet};
use crate::table;
use crate::types::snapshot;

/// Writes a table to a file in row groups of a few rows.
fn write(folder: &Folder, name: &str, frame: &Frame, rows: usize) {
    let batch: RecordBatch = to_record_batch(frame).unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(rows)).build();
    let file = File::create(folder.path().join(name)).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// A table of all kinds of values: padded, long and short texts, numbers, moments, bytes, NULLs.
fn all_kinds(rows: usize) -> Frame {
    let mut text = "| k: i64 | c: char(40) | t: text | d: decimal(9,2) | f: f64 | a: date | m: timestamp | b: bool | u: uuid |\n".to_owned();
    for row in 0..rows {
        let long = "x".repeat(row % 30);
        let null = |text: String| if row % 7 == 3 { "null".to_owned() } else { text };
        text.push_str(&format!(
            "| {row} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
            null(format!("\"{long}\"")),
            null(format!("\"{row}{long}\"")),
            null(format!("{}.{:02}", row * 13, row % 100)),
            null(format!("{row}.5")),
            null(format!("2020-01-{:02}", row % 28 + 1)),
            null(format!("2020-01-{:02} 01:02:03", row % 28 + 1)),
            null((row % 2 == 0).to_string()),
            null(format!("6f9619ff-8b86-d011-b42d-00cf4fc9{row:04}")),
        ));
    }
    table::frame(&text)
}

fn same(a: &Frame, b: &Frame) {
    assert_eq!(a.schema, b.schema);
    assert_eq!(a.rows, b.rows);
    assert!(a.df.equals_missing(&b.df), "{:?}\n{:?}", a.df, b.df);
}

#[test]
fn rows_read_piece_by_piece_are_the_snapshots() {
    let folder = Folder::new();
    write(&folder, "t.parquet", &all_kinds(50), 7);
    let snapshot = snapshot(folder.path(), "{ file: t.parquet }").unwrap();
    let (whole, rows) = (snapshot.read().unwrap(), snapshot.rows(None).unwrap());
    assert_eq!((rows.height(), rows.pieces()), (50, 8));
    let columns: Vec<String> = ["u", "c", "k"].map(str::to_owned).to_vec();
    let mut pieces: Option<Frame> = None;
    for piece in 0..rows.pieces() {
        rows.visit(piece, &columns, &mut |first, frame| {
            assert_eq!(frame.rows.first(), Some(&(first + 1)));
            pieces = Some(match pieces.take() {
                Some(before) => before.with(&frame).unwrap(),
                None => frame,
            });
        })
        .unwrap();
    }
    let mut wanted: Vec<Frame> = Vec::new();
    whole.visit(0, &columns, &mut |_, frame| wanted.push(frame)).unwrap();
    same(&pieces.unwrap(), &wanted[0]);
    same(&rows.fetch(&(0..50).collect::<Vec<u32>>()).unwrap(), &whole);
    same(&rows.fetch(&[]).unwrap(), &whole.fetch(&[]).unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_rows_can_be_fetched(
        indexes in proptest::collection::btree_set(0..40_u32, 0..40),
        group in 1..50_usize,
    ) {
        let folder = Folder::new();
        write(&folder, "t.parquet", &all_kinds(40), group);
        let snapshot = snapshot(folder.path(), "{ file: t.parquet }").unwrap();
        let indexes: Vec<u32> = indexes.into_iter().collect();
        same(&snapshot.rows(None).unwrap().fetch(&indexes).unwrap(), &snapshot.read().unwrap().fetch(&indexes).unwrap());
    }
}

const RULES: &str = "\
dataset: t
key: [k]
source: { connection: files, file: source.parquet }
target: { connection: files, file: target.parquet }
reconcile:
  exclude: [b]
  columns: { d: { tolerance: 0.01 }, t: { case: ignore }, f: { as: \"decimal(9,1)\" } }
  totals: [{ column: d, by: [a], agg: [count, sum] }]
";

/// Reconciles two tables, in the snapshot or in memory, and returns everything that was found.
fn found(source: &Frame, target: &Frame, in_memory: bool, memory: &[&str]) -> (Vec<String>, Vec<String>) {
    let folder = Folder::new();
    write(&folder, "source.parquet", source, 9);
    write(&folder, "target.parquet", target, 11);
    let rules = match in_memory {
        // A filter that leaves out nothing.
        true => RULES.replace("source.parquet }", "source.parquet, filter: k is not null or k is null }"),
        false => RULES.to_owned(),
    };
    folder.project(&rules, "", "");
    let arguments = [&["reconcile", "--as-of", "2026-01-01"], memory].concat();
    let ran = folder.run(&arguments);
    assert!(ran.code == Some(0) || ran.code == Some(1), "{ran:?}");
    let kept = |run: &Path| -> Vec<PathBuf> {
        let of_side = |side: &str| {
            std::fs::read_dir(folder.path().join("counterfoil-out/snapshots/t").join(side)).unwrap()
        };
        let folders =
            [of_side("source"), of_side("target")].into_iter().flatten().map(|entry| entry.unwrap().path());
        let files =
            folders.flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()));
        let named = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with("hashes-");
        assert!(!run.join("snapshots/t/source").read_dir().unwrap().any(|file| named(&file.unwrap().path())));
        files.filter(named).collect()
    };
    let (first, run) = (std::fs::read(folder.run_folder().join("run.json")).unwrap(), folder.run_folder());
    assert_eq!(kept(&run).len(), if in_memory { 0 } else { 2 }, "the hashes are kept beside the snapshots");
    // What was kept gives the same.
    folder.run(&arguments);
    folder.run(&[&arguments[..], &["--from", "counterfoil-out/runs/latest"]].concat());
    let unfinished = folder.left_overs();
    assert_eq!(unfinished, Vec::<PathBuf>::new());
    let (again, run) = (std::fs::read(folder.run_folder().join("run.json")).unwrap(), folder.run_folder());
    assert!(first == again);
    for kind in ["findings", "repairs"] {
        let of_run = |run: &Path| std::fs::read(run.join(kind).join("t.parquet")).unwrap();
        let all = std::fs::read_dir(folder.path().join("counterfoil-out/runs")).unwrap();
        let runs = all.map(|run| run.unwrap().path()).filter(|path| !path.ends_with("latest"));
        assert!(runs.into_iter().all(|other| of_run(&other) == of_run(&run)));
    }
    let result = &folder.result().datasets[0];
    let facts = format!(
        "{:?} {:?} {:?} {:?} {:?} {:?}",
        result.buckets, result.ledger, result.columns, result.totals, result.notes, result.expected_rows
    );
    let figures = result.rules.iter().map(|rule| format!("{rule:?}"));
    let tables =
        ["findings", "repairs"].map(|kind| format!("{:?}", read_parquet(&run.join(kind).join("t.parquet"))));
    assert!(!run.join("corrected").exists(), "corrected data is for a whole run");
    (std::iter::once(facts).chain(figures).collect(), tables.to_vec())
}

#[test]
fn what_rests_is_reconciled_as_in_memory() {
    let source = all_kinds(60);
    let mut rows: Vec<u32> = (0..60).rev().collect();
    rows.retain(|row| row % 17 != 5);
    // Rows repeated, rows missing, and those of another table.
    let mut changed = source.fetch(&(0..60).collect::<Vec<u32>>()).unwrap();
    let (field, column) = source.column("d").unwrap();
    let moved = column.as_materialized_series().shift(1);
    changed.replace(field.clone(), moved.into()).unwrap();
    let target = Frame::new(source.schema.clone(), changed.df.clone());
    let target = Frame::new(
        target.schema.clone(),
        target
            .fetch(&{
                rows.sort_unstable();
                rows
            })
            .unwrap()
            .df,
    );
    let twice = Frame::new(target.schema.clone(), target.df.vstack(&target.df.slice(0, 3)).unwrap());
    for target in [&source, &target, &twice] {
        let in_memory = found(&source, target, true, &[]);
        let resting = found(&source, target, false, &[]);
        assert_eq!(resting, in_memory);
        assert_eq!(found(&source, target, false, &["--memory", "256MiB"]), in_memory);
    }
}

#[test]
fn free_text_of_what_rests_is_hidden_too() {
    let long = "a text that goes on and on, longer than any name, so that it must be free text";
    let source = table::frame(&format!("| k: i64 | t: text | n: text |\n| 1 | \"{long}\" | \"a\" |"));
    let target = table::frame("| k: i64 | t: text | n: text |\n| 1 | \"b\" | \"b\" |");
    let folder = Folder::new();
    write(&folder, "source.parquet", &source, 9);
    write(&folder, "target.parquet", &target, 9);
    let rules = RULES.split("reconcile:").next().unwrap();
    folder.project(rules, "", "");
    assert_eq!(folder.run(&["reconcile"]).code, Some(1));
    let hidden = folder.result().datasets[0].masking.columns.clone();
    assert_eq!(hidden.into_iter().collect::<Vec<_>>(), [("t".to_owned(), "free text".to_owned())]);
    let findings = read_parquet(&folder.run_folder().join("findings/t.parquet"));
    assert_eq!(column(&findings, "column"), [Some("n".to_owned()), Some("t".to_owned())]);
}
