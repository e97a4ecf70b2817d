//! What is asked of SQL Server, where no server takes part.

use super::*;

#[test]
fn policies_are_asked_for_where_the_table_is() {
    assert_eq!(
        SqlServer.hidden_rows("housing.dbo.tenancy").unwrap(),
        "SELECT '1' FROM [housing].sys.security_predicates x \
         INNER JOIN [housing].sys.security_policies p ON p.object_id = x.object_id \
         WHERE x.target_object_id = OBJECT_ID(N'housing.dbo.tenancy') AND x.predicate_type_desc = 'FILTER' \
         AND p.is_enabled = 1"
    );
    assert!(SqlServer.hidden_rows("t").unwrap().contains(" FROM sys.security_predicates x "));
}

#[test]
fn the_moment_is_that_of_the_tables_own_database() {
    assert_eq!(SqlServer.moments(Some("dbo.t")), None);
    assert_eq!(SqlServer.moments(None), None);
    let asked = SqlServer.moments(Some("housing.dbo.tenancy")).unwrap();
    assert!(asked.contains("d.name = N'housing'") && asked.contains("o.database_id = DB_ID()"), "{asked}");
}

#[test]
fn variants_keep_long_texts_and_all_digits() {
    let native = Native { name: "v".to_owned(), base: "sql_variant".to_owned(), ..Native::default() };
    let text = SqlServer.reading(&native).unwrap().expression;
    for piece in [
        " WHEN 'varchar' THEN CONVERT(nvarchar(max), CASE WHEN DATALENGTH([v]) <= 4000 ",
        "THEN CONVERT(nvarchar(max), CONVERT(varchar(8000), [v])) \
         ELSE CONVERT(varchar(max), CONVERT(varbinary(8000), [v]), 1) END",
        "CASE WHEN CONVERT(float, CONVERT(varchar(40), CONVERT(float, [v]), 3)) = CONVERT(float, [v]) THEN ",
        "ELSE CONVERT(varchar(40), CONVERT(binary(4), CONVERT(real, [v])), 1) END",
    ] {
        assert!(text.contains(piece), "{piece}\n{text}");
    }
}
