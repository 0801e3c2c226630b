//! Spectral and fixed-point estimates, in the parametrisation of other programs.

use super::comparisons::{Comparisons, centre};
use crate::error::{Result, StatsError, non_negative};
use crate::special::solve_dense;

/// Strengths whose exponentials are the stationary distribution of a chain with these rates, row by row.
fn stationary(mut rates: Vec<f64>, n: usize) -> Result<Vec<f64>> {
    for i in 0..n {
        rates[i * n + i] = 0.0;
        rates[i * n + i] = -rates[i * n..(i + 1) * n].iter().sum::<f64>();
    }
    // Balance equations of all states but the last, whose weight is set to 1.
    let m = n - 1;
    let mut system: Vec<f64> = (0..m * m).map(|k| rates[(k % m) * n + k / m]).collect();
    let mut weights: Vec<f64> = (0..m).map(|i| -rates[m * n + i]).collect();
    solve_dense(&mut system, &mut weights)?;
    weights.push(1.0);
    if weights.iter().any(|w| !(w.is_finite() && *w > 0.0)) {
        return Err(StatsError::Undefined {
            what: "a spectral estimate",
            because: "the chain of wins has no positive stationary distribution",
        });
    }
    let mut theta: Vec<f64> = weights.iter().map(|w| w.ln()).collect();
    centre(&mut theta);
    Ok(theta)
}

/// `exp` of strengths, scaled to sum to their number.
fn scaled_weights(theta: &[f64]) -> Vec<f64> {
    let raw: Vec<f64> = theta.iter().map(|t| t.exp()).collect();
    let scale = theta.len() as f64 / raw.iter().sum::<f64>();
    raw.iter().map(|w| w * scale).collect()
}

fn check(data: &Comparisons, alpha: f64) -> Result<()> {
    non_negative("alpha", alpha)?;
    if alpha == 0.0 {
        data.check_connected("an estimate without a prior")?;
    }
    Ok(())
}

fn spectral_step(data: &Comparisons, alpha: f64, weights: &[f64]) -> Result<Vec<f64>> {
    let n = data.items();
    let mut rates = vec![alpha; n * n];
    for (w, l, count) in data.wins() {
        rates[l * n + w] += count / (weights[w] + weights[l]);
    }
    stationary(rates, n)
}

/// Luce spectral ranking: a consistent estimate in one linear solve (Maystre & Grossglauser 2015). `alpha` is
/// added to the rate of every pair.
///
/// **Assumes** independent comparisons and one strength per item. **Guarantee**: consistent as
/// comparisons grow; no interval.
///
/// ```
/// use driftlead_stats::preference::{Comparisons, luce_spectral};
/// let data = Comparisons::new(3, &[(0, 1), (0, 1), (1, 0), (1, 2), (1, 2), (2, 1), (0, 2)])?;
/// let strengths = luce_spectral(&data, 0.1)?;
/// assert!(strengths[0] > strengths[1] && strengths[1] > strengths[2]);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// `alpha` negative; undefined at 0 when no chain of wins links all items.
pub fn luce_spectral(data: &Comparisons, alpha: f64) -> Result<Vec<f64>> {
    check(data, alpha)?;
    spectral_step(data, alpha, &vec![1.0; data.items()])
}

/// Luce spectral ranking repeated with its own weights; at `alpha` 0 the limit is the maximum-likelihood
/// estimate (Maystre & Grossglauser 2015, theorem 1).
///
/// **Assumes** independent comparisons and one strength per item. **Guarantee**: that limit; no interval.
///
/// ```
/// use driftlead_stats::preference::{BradleyTerry, Comparisons, Prior, iterated_spectral};
/// let data = Comparisons::new(3, &[(0, 1), (1, 2), (2, 0), (0, 2), (0, 1)])?;
/// let spectral = iterated_spectral(&data, 0.0)?;
/// let newton = BradleyTerry::fit(&data, Prior::Flat)?;
/// assert!((spectral[0] - newton.strengths[0]).abs() < 1e-10);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// As [`luce_spectral`].
pub fn iterated_spectral(data: &Comparisons, alpha: f64) -> Result<Vec<f64>> {
    check(data, alpha)?;
    fixed_point(data.items(), 1000, |theta| {
        spectral_step(data, alpha, &scaled_weights(theta))
    })
}

/// Minorise-maximise with `alpha` added to wins and to denominators (Hunter 2004; Caron & Doucet 2012).
/// Slow to converge; kept as a check.
///
/// **Assumes** independent comparisons and one strength per item. **Guarantee**: the likelihood rises
/// with every step; no interval.
///
/// ```
/// use driftlead_stats::preference::{Comparisons, minorise_maximise};
/// let data = Comparisons::new(3, &[(0, 1), (0, 1), (1, 0), (1, 2), (1, 2), (2, 1), (0, 2)])?;
/// let strengths = minorise_maximise(&data, 0.1)?;
/// assert!(strengths[0] > strengths[1] && strengths[1] > strengths[2]);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// As [`luce_spectral`].
pub fn minorise_maximise(data: &Comparisons, alpha: f64) -> Result<Vec<f64>> {
    check(data, alpha)?;
    let n = data.items();
    fixed_point(n, 100_000, |theta| {
        let weights = scaled_weights(theta);
        let (mut wins, mut pulls) = (vec![alpha; n], vec![alpha; n]);
        for &(i, j, a, b) in data.pairs() {
            wins[i] += a;
            wins[j] += b;
            let pull = (a + b) / (weights[i] + weights[j]);
            pulls[i] += pull;
            pulls[j] += pull;
        }
        let mut next: Vec<f64> = wins.iter().zip(&pulls).map(|(w, p)| (w / p).ln()).collect();
        centre(&mut next);
        Ok(next)
    })
}

/// Rank centrality: the stationary distribution of a walk along shares of wins, `alpha` added to every
/// count (Negahban, Oh, Shah 2012).
///
/// **Assumes** independent comparisons and one strength per item. **Guarantee**: consistent as
/// comparisons grow; no interval.
///
/// ```
/// use driftlead_stats::preference::{Comparisons, rank_centrality};
/// let data = Comparisons::new(3, &[(0, 1), (0, 1), (1, 0), (1, 2), (1, 2), (2, 1), (0, 2)])?;
/// let strengths = rank_centrality(&data, 0.1)?;
/// assert!(strengths[0] > strengths[1] && strengths[1] > strengths[2]);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// As [`luce_spectral`].
pub fn rank_centrality(data: &Comparisons, alpha: f64) -> Result<Vec<f64>> {
    check(data, alpha)?;
    let n = data.items();
    let mut counts = vec![alpha; n * n];
    for (w, l, count) in data.wins() {
        counts[l * n + w] += count;
    }
    let share = |k: usize| {
        let (i, j) = (k / n, k % n);
        let both = counts[k] + counts[j * n + i];
        if both > 0.0 { counts[k] / both } else { 0.0 }
    };
    stationary((0..n * n).map(share).collect(), n)
}

fn fixed_point(
    n: usize,
    rounds: usize,
    step: impl Fn(&[f64]) -> Result<Vec<f64>>,
) -> Result<Vec<f64>> {
    let mut theta = vec![0.0; n];
    for _ in 0..rounds {
        let next = step(&theta)?;
        let moved = next
            .iter()
            .zip(&theta)
            .fold(0.0f64, |m, (a, b)| m.max((a - b).abs()));
        theta = next;
        if moved < 1e-11 {
            return Ok(theta);
        }
    }
    Err(StatsError::NoConvergence {
        what: "a fixed-point estimate of strengths",
    })
}
