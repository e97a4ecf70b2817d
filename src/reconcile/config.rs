//! `reconcile:` as it stands in a rule file.

use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use crate::diagnostic::{Diagnostic, Diagnostics, Spanned};
use crate::frame::Number;
use crate::model::{Logical, Severity};
use crate::node::{FromNode, Literal, Node, choices, params};
use crate::rule::{MaxFailures, Pairs, TimeSpan};

use super::tranches::Tranches;

params! {
    /// How expected and target are compared. Where nothing is said, every column that both sides have is
    /// compared exactly.
    pub struct Reconcile("`reconcile`") {
        /// Columns that are read but not compared.
        exclude: Vec<Spanned<String>> = "[]",
        /// How single columns are compared, by our names. For a column of the key, `case` and `whitespace` say what means
        /// nothing when keys are matched; keys of one side that are the same only so are found by the rule
        /// `reconcile-folded_key`.
        columns: IndexMap<String, Spanned<ColumnPolicy>> = "{}",
        /// Columns by whose values rows find a partner that have none by key, where surrogate keys were given anew, e.g.
        /// `[customer_id, rental_id, amount]`: two rows are partners where they are the only ones left, one on each side, with
        /// these values. Where several are left, the rule `reconcile-ambiguous` finds them, and none is guessed. A row with a
        /// NULL in one of them has no partner. Columns are the same by their policies. Where old keys mean other rows now,
        /// make these columns the `key` and exclude the surrogate.
        natural_key: Vec<Spanned<String>> = "[]",
        /// Counts, sums, least and greatest values that must be equal on both sides.
        totals: Vec<Spanned<Total>> = "[]",
        /// Parts of the rows, each with a ledger of its own: a column, whose every value makes one, or conditions with names, as in
        /// `[{ name: current, where: eot is null }]`, of which the first that is true counts. Rows with NULL, or for which none
        /// is true, make one too. A row of the target that has a partner stands where that does.
        tranches: Option<Tranches>,
        /// The column that says when a row was last changed, such as `updated_at`. Differing and missing rows that the source,
        /// and differing and unexpected rows that the target changed after the other side's snapshot was taken have the cause
        /// `changed_after_the_snapshot`, and are counted apart: the sides moved while they were read. They fail as others do.
        /// What a timestamp without a zone shows is what `timezone` says, on the side or its connection.
        changed_since: Option<Spanned<String>>,
        /// The longest that may lie between the two sides' snapshots, such as `2h` or `1d`, at most seven days: the rule `reconcile-snapshot-gap`. Where a
        /// snapshot is of several moments, those farthest apart count; a file is of the moment it was last modified. Default:
        /// the project's.
        max_snapshot_gap: Option<TimeSpan>,
        /// How the structure of the two sides is compared, by the rule `reconcile-schema`: columns of one side only that are
        /// not excluded, types, lengths, and what databases declare of NULL, keys, references and defaults. Without this it is
        /// compared where a side is a table of a database.
        schema: Option<Spanned<SchemaPolicy>>,
        /// Severity and allowed failures of the reconciliation's own rules, by id: `reconcile-missing`,
        /// `reconcile-unexpected`, `reconcile-from_quarantined`, `reconcile-from_merged`, `reconcile-duplicate_key`, `reconcile-folded_key`, `reconcile-no_key`,
        /// `reconcile-ambiguous`, `reconcile-<column>`,
        /// `reconcile-unmapped-<column>`, `reconcile-fit`, `reconcile-fit-back`, `reconcile-schema`,
        /// `reconcile-sequences`, `reconcile-snapshot-gap`, `total-<column>-<by>`.
        rules: IndexMap<String, Spanned<RuleFields>> = "{}",
    }
}

impl Default for Reconcile {
    fn default() -> Self {
        Reconcile {
            exclude: Vec::new(),
            columns: IndexMap::new(),
            natural_key: Vec::new(),
            totals: Vec::new(),
            tranches: None,
            changed_since: None,
            max_snapshot_gap: None,
            schema: None,
            rules: IndexMap::new(),
        }
    }
}

