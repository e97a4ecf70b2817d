//! Day and month exchanged.
//!
//! 3 April became 4 March: somebody read `03/04/2020` as Americans write it. Days after the twelfth cannot be
//! exchanged, so that half of the column is right and the mistake is seen late.
//!
//! - Both dates have the same year and time, and each one's day is the other's month. The 5 May is never exchanged.
//! - The line exchanges day and month of the source wherever both are months: the step `swap_day_month` in dates, `replace` in
//!   text. It is given where that makes more cells equal than it makes differ: where only some records were read the other
//!   way, nothing in a date tells which.
//! - Which of the two is right no date says. Where the target is wrong it must be loaded again.
//!
//! ```rows expected
//! | cot: date  |
//! | 2020-04-03 |
//! | 2021-12-01 |
//! ```
//! ```rows target
//! | cot: date  |
//! | 2020-03-04 |
//! | 2021-01-12 |
//! ```
//! ```causes
//! row 1: cot: date_order
//! row 2: cot: date_order
//! ```
//! ```yaml settles
//! cleanse:
//!   - step: swap_day_month
//!     columns: [cot]
//! ```
//!
//! In texts:
//!
//! ```rows expected
//! | cot: text    |
//! | "03/04/2020" |
//! ```
//! ```rows target
//! | cot: text    |
//! | "04/03/2020" |
//! ```
//! ```causes
//! row 1: cot: date_order
//! ```
//! ```yaml settles
//! cleanse:
//!   - step: replace
//!     columns: [cot]
//!     pattern: "^(0?[1-9]|1[0-2])([/.-])(0?[1-9]|1[0-2])([/.-][0-9]{4}.*)$"
//!     with: "$3$2$1$4"
//! ```

use std::sync::LazyLock;

use regex::Regex;

use crate::frame::swap_day_month;
use crate::model::{Family, Logical};
use crate::node::yaml;
use crate::reconcile::cell::{Cell, DAY};
use crate::reconcile::convert::read_text;

use super::both::Both;
use super::dates::{FORMATS, read};
use super::settling::{Settling, Told};
use super::{Cause, Figure};

pub(super) const RANK: u8 = 160;
pub(super) const INCLUDES: &[&str] = &[];

/// How texts write dates, with what finds the parts of one whose day and month are both months, and what exchanges them.
const FORMS: [(&str, &str, &str); 3] = [
    ("the year last", "^(0?[1-9]|1[0-2])([/.-])(0?[1-9]|1[0-2])([/.-][0-9]{4}.*)$", "$3$2$1$4"),
    ("the year first", "^([0-9]{4}[/-])(0?[1-9]|1[0-2])([/-])(0?[1-9]|1[0-2])([^0-9].*)?$", "$1$4$3$2$5"),
    ("digits alone", "^([0-9]{4})(0[1-9]|1[0-2])(0[1-9]|1[0-2])$", "$1$3$2"),
];

/// The patterns are right: a test makes them.
static PATTERNS: LazyLock<Vec<Option<Regex>>> =
    LazyLock::new(|| FORMS.iter().map(|(_, pattern, _)| Regex::new(pattern).ok()).collect());

pub(super) struct This;

/// Returns a moment with its day and month exchanged.
fn exchanged(moment: i128) -> Option<i128> {
    let days = i32::try_from(moment.div_euclid(DAY)).ok()?;
    Some(i128::from(swap_day_month(days)?) * DAY + moment.rem_euclid(DAY))
}

/// Returns a text with day and month exchanged, where it has the form.
fn exchanged_in(text: &str, form: usize) -> Option<String> {
    let pattern = PATTERNS.get(form)?.as_ref()?;
    let (_, _, with) = FORMS.get(form)?;
    pattern.is_match(text).then(|| pattern.replace(text, *with).into_owned())
}

/// Returns the figure of a cell: the form in which the source writes it, where the step would make the two equal.
fn figure(both: &Both<'_>) -> Figure {
    let Some((e, t)) = both.texts() else { return Figure::Plain };
    let form = (0..FORMS.len()).find(|form| exchanged_in(e, *form).is_some_and(|text| both.same_texts(&text, t)));
    form.and_then(|form| FORMS.get(form)).map_or(Figure::Plain, |(word, _, _)| Figure::Word(word))
}

impl Cause for This {
    fn cell(&self, both: &Both<'_>) -> Option<Figure> {
        if let Some((e, t)) = both.moments() {
            return both.same_moments(exchanged(e)?, t).then(|| figure(both));
        }
        let (e, t) = both.texts()?;
        let same_form = FORMATS.iter().any(|format| {
            read(e, format).zip(read(t, format)).is_some_and(|(e, t)| exchanged(e) == Some(t))
        });
        same_form.then(|| figure(both))
    }

    fn says(&self, _told: &Told<'_>) -> String {
        "day and month exchanged".to_owned()
    }

    fn settling(&self, told: &Told<'_>) -> Option<Settling> {
        let lost = "which of day and month the source means: the target's reading is taken for the right one";
        let source = &told.of.e.logical;
        if source.family() == Family::Moment {
            let is_fit = !told.of.prepared && matches!(source, Logical::Date | Logical::Timestamp { utc: false });
            let settling = Settling::of_all(told).filter(|_| is_fit)?;
            let alters = |text: &str| {
                matches!(read_text(text, &Logical::TIMESTAMP), Some(Cell::Moment(moment)) if exchanged(moment).is_some())
            };
            return Some(settling.step(told.step("swap_day_month"), &[]).giving_up(lost).altering(alters));
        }
        let first = told.words().into_iter().next()?;
        let form = FORMS.iter().position(|(word, _, _)| *word == first)?;
        let (word, pattern, with) = FORMS.get(form)?;
        let settling = Settling::of(told, |figure| *figure == Figure::Word(word)).filter(|_| told.source_is_text())?;
        let fields = [("pattern", yaml::text(pattern)), ("with", yaml::text(with))];
        let settling = settling.step(told.step("replace"), &fields).giving_up(lost);
        Some(settling.altering(move |text| exchanged_in(text, form).is_some_and(|other| other != text)))
    }

    fn no_line(&self, _told: &Told<'_>) -> String {
        "No step exchanges day and month as the source has them: of an instant they depend on a zone, and of a text on its form. The \
         side that read them wrongly has to be loaded again."
            .to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_each_form_are_exchanged() {
        assert!(PATTERNS.iter().all(Option::is_some));
        let exchanged = |text: &str| (0..FORMS.len()).find_map(|form| exchanged_in(text, form));
        assert_eq!(exchanged("3.4.2020 10:00").as_deref(), Some("4.3.2020 10:00"));
        assert_eq!(exchanged("2020-04-03").as_deref(), Some("2020-03-04"));
        assert_eq!(exchanged("2020/4/03T09:00").as_deref(), Some("2020/03/4T09:00"));
        assert_eq!(exchanged("20200403").as_deref(), Some("20200304"));
        for text in ["13/04/2020", "03/13/2020", "2020-13-04", "20201304", "3 Apr 2020", "03/04"] {
            assert_eq!(exchanged(text), None, "{text}");
        }
    }
}
