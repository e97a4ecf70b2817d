//! The tokens of a reply (MS-TDS 2.2.7).

use super::bytes::Put;
use super::login::{Login, Version};
use super::script::{Column, Row, ServerError};
use super::types::Type;

pub const MORE: u16 = 0x01;
pub const ERROR: u16 = 0x02;
pub const COUNT: u16 = 0x10;
pub const ATTENTION: u16 = 0x20;

/// Which of the three tokens says that something is done.
#[derive(Clone, Copy)]
pub enum Done {
    Statement = 0xFD,
    Procedure = 0xFE,
    InProcedure = 0xFF,
}

/// Something is done.
pub fn done(done: Done, status: u16, rows: u64, out: &mut Vec<u8>) {
    const SELECT: u16 = 0xC1;
    out.u8(done as u8);
    out.u16(status);
    out.u16(if status & COUNT != 0 { SELECT } else { 0 });
    out.u64(rows);
}

/// What columns the result has.
pub fn columns(columns: &[Column], version: Version, out: &mut Vec<u8>) {
    const NULLABLE: u16 = 0x01;
    const UPDATEABLE: u16 = 0x08;
    out.u8(0x81);
    out.u16(u16::try_from(columns.len()).expect("at most 65535 columns"));
    for column in columns {
        out.u32(column.kind.user_type());
        out.u16(UPDATEABLE | if column.nullable { NULLABLE } else { 0 });
        column.kind.put_info(column.nullable, version, out);
        if column.kind.names_its_table() {
            out.u8(2);
            out.long_text("dbo");
            out.long_text("t");
        }
        out.short_text(&column.name);
    }
}

/// A row; one with NULLs goes with a bitmap of them where the client knows that.
pub fn row(columns: &[Column], row: &Row, version: Version, out: &mut Vec<u8>) {
    assert_eq!(columns.len(), row.len(), "a row has as many cells as there are columns");
    let bitmap = version.has_null_bitmap() && row.iter().any(Option::is_none);
    if bitmap {
        out.u8(0xD2);
        for cells in row.chunks(8) {
            let bits = cells.iter().enumerate().map(|(bit, cell)| u8::from(cell.is_none()) << bit);
            out.u8(bits.sum());
        }
    } else {
        out.u8(0xD1);
    }
    for (column, cell) in columns.iter().zip(row) {
        if cell.is_some() || !bitmap {
            column.kind.put_cell(column.nullable, version, cell.as_deref(), out);
        }
    }
}

/// An error.
pub fn error(error: &ServerError, out: &mut Vec<u8>) {
    let mut body: Vec<u8> = Vec::new();
    body.put(&error.number.to_le_bytes());
    body.u8(1);
    body.u8(error.severity);
    body.long_text(&error.message);
    body.short_text("RESPONDER");
    body.short_text("");
    body.u32(1);
    sized(0xAA, &body, out);
}

/// What a procedure returned: 0 is success.
pub fn return_status(status: i32, out: &mut Vec<u8>) {
    out.u8(0x79);
    out.put(&status.to_le_bytes());
}

/// The value of an output parameter: the handle of a prepared statement.
pub fn return_handle(handle: i32, version: Version, out: &mut Vec<u8>) {
    out.u8(0xAC);
    out.u16(0);
    out.short_text("");
    out.u8(0x01);
    out.u32(0);
    out.u16(0);
    Type::Int.put_info(true, version, out);
    Type::Int.put_cell(true, version, Some(&handle.to_string()), out);
}

/// A log-in that is accepted.
pub fn login_accepted(login: &Login, out: &mut Vec<u8>) {
    let database = if login.database.is_empty() { "master" } else { &login.database };
    change_text(1, database, "master", out);
    change_bytes(7, &[0x09, 0x04, 0xD0, 0x00, 0x00], &[], out);
    change_text(2, "us_english", "", out);
    let mut body: Vec<u8> = Vec::new();
    body.u8(1);
    body.put(&login.version.number().to_be_bytes());
    body.short_text("Microsoft SQL Server");
    body.put(&[15, 0, 0x07, 0xD0]);
    sized(0xAD, &body, out);
    change_text(4, &login.packet_size.to_string(), "4096", out);
}

/// A transaction has begun (8), was committed (9) or rolled back (10).
pub fn transaction(change: u8, transaction: u64, out: &mut Vec<u8>) {
    const BEGUN: u8 = 8;
    let id = transaction.to_le_bytes();
    if change == BEGUN { change_bytes(change, &id, &[], out) } else { change_bytes(change, &[], &id, out) }
}

fn change_text(what: u8, new: &str, old: &str, out: &mut Vec<u8>) {
    let mut body = vec![what];
    body.short_text(new);
    body.short_text(old);
    sized(0xE3, &body, out);
}

fn change_bytes(what: u8, new: &[u8], old: &[u8], out: &mut Vec<u8>) {
    let mut body = vec![what];
    for value in [new, old] {
        body.u8(u8::try_from(value.len()).expect("a short value"));
        body.put(value);
    }
    sized(0xE3, &body, out);
}

/// A token whose length stands before it.
fn sized(token: u8, body: &[u8], out: &mut Vec<u8>) {
    out.u8(token);
    out.u16(u16::try_from(body.len()).expect("a token of at most 65535 bytes"));
    out.put(body);
}
