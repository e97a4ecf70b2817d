//! How a table is divided into parts, so that any of them can be read again.
//!
//! A part is a range of the blocks in which the rows lie, of a table and all that inherit from it. Rows that do not
//! change stay where they are for as long as the table keeps its files.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::source::Rate;
use crate::source::origin::Origin;

use super::describe::Table;

/// The most blocks of a part, together 64 MiB.
const PART_BLOCKS: u64 = 8_192;
/// The fewest, where a rate makes parts smaller: 2 MiB.
const LEAST_BLOCKS: u64 = 256;
/// The most rows of a part, as far as the server's estimate is right.
const PART_ROWS: u64 = 1_000_000;
/// The bytes of a block, unless the server was built otherwise.
const BLOCK_BYTES: u64 = 8_192;
/// The most parts of a table: each leaves a file.
const MOST_PARTS: u64 = 4_096;

/// What is needed to read any part again, as it stands beside the unfinished snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Plan {
    /// Where the rows lie; nothing where the table can only be read as a whole.
    stored: Option<Stored>,
    /// Columns that come as texts, by their names, and why.
    pub texts: BTreeMap<String, String>,
    /// The database.
    pub origin: Origin,
}

/// Where the rows of a table lie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stored {
    /// The table.
    oid: u32,
    /// It and all that inherit from it, each with the number of its file.
    files: Vec<(u32, u32)>,
    /// The first block of each part but the first.
    bounds: Vec<u64>,
}

impl Stored {
    /// Divides tables that have so many blocks and, as far as that is known, rows: a part holds no more than a minute's
    /// worth of what the rate lets through.
    pub fn new(
        oid: u32,
        files: Vec<(u32, u32)>,
        blocks: &[u64],
        rows: Option<u64>,
        rate: Option<Rate>,
    ) -> Self {
        let all: u64 = blocks.iter().sum();
        let of_rows = |most: u64| rows.filter(|rows| *rows > 0).map(|rows| most.saturating_mul(all) / rows);
        let in_a_minute = match rate {
            None => None,
            Some(Rate::Rows(most)) => of_rows(most.saturating_mul(60)),
            Some(Rate::Bytes(most)) => Some(most.saturating_mul(60) / BLOCK_BYTES),
        };
        let most = [of_rows(PART_ROWS), in_a_minute].into_iter().flatten().min().unwrap_or(PART_BLOCKS);
        Stored { oid, files, bounds: bounds(blocks, most.clamp(LEAST_BLOCKS, PART_BLOCKS)) }
    }

    /// Makes one part of all.
    pub fn in_one_part(self) -> Self {
        Stored { bounds: Vec::new(), ..self }
    }
}

