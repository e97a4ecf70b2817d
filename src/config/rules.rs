//! Reading the rules of a dataset file.

use std::collections::HashMap;

use crate::diagnostic::{Diagnostic, Diagnostics, Span, Spanned};
use crate::expression;
use crate::model::Side;
use crate::node::{Fields, FromNode, Node, Value};
use crate::rule::{Common, Kind, MaxFailures, ProjectFiles};

use super::family::{Checks, Family, Matches, RuleFamily, Steps};
use super::plan::Rule;
use super::side::Sides;

/// What rules are read against.
pub(super) struct Context<'a> {
    /// The files beside the project file.
    pub(super) files: &'a ProjectFiles,
    /// The dataset's sides.
    pub(super) sides: &'a Sides,
}

/// Reads the rules of a family; what is wrong with them goes to `out`.
pub(super) fn read<F: Family>(
    nodes: &[Node],
    context: &Context<'_>,
    out: &mut Diagnostics,
) -> Vec<Rule<F::Rule>> {
    nodes.iter().filter_map(|node| read_one::<F>(node, context, out)).collect()
}

fn read_one<F: Family>(node: &Node, context: &Context<'_>, out: &mut Diagnostics) -> Option<Rule<F::Rule>> {
    let word = F::FAMILY.word();
    let name = match node.get(word).map(|kind| &kind.value) {
        Some(Value::Scalar { text, .. }) => Some(text.as_str()),
        _ => None,
    };
    if let Value::Scalar { text, .. } = &node.value {
        let kind = F::kinds().iter().find(|kind| kind.name == text).map_or_else(F::example, |kind| kind.name);
        out.push(
            Diagnostic::error(&node.span, format!("a {word} takes names with values, not a single value"))
                .help(format!("as in `- {word}: {kind}`")),
        );
        return None;
    }
    let owner = name.map_or_else(|| format!("a {word}"), |name| format!("{word} `{name}`"));
    let mut fields = Fields::new(node, owner.as_str(), out)?;
    let Some(kind_node) = fields.take(word) else {
        out.push(without_kind::<F>(node));
        return None;
    };
    let typed = Spanned::<String>::from_node(kind_node, out)?;
    let Some(kind) = F::kinds().iter().find(|kind| kind.name == typed.value) else {
        out.push(unknown_kind::<F>(&typed));
        if let Some(common) = F::common(&mut fields, out) {
            check_common::<F>(&common, node, context, out);
        }
        return None;
    };
    let rule = (kind.read)(&mut fields, out);
    refuse_foreign_fields::<F>(node, &mut fields, kind, &owner, out);
    let common = F::common(&mut fields, out);
    fields.finish(out);
    let Some(common) = common else {
        // What is wrong with the parameters is said all the same, unless the rule is switched off.
        if let Some(rule) = rule.filter(|_| node.get("skip").is_none()) {
            check::<F>(&rule, &typed.span, context, out);
        }
        return None;
    };
    let condition = check_common::<F>(&common, node, context, out);
    let rule = rule?;
    let mut sound = true;
    if common.skip.is_none() {
        sound = check::<F>(&rule, &typed.span, context, out);
        let conditions = condition.iter().flat_map(expression::Expression::columns);
        let mut columns = F::columns(&rule);
        columns.extend(conditions);
        let sides = sides_of::<F>(&common, context.sides);
        context.sides.check_columns(&columns, &sides, out);
        check_effect::<F>(&rule, &common, node, &sides, out);
    }
    let id = match &common.id {
        Some(id) => id.value.clone(),
        None if sound => default_id::<F>(kind.name, &rule),
        // The id is made of what is wrong: it must not seem to be another rule's.
        None => format!("{}-at-{}", kind.name, typed.span.range.start),
    };
    Some(Rule {
        id,
        kind: kind.name,
        dimension: common.dimension.unwrap_or(kind.dimension),
        severity: common.severity.unwrap_or(F::SEVERITY),
        condition,
        common,
        span: typed.span,
        rule,
    })
}

/// Checks a rule without data; returns true where nothing is wrong. What has no place is shown at `place`.
fn check<F: Family>(rule: &F::Rule, place: &Span, context: &Context<'_>, out: &mut Diagnostics) -> bool {
    let mut own = Diagnostics::default();
    F::check(rule, context.files, &mut own);
    let sound = !own.has_errors();
    own.into_vec().into_iter().for_each(|diagnostic| out.push(diagnostic.or_at(place)));
    sound
}

