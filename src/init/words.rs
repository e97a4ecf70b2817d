//! Names, taken apart into words, and what they say of a column.

/// Returns the words of a name in lower case: `TenancyStart_date2` is `tenancy`, `start`, `date`, `2`.
pub fn tokens(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before: Option<char> = None;
    for letter in name.chars() {
        if !letter.is_alphanumeric() {
            before = None;
            continue;
        }
        let begins = before.is_none_or(|before| {
            (before.is_lowercase() && letter.is_uppercase()) || before.is_numeric() != letter.is_numeric()
        });
        if begins {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(letter.to_lowercase());
        }
        before = Some(letter);
    }
    words
}

/// Returns the letters and digits of a name, in lower case.
pub fn squashed(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// What stands anywhere in the name of a column that identifies a person or says what nobody should see.
const SENSITIVE_PARTS: &[&str] = &[
    "accountno",
    "accountnumber",
    "address",
    "bankacc",
    "birth",
    "cardno",
    "cardnumber",
    "disab",
    "email",
    "ethnic",
    "familyname",
    "firstname",
    "forename",
    "fullname",
    "gender",
    "givenname",
    "iban",
    "immigration",
    "knownas",
    "lastname",
    "maidenname",
    "maritalstatus",
    "middlename",
    "mobile",
    "nationalinsurance",
    "nationality",
    "nextofkin",
    "nhsno",
    "nhsnumber",
    "passport",
    "phone",
    "postalcode",
    "postcode",
    "preferredname",
    "religi",
    "sexual",
    "sortcode",
    "surname",
    "telno",
    "vulnerab",
    "zipcode",
];

/// Words of a name that say the same, each alone.
const SENSITIVE_WORDS: &[&str] =
    &["addr", "dob", "fax", "initials", "nino", "pregnant", "sex", "ssn", "tel", "telephone"];

/// People: beside one of these, `name` is a person's.
const PEOPLE: &[&str] = &[
    "applicant",
    "client",
    "contact",
    "customer",
    "employee",
    "kin",
    "landlord",
    "member",
    "occupant",
    "occupier",
    "officer",
    "partner",
    "payee",
    "payer",
    "person",
    "resident",
    "spouse",
    "staff",
    "tenant",
    "user",
];

/// Words of a name that free text has.
const FREE_TEXT: &[&str] = &[
    "comment",
    "comments",
    "memo",
    "narrative",
    "note",
    "notes",
    "notepad",
    "remark",
    "remarks",
    "freetext",
];

/// Returns true where a column's name lets expect what no report should show.
pub fn is_sensitive(name: &str) -> bool {
    let words = tokens(name);
    let has = |word: &str| words.iter().any(|own| own == word);
    let plain = squashed(name);
    let number = |word: &str| matches!(word, "no" | "num" | "number" | "nbr" | "code");
    let insurance = words.windows(2).any(|pair| matches!(pair, [ni, no] if ni == "ni" && number(no)));
    SENSITIVE_PARTS.iter().any(|part| plain.contains(part))
        || SENSITIVE_WORDS.iter().any(|word| has(word))
        || insurance
        || (has("name") && PEOPLE.iter().any(|word| has(word)))
}

/// Returns true where a column's name lets expect text that anyone may have written anything into.
pub fn is_free_text(name: &str) -> bool {
    let words = tokens(name);
    FREE_TEXT.iter().any(|word| words.iter().any(|own| own == word))
        || words.windows(2).any(|pair| matches!(pair, [free, text] if free == "free" && text == "text"))
}

/// Returns true where a column's name lets expect that its values name rows.
pub fn may_be_key(name: &str) -> bool {
    let last = tokens(name).pop().unwrap_or_default();
    matches!(
        last.as_str(),
        "code" | "guid" | "id" | "key" | "no" | "num" | "number" | "ref" | "reference" | "uuid" | "uprn"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_words() {
        for (name, words) in [
            ("TenancyStart_date2", vec!["tenancy", "start", "date", "2"]),
            ("UH_REF", vec!["uh", "ref"]),
            ("", vec![]),
            ("Łódź nr", vec!["łódź", "nr"]),
        ] {
            assert_eq!(tokens(name), words, "{name}");
        }
        assert_eq!(squashed("Post-Code 1"), "postcode1");
    }

    #[test]
    fn people_are_recognised() {
        for name in [
            "forename",
            "SURNAME",
            "LastName",
            "dob",
            "date_of_birth",
            "ni_no",
            "NINO",
            "email_addr",
            "home_phone",
            "tel",
            "MobileNo",
            "address1",
            "addr_line",
            "post_code",
            "iban",
            "sort_code",
            "account_no",
            "passport_no",
            "ethnicity",
            "religion",
            "disability_code",
            "gender",
            "sex",
            "tenant_name",
            "next_of_kin",
        ] {
            assert!(is_sensitive(name), "{name}");
        }
        for name in
            ["tag_ref", "rent", "essex_area", "street_name", "sextant", "hotel", "created_at", "mini_no"]
        {
            assert!(!is_sensitive(name), "{name}");
        }
        assert!(is_free_text("Notes") && is_free_text("free_text") && is_free_text("case_comments"));
        assert!(!is_free_text("notice_date"));
        assert!(may_be_key("tag_ref") && may_be_key("PersonNo") && !may_be_key("rent"));
    }
}
