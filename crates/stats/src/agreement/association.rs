//! Association of two measurements of the same units.

use super::Coefficient;
use crate::cs::Interval;
use crate::error::{Result, StatsError, finite, level};
use crate::special::{normal_quantile, normal_sf, student_two_sided};

/// A correlation with its interval and the p-value of "none".
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Association {
    /// The estimate in [-1, 1].
    pub value: f64,
    /// Two-sided p-value.
    pub p: f64,
    /// Interval by Fisher's transformation; [-1, 1] below 4 units (5 for Kendall).
    pub interval: Interval,
}

/// Checked moments of pairs, population form (divided by n).
struct Moments {
    n: f64,
    mean: (f64, f64),
    variance: (f64, f64),
    covariance: f64,
}

fn moments(x: &[f64], y: &[f64]) -> Result<Moments> {
    if x.len() != y.len() {
        return Err(StatsError::LengthMismatch {
            name: "y",
            expected: x.len(),
            got: y.len(),
        });
    }
    x.iter()
        .chain(y)
        .try_for_each(|&v| finite("value", v).map(|_| ()))?;
    if x.len() < 2 {
        return Err(StatsError::Undefined {
            what: "a correlation",
            because: "there are fewer than two pairs",
        });
    }
    let n = x.len() as f64;
    // Around the first value, so that a constant has variance exactly 0.
    let mean = |v: &[f64]| v[0] + v.iter().map(|u| u - v[0]).sum::<f64>() / n;
    let (mx, my) = (mean(x), mean(y));
    let product = |a: &[f64], ma: f64, b: &[f64], mb: f64| {
        a.iter()
            .zip(b)
            .map(|(p, q)| (p - ma) * (q - mb))
            .sum::<f64>()
            / n
    };
    Ok(Moments {
        n,
        mean: (mx, my),
        variance: (product(x, mx, x, mx), product(y, my, y, my)),
        covariance: product(x, mx, y, my),
    })
}

/// `tanh(atanh(r) +- z se)`; the whole range where the standard error does not exist.
fn fisher(r: f64, variance: f64, alpha: f64) -> Result<Interval> {
    level("alpha", alpha)?;
    if !(variance.is_finite() && variance > 0.0) {
        return Ok(Interval {
            low: -1.0,
            high: 1.0,
        });
    }
    if r.abs() >= 1.0 {
        return Ok(Interval { low: r, high: r });
    }
    let reach = normal_quantile(1.0 - 0.5 * alpha) * variance.sqrt();
    Ok(Interval {
        low: (r.atanh() - reach).tanh(),
        high: (r.atanh() + reach).tanh(),
    })
}

fn product_moment(x: &[f64], y: &[f64]) -> Result<(f64, f64, f64)> {
    let m = moments(x, y)?;
    let scale = m.variance.0.sqrt() * m.variance.1.sqrt();
    if scale == 0.0 {
        return Err(StatsError::Undefined {
            what: "a correlation",
            because: "one of the measurements does not vary",
        });
    }
    let r = (m.covariance / scale).clamp(-1.0, 1.0);
    let df = m.n - 2.0;
    let p = if df < 1.0 {
        1.0
    } else if r.abs() == 1.0 {
        0.0
    } else {
        student_two_sided(r * (df / ((1.0 - r) * (1.0 + r))).sqrt(), df)
    };
    Ok((r, p, m.n))
}

/// Pearson's correlation.
///
/// **Assumes** independent pairs; p-value and interval assume a bivariate normal distribution. Source:
/// Student's t with n - 2 degrees of freedom; Fisher 1921 for the interval.
///
/// **Guarantee**: the p-value is exact under that distribution, the interval approximate.
///
/// ```
/// use driftlead_stats::agreement::pearson;
/// let r = pearson(&[1.0, 2.0, 3.0, 4.0, 5.0], &[2.0, 1.0, 4.0, 3.0, 5.0], 0.05)?;
/// assert!((r.value - 0.8).abs() < 1e-12 && (r.p - 0.104).abs() < 1e-3);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// Lists of unequal length, values that are not finite, `alpha` outside (0, 1); undefined for fewer than
/// two pairs or a constant list.
pub fn pearson(x: &[f64], y: &[f64], alpha: f64) -> Result<Association> {
    let (value, p, n) = product_moment(x, y)?;
    let interval = fisher(value, 1.0 / (n - 3.0), alpha)?;
    Ok(Association { value, p, interval })
}

