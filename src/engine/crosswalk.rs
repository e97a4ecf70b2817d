//! Crosswalks: ids that the target gave anew take the places of the source's.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use polars::prelude::{BooleanChunked, IdxCa, IdxSize, NewChunkedArray, PlSmallStr, PolarsResult, Series};

use crate::config::{Crosswalk, Dataset, Plan};
use crate::frame::{Frame, Keys};
use crate::model::{Dimension, Field, Logical, Schema, Severity, Side};
use crate::reconcile::RuleFields;

use super::bound::BoundDataset;
use super::draft::Draft;
use super::expected::{Expected, RowState, Working};
use super::findings::Cells;
use super::judge::Judged;
use super::prepare::Loaded;

/// What a crosswalk left without an id, by the rows' indexes among all rows of the source in scope, ascending.
#[derive(Debug, Default)]
pub struct Untranslated {
    /// Rows whose id has no new one.
    unmapped: Vec<usize>,
    /// Rows whose id has several.
    ambiguous: Vec<usize>,
    /// Rows that have an id, by their indexes, ascending.
    values: Vec<usize>,
}

impl Untranslated {
    /// Returns the rows whose id has several new ones, ascending.
    pub fn ambiguous(&self) -> impl Iterator<Item = usize> {
        self.ambiguous.iter().copied()
    }

    /// Returns true for a row that has an id, and nobody knows which new one.
    pub fn holds(&self, row: usize) -> bool {
        [&self.unmapped, &self.ambiguous].iter().any(|rows| rows.binary_search(&row).is_ok())
    }
}

/// The columns of the datasets that hold ids, as they are after cleansing, by the datasets' names.
pub type Holders = BTreeMap<String, Schema>;

/// Returns the columns of every dataset that holds ids; `schema` gives those that a dataset's side has, where it is known.
pub fn holders<'s>(
    plan: &Plan,
    schema: &dyn Fn(&str, Side) -> Option<&'s Schema>,
    as_of: DateTime<Utc>,
) -> Holders {
    let named = |name: &str| {
        let mut all = plan.datasets.iter().flat_map(|dataset| &dataset.crosswalks);
        all.any(|crosswalk| crosswalk.value.through.value == name)
    };
    let columns = |dataset: &Dataset| {
        let name = dataset.name.value.as_str();
        match (&dataset.source, schema(name, Side::Source)) {
            (Some(_), raw) => Some(BoundDataset::cleansed(dataset, raw?, plan, as_of)),
            (None, _) => schema(name, Side::Target).cloned(),
        }
    };
    let holders = plan.datasets.iter().filter(|dataset| named(&dataset.name.value));
    holders.filter_map(|dataset| Some((dataset.name.value.clone(), columns(dataset)?))).collect()
}

/// Says of a dataset that one of those which hold its ids could not be read, where that is so.
pub fn unread(dataset: &Dataset, holders: &Holders) -> Option<String> {
    let mut through = dataset.crosswalks.iter().map(|crosswalk| &crosswalk.value.through.value);
    through.find(|name| !holders.contains_key(*name)).map(|name| not_read(name))
}

fn not_read(holder: &str) -> String {
    format!("its crosswalk `{holder}` could not be read")
}

/// Returns a dataset's columns with the types of the new ids.
pub fn schema(dataset: &Dataset, schema: &Schema, holders: &Holders) -> Schema {
    let mut schema = schema.clone();
    for crosswalk in &dataset.crosswalks {
        let Crosswalk { column, through, to, .. } = &crosswalk.value;
        let to = holders.get(&through.value).and_then(|holder| holder.get(&to.value));
        if let (Some(to), Some(at)) = (to, schema.position(&column.value))
            && let Some(field) = schema.fields.get_mut(at)
        {
            *field = translated(field, to);
        }
    }
    schema
}

