//! What was planted, and all that follows from it.

use std::collections::{BTreeMap, BTreeSet};

use super::world::{NAMES, TENANCIES, TRANSACTIONS, World};

/// A finding that follows from a defect.
#[derive(Clone)]
pub struct Finding {
    pub dataset: &'static str,
    pub rule: String,
    pub side: &'static str,
    pub key: Option<String>,
    pub column: Option<String>,
    /// The class of an orphan.
    pub class: Option<&'static str>,
}

/// One kind of defect, planted one or more times.
pub struct Defect {
    pub id: &'static str,
    pub says: &'static str,
    pub dataset: &'static str,
    pub kind: &'static str,
    /// The keys at which it was planted.
    pub keys: Vec<String>,
    /// One for each finding; rows that share a key repeat it.
    pub findings: Vec<Finding>,
    /// Rows of each dataset that are held back.
    pub held_back: BTreeMap<&'static str, usize>,
    /// Groups of totals that it may have changed.
    pub touched: BTreeSet<(usize, String)>,
}

impl Defect {
    pub fn new(id: &'static str, set: usize, kind: &'static str, says: &'static str) -> Defect {
        Defect {
            id,
            says,
            dataset: NAMES[set],
            kind,
            keys: Vec::new(),
            findings: Vec::new(),
            held_back: BTreeMap::new(),
            touched: BTreeSet::new(),
        }
    }

    /// How often it was planted; a defect of a whole side has no key.
    pub fn count(&self) -> usize {
        self.keys.len().max(1)
    }

    pub fn at(&mut self, key: impl Into<String>) {
        self.keys.push(key.into());
    }

    pub fn found(&mut self, set: usize, rule: &str, side: &'static str, key: &str, column: Option<&str>) {
        self.push(set, rule, side, Some(key), column, None);
    }

    /// An orphan, with its class.
    pub fn orphan(&mut self, set: usize, columns: &str, side: &'static str, key: &str, class: &'static str) {
        let column = Some(columns).filter(|c| !c.contains('-'));
        self.push(set, &format!("foreign_key-{columns}"), side, Some(key), column, Some(class));
    }

    /// A finding about a side as a whole.
    pub fn found_of_side(&mut self, set: usize, rule: &str, side: &'static str, column: Option<&str>) {
        self.push(set, rule, side, None, column, None);
    }

    fn push(
        &mut self,
        set: usize,
        rule: &str,
        side: &'static str,
        key: Option<&str>,
        column: Option<&str>,
        class: Option<&'static str>,
    ) {
        self.findings.push(Finding {
            dataset: NAMES[set],
            rule: rule.to_owned(),
            side,
            key: key.map(str::to_owned),
            column: column.map(str::to_owned),
            class,
        });
    }
}

/// Count and sum, in pence, of one group on both sides; nothing where a side has no such row.
#[derive(Default)]
pub struct Total {
    pub expected: Option<(usize, i64)>,
    pub target: Option<(usize, i64)>,
}

impl Total {
    /// The aggregates that differ.
    pub fn differing(&self) -> Vec<&'static str> {
        let mut differing = Vec::new();
        if self.expected.unwrap_or_default().0 != self.target.unwrap_or_default().0 {
            differing.push("count");
        }
        if self.expected.map(|t| t.1) != self.target.map(|t| t.1) {
            differing.push("sum");
        }
        differing
    }
}

/// All that a run must report of one dataset besides its findings.
#[derive(Default)]
pub struct Account {
    pub source: BTreeMap<&'static str, usize>,
    pub target: BTreeMap<&'static str, usize>,
    /// Cells changed, by the id of the rule.
    pub corrections: BTreeMap<&'static str, usize>,
    /// Those of them in rows that were then held back or merged.
    pub corrections_held_back: BTreeMap<&'static str, usize>,
    /// The rule's id, and its groups.
    pub totals: Option<(&'static str, BTreeMap<String, Total>)>,
}

/// The columns of totals: the rule, the amount and the group.
fn total_rule(set: usize) -> Option<(&'static str, &'static str)> {
    match set {
        TENANCIES => Some(("total-cur_bal-tenure", "cur_bal")),
        TRANSACTIONS => Some(("total-real_value-trans_type", "real_value")),
        _ => None,
    }
}

/// Adds up one dataset.
pub fn account(world: &World, set: usize) -> Account {
    let mut account = Account::default();
    let two_sided = set < world.target.len();
    for row in world.source[set].rows.iter().filter(|row| row.present) {
        let changes: Vec<&'static str> =
            row.cells.iter().flat_map(|cell| cell.steps.iter().copied()).collect();
        let fate = match row.fate {
            Some(fate) => fate,
            None if !two_sided => "kept",
            None if changes.is_empty() => "matched_unchanged",
            None => "matched_cleansed",
        };
        *account.source.entry(fate).or_default() += 1;
        assert!(fate != "out_of_scope" || changes.is_empty(), "{} is out of scope but mended", row.key);
        for rule in changes {
            *account.corrections.entry(rule).or_default() += 1;
            if matches!(fate, "quarantined" | "merged") {
                *account.corrections_held_back.entry(rule).or_default() += 1;
            }
        }
    }
    if two_sided {
        for row in world.target[set].rows.iter().filter(|row| row.present) {
            *account.target.entry(row.fate.unwrap_or("matched")).or_default() += 1;
        }
    }
    if let Some((rule, column)) = total_rule(set) {
        account.totals = Some((rule, totals(world, set, column)));
    }
    account
}

fn totals(world: &World, set: usize, column: &str) -> BTreeMap<String, Total> {
    let mut groups: BTreeMap<String, Total> = BTreeMap::new();
    for (i, row) in world.source[set].rows.iter().enumerate() {
        if row.present && !matches!(row.fate, Some("out_of_scope" | "merged" | "quarantined")) {
            let group = groups.entry(world.expected_group(set, i).unwrap_or_default()).or_default();
            let sum = group.expected.get_or_insert_default();
            *sum = (sum.0 + 1, sum.1 + pence(world.raw(set, i, column).unwrap_or_default()));
        }
    }
    for (i, row) in world.target[set].rows.iter().enumerate() {
        if row.present && row.fate != Some("out_of_scope") {
            let group = groups.entry(world.target_group(set, i).unwrap_or_default()).or_default();
            let sum = group.target.get_or_insert_default();
            *sum = (sum.0 + 1, sum.1 + pence(world.there(set, i, column).unwrap_or_default()));
        }
    }
    groups
}

/// Adds to each defect the totals that differ because of it.
pub fn add_totals(world: &mut World) {
    for set in [TENANCIES, TRANSACTIONS] {
        let Some((rule, groups)) = account(world, set).totals else { continue };
        for (group, total) in groups {
            let mut explained = false;
            for defect in world.defects.iter_mut().filter(|d| d.touched.contains(&(set, group.clone()))) {
                for aggregate in total.differing() {
                    defect.found(set, rule, "target", &group, Some(aggregate));
                    explained = true;
                }
            }
            assert!(explained || total.differing().is_empty(), "nothing explains {rule} of {group}");
        }
    }
}

/// Reads an amount as pence, in any of the forms that the extracts have.
pub fn pence(text: &str) -> i64 {
    let negative = text.starts_with('-') || text.starts_with('(');
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let pence: i64 = digits.parse().expect("an amount");
    if negative { -pence } else { pence }
}

/// Writes pence as an amount.
pub fn amount(pence: i64) -> String {
    format!("{}{}.{:02}", if pence < 0 { "-" } else { "" }, pence.abs() / 100, pence.abs() % 100)
}
