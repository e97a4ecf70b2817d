//! A session with a server: everything here runs in the thread of its driver.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use odbc_api::handles::StatementImpl;
use odbc_api::{
    Connection, ConnectionOptions, Cursor, DataType, Preallocated, ResultSetMetadata, environment,
};

use crate::source::dialect::{self, Ask, Asked, Dialect, Facts, Native};
use crate::source::origin::{Origin, named};
use crate::source::{Rate, Secret, SourceError};

use super::drivers::{self, Places};
use super::is_passing;
use super::native::{self, Canceller};
use super::problem::{CONNECTING, OdbcProblem, PLANNING, Refusal};

/// How long a driver is waited for that closes a connection.
const FAREWELL: Duration = Duration::from_secs(5);
/// How long the driver may take to log in, in seconds.
pub(super) const LOGIN_SECONDS: u32 = 30;

/// What is needed to connect.
#[derive(Debug, Clone)]
pub(super) struct Address {
    /// The connection string as the user wrote it.
    pub connection_string: Secret,
    /// The dialect that the user named.
    pub dialect: Option<&'static dyn Dialect>,
    /// The longest that the server may work on one statement.
    pub statement_timeout: Option<Duration>,
    /// How fast it may be read.
    pub rate: Option<Rate>,
}

/// What a statement asks, which says how long its answer may take and whether the driver's words may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    /// The catalogue, or no rows at all.
    Catalogue,
    /// Rows of the user, or what a query would bring.
    Rows,
}

/// A session with a server.
pub(super) struct Session {
    /// Nothing once it is let go of.
    connection: Option<Connection<'static>>,
    canceller: Arc<Canceller>,
    statement_timeout: Option<Duration>,
    /// How fast it may be read.
    pub rate: Option<Rate>,
    /// True where the driver gives text as UTF-8 alone.
    pub narrow: bool,
    /// True where it takes statements as UTF-8 alone, too.
    narrow_sql: bool,
    /// The dialect of the server.
    pub dialect: &'static dyn Dialect,
    /// What the session is.
    pub facts: Facts,
    /// When it began to read, by the server's clock (RFC 3339 in UTC); nothing where the server does not say.
    pub seen_at: Option<String>,
    /// A hash of what the user calls the server and the database.
    named: String,
    /// Hears of every statement before it is run.
    pub pulse: Option<Box<dyn Fn(Over) + Send>>,
}

impl Session {
    /// Connects, and begins to read only.
    pub fn open(address: &Address, canceller: Arc<Canceller>) -> Result<Self, SourceError> {
        let mut session = Session::connect(address, canceller, false)?;
        session.begin()?;
        Ok(session)
    }

    /// Connects; the session is as its server makes it until it begins. A driver may have to be told that it will write.
    pub fn connect(
        address: &Address,
        canceller: Arc<Canceller>,
        to_write: bool,
    ) -> Result<Self, SourceError> {
        let connection_string = address.connection_string.reveal();
        let resolved = drivers::resolved(connection_string, &Places::of_system())?;
        let library = drivers::library_of(&resolved);
        library.as_deref().map_or(Ok(()), drivers::test_library)?;
        let guessed = address.dialect.or_else(|| dialect::by_driver(library.as_deref()?));
        let secrets = drivers::secrets(connection_string);
        let with_options = |dialect: &dyn Dialect| {
            let mut options = if to_write { dialect.options_to_write().to_vec() } else { Vec::new() };
            options.extend(dialect.driver_options(library.as_deref().unwrap_or_default()));
            drivers::with_options(&resolved, &options).unwrap_or_else(|| resolved.clone())
        };
        // Most drivers tell by their library whose they are: then one log-in is enough.
        let first = guessed.map_or_else(|| resolved.clone(), with_options);
        let mut connection = connect(&first, guessed, &secrets)?;
        let name = connection.database_management_system_name().unwrap_or_default();
        let mut dialect = address.dialect.unwrap_or_else(|| dialect::by_server(&name));
        let second = with_options(dialect);
        if second != first {
            drop(connection);
            connection = connect(&second, Some(dialect), &secrets)?;
        }
        if let Ok(mark) = connection.identifier_quote_char() {
            dialect = dialect.marked(mark).unwrap_or(dialect);
        }
        let facts =
            Facts { version: name.clone(), isolation: String::new(), statement: false, session: false };
        let statement_timeout = address.statement_timeout;
        let mut session = Session {
            connection: Some(connection),
            canceller,
            statement_timeout,
            rate: address.rate,
            narrow: false,
            narrow_sql: false,
            dialect,
            facts,
            seen_at: None,
            named: named(&drivers::names(connection_string)),
            pulse: None,
        };
        session.find_letters()?;
        Ok(session)
    }

