//! Crosswalks: ids that the target gave anew take the places of the source's.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use polars::prelude::{IdxCa, IdxSize, NewChunkedArray, PlSmallStr, PolarsResult};

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

/// Replaces the ids of every dataset that has crosswalks.
///
/// A dataset whose ids cannot be replaced, because those that hold them could not be read, is an error of its own.
pub fn apply(
    working: &mut BTreeMap<String, Result<Working, String>>,
    plan: &Plan,
    loaded: &BTreeMap<String, Loaded>,
) {
    let translating: Vec<&Dataset> =
        plan.datasets.iter().filter(|dataset| !dataset.crosswalks.is_empty()).collect();
    for dataset in translating {
        let name = &dataset.name.value;
        let Some(Ok(mut of)) = working.remove(name) else { continue };
        let done = dataset.crosswalks.iter().try_for_each(|crosswalk| {
            let crosswalk = &crosswalk.value;
            let holder = &crosswalk.through.value;
            let unread = || not_read(holder);
            let rows = match working.get(holder) {
                Some(Ok(holder)) => holder.all.filter(&holder.kept()),
                Some(Err(_)) => return Err(unread()),
                None => {
                    let side = loaded.get(holder).and_then(|loaded| loaded.target.as_ref());
                    Ok(side.ok_or_else(unread)?.frame.clone())
                }
            };
            rows.and_then(|rows| Ids::new(&rows, crosswalk)?.replace(&mut of, crosswalk))
                .map_err(|error| error.to_string())
        });
        working.insert(name.clone(), done.map(|()| of));
    }
}

/// New ids by the old ones.
struct Ids {
    /// For each old id, by its canonical text, the row that has the new one; nothing where rows have different ones.
    rows: HashMap<String, Option<usize>>,
    to: (Field, polars::prelude::Series),
}

impl Ids {
    fn new(holder: &Frame, crosswalk: &Crosswalk) -> PolarsResult<Ids> {
        let from = Keys::new(holder, &[&crosswalk.from.value])?;
        let to = Keys::new(holder, &[&crosswalk.to.value])?;
        let mut rows: HashMap<String, Option<usize>> = HashMap::new();
        for row in 0..holder.height() {
            let (Some(old), true) = (from.text(row), to.is_present(row)) else { continue };
            match rows.get_mut(old.as_ref()) {
                None => {
                    rows.insert(old.into_owned(), Some(row));
                }
                Some(first) => {
                    if first.is_some_and(|first| to.text(first) != to.text(row)) {
                        *first = None;
                    }
                }
            }
        }
        let take = holder.take(&[], &[crosswalk.to.value.as_str()])?;
        let field = take.schema.fields.first().cloned();
        let series =
            holder.column(&crosswalk.to.value).map(|(_, column)| column.as_materialized_series().clone());
        let missing = || polars::prelude::PolarsError::ColumnNotFound(crosswalk.to.value.clone().into());
        Ok(Ids { rows, to: (field.ok_or_else(missing)?, series.ok_or_else(missing)?) })
    }

    /// Replaces the ids of a dataset's rows, also of those that stand for former references.
    fn replace(&self, working: &mut Working, crosswalk: &Crosswalk) -> PolarsResult<()> {
        let column = &crosswalk.column.value;
        let mut left = Untranslated::default();
        self.replace_in(&mut working.all, column, &mut left)?;
        if let Some(former) = &mut working.former {
            self.replace_in(former, column, &mut Untranslated::default())?;
        }
        working.untranslated.insert(column.clone(), left);
        Ok(())
    }

    fn replace_in(&self, frame: &mut Frame, column: &str, left: &mut Untranslated) -> PolarsResult<()> {
        let old = Keys::new(frame, &[column])?;
        let mut from: Vec<Option<IdxSize>> = Vec::with_capacity(old.len());
        for row in 0..old.len() {
            let Some(id) = old.text(row) else {
                from.push(None);
                continue;
            };
            left.values.push(row);
            let place = self.rows.get(id.as_ref());
            match place {
                None => left.unmapped.push(row),
                Some(None) => left.ambiguous.push(row),
                Some(Some(_)) => {}
            }
            from.push(place.copied().flatten().and_then(|place| IdxSize::try_from(place).ok()));
        }
        let from = IdxCa::from_slice_options(PlSmallStr::EMPTY, &from);
        let ids = self.to.1.take(&from)?.with_name(column.into());
        let Some((field, _)) = frame.column(column) else { return Ok(()) };
        frame.replace(translated(field, &self.to.0), ids.into())
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
            Ids::new(&holder, &crosswalk).unwrap().replace_in(&mut rows, "id", &mut left).unwrap();

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
