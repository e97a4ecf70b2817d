//! How likely it is that cells hold the values of the rows beside them by chance alone.
//!
//! A column of few different values has many cells that are equal to the row above: a `Y` stands below a `Y` in every
//! second row. That they are is no sign that the column slipped.
//!
//! # The bound
//! Of `n` differing cells whose neighbour is known, `k` hold the neighbour's value. Chance means: the target's values of
//! these cells have nothing to do with the neighbours, so that each of the `n!` ways to deal the values out to the
//! cells is equally likely (Fisher's permutation test: The Design of Experiments, 1935). Let `X` be the number of cells
//! that are equal to their neighbour then, and `W` the number of pairs, of one cell and one neighbour each, that have the
//! same value: for every value how many neighbours have it times how many cells do, added up. For every `r` up to `k`
//!
//! ```text
//! P(X ≥ k) ≤ E[C(X,r)] / C(k,r) ≤ (W)ᵣ / ((n)ᵣ (k)ᵣ),   where (a)ᵣ = a (a−1) … (a−r+1)
//! ```
//!
//! The first step is Markov's inequality for the binomial moment `C(X,r)`, the number of choices of `r` of the equal
//! cells (Feller, An Introduction to Probability Theory and Its Applications, volume 1, chapter IV: matches). For
//! the second, a value with `a` neighbours and `b` cells has `C(a,s) (b)ₛ` ways to be dealt to `s` chosen neighbours, no
//! more than `C(ab,s)`, for `(a−j)(b−j) ≤ ab−j`; by Vandermonde's identity all values together have no more than
//! `C(W,r)`, each with the probability `1 / (n)ᵣ`. Where all values differ it is exact for `r = k`: `1 / k!` for `k`
//! cells of `k`. The best `r` is the last at which the next factor `(W−j) / ((n−j)(k−j))` is still less than one.

/// A pattern that chance makes more often than this is none.
pub(super) const MOST: f64 = 1e-4;

/// Returns no less than the probability that so many of `cells` are equal to their neighbour by chance. The keys of the
/// values are given in any order; they are as many.
pub(super) fn bound(equal: u64, mut cells: Vec<u64>, mut neighbours: Vec<u64>) -> f64 {
    let n = cells.len() as u64;
    cells.sort_unstable();
    neighbours.sort_unstable();
    let pairs = pairs(&cells, &neighbours);
    let mut bound = 1.0;
    for j in 0..equal.min(n) {
        let (over, under) = (pairs - u128::from(j).min(pairs), u128::from(n - j) * u128::from(equal - j));
        if over >= under || bound < MOST / 1e6 {
            break;
        }
        bound *= over as f64 / under as f64;
    }
    bound
}

/// Counts the pairs of one of each list that are the same; both are sorted.
fn pairs(a: &[u64], b: &[u64]) -> u128 {
    let mut rest = b;
    let mut pairs = 0;
    for run in a.chunk_by(|x, y| x == y) {
        let Some(value) = run.first() else { continue };
        rest = rest.get(rest.partition_point(|other| other < value)..).unwrap_or_default();
        let same = rest.partition_point(|other| other == value);
        pairs += run.len() as u128 * same as u128;
    }
    pairs
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Calls `each` with every order of the values.
    fn permutations(values: &mut Vec<u64>, from: usize, each: &mut dyn FnMut(&[u64])) {
        if from == values.len() {
            return each(values);
        }
        for i in from..values.len() {
            values.swap(from, i);
            permutations(values, from + 1, each);
            values.swap(from, i);
        }
    }

    proptest! {
        #[test]
        fn chance_is_never_greater_than_the_bound(
            pairs in proptest::collection::vec((0..4_u64, 0..4_u64), 1..7),
        ) {
            let (mut cells, neighbours): (Vec<u64>, Vec<u64>) = pairs.into_iter().unzip();
            let mut counts = vec![0_u32; cells.len() + 1];
            permutations(&mut cells.clone(), 0, &mut |dealt| {
                counts[dealt.iter().zip(&neighbours).filter(|(a, b)| a == b).count()] += 1;
            });
            let all: u32 = counts.iter().sum();
            for equal in 0..=cells.len() {
                let at_least: u32 = counts[equal..].iter().sum();
                let bound = bound(equal as u64, cells.clone(), neighbours.clone());
                prop_assert!(f64::from(at_least) / f64::from(all) <= bound + 1e-12, "{} of {:?}", equal, counts);
            }
            cells.reverse();
            let (one, other) = (bound(2, cells.clone(), neighbours.clone()), bound(2, neighbours, cells));
            prop_assert!((one - other).abs() < 1e-12, "the order means nothing");
        }
    }

    #[test]
    fn it_is_exact_where_all_values_differ() {
        let values: Vec<u64> = (0..8).collect();
        assert!((bound(8, values.clone(), values.clone()) - 1.0 / 40_320.0).abs() < 1e-12);
        assert!(bound(8, values.clone(), values.clone()) <= MOST);
        assert!(bound(7, (0..7).collect(), (0..7).collect()) > MOST);
        // Of a hundred flags half are like the one above.
        let flags: Vec<u64> = (0..100).map(|i| i % 2).collect();
        assert!(bound(60, flags.clone(), flags.clone()) > MOST);
        assert!(bound(100, flags.clone(), flags) < MOST);
    }
}
