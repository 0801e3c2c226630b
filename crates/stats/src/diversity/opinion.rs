//! Opinions on one axis.

use crate::error::{Result, StatsError, finite, non_negative, within};

/// The mean, taken around the first value so that it is exact for a constant.
fn checked(x: &[f64]) -> Result<f64> {
    let Some(&first) = x.first() else {
        return Err(StatsError::Empty { name: "x" });
    };
    x.iter().try_for_each(|&v| finite("x", v).map(|_| ()))?;
    let sum: f64 = x.iter().map(|v| v - first).sum();
    finite("mean of x", first + sum / x.len() as f64)
}

/// How far opinions lie from each other; all three are 0 for a constant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Population variance (divided by n).
    pub variance: f64,
    /// Mean absolute deviation from the mean.
    pub mean_absolute_deviation: f64,
    /// Mean distance of two opinions drawn with replacement (Gini's mean difference times (n-1)/n).
    pub mean_pairwise: f64,
}

impl Spread {
    /// Spread of the opinions `x`; no assumption, a description of these values.
    ///
    /// ```
    /// use driftlead_stats::diversity::Spread;
    /// let spread = Spread::of(&[0.0, 0.0, 1.0, 1.0])?;
    /// assert_eq!((spread.variance, spread.mean_pairwise), (0.25, 0.5));
    /// # Ok::<(), driftlead_stats::StatsError>(())
    /// ```
    ///
    /// # Errors
    /// An empty list or a value that is not finite.
    pub fn of(x: &[f64]) -> Result<Self> {
        let mean = checked(x)?;
        let n = x.len() as f64;
        let mut sorted = x.to_vec();
        sorted.sort_by(f64::total_cmp);
        // Sum over pairs of x_(i) - x_(j) by the rank of each value, around the mean for accuracy.
        let pairs: f64 = sorted
            .iter()
            .enumerate()
            .map(|(i, v)| (2.0 * i as f64 + 1.0 - n) * (v - mean))
            .sum();
        Ok(Self {
            variance: finite(
                "variance of x",
                x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n,
            )?,
            mean_absolute_deviation: x.iter().map(|v| (v - mean).abs()).sum::<f64>() / n,
            mean_pairwise: 2.0 * pairs / (n * n),
        })
    }
}

/// Third and fourth standardised moments, population form.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// Skewness.
    pub skew: f64,
    /// Kurtosis minus 3.
    pub excess_kurtosis: f64,
}

impl Shape {
    /// Shape of the values `x`. No assumption and no guarantee: a description of these values (Pearson 1905).
    ///
    /// ```
    /// use driftlead_stats::diversity::Shape;
    /// let shape = Shape::of(&[0.0, 0.0, 1.0, 1.0])?;
    /// assert!(shape.skew.abs() < 1e-12 && (shape.excess_kurtosis + 2.0).abs() < 1e-12);
    /// # Ok::<(), driftlead_stats::StatsError>(())
    /// ```
    ///
    /// # Errors
    /// An empty list or a value that is not finite; undefined for a constant.
    pub fn of(x: &[f64]) -> Result<Self> {
        let mean = checked(x)?;
        let n = x.len() as f64;
        let power = |k| x.iter().map(|v| (v - mean).powi(k)).sum::<f64>() / n;
        let variance = power(2);
        if variance == 0.0 {
            return Err(StatsError::Undefined {
                what: "skewness",
                because: "the values do not vary",
            });
        }
        Ok(Self {
            skew: power(3) / variance.powf(1.5),
            excess_kurtosis: power(4) / (variance * variance) - 3.0,
        })
    }
}

/// Bimodality coefficient `(g^2 + 1)/(k + 3(n-1)^2/((n-2)(n-3)))`, with bias-corrected skewness `g` and
/// excess kurtosis `k` (SAS Institute 1990; Pfister and others 2013).
///
/// Above 5/9, the value of a uniform distribution, two modes are usual; strong skew alone also raises it.
///
/// No assumption and no guarantee: a description of these values.
///
/// ```
/// use driftlead_stats::diversity::bimodality_coefficient;
/// let camps: Vec<f64> = (0..40).map(|i| f64::from(i % 2)).collect();
/// assert!(bimodality_coefficient(&camps)? > 5.0 / 9.0);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// A value that is not finite; undefined below 4 values or for a constant.
pub fn bimodality_coefficient(x: &[f64]) -> Result<f64> {
    if x.len() < 4 {
        return Err(StatsError::Undefined {
            what: "the bimodality coefficient",
            because: "there are fewer than four values",
        });
    }
    let shape = Shape::of(x)?;
    let n = x.len() as f64;
    let skew = shape.skew * (n * (n - 1.0)).sqrt() / (n - 2.0);
    let correction = (n - 1.0) / ((n - 2.0) * (n - 3.0));
    let kurtosis = correction * ((n + 1.0) * shape.excess_kurtosis + 6.0);
    Ok((skew * skew + 1.0) / (kurtosis + 3.0 * (n - 1.0) * correction))
}

