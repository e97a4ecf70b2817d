"""Runs Counterfoil and datacompy in turn on the same two files; prints medians, their ratio and the peaks of memory.

Ends with 1 where the two do not find the same, and what was planted, or where a limit is not kept. Standard library
only, and small: what a child uses of memory is never counted as less than its parent's.
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

MAX_RATIO = 1 / 3
MAX_PEAK_GIB = 2.0


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


def counterfoil(program, folder):
    """One whole run, from the files to the report; the clock is that of the process."""
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    code, said, seconds, peak = run([program, "run", str(folder), "--out", str(out), "--quiet"])
    # The planted faults fail the gate.
    if code != 1:
        sys.exit(f"counterfoil ended with {code}, where 1 is right\n{said}")
    result = json.loads((out / "runs" / "latest" / "run.json").read_text())
    dataset = result["datasets"][0]
    found = {
        "cells": {column["name"]: column["mismatched"] for column in dataset["columns"] if column["mismatched"]},
        "missing": dataset["buckets"]["missing"],
        "unexpected": dataset["buckets"]["unexpected"],
    }
    return found, seconds, peak


def datacompy(folder):
    """One comparison; the clock is that of the script, without the start of Python."""
    script = Path(__file__).with_name("with_datacompy.py")
    code, said, _, peak = run([sys.executable, str(script), str(folder)])
    if code != 0:
        sys.exit(f"datacompy ended with {code}")
    result = json.loads(said)
    return result["found"], result["seconds"], peak


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("folder", type=Path)
    parser.add_argument("times", type=int)
    arguments = parser.parse_args()

    tools = {
        "counterfoil": lambda: counterfoil(arguments.program, arguments.folder),
        "datacompy": lambda: datacompy(arguments.folder),
    }
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
    ratio = medians["counterfoil"] / medians["datacompy"]
    peak = max(peaks["counterfoil"])
    print("\n   tool           median    least     most     peak")
    for name in tools:
        least, most = min(seconds[name]), max(seconds[name])
        print(f"   {name:12} {medians[name]:6.2f} s {least:6.2f} s {most:6.2f} s {max(peaks[name]):4.2f} GiB")
    print(f"\nCounterfoil takes {ratio:.3f} of datacompy's time; at most {MAX_RATIO:.3f} is wanted.")
    if ratio > MAX_RATIO:
        wrong.append(f"the ratio {ratio:.3f} is above {MAX_RATIO:.3f}")
    if peak > MAX_PEAK_GIB:
        wrong.append(f"the peak of {peak:.2f} GiB is above {MAX_PEAK_GIB} GiB")
    if not wrong:
        print(f"Both found what was planted, in every turn: {planted}")
    for line in dict.fromkeys(wrong):
        print(f"FAILED: {line}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
