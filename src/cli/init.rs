//! `counterfoil init`.

use std::path::{Path, PathBuf};

use super::Output;
use crate::init::{self, InitError, Project, Spec, Wanted};
use crate::source::Cancel;

/// Write a first project from what one or two databases say of their tables
///
/// The first connection is the source, the second the target. Nothing is read but the catalogues, and no file is overwritten.
/// What is written is commented and says what is a guess; keys, references, unique and required columns come from what is
/// declared, and columns that look personal are hidden in reports.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The project's folder
    #[arg(default_value = ".", value_name = "DIR")]
    folder: PathBuf,
    /// A database: a URL, an ODBC connection string, or best a variable that holds one, as in `uh='${UH_ODBC}'`; a
    /// password is never written
    #[arg(long = "connection", value_name = "NAME=SPEC", required = true, action = clap::ArgAction::Append)]
    connections: Vec<String>,
    /// Only these tables of the source, as in 'dbo.*'; views have to be named in full
    #[arg(long, value_name = "PATTERN")]
    tables: Vec<String>,
    /// Leave out these tables, on both sides
    #[arg(long, value_name = "PATTERN")]
    skip: Vec<String>,
    /// The zone whose wall clock the databases' timestamps without a zone show, as in Europe/London
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
}

pub(super) fn run(args: &Args, output: &Output) -> u8 {
    match make(args, output) {
        Ok(()) => 0,
        Err(error) => {
            output.error(error);
            2
        }
    }
}

fn make(args: &Args, output: &Output) -> Result<(), InitError> {
    let environment = |name: &str| std::env::var(name).ok();
    let specs = init::specs(&args.connections, &environment)?;
    let zone = args.timezone.as_deref();
    init::check_zone(zone)?;
    let in_the_way = init::in_the_way(&args.folder);
    if !in_the_way.is_empty() {
        return Err(InitError::InTheWay(in_the_way));
    }
    let (source, target) = match specs.as_slice() {
        [source, target] => (source, Some(target)),
        [source, ..] => (source, None),
        [] => return Err(InitError::Connection("no connection was given".to_owned())),
    };
    let wanted = Wanted { tables: args.tables.clone(), skip: args.skip.clone() };
    let own = source.catalogue(&args.folder, &environment)?;
    let theirs = target.map(|target| target.catalogue(&args.folder, &environment)).transpose()?;
    let found = init::read(
        (&source.name, &*own),
        target.zip(theirs.as_deref()).map(|(target, catalogue)| (target.name.as_str(), catalogue)),
        &wanted,
        &Cancel::default(),
        &|text| output.progress(text),
    )?;
    let project = init::project(found, source, target, zone);
    let not_ignored = init::write(&project, &args.folder)?;
    tell(&project, &specs, &args.folder, &not_ignored, output);
    Ok(())
}

/// Tells what was written, what needs a decision, and what to do next.
fn tell(project: &Project, specs: &[Spec], folder: &Path, not_ignored: &[&str], output: &Output) {
    let count = |n: usize, words: [&str; 2]| format!("{n} {}", words[usize::from(n != 1)]);
    output.say(format!(
        "Written in {}: counterfoil.yml and {} under rules/, {} of both databases and {} of one.",
        folder.display(),
        count(project.two_sided + project.one_sided, ["dataset file", "dataset files"]),
        project.two_sided,
        project.one_sided
    ));
    let list = |title: &str, lines: &[String]| {
        if !lines.is_empty() {
            output.say(format!("{title}:"));
            for line in lines {
                output.say(format!("  {line}"));
            }
        }
    };
    list("Left out", &project.left_out);
    list("Needs a decision", &project.decisions);
    if !not_ignored.is_empty() {
        output.say(format!("Add to .gitignore, which was left as it is: {}", not_ignored.join(", ")));
    }
    for spec in specs {
        if let Some(variable) = spec.variable_to_set() {
            output.say(format!(
                "Set {variable} to what you gave for `{}`: it holds a password, and was not written.",
                spec.name
            ));
        }
    }
    let place = if folder == Path::new(".") { String::new() } else { format!(" {}", folder.display()) };
    output.say(format!("Next: counterfoil check-config{place}, then counterfoil run{place}"));
}
