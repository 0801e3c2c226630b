//! Procedures for p-values at one fixed time.

use crate::error::{Result, unit};

/// Adjusted p-values, in the order of the input.
#[derive(Debug, Clone, PartialEq)]
pub struct Adjusted {
    /// Smallest level at which each hypothesis is rejected, in [0, 1].
    pub p: Vec<f64>,
}

impl Adjusted {
    /// Indices rejected at level `alpha`, in increasing order.
    #[must_use]
    pub fn rejected(&self, alpha: f64) -> Vec<usize> {
        (0..self.p.len()).filter(|&i| self.p[i] <= alpha).collect()
    }
}

/// Benjamini-Hochberg (1995). **Assumes** independent or positively dependent p-values, one look.
///
/// **Guarantee**: false discovery rate at most `alpha` among [`Adjusted::rejected`].
///
/// ```
/// use driftlead_stats::multiple::benjamini_hochberg;
/// let adjusted = benjamini_hochberg(&[0.01, 0.04, 0.03, 0.9])?;
/// assert!((adjusted.p[0] - 0.04).abs() < 1e-12 && (adjusted.p[1] - 0.16 / 3.0).abs() < 1e-12);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// A p-value outside [0, 1].
pub fn benjamini_hochberg(p: &[f64]) -> Result<Adjusted> {
    step_up(p, 1.0)
}

/// Benjamini-Yekutieli (2001): valid under any dependence, at the price of a factor `sum 1/i`.
///
/// **Assumes** valid p-values, one look. **Guarantee**: false discovery rate at most `alpha`.
///
/// ```
/// use driftlead_stats::multiple::benjamini_yekutieli;
/// assert_eq!(benjamini_yekutieli(&[0.001, 0.04, 0.03])?.rejected(0.05), [0]);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// A p-value outside [0, 1].
pub fn benjamini_yekutieli(p: &[f64]) -> Result<Adjusted> {
    step_up(p, (1..=p.len()).map(|i| 1.0 / i as f64).sum())
}

/// Holm (1979): controls the probability of any false rejection under any dependence.
///
/// **Assumes** valid p-values, one look. **Guarantee**: the probability of any false rejection is at most
/// `alpha`.
///
/// ```
/// use driftlead_stats::multiple::holm;
/// assert_eq!(holm(&[0.01, 0.04, 0.03])?.rejected(0.05), [0]);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// A p-value outside [0, 1].
pub fn holm(p: &[f64]) -> Result<Adjusted> {
    let order = smallest_first(p)?;
    let mut adjusted = vec![0.0; p.len()];
    let mut running = 0.0f64;
    for (rank, &i) in order.iter().enumerate() {
        running = running.max((p.len() - rank) as f64 * p[i]).min(1.0);
        adjusted[i] = running;
    }
    Ok(Adjusted { p: adjusted })
}

fn step_up(p: &[f64], factor: f64) -> Result<Adjusted> {
    let order = smallest_first(p)?;
    let n = p.len() as f64;
    let mut adjusted = vec![0.0; p.len()];
    let mut running = 1.0f64;
    for (rank, &i) in order.iter().enumerate().rev() {
        running = running.min(factor * n * p[i] / (rank + 1) as f64);
        adjusted[i] = running;
    }
    Ok(Adjusted { p: adjusted })
}

fn smallest_first(p: &[f64]) -> Result<Vec<usize>> {
    p.iter().try_for_each(|&v| unit("p", v).map(|_| ()))?;
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&i, &j| p[i].total_cmp(&p[j]));
    Ok(order)
}
