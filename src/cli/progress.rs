//! Progress: bars on a terminal, plain lines elsewhere, JSON lines where asked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde_json::{Map, Value as Json};

use crate::config::Plan;
use crate::engine::{Event, Observer};
use crate::report::thousands;

use super::Output;
use super::output::Level;

/// In plain lines a side that takes long is heard of so often.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Shows the events of a run.
pub struct Progress<'a> {
    output: &'a Output,
    bars: Option<Bars>,
    /// When a side was first and last heard of.
    heard: Mutex<BTreeMap<String, (Instant, Instant)>>,
}

/// Bars on a terminal: one for everything, and a line for each thing under way.
struct Bars {
    all: MultiProgress,
    whole: ProgressBar,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    open: BTreeMap<String, ProgressBar>,
    done: BTreeSet<String>,
}

/// Returns how many things a run of the plan comes to the end of: every side read, every dataset done.
pub fn steps_of_run(plan: &Plan) -> usize {
    sides(plan) + plan.datasets.len()
}

/// Returns how many snapshots a plan takes.
pub fn sides(plan: &Plan) -> usize {
    plan.datasets.iter().map(|d| usize::from(d.source.is_some()) + usize::from(d.target.is_some())).sum()
}

impl<'a> Progress<'a> {
    /// Makes the form of progress that fits the output; `steps` is how many things come to an end.
    pub fn new(output: &'a Output, steps: usize) -> Self {
        let bars = output.bars().then(|| Bars::new(steps as u64));
        Progress { output, bars, heard: Mutex::default() }
    }

    /// Returns a way to print from another thread, without harm to the bars.
    pub fn aside(&self) -> Aside {
        Aside { output: self.output.clone(), bars: self.bars.as_ref().map(|bars| bars.all.clone()) }
    }

    /// Takes the bars off the terminal.
    pub fn finish(&self) {
        if let Some(bars) = &self.bars {
            bars.whole.finish_and_clear();
            let _ = bars.all.clear();
        }
    }

    fn plain(&self, event: &Event) {
        if let Event::Reading { dataset, side, .. } = event {
            let Ok(mut heard) = self.heard.lock() else { return };
            let now = Instant::now();
            let (first, last) = heard.entry(format!("{dataset} {side}")).or_insert((now, now));
            if now.duration_since(*last) < HEARTBEAT {
                return;
            }
            *last = now;
            self.output.progress(so_far(event, now.duration_since(*first)));
            return;
        }
        self.output.progress(sentence(event));
    }

    fn record(&self, event: &Event) {
        let mut fields = match serde_json::to_value(event) {
            Ok(Json::Object(fields)) => fields,
            _ => Map::new(),
        };
        let name =
            fields.remove("event").and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default();
        let level = if matches!(event, Event::Failed { .. }) { Level::Error } else { Level::Info };
        self.output.record(level, &name, &sentence(event), fields);
    }
}

/// Prints from another thread than the one that shows the progress.
#[derive(Debug, Clone)]
pub struct Aside {
    output: Output,
    bars: Option<MultiProgress>,
}

impl Aside {
    /// Makes one for a command that draws no bars.
    pub fn new(output: &Output) -> Self {
        Aside { output: output.clone(), bars: None }
    }

    /// Prints while the bars are off the terminal.
    pub fn say(&self, print: impl FnOnce(&Output)) {
        match &self.bars {
            Some(bars) => bars.suspend(|| print(&self.output)),
            None => print(&self.output),
        }
    }
}

