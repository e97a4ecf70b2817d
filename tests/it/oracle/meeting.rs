//! How two columns meet, and when two of their values are equal: in the plain.

use counterfoil::frame::Value;
use counterfoil::model::{Family, Field, Logical};

use super::plain::{self, Digits, Number};

/// A value as it is compared.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Null,
    Text(String),
    Bool(bool),
    Number(Number),
    Moment(i64),
    Time(i64),
    Bytes(Vec<u8>),
    /// A time that no clock showed.
    Never,
}

/// How two columns meet.
#[derive(Debug, Clone, PartialEq)]
pub enum Form {
    /// By their values as they are: numbers by worth, a date as its midnight.
    Values,
    /// True is 1 and false is 0.
    Bits,
    /// As texts: as they were written where their type was inferred.
    Texts,
    Uuid,
    /// On the clocks of London.
    Clocks,
    /// As a chosen type.
    As(Logical, Zone),
}

/// What is done with moments before they are read as a chosen type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Zone {
    Nothing,
    London,
}

fn naive(logical: &Logical) -> bool {
    matches!(logical, Logical::Date | Logical::Timestamp { utc: false })
}

fn zoned(logical: &Logical) -> bool {
    *logical == Logical::TIMESTAMP_UTC
}

/// Returns true where one column has a zone and the other has none.
pub fn needs_zone(e: &Field, t: &Field) -> bool {
    (naive(&e.logical) && zoned(&t.logical)) || (zoned(&e.logical) && naive(&t.logical))
}

fn zone_is_known(e: &Field, t: &Field, said: bool) -> bool {
    said || if naive(&e.logical) { e.timezone.is_some() } else { t.timezone.is_some() }
}

/// Returns how two columns meet; nothing where they cannot.
pub fn form(e: &Field, t: &Field, wanted: Option<&Logical>, zone_said: bool) -> Option<Form> {
    let (a, b) = (&e.logical, &t.logical);
    if let Some(wanted) = wanted {
        return form_as(e, t, wanted, zone_said);
    }
    let same = match (a, b) {
        (Logical::Decimal { scale: s, .. }, Logical::Decimal { scale: t, .. }) => s == t,
        _ => a == b || (a.is_text() && b.is_text()),
    };
    if a.is_text() && b.is_text() && (*a == Logical::Uuid || *b == Logical::Uuid) {
        return Some(Form::Uuid);
    }
    if same {
        return Some(Form::Values);
    }
    if needs_zone(e, t) {
        return zone_is_known(e, t, zone_said).then_some(Form::Clocks);
    }
    if e.inferred && t.inferred {
        return Some(Form::Texts);
    }
    Some(match (a.family(), b.family()) {
        (x, y) if x == y => Form::Values,
        (Family::Number, Family::Bool) | (Family::Bool, Family::Number) => Form::Bits,
        _ => Form::Texts,
    })
}

fn form_as(e: &Field, t: &Field, wanted: &Logical, zone_said: bool) -> Option<Form> {
    let readable = |from: &Logical| {
        from.is_text()
            || (wanted.is_text() && *wanted != Logical::Uuid)
            || match (from.family(), wanted.family()) {
                (Family::Moment, Family::Moment) => !(zoned(wanted) && naive(from)),
                (Family::Number | Family::Bool, Family::Number | Family::Bool) => true,
                (x, y) => x == y && !from.is_text() && x != Family::Number,
            }
    };
    if !readable(&e.logical) || !readable(&t.logical) {
        return None;
    }
    let by_clock = naive(wanted);
    let zone = if by_clock && needs_zone(e, t) {
        if !zone_is_known(e, t, zone_said) {
            return None;
        }
        Zone::London
    } else if by_clock && (zoned(&e.logical) || zoned(&t.logical)) {
        match (zone_said, zoned(&e.logical) && zoned(&t.logical)) {
            (true, _) => Zone::London,
            (false, true) => Zone::Nothing,
            (false, false) => return None,
        }
    } else {
        Zone::Nothing
    };
    Some(Form::As(wanted.clone(), zone))
}

