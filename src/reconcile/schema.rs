//! The structure of the two sides: columns, types, keys, defaults and sequences.

use std::collections::{BTreeMap, BTreeSet};

use crate::frame::Frame;
use crate::model::{ColumnStructure, Field, Holds, Logical, Numbers, Schema, Structure, Unit};
use crate::rule::RuleError;

use super::cell::{Cell, Values};

/// What is known of one side.
pub struct SideSchema<'a> {
    /// Its columns.
    pub schema: &'a Schema,
    /// What its database declares; nothing where that is not known.
    pub structure: Option<&'a Structure>,
    /// Returns what a column holds; nothing where nobody declares it, as of files.
    pub holds: &'a dyn Fn(&Field) -> Option<Holds>,
}

/// Something in which the two sides are not built the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What is not the same, e.g. `type`.
    pub class: &'static str,
    /// Our name of the column, or of several, joined by commas.
    pub column: String,
    /// What the source has.
    pub source: Option<String>,
    /// What the target has.
    pub target: Option<String>,
}

/// What the comparison of two structures found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SchemaOutcome {
    /// What was compared: columns, keys, references.
    pub compared: u64,
    /// What is not the same, by column in the order of the source, then of the target; keys and references last.
    pub differences: Vec<Difference>,
    /// Places in the allow list whose pair never met.
    pub unused: Vec<usize>,
}

/// A pair of types that may meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypePair {
    /// The source's, in lower case: as declared, with or without its length, or as we call it.
    pub source: String,
    /// The target's.
    pub target: String,
}

impl TypePair {
    /// Reads `varchar -> text`.
    pub fn parse(text: &str) -> Option<TypePair> {
        let (source, target) = text.split_once("->")?;
        let tidy = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        let pair = TypePair { source: tidy(source), target: tidy(target) };
        (!pair.source.is_empty() && !pair.target.is_empty()).then_some(pair)
    }

    fn allows(&self, source: &Field, target: &Field) -> bool {
        let is = |wanted: &str, field: &Field| names(field).iter().any(|name| name == wanted);
        is(&self.source, source) && is(&self.target, target)
    }
}

/// Returns what a column's type is called: as declared, the same without its length, and as we call it.
fn names(field: &Field) -> Vec<String> {
    let declared = field.source_type.to_lowercase();
    let logical = field.logical.to_string();
    let bare = |text: &str| text.split('(').next().unwrap_or_default().trim().to_owned();
    vec![bare(&declared), bare(&logical), declared, logical]
}

/// Compares the structure of two sides; `cleansed` are the source's columns after cleansing, `ignored` columns that are
/// not looked at, and `key` the key of the dataset.
///
/// Types are the same where they are the same kind of ours: all texts are. A shorter length, fewer digits or a smaller
/// range in the target are told apart from that. A key is the target's where one of its unique keys has the same columns; a
/// reference where one of its foreign keys has.
pub fn compare_schemas(
    source: &SideSchema<'_>,
    target: &SideSchema<'_>,
    cleansed: &Schema,
    ignored: &BTreeSet<String>,
    key: &[String],
    allow: &[TypePair],
) -> SchemaOutcome {
    let mut outcome = SchemaOutcome::default();
    let mut used = BTreeSet::new();
    for field in source.schema.fields.iter().filter(|field| !ignored.contains(&field.name)) {
        outcome.compared += 1;
        let Some(other) = target.schema.get(&field.name) else {
            outcome.add("only in the source", &field.name, Some(shown(field)), None);
            continue;
        };
        let brought = cleansed.get(&field.name).unwrap_or(field);
        let allowed: Vec<usize> = allow
            .iter()
            .enumerate()
            .filter(|(_, pair)| pair.allows(field, other) || pair.allows(brought, other))
            .map(|(place, _)| place)
            .collect();
        let inferred = field.inferred || other.inferred;
        if !inferred && kind(&brought.logical) != kind(&other.logical) {
            if allowed.is_empty() {
                outcome.add("type", &field.name, Some(shown(field)), Some(shown(other)));
            }
            used.extend(allowed);
        } else if let (Some(own), Some(theirs)) = ((source.holds)(field), (target.holds)(other))
            && is_narrower(&own, &theirs)
        {
            if allowed.is_empty() {
                outcome.add("length or range", &field.name, Some(shown(field)), Some(shown(other)));
            }
            used.extend(allowed);
        }
        if let (Some(own), Some(theirs)) = (declared(source, field), declared(target, other)) {
            columns(&field.name, own, theirs, &mut outcome);
        }
    }
    for field in target.schema.fields.iter().filter(|field| !ignored.contains(&field.name)) {
        if source.schema.get(&field.name).is_none() {
            outcome.compared += 1;
            outcome.add("only in the target", &field.name, None, Some(shown(field)));
        }
    }
    if let Some(theirs) = target.structure {
        keys(source, target, theirs, key, &mut outcome);
    }
    outcome.unused = (0..allow.len()).filter(|place| !used.contains(place)).collect();
    outcome
}

