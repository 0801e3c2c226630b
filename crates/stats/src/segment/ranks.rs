//! Sum of the smallest values of any range, for the deviation from a median.

use super::sums::PrefixSums;

/// A wavelet matrix over the ranks of a series, with sums: the `k` smallest values of any range are summed
/// in `log2(n)` steps.
#[derive(Debug, Clone)]
pub(super) struct SmallestSums {
    levels: Vec<Level>,
    sorted: Vec<f64>,
}

/// One bit of the ranks, the highest first.
#[derive(Debug, Clone)]
struct Level {
    /// Number of zero bits before each position.
    zeros: Vec<usize>,
    /// Prefix sums of the values whose bit is zero.
    sums: PrefixSums,
}

impl SmallestSums {
    pub(super) fn new(xs: &[f64]) -> Self {
        let mut order: Vec<usize> = (0..xs.len()).collect();
        let value = |i: usize| xs.get(i).copied().unwrap_or(0.0);
        order.sort_by(|&a, &b| value(a).total_cmp(&value(b)));
        let sorted: Vec<f64> = order.iter().map(|&i| value(i)).collect();
        let mut row = vec![0usize; xs.len()];
        for (rank, &i) in order.iter().enumerate() {
            if let Some(slot) = row.get_mut(i) {
                *slot = rank;
            }
        }
        let bits = usize::BITS - xs.len().saturating_sub(1).leading_zeros();
        let mut levels = Vec::new();
        for bit in (0..bits).rev() {
            let is_zero = |rank: usize| (rank >> bit) & 1 == 0;
            let mut zeros = vec![0];
            let mut count = 0;
            for &rank in &row {
                count += usize::from(is_zero(rank));
                zeros.push(count);
            }
            let sums = PrefixSums::new(row.iter().map(|&rank| {
                let counted = is_zero(rank).then(|| sorted.get(rank).copied());
                (counted.flatten().unwrap_or(0.0), 0.0)
            }));
            let (low, high): (Vec<usize>, Vec<usize>) = row.iter().partition(|&&r| is_zero(r));
            row = [low, high].concat();
            levels.push(Level { zeros, sums });
        }
        Self { levels, sorted }
    }

    /// Sum of the `k` smallest values at positions `start..end`.
    pub(super) fn smallest(&self, mut start: usize, mut end: usize, mut k: usize) -> f64 {
        if k == 0 {
            return 0.0;
        }
        let (mut sum, mut rank) = (0.0, 0);
        for level in &self.levels {
            let before = |i: usize| level.zeros.get(i).copied().unwrap_or(0);
            let (low, high) = (before(start), before(end));
            rank <<= 1;
            if k <= high - low {
                (start, end) = (low, high);
            } else {
                // All zeros are among the smallest; the rest lie behind the zeros of the next level.
                sum += level.sums.sum(start, end);
                k -= high - low;
                let all = level.zeros.last().copied().unwrap_or(0);
                (start, end) = (all + start - low, all + end - high);
                rank |= 1;
            }
        }
        // Ranks are distinct: exactly one value is left.
        sum + self.sorted.get(rank).copied().unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equals_a_sorted_range(
            xs in prop::collection::vec((-4i32..4).prop_map(f64::from), 1..40),
            cut in (0.0f64..1.0, 0.0f64..1.0, 0.0f64..=1.0),
        ) {
            let tree = SmallestSums::new(&xs);
            let start = (cut.0 * xs.len() as f64) as usize;
            let end = start + 1 + (cut.1 * (xs.len() - start) as f64) as usize;
            let end = end.min(xs.len());
            let k = (cut.2 * (end - start) as f64) as usize;
            let mut range = xs[start..end].to_vec();
            range.sort_by(f64::total_cmp);
            prop_assert_eq!(tree.smallest(start, end, k), range[..k].iter().sum::<f64>());
        }
    }
}
