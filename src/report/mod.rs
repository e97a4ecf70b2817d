//! Views of a result: HTML, JUnit and Markdown.
