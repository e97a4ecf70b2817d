use std::io::Write;

use super::*;
use crate::frame::Frame;
use crate::source::testing::{Keeping, read, read_csv, request};
use crate::source::{Connector, Files, Part, SinkError, Unfinished};

fn problem(text: impl AsRef<[u8]>, options: &str) -> String {
    match read_csv(text, options).map(|_| ()) {
        Err(SourceError::Csv { line, problem, .. }) => format!("{line}: {problem}"),
        Err(other) => other.to_string(),
        Ok(()) => "read without a problem".to_owned(),
    }
}

fn texts(frame: &Frame, column: &str) -> Vec<Option<String>> {
    let texts = frame.texts(column).unwrap();
    (0..frame.height()).map(|row| texts.owned(row)).collect()
}

fn column(text: impl AsRef<[u8]>, options: &str, column: &str) -> Vec<Option<String>> {
    texts(&read_csv(text, options).unwrap().0.frame(), column)
}

fn some(values: &[&str]) -> Vec<Option<String>> {
    values.iter().map(|value| Some((*value).to_owned())).collect()
}

fn types(text: &str, options: &str) -> Vec<String> {
    let (kept, _) = read_csv(text, options).unwrap();
    kept.schema.fields.iter().map(|f| format!("{} {}", f.name, f.logical)).collect()
}

#[test]
fn empty_and_null_are_told_apart() {
    let text = "a,b\n,1\n\"\",2\nNULL,3\n\"NULL\",4\n";
    assert_eq!(column(text, "", "a"), [None, Some(String::new()), Some("NULL".into()), Some("NULL".into())]);
    assert_eq!(column(text, "null: ['NULL']", "a"), [Some(String::new()), Some(String::new()), None, None]);
    assert_eq!(column(text, "null: ['']", "a")[..2], [None, None]);
}

#[test]
fn types_are_inferred_over_all_rows_and_files() {
    assert_eq!(types("a,b,c\n1,x,\n2,,\n", ""), ["a i64", "b text", "c text"]);
    let long = (0..40_000).map(|i| i.to_string()).collect::<Vec<_>>().join("\n") + "\n";
    assert_eq!(types(&format!("a\n{long}"), ""), ["a i64"]);
    assert_eq!(types(&format!("a\n{long}x\n"), ""), ["a text"]);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t-1.csv"), "a\n1\n").unwrap();
    std::fs::write(folder.path().join("t-2.csv"), "a\n1.5\n").unwrap();
    let (kept, report) = read(folder.path(), "{ file: 't-*.csv' }").unwrap();
    assert_eq!(kept.schema.fields[0].logical, Logical::TEXT);
    assert_eq!(texts(&kept.frame(), "a"), some(&["1", "1.5"]));
    let names: Vec<&str> = report.files.iter().map(|f| f.path.as_str()).collect();
    assert_eq!(names, ["t-1.csv", "t-2.csv"]);
    // SHA-256 of "a\n1\n".
    assert_eq!(
        report.files[0].sha256,
        crate::source::hex(&<sha2::Sha256 as sha2::Digest>::digest(b"a\n1\n"))
    );
}

#[test]
fn names_types_and_zones_are_the_users() {
    let options = "columns: { REF: ref }, types: { ref: char(6) }, omit: [junk], timezone: Europe/London";
    let text = "REF,junk,at,n,day,z\n\"ab  \",\x00,2024-01-01 10:00:00,1,2024-01-01,2024-01-01T00:00:00Z\n";
    let (kept, _) = read_csv(text, options).unwrap();
    let fields = &kept.schema.fields;
    assert_eq!(
        (fields[0].source_name.as_str(), fields[0].name.as_str(), fields[0].inferred),
        ("REF", "ref", false)
    );
    assert_eq!((fields[1].name.as_str(), fields[1].timezone.as_deref()), ("at", Some("Europe/London")));
    // A text may become a moment, and a date is a midnight; a number or an instant has no use for a zone.
    let zones: Vec<Option<&str>> = fields.iter().map(|f| f.timezone.as_deref()).collect();
    let london = Some("Europe/London");
    assert_eq!((zones, fields[0].source_type.as_str()), (vec![london, london, None, london, None], "csv"));
    assert_eq!(texts(&kept.frame(), "ref"), some(&["ab  "]));
}

