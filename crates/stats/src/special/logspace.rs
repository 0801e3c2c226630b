//! Sums of numbers that are only known by their logarithm.

/// `ln(e^a + e^b)` without overflow; `-inf` stands for zero.
///
/// ```
/// use driftlead_stats::special::log_add_exp;
/// assert!((log_add_exp(800.0, 800.0) - 800.0 - 2f64.ln()).abs() < 1e-12);
/// assert_eq!(log_add_exp(f64::NEG_INFINITY, 3.0), 3.0);
/// ```
#[inline]
#[must_use]
pub fn log_add_exp(a: f64, b: f64) -> f64 {
    let (hi, lo) = if a >= b { (a, b) } else { (b, a) };
    if lo == f64::NEG_INFINITY || hi == f64::INFINITY {
        return hi;
    }
    hi + (lo - hi).exp().ln_1p()
}

/// `ln(e^a - e^b)` for `a >= b`; `-inf` when they are equal, NaN when `a < b`.
#[inline]
#[must_use]
pub fn log_sub_exp(a: f64, b: f64) -> f64 {
    if b == f64::NEG_INFINITY {
        return a;
    }
    let d = b - a;
    // Two forms of ln(1 - e^d), each accurate in its own half (Maechler 2012).
    if d > -core::f64::consts::LN_2 {
        a + (-d.exp_m1()).ln()
    } else {
        a + (-d.exp()).ln_1p()
    }
}

/// `ln sum e^x` over a slice; `-inf` for an empty one.
#[must_use]
pub fn log_sum_exp(values: &[f64]) -> f64 {
    let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !max.is_finite() {
        return max;
    }
    max + values.iter().map(|v| (v - max).exp()).sum::<f64>().ln()
}

/// Running `ln sum e^x` that needs no second pass.
#[derive(Debug, Clone, Copy)]
pub struct LogSum {
    max: f64,
    scaled: f64,
}

impl Default for LogSum {
    fn default() -> Self {
        Self {
            max: f64::NEG_INFINITY,
            scaled: 0.0,
        }
    }
}

impl LogSum {
    /// Adds `e^value`.
    pub fn add(&mut self, value: f64) {
        if value == f64::NEG_INFINITY || self.max == f64::INFINITY {
            return;
        }
        if value == f64::INFINITY {
            (self.max, self.scaled) = (value, 1.0);
        } else if value <= self.max {
            self.scaled += (value - self.max).exp();
        } else {
            self.scaled = self.scaled * (self.max - value).exp() + 1.0;
            self.max = value;
        }
    }

    /// The logarithm of the sum so far.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.max + self.scaled.ln()
    }
}

/// `ln(p / (1 - p))`.
#[inline]
#[must_use]
pub fn logit(p: f64) -> f64 {
    p.ln() - (-p).ln_1p()
}

/// `1 / (1 + e^-x)`, accurate in both tails.
#[inline]
#[must_use]
pub fn expit(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_far_beyond_the_range_of_exp() {
        assert!(
            (log_sum_exp(&[1000.0, 1000.0, 990.0]) - 1000.0 - 2.000_045_399_929_762_f64.ln()).abs()
                < 1e-12
        );
        assert_eq!(log_sum_exp(&[]), f64::NEG_INFINITY);
        assert_eq!(log_sum_exp(&[f64::NEG_INFINITY; 3]), f64::NEG_INFINITY);
        let mut sum = LogSum::default();
        for v in [-5.0, 1000.0, f64::NEG_INFINITY, 990.0, 1000.0] {
            sum.add(v);
        }
        assert!((sum.value() - log_sum_exp(&[1000.0, 1000.0, 990.0])).abs() < 1e-12);
    }

    #[test]
    fn differences_near_and_far() {
        assert!((log_sub_exp(0.0, -1e-12) - 1e-12f64.ln()).abs() < 1e-3);
        assert!((log_sub_exp(2.0, 1.0) - (2f64.exp() - 1f64.exp()).ln()).abs() < 1e-14);
        assert_eq!(log_sub_exp(1.0, 1.0), f64::NEG_INFINITY);
    }

    #[test]
    fn logit_and_expit_are_inverse() {
        for x in [-700.0, -30.0, -1.0, 0.0, 2.0, 30.0] {
            assert!((logit(expit(x)) - x).abs() < 1e-2 * (1.0 + x.abs()));
        }
        assert!((logit(expit(-700.0)) + 700.0).abs() < 1e-9);
    }
}
