//! What is set: by a URL, by `key=value` pairs, by the environment.
//!
//! The words are those of libpq, so that what works with `psql` works here. No message repeats what was written:
//! a password may be in any of it.

use std::collections::BTreeMap;

use super::error::PostgresError;

/// What may be set, and the variable that sets it otherwise.
const KEYS: &[(&str, &str)] = &[
    ("application_name", "PGAPPNAME"),
    ("channel_binding", "PGCHANNELBINDING"),
    ("client_encoding", ""),
    ("connect_timeout", "PGCONNECT_TIMEOUT"),
    ("dbname", "PGDATABASE"),
    ("fallback_application_name", ""),
    ("gssencmode", ""),
    ("host", "PGHOST"),
    ("hostaddr", "PGHOSTADDR"),
    ("keepalives", ""),
    ("keepalives_count", ""),
    ("keepalives_idle", ""),
    ("keepalives_interval", ""),
    ("options", "PGOPTIONS"),
    ("passfile", "PGPASSFILE"),
    ("password", "PGPASSWORD"),
    ("port", "PGPORT"),
    ("sslcert", "PGSSLCERT"),
    ("sslkey", "PGSSLKEY"),
    ("sslmode", "PGSSLMODE"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("target_session_attrs", "PGTARGETSESSIONATTRS"),
    ("tcp_user_timeout", ""),
    ("user", "PGUSER"),
];

/// Makes the error of what was written.
pub(super) fn wrong(problem: impl Into<String>) -> PostgresError {
    let advice = "it is written as `postgresql://user@host:5432/database?sslmode=verify-full`; characters such as `@`, `:`, `/`, `?` and `%` in a user or password are written as %40, %3A, %2F, %3F and %25";
    PostgresError::new("the connection's `url`", problem, advice)
}

/// What is set, by its key.
pub(super) struct Given<'a> {
    written: BTreeMap<String, String>,
    env: &'a dyn Fn(&str) -> Option<String>,
}

impl<'a> Given<'a> {
    /// Reads what the user wrote; what it leaves out is looked up in the environment.
    pub fn read(text: Option<&str>, env: &'a dyn Fn(&str) -> Option<String>) -> Result<Self, PostgresError> {
        let written = match text.map(str::trim) {
            None | Some("") => BTreeMap::new(),
            Some(text) => match ["postgresql://", "postgres://"].iter().find_map(|s| text.strip_prefix(s)) {
                Some(rest) => from_url(rest)?,
                None => from_pairs(text)?,
            },
        };
        Ok(Given { written, env })
    }

    /// Returns a value; an empty one is as good as none.
    pub fn get(&self, key: &str) -> Option<String> {
        let variable = KEYS.iter().find(|(name, _)| *name == key).map_or("", |(_, variable)| *variable);
        let usual = || if variable.is_empty() { None } else { (self.env)(variable) };
        self.written.get(key).cloned().or_else(usual).filter(|value| !value.is_empty())
    }

    /// Returns a whole number.
    pub fn number(&self, key: &str) -> Result<Option<i64>, PostgresError> {
        match self.get(key).map(|text| text.trim().parse::<i64>()) {
            None => Ok(None),
            Some(Ok(number)) => Ok(Some(number)),
            Some(Err(_)) => Err(wrong(format!("`{key}` is no whole number"))),
        }
    }

    /// Returns a number above zero.
    pub fn positive(&self, key: &str) -> Result<Option<u64>, PostgresError> {
        Ok(self.number(key)?.and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0))
    }
}

