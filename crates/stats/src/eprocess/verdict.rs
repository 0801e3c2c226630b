//! The e-process of a change at an unknown time.

use super::Weights;
use crate::edetector::{Alternatives, Baseline};
use crate::error::{Result, StatsError, level};
use crate::special::{LogSum, log_add_exp};

/// `E_t = sum_k omega_k sum_{j <= t} w_j prod_{i=j..t} L_i^(k)`, by the recursion
/// `R_t = (R_{t-1} + w_t) L_t` per component.
///
/// **Assumes** `E[L_t | past] <= 1` while nothing changed; `sum w_j <= 1`. **Guarantee**:
/// `P(ever E_t >= 1/alpha) <= alpha`; e-BH on current values of several processes keeps its false
/// discovery rate at any stopping time. Source: weighted Shiryaev-Roberts e-process, Dandapanthula &
/// Ramdas, arXiv 2501.04130; Ville 1939.
///
/// ```
/// use driftlead_stats::edetector::{Alternatives, Baseline};
/// use driftlead_stats::eprocess::{Verdict, Weights};
/// let grid = Alternatives::geometric_bernoulli(0.1, 0.03, 8)?;
/// let mut verdict = Verdict::new(Baseline::Bernoulli { p: 0.1 }, grid, Weights::Horizon(180))?;
/// for t in 0..120 {
///     verdict.update(if t >= 60 && t % 2 == 0 { 1.0 } else { 0.0 })?;
/// }
/// assert!(verdict.e_value() > 100.0);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Verdict {
    baseline: Baseline,
    grid: Alternatives,
    weights: Weights,
    seen: u64,
    ln_values: Vec<f64>,
    ln_value: f64,
}

impl Verdict {
    /// An e-process that has seen nothing.
    ///
    /// # Errors
    /// A baseline or bet outside its domain.
    pub fn new(baseline: Baseline, grid: Alternatives, weights: Weights) -> Result<Self> {
        baseline.check()?;
        grid.lambdas()
            .iter()
            .try_for_each(|&l| baseline.check_bet(l))?;
        let ln_values = vec![f64::NEG_INFINITY; grid.lambdas().len()];
        Ok(Self {
            baseline,
            grid,
            weights,
            seen: 0,
            ln_values,
            ln_value: f64::NEG_INFINITY,
        })
    }

    /// Adds an observation and returns the logarithm of the e-value.
    ///
    /// # Errors
    /// An observation that is not finite or outside the range of the baseline; the state is then
    /// unchanged.
    pub fn update(&mut self, x: f64) -> Result<f64> {
        self.baseline.check_observation(x)?;
        self.seen += 1;
        let ln_w = self.weights.at(self.seen).ln();
        let mut total = LogSum::default();
        let bets = self.grid.lambdas().iter().zip(self.grid.weights());
        for (r, (&lambda, weight)) in self.ln_values.iter_mut().zip(bets) {
            *r = log_add_exp(*r, ln_w) + self.baseline.ln_increment(x, lambda);
            total.add(weight.ln() + *r);
        }
        self.ln_value = total.value();
        Ok(self.ln_value)
    }

    /// Logarithm of the current e-value.
    #[must_use]
    pub fn ln_value(&self) -> f64 {
        self.ln_value
    }

    /// The current e-value; infinite when beyond `f64`.
    #[must_use]
    pub fn e_value(&self) -> f64 {
        self.ln_value.exp()
    }

    /// Whether the current e-value reaches `1/alpha`.
    ///
    /// # Errors
    /// `alpha` outside (0, 1).
    pub fn rejects(&self, alpha: f64) -> Result<bool> {
        Ok(self.ln_value >= -level("alpha", alpha)?.ln())
    }
}

/// Shortest interval of starting times (from 1, both ends included) that holds `coverage` of the
/// posterior `w_j sum_k omega_k prod_{i >= j} L_i^(k)`, given that a change happened.
///
/// A model-based interval (level A3): exact under the prior `weights`, not a frequentist guarantee.
///
/// **Assumes** the increments to be likelihood ratios, the change to be one of the bets, and to last.
/// Source: Bayes' rule for the mixture of [`Verdict`]. For a set with a frequentist guarantee see
/// [`crate::series::change_times`].
///
/// ```
/// use driftlead_stats::edetector::{Alternatives, Baseline};
/// use driftlead_stats::eprocess::{Weights, change_interval};
/// let xs: Vec<f64> = (0..100).map(|t| f64::from(u8::from(t % if t < 60 { 10 } else { 2 } == 0))).collect();
/// let grid = Alternatives::geometric_bernoulli(0.1, 0.03, 8)?;
/// let baseline = Baseline::Bernoulli { p: 0.1 };
/// let (first, last) = change_interval(&baseline, &grid, Weights::Horizon(100), &xs, 0.9)?;
/// assert!(first <= 61 && 61 <= last && last - first < 15);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// No observations, an observation the baseline refuses, or `coverage` outside (0, 1).
pub fn change_interval(
    baseline: &Baseline,
    grid: &Alternatives,
    weights: Weights,
    xs: &[f64],
    coverage: f64,
) -> Result<(u64, u64)> {
    level("coverage", coverage)?;
    if xs.is_empty() {
        return Err(StatsError::Empty {
            name: "observations",
        });
    }
    let mut tails = vec![0.0; grid.lambdas().len()];
    let mut ln_posterior = vec![f64::NEG_INFINITY; xs.len()];
    for (i, (&x, slot)) in xs.iter().zip(&mut ln_posterior).enumerate().rev() {
        baseline.check_observation(x)?;
        let mut total = LogSum::default();
        let bets = grid.lambdas().iter().zip(grid.weights());
        for (tail, (&lambda, weight)) in tails.iter_mut().zip(bets) {
            *tail += baseline.ln_increment(x, lambda);
            total.add(weight.ln() + *tail);
        }
        *slot = weights.at(i as u64 + 1).ln() + total.value();
    }
    let norm = crate::special::log_sum_exp(&ln_posterior);
    let mass: Vec<f64> = ln_posterior.iter().map(|l| (l - norm).exp()).collect();
    Ok(shortest_window(&mass, coverage))
}

/// Shortest window with at least `coverage` of the mass, by two pointers; positions from 1.
fn shortest_window(mass: &[f64], coverage: f64) -> (u64, u64) {
    let mut best = (1, mass.len() as u64);
    let (mut from, mut sum) = (0usize, 0.0);
    for (to, m) in mass.iter().enumerate() {
        sum += m;
        while from < to && sum - mass[from] >= coverage {
            sum -= mass[from];
            from += 1;
        }
        if sum >= coverage && ((to - from) as u64) < best.1 - best.0 {
            best = (from as u64 + 1, to as u64 + 1);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_finds_a_clear_change() {
        let xs: Vec<f64> = (0..100).map(|t| if t >= 60 { 1.0 } else { 0.0 }).collect();
        let grid = Alternatives::geometric_bernoulli(0.1, 0.03, 8).unwrap();
        let baseline = Baseline::Bernoulli { p: 0.1 };
        let (from, to) = change_interval(&baseline, &grid, Weights::OpenEnded, &xs, 0.9).unwrap();
        assert!(from <= 61 && 61 <= to && to - from < 12, "{from} {to}");
        assert!(change_interval(&baseline, &grid, Weights::OpenEnded, &[], 0.9).is_err());
    }
}
