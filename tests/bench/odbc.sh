#!/usr/bin/env bash
# Measures a snapshot from MariaDB by ODBC against a bare fetch loop, and against odbc2parquet. See --help.
set -euo pipefail
here=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

usage() {
  cat <<'TEXT'
Usage: tests/bench/odbc.sh [--rows N] [--times N] [--program FILE] [--no-peers]

Starts a throw-away MariaDB server on loopback, makes a table of 13 columns and N rows (default 5000000) and one of a
tenth of that, and reads the large one in turn by MariaDB's ODBC driver (default 5 times each) with

  counterfoil   a snapshot, ranges in parallel, to Parquet
  bare fetch    the same query by one connection into the same buffers, and nothing else (tests/bench/bare_fetch)
  odbc2parquet  the same query, to Parquet

All have the same connection string: no cursor that holds the whole result. Prints medians, their ratios and the peaks
of memory, also those of snapshots of the small table. What is kept stands in target/bench. The release build is brought
up to date first, which takes long where there is none; --program measures another build instead. odbc2parquet is
built into target/bench/tools the first time (cargo install); --no-peers does without it. It needs Python 3, MariaDB's
server, client and ODBC driver, and unixODBC's library for odbc2parquet.

Ends with 1 where a snapshot is not whole, where Counterfoil takes longer than both 0.7 of odbc2parquet's time and 1.15
of the bare fetch loop's, or where it takes 400 MiB of memory or more. Close other programs before measuring.
TEXT
}

source tests/bench/common.sh

CARGO_TARGET_DIR=$bench/bare_fetch cargo build --quiet --release --locked --manifest-path tests/bench/bare_fetch/Cargo.toml

# odbc2parquet is linked with the system's driver manager, whose development package need not be there.
if [ ! -x "$bench/tools/bin/odbc2parquet" ] && ! compgen -G '/usr/lib/*/libodbc.so' >/dev/null; then
  library=$(compgen -G '/usr/lib/*/libodbc.so.2' | head -n 1 || true)
  if [ -n "$library" ]; then
    mkdir -p "$bench/tools/lib"
    ln -sf "$library" "$bench/tools/lib/libodbc.so"
    export RUSTFLAGS="-L native=$bench/tools/lib"
  fi
fi
peer odbc2parquet 11.0.1
unset RUSTFLAGS

driver=$(mariadb_driver)
start_mariadb --innodb-buffer-pool-size=2G --innodb-log-file-size=1G --innodb-doublewrite=0 --sql-mode=TRADITIONAL
# The options are those that Counterfoil sets by itself: no cache, and a cursor that only goes forward.
export BARE_FETCH="Driver=$driver;Server=127.0.0.1;Port=$mariadb_port;Database=bench;UID=root;OPTION=3145728"

echo "Making $rows rows"
"${mariadb_client[@]}" -e 'create database bench character set utf8mb4'
for table in "large $rows" "small $small"; do
  read -r name count <<<"$table"
  "${mariadb_client[@]}" bench <<SQL
create table $name (
  id int not null primary key, tag_ref char(11), prop_ref varchar(12), surname varchar(30), forename varchar(30),
  born date, started date, rent decimal(10,2), balance decimal(12,2), is_open boolean, updated_at datetime(6),
  tenure char(3), note varchar(60)) engine=innodb;
set unique_checks = 0, foreign_key_checks = 0;
insert into $name
select i, concat(lpad(i, 7, '0'), '/01'), concat('P', lpad(i % 900000, 8, '0')),
  concat(elt(1 + i % 8, 'Smith', 'Jones', 'Taylor', 'Okafor', 'Khan', 'Nowak', 'O''Brien', 'García'), i % 1000),
  if(i % 17 <> 0, elt(1 + i % 6, 'Ann', 'Bob', 'Cid', 'Dot', 'Eve', 'Flo'), null),
  date '1930-01-01' + interval i * 7919 % 29000 day, date '2000-01-01' + interval i * 104729 % 9000 day,
  (i * 7919 % 90000) / 100, (cast(i * 104729 % 1000000 as signed) - 500000) / 100, i % 3 = 0,
  timestamp '2015-01-01 00:00:00' + interval i * 37500000 microsecond, elt(1 + i % 3, 'SEC', 'INT', 'LEA'),
  if(i % 5 = 0, concat('Note ', md5(i)), null)
from (select cast(seq as signed) i from seq_1_to_$count) s;
analyze table $name;
SQL
done >/dev/null

# As Counterfoil reads these columns by this driver: text in UTF-8, three bytes for each of the two units of UTF-16 that a
# character may take, and decimals as text.
buffers=(i64 text:68 text:74 text:182 text:182 date date text:13 text:15 i64 timestamp text:20 text:362)
python3 tests/bench/measure_snapshots.py odbc "$program" "$bench/odbc" --rows "$rows" --small "$small" \
  --times "$times" ${peer:+--peer "$peer"} --bare "$bench/bare_fetch/release/bare_fetch" --buffers "${buffers[@]}"
