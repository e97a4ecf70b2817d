//! Expected against target: rows by key, cells by value, totals by group.
