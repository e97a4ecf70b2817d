"""Makes the two Parquet files of the benchmark, and the project that compares them.

The same values on every machine: a seeded generator, no clock. The target holds the source's rows in another order,
with faults of five kinds in one row in a thousand each, in different rows; a few rows are missing and a few are added.
"""

import json
import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

SEED = 20_200_309
# Rows that are made at once. The target's chunks come in the opposite order.
CHUNK = 10_000_000
STREETS = ["Amhurst Road", "Broadway Market", "Cassland Road", "Dalston Lane", "Elderfield Road", "Frampton Park Road"]
NAMES = ["Adeyemi", "Begum", "Clarke", "Davies", "Evans", "Ferreira", "Green", "Hussain", "Ibrahim", "Jones", "Khan"]
DAY_US = 86_400_000_000


def decimals(hundredths, precision):
    """Whole hundredths as decimal(precision, 2)."""
    # Decimal128 is a little-endian 128-bit integer: the value and its sign.
    words = np.stack([hundredths, hundredths >> 63], axis=1).astype("<i8")
    kind = pa.decimal128(precision, 2)
    return pa.Array.from_buffers(kind, len(hundredths), [None, pa.py_buffer(words.tobytes())])


def with_nulls(values, missing):
    """The values, NULL where `missing` is true."""
    return pc.if_else(pa.array(missing), pa.scalar(None, values.type), values)


def texts(random, rows, first, second):
    """One of `first`, a number, and one of `second`, in each row."""
    left = pa.array(first).take(pa.array(random.integers(0, len(first), rows)))
    right = pa.array(second).take(pa.array(random.integers(0, len(second), rows)))
    number = pa.array(random.integers(1, 400, rows)).cast(pa.string())
    return pc.binary_join_element_wise(left, number, right, " ")


def make_source(rows, chunk):
    """The columns of a chunk of the source: a text key and twelve more."""
    random = np.random.default_rng(SEED + 2 * chunk)
    number = random.permutation(rows) + chunk * CHUNK
    key = pc.binary_join_element_wise(
        pc.utf8_lpad(pa.array(number).cast(pa.string()), 7, "0"), pa.scalar("01"), "/"
    )
    start = random.integers(3_650, 20_000, rows).astype("int32")
    end = start + random.integers(1, 4_000, rows).astype("int32")
    changed = 1_262_304_000_000_000 + random.integers(0, 5_500, rows) * DAY_US + random.integers(0, DAY_US, rows)
    columns = {
        "tag_ref": key,
        "prop_ref": pc.utf8_lpad(pa.array(random.integers(1, 900_000, rows)).cast(pa.string()), 8, "0"),
        "tenant": texts(random, rows, NAMES, NAMES),
        "address": texts(random, rows, STREETS, ["E5", "E8", "E9", "N1", "N16"]),
        "tenure": pa.array(["SEC", "INT", "ASY", "LEA", "TEM"]).take(pa.array(random.integers(0, 5, rows))),
        "rent": decimals(random.integers(4_000, 40_000, rows), 9),
        "balance": with_nulls(decimals(random.integers(-200_000, 200_000, rows), 12), random.random(rows) < 0.05),
        "cot": pa.array(start).cast(pa.date32()),
        "eot": with_nulls(pa.array(end).cast(pa.date32()), random.random(rows) < 0.6),
        "changed_at": pa.array(changed).cast(pa.timestamp("us")),
        "read_at": with_nulls(pa.array(changed + 3_600_000_000).cast(pa.timestamp("us")), random.random(rows) < 0.3),
        "bedrooms": with_nulls(pa.array(random.integers(0, 7, rows)), random.random(rows) < 0.1),
        "present": pa.array(random.random(rows) < 0.7),
    }
    return pa.table(columns)


