//! Queries over datasets: what they mean, against a plain implementation; what they refuse, and where.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use counterfoil::diagnostic::{Diagnostics, SourceFile, Span, Spanned};
use counterfoil::frame::{Frame, Value, series_of};
use counterfoil::model::{Field, Logical, Schema};
use counterfoil::query::{Input, Output, Query, QueryError, TableName, run};
use polars::prelude::{Column, DataFrame};
use proptest::prelude::*;

fn sql(text: &str) -> Spanned<String> {
    let file = Arc::new(SourceFile::new("rules/t.yml", text));
    Spanned { value: text.to_owned(), span: Span { file, range: 0..text.len() } }
}

/// Makes a table of its columns' names and types and of its rows' texts.
fn table(columns: &[(&str, &str)], rows: &[Vec<Option<String>>]) -> Frame {
    let mut fields = Vec::new();
    let mut series: Vec<Column> = Vec::new();
    for (i, (name, logical)) in columns.iter().enumerate() {
        let logical: Logical = logical.parse().unwrap();
        let values: Vec<Option<Value>> = rows
            .iter()
            .map(|row| row[i].as_ref().map(|text| Value::parse(text, &logical).expect("a value of the type")))
            .collect();
        series.push(series_of(name, &logical, &values).into());
        fields.push(Field::new(*name, logical));
    }
    Frame::new(Schema { fields }, DataFrame::new(rows.len(), series).unwrap())
}

/// Reads rows written as `a|b|-`, with `-` for NULL.
fn rows(lines: &[&str]) -> Vec<Vec<Option<String>>> {
    let cell = |text: &str| (text != "-").then(|| text.to_owned());
    lines.iter().map(|line| line.split('|').map(cell).collect()).collect()
}

fn tenancy() -> Frame {
    table(
        &[
            ("tag_ref", "char(5)"),
            ("rent", "decimal(9,2)"),
            ("start", "date"),
            ("seen", "timestamptz"),
            ("n", "i64"),
            ("f", "f64"),
            ("members", "json"),
            ("codes", "text"),
        ],
        &rows(&[
            "001|100.00|2001-04-02|2026-01-01 00:00:00Z|1|1.5|[{\"name\": \"Ann\", \"age\": 1.50}, {\"name\": null}]|a,b,,c",
            "002|110.50|2011-04-04|-|2|0.1|[]|-",
            "003|-|-|-|-|-|-|a",
            "001|0.25|2020-01-01|-|9223372036854775807|-| [1, \"x\", [2]] |b",
        ]),
    )
}

fn member() -> Frame {
    table(
        &[("house", "text"), ("no", "i64"), ("name", "varchar(20)"), ("from", "timestamp")],
        &rows(&["001|2|Bo|2020-01-01 00:00:00", "001|1|Ann|-", "003|1|Cy|-", "-|1|Di|-", "004|1|-|-"]),
    )
}

fn inputs(name: &TableName) -> Input {
    match name.dataset.as_str() {
        "tenancy" => Input::Rows(tenancy(), "tenancy".to_owned()),
        _ => Input::Rows(member(), "member".to_owned()),
    }
}

fn ran(text: &str) -> Result<Option<Output>, QueryError> {
    let mut out = Diagnostics::default();
    let query = Query::parse(&sql(text), &mut out).expect("an SQL query");
    let output = run(&query, &inputs, &|| false, &mut out);
    assert!(!out.has_errors(), "{}", out.render(false));
    output
}

/// Returns the rows of a query as they are written above.
fn lines(output: &Output) -> Vec<String> {
    let names: Vec<&str> = output.frame.schema.names().collect();
    let texts: Vec<_> = names.iter().map(|name| output.frame.texts(name).unwrap()).collect();
    let line = |row: usize| {
        let cells = texts.iter().map(|texts| texts.owned(row).unwrap_or_else(|| "-".to_owned()));
        cells.collect::<Vec<_>>().join("|")
    };
    (0..output.frame.height()).map(line).collect()
}

fn found(text: &str) -> Vec<String> {
    lines(&ran(text).unwrap().unwrap())
}

