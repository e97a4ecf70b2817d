//! Why cells differ: one cause a file.
//!
//! Only cells that differ are looked at, in the form in which the two sides meet, and a cause must explain what a
//! column's policy leaves: it says what would have to be undone for the comparison to call the two values equal.
//!
//! # The order
//! 0. `changed_after_the_snapshot`: all cells of a record that one side changed after the other was read. Nothing can be told
//!    from them, so they take no part in what follows.
//! 1. Patterns of a column: causes that need the evidence of many cells, each a figure that they share (so many days,
//!    this factor, that length, the other column). They come first: where all dates are a year late, none of them has
//!    its day and month exchanged.
//! 2. Causes that one cell shows by itself, in the order of their ranks. Where several explain it equally well it has
//!    them all, unless one says that it includes another.
//! 3. Causes of writing (case, white space, …) together: at most three, as few as are needed.
//! 4. `code_mapping`: what is left, where one value always meets one other.
//! 5. `real_change`: the rest.
//!
//! # Evidence
//! A pattern counts where at least [`LEAST_CELLS`] cells have the same figure, with at least [`LEAST_VALUES`] different
//! expected values, which are at least one in [`ONE_IN`] of the column's differing cells, and where at least half of
//! them, and no fewer than [`LEAST_CELLS`], have no cause that they show by themselves. A figure that rests on what stands
//! in the rows beside must also be there more often than chance would have it: the bound stands in `chance.rs`.

mod around;
mod both;
mod chance;
mod dates;
mod decide;
mod evidence;
mod itself;
mod mapping;
mod remedies;
mod settling;
mod whole;

use std::borrow::Cow;

use crate::frame::Frame;

pub use decide::{CauseOutcome, ColumnCauses, Explained, Study};
pub use mapping::Background;
pub use whole::explain;

use both::Both;
pub use changed_after_the_snapshot::WORD as MOVED;
use settling::{Settling, Told};

/// The fewest cells that make a pattern.
pub const LEAST_CELLS: u64 = 5;
/// The fewest different expected values that make a pattern.
pub const LEAST_VALUES: usize = 3;
/// A pattern is at least one in so many of the column's differing cells.
pub const ONE_IN: u64 = 20;
/// The most causes of writing that are tried together.
const TOGETHER: usize = 3;

/// Declares the causes: for each word a module of that name, in a sorted list.
///
/// Each file has a struct `This` that implements [`Cause`], and the constants `RANK`, its place in the order, and
/// `INCLUDES`, the causes that are not named where it explains a cell as well.
macro_rules! causes {
    ($($name:ident),+ $(,)?) => {
        $(mod $name;)+

        /// Every cause, by name.
        pub static CAUSES: &[CauseKind] = &[$(
            CauseKind {
                name: stringify!($name),
                source: include_str!(concat!(stringify!($name), ".rs")),
                rank: $name::RANK,
                includes: $name::INCLUDES,
                cause: &$name::This,
            },
        )+];
    };
}

causes! {
    boolean_spelling,
    case,
    changed_after_the_snapshot,
    code_mapping,
    code_page,
    columns_swapped,
    date_only,
    date_order,
    date_spelling,
    day_shift,
    guid_spelling,
    leading_zeros,
    null_or_blank,
    number_format,
    placeholder,
    punctuation,
    real_change,
    rounding,
    rows_shifted,
    scale_factor,
    sign,
    time_precision,
    truncation,
    unicode_form,
    whitespace,
    zone_shift,
}

/// A cause: the code behind its word.
pub struct CauseKind {
    /// The word.
    pub name: &'static str,
    /// Its place in the order in which causes are tried.
    pub rank: u8,
    source: &'static str,
    includes: &'static [&'static str],
    cause: &'static dyn Cause,
}

impl std::fmt::Debug for CauseKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CauseKind({})", self.name)
    }
}

impl CauseKind {
    /// Returns the documentation: the leading `//!` lines of the cause's file, as Markdown.
    pub fn documentation(&self) -> String {
        let lines: Vec<&str> = self
            .source
            .lines()
            .take_while(|line| line.starts_with("//!"))
            .map(|line| line.trim_start_matches("//!").strip_prefix(' ').unwrap_or_default())
            .collect();
        lines.join("\n")
    }

    /// Adds the figures of a cell in a pattern of its column; a record that was changed meanwhile takes no part in it.
    fn pattern(&self, both: &Both<'_>, figures: &mut Vec<Figure>) {
        if !both.around.moved {
            self.cause.pattern(both, figures);
        }
    }

    /// Returns the first line of the documentation.
    pub fn summary(&self) -> String {
        self.documentation().lines().next().unwrap_or_default().to_owned()
    }
}

/// What cells of one cause have in common or not: so many days, a length, which way round.
///
/// Where two figures are equally frequent the lesser one is taken: a word before a number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Figure {
    /// There is nothing to tell apart.
    Plain,
    Word(&'static str),
    Number(i128),
    Ratio(i128, i128),
    /// A value.
    Text(String),
    /// A value and the one it met.
    Pair(Option<String>, Option<String>),
}