/// Reports settings of a rule that would do nothing.
fn check_effect<F: Family>(
    rule: &F::Rule,
    common: &Common,
    node: &Node,
    sides: &[Side],
    out: &mut Diagnostics,
) {
    if let Some(merge) = node.get("merge").filter(|_| F::merges(rule) && !sides.contains(&Side::Expected)) {
        let help = match common.on {
            Some(_) => "add `expected` to `on`, or leave `merge` out",
            None => "the dataset has no source: leave `merge` out",
        };
        out.push(
            Diagnostic::error(&merge.span, "nothing is merged: this match does not look at expected")
                .help(help),
        );
    }
    if let (Some(MaxFailures::Percent(_)), Some(node)) =
        (common.max_failures.filter(|_| F::judges_sides(rule)), node.get("max_failures"))
    {
        out.push(
            Diagnostic::error(
                &node.span,
                "a share of rows means nothing here: the side passes or fails as a whole",
            )
            .help("leave `max_failures` out; `severity: warning` makes a failure a warning"),
        );
    }
}

/// Returns the states of the data that a rule looks at, of those the dataset has.
pub(super) fn sides_of<F: Family>(common: &Common, sides: &Sides) -> Vec<Side> {
    let asked = common.on.as_deref().unwrap_or(F::sides());
    Side::ALL.iter().copied().filter(|side| asked.contains(side) && sides.has(*side)).collect()
}

fn default_id<F: Family>(kind: &str, rule: &F::Rule) -> String {
    match F::id_part(rule) {
        part if part.is_empty() => kind.to_owned(),
        part => format!("{kind}-{part}"),
    }
}

/// A rule that does not say its kind.
fn without_kind<F: Family>(node: &Node) -> Diagnostic {
    let (word, section) = (F::FAMILY.word(), F::FAMILY.section());
    let Value::Map(entries) = &node.value else {
        return Diagnostic::error(&node.span, format!("a {word} needs `{word}`"));
    };
    let other = RuleFamily::ALL.iter().find(|family| node.get(family.word()).is_some());
    match (other, entries.first()) {
        (Some(other), _) => {
            let place = entries.iter().find(|(name, _)| name.text == other.word());
            Diagnostic::error(
                place.map_or(&node.span, |(name, _)| &name.span),
                format!("a {} does not belong under `{section}`", other.word()),
            )
            .help(format!("it belongs under `{}`", other.section()))
        }
        (None, first) => {
            let kinds = F::kinds().iter().map(|kind| kind.name);
            let meant = kinds.into_iter().find(|kind| node.get(kind).is_some());
            Diagnostic::error(
                first.map_or(&node.span, |(name, _)| &name.span),
                format!("this {word} does not say its kind"),
            )
            .help(match meant {
                Some(kind) => format!("write `{word}: {kind}`, and its parameters below, each with its name"),
                None => format!("it begins with its kind, as in `{word}: {}`", F::example()),
            })
        }
    }
}

/// A rule of a kind that is not there.
fn unknown_kind<F: Family>(typed: &Spanned<String>) -> Diagnostic {
    let word = F::FAMILY.word();
    let error = Diagnostic::error(&typed.span, format!("there is no {word} `{}`", typed.value));
    match super::explain::family_of(&typed.value) {
        Some(family) => error.help(format!(
            "`{}` is a {}: it belongs under `{}`",
            typed.value,
            family.word(),
            family.section()
        )),
        None => error.suggest(&typed.value, F::kinds().iter().map(|kind| kind.name)),
    }
}

/// Reports shared fields that the rules of other families have and those of this one do not.
fn refuse_foreign_fields<F: Family>(
    node: &Node,
    fields: &mut Fields<'_>,
    kind: &Kind<F::Rule>,
    owner: &str,
    out: &mut Diagnostics,
) {
    let Value::Map(entries) = &node.value else { return };
    let own: Vec<&str> = F::common_docs().iter().map(|field| field.name).collect();
    let parameters = (kind.docs)();
    let help = match F::FAMILY {
        RuleFamily::Step => "a step changes data and judges nothing: checks and matches have it",
        RuleFamily::Check | RuleFamily::Match => "checks have it",
    };
    for name in Common::docs().iter().map(|field| field.name) {
        let known = own.contains(&name) || parameters.iter().any(|p| p.name == name || p.alias == Some(name));
        if let Some((typed, _)) = entries.iter().find(|(typed, _)| typed.text == name).filter(|_| !known) {
            fields.take(name);
            out.push(Diagnostic::error(&typed.span, format!("{owner} has no `{name}`")).help(help));
        }
    }
}

