//! Words of a column's policy that meet one another.

use std::sync::Arc;

use crate::diagnostic::{Diagnostics, SourceFile};
use crate::node::{Node, Value, parse, yaml};
use crate::reconcile::Amount;

/// From the narrowest to the widest.
const WHITESPACE: &[&str] = &["trim", "collapse", "ignore"];
const PRECISION: &[&str] = &["millisecond", "second", "minute", "hour", "day"];

/// Returns a value of a word that is as wide as two of them; nothing where they contradict each other.
///
/// Both are YAML, and so is what is returned.
pub(super) fn wider(word: &str, old: &str, new: &str) -> Option<String> {
    let (a, b) = (read(old)?, read(new)?);
    let scalar = |node: &Node| match &node.value {
        Value::Scalar { text, .. } => Some(text.clone()),
        _ => None,
    };
    let ranked = |ranks: &[&str]| {
        let rank = |node: &Node| ranks.iter().position(|rank| scalar(node).as_deref() == Some(rank));
        Some(if rank(&a)? >= rank(&b)? { old.to_owned() } else { new.to_owned() })
    };
    match word {
        "whitespace" => ranked(WHITESPACE),
        "precision" => ranked(PRECISION),
        "tolerance" => {
            let amount = |node: &Node| Some(Amount::parse(&scalar(node)?)?.number());
            Some(if amount(&a)?.compare(amount(&b)?).is_ge() { old.to_owned() } else { new.to_owned() })
        }
        "null" => {
            let (Value::List(own), Value::List(more)) = (&a.value, &b.value) else { return None };
            let mut texts: Vec<String> = own.iter().filter_map(scalar).collect();
            for text in more.iter().filter_map(scalar) {
                if !texts.contains(&text) {
                    texts.push(text);
                }
            }
            let texts: Vec<String> = texts.iter().map(|text| yaml::text(text)).collect();
            Some(format!("[{}]", texts.join(", ")))
        }
        _ => (scalar(&a)? == scalar(&b)?).then(|| old.to_owned()),
    }
}

fn read(text: &str) -> Option<Node> {
    parse(&Arc::new(SourceFile::new("value", text)), &mut Diagnostics::default())
}

/// Returns two words that no column can have together, where both are among these.
pub(super) fn contradiction<'w>(words: &[(&'w str, String)]) -> Option<(&'w str, &'w str)> {
    let (as_type, _) = words.iter().find(|(word, value)| *word == "as" && value != "text")?;
    let (other, _) = words.iter().find(|(word, _)| matches!(*word, "case" | "whitespace"))?;
    Some((as_type, other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wider_of_two_words_stays() {
        assert_eq!(wider("whitespace", "trim", "collapse").as_deref(), Some("collapse"));
        assert_eq!(wider("whitespace", "ignore", "trim").as_deref(), Some("ignore"));
        assert_eq!(wider("tolerance", "0.01", "0.005").as_deref(), Some("0.01"));
        assert_eq!(wider("tolerance", "0.001", "0.005").as_deref(), Some("0.005"));
        assert_eq!(wider("precision", "second", "day").as_deref(), Some("day"));
        assert_eq!(wider("null", "[N/A]", "[\"\", N/A]").as_deref(), Some("[N/A, \"\"]"));
        assert_eq!(wider("as", "bool", "uuid"), None);
        assert_eq!(
            wider("as", "\"decimal(38,10)\"", "decimal(38,10)").as_deref(),
            Some("\"decimal(38,10)\"")
        );
        assert_eq!(wider("case", "ignore", "ignore").as_deref(), Some("ignore"));
        let words = |list: &[(&'static str, &str)]| -> Vec<(&'static str, String)> {
            list.iter().map(|(word, value)| (*word, (*value).to_owned())).collect()
        };
        assert!(contradiction(&words(&[("as", "bool"), ("case", "ignore")])).is_some());
        assert!(contradiction(&words(&[("as", "text"), ("case", "ignore")])).is_none());
        assert!(contradiction(&words(&[("as", "bool"), ("tolerance", "1")])).is_none());
    }
}
