//! Gamma function and incomplete gamma functions in the log domain.

use super::logspace::{log_add_exp, log_sub_exp};
use super::normal::ln_normal_cdf;

/// `ln sqrt(2 pi)`.
pub(crate) const LN_SQRT_2PI: f64 = 0.918_938_533_204_672_741_780_329_736_406;

/// Coefficients of the asymptotic series of [`stirling_error`] (DLMF 5.11.1), `B_2k / (2k (2k-1))`.
const STIRLING: [f64; 8] = [
    1.0 / 12.0,
    -1.0 / 360.0,
    1.0 / 1260.0,
    -1.0 / 1680.0,
    1.0 / 1188.0,
    -691.0 / 360_360.0,
    1.0 / 156.0,
    -3617.0 / 122_400.0,
];

/// Smallest argument at which eight terms of the series leave less than 1e-16.
const STIRLING_FROM: f64 = 15.0;

/// `ln Gamma(x) - (x - 1/2) ln x + x - ln sqrt(2 pi)` for `x > 0`.
///
/// The part of `ln Gamma` that Stirling's formula leaves over. Differences of `ln Gamma` at large
/// arguments lose their digits; differences of this do not (Loader 2000).
#[must_use]
pub fn stirling_error(x: f64) -> f64 {
    if x >= STIRLING_FROM {
        return stirling_series(x);
    }
    ln_gamma(x) - ((x - 0.5) * x.ln() - x) - LN_SQRT_2PI
}

fn stirling_series(x: f64) -> f64 {
    let inv2 = 1.0 / (x * x);
    STIRLING.iter().rev().fold(0.0, |acc, c| acc * inv2 + c) / x
}

/// `ln Gamma(x)` for `x > 0`, absolute error about 1e-15 near its zeros; NaN for `x <= 0`.
///
/// ```
/// use driftlead_stats::special::ln_gamma;
/// assert!((ln_gamma(0.5) - 0.5 * std::f64::consts::PI.ln()).abs() < 1e-15);
/// assert_eq!(ln_gamma(1.0), 0.0);
/// ```
#[must_use]
pub fn ln_gamma(x: f64) -> f64 {
    if x.is_nan() || x <= 0.0 {
        return f64::NAN;
    }
    if x == 1.0 || x == 2.0 {
        return 0.0;
    }
    // Gamma(x + n) = x (x+1) ... Gamma(x) moves the argument into the range of the series.
    let mut shifted = x;
    let mut product = 1.0;
    while shifted < STIRLING_FROM {
        product *= shifted;
        shifted += 1.0;
    }
    (shifted - 0.5) * shifted.ln() - shifted + LN_SQRT_2PI + stirling_series(shifted) - product.ln()
}

/// `a ln(a / x) + x - a`, accurate when `a` is close to `x` (the deviance part `bd0` of Loader 2000).
///
/// Zero at `a = x`, positive elsewhere; `x` for `a = 0`.
#[must_use]
pub fn binomial_deviance(a: f64, x: f64) -> f64 {
    if a == 0.0 {
        return x;
    }
    let gap = a - x;
    // Halves, because the sum of two large numbers may overflow.
    let middle = 0.5 * a + 0.5 * x;
    if gap.abs() > 0.2 * middle {
        return a * (a / x).ln() + x - a;
    }
    // ln(a/x) = 2 atanh(v) with v = (a-x)/(a+x): the leading terms cancel by hand.
    let v = 0.5 * gap / middle;
    let v2 = v * v;
    let mut sum = gap * v;
    let mut power = 2.0 * (a * v);
    let mut odd = 3.0;
    loop {
        power *= v2;
        let next = sum + power / odd;
        if next == sum || odd > 1000.0 {
            return next;
        }
        sum = next;
        odd += 2.0;
    }
}

/// Above this shape the uniform expansion replaces the series, whose cost grows as `sqrt(a)`.
const LARGE_SHAPE: f64 = 1e5;

