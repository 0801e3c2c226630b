//! The standard normal distribution, in logarithms where it matters.

use super::gamma::{LN_SQRT_2PI, ln_gamma_q};
use core::f64::consts::{LN_2, SQRT_2};
use statrs::function::erf::erfc_inv;

/// Below this point the continued fraction is used instead of `erfc`.
const FAR_TAIL: f64 = -8.0;

/// Density of the standard normal.
#[inline]
#[must_use]
pub fn normal_pdf(x: f64) -> f64 {
    (-0.5 * x * x - LN_SQRT_2PI).exp()
}

/// Distribution function of the standard normal.
#[must_use]
pub fn normal_cdf(x: f64) -> f64 {
    if x.is_nan() {
        f64::NAN
    } else if x > 0.0 {
        1.0 - lower_tail(x)
    } else {
        lower_tail(-x)
    }
}

/// `Phi(-x) = Q(1/2, x^2/2) / 2` for `x >= 0` (DLMF 7.11.2). The `erfc` of `statrs` is good to 1e-10 only.
fn lower_tail(x: f64) -> f64 {
    if x > -FAR_TAIL {
        ln_lower_tail(x).exp()
    } else {
        0.5 * ln_gamma_q(0.5, 0.5 * x * x).exp()
    }
}

fn ln_lower_tail(x: f64) -> f64 {
    -0.5 * x * x - LN_SQRT_2PI + mills_ratio(x).ln()
}

/// `1 - normal_cdf(x)` without cancellation.
#[must_use]
pub fn normal_sf(x: f64) -> f64 {
    normal_cdf(-x)
}

/// `ln normal_cdf(x)`, accurate in both tails.
///
/// ```
/// use driftlead_stats::special::ln_normal_cdf;
/// assert!((ln_normal_cdf(-40.0) + 804.608_442_013_754).abs() < 1e-9);
/// assert!((ln_normal_cdf(0.0) - 0.5f64.ln()).abs() < 1e-15);
/// ```
#[must_use]
pub fn ln_normal_cdf(x: f64) -> f64 {
    if x < FAR_TAIL {
        ln_lower_tail(-x)
    } else if x > 0.0 {
        (-normal_sf(x)).ln_1p()
    } else {
        ln_gamma_q(0.5, 0.5 * x * x) - LN_2
    }
}

/// `(1 - Phi(x)) / phi(x)` for large `x` by Laplace's continued fraction, evaluated backwards.
fn mills_ratio(x: f64) -> f64 {
    let tail = (1..=60).rev().fold(x, |acc, k| x + f64::from(k) / acc);
    1.0 / tail
}

/// Quantile of the standard normal; `-inf` at 0, `inf` at 1, NaN outside `[0, 1]`.
///
/// ```
/// use driftlead_stats::special::normal_quantile;
/// assert!((normal_quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-14);
/// ```
#[must_use]
pub fn normal_quantile(p: f64) -> f64 {
    if p.is_nan() || !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if p > 0.5 {
        // 1 - p is exact here (Sterbenz).
        return -normal_quantile(1.0 - p);
    }
    if p == 0.0 {
        return f64::NEG_INFINITY;
    }
    let start = -SQRT_2 * erfc_inv(2.0 * p);
    // One Newton step on the log scale removes what the approximation leaves.
    let ln_cdf = ln_normal_cdf(start);
    let slope = (-0.5 * start * start - LN_SQRT_2PI - ln_cdf).exp();
    start - (ln_cdf - p.ln()) / slope
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_to_the_last_digits() {
        for (x, exact) in [
            (-5.0, 2.866_515_718_791_939e-7),
            (-3.0, 1.349_898_031_630_094_5e-3),
            (-1.0, 0.158_655_253_931_457_05),
            (2.0, 0.977_249_868_051_820_8),
        ] {
            assert!((normal_cdf(x) / exact - 1.0f64).abs() < 1e-13, "{x}");
        }
    }

    #[test]
    fn tail_branches_meet() {
        // ln Phi(-8) by mpmath: -35.01343737...
        assert!((ln_normal_cdf(-8.0) + 35.013_437_159_914_55).abs() < 1e-10);
        let below = ln_normal_cdf(-8.0 - 1e-9);
        let above = ln_normal_cdf(-8.0);
        assert!((below - above + 8.12e-9).abs() < 1e-10, "{}", below - above);
    }

    #[test]
    fn quantile_inverts_the_distribution_function() {
        for p in [1e-300, 1e-20, 1e-6, 0.01, 0.3, 0.5, 0.7, 0.999] {
            let q = normal_quantile(p);
            let ratio = if p < 0.5 {
                ln_normal_cdf(q) / p.ln()
            } else {
                normal_cdf(q) / p
            };
            assert!((ratio - 1.0).abs() < 1e-13, "p {p}: {ratio}");
        }
        assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
        assert_eq!(normal_quantile(1.0), f64::INFINITY);
        assert!(normal_quantile(1.5).is_nan());
    }
}
