//! Types as columns declare them and cells carry them (MS-TDS 2.2.5.4 to 2.2.5.6).
//!
//! A cell is written as T-SQL would show it, `2024-02-29 23:59:59.997` or `0x00FF`, and encoded by its column's type.

use chrono::{Datelike, Duration, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use super::bytes::{Put, to_utf16};
use super::login::Version;

/// The collation `Latin1_General_CI_AS`: language 0x0409, ignoring case, kana and width. Its code page is windows-1252.
const COLLATION: [u8; 5] = [0x09, 0x04, 0xD0, 0x00, 0x00];

/// Pieces of a (max) value are at most so long.
const PIECE: usize = 1_000;

/// A type of SQL Server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    Bit,
    TinyInt,
    SmallInt,
    Int,
    BigInt,
    Real,
    Float,
    Decimal(u8, u8),
    Numeric(u8, u8),
    SmallMoney,
    Money,
    Char(u16),
    VarChar(u16),
    VarCharMax,
    NChar(u16),
    NVarChar(u16),
    NVarCharMax,
    Text,
    NText,
    Xml,
    Binary(u16),
    VarBinary(u16),
    VarBinaryMax,
    Image,
    RowVersion,
    UniqueIdentifier,
    SmallDateTime,
    DateTime,
    Date,
    Time(u8),
    DateTime2(u8),
    DateTimeOffset(u8),
}

use Type::*;

/// How a value stands in a row.
enum Length {
    /// Always as many bytes; never NULL.
    Fixed,
    /// After one byte with its length, 0 for NULL.
    Byte,
    /// After two bytes with its length, 0xFFFF for NULL.
    Short,
    /// After a text pointer, a timestamp and four bytes with its length.
    Long,
    /// In pieces.
    Pieces,
}

impl Type {
    /// The type in which a client of this version is sent it.
    fn sent_as(self, version: Version) -> Type {
        let fraction = |scale| if scale == 0 { 0 } else { 1 + u16::from(scale) };
        match self {
            _ if version.has_date_types() => self,
            Date => NVarChar(10),
            Time(scale) => NVarChar(8 + fraction(scale)),
            DateTime2(scale) => NVarChar(19 + fraction(scale)),
            DateTimeOffset(scale) => NVarChar(26 + fraction(scale)),
            _ => self,
        }
    }

    /// The user type, which tells a rowversion from other binary(8).
    pub fn user_type(self) -> u32 {
        if self == RowVersion { 80 } else { 0 }
    }

    /// Writes what describes the type; texts and images are followed by the name of their table.
    pub fn put_info(self, nullable: bool, version: Version, out: &mut Vec<u8>) {
        let kind = self.sent_as(version);
        if let (false, Some(token)) = (nullable, kind.fixed_token()) {
            out.u8(token);
            return;
        }
        match kind {
            Bit => out.put(&[0x68, 1]),
            TinyInt => out.put(&[0x26, 1]),
            SmallInt => out.put(&[0x26, 2]),
            Int => out.put(&[0x26, 4]),
            BigInt => out.put(&[0x26, 8]),
            Real => out.put(&[0x6D, 4]),
            Float => out.put(&[0x6D, 8]),
            Decimal(precision, scale) => out.put(&[0x6A, decimal_bytes(precision), precision, scale]),
            Numeric(precision, scale) => out.put(&[0x6C, decimal_bytes(precision), precision, scale]),
            SmallMoney => out.put(&[0x6E, 4]),
            Money => out.put(&[0x6E, 8]),
            SmallDateTime => out.put(&[0x6F, 4]),
            DateTime => out.put(&[0x6F, 8]),
            UniqueIdentifier => out.put(&[0x24, 16]),
            Date => out.u8(0x28),
            Time(scale) => out.put(&[0x29, scale]),
            DateTime2(scale) => out.put(&[0x2A, scale]),
            DateTimeOffset(scale) => out.put(&[0x2B, scale]),
            Char(length) => text_info(0xAF, length, out),
            VarChar(length) => text_info(0xA7, length, out),
            VarCharMax => text_info(0xA7, 0xFFFF, out),
            NChar(length) => text_info(0xEF, 2 * length, out),
            NVarChar(length) => text_info(0xE7, 2 * length, out),
            NVarCharMax => text_info(0xE7, 0xFFFF, out),
            Binary(length) => binary_info(0xAD, length, out),
            RowVersion => binary_info(0xAD, 8, out),
            VarBinary(length) => binary_info(0xA5, length, out),
            VarBinaryMax => binary_info(0xA5, 0xFFFF, out),
            Text => long_info(0x23, 0x7FFF_FFFF, true, out),
            NText => long_info(0x63, 0x7FFF_FFFE, true, out),
            Image => long_info(0x22, 0x7FFF_FFFF, false, out),
            Xml => out.put(&[0xF1, 0]),
        }
    }

