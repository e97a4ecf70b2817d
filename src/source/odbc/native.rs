//! What `odbc-api` does not offer: breaking off a statement from another thread, the native name of a type, what a driver
//! says beside rows, and a statement that drivers can read beyond its end.
#![allow(unsafe_code)]

use std::ptr::null_mut;
use std::sync::{Mutex, PoisonError};

use odbc_api::handles::{AsStatementRef, Record, SqlResult, State, Statement, StatementImpl, StatementRef};
use odbc_api::sys::{
    Desc, HStmt, HandleType, SQLCancel, SQLColAttributeW, SQLExecDirectW, SQLGetDiagRecW, SqlReturn,
};
use odbc_api::{BlockCursor, Cursor, CursorImpl, CursorRow, Error, Preallocated, RowSetBuffer};

/// A statement that is at work in another thread.
#[derive(Debug)]
struct AtWork(HStmt);

// SAFETY: the handle is used by `SQLCancel` alone, which is made to be called from other threads, and only while the
// lock of `Canceller` keeps the statement alive.
unsafe impl Send for AtWork {}

/// Breaks off what a driver is doing.
#[derive(Debug, Default)]
pub(super) struct Canceller(Mutex<Option<AtWork>>);

impl Canceller {
    /// Works with a statement that [`Canceller::cancel`] breaks off meanwhile.
    pub fn watched<'c, T>(
        &self,
        statement: &mut Preallocated<StatementImpl<'c>>,
        work: impl FnOnce(&mut Preallocated<StatementImpl<'c>>) -> T,
    ) -> T {
        /// Forgets the statement, also where the work panics.
        struct Forget<'a>(&'a Canceller);
        impl Drop for Forget<'_> {
            fn drop(&mut self) {
                self.0.set(None);
            }
        }
        self.set(Some(AtWork(statement.as_stmt_ref().as_sys())));
        let _forget = Forget(self);
        work(statement)
    }

    fn set(&self, statement: Option<AtWork>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = statement;
    }

    /// Asks the driver to break off the statement that is at work, where one is.
    pub fn cancel(&self) {
        let at_work = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(AtWork(statement)) = &*at_work {
            // SAFETY: the statement is borrowed by `watched`, which forgets it under this lock before it returns.
            let _ = unsafe { SQLCancel(*statement) };
        }
    }
}

/// Runs a statement without parameters. Returns its rows, where it has any.
///
/// A driver that counts letters twice reads so much further than it is told. Behind the statement are as many noughts:
/// what otherwise happens to lie there is no text now and then, and the statement fails.
pub(super) fn execute<'s>(
    statement: &'s mut Preallocated<StatementImpl<'_>>,
    sql: &str,
) -> Result<Option<CursorImpl<StatementRef<'s>>>, Error> {
    const FUNCTION: &str = "SQLExecDirect";
    let mut units: Vec<u16> = sql.encode_utf16().collect();
    let length = i32::try_from(units.len()).unwrap_or(i32::MAX);
    units.resize(units.len() * 2 + 1, 0);
    let mut statement = statement.as_stmt_ref();
    // SAFETY: the statement is alive while it is borrowed; there are more units than are said.
    let result = match unsafe { SQLExecDirectW(statement.as_sys(), units.as_ptr(), length) } {
        SqlReturn::SUCCESS => SqlResult::Success(()),
        SqlReturn::SUCCESS_WITH_INFO => SqlResult::SuccessWithInfo(()),
        SqlReturn::NO_DATA => SqlResult::NoData,
        _ => SqlResult::Error { function: FUNCTION },
    };
    result.on_no_data(|| ()).into_result(&statement)?;
    if statement.num_result_cols().into_result(&statement)? == 0 {
        return Ok(None);
    }
    // SAFETY: the statement has rows, so that it is in the state of a cursor.
    Ok(Some(unsafe { CursorImpl::new(statement) }))
}