/// Coefficients of the first two functions of Temme's uniform expansion (DiDonato & Morris 1986, eq. 18).
const TEMME_0: [f64; 9] = [
    -1.0 / 3.0,
    1.0 / 12.0,
    -2.0 / 135.0,
    1.0 / 864.0,
    1.0 / 2835.0,
    -139.0 / 777_600.0,
    1.0 / 25_515.0,
    -571.0 / 261_273_600.0,
    -281.0 / 151_559_100.0,
];
const TEMME_1: [f64; 6] = [
    -1.0 / 540.0,
    -1.0 / 288.0,
    1.0 / 378.0,
    -77.0 / 77_760.0,
    1.0 / 4860.0,
    -4.018_775_720_16e-7,
];

/// `ln[ Gamma(a) x^-a e^x ]`, with the large terms cancelled by hand.
fn ln_scaled_gamma_full(a: f64, x: f64) -> f64 {
    LN_SQRT_2PI - 0.5 * a.ln() + stirling_error(a) + binomial_deviance(a, x)
}

/// `ln[ gamma(a, x) x^-a e^x ]`, the scaled lower incomplete gamma function, for `a, x > 0`.
///
/// In the mixture boundaries the factor `x^-a e^x` cancels against the other terms, so this is the
/// quantity that keeps its digits at intrinsic times of 1e6 and beyond.
#[must_use]
pub fn ln_scaled_gamma_lower(a: f64, x: f64) -> f64 {
    if is_central(a, x) {
        return ln_scaled_gamma_full(a, x) + ln_temme(a, x, Tail::Lower);
    }
    if x < a + 1.0 {
        ln_lower_series(a, x)
    } else {
        log_sub_exp(ln_scaled_gamma_full(a, x), ln_upper_fraction(a, x))
    }
}

/// `ln[ Gamma(a, x) x^-a e^x ]`, the scaled upper incomplete gamma function, for `a, x > 0`.
#[must_use]
pub fn ln_scaled_gamma_upper(a: f64, x: f64) -> f64 {
    if is_central(a, x) {
        return ln_scaled_gamma_full(a, x) + ln_temme(a, x, Tail::Upper);
    }
    if x < a + 1.0 {
        log_sub_exp(ln_scaled_gamma_full(a, x), ln_lower_series(a, x))
    } else {
        ln_upper_fraction(a, x)
    }
}

/// `ln P(a, x)`, the regularised lower incomplete gamma function, for `a > 0`, `x >= 0`.
///
/// ```
/// use driftlead_stats::special::ln_gamma_p;
/// // P(1, x) = 1 - e^-x
/// assert!((ln_gamma_p(1.0, 2.0) - (1.0 - (-2f64).exp()).ln()).abs() < 1e-14);
/// ```
#[must_use]
pub fn ln_gamma_p(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return f64::NEG_INFINITY;
    }
    ln_scaled_gamma_lower(a, x) - ln_scaled_gamma_full(a, x)
}

/// `ln Q(a, x)`, the regularised upper incomplete gamma function, for `a > 0`, `x >= 0`.
#[must_use]
pub fn ln_gamma_q(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    ln_scaled_gamma_upper(a, x) - ln_scaled_gamma_full(a, x)
}

/// `sum_n x^n / (a (a+1) ... (a+n))` (DLMF 8.11.4), for `x < a + 1`. Terms are kept relative to the first,
/// `1/a`: at shapes near the largest `f64` the terms themselves would be subnormal and never shrink.
fn ln_lower_series(a: f64, x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = term;
    let mut shape = a;
    loop {
        shape += 1.0;
        term *= x / shape;
        sum += term;
        if term <= sum * 1e-17 || !sum.is_finite() {
            return sum.ln() - a.ln();
        }
    }
}

/// Continued fraction of the upper function (DLMF 8.9.2), evaluated by Lentz's method.
fn ln_upper_fraction(a: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / b;
    let mut h = d;
    for i in 1..1_000_000 {
        let i = f64::from(i);
        let an = -i * (i - a);
        b += 2.0;
        d = an * d + b;
        d = 1.0 / if d.abs() < TINY { TINY } else { d };
        c = b + an / c;
        c = if c.abs() < TINY { TINY } else { c };
        let step = c * d;
        h *= step;
        if (step - 1.0).abs() < 1e-16 || !h.is_finite() {
            break;
        }
    }
    h.ln()
}

