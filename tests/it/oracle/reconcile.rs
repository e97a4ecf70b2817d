//! Reconciliation against a plain, slow one.

use std::collections::BTreeSet;
use std::fmt;

use counterfoil::diagnostic::{Diagnostics, SourceFile, Span, Spanned};
use counterfoil::frame::{Frame, Value};
use counterfoil::ledger::{Ledger, SourceDisposition, Tally, TargetDisposition};
use counterfoil::model::{Family, Field, Logical, Schema};
use counterfoil::node::FromNode;
use counterfoil::reconcile::{
    Aggregate, Alignment, BoundReconcile, Context, Input, KeyGroup, Pair, Reconcile, Reconciliation, bind,
};
use counterfoil::rule::ProjectFiles;
use proptest::prelude::*;

use super::meeting::{Cell, Form, Policy, WORDS, form, needs_zone};
use super::plain::{self, Digits, Number};
use super::tables::{self, Row};
use crate::examples::yaml;
use crate::sides::{Pieces, means, outcome, reconcile, whole};

/// A column as it was drawn: small numbers that stand for everything about it.
#[derive(Debug, Clone)]
struct Drawn {
    lot: u8,
    from: u8,
    types: (u8, u8),
    same_type: bool,
    inferred: (bool, bool),
    zones: (bool, bool, bool),
    format: u8,
    where_it_is: u8,
    policy: [u8; 9],
}

fn drawn(same_type: f64) -> impl Strategy<Value = Drawn> {
    (
        (0..6_u8, any::<u8>(), any::<(u8, u8)>(), proptest::bool::weighted(same_type)),
        (any::<(bool, bool)>(), any::<(bool, bool, bool)>(), any::<u8>(), 0..12_u8, any::<[u8; 9]>()),
    )
        .prop_map(|((lot, from, types, same_type), (inferred, zones, format, where_it_is, policy))| {
            Drawn { lot, from, types, same_type, inferred, zones, format, where_it_is, policy }
        })
}

/// The most key columns and the most others.
const KEYS: usize = 3;
const COLUMNS: usize = 5;

/// A case: columns, rows by side with what becomes of them, totals.
#[derive(Clone)]
struct Case {
    keys: Vec<Drawn>,
    by_position: bool,
    without_key: bool,
    natural: Vec<u8>,
    columns: Vec<Drawn>,
    source: Vec<(Vec<u8>, u8, bool)>,
    /// A number above all values takes what a row of the source has: the one in the same place, or another.
    target: Vec<(Vec<u8>, Option<u8>, bool)>,
    /// Rows under former keys.
    former: Vec<Vec<u8>>,
    totals: Vec<(u8, Vec<u8>, u8, u8)>,
    /// Rows of a piece, bytes of memory, threads.
    means: (u8, Option<u64>, u8),
}

/// Shows a failing case as a reader would write it: the rules and the two tables.
impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let setting = Setting::new(self);
        writeln!(f, "key {:?}, reconcile {}", setting.key_names, setting.yaml())?;
        for (target, rows) in [(false, &setting.source), (true, &setting.target)] {
            for (field, i) in setting.fields(target).iter().zip(0..) {
                let inferred = if field.inferred { ", inferred" } else { "" };
                let (format, zone) =
                    (field.format.as_deref().unwrap_or(""), field.timezone.as_deref().unwrap_or(""));
                writeln!(
                    f,
                    "{} {i}: {} {}{inferred} {format} {zone}",
                    if target { "target" } else { "source" },
                    field.name,
                    field.logical
                )?;
            }
            for (i, row) in rows.iter().enumerate() {
                let fate = match target {
                    false => format!("{:?} {}", STATES.get(usize::from(self.source[i].1)), self.source[i].2),
                    true => format!("out of scope: {}", self.target[i].2),
                };
                writeln!(f, "    {row:?} {fate}")?;
            }
        }
        setting.former.iter().try_for_each(|row| writeln!(f, "    formerly {row:?}"))
    }
}

fn case() -> impl Strategy<Value = Case> {
    let cell = || prop_oneof![1 => Just(0_u8), 24 => 1..13_u8];
    let cells = || proptest::collection::vec(cell(), KEYS + COLUMNS);
    let changed = |of_ten: u32| prop_oneof![of_ten => cell(), 10 - of_ten => Just(u8::MAX)];
    let changed =
        (proptest::collection::vec(changed(1), KEYS), proptest::collection::vec(changed(5), COLUMNS))
            .prop_map(|(keys, columns)| [keys, columns].concat());
    (
        proptest::collection::vec(drawn(0.8), 1..=KEYS),
        (
            proptest::bool::weighted(0.05),
            proptest::bool::weighted(0.15),
            prop_oneof![1 => Just(Vec::new()), 1 => proptest::collection::vec(any::<u8>(), 1..3)],
        ),
        proptest::collection::vec(drawn(0.4), 1..=COLUMNS),
        proptest::collection::vec((cells(), 0..30_u8, any::<bool>()), 0..16),
        (
            proptest::collection::vec(
                (changed, proptest::option::weighted(0.2, any::<u8>()), proptest::bool::weighted(0.05)),
                0..16,
            ),
            proptest::collection::vec(cells(), 0..4),
        ),
        proptest::collection::vec(
            (any::<u8>(), proptest::collection::vec(any::<u8>(), 0..3), 0..64_u8, 0..3_u8),
            0..3,
        ),
        (1..6_u8, proptest::option::of(0..600_u64), 1..4_u8),
    )
        .prop_map(
            |(
                keys,
                (by_position, without_key, natural),
                columns,
                source,
                (target, former),
                totals,
                means,
            )| Case {
                keys,
                by_position,
                without_key,
                natural,
                columns,
                source,
                target,
                former,
                totals,
                means,
            },
        )
}

/// A column of the case, on both sides.
#[derive(Debug, Clone)]
struct Column {
    name: String,
    fields: (Field, Field),
    values: (Vec<Option<Value>>, Vec<Option<Value>>),
    sides: (bool, bool),
    excluded: bool,
    zone_said: bool,
    wanted: Option<Logical>,
    policy: Policy,
    /// How the column's values meet when they are compared; nothing where they cannot.
    form: Option<Form>,
    /// How they meet without `as`.
    natural: Option<Form>,
    /// How they meet in keys and groups.
    key_form: Option<Form>,
}

