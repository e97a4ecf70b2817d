//! A file the user wrote, and what of it may be shown.

use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

use super::secrets::{self, Variable};

/// A file the user wrote, as it was read.
///
/// It knows the values that environment variables gave to it, so that no message shows them; `Debug` shows the
/// path alone.
pub struct SourceFile {
    /// The path as messages show it.
    pub path: String,
    /// The whole text.
    pub text: String,
    variables: OnceLock<Vec<Variable>>,
    credentials: OnceLock<Vec<Range<usize>>>,
    line_starts: OnceLock<Vec<usize>>,
}

impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SourceFile").field(&self.path).finish()
    }
}

impl PartialEq for SourceFile {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path && self.text == other.text
    }
}

impl Eq for SourceFile {}

impl SourceFile {
    /// Makes a file of its path, as messages show it, and its text.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        SourceFile {
            path: path.into(),
            text: text.into(),
            variables: OnceLock::new(),
            credentials: OnceLock::new(),
            line_starts: OnceLock::new(),
        }
    }

    /// Remembers the values, by name, that environment variables gave to the file. Only the first call counts.
    pub(crate) fn hide_values(&self, values: impl IntoIterator<Item = (String, String)>) {
        self.variables.get_or_init(|| secrets::variables(values));
    }

    /// Returns a text about a place of this file without the values of variables and without credentials.
    pub(super) fn without_secrets(&self, text: String, place: &Range<usize>) -> String {
        let written = self.text.get(place.clone()).unwrap_or_default();
        let variables = self.variables.get().map_or(&[][..], Vec::as_slice);
        let mut text = secrets::without_values(text, written, variables);
        let hidden =
            self.credentials().iter().any(|range| range.start < place.end && place.start < range.end);
        let value = written.trim_matches(['"', '\'']);
        if hidden && !value.is_empty() {
            text = text.replace(value, "***");
        }
        secrets::without_credentials(text)
    }

    /// Returns a part of the text, each character of a credential a star.
    pub(super) fn masked(&self, part: Range<usize>) -> String {
        secrets::starred(&self.text, part, self.credentials())
    }

    fn credentials(&self) -> &[Range<usize>] {
        self.credentials.get_or_init(|| secrets::credentials(&self.text))
    }

    fn line_starts(&self) -> &[usize] {
        self.line_starts.get_or_init(|| {
            std::iter::once(0).chain(self.text.match_indices('\n').map(|(at, _)| at + 1)).collect()
        })
    }

    /// Returns the line, from 0, of a byte.
    pub(super) fn line_of(&self, byte: usize) -> usize {
        self.line_starts().partition_point(|start| *start <= byte).saturating_sub(1)
    }

    /// Returns the bytes of some lines, counted from 0, without the last line's end.
    pub(super) fn lines(&self, first: usize, last: usize) -> Range<usize> {
        let starts = self.line_starts();
        let start = starts.get(first).copied().unwrap_or(self.text.len());
        let next = starts.get(last + 1).copied().unwrap_or(self.text.len());
        let text = self.text.get(start..next).unwrap_or_default();
        // A carriage return alone ends no line.
        let text = text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')).unwrap_or(text);
        start..start + text.len()
    }

    /// Returns the last boundary of a character at or before a byte.
    pub(super) fn boundary(&self, byte: usize) -> usize {
        let mut byte = byte.min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        byte
    }
}
