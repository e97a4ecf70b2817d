#!/usr/bin/env bash
# Measures a snapshot from PostgreSQL against psql copying the same rows to nowhere, and against pg2parquet. See --help.
set -euo pipefail
here=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

usage() {
  cat <<'TEXT'
Usage: tests/bench/postgres.sh [--rows N] [--times N] [--program FILE] [--no-peers]

Starts a throw-away PostgreSQL server on loopback, makes a table of 13 columns and N rows (default 5000000) and one of
a tenth of that, and reads the large one in turn (default 5 times each) with

  counterfoil   a snapshot, to Parquet
  psql          \copy (query) to /dev/null with (format binary)
  pg2parquet    the same query, to Parquet

Prints medians, their ratios and the peaks of memory, also those of snapshots of the small table. What is kept stands
in target/bench. The release build is brought up to date first, which takes long where there is none; --program
measures another build instead. pg2parquet is built into target/bench/tools the first time (cargo install; it needs the
headers of OpenSSL); --no-peers does without it. It needs Python 3, PostgreSQL's server and psql.

Ends with 1 where a snapshot is not whole, where Counterfoil takes longer than psql or than 0.45 of pg2parquet's time,
or where it takes 400 MiB of memory or more. Close other programs before measuring.
TEXT
}

source tests/bench/common.sh
peer pg2parquet 0.2.2

start_postgres fsync=off shared_buffers=1GB max_wal_size=8GB
export PGHOST=127.0.0.1 PGPORT=$postgres_port PGUSER=postgres PGDATABASE=postgres PGSSLMODE=disable

echo "Making $rows rows"
for table in "large $rows" "small $small"; do
  read -r name count <<<"$table"
  psql -Xq -v ON_ERROR_STOP=1 <<SQL
create table $name (
  id integer, tag_ref char(11), prop_ref varchar(12), surname text, forename text, born date, started date,
  rent numeric(10,2), balance numeric(12,2), is_open boolean, updated_at timestamp, tenure char(3), note text);
insert into $name
select i, lpad(i::text, 7, '0') || '/01', 'P' || lpad((i % 900000)::text, 8, '0'),
  (array['Smith','Jones','Taylor','Okafor','Khan','Nowak','O''Brien','García'])[1 + i % 8] || (i % 1000)::text,
  case when i % 17 <> 0 then (array['Ann','Bob','Cid','Dot','Eve','Flo'])[1 + i % 6] end,
  date '1930-01-01' + (i * 7919::bigint % 29000)::int, date '2000-01-01' + (i * 104729::bigint % 9000)::int,
  (i * 7919::bigint % 90000) / 100.0, (i * 104729::bigint % 1000000 - 500000) / 100.0, i % 3 = 0,
  timestamp '2015-01-01' + make_interval(secs => i * 37.5), (array['SEC','INT','LEA'])[1 + i % 3],
  case when i % 5 = 0 then 'Note ' || md5(i::text) end
from generate_series(1, $count) i;
vacuum (freeze, analyze) $name;
SQL
done

python3 tests/bench/measure_snapshots.py postgres "$program" "$bench/postgres" --rows "$rows" --small "$small" \
  --times "$times" ${peer:+--peer "$peer"}
