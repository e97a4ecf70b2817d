//! Which names of two databases mean the same.

use std::collections::BTreeMap;

use super::words::{squashed, tokens};

/// Why two names were taken for the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// They are the same, letter by letter.
    Same,
    /// They differ in case alone.
    Case,
    /// They differ in case, underscores, blanks and the like.
    Separators,
    /// One is the plural of the other.
    Plural,
    /// One looks like an abbreviation or another spelling of the other.
    Close,
}

/// Two names, by their positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    pub left: usize,
    pub right: usize,
    pub how: How,
}

/// How alike two close names are at least, from 0 to 1.
const ALIKE: f64 = 0.93;

/// Finds the names that mean the same, surest first; a name is in one pair only, and nothing ambiguous in any.
///
/// `fits` says of two positions whether they may be a pair where the names alone are no proof.
pub fn pairs(left: &[&str], right: &[&str], plural: bool, fits: &dyn Fn(usize, usize) -> bool) -> Vec<Pair> {
    let mut found: Vec<Pair> = Vec::new();
    let forms: [(How, fn(&str) -> String); 4] = [
        (How::Same, str::to_owned),
        (How::Case, str::to_lowercase),
        (How::Separators, squashed),
        (How::Plural, singular),
    ];
    for (how, form) in forms.into_iter().filter(|(how, _)| plural || *how != How::Plural) {
        let group = |names: &[&str], is_free: &dyn Fn(usize) -> bool| {
            let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
            for (at, name) in names.iter().enumerate().filter(|(at, _)| is_free(*at)) {
                groups.entry(form(name)).or_default().push(at);
            }
            groups
        };
        let lefts = group(left, &|at| found.iter().all(|pair| pair.left != at));
        let rights = group(right, &|at| found.iter().all(|pair| pair.right != at));
        let new = lefts.into_iter().filter_map(|(form, own)| {
            match (own.as_slice(), rights.get(&form)?.as_slice()) {
                _ if form.is_empty() => None,
                ([left], [right]) => Some(Pair { left: *left, right: *right, how }),
                _ => None,
            }
        });
        let new: Vec<Pair> = new.collect();
        found.extend(new);
    }
    let free: Vec<usize> = (0..left.len()).filter(|at| found.iter().all(|pair| pair.left != *at)).collect();
    let others: Vec<usize> =
        (0..right.len()).filter(|at| found.iter().all(|pair| pair.right != *at)).collect();
    let candidates: Vec<(usize, usize)> = free
        .iter()
        .flat_map(|l| others.iter().map(|r| (*l, *r)))
        .filter(|(l, r)| match (left.get(*l), right.get(*r)) {
            (Some(l_name), Some(r_name)) => are_close(l_name, r_name) && fits(*l, *r),
            _ => false,
        })
        .collect();
    for (l, r) in &candidates {
        let is_only = candidates.iter().filter(|(a, b)| a == l || b == r).count() == 1;
        if is_only {
            found.push(Pair { left: *l, right: *r, how: How::Close });
        }
    }
    found.sort_by_key(|pair| pair.left);
    found
}

/// Returns a name without the ending of an English plural.
fn singular(name: &str) -> String {
    let name = squashed(name);
    if let Some(stem) = name.strip_suffix("ies").filter(|stem| stem.chars().count() > 1) {
        return format!("{stem}y");
    }
    for ending in ["ches", "shes", "sses", "xes"] {
        if name.ends_with(ending) {
            return name.strip_suffix("es").unwrap_or(&name).to_owned();
        }
    }
    match name.strip_suffix('s') {
        Some(stem) if stem.chars().count() > 2 && !stem.ends_with(['s', 'u', 'i']) => stem.to_owned(),
        _ => name,
    }
}

