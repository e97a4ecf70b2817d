"""The parts of tests/pairs.sh that are not a shell's: projects, and what must be found.

What is known stands in each pair's expected.json, which was made from the CSV files without this program. It compares
the first row of a repeated key, and knows no NULL in a key: by the rules of this program such rows have no partner, and
are taken away here. Standard library only.
"""

import collections
import itertools
import json
import sys
from pathlib import Path

from databases import NATURAL_KEY, found, payments, read_json, snake, table

LEVELS = ("exact", "trimmed", "typed")
COMMANDS = ("run", "reconcile")
CLEAN = ("clean-beers", "clean-dgov-grocery-stores-2013", "clean-dgov-private-roads", "clean-hospital")

# The columns that a user would compare as numbers, and as booleans; of others the header or columns.json says it.
NUMBERS = {
    "clean-beers": ["ounces", "abv", "ibu"],
    "clean-hospital": [],
    "snap-rent-ranges": ["soft_min", "soft_max", "hard_min", "hard_max"],
}
BOOLEANS = {"xdb-sakila": {"staff": ["active"]}}

PROJECT = """version: 1
project: {title}
fingerprint_key: pairs
as_of: 2026-01-31
connections:
  extracts: {{ type: files, path: {path} }}
datasets: rules/*.yml
"""


class Pair:
    """Two CSV files that belong together, with what is known of them."""

    def __init__(self, pair, name, source, target, key, known):
        self.pair, self.name, self.source, self.target, self.key, self.known = pair, name, source, target, key, known
        # The source's names of columns, by the target's.
        self.renamed = {}
        self.numbers = []
        self.booleans = []

    def rule(self, level, columns, blank):
        side = {"connection": "extracts"}
        rule = {"dataset": self.name, "key": self.key}
        rule["source"] = {**side, "file": f"{self.pair}/{self.source}"}
        rule["target"] = {**side, "file": f"{self.pair}/{self.target}"}
        if self.renamed:
            rule["target"]["columns"] = {theirs: ours for theirs, ours in self.renamed.items() if theirs != ours}
        compared = [column for column in columns if column not in self.key]
        policies = {column: self.policy(level, column, column in blank) for column in compared if level != "exact"}
        if policies:
            rule["reconcile"] = {"columns": policies}
        return rule

    def policy(self, level, column, may_be_blank):
        # A number or a boolean cannot be blank: that a column of them is so is said only where a text is.
        null = {"null": [""]} if may_be_blank else {}
        if level == "typed" and column in self.numbers:
            return {"as": "f64", "relative": "0.000001", **null}
        if level == "typed" and column in self.booleans:
            return {"as": "bool", **null}
        return {"as": "text", "whitespace": "trim", "null": [""]}


def rows_of(extracts, pair, pattern):
    """Returns the header and the rows of a file, or of all that match, as one table."""
    folder = extracts / pair
    header, rows = None, []
    for path in sorted(folder.glob(pattern)):
        header, more = table(path.parent, path.stem)
        rows += more
    if header is None:
        sys.exit(f"there is no {pattern} in {folder}")
    return header, rows


def pairs(extracts):
    """Yields every pair."""
    for name in CLEAN:
        known = read_json(extracts / name / "expected.json")
        key = ["_row"] if known["key"] == "row position" else [known["key"]]
        pair = Pair(name, name, "dirty.csv", "clean.csv", key, known)
        pair.renamed = {clean: dirty for dirty, clean in known["headers_differ"]}
        header, _ = rows_of(extracts, name, "dirty.csv")
        pair.numbers = NUMBERS.get(name, [column for column in header if column.endswith(("(long)", "precision)"))])
        known["rows_left"], known["rows_right"] = known["rows_dirty"], known["rows_clean"]
        yield pair
    name = "snap-rent-ranges"
    for title, known in read_json(extracts / name / "expected.json").items():
        dataset = "_".join(["by", *known["key"]])
        pair = Pair(name, dataset, "2022.csv", "2023.csv", known["key"], known)
        pair.numbers = NUMBERS[name]
        yield pair
    for name, source in [("xdb-chinook", "sqlserver"), ("xdb-sakila", "mysql")]:
        declared = read_json(extracts / name / "columns.json")[source]
        for dataset, known in read_json(extracts / name / "expected.json").items():
            if "left_table" in known:
                left, right = known["left_table"], known["right_table"]
                pair = Pair(name, dataset, f"{source}/{left}.csv", f"postgres/{right}.csv", known["key"], known)
            elif dataset in ("payment", "payment_by_natural_key"):
                left, key = "payment", known.get("key", ["payment_id"])
                pair = Pair(name, dataset, "mysql/payment.csv", "postgres/payment*.csv", key, known)
            else:
                continue
            columns = declared[left]["columns"]
            if name == "xdb-chinook":
                pair.renamed = {snake(theirs): theirs for theirs, _ in columns}
            pair.booleans = BOOLEANS.get(name, {}).get(dataset, [])
            numeric = ("INT", "SMALLINT", "TINYINT", "MEDIUMINT", "DECIMAL", "NUMERIC")
            pair.numbers = [
                column
                for column, kind in columns
                if kind.upper().startswith(numeric) and column not in pair.booleans
            ]
            yield pair


