//! Runs a query: the parts that all other parts need.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::{Column, IdxCa, NewChunkedArray, PlSmallStr};
use sqlparser::ast::{Cte, Query as Tree, SetExpr, SetOperator, SetQuantifier, Spanned as _, TableAlias};
use sqlparser::tokenizer::Span as SqlSpan;

use crate::diagnostic::{Diagnostic, Diagnostics, Span, Spanned};
use crate::frame::{Frame, convert, polars_type};
use crate::model::{Field, Logical, Schema};

use super::scope::{Col, Rel, Table, place};
use super::{Input, Output, Query, QueryError, TableName};

/// The columns that a column was made from, as dataset and name.
pub(super) type Origins = BTreeSet<(String, String)>;

/// A query while it is run.
pub(super) struct Run<'a> {
    pub(super) text: &'a Spanned<String>,
    pub(super) inputs: &'a dyn Fn(&TableName) -> Input,
    pub(super) stop: &'a dyn Fn() -> bool,
    pub(super) out: &'a mut Diagnostics,
    /// All words of the query, where no `*` asks for columns that it does not name.
    pub(super) words: Option<&'a BTreeSet<String>>,
    /// True where columns are not known: then no value is made, and only names and forms are looked at.
    pub(super) unknown: bool,
    /// What is wrong with the rows, the first of it.
    pub(super) error: Option<QueryError>,
    /// What each slot was made from.
    pub(super) origins: BTreeMap<String, Origins>,
    /// What the columns were made from that one condition compares: in the rows that are left, one tells of the others.
    tied: Vec<Origins>,
    /// For a slot of a dataset's own column: the dataset, the column, and the slot of the row's place in its snapshot.
    pub(super) places: BTreeMap<String, (String, String, String)>,
    with: Vec<(String, Selected)>,
    slots: usize,
}

/// The rows of a query or of a part of it.
#[derive(Debug, Clone)]
pub(super) struct Selected {
    /// The columns by name, each with its slot.
    pub(super) columns: Vec<(String, String)>,
    /// True where there are others too, whose names are not known.
    pub(super) open: bool,
    /// The rows.
    pub(super) frame: Frame,
}

/// Runs a query over the rows that `inputs` gives for its tables.
///
/// Mistakes in the query go to `out`, as many at once as can be told; then there are no rows. `stop` is asked now and then.
/// Over tables without rows all mistakes are found that there are, but those of rows; over unknown ones those of the query
/// itself, and the result has no columns.
///
/// # Errors
/// Where the rows do not allow it, or the user stops.
pub fn run(
    query: &Query,
    inputs: &dyn Fn(&TableName) -> Input,
    stop: &dyn Fn() -> bool,
    out: &mut Diagnostics,
) -> Result<Option<Output>, QueryError> {
    let mut own = Diagnostics::default();
    let unknown = query.tables().iter().any(|table| matches!(inputs(table), Input::Unknown));
    let mut run = Run {
        text: &query.text,
        inputs,
        stop,
        out: &mut own,
        words: query.words.as_ref(),
        unknown,
        error: None,
        origins: BTreeMap::new(),
        tied: Vec::new(),
        places: BTreeMap::new(),
        with: Vec::new(),
        slots: 0,
    };
    let selected = run.query(&query.tree);
    let output = selected.and_then(|selected| run.output(selected));
    let error = run.error.take();
    let wrong = own.has_errors();
    out.extend(own);
    match error {
        Some(error) => Err(error),
        None if wrong => Ok(None),
        None => Ok(output),
    }
}