impl Form {
    /// Returns the type whose words a policy may have.
    pub fn logical(&self, e: &Logical, t: &Logical) -> Logical {
        match self {
            Form::Values if e.is_text() => Logical::TEXT,
            Form::Values if e.family() == Family::Moment && e != t => Logical::TIMESTAMP,
            Form::Values if *e == Logical::F64 || *t == Logical::F64 => Logical::F64,
            Form::Values => e.clone(),
            Form::Bits => Logical::F64,
            Form::Texts => Logical::TEXT,
            Form::Uuid => Logical::Uuid,
            Form::Clocks => Logical::TIMESTAMP,
            Form::As(wanted, _) => wanted.clone(),
        }
    }

    /// Returns a value of a column as it is compared.
    pub fn cell(&self, field: &Field, value: Option<&Value>) -> Cell {
        let Some(value) = value else { return Cell::Null };
        match self {
            Form::Values | Form::Bits => plain_cell(field, value),
            Form::Texts => Cell::Text(original_text(field, value)),
            Form::Uuid => Cell::Text(uuid(&plain::text(value, &field.logical))),
            Form::Clocks => clocks(field, value),
            Form::As(wanted, zone) => {
                let text = || Cell::Text(plain::text(value, &field.logical));
                if wanted.is_text() && *wanted != Logical::Uuid {
                    return text();
                }
                let cell =
                    if *zone == Zone::London { clocks(field, value) } else { plain_cell(field, value) };
                let cell = match cell {
                    Cell::Text(text) => match read(text.trim(), wanted) {
                        Some(Cell::Moment(m)) if *zone == Zone::London && plain::london_skipped(m) => {
                            Some(Cell::Never)
                        }
                        other => other,
                    },
                    other => Some(other),
                };
                cell.and_then(|cell| cell_as(cell, wanted)).unwrap_or_else(text)
            }
        }
    }

    /// Returns the text of a value in keys and groups; equal values have equal texts.
    pub fn key_text(&self, field: &Field, value: Option<&Value>) -> Option<String> {
        let moment = |m: i64| {
            let text = plain::moment_text(m);
            text.strip_suffix(" 00:00:00").map(str::to_owned).unwrap_or(text)
        };
        Some(match self.cell(field, value) {
            Cell::Null => return None,
            Cell::Text(text) => text,
            Cell::Bool(v) if *self == Form::Bits => u8::from(v).to_string(),
            Cell::Bool(v) => v.to_string(),
            Cell::Number(n) => n.text(),
            Cell::Moment(m) if *self == Form::Values && zoned(&field.logical) => {
                format!("{}Z", plain::moment_text(m))
            }
            Cell::Moment(m) => moment(m),
            Cell::Time(t) => plain::time_text(t),
            Cell::Bytes(bytes) => bytes.iter().map(|b| format!("{b:02x}")).collect(),
            Cell::Never => match value? {
                Value::Moment(m) => moment(*m),
                other => plain::text(other, &field.logical),
            },
        })
    }
}

fn plain_cell(field: &Field, value: &Value) -> Cell {
    match value {
        Value::Text(v) => Cell::Text(v.clone()),
        Value::Bool(v) => Cell::Bool(*v),
        Value::Date(days) => Cell::Moment(i64::from(*days) * 86_400_000_000),
        Value::Moment(v) => Cell::Moment(*v),
        Value::Time(v) => Cell::Time(*v),
        Value::Bytes(v) => Cell::Bytes(v.clone()),
        number => Cell::Number(plain::number(number, &field.logical).unwrap()),
    }
}

/// Returns a moment as the clocks of London showed it.
fn clocks(field: &Field, value: &Value) -> Cell {
    match value {
        Value::Moment(m) if zoned(&field.logical) => Cell::Moment(plain::london(*m)),
        Value::Moment(m) if plain::london_skipped(*m) => Cell::Never,
        other => plain_cell(field, other),
    }
}

fn uuid(text: &str) -> String {
    match Value::parse(text, &Logical::Uuid) {
        Some(Value::Text(uuid)) => uuid,
        _ => text.to_owned(),
    }
}

