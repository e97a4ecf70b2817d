//! Arrow (arrow-rs) and polars: the same buffers, handed over through the Arrow C Data Interface.
//!
//! This is the only module with `unsafe` code. Both crates implement the C structs of
//! <https://arrow.apache.org/docs/format/CDataInterface.html> with the same layout, so a struct of one
//! is a struct of the other.
#![allow(unsafe_code)]

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, make_array};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType as ArrowType, Field as ArrowField, Schema as ArrowSchema, TimeUnit as ArrowUnit,
    TimestampMicrosecondType,
};
use arrow::error::ArrowError;
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};
use polars::prelude::{CompatLevel, DataType, PlSmallStr, PolarsError, Series, TimeUnit};

use crate::model::{Logical, Schema};

use super::Frame;

/// A column could not be handed from one library to the other.
#[derive(Debug, thiserror::Error)]
pub enum BridgeError {
    /// arrow-rs refused.
    #[error("a column could not be read as Arrow: {0}")]
    Arrow(#[from] ArrowError),
    /// polars refused.
    #[error("a column could not be read by polars: {}", first_line(.0))]
    Polars(#[from] PolarsError),
}

/// Returns the first line of a polars error: the rest is a dump of the plan.
fn first_line(error: &PolarsError) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

/// Returns the Arrow type in which a logical type is written to Parquet.
pub fn arrow_type(logical: &Logical) -> ArrowType {
    match logical {
        Logical::Text { .. } | Logical::Uuid | Logical::Json | Logical::Other(_) => ArrowType::Utf8View,
        Logical::Bool => ArrowType::Boolean,
        Logical::I64 => ArrowType::Int64,
        Logical::U64 => ArrowType::UInt64,
        Logical::F64 => ArrowType::Float64,
        Logical::Decimal { precision, scale } => ArrowType::Decimal128(*precision, scale.cast_signed()),
        Logical::Date => ArrowType::Date32,
        Logical::Timestamp { utc: false } => ArrowType::Timestamp(ArrowUnit::Microsecond, None),
        Logical::Timestamp { utc: true } => ArrowType::Timestamp(ArrowUnit::Microsecond, Some("UTC".into())),
        Logical::Time => ArrowType::Time64(ArrowUnit::Microsecond),
        Logical::Bytes => ArrowType::Binary,
    }
}

/// Returns the polars type in which a logical type is held in memory.
pub fn polars_type(logical: &Logical) -> DataType {
    match logical {
        Logical::Text { .. } | Logical::Uuid | Logical::Json | Logical::Other(_) => DataType::String,
        Logical::Bool => DataType::Boolean,
        Logical::I64 => DataType::Int64,
        Logical::U64 => DataType::UInt64,
        Logical::F64 => DataType::Float64,
        Logical::Decimal { precision, scale } => {
            DataType::Decimal(usize::from(*precision), usize::from(*scale))
        }
        Logical::Date => DataType::Date,
        Logical::Timestamp { .. } => DataType::Datetime(TimeUnit::Microseconds, None),
        Logical::Time => DataType::Time,
        Logical::Bytes => DataType::Binary,
    }
}

/// Makes a polars series of an Arrow array, without copying where the layouts agree.
///
/// Timestamps come without their zone: the logical type says whether they are UTC.
///
/// # Errors
/// Where the array cannot be cast to the Arrow type of `logical`, or polars has no such type.
pub fn to_series(name: &str, array: &ArrayRef, logical: &Logical) -> Result<Series, BridgeError> {
    let wanted = match arrow_type(logical) {
        ArrowType::Timestamp(unit, Some(_)) => ArrowType::Timestamp(unit, None),
        other => other,
    };
    let array = if array.data_type() == &wanted { Arc::clone(array) } else { cast(array, &wanted)? };
    let (c_array, c_schema) = to_ffi(&array.to_data())?;
    // SAFETY: both types are the `ArrowArray` and `ArrowSchema` of the C Data Interface, `repr(C)` with the
    // same fields; ownership moves, because `transmute` takes the values.
    let (c_array, c_schema) = unsafe {
        (
            std::mem::transmute::<FFI_ArrowArray, polars_arrow::ffi::ArrowArray>(c_array),
            std::mem::transmute::<FFI_ArrowSchema, polars_arrow::ffi::ArrowSchema>(c_schema),
        )
    };
    // SAFETY: the structs were made by arrow-rs for this array and have not been released.
    let array = unsafe {
        let field = polars_arrow::ffi::import_field_from_c(&c_schema)?;
        polars_arrow::ffi::import_array_from_c(c_array, field.dtype)?
    };
    let name: PlSmallStr = name.into();
    Ok(Series::try_from((name, array))?)
}

/// Makes an Arrow array of the Arrow type of `logical` from a polars series.
fn to_array(series: &Series, logical: &Logical) -> Result<ArrayRef, BridgeError> {
    let series = series.rechunk();
    let series = if series.dtype() == &DataType::Null { series.cast(&polars_type(logical))? } else { series };
    let array = series.to_arrow(0, CompatLevel::newest());
    let field = polars_arrow::datatypes::Field::new("".into(), array.dtype().clone(), true);
    let c_schema = polars_arrow::ffi::export_field_to_c(&field);
    let c_array = polars_arrow::ffi::export_array_to_c(array);
    // SAFETY: as in `to_series`, the other way round.
    let array = unsafe {
        let c_array = std::mem::transmute::<polars_arrow::ffi::ArrowArray, FFI_ArrowArray>(c_array);
        let c_schema = std::mem::transmute::<polars_arrow::ffi::ArrowSchema, FFI_ArrowSchema>(c_schema);
        make_array(from_ffi(c_array, &c_schema)?)
    };
    let wanted = arrow_type(logical);
    if let ArrowType::Timestamp(unit, Some(zone)) = &wanted {
        // The values are of that zone already; a cast would have to know its clocks.
        let naive = ArrowType::Timestamp(*unit, None);
        let array = if array.data_type() == &naive { array } else { cast(&array, &naive)? };
        let zoned = array.as_primitive::<TimestampMicrosecondType>().clone().with_timezone(Arc::clone(zone));
        return Ok(Arc::new(zoned));
    }
    Ok(if array.data_type() == &wanted { array } else { cast(&array, &wanted)? })
}

/// Makes one Arrow batch of a whole frame, in the Parquet types of its schema.
///
/// Each field carries `logical` and `source_type` in its metadata.
///
/// # Errors
/// Where a column's values are not of its logical type.
pub fn to_record_batch(frame: &Frame) -> Result<RecordBatch, BridgeError> {
    let mut arrays = Vec::with_capacity(frame.schema.fields.len());
    for (field, column) in frame.schema.fields.iter().zip(frame.df.columns()) {
        arrays.push(to_array(column.as_materialized_series(), &field.logical)?);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(frame.height()));
    Ok(RecordBatch::try_new_with_options(Arc::new(arrow_schema(&frame.schema)), arrays, &options)?)
}

/// Returns the Arrow schema of a schema: every field nullable, its logical and source type in the metadata.
fn arrow_schema(schema: &Schema) -> ArrowSchema {
    let fields: Vec<ArrowField> = schema
        .fields
        .iter()
        .map(|f| {
            ArrowField::new(&f.name, arrow_type(&f.logical), true).with_metadata(HashMap::from([
                ("logical".to_owned(), f.logical.to_string()),
                ("source_type".to_owned(), f.source_type.clone()),
            ]))
        })
        .collect();
    ArrowSchema::new(fields)
}
