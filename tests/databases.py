"""The parts of tests/databases.sh that are not a shell's: tables, projects, and what must be found.

What is known stands in each sample's expected.json, which was made from its CSV files; its counts are taken at the
level `typed`. What it does not hold (payments by their natural key, column by column) is counted here from the CSV
files. Standard library only.
"""

import itertools
import json
import re
import sys
from decimal import Decimal
from pathlib import Path

# What columns.json leaves out of a declaration, as Sakila has it.
DECLARED = {
    ("mysql", "film", "rating"): "ENUM('G','PG','PG-13','R','NC-17')",
    ("mysql", "film", "special_features"): "SET('Trailers','Commentaries','Deleted Scenes','Behind the Scenes')",
    ("postgres", "film", "special_features"): "text[]",
    ("postgres", "film", "fulltext"): "tsvector",
}
POSTGRES_TYPES = """
CREATE DOMAIN year AS integer CHECK (VALUE BETWEEN 1901 AND 2155);
CREATE TYPE mpaa AS ENUM ('G', 'PG', 'PG-13', 'R', 'NC-17');
"""
NATURAL_KEY = ["customer_id", "staff_id", "rental_id", "amount"]
PARTS = "payment_p"


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


def cells(text):
    """Yields the rows of a CSV file; what is empty and not quoted is None, which the csv module cannot tell."""
    row, at = [], 0
    while at < len(text):
        if text[at] == '"':
            value = []
            while True:
                end = text.index('"', at + 1)
                value.append(text[at + 1 : end])
                at = end + 1
                if text[at : at + 1] != '"':
                    break
                value.append('"')
            row.append("".join(value))
        else:
            end = re.compile(r"[,\n]").search(text, at)
            end = end.start() if end else len(text)
            row.append(text[at:end].rstrip("\r") or None)
            at = end
        if text[at : at + 2] == "\r\n":
            at += 1
        if text[at : at + 1] == ",":
            at += 1
            if at == len(text) or text[at] in "\r\n":
                row.append(None)
                at += text[at : at + 2] == "\r\n"
            else:
                continue
        yield row
        row, at = [], at + 1


def table(folder, name):
    """Returns the header and the rows of a table."""
    header, *rows = cells((folder / f"{name}.csv").read_text(encoding="utf-8"))
    if any(len(row) != len(header) for row in rows):
        sys.exit(f"{name}.csv has rows of another length than its header")
    return header, rows


# Tables.


# Who wrote the extracts of the source.
ORIGIN = {"chinook": "sqlserver", "sakila": "mysql"}


def create(engine, name, columns):
    if engine == "postgres" and name.startswith(PARTS):
        return f"CREATE TABLE {name} () INHERITS (payment);\n"
    quote = "`" if engine == "mysql" else '"'
    declared = []
    for column, kind in columns:
        kind = DECLARED.get((engine, name, column), kind)
        # A timestamp would be filled in by the server.
        null = " NULL DEFAULT NULL" if kind == "TIMESTAMP" else ""
        declared.append(f"{quote}{column}{quote} {kind}{null}")
    return f"CREATE TABLE {quote}{name}{quote} ({', '.join(declared)});\n"


def mysql_literal(value):
    if value is None:
        return "NULL"
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def copy_value(value):
    if value is None:
        return "\\N"
    for letter, written in [("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")]:
        value = value.replace(letter, written)
    return value


def tables(extracts, sample, engine):
    """Prints the statements that make and fill the tables of a sample in MariaDB (`mysql`) or PostgreSQL."""
    folder = extracts / f"xdb-{sample}"
    origin = ORIGIN[sample] if engine == "mysql" else engine
    declared = read_json(folder / "columns.json")[origin]
    print(f"CREATE DATABASE {sample}; USE {sample};" if engine == "mysql" else POSTGRES_TYPES)
    # In this order parts of a table come after the table.
    for name in sorted(declared):
        print(create(engine, name, declared[name]["columns"]))
        header, rows = table(folder / origin, name)
        if len(rows) != declared[name]["rows"]:
            sys.exit(f"{origin}/{name}.csv has {len(rows)} rows, columns.json says {declared[name]['rows']}")
        if engine == "mysql":
            names = ", ".join(f"`{column}`" for column in header)
            for at in range(0, len(rows), 1000):
                values = ",\n".join(f"({', '.join(map(mysql_literal, row))})" for row in rows[at : at + 1000])
                print(f"INSERT INTO `{name}` ({names}) VALUES\n{values};")
        else:
            names = ", ".join(f'"{column}"' for column in header)
            print(f'COPY "{name}" ({names}) FROM stdin;')
            for row in rows:
                print("\t".join(map(copy_value, row)))
            print("\\.")