fn column(name: &str, drawn: &Drawn, is_key: bool) -> Column {
    let (lot, e_type) = tables::theme(drawn.lot, drawn.types.0);
    let t_type = if drawn.same_type { e_type.clone() } else { tables::theme(drawn.lot, drawn.types.1).1 };
    let texts = tables::some_of(lot, drawn.from, if is_key { 12 } else { 5 });
    let values = (tables::values(&texts, &e_type), tables::values(&texts, &t_type));
    let field = |logical: Logical, inferred: bool, zone: bool| {
        let can_be = matches!(
            logical,
            Logical::Bool
                | Logical::I64
                | Logical::Decimal { .. }
                | Logical::Date
                | Logical::Timestamp { .. }
                | Logical::TEXT
        );
        let formats =
            ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S%.7f", "%Y-%m-%dT%H:%M:%S%.1f"];
        let format = formats[usize::from(drawn.format) % formats.len()];
        let ending = if logical == Logical::TIMESTAMP_UTC { "Z" } else { "" };
        let is_moment = matches!(logical, Logical::Timestamp { .. });
        Field {
            inferred: inferred && can_be,
            format: (inferred && is_moment).then(|| format!("{format}{ending}")),
            timezone: (zone && matches!(logical, Logical::Date | Logical::TIMESTAMP))
                .then(|| "Europe/London".to_owned()),
            ..Field::new(name, logical)
        }
    };
    let fields =
        (field(e_type, drawn.inferred.0, drawn.zones.0), field(t_type, drawn.inferred.1, drawn.zones.1));
    let sides = match drawn.where_it_is {
        _ if is_key => (true, true),
        0 => (true, false),
        1 => (false, true),
        _ => (true, true),
    };
    let both = sides == (true, true);
    let excluded = drawn.where_it_is == 2 && !is_key;
    let compared = both && !excluded && !is_key;
    let wanted =
        ["text", "i64", "f64", "decimal(9,1)", "date", "timestamp", "timestamptz", "bool", "uuid", "time"];
    let wanted =
        wanted.get(usize::from(drawn.policy[6] / 4)).filter(|_| compared).map(|word| tables::logical(word));
    let (e, t) = (&fields.0, &fields.1);
    let zone_said = drawn.zones.2
        && both
        && !excluded
        && match &wanted {
            None => needs_zone(e, t),
            Some(Logical::Date | Logical::Timestamp { utc: false }) => {
                [e, t].iter().any(|f| f.logical == Logical::TIMESTAMP_UTC)
            }
            Some(_) => false,
        };
    let form = form_of(e, t, wanted.as_ref(), zone_said);
    let natural = form_of(e, t, None, zone_said);
    let key_form = {
        let (mut e, mut t) = (e.clone(), t.clone());
        if e.logical.family() == t.logical.family() {
            (e.inferred, t.inferred) = (false, false);
        }
        form_of(&e, &t, None, zone_said)
    };
    let policy = match (&form, &key_form) {
        (Some(form), _) if compared => policy(&drawn.policy, form, e, t),
        (_, Some(form)) if is_key => {
            let Policy { case, whitespace, .. } = policy(&drawn.policy, form, e, t);
            Policy { case, whitespace, ..Policy::default() }
        }
        _ => Policy::default(),
    };
    Column {
        name: name.to_owned(),
        fields,
        values,
        sides,
        excluded,
        zone_said,
        wanted,
        policy,
        form,
        natural,
        key_form,
    }
}

fn form_of(e: &Field, t: &Field, wanted: Option<&Logical>, zone_said: bool) -> Option<Form> {
    form(e, t, wanted, zone_said)
}

