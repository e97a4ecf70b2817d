# What the benchmarks of reconciliation share: sourced, not run. It uses `program`.

bench=$PWD/target/bench
mkdir -p "$bench"

python=$bench/venv/bin/python
if ! cmp -s tests/bench/requirements.txt "$bench/venv/installed.txt"; then
  rm -rf "$bench/venv"
  python3 -m venv "$bench/venv"
  "$python" -m pip install --quiet --disable-pip-version-check -r tests/bench/requirements.txt
  cp tests/bench/requirements.txt "$bench/venv/installed.txt"
fi

# make_data ROWS: sets `data` to the folder with two files of so many rows, which are made the first time.
make_data() {
  data=$bench/$1
  if [ ! -e "$data/planted.json" ] || [ tests/bench/make_data.py -nt "$data/planted.json" ]; then
    rm -rf "$data"
    "$python" tests/bench/make_data.py "$data" "$1"
  fi
}

# Sets `program` to the release build, unless another was given.
bring_up_to_date() {
  if [ -z "$program" ]; then
    cargo build --release --locked
    program=${CARGO_TARGET_DIR:-target}/release/counterfoil
  fi
}
