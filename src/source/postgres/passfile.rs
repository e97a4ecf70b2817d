//! The password file, `.pgpass`.

use std::path::{Path, PathBuf};

/// What a password file has for one server.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The password.
    Password(String),
    /// Nothing, and why: for a message.
    Nothing(String),
}

/// Returns where the password file is, unless the user names one.
pub(super) fn usual(env: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    if cfg!(windows) {
        env("APPDATA").map(|folder| Path::new(&folder).join("postgresql").join("pgpass.conf"))
    } else {
        env("HOME").map(|home| Path::new(&home).join(".pgpass"))
    }
}

/// Looks for the password of a user; `host` is as the user gave it, or the socket's folder.
pub(super) fn look_up(path: &Path, host: &str, port: u16, database: &str, user: &str) -> Found {
    let shown = path.display();
    let Ok(facts) = std::fs::metadata(path) else { return Found::Nothing(format!("there is no {shown}")) };
    if !facts.is_file() {
        return Found::Nothing(format!("{shown} is no plain file and was not read"));
    }
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&facts.permissions()) & 0o077 != 0 {
        return Found::Nothing(format!("{shown} was not read, because others may read it: `chmod 600` it"));
    }
    let Ok(bytes) = std::fs::read(path) else {
        return Found::Nothing(format!("{shown} cannot be read"));
    };
    let port = port.to_string();
    // A server on this machine's usual socket is `localhost` there.
    let host = if matches!(host, "/var/run/postgresql" | "/tmp") { "localhost" } else { host };
    let wanted = [host, port.as_str(), database, user];
    let text = String::from_utf8_lossy(&bytes);
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut rest = line;
        let fits = wanted.iter().all(|wanted| {
            let (field, after) = field(rest);
            rest = after;
            field == "*" || unescaped(field) == *wanted
        });
        if fits && !rest.is_empty() {
            return Found::Password(unescaped(field(rest).0));
        }
    }
    Found::Nothing(format!("{shown} has no line for it"))
}

/// Cuts off the first field; `\` keeps the character behind it from ending one.
fn field(line: &str) -> (&str, &str) {
    let mut escaped = false;
    for (at, character) in line.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ':' => return (&line[..at], &line[at + 1..]),
            _ => {}
        }
    }
    (line, "")
}

fn unescaped(field: &str) -> String {
    let mut text = String::new();
    let mut characters = field.chars();
    while let Some(character) = characters.next() {
        text.push(if character == '\\' { characters.next().unwrap_or('\\') } else { character });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn the_first_line_that_fits_counts() {
        let file = file(
            "# a remark\nbad\ndb.example:5432:*:ann:one\n*:*:housing:bob:tw\\:o\\\\\n\\:\\:1:5432:d:u:six\nlocalhost:5432:*:*:local\n*:*:*:*:rest\n",
        );
        let found = |host, port, database, user| look_up(file.path(), host, port, database, user);
        let password = |text: &str| Found::Password(text.to_owned());
        assert_eq!(found("db.example", 5432, "x", "ann"), password("one"));
        assert_eq!(found("db.example", 5433, "x", "ann"), password("rest"));
        assert_eq!(found("elsewhere", 1, "housing", "bob"), password("tw:o\\"));
        assert_eq!(found("::1", 5432, "d", "u"), password("six"));
        assert_eq!(found("/var/run/postgresql", 5432, "d", "u"), password("local"));
    }

    #[test]
    fn nothing_is_said_with_its_reason() {
        let file = file("a:1:b:c:d\n");
        let says = |path: &Path| match look_up(path, "x", 5432, "d", "u") {
            Found::Nothing(why) => why,
            Found::Password(_) => panic!("a password"),
        };
        assert!(says(file.path()).contains("no line"));
        assert!(says(Path::new("/nowhere/.pgpass")).contains("there is no"));
        assert!(says(&std::env::temp_dir()).contains("no plain file"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o640)).unwrap();
            assert!(says(file.path()).contains("chmod 600"));
        }
    }
}
