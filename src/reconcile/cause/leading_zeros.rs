//! Leading zeros of a code.
//!
//! A spreadsheet or a column of numbers in between turns `00012345` into `12345`.
//!
//! - Where the target has the zeros, `pad` fills the source's codes up to the target's width; where the target lost
//!   them, `replace` takes the source's away. Where the source's column is a number, both sides are compared as numbers.
//! - Texts that are equal as numbers but for their zeros behind a point are `number_format`.
//!
//! ```rows expected
//! | prop_ref: text |
//! | "12345"        |
//! | "777"          |
//! ```
//! ```rows target
//! | prop_ref: text |
//! | "00012345"     |
//! | "00000777"     |
//! ```
//! ```causes
//! row 1: prop_ref: leading_zeros
//! row 2: prop_ref: leading_zeros
//! ```
//! ```yaml settles
//! cleanse:
//!   - step: pad
//!     columns: [prop_ref]
//!     width: 8
//! ```
//!
//! The other way round:
//!
//! ```rows expected
//! | prop_ref: text |
//! | "00012345"     |
//! ```
//! ```rows target
//! | prop_ref: text |
//! | "12345"        |
//! ```
//! ```causes
//! row 1: prop_ref: leading_zeros
//! ```
//! ```yaml settles
//! cleanse:
//!   - step: replace
//!     columns: [prop_ref]
//!     pattern: "^0+(.)"
//!     with: "$1"
//! ```

use std::borrow::Cow;

use crate::node::yaml;

use super::both::Both;
use super::settling::{Settling, Told};
use super::{Cause, Figure};

pub(super) const RANK: u8 = 60;
pub(super) const INCLUDES: &[&str] = &["number_format"];

const LOST: &str = "the target lost them";
const OTHER: &str = "both have some";

pub(super) struct This;

/// Returns a code without its leading zeros; the last character stays.
fn bare(text: &str) -> &str {
    let zeros = text.bytes().take_while(|b| *b == b'0').count();
    let last = text.char_indices().next_back().map_or(0, |(at, _)| at);
    text.get(zeros.min(last)..).unwrap_or(text)
}

impl Cause for This {
    fn cell(&self, both: &Both<'_>) -> Option<Figure> {
        let (e, t) = both.texts()?;
        let (bare_e, bare_t) = (bare(e), bare(t));
        let is_code = |bare: &str| bare.starts_with(|c: char| c.is_alphanumeric());
        if (bare_e == e && bare_t == t) || !is_code(bare_e) || !both.same_texts(bare_e, bare_t) {
            return None;
        }
        Some(if bare_e == e {
            Figure::Number(i128::try_from(t.chars().count()).ok()?)
        } else if bare_t == t {
            Figure::Word(LOST)
        } else {
            Figure::Word(OTHER)
        })
    }

    fn form<'t>(&self, text: &'t str) -> Option<Cow<'t, str>> {
        Some(Cow::Borrowed(bare(text)))
    }

    fn says(&self, told: &Told<'_>) -> String {
        match (told.numbers().as_slice(), told.words().is_empty()) {
            ([width], true) => format!("leading zeros: the target has them, up to {width} characters"),
            ([], _) if told.words() == [LOST] => "leading zeros that the target lost".to_owned(),
            _ => "leading zeros".to_owned(),
        }
    }

    fn settling(&self, told: &Told<'_>) -> Option<Settling> {
        if !told.source_is_text() {
            return self.otherwise(told);
        }
        if let Some((Figure::Number(width), _)) = told.figures.first() {
            let settling = Settling::of(told, |figure| *figure == Figure::Number(*width))?;
            let least = usize::try_from(*width).ok()?;
            let lost = format!("codes of the source shorter than {width} characters");
            let settling = settling.step(told.step("pad"), &[("width", width.to_string())]).giving_up(lost);
            return Some(settling.altering(move |text| !text.is_empty() && text.chars().count() < least));
        }
        let settling = Settling::of(told, |figure| *figure == Figure::Word(LOST))?;
        let fields = [("pattern", yaml::text("^0+(.)")), ("with", yaml::text("$1"))];
        let settling = settling.step(told.step("replace"), &fields);
        Some(settling.giving_up("leading zeros of the source in this column").altering(|text| bare(text) != text))
    }

    fn otherwise(&self, told: &Told<'_>) -> Option<Settling> {
        let settling = Settling::of_all(told).filter(|_| !told.keeps_text() && told.is_of_digits)?;
        let settling = settling.word("as", yaml::text("decimal(38,0)"));
        Some(settling.giving_up("how numbers are written, and digits behind the point"))
    }

    fn no_line(&self, told: &Told<'_>) -> String {
        told.no_text_or(
            "Both sides have leading zeros and not as many: which of the two is the width of the codes has to be decided, and the \
             other side mended.",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_character_stays() {
        assert_eq!(["0", "000", "0070", "00é", "", "7"].map(bare), ["0", "0", "70", "é", "", "7"]);
    }
}
