//! From the name of a driver to its library.
//!
//! The driver manager is part of the program. It does not know where the system keeps its drivers: Debian's entries
//! name bare files which only Debian's own manager finds. So names are resolved before connecting.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::problem::OdbcProblem;

/// One attribute of a connection string.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Attribute {
    key: String,
    value: String,
}

/// Divides a connection string; `{...}` holds any character, `}}` a closing brace. Nothing where a brace is not closed.
fn attributes(text: &str) -> Option<Vec<Attribute>> {
    let mut found = Vec::new();
    let mut letters = text.chars().peekable();
    while letters.peek().is_some() {
        let mut key = String::new();
        let mut has_value = false;
        for letter in letters.by_ref() {
            match letter {
                ';' => break,
                '=' => {
                    has_value = true;
                    break;
                }
                letter => key.push(letter),
            }
        }
        let mut value = String::new();
        if has_value {
            while letters.next_if(|letter| letter.is_whitespace()).is_some() {}
            if letters.next_if_eq(&'{').is_some() {
                loop {
                    let letter = letters.next()?;
                    if letter != '}' {
                        value.push(letter);
                    } else if letters.next_if_eq(&'}').is_some() {
                        value.push('}');
                    } else {
                        break;
                    }
                }
                for letter in letters.by_ref() {
                    if letter == ';' {
                        break;
                    }
                }
            } else {
                for letter in letters.by_ref() {
                    if letter == ';' {
                        break;
                    }
                    value.push(letter);
                }
                value.truncate(value.trim_end().len());
            }
        }
        let key = key.trim().to_owned();
        if !key.is_empty() {
            found.push(Attribute { key, value });
        }
    }
    Some(found)
}

fn join(attributes: &[Attribute]) -> String {
    attributes
        .iter()
        .map(|Attribute { key, value }| {
            // A path stands without braces: drivers look at it too.
            let plain = !value.contains([';', '{', '}', '=']) && value.trim() == value;
            if plain { format!("{key}={value};") } else { format!("{key}={{{}}};", value.replace('}', "}}")) }
        })
        .collect()
}

/// Returns the values of attributes that no message may show.
pub(super) fn secrets(connection_string: &str) -> Vec<String> {
    let secret = |key: &str| {
        let key = key.to_lowercase();
        ["pwd", "pass", "secret", "token", "key"].iter().any(|word| key.contains(word))
    };
    attributes(connection_string)
        .unwrap_or_default()
        .into_iter()
        .filter(|attribute| secret(&attribute.key) && !attribute.value.is_empty())
        .map(|attribute| attribute.value)
        .collect()
}

/// Returns what a connection string calls the server and the database, without ports: those of a tunnel change.
pub(super) fn names(connection_string: &str) -> Vec<String> {
    let of_server =
        ["server", "servername", "host", "hostname", "address", "addr", "network address", "dbq", "dsn"];
    let of_database = ["database", "db", "initial catalog", "filedsn", "attachdbfilename"];
    let mut names: Vec<String> = attributes(connection_string)
        .unwrap_or_default()
        .into_iter()
        .filter_map(|Attribute { key, value }| {
            let key = key.to_lowercase();
            if of_database.contains(&key.as_str()) {
                return Some(format!("{key}={value}"));
            }
            of_server.contains(&key.as_str()).then(|| format!("{key}={}", without_port(&value)))
        })
        .collect();
    names.sort();
    names
}

/// Leaves the number of a port out: behind a colon or a comma.
fn without_port(server: &str) -> String {
    let mut pieces = server.split_inclusive([':', ',']);
    let mut kept = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        kept.push_str(piece.trim_start_matches(|letter: char| letter.is_ascii_digit()));
    }
    kept
}

/// Adds options that a connection string does not have; nothing where it has them all.
pub(super) fn with_options(connection_string: &str, options: &[(&str, &str)]) -> Option<String> {
    let mut all = attributes(connection_string)?;
    let before = all.len();
    for (key, value) in options {
        if !all.iter().any(|attribute| attribute.key.eq_ignore_ascii_case(key)) {
            all.push(Attribute { key: (*key).to_owned(), value: (*value).to_owned() });
        }
    }
    (all.len() > before).then(|| join(&all))
}

/// Returns the library that a connection string names, once it is resolved.
pub(super) fn library_of(resolved: &str) -> Option<String> {
    let all = attributes(resolved)?;
    all.into_iter().find(|attribute| attribute.key.eq_ignore_ascii_case("driver")).map(|driver| driver.value)
}

