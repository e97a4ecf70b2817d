//! What a client asks for: SQL batches, remote procedure calls, transactions (MS-TDS 2.2.6.7, 2.2.6.6, 2.2.6.9).

use super::bytes::{Reader, utf16};

/// Passes over the headers that stand before every request since TDS 7.2.
fn after_headers(body: &[u8]) -> Result<Reader<'_>, String> {
    let mut reader = Reader::new(body);
    let length = reader.size(4)?;
    reader.take(length.checked_sub(4).ok_or("the headers are too short")?)?;
    Ok(reader)
}

/// The transaction that a request says it belongs to; 0 is none.
pub fn in_transaction(body: &[u8]) -> Result<u64, String> {
    const TRANSACTION: u64 = 2;
    let mut all = Reader::new(body);
    let length = all.size(4)?.checked_sub(4).ok_or("the headers are too short")?;
    let mut headers = Reader::new(all.take(length)?);
    while !headers.is_empty() {
        let length = headers.size(4)?.checked_sub(4 + 2).ok_or("a header is too short")?;
        let kind = headers.number(2)?;
        let mut data = Reader::new(headers.take(length)?);
        if kind == TRANSACTION {
            return data.number(8);
        }
    }
    Ok(0)
}

/// The SQL of a batch.
pub fn batch(body: &[u8]) -> Result<String, String> {
    let mut reader = after_headers(body)?;
    let mut units = Vec::new();
    while !reader.is_empty() {
        units.extend_from_slice(reader.take(2)?);
    }
    utf16(&units)
}

/// What is to be done with a transaction, 5 begin, 7 commit, 8 roll back, and whether another one begins then.
pub fn transaction(body: &[u8]) -> Result<(u16, bool), String> {
    const BEGIN: u64 = 5;
    let mut reader = after_headers(body)?;
    let wish = reader.number(2)?;
    let another = wish != BEGIN && {
        let name = reader.size(1)?;
        reader.take(name)?;
        reader.u8()? & 1 != 0
    };
    Ok((u16::try_from(wish).expect("two bytes"), another))
}

/// A procedure that is called.
#[derive(Debug)]
pub struct Call {
    pub procedure: String,
    pub parameters: Vec<(String, Option<String>)>,
}

/// The procedures that have numbers.
const NUMBERED: [&str; 16] = [
    "",
    "sp_cursor",
    "sp_cursoropen",
    "sp_cursorprepare",
    "sp_cursorexecute",
    "sp_cursorprepexec",
    "sp_cursorunprepare",
    "sp_cursorfetch",
    "sp_cursoroption",
    "sp_cursorclose",
    "sp_executesql",
    "sp_prepare",
    "sp_execute",
    "sp_prepexec",
    "sp_prepexecrpc",
    "sp_unprepare",
];

/// The procedures that a message calls, one after the other.
pub fn calls(body: &[u8]) -> Result<Vec<Call>, String> {
    const SEPARATORS: [u8; 2] = [0x80, 0xFF];
    let mut reader = after_headers(body)?;
    let mut calls = Vec::new();
    while !reader.is_empty() {
        let procedure = procedure(&mut reader)?;
        let _options = reader.number(2)?;
        let mut parameters = Vec::new();
        while !reader.is_empty() {
            let first = reader.u8()?;
            if SEPARATORS.contains(&first) {
                break;
            }
            let name = utf16(reader.take(2 * usize::from(first))?)?;
            let _status = reader.u8()?;
            parameters.push((name, value(&mut reader)?));
        }
        calls.push(Call { procedure, parameters });
    }
    Ok(calls)
}

fn procedure(reader: &mut Reader) -> Result<String, String> {
    const BY_NUMBER: usize = 0xFFFF;
    let length = reader.size(2)?;
    if length != BY_NUMBER {
        return utf16(reader.take(2 * length)?);
    }
    let number = reader.size(2)?;
    NUMBERED
        .get(number)
        .map(|name| (*name).to_owned())
        .ok_or_else(|| format!("there is no procedure {number}"))
}

