//! Kinds of rules: the code behind a word in a rule file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value as Json;

use crate::diagnostic::{Diagnostic, Diagnostics, SourceFile, Span, nearest};
use crate::model::Dimension;
use crate::node::{FieldDoc, Fields};

/// One kind of rule. `T` is the trait its rules implement: a step, a check or a match.
pub struct Kind<T: ?Sized> {
    /// The word in a rule file.
    pub name: &'static str,
    /// The whole source file of the kind; its leading `//!` lines are the documentation.
    pub source: &'static str,
    /// The dimension of its findings, unless a rule says otherwise.
    pub dimension: Dimension,
    /// Returns what users are told about its parameters.
    pub docs: fn() -> Vec<FieldDoc>,
    /// Reads a rule of this kind; what is wrong goes to the diagnostics.
    pub read: fn(&mut Fields<'_>, &mut Diagnostics) -> Option<Box<T>>,
}

impl<T: ?Sized> Kind<T> {
    /// Returns the documentation: the leading `//!` lines of the kind's file, as Markdown.
    pub fn documentation(&self) -> String {
        let lines: Vec<&str> = self
            .source
            .lines()
            .take_while(|line| line.starts_with("//!"))
            .map(|line| line.trim_start_matches("//!").strip_prefix(' ').unwrap_or_default())
            .collect();
        lines.join("\n")
    }

    /// Returns the JSON Schema of the parameters.
    pub fn schema(&self) -> Json {
        FieldDoc::object(&(self.docs)())
    }
}

impl<T: ?Sized> std::fmt::Debug for Kind<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kind({})", self.name)
    }
}

/// Returns the fenced blocks of a Markdown text, each with the words behind its opening fence.
pub fn example_blocks(markdown: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in markdown.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(info), None) => open = Some((info.trim().to_owned(), String::new())),
            (None, Some((_, text))) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

/// Declares the kinds of a family: for each word a module of that name, in a sorted list.
///
/// Each file has a struct `Rule` made by `params!` that implements the family's trait, and a constant
/// `DIMENSION`. The list becomes `KINDS`.
macro_rules! kinds {
    ($trait:path: $($name:ident),+ $(,)?) => {
        $(mod $name;)+

        /// Every kind of this family, by name.
        pub static KINDS: &[$crate::rule::Kind<dyn $trait>] = &[$(
            $crate::rule::Kind {
                name: $crate::node::name_of(stringify!($name)),
                source: include_str!(concat!(stringify!($name), ".rs")),
                dimension: $name::DIMENSION,
                docs: $name::Rule::docs,
                read: |fields, out| $name::Rule::read(fields, out).map(|rule| Box::new(rule) as Box<dyn $trait>),
            },
        )+];
    };
}
pub(crate) use kinds;

/// The files beside the project file: lookups and lists that rules refer to.
#[derive(Debug, Clone, Default)]
pub struct ProjectFiles {
    /// The project file's folder.
    pub base: PathBuf,
}

impl ProjectFiles {
    /// Makes the files of a project in the folder `base`.
    pub fn new(base: &Path) -> Self {
        ProjectFiles { base: base.to_owned() }
    }

    /// Reads a text file named in a rule; a file that cannot be read is a diagnostic at the rule's place.
    pub fn read(&self, name: &str, span: &Span, out: &mut Diagnostics) -> Option<Arc<SourceFile>> {
        match std::fs::read_to_string(self.base.join(name)) {
            Ok(text) => Some(Arc::new(SourceFile::new(name, text))),
            Err(error) => {
                let diagnostic = Diagnostic::error(span, format!("`{name}` cannot be read: {error}"));
                out.push(match self.nearest(name) {
                    Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                    None => diagnostic.help("paths are relative to the project file"),
                });
                None
            }
        }
    }

    /// Returns the file of the same folder whose name is nearest to one that is not there.
    fn nearest(&self, name: &str) -> Option<String> {
        let (folder, file) = name.rsplit_once('/').map_or(("", name), |(folder, file)| (folder, file));
        let entries = std::fs::read_dir(self.base.join(folder)).ok()?;
        let mut names: Vec<String> =
            entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        let near = nearest(file, names.iter().map(String::as_str)).filter(|near| *near != file)?;
        Some(if folder.is_empty() { near.to_owned() } else { format!("{folder}/{near}") })
    }
}

/// A rule could not be run to its end.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// polars refused the plan or failed in it.
    #[error("{}", .0.to_string().lines().next().unwrap_or_default())]
    Polars(#[from] polars::prelude::PolarsError),
    /// Rows could not be read.
    #[error(transparent)]
    Rows(#[from] crate::frame::RowsError),
    /// The data cannot be taken as the rule asks.
    #[error("{0}")]
    Refused(String),
}
