//! Distances of two samples counted as whole answers. Of no use when hardly any answer occurs twice.

use super::Sample;
use std::collections::BTreeMap;

/// Counts of each (prompt, answer) in the two samples.
fn counts(first: &Sample, second: &Sample) -> Vec<(f64, f64)> {
    let mut table: BTreeMap<(u32, &[u32]), (f64, f64)> = BTreeMap::new();
    for (prompt, answer) in first.prompts.iter().zip(&first.answers) {
        table.entry((*prompt, answer)).or_default().0 += 1.0;
    }
    for (prompt, answer) in second.prompts.iter().zip(&second.answers) {
        table.entry((*prompt, answer)).or_default().1 += 1.0;
    }
    table.into_values().collect()
}

fn differences(first: &Sample, second: &Sample) -> impl Iterator<Item = f64> {
    let (n, m) = (first.len() as f64, second.len() as f64);
    counts(first, second)
        .into_iter()
        .map(move |(a, b)| a / n - b / m)
}

/// Sum of absolute differences of the shares of answers, in [0, 2] (twice the total variation distance).
///
/// **Assumes** and **guarantees** nothing: a description of the two samples, larger in small ones.
/// Source: total variation, as in Gao, Liang, Guestrin 2025.
///
/// ```
/// use driftlead_stats::two_sample::{Sample, l1};
/// let sample = |answers: &[u32]| Sample::new(vec![0; answers.len()], answers.iter().map(|&a| vec![a]).collect());
/// assert_eq!(l1(&sample(&[1, 1])?, &sample(&[1, 2])?), 1.0);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[must_use]
pub fn l1(first: &Sample, second: &Sample) -> f64 {
    differences(first, second).map(f64::abs).sum()
}

/// Sum of squared differences of the shares of answers, in [0, 2].
///
/// **Assumes** and **guarantees** nothing: a description of the two samples. Source: as [`l1`].
///
/// ```
/// use driftlead_stats::two_sample::{Sample, l2};
/// let sample = |answers: &[u32]| Sample::new(vec![0; answers.len()], answers.iter().map(|&a| vec![a]).collect());
/// assert_eq!(l2(&sample(&[1, 1])?, &sample(&[1, 2])?), 0.5);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[must_use]
pub fn l2(first: &Sample, second: &Sample) -> f64 {
    differences(first, second).map(|d| d * d).sum()
}

/// Centred chi-squared statistic for samples of unequal size: sum of
/// `((m a - n b)^2 - m^2 a - n^2 b)/(a + b)` over answers with counts `a` of `n` and `b` of `m`
/// (Bhattacharya & Valiant 2015, algorithm 1).
///
/// **Assumes** and **guarantees** nothing: a description of the two samples.
///
/// ```
/// use driftlead_stats::two_sample::{Sample, chi_squared};
/// let sample = |answers: &[u32]| Sample::new(vec![0; answers.len()], answers.iter().map(|&a| vec![a]).collect());
/// assert!((chi_squared(&sample(&[1, 1])?, &sample(&[1, 2])?) + 8.0 / 3.0).abs() < 1e-12);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[must_use]
pub fn chi_squared(first: &Sample, second: &Sample) -> f64 {
    let (n, m) = (first.len() as f64, second.len() as f64);
    counts(first, second)
        .into_iter()
        .map(|(a, b)| ((m * a - n * b).powi(2) - m * m * a - n * n * b) / (a + b))
        .sum()
}
