//! Riemann's zeta function on the real axis.

/// `zeta(s)` for `s > 1` by Euler-Maclaurin summation (DLMF 25.2.9); NaN for `s <= 1`.
///
/// ```
/// use driftlead_stats::special::zeta;
/// assert!((zeta(2.0) - std::f64::consts::PI.powi(2) / 6.0).abs() < 1e-14);
/// assert!((zeta(1.4) - 3.105_547_277_4).abs() < 1e-3);
/// ```
#[must_use]
pub fn zeta(s: f64) -> f64 {
    if s.is_nan() || s <= 1.0 {
        return f64::NAN;
    }
    const N: i32 = 20;
    // B_2k / (2k)!
    const COEFFICIENTS: [f64; 6] = [
        1.0 / 12.0,
        -1.0 / 720.0,
        1.0 / 30_240.0,
        -1.0 / 1_209_600.0,
        1.0 / 47_900_160.0,
        -691.0 / 1_307_674_368_000.0,
    ];
    let n = f64::from(N);
    let head: f64 = (1..N).map(|k| f64::from(k).powf(-s)).sum();
    let mut total = head + n.powf(1.0 - s) / (s - 1.0) + 0.5 * n.powf(-s);
    let mut rising = s;
    let mut power = n.powf(-s - 1.0);
    for (k, c) in COEFFICIENTS.iter().enumerate() {
        total += c * rising * power;
        let step = s + 2.0 * k as f64;
        rising *= (step + 1.0) * (step + 2.0);
        power /= n * n;
    }
    total
}

#[cfg(test)]
mod tests {
    use super::zeta;

    #[test]
    fn known_values() {
        assert!((zeta(3.0) - 1.202_056_903_159_594_3).abs() < 1e-15);
        assert!((zeta(4.0) - core::f64::consts::PI.powi(4) / 90.0).abs() < 1e-15);
        assert!((zeta(1.5) - 2.612_375_348_685_488).abs() < 1e-14);
        assert!(zeta(1.0).is_nan());
    }
}