/// The code of a cause. Every method but `says` may be left out.
trait Cause: Sync {
    /// Returns the figure of a cell that the cause explains alone, judged by this cell alone.
    fn cell(&self, _both: &Both<'_>) -> Option<Figure> {
        None
    }

    /// Adds the figures that the cell would have in a pattern of its column.
    fn pattern(&self, _both: &Both<'_>, _figures: &mut Vec<Figure>) {}

    /// Returns a text without what the cause is about, where it can be taken away: then causes can be tried together.
    fn form<'t>(&self, _text: &'t str) -> Option<Cow<'t, str>> {
        None
    }

    /// Says where the differences come from, as the rest of "… come from". It holds no cell value.
    fn says(&self, told: &Told<'_>) -> String;

    /// Returns what would settle the cells, where anything would.
    fn settling(&self, _told: &Told<'_>) -> Option<Settling> {
        None
    }

    /// Says why no line settles the cells where [`Cause::settling`] gives none, and what does, in sentences. They hold no
    /// cell value. A cause that always has lines says nothing.
    fn no_line(&self, _told: &Told<'_>) -> String {
        String::new()
    }

    /// Returns which row a figure looks at where it is another one: 0 the row before, 1 the row behind. Such a pattern must be
    /// there more often than by chance.
    fn looks_at(&self, _figure: &Figure) -> Option<usize> {
        None
    }

    /// Returns what would settle the cells where [`Cause::settling`] would make more cells differ than it settles.
    fn otherwise(&self, _told: &Told<'_>) -> Option<Settling> {
        None
    }
}

/// The causes of one cell: one, or those that explain it together or equally well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Causes([u8; TOGETHER]);

impl Causes {
    const NOTHING: u8 = u8::MAX;

    /// Makes the causes of a cell from their positions in [`CAUSES`]; more than three are cut to the first.
    pub(super) fn new(positions: &[usize]) -> Causes {
        let mut causes = [Causes::NOTHING; TOGETHER];
        let mut positions: Vec<usize> = positions.iter().copied().take(TOGETHER).collect();
        positions.sort_unstable();
        for (place, position) in causes.iter_mut().zip(positions) {
            *place = u8::try_from(position).unwrap_or(Causes::NOTHING);
        }
        Causes(causes)
    }

    /// Returns the causes, by name.
    pub fn kinds(self) -> impl Iterator<Item = &'static CauseKind> {
        self.0.into_iter().filter_map(|position| CAUSES.get(usize::from(position)))
    }

    /// Returns the causes as they stand in the findings: by name, joined by `+`.
    pub fn text(self) -> String {
        self.kinds().map(|kind| kind.name).collect::<Vec<_>>().join("+")
    }
}

/// Returns the positions of all causes in the order in which they are tried.
fn in_order() -> Vec<usize> {
    let mut order: Vec<usize> = (0..CAUSES.len()).collect();
    order.sort_by_key(|position| CAUSES.get(*position).map(|kind| (kind.rank, kind.name)));
    order
}

fn position(name: &str) -> Option<usize> {
    CAUSES.iter().position(|kind| kind.name == name)
}

/// The pairs of rows that differ in at least one column: two frames aligned one to one.
#[derive(Debug, Clone, Copy)]
pub struct Differing<'a> {
    /// The rows of expected, with their positions in the snapshot.
    pub expected: &'a Frame,
    /// Their partners in the target.
    pub target: &'a Frame,
    /// For each column of [`super::BoundReconcile::columns`] the pairs that differ in it, ascending.
    pub columns: &'a [Vec<u32>],
    /// Which pairs were changed after a snapshot; none where it is empty.
    pub moved: &'a [bool],
    /// Pairs that were compared in all.
    pub pairs: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_sorted_and_ranks_are_distinct() {
        let names: Vec<&str> = CAUSES.iter().map(|kind| kind.name).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        assert_eq!(names, sorted);
        let mut ranks: Vec<u8> = CAUSES.iter().map(|kind| kind.rank).collect();
        ranks.sort_unstable();
        ranks.dedup();
        assert_eq!(ranks.len(), CAUSES.len(), "two causes have the same rank");
        for kind in CAUSES {
            for included in kind.includes {
                assert!(position(included).is_some(), "{}: there is no cause `{included}`", kind.name);
            }
        }
        assert_eq!(in_order().last().copied(), position("real_change"));
    }

    #[test]
    fn causes_of_a_cell_are_named_in_the_order_of_their_words() {
        let at = |name| position(name).unwrap();
        assert_eq!(Causes::new(&[at("whitespace"), at("case")]).text(), "case+whitespace");
        assert_eq!(Causes::new(&[at("sign")]).text(), "sign");
        assert_eq!(Causes::new(&[]).text(), "");
    }
}