/// Returns the words of a policy that a form can have.
fn policy(drawn: &[u8; 9], form: &Form, e: &Field, t: &Field) -> Policy {
    let logical = form.logical(&e.logical, &t.logical);
    let family = logical.family();
    let one_of = |number: u8, words: &[&'static str]| words.get(usize::from(number / 32)).copied();
    let plain_text = family == Family::Text && logical != Logical::Uuid;
    let moments = ["day", "hour", "minute", "second", "millisecond"];
    let null: &[&'static str] = match family {
        Family::Text if logical == Logical::Uuid => &["{00000000-0000-0000-0000-00000000ABCD}"],
        Family::Text => &["N/A", "", "1"],
        Family::Number => &["0", "-1.0", "100"],
        Family::Moment => &["1900-01-01", "2020-01-01"],
        Family::Bool => &["false"],
        Family::Time => &["12:00:00"],
        Family::Bytes => &["00"],
    };
    let json = plain_text && drawn[8] < 60;
    let plain_text = plain_text && !json;
    Policy {
        tolerance: one_of(drawn[0], &["0", "0.1", "0.05", "1"]).filter(|_| family == Family::Number),
        relative: one_of(drawn[1], &["0.1", "0.5", "2"]).filter(|_| family == Family::Number),
        precision: match family {
            Family::Moment => one_of(drawn[2], &moments),
            Family::Time => one_of(drawn[2], &moments[1..]),
            _ => None,
        },
        case: plain_text && drawn[3] < 80,
        whitespace: one_of(drawn[4], &["trim", "collapse", "ignore"]).filter(|_| plain_text),
        unordered: one_of(drawn[7], &[";", "|", "a"]).filter(|_| plain_text),
        json,
        null: null.iter().copied().take(usize::from(drawn[5] / 85)).collect(),
    }
}

/// Everything about a case.
struct Setting {
    keys: Vec<Column>,
    columns: Vec<Column>,
    key_names: Vec<String>,
    /// The columns of the natural key, by their places among all.
    natural: Vec<usize>,
    /// Each total's rule: column, groups, figures, tolerance.
    totals: Vec<(usize, Vec<usize>, Vec<Aggregate>, Option<&'static str>)>,
    source: Vec<Row>,
    target: Vec<Row>,
    former: Vec<Row>,
}

/// Figures for which values need not be told apart.
const COUNTED_OR_SUMMED: [Aggregate; 3] = [Aggregate::Count, Aggregate::Nulls, Aggregate::Sum];

const FIGURES: [Aggregate; 6] =
    [Aggregate::Max, Aggregate::Count, Aggregate::Distinct, Aggregate::Sum, Aggregate::Nulls, Aggregate::Min];

const STATES: [SourceDisposition; 3] =
    [SourceDisposition::OutOfScope, SourceDisposition::Quarantined, SourceDisposition::Merged];

impl Setting {
    fn new(case: &Case) -> Setting {
        let keys: Vec<Column> =
            case.keys.iter().enumerate().map(|(i, d)| column(&format!("k{i}"), d, true)).collect();
        let mut columns: Vec<Column> =
            case.columns.iter().enumerate().map(|(i, d)| column(&format!("c{i}"), d, false)).collect();
        let key_names = match (case.without_key, case.by_position) {
            (true, _) => Vec::new(),
            (false, true) => vec!["_row".to_owned()],
            (false, false) => keys.iter().map(|key| key.name.clone()).collect(),
        };
        let keys = if case.by_position || case.without_key { Vec::new() } else { keys };
        for column in columns.iter_mut().filter(|_| case.without_key) {
            (column.policy.tolerance, column.policy.relative) = (None, None);
        }
        let natural = natural(case, &keys, &mut columns);
        let all: Vec<Column> = keys.iter().chain(&columns).cloned().collect();
        let rows = |cells: &[u8], target: bool| -> Row {
            let of_side = all.iter().enumerate().filter(|(_, c)| if target { c.sides.1 } else { c.sides.0 });
            of_side
                .map(|(i, c)| {
                    let cell = cells[if i < keys.len() { i } else { KEYS + i - keys.len() }];
                    tables::pick(if target { &c.values.1 } else { &c.values.0 }, cell)
                })
                .collect()
        };
        let source = case.source.iter().map(|(cells, _, _)| rows(cells, false)).collect();
        let former = case.former.iter().map(|cells| rows(cells, false)).collect();
        let target = case
            .target
            .iter()
            .zip(0..)
            .map(|((cells, like, _), place)| {
                let like = like.map_or(place, |like| usize::from(like) % case.source.len().max(1));
                let like = case.source.get(like).map(|(cells, _, _)| cells);
                let copied =
                    |i: usize, cell: u8| if cell == u8::MAX { like.map_or(1, |like| like[i]) } else { cell };
                rows(&cells.iter().enumerate().map(|(i, cell)| copied(i, *cell)).collect::<Vec<_>>(), true)
            })
            .collect();
        let shared: Vec<usize> = (0..all.len()).filter(|i| all[*i].sides == (true, true)).collect();
        let mut ids = BTreeSet::new();
        let mut totals = Vec::new();
        for (at, by, agg, tolerance) in &case.totals {
            if shared.is_empty() {
                continue;
            }
            let pick = |n: &u8| shared[usize::from(*n) % shared.len()];
            let (at, mut by): (usize, Vec<usize>) = (pick(at), by.iter().map(pick).collect());
            by.dedup();
            let number =
                [&all[at].fields.0, &all[at].fields.1].iter().all(|f| f.logical.family() == Family::Number);
            let asked = |(bit, what): (u8, &Aggregate)| (agg >> bit & 1 == 1).then_some(*what);
            let mut agg: Vec<Aggregate> = (0..).zip(&FIGURES).filter_map(asked).collect();
            agg.retain(|what| number || *what != Aggregate::Sum);
            if agg.is_empty() {
                agg.push(Aggregate::Count);
            }
            let tolerance = [None, Some("0.5"), Some("0")][usize::from(*tolerance)];
            let can_differ = [Aggregate::Sum, Aggregate::Min, Aggregate::Max];
            let tolerance = tolerance.filter(|_| number && agg.iter().any(|what| can_differ.contains(what)));
            if ids.insert((at, by.clone())) {
                totals.push((at, by, agg, tolerance));
            }
        }
        Setting { keys, columns, key_names, natural, totals, source, target, former }
    }

    fn all(&self) -> impl Iterator<Item = &Column> {
        self.keys.iter().chain(&self.columns)
    }

    fn at(&self, index: usize) -> &Column {
        self.all().nth(index).unwrap()
    }

    fn fields(&self, target: bool) -> Vec<Field> {
        let of_side = self.all().filter(|c| if target { c.sides.1 } else { c.sides.0 });
        of_side.map(|c| if target { c.fields.1.clone() } else { c.fields.0.clone() }).collect()
    }

    /// Returns the value of a column in a row of a side.
    fn value<'r>(&self, column: &Column, row: &'r Row, target: bool) -> Option<&'r Value> {
        let of_side = self.all().filter(|c| if target { c.sides.1 } else { c.sides.0 });
        row[of_side.map(|c| &c.name).position(|name| *name == column.name).unwrap()].as_ref()
    }

    /// Writes the reconciliation as a rule file has it.
    fn yaml(&self) -> String {
        let quoted = |texts: &[&str]| texts.iter().map(|t| format!("'{t}'")).collect::<Vec<_>>().join(", ");
        let mut columns = Vec::new();
        for column in self.all() {
            let mut words = Vec::new();
            let policy = &column.policy;
            words.extend(policy.tolerance.map(|v| format!("tolerance: {v}")));
            words.extend(policy.relative.map(|v| format!("relative: {v}")));
            words.extend(policy.precision.map(|v| format!("precision: {v}")));
            words.extend(policy.case.then(|| "case: ignore".to_owned()));
            words.extend(policy.whitespace.map(|v| format!("whitespace: {v}")));
            words.extend(policy.unordered.map(|v| format!("unordered: '{v}'")));
            words.extend(policy.json.then(|| "json: true".to_owned()));
            words.extend((!policy.null.is_empty()).then(|| format!("null: [{}]", quoted(&policy.null))));
            words.extend(column.wanted.as_ref().map(|l| format!("as: '{l}'")));
            words.extend(column.zone_said.then(|| "timezone: Europe/London".to_owned()));
            if !words.is_empty() {
                columns.push(format!("{}: {{ {} }}", column.name, words.join(", ")));
            }
        }
        let excluded: Vec<&str> =
            self.columns.iter().filter(|c| c.excluded).map(|c| c.name.as_str()).collect();
        let totals: Vec<String> = self
            .totals
            .iter()
            .map(|(at, by, agg, tolerance)| {
                let by: Vec<&str> = by.iter().map(|i| self.at(*i).name.as_str()).collect();
                let agg: Vec<&str> = agg.iter().map(|a| a.word()).collect();
                let tolerance = tolerance.map_or(String::new(), |t| format!(", tolerance: {t}"));
                let (name, by, agg) = (&self.at(*at).name, by.join(", "), agg.join(", "));
                format!("{{ column: {name}, by: [{by}], agg: [{agg}]{tolerance} }}")
            })
            .collect();
        let natural: Vec<&str> = self.natural.iter().map(|i| self.at(*i).name.as_str()).collect();
        format!(
            "{{ exclude: [{}], natural_key: [{}], columns: {{ {} }}, totals: [{}] }}",
            excluded.join(", "),
            natural.join(", "),
            columns.join(", "),
            totals.join(", ")
        )
    }

    /// Returns whether every two columns that must meet can.
    fn can_be_bound(&self) -> bool {
        let key = self.keys.iter().all(|c| c.key_form.is_some());
        let compared = self.columns.iter().filter(|c| c.is_compared()).all(|c| c.form.is_some());
        let by = self.totals.iter().flat_map(|(_, by, _, _)| by).all(|i| self.at(*i).key_form.is_some());
        let told_apart = |agg: &[Aggregate]| agg.iter().any(|what| !COUNTED_OR_SUMMED.contains(what));
        let values =
            self.totals.iter().all(|(at, _, agg, _)| !told_apart(agg) || self.at(*at).key_form.is_some());
        let told_apart = !self.is_without_key() || self.columns.iter().any(Column::is_compared);
        key && compared && by && values && told_apart
    }

    fn is_without_key(&self) -> bool {
        self.key_names.is_empty()
    }

    /// Returns a value as it is compared.
    fn cell(&self, column: &Column, (row, target): (&Row, bool)) -> Cell {
        let field = if target { &column.fields.1 } else { &column.fields.0 };
        column.form.as_ref().unwrap().cell(field, self.value(column, row, target))
    }

    /// Returns whether two rows, each with whether it is the target's, say the same in all that is compared.
    fn same_rows(&self, a: (&Row, bool), b: (&Row, bool)) -> bool {
        let compared = self.columns.iter().filter(|c| c.is_compared());
        compared.into_iter().all(|c| c.equal(&self.cell(c, a), &self.cell(c, b)))
    }

    /// Returns whether two rows have one natural key.
    fn same_naturally(&self, a: (&Row, bool), b: (&Row, bool)) -> bool {
        self.natural.iter().map(|i| self.at(*i)).all(|c| {
            let (x, y) = (self.cell(c, a), self.cell(c, b));
            !c.equal(&x, &Cell::Null) && !c.equal(&y, &Cell::Null) && c.equal(&x, &y)
        })
    }

    /// Returns the key of a row as it is shown; nothing where a part is NULL.
    fn own_key(&self, row: &Row, position: usize, target: bool) -> Option<Vec<String>> {
        if self.keys.is_empty() {
            return Some(vec![position.to_string()]);
        }
        let parts = self.keys.iter().map(|c| {
            let field = if target { &c.fields.1 } else { &c.fields.0 };
            c.key_form.as_ref()?.key_text(field, self.value(c, row, target))
        });
        parts.collect()
    }

    /// Returns the key of a row as it is matched; nothing where a part is NULL.
    fn key(&self, row: &Row, position: usize, target: bool) -> Option<Vec<String>> {
        let own = self.own_key(row, position, target)?;
        if self.keys.is_empty() {
            return Some(own);
        }
        let parts = self.keys.iter().zip(own);
        Some(parts.map(|(c, text)| plain::squeezed(&text, c.policy.whitespace, c.policy.case)).collect())
    }

    /// Says what the policies of the key's columns did, as notes do.
    fn key_notes(&self, outcome: &Reconciliation, e: &Side<'_>, t: &Side<'_>) -> Vec<String> {
        let rows = &outcome.rows;
        let pairs: Vec<&Pair> = rows.pairs.iter().filter(|pair| !rows.natural.contains(pair)).collect();
        let mut notes = Vec::new();
        for column in &self.keys {
            let form = column.key_form.as_ref().unwrap();
            let mut counts = [0_u64; 8];
            for pair in &pairs {
                let a = self.value(column, e.rows[pair.expected as usize].1, false);
                let b = self.value(column, t.rows[pair.target as usize].1, true);
                let (x, y) = (form.cell(&column.fields.0, a), form.cell(&column.fields.1, b));
                if !Policy::default().equal(&x, &y, &Logical::TEXT) {
                    let counted = column.policy.counted(&x, &y, &Logical::TEXT);
                    counts.iter_mut().zip(counted).for_each(|(count, word)| *count += u64::from(word));
                }
            }
            for ((word, has), count) in WORDS.iter().zip(column.policy.has()).zip(counts) {
                let (name, all) = (&column.name, pairs.len());
                match count {
                    _ if !has => {}
                    0 if !outcome.rows.folded.is_empty() => {}
                    0 => notes.push(format!("`{word}` of the key's `{name}` made no difference to any of {all} row pairs; it can be left out")),
                    n => notes.push(format!("The keys of {n} of {all} row pairs would not be the same without `{word}` of `{name}`")),
                }
            }
        }
        if !self.natural.is_empty() {
            let names: Vec<String> = self.natural.iter().map(|i| format!("`{}`", self.at(*i).name)).collect();
            let names = names.join(", ");
            notes.push(match rows.natural.len() {
                0 => format!("The natural key {names} found no partner for a row; it can be left out"),
                n => format!(
                    "{n} of {} row pairs were found by their natural key {names}: their keys differ",
                    rows.pairs.len()
                ),
            });
        }
        notes
    }
}

