//! Everything that is generated: the tables of both sides, and the homes that tie their rows together.

use super::people::People;
use super::random::Random;
use super::table::{Cell, Row, Side, plain};
use super::truth::Defect;

pub const PROPERTIES: usize = 0;
pub const HOUSEHOLDS: usize = 1;
pub const MEMBERS: usize = 2;
pub const TENANCIES: usize = 3;
pub const TRANSACTIONS: usize = 4;
pub const TENURES: usize = 5;
/// The datasets' names, by the numbers above.
pub const NAMES: [&str; 6] = ["properties", "households", "members", "tenancies", "transactions", "tenures"];

/// A dwelling and those who live or lived in it, as indexes of rows that are the same on both sides.
#[derive(Clone)]
pub struct Home {
    pub property: usize,
    pub lets: Vec<Let>,
}

impl Home {
    /// The only let of a home that has one.
    pub fn only(&self) -> &Let {
        &self.lets[0]
    }
}

/// One household and its tenancy.
#[derive(Clone)]
pub struct Let {
    pub household: usize,
    pub members: Vec<usize>,
    pub tenancy: usize,
    pub transactions: Vec<usize>,
}

/// All tables, and what was planted in them.
pub struct World {
    pub random: Random,
    pub people: People,
    pub source: Vec<Side>,
    /// Without the code list, which has no target.
    pub target: Vec<Side>,
    /// Homes that no defect has touched yet, in the order in which they are taken.
    pub untouched: Vec<Home>,
    pub defects: Vec<Defect>,
}

impl World {
    /// Takes `n` homes that no other defect has touched and that `wanted` accepts.
    pub fn take(&mut self, n: usize, wanted: impl Fn(&World, &Home) -> bool) -> Vec<Home> {
        let mut taken = Vec::new();
        let mut at = 0;
        while taken.len() < n {
            assert!(at < self.untouched.len(), "there are too few untouched homes of the sort wanted");
            if self.untouched[at].lets.len() == 1 && wanted(self, &self.untouched[at]) {
                taken.push(self.untouched.remove(at));
            } else {
                at += 1;
            }
        }
        taken
    }

    pub fn any(&mut self, n: usize) -> Vec<Home> {
        self.take(n, |_, _| true)
    }

    /// A source cell's text, without padding; blank is nothing.
    pub fn raw(&self, set: usize, row: usize, column: &str) -> Option<&str> {
        self.source[set].text(row, column)
    }

    /// A target cell's text; blank is nothing.
    pub fn there(&self, set: usize, row: usize, column: &str) -> Option<&str> {
        self.target[set].text(row, column)
    }

    pub fn key(&self, set: usize, row: usize) -> String {
        self.source[set].rows[row].key.clone()
    }

    pub fn set_source(&mut self, set: usize, row: usize, column: &str, cell: Cell) {
        let at = self.source[set].index(column);
        self.source[set].rows[row].cells[at] = cell;
    }

    pub fn set_target(&mut self, set: usize, row: usize, column: &str, text: Option<&str>) {
        let at = self.target[set].index(column);
        self.target[set].rows[row].cells[at].text = text.map(str::to_owned);
    }

    /// Sets a cell on both sides to a text that no step changes.
    pub fn set_both(&mut self, set: usize, row: usize, column: &str, text: &str) {
        self.set_source(set, row, column, plain(text));
        self.set_target(set, row, column, Some(text));
    }

    pub fn source_fate(&mut self, set: usize, row: usize, fate: &'static str) {
        let row = &mut self.source[set].rows[row];
        assert!(row.fate.is_none_or(|f| f == fate), "{} has two fates in the source", row.key);
        row.fate = Some(fate);
    }

    pub fn target_fate(&mut self, set: usize, row: usize, fate: &'static str) {
        let row = &mut self.target[set].rows[row];
        assert!(row.fate.is_none_or(|f| f == fate), "{} has two fates in the target", row.key);
        row.fate = Some(fate);
    }

    /// Adds a row to the source like row `like`, with another key.
    pub fn copy_source(&mut self, set: usize, like: usize, key: impl Into<String>) -> usize {
        let row = self.copy_both(set, like, &key.into());
        self.target[set].rows[row].present = false;
        row
    }

