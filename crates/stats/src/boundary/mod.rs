//! Curved boundaries that a process crosses with probability at most `alpha`, at any time.
//!
//! A process `(S_t, V_t)` is *sub-psi* when `exp(lambda S_t - psi(lambda) V_t)` is dominated by a
//! supermartingale. Mixing that supermartingale over lambda gives `M(s, v)`; by Ville's inequality
//! `P(exists t: S_t >= u(V_t)) <= alpha` where `u(v)` is the root of `ln M(s, v) = ln(1/alpha)`
//! (Howard, Ramdas, McAuliffe, Sekhon 2021, "Time-uniform, nonparametric, nonasymptotic confidence
//! sequences"). `V_t` is called *intrinsic time*: for a sum of variance-1 Gaussians it is `t`.
//!
//! | boundary | the process | intrinsic time |
//! |---|---|---|
//! | [`NormalMixture`] | sub-Gaussian: bounded or Gaussian increments | variance proxy, `t (b-a)^2/4` for values in `[a, b]` |
//! | [`GammaExponential`] | sub-exponential with scale `c`: empirical Bernstein | `sum (x_i - centre_(i-1))^2` |
//! | [`GammaPoisson`] | sub-Poisson with scale `c`: increments bounded above | conditional variance |
//! | [`BetaBinomial`] | increments in `[-g, h]` | `g h t` |
//! | [`PolyStitching`] | sub-gamma, in closed form | as above |
//!
//! Every mixture is tuned by the intrinsic time at which it should be tightest; the guarantee holds
//! whatever the tuning.

mod bernoulli;
mod beta_binomial;
mod gamma_exponential;
mod gamma_poisson;
mod lil;
mod normal;
mod stitching;

pub use bernoulli::BernoulliInterval;
pub use beta_binomial::BetaBinomial;
pub use gamma_exponential::GammaExponential;
pub use gamma_poisson::GammaPoisson;
pub use lil::EmpiricalProcessLil;
pub use normal::NormalMixture;
pub use stitching::{DoubleStitching, PolyStitching};

use crate::error::{Result, StatsError, level, non_negative};
use crate::special::find_root;

/// Whether a boundary guards one side or both with the same error level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sides {
    /// `P(exists t: S_t >= u(V_t)) <= alpha`.
    One,
    /// `P(exists t: |S_t| >= u(V_t)) <= alpha`.
    Two,
}

/// A mixture supermartingale and the boundary it implies.
pub trait Mixture {
    /// `ln M(s, v)` for the sum `s` at intrinsic time `v >= 0`. NaN outside the domain.
    fn ln_mixture(&self, s: f64, v: f64) -> f64;

    /// Largest sum that can occur at intrinsic time `v`; infinite when there is no limit.
    fn largest_sum(&self, v: f64) -> f64 {
        let _ = v;
        f64::INFINITY
    }

    /// The boundary `u(v)` at error level `alpha`: the root of `ln M(s, v) = ln(1/alpha)`, or the
    /// largest sum that can occur when the mixture does not reach that value.
    ///
    /// # Errors
    /// `alpha` outside (0, 1), `v` negative or not finite, or no root in the range of `f64`.
    fn bound(&self, v: f64, alpha: f64) -> Result<f64> {
        level("alpha", alpha)?;
        non_negative("v", v)?;
        let goal = -alpha.ln();
        let gap = |s: f64| self.ln_mixture(s, v) - goal;
        let largest = self.largest_sum(v);
        if largest.is_finite() {
            return if gap(largest) < 0.0 {
                Ok(largest)
            } else {
                find_root(0.0, largest, gap)
            };
        }
        let mut high = v.max(1.0);
        while gap(high) < 0.0 {
            high *= 2.0;
            if !high.is_finite() {
                return Err(StatsError::NoConvergence {
                    what: "a mixture boundary",
                });
            }
        }
        find_root(0.0, high, gap)
    }
}

/// `bound`, unless rounding has left nothing of it.
fn resolved(bound: f64) -> Result<f64> {
    if bound.is_nan() {
        return Err(StatsError::Undefined {
            what: "the boundary",
            because: "its parameters are beyond what f64 resolves",
        });
    }
    Ok(bound)
}

/// Tuning `rho` that makes a normal mixture tightest at `v_opt` (Howard et al. 2021, eq. 3.10 in the
/// approximation used by their implementation).
pub(crate) fn tuning(v_opt: f64, alpha_opt: f64, sides: Sides) -> f64 {
    let alpha = match sides {
        Sides::One => 2.0 * alpha_opt,
        Sides::Two => alpha_opt,
    };
    let twice = -2.0 * alpha.ln();
    v_opt / (twice + twice.ln_1p())
}

/// Checks the tuning of a boundary: `v_opt > 0` and a level for which `rho` is positive.
pub(crate) fn checked_tuning(v_opt: f64, alpha_opt: f64, sides: Sides) -> Result<f64> {
    crate::error::positive("v_opt", v_opt)?;
    let domain = match sides {
        Sides::One => "(0, 0.5)",
        Sides::Two => "(0, 1)",
    };
    let limit = if sides == Sides::One { 0.5 } else { 1.0 };
    crate::error::within("alpha_opt", alpha_opt, domain, |a| a > 0.0 && a < limit)?;
    crate::error::positive("rho", tuning(v_opt, alpha_opt, sides))
}
