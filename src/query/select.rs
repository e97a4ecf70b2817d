//! One `select`: its tables, its conditions, its columns.

use std::collections::BTreeSet;

use sqlparser::ast::{
    Distinct, Expr, Function, GroupByExpr, Ident, Select, SelectFlavor, SelectItem,
    SelectItemQualifiedWildcardKind, Spanned, TableFactor, TableWithJoins, WildcardAdditionalOptions,
};

use crate::diagnostic::Span;
use crate::frame::Frame;
use crate::model::Field;

use super::group::{Grouped, is_aggregate};
use super::join::How;
use super::run::{Run, Selected};
use super::scope::{ANY, Col, Rel, Table, parts};
use super::value::{Mode, function_name, looks_at_several};
use super::{Input, TableName};

/// The help where a clause is not known.
const KNOWN: &str = "`select … from … where … group by … having …` are known";

impl Run<'_> {
    /// Runs one `select`.
    pub(super) fn select(&mut self, select: &Select) -> Option<Selected> {
        let Select {
            select_token,
            optimizer_hints,
            distinct,
            select_modifiers,
            top,
            top_before_distinct: _,
            projection,
            exclude,
            into,
            from,
            lateral_views,
            prewhere,
            selection,
            connect_by,
            group_by,
            cluster_by,
            distribute_by,
            sort_by,
            having,
            named_window,
            qualify,
            window_before_qualify: _,
            value_table_mode,
            flavor,
        } = select;
        let head = select_token.0.span;
        let plain = optimizer_hints.is_empty()
            && select_modifiers.is_none()
            && top.is_none()
            && exclude.is_none()
            && into.is_none()
            && lateral_views.is_empty()
            && prewhere.is_none()
            && connect_by.is_empty()
            && cluster_by.is_empty()
            && distribute_by.is_empty()
            && sort_by.is_empty()
            && named_window.is_empty()
            && qualify.is_none()
            && value_table_mode.is_none()
            && *flavor == SelectFlavor::Standard;
        if !plain {
            return self.refuse(head, "this `select` has a clause that is not known here", KNOWN);
        }
        if from.is_empty() {
            return self.refuse(head, "a `select` needs `from`: the datasets that it reads", "");
        }
        let is_distinct = match distinct {
            None | Some(Distinct::All) => false,
            Some(Distinct::Distinct) => true,
            Some(Distinct::On(_)) => {
                let help = "`row_number() over (partition by … order by …)` numbers the rows of a group";
                return self.refuse(head, "`distinct on` is not known here", help);
            }
        };
        let mut rel = self.from(from).unwrap_or(Rel { broken: true, ..Rel::default() });
        self.go_on()?;
        // What is wrong behind a mistake is told too, as far as it can be.
        self.unknown |= rel.broken;
        let mut whole = !rel.broken;
        if let Some(condition) = selection {
            whole &= self.filter(&mut rel, condition, Mode::Rows("in `where`")).is_some();
            self.go_on()?;
        }
        let keys = match group_by {
            GroupByExpr::Expressions(keys, modifiers) if modifiers.is_empty() => keys.as_slice(),
            _ => return self.refuse(head, "this form of `group by` is not known here", "name its columns"),
        };
        let items = projection.iter().filter_map(|item| match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
            _ => None,
        });
        let several = items.chain(having).any(|expr| looks_at_several(self.text, expr));
        let selected = if keys.is_empty() && !several && having.is_none() {
            self.items(&mut rel, projection, head)
        } else {
            let mut grouped = self.group(&mut rel, keys)?;
            if let Some(condition) = having {
                self.having(&mut rel, &mut grouped, condition)?;
            }
            self.grouped_items(&mut rel, &mut grouped, projection, head)
        }?;
        self.go_on()?;
        if !whole {
            return None;
        }
        if is_distinct { self.distinct(selected) } else { Some(selected) }
    }

    /// Joins the tables of a `from`.
    fn from(&mut self, from: &[TableWithJoins]) -> Option<Rel> {
        let mut rel: Option<Rel> = None;
        for table in from {
            let mut joined = match rel.take() {
                None => self.factor(&table.relation)?,
                Some(left) => self.join(left, &table.relation, How::Cross, None)?,
            };
            for join in &table.joins {
                let (how, constraint) = self.how(&join.join_operator, &join.relation)?;
                joined = self.join(joined, &join.relation, how, constraint)?;
                self.go_on()?;
            }
            rel = Some(joined);
        }
        rel
    }

    /// Returns the rows of a table.
    pub(super) fn factor(&mut self, factor: &TableFactor) -> Option<Rel> {
        match factor {
            TableFactor::Table {
                name,
                alias,
                args,
                with_hints,
                version,
                with_ordinality,
                partitions,
                json_path,
                sample,
                index_directives,
                inheritance,
            } => {
                let span = name.span();
                if args.is_some() {
                    return self.refuse(
                        span,
                        format!("`{name}(…)` cannot be a table: a query reads datasets, and nothing else"),
                        "`unnest(json_items(…))` and `unnest(split(…, ','))` make rows of a list",
                    );
                }
                let plain = with_hints.is_empty()
                    && version.is_none()
                    && !with_ordinality
                    && partitions.is_empty()
                    && json_path.is_none()
                    && sample.is_none()
                    && index_directives.is_empty()
                    && inheritance.is_none();
                let is_text = |name: &&Ident| name.quote_style == Some('\'');
                let names = parts(name).filter(|names| plain && (1..=2).contains(&names.len()));
                let names = names.filter(|names| !names.iter().any(is_text));
                let Some(names) = names else {
                    let help = "a dataset's name, or `source.`, `target.` or `expected.` and its name";
                    return self.refuse(span, "this is not the name of a dataset", help);
                };
                let own = names.last().map(|name| name.value.clone()).unwrap_or_default();
                let alias_name = alias.as_ref().map_or(own.clone(), |alias| alias.name.value.clone());
                let with = if names.len() == 1 { self.named(&own) } else { None };
                let selected = match with {
                    Some(selected) => selected,
                    None => {
                        let state = (names.len() == 2).then(|| names.first().map(|name| name.value.clone()));
                        let range = crate::expression::sql_range(self.text, span);
                        self.rows(&TableName { state: state.flatten(), dataset: own, range })?
                    }
                };
                let selected = match alias {
                    Some(alias) => self.renamed(selected, alias)?,
                    None => selected,
                };
                Some(Run::table(&alias_name, selected))
            }
            TableFactor::Derived { lateral: false, subquery, alias: Some(alias), sample: None } => {
                let selected = self.query(subquery)?;
                let selected = self.renamed(selected, alias)?;
                Some(Run::table(&alias.name.value, selected))
            }
            TableFactor::Derived { lateral: false, alias: None, .. } => {
                self.refuse(factor.span(), "a query in brackets needs a name: `(select …) as t`", "")
            }
            TableFactor::UNNEST { .. } => self.refuse(
                span_of(factor),
                "`unnest` needs a table in front of it, whose lists it takes apart",
                "`from tenancy as t cross join unnest(json_items(t.members, '$')) as m(member)`",
            ),
            TableFactor::NestedJoin { .. } => self.refuse(
                factor.span(),
                "joins in brackets are not known here",
                "write them one after the other, or as `(select … from … join …) as t`",
            ),
            _ => self.refuse(factor.span(), "this kind of table is not known here", "a table is a dataset"),
        }
    }

    /// Returns the rows of a dataset.
    fn rows(&mut self, name: &TableName) -> Option<Selected> {
        let (mut frame, dataset) = match (self.inputs)(name) {
            Input::Rows(frame, dataset) => (frame, dataset),
            Input::Unknown => {
                return Some(Selected { columns: Vec::new(), open: true, frame: Frame::default() });
            }
        };
        if u32::try_from(frame.height()).is_err() {
            let rows = frame.height();
            return self.fail(super::QueryError::Rows(format!(
                "`{dataset}` has {rows} rows, and a query reads at most {}: use a view of the database",
                u32::MAX
            )));
        }
        if let (Some(words), false) = (self.words, frame.height() == 0) {
            // What the query does not name need not be carried along.
            let named: Vec<String> =
                frame.schema.names().filter(|name| words.contains(*name)).map(str::to_owned).collect();
            let kept = frame.df.select(named.iter().map(String::as_str));
            frame.df = self.got(kept)?;
            frame.schema.fields.retain(|field| words.contains(&field.name));
        }
        let mut columns = Vec::with_capacity(frame.schema.fields.len());
        let rows: polars::prelude::UInt64Chunked =
            polars::prelude::NewChunkedArray::from_slice("row".into(), &frame.rows);
        for field in &mut frame.schema.fields {
            let slot = self.slot();
            self.origins.insert(slot.clone(), [(dataset.clone(), field.name.clone())].into());
            columns.push((std::mem::replace(&mut field.name, slot.clone()), slot));
        }
        let names: Vec<&str> = frame.schema.names().collect();
        let renamed = frame.df.set_column_names(&names);
        self.got(renamed)?;
        let field = Field::new("row", crate::model::Logical::U64);
        let column = polars::prelude::IntoSeries::into_series(rows).into();
        let row = self.add(&mut frame, field, column, BTreeSet::new())?;
        for (column, slot) in &columns {
            self.places.insert(slot.clone(), (dataset.clone(), column.clone(), row.clone()));
        }
        Some(Selected { columns, open: false, frame })
    }

    /// Returns the columns of a `select` that looks at one row at a time.
    fn items(
        &mut self,
        rel: &mut Rel,
        items: &[SelectItem],
        head: sqlparser::tokenizer::Span,
    ) -> Option<Selected> {
        let mut names = Names::default();
        for item in items {
            match item {
                SelectItem::Wildcard(options) => {
                    self.no_options(options)?;
                    for table in &rel.tables {
                        names.star(table, true);
                    }
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options) => {
                    self.no_options(options)?;
                    let alias = parts(name).and_then(|parts| match parts.as_slice() {
                        [alias] => Some((*alias).clone()),
                        _ => None,
                    });
                    let found = alias.and_then(|a| rel.tables.iter().find(|table| table.alias == a.value));
                    match found {
                        Some(table) => names.star(table, false),
                        None if rel.broken => {}
                        None => {
                            let place = self.place(name.span());
                            let known = rel.tables.iter().map(|table| table.alias.as_str());
                            self.out.push(
                                crate::diagnostic::Diagnostic::error(
                                    &place,
                                    format!("there is no table `{name}` here"),
                                )
                                .suggest(&name.to_string(), known),
                            );
                            names.broken = true;
                        }
                    }
                }
                other => {
                    let named = self.item(other).and_then(|(expr, name, place)| {
                        let slot = self.value(rel, expr, Mode::Select)?;
                        Some((name, slot, place))
                    });
                    names.push(named);
                }
            }
        }
        self.picked(&rel.frame, names, head)
    }

    /// Returns the columns of a `select` that looks at groups.
    fn grouped_items(
        &mut self,
        rel: &mut Rel,
        grouped: &mut Grouped,
        items: &[SelectItem],
        head: sqlparser::tokenizer::Span,
    ) -> Option<Selected> {
        let mut names = Names::default();
        for item in items {
            let named = self.item(item).and_then(|(expr, name, place)| {
                let slot = self.grouped_value(rel, grouped, expr)?;
                Some((name, slot, place))
            });
            names.push(named);
        }
        self.picked(&grouped.frame, names, head)
    }

    /// Returns the expression and the name of one column of a `select`.
    fn item<'s>(&mut self, item: &'s SelectItem) -> Option<(&'s Expr, String, Span)> {
        match item {
            SelectItem::ExprWithAlias { expr, alias } => {
                Some((expr, alias.value.clone(), self.place(alias.span)))
            }
            SelectItem::UnnamedExpr(expr) => {
                let name = match expr {
                    Expr::Identifier(name) => name,
                    Expr::CompoundIdentifier(parts) => parts.last()?,
                    other => {
                        let help = "write `as` and a name behind it";
                        return self.refuse(other.span(), "this column has no name", help);
                    }
                };
                Some((expr, name.value.clone(), self.place(name.span)))
            }
            SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => {
                let help = "name the columns of `group by`, and take `min(…)` or `max(…)` of others";
                self.refuse(item.span(), "`*` has no meaning where rows are grouped", help)
            }
            SelectItem::ExprWithAliases { .. } => {
                self.refuse(item.span(), "a column has one name", "write `as` and the name behind it")
            }
        }
    }

    fn no_options(&mut self, options: &WildcardAdditionalOptions) -> Option<()> {
        let plain = options.opt_ilike.is_none()
            && options.opt_exclude.is_none()
            && options.opt_except.is_none()
            && options.opt_replace.is_none()
            && options.opt_rename.is_none()
            && options.opt_alias.is_none();
        if plain {
            return Some(());
        }
        let span = options.wildcard_token.0.span;
        self.refuse(span, "only `*` is known here, without a word behind it", "name the columns")
    }

    /// Keeps of rows the columns that were asked for.
    fn picked(&mut self, frame: &Frame, names: Names, head: sqlparser::tokenizer::Span) -> Option<Selected> {
        let Names { columns, open, broken } = names;
        let mut whole = !broken;
        for (i, (name, _, place)) in columns.iter().enumerate() {
            if columns.iter().take(i).any(|(earlier, ..)| earlier == name) {
                let place = place.clone().unwrap_or_else(|| self.place(head));
                let message = format!("two columns would have the name `{name}`");
                let help = "give one of them another name with `as`, or leave it out";
                self.refuse_at::<()>(&place, message, help);
                whole = false;
            }
        }
        if !whole {
            return None;
        }
        let columns: Vec<(String, String)> =
            columns.into_iter().map(|(name, slot, _)| (name, slot)).collect();
        if self.unknown {
            return Some(Selected { columns, open, frame: Frame::default() });
        }
        let wanted: BTreeSet<&str> = columns.iter().map(|(_, slot)| slot.as_str()).collect();
        let kept = frame.schema.fields.iter().filter(|field| wanted.contains(field.name.as_str())).cloned();
        let schema = crate::model::Schema { fields: kept.collect() };
        let names: Vec<&str> = schema.names().collect();
        let df = self.got(frame.df.select(names))?;
        Some(Selected { columns, open, frame: Frame::new(schema, df) })
    }
}

