//! Exact decimal numbers of any size: where 38 digits do not suffice.

use std::cmp::Ordering;

use crate::frame::Number;

/// Digits are kept nine to a limb.
const BASE: u32 = 1_000_000_000;
const LIMB_DIGITS: usize = 9;

/// An exact decimal number without a limit to its digits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wide {
    negative: bool,
    /// The least significant first, the last not zero.
    limbs: Vec<u32>,
    /// How many digits stand behind the point.
    scale: usize,
}

impl Wide {
    /// Makes the number that `number` is worth; nothing for NaN and infinities.
    pub(super) fn new(number: Number) -> Option<Wide> {
        if let Number::Float(value) = number
            && !value.is_finite()
        {
            return None;
        }
        let mut text = String::new();
        number.push_text(&mut text);
        Wide::parse(&text)
    }

    /// Reads a sign, digits and at most one point.
    fn parse(text: &str) -> Option<Wide> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all = format!("{whole}{fraction}");
        let mut limbs = Vec::with_capacity(all.len() / LIMB_DIGITS + 1);
        for chunk in all.as_bytes().rchunks(LIMB_DIGITS) {
            limbs.push(std::str::from_utf8(chunk).ok()?.parse().ok()?);
        }
        Some(Wide { negative, limbs, scale: fraction.len() }.trimmed())
    }

    fn trimmed(mut self) -> Wide {
        while self.limbs.last() == Some(&0) {
            self.limbs.pop();
        }
        self.negative &= !self.limbs.is_empty();
        self
    }

    /// Brings the number to more digits behind the point.
    fn at_scale(&self, scale: usize) -> Wide {
        let more = scale.saturating_sub(self.scale);
        let mut limbs = vec![0; more / LIMB_DIGITS];
        let factor = 10_u64.pow(u32::try_from(more % LIMB_DIGITS).unwrap_or(0));
        let mut carry = 0;
        for limb in &self.limbs {
            let product = u64::from(*limb) * factor + carry;
            limbs.push(low(product));
            carry = product / u64::from(BASE);
        }
        limbs.push(low(carry));
        Wide { negative: self.negative, limbs, scale: self.scale + more }.trimmed()
    }

    /// Returns the sum.
    pub(super) fn add(&self, other: &Wide) -> Wide {
        let scale = self.scale.max(other.scale);
        let (a, b) = (self.at_scale(scale), other.at_scale(scale));
        if a.negative == b.negative {
            return Wide { negative: a.negative, limbs: add_limbs(&a.limbs, &b.limbs), scale }.trimmed();
        }
        match compare_limbs(&a.limbs, &b.limbs) {
            Ordering::Less => {
                Wide { negative: b.negative, limbs: subtract_limbs(&b.limbs, &a.limbs), scale }.trimmed()
            }
            _ => Wide { negative: a.negative, limbs: subtract_limbs(&a.limbs, &b.limbs), scale }.trimmed(),
        }
    }

    /// Returns the difference without its sign.
    pub(super) fn distance(&self, other: &Wide) -> Wide {
        let minus = Wide { negative: !other.negative, ..other.clone() }.trimmed();
        self.add(&minus).magnitude()
    }

    /// Returns the number without its sign.
    pub(super) fn magnitude(mut self) -> Wide {
        self.negative = false;
        self
    }

    /// Returns the product.
    pub(super) fn multiply(&self, other: &Wide) -> Wide {
        let mut limbs = vec![0_u32; self.limbs.len() + other.limbs.len() + 1];
        for (i, a) in self.limbs.iter().enumerate() {
            let mut carry = 0_u64;
            let places = limbs.iter_mut().skip(i);
            for (place, b) in places.zip(other.limbs.iter().chain(std::iter::repeat(&0))) {
                let value = u64::from(*place) + u64::from(*a) * u64::from(*b) + carry;
                *place = low(value);
                carry = value / u64::from(BASE);
            }
        }
        Wide { negative: self.negative != other.negative, limbs, scale: self.scale + other.scale }.trimmed()
    }

    /// Returns how the two stand to each other, by value.
    pub(super) fn compare(&self, other: &Wide) -> Ordering {
        let scale = self.scale.max(other.scale);
        let (a, b) = (self.at_scale(scale), other.at_scale(scale));
        match (a.negative, b.negative) {
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (true, true) => compare_limbs(&b.limbs, &a.limbs),
            (false, false) => compare_limbs(&a.limbs, &b.limbs),
        }
    }

    /// Returns the number as text with at least `scale` digits behind the point, and no more zeros at the end than that.
    pub(super) fn text(&self, scale: usize) -> String {
        let wide = self.at_scale(scale);
        let mut digits = String::new();
        for limb in wide.limbs.iter().rev() {
            digits.push_str(&format!("{limb:09}"));
        }
        let digits = digits.trim_start_matches('0');
        let digits = format!("{digits:0>width$}", width = wide.scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - wide.scale);
        let mut fraction = fraction;
        while fraction.len() > scale && fraction.ends_with('0') {
            fraction = &fraction[..fraction.len() - 1];
        }
        let sign = if wide.negative { "-" } else { "" };
        let point = if fraction.is_empty() { "" } else { "." };
        format!("{sign}{whole}{point}{fraction}")
    }
}

