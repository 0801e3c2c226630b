//! The Bradley-Terry model, converged by Newton's method.

use super::comparisons::{Comparisons, centre};
use crate::cs::Interval;
use crate::error::{Result, StatsError, level, positive};
use crate::special::{cholesky, expit, inverse_positive, normal_quantile, solve_cholesky};

/// What is believed about strengths before any comparison.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Prior {
    /// Nothing: maximum likelihood.
    Flat,
    /// Independent normal strengths with this precision (1/variance).
    Normal(f64),
}

/// Fitted strengths: `P(i beats j) = 1/(1 + exp(strength_j - strength_i))`.
///
/// **Assumes** independent comparisons and one strength per item. **Guarantee**: the maximum of a concave
/// function, to rounding; intervals are those of the Gaussian approximation at the maximum (source:
/// Bradley & Terry 1952; Hunter 2004).
///
/// ```
/// use driftlead_stats::preference::{BradleyTerry, Comparisons, Prior};
/// let outcomes: Vec<(usize, usize)> = (0..40).map(|k| if k % 4 == 0 { (1, 0) } else { (0, 1) }).collect();
/// let fit = BradleyTerry::fit(&Comparisons::new(2, &outcomes)?, Prior::Flat)?;
/// assert!((fit.wins(0, 1)? - 0.75).abs() < 1e-12);
/// assert!(fit.difference(0, 1, 0.05)?.low > 0.0);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct BradleyTerry {
    /// Strengths in logits, mean 0.
    pub strengths: Vec<f64>,
    /// Covariance of the strengths, row by row.
    pub covariance: Vec<f64>,
    /// Log-likelihood at the strengths, without the prior.
    pub ln_likelihood: f64,
}

impl BradleyTerry {
    /// Fits the strengths.
    ///
    /// # Errors
    /// A precision that is not positive; undefined without a prior when no chain of wins leads from
    /// every item to every other.
    pub fn fit(data: &Comparisons, prior: Prior) -> Result<Self> {
        let n = data.items();
        let precision = match prior {
            Prior::Flat => {
                data.check_connected("a Bradley-Terry fit without a prior")?;
                0.0
            }
            Prior::Normal(p) => positive("precision", p)?,
        };
        let objective = |theta: &[f64]| {
            let squares: f64 = theta.iter().map(|t| t * t).sum();
            Self::ln_likelihood(data, theta) - 0.5 * precision * squares
        };
        let mut theta = vec![0.0; n];
        let mut value = objective(&theta);
        for _ in 0..200 {
            let (mut step, information) = derivatives(data, &theta, precision);
            solve_cholesky(&cholesky(&information, n)?, &mut step)?;
            let largest = step.iter().fold(0.0f64, |m, s| m.max(s.abs()));
            let mut share = (4.0 / largest).min(1.0);
            loop {
                let mut next: Vec<f64> = theta
                    .iter()
                    .zip(&step)
                    .map(|(t, s)| t + share * s)
                    .collect();
                centre(&mut next);
                let there = objective(&next);
                if there >= value - 1e-12 * value.abs() {
                    (theta, value) = (next, there);
                    break;
                }
                share *= 0.5;
                if share < 1e-10 {
                    return Err(StatsError::NoConvergence {
                        what: "a Bradley-Terry fit",
                    });
                }
            }
            if largest < 1e-12 * (1.0 + theta.iter().fold(0.0f64, |m, t| m.max(t.abs()))) {
                return Self::finished(data, theta, precision);
            }
        }
        Err(StatsError::NoConvergence {
            what: "a Bradley-Terry fit",
        })
    }

    fn finished(data: &Comparisons, strengths: Vec<f64>, precision: f64) -> Result<Self> {
        let n = data.items();
        let (_, information) = derivatives(data, &strengths, precision);
        let mut covariance = inverse_positive(&information, n)?;
        // What the gauge term put into the direction of equal shifts comes out again: strengths are centred.
        let share = covariance.iter().sum::<f64>() / (n * n) as f64;
        covariance.iter_mut().for_each(|c| *c -= share);
        Ok(Self {
            ln_likelihood: Self::ln_likelihood(data, &strengths),
            strengths,
            covariance,
        })
    }

    /// Log-likelihood of strengths; a missing strength counts as 0.
    #[must_use]
    pub fn ln_likelihood(data: &Comparisons, strengths: &[f64]) -> f64 {
        let at = |i: usize| strengths.get(i).copied().unwrap_or(0.0);
        data.wins()
            .map(|(w, l, count)| -count * softplus(at(l) - at(w)))
            .sum()
    }

    fn index(&self, i: usize) -> Result<f64> {
        self.strengths
            .get(i)
            .copied()
            .ok_or(StatsError::OutOfDomain {
                name: "item",
                value: i as f64,
                domain: "0..items",
            })
    }

    /// Probability that `i` beats `j`.
    ///
    /// # Errors
    /// An item out of range.
    pub fn wins(&self, i: usize, j: usize) -> Result<f64> {
        Ok(expit(self.index(i)? - self.index(j)?))
    }

    /// Interval of the strength of `i` relative to the mean of all, at error level `alpha`.
    ///
    /// # Errors
    /// An item out of range, `alpha` outside (0, 1).
    pub fn interval(&self, i: usize, alpha: f64) -> Result<Interval> {
        let n = self.strengths.len();
        around(self.index(i)?, self.covariance[i * n + i], alpha)
    }

    /// Interval of the strength of `i` minus that of `j`, at error level `alpha`.
    ///
    /// # Errors
    /// An item out of range, `alpha` outside (0, 1).
    pub fn difference(&self, i: usize, j: usize, alpha: f64) -> Result<Interval> {
        let n = self.strengths.len();
        let gap = self.index(i)? - self.index(j)?;
        let c = |a: usize, b: usize| self.covariance[a * n + b];
        around(gap, c(i, i) + c(j, j) - 2.0 * c(i, j), alpha)
    }
}

/// Normal interval.
pub(super) fn around(value: f64, variance: f64, alpha: f64) -> Result<Interval> {
    let z = normal_quantile(1.0 - 0.5 * level("alpha", alpha)?);
    let reach = z * variance.max(0.0).sqrt();
    Ok(Interval {
        low: value - reach,
        high: value + reach,
    })
}

/// `ln(1 + e^x)` without overflow.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// Gradient, and information plus a term that fixes the mean (without it the matrix is singular).
fn derivatives(data: &Comparisons, theta: &[f64], precision: f64) -> (Vec<f64>, Vec<f64>) {
    let n = theta.len();
    let mut gradient: Vec<f64> = theta.iter().map(|t| -precision * t).collect();
    let mut information = vec![1.0; n * n];
    for i in 0..n {
        information[i * n + i] += precision;
    }
    for &(i, j, a, b) in data.pairs() {
        let p = expit(theta[i] - theta[j]);
        let pull = a - (a + b) * p;
        gradient[i] += pull;
        gradient[j] -= pull;
        let weight = (a + b) * p * (1.0 - p);
        information[i * n + i] += weight;
        information[j * n + j] += weight;
        information[i * n + j] -= weight;
        information[j * n + i] -= weight;
    }
    (gradient, information)
}
