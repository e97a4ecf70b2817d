//! Steps on text, over any text.

use counterfoil::model::Logical;
use proptest::prelude::*;

use super::{column, made, run, step, texts};

/// Characters that steps treat in ways of their own.
const SPECIAL: &[char] = &[
    ' ', ' ', '\t', '\n', '\r', '\u{A0}', '\u{3000}', '\u{2028}', '\u{85}', '\u{200B}', '\u{FEFF}', '\0',
    '\'', '\u{2019}', '-', '0', '9', 'a', 'Z', 'ß', 'ẞ', 'İ', 'ı', 'ŉ', 'ǰ', 'ǆ', 'ǅ', 'Σ', 'σ', 'ς', 'ﬁ',
    'ﬃ', 'ΐ', 'ᾳ', 'ᾼ', '\u{345}', '\u{301}', '\u{307}', '\u{323}', 'é', 'Å', 'Å', 'K', '²', 'Ａ', '각',
    'ᄀ', 'ᅡ', 'և', 'ſ', 'ϴ', 'ᲀ', '𐐀', 'ა', 'Ა', 'Ꭰ', 'ꭰ',
];

fn any_text() -> impl Strategy<Value = String> {
    let character =
        prop_oneof![4 => prop::sample::select(SPECIAL), 1 => any::<char>(), 1 => prop::char::range('a', 'z')];
    prop::collection::vec(character, 0..12).prop_map(|c| c.into_iter().collect())
}

fn any_column() -> impl Strategy<Value = Vec<Option<String>>> {
    prop::collection::vec(prop::option::weighted(0.9, any_text()), 0..6)
}

const NORMALISING: &[&str] = &[
    "{ step: trim, columns: '*' }",
    "{ step: trim, columns: c, side: start }",
    "{ step: trim, columns: c, side: end }",
    "{ step: collapse_whitespace, columns: c }",
    "{ step: case, columns: c, to: upper }",
    "{ step: case, columns: c, to: lower }",
    "{ step: case, columns: c, to: title }",
    "{ step: pad, columns: c, width: 7 }",
    "{ step: pad, columns: c, width: 7, with: é, side: end }",
    "{ step: normalise_unicode, columns: c }",
    "{ step: normalise_unicode, columns: c, form: NFKC }",
    "{ step: normalise_unicode, columns: c, remove: [control, zero_width] }",
    "{ step: normalise_unicode, columns: c, form: NFKC, remove: [control, zero_width] }",
    "{ step: null_if, columns: c, values: ['', a, ' '] }",
    "{ step: default, columns: c, value: a }",
    "{ step: replace, columns: c, pattern: '[^0-9]', with: '' }",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn doing_it_twice_changes_nothing_more(before in any_column(), padded in any::<bool>()) {
        let logical = Logical::Text { length: None, padded };
        let before: Vec<Option<String>> = if padded {
            before.into_iter().map(|t| t.map(|t| t.trim_end_matches(' ').to_owned())).collect()
        } else {
            before
        };
        for rule in NORMALISING {
            let once = run(&column(&logical, &before), &[step(rule)]);
            let again = run(&once.frame, &[step(rule)]);
            prop_assert_eq!(texts(&once.frame), texts(&again.frame), "{}", rule);
            prop_assert!(again.corrections.is_empty(), "{}", rule);
            prop_assert_eq!(&once.frame.schema, &again.frame.schema, "{}", rule);
            if padded {
                let clean = texts(&again.frame).iter().flatten().all(|t| !t.ends_with(' '));
                prop_assert!(clean, "{}", rule);
            }
        }
    }

    #[test]
    fn each_step_is_its_plain_form(before in any_column()) {
        let of = |change: &dyn Fn(&str) -> String| -> Vec<Option<String>> {
            before.iter().map(|t| t.as_deref().map(change)).collect()
        };
        let made = |rule: &str| made(rule, &Logical::TEXT, &before);
        prop_assert_eq!(made(NORMALISING[0]), of(&|t| t.trim().to_owned()));
        prop_assert_eq!(made(NORMALISING[4]), of(&str::to_uppercase));
        prop_assert_eq!(made(NORMALISING[5]), of(&str::to_lowercase));
        let collapsed = made(NORMALISING[3]);
        for (before, after) in before.iter().zip(&collapsed) {
            let words = |t: &Option<String>| t.as_deref().map(|t| t.split_whitespace().collect::<Vec<_>>().join(" "));
            prop_assert_eq!(after.as_deref().map(|t| t.trim().to_owned()), words(before));
            let ends = |t: &Option<String>| t.as_deref().map(|t| (t.starts_with(char::is_whitespace), t.ends_with(char::is_whitespace)));
            prop_assert_eq!(ends(before), ends(after));
        }
        let padded = made(NORMALISING[7]);
        for (before, after) in before.iter().zip(&padded) {
            let wanted = before.as_deref().map(|t| match t.chars().count() {
                0 => String::new(),
                n => "0".repeat(7_usize.saturating_sub(n)) + t,
            });
            prop_assert_eq!(&wanted, after);
        }
        prop_assert_eq!(
            made("{ step: null_if, columns: c, values: ['', a] }"),
            before.iter().map(|t| t.clone().filter(|t| !t.is_empty() && t != "a")).collect::<Vec<_>>()
        );
        prop_assert_eq!(
            made("{ step: default, columns: c, value: x }"),
            before.iter().map(|t| t.clone().or(Some("x".to_owned()))).collect::<Vec<_>>()
        );
        prop_assert_eq!(
            made("{ step: replace, columns: c, find: a, with: aa }"),
            of(&|t| t.chars().map(|c| if c == 'a' { "aa".to_owned() } else { c.to_string() }).collect())
        );
    }

    #[test]
    fn titles_keep_the_letters(text in "[a-zA-Z0-9' -]{0,20}") {
        let after = made(NORMALISING[6], &Logical::TEXT, &[Some(text.clone())]);
        let after = after[0].clone().unwrap();
        prop_assert_eq!(after.to_lowercase(), text.to_lowercase());
        for word in after.split([' ', '-']) {
            let letters: Vec<char> = word.chars().filter(|c| *c != '\'').collect();
            prop_assert!(letters.first().is_none_or(|c| !c.is_ascii_lowercase()));
            if !word.contains('\'') {
                prop_assert!(letters.iter().skip(1).all(|c| !c.is_ascii_uppercase()));
            }
        }
    }

    #[test]
    fn normal_forms_look_the_same_to_unicode(text in any_text()) {
        use unicode_normalization::UnicodeNormalization;
        let made = |rule: &str| made(rule, &Logical::TEXT, &[Some(text.clone())])[0].clone().unwrap();
        prop_assert_eq!(made(NORMALISING[9]), text.nfc().collect::<String>());
        prop_assert_eq!(made(NORMALISING[10]), text.nfkc().collect::<String>());
        let cleaned = made(NORMALISING[11]);
        let unseen = |c: char| (c.is_control() && !"\t\n\r".contains(c)) || "\u{200B}\u{200C}\u{200D}\u{2060}\u{FEFF}\u{AD}".contains(c);
        prop_assert_eq!(cleaned, text.chars().filter(|c| !unseen(*c)).nfc().collect::<String>());
    }
}

