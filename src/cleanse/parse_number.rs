//! Reads numbers written for people and makes the column a number column.
//!
//! `£1,234.50`, `(12.00)`, `12.00-`: an extract or a spreadsheet writes amounts so, and nothing can be added up until
//! they are numbers.
//!
//! What is understood: white space around; one of `£ $ €` before or behind; a sign before or a minus
//! behind, or round brackets for a negative number; thousands separators in groups of exactly three digits, the same
//! throughout: a comma, a blank, an apostrophe (with `decimal_mark: ","` a point in the comma's place). Digits and one
//! decimal mark are the rest: `1e5` is not a number here.
//!
//! Nothing is rounded: where digits other than zero would be lost (`1.005` as `decimal(9,2)`, `1.5` as `i64`, more digits
//! than `f64` keeps) or the number does not fit, the value is invalid, and `invalid` says what happens to it.
//!
//! - `1,234` is 1234; with `decimal_mark: ","` it is 1.234. Look at the data before you choose.
//! - NULL stays NULL. The empty text is invalid: put `null_if` with `""` before this step.
//! - A column that is a number already is converted without loss by the same rule; one of the wanted type passes.
//! - Where the text was plain already (`12.5`, and `12.50` is made of it) the change of type is no correction; `1,200`
//!   becoming 1200 is one.
//! - The columns must be named; `"*"` is a diagnostic.
//!
//! ```yaml step
//! step: parse_number
//! columns: [amount]
//! to: "decimal(9,2)"
//! ```
//! ```rows before
//! | amount: text    |
//! | "£1,234.50"     |
//! | " (12.00) "     |
//! | "7.5-"          |
//! | "-\u00a3 1 000" |
//! | "1,23"          |
//! | "0.005"         |
//! | null            |
//! ```
//! ```rows after
//! | amount: decimal(9,2) |
//! | 1234.50              |
//! | -12.00               |
//! | -7.50                |
//! | -1000.00             |
//! | null                 |
//! | null                 |
//! | null                 |
//! ```
//! ```refused
//! row 5: not a number
//! row 6: too large or too fine for the type
//! ```
//!
//! ```yaml step
//! step: parse_number
//! columns: [area]
//! to: f64
//! decimal_mark: ","
//! invalid: null
//! ```
//! ```rows before
//! | area: text  |
//! | "1.250,75"  |
//! | "n/a"       |
//! ```
//! ```rows after
//! | area: f64 |
//! | 1250.75   |
//! | null      |
//! ```

use polars::prelude::Series;

use crate::diagnostic::{Diagnostic, Diagnostics, Spanned};
use crate::frame::{Texts, Value, decimal};
use crate::model::{Dimension, Family, Field, Logical};
use crate::node::{choices, params};
use crate::rule::{Columns, ProjectFiles};

use super::text::{Invalid, OrNull};
use super::{BoundStep, Step, text, values};

pub(super) const DIMENSION: Dimension = Dimension::Validity;

const NOT_A_NUMBER: &str = "not a number";
const DOES_NOT_FIT: &str = "too large or too fine for the type";

choices! {
    /// The character between whole number and fraction.
    pub enum Mark {
        /// A point; thousands may be separated by commas.
        Point = ".",
        /// A comma; thousands may be separated by points.
        Comma = ",",
    }
}

params! {
    /// The parameters.
    pub struct Rule("step `parse_number`") {
        /// The columns, by name.
        columns | column: Columns,
        /// The type the column becomes: `i64`, `u64`, `f64` or `decimal(p,s)`.
        to: Spanned<Logical>,
        /// The character between whole number and fraction: `.` or `,`.
        decimal_mark: Mark = "\".\"",
        /// What becomes of a value that is not a number or does not fit: `quarantine`, `null` or `refuse`.
        invalid: OrNull<Invalid> = "quarantine",
    }
}

impl Step for Rule {
    fn columns(&self) -> &Columns {
        &self.columns
    }

    fn check(&self, _files: &ProjectFiles, out: &mut Diagnostics) {
        text::needs_names("parse_number", &self.columns, out);
        if self.to.value.family() != Family::Number {
            out.push(
                Diagnostic::error(&self.to.span, format!("`{}` is not a type of numbers", self.to.value))
                    .help("one of `i64`, `u64`, `f64`, `decimal(p,s)`"),
            );
        }
    }

    fn bind(&self, field: &Field, files: &ProjectFiles, out: &mut Diagnostics) -> Option<BoundStep> {
        let mut found = Diagnostics::default();
        self.check(files, &mut found);
        if found.has_errors() {
            out.extend(found);
            return None;
        }
        let to = self.to.value.clone();
        if field.logical == to {
            return None;
        }
        let is_number = field.logical.family() == Family::Number;
        if !is_number && !text::acts_on("parse_number", &self.columns, field, out) {
            return None;
        }
        // A column of numbers has the point in its texts, whatever the text columns have.
        let mark = if is_number { Mark::Point } else { self.decimal_mark };
        let (from, invalid) = (field.logical.clone(), self.invalid.0);
        let output = text::converted(field, to.clone());
        let apply = move |before: &Series| {
            let texts = Texts::new(before, &from);
            Ok(values::read_each(before, &texts, &to, invalid, |text| {
                let plain = plain(text, mark).ok_or(NOT_A_NUMBER)?;
                number(&plain, &to).ok_or(DOES_NOT_FIT)
            }))
        };
        Some(BoundStep { output, apply: Box::new(apply) })
    }
}

