//! What MySQL, MariaDB and their drivers say where something fails often.

use crate::source::dialect::Failure;
use crate::source::dialect::failure::{
    LOCKED, NO_DATABASE, NO_PASSWORD, NO_RIGHT, NO_TABLE, NOT_FROM_HERE, NOT_READY, OTHER_HOST, PASSWORD,
    TIMED_OUT, TOO_MANY, TOO_SLOW, UNKNOWN_HOST, UNREACHED, UNTRUSTED, lasting, passing,
};

pub(super) const FAILURES: &[Failure] = &[
    lasting(&[1045, 1698], "using password: no", NO_PASSWORD),
    lasting(&[1045, 1698], "", PASSWORD),
    lasting(&[1044, 1049], "", NO_DATABASE),
    lasting(&[1130, 1129], "", NOT_FROM_HERE),
    lasting(
        &[3159],
        "",
        "the server takes encrypted connections only: add `FORCETLS=1` (or `SSLMODE=REQUIRED`) to the connection string",
    ),
    lasting(
        &[1251, 2058, 2059],
        "",
        "the driver does not know the server's way of logging in: a newer driver may, or ask for a user who logs in by another plug-in",
    ),
    lasting(
        &[2026],
        "support",
        "the server offers no encryption, and the connection string wants it: leave `FORCETLS`, `SSLMODE` or `SSLVERIFY` out where the network may be trusted",
    ),
    lasting(&[2026], "hostname", OTHER_HOST),
    lasting(&[2026], "host name", OTHER_HOST),
    lasting(&[2026], "certificate", UNTRUSTED),
    lasting(
        &[2026],
        "",
        "no encryption could be agreed on: look at the certificates and versions of TLS of both sides",
    ),
    lasting(&[2005], "", UNKNOWN_HOST),
    passing(&[2002, 2003], "(110)", TIMED_OUT),
    passing(&[2002, 2003], "(60)", TIMED_OUT),
    passing(&[2002, 2003], "", UNREACHED),
    passing(&[1040, 1203], "", TOO_MANY),
    lasting(
        &[1226],
        "",
        "this user has used up what the server allows it: lower `limits.connections`, or ask for more",
    ),
    passing(&[1053, 1077, 1079], "", NOT_READY),
    lasting(&[1142, 1143, 1227, 1370], "", NO_RIGHT),
    lasting(&[1146, 1051, 1109], "", NO_TABLE),
    lasting(&[1054], "", "there is no such column"),
    lasting(&[1969, 3024, 1317], "", TOO_SLOW),
    passing(&[1205], "", LOCKED),
];
