//! Literals: they take the type of what they meet.

use chrono::{DateTime, NaiveTime, Utc};
use polars::prelude::Expr;

use crate::expression::kernels::shown;
use crate::frame::{Number, Value};
use crate::model::{Family, Logical};

use super::{Typed, article};

/// A value that stands in the expression.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::expression) enum Literal {
    Text(String),
    Number {
        digits: i128,
        scale: u8,
    },
    Null,
    /// The day of the run's "now".
    Today,
    /// The run's "now".
    AsOf,
}

/// Makes a literal of a type from its text.
pub(super) fn typed(text: &str, logical: &Logical) -> Option<Typed> {
    Some(of(Value::parse(text, logical)?, logical))
}

fn of(value: Value, logical: &Logical) -> Typed {
    Typed::new(Expr::Literal(value.literal(logical)), logical.clone())
}

impl Literal {
    /// Returns the literal as the type it looks like; nothing for NULL.
    pub(super) fn alone(&self, as_of: DateTime<Utc>) -> Option<Typed> {
        Some(match self {
            Literal::Null => return None,
            Literal::Text(text) => of(Value::Text(text.clone()), &Logical::TEXT),
            Literal::Number { digits, scale } => match i64::try_from(*digits) {
                Ok(whole) if *scale == 0 => of(Value::I64(whole), &Logical::I64),
                _ => {
                    let logical = Logical::Decimal { precision: 38, scale: *scale };
                    of(Value::Decimal(*digits), &logical)
                }
            },
            Literal::Today => of(Value::Date(as_of.date_naive().to_epoch_days()), &Logical::Date),
            Literal::AsOf => of(Value::Moment(as_of.timestamp_micros()), &Logical::TIMESTAMP_UTC),
        })
    }

    /// Returns the literal as a value of exactly the type it meets; nothing where it is NULL or does not fit.
    pub(in crate::expression) fn value(&self, like: &Typed, as_of: DateTime<Utc>) -> Option<Value> {
        let logical = &like.logical;
        match self {
            Literal::Null => None,
            // A text is never too long to be compared with.
            Literal::Text(text) => match logical {
                Logical::Text { padded: true, .. } => {
                    Some(Value::Text(text.trim_end_matches(' ').to_owned()))
                }
                Logical::Text { .. } => Some(Value::Text(text.clone())),
                _ => Value::parse(text, logical),
            },
            Literal::Number { digits, scale } => {
                let number = Number::Exact { digits: *digits, scale: u32::from(*scale) };
                match logical {
                    Logical::F64 => {
                        let float = number.float();
                        number.compare(Number::Float(float)).is_eq().then_some(Value::F64(float))
                    }
                    Logical::I64 | Logical::U64 | Logical::Decimal { .. } => {
                        let mut text = String::new();
                        number.push_text(&mut text);
                        Value::parse(&text, logical)
                    }
                    _ => None,
                }
            }
            Literal::Today | Literal::AsOf => {
                let now = if *self == Literal::Today {
                    as_of.date_naive().and_time(NaiveTime::MIN).and_utc()
                } else {
                    as_of
                };
                match logical {
                    Logical::Date => Some(Value::Date(now.date_naive().to_epoch_days())),
                    Logical::Timestamp { utc } => {
                        let zone = like.zone.as_ref().and_then(|zone| zone.parse().ok());
                        let micros = now.timestamp_micros();
                        Some(Value::Moment(match zone {
                            Some(zone) if !utc && *self == Literal::AsOf => shown(micros, zone)?,
                            _ => micros,
                        }))
                    }
                    _ => None,
                }
            }
        }
    }

    /// Returns the literal as something that can be compared with what it meets.
    ///
    /// # Errors
    /// A message where it cannot be: a date that is none, a number where a text is.
    pub(in crate::expression) fn adapt(&self, like: &Typed, as_of: DateTime<Utc>) -> Result<Typed, String> {
        if *self == Literal::Null {
            return Ok(Typed::null(&like.logical));
        }
        if let Some(value) = self.value(like, as_of) {
            let logical = match &like.logical {
                Logical::Text { .. } => Logical::TEXT,
                other => other.clone(),
            };
            return Ok(of(value, &logical));
        }
        let wanted = &like.logical;
        match self {
            Literal::Text(text) if wanted.family() == Family::Bool => {
                Err(format!("`{text}` is neither true nor false"))
            }
            Literal::Text(text) => Err(format!("`{text}` is not a value of type {wanted}")),
            Literal::Number { .. } if wanted.family() == Family::Number => {
                // A number that the column cannot hold is still more or less than what it holds.
                self.alone(as_of).ok_or_else(String::new)
            }
            Literal::Number { .. } if wanted.is_text() => {
                Err("a number cannot be compared with a text: put it in single quotes".to_owned())
            }
            _ => Err(format!("this cannot be compared with what is {}", article(wanted))),
        }
    }
}
