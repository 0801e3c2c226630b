//! The noncentral F distribution, which the power of an F test needs.

use super::beta::ln_beta_inc;
use super::gamma::ln_gamma;
use super::student::f_sf;

/// `P(F > f)` for the noncentral F with noncentrality `noncentrality >= 0`.
///
/// Poisson mixture of central tails, summed outward from the largest weight until nothing is added
/// (Johnson, Kotz & Balakrishnan 1995, ch. 30, eq. 30.10).
///
/// ```
/// use driftlead_stats::special::{f_sf, noncentral_f_sf};
/// assert!((noncentral_f_sf(2.0, 3.0, 20.0, 0.0) - f_sf(2.0, 3.0, 20.0)).abs() < 1e-15);
/// assert!(noncentral_f_sf(2.0, 3.0, 20.0, 10.0) > 0.5);
/// ```
#[must_use]
pub fn noncentral_f_sf(f: f64, numerator: f64, denominator: f64, noncentrality: f64) -> f64 {
    if f.is_nan() || !(numerator > 0.0 && denominator > 0.0 && (0.0..1e12).contains(&noncentrality))
    {
        return f64::NAN;
    }
    if f <= 0.0 {
        return 1.0;
    }
    if noncentrality == 0.0 {
        return f_sf(f, numerator, denominator);
    }
    let x = denominator / (denominator + numerator * f);
    let half = 0.5 * noncentrality;
    let term = |j: f64| {
        let ln_weight = j * half.ln() - half - ln_gamma(j + 1.0);
        (ln_weight + ln_beta_inc(0.5 * denominator, 0.5 * numerator + j, x)).exp()
    };
    let mode = half.floor();
    let mut sum = 0.0;
    let mut j = mode;
    loop {
        let add = term(j);
        sum += add;
        j += 1.0;
        if add <= sum * 1e-17 {
            break;
        }
    }
    j = mode - 1.0;
    while j >= 0.0 {
        let add = term(j);
        sum += add;
        // Below the mode both factors fall, so the first negligible term ends the sum.
        if add <= sum * 1e-17 {
            break;
        }
        j -= 1.0;
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::special::{gauss_legendre, normal_pdf};

    #[test]
    fn noncentral_tail_against_its_definition() {
        // F' = (Z + sqrt(l))^2 / (C/d) with C chi-square: given Z, the tail is P(C < d (Z+m)^2 / f),
        // and with d = 2 that is 1 - exp(-(Z + m)^2 / f).
        for (f, l) in [(1.0f64, 0.5f64), (4.0, 9.0), (20.0, 30.0)] {
            let mean = l.sqrt();
            let exact = gauss_legendre(400).integrate(-9.0, 9.0, |z| {
                normal_pdf(z) * -(-(z + mean).powi(2) / f).exp_m1()
            });
            assert!(
                (noncentral_f_sf(f, 1.0, 2.0, l) - exact).abs() < 1e-13,
                "{f} {l}"
            );
        }
        let far = noncentral_f_sf(2000.0, 2.0, 500.0, 4000.0);
        assert!(far > 0.4 && far < 0.6, "{far}");
    }
}
