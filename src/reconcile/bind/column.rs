//! One compared column: how its two sides meet, and whether its policy fits that.

use crate::diagnostic::{Diagnostic, Span};
use crate::model::{Family, Field, Logical};
use crate::reconcile::Precision;
use crate::reconcile::cell::Cell;
use crate::reconcile::config::ColumnPolicy;
use crate::reconcile::convert::{canonical_uuid, read_text};
use crate::reconcile::meet::{Meeting, Refusal, meet, meet_as, needs_zone};
use crate::reconcile::policy::{NullText, Policy};

use super::{Binder, ComparedColumn};

impl Binder<'_> {
    pub(super) fn column(&mut self, e: &Field, t: &Field) -> Option<ComparedColumn> {
        let config = self.config;
        let spanned = config.columns.get(&e.name);
        let policy = spanned.map(|p| &p.value);
        let zone = policy.and_then(|p| p.timezone.as_ref()).map(|z| z.value.0);
        let wanted = policy.and_then(|p| p.r#as.as_ref());
        let mapped = policy.is_some_and(|p| p.map.is_some() || p.lookup.is_some());
        // Codes are written as text and mean values of the target's type.
        let of_codes = (mapped && !t.logical.is_text()).then_some(&t.logical);
        let met = match wanted.map(|wanted| &wanted.value).or(of_codes) {
            Some(wanted) => meet_as(e, t, wanted, zone),
            None => meet(e, t, zone),
        };
        let meeting = match met {
            Ok(meeting) => meeting,
            Err(refusal) => {
                let span = match &refusal {
                    Refusal::NotReadable { .. } => wanted.map(|w| &w.span),
                    Refusal::ZoneUnknown { .. } => spanned.map(|p| &p.span),
                };
                self.refuse(&e.name, span, e, t, refusal);
                return None;
            }
        };
        let bound = match policy {
            Some(policy) => self.policy(&e.name, policy, &meeting, e, t)?,
            None => Policy::default(),
        };
        let natural = wanted.and_then(|_| meet(e, t, zone).ok());
        let calculated = policy.is_some_and(|p| p.target_expression.is_some());
        let by_expression = match (policy.is_some_and(|p| p.source_expression.is_some()), calculated) {
            (false, false) => "",
            (true, false) => ", the source's by an expression",
            (false, true) => ", the target's by an expression",
            (true, true) => ", both sides' by expressions",
        };
        let meeting = Meeting {
            phrase: format!(
                "{}{by_expression}{}",
                meeting.phrase,
                if mapped { ", the source's codes replaced by a list" } else { "" }
            ),
            ..meeting
        };
        Some(ComparedColumn {
            name: e.name.clone(),
            note: note(&meeting, &bound),
            mapped,
            calculated,
            meeting,
            natural,
            policy: bound,
        })
    }

    /// Checks a policy against the form in which its column is compared.
    pub(super) fn policy(
        &mut self,
        name: &str,
        policy: &ColumnPolicy,
        meeting: &Meeting,
        e: &Field,
        t: &Field,
    ) -> Option<Policy> {
        let errors_before = self.out.has_errors();
        let form = &meeting.logical;
        let family = form.family();
        let mut wrong = |span: &Span, word: &str, takes: &str, help: &str| {
            let message = format!("`{word}` is for {takes}, and `{name}` is {}", meeting.phrase);
            self.out.push(Diagnostic::error(span, message).help(help));
        };
        for (word, amount) in [("tolerance", &policy.tolerance), ("relative", &policy.relative)] {
            if let Some(amount) = amount.as_ref().filter(|_| family != Family::Number) {
                let help = match family {
                    Family::Moment | Family::Time => "for moments and times there is `precision`",
                    _ => "`as: decimal(12,2)` compares texts as numbers",
                };
                wrong(&amount.span, word, "numbers", help);
            }
        }
        if let Some(precision) = &policy.precision {
            let fits = match family {
                Family::Moment => true,
                Family::Time => precision.value.micros() < Precision::Day.micros(),
                _ => false,
            };
            if !fits {
                wrong(
                    &precision.span,
                    "precision",
                    "dates, timestamps and times of day",
                    "for numbers there is `tolerance`",
                );
            }
        }
        let plain_text = family == Family::Text && *form != Logical::Uuid;
        let help = "`as: text` compares the values as text";
        if let Some(case) = policy.case.as_ref().filter(|_| !plain_text) {
            wrong(&case.span, "case", "texts", help);
        }
        if let Some(whitespace) = policy.whitespace.as_ref().filter(|_| !plain_text) {
            wrong(&whitespace.span, "whitespace", "texts", help);
        }
        if let Some(separator) = policy.unordered.as_ref().filter(|_| !plain_text) {
            wrong(&separator.span, "unordered", "texts", help);
        }
        if let Some(json) = policy.json.as_ref().filter(|json| json.value && !plain_text) {
            wrong(&json.span, "json", "texts", help);
        }
        self.exclusive_words(policy);
        if let Some(zone) = policy.timezone.as_ref().filter(|_| !takes_zone(policy, e, t)) {
            self.out.push(
                Diagnostic::error(
                    &zone.span,
                    format!("`timezone` changes nothing here: `{name}` is {}", meeting.phrase),
                )
                .help("it is for a timestamp without a zone on one side and with one on the other"),
            );
        }
        let has_text = e.logical.is_text() || t.logical.is_text();
        let mut null = Vec::new();
        for literal in &policy.null {
            let Some(text) = &literal.text else { continue };
            let value = match form {
                Logical::Uuid => Some(Cell::Text(canonical_uuid(text.into()).into_owned().into())),
                form if form.is_text() => None,
                form => read_text(text, form)
                    .or_else(|| read_text(text, &Logical::TIMESTAMP).filter(|_| family == Family::Moment)),
            };
            if value.is_none() && !form.is_text() && !has_text {
                self.error(
                    &literal.span,
                    format!("no value of `{name}` can be this: it is {}", meeting.phrase),
                );
            }
            let text = match &value {
                Some(Cell::Text(uuid)) => uuid.as_ref().to_owned(),
                _ => text.clone(),
            };
            null.push(NullText { text, value });
        }
        if self.out.has_errors() && !errors_before {
            return None;
        }
        Some(Policy {
            tolerance: policy.tolerance.as_ref().map(|a| a.value.clone()),
            relative: policy.relative.as_ref().map(|a| a.value.clone()),
            precision: policy.precision.as_ref().map(|p| p.value),
            case: policy.case.is_some(),
            whitespace: policy.whitespace.as_ref().map(|w| w.value),
            unordered: policy.unordered.as_ref().map(|separator| separator.value.clone()),
            json: policy.json.as_ref().is_some_and(|json| json.value),
            null,
        })
    }

    /// Reports words that mean nothing beside one another.
    fn exclusive_words(&mut self, policy: &ColumnPolicy) {
        if let Some(separator) = policy.unordered.as_ref().filter(|separator| separator.value.is_empty()) {
            self.out.push(
                Diagnostic::error(&separator.span, "`unordered` needs what stands between two items")
                    .help("as in `unordered: \";\"`"),
            );
        }
        if policy.json.as_ref().is_some_and(|json| json.value) {
            let words = [
                ("case", policy.case.as_ref().map(|w| &w.span)),
                ("whitespace", policy.whitespace.as_ref().map(|w| &w.span)),
                ("unordered", policy.unordered.as_ref().map(|w| &w.span)),
            ];
            for (word, span) in words {
                if let Some(span) = span {
                    self.error(
                        span,
                        format!("`{word}` is not possible beside `json`, which compares values"),
                    );
                }
            }
        }
    }
}