/// Returns a column as it is with the new ids.
fn translated(field: &Field, to: &Field) -> Field {
    let logical =
        if to.logical == Logical::Uuid || !to.logical.is_text() { to.logical.clone() } else { Logical::TEXT };
    Field { logical, inferred: false, format: None, timezone: to.timezone.clone(), ..field.clone() }
}

/// The new ids of every dataset that has crosswalks, one for each of these; or why they could not be read.
pub type NewIds = BTreeMap<String, Result<Vec<Ids>, String>>;

/// Takes the new ids from the datasets that hold them, as these are before references in them are rewritten and rows held back
/// along them: an id is known by its old name as long as anybody may have it. `failed` are the datasets without expected.
pub fn new_ids(
    plan: &Plan,
    working: &BTreeMap<String, Working>,
    failed: &dyn Fn(&str) -> bool,
    loaded: &BTreeMap<String, Loaded>,
) -> NewIds {
    let table = |crosswalk: &Crosswalk| {
        let holder = &crosswalk.through.value;
        let rows = match working.get(holder) {
            Some(holder) => holder.all.filter(&holder.kept()),
            None => {
                let side = loaded.get(holder).and_then(|loaded| loaded.target.as_ref());
                let side = side.filter(|_| !failed(holder)).ok_or_else(|| not_read(holder))?;
                Ok(side.frame.clone())
            }
        };
        rows.and_then(|rows| Table::new(&rows, crosswalk)).map_err(|error| error.to_string())
    };
    // Many datasets have their ids from one table.
    let mut tables: BTreeMap<[&str; 3], Result<Arc<Table>, String>> = BTreeMap::new();
    let mut new = NewIds::new();
    for dataset in plan.datasets.iter().filter(|dataset| !dataset.crosswalks.is_empty()) {
        let ids = dataset.crosswalks.iter().map(|crosswalk| {
            let Crosswalk { column, through, from, to, .. } = &crosswalk.value;
            let name = [through, from, to].map(|name| name.value.as_str());
            let made = tables.entry(name).or_insert_with(|| table(&crosswalk.value).map(Arc::new));
            Ok(Ids { column: column.value.clone(), table: made.clone()? })
        });
        new.insert(dataset.name.value.clone(), ids.collect());
    }
    new
}

/// Replaces the ids of every dataset that has crosswalks.
///
/// A dataset whose ids cannot be replaced, because those that hold them could not be read, is an error of its own.
pub fn apply(working: &mut BTreeMap<String, Result<Working, String>>, plan: &Plan, new: &NewIds) {
    for dataset in &plan.datasets {
        let (Some(of), Some(ids)) = (working.get_mut(&dataset.name.value), new.get(&dataset.name.value))
        else {
            continue;
        };
        let done = match (of.as_mut(), ids) {
            (Ok(of), Ok(ids)) => replace_all(of, ids, dataset).map_err(|error| error.to_string()),
            (Ok(_), Err(message)) => Err(message.clone()),
            (Err(_), _) => continue,
        };
        if let Err(message) = done {
            *of = Err(message);
        }
    }
}

fn replace_all(working: &mut Working, ids: &[Ids], dataset: &Dataset) -> PolarsResult<()> {
    let mut ambiguous: Vec<(&Ids, BTreeMap<usize, &[usize]>)> = Vec::new();
    for ids in ids {
        let several = ids.replace(working)?;
        let is_key = |name: &crate::diagnostic::Spanned<String>| name.value == ids.column;
        if !several.is_empty() && (dataset.key.is_empty() || dataset.key.iter().any(is_key)) {
            ambiguous.push((ids, several));
        }
    }
    working.possible = possible(&working.all, &ambiguous)?;
    Ok(())
}