    /// Begins to read only, at one moment where the server can.
    pub fn begin(&mut self) -> Result<(), SourceError> {
        let (server, timeout) = (self.facts.version.clone(), self.statement_timeout);
        self.facts = self.dialect.begin(self, &server, timeout)?;
        if let Some(clock) = self.dialect.clock() {
            let answer = self.rows_if_allowed(clock)?;
            self.seen_at =
                answer.into_iter().flatten().flatten().next().map(|text| format!("{}Z", text.trim()));
        }
        Ok(())
    }

    /// Returns the rows of a query that not every user may ask; none where it is refused. A connection that is lost is
    /// an error: drivers may break over the next statement.
    pub fn rows_if_allowed(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, SourceError> {
        if_allowed(self.rows(sql))
    }

    /// Returns which database this is.
    pub fn origin(&mut self) -> Result<Origin, SourceError> {
        let dialect = self.dialect;
        let (server, database) = match dialect.whereabouts() {
            Some(query) => {
                let row = self.rows_if_allowed(query)?.into_iter().next().unwrap_or_default();
                let mut cells = row.into_iter();
                (cells.next().flatten(), cells.next().flatten())
            }
            None => (None, self.connection()?.current_catalog().ok()),
        };
        Ok(Origin { server, database, named: self.named.clone() })
    }

    fn connection(&self) -> Result<&Connection<'static>, SourceError> {
        self.connection.as_ref().ok_or_else(|| OdbcProblem::Broke(PLANNING).into())
    }

    /// Returns the rows of a query over the user's data, as text. Of a failure nothing is shown that may hold a value.
    pub fn rows_of_data(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, SourceError> {
        self.answer(sql, Over::Rows)
    }

    fn answer(&self, sql: &str, over: Over) -> Result<Vec<Vec<Option<String>>>, SourceError> {
        let failed = |error: odbc_api::Error| self.refused(PLANNING, &error, over == Over::Catalogue);
        self.tell(over);
        self.with_statement(
            |statement| {
                let sql = self.spelled(sql);
                let Some(cursor) = native::execute(statement, &sql).map_err(failed)? else {
                    return Ok(Vec::new());
                };
                texts(cursor, self.narrow, self.dialect.lost_codes()).map_err(failed)
            },
            PLANNING,
        )
    }

    fn tell(&self, over: Over) {
        if let Some(pulse) = &self.pulse {
            pulse(over);
        }
    }

    /// Finds out whether the driver takes and gives UTF-16, or UTF-8 alone.
    fn find_letters(&mut self) -> Result<(), SourceError> {
        let Some((query, answer)) = self.dialect.letters() else { return Ok(()) };
        for (narrow, narrow_sql) in [(false, false), (true, false), (true, true)] {
            (self.narrow, self.narrow_sql) = (narrow, narrow_sql);
            // A driver may take what it does not understand for a mistake.
            let rows = self.rows_if_allowed(query)?;
            if rows.first().and_then(|row| row.first()?.as_deref()) == Some(answer) {
                return Ok(());
            }
        }
        Err(OdbcProblem::Letters.into())
    }

    /// Returns a statement as the driver is given it.
    ///
    /// A driver without UTF-16 gets, of every character, the lower half from its manager: so each byte of UTF-8 goes as
    /// a character. One that has it and counts it wrongly reads on beyond the end, but for a NUL.
    pub fn spelled<'q>(&self, sql: &'q str) -> Cow<'q, str> {
        match (self.narrow, self.narrow_sql) {
            (true, true) if !sql.is_ascii() => Cow::Owned(sql.bytes().map(char::from).collect()),
            (true, false) if !sql.is_ascii() => Cow::Owned(format!("{sql}\0")),
            _ => Cow::Borrowed(sql),
        }
    }

    /// Returns a name as the driver meant it.
    fn meant(&self, name: String) -> String {
        if !self.narrow_sql || name.is_ascii() {
            return name;
        }
        let bytes: Option<Vec<u8>> = name.chars().map(|letter| u8::try_from(letter).ok()).collect();
        bytes.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or(name)
    }

    /// Makes a statement that the server gives up after the statement timeout.
    fn statement(&self, doing: &'static str) -> Result<Preallocated<StatementImpl<'_>>, SourceError> {
        let mut statement =
            self.connection()?.preallocate().map_err(|error| self.refused(doing, &error, false))?;
        if let Some(timeout) = self.statement_timeout {
            // Where the driver cannot, the dialect has told the server.
            let seconds = usize::try_from(timeout.as_secs().max(1)).unwrap_or(usize::MAX);
            let _ = statement.set_query_timeout_sec(seconds);
        }
        Ok(statement)
    }

    /// Works with a new statement, which another thread can break off.
    pub fn with_statement<T>(
        &self,
        work: impl FnOnce(&mut Preallocated<StatementImpl<'_>>) -> Result<T, SourceError>,
        doing: &'static str,
    ) -> Result<T, SourceError> {
        let mut statement = self.statement(doing)?;
        self.canceller.watched(&mut statement, work)
    }

    /// Makes an error of what the driver left; where the connection is dead, it says so.
    pub fn refused(&self, doing: &'static str, error: &odbc_api::Error, shown: bool) -> SourceError {
        let mut refusal = Refusal::new(doing, Some(self.dialect), error, shown);
        let is_dead = || self.connection.as_ref().is_some_and(|c| c.is_dead().unwrap_or(false));
        let dead = self.dialect.lost_codes().contains(&refusal.native) || is_dead();
        if !refusal.is_passing() && !refusal.is_timeout() && dead {
            refusal.lose();
        }
        OdbcProblem::Refused(Box::new(refusal)).into()
    }

    /// Asks the driver to break off what it is doing in this session.
    pub fn canceller(&self) -> Arc<Canceller> {
        Arc::clone(&self.canceller)
    }
}

/// Takes no rows for what is refused, unless the connection is lost.
pub(super) fn if_allowed(
    asked: Result<Vec<Vec<Option<String>>>, SourceError>,
) -> Result<Vec<Vec<Option<String>>>, SourceError> {
    match asked {
        Err(error) if is_passing(&error) => Err(error),
        asked => Ok(asked.unwrap_or_default()),
    }
}

impl Drop for Session {
    /// To let go of a connection may hang or break: it is done elsewhere, and waited for a little.
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        let (sender, done) = std::sync::mpsc::sync_channel(1);
        let let_go = move || {
            let _ = catch_unwind(AssertUnwindSafe(|| drop(connection)));
            let _ = sender.send(());
        };
        if std::thread::Builder::new().name("odbc".to_owned()).spawn(let_go).is_ok() {
            let _ = done.recv_timeout(FAREWELL);
        }
    }
}

