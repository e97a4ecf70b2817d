//! A dataset file.

use std::marker::PhantomData;

use serde_json::{Value as Json, json};

use crate::diagnostic::{Diagnostic, Diagnostics, Spanned};
use crate::node::{FromNode, Node, Value, params};
use crate::reconcile::Reconcile;
use crate::source::SideConfig;

use super::attempt::Attempt;
use super::crosswalk::Crosswalk;
use super::family::{Checks, Family, Matches, Steps};

params! {
    /// A dataset file: one business table with its sides and its rules.
    pub(super) struct DatasetConfig("a dataset file") {
        /// The dataset's name, as results show it and references use it: letters, digits, `_` and `-`. Every file needs it
        /// but one whose sides have `tables`: there each table has its own name.
        dataset: Attempt<Option<Spanned<DatasetName>>>,
        /// Whose data it is, as reports show it.
        owner: Attempt<Option<String>>,
        /// The columns whose values together name a row, by our names; `_row` is the row's position, for files only.
        /// A dataset with two sides needs it; where the sides have `tables`, it comes from the database. `none` says that
        /// rows have no key: those that are equal in all that is compared are then paired off, and the others are missing
        /// or unexpected. A column of that name is written `[none]`.
        key: Attempt<KeyConfig> = "[]",
        /// Columns whose values no report shows, by our names.
        sensitive: Attempt<Vec<Spanned<String>>> = "[]",
        /// Columns of free text, which no report shows either. Texts of more than 60 characters count as such.
        free_text: Attempt<Vec<Spanned<String>>> = "[]",
        /// Columns that reports show however long their texts.
        show: Attempt<Vec<Spanned<String>>> = "[]",
        /// Whether a side may be without rows. Without it, a side that has none is inconclusive and stops the gate.
        allow_empty: Attempt<bool> = "false",
        /// Where the old system's rows are.
        source: Attempt<Option<Spanned<SideConfig>>>,
        /// Where the new system's rows are.
        target: Attempt<Option<Spanned<SideConfig>>>,
        /// The steps that cleanse the source, in order. What they make of it is what the target should hold.
        cleanse: Attempt<RuleList<Steps>> = "[]",
        /// Columns of ids that the target gave anew, each with the dataset that holds the old and the new ones.
        crosswalks: Attempt<Vec<Spanned<Crosswalk>>> = "[]",
        /// What must hold.
        checks: Attempt<RuleList<Checks>> = "[]",
        /// How rows are found that are the same thing.
        duplicates: Attempt<RuleList<Matches>> = "[]",
        /// How the cleansed source and the target are compared. A dataset with two sides is always compared.
        reconcile: Attempt<Option<Spanned<Reconcile>>>,
    }
}

/// The name of a dataset, which is also that of its folders and files in a run.
#[derive(Debug, Clone)]
pub(super) struct DatasetName(pub(super) String);

impl FromNode for DatasetName {
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        let text = String::from_node(node, out)?;
        if text.is_empty() || !text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-')) {
            out.push(
                Diagnostic::error(&node.span, format!("`{text}` cannot be the name of a dataset"))
                    .help("letters, digits, `_` and `-` make a name, as in `rent_accounts`"),
            );
            return None;
        }
        Some(DatasetName(text))
    }

    fn schema() -> Json {
        json!({"type": ["string", "number", "boolean"], "pattern": "^[\\p{L}\\p{N}_-]+$"})
    }
}

/// What names the rows of a dataset.
#[derive(Debug, Clone)]
pub(super) enum KeyConfig {
    /// The values of these columns together.
    Columns(Vec<Spanned<String>>),
    /// Nothing.
    None,
}

impl FromNode for KeyConfig {
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        match &node.value {
            Value::Scalar { text, quoted: false } if text == "none" => Some(KeyConfig::None),
            _ => Vec::from_node(node, out).map(KeyConfig::Columns),
        }
    }

    fn schema() -> Json {
        Vec::<Spanned<String>>::schema()
    }
}

/// The rules of a family, not yet read.
pub(super) struct RuleList<F> {
    /// One node a rule.
    pub(super) nodes: Vec<Node>,
    family: PhantomData<F>,
}

impl<F> std::fmt::Debug for RuleList<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("RuleList").field(&self.nodes.len()).finish()
    }
}

impl<F> Clone for RuleList<F> {
    fn clone(&self) -> Self {
        RuleList { nodes: self.nodes.clone(), family: PhantomData }
    }
}

impl<F: Family> FromNode for RuleList<F> {
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        if let Value::List(nodes) = &node.value {
            return Some(RuleList { nodes: nodes.clone(), family: PhantomData });
        }
        let word = F::FAMILY.word();
        out.push(
            Diagnostic::error(&node.span, format!("a list is expected here, not {}", node.words()))
                .help(format!("each {word} begins with a dash, as in `- {word}: {}`", F::example())),
        );
        None
    }

    fn schema() -> Json {
        json!({"type": "array", "items": {"$ref": format!("#/$defs/{}", F::FAMILY.word())}})
    }
}
