//! The posterior-averaged e-process.

use super::Prior;
use crate::eprocess::Weights;
use crate::error::{Result, StatsError, finite};
use crate::special::{LogSum, expit, log_add_exp, logit};

/// Logarithms of the probability of a 1 and of a 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct LogBit {
    pub(super) one: f64,
    pub(super) zero: f64,
}

impl LogBit {
    pub(super) fn of(p: f64) -> Self {
        Self {
            one: p.ln(),
            zero: (-p).ln_1p(),
        }
    }

    #[inline]
    pub(super) fn at(self, x: bool) -> f64 {
        if x { self.one } else { self.zero }
    }
}

/// `E_t = [sum_q pi_q sum_{j<=t} w_j p(x_{<j} | q) mean_d p(x_{>=j} | logit q + d)] / [sum_q pi_q p(x_{1..t} | q)]`.
///
/// **Assumes** independent observations given a baseline that is drawn from the prior (level A2).
/// **Guarantee**: `P(ever E_t >= 1/alpha) <= alpha` on average over people drawn from the prior, not for
/// every person. Source: construction of this project; the recursion is `E_t = sum_q post_q(t) R_q(t)` with the
/// weighted e-process of [`crate::eprocess::Verdict`] for each node. Cost: nodes x shifts per update.
///
/// ```
/// use driftlead_stats::baseline::{PosteriorAveraged, Prior};
/// use driftlead_stats::eprocess::Weights;
/// let shifts = PosteriorAveraged::default_shifts();
/// let mut e = PosteriorAveraged::new(&Prior::beta(2.0, 18.0, 16)?, &shifts, Weights::Horizon(365))?;
/// for t in 0..200 {
///     e.update(if t < 100 { t % 10 == 0 } else { t % 2 == 0 });
/// }
/// assert!(e.ln_value() > 100f64.ln());
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct PosteriorAveraged {
    weights: Weights,
    shifts: usize,
    null: Vec<LogBit>,
    alternatives: Vec<LogBit>,
    ln_prior_likelihood: Vec<f64>,
    ln_ratios: Vec<f64>,
    seen: u64,
    ln_value: f64,
}

impl PosteriorAveraged {
    /// Five shifts on the logit scale, `0.5 * 6^(i/4)`: from 0.5 to 3.
    #[must_use]
    pub fn default_shifts() -> Vec<f64> {
        (0..5)
            .map(|i| 0.5 * 6f64.powf(f64::from(i) / 4.0))
            .collect()
    }

    /// A process that has seen nothing. `shifts` are on the logit scale, positive upward.
    ///
    /// # Errors
    /// No shifts, or one that is not finite.
    pub fn new(prior: &Prior, shifts: &[f64], weights: Weights) -> Result<Self> {
        if shifts.is_empty() {
            return Err(StatsError::Empty { name: "shifts" });
        }
        shifts
            .iter()
            .try_for_each(|&d| finite("shift", d).map(|_| ()))?;
        let shifted = |q: f64, d: f64| expit(logit(q) + d).clamp(1e-300, 1.0 - 1e-15);
        let nodes = prior.nodes();
        Ok(Self {
            weights,
            shifts: shifts.len(),
            null: nodes.iter().map(|&q| LogBit::of(q)).collect(),
            alternatives: nodes
                .iter()
                .flat_map(|&q| shifts.iter().map(move |&d| LogBit::of(shifted(q, d))))
                .collect(),
            ln_prior_likelihood: prior.weights().iter().map(|w| w.ln()).collect(),
            ln_ratios: vec![f64::NEG_INFINITY; nodes.len() * shifts.len()],
            seen: 0,
            ln_value: f64::NEG_INFINITY,
        })
    }

    /// Adds an observation and returns the logarithm of the e-value.
    pub fn update(&mut self, x: bool) -> f64 {
        self.seen += 1;
        let ln_w = self.weights.at(self.seen).ln();
        let (mut changed, mut unchanged) = (LogSum::default(), LogSum::default());
        let rows = self.ln_ratios.chunks_exact_mut(self.shifts);
        let shifted = self.alternatives.chunks_exact(self.shifts);
        for (((ln_p, null), row), bets) in self
            .ln_prior_likelihood
            .iter_mut()
            .zip(&self.null)
            .zip(rows)
            .zip(shifted)
        {
            let here = null.at(x);
            *ln_p += here;
            unchanged.add(*ln_p);
            for (r, bet) in row.iter_mut().zip(bets) {
                *r = log_add_exp(*r, ln_w) + bet.at(x) - here;
                changed.add(*ln_p + *r);
            }
        }
        self.ln_value = changed.value() - (self.shifts as f64).ln() - unchanged.value();
        self.ln_value
    }

    /// Logarithm of the current e-value.
    #[must_use]
    pub fn ln_value(&self) -> f64 {
        self.ln_value
    }

    /// Posterior mean of the baseline if nothing changed, in (0, 1).
    #[must_use]
    pub fn baseline(&self) -> f64 {
        let norm = crate::special::log_sum_exp(&self.ln_prior_likelihood);
        let mean = |(p, bit): (&f64, &LogBit)| (p - norm + bit.one).exp();
        self.ln_prior_likelihood
            .iter()
            .zip(&self.null)
            .map(mean)
            .sum()
    }
}
