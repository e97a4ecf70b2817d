"""Runs `counterfoil reconcile` on ever larger files; writes its time and memory as a table and a plot.

Ends with 1 where it does not find what was planted, or does not keep to the memory that it may take.
"""

import json
import os
import statistics
import sys
from pathlib import Path

from measure import Reconcile

BUDGET, BUDGET_GIB, TOLERANCE = "2GiB", 2, 1.15

PAGE = """\
# How time and memory grow

`counterfoil reconcile` on snapshots already taken of two tables of 13 columns (a text as key, decimals, dates, times, NULLs),
the target in another order, one row in two hundred with a fault; {turns}, on {cores} cores.
`tests/bench/growth.sh` measures it and writes this page.

| rows a side | time | peak of memory | time, with the row hashes kept | peak of memory |
| ---: | ---: | ---: | ---: | ---: |
{lines}

![Time and memory against rows](growth.svg)
"""


def measured(tool, planted, times):
    """The median time and the highest peak of a tool."""
    seconds, peaks = [], []
    for _ in range(times):
        found, took, peak = tool()
        if found != planted:
            sys.exit(f"found {found}, but planted was {planted}")
        seconds.append(took)
        peaks.append(peak)
    return statistics.median(seconds), max(peaks)


def panel(left, title, unit, names, values):
    """Half a plot: bars for each number of rows, without and with what was kept."""
    width, height, top = 300, 180, 40
    highest = max(max(pair) for pair in values)
    parts = [f'<text x="{left}" y="20" class="title">{title}</text>']
    step = width / len(names)
    for place, (name, pair) in enumerate(zip(names, values, strict=True)):
        for index, value in enumerate(pair):
            bar = height * value / highest
            x, y = left + step * place + index * step * 0.36, top + height - bar
            parts.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{step * 0.32:.1f}" height="{bar:.1f}" class="bar{index}"/>'
            )
            parts.append(
                f'<text x="{x + step * 0.16:.1f}" y="{y - 4:.1f}" class="value">{value:.{1 if value >= 1 else 2}f}</text>'
            )
        parts.append(
            f'<text x="{left + step * (place + 0.36):.1f}" y="{top + height + 18}" class="name">{name}</text>'
        )
    parts.append(f'<text x="{left}" y="36" class="unit">{unit}</text>')
    return "\n".join(parts)


def plot(names, times, peaks):
    """The plot as SVG, readable on light and dark pages."""
    style = (
        "text{font:12px sans-serif;fill:#57606a}.title{font-weight:600;fill:#24292f}.unit{font-size:11px}"
        ".value,.name{text-anchor:middle}.value{font-size:10px}.bar0{fill:#0b6e99}.bar1{fill:#9fc6d9}"
        "@media(prefers-color-scheme:dark){text{fill:#9da7b1}.title{fill:#e6edf3}}"
    )
    legend = (
        '<rect x="20" y="252" width="12" height="12" class="bar0"/><text x="38" y="262">first time</text>'
        '<rect x="130" y="252" width="12" height="12" class="bar1"/><text x="148" y="262">row hashes kept</text>'
    )
    body = "\n".join([panel(20, "Time", "seconds", names, times), panel(360, "Memory", "peak, GiB", names, peaks)])
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 680 275" role="img" '
        'aria-label="Time and memory of a reconciliation against rows a side">\n'
        f"<style>{style}</style>\n{body}\n{legend}\n</svg>\n"
    )


def main():
    program, times, docs = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    names, all_times, all_peaks, lines = [], [], [], []
    for folder in map(Path, sys.argv[4:]):
        planted = json.loads((folder / "planted.json").read_text())
        rows = int(folder.name)
        reconcile = Reconcile(program, folder)
        (first, peak), (again, peak_again) = (
            measured(tool, planted, times) for tool in (reconcile.first, reconcile.again)
        )
        print(f"{rows} rows: {first:.2f} s, {peak:.2f} GiB; again {again:.2f} s, {peak_again:.2f} GiB", flush=True)
        names.append(f"{rows // 1_000_000} million")
        all_times.append((first, again))
        all_peaks.append((peak, peak_again))
        lines.append(f"| {rows:,} | {first:.1f} s | {peak:.2f} GiB | {again:.1f} s | {peak_again:.2f} GiB |")
    within, peak = measured(lambda: reconcile.within(BUDGET), planted, times)
    print(f"{rows} rows with --memory {BUDGET}: {within:.2f} s, {peak:.2f} GiB", flush=True)
    lines.append(f"| {rows:,}, `--memory {BUDGET}` | {within:.1f} s | {peak:.2f} GiB | | |")
    (docs / "growth.svg").write_text(plot(names, all_times, all_peaks))
    turns = "one run of each" if times == 1 else f"medians of {times} runs"
    page = PAGE.format(turns=turns, cores=len(os.sched_getaffinity(0)), lines="\n".join(lines))
    (docs / "growth.md").write_text(page)
    if peak > BUDGET_GIB * TOLERANCE:
        sys.exit(f"FAILED: {peak:.2f} GiB where {BUDGET} may be taken")


if __name__ == "__main__":
    main()
