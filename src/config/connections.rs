//! The connections of a project alone: for commands that have to work while the rest has mistakes.

use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::node::{FromNode, Value, substitute};
use crate::source::ConnectionConfig;

use super::files;

/// The connections of a project, as far as they were asked for.
#[derive(Debug)]
pub struct ProjectConnections {
    /// The project file.
    pub file: PathBuf,
    /// Its folder.
    pub folder: PathBuf,
    /// The connections by name, in the order of the file; what is wrong with one that has a mistake in it.
    pub connections: Vec<(String, Result<ConnectionConfig, String>)>,
}

/// Reads the connections of a project, or only those that are named; `path` is its folder, or the project file.
///
/// Mistakes in these connections go to `out`, and names that there are not; what else is in the project is not looked
/// at. `variables` gives the values of environment variables.
pub fn connections(
    path: &Path,
    named: &[String],
    variables: &dyn Fn(&str) -> Option<String>,
    out: &mut Diagnostics,
) -> Option<ProjectConnections> {
    let file = files::project_file(path, out)?;
    let node = files::as_written(&file, out)?;
    let written = match node.get("connections").map(|connections| &connections.value) {
        Some(Value::Map(entries)) => entries.clone(),
        _ => Vec::new(),
    };
    for name in named {
        if !written.iter().any(|(own, _)| own.text == *name) {
            let shown = files::shown(&file);
            let error = Diagnostic::without_place(format!("there is no connection `{name}` in `{shown}`"));
            out.push(if written.is_empty() {
                error.help("it has none: they stand under `connections`")
            } else {
                error.suggest(name, written.iter().map(|(own, _)| own.text.as_str()))
            });
        }
    }
    let wanted = written.into_iter().filter(|(name, _)| named.is_empty() || named.contains(&name.text));
    let connections = wanted
        .map(|(name, mut node)| {
            let mut own = Diagnostics::default();
            substitute(&mut node, variables, &mut own);
            let connection = ConnectionConfig::from_node(&node, &mut own).filter(|_| !own.has_errors());
            let wrong: Vec<&str> =
                own.sorted().into_iter().filter(|one| one.is_error()).map(Diagnostic::message).collect();
            let connection = connection.ok_or_else(|| wrong.join("; "));
            out.extend(own);
            (name.text, connection)
        })
        .collect();
    Some(ProjectConnections { folder: files::folder(&file), file, connections })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROJECT: &str = "project: 7\nconnections:\n  a: { type: files, path: data }\n  b: { type: postgres, url: \"${NO}\" }\n  c: { type: flies }\nnonsense: true\n";

    fn read(named: &[&str]) -> (Vec<(String, bool)>, String) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("counterfoil.yml"), PROJECT).unwrap();
        let named: Vec<String> = named.iter().map(|name| (*name).to_owned()).collect();
        let mut out = Diagnostics::default();
        let found = connections(folder.path(), &named, &|_| None, &mut out).unwrap();
        assert_eq!(found.folder, folder.path());
        let found = found.connections.into_iter().map(|(name, read)| (name, read.is_ok())).collect();
        (found, out.render(false))
    }

    #[test]
    fn only_what_is_asked_for_is_read() {
        let (found, said) = read(&["a"]);
        assert_eq!((found, said.as_str()), (vec![("a".to_owned(), true)], ""));
        let (found, said) = read(&[]);
        let read_well: Vec<bool> = found.iter().map(|(_, well)| *well).collect();
        assert_eq!(read_well, [true, false, false]);
        assert!(said.contains("`NO` is not set") && said.contains("did you mean `files`?"), "{said}");
        let (found, said) = read(&["d"]);
        assert!(found.is_empty() && said.contains("there is no connection `d`"), "{said}");
    }
}
