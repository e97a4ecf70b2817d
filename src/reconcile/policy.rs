//! What a column's policy makes equal.

use std::borrow::Cow;

use crate::frame::{Number, collapse_whitespace, fold_case, remove_whitespace};

use super::cell::Cell;
use super::config::{Amount, Precision, Whitespace};
use super::json;
use super::wide::Wide;

/// The words of a policy that make values equal, in the order in which they are reported.
pub(super) const WORDS: [&str; 8] =
    ["tolerance", "relative", "precision", "case", "whitespace", "unordered", "json", "null"];

const TOLERANCE: usize = 0;
const RELATIVE: usize = 1;
const PRECISION: usize = 2;
const CASE: usize = 3;
const WHITESPACE: usize = 4;
const UNORDERED: usize = 5;
const JSON: usize = 6;
const NULL: usize = 7;

/// Which words of a policy are looked at, in the order of [`WORDS`].
pub(super) type Active = [bool; WORDS.len()];

/// The policy of one column, ready for its type.
#[derive(Debug, Clone, Default)]
pub(super) struct Policy {
    pub(super) tolerance: Option<Amount>,
    pub(super) relative: Option<Amount>,
    pub(super) precision: Option<Precision>,
    pub(super) case: bool,
    pub(super) whitespace: Option<Whitespace>,
    /// What stands between the items of a list whose order means nothing.
    pub(super) unordered: Option<String>,
    pub(super) json: bool,
    pub(super) null: Vec<NullText>,
}

/// A text that means NULL.
#[derive(Debug, Clone)]
pub(super) struct NullText {
    pub(super) text: String,
    /// The same as a value of the type in which the sides meet.
    pub(super) value: Option<Cell<'static>>,
}