def changed(table, name, rows, change):
    """The table with one column changed in the given rows."""
    place = table.schema.get_field_index(name)
    column = table.column(place).combine_chunks()
    mask = np.zeros(len(table), dtype=bool)
    mask[rows] = True
    mask &= ~column.is_null().to_numpy(zero_copy_only=False)
    new = pc.if_else(pa.array(mask), change(column), column)
    return table.set_column(place, table.schema.field(place), new), int(mask.sum())


def make_target(source, chunk):
    """A chunk of the target, and what differs in it."""
    random = np.random.default_rng(SEED + 1 + 2 * chunk)
    rows = len(source)
    each = max(rows // 1_000, 1)
    few = max(rows // 10_000, 1)
    chosen = random.permutation(rows)
    parts = [chosen[i * each : (i + 1) * each] for i in range(5)]
    rest = chosen[5 * each :]

    hour = pa.scalar(3_600_000_000, pa.duration("us"))
    day = pa.scalar(1, pa.int32())
    penny = pa.scalar(Decimal("0.01"), pa.decimal128(9, 2))
    faults = [
        # An amount is a penny too high, a time an hour late, a date a day early, a text cut short, a value lost.
        ("rent", lambda column: pc.add(column, penny).cast(column.type)),
        ("changed_at", lambda column: pc.add(column, hour)),
        ("cot", lambda column: pc.subtract(column.cast(pa.int32()), day).cast(pa.date32())),
        ("address", lambda column: pc.utf8_slice_codeunits(column, 0, -1)),
        ("balance", lambda column: pa.nulls(len(column), column.type)),
    ]
    target, cells = source, {}
    for (name, change), part in zip(faults, parts, strict=True):
        target, cells[name] = changed(target, name, part, change)

    keep = np.ones(rows, dtype=bool)
    keep[rest[:few]] = False
    added = target.take(pa.array(rest[few : 2 * few]))
    keys = pc.replace_substring_regex(added.column("tag_ref"), "/01$", "/02")
    added = added.set_column(0, added.schema.field(0), keys)
    target = pa.concat_tables([target.filter(pa.array(keep)), added])
    target = target.take(pa.array(random.permutation(len(target))))
    return target, {"cells": cells, "missing": few, "unexpected": few}


class Writer:
    """A Parquet file that is written table by table."""

    def __init__(self, path):
        self.path, self.file = path, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def write(self, table):
        # Decimals as whole numbers, which is how Counterfoil writes its own snapshots, and how DuckDB and polars write them.
        if self.file is None:
            self.file = pq.ParquetWriter(
                self.path, table.schema, compression="zstd", store_decimal_as_integer=True
            )
        self.file.write_table(table)


PROJECT = """\
version: 1
project: Benchmark
as_of: 2026-03-09
fingerprint_key: benchmark
connections:
  files: { type: files, path: . }
datasets: rules/*.yml
"""

RULES = """\
dataset: tenancies
key: [tag_ref]
source: { connection: files, file: source.parquet }
target: { connection: files, file: target.parquet }
"""


def main():
    folder, rows = Path(sys.argv[1]), int(sys.argv[2])
    (folder / "rules").mkdir(parents=True, exist_ok=True)
    chunks = [min(CHUNK, rows - start) for start in range(0, rows, CHUNK)]
    planted = {"cells": {}, "missing": 0, "unexpected": 0}
    with Writer(folder / "source.parquet") as source, Writer(folder / "target.parquet") as target:
        for chunk, size in enumerate(chunks):
            source.write(make_source(size, chunk))
        for chunk, size in reversed(list(enumerate(chunks))):
            table, found = make_target(make_source(size, chunk), chunk)
            target.write(table)
            for column, count in found["cells"].items():
                planted["cells"][column] = planted["cells"].get(column, 0) + count
            planted["missing"] += found["missing"]
            planted["unexpected"] += found["unexpected"]
    (folder / "counterfoil.yml").write_text(PROJECT)
    (folder / "rules" / "tenancies.yml").write_text(RULES)
    # Written last: it marks complete data.
    (folder / "planted.json").write_text(json.dumps(planted, indent=2) + "\n")


if __name__ == "__main__":
    main()
