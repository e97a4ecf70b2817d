//! Numbers and booleans.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Decimal128Array, Decimal128Builder, Float64Builder, Int64Builder,
};

use super::{Decoder, Unfit};

const LENGTH: Unfit = Unfit::Damaged("a number has another length than its type");

fn sized<const N: usize>(value: &[u8]) -> Result<[u8; N], Unfit> {
    value.try_into().map_err(|_| LENGTH)
}

/// `bool`.
#[derive(Debug, Default)]
pub(super) struct Bools(BooleanBuilder);

impl Decoder for Bools {
    fn add(&mut self, value: Option<&[u8]>) -> Result<(), Unfit> {
        match value {
            None => self.0.append_null(),
            Some(value) => self.0.append_value(sized::<1>(value)? != [0]),
        }
        Ok(())
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}

/// Whole numbers of `N` bytes.
#[derive(Debug, Default)]
pub(super) struct Ints<const N: usize>(Int64Builder);

impl<const N: usize> Decoder for Ints<N> {
    fn add(&mut self, value: Option<&[u8]>) -> Result<(), Unfit> {
        match value {
            None => self.0.append_null(),
            Some(value) => {
                let bytes = sized::<N>(value)?;
                let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
                let mut whole = if negative { [0xff; 8] } else { [0; 8] };
                for (to, from) in whole.iter_mut().rev().zip(bytes.iter().rev()) {
                    *to = *from;
                }
                self.0.append_value(i64::from_be_bytes(whole));
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}

/// `oid`: four bytes without a sign.
#[derive(Debug, Default)]
pub(super) struct Oids(Int64Builder);

impl Decoder for Oids {
    fn add(&mut self, value: Option<&[u8]>) -> Result<(), Unfit> {
        match value {
            None => self.0.append_null(),
            Some(value) => self.0.append_value(i64::from(u32::from_be_bytes(sized(value)?))),
        }
        Ok(())
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}

/// Floating-point numbers of `N` bytes. One of four is the one of eight that has the same value: 0.1 of `float4` is
/// 0.10000000149011612, which is what it was all along.
#[derive(Debug, Default)]
pub(super) struct Floats<const N: usize>(Float64Builder);

impl<const N: usize> Decoder for Floats<N> {
    fn add(&mut self, value: Option<&[u8]>) -> Result<(), Unfit> {
        match value {
            None => self.0.append_null(),
            Some(value) if N == 4 => self.0.append_value(f64::from(f32::from_be_bytes(sized(value)?))),
            Some(value) => self.0.append_value(f64::from_be_bytes(sized(value)?)),
        }
        Ok(())
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}

/// `numeric(p,s)`.
#[derive(Debug)]
pub(super) struct Numerics {
    builder: Decimal128Builder,
    precision: u8,
    scale: u8,
    /// The first number that has too many digits.
    limit: u128,
}

impl Numerics {
    pub fn new(precision: u8, scale: u8) -> Self {
        let limit = 10_u128.checked_pow(u32::from(precision)).unwrap_or(u128::MAX);
        Numerics { builder: Decimal128Builder::new(), precision, scale, limit }
    }
}

impl Decoder for Numerics {
    fn add(&mut self, value: Option<&[u8]>) -> Result<(), Unfit> {
        let Some(value) = value else {
            self.builder.append_null();
            return Ok(());
        };
        let number = numeric(value, self.scale)?;
        if number.unsigned_abs() >= self.limit {
            return Err(MORE);
        }
        self.builder.append_value(number);
        Ok(())
    }

    fn finish(&mut self) -> ArrayRef {
        let array: Decimal128Array = self.builder.finish();
        match array.clone().with_precision_and_scale(self.precision, self.scale.cast_signed()) {
            Ok(array) => Arc::new(array),
            // Precision and scale come from the declared type, which has been tested.
            Err(_) => Arc::new(array),
        }
    }
}

const MORE: Unfit = Unfit::Beyond("it has numbers with more digits than are declared");
const DAMAGED: Unfit = Unfit::Damaged("a number cannot be made out");

/// Reads a `numeric` as the whole number that it is at a scale: digits to the base of 10000, the first of them worth
/// 10000 to the power of `weight`.
fn numeric(bytes: &[u8], scale: u8) -> Result<i128, Unfit> {
    let word = |at: usize| -> Result<u16, Unfit> {
        let pair = bytes.get(2 * at..2 * at + 2).ok_or(DAMAGED)?;
        Ok(u16::from_be_bytes([pair[0], pair[1]]))
    };
    let count = usize::from(word(0)?);
    let weight = i32::from(word(1)?.cast_signed());
    let negative = match word(2)? {
        0x0000 => false,
        0x4000 => true,
        0xc000 => return Err(Unfit::Beyond("it has NaN, which no decimal can hold")),
        0xd000 | 0xf000 => return Err(Unfit::Beyond("it has infinity, which no decimal can hold")),
        _ => return Err(DAMAGED),
    };
    if bytes.len() != 8 + 2 * count {
        return Err(DAMAGED);
    }
    // The power of ten that a one at the last digit stands for, at the scale.
    let mut left = 0;
    // Four digits are below 10 to the power of 16: most numbers never need more than a machine word.
    let mut small: u64 = 0;
    let mut number: i128 = 0;
    for i in 0..count {
        let digit = u32::from(word(4 + i)?);
        if digit > 9_999 {
            return Err(DAMAGED);
        }
        let power = 4 * (weight - i32::try_from(i).map_err(|_| DAMAGED)?) + i32::from(scale);
        let (times, more) = if let Ok(power) = u32::try_from(power) {
            left = power;
            (10_000, digit)
        } else {
            let below = 10_u32.pow(power.unsigned_abs().min(4));
            if digit % below != 0 {
                return Err(MORE);
            }
            left = 0;
            // A digit wholly below the scale is nought, and takes no place.
            (10_000 / below, digit / below)
        };
        if i < 4 {
            small = small * u64::from(times) + u64::from(more);
            number = i128::from(small);
        } else {
            number = number
                .checked_mul(i128::from(times))
                .and_then(|number| number.checked_add(i128::from(more)))
                .ok_or(MORE)?;
        }
    }
    if number != 0 && left != 0 {
        number = 10_i128.checked_pow(left).and_then(|power| number.checked_mul(power)).ok_or(MORE)?;
    }
    Ok(if negative { -number } else { number })
}

#[cfg(test)]
mod tests {
    use super::super::Wire;
    use super::super::testing::{printed, refused};
    use super::*;

    /// Makes the bytes of a `numeric`.
    fn bytes(weight: i16, sign: u16, digits: &[u16]) -> Vec<u8> {
        let mut words = vec![u16::try_from(digits.len()).unwrap(), weight.cast_unsigned(), sign, 0];
        words.extend(digits);
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn numerics_to_the_last_digit() {
        for (weight, sign, digits, scale, expected) in [
            (0, 0, &[][..], 2, 0),
            (0, 0, &[12, 3_400], 2, 1_234),
            (0, 0x4000, &[12, 3_400], 2, -1_234),
            (1, 0, &[1], 0, 10_000),
            (1, 0, &[1], 3, 10_000_000),
            (-1, 0, &[1], 4, 1),
            (-2, 0, &[5_000], 5, 5),
            (-2, 0, &[5_000], 8, 5_000),
            (-1, 0, &[9_900], 2, 99),
            (9, 0, &[1, 0, 0, 0, 0, 0, 0, 0, 0, 9], 0, 1_000_000_000_000_000_000_000_000_000_000_000_009),
            (
                9,
                0x4000,
                &[99, 9_999, 9_999, 9_999, 9_999, 9_999, 9_999, 9_999, 9_999, 9_999],
                0,
                -99_999_999_999_999_999_999_999_999_999_999_999_999,
            ),
            // 41 digits to the base of 10000, but 38 of the number.
            (
                9,
                0,
                &[9, 9_999, 9_999, 9_999, 9_999, 9_999, 9_999, 9_999, 9_999, 9_999, 9_000],
                1,
                99_999_999_999_999_999_999_999_999_999_999_999_999,
            ),
        ] {
            assert_eq!(numeric(&bytes(weight, sign, digits), scale), Ok(expected), "{digits:?} at {scale}");
        }
    }

    #[test]
    fn numerics_that_do_not_fit_are_not_taken() {
        let ten_two = Wire::Numeric { precision: 10, scale: 2 };
        assert!(
            matches!(refused(ten_two, &bytes(0, 0xc000, &[])), Unfit::Beyond(why) if why.contains("NaN"))
        );
        assert!(
            matches!(refused(ten_two, &bytes(0, 0xd000, &[])), Unfit::Beyond(why) if why.contains("infinity"))
        );
        assert!(matches!(refused(ten_two, &bytes(0, 0xf000, &[])), Unfit::Beyond(_)));
        assert_eq!(refused(ten_two, &bytes(-1, 0, &[1])), MORE);
        assert_eq!(refused(ten_two, &bytes(-1, 0, &[123])), MORE);
        assert_eq!(refused(ten_two, &bytes(-3, 0, &[1])), MORE);
        assert_eq!(refused(ten_two, &bytes(2, 0, &[1])), MORE);
        assert_eq!(refused(ten_two, &bytes(20_000, 0, &[1])), MORE);
        assert_eq!(refused(ten_two, &bytes(0, 0, &[10_000])), DAMAGED);
        assert_eq!(refused(ten_two, &[0, 1, 0]), DAMAGED);
        assert_eq!(printed(ten_two, &[&bytes(1, 0, &[9_999, 9_999, 9_900])]), ["99999999.99"]);
        assert_eq!(
            refused(Wire::Numeric { precision: 7, scale: 2 }, &bytes(1, 0, &[9_999, 9_999, 9_900])),
            MORE
        );
    }

    #[test]
    fn numbers_at_their_ends() {
        assert_eq!(
            printed(Wire::Int2, &[&i16::MIN.to_be_bytes(), &i16::MAX.to_be_bytes()]),
            ["-32768", "32767"]
        );
        assert_eq!(printed(Wire::Int4, &[&i32::MIN.to_be_bytes(), &[0, 0, 0, 7]]), ["-2147483648", "7"]);
        assert_eq!(printed(Wire::Int8, &[&i64::MIN.to_be_bytes()]), ["-9223372036854775808"]);
        assert_eq!(printed(Wire::Oid, &[&u32::MAX.to_be_bytes()]), ["4294967295"]);
        assert_eq!(printed(Wire::Bool, &[&[1], &[0]]), ["true", "false"]);
        assert_eq!(printed(Wire::Float4, &[&0.1_f32.to_be_bytes()]), ["0.10000000149011612"]);
        assert_eq!(
            printed(Wire::Float8, &[&f64::MAX.to_be_bytes(), &f64::NAN.to_be_bytes()]),
            ["1.7976931348623157e308", "NaN"]
        );
        assert_eq!(refused(Wire::Int4, &[0, 0]), LENGTH);
    }
}
