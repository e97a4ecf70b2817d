//! Diagnostics: something wrong in a file the user wrote, with its place and an excerpt.

mod file;
mod secrets;

use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

pub use file::SourceFile;

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
        let start = self.file.boundary(self.range.start);
        let line = self.file.line_of(start);
        // A place within the line's end is the end, as the excerpt shows it.
        let shown = self.file.lines(line, line);
        let before = self.file.text.get(shown.start..start.min(shown.end)).unwrap_or_default();
        (line + 1, before.chars().count() + 1)
    }

    /// Returns what stands there in the file, credentials as stars.
    pub(crate) fn written(&self) -> String {
        self.file.masked(self.file.boundary(self.range.start)..self.file.boundary(self.range.end))
    }

    /// Returns true where the other place lies within this one.
    fn holds(&self, other: &Span) -> bool {
        self.range.start <= other.range.start && other.range.end <= self.range.end && self.file == other.file
    }

    /// Returns a text about this place without the values of variables and without credentials.
    fn without_secrets(&self, text: impl Into<String>) -> String {
        self.file.without_secrets(text.into(), &self.range)
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
///
/// Neither values of environment variables nor credentials are in it: `${NAME}` and stars take their places.
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
            message: span.without_secrets(message),
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
        self.label = self.without_secrets(label.into());
        self
    }

    /// Adds another place that the mistake has to do with, and words beside it.
    #[must_use]
    pub fn also(mut self, span: &Span, label: impl Into<String>) -> Self {
        self.related.push((span.clone(), span.without_secrets(label)));
        self
    }

    /// Gives it a place, where it has none.
    #[must_use]
    pub fn or_at(mut self, span: &Span) -> Self {
        if self.span.is_none() {
            self.span = Some(span.clone());
            self.message = span.without_secrets(self.message);
            self.help = self.help.map(|help| span.without_secrets(help));
        }
        self
    }

    fn without_secrets(&self, text: String) -> String {
        match &self.span {
            Some(span) => span.without_secrets(text),
            None => text,
        }
    }

    /// Adds what to try.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(self.without_secrets(help.into()));
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

    /// Returns true where the other says the same of the same place, whatever it advises.
    pub fn is_same_mistake(&self, other: &Diagnostic) -> bool {
        (self.level, &self.message, &self.span) == (other.level, &other.message, &other.span)
    }

    /// Returns the place, where it has one.
    pub fn span(&self) -> Option<&Span> {
        self.span.as_ref()
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
    /// The excerpt has the first line of each place. Credentials in it are stars.
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
            let here: Vec<_> = places.iter().filter(|(span, _, _)| span.file == *file).collect();
            let lines = here.iter().map(|(span, _, _)| file.line_of(file.boundary(span.range.start)));
            let first = lines.clone().min().unwrap_or(0);
            let shown = file.lines(first, lines.max().unwrap_or(first));
            let annotations: Vec<_> = here
                .iter()
                .map(|(span, label, kind)| {
                    let annotation = kind.span(place_in_excerpt(file, &shown, &span.range));
                    if label.is_empty() { annotation } else { annotation.label(*label) }
                })
                .collect();
            let snippet = Snippet::source(file.masked(shown)).line_start(first + 1).path(file.path.as_str());
            group = group.element(snippet.annotations(annotations));
        }
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        renderer.render(&[group])
    }
}

/// Returns the first line of a place within the masked excerpt of a file's bytes `shown`.
fn place_in_excerpt(file: &SourceFile, shown: &Range<usize>, range: &Range<usize>) -> Range<usize> {
    let start = file.boundary(range.start).clamp(shown.start, shown.end);
    let line = file.line_of(start);
    let end = file.boundary(range.end).min(file.lines(line, line).end).clamp(start, shown.end);
    file.masked(shown.start..start).len()..file.masked(shown.start..end).len()
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
    settled: Vec<Span>,
}

