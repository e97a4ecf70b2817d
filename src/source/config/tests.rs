use super::*;
use crate::source::testing::{node, side};

#[test]
fn sides_and_connections_are_read() {
    let mut out = Diagnostics::default();
    let connection = ConnectionConfig::from_node(
        &node(
            "{ type: files, path: data, timezone: Europe/London, delimiter: ';', null: ['', NULL, 'null'] }",
        ),
        &mut out,
    );
    let side =
        side("{ file: a.csv, quote: \"'\", types: { n: 'decimal(9,2)' }, columns: { N: n }, omit: [x] }");
    let request = connection.unwrap().request(&side, &node("a: 1").span, &mut out).unwrap();
    assert!(out.is_empty(), "{}", out.render(false));
    let Selection::Files(files) = &request.selection else { panic!("files") };
    assert_eq!((files.csv.delimiter, files.csv.quote), (b';', Some(b'\'')));
    assert_eq!(files.csv.null, Some(vec![String::new(), "NULL".to_owned(), "null".to_owned()]));
    assert_eq!(request.columns.timezone.as_deref(), Some("Europe/London"));
    assert_eq!(request.columns.columns["N"].value, "n");
}

#[test]
fn mistakes_are_diagnostics() {
    for (text, says) in [
        ("{ type: file, path: data }", "did you mean `files`?"),
        ("{ type: files, pth: data }", "did you mean `path`?"),
        ("{ path: data }", "needs `type`"),
        ("{ type: files, delimiter: '::' }", "one ASCII character"),
        ("{ type: files, quote: '£' }", "one ASCII character"),
        ("{ type: files, encoding: latin1 }", "not a choice"),
    ] {
        let mut out = Diagnostics::default();
        let connection = ConnectionConfig::from_node(&node(text), &mut out);
        let shown = out.render(false);
        assert!(connection.is_none() || out.has_errors());
        assert!(shown.contains(says), "{shown}");
    }
    for (text, says) in [
        ("{ format: csv }", "needs `file`"),
        ("{ file: a.csv, timezone: Europe/Londn }", "Europe/London"),
        ("{ file: a.csv, delimiter: '\"' }", "the same character"),
    ] {
        let mut out = Diagnostics::default();
        let place = node("a: 1").span;
        assert!(ConnectionConfig::default().request(&side(text), &place, &mut out).is_none());
        assert!(out.render(false).contains(says), "{}", out.render(false));
    }
}

#[test]
fn schemas_name_every_field() {
    let schema = ConnectionConfig::schema();
    assert_eq!(schema["oneOf"][0]["properties"]["type"]["const"], "files");
    assert_eq!(schema["oneOf"][0]["required"], json!(["type"]));
    assert!(SideConfig::schema()["properties"]["omit"]["description"].is_string());
}
