//! Every cause, planted in a project of its own dataset: its lines, written into the rule files, settle it in the next run;
//! or it is said why none can.

use std::collections::{BTreeMap, BTreeSet};

use counterfoil::findings::{ColumnResult, RunResult};
use counterfoil::reconcile::cause::CAUSES;

use crate::support::Folder;

/// What becomes of the cells of a cause.
#[derive(Debug, Clone, Copy)]
enum Then {
    /// Lines settle all of them.
    Settled,
    /// No line does; what is said has these words.
    Said(&'static str),
}

use Then::{Said, Settled};

/// A dataset in which a cause is planted in the column `v`.
struct Case {
    cause: &'static str,
    /// What tells it from other cases of the cause.
    what: &'static str,
    /// The types of `v` and of further columns, on either side.
    types: (&'static str, &'static str),
    /// Further lines of the dataset's file.
    more: &'static str,
    /// Further fields of its source.
    source: &'static str,
    /// What stands behind the key in the two files, in a row from 1 to [`ROWS`].
    row: fn(usize) -> (String, String),
    then: Then,
}

const ROWS: usize = 12;

const WORDS: [&str; 12] =
    ["Acre", "Birch", "Cedar", "Dale", "Elm", "Fern", "Grove", "Heath", "Ivy", "Juniper", "Knoll", "Larch"];

fn word(i: usize) -> &'static str {
    WORDS[i % WORDS.len()]
}

/// A value in quotes, so that it is never NULL.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

fn texts(e: impl AsRef<str>, t: impl AsRef<str>) -> (String, String) {
    (quoted(e.as_ref()), quoted(t.as_ref()))
}

fn plain(e: impl Into<String>, t: impl Into<String>) -> (String, String) {
    (e.into(), t.into())
}

/// Dates whose day and month can be exchanged, and a few that cannot.
fn exchangeable(i: usize) -> (usize, usize) {
    (i % 12 + 1, (i + 4) % 12 + 1)
}

fn case(
    cause: &'static str,
    what: &'static str,
    types: (&'static str, &'static str),
    row: fn(usize) -> (String, String),
    then: Then,
) -> Case {
    Case { cause, what, types, more: "", source: "", row, then }
}

const TEXT: (&str, &str) = ("v: text", "v: text");
const DATE: (&str, &str) = ("v: date", "v: date");
const TIMESTAMP: (&str, &str) = ("v: timestamp", "v: timestamp");

