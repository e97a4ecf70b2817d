//! Names of datasets: each is that of a file too.

use std::collections::BTreeSet;

/// The longest name, in bytes: files and folders get endings.
const LONGEST: usize = 120;

/// Names that some systems keep for themselves.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// Gives names to datasets, no two of which differ in case alone.
#[derive(Debug, Default)]
pub struct Names {
    taken: BTreeSet<String>,
}

impl Names {
    /// Returns a name for the dataset of a table: its own, with its schema where that one is taken.
    pub fn give(&mut self, schema: &str, table: &str) -> String {
        let own = safe(table);
        let whole = safe(&format!("{schema}_{table}"));
        let numbered = (2_u32..).map(|number| format!("{own}_{number}"));
        let name = [own.clone(), whole].into_iter().chain(numbered).find(|name| self.is_free(name));
        let name = name.unwrap_or(own);
        self.taken.insert(name.to_lowercase());
        name
    }

    fn is_free(&self, name: &str) -> bool {
        !self.taken.contains(&name.to_lowercase())
    }
}

/// Returns a name of letters, digits and `_` that every system takes for a file's.
fn safe(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        let letter = if letter.is_alphanumeric() || letter == '-' { letter } else { '_' };
        if out.len() + letter.len_utf8() > LONGEST {
            break;
        }
        if letter != '_' || !out.ends_with('_') {
            out.push(letter);
        }
    }
    let out = out.trim_matches(['_', '-']);
    let lower = out.to_lowercase();
    let is_port = (lower.starts_with("com") || lower.starts_with("lpt")) && lower.chars().count() == 4;
    match out {
        "" => "table".to_owned(),
        out if is_port || DEVICES.contains(&lower.as_str()) => format!("{out}_table"),
        out => out.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_and_stand_once() {
        let mut names = Names::default();
        for (schema, table, expected) in [
            ("dbo", "tenagree", "tenagree"),
            ("old", "TENAGREE", "old_TENAGREE"),
            ("old", "tenagree", "tenagree_2"),
            ("dbo", "../../etc/passwd", "etc_passwd"),
            ("dbo", "Rent  Account (old)", "Rent_Account_old"),
            ("dbo", "***", "table"),
            ("dbo", "con", "con_table"),
            ("", "Łódź", "Łódź"),
            ("dbo", "007", "007"),
        ] {
            assert_eq!(names.give(schema, table), expected, "{table}");
        }
        assert!(names.give("", &"ż".repeat(500)).len() <= LONGEST);
    }
}
