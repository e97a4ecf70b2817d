//! README.md: what it shows works, and what it lists is all there is.

use crate::support::{Folder, root};

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).expect("README.md")
}

/// Returns the YAML block that begins with a comment of the file's name.
fn block(text: &str, file: &str) -> String {
    let start = format!("```yaml\n# {file}\n");
    let (_, rest) = text.split_once(&start).unwrap_or_else(|| panic!("README.md has no block for {file}"));
    rest.split_once("```").expect("the block ends").0.to_owned()
}

#[test]
fn its_project_runs() {
    let text = readme();
    let folder = Folder::new();
    folder.write("counterfoil.yml", block(&text, "counterfoil.yml") + "fingerprint_key: test\n");
    folder.write("rules/tenancies.yml", block(&text, "rules/tenancies.yml"));
    folder.write(
        "rules/properties.yml",
        "dataset: properties\nkey: [prop_ref]\n\
         source: { connection: extracts, file: properties.csv }\ntarget: { connection: extracts, file: properties.csv }\n",
    );
    folder.write("lookups/tenure.csv", "from,to\nSEC,Secure\nINT,Introductory\n");
    folder.write("data/properties.csv", "prop_ref,bedrooms\n\"00001\",2\n\"00002\",3\n");
    folder.write(
        "data/source/tenagree.csv",
        "tag_ref,prop_ref,u_saff_rentacc,cot,eot,tenure,rent,comp_avail,comp_display,tstamp\n\
         000001/01  ,00001 ,190001,2001-04-02,1900-01-01,SEC,100.00,x,x,x\n\
         000002/01  ,00002 ,190002,2011-04-04,2019-01-06,INT,110.50,x,x,x\n",
    );
    let target = "uh_reference,property_reference,payment_reference,start_of_tenure,end_of_tenure,tenure_type,rent\n\
                  000001/01,00001,190001,2001-04-02,,Secure,100.01\n\
                  000002/01,00002,190002,2011-04-04,2019-01-06,Introductory,110.50\n";
    folder.write("data/target/tenures.csv", target);

    let checked = folder.run(&["check-config"]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    let ran = folder.run(&["run"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");

    folder.write("data/target/tenures.csv", target.replace("110.50", "110.99"));
    let ran = folder.run(&["run"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let stopped = folder.result().gate.stopped_by;
    assert_eq!(stopped, ["tenancies/reconcile-rent"]);
}

#[test]
fn its_queries_run() {
    let text = readme();
    let folder = Folder::new();
    folder.project(
        "dataset: tenancy\nkey: [tag_ref]\nsource: { connection: files, file: tenancy.csv, types: { tag_ref: text, rent: \"decimal(9,2)\" } }\n",
        "",
        "",
    );
    folder.write(
        "rules/member.yml",
        "dataset: member\nkey: [house_ref, person_no]\nsource: { connection: files, file: member.csv }\n",
    );
    for (file, table) in [
        ("rules/tenures.yml, beside datasets `tenancy` and `member` of the old system", "tenures"),
        ("rules/household_members.yml, beside a dataset `tenancy` of the old system", "household_members"),
    ] {
        let target = format!("{{ connection: cloud, table: housing.{table} }}");
        let block = block(&text, file);
        assert!(block.contains(&target), "{block}");
        let file = format!("{{ connection: files, file: {table}.csv, types: {{ tag_ref: text }} }}");
        folder.write(&format!("rules/{table}.yml"), block.replace(&target, &file));
    }
    folder.write(
        "tenancy.csv",
        "tag_ref,house_ref,rent,household\n\
         001,H1,100.00,\"{\"\"members\"\": [{\"\"name\"\": \"\"Ann\"\", \"\"born\"\": \"\"1970-01-31\"\"}]}\"\n002,H2,110.50,\n",
    );
    folder.write("member.csv", "house_ref,person_no,forename\nH1,1,Ann\nH1,2,Bo\n");
    folder.write(
        "tenures.csv",
        "tag_ref,rent,household_size,household\n001,100.00,2,\"Ann, Bo\"\n002,110.50,0,\n",
    );
    folder.write("household_members.csv", "tag_ref,number,name,born\n001,1,Ann,1970-01-31\n");
    let ran = folder.run(&["run"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(folder.result().datasets.iter().all(|dataset| dataset.error.is_none()));
}

#[test]
fn it_lists_every_kind_and_every_command() {
    let text = readme();
    for kind in counterfoil::config::all_kinds() {
        assert!(
            text.contains(&format!("`{}`", kind.name)),
            "README.md does not name the kind `{}`",
            kind.name
        );
    }
    let help = Folder::new().run(&["--help"]).stdout;
    let commands: Vec<&str> = help
        .lines()
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next())
        .collect();
    assert!(commands.contains(&"run"), "{help}");
    for command in commands {
        assert!(text.contains(&format!("`{command}`")), "README.md does not name the command `{command}`");
    }
}