/// Returns the rows whose ids have several new ones in columns by which rows are known, once with each of them.
fn possible(all: &Frame, ambiguous: &[(&Ids, BTreeMap<usize, &[usize]>)]) -> PolarsResult<Frame> {
    let rows: BTreeSet<usize> = ambiguous.iter().flat_map(|(_, several)| several.keys().copied()).collect();
    if rows.is_empty() {
        return Ok(Frame::default());
    }
    // Each with what stands in the columns instead of nothing: a row of those that hold the ids.
    let mut each: Vec<(usize, Vec<Option<usize>>)> = rows.into_iter().map(|row| (row, Vec::new())).collect();
    for (_, several) in ambiguous {
        let with = |(row, before): (usize, Vec<Option<usize>>)| {
            let places: Vec<Option<usize>> = match several.get(&row) {
                Some(places) => places.iter().copied().map(Some).collect(),
                None => vec![None],
            };
            places.into_iter().map(move |place| {
                (row, before.iter().copied().chain(std::iter::once(place)).collect::<Vec<Option<usize>>>())
            })
        };
        each = each.into_iter().flat_map(with).collect();
    }
    let names: Vec<&str> = all.schema.names().collect();
    let rows: Vec<u32> = each.iter().filter_map(|(row, _)| u32::try_from(*row).ok()).collect();
    let mut frame = all.take(&rows, &names)?;
    for (at, (ids, _)) in ambiguous.iter().enumerate() {
        let places: Vec<Option<usize>> =
            each.iter().map(|(_, places)| places.get(at).copied().flatten()).collect();
        let Some((field, column)) = frame.column(&ids.column) else { continue };
        let field = field.clone();
        let given: Vec<bool> = places.iter().map(Option::is_some).collect();
        let given = BooleanChunked::from_slice(PlSmallStr::EMPTY, &given);
        let filled = ids.at(&places)?.zip_with(&given, column.as_materialized_series())?;
        frame.replace(field, filled.into())?;
    }
    Ok(frame)
}

/// Returns a dataset's rows with the new ids of those columns that are named.
///
/// # Errors
/// A sentence, where the ids could not be read or replaced.
pub fn with_new_ids(frame: &Frame, ids: &Result<Vec<Ids>, String>, named: &[&str]) -> Result<Frame, String> {
    let mut frame = frame.clone();
    for ids in ids.as_ref().map_err(Clone::clone)?.iter().filter(|ids| named.contains(&ids.column.as_str())) {
        ids.replace_in(&mut frame, &mut Untranslated::default()).map_err(|error| error.to_string())?;
    }
    Ok(frame)
}

/// New ids by the old ones.
pub struct Ids {
    /// The column whose ids they are.
    column: String,
    table: Arc<Table>,
}

/// The new ids of one dataset that holds such.
struct Table {
    /// For each old id, by its canonical text, the row that has the new one; nothing where rows have different ones.
    rows: HashMap<String, Option<usize>>,
    /// The rows of different ones, one for each, by the old id.
    several: HashMap<String, Vec<usize>>,
    to: (Field, Series),
}

impl Table {
    fn new(holder: &Frame, crosswalk: &Crosswalk) -> PolarsResult<Table> {
        let from = Keys::new(holder, &[&crosswalk.from.value])?;
        let to = Keys::new(holder, &[&crosswalk.to.value])?;
        let mut rows: HashMap<String, Option<usize>> = HashMap::new();
        let mut several: HashMap<String, Vec<usize>> = HashMap::new();
        for row in 0..holder.height() {
            let (Some(old), true) = (from.text(row), to.is_present(row)) else { continue };
            let Some(place) = rows.get_mut(old.as_ref()) else {
                rows.insert(old.into_owned(), Some(row));
                continue;
            };
            if place.is_some_and(|first| to.text(first) == to.text(row)) {
                continue;
            }
            let known = several.entry(old.into_owned()).or_insert_with(|| place.take().into_iter().collect());
            if known.iter().all(|other| to.text(*other) != to.text(row)) {
                known.push(row);
            }
        }
        let take = holder.take(&[], &[crosswalk.to.value.as_str()])?;
        let field = take.schema.fields.first().cloned();
        let series =
            holder.column(&crosswalk.to.value).map(|(_, column)| column.as_materialized_series().clone());
        let missing = || polars::prelude::PolarsError::ColumnNotFound(crosswalk.to.value.clone().into());
        let to = (field.ok_or_else(missing)?, series.ok_or_else(missing)?);
        Ok(Table { rows, several, to })
    }
}