#[test]
fn settings_that_do_not_fit_are_diagnostics() {
    for (options, says) in [
        ("columns: { REFF: ref }", "did you mean `REF`?"),
        ("columns: { REF: other }", "two columns of the table would have the name `other`"),
        ("omit: [othr]", "did you mean `other`?"),
        ("omit: [REF, other]", "leaves no column"),
        ("types: { reff: i64 }", "that we call `reff`"),
        ("timezones: { att: Europe/London }", "that we call `att`"),
    ] {
        match read_csv("REF,other\n1,2\n", options) {
            Err(SourceError::Settings(diagnostics)) => {
                let shown = diagnostics.render(false);
                assert!(shown.contains(says), "{shown}");
                assert!(shown.contains("test.yml:1:"), "{shown}");
            }
            other => panic!("{options}: {other:?}"),
        }
    }
}

#[test]
fn malformed_files_name_the_line() {
    for (text, options, says) in [
        (&b"a,b\n1\n"[..], "", "2: 1 value, where the first line has 2"),
        (b"a,b\n1,2\n\n3,4\n", "", "3: the line is empty, where 2 values"),
        (b"a,b\n1,\"2\"x\n", "", "2: column `b` has text behind its closing quote"),
        (b"a,b\n1,\"2\n3,4\n", "", "2: a quote that opens on this line"),
        (b"a,\n1,2\n", "", "1: column 2 of the header has no name"),
        (b"a,a\n1,2\n", "", "1: the header has `a` twice"),
        (b"", "", "is empty"),
        (b"\xEF\xBB\xBF", "", "is empty"),
        (b"a,b\n\"x\ny\",\"u\nv\xE9\"\n", "", "4: column `b` has bytes that are not UTF-8"),
        (b"a,b\n\xC3,\xA9\n", "", "2: column `a` has bytes that are not UTF-8: if the file is from Windows"),
        (b"a,b\n1,x\0\n", "", "2: column `b` has a NUL byte"),
        (b"a,b\n1,\x81\n", "encoding: windows-1252", "2: column `b` has bytes that are not Windows-1252"),
        (b"\xFF\xFEa\0\n\0", "", "1: the file begins with the mark of UTF-16"),
        (b"\xEF\xBB\xBFa\n", "encoding: windows-1252", "the mark of UTF-8"),
        (b"a,b\n1,2\n\"3\n4\",x5\n", "types: { b: i64 }", "4: column `b` has a value that is not `i64`"),
        (
            b"a\n  \n",
            "types: { a: date }",
            "2: column `a` has a value that is not `date`: it is empty or blank",
        ),
        (b"a\n\"\"\n", "types: { a: date }", "it is empty or blank"),
        (b"a\nabcd\n", "types: { a: varchar(3) }", "2: column `a` has a value that is not `varchar(3)`"),
    ] {
        let found = problem(text, options);
        assert!(found.contains(says), "{found} does not say {says}");
        assert!(!found.contains("x5") && !found.contains("abcd"), "a value is shown: {found}");
    }
}

#[test]
fn well_formed_files_of_every_kind() {
    assert_eq!(column(b"\xEF\xBB\xBFa\r\n\xC3\xA9\r\n", "", "a"), some(&["é"]));
    assert_eq!(
        column(b"a;b\n\x80;'x;''y'\n", "encoding: windows-1252, delimiter: ';', quote: \"'\"", "a"),
        some(&["€"])
    );
    assert_eq!(
        column(b"a;b\n\x80;'x;''y'\n", "encoding: windows-1252, delimiter: ';', quote: \"'\"", "b"),
        some(&["x;'y"])
    );
    assert_eq!(column("a\tb\n1\t\"2\n", "delimiter: '\\t', quote: ''", "b"), some(&["\"2"]));
    assert_eq!(column("7,x\n8,y\n", "header: false", "column_1"), some(&["7", "8"]));
    assert_eq!(column("a,b\n", "", "b"), some(&[]));
    assert_eq!(column("a\n\nx\n", "", "a"), [None, Some("x".to_owned())]);
    assert_eq!(types("a,b\n", ""), ["a text", "b text"]);
}

#[test]
fn omitted_columns_may_hold_anything() {
    assert_eq!(column(b"a,b\n\xFF\0,x\n1,\xC3\xA9\n", "omit: [a]", "b"), some(&["x", "é"]));
    assert!(problem(b"a,b\n\xFF,x\n", "omit: [b]").contains("column `a`"));
}

