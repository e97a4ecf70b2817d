//! The sides of a dataset, and what can be known of their columns without data.

use indexmap::IndexMap;

use crate::diagnostic::{Diagnostic, Diagnostics, Span, Spanned};
use crate::expression;
use crate::model::Side;
use crate::node::{Node, Value};
use crate::reconcile::ROW;
use crate::source::{ConnectionConfig, SideConfig};

use super::attempt::Attempt;
use super::made;
use super::plan::{MadeSide, SidePlan};

/// The connections of a project by name; nothing for one with a mistake in it.
pub(super) type Connections = IndexMap<String, Attempt<ConnectionConfig>>;

/// What a file says of one side.
#[derive(Debug)]
pub(super) enum SideState {
    /// Nothing.
    Absent,
    /// Something, with a mistake in it.
    Broken,
    /// A side as configured, and its plan where everything it needs is there.
    Ready(Box<SideConfig>, Option<Box<SidePlan>>),
}

/// The two sides of a dataset.
#[derive(Debug)]
pub(super) struct Sides {
    pub(super) source: SideState,
    pub(super) target: SideState,
}

impl SideState {
    /// Returns the side as configured, where it could be read.
    pub(super) fn config(&self) -> Option<&SideConfig> {
        match self {
            SideState::Ready(config, _) => Some(config),
            SideState::Absent | SideState::Broken => None,
        }
    }

    /// Returns the query that the side is, where it is one.
    pub(super) fn made(&self) -> Option<&MadeSide> {
        match self {
            SideState::Ready(_, Some(plan)) => plan.made.as_ref(),
            _ => None,
        }
    }

    /// Returns the plan of the side; an error where there is a mistake in it.
    pub(super) fn into_plan(self) -> Result<Option<SidePlan>, ()> {
        match self {
            SideState::Absent => Ok(None),
            SideState::Ready(_, Some(plan)) => Ok(Some(*plan)),
            SideState::Broken | SideState::Ready(_, None) => Err(()),
        }
    }
}

/// Reads a side: its connection, its filter, and names that contradict each other.
///
/// `own` is which it is, `node` the side as typed; `connections` is nothing where the project's connections could not be
/// read.
pub(super) fn read(
    own: Side,
    side: Attempt<Option<Spanned<SideConfig>>>,
    node: Option<&Node>,
    connections: Option<&Connections>,
    out: &mut Diagnostics,
) -> SideState {
    let (config, span) = match side.0 {
        Some(None) => return SideState::Absent,
        None => return SideState::Broken,
        Some(Some(side)) => (side.value, side.span),
    };
    let names = Names { config: &config, node };
    names.check(out);
    let filter = config.filter.as_ref().map(|filter| expression::parse(filter, out));
    for column in filter.iter().flatten().flat_map(expression::Expression::columns) {
        names.report(&column, "this side", out);
    }
    let place = head(node, &span);
    // A mistake in the filter has been reported, and there is then no plan in the end.
    let plan = match &config.sql {
        Some(sql) => made::read(&config, sql, own, (place, span.clone()), out),
        None => connection(&config, connections, out).and_then(|connection| {
            let request = connection.request(&config, place, out)?;
            let config = config.clone();
            Some(SidePlan { config, connection, request, made: None, filter: None, span: span.clone() })
        }),
    };
    let plan = plan.map(|plan| Box::new(SidePlan { filter: filter.flatten(), ..plan }));
    SideState::Ready(Box::new(config), plan)
}

/// Returns where a mistake of a side as a whole is shown: at its first name.
fn head<'a>(node: Option<&'a Node>, whole: &'a Span) -> &'a Span {
    match node.map(|node| &node.value) {
        Some(Value::Map(entries)) => entries.first().map_or(whole, |(name, _)| &name.span),
        _ => whole,
    }
}

fn connection(
    config: &SideConfig,
    connections: Option<&Connections>,
    out: &mut Diagnostics,
) -> Option<ConnectionConfig> {
    let Some(name) = &config.connection else { return Some(ConnectionConfig::default()) };
    let connections = connections?;
    if let Some(connection) = connections.get(&name.value) {
        return connection.0.clone();
    }
    let error = Diagnostic::error(&name.span, format!("there is no connection `{}`", name.value));
    out.push(if connections.is_empty() {
        error.help(
            "the project file names none under `connections`; without one, files lie beside the project file",
        )
    } else {
        error.suggest(&name.value, connections.keys().map(String::as_str))
    });
    None
}

impl Sides {
    /// Returns true where the dataset has what a state of the data is made of.
    pub(super) fn has(&self, side: Side) -> bool {
        !matches!(self.of(side), SideState::Absent)
    }

    /// Returns the side that a state of the data is made of.
    pub(super) fn of(&self, side: Side) -> &SideState {
        match side {
            Side::Source | Side::Expected => &self.source,
            Side::Target => &self.target,
        }
    }

    /// Returns true where both sides are there.
    pub(super) fn are_two(&self) -> bool {
        self.has(Side::Source) && self.has(Side::Target)
    }

    /// Reports columns that one of these states of the data surely does not have, each once a side.
    pub(super) fn check_columns(&self, columns: &[Spanned<String>], on: &[Side], out: &mut Diagnostics) {
        let mut wanted: Vec<(&SideState, &str)> = Vec::new();
        if on.iter().any(|side| *side != Side::Target) {
            wanted.push((&self.source, "the source"));
        }
        if on.contains(&Side::Target) {
            wanted.push((&self.target, "the target"));
        }
        for column in columns {
            if column.value == ROW {
                out.push(no_column_row(column));
            }
            for (state, words) in &wanted {
                if let Some(config) = state.config() {
                    Names { config, node: None }.report(column, words, out);
                }
            }
        }
    }

