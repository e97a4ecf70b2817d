//! Progress: bars on a terminal, plain lines elsewhere, JSON lines where asked.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::engine::{Event, Observer};

use super::Output;

/// Shows the events of a run.
pub struct Progress<'a> {
    output: &'a Output,
    bars: Option<Bars>,
}

struct Bars {
    all: MultiProgress,
    open: Mutex<HashMap<String, ProgressBar>>,
}

impl<'a> Progress<'a> {
    /// Makes the form of progress that fits the output.
    pub fn new(output: &'a Output) -> Self {
        let bars =
            output.bars().then(|| Bars { all: MultiProgress::new(), open: Mutex::new(HashMap::new()) });
        Progress { output, bars }
    }

    /// Takes the bars off the terminal.
    pub fn finish(&self) {
        if let Some(bars) = &self.bars {
            // Drawing problems are not worth an error.
            let _ = bars.all.clear();
        }
    }
}

impl Bars {
    fn show(&self, event: &Event) {
        let (name, text, done) = match event {
            Event::Reading { dataset, side, rows } => (
                format!("{dataset} {side}"),
                format!("reading {dataset} {side}: {} rows", thousands(*rows)),
                false,
            ),
            Event::Read { dataset, side, .. } => (format!("{dataset} {side}"), String::new(), true),
            Event::Stage { dataset, stage } => {
                (dataset.clone(), format!("{stage} {dataset}"), stage == "done")
            }
            Event::Failed { dataset, message } => {
                let _ = self.all.println(format!("{dataset}: {message}"));
                (dataset.clone(), String::new(), true)
            }
            Event::Note { message } => {
                let _ = self.all.println(message);
                return;
            }
        };
        let Ok(mut open) = self.open.lock() else { return };
        if done {
            if let Some(bar) = open.remove(&name) {
                bar.finish_and_clear();
            }
            return;
        }
        let bar = open.entry(name).or_insert_with(|| {
            let bar = self.all.add(ProgressBar::new_spinner());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        bar.set_message(text);
    }
}

impl Observer for Progress<'_> {
    fn event(&self, event: &Event) {
        match &self.bars {
            Some(bars) => bars.show(event),
            None if self.output.json() => {
                if let Ok(line) = serde_json::to_string(event) {
                    self.output.progress(line);
                }
            }
            None => match event {
                Event::Reading { .. } | Event::Stage { .. } => {}
                event => self.output.progress(event),
            },
        }
    }
}

/// Writes a count with commas between the thousands.
pub fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn thousands_have_commas() {
        assert_eq!([0, 999, 1000, 1_234_567].map(super::thousands), ["0", "999", "1,000", "1,234,567"]);
    }
}