/// Tests whether a library can be loaded at all, as far as its file tells.
pub(super) fn test_library(file: &str) -> Result<(), OdbcProblem> {
    // A bare name is the loader's to find.
    if !file.contains('/') {
        return Ok(());
    }
    let mut head = [0_u8; 20];
    let read = std::fs::File::open(file).and_then(|mut library| library.read_exact(&mut head));
    match read {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(OdbcProblem::NoLibrary { file: file.to_owned() });
        }
        // What cannot be read so, such as a link to something odd, is the loader's to judge.
        Err(_) => return Ok(()),
        Ok(()) => {}
    }
    // Only the files of Linux and its relatives say it like this: magic, word length, and the processor.
    let [0x7F, b'E', b'L', b'F', bits, order, .., low, high] = head else { return Ok(()) };
    let machine = if order == 2 { u16::from_be_bytes([low, high]) } else { u16::from_le_bytes([low, high]) };
    let name = |bits: u8, machine: u16| match (bits, machine) {
        (_, 3) => "a 32-bit x86 processor",
        (_, 62) => "an x86-64 processor",
        (_, 40) => "a 32-bit ARM processor",
        (_, 183) => "a 64-bit ARM processor",
        (1, _) => "another 32-bit processor",
        _ => "another 64-bit processor",
    };
    let ours = match std::env::consts::ARCH {
        "x86" => name(1, 3),
        "x86_64" => name(2, 62),
        "arm" => name(1, 40),
        "aarch64" => name(2, 183),
        _ => return Ok(()),
    };
    let theirs = name(bits, machine);
    if theirs == ours {
        Ok(())
    } else {
        Err(OdbcProblem::OtherProcessor { file: file.to_owned(), theirs, ours })
    }
}

/// Puts the path of the driver's library in the place of its name.
pub(super) fn resolved(connection_string: &str, places: &Places) -> Result<String, OdbcProblem> {
    let mut all = attributes(connection_string).ok_or(OdbcProblem::Brace)?;
    let position = |key: &str, all: &[Attribute]| all.iter().position(|a| a.key.eq_ignore_ascii_case(key));
    if let Some(at) = position("driver", &all) {
        let name = all.get(at).map(|attribute| attribute.value.clone()).unwrap_or_default();
        // What ends at the brace of another value may hold a password.
        if name.contains([';', '=', '{', '}']) {
            return Err(OdbcProblem::Brace);
        }
        let library = places.library(&name)?;
        if let Some(attribute) = all.get_mut(at) {
            attribute.value = library;
        }
        return Ok(join(&all));
    }
    let source = position("dsn", &all).and_then(|at| all.get(at)).map(|attribute| attribute.value.clone());
    if let Some(name) = source.and_then(|source| places.driver_of(&source)) {
        let library = places.library(&name)?;
        all.insert(0, Attribute { key: "Driver".to_owned(), value: library });
        return Ok(join(&all));
    }
    Ok(connection_string.to_owned())
}

/// An ODBC driver that the system lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Driver {
    /// The name that connection strings have in `Driver={...}`.
    pub name: String,
    /// The file of its library.
    pub library: String,
    /// Why the library cannot be loaded, where that can be seen without loading it.
    pub problem: Option<String>,
}

/// Returns the ODBC drivers that the system lists, sorted by their names.
pub fn drivers() -> Vec<Driver> {
    Places::of_system().installed()
}

/// Where the system keeps its drivers, and the lists of them.
#[derive(Debug, Clone)]
pub(super) struct Places {
    /// Files like odbcinst.ini, the first that has an entry counts.
    drivers: Vec<PathBuf>,
    /// Files like odbc.ini.
    sources: Vec<PathBuf>,
    /// Folders with libraries.
    libraries: Vec<PathBuf>,
}

impl Places {
    /// Returns the places of this system.
    pub fn of_system() -> Self {
        let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
        let system = variable("ODBCSYSINI").unwrap_or_else(|| PathBuf::from("/etc"));
        let home = variable("HOME");
        let listed = |own: &str, file: &str, variable_name: &str| {
            let mut files: Vec<PathBuf> = variable(variable_name).into_iter().collect();
            files.extend(home.as_ref().map(|home| home.join(own)));
            files.push(system.join(file));
            files
        };
        let mut libraries = Vec::new();
        for root in ["/usr/lib", "/usr/lib64", "/usr/local/lib", "/opt/homebrew/lib"] {
            let root = Path::new(root);
            let mut below: Vec<PathBuf> = std::fs::read_dir(root)
                .map(|entries| {
                    entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
                })
                .unwrap_or_default();
            below.sort();
            libraries.push(root.join("odbc"));
            libraries.extend(below.iter().map(|folder| folder.join("odbc")));
            libraries.push(root.to_owned());
            libraries.extend(below);
        }
        Places {
            drivers: listed(".odbcinst.ini", "odbcinst.ini", "ODBCINSTINI"),
            sources: listed(".odbc.ini", "odbc.ini", "ODBCINI"),
            libraries,
        }
    }

