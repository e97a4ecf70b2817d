//! Which table of the target belongs to which of the source, by their names.

use std::collections::BTreeMap;

use crate::source::Listed;

/// Pairs each table with the one of its name on the other side.
///
/// Case does not count, unless two tables differ in nothing else. Where two of the other side would do, the one whose
/// schema has the same name is taken. A sentence says why there is none.
pub(super) fn pair(lead: &[Listed], partners: &[Listed]) -> Vec<(Listed, Result<Listed, String>)> {
    let found: Vec<Result<&Listed, String>> = lead.iter().map(|table| find(table, partners)).collect();
    let mut claims: BTreeMap<&Listed, usize> = BTreeMap::new();
    for partner in found.iter().flatten() {
        *claims.entry(partner).or_default() += 1;
    }
    lead.iter()
        .zip(&found)
        .map(|(table, found)| {
            let partner = match found {
                Ok(partner) if claims.get(partner).is_some_and(|n| *n > 1) => Err(format!(
                    "several tables of the source have the name of the target's `{}`: name its `table` in a file of \
                     its own",
                    partner.written
                )),
                Ok(partner) => Ok((*partner).clone()),
                Err(why) => Err(why.clone()),
            };
            (table.clone(), partner)
        })
        .collect()
}

fn find<'p>(table: &Listed, partners: &'p [Listed]) -> Result<&'p Listed, String> {
    let folded = table.name.to_lowercase();
    let mut alike: Vec<&Listed> = partners.iter().filter(|p| p.name.to_lowercase() == folded).collect();
    for narrow in [
        |table: &Listed, other: &Listed| table.name == other.name,
        |table: &Listed, other: &Listed| table.schema.to_lowercase() == other.schema.to_lowercase(),
    ] {
        if alike.len() > 1 && alike.iter().any(|other| narrow(table, other)) {
            alike.retain(|other| narrow(table, other));
        }
    }
    match alike.as_slice() {
        [one] => Ok(one),
        [] => Err(format!(
            "the target has no table of the name `{}` that this user may read: `skip` it, or name the target's `table` in a file of its own",
            table.name
        )),
        [_, ..] => Err(format!(
            "the target has several tables of the name `{}`: name the one that is meant in a file of its own",
            table.name
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(schema: &str, name: &str) -> Listed {
        let written = format!("{schema}.{name}");
        Listed { schema: schema.to_owned(), name: name.to_owned(), written, is_view: false, rows: None }
    }

    #[test]
    fn tables_are_paired_by_name_and_never_guessed() {
        let source = [
            listed("dbo", "Tenancy"),
            listed("dbo", "rent"),
            listed("old", "RENT"),
            listed("dbo", "gone"),
            listed("dbo", "two"),
        ];
        let target = [
            listed("housing", "tenancy"),
            listed("housing", "rent"),
            listed("a", "two"),
            listed("b", "two"),
            listed("housing", "new"),
        ];
        let pairs = pair(&source, &target);
        let words: Vec<String> = pairs
            .iter()
            .map(|(_, partner)| match partner {
                Ok(partner) => partner.written.clone(),
                Err(why) => why.clone(),
            })
            .collect();
        assert_eq!(words[0], "housing.tenancy");
        assert!(words[1].starts_with("several tables of the source"), "{}", words[1]);
        assert!(words[2].starts_with("several tables of the source"), "{}", words[2]);
        assert!(words[3].starts_with("the target has no table of the name `gone`"), "{}", words[3]);
        assert!(words[4].starts_with("the target has several tables of the name `two`"), "{}", words[4]);
    }
}
