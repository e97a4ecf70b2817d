//! Diagnostics: something wrong in a file the user wrote, with its place and an excerpt.

use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// A file the user wrote, as it was read.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// The path as messages show it.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// A place in a file: a range of bytes of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The file.
    pub file: Arc<SourceFile>,
    /// Bytes, the end exclusive.
    pub range: Range<usize>,
}

impl Span {
    /// Returns the line and the column of the start, both from 1, the column in characters.
    pub fn line_column(&self) -> (usize, usize) {
        let before = self.file.text.get(..self.range.start).unwrap_or(&self.file.text);
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

/// A value with the place it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

/// Whether the work can go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DiagnosticLevel {
    Error,
    Warning,
}

/// One mistake in a file the user wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    level: DiagnosticLevel,
    message: String,
    span: Option<Span>,
    label: String,
    related: Vec<(Span, String)>,
    help: Option<String>,
}

impl Diagnostic {
    /// Makes an error: the work cannot go on. The message is a sentence fragment in lower case.
    pub fn error(span: &Span, message: impl Into<String>) -> Self {
        Diagnostic {
            level: DiagnosticLevel::Error,
            message: message.into(),
            span: Some(span.clone()),
            label: String::new(),
            related: Vec::new(),
            help: None,
        }
    }

    /// Makes a warning: the work goes on.
    pub fn warning(span: &Span, message: impl Into<String>) -> Self {
        Diagnostic { level: DiagnosticLevel::Warning, ..Diagnostic::error(span, message) }
    }

    /// Makes an error about a file as a whole, such as one that cannot be read.
    pub fn without_place(message: impl Into<String>) -> Self {
        Diagnostic {
            level: DiagnosticLevel::Error,
            message: message.into(),
            span: None,
            label: String::new(),
            related: Vec::new(),
            help: None,
        }
    }

    /// Adds words beside the marked text.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Adds another place that the mistake has to do with, and words beside it.
    #[must_use]
    pub fn also(mut self, span: &Span, label: impl Into<String>) -> Self {
        self.related.push((span.clone(), label.into()));
        self
    }

    /// Gives it a place, where it has none.
    #[must_use]
    pub fn or_at(mut self, span: &Span) -> Self {
        self.span.get_or_insert_with(|| span.clone());
        self
    }

    /// Writes `${name}` for a variable's value, where the marked text refers to that variable.
    #[must_use]
    pub fn without_value(mut self, name: &str, value: &str) -> Self {
        let reference = format!("${{{name}");
        let refers = |span: &Span| {
            span.file.text.get(span.range.clone()).is_some_and(|written| written.contains(&reference))
        };
        if !value.is_empty() && self.span.iter().any(refers) {
            let hidden = format!("{reference}}}");
            let texts = [Some(&mut self.message), Some(&mut self.label), self.help.as_mut()];
            for text in texts.into_iter().flatten() {
                *text = text.replace(value, &hidden);
            }
        }
        self
    }

    /// Adds what to try.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds "did you mean …?" where one of `valid` is near `typed`, else the list of what is valid.
    #[must_use]
    pub fn suggest<'a>(self, typed: &str, valid: impl IntoIterator<Item = &'a str>) -> Self {
        let valid: Vec<&str> = valid.into_iter().collect();
        match nearest(typed, valid.iter().copied()) {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None if valid.is_empty() => self,
            None => self.help(format!(
                "one of {}",
                valid.iter().map(|v| format!("`{v}`")).collect::<Vec<_>>().join(", ")
            )),
        }
    }

    /// Returns true for an error.
    pub fn is_error(&self) -> bool {
        self.level == DiagnosticLevel::Error
    }

    /// Returns the message, without place.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the file, the line and the column, both from 1, where it has a place.
    pub fn place(&self) -> Option<(&str, usize, usize)> {
        self.span.as_ref().map(|span| {
            let (line, column) = span.line_column();
            (span.file.path.as_str(), line, column)
        })
    }

    /// Returns what to try, where there is anything.
    pub fn help_text(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// Returns the diagnostic as text: message, file, line, column, excerpt and help.
    ///
    /// Passwords in the excerpt are starred out.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let level = if self.is_error() { Level::ERROR } else { Level::WARNING };
        let title = level.primary_title(self.message.as_str());
        // One snippet a file, that of the mistake itself first.
        let mut places: Vec<(&Span, &str, AnnotationKind)> = Vec::new();
        places.extend(self.span.iter().map(|span| (span, self.label.as_str(), AnnotationKind::Primary)));
        places
            .extend(self.related.iter().map(|(span, label)| (span, label.as_str(), AnnotationKind::Context)));
        let mut files: Vec<&Arc<SourceFile>> = Vec::new();
        for (span, _, _) in &places {
            if !files.contains(&&span.file) {
                files.push(&span.file);
            }
        }
        let mut group = annotate_snippets::Group::with_title(title);
        for file in files {
            let masked = mask_passwords(&file.text);
            let annotations: Vec<_> = places
                .iter()
                .filter(|(span, _, _)| span.file == *file)
                .map(|(span, label, kind)| {
                    let annotation = kind.span(char_range(&masked, &span.range));
                    if label.is_empty() { annotation } else { annotation.label(*label) }
                })
                .collect();
            group = group.element(Snippet::source(masked).path(file.path.as_str()).annotations(annotations));
        }
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        renderer.render(&[group]).to_string()
    }
}

/// Moves a range onto character boundaries within the text.
fn char_range(text: &str, range: &Range<usize>) -> Range<usize> {
    let floor = |mut i: usize| {
        i = i.min(text.len());
        while !text.is_char_boundary(i) {
            i -= 1;
        }
        i
    };
    floor(range.start)..floor(range.end.max(range.start))
}

