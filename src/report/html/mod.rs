//! The HTML report: a first page that is complete by itself, and a page for each dataset.
//!
//! The result and the first rows of the run's Parquet files become a view model; templates turn it into pages. Every
//! value and every key passes the mask on its way into the view model, so that no template can show more.

mod causes;
mod cell;
mod codes;
mod dataset;
mod facts;
mod flow;
mod index;
mod references;
mod rules;
mod samples;
mod templates;
mod text;
mod tranches;

use std::path::Path;

use crate::findings::RunResult;
use crate::mask::Mask;

use super::ReportError;

/// Renders the pages of a run, by their path in the run folder.
///
/// # Errors
/// Where a Parquet file of the run cannot be read, or a template has a mistake.
pub fn render(
    result: &RunResult,
    folder: &Path,
    templates: Option<&Path>,
    mask_key: &[u8; 32],
) -> Result<Vec<(String, Vec<u8>)>, ReportError> {
    let environment = templates::environment(templates)?;
    let page = templates::render(&environment, "index.html", index::index(result))?;
    let mut files = vec![("report/index.html".to_owned(), page.into_bytes())];
    for dataset in &result.datasets {
        let mask = Mask::new(mask_key, &dataset.masking);
        let samples = samples::read(folder, dataset, &mask)?;
        let differences = super::causes::of_dataset(dataset, folder)?;
        let restore = references::read(folder, result, dataset, &mask)?;
        let page = dataset::page(result, dataset, &mask, samples, &differences, restore);
        let text = templates::render(&environment, "dataset.html", page)?;
        files.push((format!("report/{}", facts::file(&dataset.name)), text.into_bytes()));
    }
    Ok(files)
}