/// Returns a key as one text.
fn one_text(key: &[String]) -> String {
    let escaped: Vec<String> =
        key.iter().map(|part| part.replace('\\', "\\\\").replace('|', "\\|")).collect();
    escaped.join("|")
}

/// Returns the keys of which rows of one side have different ones of their own.
fn folded(e: &Side<'_>, t: &Side<'_>) -> Vec<KeyGroup> {
    let keys: BTreeSet<&Vec<String>> = e.keys.iter().chain(&t.keys).flatten().collect();
    let mut folded = Vec::new();
    for key in keys {
        let rows = |side: &Side<'_>| -> Vec<u32> {
            let rows: Vec<usize> =
                (0..side.rows.len()).filter(|row| side.keys[*row].as_ref() == Some(key)).collect();
            let own: BTreeSet<_> = rows.iter().map(|row| &side.own_keys[*row]).collect();
            if own.len() < 2 {
                Vec::new()
            } else {
                rows.iter().map(|row| u32::try_from(*row).unwrap()).collect()
            }
        };
        let (expected, target) = (rows(e), rows(t));
        if !expected.is_empty() || !target.is_empty() {
            folded.push(KeyGroup { key: one_text(key), expected, target });
        }
    }
    folded.sort();
    folded
}

/// Returns the columns of a natural key, by their places among all.
fn natural(case: &Case, keys: &[Column], columns: &mut [Column]) -> Vec<usize> {
    let all: Vec<&Column> = keys.iter().chain(columns.iter()).collect();
    let can_be: Vec<usize> =
        (0..all.len()).filter(|i| all[*i].sides == (true, true) && all[*i].form.is_some()).collect();
    if case.without_key || can_be.is_empty() {
        return Vec::new();
    }
    let mut natural: Vec<usize> = Vec::new();
    for number in &case.natural {
        // Most are no part of the key.
        let at = can_be[can_be.len() - 1 - usize::from(*number) % can_be.len()];
        if !natural.contains(&at) {
            natural.push(at);
        }
    }
    if !keys.is_empty() && (0..keys.len()).all(|key| natural.contains(&key)) {
        natural.retain(|at| *at >= keys.len());
    }
    for at in &natural {
        if let Some(column) = at.checked_sub(keys.len()).and_then(|at| columns.get_mut(at)) {
            (column.policy.tolerance, column.policy.relative) = (None, None);
        }
    }
    natural
}

impl Column {
    /// Returns whether two values are equal by the policy.
    fn equal(&self, a: &Cell, b: &Cell) -> bool {
        let logical = self.form.as_ref().unwrap().logical(&self.fields.0.logical, &self.fields.1.logical);
        self.policy.equal(a, b, &logical)
    }

    fn is_compared(&self) -> bool {
        self.sides == (true, true) && !self.excluded
    }
}

/// Returns what binding needs beside the columns.
pub fn context(files: &ProjectFiles) -> Context<'_> {
    Context { files, as_of: chrono::DateTime::UNIX_EPOCH }
}

fn bound(setting: &Setting) -> Result<BoundReconcile, String> {
    let text = setting.yaml();
    let node = yaml(&text);
    let mut out = Diagnostics::default();
    let config = Reconcile::from_node(&node, &mut out).expect("a configuration");
    assert!(out.is_empty(), "{text}: {}", out.render(false));
    let file = SourceFile::new("key.yml", "");
    let span = Span { file: file.into(), range: 0..0 };
    let key: Vec<Spanned<String>> =
        setting.key_names.iter().map(|name| Spanned { value: name.clone(), span: span.clone() }).collect();
    let schema = |target| Schema { fields: setting.fields(target) };
    let files = ProjectFiles::default();
    bind(&config, &key, &schema(false), &schema(true), context(&files), &mut out)
        .ok_or_else(|| out.render(false))
}

/// A side's rows in the plain: their places among all rows, and their keys.
struct Side<'a> {
    rows: Vec<(usize, &'a Row)>,
    keys: Vec<Option<Vec<String>>>,
    own_keys: Vec<Option<Vec<String>>>,
}

