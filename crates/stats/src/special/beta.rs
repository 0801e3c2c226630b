//! Beta function and incomplete beta function in the log domain.

use super::gamma::{LN_SQRT_2PI, binomial_deviance, stirling_error};
use super::logspace::log_sub_exp;
use super::quadrature::gauss_legendre;

/// `ln B(a, b)` for `a, b > 0`.
#[must_use]
pub fn ln_beta(a: f64, b: f64) -> f64 {
    let total = a + b;
    ln_scaled_beta(a, b, a / total) + a * (a / total).ln() + b * (b / total).ln()
}

/// `ln[ B(a, b) x^-a (1-x)^-b ]` for `0 < x < 1`.
///
/// Stirling's formula with its remainder (Loader 2000), so that nothing large is subtracted.
#[must_use]
pub fn ln_scaled_beta(a: f64, b: f64, x: f64) -> f64 {
    let n = a + b;
    let remainder = stirling_error(a) + stirling_error(b) - stirling_error(n);
    let deviance = binomial_deviance(a, n * x) + binomial_deviance(b, n * (1.0 - x));
    LN_SQRT_2PI + 0.5 * (n.ln() - a.ln() - b.ln()) + remainder + deviance
}

/// `ln[ B_x(a, b) x^-a (1-x)^-b ]`, the scaled incomplete beta function, for `0 < x < 1`.
///
/// The beta-binomial boundary needs exactly this form (see [`crate::boundary::BetaBinomial`]).
#[must_use]
pub fn ln_scaled_beta_inc(a: f64, b: f64, x: f64) -> f64 {
    // The continued fraction converges quickly below the mean only.
    if x <= (a + 1.0) / (a + b + 2.0) {
        ln_lower(a, b, x)
    } else {
        log_sub_exp(ln_scaled_beta(a, b, x), ln_lower(b, a, 1.0 - x))
    }
}

/// `ln I_x(a, b)`, the regularised incomplete beta function.
///
/// ```
/// use driftlead_stats::special::ln_beta_inc;
/// // I_x(1, b) = 1 - (1-x)^b
/// assert!((ln_beta_inc(1.0, 3.0, 0.2) - (1.0 - 0.8f64.powi(3)).ln()).abs() < 1e-14);
/// ```
#[must_use]
pub fn ln_beta_inc(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if x >= 1.0 {
        return 0.0;
    }
    ln_scaled_beta_inc(a, b, x) - ln_scaled_beta(a, b, x)
}

/// Parameters from which the integral is cheaper than the fraction, whose cost grows as their root.
const LARGE: f64 = 1e8;

fn ln_lower(a: f64, b: f64, x: f64) -> f64 {
    if a.max(b) > LARGE {
        ln_integral(a, b, x)
    } else {
        ln_fraction(a, b, x)
    }
}

/// Continued fraction DLMF 8.17.22, evaluated by Lentz's method.
fn ln_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let guard = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / guard(1.0 - (a + b) * x / (a + 1.0));
    let mut h = d;
    for m in 1..1_000_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / guard(1.0 + even * d);
        c = guard(1.0 + even / c);
        h *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / guard(1.0 + odd * d);
        c = guard(1.0 + odd / c);
        let step = d * c;
        h *= step;
        if (step - 1.0).abs() < 1e-16 || !h.is_finite() {
            break;
        }
    }
    h.ln() - a.ln()
}

/// `ln int_0^x (t/x)^a ((1-t)/(1-x))^b dt / (t (1-t))` where the integrand is a narrow peak.
fn ln_integral(a: f64, b: f64, x: f64) -> f64 {
    let log_integrand = |t: f64| {
        let up = a * ((t - x) / x).ln_1p();
        let down = b * ((x - t) / (1.0 - x)).ln_1p();
        up + down - t.ln() - (-t).ln_1p()
    };
    let n = a + b;
    let mode = (a / n).min(x);
    let width = (mode * (1.0 - mode) / n).sqrt();
    let low = (mode - 10.0 * width).max(mode * 1e-3);
    let top = log_integrand(mode);
    let panels = 8;
    let rule = gauss_legendre(24);
    let step = (x - low) / f64::from(panels);
    let mut sum = 0.0;
    for panel in 0..panels {
        let from = low + f64::from(panel) * step;
        sum += rule.integrate(from, from + step, |t| (log_integrand(t) - top).exp());
    }
    top + sum.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beta_at_known_points() {
        assert!((ln_beta(2.0, 3.0) - (1.0f64 / 12.0).ln()).abs() < 1e-14);
        assert!((ln_beta(0.5, 0.5) - core::f64::consts::PI.ln()).abs() < 1e-14);
        let far = ln_beta(1e6, 2e6);
        let by_gamma = {
            use crate::special::ln_gamma;
            ln_gamma(1e6) + ln_gamma(2e6) - ln_gamma(3e6)
        };
        assert!((far / by_gamma - 1.0).abs() < 1e-13);
    }

    #[test]
    fn incomplete_beta_against_the_binomial_tail() {
        // I_p(k, n-k+1) = P(Bin(n, p) >= k)
        let (n, p) = (12u32, 0.3f64);
        for k in 1..=12u32 {
            let mut tail = 0.0;
            for j in k..=n {
                let ways = (0..j).fold(1.0, |w, i| w * f64::from(n - i) / f64::from(i + 1));
                tail += ways * p.powi(j as i32) * (1.0 - p).powi((n - j) as i32);
            }
            let ours = ln_beta_inc(f64::from(k), f64::from(n - k + 1), p);
            assert!((ours - tail.ln()).abs() < 1e-12, "k {k}");
        }
    }

    #[test]
    fn the_integral_meets_the_fraction() {
        for (a, b) in [(3e6, 5e6), (2e6, 8e5)] as [(f64, f64); 2] {
            let mean = a / (a + b);
            let sd = f64::sqrt(mean * (1.0 - mean) / (a + b));
            for z in [-8.0, -3.0, -0.5, 0.0] {
                let x = mean + z * sd;
                let gap = ln_integral(a, b, x) - ln_fraction(a, b, x);
                assert!(gap.abs() < 1e-9, "a {a} z {z}: {gap}");
            }
        }
    }

    #[test]
    fn symmetry() {
        for (a, b, x) in [(0.4, 7.0, 0.2), (30.0, 5.0, 0.9), (1e5, 2e5, 0.334)] {
            let total = ln_beta_inc(a, b, x).exp() + ln_beta_inc(b, a, 1.0 - x).exp();
            assert!((total - 1.0).abs() < 1e-11, "{a} {b} {x}: {total}");
        }
    }
}
