//! What would make the target equal expected: written, never applied.

use std::collections::BTreeSet;

use polars::prelude::{DataType, IdxCa, IdxSize, NewChunkedArray, PlSmallStr, PolarsError, Series};
use rayon::prelude::*;

use crate::frame::{Frame, Texts, Value, polars_type, series_of};
use crate::model::{Field, Logical};

use super::ties::Fitted;
use super::{KeyTexts, Made, Ties, frame_of, in_their_name};

/// One row to insert, update or delete. Indexes are from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repair {
    /// The expected row is missing in the target.
    Insert {
        /// The row of expected.
        expected: usize,
    },
    /// Cells of the target's row differ from the expected ones.
    Update {
        /// The row of expected.
        expected: usize,
        /// The row of the target.
        target: usize,
        /// Our names of the columns that differ.
        columns: BTreeSet<String>,
    },
    /// The target's row is not expected.
    Delete {
        /// The row of the target.
        target: usize,
        /// Why: `unexpected`, or `merged` where its source row was merged into another.
        reason: &'static str,
    },
}

impl Repair {
    /// Returns the word for what is to be done: `insert`, `update` or `delete`.
    pub fn action(&self) -> &'static str {
        match self {
            Repair::Insert { .. } => "insert",
            Repair::Update { .. } => "update",
            Repair::Delete { .. } => "delete",
        }
    }
}

/// Makes the table of repairs: action, reason, columns (the differing ones, in the target's names, joined by
/// `,`), key, then every column of the target with the values the row should have; sorted by key, then action.
///
/// An update keeps the target's value wherever the two do not differ. A delete shows the row as it is. A value
/// that does not fit the target's type makes its column text, in which that value alone has expected's form, and a
/// note says so; a time that the clocks of its zone showed twice or never has the zone's name behind. A target
/// column called like one of the first four gets `target_` before its name.
///
/// # Errors
/// Where polars refuses the columns.
pub fn repairs(
    repairs: &[Repair],
    expected: &Frame,
    target: &Frame,
    (expected_keys, target_keys): (&KeyTexts, &KeyTexts),
    ties: &Ties,
) -> Result<Made, PolarsError> {
    let mut lines: Vec<(String, &'static str, &Repair)> = repairs
        .iter()
        .map(|repair| match repair {
            Repair::Insert { expected } => (expected_keys.get(*expected), repair.action(), repair),
            Repair::Update { target, .. } | Repair::Delete { target, .. } => {
                (target_keys.get(*target), repair.action(), repair)
            }
        })
        .collect();
    lines.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.cmp(b.1)).then_with(|| place(a.2).cmp(&place(b.2))));
    let text = |name: &str, of: &dyn Fn(&(String, &'static str, &Repair)) -> Option<String>| {
        let values: Vec<Option<Value>> = lines.iter().map(|line| of(line).map(Value::Text)).collect();
        (Field::new(name, Logical::TEXT), series_of(name, &Logical::TEXT, &values))
    };
    let their_name = |name: &String| target.schema.get(name).map_or(name.clone(), |f| f.source_name.clone());
    let mut columns = vec![
        text("action", &|(_, action, _)| Some((*action).to_owned())),
        text("reason", &|(_, _, repair)| {
            Some(match repair {
                Repair::Insert { .. } => "missing".to_owned(),
                Repair::Update { .. } => "mismatched".to_owned(),
                Repair::Delete { reason, .. } => (*reason).to_owned(),
            })
        }),
        text("columns", &|(_, _, repair)| match repair {
            Repair::Update { columns, .. } => {
                Some(columns.iter().map(their_name).collect::<Vec<_>>().join(","))
            }
            _ => None,
        }),
        text("key", &|(key, _, _)| Some(key.clone())),
    ];
    let made: Vec<(Field, Series, Option<String>)> = target
        .schema
        .fields
        .par_iter()
        .zip(target.df.columns())
        .map(|(field, column)| {
            let wanted = Wanted::new(field, expected, target, ties);
            column_of(field, column.as_materialized_series(), wanted.as_ref(), &lines)
        })
        .collect::<Result<_, PolarsError>>()?;
    let mut notes = Vec::new();
    for (field, series, note) in made {
        columns.push((field, series));
        notes.extend(note);
    }
    Ok(Made { frame: frame_of(columns, lines.len())?, notes })
}

