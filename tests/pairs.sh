#!/usr/bin/env bash
# Compares pairs of CSV extracts whose differences are known, at three levels. See --help.
set -euo pipefail
here=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
  cat <<'TEXT'
Usage: tests/pairs.sh [--program FILE] [--keep FOLDER] EXTRACTS

Runs Counterfoil over pairs of CSV extracts whose differences are known, and compares what it finds with what is known:
rows, pairs, cells and each column. Each pair is compared three times, with the policies that a user would write:

  exact    no policy: texts are the same, NULL is the same as NULL only
  trimmed  blanks at the ends mean nothing, an empty text is NULL
  typed    also: numbers within a millionth, booleans however they are spelled

and each time by `run`, then by `reconcile` from the snapshots of that run. EXTRACTS has these folders, each with its
expected.json: clean-beers, clean-dgov-grocery-stores-2013, clean-dgov-private-roads, clean-hospital (dirty.csv,
clean.csv), snap-rent-ranges (2022.csv, 2023.csv), xdb-chinook (sqlserver, postgres), xdb-sakila (mysql, postgres), the
last two with columns.json.

  --program FILE  run this build (default: the debug build, brought up to date first)
  --keep FOLDER   write projects and runs there and keep them (default: a temporary folder, removed at the end)

It needs Python 3.

Ends with 0 where all is as known, with 1 where anything differs, with 2 where it could not be tried.
TEXT
}

source tests/extracts.sh
read_arguments "$@"
need_extracts clean-{beers,dgov-grocery-stores-2013,dgov-private-roads,hospital}/expected.json \
  {snap-rent-ranges,xdb-chinook,xdb-sakila}/expected.json
prepare

python3 tests/pairs.py projects "$extracts" "$folder"
for project in "$folder"/*/*/; do
  for command in run "reconcile --from latest"; do
    code=0
    # shellcheck disable=SC2086 # the words of the command
    "$program" $command "$project" --quiet >"$project/${command%% *}.txt" 2>&1 || code=$?
    if [ "$code" -gt 1 ]; then
      cat "$project/${command%% *}.txt" >&2
      cannot "\`$command\` of $project ended with $code"
    fi
    cp "$project/counterfoil-out/runs/latest/run.json" "$project/${command%% *}.json"
  done
done
python3 tests/pairs.py check "$extracts" "$folder"
