//! Capital and small letters.
//!
//! A system that ignores case, or a load that "tidied" names, leaves `SEC` beside `sec`.
//!
//! - Letters that have no single partner stay apart, as they do in the policy: `ß` is not `SS`.
//! - A code that changes its case is this cause and no `code_mapping`.
//!
//! ```rows expected
//! | code: text |
//! | "SEC"      |
//! | "int"      |
//! ```
//! ```rows target
//! | code: text |
//! | "sec"      |
//! | "Int"      |
//! ```
//! ```causes
//! row 1: code: case
//! row 2: code: case
//! ```
//! ```yaml settles
//! reconcile:
//!   columns:
//!     code: { case: ignore }
//! ```

use std::borrow::Cow;

use crate::frame::fold_case;

use super::both::Both;
use super::settling::{Settling, Told};
use super::{Cause, Figure};

pub(super) const RANK: u8 = 20;
pub(super) const INCLUDES: &[&str] = &["boolean_spelling", "guid_spelling", "date_spelling"];

pub(super) struct This;

impl Cause for This {
    fn cell(&self, both: &Both<'_>) -> Option<Figure> {
        let (e, t) = both.texts()?;
        both.same_texts(&fold_case(e), &fold_case(t)).then_some(Figure::Plain)
    }

    fn form<'t>(&self, text: &'t str) -> Option<Cow<'t, str>> {
        Some(fold_case(text))
    }

    fn says(&self, _told: &Told<'_>) -> String {
        "capital and small letters".to_owned()
    }

    fn settling(&self, told: &Told<'_>) -> Option<Settling> {
        Some(Settling::of_all(told)?.word("case", "ignore").giving_up("upper and lower case"))
    }
}
