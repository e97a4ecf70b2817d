//! What PostgreSQL's types hold.

use crate::model::{CodePage, Holds, Logical, Numbers, Unit};
use crate::source::dialect::holds::{Declared, days, numbers, signed, to_digits, up_to};

/// Returns what a declared type holds, where the server keeps texts in an encoding.
pub fn holds(declared: &str, logical: &Logical, encoding: Option<&str>) -> Holds {
    let declared = Declared::new(declared);
    let digits = || to_digits(declared.number(0).unwrap_or(6));
    match declared.base.as_str() {
        "character varying" | "varchar" => text(up_to(declared.length(), Unit::Characters), encoding),
        "character" | "char" | "bpchar" => {
            // `bpchar` alone has no limit, `char` alone is one character.
            let one = (declared.base != "bpchar").then_some(1);
            text(up_to(declared.length().or(one), Unit::Characters), encoding)
        }
        "name" => text(up_to(Some(63), Unit::Bytes), encoding),
        "text" | "citext" | "json" | "jsonb" | "xml" => text(Holds::default(), encoding),
        "smallint" | "int2" => signed(16),
        "integer" | "int" | "int4" => signed(32),
        "bigint" | "int8" => signed(64),
        "numeric" | "decimal" => match (declared.number(0), declared.numbers.get(1).copied().unwrap_or(0)) {
            (Some(precision), scale) => match u32::try_from(scale) {
                Ok(scale) => numbers(Numbers::decimal(precision, scale)),
                Err(_) => Holds::default(),
            },
            (None, _) => Holds::default(),
        },
        "real" | "float4" => numbers(Numbers::F32),
        "double precision" | "float8" => numbers(Numbers::F64),
        "date" => days(),
        "timestamp"
        | "timestamp without time zone"
        | "timestamp with time zone"
        | "timestamptz"
        | "time"
        | "time without time zone" => digits(),
        // A domain is declared by its own name; what it is made of is known.
        _ if logical.is_text() => text(Holds::of(logical), encoding),
        _ => Holds::of(logical),
    }
}

fn text(holds: Holds, encoding: Option<&str>) -> Holds {
    let code_page = match encoding.map(str::to_uppercase).as_deref() {
        Some("LATIN1") => Some(CodePage::Latin1),
        Some("LATIN9") => Some(CodePage::Named("iso-8859-15".to_owned())),
        Some("LATIN2") => Some(CodePage::Named("iso-8859-2".to_owned())),
        Some(windows) if windows.starts_with("WIN12") => {
            Some(CodePage::Named(format!("windows-{}", &windows[3..])))
        }
        _ => None,
    };
    Holds { code_page, no_nul: true, ..holds }
}

#[cfg(test)]
mod tests {
    use crate::source::dialect::holds::testing::conforms;

    #[test]
    fn declared_types_hold_what_they_hold() {
        let utf8 = Some("UTF8");
        conforms(
            "postgres",
            &[
                ("character varying(12)", "varchar(12)", utf8, "12 characters, no NUL"),
                ("character varying", "text", utf8, "no NUL"),
                ("character(3)", "char(3)", Some("LATIN1"), "3 characters, in ISO 8859-1, no NUL"),
                ("text", "text", Some("WIN1252"), "in windows-1252, no NUL"),
                ("text", "text", None, "no NUL"),
                ("smallint", "i64", utf8, "-32768 to 32767 by 1e-0"),
                ("integer", "i64", utf8, "-2147483648 to 2147483647 by 1e-0"),
                ("bigint", "i64", utf8, "-9223372036854775808 to 9223372036854775807 by 1e-0"),
                ("numeric(5,2)", "decimal(5,2)", utf8, "-99999 to 99999 by 1e-2"),
                ("numeric", "text", utf8, "anything"),
                ("real", "f64", utf8, "f32"),
                ("double precision", "f64", utf8, "f64"),
                ("date", "date", utf8, "step 86400000000"),
                ("timestamp without time zone", "timestamp", utf8, "anything"),
                ("timestamp(0) with time zone", "timestamptz", utf8, "step 1000000"),
                ("time(3) without time zone", "time", utf8, "step 1000"),
                ("boolean", "bool", utf8, "anything"),
                ("bytea", "bytes", utf8, "anything"),
                ("housing.tag", "varchar(9)", utf8, "9 characters, no NUL"),
            ],
        );
    }
}
