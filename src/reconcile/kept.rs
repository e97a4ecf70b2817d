//! What is kept of a side's rows beside its snapshot, so that an unchanged snapshot need not be looked at again.
//!
//! The file holds, for each row in its order, the hash of its key (96 bits) and of what is compared (64 bits), 20 bytes in
//! all; noughts stand for a row without key. Behind them stand the checksums of the blocks, the longest texts, and what the
//! hashes were made of. A file that is not whole is as good as none.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rayon::prelude::*;
use tempfile::NamedTempFile;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::shelves::Record;

/// The bytes of a row.
const ROW_BYTES: usize = 20;
/// With what the names of such files begin.
const PREFIX: &str = "hashes-";
/// What a row has whose key is not there.
const NO_KEY: [u8; ROW_BYTES] = [0; ROW_BYTES];

/// Where the hashes of a side are kept.
#[derive(Debug, Clone)]
pub(super) struct Place {
    folder: PathBuf,
    /// What the hashes are made of: the columns, in which form, and how.
    made_of: String,
    rows: u64,
}

/// What stands behind the rows.
#[derive(serde::Serialize, serde::Deserialize)]
struct Trailer {
    made_of: String,
    rows: u64,
    blocks: Vec<Block>,
    longest: BTreeMap<String, u64>,
}

/// Rows that were put at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
struct Block {
    /// The index of the first.
    start: u64,
    rows: u64,
    checksum: u64,
}

impl Place {
    /// Makes the place in a snapshot's folder for what is made in one way.
    pub(super) fn new(folder: PathBuf, made_of: String, rows: u64) -> Place {
        Place { folder, made_of, rows }
    }

    fn path(&self) -> PathBuf {
        self.folder.join(format!("{PREFIX}{:032x}", xxh3_128(self.made_of.as_bytes())))
    }

    /// Opens what is kept; nothing where there is none, or it is not whole.
    pub(super) fn open(&self) -> Option<Kept> {
        let mut file = File::open(self.path()).ok()?;
        let end = i64::try_from(size_of::<u64>()).ok()?;
        file.seek(SeekFrom::End(-end)).ok()?;
        let mut word = [0; size_of::<u64>()];
        file.read_exact(&mut word).ok()?;
        let rows_end = self.rows * ROW_BYTES as u64;
        let length = u64::from_le_bytes(word);
        if file.metadata().ok()?.len() != rows_end.checked_add(length)?.checked_add(8)? {
            return None;
        }
        file.seek(SeekFrom::Start(rows_end)).ok()?;
        let mut text = vec![0; usize::try_from(length).ok()?];
        file.read_exact(&mut text).ok()?;
        let trailer: Trailer = serde_json::from_slice(&text).ok()?;
        let mut end = 0;
        let follows = |block: &Block| {
            std::mem::replace(&mut end, block.start.saturating_add(block.rows)) == block.start
        };
        let whole = trailer.made_of == self.made_of
            && trailer.rows == self.rows
            && trailer.blocks.iter().all(follows)
            && end == self.rows;
        let kept = whole.then_some(Kept { path: self.path(), trailer })?;
        // All of it is looked at before any of it is used.
        kept.trailer.blocks.par_iter().all(|block| kept.bytes(block).is_some()).then_some(kept)
    }

    /// Begins to keep rows; nothing where no file can be made.
    pub(super) fn keep(&self) -> Option<Keeping<'_>> {
        let file =
            tempfile::Builder::new().prefix(".hashes-").suffix(".part").tempfile_in(&self.folder).ok()?;
        file.as_file().set_len(self.rows * ROW_BYTES as u64).ok()?;
        Some(Keeping { place: self, file: Mutex::new(Some((file, Vec::new()))) })
    }
}

/// Rows that are kept.
pub(super) struct Kept {
    path: PathBuf,
    trailer: Trailer,
}

impl Kept {
    /// Returns the number of blocks.
    pub(super) fn blocks(&self) -> usize {
        self.trailer.blocks.len()
    }

    /// Returns the longest text of each text column, in characters.
    pub(super) fn longest(&self) -> &BTreeMap<String, u64> {
        &self.trailer.longest
    }

    /// Reads a block; nothing where it is not as it was written.
    fn bytes(&self, block: &Block) -> Option<Vec<u8>> {
        let mut file = File::open(&self.path).ok()?;
        file.seek(SeekFrom::Start(block.start * ROW_BYTES as u64)).ok()?;
        let mut bytes = vec![0; usize::try_from(block.rows).ok()?.checked_mul(ROW_BYTES)?];
        file.read_exact(&mut bytes).ok()?;
        (block.checksum == xxh3_64(&bytes)).then_some(bytes)
    }

    /// Returns a block's records, and the rows without key; nothing where it is not as it was written.
    pub(super) fn block(&self, block: usize) -> Option<(Vec<Record>, Vec<u32>)> {
        let block = self.trailer.blocks.get(block)?;
        let (first, bytes) = (usize::try_from(block.start).ok()?, self.bytes(block)?);
        let (mut records, mut no_key) = (Vec::with_capacity(bytes.len() / ROW_BYTES), Vec::new());
        for (row, bytes) in bytes.as_chunks::<ROW_BYTES>().0.iter().enumerate() {
            let at = u32::try_from(first + row).ok()?;
            match bytes == &NO_KEY {
                true => no_key.push(at),
                false => records.push(record(bytes, at)),
            }
        }
        Some((records, no_key))
    }
}

fn record(bytes: &[u8; ROW_BYTES], at: u32) -> Record {
    let long = |from: usize| {
        let mut word = [0; 8];
        word.copy_from_slice(&bytes[from..from + 8]);
        u64::from_le_bytes(word)
    };
    let mut half = [0; 4];
    half.copy_from_slice(&bytes[8..12]);
    Record { key: long(0), key_rest: u32::from_le_bytes(half), at, row: long(12) }
}

