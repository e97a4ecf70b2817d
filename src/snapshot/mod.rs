//! Immutable Parquet copies of tables, with their manifests.