/// Returns the text a value was inferred from, else its usual one.
fn original_text(field: &Field, value: &Value) -> String {
    let usual = plain::text(value, &field.logical);
    let (Value::Moment(m), Some(format)) = (value, field.format.as_ref().filter(|_| field.inferred)) else {
        return usual;
    };
    let moment = plain::moment_text(*m);
    let (date, time) = moment.split_at(10);
    let (clock, fraction) = time.trim().split_once('.').unwrap_or((time.trim(), ""));
    let separator = if format.contains('T') { "T" } else { " " };
    let zone = if format.ends_with('Z') { "Z" } else { "" };
    if !format.contains("%S") {
        return match (clock.strip_suffix(":00"), fraction) {
            (Some(clock), "") => format!("{date}{separator}{clock}{zone}"),
            _ => usual,
        };
    }
    let places = format.split_once("%.").map_or(0, |(_, rest)| rest[..1].parse::<usize>().unwrap());
    if fraction.len() > places {
        return usual;
    }
    let point = if places > 0 { "." } else { "" };
    format!("{date}{separator}{clock}{point}{fraction:0<places$}{zone}")
}

/// Reads a text as a type.
fn read(text: &str, wanted: &Logical) -> Option<Cell> {
    if wanted.family() == Family::Number {
        if text.contains(['e', 'E']) && text.bytes().all(|b| b.is_ascii_digit() || b".eE+-".contains(&b)) {
            let float: f64 = text.parse().ok()?;
            return float.is_finite().then(|| Cell::Number(Number::of_float(float)));
        }
        if let Some(digits) = Digits::read(text) {
            return (text.bytes().filter(u8::is_ascii_digit).count() <= 38)
                .then_some(Cell::Number(Number::Finite(digits)));
        }
        let float: f64 = text.parse().ok().filter(|_| *wanted == Logical::F64)?;
        return (!float.is_finite()).then(|| Cell::Number(Number::of_float(float)));
    }
    let wanted = if *wanted == Logical::Date { &Logical::TIMESTAMP } else { wanted };
    Some(match Value::parse(text, wanted)? {
        Value::Text(v) => Cell::Text(v),
        Value::Bool(v) => Cell::Bool(v),
        Value::Moment(v) => Cell::Moment(v),
        Value::Time(v) => Cell::Time(v),
        Value::Bytes(v) => Cell::Bytes(v),
        _ => return None,
    })
}

/// Returns a value as a chosen type.
fn cell_as(cell: Cell, wanted: &Logical) -> Option<Cell> {
    let rounded = |number: Number, scale: u8| match number {
        Number::Finite(digits) => Number::Finite(digits.rounded(usize::from(scale))),
        other => other,
    };
    let one = |v: bool| Number::Finite(Digits::read(if v { "1" } else { "0" }).unwrap());
    Some(match (wanted, cell) {
        (_, cell @ (Cell::Null | Cell::Never)) => cell,
        (Logical::Bool, cell @ Cell::Bool(_)) => cell,
        (Logical::Bool, Cell::Number(n)) if n == one(true) => Cell::Bool(true),
        (Logical::Bool, Cell::Number(n)) if n == one(false) => Cell::Bool(false),
        (Logical::F64, Cell::Number(n)) => Cell::Number(Number::of_float(n.float())),
        (Logical::I64 | Logical::U64, Cell::Number(n)) => Cell::Number(rounded(n, 0)),
        (Logical::Decimal { scale, .. }, Cell::Number(n)) => Cell::Number(rounded(n, *scale)),
        (Logical::F64 | Logical::I64 | Logical::U64 | Logical::Decimal { .. }, Cell::Bool(v)) => {
            Cell::Number(one(v))
        }
        (Logical::Date, Cell::Moment(m)) => Cell::Moment(plain::midnight(m)),
        (Logical::Timestamp { .. }, cell @ Cell::Moment(_))
        | (Logical::Time, cell @ Cell::Time(_))
        | (Logical::Bytes, cell @ Cell::Bytes(_))
        | (Logical::Uuid, cell @ Cell::Text(_)) => cell,
        _ => return None,
    })
}

/// Returns true where two values are the same.
fn same(a: &Cell, b: &Cell) -> bool {
    match (a, b) {
        (Cell::Never, _) | (_, Cell::Never) => false,
        (Cell::Bool(v), Cell::Number(n)) | (Cell::Number(n), Cell::Bool(v)) => {
            n.text() == u8::from(*v).to_string()
        }
        _ => a == b,
    }
}

/// What a policy has, in the order in which it is counted.
pub const WORDS: [&str; 8] =
    ["tolerance", "relative", "precision", "case", "whitespace", "unordered", "json", "null"];