impl Diagnostics {
    /// Adds one, unless all that is wrong at its place has been said.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        let is_settled = |span: &Span| self.settled.iter().any(|settled| settled.holds(span));
        if !diagnostic.span.as_ref().is_some_and(is_settled) {
            self.items.push(diagnostic);
        }
    }

    /// Adds an error after which nothing more is said of its place: its value is not known.
    pub(crate) fn settle(&mut self, diagnostic: Diagnostic) {
        let place = diagnostic.span.clone();
        self.push(diagnostic);
        self.settled.extend(place);
    }

    /// Returns true where at least one is an error.
    pub fn has_errors(&self) -> bool {
        self.items.iter().any(Diagnostic::is_error)
    }

    /// Returns true where there is none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Returns them in the order of their files and places, each once; those without a place first.
    pub fn sorted(&self) -> Vec<&Diagnostic> {
        fn place(d: &Diagnostic) -> Option<(&str, usize)> {
            d.span.as_ref().map(|span| (span.file.path.as_str(), span.range.start))
        }
        let mut all: Vec<&Diagnostic> = self.items.iter().collect();
        all.sort_by(|a, b| place(a).cmp(&place(b)));
        let mut sorted: Vec<&Diagnostic> = Vec::with_capacity(all.len());
        for diagnostic in all {
            let same_place = sorted.iter().rev().take_while(|other| place(other) == place(diagnostic));
            if !same_place.copied().any(|other| other == diagnostic) {
                sorted.push(diagnostic);
            }
        }
        sorted
    }

    /// Returns all as text, a blank line between two, with a closing line that counts the errors and warnings.
    pub fn render(&self, colour: bool) -> String {
        let sorted = self.sorted();
        let mut parts: Vec<String> = sorted.iter().map(|d| d.render(colour)).collect();
        let errors = sorted.iter().filter(|d| d.is_error()).count();
        let warnings = sorted.len() - errors;
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
        other.items.into_iter().for_each(|diagnostic| self.push(diagnostic));
        self.settled.extend(other.settled);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> Arc<SourceFile> {
        Arc::new(SourceFile::new(path, text))
    }

    fn at(file: &Arc<SourceFile>, part: &str) -> Span {
        let start = file.text.find(part).unwrap();
        Span { file: Arc::clone(file), range: start..start + part.len() }
    }

    #[test]
    fn shows_place_excerpt_and_help_and_hides_credentials() {
        let file = file("counterfoil.yml", "version: 1\n{ password: 'sécret', chek: not_nul }\r\nx: y\n");
        let span = at(&file, "not_nul");
        assert_eq!(span.line_column(), (2, 29));
        let shown = Diagnostic::error(&span, "there is no check `not_nul`")
            .suggest("not_nul", ["unique", "not_null"])
            .render(false);
        assert!(shown.contains("counterfoil.yml:2:29"), "{shown}");
        assert!(shown.contains("{ password: '******', chek: not_nul }\n"), "{shown}");
        assert!(shown.contains(&format!("\n  |{}^^^^^^^", " ".repeat(29))), "{shown}");
        assert!(shown.contains("did you mean `not_null`?"), "{shown}");
        let said = Diagnostic::error(&at(&file, "'sécret'"), "`sécret` is no place").render(false);
        assert!(said.contains("`***` is no place") && !said.contains("sécret"), "{said}");
    }

    #[test]
    fn shows_both_places_of_a_mistake() {
        let (a, b) = (file("a.yml", "id: x\nid2: y\n"), file("b.yml", "id: x\n"));
        let shown = Diagnostic::error(&at(&a, "y"), "`x` stands twice")
            .also(&at(&a, "x"), "first here")
            .also(&at(&b, "x"), "and here")
            .render(false);
        assert!(shown.contains("a.yml:2:6") && shown.contains("b.yml:1:5"), "{shown}");
        assert!(shown.contains("- first here") && shown.contains("- and here"), "{shown}");
    }

    #[test]
    fn values_of_variables_are_hidden_wherever_they_come_in() {
        let file = file("a.yml", "url: ${DB_URL}\nother: s3cret\n");
        file.hide_values([("DB_URL".to_owned(), "s3cret".to_owned())]);
        let span = at(&file, "${DB_URL}");
        let shown = Diagnostic::error(&span, "`s3cret` is not a place").help("not s3cret").label("s3cret");
        assert_eq!(shown.message(), "`${DB_URL}` is not a place");
        assert!(!shown.render(false).contains("s3cret"), "{}", shown.render(false));
        let shown = Diagnostic::without_place("no s3cret").help("s3cret").or_at(&span);
        assert!(!shown.render(false).contains("s3cret"), "{}", shown.render(false));
        assert!(!format!("{span:?}").contains("s3cret"));
    }

    #[test]
    fn a_place_of_many_lines_shows_its_first_and_one_behind_the_end_the_last() {
        let file = file("a.yml", "checks:\n  a: 1\n  b: 2\n");
        let all = Span { file: Arc::clone(&file), range: 10..file.text.len() };
        let shown = Diagnostic::error(&all, "not a list").render(false);
        assert!(shown.contains("2 |   a: 1\n  |   ^^^^"), "{shown}");
        let end = Span { file: Arc::clone(&file), range: 99..120 };
        assert_eq!(end.line_column(), (4, 1));
        assert!(Diagnostic::error(&end, "more is missing").render(false).contains("a.yml:4:1"));
    }

    /// Line ends of two letters, and carriage returns that end no line.
    #[test]
    fn the_column_shown_is_the_column_told() {
        for (text, lines) in
            [("a: b\r", 1), ("a: b\r\r", 1), ("a: b\r\nc\r", 2), ("a\rb\n\r", 2), ("a\r\n", 2)]
        {
            let file = file("a.yml", text);
            for at in 0..=text.len() {
                let span = Span { file: Arc::clone(&file), range: at..at };
                let (line, column) = span.line_column();
                let shown = Diagnostic::error(&span, "no").render(false);
                assert!(shown.contains(&format!("a.yml:{line}:{column}\n")), "{text:?} {at}: {shown}");
            }
            let end = Span { file: Arc::clone(&file), range: text.len()..text.len() };
            assert_eq!(end.line_column().0, lines, "{text:?}");
            let own = text.rsplit('\n').next().unwrap().chars().count();
            assert_eq!(end.line_column().1, own + 1, "{text:?}: a carriage return alone is a letter");
        }
    }

    #[test]
    fn what_is_said_twice_is_shown_once_and_an_unknown_value_is_not_judged() {
        let file = file("a.yml", "a: ${A}\nb: c\n");
        let mut out = Diagnostics::default();
        out.settle(Diagnostic::error(&at(&file, "${A}"), "`A` is not set"));
        out.push(Diagnostic::error(&at(&file, "A}"), "`` is not a name"));
        out.push(Diagnostic::error(&at(&file, "c"), "no"));
        out.push(Diagnostic::error(&at(&file, "c"), "not"));
        out.push(Diagnostic::error(&at(&file, "c"), "no"));
        let messages: Vec<&str> = out.sorted().into_iter().map(Diagnostic::message).collect();
        assert_eq!(messages, ["`A` is not set", "no", "not"]);
        assert!(out.render(false).ends_with("3 errors"));
    }

    #[test]
    fn suggests_only_what_is_near() {
        assert_eq!(nearest("uniqe", ["unique", "range"]), Some("unique"));
        assert_eq!(nearest("something", ["unique", "range"]), None);
    }
}
