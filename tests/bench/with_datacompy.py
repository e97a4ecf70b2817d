"""Compares the two files with datacompy on polars; prints what it found and the seconds it took.

The clock runs from before the files are read to after the counts are known: the start of Python and the import of
the packages do not count.
"""

import json
import sys
import time
from pathlib import Path

import datacompy
import polars as pl


def main():
    folder = Path(sys.argv[1])
    start = time.perf_counter()
    compare = datacompy.PolarsCompare(
        pl.read_parquet(folder / "source.parquet"),
        pl.read_parquet(folder / "target.parquet"),
        join_columns=["tag_ref"],
        df1_name="source",
        df2_name="target",
    )
    compare.matches()
    cells = {stat["column"]: stat["unequal_cnt"] for stat in compare.column_stats if stat["unequal_cnt"]}
    seconds = time.perf_counter() - start
    found = {"cells": cells, "missing": len(compare.df1_unq_rows), "unexpected": len(compare.df2_unq_rows)}
    print(json.dumps({"seconds": seconds, "found": found}))


if __name__ == "__main__":
    main()
