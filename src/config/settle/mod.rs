//! Lines that settle differences, written into the files of datasets.

mod edit;
mod policy;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostics;
use crate::model::Remedy;

use super::load::load_changed;
use super::plan::{Dataset, Plan};
use super::tables::Tables;

/// A remedy that the user accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The dataset.
    pub dataset: String,
    /// Our name of the column.
    pub column: String,
    /// What settles its differences.
    pub remedy: Remedy,
}

/// What became of a remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The file of the dataset; empty where there is none.
    pub file: String,
    /// Why it was not written, where it was not.
    pub problem: Option<String>,
}

/// A file while lines are put into it.
struct Change {
    original: String,
    text: String,
    /// Which of the remedies are in it.
    accepted: Vec<usize>,
}

/// Puts remedies into the files of their datasets, and says of each what became of it, in the same order.
///
/// Comments and layout stay. What stands there already is made as wide as it must be: a list of NULL values gets more
/// of them, a tolerance may grow. A file that would not be valid with all its lines is left as it was, and what is wrong
/// goes to `out`.
pub fn settle(
    plan: &Plan,
    variables: &dyn Fn(&str) -> Option<String>,
    accepted: &[Accepted],
    out: &mut Diagnostics,
) -> Vec<Settled> {
    let mut settled: Vec<Settled> = Vec::new();
    let mut changes: BTreeMap<PathBuf, Change> = BTreeMap::new();
    let mut ids: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (index, one) in accepted.iter().enumerate() {
        let Some(dataset) = plan.datasets.iter().find(|dataset| dataset.name.value == one.dataset) else {
            let problem = format!("the project has no dataset `{}`", one.dataset);
            settled.push(Settled { file: String::new(), problem: Some(problem) });
            continue;
        };
        let file = dataset.name.span.file.path.clone();
        let ids = ids.entry(dataset.name.value.as_str()).or_insert_with(|| step_ids(dataset));
        let problem = put(&PathBuf::from(&file), one, index, ids, &mut changes).err();
        settled.push(Settled { file, problem });
    }
    for (path, change) in changes {
        if change.text == change.original {
            continue;
        }
        let mut mistakes = Diagnostics::default();
        let changed = (path.clone(), change.text.clone());
        load_changed(&plan.file, variables, Tables::NotAsked, Some(&changed), &mut mistakes);
        let problem = if mistakes.has_errors() {
            out.extend(mistakes);
            "the file would not be valid with it and is as it was".to_owned()
        } else {
            match write(&path, &change.text) {
                Ok(()) => continue,
                Err(error) => format!("`{}` cannot be written: {error}", path.display()),
            }
        };
        for index in change.accepted {
            if let Some(settled) = settled.get_mut(index) {
                settled.problem = Some(problem.clone());
            }
        }
    }
    settled
}

fn step_ids(dataset: &Dataset) -> BTreeSet<String> {
    dataset.steps.iter().map(|step| step.id.clone()).collect()
}

/// Puts a remedy into the text of its file.
fn put(
    path: &Path,
    accepted: &Accepted,
    index: usize,
    ids: &mut BTreeSet<String>,
    changes: &mut BTreeMap<PathBuf, Change>,
) -> Result<(), String> {
    let original = match changes.get(path) {
        Some(change) => change.text.clone(),
        None => std::fs::read_to_string(path)
            .map_err(|error| format!("`{}` cannot be read: {error}", path.display()))?,
    };
    let mut text = edit::policy(&original, &accepted.dataset, &accepted.column, &accepted.remedy.policy)?;
    for step in &accepted.remedy.steps {
        text = edit::step(&text, &named(step, &accepted.column, ids))?;
    }
    let change = changes.entry(path.to_owned()).or_insert_with(|| Change {
        original,
        text: String::new(),
        accepted: Vec::new(),
    });
    change.text = text;
    change.accepted.push(index);
    Ok(())
}

/// Returns a step with an id where its own would be that of another.
fn named(step: &[(String, String)], column: &str, ids: &mut BTreeSet<String>) -> Vec<(String, String)> {
    let mut step = step.to_vec();
    let kind = step.first().map(|(_, kind)| kind.clone()).unwrap_or_default();
    let own = format!("{kind}-{column}");
    let mut id = own.clone();
    let mut number = 2;
    while !ids.insert(id.clone()) {
        id = format!("{own}-{number}");
        number += 1;
    }
    if id != own {
        step.insert(1, ("id".to_owned(), crate::node::yaml::text(&id)));
    }
    step
}

/// Writes a file beside its name and renames it; a link stays one.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let path = std::fs::canonicalize(path)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(std::fs::metadata(&path)?.permissions())?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}
