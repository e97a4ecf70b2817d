//! Numbers as they are written.

/// Reads a number as written in a rule file, with or without a sign, exactly.
pub(super) fn signed_number(text: &str) -> Option<(i128, u8)> {
    let (negative, plain) = match text.strip_prefix('-') {
        Some(plain) => (true, plain),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let starts = plain.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let (digits, scale) = number(plain).filter(|_| starts)?;
    Some((if negative { -digits } else { digits }, scale))
}

/// Reads a number as written in SQL, with or without an exponent, exactly.
pub(super) fn number(text: &str) -> Option<(i128, u8)> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let digits = format!("0{whole}{fraction}");
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut digits: i128 = digits.parse().ok()?;
    let mut scale = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
    while scale > 0 && digits % 10 == 0 {
        digits /= 10;
        scale -= 1;
    }
    if scale < 0 {
        digits = digits.checked_mul(10_i128.checked_pow(scale.unsigned_abs())?)?;
        scale = 0;
    }
    let fits = digits.unsigned_abs() < 10_u128.pow(38) && scale <= 38;
    fits.then_some((digits, u8::try_from(scale).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact() {
        assert_eq!(number("1.50"), Some((15, 1)));
        assert_eq!(number(".5"), Some((5, 1)));
        assert_eq!(number("1e3"), Some((1000, 0)));
        assert_eq!(number("12.5e-3"), Some((125, 4)));
        assert_eq!(number("0.000"), Some((0, 0)));
        assert_eq!(number("9".repeat(38).as_str()), Some((10_i128.pow(38) - 1, 0)));
        assert_eq!(number("9".repeat(39).as_str()), None);
        assert_eq!(number("1e400"), None);
    }
}
