//! Configuration and schemas to what is compared, how, and what is not.

mod column;
mod key;
mod moved;
mod prepare;
mod tranches;

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;
use indexmap::IndexMap;

use crate::diagnostic::{Diagnostic, Diagnostics, Span, Spanned};
use crate::model::{Family, Field, Logical, Schema, Side};

use super::config::{Aggregate, Amount, Reconcile, RuleFields, Total};
use super::convert::Convert;
use super::meet::{Meeting, Refusal, declared_zone};
use super::moved::ChangedSince;
use super::policy::Policy;
use super::prepare::Preparation;
use super::schema::TypePair;
use super::tranches::BoundTranches;

use key::fits_key;
pub use prepare::Context;

/// The key name that stands for the row's position in the snapshot.
pub const ROW: &str = "_row";

/// The rules of the rows' whereabouts, in the order of the report.
pub const ROW_RULES: [&str; 6] = [
    "reconcile-missing",
    "reconcile-unexpected",
    FROM_QUARANTINED,
    FROM_MERGED,
    "reconcile-duplicate_key",
    "reconcile-no_key",
];

/// The rule of target rows whose key belongs to a row that was held back.
pub const FROM_QUARANTINED: &str = "reconcile-from_quarantined";

/// The rule of target rows whose key belongs to a row that was merged into another.
pub const FROM_MERGED: &str = "reconcile-from_merged";

/// Those of them that are about keys.
const OF_KEYS: [&str; 2] = ["reconcile-duplicate_key", "reconcile-no_key"];

/// The rule of keys that are one only without what policies of the key's columns ignore.
pub const FOLDED_KEY: &str = "reconcile-folded_key";

/// The rule of rows without a partner whose natural key several have.
pub const AMBIGUOUS: &str = "reconcile-ambiguous";

/// The rule of expected's values that the target's columns could not hold.
pub const FIT: &str = "reconcile-fit";

/// The rule of the target's values that the source's columns could not hold.
pub const FIT_BACK: &str = "reconcile-fit-back";

/// The rule of the two sides' structure.
pub const SCHEMA: &str = "reconcile-schema";

/// The rule of sequences whose next number is taken already.
pub const SEQUENCES: &str = "reconcile-sequences";

/// The rule of the time between the two snapshots.
pub const SNAPSHOT_GAP: &str = "reconcile-snapshot-gap";

/// A reconciliation ready for two schemas.
#[derive(Debug, Clone)]
pub struct BoundReconcile {
    /// The key columns, in order.
    pub key: Vec<KeyColumn>,
    /// The columns by which rows find a partner that have none by key.
    pub natural: Vec<ComparedColumn>,
    /// The columns that are compared, in the order of expected's schema.
    pub columns: Vec<ComparedColumn>,
    /// The columns that are not, in the order of expected's schema, then of the target's.
    pub not_compared: Vec<NotCompared>,
    /// What is done before values are compared: to expected, and to the target.
    pub preparations: (Preparation, Preparation),
    /// The totals, in the order of the rule file.
    pub totals: Vec<BoundTotal>,
    /// What makes the tranches of the ledger, where it is split.
    pub tranches: Option<BoundTranches>,
    /// The column that says when a row was changed, where there is one.
    pub changed_since: Option<ChangedSince>,
    /// The pairs of types that may meet, and whether the structure is compared whatever the sides are.
    pub schema: (Vec<TypePair>, bool),
    /// The fields that the user set for rules, by rule id.
    pub rules: IndexMap<String, RuleFields>,
    /// The zone of every column that has one on one side only, compared or not, by our name.
    pub zones: BTreeMap<String, Tz>,
}

/// A column of the key, or of a total's groups: values are the same or not. Only a key's may ignore something.
#[derive(Debug, Clone)]
pub struct KeyColumn {
    /// Our name; [`ROW`] is the row's position.
    pub name: String,
    /// How the two sides meet, in words.
    pub note: String,
    pub(super) expected: Convert,
    pub(super) target: Convert,
    /// What of a key's texts means nothing.
    pub(super) fold: Policy,
}

impl KeyColumn {
    /// Returns true where the values of a side are compared as they stand there.
    pub fn is_as_it_stands(&self, side: Side) -> bool {
        let convert = if side == Side::Target { &self.target } else { &self.expected };
        matches!(convert, Convert::Direct) && self.name != ROW
    }
}

/// A column that is compared.
#[derive(Debug, Clone)]
pub struct ComparedColumn {
    /// Our name.
    pub name: String,
    /// How the two sides meet, in words: "compared as decimal(12,2), giving up nothing".
    pub note: String,
    pub(super) meeting: Meeting,
    /// How they would meet without `as`.
    pub(super) natural: Option<Meeting>,
    pub(super) policy: Policy,
    /// True where codes of the source are replaced by the target's.
    pub mapped: bool,
    /// True where the target's value is calculated: nobody can say what its columns should hold.
    pub calculated: bool,
}