params! {
    /// How the values of one column are compared. Each word makes more values equal than an exact comparison.
    pub struct ColumnPolicy("a column of `reconcile`") {
        /// Numbers are equal where they differ by no more than this, e.g. `0.01`. The arithmetic is exact.
        tolerance: Option<Spanned<Amount>>,
        /// Numbers are equal where they differ by no more than this share of the expected one: `0.001` is a
        /// thousandth. With `tolerance`, one of the two suffices.
        relative: Option<Spanned<Amount>>,
        /// Moments and times are cut off to this before they are compared: `day`, `hour`, `minute`, `second` or
        /// `millisecond`. They are not rounded.
        precision: Option<Spanned<Precision>>,
        /// `ignore`: letters that differ only in case are equal.
        case: Option<Spanned<Case>>,
        /// `trim`: white space at both ends means nothing; `collapse`: nor does its amount between words;
        /// `ignore`: no white space means anything.
        whitespace: Option<Spanned<Whitespace>>,
        /// The text is a list with this between its items, e.g. `";"`: their order means nothing, nor does white space
        /// around them; how often each stands there does. `case` and `whitespace` hold for each item.
        unordered: Option<Spanned<String>>,
        /// `true`: JSON is compared by value: the order of an object's names, white space and the spelling of numbers
        /// and texts mean nothing, the order of a list does. A text that is not JSON, or in which an object has a name twice,
        /// is compared as it stands.
        json: Option<Spanned<bool>>,
        /// Values that mean the same as NULL, on either side, e.g. `["", N/A]`. `[""]` makes an empty text equal to NULL,
        /// and with `whitespace: trim` one of blanks too.
        null: Vec<Literal> = "[]",
        /// The target's code for each of the source's, e.g. `{ SEC: Secure }`. A code that is not listed is compared as it
        /// stands, and counted by the rule `reconcile-unmapped-<column>`. Case and blanks count.
        map: Option<Pairs>,
        /// The same as `map`, in a CSV file with the header `from,to`, relative to the project file.
        lookup: Option<Spanned<String>>,
        /// An SQL expression over the columns of the cleansed source, whose value is compared instead of the column's:
        /// `trim(forename) || ' ' || trim(surname)`. The source need not have a column of this name.
        source_expression: Option<Spanned<String>>,
        /// The same over the columns of the target.
        target_expression: Option<Spanned<String>>,
        /// The zone whose wall clock a timestamp without a zone shows, e.g. `Europe/London`.
        timezone: Option<Spanned<Zone>>,
        /// The type in which both sides are compared, e.g. `decimal(10,2)` or `text`. A value that cannot be
        /// read as this type equals only the same text.
        r#as: Option<Spanned<Logical>>,
    }
}

params! {
    /// A control total.
    pub struct Total("a total") {
        /// The column that is looked at.
        column: Spanned<String>,
        /// Columns whose values make the groups; one group of all rows where there are none.
        by: Vec<Spanned<String>> = "[]",
        /// `count`: values that are not NULL; `nulls`: the rows without one; `distinct`: different values; `sum`,
        /// `min` and `max`: their sum, least and greatest. Texts are ordered by their code points.
        agg: Vec<Aggregate> = "[count, sum]",
        /// Sums, and the least and greatest of numbers, are equal where they differ by no more than this.
        tolerance: Option<Spanned<Amount>>,
    }
}

impl Total {
    /// Returns the id of the total's rule: `total-<column>-<by>`.
    pub fn id(&self) -> String {
        let mut id = format!("total-{}", self.column.value);
        for by in &self.by {
            id.push('-');
            id.push_str(&by.value);
        }
        id
    }
}

params! {
    /// How the structure of the two sides is compared.
    pub struct SchemaPolicy("`schema`") {
        /// Pairs of types that may meet, the source's before the target's, e.g. `["char -> text", "tinyint -> boolean"]`:
        /// as they are declared, with or without a length, or as rule files write them.
        allow: Vec<Spanned<String>> = "[]",
    }
}

