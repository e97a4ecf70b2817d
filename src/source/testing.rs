//! What the unit tests of sources share.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;

use crate::diagnostic::{Diagnostics, SourceFile};
use crate::frame::{Frame, to_series};
use crate::model::Schema;
use crate::node::{FromNode, Node, parse};

use super::{
    Cancel, ConnectionConfig, Connector, Files, ReadReport, ReadRequest, SideConfig, Sink, SinkError,
    SourceError,
};

/// Reads YAML.
pub(crate) fn node(text: &str) -> Node {
    let mut out = Diagnostics::default();
    let file = Arc::new(SourceFile::new("test.yml", text));
    let node = parse(&file, &mut out);
    assert!(out.is_empty(), "{}", out.render(false));
    node.unwrap()
}

/// Reads a side from YAML.
pub(crate) fn side(text: &str) -> SideConfig {
    let mut out = Diagnostics::default();
    let side = SideConfig::from_node(&node(text), &mut out);
    assert!(out.is_empty(), "{}", out.render(false));
    side.unwrap()
}

/// Makes a request for a side written in YAML.
pub(crate) fn request(text: &str) -> ReadRequest {
    let mut out = Diagnostics::default();
    let request = ConnectionConfig::default().request(&side(text), &node("a: 1").span, &mut out);
    assert!(out.is_empty(), "{}", out.render(false));
    request.unwrap()
}

/// A sink that keeps everything.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub schema: Schema,
    pub batches: Vec<RecordBatch>,
    pub files: Vec<Vec<u8>>,
}

impl Sink for Kept {
    fn start(&mut self, schema: &Schema) -> Result<(), SinkError> {
        self.schema = schema.clone();
        Ok(())
    }

    fn batch(&mut self, batch: RecordBatch) -> Result<(), SinkError> {
        self.batches.push(batch);
        Ok(())
    }

    fn parquet_file(&mut self, file: &mut dyn Read) -> Result<(), SinkError> {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        self.files.push(bytes);
        Ok(())
    }
}

impl Kept {
    /// Makes a frame of the batches.
    pub fn frame(&self) -> Frame {
        let batch =
            arrow::compute::concat_batches(&super::arrow_schema(&self.schema), &self.batches).unwrap();
        let columns = self
            .schema
            .fields
            .iter()
            .zip(batch.columns())
            .map(|(field, array)| to_series(&field.name, array, &field.logical).unwrap().into());
        let df = polars::prelude::DataFrame::new(batch.num_rows(), columns.collect()).unwrap();
        Frame::new(self.schema.clone(), df)
    }
}

/// Reads a side written in YAML from a folder.
pub(crate) fn read(folder: &Path, side: &str) -> Result<(Kept, ReadReport), SourceError> {
    let mut kept = Kept::default();
    let report = Files::new(folder.to_owned()).read(&request(side), &Cancel::default(), &mut kept)?;
    Ok((kept, report))
}

/// Reads a CSV text, with further options of the side in YAML.
pub(crate) fn read_csv(text: impl AsRef<[u8]>, options: &str) -> Result<(Kept, ReadReport), SourceError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.csv"), text).unwrap();
    read(folder.path(), &format!("{{ file: t.csv, {options} }}"))
}
