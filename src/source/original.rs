//! The text an inferred value was read from.

use std::borrow::Cow;

use polars::prelude::{DataType, Int64Chunked};

use crate::frame::{Frame, Texts};

use super::infer::Pattern;

/// The texts an inferred column was read from, made as they are asked for.
#[derive(Debug, Clone)]
pub struct OriginalTexts {
    texts: Texts,
    pattern: Option<(Int64Chunked, Pattern)>,
}

impl OriginalTexts {
    /// Returns the text at `index` (from 0) as it stood in the file; NULL for NULL, however that was written.
    ///
    /// # Panics
    /// Where `index` is not below the column's length.
    pub fn get(&self, index: usize) -> Option<Cow<'_, str>> {
        match &self.pattern {
            Some((moments, pattern)) => match pattern.print(moments.get(index)?) {
                Some(text) => Some(Cow::Owned(text)),
                None => self.texts.get(index),
            },
            None => self.texts.get(index),
        }
    }
}

/// Returns the texts that an inferred column (by our name) was read from.
///
/// Nothing where the frame has no such column, or its type was not inferred: then the text of a value is not
/// known. Values that a cleansing step has made, and that the file's pattern cannot show, have their usual text.
pub fn original_texts(frame: &Frame, column: &str) -> Option<OriginalTexts> {
    let (field, values) = frame.column(column)?;
    if !field.inferred {
        return None;
    }
    let texts = frame.texts(column)?;
    let series = values.as_materialized_series();
    let pattern = match (&field.format, series.dtype()) {
        (Some(format), DataType::Datetime(_, _)) => {
            Some((series.datetime().ok()?.physical().rechunk().into_owned(), Pattern::from_format(format)?))
        }
        _ => None,
    };
    Some(OriginalTexts { texts, pattern })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::source::testing::read_csv;

    /// Columns whose values are mostly alike, so that types other than text come up.
    fn column() -> impl Strategy<Value = Vec<Option<String>>> {
        let patterns = [
            "-?[0-9]{1,3}",
            "-?(0|[1-9][0-9]{0,18})",
            "-?[0-9]{1,2}\\.[0-9]{2}",
            "-?[1-9][0-9]{0,34}\\.[0-9]{3}",
            "(true|false)",
            "(true|false|TRUE)",
            "[0-9]{4}-(0[1-9]|1[0-2])-[0-3][0-9]",
            "[12][0-9]{3}-0[1-9]-[0-2][1-8] [0-2][0-3]:[0-5][0-9]:[0-5][0-9]",
            "[12][0-9]{3}-0[1-9]-[0-2][1-8]T[01][0-9]:[0-5][0-9]:[0-5][0-9]\\.[0-9]{1}",
            "[12][0-9]{3}-0[1-9]-[0-2][1-8]T[01][0-9]:[0-5][0-9]:[0-5][0-9]\\.[0-9]{6}0{0,1}",
            "0[0-9]{3}-0[1-9]-[0-2][1-8] [01][0-9]:[0-5][0-9](Z|\\+00|\\+00:00|)",
            "-?[0-9]{1,3}(E[0-9]|\\.[0-9]{0,2}|)",
            "[ -~é]{0,4}",
        ];
        proptest::sample::select(patterns.to_vec()).prop_flat_map(|pattern| {
            let value = proptest::string::string_regex(pattern).unwrap();
            proptest::collection::vec(proptest::option::weighted(0.9, value), 1..6)
        })
    }

    proptest! {
        #[test]
        fn inferred_values_print_back_byte_for_byte(values in column()) {
            let mut text = "a,b\n".to_owned();
            for value in &values {
                let cell = value.as_ref().map_or(String::new(), |v| format!("\"{}\"", v.replace('"', "\"\"")));
                text.push_str(&format!("{cell},x\n"));
            }
            let (kept, _) = read_csv(text, "").unwrap();
            let frame = kept.frame();
            let original = original_texts(&frame, "a").unwrap();
            let printed: Vec<Option<String>> =
                (0..frame.height()).map(|i| original.get(i).map(Cow::into_owned)).collect();
            prop_assert_eq!(printed, values);
        }
    }

    #[test]
    fn declared_columns_have_no_original_text() {
        let (kept, _) = read_csv("a,b\n1,2\n", "types: { a: i64 }").unwrap();
        let frame = kept.frame();
        assert!(original_texts(&frame, "a").is_none());
        assert!(original_texts(&frame, "b").is_some());
        assert!(original_texts(&frame, "c").is_none());
    }
}