    /// Reports a column that surely no side of the dataset has.
    pub(super) fn check_anywhere(&self, column: &Spanned<String>, out: &mut Diagnostics) {
        let there = [(&self.source, "the source"), (&self.target, "the target")];
        let there: Vec<_> =
            there.into_iter().filter(|(state, _)| !matches!(state, SideState::Absent)).collect();
        let lacks = |state: &SideState| {
            let config = state.config()?;
            Names { config, node: None }.missing(&column.value).map(|_| ())
        };
        if column.value == ROW {
            out.push(no_column_row(column));
        } else if there.iter().all(|(state, _)| lacks(state).is_some()) {
            for (state, words) in there {
                if let Some(config) = state.config() {
                    Names { config, node: None }.report(column, words, out);
                }
            }
        }
    }

    /// Returns true where a side surely does not have a column.
    pub(super) fn lacks(&self, side: Side, column: &str) -> bool {
        self.of(side).config().is_some_and(|config| Names { config, node: None }.missing(column).is_some())
    }
}

/// The names that a side's configuration speaks of.
struct Names<'a> {
    config: &'a SideConfig,
    node: Option<&'a Node>,
}

/// Why a side does not have a column.
enum Missing<'a> {
    /// It is not read.
    Omitted(&'a Spanned<String>),
    /// This is their name of it; ours is another.
    Renamed(&'a Spanned<String>),
}

impl<'a> Names<'a> {
    /// Returns why there is no column of this name, where that is certain.
    fn missing(&self, name: &str) -> Option<Missing<'a>> {
        if name == ROW {
            return None;
        }
        if let Some(omitted) = self.config.omit.iter().find(|omitted| omitted.value == name) {
            return Some(Missing::Omitted(omitted));
        }
        let ours = self.config.columns.get(name)?;
        (!self.config.columns.values().any(|ours| ours.value == name)).then_some(Missing::Renamed(ours))
    }

    /// Reports a column that is certainly not there.
    fn report(&self, column: &Spanned<String>, side: &str, out: &mut Diagnostics) {
        let name = &column.value;
        match self.missing(name) {
            None => {}
            Some(Missing::Omitted(omitted)) => out.push(
                Diagnostic::error(&column.span, format!("{side} has no column `{name}`: it is omitted"))
                    .also(&omitted.span, "omitted here")
                    .help("a column that is needed must be read: take it out of `omit`"),
            ),
            Some(Missing::Renamed(ours)) => out.push(
                Diagnostic::error(
                    &column.span,
                    format!("{side} has no column `{name}`: `{name}` is called `{}` here", ours.value),
                )
                .also(&ours.span, "our name")
                .help(format!("write `{}`: everything but `columns` uses our names", ours.value)),
            ),
        }
    }

    /// Reports names of the side that contradict each other.
    fn check(&self, out: &mut Diagnostics) {
        let mut seen: Vec<&Spanned<String>> = Vec::new();
        for ours in self.config.columns.values() {
            if ours.value == ROW {
                out.push(Diagnostic::error(
                    &ours.span,
                    format!("`{ROW}` is the row's position: a column needs another name"),
                ));
            }
            match seen.iter().find(|earlier| earlier.value == ours.value) {
                Some(earlier) => out.push(
                    Diagnostic::error(
                        &ours.span,
                        format!("two columns would have the name `{}`", ours.value),
                    )
                    .label("the second")
                    .also(&earlier.span, "the first"),
                ),
                None => seen.push(ours),
            }
        }
        let types = self.config.types.iter().map(|(name, value)| ("types", name, &value.span));
        let zones = self.config.timezones.iter().map(|(name, value)| ("timezones", name, &value.span));
        for (section, name, span) in types.chain(zones) {
            let span = name_span(self.node.and_then(|node| node.get(section)), name).unwrap_or(span);
            self.report(&Spanned { value: name.clone(), span: span.clone() }, "this side", out);
        }
        for omitted in &self.config.omit {
            if let Some(ours) =
                self.config.columns.get(&omitted.value).filter(|ours| ours.value != omitted.value)
                && !seen.iter().any(|ours| ours.value == omitted.value)
            {
                out.push(
                    Diagnostic::error(
                        &omitted.span,
                        format!("`{}` is called `{}` here", omitted.value, ours.value),
                    )
                    .also(&ours.span, "our name")
                    .help(format!("write `{}`: `omit` uses our names", ours.value)),
                );
            }
        }
    }
}

/// The row's position where a column is meant.
fn no_column_row(column: &Spanned<String>) -> Diagnostic {
    Diagnostic::error(
        &column.span,
        format!("`{ROW}` is the row's position and no column: only `key` may name it"),
    )
}

/// Returns where a name stands in a map.
pub(super) fn name_span<'a>(map: Option<&'a Node>, name: &str) -> Option<&'a Span> {
    match map.map(|node| &node.value) {
        Some(Value::Map(entries)) => {
            entries.iter().find(|(typed, _)| typed.text == name).map(|(typed, _)| &typed.span)
        }
        _ => None,
    }
}
