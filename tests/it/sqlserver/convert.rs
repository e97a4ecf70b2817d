//! What CONVERT makes of a value, and how long DATALENGTH says that it is, after the documentation of Transact-SQL.

use crate::servers::tds::Type;

/// Reads a type as it is declared.
pub fn parse_type(text: &str) -> Result<Type, String> {
    let text = text.to_lowercase().replace(' ', "");
    let (name, arguments) = text.split_once('(').map_or((text.as_str(), ""), |(name, rest)| (name, rest));
    let arguments = arguments.trim_end_matches(')');
    let max = arguments == "max";
    let argument = |at: usize| arguments.split(',').nth(at);
    let long = || {
        let length = argument(0).and_then(|digits| digits.parse::<u16>().ok());
        length.ok_or_else(|| format!("`{text}` has no length"))
    };
    let digits =
        |at: usize, default: u8| argument(at).and_then(|digits| digits.parse().ok()).unwrap_or(default);
    let fine = || digits(0, 7);
    Ok(match name {
        "bit" => Type::Bit,
        "tinyint" => Type::TinyInt,
        "smallint" => Type::SmallInt,
        "int" => Type::Int,
        "bigint" => Type::BigInt,
        "real" => Type::Real,
        "float" => Type::Float,
        "decimal" => Type::Decimal(digits(0, 18), digits(1, 0)),
        "numeric" => Type::Numeric(digits(0, 18), digits(1, 0)),
        "smallmoney" => Type::SmallMoney,
        "money" => Type::Money,
        "char" => Type::Char(long()?),
        "varchar" if max => Type::VarCharMax,
        "varchar" => Type::VarChar(long()?),
        "nchar" => Type::NChar(long()?),
        "nvarchar" if max => Type::NVarCharMax,
        "nvarchar" => Type::NVarChar(long()?),
        "text" => Type::Text,
        "ntext" => Type::NText,
        "xml" => Type::Xml,
        "binary" => Type::Binary(long()?),
        "varbinary" if max => Type::VarBinaryMax,
        "varbinary" => Type::VarBinary(long()?),
        "image" => Type::Image,
        "timestamp" | "rowversion" => Type::RowVersion,
        "uniqueidentifier" => Type::UniqueIdentifier,
        "smalldatetime" => Type::SmallDateTime,
        "datetime" => Type::DateTime,
        "date" => Type::Date,
        "time" => Type::Time(fine()),
        "datetime2" => Type::DateTime2(fine()),
        "datetimeoffset" => Type::DateTimeOffset(fine()),
        _ => return Err(format!("there is no type `{text}`")),
    })
}

/// How many bytes a value takes.
pub fn bytes_long(text: &str, kind: Type) -> usize {
    match kind {
        Type::NChar(_) | Type::NVarChar(_) | Type::NVarCharMax | Type::NText | Type::Xml => {
            2 * text.encode_utf16().count()
        }
        Type::Binary(_) | Type::VarBinary(_) | Type::VarBinaryMax | Type::Image | Type::RowVersion => {
            (text.len() - "0x".len()) / 2
        }
        // One byte a letter in windows-1252.
        _ => text.chars().count(),
    }
}

/// Converts a value from one type to another.
pub fn convert(text: &str, from: Type, to: Type, style: Option<&str>) -> Result<String, String> {
    let shown = match to {
        Type::Char(_)
        | Type::VarChar(_)
        | Type::VarCharMax
        | Type::NChar(_)
        | Type::NVarChar(_)
        | Type::NVarCharMax => as_text(text, from, style)?,
        Type::Decimal(_, scale) | Type::Numeric(_, scale) => with_scale(text, scale),
        Type::Float if from == Type::Real => {
            let single: f32 = text.parse().map_err(|_| format!("`{text}` is not a real"))?;
            format!("{:?}", f64::from(single))
        }
        Type::Float | Type::Int | Type::BigInt => text.to_owned(),
        Type::Binary(length) => {
            let digits = 2 * usize::from(length);
            format!("0x{:0<digits$}", text[2..].chars().take(digits).collect::<String>())
        }
        _ => return Err(format!("a conversion from {from:?} to {to:?} is not known here")),
    };
    Ok(match to {
        Type::Char(length) | Type::NChar(length) => {
            let length = usize::from(length);
            format!("{: <length$}", shown.chars().take(length).collect::<String>())
        }
        Type::VarChar(length) | Type::NVarChar(length) => shown.chars().take(length.into()).collect(),
        _ => shown,
    })
}

fn as_text(text: &str, from: Type, style: Option<&str>) -> Result<String, String> {
    Ok(match (from, style) {
        // Numbers, text, and what is written with digits alone.
        (
            Type::Bit
            | Type::TinyInt
            | Type::SmallInt
            | Type::Int
            | Type::BigInt
            | Type::Decimal(..)
            | Type::Numeric(..)
            | Type::Char(_)
            | Type::VarChar(_)
            | Type::VarCharMax
            | Type::NChar(_)
            | Type::NVarChar(_)
            | Type::NVarCharMax
            | Type::Text
            | Type::NText
            | Type::Xml
            | Type::UniqueIdentifier,
            None,
        )
        | (Type::Date, Some("23"))
        | (Type::Time(_), Some("121")) => text.to_owned(),
        // Two digits behind the point.
        (Type::Money | Type::SmallMoney, None) => with_scale(text, 2),
        // ISO 8601; a fraction of zero is left out.
        (Type::DateTime | Type::SmallDateTime | Type::DateTime2(_), Some("126")) => iso(text),
        (Type::DateTimeOffset(_), Some("126")) => {
            let (moment, offset) = text.rsplit_once(' ').ok_or("a datetimeoffset has an offset")?;
            iso(moment) + offset
        }
        _ => return Err(format!("a conversion of {from:?} to text in style {style:?} is not known here")),
    })
}

fn iso(text: &str) -> String {
    let text = text.replace(' ', "T");
    match text.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => whole.to_owned(),
        _ => text,
    }
}

/// A number with so many digits behind the point, rounded.
fn with_scale(text: &str, scale: u8) -> String {
    let scale = usize::from(scale);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() <= scale {
        let point = if scale == 0 { "" } else { "." };
        return format!("{whole}{point}{fraction:0<scale$}");
    }
    let negative = whole.starts_with('-');
    let digits: i128 = format!("{whole}{fraction}").parse().expect("a number");
    let unit = 10_i128.pow(u32::try_from(fraction.len() - scale).expect("few digits"));
    let rounded = (digits.abs() + unit / 2) / unit;
    let digits = format!("{rounded:0>width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let sign = if negative { "-" } else { "" };
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}
