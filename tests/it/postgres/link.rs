//! A link that drops, a program that is killed, a user who stops: what is there in the end is the table.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use counterfoil::model::Schema;
use counterfoil::snapshot::Snapshot;
use counterfoil::source::{Cancel, Part, ReadPlan, Sink, SinkError, Stable, Unfinished};

use super::{Reader, assert_equal_to, wide};
use crate::servers::postgres::{Database, database};
use crate::servers::proxy::{Fate, Proxy, Random};
use crate::support::{Folder, Ran, program};

#[test]
fn a_link_that_is_cut_at_any_place() {
    let Some(database) = database() else { return };
    wide(&database, "big", 20_000);
    for seed in 1..=3 {
        // The first dozen connections are cut somewhere, from the first greeting to the middle of the rows.
        let proxy = Proxy::start(database.server.port, move |number| {
            let mut random = Random::new(seed * 100 + number as u64);
            let wanted = if number % 4 == 3 { 2_000 } else { 9 << 20 };
            Fate {
                cut_after: (0 < number && number < 12).then(|| random.below(wanted) + 1),
                ..Fate::default()
            }
        });
        let reader = Reader::new(&database.url_at(proxy.port), "limits: { connections: 3, retry_for: 2min }");
        assert_equal_to(&reader.table("big"), &database, "big");
    }
}

#[test]
fn a_link_that_stalls_and_creeps() {
    let Some(database) = database() else { return };
    wide(&database, "big", 20_000);
    let proxy = Proxy::start(database.server.port, |number| match number {
        0 => Fate { stall_after: Some(3_000_000), ..Fate::default() },
        1 => Fate { stall_after: Some(600), ..Fate::default() },
        2 => Fate { rate: Some(1_000_000), cut_after: Some(700_000), ..Fate::default() },
        _ => Fate { rate: Some(20_000_000), ..Fate::default() },
    });
    let options = "limits: { connections: 2, silence: 1s, retry_for: 2min }";
    let reader = Reader::new(&format!("{}&connect_timeout=2", database.url_at(proxy.port)), options);
    assert_equal_to(&reader.table("big"), &database, "big");
    assert!(proxy.connections() >= 3);
}

#[test]
fn a_query_is_read_from_its_beginning() {
    let Some(database) = database() else { return };
    wide(&database, "big", 4_000);
    database.execute("CREATE VIEW v AS SELECT * FROM big WHERE id % 2 = 0");
    let proxy = Proxy::start(database.server.port, |number| Fate {
        cut_after: (number < 2).then_some(500_000 * (number as u64 + 1)),
        ..Fate::default()
    });
    let snapshot = Reader::new(&database.url_at(proxy.port), "").table("v");
    assert_equal_to(&snapshot, &database, "v");
    // All rows are from the third attempt.
    assert_eq!(snapshot.manifest.server.as_ref().expect("a server").stable, Stable::PerTable);
}

#[test]
fn it_is_not_tried_for_ever_and_what_is_complete_is_kept() {
    let Some(database) = database() else { return };
    wide(&database, "big", 20_000);
    let proxy = Proxy::start(database.server.port, |_| Fate { cut_after: Some(9 << 20), ..Fate::default() });
    let reader = Reader::new(&database.url_at(proxy.port), "limits: { connections: 1, retry_for: 1s }");
    // The first part gets through; after that no connection does.
    let waiting = std::thread::scope(|scope| {
        scope.spawn(|| {
            while proxy.connections() < 2 {
                std::thread::sleep(Duration::from_millis(5));
            }
            proxy.close();
        });
        reader.refused("{ table: big }")
    });
    assert!(waiting.contains("limits.retry_for") && waiting.contains("--resume"), "{waiting}");
    assert!(!waiting.contains("postgresql://"), "{waiting}");
    // While the server cannot be reached, a resume loses nothing.
    let again = reader.take_on("t", "{ table: big }", true).expect_err("no server").to_string();
    assert!(again.contains("--resume"), "{again}");
}

