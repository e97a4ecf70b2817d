//! Throw-away servers, and what stands between them and the program.

pub mod mariadb;
pub mod postgres;
pub mod proxy;
pub mod tds;

/// Returns true where tests may pass by what is not installed.
pub fn may_be_missing() -> bool {
    std::env::var_os("COUNTERFOIL_ALLOW_MISSING").is_some_and(|value| value == "1")
}

/// Says what is passed by.
#[allow(clippy::print_stdout, reason = "who looks at the tests' output should see what was passed by")]
pub fn skipped(what: &str) {
    println!("SKIPPED: {what}");
}

/// Does something at the end of a block, however it ends.
pub struct OnDrop<F: Fn()>(pub F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
