# Throw-away database servers for scripts: sourced, not run.
#
#   start_postgres [OPTION...]   sets postgres_port; user postgres, no password; options as `fsync=off`
#   start_mariadb [OPTION...]    sets mariadb_port; user root, no password; options as `--sql-mode=`
#   stop_servers                 stops them and waits until their folders are gone
#
# They listen on 127.0.0.1, have their own temporary folder and run as root or not. A shell stands between: when the
# script ends, however it ends, the shell's input closes, and it stops the server and removes the folder.

server_inputs=()
server_folders=()

# Prints what went wrong, and ends.
server_failed() {
  echo "$0: $1" >&2
  exit 2
}

# Prints the path of the first of these programs that there is.
server_program() {
  local name
  for name in "$@"; do
    PATH=$PATH:/usr/sbin:/usr/libexec command -v "$name" && return
  done
  return 1
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# The seconds that a server may take to start.
server_patience=60

# server_folder PREFIX [USER]: makes a folder that the user can reach, and prints its path.
server_folder() {
  local place folder
  for place in "${TMPDIR:-/tmp}" /tmp /var/tmp; do
    folder=$(mktemp -d "$place/counterfoil-script-$1-XXXXXX") || continue
    chmod 711 "$folder"
    if [ -z "${2-}" ]; then
      echo "$folder"
      return
    fi
    if chown "$2" "$folder" && (cd / && runuser -u "$2" -- test -w "$folder"); then
      echo "$folder"
      return
    fi
    rm -rf "$folder"
  done
  return 1
}

# server_keeper FOLDER COMMAND...: runs what makes and runs a server, until its own input closes.
server_keeper() {
  set +e
  trap '' INT TERM HUP
  local folder=$1 child
  shift
  # A group of its own, to end it and all that it has started.
  set -m
  (
    trap - INT TERM HUP
    cd / && "$@"
    touch "$folder/ended"
  ) </dev/null >"$folder/log" 2>&1 &
  child=$!
  set +m
  cat >/dev/null
  # PostgreSQL is asked to end quickly, and not to wait for its clients.
  kill -INT "$(head -n 1 "$folder/data/postmaster.pid" 2>/dev/null)" 2>/dev/null || kill -TERM -- "-$child" 2>/dev/null
  while kill -0 -- "-$child" 2>/dev/null; do sleep 0.1; done
  rm -rf "$folder"
}

# server_start FOLDER COMMAND...: does so, until this script ends.
server_start() {
  local input open
  # None of the inputs of other servers is handed on: each would keep the other alive.
  exec {input}> >(
    for open in "${server_inputs[@]}"; do exec {open}>&-; done
    server_keeper "$@"
  )
  server_inputs+=("$input")
  server_folders+=("$1")
}

# server_await FOLDER NAME COMMAND...: waits until a command succeeds.
server_await() {
  local folder=$1 name=$2 until=$((SECONDS + server_patience))
  shift 2
  until "$@" >/dev/null 2>&1; do
    if [ $SECONDS -ge $until ] || [ -e "$folder/ended" ]; then
      tail -n 5 "$folder/log" >&2
      server_failed "$name does not start"
    fi
    sleep 0.1
  done
}

stop_servers() {
  local input folder wait
  for input in "${server_inputs[@]}"; do exec {input}>&-; done
  for folder in "${server_folders[@]}"; do
    for ((wait = 0; wait < 600; wait++)); do
      [ -e "$folder" ] || break
      sleep 0.1
    done
  done
  server_inputs=()
  server_folders=()
}

# make_postgres FOLDER USER INITDB POSTGRES OPTION...: makes and runs a server, as another user where USER is not empty.
make_postgres() {
  local folder=$1 as=()
  [ -z "$2" ] || as=(runuser -u "$2" --)
  "${as[@]}" "$3" -D "$folder/data" -A trust -U postgres --no-sync --locale=C.UTF-8 -E UTF8 &&
    "${as[@]}" "$4" -D "$folder/data" -k "$folder" "${@:5}"
}

start_postgres() {
  local programs user='' folder option options=()
  # The newest that is installed.
  programs=$(compgen -G '/usr/lib/postgresql/*/bin' | sort -V | tail -n 1)
  [ -n "$programs" ] || programs=$(dirname "$(command -v initdb || echo /none/initdb)")
  if [ ! -x "$programs/initdb" ] || [ ! -x "$programs/postgres" ] || ! command -v psql >/dev/null; then
    server_failed "there is no PostgreSQL server or no psql: apt-get install postgresql"
  fi
  if [ "$(id -u)" = 0 ]; then
    # It does not run as root.
    for user in postgres nobody; do id "$user" >/dev/null 2>&1 && break; done
  fi
  folder=$(server_folder postgres $user) || server_failed "no temporary folder is open to the user $user"
  postgres_port=$(free_port)
  for option in listen_addresses=127.0.0.1 log_min_messages=fatal "$@"; do options+=(-c "$option"); done
  server_start "$folder" make_postgres "$folder" "$user" "$programs/initdb" "$programs/postgres" \
    -p "$postgres_port" "${options[@]}"
  server_await "$folder" PostgreSQL psql -Xqd "postgresql://postgres@127.0.0.1:$postgres_port/postgres" -c 'select 1'
}

# make_mariadb FOLDER INSTALL DAEMON OPTION...: makes and runs a server.
make_mariadb() {
  local folder=$1 install=$2 user=()
  shift 2
  # Root has to say so; others are who they are.
  [ "$(id -u)" != 0 ] || user=(--user=root)
  "$install" --no-defaults --auth-root-authentication-method=normal --skip-test-db "${user[@]}" \
    --datadir="$folder/data" &&
    "$1" --no-defaults "${user[@]}" --datadir="$folder/data" --socket="$folder/socket" --pid-file="$folder/pid" \
      --bind-address=127.0.0.1 --skip-name-resolve --innodb-flush-log-at-trx-commit=0 --max-allowed-packet=64M \
      "${@:2}"
}

start_mariadb() {
  local install daemon client folder
  if ! install=$(server_program mariadb-install-db mysql_install_db) || ! daemon=$(server_program mariadbd mysqld) ||
    ! client=$(server_program mariadb mysql); then
    server_failed "there is no MariaDB server: apt-get install mariadb-server"
  fi
  folder=$(server_folder mariadb) || server_failed "no temporary folder can be made"
  mariadb_port=$(free_port)
  server_start "$folder" make_mariadb "$folder" "$install" "$daemon" --port="$mariadb_port" "$@"
  mariadb_client=("$client" --no-defaults -h127.0.0.1 -P"$mariadb_port" -uroot --default-character-set=utf8mb4)
  server_await "$folder" MariaDB "${mariadb_client[@]}" -e 'select 1'
}

# mariadb_driver: prints the path of MariaDB's ODBC driver.
mariadb_driver() {
  local found
  found=$(compgen -G '/usr/lib/*/odbc/libmaodbc.so' || compgen -G '/usr/lib*/libmaodbc.so') ||
    server_failed "there is no ODBC driver for MariaDB: apt-get install odbc-mariadb"
  head -n 1 <<<"$found"
}