impl Run<'_> {
    /// Returns a slot that no column has.
    pub(super) fn slot(&mut self) -> String {
        self.slots += 1;
        format!("#{}", self.slots)
    }

    /// Returns the place of a part in the file.
    pub(super) fn place(&self, span: SqlSpan) -> Span {
        place(self.text, span)
    }

    /// Reports a mistake.
    pub(super) fn refuse<T>(&mut self, span: SqlSpan, message: impl Into<String>, help: &str) -> Option<T> {
        let place = self.place(span);
        self.refuse_at(&place, message, help)
    }

    /// Reports a mistake.
    pub(super) fn refuse_at<T>(&mut self, place: &Span, message: impl Into<String>, help: &str) -> Option<T> {
        let mut diagnostic = Diagnostic::error(place, message);
        if !help.is_empty() {
            diagnostic = diagnostic.help(help);
        }
        self.out.push(diagnostic);
        None
    }

    /// Notes what is wrong with the rows.
    pub(super) fn fail<T>(&mut self, error: impl Into<QueryError>) -> Option<T> {
        self.error.get_or_insert(error.into());
        None
    }

    /// Goes on, unless the user has stopped or something has failed.
    pub(super) fn go_on(&mut self) -> Option<()> {
        if (self.stop)() { self.fail(QueryError::Stopped) } else { self.error.is_none().then_some(()) }
    }

    /// Takes what a library made of rows.
    pub(super) fn got<T>(&mut self, result: Result<T, impl Into<QueryError>>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => self.fail(error),
        }
    }

    /// Adds a column to rows under a new slot.
    pub(super) fn add(
        &mut self,
        frame: &mut Frame,
        field: Field,
        column: Column,
        origins: Origins,
    ) -> Option<String> {
        let slot = self.slot();
        let column = column.with_name(slot.as_str().into());
        let added = frame.df.with_column(column).map(|_| ());
        self.got(added)?;
        frame.schema.fields.push(Field { name: slot.clone(), ..field });
        self.origins.insert(slot.clone(), origins);
        Some(slot)
    }

    /// Returns what columns were made from, together.
    pub(super) fn origins_of<'s>(&self, slots: impl IntoIterator<Item = &'s str>) -> Origins {
        slots.into_iter().filter_map(|slot| self.origins.get(slot)).flatten().cloned().collect()
    }

    /// Takes rows by their indexes, all of whose values are NULL where there is no index.
    pub(super) fn take(&mut self, frame: &Frame, indexes: &[Option<u32>]) -> Option<Frame> {
        let wanted = IdxCa::from_slice_options(PlSmallStr::EMPTY, indexes);
        let taken = if frame.df.width() == 0 {
            Ok(polars::prelude::DataFrame::empty_with_height(indexes.len()))
        } else {
            frame.df.take(&wanted)
        };
        let df = self.got(taken)?;
        Some(Frame::new(frame.schema.clone(), df))
    }

    /// Runs a query with all that belongs to it.
    pub(super) fn query(&mut self, query: &Tree) -> Option<Selected> {
        let Tree {
            with,
            body,
            order_by,
            limit_clause,
            fetch,
            locks,
            for_clause,
            settings,
            format_clause,
            pipe_operators,
        } = query;
        self.go_on()?;
        let mut whole = true;
        if let Some(order) = order_by {
            self.refuse::<()>(
                order.span(),
                "`order by` means nothing here: rows are found by their key",
                "only `row_number() over (… order by …)` and `string_agg(… order by …)` ask for an order",
            );
            whole = false;
        }
        if limit_clause.is_some() || fetch.is_some() {
            self.refuse::<()>(
                query.body.span(),
                "`limit` leaves rows out: a side has all of them",
                "`where` says which rows are meant, and `row_number() over (…)` numbers those of a group",
            );
            whole = false;
        }
        let others = locks.is_empty() && for_clause.is_none() && settings.is_none();
        if !others || format_clause.is_some() || !pipe_operators.is_empty() {
            let help = "`select … from … where … group by … having …` are known";
            self.refuse::<()>(query.span(), "this clause of a query is not known here", help);
            whole = false;
        }
        let outer = self.with.len();
        if let Some(with) = with {
            if with.recursive {
                let message = "a query cannot be made of itself";
                self.refuse::<()>(with.with_token.0.span, message, "leave out `recursive`");
                whole = false;
            }
            for cte in &with.cte_tables {
                whole &= self.with(cte, outer).is_some();
            }
        }
        let selected = if whole { self.body(body) } else { None };
        self.with.truncate(outer);
        selected
    }

    /// Runs a query with a name.
    fn with(&mut self, cte: &Cte, outer: usize) -> Option<()> {
        let name = &cte.alias.name;
        if self.with.iter().skip(outer).any(|(earlier, _)| *earlier == name.value) {
            return self.refuse(name.span, format!("there are two queries `{}`", name.value), "");
        }
        let selected = self.query(&cte.query)?;
        let selected = self.renamed(selected, &cte.alias)?;
        self.with.push((name.value.clone(), selected));
        Some(())
    }

    /// Gives columns the names that stand behind an alias.
    pub(super) fn renamed(&mut self, mut selected: Selected, alias: &TableAlias) -> Option<Selected> {
        if alias.columns.is_empty() || selected.open {
            return Some(selected);
        }
        if alias.columns.len() != selected.columns.len() {
            let (has, named) = (selected.columns.len(), alias.columns.len());
            let message =
                format!("`{}` has {has} columns, and {named} names stand behind it", alias.name.value);
            return self.refuse(alias.name.span, message, "");
        }
        for (column, name) in selected.columns.iter_mut().zip(&alias.columns) {
            column.0.clone_from(&name.name.value);
        }
        Some(selected)
    }

    /// Returns the rows of a query with a name, under slots of their own.
    pub(super) fn named(&mut self, name: &str) -> Option<Selected> {
        let (_, selected) = self.with.iter().rev().find(|(own, _)| own == name)?;
        let selected = selected.clone();
        self.fresh(selected)
    }

    /// Gives the columns slots that no other column has.
    pub(super) fn fresh(&mut self, mut selected: Selected) -> Option<Selected> {
        let mut to: BTreeMap<String, String> = BTreeMap::new();
        for field in &mut selected.frame.schema.fields {
            let slot = self.slot();
            if let Some(origins) = self.origins.get(&field.name).cloned() {
                self.origins.insert(slot.clone(), origins);
            }
            to.insert(field.name.clone(), slot.clone());
            field.name = slot;
        }
        let names: Vec<&str> = selected.frame.schema.names().collect();
        let renamed = selected.frame.df.set_column_names(&names);
        self.got(renamed)?;
        for (_, slot) in &mut selected.columns {
            if let Some(new) = to.get(slot) {
                slot.clone_from(new);
            }
        }
        Some(selected)
    }

    fn body(&mut self, body: &SetExpr) -> Option<Selected> {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(query) => self.query(query),
            SetExpr::SetOperation { op: SetOperator::Union, set_quantifier, left, right } => {
                let all = match set_quantifier {
                    SetQuantifier::All => true,
                    SetQuantifier::None | SetQuantifier::Distinct => false,
                    _ => {
                        let help = "the columns of both parts are written in the same order";
                        return self.refuse(body.span(), "`by name` is not known here", help);
                    }
                };
                // Both are looked at, so that all mistakes are told.
                let (first, second) = (self.body(left), self.body(right));
                let united = self.union(first?, second?, right)?;
                if all { Some(united) } else { self.distinct(united) }
            }
            SetExpr::SetOperation { .. } => self.refuse(
                body.span(),
                "of the operations between queries only `union` and `union all` are known here",
                "what one has and the other has not: `left join … on …` and `where other.key is null`",
            ),
            _ => self.refuse(body.span(), "only `select` is known here", ""),
        }
    }

    /// Puts rows behind others.
    fn union(&mut self, first: Selected, second: Selected, right: &SetExpr) -> Option<Selected> {
        let open = first.open || second.open;
        if self.unknown && open {
            return Some(Selected { open, ..first });
        }
        if first.columns.len() != second.columns.len() {
            let (a, b) = (first.columns.len(), second.columns.len());
            let message = format!("the first part has {a} columns, and this one has {b}");
            return self.refuse(right.span(), message, "");
        }
        if self.unknown {
            return Some(first);
        }
        let mut frame = Frame::new(Schema::default(), polars::prelude::DataFrame::default());
        let mut columns = Vec::with_capacity(first.columns.len());
        for ((name, a), (_, b)) in first.columns.iter().zip(&second.columns) {
            let ((a_field, a_column), (b_field, b_column)) =
                (first.frame.column(a)?, second.frame.column(b)?);
            let Some(field) = common(a_field, b_field) else {
                let message =
                    format!("`{name}` is {} in the first part and {} here", a_field.logical, b_field.logical);
                let help = format!("`cast({name} as …)` in one of them, or `cast(null as …)`");
                self.refuse::<()>(right.span(), message, &help);
                continue;
            };
            let of = |column: &Column, from: &Logical| {
                let series = column.as_materialized_series();
                match polars_type(from) == polars_type(&field.logical) {
                    true => series.clone(),
                    false => convert(series, from, &field.logical).series,
                }
            };
            let (mut series, other) = (of(a_column, &a_field.logical), of(b_column, &b_field.logical));
            let nulls = a_column.null_count() + b_column.null_count();
            let joined = series.append(&other).map(|_| ());
            self.got(joined)?;
            if series.null_count() != nulls {
                return self.fail(QueryError::Rows(format!(
                    "a number of `{name}` has more digits than {} has; cast it in both parts of the union",
                    field.logical
                )));
            }
            let origins = self.origins_of([a.as_str(), b.as_str()]);
            let slot = self.add(&mut frame, field, series.into(), origins)?;
            columns.push((name.clone(), slot));
        }
        let frame = Frame::new(frame.schema, frame.df);
        (columns.len() == first.columns.len()).then_some(Selected { columns, open, frame })
    }

    /// Makes a table of the rows of a query.
    pub(super) fn table(alias: &str, selected: Selected) -> Rel {
        let columns = selected.columns.into_iter().map(|(name, slot)| Col { name, slot, joined: false });
        let table = Table { alias: alias.to_owned(), open: selected.open, columns: columns.collect() };
        Rel { tables: vec![table], frame: selected.frame, broken: false }
    }

    /// Takes note that a condition compares columns.
    pub(super) fn tie<'s>(&mut self, slots: impl IntoIterator<Item = &'s str>) {
        let origins = self.origins_of(slots);
        if origins.len() > 1 {
            self.tied.push(origins);
        }
    }

    /// Returns origins with all those to which conditions tie them, by whatever way.
    fn with_tied(&self, mut origins: Origins) -> Origins {
        loop {
            let known = origins.len();
            for tied in &self.tied {
                if !tied.is_disjoint(&origins) {
                    origins.extend(tied.iter().cloned());
                }
            }
            if origins.len() == known {
                return origins;
            }
        }
    }

    /// Returns the rows under the names that the user gave the columns.
    fn output(&mut self, selected: Selected) -> Option<Output> {
        let Selected { columns, frame, .. } = selected;
        let mut fields = Vec::with_capacity(columns.len());
        let mut series = Vec::with_capacity(columns.len());
        let mut origins = Vec::with_capacity(columns.len());
        for (name, slot) in &columns {
            if self.unknown {
                break;
            }
            let (field, column) = frame.column(slot)?;
            fields.push(Field { name: name.clone(), source_name: name.clone(), ..field.clone() });
            series.push(column.clone().with_name(name.as_str().into()));
            let own = self.origins.get(slot).cloned().unwrap_or_default();
            origins.push(self.with_tied(own).into_iter().collect());
        }
        let height = if self.unknown { 0 } else { frame.height() };
        let df = self.got(polars::prelude::DataFrame::new(height, series))?;
        Some(Output { frame: Frame::new(Schema { fields }, df), origins })
    }
}

/// Returns the column that the values of two columns make together; nothing where their types do not meet.
fn common(a: &Field, b: &Field) -> Option<Field> {
    let digits = |logical: &Logical| match logical {
        Logical::I64 => Some((19, 0)),
        Logical::U64 => Some((20, 0)),
        Logical::Decimal { precision, scale } => Some((precision - scale, *scale)),
        _ => None,
    };
    let logical = match (&a.logical, &b.logical) {
        (one, other) if one == other => one.clone(),
        (Logical::Text { .. }, Logical::Text { .. }) => Logical::TEXT,
        (one, other) => {
            let ((one, a_scale), (other, b_scale)) = (digits(one)?, digits(other)?);
            let scale = a_scale.max(b_scale);
            Logical::Decimal { precision: one.max(other).saturating_add(scale).min(38), scale }
        }
    };
    let zone = (a.timezone == b.timezone).then(|| a.timezone.clone()).flatten();
    if a.timezone != b.timezone && logical == Logical::TIMESTAMP {
        return None;
    }
    Some(Field { timezone: zone, ..Field::new(&a.name, logical) })
}
