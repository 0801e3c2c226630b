//! Gamma-exponential mixture: the boundary behind empirical-Bernstein sequences.

use super::{Mixture, Sides, checked_tuning};
use crate::error::{Result, positive};
use crate::special::ln_scaled_gamma_lower;

/// Gamma mixture of the sub-exponential supermartingale with scale `c`.
///
/// Source: Howard et al. 2021, prop. 9. Written with `G(a, b) = ln[gamma(a, b) b^-a e^b]` the
/// formula becomes `ln M = G(a, b) - G(rho', rho')`, `rho' = rho/c^2`, `a = (v+rho)/c^2`,
/// `b = (c s + v + rho)/c^2`: the terms of size `v` that cost the reference implementation its
/// digits have cancelled on paper. Defined at `v = 0`, where a constant stream lives.
///
/// **Assumes** a process that is sub-exponential with scale `c` in its intrinsic time. **Guarantee**: the
/// process ever reaches the bound with probability at most `alpha`, whatever the tuning.
///
/// ```
/// use driftlead_stats::boundary::{GammaExponential, Mixture};
/// let mixture = GammaExponential::new(100.0, 0.05, 2.0)?;
/// assert!((mixture.bound(100.0, 0.05)? - 33.02017).abs() < 1e-5);
/// assert!(mixture.bound(0.0, 0.05)?.is_finite());
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GammaExponential {
    rho: f64,
    scale: f64,
    start: f64,
}

impl GammaExponential {
    /// Tightest near intrinsic time `v_opt` for level `alpha_opt`; `scale` is the `c` of the process
    /// (1 for values in [0, 1] centred at a prediction in [0, 1]).
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
            start: ln_scaled_gamma_lower(shape, shape),
        })
    }
}

impl Mixture for GammaExponential {
    fn ln_mixture(&self, s: f64, v: f64) -> f64 {
        let c2 = self.scale * self.scale;
        let shape = (v + self.rho) / c2;
        let rate = shape + s / self.scale;
        ln_scaled_gamma_lower(shape, rate) - self.start
    }
}
