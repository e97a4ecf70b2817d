#!/usr/bin/env bash
# Compares two sample databases between MariaDB and PostgreSQL, and what is found with what is known. See --help.
set -euo pipefail
here=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
  cat <<'TEXT'
Usage: tests/databases.sh [--program FILE] [--keep FOLDER] EXTRACTS

Loads the samples Chinook and Sakila, as they were published for two databases each, into a throw-away MariaDB (the
source) and a throw-away PostgreSQL (the target), runs Counterfoil over both, by ODBC and by its own connector, and
compares what it found with what is known. EXTRACTS has two folders:

  xdb-chinook  sqlserver/*.csv for the source, postgres/*.csv for the target, columns.json, expected.json
  xdb-sakila   mysql/*.csv for the source, postgres/*.csv for the target, columns.json, expected.json

Tables are made with the types of columns.json. In the CSV files what is empty and not quoted is NULL.

  --program FILE  run this build (default: the debug build, brought up to date first)
  --keep FOLDER   write projects and runs there and keep them (default: a temporary folder, removed at the end)

It needs Python 3, PostgreSQL, MariaDB and MariaDB's ODBC driver (Debian: postgresql, mariadb-server, odbc-mariadb).
The servers listen on 127.0.0.1 and are gone at the end, however it ends.

Ends with 0 where all is as known, with 1 where anything differs, with 2 where it could not be tried.
TEXT
}

source tests/extracts.sh
read_arguments "$@"
need_extracts xdb-{chinook,sakila}/{columns,expected}.json
source tests/servers.sh
stop() { stop_servers; }
prepare

echo "Starting servers"
# Zones and formats of their own, which nothing may depend on.
start_postgres fsync=off timezone=Asia/Tokyo 'datestyle=German, DMY'
start_mariadb --default-time-zone=+09:00
export PGHOST=127.0.0.1 PGPORT=$postgres_port PGUSER=postgres PGSSLMODE=disable
load_postgres() { PGOPTIONS='-c client_min_messages=warning' psql -Xq -v ON_ERROR_STOP=1 -d "$1"; }
load_mariadb() { "${mariadb_client[@]}" --init-command="SET time_zone = '+00:00', sql_mode = 'TRADITIONAL'"; }

for name in chinook sakila; do
  echo "Loading $name"
  python3 tests/databases.py tables "$extracts" $name mysql | load_mariadb
  psql -Xqd postgres -c "create database $name"
  python3 tests/databases.py tables "$extracts" $name postgres | load_postgres $name
done
password=a-password
load_mariadb <<<"CREATE USER reader@'%' IDENTIFIED BY '$password'; GRANT SELECT ON *.* TO reader@'%';"

python3 tests/databases.py projects "$extracts" "$folder"
driver=$(mariadb_driver)
for name in chinook sakila; do
  export OLD="Driver=$driver;Server=127.0.0.1;Port=$mariadb_port;Database=$name;UID=reader;PWD=$password"
  export NEW="postgresql://postgres@127.0.0.1:$postgres_port/$name?sslmode=disable"
  echo "Comparing $name"
  code=0
  "$program" run "$folder/$name" --quiet || code=$?
  echo "$code" >"$folder/$name/exit-code"
done
python3 tests/databases.py check "$extracts" "$folder"