/// Reads what stands behind `postgresql://`.
fn from_url(text: &str) -> Result<BTreeMap<String, String>, PostgresError> {
    let mut given = BTreeMap::new();
    let (rest, query) = text.split_once('?').map_or((text, None), |(rest, query)| (rest, Some(query)));
    let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
    if database.contains('@') {
        return Err(wrong("an `@` stands behind what would be its host"));
    }
    let (login, hosts) = authority.rsplit_once('@').map_or((None, authority), |(l, h)| (Some(l), h));
    if let Some(login) = login {
        let (user, password) = login.split_once(':').map_or((login, None), |(u, p)| (u, Some(p)));
        given.insert("user".to_owned(), decoded(user)?);
        if let Some(password) = password {
            given.insert("password".to_owned(), decoded(password)?);
        }
    }
    given.insert("dbname".to_owned(), decoded(database)?);
    let (mut names, mut ports) = (Vec::new(), Vec::new());
    for host in hosts.split(',').filter(|_| !hosts.is_empty()) {
        let (name, port) = match host.strip_prefix('[') {
            Some(rest) => {
                let (name, rest) =
                    rest.split_once(']').ok_or_else(|| wrong("an address in `[` has no `]`"))?;
                (name, rest.strip_prefix(':').unwrap_or(rest))
            }
            None => host.rsplit_once(':').unwrap_or((host, "")),
        };
        names.push(decoded(name)?);
        ports.push(port.to_owned());
    }
    if !names.is_empty() {
        given.insert("host".to_owned(), names.join(","));
    }
    if ports.iter().any(|port| !port.is_empty()) {
        let ports: Vec<String> =
            ports.into_iter().map(|port| if port.is_empty() { "5432".to_owned() } else { port }).collect();
        given.insert("port".to_owned(), ports.join(","));
    }
    for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) =
            pair.split_once('=').ok_or_else(|| wrong("behind `?` stands something without `=`"))?;
        put(&mut given, &decoded(key)?, decoded(value)?)?;
    }
    given.retain(|_, value| !value.is_empty());
    Ok(given)
}

/// Reads `key=value` pairs; values in single quotes may hold blanks, and `\` keeps the next character.
fn from_pairs(text: &str) -> Result<BTreeMap<String, String>, PostgresError> {
    let mut given = BTreeMap::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (key, after) =
            rest.split_once('=').ok_or_else(|| wrong("it is neither a URL nor made of `key=value` pairs"))?;
        rest = after.trim_start();
        let quoted = rest.starts_with('\'');
        let mut value = String::new();
        let mut characters = rest.char_indices().skip(usize::from(quoted));
        let mut end = None;
        while let Some((at, character)) = characters.next() {
            match character {
                '\\' => value.extend(characters.next().map(|(_, next)| next)),
                '\'' if quoted => {
                    end = Some(at + 1);
                    break;
                }
                c if !quoted && c.is_whitespace() => {
                    end = Some(at);
                    break;
                }
                other => value.push(other),
            }
        }
        if quoted && end.is_none() {
            return Err(wrong("a quote is never closed"));
        }
        rest = rest.get(end.unwrap_or(rest.len())..).unwrap_or_default().trim_start();
        put(&mut given, key.trim(), value)?;
    }
    Ok(given)
}

fn put(given: &mut BTreeMap<String, String>, key: &str, value: String) -> Result<(), PostgresError> {
    // JDBC's word, which libpq takes too.
    let (key, value) =
        if key == "ssl" && value == "true" { ("sslmode", "require".to_owned()) } else { (key, value) };
    if !KEYS.iter().any(|(known, _)| *known == key) {
        let known: Vec<&str> = KEYS.iter().map(|(key, _)| *key).collect();
        return Err(wrong(format!("it has a setting that is none of {}", known.join(", "))));
    }
    given.insert(key.to_owned(), value);
    Ok(())
}

/// Resolves `%41`.
fn decoded(text: &str) -> Result<String, PostgresError> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte.unwrap_or(b'x')).to_digit(16);
        match (digit(rest.next()), digit(rest.next())) {
            (Some(high), Some(low)) => bytes.push(u8::try_from(high * 16 + low).unwrap_or(0)),
            _ => return Err(wrong("a `%` has no two hexadecimal digits behind it")),
        }
    }
    String::from_utf8(bytes).map_err(|_| wrong("it has bytes that are not UTF-8"))
}
