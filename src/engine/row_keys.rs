//! The keys by which findings, files and tokens know the rows of a dataset.

use crate::correct::KeyTexts;
use crate::frame::Frame;
use crate::model::Side;
use crate::reconcile::BoundReconcile;

/// The keys of a dataset's rows in every state; a record has the same key on both sides.
#[derive(Debug, Default)]
pub struct RowKeys {
    /// Of all rows of the source in scope: their keys after cleansing.
    pub source: Option<KeyTexts>,
    /// Of the rows of expected.
    pub expected: Option<KeyTexts>,
    /// Of the target's rows.
    pub target: Option<KeyTexts>,
}

impl RowKeys {
    /// Makes the keys in the form in which the sides meet, or each in its own where nothing is reconciled.
    pub fn new(
        key: &[String],
        meeting: Option<&BoundReconcile>,
        cleansed: Option<&Frame>,
        expected: Option<&Frame>,
        target: Option<&Frame>,
    ) -> Self {
        let keys = |frame: Option<&Frame>, side: Side| {
            let frame = frame?;
            let met = meeting.and_then(|meeting| meeting.key_frame(frame, side).ok());
            Some(KeyTexts::new(met.as_ref().unwrap_or(frame), key))
        };
        RowKeys {
            source: keys(cleansed, Side::Source),
            expected: keys(expected, Side::Expected),
            target: keys(target, Side::Target),
        }
    }

    /// Returns the keys of a side; raw rows of the source are known by their keys after cleansing.
    pub fn of(&self, side: Side) -> Option<&KeyTexts> {
        match side {
            Side::Source => self.source.as_ref(),
            Side::Expected => self.expected.as_ref(),
            Side::Target => self.target.as_ref(),
        }
    }
}
