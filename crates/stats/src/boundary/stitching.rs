//! Stitched boundaries in closed form.

use crate::error::{Result, level, non_negative, positive, within};
use crate::special::{expit, logit, zeta};

/// Polynomial stitching for sub-gamma processes with scale `c`.
///
/// Looser than a mixture near its tuning point, of iterated-logarithm growth for ever. Source:
/// Howard et al. 2021, eq. 10.
///
/// **Assumes** a process that is sub-gamma with scale `c` in its intrinsic time. **Guarantee**: the
/// process ever reaches the bound with probability at most `alpha`, whatever the tuning.
///
/// ```
/// use driftlead_stats::boundary::PolyStitching;
/// let boundary = PolyStitching::new(10.0, 3.0)?;
/// assert!((boundary.bound(100.0, 0.05)? - 64.48755).abs() < 1e-5);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PolyStitching {
    v_min: f64,
    scale: f64,
    s: f64,
    eta: f64,
}

impl PolyStitching {
    /// Flat before intrinsic time `v_min`; `scale` is the `c` of the process (0: sub-Gaussian).
    /// Spacing `eta = 2` and exponent `s = 1.4` as recommended in the source.
    ///
    /// # Errors
    /// `v_min <= 0` or `scale < 0`.
    pub fn new(v_min: f64, scale: f64) -> Result<Self> {
        Self::with_shape(v_min, scale, 1.4, 2.0)
    }

    /// The same with exponent `s > 1` and epoch ratio `eta > 1` chosen freely.
    ///
    /// # Errors
    /// As [`Self::new`], or `s` or `eta` not above 1.
    pub fn with_shape(v_min: f64, scale: f64, s: f64, eta: f64) -> Result<Self> {
        positive("v_min", v_min)?;
        non_negative("scale", scale)?;
        above_one("s", s)?;
        above_one("eta", eta)?;
        Ok(Self {
            v_min,
            scale,
            s,
            eta,
        })
    }

    /// The boundary at intrinsic time `v`.
    ///
    /// # Errors
    /// `alpha` outside (0, 1), `v` negative or not finite, or shapes beyond what `f64` resolves.
    pub fn bound(&self, v: f64, alpha: f64) -> Result<f64> {
        level("alpha", alpha)?;
        let v = non_negative("v", v)?.max(self.v_min);
        // As a difference of logarithms: the ratio itself can overflow.
        let epochs = self.eta.ln() + v.ln() - self.v_min.ln();
        let ell =
            self.s * epochs.ln() + zeta(self.s).ln() - alpha.ln() - self.s * self.eta.ln().ln();
        let (k1, k2) = stitching_constants(self.eta);
        let linear = k2 * self.scale * ell;
        super::resolved((k1 * k1 * v * ell + linear * linear).sqrt() + linear)
    }
}

fn above_one(name: &'static str, value: f64) -> Result<f64> {
    within(name, value, "(1, inf)", |x| x > 1.0)
}

fn stitching_constants(eta: f64) -> (f64, f64) {
    let quarter = eta.powf(0.25);
    (
        (quarter + 1.0 / quarter) / core::f64::consts::SQRT_2,
        (eta.sqrt() + 1.0) / 2.0,
    )
}

/// Double stitching: the deviation of the empirical distribution function from its value at *every*
/// quantile `p` at once, at any time.
///
/// Source: Howard & Ramdas 2022, "Sequential estimation of quantiles", thm. 3.
///
/// **Assumes** independent observations from one distribution, of any kind. **Guarantee**: all quantiles
/// and all times at once, with probability `1 - alpha`.
///
/// ```
/// use driftlead_stats::boundary::DoubleStitching;
/// let boundary = DoubleStitching::new(100.0)?;
/// assert!((boundary.bound(0.5, 1000.0, 0.05)? - 68.62803).abs() < 1e-5);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DoubleStitching {
    t_opt: f64,
    delta: f64,
    s: f64,
    eta: f64,
}

impl DoubleStitching {
    /// Tightest near `t_opt` observations, with `delta = 0.5`, `s = 1.4`, `eta = 2`.
    ///
    /// # Errors
    /// `t_opt <= 0`.
    pub fn new(t_opt: f64) -> Result<Self> {
        Self::with_shape(t_opt, 0.5, 1.4, 2.0)
    }

    /// The same with grid spacing `delta > 0`, exponent `s > 1` and epoch ratio `eta > 1`.
    ///
    /// # Errors
    /// A parameter outside its range.
    pub fn with_shape(t_opt: f64, delta: f64, s: f64, eta: f64) -> Result<Self> {
        positive("t_opt", t_opt)?;
        positive("delta", delta)?;
        above_one("s", s)?;
        above_one("eta", eta)?;
        Ok(Self {
            t_opt,
            delta,
            s,
            eta,
        })
    }

    /// Largest deviation of a count of values below the `p`-quantile from `p t`, after `t` observations.
    ///
    /// # Errors
    /// `p` or `alpha` outside (0, 1), `t` negative or not finite, or shapes beyond what `f64` resolves.
    pub fn bound(&self, p: f64, t: f64, alpha: f64) -> Result<f64> {
        level("p", p)?;
        level("alpha", alpha)?;
        let t = non_negative("t", t)?.max(self.t_opt);
        let shift = 2.0 * self.delta * (self.t_opt * self.eta / t).sqrt();
        let r = if p >= 0.5 {
            p
        } else {
            expit(logit(p) + shift).min(0.5)
        };
        let variance = r * (1.0 - r);
        let index = (t / self.t_opt).sqrt() * logit(p).abs() / (2.0 * self.delta) + 1.0;
        let z = zeta(self.s);
        let ell = self.s * (self.eta * t / self.t_opt).ln().ln()
            + self.s * index.ln()
            + (2.0 * z * (2.0 * z + 1.0)).ln()
            - alpha.ln()
            - self.s * self.eta.ln().ln();
        let (k1, k2) = stitching_constants(self.eta);
        let linear = k2 * (1.0 - 2.0 * p) / 3.0 * ell;
        super::resolved(
            self.delta * (self.eta * t * variance / self.t_opt).sqrt()
                + (k1 * k1 * variance * t * ell + linear * linear).sqrt()
                + linear,
        )
    }
}