/// A project that reads one table.
fn project(options: &str) -> Folder {
    let folder = Folder::new();
    folder.write(
        "counterfoil.yml",
        format!("version: 1\nproject: Test\nfingerprint_key: test\nconnections:\n  db: {{ type: postgres, url: \"${{TEST_URL}}\", {options} }}\ndatasets: rules/*.yml\n"),
    );
    folder.write("rules/t.yml", "dataset: t\nkey: [id]\nsource: { connection: db, table: big }\n");
    folder
}

fn start(folder: &Folder, url: &str, arguments: &[&str]) -> Child {
    Command::new(program())
        .args(arguments)
        .current_dir(folder.path())
        .env("TEST_URL", url)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs")
}

fn finish(child: Child) -> Ran {
    Ran::from(child.wait_with_output().expect("the program ends"))
}

/// Returns the files of the table's snapshots that lie in folders of this ending.
fn parts(folder: &Path, is_finished: bool) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder.join("counterfoil-out/snapshots/t/source")) else {
        return Vec::new();
    };
    let folders = entries.flatten().map(|entry| entry.path());
    let folders =
        folders.filter(|path| path.is_dir() && path.extension().is_none_or(|e| e != "part") == is_finished);
    let mut found: Vec<PathBuf> = folders
        .flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten())
        .map(|entry| entry.path())
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("data-")))
        .collect();
    found.sort();
    found
}

fn the_snapshot(folder: &Path) -> Snapshot {
    let files = parts(folder, true);
    Snapshot::open(files[0].parent().expect("a folder")).expect("a snapshot")
}

fn wait_for_parts(folder: &Path, child: &mut Child, count: usize) {
    let until = Instant::now() + Duration::from_mins(1);
    while parts(folder, false).len() < count {
        assert!(Instant::now() < until && child.try_wait().unwrap().is_none(), "no part was completed");
        std::thread::sleep(Duration::from_millis(10));
    }
    // The part is there before it is noted.
    std::thread::sleep(Duration::from_millis(100));
}

fn killed_and_resumed(database: &Database, changed: bool) {
    let proxy = Proxy::start(database.server.port, |_| Fate { rate: Some(6_000_000), ..Fate::default() });
    let folder = project("limits: { connections: 2 }");
    let mut child = start(&folder, &database.url_at(proxy.port), &["snapshot"]);
    wait_for_parts(folder.path(), &mut child, 1);
    child.kill().expect("it can be killed");
    finish(child);
    let identity = |path: &Path| path.metadata().ok().map(|facts| (facts.ino(), facts.mtime_nsec()));
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    let before: Vec<(String, _)> =
        parts(folder.path(), false).iter().map(|path| (name(path), identity(path))).collect();
    assert!(!before.is_empty() && parts(folder.path(), true).is_empty());
    if changed {
        database.execute("ALTER TABLE big ALTER id TYPE bigint");
    }
    let ran = finish(start(&folder, &database.url(), &["snapshot", "--resume"]));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let snapshot = the_snapshot(folder.path());
    assert_equal_to(&snapshot, database, "big");
    let kept = before.iter().all(|(name, was)| identity(&snapshot.path.join(name)) == *was);
    assert_eq!(kept, !changed, "{before:?}");
    let stable = snapshot.manifest.server.expect("a server").stable;
    assert_eq!(stable, if changed { Stable::OnePoint } else { Stable::PerPart });
    assert!(folder.left_overs().is_empty(), "{:?}", folder.left_overs());
}

#[test]
fn a_killed_program_goes_on_where_it_was() {
    let Some(database) = database() else { return };
    wide(&database, "big", 40_000);
    killed_and_resumed(&database, false);
}

