//! Another value: what no other cause explains.
//!
//! Somebody changed the record after the snapshot, a load took the wrong row, or a cause is at work that is not known here.
//! These are the differences to look at one by one.
//!
//! - No line settles it.
//! - A pattern with too little evidence is among them: four dates that are all a year late.
//!
//! ```rows expected
//! | surname: text | rent: decimal(9,2) |
//! | "Lee"         | 112.50             |
//! ```
//! ```rows target
//! | surname: text | rent: decimal(9,2) |
//! | "Fox"         | 98.10              |
//! ```
//! ```causes
//! row 1: surname: real_change
//! row 1: rent: real_change
//! ```

use super::Cause;
use super::settling::Told;

pub(super) const RANK: u8 = 250;
pub(super) const INCLUDES: &[&str] = &[];

pub(super) struct This;

impl Cause for This {
    fn says(&self, _told: &Told<'_>) -> String {
        "real changes".to_owned()
    }

    fn no_line(&self, _told: &Told<'_>) -> String {
        "These are to be looked at one by one: where the source is right, the run's repairs bring the target to it."
            .to_owned()
    }
}