#[derive(Clone, Copy, PartialEq)]
enum Tail {
    Lower,
    Upper,
}

fn is_central(a: f64, x: f64) -> bool {
    a > LARGE_SHAPE && (x - a).abs() < 0.1 * a
}

/// `ln P` or `ln Q` for large `a` near `x = a`: Temme's uniform expansion, two terms.
fn ln_temme(a: f64, x: f64, tail: Tail) -> f64 {
    let deviance = binomial_deviance(a, x);
    let eta = (2.0 * deviance / a).sqrt().copysign(x - a);
    let poly = |c: &[f64]| c.iter().rev().fold(0.0, |acc, c| acc * eta + c);
    let correction = poly(&TEMME_0) + poly(&TEMME_1) / a;
    let ln_size = correction.abs().ln() - deviance - LN_SQRT_2PI - 0.5 * a.ln();
    let z = eta * a.sqrt();
    let (main, adds) = match tail {
        Tail::Upper => (ln_normal_cdf(-z), correction > 0.0),
        Tail::Lower => (ln_normal_cdf(z), correction < 0.0),
    };
    if adds {
        log_add_exp(main, ln_size)
    } else {
        log_sub_exp(main, ln_size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gamma_at_known_points() {
        assert!((ln_gamma(10.0) - 362_880f64.ln()).abs() < 1e-14);
        assert!((ln_gamma(1e-10) - 23.025_850_929_882_735).abs() < 1e-12);
        // ln 170! by summation of logarithms
        let sum: f64 = (1..=170).map(|k| f64::from(k).ln()).sum();
        assert!((ln_gamma(171.0) / sum - 1.0).abs() < 1e-14);
        assert!(ln_gamma(-1.0).is_nan() && ln_gamma(f64::NAN).is_nan());
    }

    #[test]
    fn small_and_large_shapes_agree_with_closed_forms() {
        // Q(n, x) = e^-x sum_{k<n} x^k / k!
        for (n, x) in [(1, 0.3), (3, 2.0), (5, 12.0), (4, 40.0)] {
            let mut term = 1.0;
            let mut sum = 0.0;
            for k in 0..n {
                sum += term;
                term *= x / f64::from(k + 1);
            }
            let exact = sum.ln() - x;
            assert!(
                (ln_gamma_q(f64::from(n), x) - exact).abs() < 1e-13,
                "n {n} x {x}"
            );
        }
    }

    #[test]
    fn the_series_ends_at_every_shape() {
        // Shapes that one more does not change: a geometric series of ratio x/a.
        for a in [1e18, 1e200, 1e295, 1e308] {
            let exact = 5f64.ln() - f64::ln(a);
            assert!(
                (ln_scaled_gamma_lower(a, 0.8 * a) / exact - 1.0).abs() < 1e-12,
                "a {a}"
            );
            assert!(ln_scaled_gamma_upper(a, 0.8 * a).is_finite(), "a {a}");
        }
    }

    #[test]
    fn the_two_tails_sum_to_one() {
        for a in [0.3, 1.0, 7.5, 300.0, 9e4, 1.1e5, 1e7, 1e11] {
            for z in [-6.0f64, -2.0, -0.1, 0.0, 0.5, 3.0, 7.0] {
                let x = a + z * f64::sqrt(a);
                if x > 0.0 {
                    let total = ln_gamma_p(a, x).exp() + ln_gamma_q(a, x).exp();
                    assert!((total - 1.0).abs() < 1e-12, "a {a} x {x}: {total}");
                }
            }
        }
    }

    #[test]
    fn the_uniform_expansion_meets_the_series() {
        let a = 1.2e5;
        for z in [-20.0, -5.0, -1.0, 0.3, 0.9] {
            let x = a + z * f64::sqrt(a);
            let gap = ln_lower_series(a, x) - ln_scaled_gamma_lower(a, x);
            assert!(gap.abs() < 3e-12, "z {z}: {gap}");
        }
        for z in [1.0, 5.0, 20.0] {
            let x = a + z * f64::sqrt(a);
            let gap = ln_upper_fraction(a, x) - ln_scaled_gamma_upper(a, x);
            assert!(gap.abs() < 3e-12, "z {z}: {gap}");
        }
    }
}