/// Rows while they are put beside the snapshot. What cannot be written is not kept; nobody misses it.
pub(super) struct Keeping<'p> {
    place: &'p Place,
    file: Mutex<Option<(NamedTempFile, Vec<Block>)>>,
}

impl Keeping<'_> {
    /// Keeps rows of which the first has the index `start`; `records` ascend by row, those that are not there have no key.
    pub(super) fn put(&self, start: u64, rows: usize, records: &[Record]) {
        let mut bytes = vec![0; rows * ROW_BYTES];
        for record in records {
            let row = usize::try_from(u64::from(record.at) - start).unwrap_or(usize::MAX);
            if let Some(place) = row.checked_mul(ROW_BYTES).and_then(|at| bytes.get_mut(at..at + ROW_BYTES)) {
                place[..8].copy_from_slice(&record.key.to_le_bytes());
                place[8..12].copy_from_slice(&record.key_rest.to_le_bytes());
                place[12..].copy_from_slice(&record.row.to_le_bytes());
            }
        }
        let block = Block { start, rows: rows as u64, checksum: xxh3_64(&bytes) };
        let Ok(mut file) = self.file.lock() else { return };
        let done = file.as_mut().map(|(file, blocks)| {
            blocks.push(block);
            let file = file.as_file_mut();
            file.seek(SeekFrom::Start(start * ROW_BYTES as u64)).and_then(|_| file.write_all(&bytes))
        });
        if !matches!(done, Some(Ok(()))) {
            *file = None;
        }
    }

    /// Completes the file and gives it its name, in the place of others like it.
    pub(super) fn finish(self, longest: &BTreeMap<String, u64>) {
        let Ok(Some((file, blocks))) = self.file.into_inner() else { return };
        let _ = complete(self.place, file, blocks, longest);
    }
}

fn complete(
    place: &Place,
    mut file: NamedTempFile,
    mut blocks: Vec<Block>,
    longest: &BTreeMap<String, u64>,
) -> std::io::Result<()> {
    blocks.sort_unstable();
    let trailer =
        Trailer { made_of: place.made_of.clone(), rows: place.rows, blocks, longest: longest.clone() };
    let text = serde_json::to_vec(&trailer)?;
    let end = file.as_file_mut();
    end.seek(SeekFrom::End(0))?;
    end.write_all(&text)?;
    end.write_all(&(text.len() as u64).to_le_bytes())?;
    let path = place.path();
    remove_others(&place.folder, &path);
    file.persist(path)?;
    Ok(())
}

/// Removes what was kept in another way: there is one such file a snapshot.
fn remove_others(folder: &Path, own: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let named = path.file_name().and_then(|name| name.to_str());
        if path != own && named.is_some_and(|name| name.starts_with(PREFIX)) {
            let _ = std::fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: u32) -> Vec<Record> {
        let of = |at: u32| Record { key: u64::from(at) << 40 | 7, key_rest: at, at, row: u64::from(at) * 3 };
        (0..count).filter(|at| at % 5 != 2).map(of).collect()
    }

    fn read(place: &Place) -> Option<(Vec<Record>, Vec<u32>)> {
        let kept = place.open()?;
        let (mut records, mut no_key) = (Vec::new(), Vec::new());
        for block in 0..kept.blocks() {
            let (more, without) = kept.block(block)?;
            records.extend(more);
            no_key.extend(without);
        }
        Some((records, no_key))
    }

    #[test]
    fn what_is_kept_is_read_again_unless_something_is_wrong_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let count = 70_009;
        let place = Place::new(folder.path().to_owned(), "this way".to_owned(), u64::from(count));
        assert!(place.open().is_none());
        let all = rows(count);
        let keeping = place.keep().unwrap();
        let middle = all.partition_point(|record| record.at < 100);
        // Later rows may come first.
        keeping.put(100, count as usize - 100, &all[middle..]);
        keeping.put(0, 100, &all[..middle]);
        let longest = BTreeMap::from([("name".to_owned(), 12)]);
        keeping.finish(&longest);
        let (records, no_key) = read(&place).unwrap();
        assert_eq!(records, all);
        assert_eq!(no_key, (0..count).filter(|at| at % 5 == 2).collect::<Vec<_>>());
        assert_eq!(place.open().unwrap().longest(), &longest);

        // Another way, another number of rows, a byte that is not as it was, a file cut short.
        assert!(
            Place::new(folder.path().to_owned(), "that way".to_owned(), u64::from(count)).open().is_none()
        );
        assert!(Place { rows: 7, ..place.clone() }.open().is_none());
        let bytes = std::fs::read(place.path()).unwrap();
        for at in [0, 12, 70_000, bytes.len() - 9] {
            let mut other = bytes.clone();
            other[at] ^= 1;
            std::fs::write(place.path(), other).unwrap();
            assert!(read(&place).is_none(), "{at}");
        }
        std::fs::write(place.path(), &bytes[..bytes.len() - 1]).unwrap();
        assert!(read(&place).is_none());
        std::fs::write(place.path(), &bytes).unwrap();
        assert!(read(&place).is_some());

        // One file a snapshot, and nothing of what was given up.
        let other = Place::new(folder.path().to_owned(), "that way".to_owned(), 1);
        other.keep().unwrap().put(0, 1, &rows(1));
        let keeping = other.keep().unwrap();
        keeping.put(0, 1, &rows(1));
        keeping.finish(&BTreeMap::new());
        assert!(place.open().is_none());
        assert_eq!(read(&other).unwrap().0, rows(1));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
