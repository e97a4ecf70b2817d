//! `changed_since`: the column that says when a row was changed.

use std::collections::BTreeSet;

use chrono_tz::Tz;

use crate::diagnostic::{Diagnostic, Spanned};
use crate::model::{Field, Logical};
use crate::reconcile::moved::{ChangedSince, Clock};

use super::Binder;

impl Binder<'_> {
    /// Binds `changed_since`: the column need be on one side only.
    pub(super) fn changed_since(&mut self) -> Option<ChangedSince> {
        let name = self.config.changed_since.as_ref()?;
        let (e, t) = (self.expected.get(&name.value), self.target.get(&name.value));
        if e.is_none() && t.is_none() {
            let names: BTreeSet<&str> = self.expected.names().chain(self.target.names()).collect();
            self.out.push(
                Diagnostic::error(&name.span, format!("there is no column `{}`", name.value))
                    .suggest(&name.value, names),
            );
            return None;
        }
        let zone = self.zone_in_rules(&name.value);
        let expected = e.map(|field| self.clock(name, field, zone, "source"));
        let target = t.map(|field| self.clock(name, field, zone, "target"));
        if expected == Some(None) || target == Some(None) {
            return None;
        }
        Some(ChangedSince {
            column: name.value.clone(),
            seen: None,
            expected: expected.flatten(),
            target: target.flatten(),
        })
    }

    /// Returns how a side's times are read; a column that has none, or of an unknown zone, is a diagnostic.
    fn clock(
        &mut self,
        name: &Spanned<String>,
        field: &Field,
        zone: Option<Tz>,
        side: &str,
    ) -> Option<Clock> {
        let own = field.timezone.as_deref().and_then(|zone| zone.parse().ok());
        let (message, help) = match (&field.logical, zone.or(own)) {
            (Logical::Timestamp { utc: true }, _) => return Some(Clock::Utc),
            (Logical::Timestamp { utc: false }, Some(zone)) => return Some(Clock::Wall(zone)),
            (Logical::Timestamp { utc: false }, None) => (
                format!(
                    "`{}` has no time zone in the {side}, so nobody can say when a row was changed",
                    name.value
                ),
                format!(
                    "say which zone's clock the {side} shows: `timezone: Europe/London` on it or its connection"
                ),
            ),
            (other, _) => (
                format!("`changed_since` needs timestamps, and `{}` is {other} in the {side}", name.value),
                match side {
                    "source" => "the step `parse_date` with `to: timestamp` makes them of texts".to_owned(),
                    _ => "`types:` of the side says what the values of a file are".to_owned(),
                },
            ),
        };
        self.out.push(Diagnostic::error(&name.span, message).help(help));
        None
    }
}
