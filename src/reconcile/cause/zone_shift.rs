//! A time that is hours away: another time zone, or summer time.
//!
//! The old system kept local time, a driver took it for UTC: all times of the summer are one hour late, and those of the
//! winter are right.
//!
//! - A pattern: five cells or more, of three values or more, and at least one in twenty of the column's differing cells,
//!   are the same number of quarters of an hour apart, at most 14 hours; or one side is UTC where the other is the clock of
//!   `Europe/London`, `Europe/Paris`, `America/New_York` or `America/Los_Angeles`.
//! - A time that the clocks of the declared zone skipped in spring is this cause by itself.
//! - Where a timestamp without a zone meets one with a zone, and another zone would make them equal, `timezone` names it.
//!   Where all times are the same hours away, winter and summer, the line compares the source's time moved by as much.
//!
//! ```rows expected
//! | logged: timestamp   |
//! | 2020-06-03 14:25:00 |
//! | 2020-07-11 09:00:00 |
//! | 2020-05-30 23:30:00 |
//! | 2020-08-01 12:10:00 |
//! | 2020-09-02 16:45:00 |
//! ```
//! ```rows target
//! | logged: timestamp   |
//! | 2020-06-03 15:25:00 |
//! | 2020-07-11 10:00:00 |
//! | 2020-05-31 00:30:00 |
//! | 2020-08-01 13:10:00 |
//! | 2020-09-02 17:45:00 |
//! ```
//! ```causes
//! row 1: logged: zone_shift
//! row 2: logged: zone_shift
//! row 3: logged: zone_shift
//! row 4: logged: zone_shift
//! row 5: logged: zone_shift
//! ```

use chrono_tz::Tz;

use crate::reconcile::cell::Cell;
use crate::reconcile::convert::{Convert, wall_clock};

use super::both::Both;
use super::settling::{Settling, Told, joined};
use super::{Cause, Figure};

pub(super) const RANK: u8 = 180;
pub(super) const INCLUDES: &[&str] = &[];

const MINUTE: i128 = 60_000_000;
/// The widest difference between two zones and a little more, in minutes.
const MOST: i128 = 14 * 60;

/// The zones that are tried. Each with the figure of a target that shows its clocks where expected is UTC, the other way
/// round, and of a column that would be equal were this its zone.
const ZONES: [(Tz, &str, &str, &str); 5] = [
    (Tz::UTC, "", "", "UTC"),
    (
        Tz::Europe__London,
        "the clocks of Europe/London where expected is UTC",
        "UTC where expected has the clocks of Europe/London",
        "Europe/London",
    ),
    (
        Tz::Europe__Paris,
        "the clocks of Europe/Paris where expected is UTC",
        "UTC where expected has the clocks of Europe/Paris",
        "Europe/Paris",
    ),
    (
        Tz::America__New_York,
        "the clocks of America/New_York where expected is UTC",
        "UTC where expected has the clocks of America/New_York",
        "America/New_York",
    ),
    (
        Tz::America__Los_Angeles,
        "the clocks of America/Los_Angeles where expected is UTC",
        "UTC where expected has the clocks of America/Los_Angeles",
        "America/Los_Angeles",
    ),
];

/// A zone is another one where at least one in so many of the times that were compared says so: in winter London is UTC.
const MOST_TIMES: u64 = 4;

const SKIPPED: &str = "a time that the clocks skipped in spring";

pub(super) struct This;

impl Cause for This {
    fn cell(&self, both: &Both<'_>) -> Option<Figure> {
        let skipped = |cell: &Cell<'_>| matches!(cell, Cell::Skipped);
        let moment = |cell: &Cell<'_>| matches!(cell, Cell::Moment(_));
        let found = (skipped(both.e) && moment(both.t)) || (skipped(both.t) && moment(both.e));
        found.then_some(Figure::Word(SKIPPED))
    }

