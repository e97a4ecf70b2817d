//! `counterfoil explain`.

use super::Output;
use crate::config;
use crate::diagnostic::nearest;

/// Explain a kind of step, check or match, or a cause of differences: what it does, its parameters, an example
///
/// Without a name, list them all. The sections project, dataset, source and reconcile have a page too.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The kind, as in a rule file, or the cause, as in a report: `trim`, `not_null`, `exact`, `rounding`
    #[arg(value_name = "KIND")]
    kind: Option<String>,
}

pub(super) fn run(args: &Args, output: &Output) -> u8 {
    let kinds = config::all_kinds();
    let Some(kind) = &args.kind else {
        let width = kinds.iter().map(|k| k.name.len()).max().unwrap_or(0);
        for (i, kind) in kinds.iter().enumerate() {
            if i == 0 || kinds[i - 1].family != kind.family {
                output.deliver(format!("{}{}", if i == 0 { "" } else { "\n" }, kind.family));
            }
            output.deliver(format!("  {:width$}  {}", kind.name, kind.summary));
        }
        let causes = config::causes();
        let width = causes.iter().map(|(name, _)| name.len()).max().unwrap_or(0).max(width);
        output.deliver("\nCauses, of cells that differ");
        for (name, summary) in &causes {
            output.deliver(format!("  {name:width$}  {summary}"));
        }
        output.deliver("\nSections");
        for (name, summary) in config::SECTIONS {
            output.deliver(format!("  {name:width$}  {summary}"));
        }
        return 0;
    };
    if let Some(text) = config::explain(kind) {
        output.deliver(text.trim_end());
        return 0;
    }
    if let Some(page) = config::page_of(kind) {
        output.error(format!(
            "there is no kind `{kind}`: it is a setting, which `counterfoil explain {page}` explains"
        ));
        return 2;
    }
    let names = kinds
        .iter()
        .map(|k| k.name)
        .chain(config::causes().into_iter().map(|(name, _)| name))
        .chain(config::SECTIONS.iter().map(|(name, _)| *name));
    let hint = match nearest(kind, names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`counterfoil explain` lists them all".to_owned(),
    };
    output.error(format!("there is no kind or cause `{kind}`; {hint}"));
    2
}
