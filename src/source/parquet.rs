//! Parquet files: copied as they are where their types are ours, else decoded and handed on in our types.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, StringViewBuilder};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    DataType, Date64Type, Schema as ArrowSchema, SchemaRef, Time64NanosecondType, TimeUnit,
    TimestampNanosecondType,
};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::{LogicalType, Type as PhysicalType};
use parquet::errors::ParquetError;
use parquet::schema::types::Type as ParquetType;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::frame::arrow_type;
use crate::model::{Logical, Schema};

use super::cells::{advice, to_array};
use super::columns::{Chosen, choose};
use super::files::Watched;
use super::{Cancel, ColumnNote, ColumnRules, ReadPlan, ReadReport, Sink, SourceError, arrow_schema};

/// Rows decoded at once.
const BATCH_ROWS: usize = 16 << 10;

/// Reads files of one table, in their order.
pub(super) fn read(
    paths: &[PathBuf],
    rules: &ColumnRules,
    cancel: &Cancel,
    sink: &dyn Sink,
) -> Result<ReadReport, SourceError> {
    let Some(first) = paths.first() else { return Ok(ReadReport::default()) };
    let head = Head::open(first)?;
    let names: Vec<String> = head.columns.iter().map(|column| column.name.clone()).collect();
    for (index, name) in names.iter().enumerate() {
        if names.iter().take(index).any(|other| other == name) {
            return Err(head.problem(name, "the file has two columns of this name".to_owned()));
        }
    }
    let chosen = choose(&names, rules)?;
    let plans = head.plans(&chosen, rules)?;
    let whole = chosen.len() == names.len() && plans.iter().all(|plan| plan.parse.is_none());
    let fields = chosen.iter().zip(&plans).map(|(column, plan)| {
        let field = column.field(plan.logical().clone(), None, plan.source_type.clone(), rules);
        // The file declares its types.
        crate::model::Field { inferred: false, ..field }
    });
    let schema = Schema { fields: fields.collect() };
    let notes = chosen.iter().zip(&plans).filter_map(|(column, plan)| {
        plan.note.map(|text| ColumnNote { column: column.name.clone(), text: text.to_owned() })
    });
    let mut report = ReadReport { notes: notes.collect(), ..ReadReport::default() };
    drop(head);

    sink.start(&schema, &ReadPlan::default()).map_err(SourceError::Sink)?;
    let arrow = arrow_schema(&schema);
    for (number, path) in paths.iter().enumerate() {
        cancel.check()?;
        let mut head = Head::open(path)?;
        head.same_columns(&names, first)?;
        let own = head.plans(&chosen, rules)?;
        head.same_types(&chosen, &plans, &own, first)?;
        if whole && own.iter().all(|plan| plan.same) {
            head.file.rewind()?;
            let copied = sink.parquet_file(number, &mut head.file);
            copied.map_err(|error| head.file.failure().unwrap_or(SourceError::Sink(error)))?;
        } else {
            let roots: Vec<usize> = chosen.iter().map(|column| column.position).collect();
            let mut reader = head.reader(&roots)?;
            let mut part = sink.part(number).map_err(SourceError::Sink)?;
            while let Some(batch) = guarded(path, || reader.next().transpose().map_err(ParquetError::from))? {
                cancel.check()?;
                let mut arrays = Vec::with_capacity(own.len());
                for (plan, array) in own.iter().zip(batch.columns()) {
                    arrays.push(guarded_column(path, plan, array)?);
                }
                let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
                let batch = RecordBatch::try_new_with_options(arrow.clone(), arrays, &options)
                    .map_err(|e| SourceError::Sink(Box::new(e)))?;
                part.batch(batch).map_err(SourceError::Sink)?;
            }
            part.finish().map_err(SourceError::Sink)?;
            head.file.rewind()?;
            head.file.read_to_end(cancel)?;
        }
        report.files.push(head.file.finish()?);
    }
    Ok(report)
}

/// Runs what may panic on a damaged file.
fn guarded<T>(path: &Path, work: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, SourceError> {
    let problem = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "the file is damaged".to_owned(),
    };
    Err(SourceError::Parquet { path: path.to_owned(), problem })
}

