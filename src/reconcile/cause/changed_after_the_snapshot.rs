//! Records that were changed on one side after the other side was read.
//!
//! The source is in use while it is copied: a record is saved after the target was loaded or read, and differs until the next
//! load. Such differences are movement, not mistakes of the migration: `counterfoil recheck` says which of them are gone.
//!
//! - It takes `changed_since` under `reconcile`: the column that says when a row was last changed. A differing or missing record
//!   has this cause where the source's row was changed after the target's snapshot, a differing or unexpected one where the
//!   target's row was changed after the source's, if that side has the column.
//! - All cells of such a record have it, whatever else would explain them, and they take no part in patterns.
//! - A snapshot's moment is in its manifest: when the database saw the rows, by its own clock; where that was at several
//!   moments the last; of files when they were last modified. What may have been before it counts as before.
//! - No line settles it, and the record fails as others do.
//!
//! In the example both sides were seen on 31 March 2026 at noon, in UTC.
//!
//! ```rows expected
//! | rent: decimal(9,2) | saved: timestamptz   |
//! | 112.50             | 2026-03-31 12:00:01Z |
//! | 98.10              | 2026-03-31 12:00:00Z |
//! ```
//! ```rows target
//! | rent: decimal(9,2) | saved: timestamptz   |
//! | 110.00             | 2026-03-30 09:15:00Z |
//! | 95.00              | 2026-03-30 09:15:00Z |
//! ```
//! ```yaml reconcile
//! changed_since: saved
//! exclude: [saved]
//! ```
//! ```causes
//! row 1: rent: changed_after_the_snapshot
//! row 2: rent: real_change
//! ```

use super::Cause;
use super::settling::Told;

pub(super) const RANK: u8 = 1;
pub(super) const INCLUDES: &[&str] = &[];

/// The word, for records that have no partner as well.
pub const WORD: &str = "changed_after_the_snapshot";

pub(super) struct This;

impl Cause for This {
    fn says(&self, _told: &Told<'_>) -> String {
        "records that one side changed after the other side's snapshot".to_owned()
    }

    fn no_line(&self, _told: &Told<'_>) -> String {
        "The two sides moved apart while they were read: `counterfoil recheck` says which records still differ, and those want a \
         new load."
            .to_owned()
    }
}
