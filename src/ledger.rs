//! Where every row went.
