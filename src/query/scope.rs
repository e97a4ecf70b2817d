//! The tables that a part of a query sees, and the names of their columns.

use sqlparser::ast::{
    self, Ident, ObjectName, Query, SelectItem, SetExpr, Spanned as _, TableFactor, TableWithJoins,
};

use crate::diagnostic::{Diagnostic, Diagnostics, Spanned};
use crate::expression::{sql_place, sql_range};
use crate::frame::Frame;

use super::TableName;

/// Rows with the tables that they were joined from.
#[derive(Debug, Clone, Default)]
pub(super) struct Rel {
    /// The tables, in the order of the query.
    pub(super) tables: Vec<Table>,
    /// The rows: a column for each slot.
    pub(super) frame: Frame,
    /// True where a mistake was found in the tables: then every name may be right.
    pub(super) broken: bool,
}

/// A table under the name by which a query knows it.
#[derive(Debug, Clone)]
pub(super) struct Table {
    /// The name.
    pub(super) alias: String,
    /// True where its columns are not known: then it has any.
    pub(super) open: bool,
    /// The columns.
    pub(super) columns: Vec<Col>,
}

/// A column of a table.
#[derive(Debug, Clone)]
pub(super) struct Col {
    /// The name by which a query knows it.
    pub(super) name: String,
    /// The name in the frame, which no other column of a query has.
    pub(super) slot: String,
    /// True where `using` made it one with a column to the left.
    pub(super) joined: bool,
}

/// The slot of a column that is not known yet.
pub(super) const ANY: &str = "?";

impl Rel {
    /// Finds a column by its name alone, or by that of its table too.
    pub(super) fn find(
        &self,
        table: Option<&Ident>,
        name: &str,
        place: &crate::diagnostic::Span,
        out: &mut Diagnostics,
    ) -> Option<String> {
        if self.broken {
            return Some(ANY.to_owned());
        }
        let looked_at: Vec<&Table> = match table {
            None => self.tables.iter().collect(),
            Some(alias) => {
                let found: Vec<&Table> = self.tables.iter().filter(|t| t.alias == alias.value).collect();
                if found.is_empty() {
                    out.push(
                        Diagnostic::error(place, format!("there is no table `{}` here", alias.value))
                            .suggest(&alias.value, self.tables.iter().map(|table| table.alias.as_str())),
                    );
                    return None;
                }
                found
            }
        };
        let is_it = |column: &&Col| column.name == name && (table.is_some() || !column.joined);
        let found: Vec<(&str, &str)> = looked_at
            .iter()
            .filter_map(|t| Some((t.alias.as_str(), t.columns.iter().find(is_it)?.slot.as_str())))
            .collect();
        match found.as_slice() {
            [(_, slot)] => Some((*slot).to_owned()),
            [] if looked_at.iter().any(|table| table.open) => Some(ANY.to_owned()),
            [] => {
                let message = match table {
                    Some(alias) => format!("`{}` has no column `{name}`", alias.value),
                    None => format!("there is no column `{name}`"),
                };
                let names = looked_at.iter().flat_map(|table| &table.columns).map(|c| c.name.as_str());
                out.push(Diagnostic::error(place, message).suggest(name, names));
                None
            }
            [(first, _), (second, _), ..] => {
                out.push(
                    Diagnostic::error(
                        place,
                        format!("both `{first}` and `{second}` have a column `{name}`: which is meant?"),
                    )
                    .help(format!("write `{first}.{name}` or `{second}.{name}`")),
                );
                None
            }
        }
    }
}

/// Returns the parts of a name; nothing where a part is no plain name.
pub(super) fn parts(name: &ObjectName) -> Option<Vec<&Ident>> {
    name.0.iter().map(ast::ObjectNamePart::as_ident).collect()
}

/// Returns every dataset that a query names, which is every table that is not a query of its own; and whether a `*` asks
/// for columns without their names.
pub(super) fn tables(text: &Spanned<String>, query: &Query) -> (Vec<TableName>, bool) {
    let mut found = Found { text, tables: Vec::new(), has_star: false };
    found.query(query, &[]);
    (found.tables, found.has_star)
}

struct Found<'a> {
    text: &'a Spanned<String>,
    tables: Vec<TableName>,
    has_star: bool,
}

impl Found<'_> {
    fn query(&mut self, query: &Query, outer: &[String]) {
        let mut known = outer.to_vec();
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.query(&cte.query, &known);
            known.push(cte.alias.name.value.clone());
        }
        self.body(&query.body, &known);
    }

    fn body(&mut self, body: &SetExpr, known: &[String]) {
        match body {
            SetExpr::Select(select) => {
                let is_star = |item: &SelectItem| {
                    matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..))
                };
                self.has_star |= select.projection.iter().any(is_star);
                select.from.iter().for_each(|from| self.from(from, known));
            }
            SetExpr::Query(query) => self.query(query, known),
            SetExpr::SetOperation { left, right, .. } => {
                self.body(left, known);
                self.body(right, known);
            }
            // It is refused where it is run.
            _ => {}
        }
    }

    fn from(&mut self, from: &TableWithJoins, known: &[String]) {
        self.factor(&from.relation, known);
        from.joins.iter().for_each(|join| self.factor(&join.relation, known));
    }

    fn factor(&mut self, factor: &TableFactor, known: &[String]) {
        match factor {
            TableFactor::Table { name, args: None, .. } => {
                let names = parts(name).unwrap_or_default();
                let range = sql_range(self.text, name.span());
                let found = match names.as_slice() {
                    [dataset] if !known.contains(&dataset.value) => (None, &dataset.value),
                    [state, dataset] => (Some(state.value.clone()), &dataset.value),
                    _ => return,
                };
                self.tables.push(TableName { state: found.0, dataset: found.1.clone(), range });
            }
            TableFactor::Derived { subquery, .. } => self.query(subquery, known),
            TableFactor::NestedJoin { table_with_joins, .. } => self.from(table_with_joins, known),
            _ => {}
        }
    }
}

/// Returns the place of a part of a query.
pub(super) fn place(text: &Spanned<String>, span: sqlparser::tokenizer::Span) -> crate::diagnostic::Span {
    sql_place(text, &sql_range(text, span))
}
