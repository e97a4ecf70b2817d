#!/usr/bin/env bash
# Measures how the time and memory of a reconciliation grow with the number of rows. See --help.
set -euo pipefail
here=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

usage() {
  cat <<'TEXT'
Usage: tests/bench/growth.sh [--times N] [--program FILE]

Makes the two files of tests/bench/compare.sh with 1,000,000, 10,000,000 and 50,000,000 rows, and takes snapshots of them.
Then it runs `counterfoil reconcile` on each in turn, 3 times, without and with what it keeps of the rows, and on the
largest with `--memory 2GiB` too. It writes the medians and the peaks of memory to docs/growth.md, with a plot beside it.

Everything is kept in target/bench: 12 GB. The release build is brought up to date first, which takes long where there is
none; --program measures another build instead. It needs Python 3.10 or newer with venv, and the network the first time.

Ends with 1 where a reconciliation does not find what was planted, or takes more than 2.3 GiB where it may take 2. Close
other programs before measuring.
TEXT
}

times=3
program=
while [ $# -gt 0 ]; do
  case $1 in
    --times)
      [[ ${2-} =~ ^[1-9][0-9]*$ ]] || { usage >&2; exit 2; }
      times=$2
      shift 2
      ;;
    --program)
      program=$(cd "$here" && realpath -- "${2-}")
      [ -x "$program" ] || { echo "tests/bench/growth.sh: there is no program at \`${2-}\`" >&2; exit 2; }
      shift 2
      ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done

source tests/bench/made.sh
folders=()
for rows in 1000000 10000000 50000000; do
  make_data "$rows"
  folders+=("$data")
done
bring_up_to_date

"$python" tests/bench/measure_growth.py "$program" "$times" docs "${folders[@]}"
