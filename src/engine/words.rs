//! What a rule asserts, in a short English sentence without cell values.

/// Returns the sentence for a kind of rule and its columns.
pub fn says(kind: &str, columns: &[String]) -> String {
    let list = listed(columns);
    match kind {
        "not_null" => format!("{list} must be filled in."),
        "unique" => format!("{list} must not be repeated."),
        "accepted_values" => format!("{list} must be one of the accepted values."),
        "range" => format!("{list} must be within the range."),
        "length" => format!("{list} must be of the right length."),
        "pattern" => format!("{list} must have the right form."),
        "foreign_key" => format!("{list} must refer to a record that is there."),
        "expression" => "The condition must hold.".to_owned(),
        "columns_differ" => format!("{list} must not be the same."),
        "row_count" => "The number of rows must be as stated.".to_owned(),
        "freshness" => format!("{list} must be recent."),
        "exact" => format!("No two records may have the same {list}."),
        other => format!("{other}: {list}."),
    }
}

/// Joins names as an English list.
pub fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