/// Returns true where a declared zone has a meaning for two columns.
fn takes_zone(policy: &ColumnPolicy, e: &Field, t: &Field) -> bool {
    let zoned = |f: &Field| f.logical == Logical::TIMESTAMP_UTC;
    match policy.r#as.as_ref().map(|wanted| &wanted.value) {
        Some(Logical::Date | Logical::Timestamp { utc: false }) => zoned(e) || zoned(t),
        Some(_) => false,
        None => needs_zone(e, t),
    }
}

/// Returns how a column is compared, in words; literals stay out of it.
pub(super) fn note(meeting: &Meeting, policy: &Policy) -> String {
    let mut phrase = meeting.phrase.clone();
    let mut lost = meeting.lost.clone();
    if let Some(precision) = policy.precision {
        phrase.push_str(&format!(" to the {}", precision.word()));
        lost.push(precision.lost().to_owned());
    }
    if let Some(most) = &policy.tolerance {
        lost.push(format!("differences up to {}", most.text));
    }
    if let Some(share) = &policy.relative {
        lost.push(format!("differences up to {} of the expected number", share.text));
    }
    if policy.case {
        lost.push("upper and lower case".to_owned());
    }
    if let Some(whitespace) = policy.whitespace {
        lost.push(
            match whitespace {
                crate::reconcile::Whitespace::Trim => "white space at both ends",
                crate::reconcile::Whitespace::Collapse => "the amount of white space",
                crate::reconcile::Whitespace::Ignore => "all white space",
            }
            .to_owned(),
        );
    }
    if policy.unordered.is_some() {
        lost.push("the order of the items".to_owned());
    }
    if policy.json {
        lost.push("how JSON is written".to_owned());
    }
    match policy.null.len() {
        0 => {}
        1 => lost.push("the difference between NULL and one listed value".to_owned()),
        n => lost.push(format!("the difference between NULL and {n} listed values")),
    }
    let lost = match lost.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    };
    format!("{phrase}, giving up {lost}")
}