    /// Whether the name of the table follows the description of the type.
    pub fn names_its_table(self) -> bool {
        matches!(self, Text | NText | Image)
    }

    /// Writes a cell.
    pub fn put_cell(self, nullable: bool, version: Version, cell: Option<&str>, out: &mut Vec<u8>) {
        let kind = self.sent_as(version);
        let length = kind.length(nullable);
        let Some(text) = cell else {
            match length {
                Length::Fixed => panic!("a column of type {self:?} that is not nullable has a NULL"),
                Length::Byte | Length::Long => out.u8(0),
                Length::Short => out.u16(0xFFFF),
                Length::Pieces => out.u64(u64::MAX),
            }
            return;
        };
        let value = kind.encode(text).unwrap_or_else(|| panic!("`{text}` is not a value of {self:?}"));
        match length {
            Length::Fixed => {}
            Length::Byte => out.u8(u8::try_from(value.len()).expect("a short value")),
            Length::Short => out.u16(u16::try_from(value.len()).expect("a value of at most 8000 bytes")),
            Length::Long => {
                out.u8(16);
                out.put(b"dummy textptr\0\0\0");
                out.put(b"dummyTS\0");
                out.u32(u32::try_from(value.len()).expect("a value of at most 2 GiB"));
            }
            Length::Pieces => {
                out.u64(value.len() as u64);
                for piece in value.chunks(PIECE) {
                    out.u32(u32::try_from(piece.len()).expect("a short piece"));
                    out.put(piece);
                }
                out.u32(0);
                return;
            }
        }
        out.put(&value);
    }

    /// The token of the type where it can hold no NULL.
    fn fixed_token(self) -> Option<u8> {
        Some(match self {
            TinyInt => 0x30,
            Bit => 0x32,
            SmallInt => 0x34,
            Int => 0x38,
            SmallDateTime => 0x3A,
            Real => 0x3B,
            Money => 0x3C,
            DateTime => 0x3D,
            Float => 0x3E,
            SmallMoney => 0x7A,
            BigInt => 0x7F,
            _ => return None,
        })
    }

    fn length(self, nullable: bool) -> Length {
        match self {
            _ if !nullable && self.fixed_token().is_some() => Length::Fixed,
            Char(_) | VarChar(_) | NChar(_) | NVarChar(_) | Binary(_) | VarBinary(_) | RowVersion => {
                Length::Short
            }
            Text | NText | Image => Length::Long,
            VarCharMax | NVarCharMax | VarBinaryMax | Xml => Length::Pieces,
            _ => Length::Byte,
        }
    }

