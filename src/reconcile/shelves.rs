//! What is kept of every row while two sides are joined: 24 bytes, by ranges of key hashes, in memory or on the disk.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Read, Write};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

use crate::rule::RuleError;

/// What is kept of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Record {
    /// The upper 64 bits of the hash of its key.
    pub(super) key: u64,
    /// The next 32 bits.
    pub(super) key_rest: u32,
    /// The row's index in its side, from 0.
    pub(super) at: u32,
    /// The hash of what is compared.
    pub(super) row: u64,
}

/// The bytes of a record, in memory and on the disk.
const RECORD_BYTES: usize = 24;
const _: () = assert!(size_of::<Record>() == RECORD_BYTES);

impl Record {
    /// Makes the record of a row.
    pub(super) fn new(key: u128, row: u64, at: u32) -> Record {
        let word = |shift: u32| u64::try_from((key >> shift) & u128::from(u64::MAX)).unwrap_or(0);
        Record { key: word(64), key_rest: u32::try_from(word(0) >> 32).unwrap_or(0), at, row }
    }

    /// Returns what two records with the same key share.
    pub(super) fn key(&self) -> (u64, u32) {
        (self.key, self.key_rest)
    }

    fn to_bytes(self) -> [u8; RECORD_BYTES] {
        let mut bytes = [0; RECORD_BYTES];
        bytes[..8].copy_from_slice(&self.key.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.key_rest.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.at.to_le_bytes());
        bytes[16..].copy_from_slice(&self.row.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8; RECORD_BYTES]) -> Record {
        let long = |at: usize| {
            let mut word = [0; 8];
            word.copy_from_slice(&bytes[at..at + 8]);
            u64::from_le_bytes(word)
        };
        let middle = long(8);
        let half = |word: u64| u32::try_from(word & u64::from(u32::MAX)).unwrap_or(0);
        Record { key: long(0), key_rest: half(middle), at: half(middle >> 32), row: long(16) }
    }
}

/// The records of one side, divided by ranges of the hashes of their keys.
pub(super) struct Shelves<'a> {
    all: Vec<Mutex<Shelf>>,
    room: &'a Room,
    side: &'static str,
}

/// The records of one range.
#[derive(Default)]
struct Shelf {
    /// Blocks of records, full but for the last.
    held: Vec<Vec<Record>>,
    /// The file with those that are no longer held, and how many it has.
    file: Option<(PathBuf, usize)>,
}

/// Records of a block.
const BLOCK_RECORDS: usize = 256;

impl Shelf {
    fn add(&mut self, mut records: &[Record]) {
        while !records.is_empty() {
            match self.held.last_mut().filter(|block| block.len() < BLOCK_RECORDS) {
                Some(block) => {
                    let (now, rest) = records.split_at(records.len().min(BLOCK_RECORDS - block.len()));
                    block.extend_from_slice(now);
                    records = rest;
                }
                None => self.held.push(Vec::with_capacity(BLOCK_RECORDS)),
            }
        }
    }
}

/// The memory that the records of both sides may take, and where they go beyond it.
pub(super) struct Room {
    most: Option<usize>,
    held: AtomicUsize,
    folder: PathBuf,
    spilled: Mutex<Option<TempDir>>,
}

impl Room {
    /// Makes room of so many bytes, or without a limit; beyond it, a folder inside `folder` is made.
    pub(super) fn new(most: Option<usize>, folder: PathBuf) -> Room {
        Room { most, held: AtomicUsize::new(0), folder, spilled: Mutex::new(None) }
    }

    /// Returns a file of the folder for what has no room.
    fn file(&self, name: &str) -> std::io::Result<PathBuf> {
        let mut spilled =
            self.spilled.lock().map_err(|_| std::io::Error::other("a thread that was writing failed"))?;
        let folder = match spilled.as_ref() {
            Some(folder) => folder,
            None => spilled.insert(
                tempfile::Builder::new().prefix(".reconcile-").suffix(".part").tempdir_in(&self.folder)?,
            ),
        };
        Ok(folder.path().join(name))
    }
}

