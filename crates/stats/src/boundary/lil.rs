//! A band for the whole empirical distribution function, at any time.

use crate::error::{Result, StatsError, level, positive, within};
use crate::special::{bisect, find_root};
use core::f64::consts::FRAC_1_SQRT_2;

/// Empirical-process bound of the iterated-logarithm kind: a band for the
/// whole empirical distribution function.
///
/// **Assumes** independent observations from one distribution, of any kind. **Guarantee**: with
/// probability `1 - alpha` the empirical distribution function stays within [`Self::bound`] of the truth
/// at all `t >= t_min`. Formula: `A sqrt((ln(1 + ln(t/t_min)) + C)/t)`, where `C` is the smallest
/// constant whose error sums to `alpha` over epochs. Source: Howard & Ramdas 2022, thm. 2.
///
/// ```
/// use driftlead_stats::boundary::EmpiricalProcessLil;
/// let band = EmpiricalProcessLil::new(0.05, 100.0)?;
/// assert!((band.bound(1000.0)? - 0.082_047_787_7).abs() < 1e-9);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EmpiricalProcessLil {
    t_min: f64,
    a: f64,
    c: f64,
}

impl EmpiricalProcessLil {
    /// Band at level `alpha` from `t_min` observations on, with the default factor `A = 0.85`.
    ///
    /// # Errors
    /// `alpha` outside (0, 1) or `t_min <= 0`.
    pub fn new(alpha: f64, t_min: f64) -> Result<Self> {
        Self::with_factor(alpha, t_min, 0.85)
    }

    /// The same with another factor `A > 1/sqrt(2)`: larger `A` trades late width for early width.
    ///
    /// # Errors
    /// As [`Self::new`], or `A` not above `1/sqrt(2)`.
    pub fn with_factor(alpha: f64, t_min: f64, a: f64) -> Result<Self> {
        level("alpha", alpha)?;
        positive("t_min", t_min)?;
        within("A", a, "(1/sqrt(2), inf)", |x| x > FRAC_1_SQRT_2)?;
        Ok(Self {
            t_min,
            a,
            c: smallest_constant(a, alpha)?,
        })
    }

    /// Half-width of the band after `t` observations; infinite before `t_min`.
    ///
    /// # Errors
    /// `t` not positive and finite.
    pub fn bound(&self, t: f64) -> Result<f64> {
        positive("t", t)?;
        if t < self.t_min {
            return Ok(f64::INFINITY);
        }
        Ok(self.a * (((t / self.t_min).ln().ln_1p() + self.c) / t).sqrt())
    }
}

/// The `C` at which the error, minimised over the epoch ratio, equals `alpha`.
fn smallest_constant(a: f64, alpha: f64) -> Result<f64> {
    let gap = |c: f64| least_error(a, c).ln() - alpha.ln();
    let mut high = 5.0;
    while gap(high) > 0.0 {
        high *= 2.0;
        if high > 1e12 {
            return Err(StatsError::NoConvergence {
                what: "the constant of the empirical-process bound",
            });
        }
    }
    bisect(0.0, high, |c| -gap(c).clamp(-1e300, 1e300))
}

/// Error probability summed over epochs of ratio `eta`; infinite where the bound does not apply.
fn error_sum(a: f64, c: f64, eta: f64) -> f64 {
    let gamma = (2.0 / eta).sqrt() * (a - (2.0 * (eta - 1.0) / c).sqrt());
    let gamma2 = gamma * gamma;
    if gamma <= 0.0 || gamma2 <= 1.0 {
        return f64::INFINITY;
    }
    4.0 * (-gamma2 * c).exp() * (1.0 + 1.0 / ((gamma2 - 1.0) * eta.ln()))
}

/// `min over eta` of [`error_sum`] by golden-section search on `(1, eta_max)`.
fn least_error(a: f64, c: f64) -> f64 {
    if c <= 0.0 {
        return f64::INFINITY;
    }
    let edge = |eta: f64| (eta / 2.0).sqrt() + (2.0 * (eta - 1.0) / c).sqrt() - a;
    let Ok(eta_max) = find_root(1.0, 2.0 * a * a, edge) else {
        return f64::INFINITY;
    };
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    let (mut low, mut high) = (1.0, eta_max);
    for _ in 0..120 {
        let left = high - GOLDEN * (high - low);
        let right = low + GOLDEN * (high - low);
        if error_sum(a, c, left) <= error_sum(a, c, right) {
            high = right
        } else {
            low = left
        }
    }
    error_sum(a, c, 0.5 * (low + high))
}