/// A parameter's value, as T-SQL would show it.
fn value(reader: &mut Reader) -> Result<Option<String>, String> {
    let token = reader.u8()?;
    match token {
        // bit, int and float, of any length
        0x26 | 0x68 | 0x6D => {
            reader.u8()?;
            let bytes = short(reader)?;
            Ok(bytes.map(|bytes| {
                if token == 0x6D {
                    float(bytes).to_string()
                } else {
                    integer(bytes, token == 0x68).to_string()
                }
            }))
        }
        // decimal and numeric
        0x6A | 0x6C => {
            reader.take(2)?;
            let scale = usize::from(reader.u8()?);
            Ok(short(reader)?.map(|bytes| decimal(bytes, scale)))
        }
        // uniqueidentifier
        0x24 => {
            reader.u8()?;
            Ok(short(reader)?.map(hex))
        }
        // nvarchar, nchar
        0xE7 | 0xEF => {
            let bytes = sized(reader, true)?;
            bytes.map(|bytes| utf16(&bytes)).transpose()
        }
        // varchar, char: the client's own letters are those of windows-1252
        0xA7 | 0xAF => {
            Ok(sized(reader, true)?.map(|bytes| encoding_rs::WINDOWS_1252.decode(&bytes).0.into_owned()))
        }
        // varbinary, binary
        0xA5 | 0xAD => Ok(sized(reader, false)?.map(|bytes| hex(&bytes))),
        // text, ntext
        0x23 | 0x63 => {
            reader.take(4 + 5)?;
            let length = reader.number(4)?;
            if length == u64::from(u32::MAX) {
                return Ok(None);
            }
            let bytes = reader.take(usize::try_from(length).map_err(|error| error.to_string())?)?;
            if token == 0x63 {
                utf16(bytes).map(Some)
            } else {
                Ok(Some(encoding_rs::WINDOWS_1252.decode(bytes).0.into_owned()))
            }
        }
        _ => Err(format!("a parameter of type {token:#04X} is not known here")),
    }
}

/// A value with its length in one byte; none is NULL.
fn short<'a>(reader: &mut Reader<'a>) -> Result<Option<&'a [u8]>, String> {
    let length = reader.size(1)?;
    Ok(Some(reader.take(length)?).filter(|bytes| !bytes.is_empty()))
}

/// A value with its length in two bytes, or in pieces.
fn sized(reader: &mut Reader, has_collation: bool) -> Result<Option<Vec<u8>>, String> {
    let most = reader.number(2)?;
    if has_collation {
        reader.take(5)?;
    }
    if most != 0xFFFF {
        let length = reader.size(2)?;
        return if length == 0xFFFF { Ok(None) } else { Ok(Some(reader.take(length)?.to_vec())) };
    }
    if reader.number(8)? == u64::MAX {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    loop {
        let piece = reader.size(4)?;
        if piece == 0 {
            return Ok(Some(bytes));
        }
        bytes.extend_from_slice(reader.take(piece)?);
    }
}

fn integer(bytes: &[u8], is_bit: bool) -> i64 {
    // A tinyint and a bit have no sign.
    let negative = bytes.len() > 1 && !is_bit && bytes.last().is_some_and(|last| last & 0x80 != 0);
    let mut all = [if negative { 0xFF } else { 0 }; 8];
    all[..bytes.len()].copy_from_slice(bytes);
    i64::from_le_bytes(all)
}

fn float(bytes: &[u8]) -> f64 {
    match *bytes {
        [a, b, c, d] => f64::from(f32::from_le_bytes([a, b, c, d])),
        _ => f64::from_le_bytes(bytes.try_into().expect("a float of 4 or 8 bytes")),
    }
}

fn decimal(bytes: &[u8], scale: usize) -> String {
    let number = bytes[1..].iter().rev().fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
    let digits = format!("{number:0>width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let sign = if bytes[0] == 0 { "-" } else { "" };
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("0x".to_owned(), |text, byte| format!("{text}{byte:02X}"))
}
