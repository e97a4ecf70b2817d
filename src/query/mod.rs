//! A side may be a query over other datasets, run here: for tables that were split, merged or denormalised on the way.
//!
//! `sql` under `source` or `target` is one `select`, whose rows are the side. Its tables are datasets, and nothing else: no
//! file, no function, no connection. The rows become a snapshot of its own, which names the snapshots that it was made of.
//!
//! ```sql
//! select t.tag_ref, m.number, json_value(m.item, '$.name') as name
//! from tenancy as t
//! cross join unnest(json_items(t.household, '$.members')) with ordinality as m(item, number)
//! ```
//!
//! | | |
//! |---|---|
//! | tables | `tenancy`: the rows of that dataset's snapshot of the same side, as they were read; `source.tenancy` and `target.tenancy` say which side; `expected.tenancy`: its source, filtered, cleansed and merged; `(select …) as t`; `with t as (select …) select …` |
//! | joins | `join`, `left join`, `right join`, `full join` with `on` or `using`; `cross join`; a comma |
//! | lists | `cross join unnest(json_items(column, '$.path')) with ordinality as t(item, number)`, or with `split(column, ',')`; `left join unnest(…) as t(item) on true` keeps rows without an element |
//! | rows | `where`, `group by`, `having`, `select distinct`, `union`, `union all` |
//! | of a group | `count(*)`, `count(…)`, `count(distinct …)`, `sum`, `min`, `max`, `string_agg(…, ', ' order by …)` |
//! | of one row | everything that the conditions of rules know: comparisons, `and`, `or`, `not`, `case`, `cast`, `coalesce`, `substring`, `\|\|`, …; `json_value(column, '$.path')`; `row_number() over (partition by … order by …)` |
//!
//! A dataset whose name is no plain word stands in double quotes: `"rent-accounts"`. Case counts in all names.
//!
//! **Order.** The rows come in an order that only the rows read decide, whatever the threads: those of the first table in
//! its order, each with its partners in theirs; rows that a `right join` or `full join` keeps stand behind; a group stands
//! where its first row stood. `row_number` and `string_agg` break ties in that order. `order by` for the whole, and `limit`,
//! are refused: they mean nothing where rows are found by their key.
//!
//! **NULL** has no partner in a join, is a group of its own in `group by` and `distinct`, and is left out by what looks at a
//! group, but `count(*)`. In an order it is the greatest value, unless `nulls first` or `nulls last` says otherwise.
//!
//! **Types.** A column that is only passed on keeps its type, with its length and zone. Numbers are calculated and added up
//! exactly, with up to 38 digits; a sum is a decimal. The sum of floating-point numbers is refused, because it depends on
//! their order: cast them. Columns that are joined must be of one kind, where 1 is 1.00; in a union whole and decimal
//! numbers meet in a decimal, and other types must be cast. A value that cannot be cast is an error with its row, whatever
//! `case` or `where` stands around it; `try_cast` makes NULL of it, as does a `cast` behind `on`, where NULL has no partner.
//! What cannot be calculated, such as a division by zero, is NULL.
//!
//! **Lists.** `json_items` gives the elements of a JSON list, `split` the parts of a text: one row each. A NULL has none, nor
//! has an empty list, an empty text, or a path that leads nowhere. `json_value` gives one value, and NULL where the path leads
//! nowhere. Texts come without quotes, `null` as NULL, numbers as they are written, lists and objects as JSON. A text that is
//! not JSON, or where the path of `json_items` leads to something that is no list, is an error with its row, never a value;
//! `case when … then column end` inside the brackets says which texts are meant.
//! A path is `$`, then names as `.name` or `."a name"`, and places as `[0]`.
//!
//! **Again.** Where the query and the snapshots that it reads are those of an earlier run, its snapshot is used again. What a
//! dataset should hold depends on rules too: a query that reads `expected` is run every time.
//!
//! **Secrets.** A column is hidden in reports where any column that it was made of is.
//!
//! **Memory.** A query holds the rows that it reads and those that it makes in memory, whatever `--memory` says. What is
//! too large for that is a view or a `query` of the database.

mod group;
mod join;
mod json;
mod lists;
mod order;
mod run;
mod scope;
mod select;
mod value;

use std::collections::BTreeSet;
use std::ops::Range;

use polars::prelude::PolarsError;
use sqlparser::ast;
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};

use crate::diagnostic::{Diagnostic, Diagnostics, Span, Spanned};
use crate::expression::{not_a_query, sql_place, sql_range};
use crate::frame::Frame;

