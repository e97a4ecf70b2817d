//! How the types of two columns meet.

use chrono_tz::Tz;

use crate::model::{Family, Field, Logical};

use super::convert::Convert;

/// The form in which the two sides of a column are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meeting {
    /// The type whose literals the column understands.
    pub(super) logical: Logical,
    pub(super) expected: Convert,
    pub(super) target: Convert,
    /// "compared as …".
    pub(super) phrase: String,
    /// What is given up.
    pub(super) lost: Vec<String>,
}

/// Why two columns cannot meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// One side has a zone, the other has none, and nobody says which it is.
    ZoneUnknown {
        /// True where the side without a zone is the expected one.
        expected: bool,
    },
    /// A type cannot be read as the one that is asked for.
    NotReadable { from: Logical, wanted: Logical },
}

impl Meeting {
    pub(super) fn new(logical: Logical, phrase: String) -> Meeting {
        Meeting { logical, expected: Convert::Direct, target: Convert::Direct, phrase, lost: Vec::new() }
    }

    pub(super) fn by(mut self, expected: Convert, target: Convert) -> Meeting {
        self.expected = expected;
        self.target = target;
        self
    }

    fn losing(mut self, lost: impl Into<String>) -> Meeting {
        self.lost.push(lost.into());
        self
    }
}

fn is_naive(logical: &Logical) -> bool {
    matches!(logical, Logical::Date | Logical::Timestamp { utc: false })
}

fn is_zoned(logical: &Logical) -> bool {
    matches!(logical, Logical::Timestamp { utc: true })
}

/// Returns true where two columns meet only in the wall clock of a zone.
pub(super) fn needs_zone(expected: &Field, target: &Field) -> bool {
    (is_naive(&expected.logical) && is_zoned(&target.logical))
        || (is_zoned(&expected.logical) && is_naive(&target.logical))
}

/// Returns the zone of two columns of which one has none: what the user says, else the side's own.
fn zone_of(expected: &Field, target: &Field, declared: Option<Tz>) -> Result<Tz, Refusal> {
    let naive_expected = is_naive(&expected.logical);
    let naive = if naive_expected { expected } else { target };
    declared
        .or_else(|| naive.timezone.as_deref()?.parse().ok())
        .ok_or(Refusal::ZoneUnknown { expected: naive_expected })
}

/// Returns the zone of two columns of which just one has none, where somebody declares it.
pub(super) fn declared_zone(expected: &Field, target: &Field, declared: Option<Tz>) -> Option<Tz> {
    needs_zone(expected, target).then(|| zone_of(expected, target, declared).ok())?
}

/// Returns the wall-clock conversions of two columns of which one has a zone.
fn wall_clocks(expected: &Field, zone: Tz) -> (Convert, Convert) {
    match is_naive(&expected.logical) {
        true => (Convert::NaiveWall(zone), Convert::Wall(zone)),
        false => (Convert::Wall(zone), Convert::NaiveWall(zone)),
    }
}

/// Returns true where the values of two types have the same form in memory and the same meaning.
fn same(a: &Logical, b: &Logical) -> bool {
    match (a, b) {
        (Logical::Decimal { scale: a, .. }, Logical::Decimal { scale: b, .. }) => a == b,
        (Logical::Text { .. }, Logical::Text { .. }) => true,
        _ => a == b,
    }
}

/// Finds the form in which two columns are compared without losing anything that is not named.
pub(super) fn meet(expected: &Field, target: &Field, zone: Option<Tz>) -> Result<Meeting, Refusal> {
    let (e, t) = (&expected.logical, &target.logical);
    let meeting = if *e == Logical::Uuid && t.is_text() || e.is_text() && *t == Logical::Uuid {
        let meeting =
            Meeting::new(Logical::Uuid, "compared as uuid".to_owned()).by(Convert::Uuid, Convert::Uuid);
        if same(e, t) { meeting } else { meeting.losing("case and braces of a uuid") }
    } else if same(e, t) || e.is_text() && t.is_text() {
        let wider = if let (Logical::Decimal { precision: a, .. }, Logical::Decimal { precision: b, .. }) =
            (e, t)
            && a < b
        {
            t
        } else if e.is_text() {
            &Logical::TEXT
        } else {
            e
        };
        let zones = match (&expected.timezone, &target.timezone) {
            (Some(a), Some(b)) if a != b && *e == Logical::TIMESTAMP => {
                format!(" on the clocks of either side ({a} and {b})")
            }
            _ => String::new(),
        };
        Meeting::new(wider.clone(), format!("compared as {wider}{zones}"))
    } else if needs_zone(expected, target) {
        let zone = zone_of(expected, target, zone)?;
        let (of_expected, of_target) = wall_clocks(expected, zone);
        Meeting::new(Logical::TIMESTAMP, format!("compared as timestamp on the clocks of {zone}"))
            .by(of_expected, of_target)
            .losing("which of two equal times a repeated hour means")
    } else if expected.inferred && target.inferred {
        let phrase =
            format!("compared as the original text, because the inferred types differ ({e} and {t})");
        Meeting::new(Logical::TEXT, phrase).by(text_of(expected), text_of(target))
    } else {
        match (e.family(), t.family()) {
            (Family::Number, Family::Number) => {
                Meeting::new(number(e, t), format!("compared as numbers by value ({e} and {t})"))
            }
            (Family::Bool, Family::Number) | (Family::Number, Family::Bool) => {
                Meeting::new(number(e, t), "compared as numbers, true as 1 and false as 0".to_owned())
            }
            (Family::Moment, Family::Moment) => {
                Meeting::new(Logical::TIMESTAMP, "compared as timestamp, a date as its midnight".to_owned())
            }
            _ => Meeting::new(Logical::TEXT, format!("compared as text ({e} and {t})"))
                .by(text_of(expected), text_of(target)),
        }
    };
    Ok(padding([e, t]).into_iter().fold(meeting, Meeting::losing))
}

