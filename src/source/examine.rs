//! Whether a connection works: what can be found out of it, step by step, and whether its values come out right.

mod conformance;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::model::Schema;

use super::{Cancel, ReadRequest, Selection, SourceError, files};

pub(super) use conformance::{Kept, judge, request_for};
pub use conformance::{Tried, Verdict};

/// A connection that can be examined. Nothing is tried twice: what fails is told at once.
pub trait Examine: Send + Sync {
    /// Tries the connection and tells each step as it is done; a step that failed is told too, and the last where
    /// no other makes sense. `requests` are what the project reads by the connection. Nothing is written.
    ///
    /// # Errors
    /// [`SourceError::Cancelled`] where the user stopped it; no other.
    fn examine(
        &self,
        requests: &[ReadRequest],
        cancel: &Cancel,
        tell: &mut dyn FnMut(Step),
    ) -> Result<(), SourceError>;

    /// Connects once, and finds out for each request with which columns it would be read. No row is read of a database.
    ///
    /// # Errors
    /// Where the connection cannot be used at all, or the user stopped it.
    fn columns(
        &self,
        requests: &[ReadRequest],
        cancel: &Cancel,
    ) -> Result<Vec<Result<Schema, Unreadable>>, SourceError>;

    /// Writes samples of every type into temporary tables of a session of its own, reads them back as a run would,
    /// and tells of each type what came out. Nothing where the connection is no database.
    ///
    /// # Errors
    /// Where the connection fails, temporary tables may not be made, or the user stopped it.
    fn conform(&self, cancel: &Cancel, tell: &mut dyn FnMut(Tried)) -> Option<Result<(), SourceError>>;
}

/// Why what a request asks for cannot be read.
#[derive(Debug)]
pub struct Unreadable {
    /// What the database says.
    pub error: SourceError,
    /// True where the table can be read, and the condition of `where` is what fails.
    pub by_condition: bool,
}

impl From<SourceError> for Unreadable {
    fn from(error: SourceError) -> Self {
        Unreadable { error, by_condition: false }
    }
}

/// The step that only a session that works comes to.
pub const RIGHTS: &str = "rights";

/// Something that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What was tried, in a few words.
    pub name: &'static str,
    /// How it came out.
    pub outcome: Outcome,
    /// What was found out, or what is wrong: no cell value, no secret.
    pub text: String,
    /// What to try.
    pub advice: Option<String>,
    /// How long it took; nothing where nothing was asked for it.
    pub took: Option<Duration>,
}

/// How a step came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// As it should.
    Good,
    /// Well enough to read, with something that should be known.
    Note,
    /// Something cannot be read.
    Failed,
    /// It was not tried, so that nothing is known.
    NotTried,
}

/// Tells steps, each with the time since the one before.
pub(in crate::source) struct Steps<'a> {
    tell: &'a mut dyn FnMut(Step),
    since: Instant,
}

impl<'a> Steps<'a> {
    /// Begins to measure.
    pub fn new(tell: &'a mut dyn FnMut(Step)) -> Self {
        Steps { tell, since: Instant::now() }
    }

    /// Measures the next step from now on.
    pub fn begin(&mut self) {
        self.since = Instant::now();
    }

    /// Counts this time as of the next step: it was done before.
    pub fn begin_before(&mut self, took: Duration) {
        let now = Instant::now();
        self.since = now.checked_sub(took).unwrap_or(now);
    }

    fn told(
        &mut self,
        name: &'static str,
        outcome: Outcome,
        text: String,
        advice: Option<String>,
        timed: bool,
    ) {
        let took = timed.then(|| self.since.elapsed());
        (self.tell)(Step { name, outcome, text, advice, took });
        self.begin();
    }

    /// Tells a step that came out well.
    pub fn good(&mut self, name: &'static str, text: impl Into<String>) {
        self.told(name, Outcome::Good, text.into(), None, true);
    }

    /// Tells what is known without asking anyone.
    pub fn known(&mut self, name: &'static str, text: impl Into<String>) {
        self.told(name, Outcome::Good, text.into(), None, false);
    }

    /// Tells a step with something that should be known.
    pub fn note(&mut self, name: &'static str, text: impl Into<String>, advice: Option<&str>) {
        self.told(name, Outcome::Note, text.into(), advice.map(str::to_owned), true);
    }

