//! Whether every type of a dialect comes out right: samples of it are read back, and compared with what they are.

use std::io::Read;
use std::sync::{Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;

use crate::frame::{Texts, to_series};
use crate::model::{Field, Logical, Schema};
use crate::source::dialect::Sample;
use crate::source::{
    ColumnRules, Part, ReadPlan, ReadRequest, Relation, Selection, Sink, SinkError, TableSelection,
    Unfinished, arrow_schema,
};

/// A type that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The type, as it was asked for.
    pub native: &'static str,
    /// The type as the database has it; nothing where it could not be read.
    pub declared: Option<String>,
    /// The logical type it was read as; nothing where it could not be read.
    pub logical: Option<String>,
    /// How it came out.
    pub verdict: Verdict,
}

/// How the samples of a type came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// All right: so many values, with a NULL.
    Right(usize),
    /// Not right: a sentence for each value. The samples are ours, and may be shown.
    Wrong(Vec<String>),
    /// The server does not know the type: why.
    NotThere(String),
    /// The samples could not be written, or the type is refused: why.
    Untried(String),
}

impl Tried {
    /// Makes one of a type of which nothing could be read.
    pub(in crate::source) fn without(sample: &Sample, verdict: Verdict) -> Self {
        Tried { native: sample.native, declared: None, logical: None, verdict }
    }
}

/// Returns what asks for a temporary table.
pub(in crate::source) fn request_for(table: &str) -> ReadRequest {
    ReadRequest {
        connection: None,
        selection: Selection::Table(TableSelection {
            relation: Relation::Table(table.to_owned()),
            condition: None,
            among: None,
        }),
        columns: ColumnRules::default(),
    }
}

/// Keeps a table in memory: the samples of one type.
#[derive(Debug, Default)]
pub(in crate::source) struct Kept(Mutex<(Schema, Vec<RecordBatch>)>);

impl Kept {
    /// Returns what was kept.
    pub fn into_inner(self) -> (Schema, Vec<RecordBatch>) {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Kept {
    fn unfinished(&self) -> Option<Unfinished> {
        None
    }

    fn start(&self, schema: &Schema, _plan: &ReadPlan) -> Result<(), SinkError> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (schema.clone(), Vec::new());
        Ok(())
    }

    fn resume(&self) -> Result<(), SinkError> {
        Err("nothing was left to go on from".into())
    }

    fn part(&self, _number: usize) -> Result<Box<dyn Part + '_>, SinkError> {
        Ok(Box::new(KeptPart { kept: self, batches: Vec::new() }))
    }

    fn parquet_file(&self, _number: usize, _file: &mut dyn Read) -> Result<(), SinkError> {
        Err("a database gives no files".into())
    }
}

struct KeptPart<'a> {
    kept: &'a Kept,
    batches: Vec<RecordBatch>,
}

impl Part for KeptPart<'_> {
    fn batch(&mut self, batch: RecordBatch) -> Result<(), SinkError> {
        self.batches.push(batch);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), SinkError> {
        let KeptPart { kept, batches } = *self;
        kept.0.lock().unwrap_or_else(PoisonError::into_inner).1.extend(batches);
        Ok(())
    }
}

/// Compares what was read of a sample's table, NULL as number 0 and the values from 1, with what they are.
pub(in crate::source) fn judge(sample: &Sample, schema: &Schema, batches: &[RecordBatch]) -> Tried {
    let verdict = compared(sample, schema, batches).unwrap_or_else(Verdict::Untried);
    let field = schema.fields.get(1);
    Tried {
        native: sample.native,
        declared: field.map(|field| field.source_type.clone()),
        logical: field.map(|field| field.logical.to_string()),
        verdict,
    }
}