impl<'a> Side<'a> {
    fn new(setting: &'a Setting, rows: &'a [Row], keep: &[bool], target: bool) -> Side<'a> {
        let rows: Vec<(usize, &Row)> = rows.iter().enumerate().filter(|(i, _)| keep[*i]).collect();
        let keys = rows.iter().map(|(i, row)| setting.key(row, i + 1, target)).collect();
        let own_keys = rows.iter().map(|(i, row)| setting.own_key(row, i + 1, target)).collect();
        Side { rows, keys, own_keys }
    }

    fn count(&self, key: &Option<Vec<String>>) -> usize {
        self.keys.iter().filter(|k| k == &key).count()
    }
}

fn aligned(e: &Side<'_>, t: &Side<'_>, [quarantined, merged, former]: [&Side<'_>; 3]) -> Alignment {
    let mut plain = Alignment { folded: folded(e, t), ..Alignment::default() };
    for (i, key) in e.keys.iter().enumerate() {
        let row = u32::try_from(i).unwrap();
        match (key, e.count(key), t.count(key)) {
            (None, _, _) => plain.no_key_expected.push(row),
            (_, 1, 0) => plain.missing.push(row),
            (_, 1, 1) => {
                let target = t.keys.iter().position(|k| k == key).unwrap();
                plain.pairs.push(Pair { expected: row, target: u32::try_from(target).unwrap() });
            }
            _ => plain.duplicate_expected.push(row),
        }
    }
    for (i, key) in t.keys.iter().enumerate() {
        let row = u32::try_from(i).unwrap();
        match (key, e.count(key), t.count(key)) {
            (None, _, _) => plain.no_key_target.push(row),
            (_, 1, 1) => {}
            (_, 0, 1) if quarantined.count(key) > 0 => plain.from_quarantined.push(row),
            (_, 0, 1) if merged.count(key) + former.count(key) > 0 => plain.from_merged.push(row),
            (_, 0, 1) => plain.unexpected.push(row),
            _ => plain.duplicate_target.push(row),
        }
    }
    plain
}

/// Finds partners by their natural key for rows that are left: by looking at each two of them.
fn match_naturally(
    setting: &Setting,
    e: &Side<'_>,
    t: &Side<'_>,
    held_back: [&Side<'_>; 2],
    plain: &mut Alignment,
) {
    if setting.natural.is_empty() {
        return;
    }
    let (missing, unexpected) = (plain.missing.clone(), plain.unexpected.clone());
    let of_expected = |row: &u32| (e.rows[*row as usize].1, false);
    let of_target = |row: &u32| (t.rows[*row as usize].1, true);
    // All rows of both sides that share a row's natural key.
    let like = |row: (&Row, bool)| -> (Vec<u32>, Vec<u32>) {
        let of_e = missing.iter().filter(|other| setting.same_naturally(row, of_expected(other)));
        let of_t = unexpected.iter().filter(|other| setting.same_naturally(row, of_target(other)));
        (of_e.copied().collect(), of_t.copied().collect())
    };
    let mut groups: BTreeSet<(Vec<u32>, Vec<u32>)> =
        missing.iter().map(|row| like(of_expected(row))).collect();
    groups.extend(unexpected.iter().map(|row| like(of_target(row))));
    let is_of = |side: &Side<'_>, row: &u32| {
        side.rows.iter().any(|(_, values)| setting.same_naturally((values, false), of_target(row)))
    };
    for (expected, target) in groups {
        match (expected.as_slice(), target.as_slice()) {
            ([expected], [target]) => plain.natural.push(Pair { expected: *expected, target: *target }),
            ([], [target]) if is_of(held_back[0], target) => plain.from_quarantined.push(*target),
            ([], _) | (_, []) => {}
            _ => plain.ambiguous.push(KeyGroup { key: String::new(), expected, target }),
        }
    }
    let is_natural = |of: fn(&Pair) -> u32, row: &u32| plain.natural.iter().any(|pair| of(pair) == *row);
    plain.missing.retain(|row| !is_natural(|pair| pair.expected, row));
    plain.unexpected.retain(|row| {
        let held_back = plain.from_quarantined.contains(row) || plain.from_merged.contains(row);
        !is_natural(|pair| pair.target, row) && !held_back
    });
    plain.natural.sort();
    plain.pairs.extend(&plain.natural);
    plain.pairs.sort();
    plain.from_quarantined.sort_unstable();
    plain.from_merged.sort_unstable();
    plain.ambiguous.sort();
}

/// Pairs off rows without a key: each of expected with the first of the target that says the same and is left.
fn paired_off(setting: &Setting, e: &Side<'_>, t: &Side<'_>, held_back: [&Side<'_>; 2]) -> Alignment {
    let mut plain = Alignment::default();
    let mut left: Vec<usize> = (0..t.rows.len()).collect();
    for (row, (_, values)) in (0..).zip(&e.rows) {
        match left.iter().position(|at| setting.same_rows((values, false), (t.rows[*at].1, true))) {
            Some(at) => {
                let target = u32::try_from(left.remove(at)).unwrap();
                plain.pairs.push(Pair { expected: row, target });
            }
            None => plain.missing.push(row),
        }
    }
    let [mut quarantined, mut merged] = held_back.map(|side| side.rows.clone());
    for at in left {
        let row = u32::try_from(at).unwrap();
        let is_of = |pool: &mut Vec<(usize, &Row)>| {
            let found =
                pool.iter().position(|(_, values)| setting.same_rows((values, false), (t.rows[at].1, true)));
            found.map(|at| pool.remove(at)).is_some()
        };
        if is_of(&mut quarantined) {
            plain.from_quarantined.push(row);
        } else if is_of(&mut merged) {
            plain.from_merged.push(row);
        } else {
            plain.unexpected.push(row);
        }
    }
    plain
}

/// One total in the plain: group, figure, expected, target and whether they are equal.
type Figures = Vec<(String, Aggregate, Option<String>, Option<String>, bool)>;

fn totals(setting: &Setting, e: &Side<'_>, t: &Side<'_>, total: usize) -> Figures {
    let (at, by, agg, tolerance) = &setting.totals[total];
    let column = setting.at(*at);
    let escaped =
        |text: Option<String>| text.map_or("\\N".to_owned(), |t| t.replace('\\', "\\\\").replace('|', "\\|"));
    let group = |row: &Row, target: bool| {
        let parts = by.iter().map(|i| {
            let c = setting.at(*i);
            let field = if target { &c.fields.1 } else { &c.fields.0 };
            escaped(c.key_form.as_ref().unwrap().key_text(field, setting.value(c, row, target)))
        });
        parts.collect::<Vec<_>>().join("|")
    };
    let mut groups: BTreeSet<String> = e.rows.iter().map(|(_, r)| group(r, false)).collect();
    groups.extend(t.rows.iter().map(|(_, r)| group(r, true)));
    if by.is_empty() {
        groups.insert(String::new());
    }
    let scale =
        |f: &Field| if let Logical::Decimal { scale, .. } = f.logical { usize::from(scale) } else { 0 };
    let scale = scale(&column.fields.0).max(scale(&column.fields.1));
    let mut figures = Vec::new();
    for name in groups {
        let of = |side: &Side<'_>, target: bool| -> Vec<Value> {
            let rows = side.rows.iter().filter(|(_, r)| group(r, target) == name);
            rows.filter_map(|(_, r)| setting.value(column, r, target).cloned()).collect()
        };
        let (a, b) = (of(e, false), of(t, true));
        let rows = |side: &Side<'_>, target: bool| {
            side.rows.iter().filter(|(_, r)| group(r, target) == name).count()
        };
        let (a_rows, b_rows) = (rows(e, false), rows(t, true));
        for agg in agg {
            let (x, y, equal) = match agg {
                Aggregate::Count => {
                    (Some(a.len().to_string()), Some(b.len().to_string()), a.len() == b.len())
                }
                Aggregate::Nulls => {
                    let (x, y) = (a_rows - a.len(), b_rows - b.len());
                    (Some(x.to_string()), Some(y.to_string()), x == y)
                }
                Aggregate::Distinct => {
                    let form = column.key_form.as_ref().unwrap();
                    let different = |values: &[Value], field: &Field| {
                        let texts = values.iter().map(|v| form.key_text(field, Some(v)));
                        texts.collect::<BTreeSet<_>>().len()
                    };
                    let (x, y) = (different(&a, &column.fields.0), different(&b, &column.fields.1));
                    (Some(x.to_string()), Some(y.to_string()), x == y)
                }
                Aggregate::Min | Aggregate::Max => {
                    let outermost = |values: &[Value], field: &Field| outermost(column, field, values, *agg);
                    let (x, y) = (outermost(&a, &column.fields.0), outermost(&b, &column.fields.1));
                    let equal = match (&x, &y) {
                        (Some(Cell::Number(Number::Finite(x))), Some(Cell::Number(Number::Finite(y)))) => {
                            let most = Digits::read(tolerance.unwrap_or("0")).unwrap();
                            x.minus(y).size().order(&most).is_le()
                        }
                        (x, y) => x == y,
                    };
                    let text = |cell: Option<Cell>, field: &Field| Some(shown(column, field, &cell?, scale));
                    (text(x, &column.fields.0), text(y, &column.fields.1), equal)
                }
                Aggregate::Sum => {
                    let (x, y) = (sum(&a, &column.fields.0.logical), sum(&b, &column.fields.1.logical));
                    let equal = match (&x, &y) {
                        (Some(Number::Finite(x)), Some(Number::Finite(y))) => {
                            let most = Digits::read(tolerance.unwrap_or("0")).unwrap();
                            x.minus(y).size().order(&most).is_le()
                        }
                        (x, y) => x == y,
                    };
                    let text = |n: Option<Number>| match n? {
                        Number::Finite(digits) => Some(digits.text(scale)),
                        other => Some(other.text()),
                    };
                    (text(x), text(y), equal)
                }
            };
            figures.push((name.clone(), *agg, x, y, equal));
        }
    }
    figures
}

