//! Sequences for effects: asymptotic, and from a randomised design.

use super::Interval;
use crate::error::{Result, finite, level, positive};

/// Asymptotic confidence sequence for a mean.
///
/// `mean +- sd sqrt(2 (t rho^2 + 1)/(t^2 rho^2) ln(sqrt(t rho^2 + 1)/alpha))`, `sd` dividing by `t`.
/// **Assumes** independent observations (or martingale differences) with a bit more than two moments.
/// **Guarantee**: level `alpha` at all times, asymptotically in the time of first use. Source:
/// Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas 2024 (arXiv 2103.06476), thm. 2.2.
///
/// ```
/// use driftlead_stats::cs::AsymptoticSequence;
/// let mut sequence = AsymptoticSequence::new(0.05, 100.0)?;
/// for t in 0..100 {
///     sequence.update(f64::from(t % 5))?;
/// }
/// assert!(sequence.interval().contains(2.0));
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AsymptoticSequence {
    alpha: f64,
    rho: f64,
    count: f64,
    mean: f64,
    squares: f64,
}

impl AsymptoticSequence {
    /// Empty; tightest near `t_opt` observations: `rho = sqrt((-2 ln alpha + ln(1 - 2 ln alpha))/t_opt)`.
    ///
    /// # Errors
    /// `alpha` outside (0, 1) or `t_opt` not positive.
    pub fn new(alpha: f64, t_opt: f64) -> Result<Self> {
        level("alpha", alpha)?;
        positive("t_opt", t_opt)?;
        let twice = -2.0 * alpha.ln();
        Self::with_rho(alpha, ((twice + twice.ln_1p()) / t_opt).sqrt())
    }

    /// Empty, with the tuning given directly.
    ///
    /// # Errors
    /// `alpha` outside (0, 1) or `rho` not positive.
    pub fn with_rho(alpha: f64, rho: f64) -> Result<Self> {
        level("alpha", alpha)?;
        positive("rho", rho)?;
        Ok(Self {
            alpha,
            rho,
            count: 0.0,
            mean: 0.0,
            squares: 0.0,
        })
    }

    /// Adds an observation.
    ///
    /// # Errors
    /// `x` not finite.
    pub fn update(&mut self, x: f64) -> Result<()> {
        finite("x", x)?;
        self.count += 1.0;
        let gap = x - self.mean;
        self.mean += gap / self.count;
        self.squares += gap * (x - self.mean);
        Ok(())
    }

    /// The interval now; the whole line before the first observation.
    #[must_use]
    pub fn interval(&self) -> Interval {
        let half = self.half_width();
        Interval {
            low: self.mean - half,
            high: self.mean + half,
        }
    }

    /// Half of the width; infinite before the first observation, 0 for a constant stream.
    #[must_use]
    pub fn half_width(&self) -> f64 {
        let t = self.count;
        if t == 0.0 {
            return f64::INFINITY;
        }
        let size = t * self.rho * self.rho;
        let sd = (self.squares / t).max(0.0).sqrt();
        sd * (2.0 * (size + 1.0) / (t * size) * (size.ln_1p() / 2.0 - self.alpha.ln())).sqrt()
    }
}

/// Design-based sequence for an average treatment effect: the only randomness is the assignment.
///
/// Effect = mean of `y/p` under treatment and `-y/(1-p)` under control; with `S = sum y^2/p_A^2` the
/// half-width is `sqrt((S eta^2 + 1)/eta^2 ln((S eta^2 + 1)/alpha^2)) / t`. **Assumes** known assignment
/// probabilities. **Guarantee**: level `alpha` at all times, asymptotically (level A0: no model of the
/// outcome). Source: Ham, Bojinov, Lindon, Tingley 2022.
///
/// ```
/// use driftlead_stats::cs::DesignSequence;
/// let mut sequence = DesignSequence::new(0.05, 0.1)?;
/// for t in 0..200 {
///     sequence.update(t % 2 == 0, 0.5, 0.3)?;
/// }
/// assert!(sequence.interval().contains(0.0));
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DesignSequence {
    alpha: f64,
    eta: f64,
    count: f64,
    sum: f64,
    intrinsic: f64,
}

impl DesignSequence {
    /// Empty, with tuning `eta` (larger: tighter early).
    ///
    /// # Errors
    /// `alpha` outside (0, 1) or `eta` not positive.
    pub fn new(alpha: f64, eta: f64) -> Result<Self> {
        level("alpha", alpha)?;
        positive("eta", eta)?;
        Ok(Self {
            alpha,
            eta,
            count: 0.0,
            sum: 0.0,
            intrinsic: 0.0,
        })
    }

    /// Adds one decision: whether treated, the probability of treatment, and the outcome.
    ///
    /// # Errors
    /// `p` outside (0, 1) or an outcome that is not finite.
    pub fn update(&mut self, treated: bool, p: f64, outcome: f64) -> Result<()> {
        level("p", p)?;
        finite("outcome", outcome)?;
        let term = if treated {
            outcome / p
        } else {
            -outcome / (1.0 - p)
        };
        self.count += 1.0;
        self.sum += term;
        self.intrinsic += term * term;
        Ok(())
    }

    /// The interval now; the whole line before the first decision, and once the squares of the outcomes
    /// have left the range of `f64`.
    #[must_use]
    pub fn interval(&self) -> Interval {
        let half = self.half_width();
        if !half.is_finite() {
            return Interval {
                low: f64::NEG_INFINITY,
                high: f64::INFINITY,
            };
        }
        let mean = self.sum / self.count;
        Interval {
            low: mean - half,
            high: mean + half,
        }
    }

    /// Half of the width; infinite before the first decision.
    #[must_use]
    pub fn half_width(&self) -> f64 {
        if self.count == 0.0 {
            return f64::INFINITY;
        }
        let size = self.intrinsic * self.eta * self.eta;
        let ln = size.ln_1p() - 2.0 * self.alpha.ln();
        ((size + 1.0) * ln).sqrt() / (self.eta * self.count)
    }
}
