//! Closed e-BH.

use super::ebh::{check, first_sorted, largest_first};
use crate::error::{Result, level};

/// Indices rejected by closed e-BH at level `alpha`, in increasing order; a superset of [`super::e_bh`].
///
/// The largest set `R` such that every intersection hypothesis `S` has mean e-value at least `|R and S| /
/// (alpha |R|)`. **Assumes** e-values. **Guarantee**: false discovery rate at most `alpha` under any
/// dependence (Xu, Solari, Fischer, de Heide, Ramdas, Goeman, arXiv 2509.02517). Work `O(n^2)` at worst.
///
/// ```
/// use driftlead_stats::multiple::{closed_e_bh, e_bh};
/// let e = [31.0, 29.0, 2.0];
/// assert!(e_bh(&e, 0.05)?.is_empty());
/// assert_eq!(closed_e_bh(&e, 0.05)?, [0, 1]);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// `alpha` outside (0, 1), or a negative or NaN e-value.
pub fn closed_e_bh(e: &[f64], alpha: f64) -> Result<Vec<usize>> {
    level("alpha", alpha)?;
    check(e)?;
    let order = largest_first(e);
    // Ascending values: the worst intersections are made of the smallest inside and outside of R.
    let ascending: Vec<f64> = order
        .iter()
        .rev()
        .map(|&i| e[i].min(f64::MAX / e.len() as f64))
        .collect();
    let mut prefix = vec![0.0; ascending.len() + 1];
    for (i, value) in ascending.iter().enumerate() {
        prefix[i + 1] = prefix[i] + value;
    }
    let count = (1..=e.len())
        .rev()
        .find(|&r| holds(&ascending, &prefix, r, alpha))
        .unwrap_or(0);
    Ok(first_sorted(&order, count))
}

/// Whether every intersection hypothesis supports the rejection of the `r` largest.
///
/// For `a` members inside R the demand per member is `c = a / (alpha r)`; the outside members that
/// make it hardest are exactly those below `c`. As `a` grows so does `c`: one pass.
fn holds(ascending: &[f64], prefix: &[f64], r: usize, alpha: f64) -> bool {
    let outside = ascending.len() - r;
    let mut below = 0;
    (1..=r).all(|a| {
        let demand = a as f64 / (alpha * r as f64);
        while below < outside && ascending[below] < demand {
            below += 1;
        }
        let inside = prefix[outside + a] - prefix[outside];
        inside + prefix[below] >= (a + below) as f64 * demand
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiple::e_bh;
    use proptest::prelude::*;

    /// The definition, over all subsets.
    fn by_definition(e: &[f64], alpha: f64) -> usize {
        let order = largest_first(e);
        (1..=e.len())
            .rev()
            .find(|&r| {
                (1u32..1 << e.len()).all(|set| {
                    let members: Vec<usize> = (0..e.len()).filter(|i| set >> i & 1 == 1).collect();
                    let mean =
                        members.iter().map(|&i| e[order[i]]).sum::<f64>() / members.len() as f64;
                    let inside = members.iter().filter(|&&i| i < r).count() as f64;
                    mean * (1.0 + 1e-12) >= inside / (alpha * r as f64)
                })
            })
            .unwrap_or(0)
    }

    proptest! {
        #[test]
        fn equals_the_definition_and_contains_e_bh(
            e in proptest::collection::vec(0.0f64..200.0, 1..9),
            alpha in 0.02f64..0.5,
        ) {
            let closed = closed_e_bh(&e, alpha).unwrap();
            prop_assert_eq!(closed.len(), by_definition(&e, alpha));
            for i in e_bh(&e, alpha).unwrap() {
                prop_assert!(closed.contains(&i));
            }
        }
    }
}
