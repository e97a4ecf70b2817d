# What the benchmarks of snapshots share: sourced, not run. It needs `usage`, and reads the arguments of the script.

rows=5000000
times=5
program=
peers=yes
while [ $# -gt 0 ]; do
  case $1 in
    --rows | --times)
      [[ ${2-} =~ ^[1-9][0-9]*$ ]] || { usage >&2; exit 2; }
      if [ "$1" = --rows ]; then rows=$2; else times=$2; fi
      shift 2
      ;;
    --program)
      program=$(cd "$here" && realpath -- "${2-}")
      [ -x "$program" ] || { echo "$0: there is no program at \`${2-}\`" >&2; exit 2; }
      shift 2
      ;;
    --no-peers) peers=no; shift ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done
small=$((rows / 10 + 1))

bench=$PWD/target/bench
mkdir -p "$bench"
if [ -z "$program" ]; then
  cargo build --release --locked
  program=$PWD/${CARGO_TARGET_DIR:-target}/release/counterfoil
fi

# peer NAME VERSION: sets `peer` to the path of a program written in Rust, which is built the first time; to nothing where
# it is not wanted or cannot be had.
peer() {
  peer=
  if [ $peers = no ]; then
    echo "Not compared with $1: --no-peers"
    return
  fi
  if [ ! -x "$bench/tools/bin/$1" ]; then
    echo "Building $1 $2, once"
    cargo install --quiet --locked --root "$bench/tools" --version "$2" "$1" >"$bench/$1.log" 2>&1 || true
  fi
  if [ -x "$bench/tools/bin/$1" ]; then
    peer=$bench/tools/bin/$1
  else
    tail -n 5 "$bench/$1.log" >&2
    echo "NOT COMPARED with $1: it could not be built, see $bench/$1.log" >&2
  fi
}

source tests/servers.sh
trap stop_servers EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
