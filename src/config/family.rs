//! The three families of rules, and the fields that the rules of each share.

use std::fmt;

use crate::check::Check;
use crate::cleanse::Step;
use crate::diagnostic::{Diagnostics, Spanned};
use crate::matching::Match;
use crate::model::{Dimension, Severity, Side};
use crate::node::{FieldDoc, Fields, params};
use crate::rule::{Columns, Common, Kind, MaxFailures, ProjectFiles};

/// A family of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleFamily {
    /// Steps, under `cleanse`.
    Step,
    /// Checks, under `checks`.
    Check,
    /// Matches, under `duplicates`.
    Match,
}

impl RuleFamily {
    /// Every family, in the order of a dataset file.
    pub const ALL: &'static [RuleFamily] = &[RuleFamily::Step, RuleFamily::Check, RuleFamily::Match];

    /// Returns the word before a kind: `step`, `check` or `match`.
    pub fn word(self) -> &'static str {
        match self {
            RuleFamily::Step => "step",
            RuleFamily::Check => "check",
            RuleFamily::Match => "match",
        }
    }

    /// Returns the name in a dataset file under which the rules stand.
    pub fn section(self) -> &'static str {
        match self {
            RuleFamily::Step => "cleanse",
            RuleFamily::Check => "checks",
            RuleFamily::Match => "duplicates",
        }
    }
}

impl fmt::Display for RuleFamily {
    /// Writes a heading: `Steps, under cleanse`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heading = match self {
            RuleFamily::Step => "Steps",
            RuleFamily::Check => "Checks",
            RuleFamily::Match => "Matches",
        };
        write!(f, "{heading}, under {}", self.section())
    }
}

/// What reading a rule needs to know of its family.
pub(super) trait Family {
    /// The trait of its rules.
    type Rule: ?Sized + 'static;
    /// Which it is.
    const FAMILY: RuleFamily;
    /// The severity of a rule that says none.
    const SEVERITY: Severity;

    /// Returns the kinds, by name.
    fn kinds() -> &'static [Kind<Self::Rule>];

    /// Reads the shared fields.
    fn common(fields: &mut Fields<'_>, out: &mut Diagnostics) -> Option<Common>;

    /// Returns what users are told about the shared fields.
    fn common_docs() -> Vec<FieldDoc>;

    /// Returns the columns a rule names.
    fn columns(rule: &Self::Rule) -> Vec<Spanned<String>>;

    /// Returns the columns as a part of the default id; nothing where there are none.
    fn id_part(rule: &Self::Rule) -> String {
        Self::columns(rule).iter().map(|c| c.value.as_str()).collect::<Vec<_>>().join("-")
    }

    /// Returns true where a rule makes one row of several in expected.
    fn merges(_rule: &Self::Rule) -> bool {
        false
    }

    /// Returns true where a rule judges a side as a whole, so that a share of rows means nothing.
    fn judges_sides(_rule: &Self::Rule) -> bool {
        false
    }

    /// Checks a rule without data.
    fn check(rule: &Self::Rule, files: &ProjectFiles, out: &mut Diagnostics);

    /// Returns the states of the data that a rule looks at where it does not say.
    fn sides() -> &'static [Side] {
        &[Side::Expected, Side::Target]
    }

    /// Returns the name of a kind, for examples.
    fn example() -> &'static str {
        Self::kinds().first().map_or("…", |kind| kind.name)
    }
}

/// The family of cleansing steps.
pub(super) struct Steps;
/// The family of checks.
pub(super) struct Checks;
/// The family of matches.
pub(super) struct Matches;

params! {
    /// The fields all steps share.
    struct StepFields("a step") {
        /// The step's name in results and reports, unique within its dataset. Default: the kind and its columns.
        id: Option<Spanned<String>>,
        /// An SQL condition over our columns: rows for which it is not true stay as they are.
        r#where: Option<Spanned<String>>,
        /// The reason why the step is switched off. It is then counted as skipped.
        skip: Option<Spanned<String>>,
    }
}

