//! What SQL Server's types hold.

use crate::model::{CodePage, Holds, Logical, Numbers, Step, Unit};
use crate::source::dialect::holds::{Declared, days, numbers, signed, to_digits, unsigned, up_to};

/// 1753-01-01.
const FIRST_DATETIME: i64 = -6_847_804_800_000_000;
/// 9999-12-31 23:59:59.997.
const LAST_DATETIME: i64 = 253_402_300_799_997_000;
/// 1900-01-01.
const FIRST_SMALL: i64 = -2_208_988_800_000_000;
/// 2079-06-06 23:59.
const LAST_SMALL: i64 = 3_453_321_540_000_000;

/// Returns what a declared type holds; `characters` is the number of the code page of its collation.
pub fn holds(declared: &str, logical: &Logical, characters: Option<&str>) -> Holds {
    let declared = Declared::new(declared);
    let money = |most: i128| Numbers::Exact { least: -most - 1, most, scale: 4 };
    match declared.base.as_str() {
        "char" | "varchar" | "text" => match characters.map(str::trim) {
            Some("65001") => up_to(declared.length(), Unit::Bytes),
            characters => match characters.and_then(code_page) {
                Some(page) => Holds { code_page: Some(page), ..up_to(declared.length(), Unit::Bytes) },
                // No code page takes less than a byte for a character.
                None => up_to(declared.length(), Unit::Characters),
            },
        },
        "nchar" | "nvarchar" => up_to(declared.length(), Unit::Utf16),
        "binary" | "varbinary" => up_to(declared.length(), Unit::Bytes),
        "tinyint" => unsigned(8),
        "smallint" => signed(16),
        "int" => signed(32),
        "bigint" => signed(64),
        "decimal" | "numeric" => {
            numbers(Numbers::decimal(declared.number(0).unwrap_or(18), declared.number(1).unwrap_or(0)))
        }
        "money" => numbers(money(i64::MAX.into())),
        "smallmoney" => numbers(money(i32::MAX.into())),
        "real" => numbers(Numbers::F32),
        "float" => numbers(if declared.number(0).is_some_and(|bits| bits <= 24) {
            Numbers::F32
        } else {
            Numbers::F64
        }),
        "date" => days(),
        "datetime" => Holds {
            moments: Some((FIRST_DATETIME, LAST_DATETIME)),
            step: Some(Step::ThreeHundredths),
            ..Holds::default()
        },
        "smalldatetime" => Holds {
            moments: Some((FIRST_SMALL, LAST_SMALL)),
            step: Some(Step::Micros(60_000_000)),
            ..Holds::default()
        },
        "datetime2" | "datetimeoffset" | "time" => to_digits(declared.number(0).unwrap_or(7)),
        // An alias type is declared by its own name. Its length is not said in which unit.
        _ if logical.is_text() => Holds::default(),
        _ => Holds::of(logical),
    }
}

fn code_page(number: &str) -> Option<CodePage> {
    match number {
        number @ ("874" | "1250" | "1251" | "1252" | "1253" | "1254" | "1255" | "1256" | "1257" | "1258") => {
            Some(CodePage::Named(format!("windows-{number}")))
        }
        "932" => Some(CodePage::Named("shift_jis".to_owned())),
        "936" => Some(CodePage::Named("gbk".to_owned())),
        "949" => Some(CodePage::Named("euc-kr".to_owned())),
        "950" => Some(CodePage::Named("big5".to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::source::dialect::holds::testing::conforms;

    #[test]
    fn declared_types_hold_what_they_hold() {
        let western = Some("1252");
        conforms(
            "sqlserver",
            &[
                ("char(12)", "char(12)", western, "12 bytes, in windows-1252"),
                ("varchar(20)", "varchar(20)", None, "20 characters"),
                ("varchar(20)", "varchar(20)", Some("65001"), "20 bytes"),
                ("varchar(max)", "text", western, "in windows-1252"),
                ("nvarchar(20)", "varchar(20)", western, "20 units"),
                ("nvarchar(max)", "text", western, "anything"),
                ("tinyint", "i64", None, "0 to 255 by 1e-0"),
                ("int", "i64", None, "-2147483648 to 2147483647 by 1e-0"),
                ("decimal(9,2)", "decimal(9,2)", None, "-999999999 to 999999999 by 1e-2"),
                ("money", "decimal(19,4)", None, "-9223372036854775808 to 9223372036854775807 by 1e-4"),
                ("smallmoney", "decimal(10,4)", None, "-2147483648 to 2147483647 by 1e-4"),
                ("real", "f64", None, "f32"),
                ("float", "f64", None, "f64"),
                ("date", "date", None, "step 86400000000"),
                (
                    "datetime",
                    "timestamp",
                    None,
                    "1753-01-01 00:00:00 to 9999-12-31 23:59:59.997, step 1/300 s",
                ),
                (
                    "smalldatetime",
                    "timestamp",
                    None,
                    "1900-01-01 00:00:00 to 2079-06-06 23:59:00, step 60000000",
                ),
                ("datetime2(0)", "timestamp", None, "step 1000000"),
                ("datetime2(7)", "timestamp", None, "anything"),
                ("datetimeoffset(3)", "timestamptz", None, "step 1000"),
                ("varbinary(8)", "bytes", None, "8 bytes"),
                ("bit", "bool", None, "anything"),
                ("tag_ref", "char(11)", western, "anything"),
            ],
        );
    }
}