params! {
    /// Fields of a rule of the reconciliation.
    pub struct RuleFields("a rule of `reconcile`") {
        /// How much a failure matters: `info`, `warning` or `error`. Default: `error`; `warning` for codes that are not
        /// listed, for natural keys that several rows have and for the schema, `info` for what would not fit the source.
        severity: Option<Severity>,
        /// How many rows may fail before the rule does: a count such as `10`, or a share of the rows evaluated such as `0.5%`.
        max_failures: Option<MaxFailures>,
    }
}

choices! {
    /// What moments and times are cut off to.
    pub enum Precision {
        /// The date remains.
        Day = "day",
        /// Hours remain.
        Hour = "hour",
        /// Minutes remain.
        Minute = "minute",
        /// Seconds remain.
        Second = "second",
        /// Milliseconds remain.
        Millisecond = "millisecond",
    }
}

impl Precision {
    /// Returns its length in microseconds.
    pub fn micros(self) -> i64 {
        match self {
            Precision::Day => 86_400_000_000,
            Precision::Hour => 3_600_000_000,
            Precision::Minute => 60_000_000,
            Precision::Second => 1_000_000,
            Precision::Millisecond => 1_000,
        }
    }

    /// Returns what is given up, for notes.
    pub fn lost(self) -> &'static str {
        match self {
            Precision::Day => "the time of day",
            Precision::Hour => "minutes and seconds",
            Precision::Minute => "seconds",
            Precision::Second => "fractions of a second",
            Precision::Millisecond => "microseconds",
        }
    }
}

choices! {
    /// What upper and lower case mean.
    pub enum Case {
        /// Nothing.
        Ignore = "ignore",
    }
}

choices! {
    /// What white space means.
    pub enum Whitespace {
        /// Nothing at both ends.
        Trim = "trim",
        /// Nothing at both ends, and elsewhere its amount means nothing.
        Collapse = "collapse",
        /// Nothing anywhere.
        Ignore = "ignore",
    }
}

choices! {
    /// A figure of a total.
    pub enum Aggregate {
        /// Values that are not NULL.
        Count = "count",
        /// Rows without a value.
        Nulls = "nulls",
        /// Different values.
        Distinct = "distinct",
        /// The sum of the values.
        Sum = "sum",
        /// The least value.
        Min = "min",
        /// The greatest value.
        Max = "max",
    }
}

/// An exact decimal number from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amount {
    /// As written.
    pub text: String,
    /// The digits, without the point.
    pub digits: i128,
    /// How many digits stand behind the point.
    pub scale: u32,
}

impl Amount {
    /// Reads plain digits with at most one point; nothing for other texts and for more than 38 digits.
    pub fn parse(text: &str) -> Option<Amount> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let all = format!("{whole}{fraction}");
        if all.is_empty() || all.len() > 38 || !all.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        Some(Amount {
            text: text.to_owned(),
            digits: all.parse().ok()?,
            scale: u32::try_from(fraction.len()).ok()?,
        })
    }

    /// Returns the number.
    pub fn number(&self) -> Number {
        Number::Exact { digits: self.digits, scale: self.scale }
    }
}

impl FromNode for Amount {
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        let amount = Amount::parse(&String::from_node(node, out)?);
        if amount.is_none() {
            out.push(
                Diagnostic::error(&node.span, "a number from 0 is expected here")
                    .help("plain digits with a point, as in `0.01`"),
            );
        }
        amount
    }

    fn schema() -> Json {
        json!({"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": "^([0-9]+\\.?[0-9]*|\\.[0-9]+)$"}]})
    }
}

/// A time zone by its IANA name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(pub chrono_tz::Tz);

impl FromNode for Zone {
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        let text = String::from_node(node, out)?;
        let zone = text.parse().ok().map(Zone);
        if zone.is_none() {
            out.push(
                Diagnostic::error(&node.span, format!("`{text}` is not a time zone"))
                    .help("an IANA name, as in `Europe/London`"),
            );
        }
        zone
    }

    fn schema() -> Json {
        json!({"type": "string"})
    }
}
