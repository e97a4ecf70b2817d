//! The templates: the built-in ones, those of the user that take their place, and the rules all of them follow.

use std::error::Error as _;
use std::path::Path;

use minijinja::value::Serde;
use minijinja::{Environment, Error, HtmlEscape, UndefinedBehavior, Value, escape_formatter};

use crate::report::ReportError;

use super::text;

/// The built-in templates by name.
const BUILT_IN: &[(&str, &str)] = &[
    ("base.html", include_str!("../../../report-templates/base.html")),
    ("dataset.html", include_str!("../../../report-templates/dataset.html")),
    ("index.html", include_str!("../../../report-templates/index.html")),
    ("parts.html", include_str!("../../../report-templates/parts.html")),
    ("script.js", include_str!("../../../report-templates/script.js")),
    ("style.css", include_str!("../../../report-templates/style.css")),
];

/// Makes the environment that pages are rendered in.
///
/// What a template writes is escaped for HTML where its name ends in `.html`, and characters that cannot be seen
/// or turn the direction of writing are written as their code. A name that is not known is a mistake.
///
/// # Errors
/// Where a file of the user's folder cannot be read, is no template, or replaces nothing.
pub fn environment(folder: Option<&Path>) -> Result<Environment<'static>, ReportError> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_formatter(|out, state, value| match value.as_str() {
        Some(text) if !value.is_safe() && text.chars().any(|c| text::visible(c).is_some()) => {
            let seen: String = text.chars().map(|c| text::visible(c).unwrap_or_else(|| c.into())).collect();
            escape_formatter(out, state, &Value::from(seen))
        }
        _ => escape_formatter(out, state, value),
    });
    environment.add_filter("number", |n: u64| text::number(n));
    environment.add_filter("count", |n: u64| text::count(n));
    environment.add_filter("percent", |part: u64, whole: u64| text::percent(part, whole));
    environment.add_filter("counted", |n: u64, one: String, many: String| text::counted(n, &one, &many));
    environment.add_filter("coded", coded);
    environment.add_filter("address", |text: String| text::address(&text));
    for (name, source) in BUILT_IN {
        environment.add_template(name, source).map_err(|error| mistake(&error, name))?;
    }
    if let Some(folder) = folder {
        replace(&mut environment, folder)?;
    }
    Ok(environment)
}

/// Sets what stands between backticks as code, and escapes everything.
fn coded(text: String) -> Value {
    let mut out = String::new();
    for (i, part) in text.split('`').enumerate() {
        let seen: String = part.chars().map(|c| text::visible(c).unwrap_or_else(|| c.into())).collect();
        let part = HtmlEscape(&seen);
        out.push_str(&if i % 2 == 1 { format!("<code>{part}</code>") } else { part.to_string() });
    }
    Value::from_safe_string(out)
}

/// Puts the user's templates in the place of the built-in ones with the same name.
fn replace(environment: &mut Environment<'static>, folder: &Path) -> Result<(), ReportError> {
    let read = |error: std::io::Error, path: &Path| ReportError::Read { path: path.to_owned(), error };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| read(error, folder))? {
        let entry = entry.map_err(|error| read(error, folder))?;
        names.push(entry.file_name());
    }
    names.sort();
    for name in names {
        let path = folder.join(&name);
        let known = BUILT_IN.iter().find(|(built_in, _)| *built_in == name);
        let Some((name, _)) = known else {
            let known: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
            return Err(ReportError::NoSuchTemplate { path, known: text::list(&known) });
        };
        let source = std::fs::read_to_string(&path).map_err(|error| read(error, &path))?;
        environment.add_template_owned(*name, source).map_err(|error| mistake(&error, name))?;
    }
    Ok(())
}

/// Renders one page.
///
/// # Errors
/// Where a template has a mistake; the template and the line are those of the innermost one.
pub fn render(
    environment: &Environment<'_>,
    template: &str,
    context: impl serde::Serialize,
) -> Result<String, ReportError> {
    environment
        .get_template(template)
        .and_then(|template| template.render(Serde(context)))
        .map_err(|error| mistake(&error, template))
}

fn mistake(error: &Error, template: &str) -> ReportError {
    let mut innermost = error;
    while let Some(inner) = innermost.source().and_then(|source| source.downcast_ref::<Error>()) {
        innermost = inner;
    }
    let problem = match innermost.detail() {
        Some(detail) => format!("{}: {detail}", innermost.kind()),
        None => innermost.kind().to_string(),
    };
    ReportError::Template {
        name: innermost.name().unwrap_or(template).to_owned(),
        line: innermost.line(),
        problem,
    }
}