impl Policy {
    /// Returns a text without what `case` and `whitespace` ignore.
    pub(super) fn folded<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.plain_text(text, self.active())
    }

    /// Returns what is left of a value when everything that means nothing is taken away: without a tolerance, values are
    /// equal where this is.
    pub(super) fn canonical<'c>(&self, cell: &'c Cell<'_>) -> Cell<'c> {
        self.normal(cell, self.active())
    }

    /// Returns which words are there.
    pub(super) fn active(&self) -> Active {
        [
            self.tolerance.is_some(),
            self.relative.is_some(),
            self.precision.is_some(),
            self.case,
            self.whitespace.is_some(),
            self.unordered.is_some(),
            self.json,
            !self.null.is_empty(),
        ]
    }

    /// Returns true where two values are equal, by value or by any word of the policy.
    pub(super) fn same(&self, expected: &Cell<'_>, target: &Cell<'_>) -> bool {
        let active = self.active();
        expected.equals(target) || (active.contains(&true) && self.equal(expected, target, active))
    }

    /// Returns the words that made two values equal which are not equal without a policy; nothing where they stay different.
    ///
    /// A word counts where the values would differ without it, or would be equal with it alone.
    pub(super) fn settles(&self, expected: &Cell<'_>, target: &Cell<'_>, active: Active) -> Option<Active> {
        if !self.equal(expected, target, active) {
            return None;
        }
        if active.iter().filter(|a| **a).count() == 1 {
            return Some(active);
        }
        let mut counts = [false; WORDS.len()];
        for (word, count) in counts.iter_mut().enumerate() {
            if active[word] {
                let mut without = active;
                without[word] = false;
                let mut alone = [false; WORDS.len()];
                alone[word] = true;
                *count = !self.equal(expected, target, without) || self.equal(expected, target, alone);
            }
        }
        Some(counts)
    }

    /// Returns true where two values are equal by the active words.
    fn equal(&self, expected: &Cell<'_>, target: &Cell<'_>, active: Active) -> bool {
        let expected = self.normal(expected, active);
        let target = self.normal(target, active);
        expected.equals(&target)
            || match (number_of(&expected), number_of(&target)) {
                (Some(e), Some(t)) => {
                    let tolerance = self.tolerance.as_ref().filter(|_| active[TOLERANCE]);
                    let relative = self.relative.as_ref().filter(|_| active[RELATIVE]);
                    tolerance.is_some_and(|most| within(e, t, most))
                        || relative.is_some_and(|share| within_share(e, t, share))
                }
                _ => false,
            }
    }

    /// Returns what is left of a value when everything that means nothing is taken away.
    fn normal<'c>(&self, cell: &'c Cell<'_>, active: Active) -> Cell<'c> {
        if active[NULL] && self.is_null(cell, active) {
            return Cell::Null;
        }
        let precision = self.precision.filter(|_| active[PRECISION]);
        match cell {
            Cell::Text(text) => Cell::Text(self.normal_text(text, active)),
            Cell::Moment(moment) => Cell::Moment(match precision {
                Some(precision) => {
                    let unit = i128::from(precision.micros());
                    moment.div_euclid(unit) * unit
                }
                None => *moment,
            }),
            Cell::Time(time) => Cell::Time(match precision {
                Some(precision) => time.div_euclid(precision.micros()) * precision.micros(),
                None => *time,
            }),
            Cell::Null => Cell::Null,
            Cell::Bool(v) => Cell::Bool(*v),
            Cell::Number(v) => Cell::Number(*v),
            Cell::Bytes(v) => Cell::Bytes(Cow::Borrowed(v)),
            Cell::Skipped => Cell::Skipped,
        }
    }

    fn normal_text<'c>(&self, text: &'c str, active: Active) -> Cow<'c, str> {
        if self.json
            && active[JSON]
            && let Some(value) = json::canonical(text)
        {
            return Cow::Owned(value);
        }
        let Some(separator) = self.unordered.as_deref().filter(|_| active[UNORDERED]) else {
            return self.plain_text(text, active);
        };
        let items = text.split(separator).map(|item| self.plain_text(item.trim(), active));
        let mut items: Vec<Cow<'_, str>> = items.collect();
        items.sort_unstable();
        Cow::Owned(items.join(separator))
    }

    fn plain_text<'c>(&self, text: &'c str, active: Active) -> Cow<'c, str> {
        let text = match self.whitespace.filter(|_| active[WHITESPACE]) {
            Some(Whitespace::Trim) => Cow::Borrowed(text.trim()),
            Some(Whitespace::Collapse) => collapse_whitespace(text),
            Some(Whitespace::Ignore) => remove_whitespace(text),
            None => Cow::Borrowed(text),
        };
        match (self.case && active[CASE], text) {
            (true, Cow::Borrowed(text)) => fold_case(text),
            (true, Cow::Owned(text)) => Cow::Owned(fold_case(&text).into_owned()),
            (false, text) => text,
        }
    }

    fn is_null(&self, cell: &Cell<'_>, active: Active) -> bool {
        match cell {
            Cell::Null => true,
            Cell::Text(text) => {
                let text = self.normal_text(text, active);
                self.null.iter().any(|null| self.normal_text(&null.text, active) == text)
            }
            other => self.null.iter().any(|null| null.value.as_ref().is_some_and(|v| v.equals(other))),
        }
    }
}

fn number_of(cell: &Cell<'_>) -> Option<Number> {
    match cell {
        Cell::Number(number) => Some(*number),
        Cell::Bool(value) => Some(Number::whole(i64::from(*value))),
        _ => None,
    }
}

/// Returns true where two numbers differ by no more than `most`, exactly; false where one is not finite.
pub(super) fn within(a: Number, b: Number, most: &Amount) -> bool {
    within_fast(a, b, most).unwrap_or_else(|| match (Wide::new(a), Wide::new(b), Wide::new(most.number())) {
        (Some(a), Some(b), Some(most)) => a.distance(&b).compare(&most).is_le(),
        _ => false,
    })
}

fn within_fast(a: Number, b: Number, most: &Amount) -> Option<bool> {
    let (a, b) = (a.exact()?, b.exact()?);
    let scale = a.1.max(b.1).max(most.scale);
    let difference = at_scale(a, scale)?.checked_sub(at_scale(b, scale)?)?;
    Some(difference.unsigned_abs() <= at_scale((most.digits, most.scale), scale)?.unsigned_abs())
}

/// Returns true where the target differs from the expected number by no more than this share of it, exactly.
pub(super) fn within_share(expected: Number, target: Number, share: &Amount) -> bool {
    within_share_fast(expected, target, share).unwrap_or_else(|| {
        match (Wide::new(expected), Wide::new(target), Wide::new(share.number())) {
            (Some(e), Some(t), Some(share)) => {
                e.distance(&t).compare(&e.magnitude().multiply(&share)).is_le()
            }
            _ => false,
        }
    })
}

