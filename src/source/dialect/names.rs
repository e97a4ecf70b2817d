//! Names of tables as users write them, and types as they are declared.

use super::Native;
use crate::source::Listed;

/// Divides `schema.name` at its points, without quotes: `"a.b".c`, `[a.b].c` and `` `a`.b `` are two parts each.
///
/// A part that has no quotes goes through `plain`, which makes it what the catalogue has.
pub(super) fn parts(name: &str, plain: impl Fn(&str) -> String) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = name.trim();
    loop {
        let close = match rest.chars().next() {
            Some('"') => Some('"'),
            Some('`') => Some('`'),
            Some('[') => Some(']'),
            _ => None,
        };
        let Some(close) = close else {
            let (part, more) = rest.split_once('.').map_or((rest, None), |(part, more)| (part, Some(more)));
            parts.push(plain(part.trim()));
            match more {
                Some(more) => rest = more.trim_start(),
                None => return parts,
            }
            continue;
        };
        let mut part = String::new();
        let mut letters = rest.char_indices().skip(1).peekable();
        let mut end = rest.len();
        while let Some((at, letter)) = letters.next() {
            if letter != close {
                part.push(letter);
            } else if letters.peek().is_some_and(|(_, next)| *next == close) {
                part.push(close);
                letters.next();
            } else {
                end = at + close.len_utf8();
                break;
            }
        }
        parts.push(part);
        let behind = rest.get(end..).unwrap_or_default().trim_start();
        match behind.strip_prefix('.') {
            Some(more) => rest = more.trim_start(),
            None => return parts,
        }
    }
}

/// Returns the table that a name means, as a user writes it; nothing where it is none or could be several.
pub fn named<'t>(name: &str, tables: &'t [Listed]) -> Option<&'t Listed> {
    let asked = parts(name, str::to_owned);
    let is = |table: &&Listed, same: fn(&str, &str) -> bool| {
        let own = [table.name.as_str(), table.schema.as_str()];
        asked.iter().rev().zip(own).all(|(asked, own)| asked.is_empty() || same(asked, own))
    };
    let only = |same: fn(&str, &str) -> bool| {
        let mut found = tables.iter().filter(|table| is(table, same));
        found.next().filter(|_| found.next().is_none())
    };
    // What is written without quotes is folded by some databases.
    only(|a, b| a == b).or_else(|| only(str::eq_ignore_ascii_case))
}

/// Makes a column of a name and a declared type, such as `varchar(12)`: for where the catalogue says no more.
pub(super) fn declared(name: &str, kind: &str) -> Native {
    let kind = kind.trim().to_lowercase();
    let (word, numbers, behind) = match kind.split_once('(') {
        Some((word, rest)) => {
            let (numbers, behind) = rest.rsplit_once(')').unwrap_or((rest, ""));
            (word, numbers, behind)
        }
        None => (kind.as_str(), "", ""),
    };
    let base = format!("{} {}", word.trim(), behind.trim()).trim().to_owned();
    let numbers: Vec<u32> =
        numbers.split(',').map_while(|n| n.split_whitespace().next()?.parse().ok()).collect();
    let scale = numbers.get(1).copied().or(numbers.first().map(|_| 0));
    Native {
        name: name.to_owned(),
        base,
        length: numbers.first().copied().map(u64::from),
        precision: numbers.first().copied(),
        scale: scale.and_then(|scale| i32::try_from(scale).ok()),
        nullable: true,
        declared: kind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_types_are_divided() {
        for (kind, base, length, scale) in [
            ("NUMBER(9,2)", "number", Some(9), Some(2)),
            ("NUMBER(10)", "number", Some(10), Some(0)),
            ("NUMBER", "number", None, None),
            ("VARCHAR2(20 CHAR)", "varchar2", Some(20), Some(0)),
            ("TIMESTAMP(6) WITH TIME ZONE", "timestamp with time zone", Some(6), Some(0)),
            ("int(8) unsigned zerofill", "int unsigned zerofill", Some(8), Some(0)),
            ("enum('a','(b)')", "enum", None, None),
        ] {
            let native = declared("v", kind);
            assert_eq!((native.base.as_str(), native.length, native.scale), (base, length, scale), "{kind}");
        }
    }

    #[test]
    fn quotes_hold_points() {
        for (name, expected) in [
            ("tenagree", vec!["TENAGREE"]),
            ("dbo.tenagree", vec!["DBO", "TENAGREE"]),
            ("[a.b].\"c\"\"d\"", vec!["a.b", "c\"d"]),
            ("`x``y` . z", vec!["x`y", "Z"]),
            ("uh..t", vec!["UH", "", "T"]),
        ] {
            assert_eq!(parts(name, str::to_uppercase), expected, "{name}");
        }
    }
}