/// Ranks from 1; equal values share the mean of their ranks.
///
/// ```
/// use driftlead_stats::agreement::ranks;
/// assert_eq!(ranks(&[10.0, 30.0, 10.0]), [1.5, 3.0, 1.5]);
/// ```
#[must_use]
pub fn ranks(x: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..x.len()).collect();
    order.sort_by(|&a, &b| x[a].total_cmp(&x[b]));
    let mut ranks = vec![0.0; x.len()];
    let mut done = 0;
    for run in order.chunk_by(|&a, &b| x[a] == x[b]) {
        let shared = done as f64 + 0.5 * (run.len() as f64 + 1.0);
        run.iter().for_each(|&i| ranks[i] = shared);
        done += run.len();
    }
    ranks
}

/// Spearman's correlation: Pearson's of the ranks.
///
/// **Assumes** independent pairs. p-value by t with n - 2 degrees of freedom; interval with the variance
/// `(1 + r^2/2)/(n - 3)` of Bonett & Wright 2000.
///
/// **Guarantee**: p-value and interval hold in the limit of many pairs. Source: Spearman 1904.
///
/// ```
/// use driftlead_stats::agreement::spearman;
/// let r = spearman(&[1.0, 2.0, 3.0, 4.0], &[1.0, 10.0, 11.0, 100.0], 0.05)?;
/// assert!((r.value - 1.0).abs() < 1e-15);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// As [`pearson`].
pub fn spearman(x: &[f64], y: &[f64], alpha: f64) -> Result<Association> {
    moments(x, y)?;
    let (value, p, n) = product_moment(&ranks(x), &ranks(y))?;
    let interval = fisher(value, (1.0 + 0.5 * value * value) / (n - 3.0), alpha)?;
    Ok(Association { value, p, interval })
}

/// Kendall's tau-b, in `O(n log n)` (Knight 1966).
///
/// **Assumes** independent pairs. p-value by the normal approximation with the variance corrected for
/// ties (Kendall 1970); interval with the variance `0.437/(n - 4)` of Fieller, Hartley, Pearson 1957.
///
/// **Guarantee**: p-value and interval hold in the limit of many pairs. Source: Kendall 1938, 1945 for ties.
///
/// ```
/// use driftlead_stats::agreement::kendall;
/// let tau = kendall(&[1.0, 2.0, 3.0, 4.0], &[1.0, 3.0, 2.0, 4.0], 0.05)?;
/// assert!((tau.value - 4.0 / 6.0).abs() < 1e-12);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// As [`pearson`].
pub fn kendall(x: &[f64], y: &[f64], alpha: f64) -> Result<Association> {
    let n = moments(x, y)?.n;
    let mut pairs: Vec<(f64, f64)> = x.iter().copied().zip(y.iter().copied()).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let sizes = |sorted: &[(f64, f64)], same: fn(&(f64, f64), &(f64, f64)) -> bool| -> Vec<f64> {
        sorted.chunk_by(same).map(|run| run.len() as f64).collect()
    };
    let ties_x = sizes(&pairs, |a, b| a.0 == b.0);
    let ties_both = sizes(&pairs, |a, b| a == b);
    let mut second: Vec<f64> = pairs.iter().map(|p| p.1).collect();
    let discordant = inversions(&mut second);
    let ties_y: Vec<f64> = second
        .chunk_by(|a, b| a == b)
        .map(|r| r.len() as f64)
        .collect();
    let count = |ties: &[f64], f: fn(f64) -> f64| ties.iter().map(|&t| f(t)).sum::<f64>();
    let two = |t: f64| 0.5 * t * (t - 1.0);
    let (tx, ty) = (count(&ties_x, two), count(&ties_y, two));
    let total = two(n);
    let lead = total - tx - ty + count(&ties_both, two) - 2.0 * discordant as f64;
    let scale = (total - tx).sqrt() * (total - ty).sqrt();
    if scale == 0.0 {
        return Err(StatsError::Undefined {
            what: "Kendall's tau",
            because: "one of the measurements does not vary",
        });
    }
    let value = (lead / scale).clamp(-1.0, 1.0);
    let five = |t: f64| t * (t - 1.0) * (2.0 * t + 5.0);
    let three = |t: f64| t * (t - 1.0) * (t - 2.0);
    let m = n * (n - 1.0);
    let mut variance =
        (five(n) - count(&ties_x, five) - count(&ties_y, five)) / 18.0 + 2.0 * tx * ty / m;
    if n > 2.0 {
        variance += count(&ties_x, three) * count(&ties_y, three) / (9.0 * m * (n - 2.0));
    }
    let p = (2.0 * normal_sf(lead.abs() / variance.sqrt())).min(1.0);
    let interval = fisher(value, 0.437 / (n - 4.0), alpha)?;
    Ok(Association { value, p, interval })
}

