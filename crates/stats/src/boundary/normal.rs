//! Normal mixture: the boundary for sub-Gaussian processes.

use super::{Mixture, Sides, checked_tuning};
use crate::error::{Result, level, non_negative};
use crate::special::ln_normal_cdf;

/// Normal (two-sided) or half-normal (one-sided) mixture of `exp(lambda s - lambda^2 v / 2)`.
///
/// Source: Robbins 1970; Howard et al. 2021, eq. 14 (two-sided) and prop. 6 (one-sided).
///
/// **Assumes** a process that is sub-Gaussian in its intrinsic time. **Guarantee**: the process ever
/// reaches the bound with probability at most `alpha`, whatever the tuning.
///
/// ```
/// use driftlead_stats::boundary::{Mixture, NormalMixture, Sides};
/// let two_sided = NormalMixture::new(100.0, 0.05, Sides::Two)?;
/// assert!((two_sided.bound(100.0, 0.05)? - 30.35209).abs() < 1e-5);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NormalMixture {
    rho: f64,
    sides: Sides,
}

impl NormalMixture {
    /// Tightest at intrinsic time `v_opt` for level `alpha_opt`.
    ///
    /// # Errors
    /// `v_opt <= 0`, or `alpha_opt` outside (0, 1) (two-sided) or (0, 1/2) (one-sided).
    pub fn new(v_opt: f64, alpha_opt: f64, sides: Sides) -> Result<Self> {
        Ok(Self {
            rho: checked_tuning(v_opt, alpha_opt, sides)?,
            sides,
        })
    }
}

impl Mixture for NormalMixture {
    fn ln_mixture(&self, s: f64, v: f64) -> f64 {
        let total = v + self.rho;
        let quadratic = s * s / (2.0 * total);
        match self.sides {
            Sides::Two => 0.5 * (self.rho / total).ln() + quadratic,
            Sides::One => {
                0.5 * (4.0 * self.rho / total).ln() + quadratic + ln_normal_cdf(s / total.sqrt())
            }
        }
    }

    fn bound(&self, v: f64, alpha: f64) -> Result<f64> {
        level("alpha", alpha)?;
        non_negative("v", v)?;
        match self.sides {
            Sides::Two => Ok(((v + self.rho) * ((v / self.rho).ln_1p() - 2.0 * alpha.ln())).sqrt()),
            Sides::One => one_sided_bound(self, v, alpha),
        }
    }
}

/// The two-sided bound at level `2 alpha` lies below, the one at `alpha` above the one-sided bound.
fn one_sided_bound(mixture: &NormalMixture, v: f64, alpha: f64) -> Result<f64> {
    let goal = -alpha.ln();
    let total = v + mixture.rho;
    let high = (total * ((v / mixture.rho).ln_1p() + 2.0 * goal)).sqrt();
    crate::special::find_root(0.0, high, |s| mixture.ln_mixture(s, v) - goal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sided_golden_value() {
        let one = NormalMixture::new(100.0, 0.05, Sides::One).unwrap();
        assert!((one.bound(100.0, 0.05).unwrap() - 27.66071).abs() < 1e-5);
    }

    #[test]
    fn wrong_tuning_is_refused() {
        assert!(NormalMixture::new(0.0, 0.05, Sides::Two).is_err());
        assert!(NormalMixture::new(1.0, 0.6, Sides::One).is_err());
        assert!(NormalMixture::new(f64::NAN, 0.05, Sides::Two).is_err());
        let fine = NormalMixture::new(1.0, 0.05, Sides::Two).unwrap();
        assert!(fine.bound(-1.0, 0.05).is_err() && fine.bound(1.0, 1.0).is_err());
    }
}