#[test]
fn files_of_one_table_have_the_same_header() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t-1.csv"), "a,b\n1,2\n").unwrap();
    std::fs::write(folder.path().join("t-2.csv"), "a,c\n1,2\n").unwrap();
    let error = read(folder.path(), "{ file: 't-*.csv' }").unwrap_err().to_string();
    assert!(error.contains("t-2.csv") && error.contains("column 2 is `c`, not `b`"), "{error}");
}

#[test]
fn missing_files_and_folders_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let error = |side: &str| read(folder.path(), side).unwrap_err();
    assert!(matches!(error("{ file: a.csv }"), SourceError::NoFile(_)));
    assert!(matches!(error("{ file: '*.csv' }"), SourceError::NoMatch { .. }));
    assert!(matches!(error("{ file: '[.csv' }"), SourceError::Pattern { .. }));
    std::fs::write(folder.path().join("a.dat"), "a\n1\n").unwrap();
    std::fs::write(folder.path().join("a[1].csv"), "a\n1\n").unwrap();
    assert!(matches!(error("{ file: a.dat }"), SourceError::UnknownFormat(_)));
    assert!(read(folder.path(), "{ file: a.dat, format: csv }").is_ok());
    assert!(read(folder.path(), "{ file: 'a[1].csv' }").is_ok());
    std::fs::write(folder.path().join("b.parquet"), "").unwrap();
    assert!(matches!(error("{ file: '[ab]*.[cp]*' }"), SourceError::MixedFormats { .. }));
    assert!(matches!(
        read(&folder.path().join("no"), "{ file: a.csv }").unwrap_err(),
        SourceError::NoFolder(_)
    ));
}

/// A sink during which something happens to the file.
struct Meddler<'a> {
    keeping: Keeping,
    meddle: &'a (dyn Fn() + Sync),
}

impl Sink for Meddler<'_> {
    fn unfinished(&self) -> Option<Unfinished> {
        None
    }

    fn start(&self, schema: &Schema, plan: &ReadPlan) -> Result<(), SinkError> {
        (self.meddle)();
        self.keeping.start(schema, plan)
    }

    fn resume(&self) -> Result<(), SinkError> {
        self.keeping.resume()
    }

    fn part(&self, number: usize) -> Result<Box<dyn Part + '_>, SinkError> {
        self.keeping.part(number)
    }

    fn parquet_file(&self, number: usize, file: &mut dyn std::io::Read) -> Result<(), SinkError> {
        self.keeping.parquet_file(number, file)
    }
}

fn read_while(
    text: &str,
    options: &str,
    meddle: impl Fn(&std::path::Path) + Sync,
) -> Result<(), SourceError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    std::fs::write(&path, text).unwrap();
    let meddle = || meddle(&path);
    let sink = Meddler { keeping: Keeping::default(), meddle: &meddle };
    let request = request(&format!("{{ file: t.csv, {options} }}"));
    Files::new(folder.path().to_owned()).read(&request, &Cancel::default(), &sink).map(|_| ())
}

#[test]
fn a_file_that_changes_is_refused() {
    // The schema goes to the sink between the two readings of an inferred file.
    let text = "a,b\n1,x\n2,y\n";
    assert!(read_while(text, "", |_| ()).is_ok());
    let changed = |result: Result<(), SourceError>| matches!(result, Err(SourceError::Changed(_)));
    assert!(changed(read_while(text, "", |path| {
        std::fs::OpenOptions::new().append(true).open(path).unwrap().write_all(b"3,z\n").unwrap();
    })));
    assert!(changed(read_while(text, "", |path| std::fs::write(path, "a,b\n1,x\nq,y\n").unwrap())));
    // Of the same size, modified at the same time: the hash tells.
    assert!(changed(read_while(text, "", |path| {
        let modified = std::fs::metadata(path).unwrap().modified().unwrap();
        std::fs::write(path, "a,b\n1,x\n3,y\n").unwrap();
        std::fs::File::options().append(true).open(path).unwrap().set_modified(modified).unwrap();
    })));
    assert!(changed(read_while(text, "", |path| std::fs::write(path, "a,c\n1,x\n2,y\n").unwrap())));
}

#[test]
fn reading_stops_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.csv"), "a\n1\n").unwrap();
    let cancel = Cancel::default();
    cancel.cancel();
    let result =
        Files::new(folder.path().to_owned()).read(&request("{ file: t.csv }"), &cancel, &Keeping::default());
    assert!(matches!(result, Err(SourceError::Cancelled)));
}
