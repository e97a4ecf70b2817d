//! From two databases to a first report, in three commands.

use std::process::Command;

use super::files;
use crate::odbc::Database;
use crate::servers::postgres;
use crate::servers::tds::{Responder, freetds, row};
use crate::sqlserver::database::{Database as Memory, UserTable};
use crate::support::{Folder, Ran, golden, program};

/// Runs the program in a folder, with variables.
fn run(folder: &Folder, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let mut command = Command::new(program());
    command.args(arguments).current_dir(folder.path());
    for (name, value) in variables {
        command.env(name, value);
    }
    Ran::from(command.output().expect("the program runs"))
}

/// The old system: padded codes, a table without a key, one that the new system calls otherwise.
const OLD: &str = "CREATE TABLE property (prop_ref char(8) NOT NULL PRIMARY KEY, postcode varchar(8), num_bedrooms int, lu_date datetime);
CREATE TABLE tenagree (tag_ref char(11) NOT NULL PRIMARY KEY, prop_ref char(8), u_saff_rentacc varchar(20) NOT NULL UNIQUE, cot date NOT NULL,
 rent decimal(9,2), notes text, CONSTRAINT to_property FOREIGN KEY (prop_ref) REFERENCES property (prop_ref));
CREATE TABLE lookups (kind varchar(10), code varchar(10), meaning varchar(40));
CREATE TABLE old_only (id int NOT NULL PRIMARY KEY, tag_ref char(11));
INSERT INTO property VALUES ('P1', 'E8 1DY', 2, '2020-07-01 12:00:00'), ('P2', 'E8 2DY', 3, NULL);
INSERT INTO tenagree VALUES ('000001/01', 'P1', '1', '2001-04-02', 100.00, 'x'), ('000002/01', 'P2', '2', '2011-04-04', 110.50, NULL);
INSERT INTO lookups VALUES ('tenure', 'SEC', 'Secure');
INSERT INTO old_only VALUES (1, '000001/01');
";

/// The new one.
const NEW: &str = "CREATE SCHEMA housing;
CREATE TABLE housing.properties (prop_ref varchar(8) PRIMARY KEY, post_code text, number_bedrooms int, lu_date timestamptz, uprn bigint);
CREATE TABLE housing.tenagree (tag_ref varchar(11) PRIMARY KEY, prop_ref varchar(8) NOT NULL REFERENCES housing.properties, payment_reference text, cot date,
 rent numeric(9,2), notes text);
CREATE TABLE housing.lookups (kind text, code text, meaning text);
CREATE TABLE housing.\"New Things\" (id uuid PRIMARY KEY, \"e-mail\" text);
INSERT INTO housing.properties VALUES ('P1', 'E8 1DY', 2, '2020-07-01 12:00:00+01', 1), ('P2', 'E8 2DY', 4, NULL, 2);
INSERT INTO housing.tenagree VALUES ('000001/01', 'P1', '1', '2001-04-02', 100.00, 'x'), ('000002/01', 'P2', '2', '2011-04-04', 110.50, NULL);
INSERT INTO housing.lookups VALUES ('tenure', 'SEC', 'Secure');
INSERT INTO housing.\"New Things\" VALUES (gen_random_uuid(), 'a@b.uk')";

fn databases(old: &str) -> Option<(Database, postgres::Database)> {
    let (old, new) = (Database::new(old)?, postgres::database()?);
    old.execute(OLD);
    new.execute(NEW);
    Some((old, new))
}

#[test]
fn a_newcomer_reaches_a_report_in_three_commands() {
    let estimate = regex::Regex::new(", about [0-9]+ rows?").unwrap();
    for word in ["mysql", "sqlite"] {
        let Some((old, new)) = databases(word) else { return };
        let folder = Folder::new();
        let (old_string, url) = (old.connection_string(), new.url());
        let variables = [("UH_ODBC", old_string.as_str()), ("CLOUD", url.as_str())];
        let connections = [
            "--connection",
            "uh=${UH_ODBC}",
            "--connection",
            "cloud=${CLOUD}",
            "--timezone",
            "Europe/London",
        ];
        let ran = run(&folder, &[&["init"][..], &connections].concat(), &variables);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let written = files(&folder);
        let all: String = written.iter().map(|(name, text)| format!("==> {name}\n{text}")).collect();
        let all = match &old {
            Database::MariaDb(database) => all.replace(&database.name, "the_database"),
            _ => all,
        };
        // Estimates are the server's business.
        let all = estimate.replace_all(&all, "").into_owned();
        golden(&format!("tests/it/init/projects/{word}.txt"), &all);
        golden(&format!("tests/it/init/projects/{word}-said.txt"), &format!("{}{}", ran.stderr, ran.stdout));
        let ran = run(&folder, &["check-config"], &variables);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
        let ran = run(&folder, &["run"], &variables);
        // One value differs: 3 bedrooms are 4.
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert_eq!(folder.result().gate.stopped_by, ["property/reconcile-num_bedrooms"]);
        assert!(folder.run_folder().join("report/index.html").is_file());
        // A second time everything is in the way.
        let ran = run(&folder, &[&["init"][..], &connections].concat(), &variables);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(
            ran.stderr.contains("counterfoil.yml, rules/New_Things.yml, rules/lookups.yml"),
            "{}",
            ran.stderr
        );
        assert_eq!(files(&folder), written);
    }
}

