#!/usr/bin/env bash
# Measures a whole run of Counterfoil against datacompy's compare (polars) of the same two files. See --help.
set -euo pipefail
here=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

usage() {
  cat <<'TEXT'
Usage: tests/bench/compare.sh [--rows N] [--times N] [--program FILE]

Makes two Parquet files of 13 columns and N rows (default 1000000), runs the release build of Counterfoil and
datacompy on them in turn (default 5 times each), and prints medians, their ratio and the peaks of memory.
Counterfoil's time is that of a whole run: snapshots, reconciliation, repairs, corrected data, report. datacompy's
is that of reading and comparing alone. Everything is kept in target/bench. The release build is brought up to date
first, which takes long where there is none; --program measures another build instead. It needs Python 3.10 or newer
with venv, and the network the first time.

Ends with 1 where the two do not find the same, where Counterfoil takes more than a third of datacompy's time, or
where it takes more than 2 GiB of memory. Close other programs before measuring.
TEXT
}

rows=1000000
times=5
program=
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
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done

bench=$PWD/target/bench
mkdir -p "$bench"

python=$bench/venv/bin/python
if ! cmp -s tests/bench/requirements.txt "$bench/venv/installed.txt"; then
  rm -rf "$bench/venv"
  python3 -m venv "$bench/venv"
  "$python" -m pip install --quiet --disable-pip-version-check -r tests/bench/requirements.txt
  cp tests/bench/requirements.txt "$bench/venv/installed.txt"
fi

data=$bench/$rows
if [ ! -e "$data/planted.json" ] || [ tests/bench/make_data.py -nt "$data/planted.json" ]; then
  rm -rf "$data"
  "$python" tests/bench/make_data.py "$data" "$rows"
fi

if [ -z "$program" ]; then
  cargo build --release --locked
  program=${CARGO_TARGET_DIR:-target}/release/counterfoil
fi

"$python" tests/bench/measure.py "$program" "$data" "$times"
