//! Anytime-valid interval for a proportion.

use super::{BetaBinomial, Mixture, Sides};
use crate::error::{Result, StatsError, checked_counts, level, positive};
use crate::special::bisect;

/// Confidence sequence for the success probability of a Bernoulli stream: every candidate `p` is
/// tested by a two-sided beta-binomial mixture tuned to `t_opt` trials.
///
/// **Assumes** trials whose conditional success probability is constant. **Guarantee**: with probability
/// `1 - alpha` the interval holds the truth at all times at once. Source: Howard et al. 2021, section 4.
///
/// ```
/// use driftlead_stats::boundary::BernoulliInterval;
/// let (low, high) = BernoulliInterval::new(100.0, 0.05)?.interval(700, 1000, 0.05)?;
/// assert!((low - 0.651629).abs() < 1e-6 && (high - 0.745949).abs() < 1e-6);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BernoulliInterval {
    t_opt: f64,
    alpha_opt: f64,
}

impl BernoulliInterval {
    /// Tightest near `t_opt` trials for level `alpha_opt`.
    ///
    /// # Errors
    /// `t_opt <= 0` or `alpha_opt` outside (0, 1).
    pub fn new(t_opt: f64, alpha_opt: f64) -> Result<Self> {
        positive("t_opt", t_opt)?;
        level("alpha_opt", alpha_opt)?;
        Ok(Self { t_opt, alpha_opt })
    }

    /// Interval after `trials` with `successes`, at level `alpha`; `[0, 1]` before the first trial.
    ///
    /// # Errors
    /// More successes than trials, or `alpha` outside (0, 1).
    pub fn interval(&self, successes: u64, trials: u64, alpha: f64) -> Result<(f64, f64)> {
        level("alpha", alpha)?;
        checked_counts(successes, trials)?;
        if trials == 0 {
            return Ok((0.0, 1.0));
        }
        let n = trials as f64;
        let mean = successes as f64 / n;
        let goal = -alpha.ln();
        let excess = |p: f64| self.ln_evidence_against(p, mean, n) - goal;
        // Closer to 0 and 1 than this, 1 - p has no digits left.
        let low = if successes == 0 {
            0.0
        } else {
            edge(1e-15, mean, 0.0, excess)?
        };
        let high = if successes == trials {
            1.0
        } else {
            edge(mean, 1.0 - 1e-15, 1.0, excess)?
        };
        Ok((low, high))
    }

    fn ln_evidence_against(&self, p: f64, mean: f64, n: f64) -> f64 {
        let q = 1.0 - p;
        match BetaBinomial::new(p * q * self.t_opt, self.alpha_opt, p, q, Sides::Two) {
            Ok(mixture) => mixture.ln_mixture((mean - p) * n, p * q * n),
            // Only reachable for p next to 0 or 1, where the mean rules p out.
            Err(_) => f64::INFINITY,
        }
    }
}

/// Where the evidence crosses the threshold between `from` and `to`; `otherwise` if it never does.
fn edge(from: f64, to: f64, otherwise: f64, excess: impl Fn(f64) -> f64) -> Result<f64> {
    let outer = if otherwise == 0.0 { from } else { to };
    if excess(outer) < 0.0 {
        return Ok(otherwise);
    }
    match bisect(from, to, &excess) {
        Err(StatsError::NoConvergence { .. }) => Ok(otherwise),
        found => found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_are_defined() {
        let ci = BernoulliInterval::new(1.0, 0.05).unwrap();
        for (k, n) in [(0, 0), (0, 1), (1, 1), (1, 10), (9, 10), (1, 1000)] {
            let (low, high) = ci.interval(k, n, 0.05).unwrap();
            let mean = if n == 0 { 0.5 } else { k as f64 / n as f64 };
            assert!(
                (0.0..=mean).contains(&low) && (mean..=1.0).contains(&high),
                "{k}/{n}: {low} {high}"
            );
        }
        assert!(ci.interval(2, 1, 0.05).is_err());
    }
}
