//! Large tables are read in parts, side by side, and are the table row for row.

use super::{Reader, assert_equal_to, wide};
use crate::servers::postgres::database;

#[test]
fn parts_side_by_side_are_the_table() {
    let Some(database) = database() else { return };
    wide(&database, "big", 30_000);
    // Rows that moved, and blocks that are empty.
    database.execute(
        "UPDATE big SET note = 'moved' WHERE id % 13 = 0; DELETE FROM big WHERE id BETWEEN 9000 AND 18000",
    );
    database.execute("VACUUM big");
    let reader = Reader::new(&database.url(), "limits: { connections: 3 }");
    let snapshot = reader.table("big");
    assert!(snapshot.manifest.files.len() >= 3, "{:?}", snapshot.manifest.files.len());
    assert_equal_to(&snapshot, &database, "big");
    // The same rows give the same snapshot, whatever the number of connections.
    let alone = Reader::new(&database.url(), "limits: { connections: 1 }").table("big");
    assert_eq!(alone.id, snapshot.id);
    let some = reader.take("t", "{ table: big, where: 'id % 100 = 0' }").expect("a snapshot");
    database.execute("CREATE VIEW hundreds AS SELECT * FROM big WHERE id % 100 = 0");
    assert_equal_to(&some, &database, "hundreds");
}

#[test]
fn partitions_and_children_are_part_of_their_table() {
    let Some(database) = database() else { return };
    database.execute(
        "CREATE TABLE p (id int, note text, amount int) PARTITION BY RANGE (id);
         CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (12000) WITH (fillfactor = 10);
         CREATE TABLE p2 (amount int, note text, id int) WITH (fillfactor = 10);
         ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (12000) TO (24000);
         CREATE TABLE p3 PARTITION OF p DEFAULT PARTITION BY LIST (amount);
         CREATE TABLE p31 PARTITION OF p3 DEFAULT;
         CREATE TABLE p4 PARTITION OF p FOR VALUES FROM (90000) TO (90001);
         ALTER TABLE p1 ALTER note SET STORAGE PLAIN; ALTER TABLE p2 ALTER note SET STORAGE PLAIN;
         INSERT INTO p SELECT i, rpad('', 800, md5(i::text)), i % 5 FROM generate_series(1, 25000) i;
         CREATE TABLE parent (id int, note text) WITH (fillfactor = 10);
         CREATE TABLE child (more text) INHERITS (parent) WITH (fillfactor = 10);
         ALTER TABLE child ALTER note SET STORAGE PLAIN;
         INSERT INTO parent SELECT i, 'p' FROM generate_series(1, 1000) i;
         INSERT INTO child SELECT i, rpad('', 800, 'c'), 'm' FROM generate_series(1, 12000) i",
    );
    let reader = Reader::new(&database.url(), "limits: { connections: 4 }");
    let snapshot = reader.table("p");
    assert!(snapshot.manifest.files.len() >= 2);
    assert_equal_to(&snapshot, &database, "p");
    let snapshot = reader.table("parent");
    assert!(snapshot.manifest.files.len() >= 2);
    assert_equal_to(&snapshot, &database, "parent");
}

#[test]
fn a_table_that_turns_to_text_late_is_whole() {
    let Some(database) = database() else { return };
    wide(&database, "big", 20_000);
    database.execute("UPDATE big SET amount = 'NaN' WHERE id = 19999");
    let reader = Reader::new(&database.url(), "limits: { connections: 2 }");
    let snapshot = reader.table("big");
    assert!(snapshot.manifest.files.len() >= 2);
    assert_equal_to(&snapshot, &database, "big");
    let amount = snapshot.manifest.columns.iter().find(|c| c.name == "amount").expect("a column");
    assert!(amount.notes[0].contains("NaN"));
}

#[test]
fn long_values_do_not_pile_up() {
    let Some(database) = database() else { return };
    database.execute("CREATE TABLE t (id int, v text, b bytea)");
    database.execute(
        "INSERT INTO t SELECT i, repeat(md5(i::text), 30000), decode(repeat('00ff', 100000), 'hex') FROM generate_series(1, 60) i",
    );
    let snapshot = Reader::of(&database).table("t");
    let expected = database.rows("SELECT id, md5(v), md5(b) FROM t ORDER BY id");
    let found = super::rows(&snapshot);
    assert_eq!(found.len(), 60);
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found[0], expected[0]);
        assert_eq!(found[1].as_ref().map(String::len), Some(960_000));
        assert_eq!(found[2].as_ref().map(String::len), Some(400_000));
    }
}
