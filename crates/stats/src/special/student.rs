//! Tails and quantiles of Student's t and of the F distribution. The rounding of `d2/(d2 + d1 x)` limits
//! the relative accuracy to about 1e-16 times the larger number of degrees of freedom.

use super::beta::ln_beta_inc;
use super::roots::find_root;
use crate::error::{Result, StatsError, level, positive};

/// `P(F <= x)` for an F variable with `d1` and `d2` degrees of freedom (positive, not necessarily whole).
#[must_use]
pub fn f_cdf(x: f64, d1: f64, d2: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    ln_beta_inc(0.5 * d1, 0.5 * d2, d1 * x / (d1 * x + d2)).exp()
}

/// `P(F > x)` without cancellation.
///
/// ```
/// use driftlead_stats::special::f_sf;
/// // With 2 and 2 degrees of freedom the tail is 1/(1 + x).
/// assert!((f_sf(3.0, 2.0, 2.0) - 0.25).abs() < 1e-14);
/// ```
#[must_use]
pub fn f_sf(x: f64, d1: f64, d2: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    ln_beta_inc(0.5 * d2, 0.5 * d1, d2 / (d1 * x + d2)).exp()
}

/// The `p` quantile of F with `d1` and `d2` degrees of freedom.
///
/// ```
/// use driftlead_stats::special::{f_cdf, f_quantile};
/// let q = f_quantile(0.975, 59.0, 177.0)?;
/// assert!((f_cdf(q, 59.0, 177.0) - 0.975).abs() < 1e-13);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// `p` outside (0, 1) or degrees of freedom that are not positive.
pub fn f_quantile(p: f64, d1: f64, d2: f64) -> Result<f64> {
    level("p", p)?;
    positive("d1", d1)?;
    positive("d2", d2)?;
    // The search runs on ln x and on the smaller tail, where the logarithm keeps every digit.
    let gap = |ln_x: f64| {
        let x = ln_x.exp();
        if p <= 0.5 {
            f_cdf(x, d1, d2).ln() - p.ln()
        } else {
            (1.0 - p).ln() - f_sf(x, d1, d2).ln()
        }
    };
    bracketed(gap).map(f64::exp)
}

/// `P(|T| > |t|)` for Student's t with `df` degrees of freedom.
///
/// ```
/// use driftlead_stats::special::student_two_sided;
/// // One degree of freedom is the Cauchy distribution.
/// assert!((student_two_sided(1.0, 1.0) - 0.5).abs() < 1e-14);
/// ```
#[must_use]
pub fn student_two_sided(t: f64, df: f64) -> f64 {
    f_sf(t * t, 1.0, df)
}

/// The `p` quantile of Student's t with `df` degrees of freedom.
///
/// ```
/// use driftlead_stats::special::student_quantile;
/// assert!((student_quantile(0.975, 10.0)? - 2.228_138_851_986_274).abs() < 1e-12);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// `p` outside (0, 1) or `df` not positive.
pub fn student_quantile(p: f64, df: f64) -> Result<f64> {
    level("p", p)?;
    positive("df", df)?;
    if p == 0.5 {
        return Ok(0.0);
    }
    let tail = 2.0 * p.min(1.0 - p);
    let gap = |ln_t: f64| tail.ln() - student_two_sided(ln_t.exp(), df).ln();
    let t = bracketed(gap)?.exp();
    Ok(if p < 0.5 { -t } else { t })
}

/// Root of a rising function of a logarithm, in a bracket that grows until it holds the root.
fn bracketed(gap: impl Fn(f64) -> f64) -> Result<f64> {
    let mut reach = 4.0;
    while reach <= 256.0 {
        // A tail that has underflowed to 0 has an infinite logarithm of the right sign.
        if gap(-reach) <= 0.0 && gap(reach) >= 0.0 {
            return find_root(-reach, reach, |x| gap(x).clamp(-1e3, 1e3));
        }
        reach *= 2.0;
    }
    Err(StatsError::NoConvergence { what: "a quantile" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::special::normal_quantile;

    /// Reference values by scipy 1.17.
    #[test]
    fn known_values() {
        assert!((f_quantile(0.95, 3.0, 10.0).unwrap() - 3.708_264_819_046_843_5).abs() < 1e-12);
        assert!((student_quantile(0.995, 4.0).unwrap() - 4.604_094_871_349_993).abs() < 1e-11);
        assert!((student_quantile(0.025, 1.0).unwrap() + 12.706_204_736_174_7).abs() < 1e-10);
        let (z, df) = (normal_quantile(0.975), 1e6);
        let expanded = z + (z.powi(3) + z) / (4.0 * df);
        assert!((student_quantile(0.975, df).unwrap() - expanded).abs() < 1e-9);
    }

    #[test]
    fn tails_add_up_and_quantiles_invert() {
        for (d1, d2) in [(1.0, 1.0), (2.5, 7.0), (59.0, 177.0), (3.0, 1e4)] {
            for p in [1e-12, 1e-3, 0.3, 0.5, 0.9, 0.999] {
                let q = f_quantile(p, d1, d2).unwrap();
                let ratio = f_cdf(q, d1, d2) / p;
                assert!((ratio - 1.0).abs() < 1e-10, "{d1} {d2} {p}: {ratio}");
                assert!((f_cdf(q, d1, d2) + f_sf(q, d1, d2) - 1.0).abs() < 1e-11);
            }
        }
        assert!(f_quantile(0.0, 1.0, 1.0).is_err() && student_quantile(0.5, -1.0).is_err());
        assert_eq!(student_quantile(0.5, 3.0).unwrap(), 0.0);
    }
}