def both(extracts, pair):
    """Returns the rows of both sides as dictionaries by the source's names."""
    sides = []
    for pattern in (pair.source, pair.target):
        header, rows = rows_of(extracts, pair.pair, pattern)
        names = [pair.renamed.get(column, column) if pattern == pair.target else column for column in header]
        sides.append((names, [dict(zip(names, row)) for row in rows]))
    return sides


def projects(extracts, folder):
    for pair in pairs(extracts):
        (left, rows_left), (right, rows_right) = both(extracts, pair)
        blank = {column for row in itertools.chain(rows_left, rows_right) for column in row if row[column] == ""}
        for level in LEVELS:
            project = folder / pair.pair / level
            (project / "rules").mkdir(parents=True, exist_ok=True)
            text = PROJECT.format(title=f"{pair.pair} {level}", path=json.dumps(str(extracts)))
            (project / "counterfoil.yml").write_text(text)
            rule = pair.rule(level, [column for column in left if column in right], blank)
            # JSON is YAML.
            (project / "rules" / f"{pair.name}.yml").write_text(json.dumps(rule, indent=2) + "\n")


def wanted(extracts, pair, level):
    """Returns what must be found of a pair at a level, as a flat table of counts."""
    known = pair.known
    (left, rows_left), (right, rows_right) = both(extracts, pair)
    if pair.name == "payment_by_natural_key":
        differ = payments(extracts)
        known = {**known, "in_both": known["keys_left"] - known["only_left"]}
        rows = max(differ.values())
    else:
        differ = {column: counts[level] for column, counts in known["columns"].items()}
        rows = known["rows_differing"][level]
    missing, unexpected, in_both = known["only_left"], known["only_right"], known["in_both"]
    no_key, repeated = [0, 0], 0
    if pair.key != ["_row"]:
        keys = [[tuple(row[column] for column in pair.key) for row in side] for side in (rows_left, rows_right)]
        no_key = [sum(None in key for key in side) for side in keys]
        counts = [collections.Counter(key for key in side if None not in key) for side in keys]
        twice = {key for count in counts for key, times in count.items() if times > 1}
        repeated = sum(count[key] for count in counts for key in twice)
        apart = sum(all(count[key] for count in counts) for key in twice)
        missing -= no_key[0] + sum(counts[1][key] == 0 for key in twice)
        unexpected -= no_key[1] + sum(counts[0][key] == 0 for key in twice)
        # Whether the first rows of a repeated key differ is known only where all rows do.
        if apart and any(count != in_both for count in [rows, *differ.values()]):
            sys.exit(f"{pair.name}: what differs among repeated keys is not known")
        in_both -= apart
        rows -= apart
        differ = {column: count - apart for column, count in differ.items()}
    counts = {
        "rows of source": len(rows_left),
        "rows of target": len(rows_right),
        "pairs": in_both,
        "pairs that differ": rows,
        "cells that differ": sum(differ.values()),
        "missing": missing,
        "unexpected": unexpected,
        "without key, source": no_key[0],
        "without key, target": no_key[1],
        "with repeated keys": repeated,
    }
    counts.update({f"{column} differs": count for column, count in sorted(differ.items()) if count})
    return counts, sorted({*left} ^ {*right})


def check(extracts, folder):
    wrong, figures = 0, 0
    print(f"\n{'pair':26}{'dataset':30}{'level':10}{'':28}{'known':>8}{'run':>9}{'reconcile':>11}")
    for pair in pairs(extracts):
        for level in LEVELS:
            counts, apart = wanted(extracts, pair, level)
            seen = []
            for command in COMMANDS:
                result = read_json(folder / pair.pair / level / f"{command}.json")
                dataset = next(dataset for dataset in result["datasets"] if dataset["name"] == pair.name)
                if dataset["error"]:
                    sys.exit(f"{pair.name} {level} by {command}: {dataset['error']}")
                seen.append(found(dataset))
            lines = [
                (what, counts.get(what, 0), *(figure.get(what, 0) for figure, _ in seen))
                for what in dict.fromkeys(itertools.chain(counts, *(figure for figure, _ in seen)))
            ]
            lines.append(("columns not compared", apart, *(names for _, names in seen)))
            for what, *values in lines:
                figures += 1
                differs = any(value != values[0] for value in values)
                wrong += differs
                if isinstance(values[0], list):
                    values = [len(value) if not differs else ",".join(value) for value in values]
                # Nothing on either side says nothing.
                if not differs and values[0] == 0 and what != "pairs that differ":
                    continue
                known, run, reconcile = values
                mark = "  DIFFERS" if differs else ""
                print(f"{pair.pair[:25]:26}{pair.name[:29]:30}{level:10}{what:28}{known!s:>8}{run!s:>9}{reconcile!s:>11}{mark}")
    print(f"\n{wrong} of {figures} figures are not as known." if wrong else f"\nAll {figures} figures are as known.")
    sys.exit(1 if wrong else 0)


def main():
    match sys.argv[1:]:
        case ["projects", extracts, folder]:
            projects(Path(extracts), Path(folder))
        case ["check", extracts, folder]:
            check(Path(extracts), Path(folder))
        case _:
            sys.exit("run tests/pairs.sh")


if __name__ == "__main__":
    main()
