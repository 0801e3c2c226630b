//! Sequences from the mixture boundaries.

use super::Interval;
use crate::boundary::{GammaExponential, Mixture, NormalMixture, Sides};
use crate::error::{Result, level, positive, unit};

/// `mean +- u(t/4)/t` with the two-sided normal mixture: values in [0, 1] are sub-Gaussian with
/// variance proxy 1/4.
///
/// **Assumes** values in [0, 1] with a constant conditional mean. **Guarantee**: level `alpha` at all
/// times. Source: Howard et al. 2021, cor. 1 with a normal mixture.
///
/// ```
/// use driftlead_stats::cs::ConjugateHoeffding;
/// let mut sequence = ConjugateHoeffding::new(0.05, 100.0)?;
/// for t in 0..400 {
///     sequence.update(f64::from(t % 2))?;
/// }
/// assert!(sequence.interval()?.contains(0.5));
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConjugateHoeffding {
    alpha: f64,
    mixture: NormalMixture,
    count: f64,
    sum: f64,
}

impl ConjugateHoeffding {
    /// Empty; tightest near `t_opt` observations.
    ///
    /// # Errors
    /// `alpha` outside (0, 1) or `t_opt` not positive.
    pub fn new(alpha: f64, t_opt: f64) -> Result<Self> {
        let mixture = NormalMixture::new(t_opt / 4.0, alpha, Sides::Two)?;
        Ok(Self {
            alpha,
            mixture,
            count: 0.0,
            sum: 0.0,
        })
    }

    /// Adds an observation.
    ///
    /// # Errors
    /// `x` outside [0, 1].
    pub fn update(&mut self, x: f64) -> Result<()> {
        self.sum += unit("x", x)?;
        self.count += 1.0;
        Ok(())
    }

    /// The interval now; [0, 1] before the first observation.
    ///
    /// # Errors
    /// None in practice: those of the boundary.
    pub fn interval(&self) -> Result<Interval> {
        if self.count == 0.0 {
            return Ok(Interval::UNIT);
        }
        let margin = self.mixture.bound(self.count / 4.0, self.alpha)? / self.count;
        let mean = self.sum / self.count;
        Ok(Interval {
            low: (mean - margin).max(0.0),
            high: (mean + margin).min(1.0),
        })
    }
}

/// Empirical-Bernstein sequence from the gamma-exponential mixture, intrinsic time
/// `V_t = sum (x_i - mean of the earlier ones)^2` with first mean 1/2; `alpha/2` per side.
///
/// Adapts to a small variance; defined for a constant stream (`V = 0` is possible only at 1/2).
/// **Assumes** values in [0, 1] with a constant conditional mean. **Guarantee**: level `alpha` at all times.
/// Source: Howard et al. 2021, thm. 4 with prop. 9.
///
/// ```
/// use driftlead_stats::cs::ConjugateBernstein;
/// let mut sequence = ConjugateBernstein::new(0.05, 25.0)?;
/// for _ in 0..400 {
///     sequence.update(0.5)?;
/// }
/// assert!(sequence.interval()?.width() < 0.1);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConjugateBernstein {
    side: f64,
    mixture: GammaExponential,
    count: f64,
    sum: f64,
    intrinsic: f64,
}

impl ConjugateBernstein {
    /// Empty; tightest near intrinsic time `v_opt`.
    ///
    /// # Errors
    /// `alpha` outside (0, 1) or `v_opt` not positive.
    pub fn new(alpha: f64, v_opt: f64) -> Result<Self> {
        let side = level("alpha", alpha)? / 2.0;
        positive("v_opt", v_opt)?;
        let mixture = GammaExponential::new(v_opt, side, 1.0)?;
        Ok(Self {
            side,
            mixture,
            count: 0.0,
            sum: 0.0,
            intrinsic: 0.0,
        })
    }

    /// Adds an observation.
    ///
    /// # Errors
    /// `x` outside [0, 1].
    pub fn update(&mut self, x: f64) -> Result<()> {
        unit("x", x)?;
        let before = if self.count > 0.0 {
            self.sum / self.count
        } else {
            0.5
        };
        self.intrinsic += (x - before).powi(2);
        self.count += 1.0;
        self.sum += x;
        Ok(())
    }

    /// The interval now; [0, 1] before the first observation.
    ///
    /// # Errors
    /// Those of the boundary.
    pub fn interval(&self) -> Result<Interval> {
        if self.count == 0.0 {
            return Ok(Interval::UNIT);
        }
        let margin = self.mixture.bound(self.intrinsic, self.side)? / self.count;
        let mean = self.sum / self.count;
        Ok(Interval {
            low: (mean - margin).max(0.0),
            high: (mean + margin).min(1.0),
        })
    }
}