/// The policy of a column.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    pub tolerance: Option<&'static str>,
    pub relative: Option<&'static str>,
    pub precision: Option<&'static str>,
    pub case: bool,
    pub whitespace: Option<&'static str>,
    pub unordered: Option<&'static str>,
    pub json: bool,
    pub null: Vec<&'static str>,
}

impl Policy {
    pub fn has(&self) -> [bool; 8] {
        [
            self.tolerance.is_some(),
            self.relative.is_some(),
            self.precision.is_some(),
            self.case,
            self.whitespace.is_some(),
            self.unordered.is_some(),
            self.json,
            !self.null.is_empty(),
        ]
    }

    /// Leaves out all words but some.
    fn only(&self, words: [bool; 8]) -> Policy {
        Policy {
            tolerance: self.tolerance.filter(|_| words[0]),
            relative: self.relative.filter(|_| words[1]),
            precision: self.precision.filter(|_| words[2]),
            case: self.case && words[3],
            whitespace: self.whitespace.filter(|_| words[4]),
            unordered: self.unordered.filter(|_| words[5]),
            json: self.json && words[6],
            null: if words[7] { self.null.clone() } else { Vec::new() },
        }
    }

    /// Returns true where two values are equal under the policy.
    pub fn equal(&self, e: &Cell, t: &Cell, logical: &Logical) -> bool {
        let (e, t) = (self.normal(e, logical), self.normal(t, logical));
        if same(&e, &t) {
            return true;
        }
        let finite = |cell: &Cell| match cell {
            Cell::Number(Number::Finite(digits)) => Some(digits.clone()),
            Cell::Bool(v) => Digits::read(&u8::from(*v).to_string()),
            _ => None,
        };
        let (Some(e), Some(t)) = (finite(&e), finite(&t)) else { return false };
        let distance = e.minus(&t).size();
        let least = |text: &str| Digits::read(text).unwrap();
        self.tolerance.is_some_and(|most| distance.order(&least(most)).is_le())
            || self.relative.is_some_and(|share| distance.order(&e.size().times(&least(share))).is_le())
    }

    /// Returns the words that count for two values that differ without a policy and are equal with it.
    pub fn counted(&self, e: &Cell, t: &Cell, logical: &Logical) -> [bool; 8] {
        let has = self.has();
        let mut counted = [false; 8];
        for word in (0..8).filter(|word| has[*word]) {
            let (mut without, mut alone) = (has, [false; 8]);
            without[word] = false;
            alone[word] = true;
            counted[word] = !self.only(without).equal(e, t, logical) || self.only(alone).equal(e, t, logical);
        }
        counted
    }

    fn normal(&self, cell: &Cell, logical: &Logical) -> Cell {
        let squeezed = |text: &str| match (self.json.then(|| plain::json(text)).flatten(), self.unordered) {
            (Some(value), _) => value,
            (None, None) => plain::squeezed(text, self.whitespace, self.case),
            (None, Some(between)) => {
                let item = |item: &str| plain::squeezed(item.trim(), self.whitespace, self.case);
                let mut items: Vec<String> = text.split(between).map(item).collect();
                items.sort();
                items.join(between)
            }
        };
        let means_null = self.null.iter().any(|null| match cell {
            Cell::Text(text) if *logical == Logical::Uuid => uuid(null) == *text,
            Cell::Text(text) => squeezed(null) == squeezed(text),
            other => read(null, logical)
                .or_else(|| read(null, &Logical::TIMESTAMP))
                .is_some_and(|null| same(&null, other)),
        });
        let unit = match self.precision {
            None => 1,
            Some("millisecond") => 1_000,
            Some("second") => 1_000_000,
            Some("minute") => 60_000_000,
            Some("hour") => 3_600_000_000,
            Some("day") => 86_400_000_000,
            Some(other) => panic!("{other} is no precision"),
        };
        match cell {
            _ if means_null => Cell::Null,
            Cell::Text(text) => Cell::Text(squeezed(text)),
            Cell::Moment(m) => Cell::Moment(m - m.rem_euclid(unit)),
            Cell::Time(t) => Cell::Time(t - t.rem_euclid(unit)),
            other => other.clone(),
        }
    }
}