    /// Returns the path of a driver's library by the driver's name, its file's name or its path.
    fn library(&self, name: &str) -> Result<String, OdbcProblem> {
        if name.contains('/') {
            return Ok(name.to_owned());
        }
        let entries = self.entries();
        let listed = entries.iter().find(|(entry, _)| entry.eq_ignore_ascii_case(name));
        let file = match listed {
            Some((_, file)) => file,
            None if name.contains(".so") || name.contains(".dylib") => name,
            None => {
                let mut installed: Vec<String> = entries.into_iter().map(|(entry, _)| entry).collect();
                installed.sort();
                installed.dedup();
                return Err(OdbcProblem::NoDriver { name: name.to_owned(), installed });
            }
        };
        Ok(self.path_of(file))
    }

    /// Returns the drivers that are listed, with the file of each: the first entry of a name counts.
    fn entries(&self) -> Vec<(String, String)> {
        self.drivers.iter().flat_map(|file| entries(file, &["driver64", "driver"])).collect()
    }

    /// Returns the whole path of a library; where it is nowhere, its name, of which the loader may know more.
    fn path_of(&self, file: &str) -> String {
        if file.contains('/') {
            return file.to_owned();
        }
        let found = self.libraries.iter().map(|folder| folder.join(file)).find(|path| path.is_file());
        found.map_or_else(|| file.to_owned(), |path| path.display().to_string())
    }

    /// Returns the drivers that are listed, sorted by their names, each once.
    pub fn installed(&self) -> Vec<Driver> {
        let mut found: Vec<Driver> = Vec::new();
        for (name, file) in self.entries() {
            if found.iter().any(|driver| driver.name.eq_ignore_ascii_case(&name)) {
                continue;
            }
            let library = self.path_of(&file);
            let tested = if library.contains('/') {
                test_library(&library)
            } else {
                Err(OdbcProblem::NoLibrary { file: library.clone() })
            };
            let problem = tested.err().map(|problem| problem.to_string());
            found.push(Driver { name, library, problem });
        }
        found.sort_by(|one, other| one.name.cmp(&other.name));
        found
    }

    /// Returns the driver that a data source names.
    fn driver_of(&self, source: &str) -> Option<String> {
        let all = self.sources.iter().flat_map(|file| entries(file, &["driver"]));
        all.into_iter().find(|(entry, _)| entry.eq_ignore_ascii_case(source)).map(|(_, driver)| driver)
    }
}