/// Reads a plain number as a type; nothing where it would lose a digit.
fn number(plain: &str, to: &Logical) -> Option<Value> {
    match to {
        Logical::I64 => decimal(plain, 38, 0)?.try_into().ok().map(Value::I64),
        Logical::U64 => decimal(plain, 38, 0)?.try_into().ok().map(Value::U64),
        Logical::F64 => {
            let number: f64 = plain.parse().ok()?;
            (number.is_finite() && significant(&number.to_string()) == significant(plain))
                .then_some(Value::F64(if number == 0.0 { 0.0 } else { number }))
        }
        other => Value::parse(plain, other),
    }
}

/// Returns a plain number without sign, and without zeros that carry no meaning: its digits, and the power of
/// ten of the first.
fn significant(plain: &str) -> (String, usize) {
    let digits = plain.trim_start_matches('-');
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = whole.trim_start_matches('0');
    let all = format!("{whole}{fraction}");
    let leading = all.len() - all.trim_start_matches('0').len();
    let shown = all.trim_matches('0').to_owned();
    if shown.is_empty() {
        return (shown, 0);
    }
    // 400 keeps the power of a small fraction above zero: no f64 has its first digit further right.
    (shown, (400 + whole.len()).saturating_sub(leading))
}

/// Reads a number written for people into plain form: a minus, digits, a point, digits.
fn plain(written: &str, mark: Mark) -> Option<String> {
    let mut rest = written.trim();
    let mut sign: Option<bool> = None;
    let mut currency = false;
    loop {
        let unsigned = sign.is_none();
        let after = if let Some(after) = rest.strip_prefix(['-', '\u{2212}']).filter(|_| unsigned) {
            sign = Some(true);
            after
        } else if let Some(after) = rest.strip_prefix('+').filter(|_| unsigned) {
            sign = Some(false);
            after
        } else if let Some(inside) =
            rest.strip_prefix('(').and_then(|r| r.strip_suffix(')')).filter(|_| unsigned)
        {
            sign = Some(true);
            inside
        } else if let Some(after) = rest.strip_prefix(['£', '$', '€']).filter(|_| !currency) {
            currency = true;
            after
        } else if let Some(before) = rest.strip_suffix(['-', '\u{2212}']).filter(|_| unsigned) {
            sign = Some(true);
            before
        } else if let Some(before) = rest.strip_suffix(['£', '$', '€']).filter(|_| !currency) {
            currency = true;
            before
        } else {
            break;
        };
        rest = after.trim();
    }
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = match rest.split_once(if mark == Mark::Point { '.' } else { ',' }) {
        Some((whole, fraction)) if !fraction.is_empty() && digits(fraction) => (whole, fraction),
        Some(_) => return None,
        None => (rest, ""),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let separator = whole.chars().find(|c| !c.is_ascii_digit());
    let whole = match separator {
        None => whole.to_owned(),
        Some(separator) => {
            let group_mark = if mark == Mark::Point { ',' } else { '.' };
            let known = [group_mark, ' ', '\u{A0}', '\u{2009}', '\u{202F}', '\'', '\u{2019}'];
            let mut groups = whole.split(separator);
            let first = groups.next()?;
            let grouped = known.contains(&separator)
                && (1..=3).contains(&first.len())
                && digits(first)
                && groups.all(|g| g.len() == 3 && digits(g));
            if !grouped {
                return None;
            }
            whole.replace(separator, "")
        }
    };
    let minus = if sign == Some(true) { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{minus}{whole}{point}{fraction}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_currencies_and_groups() {
        for (written, read) in [
            ("1234.50", "1234.50"),
            ("1,234,567", "1234567"),
            ("1'234.5", "1234.5"),
            ("1\u{202F}234", "1234"),
            ("£(12)", "-12"),
            ("(£12)", "-12"),
            ("-£5", "-5"),
            ("£-5", "-5"),
            ("5 € -", "-5"),
            ("5-€", "-5"),
            ("+.5", ".5"),
            ("\u{2212}5", "-5"),
            ("000,123", "000123"),
        ] {
            assert_eq!(plain(written, Mark::Point).as_deref(), Some(read), "{written}");
        }
        for written in [
            "", " ", "-", "£", ".", "5.", "1,23", "1234,567", "1,234 567", ",123", "1,,234", "--5", "-5-", "(-5)",
            "(5", "5)", "££5", "5%", "1e5", "0x10", "NaN", "inf", "1.2.3", "1.234,5", "٣", "1_000", "1\n000",
        ] {
            assert_eq!(plain(written, Mark::Point), None, "{written}");
        }
        assert_eq!(plain("1.234.567,8", Mark::Comma).as_deref(), Some("1234567.8"));
        assert_eq!(plain("1,234", Mark::Comma).as_deref(), Some("1.234"));
        assert_eq!(plain("1,234.5", Mark::Comma), None);
    }

    #[test]
    fn nothing_is_rounded() {
        assert_eq!(number("12.00", &Logical::I64), Some(Value::I64(12)));
        assert_eq!(number("12.01", &Logical::I64), None);
        assert_eq!(number("9223372036854775808", &Logical::I64), None);
        assert_eq!(number("9223372036854775808", &Logical::U64), Some(Value::U64(1 << 63)));
        assert_eq!(number("-1", &Logical::U64), None);
        assert_eq!(number("0.10", &Logical::F64), Some(Value::F64(0.1)));
        assert_eq!(number("12345678901234567890", &Logical::F64), None);
        assert_eq!(number("0.1000000000000000001", &Logical::F64), None);
        assert_eq!(number("100000", &Logical::F64), Some(Value::F64(1e5)));
        assert!(matches!(number("-0", &Logical::F64), Some(Value::F64(z)) if z.is_sign_positive()));
        let tiny = format!("0.{}1", "0".repeat(500));
        assert_eq!(number(&tiny, &Logical::F64), None);
    }
}