fn cases() -> Vec<Case> {
    vec![
        case(
            "boolean_spelling",
            "read",
            ("v: text", "v: bool"),
            |i| if i % 2 == 0 { plain("Y", "true") } else { plain("N", "false") },
            Settled,
        ),
        case(
            "boolean_spelling",
            "listed",
            TEXT,
            |i| if i % 2 == 0 { plain("on", "-1") } else { plain("off", "0") },
            Settled,
        ),
        case(
            "case",
            "text",
            TEXT,
            |i| texts(format!("Ann {}", word(i)), format!("ANN {}", word(i).to_uppercase())),
            Settled,
        ),
        Case {
            more: "reconcile: { changed_since: saved, exclude: [saved] }\n",
            ..case(
                "changed_after_the_snapshot",
                "source",
                ("v: text, saved: timestamptz", "v: text, saved: timestamptz"),
                |i| {
                    plain(
                        format!("{},2200-01-01 00:00:00Z", word(i)),
                        format!("{},2000-01-01 00:00:00Z", word(i + 1)),
                    )
                },
                Said("`counterfoil recheck` says which records still differ"),
            )
        },
        case(
            "code_mapping",
            "text",
            TEXT,
            |i| if i % 2 == 0 { plain("SEC", "Secure") } else { plain("INT", "Introductory") },
            Settled,
        ),
        case(
            "code_mapping",
            "number",
            ("v: i64", "v: text"),
            |i| if i % 2 == 0 { plain("1", "Open") } else { plain("2", "Let") },
            Settled,
        ),
        case("code_mapping", "null", TEXT, |_| plain("", "Not known here"), Settled),
        case(
            "code_page",
            "source",
            TEXT,
            |i| texts(format!("RenÃ©e {}", word(i)), format!("Renée {}", word(i))),
            Settled,
        ),
        case(
            "code_page",
            "twice",
            TEXT,
            |i| texts(format!("RenÃƒÂ©e {}", word(i)), format!("Renée {}", word(i))),
            Settled,
        ),
        case(
            "code_page",
            "mac",
            TEXT,
            |i| texts(format!("RenŽe {}", word(i)), format!("Renée {}", word(i))),
            Settled,
        ),
        case(
            "code_page",
            "target",
            TEXT,
            |i| texts(format!("Renée {}", word(i)), format!("RenÃ©e {}", word(i))),
            Said("The target does not hold the text any more"),
        ),
        case(
            "code_page",
            "lost",
            TEXT,
            |i| texts(format!("Ren?e {}", word(i)), format!("Renée {}", word(i))),
            Said("What the source has lost only the target still has"),
        ),
        case(
            "columns_swapped",
            "all",
            ("v: text, w: text", "v: text, w: text"),
            |i| plain(format!("{},x{i}", word(i)), format!("x{i},{}", word(i))),
            Settled,
        ),
        case(
            "date_only",
            "timestamp",
            ("v: timestamp", "v: date"),
            |i| plain(format!("2020-04-{i:02} 14:25:00"), format!("2020-04-{i:02}")),
            Settled,
        ),
        case(
            "date_order",
            "date",
            DATE,
            |i| {
                let (day, month) = exchangeable(i);
                plain(
                    format!("20{:02}-{month:02}-{day:02}", i + 1),
                    format!("20{:02}-{day:02}-{month:02}", i + 1),
                )
            },
            Settled,
        ),
        case(
            "date_order",
            "timestamp",
            TIMESTAMP,
            |i| {
                let (day, month) = exchangeable(i);
                plain(
                    format!("2020-{month:02}-{day:02} 10:0{}:30", i % 10),
                    format!("2020-{day:02}-{month:02} 10:0{}:30", i % 10),
                )
            },
            Settled,
        ),
        case(
            "date_order",
            "text",
            TEXT,
            |i| {
                let (day, month) = exchangeable(i);
                texts(
                    format!("{day:02}/{month:02}/20{:02}", i + 1),
                    format!("{month:02}/{day:02}/20{:02}", i + 1),
                )
            },
            Settled,
        ),
        case(
            "date_order",
            "iso",
            ("v: text", "v: date"),
            |i| {
                let (day, month) = exchangeable(i);
                plain(format!("2020-{month:02}-{day:02}"), format!("2020-{day:02}-{month:02}"))
            },
            Settled,
        ),
        case(
            "date_order",
            "some",
            DATE,
            |i| {
                let (day, month) = exchangeable(i);
                let right = format!("2020-{month:02}-{day:02}");
                if i > 4 {
                    plain(right.clone(), right)
                } else {
                    plain(right, format!("2020-{day:02}-{month:02}"))
                }
            },
            Said("nothing in the column tells which"),
        ),
        case(
            "date_spelling",
            "source",
            ("v: text", "v: date"),
            |i| plain(format!("{i:02}/11/2020"), format!("2020-11-{i:02}")),
            Settled,
        ),
        case(
            "date_spelling",
            "target",
            ("v: date", "v: text"),
            |i| plain(format!("2020-11-{i:02}"), format!("{i} Nov 2020")),
            Said("The target does not write its dates as ISO 8601"),
        ),
        case(
            "day_shift",
            "date",
            DATE,
            |i| plain(format!("2020-05-{i:02}"), format!("2020-05-{:02}", i + 3)),
            Settled,
        ),
        case(
            "day_shift",
            "earlier",
            DATE,
            |i| plain(format!("2020-05-{:02}", i + 1), format!("2020-05-{i:02}")),
            Settled,
        ),
        case(
            "day_shift",
            "timestamp",
            TIMESTAMP,
            |i| plain(format!("2020-05-{i:02} 10:00:00"), format!("2020-06-{i:02} 10:00:00")),
            Settled,
        ),
        case(
            "day_shift",
            "text",
            TEXT,
            |i| plain(format!("2020-05-{i:02}"), format!("2020-05-{:02}", i + 3)),
            Said("`parse_date`, and a line settles it"),
        ),
        case(
            "guid_spelling",
            "braces",
            TEXT,
            |i| {
                texts(
                    format!("{{6F9619FF-8B86-D011-B42D-00C04FC9640{:X}}}", i % 16),
                    format!("6f9619ff-8b86-d011-b42d-00c04fc9640{:x}", i % 16),
                )
            },
            Settled,
        ),
        case(
            "guid_spelling",
            "bare",
            TEXT,
            |i| {
                texts(
                    format!("6f9619ff8b86d011b42d00c04fc9640{:x}", i % 16),
                    format!("6f9619ff-8b86-d011-b42d-00c04fc9640{:x}", i % 16),
                )
            },
            Settled,
        ),
        case(
            "guid_spelling",
            "target",
            TEXT,
            |i| {
                texts(
                    format!("6f9619ff-8b86-d011-b42d-00c04fc9640{:x}", i % 16),
                    format!("6f9619ff8b86d011b42d00c04fc9640{:x}", i % 16),
                )
            },
            Said("The target writes its GUIDs as no uuid is read"),
        ),
        case(
            "leading_zeros",
            "target",
            TEXT,
            |i| plain(format!("{}", 700 + i), format!("{:08}", 700 + i)),
            Settled,
        ),
        case(
            "leading_zeros",
            "source",
            TEXT,
            |i| plain(format!("{:08}", 700 + i), format!("{}", 700 + i)),
            Settled,
        ),
        case(
            "leading_zeros",
            "number",
            ("v: i64", "v: text"),
            |i| plain(format!("{}", 700 + i), format!("{:08}", 700 + i)),
            Settled,
        ),
        case(
            "leading_zeros",
            "both",
            TEXT,
            |i| plain(format!("00A{}", 700 + i), format!("0A{}", 700 + i)),
            Said("which of the two is the width of the codes has to be decided"),
        ),
        case(
            "null_or_blank",
            "empty",
            TEXT,
            |i| if i % 2 == 0 { plain("\"\"", "") } else { plain("", "\"  \"") },
            Settled,
        ),
        case("number_format", "plain", TEXT, |i| plain(format!("{i}.50"), format!("{i}.5")), Settled),
        case(
            "number_format",
            "source",
            TEXT,
            |i| texts(format!("£1,{i:03}.50"), format!("1{i:03}.50")),
            Settled,
        ),
        case(
            "number_format",
            "target",
            TEXT,
            |i| texts(format!("1{i:03}.50"), format!("£1,{i:03}.50")),
            Said("no step reads what the target holds"),
        ),
        case(
            "placeholder",
            "date",
            DATE,
            |i| if i % 2 == 0 { plain("1900-01-01", "") } else { plain("", "9999-12-31") },
            Settled,
        ),
        case(
            "placeholder",
            "text",
            TEXT,
            |i| if i % 2 == 0 { plain("N/A", "") } else { plain("\"\"", "UNKNOWN") },
            Settled,
        ),
        case(
            "punctuation",
            "source",
            TEXT,
            |i| texts(format!("{i}, {} St.", word(i)), format!("{i} {} St", word(i))),
            Settled,
        ),
        case(
            "punctuation",
            "target",
            TEXT,
            |i| texts(format!("{i} {} St", word(i)), format!("{i}, {} St.", word(i))),
            Said("whether they belong there has to be decided"),
        ),
        case(
            "real_change",
            "text",
            TEXT,
            |i| plain(word(i), format!("{} {i}", word(i * 5 + 3))),
            Said("looked at one by one"),
        ),
        case(
            "rounding",
            "scale",
            ("v: \"decimal(9,4)\"", "v: \"decimal(9,2)\""),
            |i| plain(format!("{i}.1234"), format!("{i}.12")),
            Settled,
        ),
        case(
            "rows_shifted",
            "up",
            ("v: i64", "v: i64"),
            |i| {
                // The last row is right, and the one before it holds its value.
                let behind = (i + 1).min(ROWS);
                plain(format!("{}", i * i + 1000), format!("{}", behind * behind + 1000))
            },
            Said("A value does not know its row"),
        ),
        case(
            "scale_factor",
            "pence",
            ("v: i64", "v: \"decimal(9,2)\""),
            |i| {
                plain(
                    format!("{}", 1000 + i * 37),
                    format!("{}.{:02}", (1000 + i * 37) / 100, (1000 + i * 37) % 100),
                )
            },
            Settled,
        ),
        case(
            "scale_factor",
            "plain",
            ("v: i64", "v: \"decimal(9,2)\""),
            |i| plain(format!("{i}"), format!("{}.{:02}", i * 12_897 / 100, i * 12_897 % 100)),
            Settled,
        ),
        case(
            "scale_factor",
            "text",
            TEXT,
            |i| plain(format!("{}", 1000 + i * 37), format!("{}", (1000 + i * 37) * 100)),
            Said("nothing is calculated with text"),
        ),
        case(
            "sign",
            "number",
            ("v: \"decimal(9,2)\"", "v: \"decimal(9,2)\""),
            |i| plain(format!("{i}.50"), format!("-{i}.50")),
            Settled,
        ),
        case(
            "sign",
            "text",
            TEXT,
            |i| plain(format!("{i}.50"), format!("-{i}.50")),
            Said("nothing is calculated with text"),
        ),
        case(
            "time_precision",
            "second",
            TIMESTAMP,
            |i| plain(format!("2020-04-03 14:25:{i:02}.25"), format!("2020-04-03 14:25:{i:02}")),
            Settled,
        ),
        case(
            "time_precision",
            "rounded",
            TIMESTAMP,
            |i| plain(format!("2020-04-03 14:25:{i:02}.75"), format!("2020-04-03 14:25:{:02}", i + 1)),
            Said("`precision` cuts off alone"),
        ),
        case(
            "truncation",
            "target",
            TEXT,
            |i| {
                plain(
                    format!("{i} The Old {} Yard", word(i)),
                    format!("{i} The Old {} Yard", word(i)).chars().take(9).collect::<String>(),
                )
            },
            Settled,
        ),
        case(
            "truncation",
            "source",
            TEXT,
            |i| {
                plain(
                    format!("{i} The Old {} Yard", word(i)).chars().take(9).collect::<String>(),
                    format!("{i} The Old {} Yard", word(i)),
                )
            },
            Said("It is the source's text that was cut off"),
        ),
        case(
            "unicode_form",
            "source",
            TEXT,
            |i| texts(format!("Rene\u{301}e {}", word(i)), format!("Renée {}", word(i))),
            Settled,
        ),
        case(
            "unicode_form",
            "target",
            TEXT,
            |i| texts(format!("Renée {}", word(i)), format!("Rene\u{301}e {}", word(i))),
            Said("It is the target that spells characters in the unusual way"),
        ),
        Case {
            more: "reconcile: { columns: { v: { source_expression: lower(v) } } }\n",
            ..case(
                "unicode_form",
                "calculated",
                TEXT,
                |i| texts(format!("RENE\u{301}E {i}"), format!("renée {i}")),
                Said("change the expression or the list"),
            )
        },
        case(
            "whitespace",
            "text",
            TEXT,
            |i| texts(format!("{}  Yard ", word(i)), format!("{} Yard", word(i))),
            Settled,
        ),
        case(
            "zone_shift",
            "hours",
            TIMESTAMP,
            |i| plain(format!("2020-{i:02}-03 10:00:00"), format!("2020-{i:02}-03 13:00:00")),
            Settled,
        ),
        case(
            "zone_shift",
            "minutes",
            TIMESTAMP,
            |i| plain(format!("2020-{i:02}-03 10:00:00"), format!("2020-{i:02}-03 04:30:00")),
            Settled,
        ),
        case(
            "zone_shift",
            "summer",
            TIMESTAMP,
            |i| plain(format!("2020-07-{i:02} 10:00:00"), format!("2020-07-{i:02} 11:00:00")),
            Said("no expression converts between zones"),
        ),
        Case {
            source: ", timezone: Europe/Paris",
            ..case(
                "zone_shift",
                "declared",
                ("v: timestamp", "v: timestamptz"),
                |i| plain(format!("2020-{i:02}-03 10:00:00"), format!("2020-{i:02}-03 10:00:00Z")),
                Settled,
            )
        },
    ]
}