/// Returns the native name of the type of a column, from 1, where the driver has one.
pub(super) fn type_name(statement: &mut impl AsStatementRef, column: u16) -> Option<String> {
    let mut text = [0_u16; 256];
    let mut bytes: i16 = 0;
    let statement = statement.as_stmt_ref();
    // SAFETY: the statement is alive while it is borrowed; the buffer has as many bytes as are said, and the lengths
    // are written to variables of this function.
    let result = unsafe {
        SQLColAttributeW(
            statement.as_sys(),
            column,
            Desc::TypeName,
            text.as_mut_ptr().cast(),
            512,
            &raw mut bytes,
            null_mut(),
        )
    };
    let written = matches!(result, odbc_api::sys::SqlReturn::SUCCESS);
    let units = usize::try_from(bytes).ok()? / 2;
    let name = String::from_utf16(text.get(..units)?).ok()?;
    let name = name.trim_end_matches('\0').trim().to_owned();
    (written && !name.is_empty()).then_some(name)
}

/// What a driver says beside rows that changes nothing of them: a message of the server, NULLs left out of a sum. Whoever
/// reads the values finds those that were cut off (01004) by their lengths.
const HARMLESS: [&[u8; 5]; 4] = [b"00000", b"01000", b"01003", b"01004"];

/// Returns the first diagnostic that a fetch left though it gave rows, where it is not harmless.
///
/// A driver that fails in the middle of a block gives the rows before it, and only so says that there are no others.
///
/// # Safety
/// The statement must be alive.
unsafe fn left(statement: HStmt, is_lost: &dyn Fn(i32) -> bool) -> Option<Error> {
    for number in 1..=i16::MAX {
        let mut state = [0_u16; 6];
        let (mut native_error, mut length) = (0, 0);
        // SAFETY: the statement is alive; the buffers have the lengths that are said.
        let result = unsafe {
            SQLGetDiagRecW(
                HandleType::Stmt,
                statement.as_handle(),
                number,
                state.as_mut_ptr(),
                &raw mut native_error,
                null_mut(),
                0,
                &raw mut length,
            )
        };
        if !matches!(result, SqlReturn::SUCCESS | SqlReturn::SUCCESS_WITH_INFO) {
            return None;
        }
        let mut letters = [b'0'; 5];
        for (letter, unit) in letters.iter_mut().zip(state) {
            *letter = u8::try_from(unit).unwrap_or(b'?');
        }
        if !HARMLESS.contains(&&letters) || is_lost(native_error) {
            let record = Record { state: State(letters), native_error, message: Vec::new() };
            return Some(Error::Diagnostics { record, function: "SQLFetch" });
        }
    }
    None
}

/// Rows that come in blocks.
pub(super) struct Blocks<C: AsStatementRef, B> {
    cursor: BlockCursor<C, B>,
    statement: HStmt,
}

impl<C: Cursor, B: RowSetBuffer> Blocks<C, B> {
    pub fn new(mut cursor: C, buffer: B) -> Result<Self, Error> {
        let statement = cursor.as_stmt_ref().as_sys();
        Ok(Blocks { cursor: cursor.bind_buffer(buffer)?, statement })
    }

    /// Returns the next block; `is_lost` knows the database's own codes of a lost connection.
    pub fn next(&mut self, is_lost: &dyn Fn(i32) -> bool) -> Result<Option<&B>, Error> {
        let block = self.cursor.fetch()?;
        // SAFETY: the cursor has the statement.
        match unsafe { left(self.statement, is_lost) } {
            Some(error) => Err(error),
            None => Ok(block),
        }
    }
}

/// Rows that come one by one.
pub(super) struct Rows<C> {
    cursor: C,
    statement: HStmt,
}

impl<C: Cursor> Rows<C> {
    pub fn new(mut cursor: C) -> Self {
        let statement = cursor.as_stmt_ref().as_sys();
        Rows { cursor, statement }
    }

    /// Returns the next row; `is_lost` knows the database's own codes of a lost connection.
    pub fn next(&mut self, is_lost: &dyn Fn(i32) -> bool) -> Result<Option<CursorRow<'_>>, Error> {
        let row = self.cursor.next_row()?;
        // SAFETY: the cursor has the statement.
        match unsafe { left(self.statement, is_lost) } {
            Some(error) => Err(error),
            None => Ok(row),
        }
    }
}