/// Returns the least or greatest value of a side, by looking at each.
fn outermost(column: &Column, field: &Field, values: &[Value], agg: Aggregate) -> Option<Cell> {
    let form = column.key_form.as_ref().unwrap();
    let cell = |value: &Value| match (form.cell(field, Some(value)), value) {
        (Cell::Never, Value::Moment(moment)) => Cell::Moment(*moment),
        (Cell::Bool(v), _) if *form == Form::Bits => {
            Cell::Number(Number::Finite(Digits::read(if v { "1" } else { "0" }).unwrap()))
        }
        (cell, _) => cell,
    };
    let order = |a: &Cell, b: &Cell| match (a, b) {
        (Cell::Text(a), Cell::Text(b)) => a.chars().cmp(b.chars()),
        (Cell::Bool(a), Cell::Bool(b)) => a.cmp(b),
        (Cell::Number(a), Cell::Number(b)) => a.order(b),
        (Cell::Moment(a), Cell::Moment(b)) | (Cell::Time(a), Cell::Time(b)) => a.cmp(b),
        (Cell::Bytes(a), Cell::Bytes(b)) => a.cmp(b),
        other => panic!("values of two kinds: {other:?}"),
    };
    let cells = values.iter().map(cell);
    if agg == Aggregate::Min { cells.min_by(order) } else { cells.max_by(order) }
}

/// Returns the text of a least or greatest value.
fn shown(column: &Column, field: &Field, cell: &Cell, scale: usize) -> String {
    let form = column.key_form.as_ref().unwrap();
    match cell {
        Cell::Number(Number::Finite(digits)) => digits.text(scale),
        Cell::Number(other) => other.text(),
        Cell::Moment(moment) if field.logical == Logical::Date => {
            plain::moment_text(*moment)[..10].to_owned()
        }
        Cell::Moment(moment) => {
            let instant = field.logical == Logical::TIMESTAMP_UTC && *form == Form::Values;
            format!("{}{}", plain::moment_text(*moment), if instant { "Z" } else { "" })
        }
        Cell::Text(text) => text.clone(),
        Cell::Bool(value) => value.to_string(),
        Cell::Time(time) => plain::time_text(*time),
        Cell::Bytes(bytes) => bytes.iter().map(|b| format!("{b:02x}")).collect(),
        Cell::Null | Cell::Never => panic!("no value"),
    }
}

fn sum(values: &[Value], logical: &Logical) -> Option<Number> {
    let mut sum = Digits::zero();
    let (mut plus, mut minus, mut nan) = (false, false, false);
    for value in values {
        match plain::number(value, logical).unwrap() {
            Number::Finite(digits) => sum = sum.plus(&digits),
            Number::NotANumber => nan = true,
            Number::Infinity { minus: false } => plus = true,
            Number::Infinity { minus: true } => minus = true,
        }
    }
    match (nan, plus, minus) {
        (true, _, _) | (_, true, true) => Some(Number::NotANumber),
        (_, true, _) => Some(Number::Infinity { minus: false }),
        (_, _, true) => Some(Number::Infinity { minus: true }),
        _ if values.is_empty() => None,
        _ => Some(Number::Finite(sum)),
    }
}

