//! What the types of MySQL and MariaDB hold.

use crate::model::{CodePage, Holds, Logical, Numbers, Unit};
use crate::source::dialect::holds::{Declared, days, numbers, signed, to_digits, unsigned, up_to};

/// 1970-01-01 00:00:01.
const FIRST_TIMESTAMP: i64 = 1_000_000;
/// 2038-01-19 03:14:07.999999. Newer servers of 64 bits reach further; no more is promised.
const LAST_TIMESTAMP: i64 = 2_147_483_647_999_999;

/// Returns what a declared type holds; `characters` is the column's character set.
pub fn holds(declared: &str, logical: &Logical, characters: Option<&str>) -> Holds {
    let declared = Declared::new(declared);
    let text = |holds: Holds| Holds { code_page: characters.and_then(code_page), ..holds };
    let whole = |bits: u32, with_sign: bool| if with_sign { signed(bits) } else { unsigned(bits) };
    let base = declared.base.replace(" zerofill", "");
    let with_sign = !base.ends_with(" unsigned");
    match base.trim_end_matches(" unsigned") {
        "char" => text(up_to(declared.length().or(Some(1)), Unit::Characters)),
        "varchar" => text(up_to(declared.length(), Unit::Characters)),
        "tinytext" => text(up_to(Some(0xFF), Unit::Bytes)),
        "text" => text(up_to(Some(0xFFFF), Unit::Bytes)),
        "mediumtext" => text(up_to(Some(0xFF_FFFF), Unit::Bytes)),
        "longtext" => text(Holds::default()),
        "binary" | "varbinary" => up_to(declared.length().or(Some(1)), Unit::Bytes),
        "tinyblob" => up_to(Some(0xFF), Unit::Bytes),
        "blob" => up_to(Some(0xFFFF), Unit::Bytes),
        "mediumblob" => up_to(Some(0xFF_FFFF), Unit::Bytes),
        "tinyint" => whole(8, with_sign),
        "smallint" => whole(16, with_sign),
        "mediumint" => whole(24, with_sign),
        "int" | "integer" => whole(32, with_sign),
        "bigint" => whole(64, with_sign),
        "bit" if *logical != Logical::Bool => unsigned(declared.number(0).unwrap_or(1).clamp(1, 64)),
        "decimal" | "numeric" => {
            let (precision, scale) = (declared.number(0).unwrap_or(10), declared.number(1).unwrap_or(0));
            numbers(Numbers::decimal(precision, scale).map(|all| match all {
                Numbers::Exact { most, scale, .. } if !with_sign => Numbers::Exact { least: 0, most, scale },
                all => all,
            }))
        }
        "float" if declared.numbers.is_empty() => numbers(Numbers::F32),
        "double" | "real" if declared.numbers.is_empty() => numbers(Numbers::F64),
        "date" => days(),
        "datetime" | "time" => to_digits(declared.number(0).unwrap_or(0)),
        "timestamp" => Holds {
            moments: Some((FIRST_TIMESTAMP, LAST_TIMESTAMP)),
            ..to_digits(declared.number(0).unwrap_or(0))
        },
        _ if logical.is_text() => Holds::default(),
        _ => Holds::of(logical),
    }
}

fn code_page(characters: &str) -> Option<CodePage> {
    match characters {
        // What is called latin1 there is Windows' code page.
        "latin1" => Some(CodePage::Named("windows-1252".to_owned())),
        "latin2" => Some(CodePage::Named("iso-8859-2".to_owned())),
        "cp1250" | "cp1251" | "cp1256" | "cp1257" => {
            Some(CodePage::Named(format!("windows-{}", &characters[2..])))
        }
        "ascii" => Some(CodePage::Ascii),
        "utf8" | "utf8mb3" | "ucs2" => Some(CodePage::BasicPlane),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::source::dialect::holds::testing::conforms;

    #[test]
    fn declared_types_hold_what_they_hold() {
        let new = Some("utf8mb4");
        conforms(
            "mysql",
            &[
                ("varchar(12)", "varchar(12)", new, "12 characters"),
                ("char(3)", "char(3)", Some("latin1"), "3 characters, in windows-1252"),
                ("text", "text", Some("utf8mb3"), "65535 bytes, in Unicode up to U+FFFF"),
                ("longtext", "text", Some("ascii"), "in ASCII"),
                ("tinyint(4)", "i64", None, "-128 to 127 by 1e-0"),
                ("int(10) unsigned", "i64", None, "0 to 4294967295 by 1e-0"),
                ("mediumint(8) unsigned zerofill", "i64", None, "0 to 16777215 by 1e-0"),
                ("bigint(20) unsigned", "u64", None, "0 to 18446744073709551615 by 1e-0"),
                ("bit(3)", "i64", None, "0 to 7 by 1e-0"),
                ("bit(1)", "bool", None, "anything"),
                ("decimal(10,2)", "decimal(10,2)", None, "-9999999999 to 9999999999 by 1e-2"),
                ("decimal(5,2) unsigned", "decimal(5,2)", None, "0 to 99999 by 1e-2"),
                ("float", "f64", None, "f32"),
                ("double", "f64", None, "f64"),
                ("date", "date", None, "step 86400000000"),
                ("datetime", "timestamp", None, "step 1000000"),
                ("datetime(6)", "timestamp", None, "anything"),
                (
                    "timestamp",
                    "timestamptz",
                    None,
                    "1970-01-01 00:00:01 to 2038-01-19 03:14:07.999999, step 1000000",
                ),
                ("time(3)", "time", None, "step 1000"),
                ("varbinary(8)", "bytes", None, "8 bytes"),
                ("enum('a','b')", "varchar(1)", new, "anything"),
            ],
        );
    }
}