impl SchemaOutcome {
    fn add(&mut self, class: &'static str, column: &str, source: Option<String>, target: Option<String>) {
        self.differences.push(Difference { class, column: column.to_owned(), source, target });
    }
}

fn shown(field: &Field) -> String {
    if field.inferred { field.logical.to_string() } else { field.source_type.clone() }
}

fn declared<'a>(side: &SideSchema<'a>, field: &Field) -> Option<&'a ColumnStructure> {
    side.structure?.column(&field.source_name)
}

/// Returns the word of a type without its lengths; all texts are one kind.
fn kind(logical: &Logical) -> String {
    match logical {
        Logical::Text { .. } => "text".to_owned(),
        Logical::Decimal { .. } => "decimal".to_owned(),
        other => other.to_string(),
    }
}

/// Returns true where a column surely holds less than another.
fn is_narrower(source: &Holds, target: &Holds) -> bool {
    let length = match (source.length, target.length) {
        // A byte is at most a character, and a character at most its bytes.
        (Some((own, Unit::Characters | Unit::Utf16)), Some((theirs, _))) => theirs < own,
        (Some((own, own_unit)), Some((theirs, unit))) => own_unit == unit && theirs < own,
        (None, Some(_)) => true,
        (_, None) => false,
    };
    let numbers = match (source.numbers, target.numbers) {
        (
            Some(Numbers::Exact { least, most, scale }),
            Some(Numbers::Exact { least: low, most: high, scale: kept }),
        ) => {
            let above = |a: i128, a_scale, b: i128, b_scale| whole_part(a, a_scale) > whole_part(b, b_scale);
            kept < scale || above(most, scale, high, kept) || above(-least, scale, -low, kept)
        }
        (Some(Numbers::F64), Some(Numbers::F32)) => true,
        _ => false,
    };
    length || numbers
}

/// Returns what stands before the point of a bound.
fn whole_part(bound: i128, scale: u32) -> i128 {
    10_i128.checked_pow(scale).map_or(0, |unit| bound / unit)
}

/// Compares what is declared of a column beside its type.
fn columns(name: &str, own: &ColumnStructure, theirs: &ColumnStructure, outcome: &mut SchemaOutcome) {
    if own.nullable != theirs.nullable {
        let word = |nullable: bool| Some(if nullable { "can be NULL" } else { "not NULL" }.to_owned());
        outcome.add("nullability", name, word(own.nullable), word(theirs.nullable));
    }
    if own.default_is_known && theirs.default_is_known {
        let (a, b) = (default(own), default(theirs));
        if a != b {
            let shown = |of: &ColumnStructure| of.default.clone().or_else(|| Some("no default".to_owned()));
            outcome.add("default", name, shown(own), shown(theirs));
        }
    }
}

/// A default as it is compared: what databases write differently is one.
#[derive(Debug, PartialEq, Eq)]
enum Default {
    None,
    Literal(String),
    /// A number of a sequence, a time, or anything else that is calculated.
    Calculated,
}

fn default(column: &ColumnStructure) -> Default {
    if column.sequence.is_some() {
        return Default::Calculated;
    }
    let Some(mut text) = column.default.as_deref().map(str::trim) else { return Default::None };
    loop {
        let inner = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
        match inner.filter(|inner| !inner.contains([')', '(']) || inner.starts_with('(')) {
            Some(inner) => text = inner.trim(),
            None => break,
        }
    }
    if let Some((before, cast)) = text.rsplit_once("::")
        && !cast.contains('\'')
    {
        text = before;
    }
    let text = text.strip_prefix(['N', 'n']).filter(|rest| rest.starts_with('\'')).unwrap_or(text);
    if text.eq_ignore_ascii_case("null") {
        return Default::None;
    }
    if let Some(inside) = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return literal(&inside.replace("''", "'"));
    }
    match text.to_ascii_lowercase().as_str() {
        "true" => Default::Literal("1".to_owned()),
        "false" => Default::Literal("0".to_owned()),
        word if word.contains('(') || word.starts_with("current_") || word.starts_with("next") => {
            Default::Calculated
        }
        _ => literal(text),
    }
}