    /// Tells something that should be known, without asking anyone.
    pub fn aside(&mut self, name: &'static str, text: impl Into<String>, advice: Option<&str>) {
        self.told(name, Outcome::Note, text.into(), advice.map(str::to_owned), false);
    }

    /// Tells a step that failed.
    pub fn failed(&mut self, name: &'static str, error: &SourceError) {
        let (text, advice) = error.parts();
        self.told(name, Outcome::Failed, text, advice, true);
    }
}

/// How far the clocks of two machines may be apart before it is worth a word.
const CLOCKS: Duration = Duration::from_secs(2);

/// The difference of two clocks, as it was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::source) struct ClockDifference {
    /// By how many microseconds the server's clock is ahead.
    micros: i64,
    /// By how many the answer may be wrong: half the way to the server and back, and what its clock does not show.
    uncertain: i64,
}

impl ClockDifference {
    /// Asks for the time a few times, and takes the answer that came soonest. The server gives its time in UTC, such as
    /// `2026-03-29T01:30:00.5`. Nothing where it gives none.
    pub fn measure(ask: &mut dyn FnMut() -> Option<String>) -> Option<Self> {
        let mut best: Option<ClockDifference> = None;
        for _ in 0..3 {
            let (before, start) = (chrono::Utc::now(), Instant::now());
            let text = ask()?;
            let way = i64::try_from(start.elapsed().as_micros()).unwrap_or(i64::MAX);
            let text = text.trim().trim_end_matches('Z').replace(' ', "T");
            let server = chrono::NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f").ok()?.and_utc();
            let micros = (server - before).num_microseconds()?.saturating_sub(way / 2);
            // A clock that shows milliseconds may be one behind.
            let digits = text.rsplit_once('.').map_or(0, |(_, fraction)| fraction.len().min(6));
            let step = 10_i64.pow(u32::try_from(6 - digits).unwrap_or(0));
            let found = ClockDifference { micros, uncertain: (way / 2).saturating_add(step) };
            if best.is_none_or(|best| found.uncertain < best.uncertain) {
                best = Some(found);
            }
        }
        best
    }

    /// Tells it as a step.
    pub fn tell(found: Option<Self>, steps: &mut Steps<'_>) {
        let Some(ClockDifference { micros, uncertain }) = found else {
            steps.note("clock", "the database does not tell the time", None);
            return;
        };
        let certain = micros.saturating_abs().saturating_sub(uncertain);
        let way = if micros < 0 { "behind" } else { "ahead of" };
        let text = if certain <= 0 {
            format!("the server's is as this machine's, give or take {}", shown(uncertain))
        } else {
            let by = shown(micros.saturating_abs());
            format!("the server's is {by} {way} this machine's, give or take {}", shown(uncertain))
        };
        if u128::from(certain.max(0).unsigned_abs()) > CLOCKS.as_micros() {
            let advice = "set both by a time server (NTP): the times in a manifest are the server's, those of a run \
                          are this machine's, and `freshness` compares them";
            steps.note("clock", text, Some(advice));
        } else {
            steps.good("clock", text);
        }
    }
}

/// Returns microseconds in the unit that fits.
fn shown(micros: i64) -> String {
    let seconds = micros as f64 / 1e6;
    match seconds {
        ..0.1 => format!("{:.1} ms", seconds * 1e3),
        ..600.0 => format!("{seconds:.1} s"),
        ..172_800.0 => format!("{:.1} h", seconds / 3_600.0),
        _ => format!("{:.0} days", seconds / 86_400.0),
    }
}

/// Tells of each table of a project whether it may be read, and in the end how many.
pub(in crate::source) fn tell_rights(
    steps: &mut Steps<'_>,
    requests: &[ReadRequest],
    mut may_read: impl FnMut(&ReadRequest) -> Result<(), SourceError>,
) -> Result<(), SourceError> {
    let mut good = 0;
    steps.begin();
    let mut failed = Vec::new();
    for request in requests {
        match may_read(request) {
            Ok(()) => good += 1,
            Err(SourceError::Cancelled) => return Err(SourceError::Cancelled),
            Err(error) => failed.push((request.query(), error)),
        }
    }
    let all = requests.len();
    if all == 0 {
        steps.known(RIGHTS, "no dataset names anything of this connection by itself");
    } else if failed.is_empty() {
        let are_files = requests.iter().all(|request| matches!(request.selection, Selection::Files(_)));
        let (one, many) =
            if are_files { ("file", "files") } else { ("table or query", "tables and queries") };
        steps.good(
            RIGHTS,
            match good {
                1 => format!("the one {one} that the project names can be read"),
                good => format!("all {good} {many} that the project names can be read"),
            },
        );
    }
    for (query, error) in failed {
        let (text, advice) = error.parts();
        steps.told(RIGHTS, Outcome::Failed, format!("`{query}`: {text}"), advice, false);
    }
    Ok(())
}

