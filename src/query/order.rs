//! The order of rows by values, and their numbers in it.

use std::cmp::Ordering;

use polars::prelude::SortOptions;
use sqlparser::ast::{Function, OrderByExpr, OrderBySort, Spanned as _, WindowType};

use crate::frame::{Frame, Texts, Value, series_of};
use crate::model::{Field, Logical};

use super::group::groups;
use super::run::Run;
use super::scope::{ANY, Rel};
use super::value::Mode;

/// Where each row stands by the values of one column, from 0; equal values stand at the same place, and NULL behind all.
#[derive(Debug)]
pub(super) struct Ranks {
    places: Vec<u32>,
    descending: bool,
    /// Where NULL stands, whatever the direction.
    nulls_first: bool,
}

/// The place of NULL.
const NULL: u32 = u32::MAX;

impl Ranks {
    /// Ranks the rows by a column, from its least value to its greatest.
    pub(super) fn of(run: &mut Run<'_>, frame: &Frame, slot: &str) -> Option<Ranks> {
        let (field, column) = frame.column(slot)?;
        let series = column.as_materialized_series();
        let options = SortOptions {
            nulls_last: true,
            maintain_order: true,
            multithreaded: false,
            ..SortOptions::default()
        };
        let sorted = series.arg_sort(options);
        let texts = Texts::new(series, &field.logical);
        let mut places = vec![NULL; frame.height()];
        let (mut place, mut before) = (0, None);
        for (i, row) in sorted.iter().flatten().enumerate() {
            if i % (64 << 10) == 0 {
                run.go_on()?;
            }
            let row = row as usize;
            let text = texts.owned(row);
            if text.is_none() {
                continue;
            }
            if before.as_ref().is_some_and(|before| *before != text) {
                place += 1;
            }
            if let Some(own) = places.get_mut(row) {
                *own = place;
            }
            before = Some(text);
        }
        Some(Ranks { places, descending: false, nulls_first: false })
    }

    /// Returns the place of a row; nothing for NULL.
    pub(super) fn place(&self, row: usize) -> Option<u32> {
        self.places.get(row).copied().filter(|place| *place != NULL)
    }

    /// Returns which of two rows comes first.
    fn compare(&self, a: u32, b: u32) -> Ordering {
        match (self.place(a as usize), self.place(b as usize)) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) if self.nulls_first => Ordering::Less,
            (Some(_), None) if self.nulls_first => Ordering::Greater,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(a), Some(b)) if self.descending => b.cmp(&a),
            (Some(a), Some(b)) => a.cmp(&b),
        }
    }
}

/// Puts rows into an order, in which equal ones keep theirs.
pub(super) fn sort(rows: &mut [u32], order: &[Ranks]) {
    rows.sort_by(|a, b| {
        let decided = order.iter().map(|ranks| ranks.compare(*a, *b)).find(|found| found.is_ne());
        decided.unwrap_or_else(|| a.cmp(b))
    });
}

impl Run<'_> {
    /// Reads an `order by`.
    pub(super) fn order(
        &mut self,
        rel: &mut Rel,
        order: &[OrderByExpr],
    ) -> Option<(Vec<Ranks>, Vec<String>)> {
        let (mut ranks, mut slots) = (Vec::new(), Vec::new());
        for one in order {
            let descending = match &one.options.sort {
                None | Some(OrderBySort::Asc) => false,
                Some(OrderBySort::Desc) => true,
                Some(_) => return self.refuse(one.span(), "an order is `asc` or `desc`", ""),
            };
            if one.with_fill.is_some() {
                return self.refuse(one.span(), "an order is `asc` or `desc`", "");
            }
            let slot = self.value(rel, &one.expr, Mode::Rows("in `order by`"))?;
            if !self.unknown {
                let nulls_first = one.options.nulls_first.unwrap_or(descending);
                ranks.push(Ranks { descending, nulls_first, ..Ranks::of(self, &rel.frame, &slot)? });
            }
            slots.push(slot);
        }
        Some((ranks, slots))
    }

    /// Numbers the rows of each group: `row_number() over (partition by … order by …)`.
    pub(super) fn row_number(&mut self, rel: &mut Rel, call: &Function) -> Option<String> {
        let span = call.name.span();
        let Some(WindowType::WindowSpec(window)) = &call.over else {
            return self.refuse(span, "a window stands in brackets behind `over`", "");
        };
        let plain = window.window_name.is_none() && window.window_frame.is_none() && call.filter.is_none();
        if !plain || !self.arguments(call)?.is_empty() {
            let help = "`row_number() over (partition by … order by …)`";
            return self.refuse(span, "this form of `row_number` is not known here", help);
        }
        if window.order_by.is_empty() {
            let help = "`over (partition by … order by …)`: without an order any row could be the first";
            return self.refuse(span, "`row_number` needs `order by`", help);
        }
        let mut parts = Vec::with_capacity(window.partition_by.len());
        for part in &window.partition_by {
            parts.push(self.value(rel, part, Mode::Rows("in `partition by`"))?);
        }
        let (ranks, slots) = self.order(rel, &window.order_by)?;
        if self.unknown {
            return Some(ANY.to_owned());
        }
        let (ids, firsts) = groups(&rel.frame, &parts);
        let mut members: Vec<Vec<u32>> = vec![Vec::new(); firsts.len()];
        for (row, id) in (0u32..).zip(&ids) {
            if let Some(group) = members.get_mut(*id as usize) {
                group.push(row);
            }
        }
        let mut numbers: Vec<Option<Value>> = vec![None; ids.len()];
        for mut group in members {
            sort(&mut group, &ranks);
            for (number, row) in (1i64..).zip(group) {
                if let Some(own) = numbers.get_mut(row as usize) {
                    *own = Some(Value::I64(number));
                }
            }
        }
        let origins = self.origins_of(parts.iter().chain(&slots).map(String::as_str));
        let series = series_of("number", &Logical::I64, &numbers);
        self.add(&mut rel.frame, Field::new("number", Logical::I64), series.into(), origins)
    }
}
