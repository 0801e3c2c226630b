//! Sums over any range, to twice the precision of `f64`.

/// Prefix sums, each as an unevaluated sum of two `f64`.
#[derive(Debug, Clone)]
pub(super) struct PrefixSums {
    high: Vec<f64>,
    low: Vec<f64>,
}

impl PrefixSums {
    /// Prefix sums of terms that are themselves given as `(value, rounding error)`.
    pub(super) fn new(terms: impl Iterator<Item = (f64, f64)>) -> Self {
        let mut sums = Self {
            high: vec![0.0],
            low: vec![0.0],
        };
        let (mut high, mut low) = (0.0, 0.0);
        for (term, error) in terms {
            let (sum, lost) = two_sum(high, term);
            (high, low) = two_sum(sum, low + lost + error);
            sums.high.push(high);
            sums.low.push(low);
        }
        sums
    }

    /// Sum of the terms `start..end`; 0 outside the series.
    pub(super) fn sum(&self, start: usize, end: usize) -> f64 {
        let at = |list: &[f64], i: usize| list.get(i).copied().unwrap_or(0.0);
        (at(&self.high, end) - at(&self.high, start)) + (at(&self.low, end) - at(&self.low, start))
    }
}

/// `a + b` and the rounding error of it (Knuth).
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let virtual_b = sum - a;
    (sum, (a - (sum - virtual_b)) + (b - virtual_b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_range_after_a_large_term_keeps_its_digits() {
        let terms = [1e15, 0.1, 0.2, 0.3];
        let sums = PrefixSums::new(terms.iter().map(|&x| (x, 0.0)));
        assert!((sums.sum(1, 4) - 0.6).abs() < 1e-15);
        assert_eq!(sums.sum(2, 2), 0.0);
    }
}
