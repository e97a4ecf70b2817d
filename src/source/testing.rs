//! What the unit tests of sources share.

use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex};

use arrow::array::RecordBatch;

use crate::diagnostic::{Diagnostics, SourceFile};
use crate::frame::{Frame, to_series};
use crate::model::Schema;
use crate::node::{FromNode, Node, parse};

use super::{
    Cancel, ConnectionConfig, Connector, Files, Part, ReadPlan, ReadReport, ReadRequest, SideConfig, Sink,
    SinkError, SourceError, Unfinished,
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
pub(crate) struct Keeping(Mutex<Kept>);

/// What a sink kept.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub schema: Schema,
    pub batches: Vec<RecordBatch>,
    pub files: Vec<Vec<u8>>,
}

impl Sink for Keeping {
    fn unfinished(&self) -> Option<Unfinished> {
        None
    }

    fn start(&self, schema: &Schema, _plan: &ReadPlan) -> Result<(), SinkError> {
        self.0.lock().unwrap().schema = schema.clone();
        Ok(())
    }

    fn resume(&self) -> Result<(), SinkError> {
        Err("nothing is ever left".into())
    }

    fn part(&self, _number: usize) -> Result<Box<dyn Part + '_>, SinkError> {
        Ok(Box::new(KeptPart(self)))
    }

    fn parquet_file(&self, _number: usize, file: &mut dyn Read) -> Result<(), SinkError> {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        self.0.lock().unwrap().files.push(bytes);
        Ok(())
    }
}

struct KeptPart<'a>(&'a Keeping);

impl Part for KeptPart<'_> {
    fn batch(&mut self, batch: RecordBatch) -> Result<(), SinkError> {
        self.0.0.lock().unwrap().batches.push(batch);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), SinkError> {
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
    let keeping = Keeping::default();
    let report = Files::new(folder.to_owned()).read(&request(side), &Cancel::default(), &keeping)?;
    Ok((keeping.0.into_inner().unwrap(), report))
}

/// Reads a CSV text, with further options of the side in YAML.
pub(crate) fn read_csv(text: impl AsRef<[u8]>, options: &str) -> Result<(Kept, ReadReport), SourceError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.csv"), text).unwrap();
    read(folder.path(), &format!("{{ file: t.csv, {options} }}"))
}