impl ComparedColumn {
    /// Returns the id of the rule that counts codes which are not listed: `reconcile-unmapped-<column>`; nothing where no
    /// codes are replaced.
    pub fn unmapped_rule(&self) -> Option<String> {
        self.mapped.then(|| format!("reconcile-unmapped-{}", self.name))
    }

    /// Returns the id of the column's rule: `reconcile-<column>`.
    pub fn rule(&self) -> String {
        format!("reconcile-{}", self.name)
    }
}

/// A column that is not compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotCompared {
    /// Our name.
    pub name: String,
    /// Why: "part of the key", "excluded", "only in the source" or "only in the target".
    pub reason: &'static str,
}

/// A control total ready for two schemas.
#[derive(Debug, Clone)]
pub struct BoundTotal {
    /// The rule's id: `total-<column>-<by>`.
    pub id: String,
    /// Our name of the column.
    pub column: String,
    /// The columns that make the groups.
    pub by: Vec<KeyColumn>,
    /// The figures, in the order of the rule file.
    pub agg: Vec<Aggregate>,
    /// How much two equal sums, or extremes of numbers, may differ.
    pub tolerance: Option<Amount>,
    /// How the column's values meet, where they are told apart or put in order.
    pub(super) value: Option<KeyColumn>,
    /// Digits behind the point with which numbers are shown.
    pub(super) scale: usize,
}

impl BoundReconcile {
    /// Returns the ids of all rules of the reconciliation, in the order of the report.
    pub fn rule_ids(&self) -> Vec<String> {
        let folded = self.folds().then_some(FOLDED_KEY);
        // Without a key, rows are there or not.
        let of_keys = |id: &&str| self.has_key() || !OF_KEYS.contains(id);
        let ambiguous = (!self.natural.is_empty()).then_some(AMBIGUOUS);
        let rows = ROW_RULES.into_iter().filter(of_keys).chain(folded).chain(ambiguous).map(str::to_owned);
        let columns = self.columns.iter();
        let columns =
            columns.flat_map(|c| self.has_key().then(|| c.rule()).into_iter().chain(c.unmapped_rule()));
        let built = [FIT, FIT_BACK, SCHEMA, SEQUENCES, SNAPSHOT_GAP].map(str::to_owned);
        rows.chain(built).chain(columns).chain(self.totals.iter().map(|t| t.id.clone())).collect()
    }
}

/// Finds out what is compared and how.
///
/// Every column with the same name on both sides is compared, but for the key and what is excluded. Without any column in
/// `key` the rows have no key, and are compared as wholes. What is
/// wrong goes to `out`: names that are not there, policies that a type cannot have, a timestamp without a zone
/// that meets one with a zone while nobody says which zone it shows (UTC is never assumed). `expected` and `target` are
/// the columns before [`BoundReconcile::prepare`].
/// Returns nothing where the reconciliation cannot be run.
pub fn bind(
    config: &Reconcile,
    key: &[Spanned<String>],
    expected: &Schema,
    target: &Schema,
    context: Context<'_>,
    out: &mut Diagnostics,
) -> Option<BoundReconcile> {
    let mut own = Diagnostics::default();
    let preparations = prepare::preparations(config, expected, target, context, &mut own);
    if own.has_errors() {
        // What an expression would give is not known.
        out.extend(own);
        return None;
    }
    let (expected, target) = (preparations.0.schema(expected), preparations.1.schema(target));
    let mut binder = Binder { config, expected: &expected, target: &target, out: &mut own };
    let key_columns = key.iter().filter_map(|name| binder.key_part(name)).collect();
    binder.check_names(key);
    let (columns, not_compared) = binder.columns(key);
    if key.is_empty() {
        binder.check_without_key(&columns);
    }
    let natural = binder.natural_key(key, &columns);
    let (totals, tranches) = (binder.totals(), binder.tranches(context.as_of));
    let changed_since = binder.changed_since();
    let schema = (binder.type_pairs(), config.schema.is_some());
    let (rules, zones) = (IndexMap::new(), binder.zones());
    let bound = BoundReconcile {
        key: key_columns,
        natural,
        columns,
        not_compared,
        preparations,
        totals,
        tranches,
        changed_since,
        schema,
        rules,
        zones,
    };
    let rules = binder.rules(&bound);
    let failed = own.has_errors();
    out.extend(own);
    (!failed).then_some(BoundReconcile { rules, ..bound })
}

struct Binder<'a> {
    config: &'a Reconcile,
    expected: &'a Schema,
    target: &'a Schema,
    out: &'a mut Diagnostics,
}