#[test]
fn joins_keep_the_order_of_the_left_table() {
    let of = |kind: &str| {
        found(&format!(
            "select t.tag_ref, t.rent, m.no from tenancy t {kind} member as m on m.house = t.tag_ref"
        ))
    };
    let inner = ["001|100.00|2", "001|100.00|1", "003|-|1", "001|0.25|2", "001|0.25|1"];
    assert_eq!(of("join"), inner);
    let mut left = inner.map(str::to_owned).to_vec();
    left.insert(2, "002|110.50|-".to_owned());
    assert_eq!(of("left join"), left);
    let behind = ["-|-|1", "-|-|1"].map(str::to_owned);
    assert_eq!(of("full join"), [left.clone(), behind.to_vec()].concat());
    assert_eq!(of("right outer join"), [inner.map(str::to_owned).to_vec(), behind.to_vec()].concat());
}

#[test]
fn a_condition_that_is_no_equality_decides_after_the_join_and_before_the_rows_without_a_partner() {
    assert_eq!(
        found(
            "select t.tag_ref, t.n, m.no from tenancy t left join member m on m.house = t.tag_ref and m.no < t.n"
        ),
        ["001|1|-", "002|2|-", "003|-|-", "001|9223372036854775807|2", "001|9223372036854775807|1"]
    );
    assert_eq!(
        found("select t.n, m.no from tenancy t left join member m on t.n = m.no and m.house is null"),
        ["1|1", "2|-", "-|-", "9223372036854775807|-"]
    );
    assert_eq!(
        found("select t.n, m.name from tenancy t join member m on m.no > t.n where m.name <> 'x'"),
        ["1|Bo"]
    );
}

#[test]
fn using_makes_one_column_of_two() {
    let text = "with a as (select distinct house, no as number from member where no = 1) \
                select * from a left join member as m using (house)";
    assert_eq!(
        found(text),
        ["001|1|2|Bo|2020-01-01 00:00:00", "001|1|1|Ann|-", "003|1|1|Cy|-", "-|1|-|-|-", "004|1|1|-|-"]
    );
    assert_eq!(found("select house from member as a join member as b using (house) where b.no = 2").len(), 2);
}

#[test]
fn groups_stand_where_their_first_row_stood() {
    assert_eq!(
        found(
            "select tag_ref, count(*) as rows, count(rent) as rents, sum(rent) as rent, sum(n) as n, min(start) as first, \
             max(start) as last, string_agg(codes, '; ' order by rent) as codes from tenancy group by tag_ref"
        ),
        [
            "001|2|2|100.25|9223372036854775808|2001-04-02|2020-01-01|b; a,b,,c",
            "002|1|1|110.50|2|2011-04-04|2011-04-04|-",
            "003|1|0|-|-|-|-|a",
        ]
    );
    assert_eq!(
        found(
            "select coalesce(house, '?') || '!' as h, max(no) * 2 as twice from member group by house having count(*) > 1"
        ),
        ["001!|4"]
    );
    assert_eq!(found("select count(distinct house) as n, count(distinct no) as m from member"), ["3|2"]);
    assert_eq!(
        found("select count(*) as n, sum(no) as s, min(name) as m from member where no > 9"),
        ["0|-|-"]
    );
    assert_eq!(found("select no from member where no > 9 group by no"), [""; 0]);
    assert_eq!(found("select count(*) as n from member"), ["5"]);
}

#[test]
fn rows_of_a_group_are_numbered() {
    assert_eq!(
        found(
            "select house, name from (select *, row_number() over (partition by house order by no desc, name) as k \
             from member) as m where k = 1"
        ),
        ["001|Bo", "003|Cy", "-|Di", "004|-"]
    );
    assert_eq!(
        found("select no, row_number() over (order by \"from\" desc nulls last, no) as k from member"),
        ["2|1", "1|2", "1|3", "1|4", "1|5"]
    );
}