# Projects.

PROJECT = """version: 1
project: {title}
fingerprint_key: sample-databases
as_of: 2026-01-31
connections:
  old: {{ type: odbc, connection_string: "${{OLD}}" }}
  new: {{ type: postgres, url: "${{NEW}}", timezone: UTC }}
datasets: rules/*.yml
"""


def snake(name):
    """Returns a CamelCase name as PostgreSQL's version of Chinook writes it."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def datasets(extracts, sample):
    """Yields each dataset's name, its rule file as a tree, and what is known of it."""
    folder = extracts / f"xdb-{sample}"
    expected = read_json(folder / "expected.json")
    for name, known in expected.items():
        if sample == "chinook":
            declared = read_json(folder / "columns.json")["sqlserver"][name]["columns"]
            renamed = {theirs: snake(theirs) for theirs, _ in declared}
            target = snake(name)
            rule = {"dataset": target, "key": [renamed[column] for column in known["key"]]}
            rule["source"] = {"connection": "old", "table": name, "columns": renamed}
            rule["target"] = {"connection": "new", "table": target}
            yield target, rule, known
        elif "left_table" in known:
            rule = {"dataset": name, "key": known["key"]}
            rule["source"] = {"connection": "old", "table": name}
            rule["target"] = {"connection": "new", "table": name}
            if name == "staff":
                rule["reconcile"] = {"exclude": ["picture"]}
            yield name, rule, known
        elif name in ("payment", "payment_by_natural_key"):
            key = known.get("key", ["payment_id"])
            rule = {"dataset": name, "key": key}
            rule["source"] = {"connection": "old", "table": "payment"}
            rule["target"] = {"connection": "new", "table": "payment"}
            if name != "payment":
                rule["reconcile"] = {"totals": [{"column": "amount"}]}
            yield name, rule, known


def projects(extracts, folder):
    for sample in ("chinook", "sakila"):
        rules = folder / sample / "rules"
        rules.mkdir(parents=True, exist_ok=True)
        (folder / sample / "counterfoil.yml").write_text(PROJECT.format(title=sample.capitalize()))
        for name, rule, _ in datasets(extracts, sample):
            # JSON is YAML.
            (rules / f"{name}.yml").write_text(json.dumps(rule, indent=2) + "\n")


# What must be found.


def payments(extracts):
    """Counts, from the CSV files, payments that differ where their natural key is the same, column by column."""
    sides = []
    for engine, prefix in [("mysql", "payment"), ("postgres", PARTS)]:
        side = {}
        folder = extracts / "xdb-sakila" / engine
        for path in sorted(folder.glob(f"{prefix}*.csv")):
            header, rows = table(folder, path.stem)
            for row in rows:
                record = dict(zip(header, row))
                key = tuple(record[column] for column in NATURAL_KEY)
                if None not in key:
                    side[key] = record
        sides.append(side)
    old, new = sides
    pairs = [(old[key], new[key]) for key in old.keys() & new.keys()]
    return {
        column: sum(a[column] != b[column] for a, b in pairs) for column in ("payment_id", "payment_date")
    }


def wanted(extracts, name, rule, known):
    """Returns what must be found of a dataset, as a flat table of counts."""
    left = known.get("rows_left", known.get("keys_left"))
    right = known.get("rows_right", known.get("keys_right"))
    differ = {column: counts["typed"] for column, counts in (known.get("columns") or {}).items()}
    pairs = known.get("in_both")
    no_key = 0
    missing, unexpected = known["only_left"], known["only_right"]
    if name == "payment_by_natural_key":
        # The payments that only the source has are those without a rental: a key with NULL is none.
        pairs, no_key, missing = left - known["only_left"], known["only_left"], 0
        differ = payments(extracts)
        rows = max(differ.values())
    else:
        rows = known["rows_differing"]["typed"]
    counts = {
        "rows of source": left,
        "rows of target": right,
        "pairs": pairs,
        "pairs that differ": rows,
        "cells that differ": sum(differ.values()),
        "missing": missing,
        "unexpected": unexpected,
        "without key, source": no_key,
        "without key, target": 0,
        "with repeated keys": 0,
    }
    if "sum_amount_left" in known and Decimal(known["sum_amount_left"]) == Decimal(known["sum_amount_right"]):
        counts["totals that differ"] = 0
    counts.update({f"{snake(column)} differs": count for column, count in sorted(differ.items())})
    one_sided = known.get("columns_only_left", []), known.get("columns_only_right", [])
    if name == "payment_by_natural_key":
        one_sided = ["last_update"], []
    apart = [*one_sided[0], *one_sided[1], *rule.get("reconcile", {}).get("exclude", [])]
    return counts, sorted(apart)


