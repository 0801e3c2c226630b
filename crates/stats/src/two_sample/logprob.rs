//! Shift of token log-probabilities.

use crate::error::{Result, StatsError, within};
use crate::rng::Stream;

/// Purpose of the random stream.
const PERMUTE: u16 = 43;

/// Outcome of the test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShiftTest {
    /// Mean absolute difference of mean log-probabilities, in nats.
    pub statistic: f64,
    /// Permutation p-value.
    pub p: f64,
}

/// Mean over tokens of the absolute difference of mean log-probabilities between two samples of answers to one
/// prompt. One row per request, one column per token, `None` where a token was not among those returned.
///
/// A missing token counts as the smallest value of its row (it is at most that likely). **Assumes** that
/// requests are exchangeable under the null. **Guarantee**: exact permutation p-value. Source: the
/// logprob-tracking test of arXiv 2512.03816.
///
/// ```
/// use driftlead_stats::two_sample::ln_probability_shift;
/// let before = vec![vec![Some(-1.0), Some(-2.0)], vec![Some(-1.1), None], vec![Some(-0.9), Some(-2.1)]];
/// let test = ln_probability_shift(&before, &before, 99, 1)?;
/// assert!(test.statistic < 1e-12 && test.p == 1.0);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// An empty sample, rows of unequal length, a row without any value, a value that is NaN, infinite or
/// above 0, no permutation.
pub fn ln_probability_shift(
    first: &[Vec<Option<f64>>],
    second: &[Vec<Option<f64>>],
    permutations: u32,
    seed: u64,
) -> Result<ShiftTest> {
    within("permutations", f64::from(permutations), "at least 1", |p| {
        p >= 1.0
    })?;
    if first.is_empty() || second.is_empty() {
        return Err(StatsError::Empty { name: "requests" });
    }
    let tokens = first[0].len();
    let mut rows: Vec<Vec<f64>> = Vec::with_capacity(first.len() + second.len());
    for row in first.iter().chain(second) {
        if row.len() != tokens {
            return Err(StatsError::LengthMismatch {
                name: "tokens of a request",
                expected: tokens,
                got: row.len(),
            });
        }
        let mut smallest = f64::INFINITY;
        for &v in row.iter().flatten() {
            smallest = smallest.min(within("log-probability", v, "(-inf, 0]", |v| v <= 0.0)?);
        }
        if smallest == f64::INFINITY {
            return Err(StatsError::Empty {
                name: "values of a request",
            });
        }
        rows.push(row.iter().map(|v| v.unwrap_or(smallest)).collect());
    }
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let (n, m) = (first.len() as f64, second.len() as f64);
    let statistic = |order: &[usize]| {
        let mut gaps = vec![0.0; tokens];
        for (k, &i) in order.iter().enumerate() {
            let weight = if k < first.len() { 1.0 / n } else { -1.0 / m };
            gaps.iter_mut()
                .zip(&rows[i])
                .for_each(|(g, v)| *g += weight * v);
        }
        gaps.iter().map(|g| g.abs()).sum::<f64>() / tokens as f64
    };
    let observed = statistic(&order);
    let mut reached = 1.0;
    for round in 0..permutations {
        let mut luck = Stream::new(seed, 0, round, PERMUTE);
        for k in 0..first.len() {
            let other = k + luck.below((order.len() - k) as u32) as usize;
            order.swap(k, other);
        }
        if statistic(&order) >= observed - 1e-12 {
            reached += 1.0;
        }
    }
    Ok(ShiftTest {
        statistic: observed,
        p: reached / (f64::from(permutations) + 1.0),
    })
}
