//! The connector of files: finds those that hold a table, and reads them.

use std::fs::{File, Metadata};
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use crate::model::Schema;

use super::{
    Cancel, Connector, Format, Part, ReadFile, ReadPlan, ReadReport, ReadRequest, Selection, Sink, SinkError,
    SourceError, Unfinished, csv, hex, parquet,
};

/// Reads tables from the files of a folder.
#[derive(Debug, Clone)]
pub struct Files {
    folder: PathBuf,
}

impl Files {
    /// Makes the connector of a folder.
    pub fn new(folder: PathBuf) -> Self {
        Files { folder }
    }
}

impl Connector for Files {
    fn read(
        &self,
        request: &ReadRequest,
        cancel: &Cancel,
        sink: &dyn Sink,
    ) -> Result<ReadReport, SourceError> {
        let Selection::Files(selection) = &request.selection else {
            return Err(SourceError::NoFile(self.folder.clone()));
        };
        let paths = find(&self.folder, &selection.file)?;
        let format = match selection.format {
            Some(format) => format,
            None => common_format(&paths)?,
        };
        let mut report = match format {
            Format::Csv => csv::read(&paths, &selection.csv, &request.columns, cancel, sink)?,
            Format::Parquet => parquet::read(&paths, &request.columns, cancel, sink)?,
        };
        for file in &mut report.files {
            let path = Path::new(&file.path);
            if let Ok(inside) = path.strip_prefix(&self.folder) {
                let names: Vec<String> =
                    inside.iter().map(|name| name.to_string_lossy().into_owned()).collect();
                file.path = names.join("/");
            }
        }
        Ok(report)
    }
}

/// Returns the files of a name or pattern, in the order of their paths.
fn find(folder: &Path, file: &str) -> Result<Vec<PathBuf>, SourceError> {
    match std::fs::metadata(folder) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return Err(SourceError::NoFolder(folder.to_owned())),
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => {
            return Err(SourceError::NoFolder(folder.to_owned()));
        }
        Err(source) => return Err(SourceError::Io { path: folder.to_owned(), source }),
    }
    let exact = folder.join(file);
    if exact.is_file() {
        return Ok(vec![exact]);
    }
    if !file.contains(['*', '?', '[']) {
        return Err(SourceError::NoFile(exact));
    }
    let bad = |problem: String| SourceError::Pattern { pattern: file.to_owned(), problem };
    let pattern = if Path::new(file).is_absolute() {
        file.to_owned()
    } else {
        let folder = folder.to_str().ok_or_else(|| bad("the path of its folder is not UTF-8".to_owned()))?;
        format!("{}/{file}", glob::Pattern::escape(folder))
    };
    let options = glob::MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let mut paths = Vec::new();
    for path in glob::glob_with(&pattern, options).map_err(|e| bad(e.msg.to_owned()))? {
        let path = path.map_err(|e| SourceError::Io { path: e.path().to_owned(), source: e.into() })?;
        if path.is_file() {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        return Err(SourceError::NoMatch { folder: folder.to_owned(), pattern: file.to_owned() });
    }
    paths.sort();
    Ok(paths)
}

/// Tests whether what a request asks for is there and may be read; nothing of it is read.
///
/// # Errors
/// Where it is not.
pub(super) fn can_be_read(folder: &Path, request: &ReadRequest) -> Result<(), SourceError> {
    let Selection::Files(selection) = &request.selection else {
        return Err(SourceError::NoFile(folder.to_owned()));
    };
    for path in find(folder, &selection.file)? {
        File::open(&path).map_err(|source| SourceError::Io { path, source })?;
    }
    Ok(())
}

/// Finds out with which columns a request is read. Types of text files come from their values.
///
/// # Errors
/// Where it cannot be read so far.
pub(super) fn columns(folder: &Path, request: &ReadRequest, cancel: &Cancel) -> Result<Schema, SourceError> {
    let only = OnlyColumns(Mutex::new(None));
    let read = Files::new(folder.to_owned()).read(request, cancel, &only);
    match (only.0.into_inner().unwrap_or_else(PoisonError::into_inner), read) {
        (Some(schema), _) => Ok(schema),
        (None, Err(error)) => Err(error),
        (None, Ok(_)) => Ok(Schema::default()),
    }
}

/// Takes the columns, and then no more.
struct OnlyColumns(Mutex<Option<Schema>>);

impl Sink for OnlyColumns {
    fn unfinished(&self) -> Option<Unfinished> {
        None
    }

