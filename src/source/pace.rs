//! How gently a database is read, and how patiently: rates, hours, and trying again.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::{Local, NaiveTime};

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
    /// True while someone waits for the hours, and has said so.
    waiting: AtomicBool,
    /// True since a connection was lost, until something is read again.
    lost: AtomicBool,
}

impl Pace {
    /// Makes the pace of a connection.
    pub fn new(limits: &Limits) -> Self {
        Pace {
            rate: limits.rate,
            hours: limits.hours,
            retry_for: limits.retry_for.0,
            next: Mutex::new(Instant::now()),
            waiting: AtomicBool::new(false),
            lost: AtomicBool::new(false),
        }
    }

    /// Returns the rate.
    pub fn rate(&self) -> Option<Rate> {
        self.rate
    }

    /// Returns true within the hours in which the database may be read.
    pub fn is_open(&self) -> bool {
        self.hours.is_none_or(|hours| hours.contain(Local::now().time()))
    }

    /// Waits for the hours in which the database may be read. Who waits first tells until when, in words that follow the
    /// connection's name.
    ///
    /// # Errors
    /// Where the user stops meanwhile.
    pub fn wait_for_hours(&self, cancel: &Cancel, tell: &dyn Fn(&str)) -> Result<(), SourceError> {
        if let Some(hours) = self.hours.filter(|_| !self.is_open())
            && !self.waiting.swap(true, Ordering::Relaxed)
        {
            tell(&wait(hours, Local::now().time()));
        }
        while !self.is_open() {
            sleep(PIECE, cancel)?;
        }
        self.waiting.store(false, Ordering::Relaxed);
        cancel.check()
    }

    /// Tells of a connection that was lost and is tried again: of the first since something was read, in words that follow
    /// the connection's name.
    pub fn lost(&self, attempts: &Attempts, why: &str, tell: &dyn Fn(&str)) {
        if !attempts.are_over() && !self.lost.swap(true, Ordering::Relaxed) {
            let most = span(self.retry_for);
            tell(&format!("{why}; it is tried again, for up to {most}"));
        }
    }

    /// Notes that something was read.
    pub fn read(&self) {
        self.lost.store(false, Ordering::Relaxed);
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

    /// Returns true where it has been tried for long enough.
    fn are_over(&self) -> bool {
        let now = Instant::now();
        now + self.wait > self.until.unwrap_or(now + self.retry_for)
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

/// Says until when the hours are waited for.
fn wait(hours: Hours, now: NaiveTime) -> String {
    let day = 24 * 60 * 60;
    let seconds = (hours.from - now).num_seconds().rem_euclid(day).unsigned_abs();
    let (from, now) = (hours.from.format("%H:%M"), now.format("%H:%M"));
    // Up to the minute in which it begins.
    let left = span(Duration::from_secs(seconds.div_ceil(60) * 60));
    format!("it is read from {from} (`limits.hours`), and it is {now}: waiting {left}")
}

/// Says how long a time is, in whole seconds.
fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
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
    use crate::rule::TimeSpan;

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
    fn a_wait_for_the_hours_is_told() {
        let at = |h, m| NaiveTime::from_hms_opt(h, m, 5).unwrap();
        let hours = |from, to| Hours { from, to };
        let text = wait(hours(at(3, 0), at(7, 0)), at(9, 28));
        assert_eq!(text, "it is read from 03:00 (`limits.hours`), and it is 09:28: waiting 17 h 32 min");
        assert!(wait(hours(at(19, 0), at(7, 0)), at(18, 59)).ends_with("waiting 1 min"));
    }

    #[test]
    fn a_lost_connection_is_told_once_until_something_is_read() {
        let pace = Pace::new(&Limits::default());
        let told = Mutex::new(Vec::new());
        let tell = |text: &str| told.lock().unwrap().push(text.to_owned());
        for _ in 0..3 {
            pace.lost(&pace.attempts(), "it went", &tell);
        }
        pace.read();
        pace.lost(&pace.attempts(), "again", &tell);
        assert_eq!(
            *told.lock().unwrap(),
            ["it went; it is tried again, for up to 10 min", "again; it is tried again, for up to 10 min"]
        );
        let never = Pace::new(&Limits { retry_for: TimeSpan(Duration::ZERO), ..Limits::default() });
        never.lost(&never.attempts(), "it went", &|text| panic!("{text}"));
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
