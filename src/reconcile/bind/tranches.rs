//! What makes the tranches of a ledger, bound to both sides.

use chrono::{DateTime, Utc};

use crate::expression;
use crate::reconcile::tranches::{BoundFilter, BoundTranches, Tranches};

use super::Binder;

impl Binder<'_> {
    /// Binds what makes the tranches, where the ledger is split. A mistake that both sides have is told once.
    pub(super) fn tranches(&mut self, as_of: DateTime<Utc>) -> Option<BoundTranches> {
        let filters = match self.config.tranches.as_ref()? {
            Tranches::Column(name) => return self.key_column(name).map(Box::new).map(BoundTranches::Column),
            Tranches::Filters(filters) => filters,
        };
        let mut bound = Vec::with_capacity(filters.len());
        for filter in filters {
            let condition = expression::parse(&filter.r#where, self.out)?;
            let columns = condition.columns();
            if !columns.iter().all(|name| self.both(name).is_some()) {
                continue;
            }
            let expected = condition.bind(self.expected, as_of, self.out);
            let target = expected.as_ref().and_then(|_| condition.bind(self.target, as_of, self.out));
            if let (Some(expected), Some(target)) = (expected, target) {
                let columns = columns.into_iter().map(|name| name.value).collect();
                bound.push(BoundFilter { name: filter.name.value.clone(), expected, target, columns });
            }
        }
        Some(BoundTranches::Filters(bound))
    }
}