#[test]
fn special_casing() {
    let made = |to: &str, text: &str| {
        made(&format!("{{ step: case, columns: c, to: {to} }}"), &Logical::TEXT, &[Some(text.to_owned())])[0]
            .clone()
            .unwrap()
    };
    assert_eq!(made("upper", "straße ﬁ"), "STRASSE FI");
    assert_eq!(made("lower", "İΣΑΣ"), "i\u{307}σας");
    assert_eq!(made("title", "ßa ﬁn İZMİR"), "Ssa Fin İzmi\u{307}r".replace('İ', "I\u{307}"));
    assert_eq!(
        made("title", "d'arcy O’NEIL it's 'quoted' x-ray 3RD"),
        "D'Arcy O’Neil It's 'Quoted' X-Ray 3rd"
    );
}

#[test]
fn replacing_takes_groups_and_plain_dollars() {
    let made =
        |rule: &str, text: &str| made(rule, &Logical::TEXT, &[Some(text.to_owned())])[0].clone().unwrap();
    assert_eq!(
        made("{ step: replace, columns: c, pattern: '(\\d+)-(?<b>\\d+)', with: '$b/$1' }", "1-2 3-4"),
        "2/1 4/3"
    );
    assert_eq!(made("{ step: replace, columns: c, pattern: '^£', with: '$$' }", "£5"), "$5");
    assert_eq!(made("{ step: replace, columns: c, find: '£', with: '$1' }", "£5"), "$15");
    assert_eq!(made("{ step: replace, columns: c, find: aa, with: a }", "aaaa"), "aa");
    assert_eq!(made("{ step: replace, columns: c, pattern: '^ab$', with: x }", "cabd"), "cabd");
}

#[test]
fn texts_grow_past_their_declared_length_only_where_the_type_says_so() {
    let five = Logical::Text { length: Some(5), padded: false };
    let after = |rule: &str| {
        let done = run(&column(&five, &[Some("ab".to_owned()), None]), &[step(rule)]);
        done.frame.schema.fields[0].logical.to_string()
    };
    assert_eq!(after("{ step: pad, columns: c, width: 8 }"), "varchar(8)");
    assert_eq!(after("{ step: pad, columns: c, width: 4 }"), "varchar(5)");
    assert_eq!(after("{ step: default, columns: c, value: unknown }"), "varchar(7)");
    assert_eq!(after("{ step: map_values, column: c, values: { ab: 'a longer one' } }"), "varchar(12)");
    assert_eq!(after("{ step: replace, columns: c, find: b, with: bbbbbb }"), "text");
    assert_eq!(after("{ step: replace, columns: c, find: b, with: c }"), "varchar(5)");
    assert_eq!(after("{ step: normalise_unicode, columns: c, form: NFKC }"), "text");
}
