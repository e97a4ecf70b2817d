//! A value as the report shows it: blanks and control characters made visible, differing characters marked.

use serde::Serialize;

use crate::mask::{Mask, Shown};

use super::text::{number, visible};

/// The longest text shown, in characters; what follows is counted.
const LONGEST: usize = 160;

/// A stretch of a text that looks alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Piece {
    /// The text, or what stands for it.
    pub text: String,
    /// True for what stands for a blank or for a character that would not be seen.
    pub stands_for: bool,
    /// True where it is not in the text it is compared with.
    pub differs: bool,
}

/// One value of a cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The state of the data: `source`, `expected`, `target`, or several with the same value.
    pub label: String,
    /// `text`, `empty`, `null` or `hidden`.
    pub form: &'static str,
    /// Why it is hidden.
    pub reason: Option<String>,
    /// The text, where it is shown.
    pub pieces: Vec<Piece>,
    /// How many characters are left out at the end, in words.
    pub more: Option<String>,
}

/// The values of one column in one finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// Our name of the column.
    pub column: String,
    /// Its values, one above the other.
    pub lines: Vec<Line>,
}

/// Returns the pieces of a text that is compared with nothing.
pub fn plain(text: &str) -> Vec<Piece> {
    let chars: Vec<char> = text.chars().collect();
    pieces(&chars, &vec![false; chars.len()])
}