/// Returns true where one name may be an abbreviation or another spelling of the other.
pub fn are_close(a: &str, b: &str) -> bool {
    let (a_words, b_words) = (tokens(a), tokens(b));
    let numbers = |words: &[String]| -> Vec<String> {
        words.iter().filter(|word| word.starts_with(|c: char| c.is_ascii_digit())).cloned().collect()
    };
    // Line 1 is not line 2.
    if numbers(&a_words) != numbers(&b_words) {
        return false;
    }
    let initials = |short: &[String], long: &[String]| match short {
        [word] => {
            long.len() > 2
                && word.chars().count() == long.len()
                && word.chars().eq(long.iter().filter_map(|word| word.chars().next()))
        }
        _ => false,
    };
    let word_by_word = a_words.len() == b_words.len()
        && !a_words.is_empty()
        && a_words.iter().zip(&b_words).all(|(x, y)| x == y || abbreviates(x, y) || abbreviates(y, x));
    let (a_plain, b_plain) = (squashed(a), squashed(b));
    let long_enough = a_plain.chars().count().min(b_plain.chars().count()) > 3;
    word_by_word
        || initials(&a_words, &b_words)
        || initials(&b_words, &a_words)
        || (long_enough && strsim::jaro_winkler(&a_plain, &b_plain) >= ALIKE)
}

/// Returns true where the letters of a word stand in the longer one in the same order, with the same beginning.
fn abbreviates(short: &str, long: &str) -> bool {
    let (letters, all) = (short.chars().count(), long.chars().count());
    if letters < 2 || letters >= all || short.chars().next() != long.chars().next() {
        return false;
    }
    if long.starts_with(short) {
        return true;
    }
    // `acct`, `qty`: no more than the vowels and a few letters are gone, and the end is there.
    let mut rest = long.chars();
    letters > 2
        && short.chars().all(|letter| rest.any(|other| other == letter))
        && (short.chars().last() == long.chars().last() || letters * 2 >= all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(left: &[&str], right: &[&str]) -> Vec<(String, String, How)> {
        pairs(left, right, true, &|_, _| true)
            .into_iter()
            .map(|pair| (left[pair.left].to_owned(), right[pair.right].to_owned(), pair.how))
            .collect()
    }

    #[test]
    fn the_surest_comes_first() {
        let left = ["Tag_Ref", "tag_ref", "PostCode", "acct_no", "property", "dob", "nothing"];
        let right = ["tag_ref", "TAG_REF", "post_code", "account_no", "Properties", "date_of_birth"];
        let says: Vec<String> =
            found(&left, &right).into_iter().map(|(l, r, how)| format!("{l}={r} {how:?}")).collect();
        assert_eq!(
            says,
            [
                "Tag_Ref=TAG_REF Case",
                "tag_ref=tag_ref Same",
                "PostCode=post_code Separators",
                "acct_no=account_no Close",
                "property=Properties Plural",
                "dob=date_of_birth Close",
            ]
        );
    }

    #[test]
    fn what_is_ambiguous_is_no_pair() {
        assert_eq!(found(&["A b"], &["a_b", "a-b"]), []);
        assert_eq!(found(&["addr1"], &["addr2"]), []);
        assert_eq!(found(&["acc_ref"], &["account_ref", "accent_ref"]), []);
        assert_eq!(found(&["!!"], &["??"]), []);
    }

    #[test]
    fn what_does_not_fit_is_no_guess() {
        assert_eq!(pairs(&["qty"], &["quantity"], false, &|_, _| false), []);
        assert_eq!(pairs(&["qty"], &["qty"], false, &|_, _| false).len(), 1);
    }

    #[test]
    fn closeness_is_careful() {
        for (a, b) in [
            ("tel", "telephone"),
            ("cust_ref", "customer_ref"),
            ("rent_amt", "rent_amount"),
            ("qty", "quantity"),
            ("tenancy_start", "tenancy_starts"),
            ("addr1", "address_1"),
        ] {
            assert!(are_close(a, b), "{a} {b}");
        }
        for (a, b) in [
            ("id", "identity_of_the_owner"),
            ("start_date", "end_date"),
            ("prop_ref", "person_ref"),
            ("line_1", "line_2"),
            ("cot", "eot"),
            ("rent", "rooms"),
            ("created_at", "updated_at"),
        ] {
            assert!(!are_close(a, b), "{a} {b}");
        }
    }

    #[test]
    fn plurals() {
        for (many, one) in [
            ("tenancies", "tenancy"),
            ("properties", "property"),
            ("addresses", "address"),
            ("boxes", "box"),
            ("rents", "rent"),
            ("status", "status"),
            ("gas", "gas"),
        ] {
            assert_eq!(singular(many), one);
        }
    }
}