/// A column of expected, in the target's form.
struct Wanted<'a> {
    own: &'a Field,
    series: &'a Series,
    fitted: Fitted,
}

impl<'a> Wanted<'a> {
    fn new(field: &Field, expected: &'a Frame, target: &Frame, ties: &Ties) -> Option<Wanted<'a>> {
        let (own, column) = expected.column(&field.name)?;
        let series = column.as_materialized_series();
        Some(Wanted { own, series, fitted: ties.fit(own, series, field, target) })
    }

    fn is_lost(&self, row: usize) -> bool {
        self.fitted.converted.lost.binary_search(&row).is_ok()
    }
}

/// Where a value of a repair stands.
#[derive(Clone, Copy)]
enum From {
    Expected(usize),
    Target(usize),
    /// Expected has no such column.
    Nowhere,
}

/// Makes a column of the target with the values its rows should have, and a note where not all are of its type.
fn column_of(
    field: &Field,
    own: &Series,
    wanted: Option<&Wanted<'_>>,
    lines: &[(String, &'static str, &Repair)],
) -> Result<(Field, Series, Option<String>), PolarsError> {
    let from: Vec<From> = lines
        .iter()
        .map(|(_, _, repair)| match repair {
            Repair::Insert { expected } => wanted.map_or(From::Nowhere, |_| From::Expected(*expected)),
            Repair::Update { expected, columns, .. } if columns.contains(&field.name) => {
                wanted.map_or(From::Nowhere, |_| From::Expected(*expected))
            }
            Repair::Update { target, .. } | Repair::Delete { target, .. } => From::Target(*target),
        })
        .collect();
    let is_lost = |from: &&From| match (from, wanted) {
        (From::Expected(row), Some(wanted)) => wanted.is_lost(*row),
        _ => false,
    };
    let lost = from.iter().filter(is_lost).count();
    let logical = field.logical.clone();
    let mut field = in_their_name(field);
    if ["action", "reason", "columns", "key"].contains(&field.name.as_str()) {
        field.name = format!("target_{}", field.name);
    }
    if lost == 0 {
        let wanted = wanted.map(|wanted| &wanted.fitted.converted.series);
        let series = gathered(&polars_type(&logical), own, wanted, &from)?;
        return Ok((field, series, None));
    }
    let note = format!(
        "Repairs column `{}` is text: {lost} of its values {} not fit {}{}.",
        field.name,
        if lost == 1 { "does" } else { "do" },
        field.logical,
        wanted.map(|wanted| wanted.fitted.reason()).unwrap_or_default()
    );
    field.logical = Logical::TEXT;
    let series = as_texts(&field.name, (own, &logical), wanted, &from);
    Ok((field, series, Some(note)))
}

/// Puts together values of the target and, in its type, of expected.
fn gathered(
    dtype: &DataType,
    own: &Series,
    wanted: Option<&Series>,
    from: &[From],
) -> Result<Series, PolarsError> {
    // A column without values may be of no type.
    let typed =
        |series: &Series| if series.dtype() == dtype { Ok(series.clone()) } else { series.cast(dtype) };
    let mut all = typed(own)?;
    if let Some(wanted) = wanted {
        all.append(&typed(wanted)?.with_name(own.name().clone()))?;
    }
    let places = from.iter().map(|from| {
        let place = match from {
            From::Expected(row) => own.len() + row,
            From::Target(row) => *row,
            From::Nowhere => return None,
        };
        IdxSize::try_from(place).ok()
    });
    all.take(&IdxCa::from_iter_options(PlSmallStr::EMPTY, places))
}

/// Puts together values as texts: those that are lost in the target's type have expected's form.
fn as_texts(
    name: &str,
    (own, logical): (&Series, &Logical),
    wanted: Option<&Wanted<'_>>,
    from: &[From],
) -> Series {
    let own = Texts::new(own, logical);
    let texts = wanted.map(|wanted| {
        (Texts::new(wanted.series, &wanted.own.logical), Texts::new(&wanted.fitted.converted.series, logical))
    });
    let of_expected = |row: usize| {
        let (wanted, (raw, fitted)) = wanted.zip(texts.as_ref())?;
        if !wanted.is_lost(row) {
            return fitted.owned(row);
        }
        let text = raw.owned(row)?;
        Some(match wanted.fitted.zone {
            Some(zone) => format!("{text} {zone}"),
            None => text,
        })
    };
    let values: Vec<Option<Value>> = from
        .iter()
        .map(|from| {
            let text = match from {
                From::Expected(row) => of_expected(*row),
                From::Target(row) => own.owned(*row),
                From::Nowhere => None,
            };
            text.map(Value::Text)
        })
        .collect();
    series_of(name, &Logical::TEXT, &values)
}

fn place(repair: &Repair) -> (usize, usize) {
    match repair {
        Repair::Insert { expected } => (0, *expected),
        Repair::Update { target, .. } | Repair::Delete { target, .. } => (1, *target),
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{Column, DataFrame};

    use super::*;
    use crate::model::Schema;

    fn frame(columns: &[(&str, &str, &[&str])]) -> Frame {
        let fields: Vec<Field> =
            columns.iter().map(|(name, logical, _)| Field::new(*name, logical.parse().unwrap())).collect();
        let made = fields.iter().zip(columns).map(|(field, (_, _, texts))| {
            let values: Vec<Option<Value>> = texts.iter().map(|t| Value::parse(t, &field.logical)).collect();
            Column::from(series_of(&field.name, &field.logical, &values))
        });
        let df = DataFrame::new(columns[0].2.len(), made.collect()).unwrap();
        Frame::new(Schema { fields }, df)
    }

    #[test]
    fn expected_values_take_the_targets_type_where_they_mean_the_same() {
        let expected = frame(&[
            ("k", "text", &["a", "b"]),
            ("n", "decimal(9,2)", &["12.00", "1.50"]),
            ("flag", "bool", &["true", "false"]),
        ]);
        let target = frame(&[("k", "text", &["b"]), ("n", "i64", &["7"]), ("flag", "i64", &["1"])]);
        let update = |columns: &[&str]| Repair::Update {
            expected: 1,
            target: 0,
            columns: columns.iter().map(|c| (*c).to_owned()).collect(),
        };
        let made = |list: &[Repair]| {
            let key = ["k".to_owned()];
            let keys = (&KeyTexts::new(&expected, &key), &KeyTexts::new(&target, &key));
            let table = repairs(list, &expected, &target, keys, &Ties::default()).unwrap().frame;
            let column = |name: &str| {
                let texts = table.texts(name).unwrap();
                (0..table.height()).map(|i| texts.owned(i).unwrap()).collect::<Vec<_>>()
            };
            (column("n"), table.schema.get("n").unwrap().logical.clone(), column("flag"))
        };
        let insert = Repair::Insert { expected: 0 };
        // 1.50 of the other row is no whole number, but not in use.
        let (n, logical, flag) = made(&[insert.clone(), update(&["flag"])]);
        assert_eq!((n, logical), (vec!["12".to_owned(), "7".to_owned()], Logical::I64));
        assert_eq!(flag, ["1", "0"]);
        let (n, logical, _) = made(&[insert, update(&["n"])]);
        assert_eq!((n, logical), (vec!["12".to_owned(), "1.50".to_owned()], Logical::TEXT));
    }
}