/// Stars out what stands behind `password=`, `pwd=` and in `//user:password@`, keeping every byte's place.
fn mask_passwords(text: &str) -> String {
    static SECRET: std::sync::LazyLock<Option<regex::Regex>> = std::sync::LazyLock::new(|| {
        regex::Regex::new(r#"(?i)(?:(?:password|pwd)\s*[=:]\s*"?|//[^/\s:@]+:)([^\s;"'@$][^\s;"'@]*)"#).ok()
    });
    let mut masked = text.to_owned();
    if let Some(secret) = SECRET.as_ref() {
        for found in secret.captures_iter(text) {
            if let Some(value) = found.get(1) {
                masked.replace_range(value.range(), &"*".repeat(value.len()));
            }
        }
    }
    masked
}

/// Returns the candidate nearest to what was typed, where it is near enough to be meant.
pub fn nearest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    candidates
        .into_iter()
        .map(|c| (strsim::damerau_levenshtein(&typed, &c.to_lowercase()), c))
        .filter(|(distance, c)| *distance * 3 <= c.chars().count().max(typed.chars().count()))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, c)| c)
}

/// All that is wrong, collected before anything stops.
#[derive(Debug, Default, Clone)]
pub struct Diagnostics {
    items: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.items.push(diagnostic);
    }

    /// Returns true where at least one is an error.
    pub fn has_errors(&self) -> bool {
        self.items.iter().any(Diagnostic::is_error)
    }

    /// Returns true where there is none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Returns them in the order of their files and places; those without a place first.
    pub fn sorted(&self) -> Vec<&Diagnostic> {
        let mut sorted: Vec<&Diagnostic> = self.items.iter().collect();
        sorted.sort_by_key(|d| d.span.as_ref().map(|s| (s.file.path.clone(), s.range.start)));
        sorted
    }

    /// Returns all as text, a blank line between two, with a closing line that counts the errors and warnings.
    pub fn render(&self, colour: bool) -> String {
        let mut parts: Vec<String> = self.sorted().iter().map(|d| d.render(colour)).collect();
        let errors = self.items.iter().filter(|d| d.is_error()).count();
        let warnings = self.items.len() - errors;
        let count = |n: usize, word: &str| match n {
            0 => None,
            1 => Some(format!("1 {word}")),
            n => Some(format!("{n} {word}s")),
        };
        let counts: Vec<String> =
            [count(errors, "error"), count(warnings, "warning")].into_iter().flatten().collect();
        if !counts.is_empty() {
            parts.push(counts.join(", "));
        }
        parts.join("\n\n")
    }

    /// Returns them one by one, in the order in which they were found.
    pub fn into_vec(self) -> Vec<Diagnostic> {
        self.items
    }

    /// Takes in all of another collection.
    pub fn extend(&mut self, other: Diagnostics) {
        self.items.extend(other.items);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_place_excerpt_and_help_and_hides_passwords() {
        let text = "version: 1\nurl: postgres://me:s3cret@host/db\nchek: not_nul\n".to_owned();
        let file = Arc::new(SourceFile { path: "counterfoil.yml".to_owned(), text });
        let start = file.text.find("not_nul").unwrap();
        let span = Span { file, range: start..start + 7 };
        assert_eq!(span.line_column(), (3, 7));
        let shown = Diagnostic::error(&span, "there is no check `not_nul`")
            .suggest("not_nul", ["unique", "not_null"])
            .render(false);
        assert!(shown.contains("counterfoil.yml:3:7"), "{shown}");
        assert!(shown.contains("did you mean `not_null`?"), "{shown}");
        assert!(!mask_passwords(&span.file.text).contains("s3cret"));
        assert_eq!(mask_passwords("password: ${DB_PASSWORD}"), "password: ${DB_PASSWORD}");
    }

    #[test]
    fn shows_both_places_of_a_mistake() {
        let file =
            |path: &str, text: &str| Arc::new(SourceFile { path: path.to_owned(), text: text.to_owned() });
        let (a, b) = (file("a.yml", "id: x\nid2: x\n"), file("b.yml", "id: x\n"));
        let at =
            |file: &Arc<SourceFile>, start: usize| Span { file: Arc::clone(file), range: start..start + 1 };
        let shown = Diagnostic::error(&at(&a, 11), "`x` stands twice")
            .also(&at(&a, 4), "first here")
            .also(&at(&b, 4), "and here")
            .render(false);
        assert!(shown.contains("a.yml:2:6") && shown.contains("b.yml:1:5"), "{shown}");
        assert!(shown.contains("- first here") && shown.contains("- and here"), "{shown}");
    }

    #[test]
    fn values_of_variables_are_hidden() {
        let text = "url: ${DB_URL}\nother: s3cret\n".to_owned();
        let file = Arc::new(SourceFile { path: "a.yml".to_owned(), text });
        let span = Span { file, range: 5..14 };
        let shown = Diagnostic::error(&span, "`s3cret` is not a place")
            .help("not s3cret")
            .without_value("DB_URL", "s3cret")
            .without_value("OTHER", "place");
        assert_eq!(shown.message(), "`${DB_URL}` is not a place");
        assert!(shown.render(false).contains("not ${DB_URL}"));
    }

    #[test]
    fn suggests_only_what_is_near() {
        assert_eq!(nearest("uniqe", ["unique", "range"]), Some("unique"));
        assert_eq!(nearest("something", ["unique", "range"]), None);
    }
}
