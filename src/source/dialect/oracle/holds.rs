//! What Oracle's types hold.

use crate::model::{Holds, Logical, Numbers, Step, Unit};
use crate::source::dialect::holds::{Declared, numbers, to_digits, up_to};

/// Returns what a declared type holds. The catalogue does not say which code page texts are kept in.
pub fn holds(declared: &str, logical: &Logical) -> Holds {
    let declared = Declared::new(declared);
    match declared.base.as_str() {
        // Without a word the unit is the session's: then a value of as many bytes surely fits, and one of more
        // characters surely does not.
        "varchar2" | "char" | "nvarchar2" | "nchar" => {
            let unit = if declared.inside.contains("byte") { Unit::Bytes } else { Unit::Characters };
            up_to(declared.length(), unit)
        }
        "raw" => up_to(declared.length(), Unit::Bytes),
        "number" => match (declared.number(0), declared.numbers.get(1).copied().unwrap_or(0)) {
            (Some(precision), scale) => match u32::try_from(scale) {
                Ok(scale) => numbers(Numbers::decimal(precision, scale)),
                Err(_) => Holds::default(),
            },
            (None, _) => numbers(Numbers::Digits(38)),
        },
        "binary_float" => numbers(Numbers::F32),
        "binary_double" => numbers(Numbers::F64),
        "date" => Holds { step: Some(Step::Micros(1_000_000)), ..Holds::default() },
        "timestamp" | "timestamp with time zone" | "timestamp with local time zone" => {
            to_digits(declared.number(0).unwrap_or(6))
        }
        _ if logical.is_text() => Holds::default(),
        _ => Holds::of(logical),
    }
}

#[cfg(test)]
mod tests {
    use crate::source::dialect::holds::testing::conforms;

    #[test]
    fn declared_types_hold_what_they_hold() {
        conforms(
            "oracle",
            &[
                ("VARCHAR2(12 CHAR)", "varchar(12)", None, "12 characters"),
                ("VARCHAR2(12 BYTE)", "varchar(12)", None, "12 bytes"),
                ("VARCHAR2(12)", "varchar(12)", None, "12 characters"),
                ("NUMBER(5,2)", "decimal(5,2)", None, "-99999 to 99999 by 1e-2"),
                ("NUMBER(10)", "decimal(10,0)", None, "-9999999999 to 9999999999 by 1e-0"),
                ("NUMBER", "text", None, "38 digits"),
                ("NUMBER(5,-2)", "decimal(7,0)", None, "anything"),
                ("DATE", "timestamp", None, "step 1000000"),
                ("TIMESTAMP(3)", "timestamp", None, "step 1000"),
                ("RAW(8)", "bytes", None, "8 bytes"),
                ("BINARY_FLOAT", "f64", None, "f32"),
                ("CLOB", "text", None, "anything"),
            ],
        );
    }
}
