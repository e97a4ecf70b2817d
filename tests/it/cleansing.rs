//! Cleansing: the pipeline.
