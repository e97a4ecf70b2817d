//! What a test says that the server answers.

use super::types::Type;

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The SQL; `exec name` where it is a stored procedure.
    pub sql: String,
    /// The values given with it, each with its name, as T-SQL would show them.
    pub parameters: Vec<(String, Option<String>)>,
}

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub kind: Type,
    pub nullable: bool,
}

/// A column that can be NULL.
pub fn column(name: &str, kind: Type) -> Column {
    Column { name: name.to_owned(), kind, nullable: true }
}

impl Column {
    /// The same column, not nullable.
    pub fn not_null(self) -> Self {
        Column { nullable: false, ..self }
    }
}

/// A row: each cell as T-SQL would show it.
pub type Row = Vec<Option<String>>;

/// Makes a row; `NULL` is one.
pub fn row<const N: usize>(cells: [&str; N]) -> Row {
    cells.iter().map(|cell| (*cell != "NULL").then(|| (*cell).to_owned())).collect()
}

/// An error as the server reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerError {
    pub number: i32,
    /// From 20 on the server closes the connection.
    pub severity: u8,
    pub message: String,
}

impl ServerError {
    pub fn new(number: i32, severity: u8, message: &str) -> Self {
        ServerError { number, severity, message: message.to_owned() }
    }
}

/// How an answer ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// With the number of its rows.
    Whole,
    /// With an error after so many rows.
    Error(usize, ServerError),
    /// With the connection cut after so many rows.
    CutAfterRows(usize),
    /// With the connection cut after so many bytes, wherever that is.
    CutAfterBytes(usize),
    /// Never: after so many rows nothing comes until the client cancels or leaves.
    Stall(usize),
}

/// What the server answers to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Where there are none there is no result, only that it was done.
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
    pub ending: Ending,
}

impl Answer {
    /// Done, without a result.
    pub fn done() -> Self {
        Answer::rows(Vec::new(), Vec::new())
    }

    /// A result.
    pub fn rows(columns: Vec<Column>, rows: Vec<Row>) -> Self {
        Answer { columns, rows, ending: Ending::Whole }
    }

    /// An error, and nothing else.
    pub fn error(number: i32, severity: u8, message: &str) -> Self {
        Answer::done().ending(Ending::Error(0, ServerError::new(number, severity, message)))
    }

    /// The same answer with another end.
    pub fn ending(self, ending: Ending) -> Self {
        Answer { ending, ..self }
    }
}
