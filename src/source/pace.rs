//! How gently a database is read, and how patiently: rates, hours, and trying again.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use chrono::Local;

use super::{Cancel, Hours, Limits, Rate, SourceError};

/// A wait is cut into pieces of this length, so that a wish to stop is heard.
const PIECE: Duration = Duration::from_millis(100);
/// The first wait after a lost connection; it doubles with every attempt.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Holds all readers of one connection to its limits.
#[derive(Debug)]
pub(super) struct Pace {
    rate: Option<Rate>,
    hours: Option<Hours>,
    retry_for: Duration,
    /// When the next row or byte may be taken.
    next: Mutex<Instant>,
}

impl Pace {
    /// Makes the pace of a connection.
    pub fn new(limits: &Limits) -> Self {
        Pace {
            rate: limits.rate,
            hours: limits.hours,
            retry_for: limits.retry_for.0,
            next: Mutex::new(Instant::now()),
        }
    }

    /// Returns true within the hours in which the database may be read.
    pub fn is_open(&self) -> bool {
        self.hours.is_none_or(|hours| hours.contain(Local::now().time()))
    }

    /// Waits for the hours in which the database may be read.
    ///
    /// # Errors
    /// Where the user stops meanwhile.
    pub fn wait_for_hours(&self, cancel: &Cancel) -> Result<(), SourceError> {
        while !self.is_open() {
            sleep(PIECE, cancel)?;
        }
        cancel.check()
    }

    /// Waits until as much as was just taken is within the rate.
    ///
    /// # Errors
    /// Where the user stops meanwhile.
    pub fn took(&self, rows: u64, bytes: u64, cancel: &Cancel) -> Result<(), SourceError> {
        let Some(rate) = self.rate else { return cancel.check() };
        let seconds = match rate {
            Rate::Rows(most) => rows as f64 / most as f64,
            Rate::Bytes(most) => bytes as f64 / most as f64,
        };
        let until = {
            let mut next = self.next.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            *next = (*next).max(Instant::now()) + Duration::from_secs_f64(seconds);
            *next
        };
        sleep(until.saturating_duration_since(Instant::now()), cancel)
    }

    /// Begins to count attempts at something that may be tried again.
    pub fn attempts(&self) -> Attempts {
        Attempts { until: None, retry_for: self.retry_for, wait: FIRST_WAIT }
    }
}

/// The attempts at one thing.
#[derive(Debug)]
pub(super) struct Attempts {
    until: Option<Instant>,
    retry_for: Duration,
    wait: Duration,
}

impl Attempts {
    /// Forgets earlier failures: something has succeeded.
    pub fn succeeded(&mut self) {
        self.until = None;
        self.wait = FIRST_WAIT;
    }

    /// Waits after a failure; false where it has been tried for long enough.
    ///
    /// # Errors
    /// Where the user stops meanwhile.
    pub fn again(&mut self, cancel: &Cancel) -> Result<bool, SourceError> {
        let now = Instant::now();
        let until = *self.until.get_or_insert(now + self.retry_for);
        if now + self.wait > until {
            return Ok(false);
        }
        sleep(self.wait, cancel)?;
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
        Ok(true)
    }
}

fn sleep(time: Duration, cancel: &Cancel) -> Result<(), SourceError> {
    let until = Instant::now() + time;
    loop {
        cancel.check()?;
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(left.min(PIECE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::TimeSpan;

    #[test]
    fn a_rate_is_kept_over_all_readers() {
        let pace = Pace::new(&Limits { rate: Some(Rate::Rows(1_000)), ..Limits::default() });
        let start = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| pace.took(50, 0, &Cancel::default()).unwrap());
            }
        });
        assert!(start.elapsed() >= Duration::from_millis(199), "{:?}", start.elapsed());
    }

    #[test]
    fn attempts_end() {
        let pace =
            Pace::new(&Limits { retry_for: TimeSpan(Duration::from_millis(700)), ..Limits::default() });
        let mut attempts = pace.attempts();
        assert!(attempts.again(&Cancel::default()).unwrap());
        assert!(!attempts.again(&Cancel::default()).unwrap());
        attempts.succeeded();
        assert!(attempts.again(&Cancel::default()).unwrap());
    }

    #[test]
    fn a_wait_is_broken_off() {
        let pace = Pace::new(&Limits { rate: Some(Rate::Bytes(1)), ..Limits::default() });
        let cancel = Cancel::default();
        cancel.cancel();
        assert!(matches!(pace.took(0, 1_000_000, &cancel), Err(SourceError::Cancelled)));
    }
}