fn guarded_column(path: &Path, plan: &Plan, array: &ArrayRef) -> Result<ArrayRef, SourceError> {
    catch_unwind(AssertUnwindSafe(|| plan.array(array)))
        .unwrap_or_else(|_| Err("the file is damaged".to_owned()))
        .map_err(|problem| SourceError::Column { path: path.to_owned(), column: plan.name.clone(), problem })
}

/// A file whose footer has been read.
struct Head {
    file: Watched,
    metadata: ArrowReaderMetadata,
    columns: Vec<Column>,
}

/// A column as the file has it.
struct Column {
    name: String,
    arrow: DataType,
    source_type: String,
    /// Its logical type, or why it has none.
    logical: Result<Logical, String>,
    /// True where a copy of the file can stand for the snapshot.
    same: bool,
    note: Option<&'static str>,
}

/// How a chosen column is made.
struct Plan {
    name: String,
    source_type: String,
    file: Logical,
    /// The declared type its texts are read as, where that is another one.
    parse: Option<Logical>,
    same: bool,
    note: Option<&'static str>,
}

impl Head {
    fn open(path: &Path) -> Result<Self, SourceError> {
        let file = Watched::open(path)?;
        let handle = file.handle()?;
        let (metadata, columns) = guarded(path, || {
            let metadata = load_parquet(&handle)?;
            let roots = metadata.parquet_schema().root_schema().get_fields().to_vec();
            let fields = metadata.schema().fields().iter().zip(&roots);
            let columns = fields.map(|(field, root)| Column::new(field.name(), field.data_type(), root));
            let columns = columns.collect();
            Ok((metadata, columns))
        })?;
        Ok(Head { file, metadata, columns })
    }

    fn problem(&self, column: &str, problem: String) -> SourceError {
        SourceError::Column { path: self.file.path().to_owned(), column: column.to_owned(), problem }
    }

    fn reader(&self, roots: &[usize]) -> Result<ParquetRecordBatchReader, SourceError> {
        let handle = self.file.handle()?;
        guarded(self.file.path(), || {
            let mask = ProjectionMask::roots(self.metadata.parquet_schema(), roots.iter().copied());
            ParquetRecordBatchReaderBuilder::new_with_metadata(handle, self.metadata.clone())
                .with_projection(mask)
                .with_batch_size(BATCH_ROWS)
                .build()
        })
    }

    /// Finds out how the chosen columns are made from this file.
    fn plans(&self, chosen: &[Chosen], rules: &ColumnRules) -> Result<Vec<Plan>, SourceError> {
        let mut out = Diagnostics::default();
        let mut plans = Vec::with_capacity(chosen.len());
        for choice in chosen {
            let Some(column) = self.columns.get(choice.position) else { continue };
            let file = match &column.logical {
                Ok(logical) => logical.clone(),
                Err(problem) => return Err(self.problem(&column.name, problem.clone())),
            };
            let parse = choice.declared.clone().filter(|declared| *declared != file);
            if let (Some(declared), false, Some(place)) =
                (&parse, file.is_text(), rules.types.get(&choice.name))
            {
                out.push(
                    Diagnostic::error(
                        &place.span,
                        format!("`{}` is `{file}` in the Parquet file, not `{declared}`", choice.name),
                    )
                    .help("types of Parquet files can be declared for text only: leave this one out, or change it by a cleansing step"),
                );
            }
            plans.push(Plan {
                name: column.name.clone(),
                source_type: column.source_type.clone(),
                file,
                parse,
                same: column.same,
                note: column.note,
            });
        }
        if out.is_empty() { Ok(plans) } else { Err(SourceError::Settings(Box::new(out))) }
    }

    fn same_columns(&self, names: &[String], first: &Path) -> Result<(), SourceError> {
        let mine = self.columns.iter().map(|column| &column.name);
        if mine.clone().eq(names) {
            return Ok(());
        }
        let different = names.iter().zip(mine).find(|(theirs, mine)| theirs != mine);
        let difference = match different {
            Some((theirs, mine)) => format!("it has `{mine}` where `{theirs}` is expected"),
            None => format!("{} columns, not {}", self.columns.len(), names.len()),
        };
        Err(self.other_columns(first, difference))
    }