impl Ids {
    /// Replaces the ids of a dataset's rows, also of those that stand for former references; returns the rows whose ids have
    /// several new ones, with the rows of the holder that have these.
    fn replace(&self, working: &mut Working) -> PolarsResult<BTreeMap<usize, &[usize]>> {
        let mut left = Untranslated::default();
        let several = self.replace_in(&mut working.all, &mut left)?;
        if let Some(former) = &mut working.former {
            self.replace_in(former, &mut Untranslated::default())?;
        }
        working.untranslated.insert(self.column.clone(), left);
        Ok(several)
    }

    /// Returns the new ids in these rows of the holder.
    fn at(&self, places: &[Option<usize>]) -> PolarsResult<Series> {
        let index = |place: &Option<usize>| place.and_then(|place| IdxSize::try_from(place).ok());
        let from: Vec<Option<IdxSize>> = places.iter().map(index).collect();
        let from = IdxCa::from_slice_options(PlSmallStr::EMPTY, &from);
        Ok(self.table.to.1.take(&from)?.with_name(self.column.as_str().into()))
    }

    fn replace_in(
        &self,
        frame: &mut Frame,
        left: &mut Untranslated,
    ) -> PolarsResult<BTreeMap<usize, &[usize]>> {
        let old = Keys::new(frame, &[&self.column])?;
        let mut from: Vec<Option<usize>> = Vec::with_capacity(old.len());
        let mut several = BTreeMap::new();
        for row in 0..old.len() {
            let Some(id) = old.text(row) else {
                from.push(None);
                continue;
            };
            left.values.push(row);
            let place = self.table.rows.get(id.as_ref());
            match place {
                None => left.unmapped.push(row),
                Some(None) => {
                    left.ambiguous.push(row);
                    let places = self.table.several.get(id.as_ref()).map(Vec::as_slice);
                    several.insert(row, places.unwrap_or_default());
                }
                Some(Some(_)) => {}
            }
            from.push(place.copied().flatten());
        }
        let ids = self.at(&from)?;
        if let Some((field, _)) = frame.column(&self.column) {
            frame.replace(translated(field, &self.table.to.0), ids.into())?;
        }
        Ok(several)
    }
}

/// Returns the rules about ids that could not be replaced in rows of expected.
pub fn rules(
    dataset: &Dataset,
    working: Option<&Working>,
    expected: Option<&Expected>,
    cells: &Cells<'_>,
    may_be_empty: bool,
) -> Vec<Judged> {
    let (Some(working), Some(expected)) = (working, expected) else { return Vec::new() };
    let rule = |crosswalk: &Crosswalk| {
        let left = working.untranslated.get(&crosswalk.column.value)?;
        let kept = |row: &&usize| working.states.get(**row) == Some(&RowState::Kept);
        let texts = cells.column(&crosswalk.column.value);
        let found = [("unmapped", &left.unmapped), ("ambiguous", &left.ambiguous)];
        let found = found.into_iter().flat_map(|(class, rows)| {
            let texts = &texts;
            rows.iter().filter_map(move |row| {
                let index = expected.origin.binary_search(row).ok()?;
                let mut finding = cells.row(Side::Expected, index, Some(class.to_owned()));
                texts.fill(&mut finding, index);
                Some(finding)
            })
        });
        let evaluated = left.values.iter().filter(kept).count() as u64;
        let fields = RuleFields { severity: crosswalk.severity, max_failures: crosswalk.max_failures };
        let draft = Draft {
            id: crosswalk.id(),
            says: format!(
                "Every id of `{}` has one new id in `{}`.",
                crosswalk.column.value, crosswalk.through.value
            ),
            columns: vec![crosswalk.column.value.clone()],
            dimension: Dimension::Validity,
            sides: vec![(Side::Expected, evaluated, found.collect())],
            fields: Some(&fields),
            may_be_empty: may_be_empty || evaluated == 0,
            kind: "crosswalk",
            severity: Severity::Error,
        };
        Some(draft.finish())
    };
    dataset.crosswalks.iter().filter_map(|crosswalk| rule(&crosswalk.value)).collect()
}