/// Sorts and counts the pairs out of order (strictly).
fn inversions(values: &mut [f64]) -> u64 {
    let n = values.len();
    if n < 2 {
        return 0;
    }
    let (left, right) = values.split_at_mut(n / 2);
    let mut count = inversions(left) + inversions(right);
    let mut merged = Vec::with_capacity(n);
    let (mut i, mut j) = (0, 0);
    while i < left.len() && j < right.len() {
        if right[j] < left[i] {
            count += (left.len() - i) as u64;
            merged.push(right[j]);
            j += 1;
        } else {
            merged.push(left[i]);
            i += 1;
        }
    }
    merged.extend_from_slice(&left[i..]);
    merged.extend_from_slice(&right[j..]);
    values.copy_from_slice(&merged);
    count
}

/// Lin's concordance correlation (moments divided by n) with its interval at error level `alpha`.
///
/// **Assumes** independent pairs from a bivariate normal distribution for the interval. 1 only when both
/// methods give the same numbers. Source: Lin 1989, variance with the correction of 2000.
///
/// **Guarantee**: the level of the interval in the limit of many pairs.
///
/// ```
/// use driftlead_stats::agreement::concordance;
/// let x = [1.0, 2.0, 3.0, 4.0, 5.0];
/// let shifted: Vec<f64> = x.iter().map(|v| v + 1.0).collect();
/// assert!((concordance(&x, &shifted, 0.05)?.value - 0.8).abs() < 1e-12);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// As [`pearson`]; undefined only when both lists are one and the same constant.
pub fn concordance(x: &[f64], y: &[f64], alpha: f64) -> Result<Coefficient> {
    let m = moments(x, y)?;
    let shift = m.mean.0 - m.mean.1;
    let bottom = m.variance.0 + m.variance.1 + shift * shift;
    if bottom == 0.0 {
        return Err(StatsError::Undefined {
            what: "the concordance correlation",
            because: "both measurements are the same constant",
        });
    }
    let value = 2.0 * m.covariance / bottom;
    let scale = (m.variance.0 * m.variance.1).sqrt();
    let (r, c) = (m.covariance / scale, value);
    let u2 = shift * shift / scale;
    let rest = 1.0 - c * c;
    let variance = ((1.0 - r * r) * c * c / (rest * r * r)
        + 2.0 * c.powi(3) * (1.0 - c) * u2 / (r * rest * rest)
        - c.powi(4) * u2 * u2 / (2.0 * r * r * rest * rest))
        / (m.n - 2.0);
    Ok(Coefficient {
        value,
        interval: fisher(value, variance, alpha)?,
    })
}

/// Heterotrait-monotrait ratio of two blocks of items: mean absolute correlation between blocks over the
/// geometric mean of the mean correlations within (Henseler, Ringle, Sarstedt 2015).
///
/// Below .85 two scales are usually taken to measure different things. `correlations` is row by row.
///
/// **Assumes** items keyed in one direction, so that those of a block correlate positively.
/// **Guarantee**: none; a description of these correlations.
///
/// ```
/// use driftlead_stats::agreement::heterotrait_ratio;
/// // Two blocks of two items; .6 within, .3 between.
/// let r = [1.0, 0.6, 0.3, 0.3, 0.6, 1.0, 0.3, 0.3, 0.3, 0.3, 1.0, 0.6, 0.3, 0.3, 0.6, 1.0];
/// assert!((heterotrait_ratio(&r, 4, &[0, 1], &[2, 3])? - 0.5).abs() < 1e-12);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// A matrix of the wrong size, an index out of range, a block with fewer than two items; undefined when
/// the items of a block do not correlate positively.
pub fn heterotrait_ratio(
    correlations: &[f64],
    items: usize,
    first: &[usize],
    second: &[usize],
) -> Result<f64> {
    if correlations.len() != items * items {
        return Err(StatsError::LengthMismatch {
            name: "correlations",
            expected: items * items,
            got: correlations.len(),
        });
    }
    correlations
        .iter()
        .try_for_each(|&r| finite("correlation", r).map(|_| ()))?;
    if let Some(&i) = first.iter().chain(second).find(|i| **i >= items) {
        return Err(StatsError::OutOfDomain {
            name: "item",
            value: i as f64,
            domain: "0..items",
        });
    }
    let at = |i: usize, j: usize| correlations[i * items + j];
    let within = |block: &[usize]| {
        let pairs = block
            .iter()
            .enumerate()
            .flat_map(|(k, &i)| block[..k].iter().map(move |&j| at(i, j)));
        let (sum, count) = pairs.fold((0.0, 0.0), |(s, c), r| (s + r, c + 1.0));
        sum / count
    };
    let between: f64 = first
        .iter()
        .flat_map(|&i| second.iter().map(move |&j| at(i, j).abs()))
        .sum();
    let (a, b) = (within(first), within(second));
    if !(a > 0.0 && b > 0.0) {
        return Err(StatsError::Undefined {
            what: "the heterotrait-monotrait ratio",
            because: "a block has no positive mean correlation",
        });
    }
    Ok(between / (first.len() * second.len()) as f64 / (a * b).sqrt())
}