    fn start(&self, schema: &Schema, _plan: &ReadPlan) -> Result<(), SinkError> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(schema.clone());
        Err(ENOUGH.into())
    }

    fn resume(&self) -> Result<(), SinkError> {
        Err(ENOUGH.into())
    }

    fn part(&self, _number: usize) -> Result<Box<dyn Part + '_>, SinkError> {
        Err(ENOUGH.into())
    }

    fn parquet_file(&self, _number: usize, _file: &mut dyn Read) -> Result<(), SinkError> {
        Err(ENOUGH.into())
    }
}

/// Why nothing more is taken.
const ENOUGH: &str = "only the columns were asked for";

/// Returns the format that the endings of all files stand for.
fn common_format(paths: &[PathBuf]) -> Result<Format, SourceError> {
    let mut found: Option<(Format, &PathBuf)> = None;
    for path in paths {
        let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
        let format = match ending.as_deref() {
            Some("csv" | "tsv" | "txt") => Format::Csv,
            Some("parquet" | "pq") => Format::Parquet,
            _ => return Err(SourceError::UnknownFormat(path.clone())),
        };
        match found {
            Some((first, at)) if first != format => {
                return Err(SourceError::MixedFormats { first: at.clone(), other: path.clone() });
            }
            _ => found = Some((format, path)),
        }
    }
    // `find` gives at least one path.
    found.map(|(format, _)| format).ok_or_else(|| SourceError::NoFile(PathBuf::new()))
}

/// A file while it is read: the bytes are hashed, and the file must stay as it was when it was opened.
#[derive(Debug)]
pub(super) struct Watched {
    path: PathBuf,
    file: File,
    size: u64,
    modified: Option<SystemTime>,
    hasher: Sha256,
    read: u64,
    failure: Option<std::io::Error>,
}

impl Watched {
    /// Opens a file.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let failed = |source| SourceError::Io { path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        Ok(Watched {
            path: path.to_owned(),
            file,
            size: metadata.len(),
            modified: metadata.modified().ok(),
            hasher: Sha256::new(),
            read: 0,
            failure: None,
        })
    }

    /// Returns the path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Goes back to the beginning, which is needed before reading where a second handle was used.
    pub fn rewind(&mut self) -> Result<(), SourceError> {
        self.file.rewind().map_err(|source| SourceError::Io { path: self.path.clone(), source })
    }

    /// Returns a second handle of the same file, whose reading is not hashed but moves the place read from.
    pub fn handle(&self) -> Result<File, SourceError> {
        self.file.try_clone().map_err(|source| SourceError::Io { path: self.path.clone(), source })
    }

    /// Takes out the failure that a reader of this file has met, if it met one.
    pub fn failure(&mut self) -> Option<SourceError> {
        self.failure.take().map(|source| SourceError::Io { path: self.path.clone(), source })
    }

    /// Reads what is left, for its hash alone.
    pub fn read_to_end(&mut self, cancel: &Cancel) -> Result<(), SourceError> {
        let mut buffer = vec![0; 256 << 10];
        loop {
            cancel.check()?;
            match self.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(source) => return Err(SourceError::Io { path: self.path.clone(), source }),
            }
        }
    }

    /// Ends the reading: the file must be the same as at its beginning, and read to its end.
    pub fn finish(self) -> Result<ReadFile, SourceError> {
        let same =
            |metadata: Metadata| metadata.len() == self.size && metadata.modified().ok() == self.modified;
        let io = |source| SourceError::Io { path: self.path.clone(), source };
        let same_handle = same(self.file.metadata().map_err(io)?);
        // Another file may have been put in its place.
        let same_path = std::fs::metadata(&self.path).is_ok_and(same);
        if !same_handle || !same_path || self.read != self.size {
            return Err(SourceError::Changed(self.path));
        }
        Ok(ReadFile {
            path: self.path.to_string_lossy().into_owned(),
            size: self.size,
            modified: self.modified,
            sha256: hex(&self.hasher.finalize()),
        })
    }
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self.file.read(buffer) {
            Ok(count) => {
                self.hasher.update(buffer.get(..count).unwrap_or_default());
                self.read += count as u64;
                Ok(count)
            }
            Err(error) => {
                if error.kind() != std::io::ErrorKind::Interrupted {
                    self.failure = Some(std::io::Error::new(error.kind(), error.to_string()));
                }
                Err(error)
            }
        }
    }
}
