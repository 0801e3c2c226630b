//! Shares of categories.

use crate::error::{Result, StatsError, finite, non_negative, unit, within};

/// Weights as shares that sum to 1.
pub(super) fn normalised(name: &'static str, weights: &[f64]) -> Result<Vec<f64>> {
    if weights.is_empty() {
        return Err(StatsError::Empty { name });
    }
    weights
        .iter()
        .try_for_each(|&w| non_negative(name, w).map(|_| ()))?;
    let total: f64 = weights.iter().sum();
    within(name, total, "a positive finite sum", |t| t > 0.0)?;
    Ok(weights.iter().map(|w| w / total).collect())
}

/// Counts of values in `count` bins of equal width on `[low, high]`, the last one closed.
///
/// ```
/// use driftlead_stats::diversity::bins;
/// assert_eq!(bins(&[0.0, 0.1, 0.5, 1.0], 0.0, 1.0, 2)?, [2.0, 2.0]);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// A value outside the range, a range that is empty, no bin.
pub fn bins(x: &[f64], low: f64, high: f64, count: usize) -> Result<Vec<f64>> {
    within("high", high, "above low", |h| h > low && low.is_finite())?;
    within("bins", count as f64, "at least 1", |c| c >= 1.0)?;
    let mut counts = vec![0.0; count];
    for &v in x {
        within("x", v, "[low, high]", |v| (low..=high).contains(&v))?;
        let place = ((v - low) / (high - low) * count as f64) as usize;
        counts[place.min(count - 1)] += 1.0;
    }
    Ok(counts)
}

/// Shannon entropy in nats of weights that need not sum to 1 (plug-in: biased down in small samples).
///
/// No assumption and no guarantee: a description of these weights. Source: Shannon 1948.
///
/// ```
/// use driftlead_stats::diversity::entropy;
/// assert!((entropy(&[2.0, 2.0, 0.0])? - 2f64.ln()).abs() < 1e-15);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// An empty list, a negative weight, no positive weight.
pub fn entropy(weights: &[f64]) -> Result<f64> {
    let shares = normalised("weights", weights)?;
    Ok(shares
        .iter()
        .filter(|p| **p > 0.0)
        .map(|p| -p * p.ln())
        .sum())
}

/// Gini-Simpson index `1 - sum p^2`: probability that two draws with replacement differ (Simpson 1949).
///
/// No assumption and no guarantee: a description of these weights.
///
/// ```
/// use driftlead_stats::diversity::gini_simpson;
/// assert_eq!(gini_simpson(&[1.0, 1.0])?, 0.5);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// As [`entropy`].
pub fn gini_simpson(weights: &[f64]) -> Result<f64> {
    let shares = normalised("weights", weights)?;
    Ok(1.0 - shares.iter().map(|p| p * p).sum::<f64>())
}

/// Share of categories with any weight, in (0, 1].
///
/// No assumption and no guarantee: a description of these weights. Source: observed richness
/// (Magurran 2004), as a share. Grows with the number of draws.
///
/// ```
/// use driftlead_stats::diversity::coverage;
/// assert_eq!(coverage(&[5.0, 0.0, 1.0, 0.0])?, 0.5);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// As [`entropy`].
pub fn coverage(weights: &[f64]) -> Result<f64> {
    let shares = normalised("weights", weights)?;
    Ok(shares.iter().filter(|p| **p > 0.0).count() as f64 / shares.len() as f64)
}

/// Gini coefficient of amounts (exposure, attention): 0 when all are equal, `1 - 1/n` when one has all.
///
/// Source: Gini 1912, in the form over sorted values.
///
/// No assumption and no guarantee: a description of these weights.
///
/// ```
/// use driftlead_stats::diversity::gini;
/// assert_eq!(gini(&[0.0, 0.0, 0.0, 4.0])?, 0.75);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// As [`entropy`].
pub fn gini(amounts: &[f64]) -> Result<f64> {
    let mut shares = normalised("amounts", amounts)?;
    shares.sort_by(f64::total_cmp);
    let n = shares.len() as f64;
    let ranked = shares.iter().enumerate();
    Ok(ranked
        .map(|(i, s)| (2.0 * i as f64 + 1.0 - n) * s)
        .sum::<f64>()
        / n)
}

fn two(p: &[f64], q: &[f64]) -> Result<(Vec<f64>, Vec<f64>)> {
    if p.len() != q.len() {
        return Err(StatsError::LengthMismatch {
            name: "q",
            expected: p.len(),
            got: q.len(),
        });
    }
    Ok((normalised("p", p)?, normalised("q", q)?))
}

fn kl(p: &[f64], q: &[f64]) -> f64 {
    p.iter()
        .zip(q)
        .filter(|(a, _)| **a > 0.0)
        .map(|(a, b)| a * (a / b).ln())
        .sum()
}

/// Jensen-Shannon divergence in nats, from 0 to ln 2 (Lin 1991).
///
/// No assumption and no guarantee: a description of these weights.
///
/// ```
/// use driftlead_stats::diversity::jensen_shannon;
/// assert!((jensen_shannon(&[1.0, 0.0], &[0.0, 1.0])? - 2f64.ln()).abs() < 1e-15);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// As [`entropy`], and lists of unequal length.
pub fn jensen_shannon(p: &[f64], q: &[f64]) -> Result<f64> {
    let (p, q) = two(p, q)?;
    let middle: Vec<f64> = p.iter().zip(&q).map(|(a, b)| 0.5 * (a + b)).collect();
    Ok((0.5 * kl(&p, &middle) + 0.5 * kl(&q, &middle)).max(0.0))
}

/// Miscalibration of what was shown (`q`) against a person's own interests (`p`): `KL(p || (1-alpha) q + alpha p)`
/// in nats, finite for every `alpha > 0` (Steck 2018, RecSys, eq. 6-7; `alpha` .01 there).
///
/// No assumption and no guarantee: a description of these weights.
///
/// ```
/// use driftlead_stats::diversity::calibration_kl;
/// assert_eq!(calibration_kl(&[0.7, 0.3], &[0.7, 0.3], 0.01)?, 0.0);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// As [`jensen_shannon`], and `alpha` not in (0, 1].
pub fn calibration_kl(p: &[f64], q: &[f64], alpha: f64) -> Result<f64> {
    unit("alpha", alpha)?;
    within("alpha", alpha, "(0, 1]", |a| a > 0.0)?;
    let (p, q) = two(p, q)?;
    let smoothed: Vec<f64> = p
        .iter()
        .zip(&q)
        .map(|(a, b)| (1.0 - alpha) * b + alpha * a)
        .collect();
    finite("divergence", kl(&p, &smoothed).max(0.0))
}
