"""Runs Counterfoil and others in turn on the same two files; prints medians, their ratios and the peaks of memory.

Ends with 1 where one does not find what was planted, or where a limit is not kept. Standard library only, and small: what
a child uses of memory is never counted as less than its parent's.
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

# The most that `reconcile` may take of each one's time, and of DuckDB's memory.
MOST = {"DuckDB": 0.5, "datacompy": 0.06}
MOST_MEMORY = {"DuckDB": 0.4}


def run(command):
    """Runs a command; returns its exit code, standard output, seconds and peak of memory in GiB."""
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        out = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - start
    kib = usage.ru_maxrss / 1024 if sys.platform == "darwin" else usage.ru_maxrss
    return child.returncode, out, seconds, kib / 1024**2


def counterfoil(command, out):
    """One run of Counterfoil; the clock is that of the process."""
    code, said, seconds, peak = run([*command, "--out", str(out), "--quiet"])
    # The planted faults fail the gate.
    if code != 1:
        sys.exit(f"{' '.join(command)} ended with {code}, where 1 is right\n{said}")
    folder = (out / "runs" / "latest").resolve()
    dataset = json.loads((folder / "run.json").read_text())["datasets"][0]
    found = {
        "cells": {column["name"]: column["mismatched"] for column in dataset["columns"] if column["mismatched"]},
        "missing": dataset["buckets"]["missing"],
        "unexpected": dataset["buckets"]["unexpected"],
    }
    return found, seconds, peak, folder


class Reconcile:
    """`counterfoil reconcile` on snapshots that a first run took."""

    def __init__(self, program, folder):
        self.out = folder / "out"
        shutil.rmtree(self.out, ignore_errors=True)
        project = [program, "reconcile", str(folder)]
        *_, self.run = counterfoil(project, self.out)
        self.command = [*project, "--from", str(self.run)]

    def within(self, memory):
        """A reconciliation with so much memory that finds nothing kept of the rows."""
        self.forget()
        return self.again("--memory", memory)

    def forget(self):
        """Removes what was kept of the rows."""
        for kept in self.out.glob("snapshots/*/*/*/hashes-*"):
            kept.unlink()

    def first(self):
        """A reconciliation that finds nothing kept of the rows."""
        self.forget()
        return self.again()

    def again(self, *options):
        """A reconciliation that finds what the last one kept."""
        found, seconds, peak, folder = counterfoil([*self.command, *options], self.out)
        if folder != self.run:
            shutil.rmtree(folder)
        return found, seconds, peak


def whole_run(program, folder):
    """One whole run, from the files to the report."""
    out = folder / "out-run"
    shutil.rmtree(out, ignore_errors=True)
    return counterfoil([program, "run", str(folder)], out)[:3]


def script(name, folder):
    """One comparison by a script, which says how long it took."""
    code, said, _, peak = run([sys.executable, str(Path(__file__).with_name(name)), str(folder)])
    if code != 0:
        sys.exit(f"{name} ended with {code}")
    result = json.loads(said)
    return result["found"], result["seconds"], peak


def limits(medians, peaks):
    """Prints the ratios, and returns what is above its limit."""
    wrong = []
    for what, of, most in [("time", medians, MOST), ("memory", peaks, MOST_MEMORY)]:
        for name, limit in most.items():
            if name not in of:
                continue
            ratio = of["reconcile"] / of[name]
            print(f"`reconcile` takes {ratio:.3f} of {name}'s {what}; at most {limit} is wanted.")
            if ratio > limit:
                wrong.append(f"{ratio:.3f} of {name}'s {what} is above {limit}")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("folder", type=Path)
    parser.add_argument("times", type=int)
    parser.add_argument("--alone", action="store_true")
    arguments = parser.parse_args()

    reconcile = Reconcile(arguments.program, arguments.folder)
    tools = {"reconcile": reconcile.first, "again": reconcile.again}
    if not arguments.alone:
        tools["run"] = lambda: whole_run(arguments.program, arguments.folder)
        tools["DuckDB"] = lambda: script("with_duckdb.py", arguments.folder)
        tools["datacompy"] = lambda: script("with_datacompy.py", arguments.folder)
    seconds = {name: [] for name in tools}
    peaks = {name: [] for name in tools}
    planted = json.loads((arguments.folder / "planted.json").read_text())
    wrong = []
    for turn in range(1, arguments.times + 1):
        for name, tool in tools.items():
            found, took, peak = tool()
            seconds[name].append(took)
            peaks[name].append(peak)
            print(f"{turn}  {name:12} {took:7.2f} s  {peak:5.2f} GiB", flush=True)
            if found != planted:
                wrong.append(f"{name} found {found}, but planted was {planted}")

    medians = {name: statistics.median(times) for name, times in seconds.items()}
    print("\n   tool           median    least     most     peak")
    for name in tools:
        least, most = min(seconds[name]), max(seconds[name])
        print(f"   {name:12} {medians[name]:6.2f} s {least:6.2f} s {most:6.2f} s {max(peaks[name]):4.2f} GiB")
    print()
    wrong += limits(medians, {name: max(of) for name, of in peaks.items()})
    if not wrong:
        print(f"All found what was planted, in every turn: {planted}")
    for line in dict.fromkeys(wrong):
        print(f"FAILED: {line}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
