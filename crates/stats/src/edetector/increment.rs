//! Baseline increments: likelihood ratios and bets against the level before the change.

use crate::error::{Result, StatsError, finite, level, positive, within};

/// What is known of one observation before the change.
///
/// Each variant says what it **assumes**. **Guarantee**: under that the increment `L` has conditional
/// mean at most 1, which is all that detectors and e-processes ask for. Source: Shin, Ramdas, Rinaldo
/// 2024, section 3; Waudby-Smith & Ramdas 2024 for the bounded one.
///
/// ```
/// use driftlead_stats::edetector::Baseline;
/// let baseline = Baseline::Bernoulli { p: 0.1 };
/// let gain = |x: f64| baseline.ln_increment(x, 1.0).exp();
/// // A fair bet: worth 1 on average at the baseline.
/// assert!((0.1 * gain(1.0) + 0.9 * gain(0.0) - 1.0).abs() < 1e-12);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Baseline {
    /// Gaussian (or sub-Gaussian) with this mean and standard deviation. `ln L = lambda (x - mean) -
    /// lambda^2 sd^2 / 2`. Valid as soon as `E[e^(lambda (x - mean)) | past] <= e^(lambda^2 sd^2 / 2)`.
    Normal {
        /// Mean before the change.
        mean: f64,
        /// Standard deviation, or variance proxy's root.
        sd: f64,
    },
    /// 0 or 1 (or any value in [0, 1]) with this mean. `ln L = lambda x - ln(1 - p + p e^lambda)`.
    Bernoulli {
        /// Probability before the change.
        p: f64,
    },
    /// In [0, 1] with this mean; no distribution assumed. `L = 1 + lambda (x/mean - 1)` with
    /// `lambda` in `(mean/(mean-1), 1)`.
    Bounded {
        /// Mean before the change.
        mean: f64,
    },
}

impl Baseline {
    /// Gaussian with unit variance.
    ///
    /// # Errors
    /// A mean that is not finite.
    pub fn standard_normal(mean: f64) -> Result<Self> {
        Ok(Self::Normal {
            mean: finite("mean", mean)?,
            sd: 1.0,
        })
    }

    /// Checks the parameters of the baseline.
    ///
    /// # Errors
    /// A parameter outside its domain.
    pub fn check(&self) -> Result<()> {
        match *self {
            Self::Normal { mean, sd } => finite("mean", mean).and(positive("sd", sd))?,
            Self::Bernoulli { p } => level("p", p)?,
            Self::Bounded { mean } => level("mean", mean)?,
        };
        Ok(())
    }

    /// Checks one bet against the domain of the family.
    ///
    /// # Errors
    /// [`StatsError::NotFinite`], or for a bounded baseline a `lambda` outside `[mean/(mean-1), 1]`.
    pub fn check_bet(&self, lambda: f64) -> Result<()> {
        finite("lambda", lambda)?;
        match *self {
            Self::Bounded { mean } if lambda > 1.0 || lambda < mean / (mean - 1.0) => {
                Err(StatsError::OutOfDomain {
                    name: "lambda",
                    value: lambda,
                    domain: "[mean/(mean-1), 1]",
                })
            }
            _ => Ok(()),
        }
    }

    /// Checks one observation.
    ///
    /// # Errors
    /// [`StatsError::NotFinite`], or a value outside [0, 1] where the family needs it inside.
    #[inline]
    pub fn check_observation(&self, x: f64) -> Result<f64> {
        match self {
            Self::Normal { .. } => finite("x", x),
            _ => within("x", x, "[0, 1]", |x| (0.0..=1.0).contains(&x)),
        }
    }

    /// `ln L(x; lambda)`; `-inf` when a bet of the whole capital is lost.
    #[inline]
    #[must_use]
    pub fn ln_increment(&self, x: f64, lambda: f64) -> f64 {
        match *self {
            Self::Normal { mean, sd } => lambda * (x - mean) - 0.5 * (lambda * sd).powi(2),
            // Two forms of ln(1 - p + p e^lambda) that cannot overflow.
            Self::Bernoulli { p } if lambda <= 0.0 => lambda * x - (p * lambda.exp_m1()).ln_1p(),
            Self::Bernoulli { p } => lambda * (x - 1.0) - ((1.0 - p) * (-lambda).exp_m1()).ln_1p(),
            Self::Bounded { mean } => (lambda * (x / mean - 1.0)).ln_1p(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bernoulli_increment_is_a_likelihood_ratio() {
        let (p, q) = (0.1f64, 0.3f64);
        let lambda = crate::special::logit(q) - crate::special::logit(p);
        let baseline = Baseline::Bernoulli { p };
        assert!((baseline.ln_increment(1.0, lambda) - (q / p).ln()).abs() < 1e-14);
        assert!((baseline.ln_increment(0.0, lambda) - ((1.0 - q) / (1.0 - p)).ln()).abs() < 1e-14);
        assert!(baseline.ln_increment(1.0, 800.0).is_finite());
    }

    #[test]
    fn domains_are_checked() {
        assert!(Baseline::Bernoulli { p: 0.0 }.check().is_err());
        assert!(Baseline::Bounded { mean: 0.2 }.check_bet(-0.26).is_err());
        assert!(
            Baseline::Bounded { mean: 0.2 }
                .check_observation(1.1)
                .is_err()
        );
        assert!(
            Baseline::Normal { mean: 0.0, sd: 1.0 }
                .check_observation(f64::NAN)
                .is_err()
        );
    }
}
