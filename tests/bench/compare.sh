#!/usr/bin/env bash
# Measures reconciliation with Counterfoil, DuckDB and datacompy (polars) on the same two files. See --help.
set -euo pipefail
here=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

usage() {
  cat <<'TEXT'
Usage: tests/bench/compare.sh [--rows N] [--times N] [--program FILE] [--alone]

Makes two Parquet files of 13 columns and N rows (default 10000000), with a text as key, the target in another order, and
faults of five kinds in one row in a thousand each. Then it runs, in turn and 5 times each:

  reconcile   `counterfoil reconcile` on snapshots of both, taken before
  again       the same once more: what it kept of the rows is there still
  run         `counterfoil run`: snapshots, reconciliation, repairs, corrected data, report
  DuckDB      one query: full outer join on the key, `is distinct from` on each column, the differing cells into Parquet
  datacompy   its comparison on polars

Counterfoil's clock is that of the process, the others' runs from reading the files to the result. It prints medians,
ratios and the peaks of memory. Everything is kept in target/bench. The release build is brought up to date first,
which takes long where there is none; --program measures another build instead, --alone leaves out DuckDB, datacompy
and `run`. It needs Python 3.10 or newer with venv, and the network the first time.

Ends with 1 where one does not find what was planted, or where `reconcile` takes more than 0.5 of DuckDB's time, 0.4 of its
memory or 0.06 of datacompy's time. Close other programs before measuring.
TEXT
}

rows=10000000
times=5
program=
alone=
while [ $# -gt 0 ]; do
  case $1 in
    --rows | --times)
      [[ ${2-} =~ ^[1-9][0-9]*$ ]] || { usage >&2; exit 2; }
      if [ "$1" = --rows ]; then rows=$2; else times=$2; fi
      shift 2
      ;;
    --program)
      program=$(cd "$here" && realpath -- "${2-}")
      [ -x "$program" ] || { echo "tests/bench/compare.sh: there is no program at \`${2-}\`" >&2; exit 2; }
      shift 2
      ;;
    --alone) alone=--alone; shift ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done

source tests/bench/made.sh
make_data "$rows"
bring_up_to_date

"$python" tests/bench/measure.py "$program" "$data" "$times" $alone
