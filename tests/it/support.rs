//! What the tests share: running the program, writing projects, comparing with committed files.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A folder of its own for one test, removed afterwards.
#[derive(Debug)]
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Folder(TempDir::new().expect("a temporary folder"))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, with the folders above it.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        std::fs::write(&path, text).expect("a file");
        path
    }

    /// Writes a project of one dataset with two CSV files.
    pub fn project(&self, rules: &str, source: &str, target: &str) -> &Self {
        self.write(
            "counterfoil.yml",
            "version: 1\nproject: Test\nfingerprint_key: test\nas_of: 2026-01-31\nconnections:\n  files: { type: files, path: . }\ndatasets: rules/*.yml\n",
        );
        self.write("rules/t.yml", rules);
        self.write("source.csv", source);
        self.write("target.csv", target);
        self
    }

    /// Runs the program in the folder.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        let output = Command::new(program())
            .args(arguments)
            .current_dir(self.path())
            .output()
            .expect("the program runs");
        Ran::from(output)
    }

    /// Returns the folder of the only complete run.
    pub fn run_folder(&self) -> PathBuf {
        std::fs::canonicalize(self.path().join("counterfoil-out/runs/latest")).expect("a complete run")
    }

    /// Reads the run's result.
    pub fn result(&self) -> counterfoil::findings::RunResult {
        let text = std::fs::read_to_string(self.run_folder().join("run.json")).expect("run.json");
        serde_json::from_str(&text).expect("run.json reads back")
    }

    /// Returns every file and folder under the output folder whose name is not final.
    pub fn left_overs(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut open = vec![self.path().to_owned()];
        while let Some(folder) = open.pop() {
            let Ok(entries) = std::fs::read_dir(&folder) else { continue };
            for entry in entries.flatten() {
                let path = entry.path();
                let name = entry.file_name().to_string_lossy().into_owned();
                if name.ends_with(".part") || name.starts_with(".tmp") {
                    found.push(path.clone());
                }
                if path.is_dir() && !path.is_symlink() {
                    open.push(path);
                }
            }
        }
        found
    }
}

/// What a run of the program left on its streams.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Ran {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// The program under test.
pub fn program() -> &'static str {
    env!("CARGO_BIN_EXE_counterfoil")
}

/// The repository's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Compares a text with a committed file; with `COUNTERFOIL_REGENERATE=1` writes the file instead.
pub fn golden(name: &str, text: &str) {
    let path = root().join(name);
    if std::env::var_os("COUNTERFOIL_REGENERATE").is_some_and(|v| v == "1") {
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        std::fs::write(&path, text).expect("a file");
        return;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "{name} is not current; COUNTERFOIL_REGENERATE=1 cargo test writes it anew.\n--- committed\n{committed}\n--- now\n{text}"
    );
}

/// Reads a Parquet file: its column names, and every cell as text.
pub fn read_parquet(path: &Path) -> (Vec<String>, Vec<Vec<Option<String>>>) {
    use arrow::array::{Array, ArrayRef, AsArray};
    use arrow::datatypes::{DataType, TimestampMicrosecondType};
    use arrow::util::display::{ArrayFormatter, FormatOptions};
    let file = std::fs::File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let builder =
        parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).expect("a Parquet file");
    let names = builder.schema().fields().iter().map(|f| f.name().clone()).collect();
    let reader = builder.build().expect("a reader");
    let mut rows = Vec::new();
    for batch in reader {
        let batch = batch.expect("a batch");
        let options = FormatOptions::default();
        // Moments in UTC are printed without their zone, which Arrow cannot print, and with a `Z`.
        let columns: Vec<(ArrayRef, &str)> = batch
            .columns()
            .iter()
            .map(|column| match column.data_type() {
                DataType::Timestamp(_, Some(_)) => {
                    let moments = column.as_primitive::<TimestampMicrosecondType>().clone();
                    (std::sync::Arc::new(moments.with_timezone_opt::<&str>(None)) as ArrayRef, "Z")
                }
                _ => (column.clone(), ""),
            })
            .collect();
        let columns: Vec<_> = columns
            .iter()
            .map(|(column, behind)| {
                let text = ArrayFormatter::try_new(column.as_ref(), &options).expect("a printable type");
                (column, text, behind)
            })
            .collect();
        for row in 0..batch.num_rows() {
            rows.push(
                columns
                    .iter()
                    .map(|(column, text, behind)| {
                        column.is_valid(row).then(|| format!("{}{behind}", text.value(row)))
                    })
                    .collect(),
            );
        }
    }
    (names, rows)
}

/// Returns the cells of one column of what [`read_parquet`] gave.
pub fn column(table: &(Vec<String>, Vec<Vec<Option<String>>>), name: &str) -> Vec<Option<String>> {
    let at = table.0.iter().position(|n| n == name).unwrap_or_else(|| panic!("there is no column {name}"));
    table.1.iter().map(|row| row[at].clone()).collect()
}

/// Returns lines of a Parquet file of the run: these columns of each row with a blank between, `-` for NULL.
pub fn lines(folder: &Folder, file: &str, columns: &[&str]) -> Vec<String> {
    let table = read_parquet(&folder.run_folder().join(file));
    let columns: Vec<Vec<String>> = columns
        .iter()
        .map(|name| column(&table, name).into_iter().map(|cell| cell.unwrap_or("-".to_owned())).collect())
        .collect();
    let rows = columns.first().map_or(0, Vec::len);
    (0..rows).map(|row| columns.iter().map(|c| c[row].as_str()).collect::<Vec<_>>().join(" ")).collect()
}