fn number(e: &Logical, t: &Logical) -> Logical {
    if *e == Logical::F64 || *t == Logical::F64 {
        Logical::F64
    } else {
        Logical::Decimal { precision: 38, scale: 0 }
    }
}

/// Returns what `char(n)` gives up: the blanks that pad it, of the side that has them.
fn padding([source, target]: [&Logical; 2]) -> Option<String> {
    let is_padded = |logical: &Logical| matches!(logical, Logical::Text { padded: true, .. });
    match (is_padded(source), is_padded(target)) {
        (false, false) => None,
        (true, true) => Some(format!("trailing blanks of the source's {source} and the target's {target}")),
        (true, false) => Some(format!("trailing blanks of the source's {source} (the target's count)")),
        (false, true) => Some(format!("trailing blanks of the target's {target} (the source's count)")),
    }
}

/// Returns how a column becomes text: as it was written where its type was inferred, else in its canonical form.
fn text_of(field: &Field) -> Convert {
    match (field.logical.is_text(), field.inferred) {
        (true, _) => Convert::Direct,
        (false, true) => Convert::Original(field.format.clone()),
        (false, false) => Convert::Text,
    }
}

/// Finds the form in which two columns are compared as a type that the user chose.
pub(super) fn meet_as(
    expected: &Field,
    target: &Field,
    wanted: &Logical,
    zone: Option<Tz>,
) -> Result<Meeting, Refusal> {
    for from in [&expected.logical, &target.logical] {
        if !readable(from, wanted) {
            return Err(Refusal::NotReadable { from: from.clone(), wanted: wanted.clone() });
        }
    }
    let by_clock = matches!(wanted, Logical::Date | Logical::Timestamp { utc: false });
    let (mut before_expected, mut before_target) = (Convert::Direct, Convert::Direct);
    let mut phrase = format!("compared as {wanted}");
    if by_clock && needs_zone(expected, target) {
        let zone = zone_of(expected, target, zone)?;
        (before_expected, before_target) = wall_clocks(expected, zone);
        phrase.push_str(&format!(" on the clocks of {zone}"));
    } else if by_clock && (is_zoned(&expected.logical) || is_zoned(&target.logical)) {
        match zone {
            Some(zone) => {
                let wall = |field: &Field| match is_zoned(&field.logical) {
                    true => Convert::Wall(zone),
                    false => Convert::NaiveWall(zone),
                };
                (before_expected, before_target) = (wall(expected), wall(target));
                phrase.push_str(&format!(" on the clocks of {zone}"));
            }
            None if is_zoned(&expected.logical) && is_zoned(&target.logical) => phrase.push_str(" in UTC"),
            None => return Err(Refusal::ZoneUnknown { expected: !is_zoned(&expected.logical) }),
        }
    }
    let convert = |before| Convert::As { logical: wanted.clone(), before: Box::new(before) };
    let mut meeting =
        Meeting::new(wanted.clone(), phrase).by(convert(before_expected), convert(before_target));
    let either = |test: fn(&Logical) -> bool| test(&expected.logical) || test(&target.logical);
    if !wanted.is_text() && either(Logical::is_text) {
        meeting = meeting.losing("how a value is written");
    }
    let lost = match wanted {
        Logical::Decimal { scale, .. } => Some(format!("digits after the first {scale} behind the point")),
        Logical::I64 | Logical::U64 => Some("digits behind the point".to_owned()),
        Logical::F64 => Some("digits beyond those of a floating-point number".to_owned()),
        Logical::Date => Some("the time of day".to_owned()),
        Logical::Uuid => Some("case and braces of a uuid".to_owned()),
        _ => None,
    };
    meeting.lost.extend(lost);
    Ok(meeting)
}

/// Returns true where values of a type can be read as another.
fn readable(from: &Logical, wanted: &Logical) -> bool {
    if from.is_text() || (wanted.is_text() && *wanted != Logical::Uuid) {
        return true;
    }
    match (from.family(), wanted.family()) {
        (Family::Number | Family::Bool, Family::Number | Family::Bool)
        | (Family::Time, Family::Time)
        | (Family::Bytes, Family::Bytes) => true,
        (Family::Moment, Family::Moment) => !(is_zoned(wanted) && is_naive(from)),
        _ => false,
    }
}
