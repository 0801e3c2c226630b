//! Krippendorff's alpha.

use super::Ratings;
use crate::error::{Result, StatsError};

/// How far apart two ratings are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scale {
    /// Equal or not.
    Nominal,
    /// Number of ratings between them, ends counted half.
    Ordinal,
    /// Squared difference.
    Interval,
    /// Squared difference relative to the sum; ratings must not be negative.
    Ratio,
}

/// Krippendorff's alpha, `1 - observed / expected disagreement`; missing ratings allowed.
///
/// **Assumes** that raters are interchangeable. 1 is agreement, 0 what chance gives, below 0 is systematic
/// disagreement. Source: Krippendorff 2011, "Computing Krippendorff's alpha-reliability". **Guarantee**:
/// none; for an interval see [`super::bootstrap`].
///
/// ```
/// use driftlead_stats::agreement::{Ratings, Scale, krippendorff_alpha};
/// let ratings = Ratings::new(&[
///     vec![Some(1.0), Some(2.0), Some(3.0), None],
///     vec![Some(1.0), Some(2.0), Some(4.0), Some(4.0)],
/// ])?;
/// let alpha = krippendorff_alpha(&ratings, Scale::Nominal)?;
/// assert!((alpha - 8.0 / 13.0).abs() < 1e-12);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// Undefined when no unit has two ratings or all ratings are equal; a negative rating on a ratio scale.
pub fn krippendorff_alpha(ratings: &Ratings, scale: Scale) -> Result<f64> {
    let units: Vec<Vec<f64>> = ratings
        .rows()
        .map(|row| row.iter().copied().flatten().collect::<Vec<f64>>())
        .filter(|unit| unit.len() > 1)
        .collect();
    let mut values: Vec<f64> = units.iter().flatten().copied().collect();
    let total = values.len() as f64;
    values.sort_by(f64::total_cmp);
    if let (Scale::Ratio, Some(&value)) = (scale, values.first().filter(|v| **v < 0.0)) {
        return Err(StatsError::OutOfDomain {
            name: "rating",
            value,
            domain: "[0, inf)",
        });
    }
    let mut distinct: Vec<(f64, f64)> = Vec::new();
    for v in values {
        match distinct.last_mut() {
            Some((last, count)) if *last == v => *count += 1.0,
            _ => distinct.push((v, 1.0)),
        }
    }
    // Ratings up to the middle of each value: differences are the ordinal distance.
    let mut below = 0.0;
    let middle: Vec<f64> = distinct
        .iter()
        .map(|(_, count)| {
            below += count;
            below - 0.5 * count
        })
        .collect();
    let distance = |a: usize, b: usize| {
        let (x, y) = (distinct[a].0, distinct[b].0);
        match scale {
            Scale::Nominal => f64::from(u8::from(a != b)),
            Scale::Ordinal => (middle[a] - middle[b]).powi(2),
            Scale::Interval => (x - y).powi(2),
            Scale::Ratio if a == b => 0.0,
            Scale::Ratio => ((x - y) / (x + y)).powi(2),
        }
    };
    let index = |v: f64| distinct.partition_point(|(d, _)| *d < v);
    let mut observed = 0.0;
    for unit in &units {
        let places: Vec<usize> = unit.iter().map(|&v| index(v)).collect();
        let pairs: f64 = places
            .iter()
            .flat_map(|&a| places.iter().map(move |&b| (a, b)))
            .map(|(a, b)| distance(a, b))
            .sum();
        observed += pairs / (unit.len() - 1) as f64;
    }
    let mut expected = 0.0;
    for a in 0..distinct.len() {
        for b in 0..a {
            expected += 2.0 * distinct[a].1 * distinct[b].1 * distance(a, b);
        }
    }
    if expected == 0.0 {
        return Err(StatsError::Undefined {
            what: "Krippendorff's alpha",
            because: "the ratings that can be compared do not vary",
        });
    }
    Ok(1.0 - observed * (total - 1.0) / expected)
}