impl<'a> Shelves<'a> {
    /// Makes `count` empty shelves, a power of two.
    pub(super) fn new(count: usize, side: &'static str, room: &'a Room) -> Shelves<'a> {
        let all = (0..count.next_power_of_two()).map(|_| Mutex::default()).collect();
        Shelves { all, room, side }
    }

    /// Returns the number of shelves.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Returns the shelf of a key.
    fn shelf_of(&self, record: &Record) -> usize {
        let bits = self.all.len().trailing_zeros();
        if bits == 0 { 0 } else { usize::try_from(record.key >> (64 - bits)).unwrap_or(0) }
    }

    /// Puts records on their shelves.
    ///
    /// # Errors
    /// Where there is no room for them, and they cannot be written to the disk.
    pub(super) fn put(&self, records: &[Record]) -> Result<(), RuleError> {
        let mut counts = vec![0_usize; self.len() + 1];
        for record in records {
            counts[self.shelf_of(record) + 1] += 1;
        }
        for index in 1..counts.len() {
            counts[index] += counts[index - 1];
        }
        let mut sorted = records.to_vec();
        let mut next = counts.clone();
        for record in records {
            let place = &mut next[self.shelf_of(record)];
            sorted[*place] = *record;
            *place += 1;
        }
        // Counted before they are there: another thread may spill them at once.
        let bytes = records.len() * RECORD_BYTES;
        let held = self.room.held.fetch_add(bytes, Ordering::Relaxed) + bytes;
        for (shelf, range) in self.all.iter().zip(counts.windows(2)) {
            if range[0] < range[1] {
                locked(shelf)?.add(&sorted[range[0]..range[1]]);
            }
        }
        if self.room.most.is_some_and(|most| held > most) {
            for index in 0..self.len() {
                self.spill(index)?;
            }
        }
        Ok(())
    }

    /// Writes what a shelf holds to its file.
    fn spill(&self, index: usize) -> Result<(), RuleError> {
        let failed = |error: std::io::Error| {
            RuleError::Refused(format!(
                "what does not fit into the memory cannot be written into `{}`: {error}",
                self.room.folder.display()
            ))
        };
        let Some(shelf) = self.all.get(index) else { return Ok(()) };
        let mut shelf = locked(shelf)?;
        let held = std::mem::take(&mut shelf.held);
        let count: usize = held.iter().map(Vec::len).sum();
        if count == 0 {
            return Ok(());
        }
        let (path, there) = match shelf.file.take() {
            Some(file) => file,
            None => (self.room.file(&format!("{}-{index}", self.side)).map_err(failed)?, 0),
        };
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
        let mut file = BufWriter::with_capacity(256 << 10, file);
        for record in held.iter().flatten() {
            file.write_all(&record.to_bytes()).map_err(failed)?;
        }
        file.flush().map_err(failed)?;
        shelf.file = Some((path, there + count));
        self.room.held.fetch_sub(count * RECORD_BYTES, Ordering::Relaxed);
        Ok(())
    }

    /// Takes the records from a shelf, in no order.
    ///
    /// # Errors
    /// Where those on the disk cannot be read again.
    pub(super) fn take(&self, index: usize) -> Result<Vec<Record>, RuleError> {
        let Some(shelf) = self.all.get(index) else { return Ok(Vec::new()) };
        let Shelf { held, file } = std::mem::take(&mut *locked(shelf)?);
        let count: usize = held.iter().map(Vec::len).sum();
        let spilled = file.as_ref().map_or(0, |(_, count)| *count);
        let mut records = Vec::with_capacity(count + spilled);
        for piece in held {
            records.extend_from_slice(&piece);
        }
        self.room.held.fetch_sub(count * RECORD_BYTES, Ordering::Relaxed);
        if let Some((path, count)) = file {
            let failed = |error: std::io::Error| {
                RuleError::Refused(format!("`{}` cannot be read again: {error}", path.display()))
            };
            let mut bytes = Vec::with_capacity(count * RECORD_BYTES);
            File::open(&path).and_then(|mut file| file.read_to_end(&mut bytes)).map_err(failed)?;
            let (whole, rest) = bytes.as_chunks::<RECORD_BYTES>();
            if whole.len() != count || !rest.is_empty() {
                return Err(failed(std::io::ErrorKind::UnexpectedEof.into()));
            }
            records.extend(whole.iter().map(Record::from_bytes));
            std::fs::remove_file(&path).map_err(failed)?;
        }
        Ok(records)
    }
}

fn locked(shelf: &Mutex<Shelf>) -> Result<std::sync::MutexGuard<'_, Shelf>, RuleError> {
    shelf.lock().map_err(|_| RuleError::Refused("a thread that held a part of the rows failed".to_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_put_is_taken(
            pieces in proptest::collection::vec(proptest::collection::vec(any::<(u128, u64, u32)>(), 0..40), 0..20),
            bits in 0..5_u32,
            most in proptest::option::of(0..4_000_usize),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let room = Room::new(most, folder.path().to_owned());
            let shelves = Shelves::new(1 << bits, "expected", &room);
            let mut all = Vec::new();
            for piece in &pieces {
                let records: Vec<Record> = piece.iter().map(|(key, row, at)| Record::new(*key, *row, *at)).collect();
                for (record, (key, _, _)) in records.iter().zip(piece) {
                    prop_assert_eq!(u128::from(record.key) << 32 | u128::from(record.key_rest), key >> 32);
                    prop_assert_eq!(Record::from_bytes(&record.to_bytes()), *record);
                }
                shelves.put(&records).unwrap();
                prop_assert!(most.is_none_or(|most| room.held.load(Ordering::Relaxed) <= most));
                all.extend(records);
            }
            let mut taken = Vec::new();
            for shelf in 0..shelves.len() {
                let records = shelves.take(shelf).unwrap();
                prop_assert!(records.iter().all(|record| shelves.shelf_of(record) == shelf));
                taken.extend(records);
            }
            all.sort_unstable();
            taken.sort_unstable();
            prop_assert_eq!(taken, all);
            prop_assert_eq!(room.held.load(Ordering::Relaxed), 0);
            drop(shelves);
            drop(room);
            prop_assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }
}
