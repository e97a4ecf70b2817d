//! Ctrl-C and SIGTERM.

use crate::source::Cancel;

use super::Output;
use super::progress::Progress;

/// Makes a cancel that Ctrl-C, SIGTERM and SIGHUP set.
///
/// The work then ends at the next place where nothing half done is left. Who asks a second time does not wait: the
/// program ends at once with exit code 2, and what is half written keeps a name that ends in `.part`.
pub(super) fn cancel_on_interrupt(output: &Output, progress: &Progress<'_>) -> Cancel {
    let cancel = Cancel::default();
    let seen = cancel.clone();
    let tell = progress.voice();
    let handler = move || {
        if seen.is_cancelled() {
            leave();
        }
        seen.cancel();
        tell("stopping; interrupt again to leave at once");
    };
    if let Err(error) = ctrlc::set_handler(handler) {
        output.progress(format!("Ctrl-C will end the program at once: {error}"));
    }
    cancel
}

#[allow(clippy::exit, reason = "the user does not want to wait for the threads that are at work")]
fn leave() {
    std::process::exit(2);
}