#[test]
fn a_copy_of_the_database_is_another() {
    let Some(database) = database() else { return };
    wide(&database, "big", 20_000);
    // The first part gets through.
    let proxy = Proxy::start(database.server.port, |number| Fate {
        cut_after: Some(if number == 0 { 12 << 20 } else { 1 }),
        ..Fate::default()
    });
    let cut = Reader::new(&database.url_at(proxy.port), "limits: { connections: 1, retry_for: 1s }");
    let error = cut.refused("{ table: big }");
    assert!(error.contains("--resume"), "{error}");
    let folder = std::sync::Arc::clone(&cut.folder);
    drop(cut);
    // Its tables have the same numbers and files.
    let copy = Database { name: format!("{}_copy", database.name), server: database.server };
    let main = Database { name: "postgres".to_owned(), server: database.server };
    main.execute(&format!("CREATE DATABASE {} TEMPLATE {}", copy.name, database.name));
    copy.execute("UPDATE big SET code = 'other' WHERE id <= 20");
    let there = Reader { folder: std::sync::Arc::clone(&folder), ..Reader::of(&copy) };
    let snapshot = there.take_on("t", "{ table: big }", true).expect("a snapshot");
    assert_equal_to(&snapshot, &copy, "big");
    let notes = &snapshot.manifest.columns[0].notes;
    assert!(notes.iter().any(|note| note.contains("another server or database")), "{notes:?}");
    assert_eq!(snapshot.manifest.server.as_ref().expect("a server").stable, Stable::OnePoint);
}

/// Keeps what a reading begins with, and says that an earlier one had left all of it complete.
#[derive(Default)]
struct Complete {
    begun: std::sync::Mutex<Option<(Schema, ReadPlan)>>,
    parts: std::sync::Mutex<BTreeSet<usize>>,
    resumed: std::sync::atomic::AtomicBool,
}

struct Nothing;

impl Part for Nothing {
    fn batch(&mut self, _: arrow::array::RecordBatch) -> Result<(), SinkError> {
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), SinkError> {
        Ok(())
    }
}

impl Sink for Complete {
    fn unfinished(&self) -> Option<Unfinished> {
        let (schema, plan) = self.begun.lock().unwrap().clone()?;
        let finished = self.parts.lock().unwrap().clone();
        Some(Unfinished { schema, parts: plan.parts, finished })
    }

    fn start(&self, schema: &Schema, plan: &ReadPlan) -> Result<(), SinkError> {
        *self.begun.lock().unwrap() = Some((schema.clone(), plan.clone()));
        Ok(())
    }

    fn resume(&self) -> Result<(), SinkError> {
        self.resumed.store(true, std::sync::atomic::Ordering::Relaxed);
        Ok(())
    }

    fn part(&self, number: usize) -> Result<Box<dyn Part + '_>, SinkError> {
        self.parts.lock().unwrap().insert(number);
        Ok(Box::new(Nothing))
    }

    fn parquet_file(&self, _: usize, _: &mut dyn std::io::Read) -> Result<(), SinkError> {
        Ok(())
    }
}

#[test]
fn where_all_parts_were_there_the_server_is_told_all_the_same() {
    let Some(database) = database() else { return };
    wide(&database, "big", 20_000);
    let reader = Reader::of(&database);
    let sink = Complete::default();
    let request = reader.request("{ table: big }");
    let read =
        |reader: &Reader| reader.connector.read(&request, &Cancel::default(), &sink).expect("a report");
    assert_eq!(read(&reader).server.expect("a server").stable, Stable::OnePoint);
    assert!(sink.parts.lock().unwrap().len() > 1);
    let server = read(&Reader::of(&database)).server.expect("a server");
    assert!(sink.resumed.load(std::sync::atomic::Ordering::Relaxed));
    assert_eq!(server.stable, Stable::PerPart);
    assert!(server.version.starts_with("PostgreSQL"), "{server:?}");
}

#[test]
fn a_table_that_was_rewritten_is_read_anew() {
    let Some(database) = database() else { return };
    wide(&database, "big", 40_000);
    killed_and_resumed(&database, true);
}