/// Returns the span of a table, of which the parser gives too much where it is an `unnest`.
pub(super) fn span_of(factor: &TableFactor) -> sqlparser::tokenizer::Span {
    match factor {
        TableFactor::UNNEST { array_exprs, .. } => array_exprs.first().map_or(factor.span(), Spanned::span),
        other => other.span(),
    }
}

/// The columns of a `select`, by name.
#[derive(Default)]
struct Names {
    columns: Vec<(String, String, Option<Span>)>,
    open: bool,
    broken: bool,
}

impl Names {
    fn push(&mut self, named: Option<(String, String, Span)>) {
        match named {
            Some((name, slot, place)) => self.columns.push((name, slot, Some(place))),
            None => self.broken = true,
        }
    }

    fn star(&mut self, table: &Table, of_all: bool) {
        self.open |= table.open;
        let columns = table.columns.iter().filter(|column: &&Col| !(of_all && column.joined));
        self.columns.extend(columns.map(|column| (column.name.clone(), column.slot.clone(), None)));
    }
}

/// Returns true for a call that looks at several rows.
pub(super) fn is_of_several(call: &Function) -> bool {
    is_aggregate(&function_name(call)) && call.over.is_none()
}

/// Returns true for a slot that stands for a column which is not known.
pub(super) fn is_any(slot: &str) -> bool {
    slot == ANY
}