/// Returns what stays in a limb; the rest is carried.
fn low(value: u64) -> u32 {
    u32::try_from(value % u64::from(BASE)).unwrap_or(0)
}

fn add_limbs(a: &[u32], b: &[u32]) -> Vec<u32> {
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    let mut sum = Vec::with_capacity(long.len() + 1);
    let mut carry = 0_u64;
    for (x, y) in long.iter().zip(short.iter().chain(std::iter::repeat(&0))) {
        let value = u64::from(*x) + u64::from(*y) + carry;
        sum.push(low(value));
        carry = value / u64::from(BASE);
    }
    sum.push(low(carry));
    sum
}

/// Subtracts `b` from `a`, which is not less.
fn subtract_limbs(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut difference = Vec::with_capacity(a.len());
    let mut borrow = 0_u64;
    for (x, y) in a.iter().zip(b.iter().chain(std::iter::repeat(&0))) {
        let value = u64::from(*x) + u64::from(BASE) - u64::from(*y) - borrow;
        difference.push(low(value));
        borrow = u64::from(value < u64::from(BASE));
    }
    difference
}

fn compare_limbs(a: &[u32], b: &[u32]) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.iter().rev().cmp(b.iter().rev()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wide(digits: i128, scale: u32) -> Wide {
        Wide::new(Number::Exact { digits, scale }).unwrap()
    }

    proptest! {
        #[test]
        fn arithmetic_is_that_of_integers(a in any::<i64>(), b in any::<i64>(), s in 0_u32..25) {
            let (x, y) = (wide(a.into(), s), wide(b.into(), s));
            let same = |w: &Wide, digits: i128, scale: u32| w.compare(&wide(digits, scale)) == Ordering::Equal;
            prop_assert!(same(&x.add(&y), i128::from(a) + i128::from(b), s));
            prop_assert!(same(&x.distance(&y), (i128::from(a) - i128::from(b)).abs(), s));
            prop_assert!(same(&x.multiply(&y), i128::from(a) * i128::from(b), s * 2));
            prop_assert_eq!(x.compare(&y), a.cmp(&b));
            prop_assert_eq!(Wide::parse(&x.text(0)).unwrap().compare(&x), Ordering::Equal);
        }

        #[test]
        fn scales_do_not_matter(a in any::<i32>(), s in 0_u32..12, more in 0_u32..25) {
            let (x, y) = (wide(a.into(), s), wide(i128::from(a) * 10_i128.pow(more), s + more));
            prop_assert_eq!(x.compare(&y), Ordering::Equal);
            prop_assert_eq!(x.text(0), y.text(0));
        }
    }

    #[test]
    fn texts() {
        assert_eq!(wide(-150, 2).text(0), "-1.5");
        assert_eq!(wide(-150, 2).text(3), "-1.500");
        assert_eq!(wide(0, 2).text(2), "0.00");
        assert_eq!(wide(1_000_000_000_000, 0).text(0), "1000000000000");
        let huge = Wide::new(Number::Float(1e300)).unwrap();
        assert_eq!(huge.add(&wide(1, 1)).distance(&huge).text(0), "0.1");
        assert!(Wide::new(Number::Float(f64::NAN)).is_none());
    }
}
