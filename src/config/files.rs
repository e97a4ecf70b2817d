//! The files of a project: finding and reading them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use glob::{MatchOptions, Pattern};

use crate::diagnostic::{Diagnostic, Diagnostics, SourceFile, Spanned};
use crate::node::{Node, parse, substitute};

/// The name of the project file.
pub(super) const PROJECT_FILE: &str = "counterfoil.yml";

/// Finds the project file: `path` is that file, or the folder that holds it.
pub(super) fn project_file(path: &Path, out: &mut Diagnostics) -> Option<PathBuf> {
    if path.is_file() {
        return Some(path.to_owned());
    }
    if !path.is_dir() {
        out.push(
            Diagnostic::without_place(format!("there is no project at `{}`", shown(path)))
                .help(format!("give the folder that holds {PROJECT_FILE}, or that file")),
        );
        return None;
    }
    let file = path.join(PROJECT_FILE);
    if file.is_file() {
        return Some(file);
    }
    let error = Diagnostic::without_place(format!("there is no {PROJECT_FILE} in `{}`", shown(path)));
    let other = ["counterfoil.yaml", "Counterfoil.yml"].into_iter().find(|name| path.join(name).is_file());
    out.push(match other {
        Some(name) => {
            error.help(format!("rename {name}, or give it as the project: `{}`", shown(&path.join(name))))
        }
        None => error.help("a project is a folder with this file"),
    });
    None
}

/// Returns the folder of a project file.
pub(super) fn folder(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Returns a path as messages show it: with `/`, and without a leading `./`.
pub(super) fn shown(path: &Path) -> String {
    let text = path.display().to_string();
    let text = if std::path::MAIN_SEPARATOR == '/' { text } else { text.replace('\\', "/") };
    match text.strip_prefix("./") {
        Some(rest) if !rest.is_empty() => rest.to_owned(),
        _ => text,
    }
}

/// Reads a YAML file and puts the environment's variables in.
pub(super) fn read(
    path: &Path,
    variables: &dyn Fn(&str) -> Option<String>,
    out: &mut Diagnostics,
) -> Option<Node> {
    let mut node = as_written(path, out)?;
    substitute(&mut node, variables, out);
    Some(node)
}

/// Reads a YAML file that is to have another text.
pub(super) fn read_text(
    path: &Path,
    text: String,
    variables: &dyn Fn(&str) -> Option<String>,
    out: &mut Diagnostics,
) -> Option<Node> {
    let mut node = parse(&Arc::new(SourceFile::new(shown(path), text)), out)?;
    substitute(&mut node, variables, out);
    Some(node)
}

/// Returns true where two paths, as messages show them, are one.
pub(super) fn is_same(a: &Path, b: &Path) -> bool {
    shown(a) == shown(b)
}

/// Reads a YAML file.
pub(super) fn as_written(path: &Path, out: &mut Diagnostics) -> Option<Node> {
    let shown = shown(path);
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            out.push(Diagnostic::without_place(format!("`{shown}` cannot be read: {error}")));
            return None;
        }
    };
    let text = match String::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text),
        Err(error) => {
            let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
            let is_utf_16 = matches!(error.as_bytes(), [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..]);
            let line = memchr::memchr_iter(b'\n', good).count() + 1;
            let message = if is_utf_16 {
                format!("`{shown}` is UTF-16, not UTF-8")
            } else {
                format!("`{shown}` is not UTF-8: see line {line}")
            };
            out.push(Diagnostic::without_place(message).help("save the file with the encoding UTF-8"));
            return None;
        }
    };
    let file = Arc::new(SourceFile::new(shown, text));
    parse(&file, out)
}

/// Finds the dataset files, by name and each once; a pattern without a file is a diagnostic.
pub(super) fn datasets(project: &Path, patterns: &[Spanned<String>], out: &mut Diagnostics) -> Vec<PathBuf> {
    let base = folder(project);
    let mut paths: Vec<PathBuf> = Vec::new();
    for pattern in patterns {
        match find(&base, &pattern.value) {
            Ok(found) => {
                let found: Vec<PathBuf> = found.into_iter().filter(|path| path != project).collect();
                if found.is_empty() {
                    out.push(nothing_found(&base, pattern));
                }
                paths.extend(found);
            }
            Err(problem) => out.push(
                Diagnostic::error(
                    &pattern.span,
                    format!("`{}` is not a pattern of file names: {problem}", pattern.value),
                )
                .help("`*` stands for any characters of a name, `**` for any folders"),
            ),
        }
    }
    paths.sort();
    paths.dedup();
    paths
}

fn find(base: &Path, pattern: &str) -> Result<Vec<PathBuf>, String> {
    let full = if Path::new(pattern).is_absolute() {
        pattern.to_owned()
    } else {
        let base = base.to_str().ok_or("the path of the project's folder is not UTF-8")?;
        format!("{}/{pattern}", Pattern::escape(base))
    };
    let options = MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let mut found = Vec::new();
    for path in glob::glob_with(&full, options).map_err(|error| error.msg.to_owned())? {
        let path = path.map_err(|error| format!("{}: {}", shown(error.path()), error.error()))?;
        if path.is_file() {
            found.push(path);
        }
    }
    Ok(found)
}

fn nothing_found(base: &Path, pattern: &Spanned<String>) -> Diagnostic {
    let text = pattern.value.trim_end_matches('/');
    let is_pattern = text.contains(['*', '?', '[']);
    let message =
        if is_pattern { format!("no file matches `{text}`") } else { format!("there is no file `{text}`") };
    let help = if !is_pattern && base.join(text).is_dir() {
        format!("it is a folder: `{text}/*.yml` means the files in it")
    } else {
        "paths are relative to the project file".to_owned()
    };
    Diagnostic::error(&pattern.span, message).help(help)
}
