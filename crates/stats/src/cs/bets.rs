//! Predictable bets: each uses only the observations before it.

use crate::error::{Result, unit};

/// Regularised running moments of a stream in [0, 1] and the bets derived from them.
///
/// `mean_t = (1/2 + sum x)/(t+1)`, `variance_t = (1/4 + sum (x_i - mean_i)^2)/(t+1)`. Source:
/// Waudby-Smith & Ramdas 2024, "Estimating means of bounded random variables by betting" (JRSS-B
/// 86:1), section 3 and appendix B.
///
/// **Assumes** values in [0, 1]. **Guarantee**: a bet uses only the observations before it, so the capital of
/// [`super::BettingMartingale`] grows on average by nothing under the hypothesis, whichever bet is made.
///
/// ```
/// use driftlead_stats::cs::Bets;
/// let mut bets = Bets::default();
/// bets.update(0.9)?;
/// assert!(bets.approximate_kelly(0.2) > 0.0);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bets {
    count: f64,
    sum: f64,
    squares: f64,
    spread: f64,
}

impl Bets {
    /// Adds an observation.
    ///
    /// # Errors
    /// `x` outside [0, 1].
    pub fn update(&mut self, x: f64) -> Result<()> {
        unit("x", x)?;
        self.count += 1.0;
        self.sum += x;
        self.squares += x * x;
        self.spread += (x - self.mean()).powi(2);
        Ok(())
    }

    /// Regularised mean of what was seen.
    #[must_use]
    pub fn mean(&self) -> f64 {
        (0.5 + self.sum) / (self.count + 1.0)
    }

    /// Regularised variance of what was seen, positive.
    #[must_use]
    pub fn variance(&self) -> f64 {
        (0.25 + self.spread) / (self.count + 1.0)
    }

    /// Next predictable-mixture empirical-Bernstein bet at level `alpha`:
    /// `sqrt(2 ln(1/alpha) / (t ln(1+t) variance))`. Infinite at `alpha = 0`.
    #[must_use]
    pub fn empirical_bernstein(&self, alpha: f64) -> f64 {
        let t = self.count + 1.0;
        (-2.0 * alpha.ln() / (t * t.ln_1p() * self.variance())).sqrt()
    }

    /// Next approximate-Kelly bet against mean `m`, in `[-1/(1-m), 1/m]`.
    #[must_use]
    pub fn approximate_kelly(&self, m: f64) -> f64 {
        let gap = self.mean() - m;
        let bet = gap / (self.variance() + gap * gap);
        bet.max(-1.0 / (1.0 - m)).min(1.0 / m)
    }

    /// Next lower-bound-on-wealth bet against mean `m`; 0 for a stream that is constant at `m`.
    #[must_use]
    pub fn lower_bound_on_wealth(&self, m: f64) -> f64 {
        let gap = self.mean() - m;
        let spread = (self.squares - 2.0 * m * self.sum + m * m * self.count).max(0.0);
        let numerator = if self.count == 0.0 { 0.25 } else { spread };
        let room = if gap > 0.0 { m } else { 1.0 - m };
        let denominator = room * gap.abs() + numerator / (self.count + 2.0) + gap * gap;
        if denominator > 0.0 {
            gap / denominator
        } else {
            0.0
        }
    }
}
