//! Numbers of all types, compared by value.

use std::cmp::Ordering;
use std::fmt::Write;

/// A number of any of our types, to be compared by value.
///
/// What a floating-point number is worth: whole ones (all above 2⁵³ are) exactly what they hold, others the
/// decimal number with the fewest digits that reads back as them. So 0.1 in binary is 0.1, as whoever wrote
/// it meant, and no two floating-point numbers become one. NaN equals itself and is greater than all others.
#[derive(Debug, Clone, Copy)]
pub enum Number {
    /// `digits` divided by ten to the power of `scale`.
    Exact {
        /// All digits, without the point.
        digits: i128,
        /// How many of them stand behind the point.
        scale: u32,
    },
    /// A floating-point number.
    Float(f64),
}

impl Number {
    /// Makes a whole number.
    pub fn whole(value: impl Into<i128>) -> Self {
        Number::Exact { digits: value.into(), scale: 0 }
    }

    /// Returns how two numbers stand to each other, by value, whatever their types.
    pub fn compare(self, other: Number) -> Ordering {
        match (self, other) {
            (Number::Exact { digits: a, scale: s }, Number::Exact { digits: b, scale: t }) => {
                compare_exact(a, s, b, t)
            }
            (Number::Float(a), Number::Float(b)) => compare_floats(a, b),
            (Number::Float(a), Number::Exact { digits, scale }) => compare_float(a, digits, scale),
            (Number::Exact { digits, scale }, Number::Float(b)) => compare_float(b, digits, scale).reverse(),
        }
    }

    /// Returns the digits and scale of a number that has them; nothing for NaN, infinities and numbers that
    /// need more digits than fit.
    pub fn exact(self) -> Option<(i128, u32)> {
        match self {
            Number::Exact { digits, scale } => Some((digits, scale)),
            Number::Float(value) if !value.is_finite() => None,
            Number::Float(value) if value.fract() == 0.0 => whole_float(value).map(|digits| (digits, 0)),
            Number::Float(value) => decimal_of(value),
        }
    }

    /// Returns the nearest floating-point number.
    pub fn float(self) -> f64 {
        match self {
            Number::Float(value) => value,
            Number::Exact { digits, scale: 0 } => digits as f64,
            Number::Exact { digits, scale } => {
                let small = digits.unsigned_abs() < 1 << 53 && scale <= 22;
                if small {
                    // Both are exact, so that the quotient is the nearest one.
                    return digits as f64 / 10_f64.powi(scale.cast_signed());
                }
                format!("{digits}e-{scale}").parse().unwrap_or(f64::NAN)
            }
        }
    }

    /// Writes the number so that equal numbers of any type have equal texts: no zeros at the end of a fraction,
    /// no minus before zero.
    pub fn push_text(self, text: &mut String) {
        // Writing to a String cannot fail.
        let _ = match self {
            // Minus zero is zero.
            Number::Float(0.0) => text.write_str("0"),
            Number::Float(value) if value.fract() == 0.0 => write!(text, "{value:.0}"),
            Number::Float(value) => write!(text, "{value}"),
            Number::Exact { digits, scale } => {
                push_decimal(digits, scale, text);
                Ok(())
            }
        };
    }
}