/// Begins a reading and kills it once a part is complete.
fn killed(folder: &Folder, database: &Database) {
    let proxy = Proxy::start(database.server.port, |_| Fate { rate: Some(6_000_000), ..Fate::default() });
    let mut child = start(folder, &database.url_at(proxy.port), &["snapshot"]);
    wait_for_parts(folder.path(), &mut child, 1);
    let noted =
        format!("{}/counterfoil-out/snapshots/t/source/*.part/unfinished.json", folder.path().display());
    let until = Instant::now() + Duration::from_secs(30);
    while glob::glob(&noted).unwrap().flatten().all(|path| path.to_string_lossy().contains(".earlier.")) {
        assert!(Instant::now() < until, "no part was noted");
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().expect("it can be killed");
    finish(child);
}

#[test]
fn what_is_continued_says_so_everywhere() {
    let Some(database) = database() else { return };
    wide(&database, "big", 30_000);
    let folder = project("limits: { connections: 1 }");
    killed(&folder, &database);
    let ran = finish(start(&folder, &database.url(), &["run", "--resume"]));
    let snapshot = the_snapshot(folder.path());
    let manifest = &snapshot.manifest;
    let moments = manifest.moments.as_ref().expect("its moments");
    assert!(moments.first < moments.last && moments.continued.as_ref() > Some(&moments.first), "{moments:?}");
    assert_eq!(manifest.taken_at, moments.first);
    assert_eq!(manifest.server.as_ref().expect("a server").seen_at, None);
    let said = moments.words();
    assert!(said.starts_with("continued on ") && said.contains("; its first rows were read on "), "{said}");
    let run = folder.run_folder();
    let log = std::fs::read_to_string(run.join("run.log")).unwrap();
    let page = std::fs::read_to_string(run.join("report/index.html")).unwrap();
    for text in [&ran.stderr, &log] {
        assert!(text.contains("t source: goes on with what was read before: "), "{text}");
        assert!(text.contains(&format!("t source: {said}")), "{text}");
    }
    assert!(page.contains(&said), "{said}");
    let result = folder.result();
    let dataset = &result.datasets[0];
    let read = dataset.source.as_ref().and_then(|side| side.read.clone()).unwrap_or_default();
    assert!(read.ends_with(&said), "{read}");
    let note = dataset.notes.iter().find(|note| note.contains(&said)).expect("a note");
    assert!(!note.contains("connections: 1"), "{note}");
}

#[test]
fn what_an_earlier_reading_left_is_set_aside_and_told() {
    let Some(database) = database() else { return };
    wide(&database, "big", 30_000);
    let folder = project("limits: { connections: 1 }");
    killed(&folder, &database);
    // Stopped before anything of it is complete.
    let proxy = Proxy::start(database.server.port, |_| Fate { rate: Some(500_000), ..Fate::default() });
    let child = start(&folder, &database.url_at(proxy.port), &["snapshot"]);
    std::thread::sleep(Duration::from_secs(3));
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()));
    let ran = finish(child);
    let told = "is set aside, until this one is complete; `--resume` continues it";
    assert!(ran.stderr.contains(" rows, read on ") && ran.stderr.contains(told), "{}", ran.stderr);
    // What was set aside is gone on with.
    let ran = finish(start(&folder, &database.url(), &["snapshot", "--resume"]));
    assert!(ran.stderr.contains("goes on with what was read before: "), "{}", ran.stderr);
    assert_equal_to(&the_snapshot(folder.path()), &database, "big");
    assert!(folder.left_overs().is_empty(), "{:?}", folder.left_overs());
    let ran = finish(start(&folder, &database.url(), &["snapshot", "--resume"]));
    assert!(ran.stderr.contains("there is no unfinished reading to go on with"), "{}", ran.stderr);
    // A reading that is complete leaves nothing aside.
    killed(&folder, &database);
    let ran = finish(start(&folder, &database.url(), &["snapshot"]));
    assert!(ran.code == Some(0) && ran.stderr.contains(told), "{ran:?}");
    assert!(folder.left_overs().is_empty(), "{:?}", folder.left_overs());
}

