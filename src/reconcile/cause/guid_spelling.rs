//! One GUID (UUID) in two spellings.
//!
//! Capitals, braces, no hyphens: SQL Server, Access and PostgreSQL each write GUIDs in their own way.
//!
//! - Columns of the type `uuid` never differ so: they have one spelling.
//! - Where a side has no hyphens they are put in first; only the source's can be.
//!
//! ```rows expected
//! | id: text                                 |
//! | "{6F9619FF-8B86-D011-B42D-00C04FC964FF}" |
//! ```
//! ```rows target
//! | id: text                               |
//! | "6f9619ff-8b86-d011-b42d-00c04fc964ff" |
//! ```
//! ```causes
//! row 1: id: guid_spelling
//! ```
//! ```yaml settles
//! reconcile:
//!   columns:
//!     id: { as: uuid }
//! ```

use crate::frame::Value;
use crate::model::Logical;
use crate::node::yaml;

use super::both::Both;
use super::settling::{Settling, Told};
use super::{Cause, Figure};

pub(super) const RANK: u8 = 150;
pub(super) const INCLUDES: &[&str] = &["case", "punctuation", "whitespace"];

const AS_UUID: &str = "both can be read as uuid";
const BARE: &str = "the source has no hyphens";
const OTHER: &str = "the target has no hyphens";

/// What puts the hyphens in.
const PATTERN: &str = "^\\{?([0-9A-Fa-f]{8})([0-9A-Fa-f]{4})([0-9A-Fa-f]{4})([0-9A-Fa-f]{4})([0-9A-Fa-f]{12})\\}?$";

pub(super) struct This;

/// Returns the 32 digits in small letters.
fn digits(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.strip_prefix("urn:uuid:").unwrap_or(text);
    let text = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(text);
    let digits: String = text.chars().filter(|c| *c != '-').map(|c| c.to_ascii_lowercase()).collect();
    let fits = digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    // All digits and no letter: another number of that length.
    (fits && (text.contains('-') || digits.bytes().any(|b| !b.is_ascii_digit()))).then_some(digits)
}

impl Cause for This {
    fn cell(&self, both: &Both<'_>) -> Option<Figure> {
        let (e, t) = both.texts()?;
        if digits(e)? != digits(t)? {
            return None;
        }
        let reads = |text: &str| Value::parse(text, &Logical::Uuid).is_some();
        Some(Figure::Word(match (reads(e), reads(t)) {
            (true, true) => AS_UUID,
            (false, true) if !e.contains('-') => BARE,
            _ => OTHER,
        }))
    }

    fn says(&self, _told: &Told<'_>) -> String {
        "one GUID in two spellings".to_owned()
    }

    fn settling(&self, told: &Told<'_>) -> Option<Settling> {
        if told.keeps_text() {
            return None;
        }
        let settling = Settling::of(told, |figure| *figure != Figure::Word(OTHER))?
            .word("as", "uuid")
            .giving_up("case and braces of a uuid");
        if told.has(&Figure::Word(BARE)) && told.source_is_text() {
            let fields = [("pattern", yaml::text(PATTERN)), ("with", yaml::text("$1-$2-$3-$4-$5"))];
            let settling = settling.step(told.step("replace"), &fields).giving_up("how a uuid is written");
            return Some(settling.altering(|text| !text.contains('-') && digits(text).is_some()));
        }
        Some(settling)
    }

    fn no_line(&self, told: &Told<'_>) -> String {
        told.kept_as_text_or(
            "The target writes its GUIDs as no uuid is read, and no step changes what the target holds: its column should have the \
             type uuid.",
        )
    }
}
