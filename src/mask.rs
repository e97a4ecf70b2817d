//! What may be shown to whom: everything that a person may forward passes here.
//!
//! Counts, names of columns and rules, and types are never masked. Values of columns that are sensitive or free
//! text are hidden, and keys with such a column are shown as tokens.

use crate::findings::Masking;

/// A value as a view may show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// There is no value.
    Null,
    /// The value itself.
    Text(String),
    /// There is a value, which is not shown.
    Hidden,
}

/// Decides for one dataset what a view shows.
#[derive(Clone)]
pub struct Mask<'a> {
    key: [u8; 32],
    masking: &'a Masking,
}

impl std::fmt::Debug for Mask<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mask").field("masking", self.masking).finish_non_exhaustive()
    }
}

impl<'a> Mask<'a> {
    /// Makes the mask of a dataset; `key` is the secret that tokens are made with, the same for all datasets of a project.
    pub fn new(key: &[u8; 32], masking: &'a Masking) -> Self {
        Mask { key: *key, masking }
    }

    /// Returns why a column's values are hidden: `sensitive`, `free text`, `refers to a sensitive column` or
    /// `calculated from a hidden column`; nothing where they are shown.
    pub fn reason(&self, column: &str) -> Option<&'a str> {
        self.masking.columns.get(column).map(String::as_str)
    }

    /// Returns a value of a column as it may be shown. That there is none shows in any column.
    pub fn value(&self, column: &str, text: Option<&str>) -> Shown {
        match text {
            None => Shown::Null,
            Some(_) if self.reason(column).is_some() => Shown::Hidden,
            Some(text) => Shown::Text(text.to_owned()),
        }
    }

    /// Returns a row's key as it may be shown: itself, or where a column of it is hidden a token.
    ///
    /// A token is `~` and 16 hexadecimal digits of a keyed BLAKE3 of the key. The same key has the same token in
    /// every view, dataset and run of a project; nobody without the project's key can tell the one from the other.
    ///
    /// ```
    /// use counterfoil::findings::Masking;
    /// use counterfoil::mask::Mask;
    /// let hidden = Masking { key: true, ..Masking::default() };
    /// let token = Mask::new(&[7; 32], &hidden).key("QQ123456C");
    /// assert!(token.starts_with('~') && token.len() == 17);
    /// assert_eq!(token, Mask::new(&[7; 32], &hidden).key("QQ123456C"));
    /// assert_ne!(token, Mask::new(&[8; 32], &hidden).key("QQ123456C"));
    /// assert_eq!(Mask::new(&[7; 32], &Masking::default()).key("000123/01"), "000123/01");
    /// ```
    pub fn key(&self, text: &str) -> String {
        if self.masking.key { self.token(text) } else { text.to_owned() }
    }

    /// Returns the token that stands for a text.
    pub fn token(&self, text: &str) -> String {
        let hex = blake3::keyed_hash(&self.key, text.as_bytes()).to_hex();
        format!("~{}", &hex[..16])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hidden_columns_are_hidden() {
        let columns = [("surname".to_owned(), "sensitive".to_owned())].into();
        let masking = Masking { key: false, columns };
        let mask = Mask::new(&[0; 32], &masking);
        assert_eq!(mask.value("surname", Some("Smith")), Shown::Hidden);
        assert_eq!(mask.value("surname", None), Shown::Null);
        assert_eq!(mask.value("rent", Some("1.00")), Shown::Text("1.00".to_owned()));
        assert_eq!(mask.reason("surname"), Some("sensitive"));
        assert!(!format!("{mask:?}").contains("key: ["), "the secret is not shown");
    }
}
