//! The project: files as typed, checked all at once, become a plan.
