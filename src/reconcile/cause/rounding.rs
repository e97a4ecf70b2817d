//! A number that was rounded or cut off at a digit.
//!
//! `12.345` became `12.35`, or `12.34`: the new column has fewer digits, or a program counts in pence.
//!
//! - One side has more digits behind the point than the other, and the two are less than one unit of the other's last
//!   digit apart. Half a unit or less is rounding, more is cutting off.
//! - Where both columns are decimals of the same scale, a value that ends in zeros may have been rounded or may be
//!   another one: then it is a pattern, of five cells or more with the same number of digits.
//! - The tolerance is as small as can be: half a unit for rounding, a whole one for cutting off.
//!
//! ```rows expected
//! | rent: decimal(9,4) |
//! | 112.3456           |
//! | 98.7650            |
//! ```
//! ```rows target
//! | rent: decimal(9,2) |
//! | 112.35             |
//! | 98.77              |
//! ```
//! ```causes
//! row 1: rent: rounding
//! row 2: rent: rounding
//! ```
//! ```yaml settles
//! reconcile:
//!   columns:
//!     rent: { tolerance: 0.005 }
//! ```

use crate::frame::Number;
use crate::model::{Family, Logical};
use crate::node::yaml;

use super::both::Both;
use super::number_format::DECIMAL;
use super::settling::{Settling, Told};
use super::{Cause, Figure};

pub(super) const RANK: u8 = 110;
pub(super) const INCLUDES: &[&str] = &[];

/// The most digits behind the point of a tolerance.
const MOST_DIGITS: i128 = 20;

pub(super) struct This;

/// Digits and scale of a number, without zeros at the end, but with no fewer digits behind the point than `least`.
fn trimmed(number: Number, least: u32) -> Option<(i128, u32)> {
    let (mut digits, mut scale) = number.exact()?;
    while scale > least && digits % 10 == 0 {
        digits /= 10;
        scale -= 1;
    }
    Some((digits, scale))
}

/// Returns the scale to which one of two numbers was brought, and whether it was rounded; nothing where it was not.
fn brought(e: (i128, u32), t: (i128, u32)) -> Option<(u32, bool)> {
    let (fine, coarse) = if e.1 > t.1 { (e, t) } else { (t, e) };
    let unit = 10_i128.checked_pow(fine.1.checked_sub(coarse.1)?)?;
    let distance = fine.0.checked_sub(coarse.0.checked_mul(unit)?)?.checked_abs()?;
    if unit == 1 || distance == 0 || distance >= unit {
        return None;
    }
    // The greatest scale at which the distance is no more than half a unit, but no finer than the finer number.
    let half = |scale: u32| {
        let unit = 10_i128.checked_pow(fine.1.checked_sub(scale)?)?;
        Some(distance.checked_mul(2)? <= unit)
    };
    if half(coarse.1) != Some(true) {
        return Some((coarse.1, false));
    }
    let scale = (coarse.1..fine.1).rev().find(|scale| half(*scale) == Some(true));
    Some((scale.unwrap_or(coarse.1), true))
}

/// Returns the declared scale of both columns where it is the same.
fn common_scale(both: &Both<'_>) -> Option<u32> {
    match (&both.of.e.logical, &both.of.t.logical) {
        (Logical::Decimal { scale: e, .. }, Logical::Decimal { scale: t, .. }) if e == t => Some(u32::from(*e)),
        _ => None,
    }
}

fn declared(logical: &Logical) -> u32 {
    match logical {
        Logical::Decimal { scale, .. } => u32::from(*scale),
        _ => 0,
    }
}

impl Cause for This {
    fn cell(&self, both: &Both<'_>) -> Option<Figure> {
        if common_scale(both).is_some() {
            return None;
        }
        let (e, t) = both.numbers()?;
        let (scale_e, scale_t) = (declared(&both.of.e.logical), declared(&both.of.t.logical));
        let least = if scale_e == 0 || scale_t == 0 { scale_e.max(scale_t) } else { scale_e.min(scale_t) };
        let (scale, rounded) = brought(trimmed(e, least)?, trimmed(t, least)?)?;
        Some(Figure::Ratio(i128::from(scale), i128::from(rounded)))
    }

    fn pattern(&self, both: &Both<'_>, figures: &mut Vec<Figure>) {
        let found = common_scale(both).and_then(|_| {
            let (e, t) = both.numbers()?;
            let (e, t) = (trimmed(e, 0)?, trimmed(t, 0)?);
            brought(e, t).map(|(_, rounded)| (e.1.min(t.1), rounded))
        });
        figures.extend(found.map(|(scale, rounded)| Figure::Ratio(i128::from(scale), i128::from(rounded))));
    }

    fn says(&self, told: &Told<'_>) -> String {
        let (scale, rounded) = coarsest(told);
        let digits = match scale {
            0 => "whole numbers".to_owned(),
            1 => "1 digit behind the point".to_owned(),
            n => format!("{n} digits behind the point"),
        };
        if rounded { format!("rounding to {digits}") } else { format!("rounding to or cutting off at {digits}") }
    }

    fn settling(&self, told: &Told<'_>) -> Option<Settling> {
        let (scale, rounded) = coarsest(told);
        let settling = Settling::of_all(told).filter(|_| scale <= MOST_DIGITS)?;
        let zeros = "0".repeat(usize::try_from(scale).ok()?);
        let tolerance = match (rounded, scale) {
            (true, _) => format!("0.{zeros}5"),
            (false, 0) => "1".to_owned(),
            (false, _) => format!("0.{}1", zeros.get(1..)?),
        };
        let settling = settling.word("tolerance", tolerance.as_str()).giving_up(format!("differences up to {tolerance}"));
        if told.of.column.meeting.logical.family() == Family::Number {
            return Some(settling);
        }
        (!told.keeps_text()).then(|| settling.word("as", yaml::text(DECIMAL)))
    }

    fn no_line(&self, told: &Told<'_>) -> String {
        told.kept_as_text_or("A tolerance has no more than 20 digits behind the point.")
    }
}

/// Returns the fewest digits behind the point to which a number was brought, and whether all were rounded.
fn coarsest(told: &Told<'_>) -> (i128, bool) {
    let figures = || {
        told.figures.iter().filter_map(|(figure, _)| match figure {
            Figure::Ratio(scale, rounded) => Some((*scale, *rounded == 1)),
            _ => None,
        })
    };
    (figures().map(|(scale, _)| scale).min().unwrap_or(0), figures().all(|(_, rounded)| rounded))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounded_cut_off_or_another_number() {
        assert_eq!(brought((123_456, 4), (1235, 2)), Some((2, true)));
        assert_eq!(brought((123_456, 4), (1234, 2)), Some((2, false)));
        assert_eq!(brought((125, 1), (12, 0)), Some((0, true)), "half a unit, to even");
        assert_eq!(brought((123_456, 4), (1236, 2)), None);
        assert_eq!(brought((1234, 2), (1235, 2)), None);
        assert_eq!(brought((-123_456, 4), (-1235, 2)), Some((2, true)));
    }
}