/// A folder of files.
#[derive(Debug)]
pub(in crate::source) struct Folder(pub PathBuf);

impl Examine for Folder {
    fn examine(
        &self,
        requests: &[ReadRequest],
        cancel: &Cancel,
        tell: &mut dyn FnMut(Step),
    ) -> Result<(), SourceError> {
        cancel.check()?;
        let mut steps = Steps::new(tell);
        let shown = self.0.display();
        let entries = match std::fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(source) => {
                let error = match source.kind() {
                    std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {
                        SourceError::NoFolder(self.0.clone())
                    }
                    _ => SourceError::Io { path: self.0.clone(), source },
                };
                steps.failed("folder", &error);
                return Ok(());
            }
        };
        let files = entries.flatten().filter(|entry| entry.path().is_file()).count();
        let noun = if files == 1 { "file" } else { "files" };
        steps.good("folder", format!("{shown}, with {files} {noun}"));
        tell_rights(&mut steps, requests, |request| {
            cancel.check()?;
            files::can_be_read(&self.0, request)
        })
    }

    fn columns(
        &self,
        requests: &[ReadRequest],
        cancel: &Cancel,
    ) -> Result<Vec<Result<Schema, Unreadable>>, SourceError> {
        let mut found = Vec::with_capacity(requests.len());
        for request in requests {
            cancel.check()?;
            found.push(files::columns(&self.0, request, cancel).map_err(Unreadable::from));
        }
        Ok(found)
    }

    fn conform(&self, _cancel: &Cancel, _tell: &mut dyn FnMut(Tried)) -> Option<Result<(), SourceError>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(found: Option<ClockDifference>) -> Step {
        let mut all = Vec::new();
        ClockDifference::tell(found, &mut Steps::new(&mut |step| all.push(step)));
        all.pop().unwrap()
    }

    #[test]
    fn clocks_that_differ_are_told() {
        let step = told(Some(ClockDifference { micros: -3_500_000, uncertain: 1_000_000 }));
        assert_eq!(step.outcome, Outcome::Note);
        assert_eq!(step.text, "the server's is 3.5 s behind this machine's, give or take 1.0 s");
        assert!(step.advice.unwrap().contains("NTP"));
        // It may well be nothing.
        let step = told(Some(ClockDifference { micros: 3_500_000, uncertain: 2_000_000 }));
        assert_eq!((step.outcome, step.advice), (Outcome::Good, None));
        let step = told(Some(ClockDifference { micros: 100, uncertain: 250 }));
        assert_eq!(step.text, "the server's is as this machine's, give or take 0.2 ms");
        for (micros, text) in [(7_200_000_000, "2.0 h"), (864_000_000_000, "10 days")] {
            let step = told(Some(ClockDifference { micros, uncertain: 250 }));
            assert!(step.text.contains(&format!("{text} ahead of this machine's")), "{}", step.text);
        }
        assert_eq!(told(None).outcome, Outcome::Note);
    }

    #[test]
    fn a_clock_is_measured_over_the_way() {
        let mut slow = 30;
        let found = ClockDifference::measure(&mut || {
            std::thread::sleep(Duration::from_millis(slow));
            slow -= 10;
            let there = chrono::Utc::now() + chrono::Duration::seconds(60);
            Some(there.format("%Y-%m-%d %H:%M:%S%.6f").to_string())
        });
        let ClockDifference { micros, uncertain } = found.unwrap();
        assert!((59_900_000..60_100_000).contains(&micros), "{micros}");
        assert!((5_000..100_000).contains(&uncertain), "{uncertain}");
        assert_eq!(ClockDifference::measure(&mut || Some("noon".to_owned())), None);
        assert_eq!(ClockDifference::measure(&mut || None), None);
    }
}
