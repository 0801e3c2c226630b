//! Logarithm and exponential from IEEE basic operations only.
//!
//! The standard library's versions come from the platform's C library and may differ in the last
//! bit. A simulated world must be the same everywhere, so what the worlds need is written here with
//! `+ − × ÷ √` alone, which IEEE 754 fixes exactly. Accuracy is about 1e-15 relative, far below
//! anything a simulation resolves.

use std::f64::consts::{LN_2, SQRT_2};

/// Natural logarithm of a finite, positive, normal number.
pub(crate) fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let mut exponent = ((bits >> 52) & 0x7ff) as i64 - 1023;
    let mut mantissa = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | (1023 << 52));
    if mantissa > SQRT_2 {
        mantissa *= 0.5;
        exponent += 1;
    }
    // ln m = 2 artanh((m − 1)/(m + 1)); the argument stays below 0.172, so 11 terms reach 1e-17.
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    let series = (0..11)
        .rev()
        .fold(0.0, |sum, k| sum * square + 1.0 / f64::from(2 * k + 1));
    2.0 * s * series + exponent as f64 * LN_2
}

/// `e^x` for `x` in −700..=700.
pub(crate) fn exp(x: f64) -> f64 {
    let shift = (x * std::f64::consts::LOG2_E).round();
    let rest = x - shift * LN_2;
    let series = INVERSE_FACTORIALS
        .iter()
        .rev()
        .fold(0.0, |sum, c| sum * rest + c);
    let exponent = (shift as i64 + 1023).clamp(1, 2046) as u64;
    series * f64::from_bits(exponent << 52)
}

/// 1/k! for k = 0 to 13: with |rest| ≤ ln 2 / 2 the first term left out is below 4e-18.
const INVERSE_FACTORIALS: [f64; 14] = [
    1.0,
    1.0,
    1.0 / 2.0,
    1.0 / 6.0,
    1.0 / 24.0,
    1.0 / 120.0,
    1.0 / 720.0,
    1.0 / 5_040.0,
    1.0 / 40_320.0,
    1.0 / 362_880.0,
    1.0 / 3_628_800.0,
    1.0 / 39_916_800.0,
    1.0 / 479_001_600.0,
    1.0 / 6_227_020_800.0,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_platform_to_fifteen_digits() {
        let mut x = 1e-12;
        while x < 1e12 {
            assert!(
                (ln(x) - x.ln()).abs() <= 4e-15 * x.ln().abs().max(1.0),
                "ln {x}"
            );
            x *= 1.37;
        }
        let mut y = -60.0;
        while y < 60.0 {
            assert!((exp(y) / f64::exp(y) - 1.0).abs() < 1e-13, "exp {y}");
            y += 0.37;
        }
    }
}
