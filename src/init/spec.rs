//! `NAME=SPEC`: a connection as it is given on the command line, and as it is written into the project.

use std::path::Path;
use std::sync::Arc;

use crate::diagnostic::{Diagnostics, SourceFile};
use crate::node::{FromNode, parse, substitute};
use crate::source::{AddressKind, Catalogue, ConnectionConfig};

use super::InitError;
use super::yaml;

/// A connection of the project.
pub struct Spec {
    /// Its name.
    pub name: String,
    kind: AddressKind,
    /// What is written: the text itself, or variables in its place.
    written: String,
    /// A secret that was given as it is, under the name of the variable that stands for it.
    secret: Option<(String, String)>,
}

impl std::fmt::Debug for Spec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spec").field("name", &self.name).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// What every message about a wrong one says; it never shows what was given, which may have a password.
fn form() -> String {
    format!("give it as in `--connection uh='${{UH_ODBC}}'`, where the variable holds {}", AddressKind::FORMS)
}

impl Spec {
    /// Reads `NAME=SPEC`; `position` is which one it is, from 1.
    ///
    /// # Errors
    /// Where it is none, or a variable is not set.
    pub fn read(
        argument: &str,
        position: usize,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, InitError> {
        let wrong = |what: &str| {
            InitError::Connection(format!("the {} connection {what}; {}", nth(position), form()))
        };
        let (name, text) = argument.split_once('=').ok_or_else(|| wrong("has no name"))?;
        let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if name.is_empty()
            || !name.chars().all(letters)
            || !name.contains(|c: char| c.is_ascii_alphanumeric())
        {
            return Err(wrong("has a name with other characters than letters, digits, `_` and `-`"));
        }
        let name = name.to_owned();
        let references = references(text).ok_or_else(|| wrong("has a `${` that does not name a variable"))?;
        let mut whole = String::new();
        let mut rest = text;
        for reference in &references {
            let value = environment(reference).filter(|value| !value.is_empty()).ok_or_else(|| {
                InitError::Connection(format!(
                    "the environment variable `{reference}` of the connection `{name}` is not set"
                ))
            })?;
            let mark = format!("${{{reference}}}");
            if let Some((before, after)) = rest.split_once(&mark) {
                whole.push_str(before);
                whole.push_str(&value);
                rest = after;
            }
        }
        whole.push_str(rest);
        let kind =
            AddressKind::of(&whole).ok_or_else(|| wrong("is neither a URL nor an ODBC connection string"))?;
        // A reference hides what it stands for.
        if kind.has_secret(text) {
            let variable: String =
                name.chars().map(|c| if c == '-' { '_' } else { c.to_ascii_uppercase() }).collect();
            let variable = format!("{variable}_{}", kind.variable);
            if !references.is_empty() {
                return Err(InitError::Connection(format!(
                    "the connection `{name}` has a password beside a variable; put all of it into one variable, as in \
                     `--connection {name}='${{{variable}}}'`"
                )));
            }
            let written = format!("${{{variable}}}");
            return Ok(Spec { name, kind, written, secret: Some((variable, whole)) });
        }
        let written = if references.is_empty() { text.replace("${", "$${") } else { text.to_owned() };
        Ok(Spec { name, kind, written, secret: None })
    }

    /// Returns the connection's lines in the project file, under its name.
    pub fn lines(&self, timezone: Option<&str>) -> String {
        let value = yaml::template(&self.written);
        let mut lines = format!("type: {}\n{}: {value}\n", self.kind.word, self.kind.setting);
        if self.kind.has_dialect() {
            lines.push_str(&yaml::comment(
                0,
                "dialect: generic   <- only where what the database says of itself leads to the wrong one",
            ));
        }
        match timezone {
            Some(zone) => lines.push_str(&format!("timezone: {}\n", yaml::text(zone))),
            None => lines.push_str(&yaml::comment(
                0,
                "timezone: Europe/London   <- whose wall clock timestamps without a zone show, if any do",
            )),
        }
        lines.push_str(&yaml::comment(
            0,
            "limits: { connections: 2, rate: 20 MB/s, hours: \"19:00-07:00\" }   <- to read it more gently",
        ));
        lines
    }

    /// Returns the variable that has to be set to what was given, where that is not written.
    pub fn variable_to_set(&self) -> Option<&str> {
        self.secret.as_ref().map(|(variable, _)| variable.as_str())
    }

    /// Returns the variables that the project needs for it.
    pub fn variables(&self) -> Vec<String> {
        references(&self.written).unwrap_or_default()
    }

    /// Makes what tells of the database's tables; nothing is opened yet.
    ///
    /// # Errors
    /// Where the connection cannot be read.
    pub fn catalogue(
        &self,
        base: &Path,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Box<dyn Catalogue>, InitError> {
        let mut out = Diagnostics::default();
        let file = Arc::new(SourceFile::new("counterfoil.yml", self.lines(None)));
        let value = |name: &str| match &self.secret {
            Some((variable, value)) if variable == name => Some(value.clone()),
            _ => environment(name),
        };
        let node = parse(&file, &mut out).map(|mut node| {
            substitute(&mut node, &value, &mut out);
            node
        });
        let config = node.and_then(|node| ConnectionConfig::from_node(&node, &mut out));
        config.filter(|_| !out.has_errors()).and_then(|config| config.catalogue(base)).ok_or_else(|| {
            InitError::Connection(format!("the connection `{}` cannot be read; {}", self.name, form()))
        })
    }
}

fn nth(position: usize) -> &'static str {
    if position == 1 { "first" } else { "second" }
}

/// Returns the names of all `${NAME}` of a text, in their order; nothing where one names no variable.
fn references(text: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once("${") {
        let (name, after) = behind.split_once('}')?;
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return None;
        }
        names.push(name.to_owned());
        rest = after;
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(argument: &str) -> Result<Spec, InitError> {
        Spec::read(argument, 1, &|name| match name {
            "UH" => Some("Driver={X};Server=s;UID=u;PWD=hunter2".to_owned()),
            "CLOUD" => Some("postgresql://u:hunter2@h/d".to_owned()),
            "PW" => Some("hunter2".to_owned()),
            _ => None,
        })
    }

    #[test]
    fn variables_stay_variables() {
        let spec = read("uh=${UH}").unwrap();
        assert!(spec.lines(None).starts_with("type: odbc\nconnection_string: \"${UH}\"\n"));
        assert_eq!((spec.variables(), spec.variable_to_set()), (vec!["UH".to_owned()], None));
        let spec = read("cloud=${CLOUD}").unwrap();
        assert!(spec.lines(Some("Europe/London")).contains("timezone: Europe/London\n"));
        let spec = read("cloud=postgres://u:${PW}@h/d").unwrap();
        assert!(spec.lines(None).contains("url: \"postgres://u:${PW}@h/d\""));
    }

    #[test]
    fn passwords_are_never_written() {
        for (argument, variable) in [
            ("my-uh=Driver={X};Server=s;PWD=hunter2", "MY_UH_ODBC"),
            ("my-uh=DSN=x;Password={hunter2;}", "MY_UH_ODBC"),
            ("cloud=postgres://u:hunter2@h/d", "CLOUD_URL"),
            ("cloud=postgres://u@h/d?sslmode=require&password=hunter2", "CLOUD_URL"),
            ("cloud=postgres://u:hunter2/@x@h/d", "CLOUD_URL"),
        ] {
            let spec = read(argument).unwrap();
            assert_eq!(spec.variable_to_set(), Some(variable), "{argument}");
            let lines = spec.lines(None);
            assert!(!lines.contains("hunter2") && lines.contains(&format!("\"${{{variable}}}\"")), "{lines}");
            assert!(!format!("{spec:?}").contains("hunter2"));
        }
        for argument in ["lite=Driver=SQLite3;Database=/x.db", "cloud=postgres://u@h:5432/d"] {
            let spec = read(argument).unwrap();
            assert_eq!(spec.variable_to_set(), None);
            assert!(spec.lines(None).contains(argument.split_once('=').unwrap().1));
        }
    }

    #[test]
    fn mistakes_do_not_show_what_was_given() {
        for (argument, says) in [
            ("postgres://u:hunter2@h/d", "has no name"),
            ("postgres://u:hunter2@h/d?x=y", "a name with other characters"),
            ("uh=hunter2", "neither a URL nor"),
            ("=x", "a name with other characters"),
            ("uh=${NOT_THERE}", "`NOT_THERE` of the connection `uh` is not set"),
            ("uh=${hunter 2}", "does not name a variable"),
            ("uh=${UH};PWD=hunter2", "a password beside a variable"),
        ] {
            let error = read(argument).unwrap_err().to_string();
            assert!(error.contains(says) && !error.contains("hunter"), "{argument}: {error}");
        }
    }
}