#[test]
fn a_lost_connection_is_told_and_so_is_what_it_means_for_other_tables() {
    let Some(database) = database() else { return };
    wide(&database, "big", 30_000);
    database.execute("CREATE TABLE small (id int); INSERT INTO small VALUES (1)");
    let proxy = Proxy::start(database.server.port, |number| Fate {
        cut_after: (number == 0).then_some(12 << 20),
        ..Fate::default()
    });
    let folder = project("limits: { connections: 1 }");
    folder.write("rules/s.yml", "dataset: s\nkey: [id]\nsource: { connection: db, table: small }\n");
    let ran = finish(start(&folder, &database.url_at(proxy.port), &["run"]));
    let log = std::fs::read_to_string(folder.run_folder().join("run.log")).unwrap();
    for text in [&ran.stderr, &log] {
        let lost: Vec<&str> =
            text.lines().filter(|line| line.contains("it is tried again, for up to 10 min")).collect();
        assert_eq!(lost.len(), 1, "{text}");
        assert!(lost[0].contains("connection `db`: PostgreSQL, database `test_"), "{text}");
        assert!(!lost[0].contains("postgresql://"), "{text}");
    }
    let result = folder.result();
    for dataset in &result.datasets {
        let read = dataset.source.as_ref().and_then(|side| side.read.clone()).unwrap_or_default();
        assert!(!read.contains("for all tables of the connection"), "{read}");
        let text = if dataset.name == "s" {
            "of connection `db` are of several moments"
        } else {
            "was read in parts"
        };
        assert!(dataset.notes.iter().any(|note| note.contains(text)), "{:?}", dataset.notes);
    }
}

#[test]
fn an_interrupt_ends_the_query_on_the_server() {
    let Some(database) = database() else { return };
    database.execute("CREATE TABLE big (id int); INSERT INTO big VALUES (1)");
    let url = format!("{}&application_name=interrupted", database.url());
    let folder = project("");
    folder.write("rules/t.yml", "dataset: t\nkey: [id]\nsource: { connection: db, query: 'select id from big where pg_sleep(100) is not null' }\n");
    let child = start(&folder, &url, &["snapshot"]);
    let active = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'interrupted' AND query LIKE 'COPY%' AND state = 'active'";
    wait_until(&database, active, "1");
    let start = Instant::now();
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()));
    let ran = finish(child);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    wait_until(&database, active, "0");
    assert!(folder.left_overs().is_empty(), "{:?}", folder.left_overs());
}

fn wait_until(database: &Database, query: &str, value: &str) {
    let until = Instant::now() + Duration::from_secs(30);
    while database.value(query) != value {
        assert!(Instant::now() < until, "{query} is not {value}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_silent_server_does_not_hold_back_who_wants_to_stop() {
    let Some(database) = database() else { return };
    wide(&database, "big", 2_000);
    let proxy =
        Proxy::start(database.server.port, |_| Fate { stall_after: Some(100_000), ..Fate::default() });
    let reader = Reader::new(&database.url_at(proxy.port), "");
    let cancel = reader.cancel.clone();
    let stopped = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(500));
        cancel.cancel();
        Instant::now()
    });
    let error = reader.refused("{ table: big }");
    let stopped = stopped.join().expect("a moment");
    assert_eq!(error, "stopped");
    assert!(stopped.elapsed() < Duration::from_secs(8), "{:?}", stopped.elapsed());
}

#[test]
fn a_statement_has_its_time() {
    let Some(database) = database() else { return };
    let reader = Reader::new(&database.url(), "limits: { statement_timeout: 1s }");
    let start = Instant::now();
    let error = reader.refused("{ query: 'select 1 as a where pg_sleep(60) is not null' }");
    assert!(error.contains("SQLSTATE 57014") && error.contains("limits.statement_timeout"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_rate_is_kept() {
    let Some(database) = database() else { return };
    database.execute("CREATE TABLE t (id int); INSERT INTO t SELECT generate_series(1, 40000)");
    let start = Instant::now();
    let reader = Reader::new(&database.url(), "limits: { rate: 20000 rows/s }");
    assert_eq!(reader.table("t").manifest.rows, 40_000);
    assert!(start.elapsed() >= Duration::from_millis(1_900), "{:?}", start.elapsed());
}