/// Returns where parts begin, so that each has about as many blocks, over all tables.
fn bounds(blocks: &[u64], most: u64) -> Vec<u64> {
    let total: u64 = blocks.iter().sum();
    let parts = total.div_ceil(most).clamp(1, MOST_PARTS);
    // The blocks of all tables that lie before one.
    let before = |block: u64| -> u64 { blocks.iter().map(|all| block.min(*all)).sum() };
    let last = blocks.iter().copied().max().unwrap_or(0);
    let mut bounds = Vec::new();
    for part in 1..parts {
        let wanted = total / parts * part;
        let (mut low, mut high) = (0, last);
        while low < high {
            let middle = low.midpoint(high);
            if before(middle) < wanted {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if bounds.last().is_none_or(|bound| *bound < low) && low > 0 {
            bounds.push(low);
        }
    }
    bounds
}

impl Plan {
    /// Makes the plan of a table.
    pub fn new(stored: Option<Stored>, texts: BTreeMap<String, String>) -> Self {
        Plan { stored, texts, origin: Origin::default() }
    }

    /// Reads what an earlier reading has left.
    pub fn read(json: &Json) -> Option<Self> {
        Plan::deserialize(json).ok()
    }

    /// Writes it down for a later reading.
    pub fn write(&self) -> Json {
        serde_json::to_value(self).unwrap_or(Json::Null)
    }

    /// Returns the number of parts.
    pub fn parts(&self) -> usize {
        self.stored.as_ref().map_or(1, |stored| stored.bounds.len() + 1)
    }

    /// Returns true where the rows of a part are found by where they lie.
    pub fn has_ranges(&self) -> bool {
        self.stored.as_ref().is_some_and(|stored| !stored.bounds.is_empty())
    }

    /// Returns true where the parts of another plan are those of this one, for the same tables and files.
    ///
    /// The table may have grown or shrunk: the last part has no end.
    pub fn is_still(&self, earlier: &Plan) -> bool {
        let places = |plan: &Plan| plan.stored.as_ref().map(|s| (s.oid, s.files.clone()));
        self.texts == earlier.texts
            && self.stored.is_some()
            && places(self) == places(earlier)
            && self.origin == earlier.origin
    }

    /// Returns a query whose only value is `t` while the tables have their files.
    pub fn test_of_files(&self) -> Option<String> {
        let stored = self.stored.as_ref().filter(|stored| !stored.files.is_empty())?;
        let values: Vec<String> =
            stored.files.iter().map(|(oid, file)| format!("({oid}::oid, {file}::oid)")).collect();
        Some(format!(
            "SELECT count(*) = 0 FROM (VALUES {}) AS v(o, f) \
             WHERE pg_catalog.pg_relation_filenode(v.o) IS DISTINCT FROM v.f",
            values.join(", ")
        ))
    }

    /// Returns the condition of a part.
    fn range(&self, part: usize) -> Option<String> {
        let bounds = &self.stored.as_ref()?.bounds;
        let from =
            part.checked_sub(1).and_then(|at| bounds.get(at)).map(|b| format!("ctid >= '({b},0)'::tid"));
        let to = bounds.get(part).map(|b| format!("ctid < '({b},0)'::tid"));
        let both: Vec<String> = from.into_iter().chain(to).collect();
        (!both.is_empty()).then(|| both.join(" AND "))
    }
}

impl Table {
    /// Returns the statement that copies out a part.
    pub fn copy(&self, part: usize) -> String {
        let condition = self.condition.as_ref().map(|condition| format!("(\n{condition}\n)"));
        let among = self.among.as_ref().map(|among| format!("({among})"));
        let conditions: Vec<String> =
            condition.into_iter().chain(among).chain(self.plan.range(part)).collect();
        let filter = if conditions.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", conditions.join(" AND "))
        };
        format!("COPY ({}{filter}) TO STDOUT (FORMAT binary)", self.select)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_table_is_one_part() {
        for blocks in [&[][..], &[0], &[8_192], &[10, 20, 30]] {
            assert!(bounds(blocks, PART_BLOCKS).is_empty(), "{blocks:?}");
        }
    }

    #[test]
    fn parts_are_of_one_size() {
        assert_eq!(bounds(&[8_193], PART_BLOCKS), [4_096]);
        assert_eq!(bounds(&[81_920], PART_BLOCKS), (1..10).map(|i| i * 8_192).collect::<Vec<_>>());
        // Ten tables side by side.
        let even = bounds(&[8_192; 10], PART_BLOCKS);
        assert_eq!(even.len(), 9);
        assert_eq!(even[0], 820);
        // One large among many small: the small ones lie in the first part.
        let mut blocks = vec![1; 100];
        blocks.push(81_920);
        let uneven = bounds(&blocks, PART_BLOCKS);
        assert_eq!(uneven.len(), 10);
        assert!(uneven.windows(2).all(|pair| pair[0] < pair[1]), "{uneven:?}");
        assert!(bounds(&[u64::from(u32::MAX)], PART_BLOCKS).len() < 4_096);
    }

    #[test]
    fn a_part_is_what_a_minute_lets_through() {
        let parts = |rows, rate| Stored::new(1, Vec::new(), &[8_192], rows, rate).bounds.len() + 1;
        assert_eq!(parts(None, None), 1);
        assert_eq!(parts(Some(4_000_000), None), 4);
        // 8,192 blocks are 64 MiB.
        assert_eq!(parts(Some(10), Some(Rate::Bytes(256 << 10))), 5);
        assert_eq!(parts(Some(600_000), Some(Rate::Rows(1_000))), 11);
        // A file for every second would be too many.
        assert_eq!(parts(Some(600_000), Some(Rate::Rows(1))), 32);
    }

    #[test]
    fn ranges_leave_nothing_out() {
        let stored = Stored { oid: 1, files: vec![(1, 2)], bounds: vec![10, 20] };
        let plan = Plan::new(Some(stored), BTreeMap::new());
        assert_eq!(plan.parts(), 3);
        assert_eq!(plan.range(0).unwrap(), "ctid < '(10,0)'::tid");
        assert_eq!(plan.range(1).unwrap(), "ctid >= '(10,0)'::tid AND ctid < '(20,0)'::tid");
        assert_eq!(plan.range(2).unwrap(), "ctid >= '(20,0)'::tid");
        assert_eq!(Plan::read(&plan.write()), Some(plan.clone()));
        assert!(plan.test_of_files().unwrap().contains("(1::oid, 2::oid)"));
        let whole = Plan::new(None, BTreeMap::new());
        assert_eq!((whole.parts(), whole.range(0), whole.test_of_files()), (1, None, None));
        assert!(!whole.is_still(&whole));
        let mut elsewhere = plan.clone();
        assert!(plan.is_still(&elsewhere));
        elsewhere.origin.named = "another".to_owned();
        assert!(!plan.is_still(&elsewhere));
    }
}
