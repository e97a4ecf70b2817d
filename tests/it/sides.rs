//! Reconciliations of frames, told by the rows of the frames themselves.

use std::path::Path;
use std::sync::Arc;

use counterfoil::frame::{Frame, Rows, RowsError};
use counterfoil::model::Schema;
use counterfoil::reconcile::{
    Alignment, BoundReconcile, Evidence, Input, KeyGroup, Means, Pair, Reconciliation, reconcile as run,
};

/// Rows that come in pieces of a certain size, in two halves each.
pub struct Pieces<'a> {
    pub frame: &'a Frame,
    pub size: usize,
}

impl Rows for Pieces<'_> {
    fn schema(&self) -> &Schema {
        &self.frame.schema
    }

    fn height(&self) -> u64 {
        self.frame.height() as u64
    }

    fn pieces(&self) -> usize {
        self.frame.height().div_ceil(self.size)
    }

    fn visit(
        &self,
        piece: usize,
        columns: &[String],
        visit: &mut dyn FnMut(u64, Frame),
    ) -> Result<(), RowsError> {
        let (start, end) = (piece * self.size, ((piece + 1) * self.size).min(self.frame.height()));
        let middle = start + (end - start) / 2;
        let fields = self.frame.schema.fields.iter().filter(|f| columns.contains(&f.name)).cloned();
        let schema = Schema { fields: fields.collect() };
        for (from, to) in [(start, middle), (middle, end)] {
            let df = self.frame.df.select(schema.names())?.slice(i64::try_from(from).unwrap(), to - from);
            let rows = Arc::new(self.frame.rows[from..to].to_vec());
            visit(from as u64, Frame { schema: schema.clone(), df, rows });
        }
        Ok(())
    }

    fn fetch(&self, indexes: &[u32]) -> Result<Frame, RowsError> {
        self.frame.fetch(indexes)
    }
}

/// What a reconciliation may use in a test.
pub fn means(memory: Option<u64>, folder: &Path) -> Means<'static> {
    Means { memory, folder: folder.to_owned(), partners: true, stop: &|| false }
}

/// Reconciles with all the memory there is; the error as a text.
pub fn outcome(input: &Input<'_>, bound: &BoundReconcile) -> Result<Reconciliation, String> {
    run(input, bound, &means(None, Path::new("no folder is needed"))).map_err(|error| error.to_string())
}

/// Reconciles two frames, and tells what was found by their own rows: every pair, also those that are the same.
pub fn reconcile(expected: &Frame, target: &Frame, bound: &BoundReconcile) -> Reconciliation {
    let nothing = Frame::default();
    let input = Input { expected, target, quarantined: &nothing, merged: &nothing, former: &nothing };
    whole(&outcome(&input, bound).unwrap(), expected, target)
}

/// Tells what was found by the rows of the two frames, not by those of the evidence.
pub fn whole(found: &Reconciliation, expected: &Frame, target: &Frame) -> Reconciliation {
    let at = |places: &[u32], rows: &[u32]| rows.iter().map(|row| places[*row as usize]).collect();
    let of_expected = |rows: &[u32]| -> Vec<u32> { at(&found.evidence.expected_at, rows) };
    let of_target = |rows: &[u32]| -> Vec<u32> { at(&found.evidence.target_at, rows) };
    // What stands for a natural key is not told apart by tests.
    let groups = |groups: &[KeyGroup], with_key: bool| {
        let mut groups: Vec<KeyGroup> = groups
            .iter()
            .map(|group| KeyGroup {
                key: if with_key { group.key.clone() } else { String::new() },
                expected: of_expected(&group.expected),
                target: of_target(&group.target),
            })
            .collect();
        groups.sort();
        groups
    };
    let pair = |index: u32| {
        let pair = found.rows.pairs[index as usize];
        let expected = found.evidence.expected_at[pair.expected as usize];
        let place = found.partners.binary_search_by_key(&expected, |pair| pair.expected).unwrap();
        assert_eq!(found.partners[place].target, found.evidence.target_at[pair.target as usize]);
        u32::try_from(place).unwrap()
    };
    assert_eq!(found.pairs(), found.partners.len() as u64);
    let mut mismatched = vec![false; found.partners.len()];
    for (index, differs) in (0..).zip(&found.mismatched) {
        mismatched[pair(index) as usize] = *differs;
    }
    let columns = found.columns.iter().map(|column| {
        let mut column = column.clone();
        column.mismatched = column.mismatched.iter().map(|index| pair(*index)).collect();
        column
    });
    Reconciliation {
        rows: Alignment {
            same: 0,
            pairs: found.partners.clone(),
            missing: of_expected(&found.rows.missing),
            unexpected: of_target(&found.rows.unexpected),
            from_quarantined: of_target(&found.rows.from_quarantined),
            from_merged: of_target(&found.rows.from_merged),
            duplicate_expected: of_expected(&found.rows.duplicate_expected),
            duplicate_target: of_target(&found.rows.duplicate_target),
            no_key_expected: of_expected(&found.rows.no_key_expected),
            no_key_target: of_target(&found.rows.no_key_target),
            folded: groups(&found.rows.folded, true),
            natural: found
                .rows
                .natural
                .iter()
                .map(|pair| Pair {
                    expected: found.evidence.expected_at[pair.expected as usize],
                    target: found.evidence.target_at[pair.target as usize],
                })
                .collect(),
            ambiguous: groups(&found.rows.ambiguous, false),
        },
        evidence: Evidence {
            expected: expected.clone(),
            expected_at: (0..u32::try_from(expected.height()).unwrap()).collect(),
            target: target.clone(),
            target_at: (0..u32::try_from(target.height()).unwrap()).collect(),
        },
        partners: found.partners.clone(),
        columns: columns.collect(),
        mismatched,
        longest: found.longest.clone(),
        totals: found.totals.clone(),
        notes: found.notes.clone(),
    }
}