/// Writes a decimal number without zeros at the end of its fraction.
fn push_decimal(mut digits: i128, mut scale: u32, text: &mut String) {
    while scale > 0 && digits % 10 == 0 {
        digits /= 10;
        scale -= 1;
    }
    if scale == 0 {
        let _ = write!(text, "{digits}");
        return;
    }
    if digits < 0 {
        text.push('-');
    }
    let all = digits.unsigned_abs().to_string();
    let scale = scale as usize;
    let padded = format!("{all:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    text.push_str(whole);
    text.push('.');
    text.push_str(fraction);
}

fn compare_exact(a: i128, a_scale: u32, b: i128, b_scale: u32) -> Ordering {
    if a_scale == b_scale || a.signum() != b.signum() {
        return if a_scale == b_scale { a.cmp(&b) } else { a.signum().cmp(&b.signum()) };
    }
    if a_scale > b_scale {
        return compare_exact(b, b_scale, a, a_scale).reverse();
    }
    let brought = 10_i128.checked_pow(b_scale - a_scale).and_then(|factor| a.checked_mul(factor));
    match brought {
        Some(brought) => brought.cmp(&b),
        // Too large for the type means further from zero than anything in it.
        None => a.signum().cmp(&0),
    }
}

fn compare_floats(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

fn compare_float(float: f64, digits: i128, scale: u32) -> Ordering {
    if !float.is_finite() {
        return compare_floats(float, 0.0);
    }
    let near = digits as f64 / 10_f64.powi(scale.cast_signed());
    if (float - near).abs() > 1e-9 * float.abs().max(near.abs()) {
        return compare_floats(float, near);
    }
    match Number::Float(float).exact() {
        Some((own, own_scale)) => compare_exact(own, own_scale, digits, scale),
        None => compare_floats(float, near),
    }
}

/// Returns a whole floating-point number as an integer, where it fits.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
fn whole_float(value: f64) -> Option<i128> {
    (value.abs() < 1.7e38).then_some(value as i128)
}

/// Returns the shortest decimal number that reads back as `value`, where its digits fit.
fn decimal_of(value: f64) -> Option<(i128, u32)> {
    let text = format!("{value:e}");
    let (mantissa, exponent) = text.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let scale = i32::try_from(fraction.len()).ok()? - exponent;
    match u32::try_from(scale) {
        Ok(scale) => Some((digits, scale)),
        Err(_) => {
            10_i128.checked_pow(scale.unsigned_abs()).and_then(|f| digits.checked_mul(f)).map(|d| (d, 0))
        }
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "numbers read back to the bit")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(number: Number) -> String {
        let mut text = String::new();
        number.push_text(&mut text);
        text
    }

    /// The plain judgement: the canonical texts' whole parts by length and digits, then their fractions.
    fn compare_texts(a: &str, b: &str) -> Ordering {
        let (a_minus, b_minus) = (a.starts_with('-'), b.starts_with('-'));
        if a_minus != b_minus {
            return b_minus.cmp(&a_minus);
        }
        let split = |t: &str| {
            let t = t.trim_start_matches('-').to_owned();
            let (whole, fraction) = t.split_once('.').unwrap_or((&t, ""));
            (whole.len(), whole.to_owned(), fraction.to_owned())
        };
        let order = split(a).cmp(&split(b));
        if a_minus { order.reverse() } else { order }
    }

    fn number() -> impl Strategy<Value = Number> {
        let near_limits = prop_oneof![
            any::<i128>(),
            any::<i64>().prop_map(i128::from),
            -20_i128..20,
            (1_i128 << 53) - 3..(1_i128 << 53) + 3,
            Just(9_223_372_036_854_774_784)
        ];
        prop_oneof![
            (near_limits, 0_u32..39).prop_map(|(digits, scale)| Number::Exact { digits, scale }),
            any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Number::Float),
            (-200_i32..200, 0_i32..4).prop_map(|(n, s)| Number::Float(f64::from(n) / 10_f64.powi(s))),
            any::<i64>().prop_map(|n| Number::Float(n as f64)),
            (-200_i64..200, 0_u32..4).prop_map(|(n, s)| Number::Exact { digits: n.into(), scale: s }),
        ]
    }

    proptest! {
        #[test]
        fn order_is_that_of_the_texts(a in number(), b in number()) {
            prop_assert_eq!(a.compare(b), compare_texts(&text(a), &text(b)), "{} {}", text(a), text(b));
        }

        #[test]
        fn a_float_reads_back(value in any::<f64>()) {
            if value.is_finite() {
                prop_assert_eq!(text(Number::Float(value)).parse::<f64>().unwrap(), value);
                if let Some((digits, scale)) = Number::Float(value).exact() {
                    prop_assert_eq!(Number::Exact { digits, scale }.float(), value);
                }
            }
        }
    }

    #[test]
    fn equal_values_have_equal_texts() {
        let exact = |digits, scale| text(Number::Exact { digits, scale });
        assert_eq!([exact(1, 0), exact(10, 1), exact(100, 2), text(Number::Float(1.0))], ["1"; 4]);
        assert_eq!([exact(0, 0), exact(0, 9), text(Number::Float(-0.0))], ["0"; 3]);
        assert_eq!([exact(-5, 2), text(Number::Float(-0.05))], ["-0.05"; 2]);
        assert_eq!(text(Number::Float(9_223_372_036_854_774_784.0)), "9223372036854774784");
        assert_eq!(text(Number::Float(1e-7)), "0.0000001");
    }

    #[test]
    fn nothing_is_lost_between_types() {
        let above = Number::whole((1_i64 << 53) + 1);
        assert_eq!(above.compare(Number::Float(9_007_199_254_740_992.0)), Ordering::Greater);
        assert_eq!(Number::Float(f64::NAN).compare(Number::whole(i64::MAX)), Ordering::Greater);
        assert_eq!(Number::Float(f64::NEG_INFINITY).compare(Number::whole(i64::MIN)), Ordering::Less);
        assert_eq!(Number::Float(0.1).compare(Number::Exact { digits: 1, scale: 1 }), Ordering::Equal);
    }
}