/// Returns the sections of a file with the value of the first of these keys that each has.
fn entries(file: &Path, keys: &[&str]) -> Vec<(String, String)> {
    let bytes = std::fs::read(file).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let mut sections: Vec<(String, Vec<(String, String)>)> = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.split(']').next()) {
            sections.push((name.trim().to_owned(), Vec::new()));
        } else if let (Some((key, value)), Some((_, pairs))) = (line.split_once('='), sections.last_mut()) {
            pairs.push((key.trim().to_lowercase(), value.trim().to_owned()));
        }
    }
    let value = |pairs: Vec<(String, String)>| {
        let of = |key: &&str| pairs.iter().find(|(name, value)| name == key && !value.is_empty());
        keys.iter().find_map(of).map(|(_, value)| value.clone())
    };
    sections.into_iter().filter_map(|(name, pairs)| Some((name, value(pairs)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(folder: &Path) -> Places {
        std::fs::create_dir_all(folder.join("odbc")).unwrap();
        std::fs::write(folder.join("odbc/libx.so"), "").unwrap();
        std::fs::write(
            folder.join("odbcinst.ini"),
            "[Some Driver]\nDescription=x\nDriver=libx.so\n\n[Whole]\nDriver = /a/liby.so\nThreading=0\n[Lost]\nDriver=gone.so\n",
        )
        .unwrap();
        std::fs::write(folder.join("odbc.ini"), "[uh]\nDriver=Some Driver\nServer=s\n").unwrap();
        Places {
            drivers: vec![folder.join("odbcinst.ini")],
            sources: vec![folder.join("odbc.ini")],
            libraries: vec![folder.join("odbc")],
        }
    }

    #[test]
    fn names_become_paths() {
        let folder = tempfile::tempdir().unwrap();
        let places = places(folder.path());
        let library = folder.path().join("odbc/libx.so").display().to_string();
        for (text, expected) in [
            (
                "Driver={Some Driver};Server=a;PWD={x;y}}z}",
                format!("Driver={library};Server=a;PWD={{x;y}}}}z}};"),
            ),
            ("driver=libx.so", format!("driver={library};")),
            ("Server=a; DRIVER = {Whole}", "Server=a;DRIVER=/a/liby.so;".to_owned()),
            ("Driver=/b/z.so;x=1", "Driver=/b/z.so;x=1;".to_owned()),
            ("Driver=Lost", "Driver=gone.so;".to_owned()),
            ("DSN=uh;UID=u", format!("Driver={library};DSN=uh;UID=u;")),
            ("DSN=other", "DSN=other".to_owned()),
        ] {
            assert_eq!(resolved(text, &places).unwrap(), expected, "{text}");
        }
        for text in [
            "Driver={Some Driver;Server=a;PWD=hunter2",
            "Driver={Some Driver;Server=a;PWD={hunter2};UID=u",
            "Driver={/b/z.so;PWD=hunter2}",
            "Driver=Some Driver;PWD={hunter2",
        ] {
            let error = resolved(text, &places).unwrap_err().to_string();
            assert!(error.contains('{') && !error.contains("hunter2"), "{text}: {error}");
        }
        let error = resolved("Driver=Sybase", &places).unwrap_err().to_string();
        assert!(error.contains("`Sybase`") && error.contains("`Some Driver`"), "{error}");
    }

    #[test]
    fn a_database_is_known_by_names_without_ports() {
        let of = |text: &str| names(text);
        assert_eq!(
            of("Driver=x;Server=tcp:uh.example,1433;Database=Homes;UID=u;PWD=p"),
            ["database=Homes", "server=tcp:uh.example,"]
        );
        assert_eq!(of("Driver=x;Server=a;Port=1;Database=d"), of("Driver=y;Database=d;server=a;Port=2"));
        assert_eq!(of("DBQ=//host:1521/uh"), of("DBQ=//host:1522/uh"));
        assert_ne!(of("Server=a;Database=d"), of("Server=b;Database=d"));
        assert_ne!(of("Server=a;Database=d"), of("Server=a;Database=e"));
    }

    #[test]
    fn libraries_are_tested() {
        let folder = tempfile::tempdir().unwrap();
        let places = places(folder.path());
        let mut other = vec![0x7F, b'E', b'L', b'F', 1, 1];
        other.resize(18, 0);
        other.extend([8, 0, 0, 0]);
        let library = folder.path().join("odbc/libx.so");
        std::fs::write(&library, &other).unwrap();
        let shown: Vec<(String, Option<String>)> =
            places.installed().into_iter().map(|driver| (driver.name, driver.problem)).collect();
        let [(lost, gone), (some, alien), (whole, missing)] = &shown[..] else { panic!("{shown:?}") };
        assert_eq!([lost.as_str(), some, whole], ["Lost", "Some Driver", "Whole"]);
        assert!(gone.as_ref().is_some_and(|text| text.contains("gone.so") && text.contains("not there")));
        assert!(missing.as_ref().is_some_and(|text| text.contains("/a/liby.so")));
        if cfg!(any(target_arch = "x86_64", target_arch = "aarch64")) {
            assert!(
                alien.as_ref().is_some_and(|text| text.contains("another 32-bit processor")),
                "{alien:?}"
            );
        }
        let path = library.display().to_string();
        assert_eq!(library_of(&format!("Driver={path};UID=x;")), Some(path));
        assert!(test_library("loaders-own.so").is_ok());
    }

    #[test]
    fn options_do_not_replace_the_users() {
        let text = with_options("Driver=x;fetch=5", &[("Fetch", "10"), ("Cursor", "1")]).unwrap();
        assert_eq!(text, "Driver=x;fetch=5;Cursor=1;");
        assert_eq!(with_options("Driver=x;FETCH=5", &[("Fetch", "10")]), None);
        assert_eq!(secrets("Driver=x;PWD={a;b};Password=c;UID=d"), ["a;b", "c"]);
    }
}