/// Polarisation of Esteban & Ray (1994), `sum_i sum_j m_i^(1+alpha) m_j |y_i - y_j|` of camps with shares
/// `m` at positions `y`, constant K = 1.
///
/// Rises when camps are few, large and far apart; `alpha` in (0, 1.6] is how much identification inside
/// a camp counts. Needs camps: see [`super::bins`].
///
/// No assumption and no guarantee: a description of these values.
///
/// ```
/// use driftlead_stats::diversity::esteban_ray;
/// assert_eq!(esteban_ray(&[0.5, 0.5], &[0.0, 1.0], 1.0)?, 0.25);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// Lists of unequal length, shares that are negative or all 0, a position that is not finite, `alpha`
/// outside (0, 1.6].
pub fn esteban_ray(shares: &[f64], positions: &[f64], alpha: f64) -> Result<f64> {
    within("alpha", alpha, "(0, 1.6]", |a| a > 0.0 && a <= 1.6)?;
    if shares.len() != positions.len() {
        return Err(StatsError::LengthMismatch {
            name: "positions",
            expected: shares.len(),
            got: positions.len(),
        });
    }
    checked(positions)?;
    let shares = super::categories::normalised("shares", shares)?;
    let camps = || shares.iter().zip(positions);
    let row = |(m, y): (&f64, &f64)| {
        let sum: f64 = camps().map(|(w, z)| w * (y - z).abs()).sum();
        m.powf(1.0 + alpha) * sum
    };
    Ok(camps().map(row).sum())
}

/// Van der Eijk's agreement A of counts in ordered categories, from -1 (two extremes) over 0 (uniform) to
/// 1 (one category).
///
/// Layers of equal counts are peeled off; a layer with `s` used of `k` categories agrees by
/// `U (1 - (s-1)/(k-1))`, `U = ((k-2) tu - (k-1) tdu) / ((k-2)(tu + tdu))` from its triples that are
/// unimodal (`tu`) and not (`tdu`). Source: van der Eijk 2001, Quality & Quantity 35:325.
///
/// No assumption and no guarantee: a description of these values.
///
/// ```
/// use driftlead_stats::diversity::agreement_a;
/// assert_eq!(agreement_a(&[5, 0, 0, 0, 5])?, -1.0);
/// assert_eq!(agreement_a(&[0, 0, 10, 0, 0])?, 1.0);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// Fewer than three categories, or no count.
pub fn agreement_a(counts: &[u64]) -> Result<f64> {
    let k = counts.len();
    non_negative("categories beyond two", k as f64 - 3.0)?;
    let total: u64 = counts.iter().sum();
    if total == 0 {
        return Err(StatsError::Empty { name: "counts" });
    }
    let mut left = counts.to_vec();
    let mut sum = 0.0;
    while let Some(height) = left.iter().copied().filter(|c| *c > 0).min() {
        let used: Vec<bool> = left.iter().map(|c| *c > 0).collect();
        let size = used.iter().filter(|u| **u).count();
        let weight = (height * size as u64) as f64 / total as f64;
        sum += weight * layer_agreement(&used, size);
        left.iter_mut()
            .filter(|c| **c > 0)
            .for_each(|c| *c -= height);
    }
    Ok(sum)
}

/// Agreement of one layer: categories used or not.
fn layer_agreement(used: &[bool], size: usize) -> f64 {
    let k = used.len();
    let spread = (size as f64 - 1.0) / (k as f64 - 1.0);
    let (mut unimodal, mut not) = (0.0, 0.0);
    for a in 0..k {
        for b in a + 1..k {
            for c in b + 1..k {
                match (used[a], used[b], used[c]) {
                    (true, true, false) | (false, true, true) => unimodal += 1.0,
                    (true, false, true) => not += 1.0,
                    _ => {}
                }
            }
        }
    }
    let both = unimodal + not;
    let k = k as f64;
    let shape = if both == 0.0 {
        1.0
    } else {
        ((k - 2.0) * unimodal - (k - 1.0) * not) / ((k - 2.0) * both)
    };
    shape * (1.0 - spread)
}