params! {
    /// The fields all matches share.
    struct MatchFields("a match") {
        /// The match's name in results and reports, unique within its dataset. Default: the kind and its columns.
        id: Option<Spanned<String>>,
        /// How much a duplicate matters: `info`, `warning` or `error`. Default: `warning`.
        severity: Option<Severity>,
        /// The data-quality dimension, where it is not the kind's own.
        dimension: Option<Dimension>,
        /// An SQL condition over our columns: rows for which it is not true are not looked at.
        r#where: Option<Spanned<String>>,
        /// How many rows may be duplicates before the match fails: a count such as `10`, or a share of the rows evaluated such as `0.5%`.
        max_failures: Option<MaxFailures>,
        /// The states of the data looked at, each of which gates: `source`, `expected`, `target`. Default: expected and target.
        on: Option<Vec<Side>>,
        /// The reason why the match is switched off. It is then counted as skipped.
        skip: Option<Spanned<String>>,
    }
}

impl Family for Steps {
    type Rule = dyn Step;
    const FAMILY: RuleFamily = RuleFamily::Step;
    const SEVERITY: Severity = Severity::Error;

    fn kinds() -> &'static [Kind<dyn Step>] {
        crate::cleanse::KINDS
    }

    fn common(fields: &mut Fields<'_>, out: &mut Diagnostics) -> Option<Common> {
        let StepFields { id, r#where, skip } = StepFields::read(fields, out)?;
        Some(Common { id, r#where, skip, ..Common::default() })
    }

    fn common_docs() -> Vec<FieldDoc> {
        StepFields::docs()
    }

    fn columns(rule: &dyn Step) -> Vec<Spanned<String>> {
        rule.columns().named().to_vec()
    }

    fn id_part(rule: &dyn Step) -> String {
        Columns::id_part(rule.columns())
    }

    fn check(rule: &dyn Step, files: &ProjectFiles, out: &mut Diagnostics) {
        rule.check(files, out);
    }

    fn sides() -> &'static [Side] {
        &[Side::Source]
    }
}

impl Family for Checks {
    type Rule = dyn Check;
    const FAMILY: RuleFamily = RuleFamily::Check;
    const SEVERITY: Severity = Severity::Error;

    fn kinds() -> &'static [Kind<dyn Check>] {
        crate::check::KINDS
    }

    fn common(fields: &mut Fields<'_>, out: &mut Diagnostics) -> Option<Common> {
        Common::read(fields, out)
    }

    fn common_docs() -> Vec<FieldDoc> {
        Common::docs()
    }

    fn columns(rule: &dyn Check) -> Vec<Spanned<String>> {
        rule.columns()
    }

    fn judges_sides(rule: &dyn Check) -> bool {
        rule.judges_sides()
    }

    fn check(rule: &dyn Check, files: &ProjectFiles, out: &mut Diagnostics) {
        rule.check(files, out);
    }
}

impl Family for Matches {
    type Rule = dyn Match;
    const FAMILY: RuleFamily = RuleFamily::Match;
    const SEVERITY: Severity = Severity::Warning;

    fn kinds() -> &'static [Kind<dyn Match>] {
        crate::matching::KINDS
    }

    fn common(fields: &mut Fields<'_>, out: &mut Diagnostics) -> Option<Common> {
        let MatchFields { id, severity, dimension, r#where, max_failures, on, skip } =
            MatchFields::read(fields, out)?;
        Some(Common { id, severity, dimension, r#where, max_failures, on, skip, allow_empty: false })
    }

    fn common_docs() -> Vec<FieldDoc> {
        MatchFields::docs()
    }

    fn columns(rule: &dyn Match) -> Vec<Spanned<String>> {
        rule.columns()
    }

    fn merges(rule: &dyn Match) -> bool {
        rule.merges()
    }

    fn check(rule: &dyn Match, files: &ProjectFiles, out: &mut Diagnostics) {
        rule.check(files, out);
    }
}
