//! What is written to mend the data: corrected datasets, changes, quarantine and repairs.