    fn same_types(
        &self,
        chosen: &[Chosen],
        plans: &[Plan],
        own: &[Plan],
        first: &Path,
    ) -> Result<(), SourceError> {
        for ((column, theirs), mine) in chosen.iter().zip(plans).zip(own) {
            if theirs.logical() != mine.logical() {
                let name = &column.source_name;
                let difference = format!("`{name}` is `{}`, not `{}`", mine.file, theirs.file);
                return Err(self.other_columns(first, difference));
            }
        }
        Ok(())
    }

    fn other_columns(&self, first: &Path, difference: String) -> SourceError {
        let path = self.file.path().to_owned();
        if path == first {
            return SourceError::Changed(path);
        }
        SourceError::Columns { first: first.to_owned(), path, difference }
    }
}

/// Reads a file's footer, and settles the Arrow types to read with.
pub(crate) fn load_parquet(file: &File) -> Result<ArrowReaderMetadata, ParquetError> {
    let plain = ArrowReaderMetadata::load(file, ArrowReaderOptions::new())?;
    let options = ArrowReaderOptions::new().with_schema(hint(&plain));
    ArrowReaderMetadata::try_new(Arc::clone(plain.metadata()), options)
}

/// Returns the Arrow schema to read with: text as views, and the old INT96 timestamps in microseconds,
/// because in nanoseconds they would silently overflow outside the years 1677 to 2262.
fn hint(metadata: &ArrowReaderMetadata) -> SchemaRef {
    let roots = metadata.parquet_schema().root_schema().get_fields();
    let fields = metadata.schema().fields().iter().zip(roots).map(|(field, root)| {
        let wanted = match field.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 => Some(DataType::Utf8View),
            DataType::Timestamp(TimeUnit::Nanosecond, None) if is_int96(root) => {
                Some(DataType::Timestamp(TimeUnit::Microsecond, None))
            }
            _ => None,
        };
        match wanted {
            Some(wanted) => Arc::new(field.as_ref().clone().with_data_type(wanted)),
            None => Arc::clone(field),
        }
    });
    Arc::new(ArrowSchema::new(fields.collect::<Vec<_>>()).with_metadata(metadata.schema().metadata().clone()))
}

fn is_int96(root: &ParquetType) -> bool {
    root.is_primitive() && root.get_physical_type() == PhysicalType::INT96
}

impl Column {
    fn new(name: &str, arrow: &DataType, root: &ParquetType) -> Self {
        let annotation = root.get_basic_info().logical_type_ref();
        let mut column = Column {
            name: name.to_owned(),
            arrow: arrow.clone(),
            source_type: arrow.to_string(),
            logical: Ok(Logical::TEXT),
            same: true,
            note: None,
        };
        column.logical = column.understand(arrow, annotation);
        if is_int96(root) {
            "int96".clone_into(&mut column.source_type);
            column.same = false;
            column.note = Some("an INT96 timestamp, read to the microsecond and as one without a zone");
        }
        column
    }

    fn understand(&mut self, arrow: &DataType, annotation: Option<&LogicalType>) -> Result<Logical, String> {
        use DataType as T;
        let uuid = annotation == Some(&LogicalType::Uuid);
        self.same = matches!(
            arrow,
            T::Utf8
                | T::LargeUtf8
                | T::Utf8View
                | T::Boolean
                | T::Int64
                | T::UInt64
                | T::Float64
                | T::Decimal128(_, _)
                | T::Date32
                | T::Timestamp(TimeUnit::Microsecond, _)
                | T::Time64(TimeUnit::Microsecond)
                | T::Binary
                | T::LargeBinary
                | T::BinaryView
        );
        Ok(match arrow {
            T::Utf8 | T::LargeUtf8 | T::Utf8View if annotation == Some(&LogicalType::Json) => Logical::Json,
            T::Utf8 | T::LargeUtf8 | T::Utf8View => Logical::TEXT,
            T::Boolean => Logical::Bool,
            T::Int8 | T::Int16 | T::Int32 | T::Int64 => Logical::I64,
            T::UInt8 | T::UInt16 | T::UInt32 | T::UInt64 => Logical::U64,
            T::Float64 => Logical::F64,
            T::Float16 | T::Float32 => {
                self.note = Some(
                    "a number of single precision, read as f64: its value is kept, its text may have more digits",
                );
                Logical::F64
            }
            T::Decimal32(p, s) | T::Decimal64(p, s) | T::Decimal128(p, s) | T::Decimal256(p, s) => {
                match u8::try_from(*s) {
                    Ok(scale) if *p <= 38 && scale <= *p => Logical::Decimal { precision: *p, scale },
                    _ => return Err(self.unsupported("decimals have at most 38 digits here")),
                }
            }
            T::Date32 | T::Date64 => Logical::Date,
            T::Timestamp(_, zone) => Logical::Timestamp { utc: zone.is_some() },
            T::Time32(_) | T::Time64(_) => Logical::Time,
            T::FixedSizeBinary(16) if uuid => Logical::Uuid,
            T::Binary | T::LargeBinary | T::BinaryView | T::FixedSizeBinary(_) => Logical::Bytes,
            T::Dictionary(_, value) => {
                let logical = self.understand(value, annotation)?;
                self.same = false;
                logical
            }
            T::Null => {
                self.note = Some("a column without a type and values, read as text");
                Logical::TEXT
            }
            _ => return Err(self.unsupported("only columns of single values can be read")),
        })
    }