/// Makes a cell of values that are masked here; a value that equals the one above it shares its line.
///
/// The last two are compared, and their differing characters marked, where the last is the target's.
pub fn cell(mask: &Mask<'_>, column: &str, values: &[(&'static str, Option<&str>)]) -> Cell {
    let shown: Vec<(&'static str, Shown)> =
        values.iter().map(|(label, text)| (*label, mask.value(column, *text))).collect();
    of_shown(column, mask.reason(column), &shown)
}

/// Makes a cell of values that have passed the mask; see [`cell`]. Where all are hidden, one line says so.
pub fn of_shown(column: &str, reason: Option<&str>, values: &[(&'static str, Shown)]) -> Cell {
    if !values.is_empty() && values.iter().all(|(_, shown)| *shown == Shown::Hidden) {
        let line = Line {
            label: "values".to_owned(),
            form: "hidden",
            reason: Some(reason.unwrap_or("sensitive").to_owned()),
            pieces: Vec::new(),
            more: None,
        };
        return Cell { column: column.to_owned(), lines: vec![line] };
    }
    let marks = differences(values);
    let mut lines: Vec<Line> = Vec::new();
    for (i, (label, shown)) in values.iter().enumerate() {
        let same = i > 0 && values[i - 1].1 == *shown && *label != "target" && *shown != Shown::Hidden;
        if let (true, Some(above)) = (same, lines.last_mut()) {
            above.label = format!("{} and {label}", above.label);
            if let Shown::Text(text) = shown {
                let chars: Vec<char> = text.chars().collect();
                above.pieces = pieces(cut(&chars), cut(&marks[i]));
            }
            continue;
        }
        let mut line =
            Line { label: (*label).to_owned(), form: "text", reason: None, pieces: Vec::new(), more: None };
        match shown {
            Shown::Null => line.form = "null",
            Shown::Hidden => {
                line.form = "hidden";
                line.reason = Some(reason.unwrap_or("sensitive").to_owned());
            }
            Shown::Text(text) if text.is_empty() => line.form = "empty",
            Shown::Text(text) => {
                let chars: Vec<char> = text.chars().collect();
                line.pieces = pieces(cut(&chars), cut(&marks[i]));
                if chars.len() > LONGEST {
                    line.more =
                        Some(format!("and {} more characters", number((chars.len() - LONGEST) as u64)));
                }
            }
        }
        lines.push(line);
    }
    Cell { column: column.to_owned(), lines }
}

fn cut<T>(all: &[T]) -> &[T] {
    &all[..all.len().min(LONGEST)]
}

/// Returns for each value which of its characters to mark.
fn differences(values: &[(&'static str, Shown)]) -> Vec<Vec<bool>> {
    let texts: Vec<Vec<char>> = values
        .iter()
        .map(|(_, shown)| match shown {
            Shown::Text(text) => text.chars().collect(),
            Shown::Null | Shown::Hidden => Vec::new(),
        })
        .collect();
    let mut marks: Vec<Vec<bool>> = texts.iter().map(|text| vec![false; text.len()]).collect();
    if let [.., (_, Shown::Text(_)), ("target", Shown::Text(_))] = values
        && let [.., expected, target] = texts.as_slice()
    {
        let (left, right) = differing(expected, target);
        let last = marks.len() - 1;
        marks[last - 1] = left;
        marks[last] = right;
    }
    marks
}

/// Returns which characters of each text are not in the longest common subsequence of the two.
///
/// Where the texts have little in common, and where they are long, all between the common beginning and end differs.
fn differing(a: &[char], b: &[char]) -> (Vec<bool>, Vec<bool>) {
    let start = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let end = a[start..].iter().rev().zip(b[start..].iter().rev()).take_while(|(x, y)| x == y).count();
    let (middle_a, middle_b) = (&a[start..a.len() - end], &b[start..b.len() - end]);
    let mut left = vec![false; a.len()];
    let mut right = vec![false; b.len()];
    left[start..a.len() - end].fill(true);
    right[start..b.len() - end].fill(true);
    if middle_a.len() > LONGEST || middle_b.len() > LONGEST {
        return (left, right);
    }
    // The lengths of the longest common subsequences of the rests.
    let width = middle_b.len() + 1;
    let mut longest = vec![0_usize; (middle_a.len() + 1) * width];
    for i in (0..middle_a.len()).rev() {
        for j in (0..middle_b.len()).rev() {
            longest[i * width + j] = if middle_a[i] == middle_b[j] {
                longest[(i + 1) * width + j + 1] + 1
            } else {
                longest[(i + 1) * width + j].max(longest[i * width + j + 1])
            };
        }
    }
    // Scattered marks tell nothing where little is common.
    if longest[0] * 2 < middle_a.len().min(middle_b.len()) {
        return (left, right);
    }
    let (mut i, mut j) = (0, 0);
    while i < middle_a.len() && j < middle_b.len() {
        if middle_a[i] == middle_b[j] {
            left[start + i] = false;
            right[start + j] = false;
            i += 1;
            j += 1;
        } else if longest[(i + 1) * width + j] >= longest[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    (left, right)
}

/// Cuts a text into pieces that look alike.
///
/// A blank is shown as a dot where it would be overlooked: at either end, beside another blank, or where it differs.
fn pieces(chars: &[char], differs: &[bool]) -> Vec<Piece> {
    let blank = |i: usize| chars.get(i).is_some_and(|c| *c == ' ');
    let mut out: Vec<Piece> = Vec::new();
    for (i, c) in chars.iter().enumerate() {
        let marked = differs.get(i).copied().unwrap_or_default();
        let edge = i == 0 || i + 1 == chars.len() || blank(i - 1) || blank(i + 1) || marked;
        let stands_for = match c {
            ' ' if edge => Some("·".to_owned()),
            '\u{a0}' => Some("[U+00A0]".to_owned()),
            '\n' => Some("↵".to_owned()),
            '\t' => Some("⇥".to_owned()),
            c => visible(*c),
        };
        let is_stand_in = stands_for.is_some();
        let text = stands_for.unwrap_or_else(|| c.to_string());
        match out.last_mut() {
            Some(last) if last.differs == marked && last.stands_for == is_stand_in => {
                last.text.push_str(&text);
            }
            _ => out.push(Piece { text, stands_for: is_stand_in, differs: marked }),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(values: &[(&'static str, &str)]) -> Vec<String> {
        let shown: Vec<(&'static str, Shown)> =
            values.iter().map(|(label, text)| (*label, Shown::Text((*text).to_owned()))).collect();
        of_shown("c", None, &shown)
            .lines
            .iter()
            .map(|line| {
                let text: String = line
                    .pieces
                    .iter()
                    .map(|p| if p.differs { format!("<{}>", p.text) } else { p.text.clone() })
                    .collect();
                format!("{}: {text}", line.label)
            })
            .collect()
    }

    #[test]
    fn only_what_differs_is_marked() {
        let lines = marked(&[("source", "112.40"), ("expected", "112.40"), ("target", "112.04")]);
        assert_eq!(lines, ["source and expected: 112.<4>0", "target: 112.0<4>"]);
        let lines = marked(&[("source", "SEC"), ("expected", "Secure"), ("target", "Introductory")]);
        assert_eq!(lines[0], "source: SEC");
        assert_eq!(lines[1], "expected: <Secure>");
    }

    #[test]
    fn a_blank_at_an_end_is_a_dot() {
        assert_eq!(marked(&[("expected", "Ann Lee"), ("target", "Ann Lee  ")])[1], "target: Ann Lee<··>");
        assert_eq!(plain(" a\u{202e}")[1].text, "a");
        assert_eq!(plain(" a\u{202e}")[2].text, "[U+202E]");
    }

    #[test]
    fn nothing_of_a_hidden_value_is_left() {
        let values = [("expected", Shown::Hidden), ("target", Shown::Hidden)];
        let cell = of_shown("surname", Some("sensitive"), &values);
        assert_eq!(cell.lines.len(), 1);
        let cell =
            of_shown("surname", Some("sensitive"), &[("expected", Shown::Hidden), ("target", Shown::Null)]);
        assert_eq!(cell.lines.iter().map(|line| line.form).collect::<Vec<_>>(), ["hidden", "null"]);
        assert!(cell.lines.iter().all(|line| line.pieces.is_empty()));
    }

    #[test]
    fn a_long_text_is_cut() {
        let long = "é".repeat(1_500);
        let cell = of_shown("c", None, &[("source", Shown::Text(long))]);
        assert_eq!(cell.lines[0].more.as_deref(), Some("and 1,340 more characters"));
    }
}