pub use run::run;

/// The most words and signs of a query.
const MOST_TOKENS: usize = 3_000;

/// Returns what users are told of queries, as Markdown: the first lines of this file.
pub fn documentation() -> String {
    let lines = include_str!("mod.rs").lines().take_while(|line| line.starts_with("//!"));
    let lines: Vec<&str> =
        lines.map(|line| line.trim_start_matches("//!").strip_prefix(' ').unwrap_or_default()).collect();
    lines.join("\n")
}

/// The version of what queries mean: results of another one are not used again.
pub const VERSION: u32 = 1;

/// A query whose syntax is right, not yet run.
#[derive(Debug, Clone)]
pub struct Query {
    text: Spanned<String>,
    tree: ast::Query,
    tables: Vec<TableName>,
    /// All words of it, where no `*` asks for columns that it does not name.
    words: Option<BTreeSet<String>>,
}

/// A dataset that a query reads, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableName {
    /// What stands in front of the point: `source`, `target` or `expected`, if the user knows.
    pub state: Option<String>,
    /// The dataset.
    pub dataset: String,
    /// Its bytes in the query's text.
    pub range: Range<usize>,
}

/// What a table of a query is.
#[derive(Debug, Clone)]
pub enum Input {
    /// Rows, with the dataset that they are of.
    Rows(Frame, String),
    /// Something with columns that are not known yet: the query is only looked at.
    Unknown,
}

/// The rows of a query.
#[derive(Debug, Clone)]
pub struct Output {
    /// The rows.
    pub frame: Frame,
    /// The columns that each column was made from, as dataset and name, in the order of the frame.
    pub origins: Vec<Vec<(String, String)>>,
}

/// A query could not be run. No message shows a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The user stopped the work.
    #[error("stopped")]
    Stopped,
    /// What is wrong with the rows, and what to try.
    #[error("{0}")]
    Rows(String),
}

impl From<PolarsError> for QueryError {
    fn from(_: PolarsError) -> Self {
        // polars shows values in its messages.
        QueryError::Rows("its rows could not be put together".to_owned())
    }
}

impl Query {
    /// Reads a query without knowing any table: wrong syntax is a diagnostic at its place.
    pub fn parse(text: &Spanned<String>, out: &mut Diagnostics) -> Option<Query> {
        let tokens = match Tokenizer::new(&GenericDialect, &text.value).tokenize_with_location() {
            Ok(tokens) => tokens,
            Err(error) => {
                out.push(not_a_query(text, error.into()));
                return None;
            }
        };
        let words = tokens.iter().filter(|t| !matches!(t.token, Token::Whitespace(_) | Token::EOF)).count();
        if words == 0 {
            out.push(Diagnostic::error(&text.span, "a query is expected here, not nothing"));
            return None;
        }
        if words > MOST_TOKENS {
            out.push(
                Diagnostic::error(&text.span, format!("the query has more than {MOST_TOKENS} words"))
                    .help("make a dataset of a part of it, and read that"),
            );
            return None;
        }
        let all = tokens.iter().filter_map(|token| match &token.token {
            Token::Word(word) => Some(word.value.clone()),
            _ => None,
        });
        let all: BTreeSet<String> = all.collect();
        let mut parser = Parser::new(&GenericDialect).with_tokens_with_locations(tokens);
        let tree = match parser.parse_query() {
            Ok(tree) => *tree,
            Err(error) => {
                out.push(not_a_query(text, error).help(
                    "one `select` over other datasets: a database's own SQL stands under `query`, with its `connection`",
                ));
                return None;
            }
        };
        let rest = parser.peek_token();
        if rest.token != Token::EOF {
            let span = sql_place(text, &sql_range(text, rest.span));
            out.push(
                Diagnostic::error(&span, format!("the query should end before `{}`", rest.token))
                    .help("one `select`, without `;`"),
            );
            return None;
        }
        let (tables, has_star) = scope::tables(text, &tree);
        let words = (!has_star).then_some(all);
        Some(Query { text: text.clone(), tree, tables, words })
    }

    /// Returns the datasets that it reads, each as often as it is named.
    pub fn tables(&self) -> &[TableName] {
        &self.tables
    }

    /// Returns the query in one line, the same for every way of writing it in lines.
    pub fn in_one_line(&self) -> String {
        self.tree.to_string()
    }

    /// Returns the place of some bytes of it in the file.
    pub fn place(&self, range: &Range<usize>) -> Span {
        sql_place(&self.text, range)
    }
}