impl Case {
    fn dataset(&self) -> String {
        format!("{}_{}", self.cause, self.what)
    }

    fn write(&self, folder: &Folder) {
        let name = self.dataset();
        let header: String = self
            .types
            .0
            .split(", ")
            .map(|column| format!(",{}", column.split(':').next().unwrap()))
            .collect();
        let (mut source, mut target) = (format!("id{header}\n"), format!("id{header}\n"));
        for i in 1..=ROWS {
            let (e, t) = (self.row)(i);
            source += &format!("{i},{e}\n");
            target += &format!("{i},{t}\n");
        }
        folder.write(&format!("{name}-source.csv"), source);
        folder.write(&format!("{name}-target.csv"), target);
        let side = |word: &str, types: &str, more: &str| {
            format!(
                "{word}: {{ connection: files, file: {name}-{word}.csv, types: {{ id: i64, {types} }}{more} }}\n"
            )
        };
        let rules = format!(
            "dataset: {name}\nkey: [id]\n{}{}{}",
            side("source", self.types.0, self.source),
            side("target", self.types.1, ""),
            self.more
        );
        folder.write(&format!("rules/{name}.yml"), rules);
    }

    fn column<'r>(&self, result: &'r RunResult) -> &'r ColumnResult {
        let name = self.dataset();
        let dataset = result.datasets.iter().find(|dataset| dataset.name == name).expect("the dataset");
        assert_eq!(dataset.error, None, "{name}");
        dataset.columns.iter().find(|column| column.name == "v").expect("the column")
    }
}

