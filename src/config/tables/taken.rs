//! Which tables of a whole schema are left to the files that name them.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Diagnostics, Spanned};
use crate::source::Listed;

/// A part of a name as written: what it says, and whether it stands in quotes.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    text: String,
    quoted: bool,
}

/// Divides a name as written at its points.
fn parts(written: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut part = Part { text: String::new(), quoted: false };
    let mut letters = written.trim().chars().peekable();
    while let Some(letter) = letters.next() {
        let close = match letter {
            '"' | '`' => letter,
            '[' => ']',
            '.' => {
                parts.push(std::mem::replace(&mut part, Part { text: String::new(), quoted: false }));
                continue;
            }
            letter => {
                part.text.push(letter);
                continue;
            }
        };
        part.quoted = true;
        while let Some(letter) = letters.next() {
            if letter != close {
                part.text.push(letter);
            } else if letters.next_if_eq(&close).is_some() {
                part.text.push(close);
            } else {
                break;
            }
        }
    }
    parts.push(part);
    parts
}

impl Part {
    /// Quotes keep a name as it is; without them databases do not all tell capitals from small letters.
    fn is(&self, name: &str) -> bool {
        if self.quoted { self.text == name } else { self.text.trim().to_lowercase() == name.to_lowercase() }
    }
}

/// Returns the tables that a name as written may mean.
fn meant<'t>(written: &str, tables: &'t [Listed]) -> Vec<&'t Listed> {
    if let Some(table) = tables.iter().find(|table| table.written == written) {
        return vec![table];
    }
    let mut parts = parts(written);
    let Some(name) = parts.pop() else { return Vec::new() };
    let schema = parts.pop();
    let is = |table: &&Listed| {
        name.is(&table.name)
            && schema.as_ref().is_none_or(|schema| schema.text.is_empty() || schema.is(&table.schema))
    };
    let found: Vec<&Listed> = tables.iter().filter(is).collect();
    // Of names that differ in capitals alone, one without quotes is that of the table which needs none.
    let needs_none = |table: &&&Listed| !table.written.ends_with(['"', '`', ']']);
    let plain: Vec<&Listed> = found.iter().filter(needs_none).copied().collect();
    let schemas: BTreeSet<String> = found.iter().map(|table| table.schema.to_lowercase()).collect();
    if plain.len() == 1 && schemas.len() == 1 && !name.quoted { plain } else { found }
}

/// Leaves out of `found` the tables that other files name as `written`, and says which; a name that may be that of
/// several tables is a mistake.
pub(super) fn leave<'t>(
    found: BTreeSet<&'t Listed>,
    written: &[&str],
    tables: &'t [Listed],
    at: &Spanned<Vec<Spanned<String>>>,
    out: &mut Diagnostics,
) -> Vec<Listed> {
    let shown = |tables: &[&Listed]| {
        tables.iter().map(|table| format!("`{}`", table.written)).collect::<Vec<_>>().join(", ")
    };
    let mut left: BTreeSet<&Listed> = BTreeSet::new();
    for written in written {
        let meant = meant(written, tables);
        match meant.as_slice() {
            [table] => left.extend(found.get(table).copied()),
            several if several.iter().any(|table| found.contains(table)) => {
                let message = format!(
                    "another file reads `{written}`, and {} tables have that name: name its schema there",
                    several.len()
                );
                out.push(Diagnostic::error(&at.span, message).help(format!("there are {}", shown(several))));
            }
            _ => {}
        }
    }
    if !left.is_empty() {
        let message = match left.len() {
            1 => "a table is left to another file, which names it".to_owned(),
            number => format!("{number} tables are left to other files, which name them"),
        };
        let left: Vec<&Listed> = left.iter().copied().collect();
        out.push(
            Diagnostic::warning(&at.span, message).help(format!("not read by this file: {}", shown(&left))),
        );
    }
    found.into_iter().filter(|table| !left.contains(table)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(schema: &str, name: &str) -> Listed {
        let plain = |name: &str| name == name.to_lowercase();
        let quote = |name: &str| if plain(name) { name.to_owned() } else { format!("\"{name}\"") };
        let written = format!("{}.{}", quote(schema), quote(name));
        Listed { schema: schema.to_owned(), name: name.to_owned(), written, is_view: false, rows: None }
    }

    #[test]
    fn a_name_means_the_tables_that_it_may_be_of() {
        let tables = [
            listed("a", "customer"),
            listed("b", "customer"),
            listed("b", "Customer"),
            listed("b", "order.line"),
            listed("B", "street"),
        ];
        for (written, expected) in [
            ("customer", vec!["a.customer", "b.customer", "b.\"Customer\""]),
            ("a.customer", vec!["a.customer"]),
            ("A.CUSTOMER", vec!["a.customer"]),
            ("b.customer", vec!["b.customer"]),
            ("B.CUSTOMER", vec!["b.customer"]),
            ("b.\"Customer\"", vec!["b.\"Customer\""]),
            ("[b].[Customer]", vec!["b.\"Customer\""]),
            ("\"Customer\"", vec!["b.\"Customer\""]),
            ("\"CUSTOMER\"", vec![]),
            ("homes.a.customer", vec!["a.customer"]),
            ("b.\"order.line\"", vec!["b.order.line"]),
            ("street", vec!["\"B\".street"]),
            ("\"b\".street", vec![]),
            ("customers", vec![]),
        ] {
            let found: Vec<&str> = meant(written, &tables).into_iter().map(|t| t.written.as_str()).collect();
            assert_eq!(found, expected, "{written}");
        }
    }
}
