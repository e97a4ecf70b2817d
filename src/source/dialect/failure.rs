//! What databases say where something fails, and what to try: one table a dialect.

use super::Dialect;

/// Something that fails so often that there is advice for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::source) struct Failure {
    /// The database's own codes; where there are none, any.
    pub codes: &'static [i32],
    /// A piece of what the driver says, in lower case; where it is empty, anything.
    pub says: &'static str,
    /// What to try.
    pub advice: &'static str,
    /// True where it may pass by itself, so that trying again helps.
    pub passes: bool,
}

/// What stays until someone does something.
pub(super) const fn lasting(codes: &'static [i32], says: &'static str, advice: &'static str) -> Failure {
    Failure { codes, says, advice, passes: false }
}

/// What may pass by itself.
pub(super) const fn passing(codes: &'static [i32], says: &'static str, advice: &'static str) -> Failure {
    Failure { codes, says, advice, passes: true }
}

/// Returns what is known of a failure, by the database's own code and the driver's text: the first that fits.
pub(in crate::source) fn known(dialect: &dyn Dialect, code: i32, text: &str) -> Option<&'static Failure> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    dialect.failures().iter().find(|failure| {
        (failure.codes.is_empty() || failure.codes.contains(&code)) && text.contains(failure.says)
    })
}

// What is the same for all databases is said in the same words.
pub(super) const PASSWORD: &str = "correct the user or the password in the connection string: the server does not say which of them is wrong";
pub(super) const NO_PASSWORD: &str = "no password was given: add `PWD=...` to the connection string";
pub(super) const NO_DATABASE: &str =
    "correct `Database` in the connection string: there is no such database, or this user may not open it";
pub(super) const UNREACHED: &str =
    "nothing answers there: look at host and port, whether the server runs, and at the firewall and VPN";
pub(super) const UNKNOWN_HOST: &str =
    "no address is known for the host: correct it; is the VPN up that knows it?";
pub(super) const TIMED_OUT: &str =
    "no answer came in time: is a firewall in the way, is the VPN or tunnel up?";
pub(super) const NO_RIGHT: &str = "this user may not read it: ask for the right to SELECT";
pub(super) const NO_TABLE: &str =
    "there is no such table, or this user may not see it: look at its schema and name";
pub(super) const TOO_MANY: &str =
    "the server has no connection to spare: lower `limits.connections`, or end other connections";
pub(super) const NOT_READY: &str = "the server is starting or stopping: try again in a moment";
pub(super) const NOT_FROM_HERE: &str = "the server does not take connections of this user from this machine: ask its administrator to allow the address";
pub(super) const TOO_SLOW: &str =
    "the server ended the statement: raise `limits.statement_timeout`, or ask who cancelled it";
pub(super) const UNTRUSTED: &str = "the server's certificate is not from an authority that is trusted here: give the driver the authority's certificate";
pub(super) const OTHER_HOST: &str =
    "the server's certificate is for another name than the host: connect by the name in the certificate";
pub(super) const LOCKED: &str = "someone holds a lock: try again when their work is done";

#[cfg(test)]
mod tests {
    use super::super::DIALECTS;
    use super::*;

    #[test]
    fn every_failure_can_be_met_and_has_advice() {
        for dialect in DIALECTS {
            let word = dialect.word();
            for (at, failure) in dialect.failures().iter().enumerate() {
                assert!(!failure.codes.is_empty() || !failure.says.is_empty(), "{word} {at}: anything fits");
                assert_eq!(failure.says, failure.says.to_lowercase(), "{word} {at}");
                assert!(failure.advice.len() > 10 && !failure.advice.ends_with('.'), "{word} {at}");
                let code = failure.codes.first().copied().unwrap_or_default();
                let found = known(*dialect, code, failure.says);
                assert_eq!(found, Some(failure), "{word} {at}: another comes before it");
            }
        }
    }

