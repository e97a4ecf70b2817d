//! A clock without a zone in one database meets instants in another, over both changes of the clocks.

use super::Database;
use crate::servers::postgres;
use crate::support::Folder;

/// A number, what the old clock showed in London, the instant, and whether the two are the same.
const MOMENTS: [(u32, &str, &str, bool); 9] = [
    (1, "2026-03-29 00:59:59", "2026-03-29 00:59:59+00", true),
    (2, "2026-03-29 02:00:00", "2026-03-29 01:00:00+00", true),
    (3, "2026-07-01 12:00:00", "2026-07-01 11:00:00+00", true),
    // Moved as though it had been in UTC.
    (4, "2026-07-02 12:00:00", "2026-07-02 12:00:00+00", false),
    // The hour that is there twice is either of them.
    (5, "2026-10-25 01:30:00", "2026-10-25 00:30:00+00", true),
    (6, "2026-10-25 01:30:00", "2026-10-25 01:30:00+00", true),
    (7, "2026-10-25 02:00:00", "2026-10-25 02:00:00+00", true),
    (8, "2026-01-01 00:00:00", "2026-01-01 00:00:00+00", true),
    // No clock in London ever showed this.
    (9, "2026-03-29 01:30:00", "2026-03-29 01:30:00+00", false),
];

#[test]
fn the_connections_zone_is_that_of_its_clocks() {
    let (Some(old), Some(new)) = (Database::new("mysql"), postgres::database()) else { return };
    old.execute("CREATE TABLE t (id int primary key, at datetime);");
    new.execute("CREATE TABLE t (id int primary key, at timestamptz)");
    for (id, clock, instant, _) in MOMENTS {
        old.execute(&format!("INSERT INTO t VALUES ({id}, '{clock}');"));
        new.execute(&format!("INSERT INTO t VALUES ({id}, '{instant}')"));
    }
    let folder = Folder::new();
    let text = |text: String| serde_json::to_string(&text).expect("a text");
    let project = |zone: &str| {
        format!(
            "version: 1\nproject: Zones\nfingerprint_key: test\nas_of: 2026-01-31\nconnections:\n  \
             old: {{ type: odbc, connection_string: {}{zone} }}\n  new: {{ type: postgres, url: {} }}\n\
             datasets: rules/*.yml\n",
            text(old.connection_string()),
            text(new.url())
        )
    };
    folder.write("counterfoil.yml", project(", timezone: Europe/London"));
    folder.write(
        "rules/t.yml",
        "dataset: t\nkey: [id]\nsource: { connection: old, table: t }\ntarget: { connection: new, table: t }\n",
    );
    let ran = folder.run(&["run"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let result = folder.result();
    let column = result.datasets[0].columns.iter().find(|column| column.name == "at").expect("the column");
    let differing = MOMENTS.iter().filter(|(.., same)| !same).count() as u64;
    assert_eq!((column.compared, column.mismatched), (MOMENTS.len() as u64, differing), "{column:?}");
    let findings = crate::support::read_parquet(&folder.run_folder().join("findings/t.parquet"));
    let mut keys: Vec<Option<String>> = crate::support::column(&findings, "key");
    // What is said of the two structures has no key.
    keys.retain(Option::is_some);
    keys.sort();
    keys.dedup();
    assert_eq!(keys, [Some("4".to_owned()), Some("9".to_owned())]);

    // Nobody takes a clock for one in UTC.
    folder.write("counterfoil.yml", project(""));
    let ran = folder.run(&["run"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("timezone"), "{ran:?}");
}