    /// Adds a row to the target like row `like`, with another key and a new GUID where it has one.
    pub fn copy_target(&mut self, set: usize, like: usize, key: impl Into<String>) -> usize {
        let row = self.copy_both(set, like, &key.into());
        self.source[set].rows[row].present = false;
        row
    }

    /// Adds a row to both sides: the indexes of rows stay the same on both.
    pub fn copy_both(&mut self, set: usize, like: usize, key: &str) -> usize {
        for side in [&mut self.source[set], &mut self.target[set]] {
            let row = Row { key: key.to_owned(), fate: None, ..side.rows[like].clone() };
            side.rows.push(row);
        }
        if self.target[set].columns[0].ours.ends_with("_guid") {
            let guid = self.random.guid();
            self.target[set].rows.last_mut().expect("a row").cells[0] = plain(guid);
        }
        self.source[set].rows.len() - 1
    }

    /// A target cell differs from what is expected there.
    pub fn differ(&mut self, d: &mut Defect, set: usize, row: usize, column: &str, text: Option<&str>) {
        let key = self.key(set, row);
        let changes_totals = matches!(column, "cur_bal" | "tenure" | "real_value" | "trans_type");
        if changes_totals {
            self.touch(d, set, row);
        }
        self.set_target(set, row, column, text);
        if changes_totals {
            self.touch(d, set, row);
        }
        self.source_fate(set, row, "mismatched");
        self.target_fate(set, row, "mismatched");
        d.found(set, &format!("reconcile-{column}"), "target", &key, Some(column));
    }

    /// A row of both sides fails a check on both.
    pub fn fails(&self, d: &mut Defect, set: usize, row: usize, rule: &str, column: Option<&str>) {
        d.found(set, rule, "expected", &self.key(set, row), column);
        d.found(set, rule, "target", &self.key(set, row), column);
    }

    /// A row did not reach the target.
    pub fn lose(&mut self, d: &mut Defect, set: usize, row: usize) {
        self.touch(d, set, row);
        self.source_fate(set, row, "missing");
        self.target[set].rows[row].present = false;
        d.found(set, "reconcile-missing", "expected", &self.key(set, row), None);
    }

    /// A row stands in the target only.
    pub fn unexpected(&mut self, d: &mut Defect, set: usize, row: usize) {
        self.target_fate(set, row, "unexpected");
        let key = self.target[set].rows[row].key.clone();
        d.found(set, "reconcile-unexpected", "target", &key, None);
    }

    /// A row of the source is held back; its row in the target has that origin, and should not be there.
    pub fn hold_back(&mut self, d: &mut Defect, set: usize, row: usize) {
        self.touch(d, set, row);
        self.source_fate(set, row, "quarantined");
        self.target_fate(set, row, "from_quarantined");
        if let Some(there) =
            self.target.get(set).and_then(|target| target.rows.get(row)).filter(|row| row.present)
        {
            d.found(set, "reconcile-from_quarantined", "target", &there.key, None);
        }
        *d.held_back.entry(NAMES[set]).or_default() += 1;
    }

    /// Notes that the row's groups of totals may differ because of the defect.
    pub fn touch(&self, d: &mut Defect, set: usize, row: usize) {
        for group in [self.expected_group(set, row), self.target_group(set, row)].into_iter().flatten() {
            d.touched.insert((set, group));
        }
    }

    /// The group of totals to which a row of expected belongs.
    pub fn expected_group(&self, set: usize, row: usize) -> Option<String> {
        let row = &self.source[set].rows.get(row)?;
        let text = |column| row.cells[self.source[set].index(column)].text.clone().unwrap_or_default();
        match set {
            TENANCIES => Some(super::codes::tenure_description(&text("tenure").to_uppercase()).to_owned()),
            TRANSACTIONS => Some(text("trans_type")),
            _ => None,
        }
    }

    /// The group of totals to which a row of the target belongs.
    pub fn target_group(&self, set: usize, row: usize) -> Option<String> {
        self.target.get(set)?.rows.get(row)?;
        match set {
            TENANCIES => self.there(set, row, "tenure").map(str::to_owned),
            TRANSACTIONS => self.there(set, row, "trans_type").map(str::to_owned),
            _ => None,
        }
    }
}
