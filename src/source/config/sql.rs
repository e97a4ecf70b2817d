//! Sides that are a query over other datasets.

use crate::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::source::{ColumnRules, ReadRequest, Selection};

use super::{SideConfig, zone_is_known};

impl SideConfig {
    /// Puts together what is asked for where the side is a query over other datasets, `query` in one line; `place` is
    /// where the side stands in its file. Settings that do not belong there go to `out`.
    pub fn sql_request(&self, query: String, place: &Span, out: &mut Diagnostics) -> ReadRequest {
        let mut refuse = |name: &str, span: &Span, help: &str| {
            let message = format!("`{name}` says how a table is read, and this side is made here by `sql`");
            out.push(Diagnostic::error(span, message).help(help));
        };
        let one = "a side has one of `file`, `table`, `query` and `sql`";
        let place_of = [
            (
                "connection",
                &self.connection,
                "leave it out: the datasets that the query reads have their own",
            ),
            ("file", &self.file, one),
            ("table", &self.table, one),
            ("query", &self.query, one),
            ("where", &self.r#where, "write it into the query, or under `filter`"),
        ];
        for (name, value, help) in place_of {
            if let Some(value) = value {
                refuse(name, &value.span, help);
            }
        }
        if let Some(tables) = &self.tables {
            refuse("tables", &tables.span, one);
        }
        if let Some(skip) = self.skip.first() {
            refuse("skip", &skip.span, "the query names the datasets that it reads");
        }
        if let Some((_, first)) = self.types.first() {
            refuse("types", &first.span, "write `cast(column as …)` in the query");
        }
        if let Some((_, first)) = self.columns.first() {
            refuse("columns", &first.span, "name columns in the query with `as`");
        }
        if let Some(first) = self.omit.first() {
            refuse("omit", &first.span, "leave the column out of the query");
        }
        let options = [
            ("format", self.format.is_some()),
            ("delimiter", self.delimiter.is_some()),
            ("quote", self.quote.is_some()),
            ("header", self.header.is_some()),
            ("encoding", self.encoding.is_some()),
            ("null", self.null.is_some()),
        ];
        for (name, _) in options.into_iter().filter(|(_, given)| *given) {
            refuse(name, place, "it belongs to the dataset that reads the file");
        }
        let zones = self.timezone.iter().chain(self.timezones.values());
        for zone in zones {
            zone_is_known(zone, out);
        }
        ReadRequest {
            connection: None,
            selection: Selection::Sql(query),
            columns: ColumnRules {
                timezone: self.timezone.as_ref().map(|zone| zone.value.clone()),
                timezones: self.timezones.clone(),
                ..ColumnRules::default()
            },
        }
    }
}
