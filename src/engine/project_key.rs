//! The project's key, from which fingerprints and mask tokens are made.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The project's key could not be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file could not be read or made.
    #[error("the project's key in `{}` could not be {doing}: {error}; set COUNTERFOIL_KEY instead", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// "read" or "written".
        doing: &'static str,
        /// What went wrong.
        error: io::Error,
    },
}

/// A key of 32 bytes, and where it came from.
#[derive(Clone)]
pub struct ProjectKey {
    bytes: [u8; 32],
    /// A sentence for the user where the key was made just now.
    pub note: Option<String>,
}

impl std::fmt::Debug for ProjectKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProjectKey(…)")
    }
}

impl ProjectKey {
    /// Takes the key that the project gives, else the environment's `COUNTERFOIL_KEY`, else the file
    /// `.counterfoil/key` beside the project file, which is made where it is not there.
    ///
    /// # Errors
    /// Where the file can neither be read nor made.
    pub fn find(given: Option<&str>, base: &Path) -> Result<ProjectKey, KeyError> {
        let environment = std::env::var("COUNTERFOIL_KEY").ok().filter(|key| !key.is_empty());
        if let Some(text) = given.map(str::to_owned).or(environment) {
            return Ok(ProjectKey::from_text(&text, None));
        }
        let path = base.join(".counterfoil").join("key");
        match fs::read_to_string(&path) {
            Ok(text) if !text.trim().is_empty() => Ok(ProjectKey::from_text(text.trim(), None)),
            Ok(_) => Err(KeyError::File { path, doing: "read", error: io::Error::other("it is empty") }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let text = random_text().and_then(|text| write_owner_only(&path, &text).map(|()| text));
                match text {
                    Ok(text) => {
                        let note = "The project's key was made in .counterfoil/key. Keep it with the project, out of version control: fingerprints compare only between runs with the same key.";
                        Ok(ProjectKey::from_text(&text, Some(note.to_owned())))
                    }
                    Err(error) => Err(KeyError::File { path, doing: "written", error }),
                }
            }
            Err(error) => Err(KeyError::File { path, doing: "read", error }),
        }
    }

    fn from_text(text: &str, note: Option<String>) -> Self {
        ProjectKey { bytes: blake3::derive_key("counterfoil 2026 project key", text.as_bytes()), note }
    }

    /// Returns the key for one use; keys of different uses tell nothing about one another.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        *blake3::keyed_hash(&self.bytes, purpose.as_bytes()).as_bytes()
    }
}

fn random_text() -> io::Result<String> {
    let mut bytes = [0_u8; 32];
    io::Read::read_exact(&mut fs::File::open("/dev/urandom")?, &mut bytes)?;
    Ok(blake3::Hash::from_bytes(bytes).to_hex().to_string())
}

fn write_owner_only(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        crate::snapshot::make_folders(folder)?;
        fs::write(folder.join(".gitignore"), "*\n")?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(format!("{text}\n").as_bytes())
}
