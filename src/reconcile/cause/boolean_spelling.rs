//! Yes and no in two spellings.
//!
//! `Y` and `true`, `N` and `0`, `-1` and `true`: one answer, written as each system writes it.
//!
//! - The spellings: `true`, `t`, `yes`, `y`, `on`, `1`, `-1`, and `false`, `f`, `no`, `n`, `off`, `0`, in any case.
//! - Both sides are compared as `bool` where both spellings can be read so; else `map_values` replaces the source's.
//! - `Y` and `y` differ in `case` only.
//!
//! ```rows expected
//! | present: text |
//! | "Y"           |
//! | "N"           |
//! ```
//! ```rows target
//! | present: bool |
//! | true          |
//! | false         |
//! ```
//! ```causes
//! row 1: present: boolean_spelling
//! row 2: present: boolean_spelling
//! ```
//! ```yaml settles
//! reconcile:
//!   columns:
//!     present: { as: bool }
//! ```

use crate::frame::Value;
use crate::model::Logical;
use crate::node::yaml;
use crate::reconcile::cell::Cell;

use super::both::{Both, text_of};
use super::settling::{Settling, Told};
use super::{Cause, Figure};

pub(super) const RANK: u8 = 140;
pub(super) const INCLUDES: &[&str] = &[];

const AS_BOOL: &str = "both can be read as bool";

pub(super) struct This;

fn answer(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "on" | "1" | "-1" => Some(true),
        "false" | "f" | "no" | "n" | "off" | "0" => Some(false),
        _ => None,
    }
}

impl Cause for This {
    fn cell(&self, both: &Both<'_>) -> Option<Figure> {
        // Two numbers are no answers.
        if matches!((both.e, both.t), (Cell::Number(_), Cell::Number(_))) || both.numbers().is_some() {
            return None;
        }
        let (e, t) = (text_of(both.e)?, text_of(both.t)?);
        if answer(&e)? != answer(&t)? {
            return None;
        }
        let reads = |text: &str| Value::parse(text.trim(), &Logical::Bool).is_some();
        Some(if reads(&e) && reads(&t) { Figure::Word(AS_BOOL) } else { Figure::Pair(Some(e), Some(t)) })
    }

    fn says(&self, _told: &Told<'_>) -> String {
        "yes and no in two spellings".to_owned()
    }

    fn settling(&self, told: &Told<'_>) -> Option<Settling> {
        let as_bool = Figure::Word(AS_BOOL);
        if told.figures.first().is_some_and(|(figure, _)| *figure == as_bool) {
            let settling = Settling::of(told, |figure| *figure == as_bool).filter(|_| !told.keeps_text())?;
            return Some(settling.word("as", "bool").giving_up("how yes and no are written"));
        }
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        for (figure, _) in told.figures {
            if let Figure::Pair(Some(e), Some(t)) = figure
                && !pairs.iter().any(|(own, _)| own == e)
            {
                pairs.push((e, t));
            }
        }
        pairs.sort_unstable();
        let settling = Settling::of(told, |figure| match figure {
            Figure::Pair(Some(e), Some(t)) => pairs.contains(&(e.as_str(), t.as_str())),
            _ => false,
        })
        .filter(|_| told.source_is_text())?;
        let values: Vec<String> =
            pairs.iter().map(|(e, t)| format!("{}: {}", yaml::text(e), yaml::text(t))).collect();
        let fields = [("values", format!("{{ {} }}", values.join(", ")))];
        let keys: Vec<String> = pairs.iter().map(|(e, _)| (*e).to_owned()).collect();
        let settling = settling.altering(move |text| keys.iter().any(|key| key == text));
        Some(settling.step(told.step("map_values"), &fields).giving_up("how the source writes yes and no"))
    }

    fn no_line(&self, told: &Told<'_>) -> String {
        told.kept_as_text_or(
            "The source's column is not text, so that no step can replace its spelling: one of the two columns should have the \
             type bool.",
        )
    }
}