/// Compares what was found in one column with what the plain comparison finds.
fn check_column(
    setting: &Setting,
    column: &Column,
    found: (&Reconciliation, &BoundReconcile, usize),
    e: &Side<'_>,
    t: &Side<'_>,
) -> Result<(), TestCaseError> {
    let (outcome, bound, index) = found;
    let of_column = &outcome.columns[index];
    let form = column.form.as_ref().unwrap();
    let logical = form.logical(&column.fields.0.logical, &column.fields.1.logical);
    let (mut mismatched, mut without, mut natural) = (Vec::new(), Vec::new(), Vec::new());
    let (mut skipped, mut counts) = (0, [0_u64; 8]);
    let mut texts = Vec::new();
    for (i, pair) in outcome.rows.pairs.iter().enumerate() {
        let i = u32::try_from(i).unwrap();
        let (a, b) = (
            setting.value(column, e.rows[pair.expected as usize].1, false),
            setting.value(column, t.rows[pair.target as usize].1, true),
        );
        let (x, y) = (form.cell(&column.fields.0, a), form.cell(&column.fields.1, b));
        if !Policy::default().equal(&x, &y, &logical) {
            without.push(i);
            skipped += u64::from(x == Cell::Never || y == Cell::Never);
            if column.policy.equal(&x, &y, &logical) {
                let counted = column.policy.counted(&x, &y, &logical);
                for (count, word) in counts.iter_mut().zip(counted) {
                    *count += u64::from(word);
                }
            } else {
                mismatched.push(i);
                let text = |v: Option<&Value>, f: &Field| v.map(|v| plain::text(v, &f.logical));
                texts.push((
                    pair.expected,
                    pair.target,
                    text(a, &column.fields.0),
                    text(b, &column.fields.1),
                ));
            }
        }
        if let Some(natural_form) = &column.natural {
            let (x, y) = (natural_form.cell(&column.fields.0, a), natural_form.cell(&column.fields.1, b));
            let logical = natural_form.logical(&column.fields.0.logical, &column.fields.1.logical);
            if !Policy::default().equal(&x, &y, &logical) {
                natural.push(i);
            }
        }
    }
    let mut settled: Vec<(&str, u64)> = WORDS
        .iter()
        .zip(column.policy.has())
        .zip(counts)
        .filter(|((_, has), _)| *has)
        .map(|((word, _), count)| (*word, count))
        .collect();
    if column.wanted.is_some() && column.natural.is_some() {
        let only_one = without.iter().filter(|i| !natural.contains(i)).count()
            + natural.iter().filter(|i| !without.contains(i)).count();
        settled.push(("as", only_one as u64));
    }
    let name = &column.name;
    prop_assert_eq!(of_column.compared, outcome.rows.pairs.len() as u64);
    prop_assert_eq!(&of_column.mismatched, &mismatched, "mismatches of {}", name);
    prop_assert_eq!(&of_column.settled, &settled, "settled in {}", name);
    prop_assert_eq!(of_column.skipped_hours, skipped, "skipped hours in {}", name);
    let shown: Vec<_> = outcome
        .mismatches(bound, index)
        .map(|m| (m.expected_row, m.target_row, m.expected, m.target))
        .collect();
    prop_assert_eq!(shown, texts);
    Ok(())
}

fn check(case: &Case) -> Result<(), TestCaseError> {
    let setting = Setting::new(case);
    let bound = match (bound(&setting), setting.can_be_bound()) {
        (Ok(bound), true) => bound,
        (Err(_), false) => return Ok(()),
        (Ok(_), false) => return Err(TestCaseError::fail("columns that cannot meet were bound")),
        (Err(message), true) => return Err(TestCaseError::fail(message)),
    };
    let state = |i: usize| STATES.get(usize::from(case.source[i].1)).copied();
    let rows_of = |wanted: Option<SourceDisposition>| -> Vec<bool> {
        (0..case.source.len()).map(|i| state(i) == wanted).collect()
    };
    let in_scope: Vec<bool> = case.target.iter().map(|(_, _, out)| !out).collect();
    let (kept, quarantined, merged) = (
        rows_of(None),
        rows_of(Some(SourceDisposition::Quarantined)),
        rows_of(Some(SourceDisposition::Merged)),
    );
    let source = |keep: &[bool]| match keep.iter().any(|k| *k) {
        true => tables::frame(&setting.fields(false), &setting.source, keep),
        false => Frame::default(),
    };
    let frames = (
        tables::frame(&setting.fields(false), &setting.source, &kept),
        tables::frame(&setting.fields(true), &setting.target, &in_scope),
        source(&quarantined),
        source(&merged),
    );
    let all_former = vec![true; case.former.len()];
    let former_rows = match case.former.is_empty() {
        true => Frame::default(),
        false => tables::frame(&setting.fields(false), &setting.former, &all_former),
    };
    let input = Input {
        expected: &frames.0,
        target: &frames.1,
        quarantined: &frames.2,
        merged: &frames.3,
        former: &former_rows,
    };
    let found = outcome(&input, &bound).map_err(TestCaseError::fail)?;
    check_means(case, &input, &bound, &found, &frames)?;
    let outcome = whole(&found, &frames.0, &frames.1);

    let e = Side::new(&setting, &setting.source, &kept, false);
    let t = Side::new(&setting, &setting.target, &in_scope, true);
    let quarantined = Side::new(&setting, &setting.source, &quarantined, false);
    let merged = Side::new(&setting, &setting.source, &merged, false);
    let former = Side::new(&setting, &setting.former, &all_former, false);
    let mut plain = match setting.is_without_key() {
        true => paired_off(&setting, &e, &t, [&quarantined, &merged]),
        false => aligned(&e, &t, [&quarantined, &merged, &former]),
    };
    match_naturally(&setting, &e, &t, [&quarantined, &merged], &mut plain);
    prop_assert_eq!(&outcome.rows, &plain);

    let compared: Vec<&Column> = setting.columns.iter().filter(|c| c.is_compared()).collect();
    let names: Vec<&str> = bound.columns.iter().map(|c| c.name.as_str()).collect();
    prop_assert_eq!(names, compared.iter().map(|c| c.name.as_str()).collect::<Vec<_>>());
    for (index, column) in compared.iter().enumerate() {
        if setting.is_without_key() {
            prop_assert_eq!(outcome.columns[index].compared, plain.pairs.len() as u64);
            prop_assert_eq!(outcome.columns[index].mismatched.len(), 0);
        } else {
            check_column(&setting, column, (&outcome, &bound, index), &e, &t)?;
        }
    }
    let of_keys = setting.key_notes(&outcome, &e, &t);
    prop_assert!(outcome.notes.ends_with(&of_keys), "{:?}: {:?}", outcome.notes, of_keys);
    let mismatched: Vec<bool> = (0..plain.pairs.len())
        .map(|pair| outcome.columns.iter().any(|c| c.mismatched.iter().any(|i| *i as usize == pair)))
        .collect();
    prop_assert_eq!(&outcome.mismatched, &mismatched);
    let different = mismatched.iter().filter(|m| **m).count() as u64;
    prop_assert_eq!(outcome.mismatched_pairs(), different);
    prop_assert_eq!(outcome.matched_pairs(), plain.pairs.len() as u64 - different);

    for (i, total) in outcome.totals.iter().enumerate() {
        let figures: Figures = total
            .figures
            .iter()
            .map(|f| (f.group.clone(), f.agg, f.expected.clone(), f.target.clone(), f.equal))
            .collect();
        let plain = totals(&setting, &e, &t, i);
        prop_assert_eq!(&figures, &plain);
        let groups: BTreeSet<&String> = plain.iter().map(|f| &f.0).collect();
        let differing: BTreeSet<&String> = plain.iter().filter(|f| !f.4).map(|f| &f.0).collect();
        prop_assert_eq!((total.groups, total.differing), (groups.len() as u64, differing.len() as u64));
    }
    check_ledger(case, &found, &outcome, &e, &t)
}