    /// What drivers and servers say, with words of the advice: of psqlodbc, MariaDB, SQLite and FreeTDS in part as it was
    /// seen, of Microsoft's driver, Oracle and the rest after their documentation.
    #[test]
    fn the_commonest_failures_are_known() {
        for (word, code, text, says) in [
            ("sqlserver", 18456, "[FreeTDS][SQL Server]Login failed for user 'reader'.", "the password"),
            (
                "sqlserver",
                4060,
                "Cannot open database \"housing\" requested by the login.",
                "no such database",
            ),
            (
                "sqlserver",
                20009,
                "Unable to connect: Adaptive Server is unavailable or does not exist",
                "VPN",
            ),
            ("sqlserver", 20002, "Adaptive Server connection failed", "TDS_Version"),
            ("sqlserver", 20013, "Unknown host machine name.", "no address"),
            ("sqlserver", 10060, "TCP Provider: Timeout error [258].", "in time"),
            ("sqlserver", 11001, "TCP Provider: No such host is known.", "no address"),
            (
                "sqlserver",
                -1,
                "SSL Provider: [error:0A000086:SSL routines::certificate verify failed:self-signed certificate]",
                "TrustServerCertificate",
            ),
            (
                "sqlserver",
                -1,
                "SSL Provider: [certificate verify failed:subject name does not match host name]",
                "another name",
            ),
            (
                "sqlserver",
                -1,
                "The server does not support encryption, but the client requires it",
                "Encrypt",
            ),
            ("sqlserver", 229, "The SELECT permission was denied on the object 'tenagree'", "SELECT"),
            ("sqlserver", 208, "Invalid object name 'dbo.no_such'.", "no such table"),
            (
                "sqlserver",
                17809,
                "Could not connect because the maximum number of '4' user connections has already been reached.",
                "limits.connections",
            ),
            ("sqlserver", 6005, "SHUTDOWN is in progress.", "starting or stopping"),
            (
                "sqlserver",
                3952,
                "Snapshot isolation transaction failed accessing database 'uh'",
                "ALLOW_SNAPSHOT_ISOLATION",
            ),
            (
                "sqlserver",
                40615,
                "Cannot open server 'x' requested by the login. Client with IP address '1.2.3.4' is not allowed",
                "allow the address",
            ),
            (
                "mysql",
                1045,
                "[ma-3.1.15]Access denied for user 'reader'@'localhost' (using password: YES)",
                "the password",
            ),
            (
                "mysql",
                1045,
                "[ma-3.1.15]Access denied for user 'reader'@'localhost' (using password: NO)",
                "PWD",
            ),
            ("mysql", 1044, "Access denied for user 'reader'@'%' to database 'nosuch'", "no such database"),
            ("mysql", 1049, "Unknown database 'nosuch'", "no such database"),
            ("mysql", 2002, "[ma-3.1.15]Can't connect to server on '127.0.0.1' (115)", "firewall"),
            ("mysql", 2002, "Can't connect to server on '10.0.0.1' (110)", "in time"),
            ("mysql", 2005, "Unknown server host 'no-such.invalid' (-2)", "no address"),
            ("mysql", 2026, "TLS/SSL error: certificate verify failed", "authority"),
            (
                "mysql",
                2026,
                "SSL connection error: SSL is required, but the server does not support it",
                "offers no encryption",
            ),
            (
                "mysql",
                3159,
                "Connections using insecure transport are prohibited while --require_secure_transport=ON.",
                "FORCETLS",
            ),
            (
                "mysql",
                1130,
                "Host '10.0.0.1' is not allowed to connect to this MariaDB server",
                "allow the address",
            ),
            ("mysql", 1040, "Too many connections", "limits.connections"),
            ("mysql", 1142, "SELECT command denied to user 'reader'@'localhost' for table `d`.`t`", "SELECT"),
            ("mysql", 1146, "Table 'd.nosuch' doesn't exist", "no such table"),
            ("mysql", 1053, "Server shutdown in progress", "starting or stopping"),
            (
                "mysql",
                1969,
                "Query execution was interrupted (max_statement_time exceeded)",
                "statement_timeout",
            ),
            ("postgres", 101, "FATAL:  password authentication failed for user \"pw\"", "the password"),
            ("postgres", 101, "failed: fe_sendauth: no password supplied", "PWD"),
            ("postgres", 101, "FATAL:  role \"nobody\" does not exist", "no such user"),
            (
                "postgres",
                101,
                "no pg_hba.conf entry for host \"127.0.0.1\", user \"u\", database \"d\", no encryption",
                "sslmode=require",
            ),
            (
                "postgres",
                101,
                "no pg_hba.conf entry for host \"127.0.0.1\", user \"u\", database \"d\", SSL encryption",
                "pg_hba.conf",
            ),
            ("postgres", 101, "FATAL:  database \"nosuch\" does not exist", "no such database"),
            (
                "postgres",
                101,
                "connection to server at \"127.0.0.1\", port 1 failed: Connection refused",
                "firewall",
            ),
            (
                "postgres",
                101,
                "could not translate host name \"x\" to address: Name or service not known",
                "no address",
            ),
            (
                "postgres",
                101,
                "connection to server at \"10.0.0.1\", port 5432 failed: timeout expired",
                "in time",
            ),
            ("postgres", 101, "server does not support SSL, but SSL was required", "sslmode"),
            ("postgres", 101, "SSL error: certificate verify failed", "authority"),
            (
                "postgres",
                101,
                "server certificate for \"localhost\" does not match host name \"127.0.0.1\"",
                "another name",
            ),
            ("postgres", 101, "FATAL:  sorry, too many clients already", "limits.connections"),
            ("postgres", 101, "FATAL:  the database system is starting up", "starting or stopping"),
            ("postgres", 1, "ERROR: permission denied for table t", "SELECT"),
            ("postgres", 1, "ERROR: relation \"nosuch\" does not exist", "no such table"),
            ("postgres", 1, "ERROR: schema \"nosuch\" does not exist", "no such table"),
            ("postgres", 1, "ERROR: canceling statement due to statement timeout", "statement_timeout"),
            ("oracle", 1017, "ORA-01017: invalid username/password; logon denied", "the password"),
            (
                "oracle",
                12514,
                "ORA-12514: TNS:listener does not currently know of service requested",
                "no such database",
            ),
            ("oracle", 12541, "ORA-12541: TNS:no listener", "firewall"),
            ("oracle", 12170, "ORA-12170: TNS:Connect timeout occurred", "in time"),
            (
                "oracle",
                12545,
                "ORA-12545: Connect failed because target host or object does not exist",
                "no address",
            ),
            ("oracle", 942, "ORA-00942: table or view does not exist", "no such table"),
            ("oracle", 1031, "ORA-01031: insufficient privileges", "SELECT"),
            ("sqlite", 14, "[SQLite]connect failed", "file"),
            ("sqlite", 26, "[SQLite]file is not a database (26)", "file"),
        ] {
            let dialect = super::super::by_word(word).expect("a dialect");
            let failure = known(dialect, code, text).unwrap_or_else(|| panic!("{word} {code}: {text}"));
            assert!(failure.advice.contains(says), "{word} {code}: {text}: {}", failure.advice);
        }
    }
}
