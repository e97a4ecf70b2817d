//! One stable point: whatever is written meanwhile, all rows of all tables are from one moment.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use counterfoil::source::Stable;

use super::{Reader, assert_equal_to, wide};
use crate::servers::postgres::database;
use crate::servers::proxy::{Fate, Proxy};
use crate::support::Folder;

#[test]
fn tables_that_change_together_are_seen_together() {
    let Some(database) = database() else { return };
    wide(&database, "a", 20_000);
    database.execute("CREATE TABLE b (total bigint); INSERT INTO b SELECT sum(id) FROM a; ALTER TABLE a ADD extra bigint DEFAULT 0");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _done = crate::servers::OnDrop(|| done.store(true, Ordering::Relaxed));
        scope.spawn(|| {
            // Rows move and come, and every transaction keeps the total right.
            while !done.load(Ordering::Relaxed) {
                database.execute(
                    "BEGIN; UPDATE a SET extra = extra + 1 WHERE id % 50 = (random() * 50)::int;
                     INSERT INTO a (id, extra) VALUES (7, 0); UPDATE b SET total = total + 7;
                     DELETE FROM a WHERE ctid = (SELECT min(ctid) FROM a WHERE id = 7); UPDATE b SET total = total - 7;
                     INSERT INTO a (id, extra) VALUES (5, 0); UPDATE b SET total = total + 5;
                     COMMIT",
                );
            }
        });
        for _ in 0..3 {
            // Each reader is at one moment, for both tables and all parts.
            let reader = Reader::new(&database.url(), "limits: { connections: 3 }");
            let b = reader.take("b", "{ table: b }").expect("a snapshot");
            std::thread::sleep(Duration::from_millis(100));
            let a = reader.take("a", "{ table: a, omit: [note, code, amount, born] }").expect("a snapshot");
            let total: i64 =
                super::rows(&a).iter().map(|row| row[0].as_ref().unwrap().parse::<i64>().unwrap()).sum();
            assert_eq!(super::only(&b), [Some(total.to_string())]);
            assert!(a.manifest.files.len() >= 2);
            for snapshot in [&a, &b] {
                let server = snapshot.manifest.server.as_ref().expect("a server");
                assert_eq!(server.stable, Stable::OnePoint);
            }
            let seen = |s: &super::Taken| s.manifest.server.as_ref().unwrap().seen_at.clone();
            assert_eq!(seen(&a).map(|t| t.len()), Some("2026-01-01T00:00:00.000000Z".len()));
        }
    });
}

#[test]
fn the_moment_is_lost_with_the_last_connection_and_that_is_said() {
    let Some(database) = database() else { return };
    wide(&database, "big", 30_000);
    database.execute("CREATE TABLE small (id int)");
    // One connection at a time: each cut loses the moment.
    let proxy = Proxy::start(database.server.port, |number| Fate {
        cut_after: (number == 0).then_some(12 << 20),
        ..Fate::default()
    });
    let reader = Reader::new(&database.url_at(proxy.port), "limits: { connections: 1 }");
    let snapshot = reader.table("big");
    assert_equal_to(&snapshot, &database, "big");
    assert_eq!(snapshot.manifest.server.as_ref().expect("a server").stable, Stable::PerPart);
    assert!(proxy.connections() >= 2);
    // Another table of the same connection is at one moment, but not that of the first.
    let small = reader.take("small", "{ table: small }").expect("a snapshot");
    assert_eq!(small.manifest.server.as_ref().expect("a server").stable, Stable::PerTable);
}

#[test]
fn a_cut_connection_does_not_lose_the_moment_of_the_others() {
    let Some(database) = database() else { return };
    wide(&database, "big", 40_000);
    let proxy = Proxy::start(database.server.port, |number| Fate {
        cut_after: (number == 0).then_some(2 << 20),
        ..Fate::default()
    });
    let reader = Reader::new(&database.url_at(proxy.port), "limits: { connections: 3 }");
    let snapshot = reader.table("big");
    assert_equal_to(&snapshot, &database, "big");
    assert!(proxy.connections() >= 3);
    assert_eq!(snapshot.manifest.server.as_ref().expect("a server").stable, Stable::OnePoint);
}

#[test]
fn a_table_that_is_rewritten_after_the_moment_is_not_read() {
    let Some(database) = database() else { return };
    database.execute("CREATE TABLE a (id int); INSERT INTO a VALUES (1); CREATE TABLE b (id int); INSERT INTO b VALUES (1)");
    let reader = Reader::of(&database);
    reader.take("a", "{ table: a }").expect("a snapshot");
    database.execute("TRUNCATE b");
    let error = reader.refused("{ table: b }");
    assert!(error.contains("emptied or rewritten"), "{error}");
    // At a moment of its own it is read.
    assert_eq!(Reader::of(&database).table("b").manifest.rows, 0);
}

#[test]
fn many_tables_share_few_connections() {
    let Some(database) = database() else { return };
    let folder = Folder::new();
    folder.write(
        "counterfoil.yml",
        format!(
            "version: 1\nproject: Test\nfingerprint_key: test\nconnections:\n  db: {{ type: postgres, url: \"{}&application_name=few\", limits: {{ connections: 2 }} }}\ndatasets: rules/*.yml\n",
            database.url()
        ),
    );
    for i in 0..8 {
        database.execute(&format!(
            "CREATE TABLE t{i} (id int); INSERT INTO t{i} SELECT generate_series(1, {i} * 1000)"
        ));
        folder.write(
            &format!("rules/t{i}.yml"),
            format!("dataset: t{i}\nkey: [id]\nsource: {{ connection: db, table: t{i}, where: '(select pg_sleep(0.2)) is not null' }}\n"),
        );
    }
    database
        .execute("CREATE VIEW few AS SELECT count(*) FROM pg_stat_activity WHERE application_name = 'few'");
    let done = AtomicBool::new(false);
    let most = std::thread::scope(|scope| {
        let stop = crate::servers::OnDrop(|| done.store(true, Ordering::Relaxed));
        let watcher = scope.spawn(|| {
            let mut most = 0;
            while !done.load(Ordering::Relaxed) {
                most = most.max(database.value("SELECT * FROM few").parse::<u32>().unwrap());
                std::thread::sleep(Duration::from_millis(10));
            }
            most
        });
        let ran = folder.run(&["snapshot"]);
        drop(stop);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert_eq!(ran.stdout.matches("counterfoil-out").count(), 8, "{}", ran.stdout);
        watcher.join().expect("a number")
    });
    assert!((1..=2).contains(&most), "{most} connections");
}