def found(dataset):
    """Returns what run.json says of a dataset, as the same table."""
    buckets = dataset["buckets"]
    columns = dataset["columns"]
    counts = {
        "rows of source": dataset["source"]["rows"],
        "rows of target": dataset["target"]["rows"],
        "pairs": buckets["matched"] + buckets["mismatched"],
        "pairs that differ": buckets["mismatched"],
        "cells that differ": buckets["mismatched_cells"],
        "missing": buckets["missing"],
        "unexpected": buckets["unexpected"],
        "without key, source": buckets["no_key_expected"],
        "without key, target": buckets["no_key_target"],
        "with repeated keys": buckets["duplicate_key_expected"] + buckets["duplicate_key_target"],
    }
    if dataset["totals"]:
        counts["totals that differ"] = sum(total["differing"] for total in dataset["totals"])
    for column in sorted(columns, key=lambda column: column["name"]):
        if column["mismatched"]:
            counts[f"{column['name']} differs"] = column["mismatched"]
        # Every pair was looked at in every column.
        if not column["not_compared"] and column["compared"] != counts["pairs"]:
            counts[f"{column['name']} compared"] = column["compared"]
    return counts, sorted(column["name"] for column in columns if column["not_compared"])


def check(extracts, folder):
    wrong = 0
    print(f"\n{'':10}{'dataset':24}{'':24}{'known':>10}{'found':>10}")
    for sample, code in [("chinook", 0), ("sakila", 1)]:
        ended = int((folder / sample / "exit-code").read_text())
        run = folder / sample / "counterfoil-out" / "runs" / "latest" / "run.json"
        if not run.exists():
            print(f"{sample}: there is no run; the program ended with {ended}", file=sys.stderr)
            sys.exit(2)
        results = {dataset["name"]: dataset for dataset in read_json(run)["datasets"]}
        lines = [("", "exit code", code, ended)]
        for name, rule, known in datasets(extracts, sample):
            counts, apart = wanted(extracts, name, rule, known)
            error = results[name]["error"] if name in results else "it is not in the result"
            if error:
                lines.append((name, "judged", "yes", f"no: {error}"))
                continue
            seen, seen_apart = found(results[name])
            for what in dict.fromkeys(itertools.chain(counts, seen)):
                lines.append((name, what, counts.get(what, 0), seen.get(what, 0)))
            if apart != seen_apart:
                lines.append((name, "not compared", ", ".join(apart), ", ".join(seen_apart)))
            lines.append((name, "columns not compared", len(apart), len(seen_apart)))
        shown = None
        for name, what, is_known, is_found in lines:
            differs = is_known != is_found
            wrong += differs
            # Nothing on either side says nothing.
            if not differs and is_known == 0 and what not in ("pairs that differ", "exit code", "totals that differ"):
                continue
            label = name if name != shown else ""
            shown = name
            mark = "  DIFFERS" if differs else ""
            print(f"{sample:10}{label:24}{what:24}{is_known!s:>10} {is_found!s:>9}{mark}")
    print(f"\n{wrong} figures are not as known." if wrong else "\nEverything is as known.")
    sys.exit(1 if wrong else 0)


def main():
    match sys.argv[1:]:
        case ["tables", extracts, sample, engine]:
            tables(Path(extracts), sample, engine)
        case ["projects", extracts, folder]:
            projects(Path(extracts), Path(folder))
        case ["check", extracts, folder]:
            check(Path(extracts), Path(folder))
        case _:
            sys.exit("run tests/databases.sh")


if __name__ == "__main__":
    main()