fn compared(sample: &Sample, schema: &Schema, batches: &[RecordBatch]) -> Result<Verdict, String> {
    let [id, value] = &schema.fields[..] else {
        return Err(format!("{} columns were read, not two", schema.fields.len()));
    };
    let batch = concat_batches(&arrow_schema(schema), batches).map_err(|error| error.to_string())?;
    let texts = |at: usize, field: &Field| {
        let series = to_series("v", batch.column(at), &field.logical).map_err(|error| error.to_string())?;
        let texts = Texts::new(&series, &field.logical);
        // Padding is kept as it came, and says nothing.
        let padded = matches!(field.logical, Logical::Text { padded: true, .. });
        let whole = |text: String| if padded { text.trim_end_matches(' ').to_owned() } else { text };
        Ok::<_, String>((0..texts.len()).map(|row| texts.owned(row).map(whole)).collect::<Vec<_>>())
    };
    let mut rows: Vec<(Option<usize>, Option<String>)> = texts(0, id)?
        .into_iter()
        .map(|id| id.and_then(|id| id.trim().parse().ok()))
        .zip(texts(1, value)?)
        .collect();
    rows.sort();
    let mut wrong = Vec::new();
    let shown = |text: &Option<String>| text.as_ref().map_or("NULL".to_owned(), |text| format!("`{text}`"));
    let logical = sample.logical.strip_prefix("other:").unwrap_or(sample.logical);
    let is_other = matches!(value.logical, Logical::Other(_));
    if is_other && !sample.logical.starts_with("other:") {
        wrong.push(format!("it was read as text, not as `{logical}`"));
    } else if value.logical.to_string() != logical {
        wrong.push(format!("it was read as `{}`, not `{logical}`", value.logical));
    }
    let expected = std::iter::once(("NULL", None))
        .chain(sample.values.iter().map(|(literal, canonical)| (*literal, Some((*canonical).to_owned()))));
    let count = sample.values.len() + 1;
    if rows.len() != count {
        wrong.push(format!("{} rows came out, not {count}", rows.len()));
    }
    for (number, (literal, canonical)) in expected.enumerate() {
        match rows.iter().find(|(id, _)| *id == Some(number)) {
            Some((_, found)) if *found == canonical => {}
            Some((_, found)) => {
                wrong.push(format!("{literal} came out as {}, not {}", shown(found), shown(&canonical)));
            }
            None => wrong.push(format!("{literal} did not come out")),
        }
    }
    Ok(if wrong.is_empty() { Verdict::Right(count) } else { Verdict::Wrong(wrong) })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringViewArray};

    use super::*;

    const SAMPLE: Sample = Sample { native: "text", logical: "text", values: &[("'a'", "a"), ("''", "")] };

    fn tried(ids: Vec<i64>, values: Vec<Option<&str>>, logical: Logical) -> Verdict {
        let schema = Schema { fields: vec![Field::new("id", Logical::I64), Field::new("v", logical)] };
        let columns: Vec<ArrayRef> =
            vec![Arc::new(Int64Array::from(ids)), Arc::new(StringViewArray::from(values))];
        let batch = RecordBatch::try_new(arrow_schema(&schema), columns).unwrap();
        judge(&SAMPLE, &schema, &[batch]).verdict
    }

    #[test]
    fn what_comes_out_is_compared() {
        // In whatever order.
        let right = tried(vec![2, 0, 1], vec![Some(""), None, Some("a")], Logical::TEXT);
        assert_eq!(right, Verdict::Right(3));
        let Verdict::Wrong(wrong) = tried(vec![0, 1, 2], vec![None, Some("A"), None], Logical::TEXT) else {
            panic!("it is wrong")
        };
        assert_eq!(wrong, ["'a' came out as `A`, not `a`", "'' came out as NULL, not ``"]);
        let Verdict::Wrong(wrong) = tried(vec![0, 1], vec![None, Some("a")], Logical::Json) else {
            panic!("it is wrong")
        };
        assert_eq!(
            wrong,
            ["it was read as `json`, not `text`", "2 rows came out, not 3", "'' did not come out"]
        );
    }
}