fn has(column: &ColumnResult, cause: &str) -> bool {
    column.causes.iter().any(|one| one.cause.split('+').any(|word| word == cause))
}

#[test]
fn every_cause_is_settled_by_its_lines_or_it_is_said_why_not() {
    let cases = cases();
    let tried: BTreeSet<&str> = cases.iter().map(|case| case.cause).collect();
    assert_eq!(tried, CAUSES.iter().map(|kind| kind.name).collect(), "every cause is tried");
    let folder = Folder::new();
    folder.write(
        "counterfoil.yml",
        "version: 1\nproject: Test\nfingerprint_key: test\nas_of: 2026-01-31\nconnections:\n  files: { type: files, path: . }\ndatasets: rules/*.yml\n",
    );
    for case in &cases {
        case.write(&folder);
    }
    let ran = folder.run(&["run"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let before = folder.result();
    let told = folder.run(&["explain-differences"]).stdout;
    let mut wrong = String::new();
    let mut said: BTreeMap<String, Option<String>> = BTreeMap::new();
    for case in &cases {
        let column = case.column(&before);
        if !has(column, case.cause) || column.causes.len() != 1 {
            wrong += &format!("{} at first: {:#?}\n", case.dataset(), column.causes);
        }
        let no_line = column.causes.first().and_then(|cause| cause.no_line.clone());
        if let (Said(words), no_line) = (case.then, no_line.as_deref().unwrap_or("lines")) {
            if !no_line.contains(words) {
                wrong += &format!("{}: said {no_line:?}\n", case.dataset());
            }
            assert!(told.contains(&format!("No line in the dataset's file settles it. {no_line}")), "{told}");
        }
        said.insert(case.dataset(), no_line);
    }
    let written = folder.run(&["explain-differences", "--write"]);
    assert_eq!(written.code, Some(0), "{written:?}");
    assert_eq!(folder.run(&["check-config"]).code, Some(0));
    let ran = folder.run(&["run"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let after = folder.result();
    for case in &cases {
        let (column, name) = (case.column(&after), case.dataset());
        let is_right = match case.then {
            Settled => column.mismatched == 0 && said[&name].is_none(),
            Said(_) => column.mismatched == case.column(&before).mismatched && has(column, case.cause),
        };
        if !is_right {
            let rules =
                std::fs::read_to_string(folder.path().join(format!("rules/{name}.yml"))).expect("rules");
            wrong += &format!("{name} after: {:#?}\n{:?}\n{rules}\n", column.causes, said[&name]);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