/// Returns a literal in one form: numbers by value.
fn literal(text: &str) -> Default {
    let number = super::convert::read_text(text, &Logical::Decimal { precision: 38, scale: 0 });
    Default::Literal(match number {
        Some(Cell::Number(number)) => {
            let mut text = String::new();
            number.push_text(&mut text);
            text
        }
        _ => text.to_owned(),
    })
}

/// Compares keys and references by our names of their columns.
fn keys(
    source: &SideSchema<'_>,
    target: &SideSchema<'_>,
    theirs: &Structure,
    key: &[String],
    outcome: &mut SchemaOutcome,
) {
    let ours = |side: &SideSchema<'_>, columns: &[String]| -> Option<BTreeSet<String>> {
        let name = |column: &String| {
            side.schema.fields.iter().find(|f| f.source_name == *column).map(|f| f.name.clone())
        };
        columns.iter().map(name).collect()
    };
    let unique: Vec<BTreeSet<String>> = std::iter::once(&theirs.primary_key)
        .chain(&theirs.unique_keys)
        .filter(|columns| !columns.is_empty())
        .filter_map(|columns| ours(target, columns))
        .collect();
    let joined =
        |columns: &BTreeSet<String>| columns.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let mut wanted: BTreeMap<BTreeSet<String>, &str> = BTreeMap::new();
    if let Some(own) = source.structure {
        for columns in own.unique_keys.iter().chain(std::iter::once(&own.primary_key)) {
            if let Some(columns) = ours(source, columns).filter(|columns| !columns.is_empty()) {
                let is_primary = ours(source, &own.primary_key).as_ref() == Some(&columns);
                wanted.insert(columns, if is_primary { "primary key" } else { "unique" });
            }
        }
    }
    let key: BTreeSet<String> = key.iter().cloned().collect();
    if key.iter().all(|name| target.schema.get(name).is_some()) {
        wanted.entry(key).or_insert("key of the dataset");
    }
    for (columns, what) in &wanted {
        outcome.compared += 1;
        if !unique.contains(columns) {
            let none = Some("no unique key".to_owned());
            outcome.add("key", &joined(columns), Some((*what).to_owned()), none);
        }
    }
    let references: Vec<BTreeSet<String>> =
        theirs.foreign_keys.iter().filter_map(|key| ours(target, &key.columns)).collect();
    for foreign in source.structure.iter().flat_map(|own| &own.foreign_keys) {
        let Some(columns) = ours(source, &foreign.columns) else { continue };
        outcome.compared += 1;
        if !references.contains(&columns) {
            let says = Some(format!("refers to {}", foreign.table));
            outcome.add("foreign key", &joined(&columns), says, Some("no foreign key".to_owned()));
        }
    }
}

/// A sequence whose next number is in its column already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    /// Our name of the column.
    pub column: String,
    /// The sequence.
    pub sequence: String,
    /// The greatest number of the column.
    pub greatest: String,
    /// The number that the next row would get.
    pub next: String,
}

/// Returns how many sequences number the rows of a side, and those whose next number is not above the greatest of
/// their column. `greatest` gives the greatest whole number of a column.
///
/// # Errors
/// Those of `greatest`.
pub fn sequences_behind(
    schema: &Schema,
    structure: &Structure,
    greatest: &dyn Fn(&str) -> Result<Option<i128>, RuleError>,
) -> Result<(u64, Vec<Behind>), RuleError> {
    let (mut looked_at, mut behind) = (0, Vec::new());
    for field in &schema.fields {
        let sequence = structure.column(&field.source_name).and_then(|column| column.sequence.as_ref());
        let Some(sequence) = sequence else { continue };
        looked_at += 1;
        if let Some(greatest) =
            greatest(&field.name)?.filter(|greatest| *greatest >= i128::from(sequence.next))
        {
            behind.push(Behind {
                column: field.name.clone(),
                sequence: sequence.name.clone(),
                greatest: greatest.to_string(),
                next: sequence.next.to_string(),
            });
        }
    }
    Ok((looked_at, behind))
}

