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
            // Whichever connection has read it.
            assert_eq!(seen(&a), seen(&b));
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
fn what_a_view_or_query_reads_is_not_read_once_it_is_rewritten() {
    let Some(database) = database() else { return };
    database.execute("CREATE TABLE first (id int); CREATE SCHEMA s");
    let make = |name: &str| {
        format!(
            "CREATE TABLE s.{name} (id int, v text); INSERT INTO s.{name} VALUES (1, 'a'); \
             CREATE VIEW s.v_{name} AS SELECT id FROM s.{name};"
        )
    };
    for name in ["a", "b", "c", "d", "e", "f"] {
        database.execute(&make(name));
    }
    database.execute(
        "CREATE FUNCTION s.f() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM s.d); END $$;
         CREATE TABLE s.p (id int) PARTITION BY LIST (id); CREATE TABLE s.p1 PARTITION OF s.p FOR VALUES IN (1);
         CREATE TABLE s.p2 PARTITION OF s.p FOR VALUES IN (2); CREATE VIEW s.v_p AS SELECT * FROM s.p;
         CREATE TABLE s.q (id int) PARTITION BY LIST (id); CREATE TABLE s.q1 PARTITION OF s.q FOR VALUES IN (1);
         INSERT INTO s.p VALUES (1), (2); INSERT INTO s.q VALUES (1)",
    );
    let reader = Reader::of(&database);
    reader.take("first", "{ table: first }").expect("a snapshot");
    database
        .execute("TRUNCATE s.a; TRUNCATE s.b; ALTER TABLE s.c ADD x float DEFAULT random(); TRUNCATE s.d");
    database.execute(&format!("DROP TABLE s.e CASCADE; {}", make("e")));
    database.execute("CREATE INDEX ON s.f (id); ALTER TABLE s.p DETACH PARTITION s.p2");
    database.execute("CREATE TABLE s.q2 PARTITION OF s.q FOR VALUES IN (2); INSERT INTO s.q VALUES (2)");
    for (side, name) in [
        ("{ table: s.v_a }", "s.a"),
        ("{ query: 'select b.id from s.b join s.f using (id)' }", "s.b"),
        ("{ table: s.v_c }", "s.c"),
        ("{ query: 'select s.f() as n' }", "s.d"),
        ("{ table: s.p }", "s.p"),
        ("{ table: s.v_p }", "s.p"),
        ("{ query: 'select id from s.e' }", "s.e"),
    ] {
        let error = reader.refused(side);
        assert!(error.contains(&format!("{name} was emptied or rewritten")), "{side}: {error}");
    }
    // What has come since the moment, and what was only read, is no reason.
    assert_eq!(reader.table("s.v_f").manifest.rows, 1);
    assert_eq!(reader.table("s.q").manifest.rows, 1);
    // At a moment of their own they are read.
    assert_eq!(Reader::of(&database).table("s.v_a").manifest.rows, 0);
    assert_eq!(Reader::of(&database).table("s.v_p").manifest.rows, 1);
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