#[cfg(test)]
mod tests {
    use polars::prelude::DataFrame;
    use proptest::prelude::*;

    use super::*;
    use crate::diagnostic::{SourceFile, Span, Spanned};
    use crate::frame::{Value, series_of};

    fn frame(columns: &[(&str, &Logical, Vec<Option<Value>>)]) -> Frame {
        let fields = columns.iter().map(|(name, logical, _)| Field::new(*name, (*logical).clone())).collect();
        let made = columns.iter().map(|(name, logical, values)| series_of(name, logical, values).into());
        let rows = columns.first().map_or(0, |(_, _, values)| values.len());
        Frame::new(Schema { fields }, DataFrame::new(rows, made.collect()).unwrap())
    }

    proptest! {
        /// The new id of each row is looked for among all pairs.
        #[test]
        fn ids_are_replaced_as_by_looking_at_every_pair(
            pairs in proptest::collection::vec((proptest::option::of(0..6_i64), proptest::option::of("[a-c]")), 0..12),
            ids in proptest::collection::vec(proptest::option::of(0..8_i64), 0..12),
        ) {
            let texts = pairs.iter().map(|(_, new)| new.clone().map(Value::Text)).collect();
            let decimal = Logical::Decimal { precision: 9, scale: 2 };
            let old = pairs.iter().map(|(old, _)| old.map(|old| Value::Decimal(i128::from(old) * 100))).collect();
            let holder = frame(&[("old", &decimal, old), ("new", &Logical::TEXT, texts)]);
            let own = ids.iter().map(|id| id.map(Value::I64)).collect();
            let mut rows = frame(&[("id", &Logical::I64, own)]);
            let span = Span { file: SourceFile::new("t.yml", "").into(), range: 0..0 };
            let word = |text: &str| Spanned { value: text.to_owned(), span: span.clone() };
            let crosswalk = Crosswalk {
                column: word("id"),
                through: word("ids"),
                from: word("old"),
                to: word("new"),
                severity: None,
                max_failures: None,
            };
            let mut left = Untranslated::default();
            let table = Arc::new(Table::new(&holder, &crosswalk).unwrap());
            Ids { column: "id".to_owned(), table }.replace_in(&mut rows, &mut left).unwrap();

            let (mut plain, mut unmapped, mut ambiguous, mut values) = (vec![], vec![], vec![], vec![]);
            for (row, id) in ids.iter().enumerate() {
                let mut new: Vec<&String> = pairs
                    .iter()
                    .filter(|(old, _)| id.is_some() && old == id)
                    .filter_map(|(_, new)| new.as_ref())
                    .collect();
                new.sort();
                new.dedup();
                if id.is_some() {
                    values.push(row);
                    match new.len() {
                        0 => unmapped.push(row),
                        1 => {}
                        _ => ambiguous.push(row),
                    }
                }
                plain.push(if new.len() == 1 { Some(new[0].clone()) } else { None });
            }
            let texts = rows.texts("id").unwrap();
            prop_assert_eq!((0..ids.len()).map(|row| texts.owned(row)).collect::<Vec<_>>(), plain);
            prop_assert_eq!((left.unmapped, left.ambiguous, left.values), (unmapped, ambiguous, values));
            prop_assert_eq!(&rows.schema.get("id").unwrap().logical, &Logical::TEXT);
        }
    }
}