    fn unsupported(&self, why: &str) -> String {
        let kind = match &self.arrow {
            DataType::List(_)
            | DataType::LargeList(_)
            | DataType::FixedSizeList(_, _)
            | DataType::ListView(_) => "a list".to_owned(),
            DataType::Struct(_) => "a structure".to_owned(),
            DataType::Map(_, _) => "a map".to_owned(),
            other => format!("`{other}`"),
        };
        format!("it is {kind}, and {why}; list it under `omit`, or change it where the file is made")
    }
}

impl Plan {
    /// Returns the type of what is handed on.
    fn logical(&self) -> &Logical {
        self.parse.as_ref().unwrap_or(&self.file)
    }

    /// Makes the array that is handed on; messages have no value.
    fn array(&self, array: &ArrayRef) -> Result<ArrayRef, String> {
        let array = to_logical(array, &self.file)?;
        let Some(declared) = &self.parse else { return Ok(array) };
        let texts = array.as_string_view();
        to_array(texts.iter(), declared).map_err(|at| {
            let blank = texts.is_valid(at) && texts.value(at).trim().is_empty();
            format!("a value is not `{declared}`: {}", advice(declared, blank))
        })
    }
}

/// Makes the Arrow form of a logical type, without losing anything; what is in the way is said in words.
pub(crate) fn to_logical(array: &ArrayRef, logical: &Logical) -> Result<ArrayRef, String> {
    let wanted = arrow_type(logical);
    match array.data_type() {
        same if *same == wanted => return Ok(Arc::clone(array)),
        DataType::Dictionary(_, value) => return to_logical(&convert(array, value)?, logical),
        DataType::FixedSizeBinary(16) if *logical == Logical::Uuid => {
            let values = array.as_fixed_size_binary();
            let mut builder = StringViewBuilder::with_capacity(values.len());
            for value in values {
                builder.append_option(value.map(uuid_text));
            }
            return Ok(Arc::new(builder.finish()));
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            whole(array.as_primitive::<TimestampNanosecondType>().iter(), 1000)?;
        }
        DataType::Time64(TimeUnit::Nanosecond) => {
            whole(array.as_primitive::<Time64NanosecondType>().iter(), 1000)?;
        }
        DataType::Date64 => {
            whole(array.as_primitive::<Date64Type>().iter(), 86_400_000).map_err(|_| {
                "a date has a time of day, which a date would lose; write it as a timestamp".to_owned()
            })?;
        }
        _ => {}
    }
    convert(array, &wanted)
}

fn convert(array: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, String> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    // The message of a cast names the value.
    cast_with_options(array, wanted, &options).map_err(|_| {
        format!("a value of `{}` does not fit `{wanted}`; list it under `omit`", array.data_type())
    })
}

fn whole(values: impl Iterator<Item = Option<i64>>, unit: i64) -> Result<(), String> {
    let mut values = values;
    if values.any(|value| value.is_some_and(|value| value % unit != 0)) {
        return Err("it has nanoseconds, and times are kept in microseconds: round it where the file is made, or list it under `omit`".to_owned());
    }
    Ok(())
}

fn uuid_text(bytes: &[u8]) -> String {
    let mut text = super::hex(bytes);
    for at in [20, 16, 12, 8] {
        text.insert(at, '-');
    }
    text
}