    fn pattern(&self, both: &Both<'_>, figures: &mut Vec<Figure>) {
        let Some((e, t)) = both.moments() else { return };
        let apart = t - e;
        if apart == 0 || apart % (15 * MINUTE) != 0 || (apart / MINUTE).abs() > MOST {
            return;
        }
        figures.push(Figure::Number(apart / MINUTE));
        if let Some((raw_e, raw_t)) = &both.around.raw {
            let (Cell::Moment(raw_e), Cell::Moment(raw_t)) = (raw_e, raw_t) else { return };
            let with_zone_is_target = matches!(both.of.column.meeting.target, Convert::Wall(_));
            let (naive, instant) = if with_zone_is_target { (*raw_e, *raw_t) } else { (*raw_t, *raw_e) };
            let other = ZONES.iter().find(|(zone, _, _, _)| both.same_moments(wall_clock(instant, *zone), naive));
            figures.extend(other.map(|(_, _, _, name)| Figure::Word(name)));
            return;
        }
        let named = ZONES.iter().skip(1).find_map(|(zone, target, expected, _)| {
            if both.same_moments(wall_clock(e, *zone), t) {
                Some(*target)
            } else {
                both.same_moments(e, wall_clock(t, *zone)).then_some(*expected)
            }
        });
        figures.extend(named.map(Figure::Word));
    }

    fn says(&self, told: &Told<'_>) -> String {
        let is_name = |word: &&str| ZONES.iter().any(|(_, _, _, name)| name == word);
        let mut parts: Vec<String> = told
            .words()
            .into_iter()
            .map(|word| if is_name(&word) { format!("the clocks of {word}, which is not the declared zone") } else { word.to_owned() })
            .collect();
        let shifts: Vec<String> = told.numbers().into_iter().map(shift).collect();
        if !shifts.is_empty() {
            parts.push(format!("times that are exactly {} in the target", joined(&shifts)));
        }
        joined(&parts)
    }

    fn settling(&self, told: &Told<'_>) -> Option<Settling> {
        if let Some((figure @ Figure::Number(minutes), _)) = told.figures.first() {
            let later = match minutes % 60 {
                0 => told.later(minutes / 60, "hour"),
                _ => told.later(*minutes, "minute"),
            };
            let settling = Settling::of(told, |own| own == figure)?.word("source_expression", later?);
            return Some(settling.giving_up("what the source's own clocks show").altering(|_| true));
        }
        let word = told.words().into_iter().find(|word| ZONES.iter().any(|(_, _, _, name)| name == word))?;
        // Where most times are right as they are, the zone is.
        let is_most = told.cells().saturating_mul(MOST_TIMES) >= told.of.pairs;
        let settling = Settling::of(told, |figure| *figure == Figure::Word(word)).filter(|_| is_most)?;
        Some(settling.word("timezone", word).giving_up("nothing: they say whose clocks the times without a zone show"))
    }

    fn no_line(&self, told: &Told<'_>) -> String {
        match told.words().first() {
            Some(&SKIPPED) => {
                "The declared zone never had these times: another `timezone` does, or the clock that wrote them kept no summer time."
            }
            Some(_) => {
                "How far the clocks are apart changes with the date, and no expression converts between zones: where one side \
                 shows the clocks of a zone and the other is UTC, give the one `timezone` and the other a type with a zone."
            }
            None => "The source's column is text, and time is added to timestamps alone: give it the type timestamp, and a line settles it.",
        }
        .to_owned()
    }
}

/// Returns a shift in words: "1 hour later", "5 hours 30 minutes earlier".
fn shift(minutes: i128) -> String {
    let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
    let counted = |n: i128, noun: &str| format!("{n} {noun}{}", if n == 1 { "" } else { "s" });
    let parts: Vec<String> = [(hours, "hour"), (rest, "minute")]
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, noun)| counted(n, noun))
        .collect();
    format!("{} {}", parts.join(" "), if minutes > 0 { "later" } else { "earlier" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shifts_in_words() {
        assert_eq!(shift(60), "1 hour later");
        assert_eq!(shift(-330), "5 hours 30 minutes earlier");
        assert_eq!(shift(15), "15 minutes later");
    }
}