#[test]
fn without_a_zone_moments_wait_for_one() {
    let Some((old, new)) = databases("sqlite") else { return };
    let folder = Folder::new();
    let (old_string, url) = (old.connection_string(), new.url());
    let connections = [format!("uh={old_string}"), format!("cloud={url}")];
    let arguments = ["init", "project", "--connection", &connections[0], "--connection", &connections[1]];
    let ran = run(&folder, &arguments, &[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("rules/property.yml: say which zone `lu_date` shows,"), "{}", ran.stdout);
    let rules = std::fs::read_to_string(folder.path().join("project/rules/property.yml")).unwrap();
    assert!(rules.contains("\n  exclude: [lu_date]\n"), "{rules}");
    let ran = run(&folder, &["run", "project"], &[]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
}

#[test]
fn one_database_makes_a_project_of_one_side() {
    let Some(new) = postgres::database() else { return };
    new.execute(NEW);
    let folder = Folder::new();
    folder.write(".gitignore", "target\n.counterfoil/\n");
    let ran = run(
        &folder,
        &["init", "--connection", "cloud=${CLOUD}", "--tables", "housing.*", "--skip", "*things*"],
        &[("CLOUD", &new.url())],
    );
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.stdout.contains("Add to .gitignore, which was left as it is: counterfoil-out/"),
        "{}",
        ran.stdout
    );
    let names: Vec<String> = files(&folder).into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [".gitignore", "counterfoil.yml", "rules/lookups.yml", "rules/properties.yml", "rules/tenagree.yml"]
    );
    let ran = run(&folder, &["run"], &[("CLOUD", &new.url())]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

#[test]
fn a_password_is_written_nowhere() {
    let Some((old, _)) = databases("mysql") else { return };
    let folder = Folder::new();
    let string = old.connection_string();
    let ran = run(&folder, &["init", "--connection", &format!("uh={string}")], &[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("Set UH_ODBC to what you gave for `uh`"), "{}", ran.stdout);
    let wrong = string.replace("PWD=", "PWD=wrong");
    let refused = run(&Folder::new(), &["init", "--connection", &format!("uh={wrong}")], &[]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("the connection `uh`: "), "{}", refused.stderr);
    let said = [&ran.stdout, &ran.stderr, &refused.stdout, &refused.stderr];
    for text in said.into_iter().chain(files(&folder).iter().map(|(_, text)| text)) {
        assert!(!text.contains("s3;cr") && !text.contains("PWD") && !text.contains("s3;cr}}t"), "{text}");
    }
    let ran = run(&folder, &["run"], &[("UH_ODBC", &string)]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

#[test]
fn mistakes_are_told_before_anything_is_written() {
    let Some(new) = postgres::database() else { return };
    let url = new.url();
    for (arguments, says) in [
        (vec!["--connection", "cloud=${CLOUD}"], "has no table that its user may read"),
        (vec!["--connection", "cloud=${NOT_THERE}"], "`NOT_THERE` of the connection `cloud` is not set"),
        (vec!["--connection", "a=${CLOUD}", "--connection", "A=${CLOUD}"], "give one of them another name"),
        (vec!["--connection", "cloud=${CLOUD}", "--timezone", "Europe/Londn"], "`Europe/London`"),
        (vec![], "--connection <NAME=SPEC>"),
    ] {
        let folder = Folder::new();
        let ran = run(&folder, &[&["init"], arguments.as_slice()].concat(), &[("CLOUD", &url)]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
        assert_eq!(files(&folder), []);
    }
    // Nobody waits for a server that is not there.
    let began = std::time::Instant::now();
    if let Some(driver) = freetds::driver() {
        let string = format!("uh=Driver={};Server=127.0.0.1;Port=1;UID=u;PWD=hunter2", driver.display());
        let ran = run(&Folder::new(), &["init", "--connection", &string], &[]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(
            ran.stderr.contains("the connection `uh`: ") && !ran.stderr.contains("hunter2"),
            "{}",
            ran.stderr
        );
    }
    assert!(began.elapsed().as_secs() < 60);
    new.execute("CREATE TABLE tenancies (a int)");
    let ran = run(
        &Folder::new(),
        &["init", "--connection", "cloud=${CLOUD}", "--tables", "public.tenancy"],
        &[("CLOUD", &url)],
    );
    assert!(ran.stderr.contains("did you mean `public.tenancies`?"), "{}", ran.stderr);
}

/// Tables whose names and columns mean something to YAML, to SQL, to the reconciliation or to file systems.
const ODD: &str = "CREATE TABLE \"NO\" (\"007\" int PRIMARY KEY, \"*\" text, \"a.b\" text NOT NULL, missing int, _row int, \"it's \"\"x\"\"\" text,
 \"${X}\" int UNIQUE NOT NULL, \"null\" text, \"order\" int, \"Order\" int, \"é😀\" text);
CREATE TABLE \"../up\" (id int PRIMARY KEY, parent int REFERENCES \"../up\", \"no\" int REFERENCES \"NO\" (\"${X}\"));
CREATE TABLE a (id int PRIMARY KEY, b int); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b;
CREATE TABLE kinds (id uuid PRIMARY KEY, tags text[], span interval, \"at\" timestamptz, place inet, data jsonb, n numeric);
INSERT INTO \"NO\" VALUES (1, 'x', 'y', 1, 1, 'z', 1, 'n', 1, 2, 'é'), (2, NULL, 'y', NULL, NULL, NULL, 2, NULL, NULL, NULL, NULL);
INSERT INTO \"../up\" VALUES (1, NULL, 1), (2, 1, 2); INSERT INTO a VALUES (1, NULL); INSERT INTO b VALUES (1, 1); UPDATE a SET b = 1;
INSERT INTO kinds VALUES (gen_random_uuid(), '{a,b}', '1 day', now(), '10.0.0.1', '{}', 1.5)";

#[test]
fn names_that_mean_something_elsewhere_are_only_names() {
    let Some(one) = postgres::database() else { return };
    one.execute(ODD);
    let folder = Folder::new();
    let url = one.url();
    let variables = [("ONE", url.as_str())];
    let connections = ["--connection", "one=${ONE}", "--connection", "two=${ONE}"];
    let ran = run(&folder, &[&["init"][..], &connections].concat(), &variables);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let ran = run(&folder, &["check-config"], &variables);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    // A database compared with itself differs nowhere.
    let ran = run(&folder, &["run"], &variables);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let datasets: Vec<String> = folder.result().datasets.iter().map(|dataset| dataset.name.clone()).collect();
    assert_eq!(datasets, ["NO", "a", "b", "kinds", "up"]);
}

/// A SQL Server whose catalogue declares keys.
fn sql_server() -> Responder {
    let mut memory = Memory::of(
        "dbo.tenagree",
        &["tag_ref char(11) not null", "prop_ref char(8)", "cot smalldatetime", "rent decimal(9,2)"],
        vec![row(["000001/01", "P1", "2001-04-02 00:00:00", "100.00"])],
    );
    memory.tables[0].key = Some("tag_ref");
    memory.tables[0].references = vec![("prop_ref", "dbo", "property", "prop_ref")];
    let properties = Memory::of(
        "dbo.property",
        &["prop_ref char(8) not null", "Post_Code varchar(8)"],
        vec![row(["P1", "E8 1DY"])],
    );
    memory
        .tables
        .extend(properties.tables.into_iter().map(|table| UserTable { key: Some("prop_ref"), ..table }));
    memory.snapshot = true;
    Responder::start(memory.script())
}

#[test]
fn an_old_sql_server_meets_a_new_postgres() {
    let server = sql_server();
    let Some(string) = freetds::connection_string(server.port, "7.4") else { return };
    let Some(new) = postgres::database() else { return };
    new.execute(
        "CREATE TABLE properties (prop_ref varchar(8) PRIMARY KEY, postcode text);
         CREATE TABLE ten_agree (tag_ref varchar(11) PRIMARY KEY, prop_ref varchar(8) REFERENCES properties, cot timestamptz, rent numeric(9,2));
         INSERT INTO properties VALUES ('P1', 'E8 1DY'); INSERT INTO ten_agree VALUES ('000001/01', 'P1', '2001-04-02 00:00:00+01', 100)",
    );
    let folder = Folder::new();
    let url = new.url();
    let variables = [("UH", string.as_str()), ("CLOUD", url.as_str())];
    let ran = run(
        &folder,
        &[
            "init",
            "--connection",
            "uh=${UH}",
            "--connection",
            "cloud=${CLOUD}",
            "--tables",
            "dbo.*",
            "--timezone",
            "Europe/London",
        ],
        &variables,
    );
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let all: String = files(&folder).iter().map(|(name, text)| format!("==> {name}\n{text}")).collect();
    golden("tests/it/init/projects/sqlserver.txt", &all);
    let ran = run(&folder, &["run"], &variables);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let said = format!("{all}{ran:?}");
    assert!(!said.contains(freetds::PASSWORD), "{said}");
}