impl Bars {
    fn new(steps: u64) -> Self {
        let all = MultiProgress::new();
        let whole = all.add(ProgressBar::new(steps));
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len}, {elapsed}") {
            whole.set_style(style);
        }
        whole.enable_steady_tick(Duration::from_millis(250));
        Bars { all, whole, state: Mutex::default() }
    }

    fn show(&self, event: &Event, output: &Output) {
        let Ok(mut state) = self.state.lock() else { return };
        match event {
            Event::Reading { dataset, side, .. } => {
                let name = format!("{dataset} {side}");
                let since = state.open.get(&name).map(ProgressBar::elapsed).unwrap_or_default();
                self.under_way(&mut state, name, so_far(event, since));
            }
            Event::Read { dataset, side, .. } => self.ended(&mut state, format!("{dataset} {side}")),
            Event::Stage { dataset, stage } if stage == "done" => self.ended(&mut state, dataset.clone()),
            Event::Stage { dataset, .. } => self.under_way(&mut state, dataset.clone(), sentence(event)),
            Event::Failed { dataset, .. } => {
                for name in [dataset.clone(), format!("{dataset} source"), format!("{dataset} target")] {
                    state.close(&name);
                }
                self.all.suspend(|| output.progress(sentence(event)));
            }
            Event::Note { .. } => self.all.suspend(|| output.progress(sentence(event))),
        }
    }

    fn under_way(&self, state: &mut State, name: String, text: String) {
        let bar = state.open.entry(name).or_insert_with(|| {
            let bar = self.all.insert_before(&self.whole, ProgressBar::new_spinner());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        bar.set_message(text);
    }

    fn ended(&self, state: &mut State, name: String) {
        state.close(&name);
        state.done.insert(name);
        self.whole.set_position(state.done.len() as u64);
    }
}

impl State {
    fn close(&mut self, name: &str) {
        if let Some(bar) = self.open.remove(name) {
            bar.finish_and_clear();
        }
    }
}

impl Observer for Progress<'_> {
    fn event(&self, event: &Event) {
        match &self.bars {
            Some(bars) => bars.show(event, self.output),
            None if self.output.json() => self.record(event),
            None => self.plain(event),
        }
    }
}

/// An event as a line for people.
fn sentence(event: &Event) -> String {
    match event {
        Event::Reading { .. } => so_far(event, Duration::ZERO),
        Event::Read { dataset, side, rows, .. } => {
            format!("{dataset} {side}: {} read", counted(*rows))
        }
        Event::Stage { dataset, stage } => {
            let doing = match stage.as_str() {
                "cleanse" => "cleansing",
                "check" => "checking",
                "reconcile" => "reconciling",
                "write" => "writing",
                "recheck" => "reading again",
                other => other,
            };
            format!("{dataset}: {doing}")
        }
        Event::Failed { dataset, message } => format!("{dataset}: {message}"),
        Event::Note { message } => message.clone(),
    }
}

/// How far a reading has come after a time: rows, bytes, rate, time left.
fn so_far(event: &Event, time: Duration) -> String {
    let Event::Reading { dataset, side, rows, of, bytes } = event else { return sentence(event) };
    let mut text = format!("{dataset} {side}: {}", counted(*rows));
    if let Some(of) = of.filter(|of| of >= rows) {
        text.push_str(&format!(" of about {}", thousands(of)));
    }
    text.push_str(" read so far");
    let mega = *bytes / 1_000_000;
    if mega > 0 {
        text.push_str(&format!(", {} MB", thousands(mega)));
    }
    if let Some(rate) = rows.checked_div(time.as_secs()) {
        text.push_str(&format!(", {} rows/s", thousands(rate)));
        if let Some(left) = of.and_then(|of| of.checked_sub(*rows)?.checked_div(rate)) {
            text.push_str(&format!(", {} left", duration(left)));
        }
    }
    text
}

/// A number of rows with its noun.
pub fn counted(rows: u64) -> String {
    format!("{} {}", thousands(rows), if rows == 1 { "row" } else { "rows" })
}

/// A number of seconds as people say it.
fn duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_told_in_words() {
        let dataset = "tenancies".to_owned();
        let stage = |stage: &str| Event::Stage { dataset: dataset.clone(), stage: stage.to_owned() };
        assert_eq!(sentence(&stage("reconcile")), "tenancies: reconciling");
        assert_eq!(sentence(&stage("done")), "tenancies: done");
        let read = Event::Read { dataset, side: "source".to_owned(), rows: 2000, snapshot: "abc".to_owned() };
        assert_eq!(sentence(&read), "tenancies source: 2,000 rows read");
        assert_eq!([0, 1, 2].map(counted), ["0 rows", "1 row", "2 rows"]);
    }

    #[test]
    fn a_long_reading_says_how_long_it_will_take() {
        let reading = |rows, of, bytes| Event::Reading {
            dataset: "tenancies".to_owned(),
            side: "source".to_owned(),
            rows,
            of,
            bytes,
        };
        assert_eq!(
            so_far(&reading(30_000, Some(600_000), 7_500_000), Duration::from_secs(10)),
            "tenancies source: 30,000 rows of about 600,000 read so far, 7 MB, 3,000 rows/s, 4 min left"
        );
        assert_eq!(so_far(&reading(5, None, 100), Duration::ZERO), "tenancies source: 5 rows read so far");
        assert_eq!(
            so_far(&reading(50, Some(40), 0), Duration::from_secs(5)),
            "tenancies source: 50 rows read so far, 10 rows/s"
        );
        assert_eq!(duration(7_260), "2 h 1 min");
    }
}
