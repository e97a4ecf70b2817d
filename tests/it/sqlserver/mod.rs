//! SQL Server, by the real FreeTDS driver against a responder that speaks its protocol.

mod bound;
mod connector;
pub mod convert;
pub mod database;
mod driver;
mod samples;
mod tsql;
