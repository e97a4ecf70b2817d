//! A database's address in one text: which kind of connection it is for, and whether it holds a secret.

/// The kind of connection that an address is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressKind {
    /// The word for `type`.
    pub word: &'static str,
    /// The name of the address among the connection's settings.
    pub setting: &'static str,
    /// The usual end of the name of an environment variable that holds one.
    pub variable: &'static str,
    /// What divides the parts that may be secret.
    separators: &'static [char],
}

const URL: AddressKind =
    AddressKind { word: "postgres", setting: "url", variable: "URL", separators: &['?', '&'] };
const CONNECTION_STRING: AddressKind =
    AddressKind { word: "odbc", setting: "connection_string", variable: "ODBC", separators: &[';'] };

impl AddressKind {
    /// What an address looks like, for messages.
    pub const FORMS: &'static str =
        "a URL (`postgres://user@host/database`) or an ODBC connection string (`Driver={...};Server=...`)";

    /// Returns the kind of an address; nothing where it is none.
    pub fn of(text: &str) -> Option<Self> {
        let lower = text.trim_start().to_ascii_lowercase();
        if lower.starts_with("postgres://") || lower.starts_with("postgresql://") {
            return Some(URL);
        }
        let named = lower.split(';').any(|part| {
            part.split_once('=').is_some_and(|(key, _)| matches!(key.trim(), "driver" | "dsn" | "filedsn"))
        });
        named.then_some(CONNECTION_STRING)
    }

    /// Returns true where a connection of this kind may have a dialect.
    pub fn has_dialect(self) -> bool {
        self == CONNECTION_STRING
    }

    /// Returns true where an address may hold a secret that is not a reference to a variable; rather too often than
    /// not.
    pub fn has_secret(self, text: &str) -> bool {
        let is_value = |value: &str| {
            let value = value.trim();
            let hidden = value.starts_with("${") && value.find('}') == Some(value.len() - 1);
            !value.is_empty() && !hidden
        };
        let is_secret = |key: &str| {
            let key = key.to_ascii_lowercase();
            ["pass", "pwd", "secret", "token", "key", "cred"].iter().any(|part| key.contains(part))
        };
        let assigned = text
            .split(self.separators)
            .filter_map(|part| part.split_once('='))
            .any(|(key, value)| is_secret(key) && is_value(value));
        let in_url = text.split_once("://").is_some_and(|(_, rest)| {
            // A password may hold anything but what ends it.
            let user = rest.rsplit_once('@').and_then(|(user, _)| user.split_once(':'));
            user.is_some_and(|(_, password)| is_value(password))
        });
        assigned || in_url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_kind() {
        for (text, word) in [
            ("postgres://h/d", Some("postgres")),
            ("PostgreSQL://u@h/d", Some("postgres")),
            ("Driver={X};Server=s", Some("odbc")),
            ("Server=s; dsn = x", Some("odbc")),
            ("Server=s", None),
            ("mysql://h/d", None),
        ] {
            assert_eq!(AddressKind::of(text).map(|kind| kind.word), word, "{text}");
        }
    }

    #[test]
    fn secrets_are_seen() {
        let has = |text: &str| AddressKind::of(text).unwrap().has_secret(text);
        for text in [
            "postgres://u:x@h/d",
            "postgres://u:x/@y@h/d",
            "postgres://h/d?a=b&Password=x",
            "Driver=X;PWD=x",
            "Driver=X;Server=s;Access Token={a;b}",
            "Driver=X;PWD=a${B}",
        ] {
            assert!(has(text), "{text}");
        }
        for text in
            ["postgres://u@h:5432/d", "postgres://u:${P}@h/d", "Driver=X;UID=u;PWD=", "DSN=x;PWD=${P}"]
        {
            assert!(!has(text), "{text}");
        }
    }
}
