//! A number times a factor.
//!
//! Pence became pounds, a share became percent, a weekly rent a yearly one: all numbers of the column are too large by the
//! same factor.
//!
//! - A pattern: five cells or more, of three values or more, and at least one in twenty of the column's differing cells,
//!   have exactly the same ratio. An opposite sign alone is `sign`.
//! - Zeros are equal whatever the factor.
//! - The line multiplies the source's number by the factor that most cells have. Where the load is wrong it must be put
//!   right instead.
//!
//! ```rows expected
//! | rent: i64 |
//! | 11250     |
//! | 9875      |
//! | 10400     |
//! | 8815      |
//! | 20000     |
//! ```
//! ```rows target
//! | rent: decimal(9,2) |
//! | 112.50             |
//! | 98.75              |
//! | 104.00             |
//! | 88.15              |
//! | 200.00             |
//! ```
//! ```causes
//! row 1: rent: scale_factor
//! row 2: rent: scale_factor
//! row 3: rent: scale_factor
//! row 4: rent: scale_factor
//! row 5: rent: scale_factor
//! ```
//! ```yaml settles
//! reconcile:
//!   columns:
//!     rent: { source_expression: "rent / 100" }
//! ```

use crate::frame::Number;

use super::both::Both;
use super::settling::{Settling, Told, joined, thousands};
use super::sign::{NO_NUMBER, is_not_zero};
use super::{Cause, Figure};

pub(super) const RANK: u8 = 120;
pub(super) const INCLUDES: &[&str] = &[];

/// The most digits behind the point of a factor that is written as a decimal number.
const MOST_DIGITS: u32 = 12;

pub(super) struct This;

fn greatest_common_divisor(a: i128, b: i128) -> i128 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.abs()
}

/// Returns the target's number divided by the expected one, in lowest terms; nothing for zeros and for plus or minus 1.
fn ratio(e: Number, t: Number) -> Option<(i128, i128)> {
    let ((e, e_scale), (t, t_scale)) = (e.exact()?, t.exact()?);
    let over = t.checked_mul(10_i128.checked_pow(e_scale)?)?;
    let under = e.checked_mul(10_i128.checked_pow(t_scale)?)?;
    if over == 0 || under == 0 || over.checked_abs()? == under.checked_abs()? {
        return None;
    }
    let common = greatest_common_divisor(over, under);
    let sign = under.signum();
    Some((sign * over / common, sign * under / common))
}

/// Returns a ratio in lowest terms as a decimal number, where it has no more than [`MOST_DIGITS`] digits behind the point.
fn plain(over: i128, under: i128) -> Option<String> {
    let scale = (0..=MOST_DIGITS).find(|scale| 10_i128.pow(*scale) % under == 0)?;
    let digits = over.checked_mul(10_i128.pow(scale) / under)?;
    let mut text = String::new();
    Number::Exact { digits, scale }.push_text(&mut text);
    Some(text)
}

impl Cause for This {
    fn pattern(&self, both: &Both<'_>, figures: &mut Vec<Figure>) {
        let ratio = both.numbers().and_then(|(e, t)| ratio(e, t));
        figures.extend(ratio.map(|(over, under)| Figure::Ratio(over, under)));
    }

    fn says(&self, told: &Told<'_>) -> String {
        let sign = |over: i128| if over < 0 { "-" } else { "" };
        let factors: Vec<String> = told
            .figures
            .iter()
            .filter_map(|(figure, _)| match figure {
                Figure::Ratio(over, 1) => Some(format!("{}{} times as large", sign(*over), thousands(*over))),
                Figure::Ratio(over @ (1 | -1), under) => {
                    Some(format!("{}{} times as small", sign(*over), thousands(*under)))
                }
                Figure::Ratio(over, under) => {
                    let factor = plain(*over, *under).unwrap_or_else(|| format!("{over}/{under}"));
                    Some(format!("{factor} times as large"))
                }
                _ => None,
            })
            .collect();
        format!("numbers that are exactly {} in the target", joined(&factors))
    }

    fn settling(&self, told: &Told<'_>) -> Option<Settling> {
        let (figure, _) = told.figures.first()?;
        let Figure::Ratio(over, under) = figure else { return None };
        let calculated = told.calculated(|name| match (over, under) {
            (over, 1) => format!("{name} * {over}"),
            (1, under) => format!("{name} / {under}"),
            (over, under) => match plain(*over, *under) {
                Some(factor) => format!("{name} * {factor}"),
                None => format!("{name} * {over} / {under}"),
            },
        })?;
        let settling = Settling::of(told, |own| own == figure)?.word("source_expression", calculated);
        Some(settling.giving_up("the unit of the source's numbers").altering(is_not_zero))
    }

    fn no_line(&self, _told: &Told<'_>) -> String {
        NO_NUMBER.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_are_written_plainly() {
        assert_eq!(plain(12_897, 100).as_deref(), Some("128.97"));
        assert_eq!(plain(-3, 4).as_deref(), Some("-0.75"));
        assert_eq!(plain(52, 1).as_deref(), Some("52"));
        assert_eq!(plain(1, 3), None);
        assert_eq!(plain(i128::MAX, 2), None);
    }

    #[test]
    fn ratios_are_exact() {
        let exact = |digits, scale| Number::Exact { digits, scale };
        assert_eq!(ratio(exact(1250, 0), exact(1250, 2)), Some((1, 100)));
        assert_eq!(ratio(exact(-5, 1), exact(6, 1)), Some((-6, 5)));
        assert_eq!(ratio(exact(5, 0), exact(-50, 1)), None);
        assert_eq!(ratio(exact(0, 0), exact(5, 0)), None);
        assert_eq!(ratio(exact(i128::MAX, 0), exact(3, 5)), None);
    }
}
