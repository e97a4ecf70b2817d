//! Prelogin and log-in (MS-TDS 2.2.6.4, 2.2.6.5).

use super::bytes::{Put, Reader, utf16};

/// The version of the protocol that a client asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    V72,
    V73A,
    V73B,
    V74,
}

impl Version {
    const ALL: [(Version, u32); 4] = [
        (Version::V72, 0x7209_0002),
        (Version::V73A, 0x730A_0003),
        (Version::V73B, 0x730B_0003),
        (Version::V74, 0x7400_0004),
    ];

    /// Date, time, datetime2 and datetimeoffset have types of their own; before, they went as nvarchar.
    pub fn has_date_types(self) -> bool {
        self >= Version::V73A
    }

    /// Rows with NULLs may be sent with a bitmap of them.
    pub fn has_null_bitmap(self) -> bool {
        self >= Version::V73B
    }

    pub fn number(self) -> u32 {
        Version::ALL.iter().find(|(version, _)| *version == self).expect("all are listed").1
    }
}

/// What a client said of itself.
#[derive(Debug, Clone)]
pub struct Login {
    pub version: Version,
    pub packet_size: usize,
    pub user: String,
    pub password: String,
    pub database: String,
}

/// The answer to a prelogin: version 15.0.2000, no encryption, no MARS.
pub fn prelogin() -> Vec<u8> {
    const VERSION: [u8; 6] = [15, 0, 0x07, 0xD0, 0, 0];
    const ENCRYPTION_NOT_SUPPORTED: u8 = 2;
    const MARS_OFF: u8 = 0;
    let options: [(u8, &[u8]); 3] = [(0, &VERSION), (1, &[ENCRYPTION_NOT_SUPPORTED]), (4, &[MARS_OFF])];
    let mut table = Vec::new();
    let mut data: Vec<u8> = Vec::new();
    let data_start = 5 * options.len() + 1;
    for (option, value) in options {
        table.push(option);
        table.extend(u16::try_from(data_start + data.len()).expect("a small table").to_be_bytes());
        table.extend(u16::try_from(value.len()).expect("a small value").to_be_bytes());
        data.extend(value);
    }
    table.u8(0xFF);
    table.extend(data);
    table
}

/// Reads a log-in.
pub fn parse(body: &[u8]) -> Result<Login, String> {
    let mut fixed = Reader::new(body);
    fixed.take(4)?;
    let number = u32::try_from(fixed.number(4)?).expect("four bytes");
    let version = Version::ALL.iter().find(|(_, n)| *n == number).map(|(version, _)| *version);
    let packet_size = fixed.size(4)?;
    let text = |index: usize| -> Result<(usize, &[u8]), String> {
        let mut entry = Reader::new(body.get(36 + 4 * index..).ok_or("the log-in is too short")?);
        let (offset, length) = (entry.size(2)?, entry.size(2)?);
        Ok((length, body.get(offset..offset + 2 * length).ok_or("a text of the log-in lies outside it")?))
    };
    let password: Vec<u8> = text(2)?.1.iter().map(|byte| (byte ^ 0xA5).rotate_left(4)).collect();
    Ok(Login {
        version: version.ok_or_else(|| format!("version {number:#X} of TDS is not known here"))?,
        packet_size: if (512..=32_767).contains(&packet_size) { packet_size } else { 4_096 },
        user: utf16(text(1)?.1)?,
        password: utf16(&password)?,
        database: utf16(text(8)?.1)?,
    })
}
