//! Text that was cut off at a length.
//!
//! The new column is shorter than the old one, or a program in between knows no more than 30 characters: what stood
//! behind is gone, and nobody was told.
//!
//! - A pattern: five cells or more, and at least one in twenty of the column's differing cells, end at the same length.
//!   One cell whose text goes on in the other side may as well have been edited. It suffices by itself where the shorter
//!   text is as long as its column is declared.
//! - Less than five characters are no text that was cut off but a code: `S` for `Secure` is `code_mapping`.
//! - White space at the end of what is left may be missing.
//! - The step cuts the source too, and white space at the ends then means nothing. It does not bring back what is lost.
//!
//! ```rows expected
//! | street: text              |
//! | "1 The Old Brewery Yard"  |
//! | "22 Saint Mary Terrace"   |
//! | "3 Lower Riverside Walk"  |
//! | "47 Queen Victoria Court" |
//! | "5 North Station Parade"  |
//! ```
//! ```rows target
//! | street: text   |
//! | "1 The Old Br" |
//! | "22 Saint Mar" |
//! | "3 Lower Rive" |
//! | "47 Queen Vic" |
//! | "5 North Stat" |
//! ```
//! ```causes
//! row 1: street: truncation
//! row 2: street: truncation
//! row 3: street: truncation
//! row 4: street: truncation
//! row 5: street: truncation
//! ```
//! ```yaml settles
//! cleanse:
//!   - step: replace
//!     columns: [street]
//!     pattern: "(?s)^(.{12}).*$"
//!     with: "$1"
//! reconcile:
//!   columns:
//!     street: { whitespace: trim }
//! ```

use crate::model::Logical;
use crate::node::yaml;

use super::both::Both;
use super::settling::{Settling, Told, joined};
use super::{Cause, Figure};

pub(super) const RANK: u8 = 70;
pub(super) const INCLUDES: &[&str] = &[];

/// The fewest characters of a text that was cut off: fewer are a code.
const LEAST_LENGTH: usize = 5;

pub(super) struct This;

/// Returns the shorter text, the longer one, and whether it is the target that is shorter; nothing where the longer does
/// not go on where the shorter ends.
fn cut<'b>(both: &'b Both<'_>) -> Option<(&'b str, &'b str, bool)> {
    let (e, t) = both.texts()?;
    let in_target = t.trim_end().len() < e.trim_end().len();
    let (short, long) = if in_target { (t.trim_end(), e) } else { (e.trim_end(), t) };
    let rest = long.strip_prefix(short)?;
    let is_text = short.len() >= LEAST_LENGTH && short.chars().count() >= LEAST_LENGTH;
    (is_text && !rest.trim().is_empty()).then_some((short, long, in_target))
}

/// The figure of a length: a ratio of the length to which side is cut.
fn figure(length: usize, in_target: bool) -> Option<Figure> {
    Some(Figure::Ratio(i128::try_from(length).ok()?, i128::from(in_target)))
}

/// Returns the lengths at which the longer text may have been cut: that of the shorter, and those up to where white space
/// behind it ends, since it may be gone from the end.
fn lengths(short: &str, long: &str) -> std::ops::RangeInclusive<usize> {
    let length = short.chars().count();
    let blanks = long.chars().skip(length).take_while(|c| c.is_whitespace()).count();
    length..=length + blanks
}

impl Cause for This {
    fn cell(&self, both: &Both<'_>) -> Option<Figure> {
        let (short, long, in_target) = cut(both)?;
        let field = if in_target { both.of.t } else { both.of.e };
        match field.logical {
            Logical::Text { length: Some(declared), .. } => {
                let declared = usize::try_from(declared).ok()?;
                lengths(short, long).contains(&declared).then(|| figure(declared, in_target))?
            }
            _ => None,
        }
    }

    fn pattern(&self, both: &Both<'_>, figures: &mut Vec<Figure>) {
        if let Some((short, long, in_target)) = cut(both) {
            figures.extend(lengths(short, long).take(2).filter_map(|length| figure(length, in_target)));
        }
    }

    fn says(&self, told: &Told<'_>) -> String {
        let of = |target: i128| {
            let mut lengths: Vec<i128> = told
                .figures
                .iter()
                .filter_map(|(figure, _)| match figure {
                    Figure::Ratio(length, side) if *side == target => Some(*length),
                    _ => None,
                })
                .collect();
            lengths.sort_unstable();
            let lengths: Vec<String> = lengths.iter().map(i128::to_string).collect();
            let side = if target == 1 { "target" } else { "source" };
            (!lengths.is_empty()).then(|| format!("text cut off after {} characters in the {side}", joined(&lengths)))
        };
        [of(1), of(0)].into_iter().flatten().collect::<Vec<_>>().join(", and ")
    }

    fn settling(&self, told: &Told<'_>) -> Option<Settling> {
        let (figure, _) = told.figures.first()?;
        let Figure::Ratio(length, 1) = figure else { return None };
        let settling = Settling::of(told, |own| own == figure).filter(|_| told.source_is_text())?;
        let pattern = format!("(?s)^(.{{{length}}}).*$");
        let fields = [("pattern", yaml::text(&pattern)), ("with", yaml::text("$1"))];
        let settling = settling.step(told.step("replace"), &fields);
        let most = usize::try_from(*length).ok()?;
        let settling = settling.altering(move |text| text.len() > most && (text.is_ascii() || text.chars().count() > most));
        let lost = format!("what stands behind the first {length} characters, which the target does not have");
        // A blank at the cut may be gone from the target's end.
        Some(if told.keeps_white_space() {
            settling.word("whitespace", "trim").giving_up(format!("{lost}, and white space at both ends"))
        } else {
            settling.giving_up(lost)
        })
    }

    fn no_line(&self, told: &Told<'_>) -> String {
        told.no_text_or(
            "It is the source's text that was cut off, and what the target has behind it is not there: the source has to be read \
             whole, or mended.",
        )
    }
}
