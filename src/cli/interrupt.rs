//! Ctrl-C and SIGTERM.

use std::time::Duration;

use crate::engine::Unfinished;
use crate::source::Cancel;

use super::Output;
use super::progress::Aside;

/// How long a run may take to come to a safe place. Who sends SIGTERM often waits ten seconds before it kills.
const GRACE: Duration = Duration::from_secs(5);

/// What an interrupt acts on.
#[derive(Debug, Clone, Default)]
pub(super) struct Interrupt {
    /// Asks the work to stop.
    pub cancel: Cancel,
    /// The run folder, which is removed where the work does not stop by itself.
    pub unfinished: Unfinished,
}

/// Listens to Ctrl-C, SIGTERM and SIGHUP.
///
/// The work is asked to stop, and ends at the next place where nothing half done is left. Where it has not within
/// five seconds, or the user asks again, what is half done is removed, `stopped` is said, and the program ends with
/// exit code 2.
pub(super) fn on_interrupt(output: &Output, aside: Aside, stopped: &'static str) -> Interrupt {
    let interrupt = Interrupt::default();
    let seen = interrupt.clone();
    let handler = move || {
        if seen.cancel.is_cancelled() {
            leave(&seen, &aside, "leaving at once", stopped);
        }
        seen.cancel.cancel();
        aside.say(|output| output.progress("stopping; interrupt again to leave at once"));
        let (seen, aside) = (seen.clone(), aside.clone());
        std::thread::spawn(move || {
            std::thread::sleep(GRACE);
            leave(&seen, &aside, "it does not stop by itself: leaving", stopped);
        });
    };
    if let Err(error) = ctrlc::set_handler(handler) {
        output.progress(format!("an interrupt will end the program at once: {error}"));
    }
    interrupt
}

#[allow(
    clippy::exit,
    reason = "threads that are at work cannot be stopped, and nobody wants to wait for them"
)]
fn leave(interrupt: &Interrupt, aside: &Aside, how: &str, stopped: &str) {
    interrupt.unfinished.give_up(|| {
        aside.say(|output| {
            output.progress(how);
            output.error(stopped);
        });
        std::process::exit(2);
    });
}
