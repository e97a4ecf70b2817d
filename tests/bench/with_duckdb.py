"""Compares the two files with DuckDB; prints what it found and the seconds it took.

One query: a full outer join on the key, `is distinct from` on each column, and each differing cell as a row of a Parquet
file. The clock runs from before the files are read to after that file is written; what is counted afterwards does not
count, nor does the start of Python.
"""

import json
import sys
import time
from pathlib import Path

import duckdb

KEY = "tag_ref"


def query(columns, folder):
    """Returns the query: rows that differ, once, then their cells in long form."""
    others = [column for column in columns if column != KEY]
    sides = ", ".join(f'source."{c}" as "s_{c}", target."{c}" as "t_{c}"' for c in others)
    differs = " or ".join(f'source."{c}" is distinct from target."{c}"' for c in others)
    cells = " union all ".join(
        f"select key, '{c}' as \"column\", \"s_{c}\"::varchar as source, \"t_{c}\"::varchar as target from rows "
        f'where place = \'both\' and "s_{c}" is distinct from "t_{c}"'
        for c in others
    )
    return f"""
        copy (
            with rows as materialized (
                select coalesce(source.{KEY}, target.{KEY}) as key, {sides},
                    case when target.{KEY} is null then 'missing' when source.{KEY} is null then 'unexpected' else 'both' end
                    as place
                from '{folder}/source.parquet' source full outer join '{folder}/target.parquet' target using ({KEY})
                where source.{KEY} is null or target.{KEY} is null or {differs}
            )
            {cells} union all select key, place, null, null from rows where place <> 'both'
        ) to '{folder}/duckdb.parquet' (format parquet)
    """


def main():
    folder = Path(sys.argv[1])
    database = duckdb.connect()
    columns = [row[0] for row in database.execute(f"describe select * from '{folder}/source.parquet'").fetchall()]
    text = query(columns, folder)
    start = time.perf_counter()
    database.execute(text)
    seconds = time.perf_counter() - start
    counts = dict(
        database.execute(f"select \"column\", count(*) from '{folder}/duckdb.parquet' group by all").fetchall()
    )
    missing, unexpected = counts.pop("missing", 0), counts.pop("unexpected", 0)
    print(json.dumps({"seconds": seconds, "found": {"cells": counts, "missing": missing, "unexpected": unexpected}}))


if __name__ == "__main__":
    main()