fn connect(
    connection_string: &str,
    dialect: Option<&dyn Dialect>,
    secrets: &[String],
) -> Result<Connection<'static>, SourceError> {
    let failed = |error: &odbc_api::Error| {
        let mut refusal = Refusal::new(CONNECTING, dialect, error, true);
        // The text of a driver may quote the connection string.
        refusal.text =
            refusal.text.filter(|text| !secrets.iter().any(|secret| text.contains(secret.as_str())));
        SourceError::from(OdbcProblem::Refused(Box::new(refusal)))
    };
    let environment = environment().map_err(|error| failed(&error))?;
    let options = ConnectionOptions { login_timeout_sec: Some(LOGIN_SECONDS), packet_size: None };
    environment.connect_with_connection_string(connection_string, options).map_err(|error| failed(&error))
}

impl Ask for Session {
    fn rows(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, SourceError> {
        self.answer(sql, Over::Catalogue)
    }

    fn run(&mut self, sql: &str) -> Result<(), SourceError> {
        let this = &*self;
        this.tell(Over::Catalogue);
        this.with_statement(
            |statement| {
                let sql = this.spelled(sql);
                native::execute(statement, &sql)
                    .map(drop)
                    .map_err(|error| this.refused(PLANNING, &error, true))
            },
            PLANNING,
        )
    }

    fn without_autocommit(&mut self) -> Result<(), SourceError> {
        self.tell(Over::Catalogue);
        let set = self.connection()?.set_autocommit(false);
        set.map_err(|error| self.refused(PLANNING, &error, true))
    }

    fn described(&mut self, sql: &str) -> Result<Vec<Native>, SourceError> {
        let this = &*self;
        let failed = |error: odbc_api::Error| this.refused(PLANNING, &error, true);
        // A server may work out what a query brings though no row is wanted.
        this.tell(Over::Rows);
        this.with_statement(
            |statement| {
                let sql = this.spelled(sql);
                let Some(mut cursor) = native::execute(statement, &sql).map_err(failed)? else {
                    return Ok(Vec::new());
                };
                let columns = u16::try_from(cursor.num_result_cols().map_err(failed)?).unwrap_or(0);
                (1..=columns)
                    .map(|column| {
                        let data_type = cursor.col_data_type(column).map_err(failed)?;
                        let nullability = cursor.col_nullability(column).map_err(failed)?;
                        let mut native = native_of(&data_type);
                        if native.base == "bigint" && cursor.column_is_unsigned(column).map_err(failed)? {
                            "bigint unsigned".clone_into(&mut native.base);
                        }
                        native.name = this.meant(cursor.col_name(column).map_err(failed)?);
                        native.nullable = nullability.could_be_nullable();
                        native.declared =
                            native::type_name(&mut cursor, column).unwrap_or_else(|| native.base.clone());
                        Ok(native)
                    })
                    .collect()
            },
            PLANNING,
        )
    }

    fn driver_catalogue(&mut self, asked: Asked<'_>) -> Result<Vec<Vec<Option<String>>>, SourceError> {
        let this = &*self;
        let failed = |error: odbc_api::Error| this.refused(PLANNING, &error, true);
        this.tell(Over::Catalogue);
        let catalogue = this.connection()?.current_catalog().unwrap_or_default();
        this.with_statement(
            |statement| {
                let cursor = match asked {
                    Asked::Tables => statement.tables_cursor(&catalogue, "%", "%", "TABLE,VIEW"),
                    Asked::PrimaryKey(table) => statement.primary_keys_cursor(
                        Some(catalogue.as_str()).filter(|name| !name.is_empty()),
                        Some(&*this.spelled(&table.schema)).filter(|name| !name.is_empty()),
                        &this.spelled(&table.name),
                    ),
                    Asked::ForeignKeys(table) => {
                        let (schema, name) = (this.spelled(&table.schema), this.spelled(&table.name));
                        statement.foreign_keys_cursor("", "", "", &catalogue, &schema, &name)
                    }
                };
                texts(cursor.map_err(failed)?, this.narrow, this.dialect.lost_codes()).map_err(failed)
            },
            PLANNING,
        )
    }
}

/// Returns the rows of a cursor as text; `narrow` drivers give it as UTF-8 alone.
fn texts(
    mut cursor: impl Cursor,
    narrow: bool,
    lost: &[i32],
) -> Result<Vec<Vec<Option<String>>>, odbc_api::Error> {
    let columns = cursor.num_result_cols()?;
    let mut cursor = native::Rows::new(cursor);
    let mut rows = Vec::new();
    let (mut units, mut bytes) = (Vec::with_capacity(512), Vec::with_capacity(512));
    while let Some(mut row) = cursor.next(&|code| lost.contains(&code))? {
        let mut cells = Vec::new();
        for column in 1..=u16::try_from(columns).unwrap_or(0) {
            cells.push(if narrow {
                let there = row.get_text(column, &mut bytes)?;
                there.then(|| String::from_utf8_lossy(&bytes).into_owned())
            } else {
                let there = row.get_wide_text(column, &mut units)?;
                there.then(|| String::from_utf16_lossy(&units))
            });
        }
        rows.push(cells);
    }
    Ok(rows)
}

/// Returns what ODBC itself says of a type.
fn native_of(data_type: &DataType) -> Native {
    let base = match data_type {
        DataType::Char { .. } => "char",
        DataType::WChar { .. } => "wchar",
        DataType::Varchar { .. } => "varchar",
        DataType::WVarchar { .. } => "wvarchar",
        DataType::LongVarchar { .. } => "longvarchar",
        DataType::WLongVarchar { .. } => "wlongvarchar",
        DataType::Binary { .. } => "binary",
        DataType::Varbinary { .. } => "varbinary",
        DataType::LongVarbinary { .. } => "longvarbinary",
        DataType::Numeric { .. } => "numeric",
        DataType::Decimal { .. } => "decimal",
        DataType::TinyInt => "tinyint",
        DataType::SmallInt => "smallint",
        DataType::Integer => "integer",
        DataType::BigInt => "bigint",
        DataType::Bit => "bit",
        DataType::Real => "real",
        DataType::Float { .. } => "float",
        DataType::Double => "double",
        DataType::Date => "date",
        DataType::Time { .. } => "time",
        DataType::Timestamp { .. } => "timestamp",
        DataType::Other { data_type: odbc_api::sys::SqlDataType::EXT_GUID, .. } => "guid",
        DataType::Other { .. } | DataType::Unknown => "unknown",
    };
    let text = data_type.column_size().map(|size| size.get() as u64);
    let (length, precision, scale) = match data_type {
        DataType::Numeric { precision, scale } | DataType::Decimal { precision, scale } => {
            (None, u32::try_from(*precision).ok(), Some(i32::from(*scale)))
        }
        DataType::Time { precision } | DataType::Timestamp { precision } => {
            (None, None, Some(i32::from(*precision)))
        }
        _ => (text, None, None),
    };
    Native {
        name: String::new(),
        base: base.to_owned(),
        length,
        precision,
        scale,
        nullable: true,
        declared: base.to_owned(),
    }
}