fn within_share_fast(expected: Number, target: Number, share: &Amount) -> Option<bool> {
    let (e, t) = (expected.exact()?, target.exact()?);
    let scale = e.1.max(t.1);
    let (e, t) = (at_scale(e, scale)?, at_scale(t, scale)?);
    let difference = e.checked_sub(t)?.checked_abs()?.checked_mul(10_i128.checked_pow(share.scale)?)?;
    Some(difference <= e.checked_abs()?.checked_mul(share.digits)?)
}

/// Brings digits to a greater scale; nothing where they do not fit.
pub(super) fn at_scale((digits, own): (i128, u32), scale: u32) -> Option<i128> {
    digits.checked_mul(10_i128.checked_pow(scale.checked_sub(own)?)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn amount(text: &str) -> Amount {
        Amount::parse(text).unwrap()
    }

    #[test]
    fn tolerance_is_exact_at_its_edge() {
        let float = Number::Float;
        assert!(within(float(0.1), float(0.3), &amount("0.2")));
        assert!(!within(float(0.1), float(0.3), &amount("0.19999999999999999")));
        assert!(within(float(1e300), float(1e300), &amount("0")));
        assert!(!within(float(1e300), Number::whole(0), &amount("1")));
        let (most, least) = (Number::whole(i128::MAX), Number::Exact { digits: 1, scale: 38 });
        assert!(!within(most, least, &amount("99999999999999999999999999999999999999")));
        assert!(!within(float(f64::INFINITY), float(1.0), &amount("1")));
    }

    #[test]
    fn a_share_is_of_the_expected_number() {
        let n = |d: i64| Number::whole(d);
        assert!(within_share(Number::Float(0.3), Number::Float(0.33), &amount("0.1")));
        assert!(within_share(n(100), n(110), &amount("0.1")));
        assert!(!within_share(n(110), n(98), &amount("0.1")));
        assert!(within_share(n(-100), n(-90), &amount(".1")));
        assert!(!within_share(n(0), n(1), &amount("0.5")));
        assert!(within_share(Number::Float(1e300), Number::Float(1.01e300), &amount("0.01")));
        assert!(!within_share(Number::Float(1e300), Number::Float(1.02e300), &amount("0.01")));
    }

    proptest! {
        #[test]
        fn the_fast_way_agrees_with_the_wide_one(
            a in -5000_i64..5000, s in 0_u32..4, b in -5000_i64..5000, t in 0_u32..4, m in 0_i128..300, r in 0_u32..4
        ) {
            let (a, b) = (Number::Exact { digits: a.into(), scale: s }, Number::Exact { digits: b.into(), scale: t });
            let most = Amount { text: String::new(), digits: m, scale: r };
            let (x, y, w) = (Wide::new(a).unwrap(), Wide::new(b).unwrap(), Wide::new(most.number()).unwrap());
            prop_assert_eq!(within_fast(a, b, &most), Some(x.distance(&y).compare(&w).is_le()));
            let share = x.distance(&y).compare(&x.clone().magnitude().multiply(&w)).is_le();
            prop_assert_eq!(within_share_fast(a, b, &most), Some(share));
        }
    }

    #[test]
    fn each_word_that_was_needed_is_counted() {
        let policy = Policy {
            case: true,
            whitespace: Some(Whitespace::Trim),
            null: vec![NullText { text: "N/A".to_owned(), value: None }],
            ..Policy::default()
        };
        let text = |t: &'static str| Cell::Text(Cow::Borrowed(t));
        let settles = |a: Cell<'static>, b: Cell<'static>| {
            policy.settles(&a, &b, policy.active()).map(|words| {
                WORDS.iter().zip(words).filter(|(_, on)| *on).map(|(word, _)| *word).collect::<Vec<_>>()
            })
        };
        assert_eq!(settles(text("a "), text("A")), Some(vec!["case", "whitespace"]));
        assert_eq!(settles(text("a"), text("A")), Some(vec!["case"]));
        assert_eq!(settles(text(" n/a"), Cell::Null), Some(vec!["case", "whitespace", "null"]));
        assert_eq!(settles(text("a"), text("b")), None);
        assert_eq!(settles(text(""), Cell::Null), None);
    }
}
