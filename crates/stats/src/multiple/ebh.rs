//! The e-value analogue of Benjamini-Hochberg.

use crate::error::{Result, StatsError, level};

/// Indices rejected by e-BH at level `alpha`, in increasing order.
///
/// Rejects the `k` largest, `k = max{k : k e_(k) >= n / alpha}`. **Assumes** e-values. **Guarantee**:
/// false discovery rate at most `alpha` under any dependence, and at any stopping time when the inputs
/// are e-processes (Wang & Ramdas 2022, JRSS-B 84:822). An e-value may be infinite.
///
/// ```
/// use driftlead_stats::multiple::e_bh;
/// assert_eq!(e_bh(&[90.0, 0.5, 45.0, 1.0], 0.05)?, [0, 2]);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// `alpha` outside (0, 1), or a negative or NaN e-value.
pub fn e_bh(e: &[f64], alpha: f64) -> Result<Vec<usize>> {
    level("alpha", alpha)?;
    check(e)?;
    let order = largest_first(e);
    let needed = e.len() as f64 / alpha;
    let count = (1..=e.len())
        .rev()
        .find(|&k| order.get(k - 1).is_some_and(|&i| k as f64 * e[i] >= needed))
        .unwrap_or(0);
    Ok(first_sorted(&order, count))
}

/// Indices flagged by e-d-BH: e-BH applied to the current values of e-detectors.
///
/// **Assumes** values of e-detectors ([`crate::edetector`]). **Guarantee**: error over patience, `sup_tau
/// E[FDP_tau] / E[tau] <= alpha`; no false discovery rate, because a detector with finite average run
/// length has worst-case rate 1 (Dandapanthula & Ramdas, arXiv 2501.04130).
///
/// ```
/// use driftlead_stats::multiple::e_d_bh;
/// assert_eq!(e_d_bh(&[5e4, 10.0, 0.5], 1e-3)?, [0]);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// As [`e_bh`].
pub fn e_d_bh(detectors: &[f64], alpha: f64) -> Result<Vec<usize>> {
    e_bh(detectors, alpha)
}

pub(super) fn check(e: &[f64]) -> Result<()> {
    match e.iter().find(|v| v.is_nan() || **v < 0.0) {
        Some(v) if v.is_nan() => Err(StatsError::NotFinite { name: "e" }),
        Some(v) => Err(StatsError::OutOfDomain {
            name: "e",
            value: *v,
            domain: "[0, inf]",
        }),
        None => Ok(()),
    }
}

/// Indices by decreasing value; equal values keep their order.
pub(super) fn largest_first(e: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..e.len()).collect();
    order.sort_by(|&i, &j| e[j].total_cmp(&e[i]));
    order
}

pub(super) fn first_sorted(order: &[usize], count: usize) -> Vec<usize> {
    let mut rejected = order[..count].to_vec();
    rejected.sort_unstable();
    rejected
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes() {
        assert!(e_bh(&[], 0.05).unwrap().is_empty());
        assert_eq!(e_bh(&[f64::INFINITY, 0.0], 0.05).unwrap(), [0]);
        assert!(e_bh(&[1.0, f64::NAN], 0.05).is_err());
        assert!(e_bh(&[-1.0], 0.05).is_err() && e_bh(&[1.0], 0.0).is_err());
    }
}
