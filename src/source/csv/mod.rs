//! Text files: read twice where types are inferred, once where all are declared.

mod reader;
mod tokenizer;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use rayon::prelude::*;

use crate::model::{Logical, Schema};

use super::cells::{advice, to_array};
use super::columns::{Chosen, choose};
use super::infer::Shape;
use super::{
    Cancel, ColumnRules, CsvOptions, CsvProblem, ReadFile, ReadPlan, ReadReport, Sink, SourceError,
    arrow_schema,
};

use reader::{CsvFile, Rows};

/// Reads files of one table, in their order.
pub(super) fn read(
    paths: &[PathBuf],
    options: &CsvOptions,
    rules: &ColumnRules,
    cancel: &Cancel,
    sink: &dyn Sink,
) -> Result<ReadReport, SourceError> {
    let Some(first) = paths.first() else { return Ok(ReadReport::default()) };
    let names = CsvFile::open(first, options)?.names;
    let chosen = choose(&names, rules)?;
    let mut kept = vec![false; names.len()];
    for column in &chosen {
        if let Some(kept) = kept.get_mut(column.position) {
            *kept = true;
        }
    }
    let table = Table { paths, options, names, chosen, kept, cancel };

    let mut inferred = None;
    let mut shapes = vec![Shape::Nothing; table.chosen.len()];
    if table.chosen.iter().any(|column| column.declared.is_none()) {
        inferred = Some(table.scan(&mut |_, rows| {
            table.infer(rows, &mut shapes);
            Ok(())
        })?);
    }

    let fields = table.chosen.iter().zip(&shapes).map(|(column, shape)| {
        let (logical, format) = match &column.declared {
            Some(declared) => (declared.clone(), None),
            None => shape.logical(),
        };
        column.field(logical, format, "csv".to_owned(), rules)
    });
    let schema = Schema { fields: fields.collect() };
    sink.start(&schema, &ReadPlan::default()).map_err(SourceError::Sink)?;
    let mut part = sink.part(0).map_err(SourceError::Sink)?;
    let arrow = arrow_schema(&schema);
    let files = table.scan(&mut |file, rows| {
        let columns = table.convert(file, rows, &schema)?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        let batch = RecordBatch::try_new_with_options(arrow.clone(), columns, &options)
            .map_err(|e| SourceError::Sink(Box::new(e)))?;
        part.batch(batch).map_err(SourceError::Sink)
    })?;
    part.finish().map_err(SourceError::Sink)?;
    if let Some(before) = inferred
        && let Some((_, changed)) = before.iter().zip(&files).find(|(before, now)| before != now)
    {
        return Err(SourceError::Changed(PathBuf::from(&changed.path)));
    }
    Ok(ReadReport { files, ..ReadReport::default() })
}

/// The files and columns of one reading.
struct Table<'a> {
    paths: &'a [PathBuf],
    options: &'a CsvOptions,
    names: Vec<String>,
    chosen: Vec<Chosen>,
    kept: Vec<bool>,
    cancel: &'a Cancel,
}

impl Table<'_> {
    /// Goes through all rows of all files once.
    fn scan(
        &self,
        visit: &mut dyn FnMut(&CsvFile<'_>, &Rows) -> Result<(), SourceError>,
    ) -> Result<Vec<ReadFile>, SourceError> {
        let mut files = Vec::with_capacity(self.paths.len());
        for (index, path) in self.paths.iter().enumerate() {
            let mut file = CsvFile::open(path, self.options)?;
            if file.names != self.names {
                return Err(self.other_columns(index, &file.names));
            }
            while let Some(rows) = file.next(&self.kept, self.cancel)? {
                visit(&file, &rows)?;
            }
            files.push(file.finish()?);
        }
        Ok(files)
    }

    fn other_columns(&self, index: usize, names: &[String]) -> SourceError {
        let path = self.paths.get(index).cloned().unwrap_or_default();
        let first = self.paths.first().cloned().unwrap_or_default();
        if index == 0 {
            return SourceError::Changed(path);
        }
        let different = self.names.iter().zip(names).position(|(ours, other)| ours != other);
        let difference = match different {
            Some(at) => match (names.get(at), self.names.get(at)) {
                (Some(other), Some(ours)) => format!("column {} is `{other}`, not `{ours}`", at + 1),
                _ => String::new(),
            },
            None => format!("{} columns, not {}", names.len(), self.names.len()),
        };
        SourceError::Columns { first, path, difference }
    }

    /// Returns a cell's text; NULL where the options say so.
    fn value<'r>(&self, rows: &'r Rows, row: usize, column: &Chosen) -> Option<&'r str> {
        let (text, quoted) = rows.cell(row, column.position);
        let null = match &self.options.null {
            None => text.is_empty() && !quoted,
            Some(list) => list.iter().any(|null| null == text),
        };
        (!null).then_some(text)
    }

    /// Takes the rows into account for the types of columns that have none.
    fn infer(&self, rows: &Rows, shapes: &mut [Shape]) {
        shapes.par_iter_mut().zip(&self.chosen).for_each(|(shape, column)| {
            if column.declared.is_some() {
                return;
            }
            for row in 0..rows.len() {
                if *shape == Shape::Text {
                    break;
                }
                if let Some(text) = self.value(rows, row, column) {
                    *shape = shape.with(text);
                }
            }
        });
    }

    /// Makes the columns of the rows.
    fn convert(
        &self,
        file: &CsvFile<'_>,
        rows: &Rows,
        schema: &Schema,
    ) -> Result<Vec<ArrayRef>, SourceError> {
        let columns: Vec<Result<ArrayRef, usize>> = self
            .chosen
            .par_iter()
            .zip(&schema.fields)
            .map(|(column, field)| {
                to_array((0..rows.len()).map(|row| self.value(rows, row, column)), &field.logical)
            })
            .collect();
        let worst = columns
            .iter()
            .zip(&self.chosen)
            .filter_map(|(result, column)| Some((result.as_ref().err()?, column)))
            .min_by_key(|(row, column)| (**row, column.position));
        if let Some((row, column)) = worst {
            let Some(wanted) = &column.declared else {
                // An inferred type fits every value of the first pass.
                return Err(SourceError::Changed(file.path().to_owned()));
            };
            return Err(self.wrong_type(file, rows, *row, column, wanted));
        }
        Ok(columns.into_iter().flatten().collect())
    }

    fn wrong_type(
        &self,
        file: &CsvFile<'_>,
        rows: &Rows,
        row: usize,
        column: &Chosen,
        wanted: &Logical,
    ) -> SourceError {
        let blank = self.value(rows, row, column).is_some_and(|text| text.trim().is_empty());
        file.problem(
            rows.line(row, column.position),
            CsvProblem::WrongType {
                column: column.source_name.clone(),
                wanted: wanted.clone(),
                advice: advice(wanted, blank),
            },
        )
    }
}