/// Returns the greatest whole number of a column of a frame; nothing where it has none.
///
/// # Errors
/// Where the column is not of its type.
pub fn greatest_whole(frame: &Frame, column: &str) -> Result<Option<i128>, RuleError> {
    let Some((_, series)) = frame.column(column) else { return Ok(None) };
    let values = Values::new(series.as_materialized_series())?;
    let whole = |row| match values.cell(row) {
        Cell::Number(number) => number.exact().filter(|(_, scale)| *scale == 0).map(|(digits, _)| digits),
        _ => None,
    };
    Ok((0..frame.height()).filter_map(whole).max())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(default: Option<&str>) -> ColumnStructure {
        ColumnStructure {
            default: default.map(str::to_owned),
            default_is_known: true,
            ..ColumnStructure::default()
        }
    }

    #[test]
    fn defaults_are_the_same_however_they_are_written() {
        for (a, b) in [
            (Some("((0))"), Some("0")),
            (Some("('x')"), Some("'x'::character varying")),
            (Some("(N'it''s')"), Some("'it''s'::text")),
            (Some("0.00"), Some("'0'::numeric(5,2)")),
            (None, Some("NULL")),
            (Some("NULL::character varying"), None),
            (Some("((1))"), Some("true")),
            (Some("(getdate())"), Some("CURRENT_TIMESTAMP")),
            (Some("current_timestamp()"), Some("now()")),
        ] {
            assert_eq!(default(&column(a)), default(&column(b)), "{a:?} and {b:?}");
        }
        for (a, b) in
            [(Some("0"), None), (Some("0"), Some("1")), (Some("'a'"), Some("'A'")), (Some("now()"), None)]
        {
            assert_ne!(default(&column(a)), default(&column(b)), "{a:?} and {b:?}");
        }
    }

    #[test]
    fn pairs_are_read_and_allow_types_by_any_name() {
        let field = |source_type: &str, logical: &str| Field {
            source_type: source_type.to_owned(),
            ..Field::new("c", logical.parse().unwrap())
        };
        let (tiny, flag) = (field("tinyint(1)", "i64"), field("boolean", "bool"));
        for text in ["tinyint -> boolean", "TINYINT(1)->bool", "i64 -> boolean"] {
            assert!(TypePair::parse(text).unwrap().allows(&tiny, &flag), "{text}");
        }
        assert!(!TypePair::parse("boolean -> tinyint").unwrap().allows(&tiny, &flag));
        assert!(TypePair::parse("varchar").is_none() && TypePair::parse("-> text").is_none());
    }

    #[test]
    fn what_holds_less_is_narrower() {
        let of = |numbers| Holds { numbers, ..Holds::default() };
        let whole = |bits: u32| of(Some(Numbers::whole(-(1_i128 << (bits - 1)), (1_i128 << (bits - 1)) - 1)));
        let text = |length, unit| Holds { length: Some((length, unit)), ..Holds::default() };
        for (source, target, narrower) in [
            (whole(64), whole(32), true),
            (whole(32), whole(64), false),
            (of(Numbers::decimal(9, 2)), of(Numbers::decimal(9, 2)), false),
            (of(Numbers::decimal(9, 2)), of(Numbers::decimal(9, 4)), true),
            (of(Numbers::decimal(9, 2)), of(Numbers::decimal(11, 4)), false),
            (of(Numbers::decimal(9, 2)), of(Numbers::decimal(9, 1)), true),
            (whole(32), of(Some(Numbers::whole(0, u32::MAX.into()))), true),
            (of(Some(Numbers::F64)), of(Some(Numbers::F32)), true),
            (text(10, Unit::Characters), text(9, Unit::Bytes), true),
            (text(10, Unit::Bytes), text(10, Unit::Characters), false),
            (text(10, Unit::Characters), Holds::default(), false),
            (Holds::default(), text(10, Unit::Characters), true),
        ] {
            assert_eq!(is_narrower(&source, &target), narrower, "{source:?} {target:?}");
        }
    }
}
