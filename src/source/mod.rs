//! Where tables come from: one connector a kind of connection.
