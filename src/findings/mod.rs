//! The result of a run: what stands in run.json and in the findings files.