/// Checks the shared fields; returns the condition of `where`.
fn check_common<F: Family>(
    common: &Common,
    node: &Node,
    context: &Context<'_>,
    out: &mut Diagnostics,
) -> Option<expression::Expression> {
    if let Some(id) = &common.id {
        check_id(id, out);
    }
    if let Some(skip) = &common.skip
        && matches!(skip.value.trim(), "" | "true" | "false" | "yes" | "no")
    {
        out.push(
            Diagnostic::error(&skip.span, "`skip` takes the reason why the rule is switched off")
                .help("as in `skip: waiting for the list of the income team`"),
        );
    }
    if let (Some(on), Some(node)) = (&common.on, node.get("on")) {
        check_on::<F>(on, &node.span, context.sides, out);
    }
    common.r#where.as_ref().and_then(|condition| expression::parse(condition, out))
}

fn check_id(id: &Spanned<String>, out: &mut Diagnostics) {
    if id.value.trim().is_empty() || id.value.chars().any(char::is_control) {
        out.push(
            Diagnostic::error(&id.span, "an id is one line of text that is not blank")
                .help("as in `ends-after-it-starts`"),
        );
    } else if id.value.starts_with("reconcile-") {
        out.push(
            Diagnostic::error(
                &id.span,
                format!("`{}` could be the id of a rule of the reconciliation", id.value),
            )
            .help("give an id that does not begin with `reconcile-`"),
        );
    }
}

fn check_on<F: Family>(on: &[Side], span: &Span, sides: &Sides, out: &mut Diagnostics) {
    if on.is_empty() {
        out.push(
            Diagnostic::error(span, "`on` names no state of the data: the rule would look at nothing")
                .help("leave it out for expected and target; `skip` switches a rule off"),
        );
    }
    for side in on.iter().filter(|side| !sides.has(**side)) {
        let missing = if *side == Side::Target { "target" } else { "source" };
        out.push(
            Diagnostic::error(
                span,
                format!("there is no `{side}` to look at: the dataset has no `{missing}`"),
            )
            .help(format!(
                "without `on` a {} looks at whatever there is of expected and target",
                F::FAMILY.word()
            )),
        );
    }
}

/// The rules of a dataset.
pub(super) struct AllRules {
    pub(super) steps: Vec<Rule<<Steps as Family>::Rule>>,
    pub(super) checks: Vec<Rule<<Checks as Family>::Rule>>,
    pub(super) duplicates: Vec<Rule<<Matches as Family>::Rule>>,
}

impl AllRules {
    /// Reports ids that stand twice; `others` are ids that other things of the dataset have.
    pub(super) fn check_ids(&self, others: &[Spanned<String>], out: &mut Diagnostics) {
        let mut first: HashMap<&str, (&Span, bool)> = HashMap::new();
        for other in others {
            if let Some((span, _)) = first.get(other.value.as_str()) {
                out.push(
                    Diagnostic::error(&other.span, format!("there are two totals `{}`", other.value))
                        .label("the second")
                        .also(span, "the first")
                        .help("`agg` takes several figures of one column"),
                );
            }
            first.entry(&other.value).or_insert((&other.span, true));
        }
        let steps = self.steps.iter().map(Place::of);
        let checks = self.checks.iter().map(Place::of);
        let duplicates = self.duplicates.iter().map(Place::of);
        for place in steps.chain(checks).chain(duplicates) {
            let Some((span, given)) = first.get(place.id) else {
                first.insert(place.id, (place.span, place.given));
                continue;
            };
            let help = if place.given && *given {
                "an id names one rule of a dataset"
            } else {
                "a rule without `id` is named by its kind and columns: give one of the two an `id`"
            };
            out.push(
                Diagnostic::error(place.span, format!("there are two rules `{}`", place.id))
                    .label("the second")
                    .also(span, "the first")
                    .help(help),
            );
        }
    }
}

/// Where a rule's id comes from.
struct Place<'a> {
    id: &'a str,
    span: &'a Span,
    /// True where the user gave it.
    given: bool,
}

impl<'a> Place<'a> {
    fn of<T: ?Sized>(rule: &'a Rule<T>) -> Self {
        let given = rule.common.id.as_ref();
        Place { id: &rule.id, span: given.map_or(&rule.span, |id| &id.span), given: given.is_some() }
    }
}