#[test]
fn lists_become_rows() {
    let items = "select t.tag_ref, i.number, i.item, json_value(i.item, '$.name') as name from tenancy as t \
                 cross join unnest(json_items(t.members)) with ordinality as i(item, number) where t.rent > 1";
    assert_eq!(found(items), ["001|1|{\"name\": \"Ann\", \"age\": 1.50}|Ann", "001|2|{\"name\": null}|-"]);
    let items =
        "select tag_ref, item from tenancy left join unnest(json_items(members, '$')) as item on true";
    assert_eq!(found(items)[2..], ["002|-", "003|-", "001|1", "001|x", "001|[2]"].map(str::to_owned));
    let parts = "select t.rent, c.n, c.code from tenancy t, unnest(split(t.codes, ',')) with ordinality as c(code, n)";
    assert_eq!(found(parts), ["100.00|1|a", "100.00|2|b", "100.00|3|", "100.00|4|c", "-|1|a", "0.25|1|b"]);
    assert_eq!(
        found("select json_value(members, '$[0].age') as age, json_value(members, '$[1]') as x from tenancy"),
        ["1.50|{\"name\": null}", "-|-", "-|-", "-|x"]
    );
}

#[test]
fn parts_are_united() {
    assert_eq!(
        found("select tag_ref as ref, n from tenancy union select house, no from member").len(),
        9 - 1,
        "(003, 1) and (001, 1) stand twice, the latter once in each"
    );
    assert_eq!(
        found("select rent as x from tenancy where n = 1 union all select no from member where no = 2"),
        ["100.00", "2.00"]
    );
    assert_eq!(found("select distinct no from member"), ["2", "1"]);
}

#[test]
fn types_are_kept_and_told() {
    let output = ran(
        "select t.tag_ref, t.rent, t.start, t.seen, t.members, m.name as called, t.rent + 1 as more, count(*) as n, \
         sum(t.rent) as total, case when t.rent > 1 then 'x' end as mark from tenancy t join member m on m.house = t.tag_ref \
         group by t.tag_ref, t.rent, t.start, t.seen, t.members, m.name",
    )
    .unwrap()
    .unwrap();
    let types: Vec<String> =
        output.frame.schema.fields.iter().map(|f| format!("{} {}", f.name, f.logical)).collect();
    assert_eq!(
        types,
        [
            "tag_ref char(5)",
            "rent decimal(9,2)",
            "start date",
            "seen timestamptz",
            "members json",
            "called varchar(20)",
            "more decimal(38,2)",
            "n i64",
            "total decimal(38,2)",
            "mark text",
        ]
    );
    let from = |name: &str| {
        let at = output.frame.schema.position(name).unwrap();
        output.origins[at].iter().map(|(dataset, column)| format!("{dataset}.{column}")).collect::<Vec<_>>()
    };
    assert_eq!(from("called"), ["member.name"]);
    assert_eq!(from("total"), ["tenancy.rent"]);
    assert_eq!(from("mark"), ["tenancy.rent"]);
    assert!(from("n").is_empty());
}