/// The pieces in which the rows come, the memory and the threads change nothing.
fn check_means(
    case: &Case,
    input: &Input<'_>,
    bound: &BoundReconcile,
    found: &Reconciliation,
    frames: &(Frame, Frame, Frame, Frame),
) -> Result<(), TestCaseError> {
    let (size, memory, threads) = case.means;
    let (expected, target) =
        (Pieces { frame: &frames.0, size: usize::from(size) }, Pieces { frame: &frames.1, size: 3 });
    let folder = tempfile::tempdir().expect("a folder");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(usize::from(threads)).build().expect("threads");
    let input = Input { expected: &expected, target: &target, ..*input };
    let means = means(memory, folder.path());
    let other = pool.install(|| counterfoil::reconcile::reconcile(&input, bound, &means));
    let other = other.map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(&other.rows, &found.rows);
    prop_assert_eq!(&other.partners, &found.partners);
    prop_assert_eq!(&other.columns, &found.columns);
    prop_assert_eq!(&other.mismatched, &found.mismatched);
    prop_assert_eq!(&other.longest, &found.longest);
    prop_assert_eq!(&other.totals, &found.totals);
    prop_assert_eq!(&other.notes, &found.notes);
    prop_assert_eq!(&other.evidence.expected_at, &found.evidence.expected_at);
    prop_assert_eq!(&other.evidence.target_at, &found.evidence.target_at);
    prop_assert_eq!(
        std::fs::read_dir(folder.path()).expect("the folder").count(),
        0,
        "nothing is left there"
    );
    Ok(())
}

/// Compares the ledger with one made by giving each row its place.
fn check_ledger(
    case: &Case,
    found: &Reconciliation,
    outcome: &Reconciliation,
    e: &Side<'_>,
    t: &Side<'_>,
) -> Result<(), TestCaseError> {
    let mut of_source = Tally::<SourceDisposition>::new(case.source.len());
    let mut of_target = Tally::<TargetDisposition>::new(case.target.len());
    for (i, (_, state, _)) in case.source.iter().enumerate() {
        if let Some(state) = STATES.get(usize::from(*state)) {
            of_source.enter(i as u64 + 1, *state);
        }
    }
    for (i, _) in case.target.iter().enumerate().filter(|(_, (_, _, out))| *out) {
        of_target.enter(i as u64 + 1, TargetDisposition::OutOfScope);
    }
    let cleansed = |row: u64| case.source[usize::try_from(row).unwrap() - 1].2;
    found.enter(cleansed, &mut of_source, &mut of_target);
    let ledger = Ledger::new(Some(&of_source), Some(&of_target));
    prop_assert!(ledger.balanced, "{:?}", ledger);

    let (mut source, mut target) = (Vec::new(), Vec::new());
    for (i, (_, state, cleansed)) in case.source.iter().enumerate() {
        let Some(row) = e.rows.iter().position(|(at, _)| *at == i) else {
            source.push(STATES[usize::from(*state)]);
            continue;
        };
        let pair = outcome.rows.pairs.iter().position(|p| p.expected as usize == row);
        source.push(match pair {
            Some(pair) if outcome.mismatched[pair] => SourceDisposition::Mismatched,
            Some(_) if *cleansed => SourceDisposition::MatchedCleansed,
            Some(_) => SourceDisposition::MatchedUnchanged,
            None if outcome.rows.missing.iter().any(|r| *r as usize == row) => SourceDisposition::Missing,
            None if e.keys[row].is_none() => SourceDisposition::NoKey,
            None => SourceDisposition::DuplicateKey,
        });
    }
    for (i, _) in case.target.iter().enumerate() {
        let Some(row) = t.rows.iter().position(|(at, _)| *at == i) else {
            target.push(TargetDisposition::OutOfScope);
            continue;
        };
        let pair = outcome.rows.pairs.iter().position(|p| p.target as usize == row);
        let is_in = |list: &[u32]| list.iter().any(|r| *r as usize == row);
        target.push(match pair {
            Some(pair) if outcome.mismatched[pair] => TargetDisposition::Mismatched,
            Some(_) => TargetDisposition::Matched,
            None if is_in(&outcome.rows.no_key_target) => TargetDisposition::NoKey,
            None if is_in(&outcome.rows.duplicate_target) => TargetDisposition::DuplicateKey,
            None if is_in(&outcome.rows.from_quarantined) => TargetDisposition::FromQuarantined,
            None if is_in(&outcome.rows.from_merged) => TargetDisposition::FromMerged,
            None => TargetDisposition::Unexpected,
        });
    }
    for (i, place) in source.iter().enumerate() {
        prop_assert_eq!(of_source.get(i as u64 + 1), Some(*place), "source row {}", i + 1);
        prop_assert_eq!(ledger.source_count(*place), source.iter().filter(|p| *p == place).count() as u64);
    }
    for (i, place) in target.iter().enumerate() {
        prop_assert_eq!(of_target.get(i as u64 + 1), Some(*place), "target row {}", i + 1);
        prop_assert_eq!(ledger.target_count(*place), target.iter().filter(|p| *p == place).count() as u64);
    }
    prop_assert_eq!(ledger.source.iter().map(|l| l.rows).sum::<u64>(), case.source.len() as u64);
    prop_assert_eq!(ledger.target.iter().map(|l| l.rows).sum::<u64>(), case.target.len() as u64);
    Ok(())
}

proptest! {
    #![proptest_config(super::cases(2000))]

    #[test]
    fn reconciliation_is_the_plain_one(case in case()) {
        check(&case)?;
    }
}

/// Two tables of a number and a text, and a reconciliation of them by the number.
fn small(rules: &str) -> Result<BoundReconcile, String> {
    let frame = crate::table::frame("| n: i64 | t: text |\n| 1 | \"a\" |");
    let mut out = Diagnostics::default();
    let config = Reconcile::from_node(&yaml(rules), &mut out).expect("a configuration");
    let file = SourceFile::new("key.yml", "");
    let key = [Spanned { value: "n".to_owned(), span: Span { file: file.into(), range: 0..0 } }];
    bind(&config, &key, &frame.schema, &frame.schema, context(&ProjectFiles::default()), &mut out)
        .ok_or_else(|| out.render(false))
}

#[test]
fn a_total_that_groups_by_one_column_twice_is_a_mistake() {
    let message = small("{ totals: [{ column: n, by: [t, t] }] }").unwrap_err();
    assert!(message.contains("`t` stands here a second time"), "{message}");
    assert!(small("{ totals: [{ column: n, by: [t, n] }] }").is_ok());
}

#[test]
fn a_text_of_a_float_that_is_no_number_equals_the_float() {
    let (texts, floats) = (
        crate::table::frame("| n: i64 | v: text |\n| 1 | \"NaN\" |\n| 2 | \"-inf\" |\n| 3 | \"1e400\" |"),
        crate::table::frame("| n: i64 | v: f64 |\n| 1 | NaN |\n| 2 | -inf |\n| 3 | inf |"),
    );
    let mut out = Diagnostics::default();
    let config =
        Reconcile::from_node(&yaml("{ columns: { v: { as: f64 } } }"), &mut out).expect("a configuration");
    let file = SourceFile::new("key.yml", "");
    let key = [Spanned { value: "n".to_owned(), span: Span { file: file.into(), range: 0..0 } }];
    let files = ProjectFiles::default();
    let bound = bind(&config, &key, &texts.schema, &floats.schema, context(&files), &mut out).expect("bound");
    assert_eq!(reconcile(&texts, &floats, &bound).columns[0].mismatched, [2]);
}
