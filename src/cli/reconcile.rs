//! `counterfoil reconcile`.

use super::Output;
use super::project::ProjectArg;
use super::run::{RunArgs, run_stage};
use crate::engine::Stage;

/// Reconcile only: cleanse, align and compare, without checks and duplicates
///
/// The run says so in its report; corrected data is left to `run`. Exit codes are those of `run`.
///
/// Where nothing cleanses, filters or holds back rows of a dataset, they are not read into memory: each side is looked at
/// once, and only the rows that differ are fetched.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    project: ProjectArg,
    #[command(flatten)]
    common: RunArgs,
    /// The memory for datasets that no step, filter or match changes, e.g. 2GiB, at least 256MiB; what has no room goes to the disk, into --out [default: no limit]
    #[arg(long, value_name = "SIZE", value_parser = parse_memory)]
    memory: Option<u64>,
}

pub(super) fn run(args: &Args, output: &Output) -> u8 {
    run_stage(&args.project, &args.common, Stage::Reconcile, args.memory, output)
}

/// The least memory with which work is possible, in bytes.
const LEAST: u64 = 256 << 20;

/// Reads an amount of memory: a whole number with `MiB`, `GiB`, `MB` or `GB`.
fn parse_memory(text: &str) -> Result<u64, String> {
    let wrong = || "a number with a unit is expected, such as `2GiB` or `500MB`".to_owned();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let unit: u64 = match unit.trim() {
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return Err(wrong()),
    };
    let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit)).ok_or_else(wrong)?;
    if bytes < LEAST { Err("at least `256MiB` is needed".to_owned()) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_has_a_unit_and_is_enough() {
        assert_eq!(parse_memory("2GiB"), Ok(2 << 30));
        assert_eq!(parse_memory("500 MB"), Ok(500_000_000));
        for wrong in
            ["", "2", "GiB", "2gib", "-1GiB", "2.5GiB", "99999999999999999999GiB", "18446744073709551615GiB"]
        {
            assert!(parse_memory(wrong).unwrap_err().contains("unit"), "{wrong}");
        }
        assert!(parse_memory("255MiB").unwrap_err().contains("at least"));
    }
}
