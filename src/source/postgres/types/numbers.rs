//! Numbers and booleans.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, BooleanBufferBuilder, NullBufferBuilder};
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int64Type};

use super::Unfit;
use super::column::{Decoder, Fixed, Values};

const LENGTH: Unfit = Unfit::Damaged("a number has another length than its type");

#[inline]
fn sized<const N: usize>(value: &[u8]) -> Result<[u8; N], Unfit> {
    value.try_into().map_err(|_| LENGTH)
}

/// `bool`.
pub(super) struct Bools {
    values: BooleanBufferBuilder,
    nulls: NullBufferBuilder,
}

impl Bools {
    pub fn decoder() -> Box<dyn Decoder> {
        Box::new(Bools { values: BooleanBufferBuilder::new(0), nulls: NullBufferBuilder::new(0) })
    }
}

impl Decoder for Bools {
    fn add(&mut self, values: Values<'_>) -> Result<(), Unfit> {
        for value in values {
            let is_true = value.map(sized::<1>).transpose()?.is_some_and(|byte| byte != [0]);
            self.values.append(is_true);
            self.nulls.append(value.is_some());
        }
        Ok(())
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(BooleanArray::new(self.values.finish(), self.nulls.finish()))
    }
}

/// `int2`.
pub(super) fn int2() -> Box<dyn Decoder> {
    whole(|value| Ok(i64::from(i16::from_be_bytes(sized(value)?))))
}

/// `int4`.
pub(super) fn int4() -> Box<dyn Decoder> {
    whole(|value| Ok(i64::from(i32::from_be_bytes(sized(value)?))))
}

/// `int8`.
pub(super) fn int8() -> Box<dyn Decoder> {
    whole(|value| Ok(i64::from_be_bytes(sized(value)?)))
}

/// `oid`: four bytes without a sign.
pub(super) fn oid() -> Box<dyn Decoder> {
    whole(|value| Ok(i64::from(u32::from_be_bytes(sized(value)?))))
}

fn whole(read: impl Fn(&[u8]) -> Result<i64, Unfit> + Send + 'static) -> Box<dyn Decoder> {
    Fixed::<Int64Type, _>::decoder(DataType::Int64, read)
}

/// `float4`: each is the `float8` that has the same value. 0.1 of `float4` is 0.10000000149011612, which is what it
/// was all along.
pub(super) fn float4() -> Box<dyn Decoder> {
    let read = |value: &[u8]| Ok(f64::from(f32::from_be_bytes(sized(value)?)));
    Fixed::<Float64Type, _>::decoder(DataType::Float64, read)
}

/// `float8`.
pub(super) fn float8() -> Box<dyn Decoder> {
    Fixed::<Float64Type, _>::decoder(DataType::Float64, |value| Ok(f64::from_be_bytes(sized(value)?)))
}

/// `numeric(p,s)`.
pub(super) fn numerics(precision: u8, scale: u8) -> Box<dyn Decoder> {
    // The first number that has too many digits.
    let limit = 10_u128.checked_pow(u32::from(precision)).unwrap_or(u128::MAX);
    let kind = DataType::Decimal128(precision, scale.cast_signed());
    Fixed::<Decimal128Type, _>::decoder(kind, move |value| {
        let number = numeric(value, scale)?;
        if number.unsigned_abs() >= limit { Err(MORE) } else { Ok(number) }
    })
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
