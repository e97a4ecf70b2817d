"""Reads one table with Counterfoil and others in turn; prints medians, their ratios and the peaks of memory.

Where PostgreSQL is stands in the usual variables (PGHOST, ...); BARE_FETCH holds the connection string of ODBC. Ends
with 1 where a snapshot is not whole or a limit is not kept. Standard library only, and small: what a child uses of
memory is never counted as less than its parent's.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

# The most of each one's time that Counterfoil may take.
MOST = {"psql": 1.0, "pg2parquet": 0.45, "bare fetch": 1.15, "odbc2parquet": 0.7}
MAX_PEAK_MIB = 400
SMALL_TIMES = 3

PROJECT = """version: 1
project: Benchmark
fingerprint_key: benchmark
connections:
  db: {connection}
datasets: rules/*.yml
"""


def run(command):
    """Runs a command; returns its seconds, its peak of memory in MiB and what it printed."""
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as child:
        out = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - start
    if child.returncode != 0:
        sys.exit(f"{command[0]} ended with {child.returncode}\n{out}")
    kib = usage.ru_maxrss / 1024 if sys.platform == "darwin" else usage.ru_maxrss
    return seconds, kib / 1024, out


def counterfoil(program, folder, connection, table, rows):
    """One snapshot, which must have all rows; its folder is made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "rules").mkdir(parents=True)
    (folder / "counterfoil.yml").write_text(PROJECT.format(connection=connection))
    side = f"dataset: t\nkey: [id]\nsource: {{ connection: db, table: {table} }}\n"
    (folder / "rules" / "t.yml").write_text(side)
    measured = run([program, "snapshot", str(folder), "--quiet"])
    manifests = list(folder.glob("counterfoil-out/snapshots/t/source/*/manifest.json"))
    found = json.loads(manifests[0].read_text())["rows"]
    if found != rows:
        sys.exit(f"the snapshot of {table} has {found} rows, the table {rows}")
    return measured


def bare_fetch(command, rows):
    """The bare fetch loop, which must see all rows."""
    seconds, peak, out = run(command)
    if int(out) != rows:
        sys.exit(f"{command[0]} fetched {int(out)} rows, the table has {rows}")
    return seconds, peak, out


def others(arguments):
    """Returns the connection of the project, and what is measured beside Counterfoil: a function for each name."""
    query = "select * from large"
    output = arguments.folder.with_name("peer.parquet")
    tools = {}
    if arguments.kind == "postgres":
        copy = f"\\copy ({query}) to /dev/null with (format binary)"
        tools["psql"] = lambda: run(["psql", "-Xqc", copy])
        if arguments.peer:
            command = [arguments.peer, "export", "--quiet", "--host", os.environ["PGHOST"]]
            command += ["--port", os.environ["PGPORT"], "--user", os.environ["PGUSER"], "--password", "none"]
            command += ["--dbname", os.environ["PGDATABASE"], "--query", query, "--output-file", str(output)]
            tools["pg2parquet"] = lambda: run(command)
        return "{ type: postgres }", tools
    bare = [arguments.bare, query, *arguments.buffers]
    tools["bare fetch"] = lambda: bare_fetch(bare, arguments.rows)
    if arguments.peer:
        command = [arguments.peer, "--quiet", "query", "--connection-string", os.environ["BARE_FETCH"]]
        command += [str(output), query]
        tools["odbc2parquet"] = lambda: run(command)
    return '{ type: odbc, connection_string: "${BARE_FETCH}" }', tools


def compare(medians, kind):
    """Prints how Counterfoil's time compares; returns what is wrong with it."""
    ratios = {name: medians["counterfoil"] / medians[name] for name in medians if name != "counterfoil"}
    for name, ratio in ratios.items():
        allowed = MOST[name] * medians[name]
        print(f"Counterfoil takes {ratio:.3f} of {name}'s time; {MOST[name]:.2f} of it is {allowed:.2f} s.")
    over = [name for name, ratio in ratios.items() if ratio > MOST[name]]
    if kind == "odbc":
        # The larger of both limits counts.
        return [f"it takes longer than {' and '.join(over)} allow"] if over and len(over) == len(ratios) else []
    return [f"the ratio {ratios[name]:.3f} to {name} is above {MOST[name]:.2f}" for name in over]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["postgres", "odbc"])
    parser.add_argument("program")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--small", type=int, required=True)
    parser.add_argument("--times", type=int, required=True)
    parser.add_argument("--peer")
    parser.add_argument("--bare")
    parser.add_argument("--buffers", nargs="*")
    arguments = parser.parse_args()

    connection, tools = others(arguments)
    ours = (arguments.program, arguments.folder, connection)
    tools = {"counterfoil": lambda: counterfoil(*ours, "large", arguments.rows), **tools}
    seconds = {name: [] for name in tools}
    peaks = {name: [] for name in tools}
    for turn in range(1, arguments.times + 1):
        for name, tool in tools.items():
            took, peak, _ = tool()
            seconds[name].append(took)
            peaks[name].append(peak)
            print(f"{turn}  {name:12} {took:7.2f} s  {peak:5.0f} MiB", flush=True)
    small = max(counterfoil(*ours, "small", arguments.small)[1] for _ in range(SMALL_TIMES))

    medians = {name: statistics.median(times) for name, times in seconds.items()}
    print("\n   tool           median    least     most      peak")
    for name in tools:
        least, most = min(seconds[name]), max(seconds[name])
        print(f"   {name:12} {medians[name]:6.2f} s {least:6.2f} s {most:6.2f} s {max(peaks[name]):5.0f} MiB")
    print()
    wrong = compare(medians, arguments.kind)
    large = max(peaks["counterfoil"])
    print(f"Its peak of memory is {large:.0f} MiB for {arguments.rows} rows, {small:.0f} MiB for {arguments.small}.")
    for rows, peak in [(arguments.rows, large), (arguments.small, small)]:
        if peak >= MAX_PEAK_MIB:
            wrong.append(f"the peak of {peak:.0f} MiB for {rows} rows is not below {MAX_PEAK_MIB} MiB")
    for line in wrong:
        print(f"FAILED: {line}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
