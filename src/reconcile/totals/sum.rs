//! Sums without limit, the same in any order.

use crate::frame::Number;
use crate::reconcile::policy::at_scale;
use crate::reconcile::wide::Wide;

/// The sum of the numbers so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Sum {
    /// The sum of what fits here; the rest is in `wide`.
    digits: i128,
    scale: u32,
    wide: Option<Wide>,
    nan: bool,
    plus_infinity: bool,
    minus_infinity: bool,
}

/// A sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Total {
    Null,
    Exact(Wide),
    NotFinite(&'static str),
}

impl Total {
    pub(super) fn text(&self, scale: usize) -> Option<String> {
        match self {
            Total::Null => None,
            Total::Exact(wide) => Some(wide.text(scale)),
            Total::NotFinite(text) => Some((*text).to_owned()),
        }
    }
}

impl Sum {
    /// Adds a number.
    pub(super) fn add(&mut self, number: Number) {
        if let Number::Float(value) = number
            && !value.is_finite()
        {
            self.nan |= value.is_nan();
            self.plus_infinity |= value == f64::INFINITY;
            self.minus_infinity |= value == f64::NEG_INFINITY;
            return;
        }
        if !number.exact().is_some_and(|exact| self.fits(exact))
            && let Some(wide) = Wide::new(number)
        {
            self.add_wide(&wide);
        }
    }

    /// Adds digits where the sum still fits; returns false where it does not.
    fn fits(&mut self, exact: (i128, u32)) -> bool {
        let scale = self.scale.max(exact.1);
        let sum = at_scale((self.digits, self.scale), scale)
            .zip(at_scale(exact, scale))
            .and_then(|(so_far, more)| so_far.checked_add(more));
        if let Some(sum) = sum {
            (self.digits, self.scale) = (sum, scale);
        }
        sum.is_some()
    }

    fn add_wide(&mut self, number: &Wide) {
        self.wide = Some(self.wide.take().unwrap_or_default().add(number));
    }

    /// Adds what was added up apart.
    pub(super) fn merge(&mut self, other: &Sum) {
        if !self.fits((other.digits, other.scale))
            && let Some(wide) = Wide::new(Number::Exact { digits: other.digits, scale: other.scale })
        {
            self.add_wide(&wide);
        }
        if let Some(wide) = &other.wide {
            self.add_wide(wide);
        }
        self.nan |= other.nan;
        self.plus_infinity |= other.plus_infinity;
        self.minus_infinity |= other.minus_infinity;
    }

    /// Returns the sum of `count` values.
    pub(super) fn value(&self, count: u64) -> Total {
        match (self.nan, self.plus_infinity, self.minus_infinity) {
            (true, _, _) | (_, true, true) => return Total::NotFinite("NaN"),
            (_, true, _) => return Total::NotFinite("inf"),
            (_, _, true) => return Total::NotFinite("-inf"),
            _ => {}
        }
        if count == 0 {
            return Total::Null;
        }
        let fitting = Wide::new(Number::Exact { digits: self.digits, scale: self.scale }).unwrap_or_default();
        Total::Exact(match &self.wide {
            Some(wide) => wide.add(&fitting),
            None => fitting,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sum(values: &[f64]) -> Option<String> {
        let mut sum = Sum::default();
        for value in values {
            sum.add(Number::Float(*value));
        }
        sum.value(values.len() as u64).text(0)
    }

    proptest! {
        #[test]
        fn the_order_of_floats_does_not_matter(
            values in proptest::collection::vec(any::<f64>(), 1..20).prop_shuffle(),
        ) {
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            prop_assert_eq!(sum(&values), sum(&sorted));
        }

        #[test]
        fn parts_add_up_to_the_whole(
            values in proptest::collection::vec(any::<f64>(), 0..20),
            whole in proptest::collection::vec(any::<i128>(), 0..6),
            at in any::<proptest::sample::Index>(),
        ) {
            let numbers: Vec<Number> =
                values.iter().map(|v| Number::Float(*v)).chain(whole.iter().map(|v| Number::whole(*v))).collect();
            let add = |numbers: &[Number]| {
                let mut sum = Sum::default();
                for number in numbers {
                    sum.add(*number);
                }
                sum
            };
            let count = numbers.len() as u64;
            let (first, second) = numbers.split_at(at.index(numbers.len() + 1));
            let mut parts = add(second);
            parts.merge(&add(first));
            prop_assert_eq!(parts.value(count).text(0), add(&numbers).value(count).text(0));
        }
    }

    #[test]
    fn sums_are_exact_and_without_limit() {
        assert_eq!(sum(&[0.1, 0.2]).unwrap(), "0.3");
        assert_eq!(sum(&[1e300, 0.5, -1e300]).unwrap(), "0.5");
        assert_eq!(sum(&[f64::INFINITY, 1.0]).unwrap(), "inf");
        assert_eq!(sum(&[f64::INFINITY, f64::NEG_INFINITY]).unwrap(), "NaN");
        assert_eq!(sum(&[]), None);
        let mut large = Sum::default();
        for _ in 0..3 {
            large.add(Number::whole(i128::MAX));
        }
        assert_eq!(large.value(3).text(0).unwrap(), "510423550381407695195061911147652317181");
    }
}