#[test]
fn columns_are_known_by_all_that_they_were_made_from() {
    let output = ran(
        "with m as (select house, string_agg(name, ',' order by no) as names from member group by house), \
         b as (select tag_ref, rent from tenancy union all select house, no from member) \
         select m.names || b.tag_ref as both, i.code, row_number() over (partition by m.names order by b.rent) as k \
         from b join m on m.house = b.tag_ref join tenancy t on t.tag_ref = m.house \
         cross join unnest(split(t.codes, ',')) as i(code)",
    )
    .unwrap()
    .unwrap();
    let of = |at: usize| {
        let names = output.origins[at].iter().map(|(dataset, column)| format!("{dataset}.{column}"));
        names.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(of(0), "member.house member.name member.no tenancy.tag_ref");
    assert_eq!(of(1), "tenancy.codes");
    assert_eq!(of(2), "member.name member.no tenancy.rent");
}

#[test]
fn what_is_not_json_is_an_error_with_its_row_and_without_its_value() {
    let broken = table(&[("id", "i64"), ("list", "text")], &rows(&["1|[1]", "2|secret", "3|{\"a\": 1}"]));
    let said = |text: &str| {
        let mut out = Diagnostics::default();
        let query = Query::parse(&sql(text), &mut out).unwrap();
        let input = |_: &TableName| Input::Rows(broken.clone(), "t".to_owned());
        run(&query, &input, &|| false, &mut out).unwrap_err().to_string()
    };
    for text in [
        "select json_value(list, '$.a') as a from t",
        "select a from t cross join unnest(json_items(list)) as i(a)",
    ] {
        let said = said(text);
        assert!(said.starts_with("column `list` of `t`, row 2: this is not JSON"), "{said}");
        assert!(!said.contains("secret"));
    }
    let said = said("select a from t cross join unnest(json_items(list)) as i(a) where false or t.id = 1");
    assert!(said.contains("row 2"), "{said}");
    let said = not_a_list();
    assert!(said.contains("row 3: the path does not lead to a list"), "{said}");
}

fn not_a_list() -> String {
    let broken = table(&[("list", "text")], &rows(&["-", "[1]", "{\"a\": 1}"]));
    let mut out = Diagnostics::default();
    let text = "select a from t cross join unnest(json_items(list)) as i(a)";
    let query = Query::parse(&sql(text), &mut out).unwrap();
    let input = |_: &TableName| Input::Rows(broken.clone(), "t".to_owned());
    run(&query, &input, &|| false, &mut out).unwrap_err().to_string()
}

#[test]
fn what_cannot_be_cast_is_an_error_with_its_row() {
    let error = |text: &str| ran(text).unwrap_err().to_string();
    let said = "column `codes` of `tenancy`, row 1: the value cannot be cast to BIGINT; `try_cast` makes NULL of such values";
    assert_eq!(error("select cast(codes as bigint) as n from tenancy"), said);
    assert_eq!(error("select codes from tenancy where coalesce(codes::bigint, 0) = 1"), said);
    assert_eq!(
        error(
            "select cast(i.item as date) as d from tenancy t cross join unnest(split(codes, ',')) as i(item)"
        ),
        said.replace("BIGINT", "DATE")
    );
    assert!(error("select cast(min(codes) as date) as d from tenancy").contains("row 1 of the rows"));
    assert_eq!(found("select try_cast(codes as bigint) as n from tenancy where n = 1"), ["-"]);
    assert_eq!(
        found(
            "select cast(tag_ref as bigint) as n, cast(rent as text) as r, cast(null as date) as d from tenancy where n = 2"
        ),
        ["2|110.5|-"]
    );
    assert_eq!(found("select cast(sum(rent) as decimal(9,1)) as s from tenancy where n = 2"), ["110.5"]);
}

/// Returns what is said of a query over known tables, each with the text that it points at.
fn refused(text: &str) -> Vec<String> {
    let mut out = Diagnostics::default();
    if let Some(query) = Query::parse(&sql(text), &mut out) {
        let output = run(&query, &inputs, &|| false, &mut out);
        assert!(matches!(output, Ok(None)), "{text}: {output:?}");
    }
    let at = |span: &Span| span.file.text.get(span.range.clone()).unwrap_or_default().to_owned();
    let said = out.sorted().into_iter().map(|d| format!("{}: {}", d.span().map(at).unwrap(), d.message()));
    said.collect()
}

#[test]
fn what_is_not_known_is_refused_at_its_place() {
    let mut wrong = Vec::new();
    for (text, place, message) in [
        ("delete from tenancy", "delete", "only `select` is known"),
        ("selct rent from tenancy", "selct", "not an SQL query"),
        ("select 1 as a; select 2 as b", ";", "should end before `;`"),
        ("select a from read_csv('/etc/passwd') as t", "read_csv", "cannot be a table"),
        ("select a from '/etc/passwd'", "'/etc/passwd'", "not the name of a dataset"),
        ("select a from a.b.tenancy", "a.b.tenancy", "not the name of a dataset"),
        ("select 1 as a", "select", "needs `from`"),
        ("select rent from tenancy order by rent", "rent", "means nothing here"),
        ("select rent from tenancy limit 1", "select", "leaves rows out"),
        ("select top 1 rent from tenancy", "select", "clause that is not known"),
        ("select rnt from tenancy", "rnt", "there is no column `rnt`"),
        ("select t.rnt from tenancy t", "t.rnt", "`t` has no column `rnt`"),
        ("select tenancy.rent from tenancy t", "tenancy.rent", "there is no table `tenancy` here"),
        ("select house from member a join member b on a.no = b.no", "house", "which is meant?"),
        ("select 1 as a from member join member on true", "member", "two tables would have the name"),
        ("select rent, rent from tenancy", "rent", "two columns would have the name `rent`"),
        ("select rent + 1 from tenancy", "rent + 1", "has no name"),
        (
            "select a.no from member a join tenancy t on t.rent = a.name",
            "t.rent = a.name",
            "cannot be compared",
        ),
        ("select a.no from member a join tenancy t on t.seen = a.\"from\"", "t.seen", "cannot be compared"),
        ("select rent from tenancy where rent > 'x'", "'x'", "x"),
        ("select sum(f) as f from tenancy", "f", "floating-point"),
        ("select sum(codes) as c from tenancy", "codes", "not a number"),
        ("select avg(rent) as a from tenancy", "avg", "`avg` is not known here"),
        ("select rent from tenancy where count(*) > 1", "count", "looks at several rows"),
        ("select rent, count(*) as n from tenancy", "rent", "several values in a group"),
        ("select tag_ref, rent from tenancy group by tag_ref", "rent", "several values in a group"),
        ("select count(*) as n from tenancy group by 1", "1", "not their numbers"),
        ("select * from tenancy group by tag_ref", "*", "no meaning"),
        ("select row_number() over () as k from tenancy", "row_number", "needs `order by`"),
        (
            "select rent from tenancy where rent in (select rent from tenancy)",
            "rent in",
            "inside an expression",
        ),
        (
            "select rent from tenancy where exists (select 1 as a from member)",
            "select 1 as a",
            "inside an expression",
        ),
        ("select current_date as d, rent from tenancy", "current_date", "do not depend on the day"),
        ("select json_items(codes) as c from tenancy", "json_items", "gives several values"),
        ("select json_value(members, 'a') as c from tenancy", "'a'", "not a path"),
        ("select json_value(rent, '$') as c from tenancy", "rent", "not a text"),
        ("select i from unnest(split('a', ',')) as i", "split", "needs a table in front"),
        ("select i from tenancy cross join unnest(codes) as i", "codes", "takes one list"),
        ("select rent from tenancy natural join member", "member", "not known here"),
        ("select rent from tenancy join member using (house)", "house", "there is no column `house`"),
        ("select rent from tenancy except select no from member", "select rent", "`union` and `union all`"),
        (
            "select rent from tenancy union select name from member",
            "select name",
            "decimal(9,2) in the first part",
        ),
        ("select rent, n from tenancy union select no from member", "select no", "2 columns"),
        ("with recursive a as (select no from member) select no from a", "with", "made of itself"),
        ("select frobnicate(rent) as x from tenancy", "frobnicate", "there is no function"),
        ("select x from (select no from member)", "select no", "needs a name"),
    ] {
        let said = refused(text);
        let fits = said.iter().any(|one| {
            let (at, rest) = one.split_once(": ").unwrap();
            (at.to_lowercase().starts_with(place) || place.starts_with(at)) && rest.contains(message)
        });
        if !fits {
            wrong.push(format!("{text}\n{said:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_mistakes_are_told_at_once() {
    let said = refused(
        "select rnt, sum(f) as f, avg(n) as a from tenancy where coods = 'a' union select nam from member where x.no = 1",
    );
    assert_eq!(said.len(), 6, "{said:#?}");
    let said = refused("select rnt, coods, frobnicate(1) as x from tenancy");
    assert_eq!(said.len(), 3, "{said:#?}");
}

#[test]
fn without_columns_names_and_forms_are_looked_at() {
    let looked = |text: &str| {
        let mut out = Diagnostics::default();
        let query = Query::parse(&sql(text), &mut out).unwrap();
        let output = run(&query, &|_| Input::Unknown, &|| false, &mut out);
        assert!(output.is_ok(), "{output:?}");
        out.sorted().into_iter().map(|d| d.message().to_owned()).collect::<Vec<_>>()
    };
    for text in [
        "select *, rent + no as x, json_value(a, '$') as y from tenancy t join member m on t.a = m.b and t.c < m.d",
        "select a, sum(b) as b, string_agg(c, ',' order by d) as c from tenancy where e > 1 group by a having max(f) > 2",
        "with x as (select a from tenancy) select x.a, i.n from x cross join unnest(split(a, ',')) with ordinality as i(a2, n)",
        "select a from tenancy union select b from member",
        "select row_number() over (partition by a order by b) as k, t.* from tenancy t left join member using (a)",
    ] {
        assert_eq!(looked(text), [""; 0], "{text}");
    }
    assert_eq!(looked("with x as (select a from tenancy) select x.b from x"), ["`x` has no column `b`"]);
    assert_eq!(looked("select q.a from tenancy t"), ["there is no table `q` here"]);
    assert_eq!(looked("select avg(a) as a from tenancy"), ["`avg` is not known here"]);
}

/// A row of the plain tables: `a` has a key, a text and a number in hundredths, `b` a key and a text.
type A = (Option<i64>, Option<char>, Option<i64>);
type B = (Option<i64>, Option<char>);

fn a_rows() -> impl Strategy<Value = Vec<A>> {
    let text = prop_oneof![Just('x'), Just('y'), Just('z')];
    let row = (proptest::option::of(0i64..4), proptest::option::of(text), proptest::option::of(-300i64..300));
    proptest::collection::vec(row, 0..7)
}

fn b_rows() -> impl Strategy<Value = Vec<B>> {
    let text = prop_oneof![Just('x'), Just('y'), Just('z')];
    proptest::collection::vec((proptest::option::of(0i64..4), proptest::option::of(text)), 0..7)
}

fn cents(cents: i64) -> String {
    format!("{}{}.{:02}", if cents < 0 { "-" } else { "" }, cents.abs() / 100, cents.abs() % 100)
}

fn a_table(rows: &[A]) -> Frame {
    let cells = |(k, t, n): &A| vec![k.map(|k| k.to_string()), t.map(String::from), n.map(cents)];
    table(&[("k", "i64"), ("t", "text"), ("n", "decimal(9,2)")], &rows.iter().map(cells).collect::<Vec<_>>())
}

/// The same keys as decimals: 1 is 1.0.
fn b_table(rows: &[B]) -> Frame {
    let cells = |(k, u): &B| vec![k.map(|k| format!("{k}.0")), u.map(String::from)];
    table(&[("k", "decimal(5,1)"), ("u", "text")], &rows.iter().map(cells).collect::<Vec<_>>())
}

/// Joins as one would by hand.
fn plain_join(kind: &str, less: bool, a: &[A], b: &[B]) -> Vec<(Option<A>, Option<B>)> {
    let mut joined = Vec::new();
    let mut used = vec![false; b.len()];
    for left in a {
        let mut alone = true;
        for (i, right) in b.iter().enumerate() {
            let is_less = matches!((left.1, right.1), (Some(t), Some(u)) if t < u);
            if left.0.is_some() && left.0 == right.0 && (!less || is_less) {
                joined.push((Some(*left), Some(*right)));
                alone = false;
                used[i] = true;
            }
        }
        if alone && matches!(kind, "left" | "full") {
            joined.push((Some(*left), None));
        }
    }
    if matches!(kind, "right" | "full") {
        let rest = b.iter().zip(used).filter(|(_, used)| !used);
        joined.extend(rest.map(|(right, _)| (None, Some(*right))));
    }
    joined
}

fn null_last<T: Ord>(a: &Option<T>, b: &Option<T>) -> Ordering {
    match (a, b) {
        (None, None) => Ordering::Equal,
        (None, _) => Ordering::Greater,
        (_, None) => Ordering::Less,
        (Some(a), Some(b)) => a.cmp(b),
    }
}

/// Groups as one would by hand: one line a group, in the order of their first rows.
fn plain_groups(joined: &[(Option<A>, Option<B>)], positive: bool, least: usize) -> Vec<String> {
    let kept: Vec<_> =
        joined.iter().filter(|(a, _)| !positive || a.and_then(|a| a.2).is_some_and(|n| n > 0)).collect();
    let mut order: Vec<Option<char>> = Vec::new();
    let mut groups: BTreeMap<Option<char>, Vec<(Option<A>, Option<B>)>> = BTreeMap::new();
    for (a, b) in kept {
        let t = a.and_then(|a| a.1);
        if !order.contains(&t) {
            order.push(t);
        }
        groups.entry(t).or_default().push((*a, *b));
    }
    let text = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let mut lines = Vec::new();
    for t in order {
        let rows = &groups[&t];
        if rows.len() < least {
            continue;
        }
        let us: Vec<char> = rows.iter().filter_map(|(_, b)| b.and_then(|b| b.1)).collect();
        let ns: Vec<i64> = rows.iter().filter_map(|(a, _)| a.and_then(|a| a.2)).collect();
        let mut ks: Vec<i64> = rows.iter().filter_map(|(_, b)| b.and_then(|b| b.0)).collect();
        ks.sort_unstable();
        ks.dedup();
        // By the number, NULL last, and ties in the order of the rows.
        let mut by_number: Vec<_> = rows.clone();
        by_number.sort_by(|a, b| null_last(&a.0.and_then(|a| a.2), &b.0.and_then(|b| b.2)));
        let all: Vec<String> =
            by_number.iter().filter_map(|(_, b)| b.and_then(|b| b.1)).map(String::from).collect();
        lines.push(
            [
                text(t.map(String::from)),
                rows.len().to_string(),
                us.len().to_string(),
                ks.len().to_string(),
                text((!ns.is_empty()).then(|| cents(ns.iter().sum()))),
                text(us.iter().min().map(ToString::to_string)),
                text(ns.iter().max().map(|n| cents(*n))),
                text((!all.is_empty()).then(|| all.join("+"))),
            ]
            .join("|"),
        );
    }
    lines
}

proptest! {
    #[test]
    fn a_join_with_groups_is_what_one_would_do_by_hand(
        a in a_rows(),
        b in b_rows(),
        kind in prop_oneof![Just("inner"), Just("left"), Just("right"), Just("full")],
        less: bool,
        positive: bool,
        least in 0usize..3,
    ) {
        let more = if less { " and a.t < b.u" } else { "" };
        let condition = if positive { " where a.n > 0" } else { "" };
        let text = format!(
            "select a.t, count(*) as c, count(b.u) as cu, count(distinct b.k) as ks, sum(a.n) as total, min(b.u) as least, \
             max(a.n) as most, string_agg(b.u, '+' order by a.n) as all_u \
             from a {kind} join b on b.k = a.k{more}{condition} group by a.t having count(*) >= {least}"
        );
        let (left, right) = (a_table(&a), b_table(&b));
        let input = |name: &TableName| {
            let frame = if name.dataset == "a" { left.clone() } else { right.clone() };
            Input::Rows(frame, name.dataset.clone())
        };
        let mut out = Diagnostics::default();
        let query = Query::parse(&sql(&text), &mut out).unwrap();
        let output = run(&query, &input, &|| false, &mut out).unwrap();
        prop_assert!(!out.has_errors(), "{}", out.render(false));
        let joined = plain_join(kind, less, &a, &b);
        prop_assert_eq!(lines(&output.unwrap()), plain_groups(&joined, positive, least));
    }

    #[test]
    fn the_first_of_a_group_is_what_one_would_take_by_hand(a in a_rows(), descending: bool) {
        let direction = if descending { "desc" } else { "asc" };
        let text = format!(
            "select t, k, n from (select a.*, row_number() over (partition by t order by n {direction}) as place from a) as x \
             where place = 1"
        );
        let frame = a_table(&a);
        let mut out = Diagnostics::default();
        let query = Query::parse(&sql(&text), &mut out).unwrap();
        let input = |_: &TableName| Input::Rows(frame.clone(), "a".to_owned());
        let output = run(&query, &input, &|| false, &mut out).unwrap().unwrap();
        let cell = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let is_first = |(at, row): &(usize, &A)| {
            a.iter().enumerate().filter(|(_, other)| other.1 == row.1).all(|(other_at, other)| {
                let order = null_last(&other.2, &row.2);
                let order = if descending { order.reverse() } else { order };
                order.is_gt() || order.is_eq() && other_at >= *at
            })
        };
        let wanted: Vec<String> = a
            .iter()
            .enumerate()
            .filter(is_first)
            .map(|(_, (k, t, n))| {
                format!("{}|{}|{}", cell(t.map(String::from)), cell(k.map(|k| k.to_string())), cell(n.map(cents)))
            })
            .collect();
        prop_assert_eq!(lines(&output), wanted);
    }
}
