//! Rows of an extract, each cell with the cleansing steps that will change it.

/// A cell as it stands in the file.
#[derive(Clone, Default)]
pub struct Cell {
    /// Its text; nothing is NULL.
    pub text: Option<String>,
    /// Ids of the rules that change it, one for each change.
    pub steps: Vec<&'static str>,
}

/// A cell that no step changes.
pub fn plain(text: impl Into<String>) -> Cell {
    Cell { text: Some(text.into()), steps: Vec::new() }
}

/// A cell that each of these steps changes once.
pub fn mended(text: impl Into<String>, steps: &[&'static str]) -> Cell {
    Cell { text: Some(text.into()), steps: steps.to_vec() }
}

/// NULL.
pub fn null() -> Cell {
    Cell::default()
}

/// The text, or NULL.
pub fn optional(text: Option<impl Into<String>>) -> Cell {
    Cell { text: text.map(Into::into), steps: Vec::new() }
}

/// A row of one side.
#[derive(Clone)]
pub struct Row {
    /// Its key as findings show it.
    pub key: String,
    pub cells: Vec<Cell>,
    /// Where the ledger puts it, where that is not "matched".
    pub fate: Option<&'static str>,
    /// False for a row that is not in the file.
    pub present: bool,
}

impl Row {
    pub fn new(key: impl Into<String>, cells: Vec<Cell>) -> Row {
        Row { key: key.into(), cells, fate: None, present: true }
    }
}

/// A column of a file.
pub struct Column {
    /// Its name in the file.
    pub theirs: &'static str,
    /// Its name in the rules.
    pub ours: &'static str,
    /// The width to which it is padded with blanks; 0 for no padding.
    pub width: usize,
}

/// One side of a dataset.
pub struct Side {
    pub path: &'static str,
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
}

impl Side {
    /// Makes a side without rows; `columns` are `ours`, `theirs=ours`, either with `:width` behind.
    pub fn new(path: &'static str, columns: &'static str) -> Side {
        let column = |text: &'static str| {
            let (names, width) = match text.split_once(':') {
                Some((names, width)) => (names, width.parse().expect("a width is a number")),
                None => (text, 0),
            };
            let (theirs, ours) = names.split_once('=').unwrap_or((names, names));
            Column { theirs, ours, width }
        };
        Side { path, columns: columns.split_whitespace().map(column).collect(), rows: Vec::new() }
    }

    pub fn index(&self, ours: &str) -> usize {
        self.columns
            .iter()
            .position(|c| c.ours == ours)
            .unwrap_or_else(|| panic!("{} has no {ours}", self.path))
    }

    /// A cell's text without the padding; NULL and blank text are nothing.
    pub fn text(&self, row: usize, ours: &str) -> Option<&str> {
        let text = self.rows[row].cells[self.index(ours)].text.as_deref()?;
        Some(text).filter(|t| !t.trim().is_empty())
    }

    /// The file, its rows in the order given.
    pub fn csv(&self, order: &[usize]) -> Vec<u8> {
        let names: Vec<&str> = self.columns.iter().map(|c| c.theirs).collect();
        let mut out = names.join(",") + "\n";
        for row in order.iter().map(|i| &self.rows[*i]).filter(|row| row.present) {
            assert_eq!(row.cells.len(), self.columns.len(), "{} {}", self.path, row.key);
            for (i, (cell, column)) in row.cells.iter().zip(&self.columns).enumerate() {
                if i > 0 {
                    out.push(',');
                }
                let Some(text) = &cell.text else { continue };
                let length = text.chars().count();
                assert!(column.width == 0 || length <= column.width, "{text} does not fit {}", column.theirs);
                let padded = text.clone() + &" ".repeat(column.width.saturating_sub(length));
                if padded.is_empty() || padded.contains([',', '"', '\n']) {
                    out.push_str(&format!("\"{}\"", padded.replace('"', "\"\"")));
                } else {
                    out.push_str(&padded);
                }
            }
            out.push('\n');
        }
        out.into_bytes()
    }
}
