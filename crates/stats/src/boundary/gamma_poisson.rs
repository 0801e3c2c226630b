//! Gamma-Poisson mixture: the boundary for increments bounded above.

use super::{Mixture, Sides, checked_tuning};
use crate::error::{Result, positive};
use crate::special::ln_scaled_gamma_upper;

/// Gamma mixture of the sub-Poisson supermartingale with scale `c`.
///
/// Source: Howard et al. 2021, prop. 10. With `U(s, x) = ln[Gamma(s, x) x^-s e^x]` it reads
/// `ln M = U(b, a) - U(rho', rho')`, `rho' = rho/c^2`, `a = (v+rho)/c^2`, `b = s/c + a`.
///
/// **Assumes** increments of at most `c` with conditional mean at most 0, and their conditional
/// variance as intrinsic time. **Guarantee**: the process ever reaches the
/// bound with probability at most `alpha`, whatever the tuning.
///
/// ```
/// use driftlead_stats::boundary::{GammaPoisson, Mixture};
/// let mixture = GammaPoisson::new(100.0, 0.05, 2.0)?;
/// assert!(mixture.bound(100.0, 0.05)? > 0.0);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GammaPoisson {
    rho: f64,
    scale: f64,
    start: f64,
}

impl GammaPoisson {
    /// Tightest near intrinsic time `v_opt` for level `alpha_opt`; increments at most `scale`.
    ///
    /// # Errors
    /// `v_opt` or `scale` not positive, `alpha_opt` outside (0, 1/2).
    pub fn new(v_opt: f64, alpha_opt: f64, scale: f64) -> Result<Self> {
        let rho = checked_tuning(v_opt, alpha_opt, Sides::One)?;
        let scale = positive("scale", scale)?;
        let shape = positive("rho / scale^2", rho / (scale * scale))?;
        Ok(Self {
            rho,
            scale,
            start: ln_scaled_gamma_upper(shape, shape),
        })
    }
}

impl Mixture for GammaPoisson {
    fn ln_mixture(&self, s: f64, v: f64) -> f64 {
        let rate = (v + self.rho) / (self.scale * self.scale);
        let shape = rate + s / self.scale;
        if shape <= 0.0 {
            return f64::NAN;
        }
        ln_scaled_gamma_upper(shape, rate) - self.start
    }
}