    /// The bytes of a value, without its length.
    fn encode(self, text: &str) -> Option<Vec<u8>> {
        let mut out: Vec<u8> = Vec::new();
        match self {
            Bit | TinyInt => out.u8(text.parse().ok()?),
            SmallInt => out.put(&text.parse::<i16>().ok()?.to_le_bytes()),
            Int => out.put(&text.parse::<i32>().ok()?.to_le_bytes()),
            BigInt => out.put(&text.parse::<i64>().ok()?.to_le_bytes()),
            Real => out.put(&text.parse::<f32>().ok()?.to_le_bytes()),
            Float => out.put(&text.parse::<f64>().ok()?.to_le_bytes()),
            Decimal(precision, scale) | Numeric(precision, scale) => {
                let number = scaled(text, scale)?;
                out.u8(u8::from(number >= 0));
                out.low(number.unsigned_abs(), usize::from(decimal_bytes(precision)) - 1);
            }
            SmallMoney => out.put(&i32::try_from(scaled(text, 4)?).ok()?.to_le_bytes()),
            Money => {
                let number = i64::try_from(scaled(text, 4)?).ok()?.to_le_bytes();
                out.put(&number[4..]);
                out.put(&number[..4]);
            }
            Char(length) => {
                out = windows_1252(text)?;
                out.resize(usize::from(length), b' ');
            }
            VarChar(_) | VarCharMax | Text => out = windows_1252(text)?,
            NChar(length) => {
                out = to_utf16(text);
                while out.len() < 2 * usize::from(length) {
                    out.put(b" \0");
                }
            }
            NVarChar(_) | NVarCharMax | NText | Xml => out = to_utf16(text),
            Binary(length) => {
                out = bytes(text)?;
                out.resize(usize::from(length), 0);
            }
            RowVersion | VarBinary(_) | VarBinaryMax | Image => out = bytes(text)?,
            UniqueIdentifier => {
                let mut id = bytes(&format!("0x{}", text.replace('-', "")))?;
                id.get_mut(0..4)?.reverse();
                id.get_mut(4..6)?.reverse();
                id.get_mut(6..8)?.reverse();
                out = id;
            }
            SmallDateTime => {
                let moment = moment(text)?;
                out.u16(u16::try_from(days_since(1900, moment.date())).ok()?);
                out.u16(u16::try_from(moment.num_seconds_from_midnight() / 60).ok()?);
            }
            DateTime => {
                let moment = moment(text)?;
                out.put(&i32::try_from(days_since(1900, moment.date())).ok()?.to_le_bytes());
                // Three hundredths of a second, rounded.
                let time = moment.time();
                let ticks = u64::from(time.num_seconds_from_midnight()) * 300
                    + (u64::from(time.nanosecond()) * 300 + 500_000_000) / 1_000_000_000;
                out.u32(u32::try_from(ticks).ok()?);
            }
            Date => put_date(text.parse().ok()?, &mut out),
            Time(scale) => put_time(text.parse().ok()?, scale, &mut out),
            DateTime2(scale) => {
                let moment = moment(text)?;
                put_time(moment.time(), scale, &mut out);
                put_date(moment.date(), &mut out);
            }
            DateTimeOffset(scale) => {
                let (local, offset) = text.rsplit_once(' ')?;
                let minutes =
                    60 * offset.get(1..3)?.parse::<i16>().ok()? + offset.get(4..6)?.parse::<i16>().ok()?;
                let minutes = if offset.starts_with('-') { -minutes } else { minutes };
                let moment = moment(local)? - Duration::minutes(minutes.into());
                put_time(moment.time(), scale, &mut out);
                put_date(moment.date(), &mut out);
                out.put(&minutes.to_le_bytes());
            }
        }
        Some(out)
    }
}

/// How many bytes a decimal takes, with its sign.
fn decimal_bytes(precision: u8) -> u8 {
    match precision {
        0..=9 => 5,
        10..=19 => 9,
        20..=28 => 13,
        _ => 17,
    }
}

fn text_info(token: u8, bytes: u16, out: &mut Vec<u8>) {
    binary_info(token, bytes, out);
    out.put(&COLLATION);
}

fn binary_info(token: u8, bytes: u16, out: &mut Vec<u8>) {
    out.u8(token);
    out.u16(bytes);
}

fn long_info(token: u8, bytes: u32, is_text: bool, out: &mut Vec<u8>) {
    out.u8(token);
    out.u32(bytes);
    if is_text {
        out.put(&COLLATION);
    }
}

fn windows_1252(text: &str) -> Option<Vec<u8>> {
    let (bytes, _, unmappable) = encoding_rs::WINDOWS_1252.encode(text);
    (!unmappable).then(|| bytes.into_owned())
}

/// Reads `0x` and hexadecimal digits.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x")?;
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()).collect()
}

/// Reads a decimal number as a whole one, 10 to the power of its scale as large.
fn scaled(text: &str, scale: u8) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let zeros = usize::from(scale).checked_sub(fraction.len())?;
    format!("{whole}{fraction}{}", "0".repeat(zeros)).parse().ok()
}

fn moment(text: &str) -> Option<NaiveDateTime> {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok()
}

fn days_since(year: i32, date: NaiveDate) -> i64 {
    i64::from(date.num_days_from_ce())
        - i64::from(NaiveDate::from_ymd_opt(year, 1, 1).expect("a date").num_days_from_ce())
}

fn put_date(date: NaiveDate, out: &mut Vec<u8>) {
    out.low(u128::try_from(days_since(1, date)).expect("a date since the year 1"), 3);
}

fn put_time(time: NaiveTime, scale: u8, out: &mut Vec<u8>) {
    let nanoseconds =
        u64::from(time.num_seconds_from_midnight()) * 1_000_000_000 + u64::from(time.nanosecond());
    let bytes = match scale {
        0..=2 => 3,
        3..=4 => 4,
        _ => 5,
    };
    out.low(u128::from(nanoseconds / 10_u64.pow(9 - u32::from(scale))), bytes);
}
