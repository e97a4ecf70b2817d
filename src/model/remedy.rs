//! What would settle differences: lines for a dataset's file.

use serde::{Deserialize, Serialize};

/// Lines of a dataset's file that would make differing cells of one column equal.
///
/// Values are written as YAML on one line: `0.005`, `["", "N/A"]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remedy {
    /// Words under `reconcile: columns: <column>`, with their values.
    pub policy: Vec<(String, String)>,
    /// Steps for the end of `cleanse`, each with its fields and their values.
    pub steps: Vec<Vec<(String, String)>>,
    /// Of the differing cells those that it settles.
    pub settles: u64,
    /// Cells that are equal and that it would make different; it is given only where they are fewer.
    #[serde(default)]
    pub breaks: u64,
    /// What is no longer seen, or what changes, as the rest of a sentence that begins with "It gives up".
    pub gives_up: String,
    /// True where the lines hold values of cells.
    pub literals: bool,
}

impl Remedy {
    /// Writes the lines as they stand in the dataset's file. `column` is our name, written as YAML.
    ///
    /// ```
    /// use counterfoil::model::Remedy;
    /// let policy = vec![("whitespace".to_owned(), "trim".to_owned())];
    /// let remedy = Remedy { policy, ..Remedy::default() };
    /// assert_eq!(remedy.yaml("name"), "reconcile:\n  columns:\n    name: { whitespace: trim }\n");
    /// ```
    pub fn yaml(&self, column: &str) -> String {
        let mut text = String::new();
        if !self.steps.is_empty() {
            text.push_str("cleanse:\n");
            for step in &self.steps {
                for (i, (word, value)) in step.iter().enumerate() {
                    let before = if i == 0 { "  - " } else { "    " };
                    text.push_str(&format!("{before}{word}: {value}\n"));
                }
            }
        }
        if !self.policy.is_empty() {
            let words: Vec<String> =
                self.policy.iter().map(|(word, value)| format!("{word}: {value}")).collect();
            text.push_str(&format!("reconcile:\n  columns:\n    {column}: {{ {} }}\n", words.join(", ")));
        }
        text
    }
}