impl Binder<'_> {
    fn error(&mut self, span: &Span, message: impl Into<String>) {
        self.out.push(Diagnostic::error(span, message));
    }

    /// Returns a column of both sides by a typed name; a name that is not on both is a diagnostic.
    fn both(&mut self, name: &Spanned<String>) -> Option<(Field, Field)> {
        let found = (self.expected.get(&name.value), self.target.get(&name.value));
        let side = match found {
            (Some(e), Some(t)) => return Some((e.clone(), t.clone())),
            (None, None) => {
                let names: BTreeSet<&str> = self.expected.names().chain(self.target.names()).collect();
                self.out.push(
                    Diagnostic::error(&name.span, format!("there is no column `{}`", name.value))
                        .suggest(&name.value, names),
                );
                return None;
            }
            (Some(_), None) => "source",
            (None, Some(_)) => "target",
        };
        self.out.push(
            Diagnostic::error(&name.span, format!("the column `{}` is only in the {side}", name.value))
                .help("`columns:` of a side maps their names to ours"),
        );
        None
    }

    /// Returns the zone that the rules declare for a column.
    fn zone_in_rules(&self, name: &str) -> Option<Tz> {
        self.config.columns.get(name)?.value.timezone.as_ref().map(|zone| zone.value.0)
    }

    /// Returns the zone of every column that has one on one side only.
    fn zones(&self) -> BTreeMap<String, Tz> {
        let both = self.expected.fields.iter().filter_map(|e| Some((e, self.target.get(&e.name)?)));
        both.filter_map(|(e, t)| Some((e.name.clone(), declared_zone(e, t, self.zone_in_rules(&e.name))?)))
            .collect()
    }

    /// Reports names of `exclude` and `columns` that lead nowhere.
    fn check_names(&mut self, key: &[Spanned<String>]) {
        let config = self.config;
        let is_key = |name: &str| key.iter().any(|k| k.value == name);
        for name in &config.exclude {
            if self.expected.get(&name.value).is_none() && self.target.get(&name.value).is_none() {
                self.both(name);
            } else if is_key(&name.value) {
                self.error(
                    &name.span,
                    format!("`{}` is part of the key, which cannot be excluded", name.value),
                );
            }
        }
        for (name, policy) in &config.columns {
            let spanned = Spanned { value: name.clone(), span: policy.span.clone() };
            if self.both(&spanned).is_none() {
                continue;
            }
            if config.exclude.iter().any(|e| e.value == *name) {
                self.error(&policy.span, format!("`{name}` is excluded, so nothing of it is compared"));
            } else if is_key(name) && !fits_key(&policy.value) {
                self.out.push(
                    Diagnostic::error(
                        &policy.span,
                        format!("`{name}` is part of the key, whose values are the same or not"),
                    )
                    .help("only `case`, `whitespace` and `timezone` are possible here; a step under `cleanse` can bring keys into one form"),
                );
            }
        }
    }

    fn columns(&mut self, key: &[Spanned<String>]) -> (Vec<ComparedColumn>, Vec<NotCompared>) {
        let (mut columns, mut not_compared) = (Vec::new(), Vec::new());
        let (expected, target) = (self.expected, self.target);
        let mut leave = |name: &str, reason| not_compared.push(NotCompared { name: name.to_owned(), reason });
        for e in &expected.fields {
            let t = target.get(&e.name);
            if key.iter().any(|k| k.value == e.name) {
                leave(&e.name, "part of the key");
            } else if self.config.exclude.iter().any(|x| x.value == e.name) {
                leave(&e.name, "excluded");
            } else if let Some(t) = t {
                columns.extend(self.column(e, t));
            } else {
                leave(&e.name, "only in the source");
            }
        }
        for t in target.fields.iter().filter(|t| expected.get(&t.name).is_none()) {
            let excluded = self.config.exclude.iter().any(|x| x.value == t.name);
            leave(&t.name, if excluded { "excluded" } else { "only in the target" });
        }
        (columns, not_compared)
    }

    /// Reports why two columns cannot meet.
    fn refuse(&mut self, name: &str, span: Option<&Span>, e: &Field, t: &Field, refusal: Refusal) {
        let (message, help) = match refusal {
            Refusal::ZoneUnknown { expected } => {
                let (without, with) = if expected { ("source", "target") } else { ("target", "source") };
                (
                    format!("`{name}` has no time zone in the {without} and one in the {with}"),
                    format!(
                        "say which zone's clock the {without} shows: `timezone: Europe/London` on its connection, or under `reconcile: columns: {name}:`"
                    ),
                )
            }
            Refusal::NotReadable { from, wanted } => (
                format!(
                    "`{name}` cannot be compared as {wanted}: it is {} in the source and {} in the target",
                    e.logical, t.logical
                ),
                format!("values of {from} cannot be read as {wanted}; `as: text` is always possible"),
            ),
        };
        self.out.push(match span {
            Some(span) => Diagnostic::error(span, message).help(help),
            None => Diagnostic::without_place(message).help(help),
        });
    }

    fn totals(&mut self) -> Vec<BoundTotal> {
        let config = self.config;
        let mut seen = BTreeSet::new();
        let mut totals = Vec::new();
        for total in &config.totals {
            if !seen.insert(total.value.id()) {
                self.error(&total.span, format!("there is another total `{}`", total.value.id()));
            }
            totals.extend(self.total(&total.value));
        }
        totals
    }

    fn total(&mut self, total: &Total) -> Option<BoundTotal> {
        let fields = self.both(&total.column);
        for (i, name) in total.by.iter().enumerate() {
            if total.by.iter().take(i).any(|earlier| earlier.value == name.value) {
                self.error(&name.span, format!("`{}` stands here a second time", name.value));
            }
        }
        let by: Vec<Option<KeyColumn>> = total.by.iter().map(|name| self.key_column(name)).collect();
        let (e, t) = fields?;
        let sums = total.agg.contains(&Aggregate::Sum);
        for (field, side) in [(&e, "source"), (&t, "target")] {
            if sums && field.logical.family() != Family::Number {
                let message = format!("`{}` cannot be summed: it is {} in the {side}", e.name, field.logical);
                self.out.push(Diagnostic::error(&total.column.span, message).help(
                    "`agg: [count]` counts its values; a step under `cleanse` or `types:` makes it a number",
                ));
                return None;
            }
        }
        let ordered = total.agg.iter().any(|agg| matches!(agg, Aggregate::Min | Aggregate::Max));
        let value = match ordered || total.agg.contains(&Aggregate::Distinct) {
            true => Some(self.key_column(&total.column)?),
            false => None,
        };
        let numbers = [&e, &t].iter().all(|field| field.logical.family() == Family::Number);
        if let Some(tolerance) = total.tolerance.as_ref().filter(|_| !(sums || ordered && numbers)) {
            self.out.push(
                Diagnostic::error(
                    &tolerance.span,
                    "`tolerance` is for figures that can differ a little, and none is asked for",
                )
                .help("these are `sum`, and `min` and `max` of numbers"),
            );
        }
        if total.agg.is_empty() {
            self.error(
                &total.column.span,
                "a total needs at least one figure: `count`, `nulls`, `distinct`, `sum`, `min` or `max`",
            );
        }
        let scale = |field: &Field| match field.logical {
            Logical::Decimal { scale, .. } => usize::from(scale),
            _ => 0,
        };
        let mut agg: Vec<Aggregate> = Vec::new();
        for asked in &total.agg {
            if !agg.contains(asked) {
                agg.push(*asked);
            }
        }
        Some(BoundTotal {
            id: total.id(),
            column: e.name.clone(),
            by: by.into_iter().collect::<Option<_>>()?,
            agg,
            tolerance: total.tolerance.as_ref().map(|a| a.value.clone()),
            value,
            scale: scale(&e).max(scale(&t)),
        })
    }

    /// Reads the pairs of types that may meet.
    fn type_pairs(&mut self) -> Vec<TypePair> {
        let config = self.config;
        let mut pairs = Vec::new();
        for text in config.schema.iter().flat_map(|schema| &schema.value.allow) {
            match TypePair::parse(&text.value) {
                Some(pair) => pairs.push(pair),
                None => self.out.push(
                    Diagnostic::error(
                        &text.span,
                        "two types are expected here, the source's and the target's",
                    )
                    .help("as in `\"char -> text\"`"),
                ),
            }
        }
        pairs
    }

    /// Checks the rules' ids, and returns the fields set for them.
    fn rules(&mut self, bound: &BoundReconcile) -> IndexMap<String, RuleFields> {
        let ids = bound.rule_ids();
        let mut seen = BTreeSet::new();
        for id in &ids {
            if !seen.insert(id) && !id.starts_with("total-") {
                self.out.push(
                    Diagnostic::without_place(format!("two rules of the reconciliation are called `{id}`"))
                        .help("exclude the column, or give it another name with `columns:` of both sides"),
                );
            }
        }
        let mut rules = IndexMap::new();
        for (id, fields) in &self.config.rules {
            if seen.contains(id) {
                rules.insert(id.clone(), fields.value.clone());
            } else {
                self.out.push(
                    Diagnostic::error(&fields.span, format!("the reconciliation has no rule `{id}`"))
                        .suggest(id, ids.iter().map(String::as_str)),
                );
            }
        }
        rules
    }
}
