//! Sides, severities, dimensions and the status of a rule's result.

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum $name { $($(#[$vdoc])* $variant,)+ }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// Returns the word used in files and reports.
            pub fn word(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

words! {
    /// The state of the data that a check looks at.
    Side {
        /// The old system's rows as they were read.
        Source = "source",
        /// The cleansed source, less quarantined and merged rows: what the target should hold.
        Expected = "expected",
        /// The new system's rows.
        Target = "target",
    }
}

words! {
    /// How much a failed rule matters.
    Severity {
        /// Counted, never warns and never fails.
        Info = "info",
        /// Warns.
        Warning = "warning",
        /// Fails, and stops the gate.
        Error = "error",
    }
}

words! {
    /// The six dimensions of the UK Government Data Quality Framework (December 2020).
    Dimension {
        /// Does it match reality?
        Accuracy = "accuracy",
        /// Are the records and values that should be there, there?
        Completeness = "completeness",
        /// Is each thing recorded once?
        Uniqueness = "uniqueness",
        /// Do values agree inside a record, between tables and between systems?
        Consistency = "consistency",
        /// Is the data from the right time?
        Timeliness = "timeliness",
        /// Is it in the right form and range?
        Validity = "validity",
    }
}

words! {
    /// What became of a rule.
    Status {
        /// Nothing found, or no more than allowed.
        Pass = "pass",
        /// More than allowed, at severity warning.
        Warn = "warn",
        /// More than allowed, at severity error.
        Fail = "fail",
        /// The rule could not be run.
        Broken = "broken",
        /// Switched off by the user, with a reason.
        Skipped = "skipped",
        /// Nothing was there to be judged.
        Inconclusive = "inconclusive",
    }
}
