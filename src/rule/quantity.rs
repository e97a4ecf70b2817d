//! A number with a unit, as users write it.

/// Reads a whole number and the unit behind it, with or without blanks between: `30s`, `20 MB/s`. Nothing where there is no
/// number, or it is too large. What the unit means is for the caller to say; it is empty where there is none.
///
/// ```
/// use counterfoil::rule::quantity;
/// assert_eq!(quantity("20 MB/s"), Some((20, "MB/s".to_owned())));
/// assert_eq!(quantity("7"), Some((7, String::new())));
/// assert_eq!(quantity("-1s"), None);
/// ```
pub fn quantity(text: &str) -> Option<(u64, String)> {
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let digits = plain.chars().take_while(char::is_ascii_digit).count();
    let (number, unit) = plain.split_at(digits);
    Some((number.parse().ok()?, unit.to_owned()))
}
