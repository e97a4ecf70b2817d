//! Every row fulfils a condition in SQL.
//!
//! What no other check knows: how columns of one row hang together.
//!
//! ```yaml check
//! check: expression
//! id: ends-after-it-starts
//! that: eot is null or eot >= cot
//! ```
//! ```rows
//! | cot: date  | eot: date  |
//! | 2020-01-01 | null       |
//! | 2020-01-01 | 2019-12-31 |
//! | null       | 2019-12-31 |
//! ```
//! ```findings
//! row 2
//! ```
//!
//! The date of the run is `current_date` (here 2026-01-31), a text beside a date is read as one:
//!
//! ```yaml check
//! check: expression
//! that: status in ('LIVE', 'VOID') and (cot <= current_date or cot = '2099-12-31')
//! ```
//! ```rows
//! | status: text | cot: date  |
//! | "LIVE"       | 2026-01-31 |
//! | "LIVE"       | 2026-02-01 |
//! | "VOID"       | 2099-12-31 |
//! | "DEAD"       | null       |
//! | null         | 2020-01-01 |
//! ```
//! ```findings
//! row 2
//! row 4
//! ```
//!
//! A row for which the condition is NULL, as where a compared value is missing, is neither right nor wrong: it is counted
//! as unknown. What cannot be computed (a division by zero, a cast of a text that is no number) is NULL too.
//!
//! Conditions have comparisons, `and`, `or`, `not`, `is null`, `is true`, `is distinct from`, `in`, `between`, `like`
//! and `ilike` with `escape`, `case`, `cast`, `+ - * /`, `||`, and the functions `abs`, `coalesce`, `length`, `lower`,
//! `ltrim`, `nullif`, `round`, `rtrim`, `substring`, `trim`, `upper`. They look at one row, and see it byte by byte: `'a'` is
//! not `'A'`. Numbers of different types are compared exactly, and `1 / 2` is 0.5.
//!
//! An interval is added to a date or timestamp or taken from one: `eot <= cot + interval '1 year'`. Its units are year, month,
//! week, day, hour, minute and second. `eot - cot` is the days between two dates.
//!
//! ```yaml check
//! check: expression
//! that: eot - cot >= 7 and eot <= cot + interval '1 month'
//! ```
//! ```rows
//! | cot: date  | eot: date  |
//! | 2020-01-31 | 2020-02-29 |
//! | 2020-01-31 | 2020-03-01 |
//! | 2020-01-31 | 2020-02-06 |
//! ```
//! ```findings
//! row 2
//! row 3
//! ```

use chrono::{DateTime, Utc};

use crate::diagnostic::{Diagnostics, Spanned};
use crate::expression::parse;
use crate::model::{Dimension, Schema};
use crate::node::params;
use crate::rule::ProjectFiles;

use super::{BoundCheck, Check, RowTest};

pub(super) const DIMENSION: Dimension = Dimension::Consistency;

params! {
    /// Every row fulfils a condition in SQL.
    pub(super) struct Rule("check `expression`") {
        /// The condition over our columns. A row fails where it is false.
        that: Spanned<String>,
    }
}

impl Check for Rule {
    fn columns(&self) -> Vec<Spanned<String>> {
        parse(&self.that, &mut Diagnostics::default()).map(|parsed| parsed.columns()).unwrap_or_default()
    }

    fn check(&self, _files: &ProjectFiles, out: &mut Diagnostics) {
        parse(&self.that, out);
    }

    fn bind(
        &self,
        schema: &Schema,
        _files: &ProjectFiles,
        as_of: DateTime<Utc>,
        out: &mut Diagnostics,
    ) -> Option<BoundCheck> {
        let passes = parse(&self.that, out)?.bind(schema, as_of, out)?;
        Some(BoundCheck::Rows(vec![RowTest { column: None, passes }]))
    }
}
