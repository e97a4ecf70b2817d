//! What this database and its drivers say where something fails.
//!
//! Numbers up to 19999 and from 40000 on are the server's own, those from 20000 to 20999 are of `FreeTDS`, and others are
//! of the system's network.

use crate::source::dialect::Failure;
use crate::source::dialect::failure::{
    LOCKED, NO_DATABASE, NO_RIGHT, NO_TABLE, NOT_FROM_HERE, NOT_READY, OTHER_HOST, PASSWORD, TIMED_OUT,
    TOO_MANY, UNKNOWN_HOST, UNREACHED, lasting, passing,
};

pub(super) const FAILURES: &[Failure] = &[
    lasting(&[18456, 20014], "", PASSWORD),
    lasting(
        &[18452],
        "",
        "the server takes no password of this user: give the log-in of SQL Server, or log in with Kerberos",
    ),
    lasting(&[18470, 18486], "", "this log-in is disabled or locked: ask the server's administrator"),
    lasting(
        &[18487, 18488],
        "",
        "the password has expired: change it with another program, then correct the connection string",
    ),
    lasting(&[4060, 4064, 911, 916], "", NO_DATABASE),
    lasting(&[40615, 40914], "", NOT_FROM_HERE),
    passing(&[17809, 17300, 10928, 10929], "", TOO_MANY),
    passing(&[6005, 17142, 17187, 17188, 18461, 922, 40613, 40197], "", NOT_READY),
    lasting(&[208], "", NO_TABLE),
    lasting(&[229, 230, 300], "", NO_RIGHT),
    lasting(&[207], "", "there is no such column"),
    lasting(
        &[3952],
        "",
        "`ALTER DATABASE name SET ALLOW_SNAPSHOT_ISOLATION ON` allows it, or read no table of that database",
    ),
    passing(&[1222], "", LOCKED),
    lasting(&[11001, 20012, 20013], "", UNKNOWN_HOST),
    passing(&[10060, 258], "", TIMED_OUT),
    passing(&[10061, 111], "", UNREACHED),
    passing(&[20009], "", UNREACHED),
    passing(
        &[0],
        "unable to connect to data source",
        "the server is not there or broke off the talk: are host and port right, is the VPN up? With FreeTDS try \
         `TDS_Version=7.4` (7.2 for servers before 2012) and `Encryption=require`",
    ),
    lasting(
        &[20002, 20017],
        "",
        "the server broke off the talk: is this its port, and does the driver speak its language? With FreeTDS try \
         `TDS_Version=7.4` (7.2 for servers before 2012) and `Encryption=require`",
    ),
    lasting(&[], "does not match host", OTHER_HOST),
    lasting(
        &[],
        "certificate verify failed",
        "the server's certificate is not from an authority that is trusted here: install the authority's certificate, \
         or `TrustServerCertificate=yes` takes any, where the network may be trusted",
    ),
    lasting(
        &[],
        "not support encryption",
        "the server offers no encryption, and the connection string wants it: `Encrypt=optional` goes without, where \
         the network may be trusted",
    ),
    lasting(
        &[],
        "encryption is required",
        "the server takes encrypted connections only: add `Encrypt=yes` (with FreeTDS `Encryption=require`)",
    ),
    passing(&[], "login timeout expired", TIMED_OUT),
];
