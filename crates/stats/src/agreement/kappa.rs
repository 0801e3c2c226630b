//! Chance-corrected agreement on categories.

use super::{Coefficient, Ratings};
use crate::cs::Interval;
use crate::error::{Result, StatsError, level};
use crate::special::normal_quantile;

/// How much a disagreement between categories `i` and `j` counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Weighting {
    /// All disagreements alike.
    None,
    /// `|i - j|`.
    Linear,
    /// `(i - j)^2`.
    Quadratic,
}

/// Counts of pairs of categories given by two raters to the same units.
#[derive(Debug, Clone, PartialEq)]
pub struct Confusion {
    categories: usize,
    counts: Vec<f64>,
}

/// Cohen's kappa.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kappa {
    /// The coefficient, at most 1.
    pub value: f64,
    /// Its large-sample standard error (Fleiss, Cohen, Everitt 1969).
    pub standard_error: f64,
}

impl Kappa {
    /// Normal interval at error level `alpha`, cut at [-1, 1].
    ///
    /// # Errors
    /// `alpha` outside (0, 1).
    pub fn interval(&self, alpha: f64) -> Result<Coefficient> {
        let z = normal_quantile(1.0 - 0.5 * level("alpha", alpha)?);
        let reach = z * self.standard_error;
        Ok(Coefficient {
            value: self.value,
            interval: Interval {
                low: (self.value - reach).max(-1.0),
                high: (self.value + reach).min(1.0),
            },
        })
    }
}

fn undefined(what: &'static str) -> StatsError {
    StatsError::Undefined {
        what,
        because: "all ratings fall into one category",
    }
}

impl Confusion {
    /// Counts the pairs; categories are `0..categories`, in their order where weights use one.
    ///
    /// # Errors
    /// Lists that are empty or differ in length, a category out of range.
    pub fn new(first: &[usize], second: &[usize], categories: usize) -> Result<Self> {
        if first.is_empty() {
            return Err(StatsError::Empty { name: "ratings" });
        }
        if first.len() != second.len() {
            return Err(StatsError::LengthMismatch {
                name: "ratings of the second rater",
                expected: first.len(),
                got: second.len(),
            });
        }
        let mut counts = vec![0.0; categories * categories];
        for (&a, &b) in first.iter().zip(second) {
            if a >= categories || b >= categories {
                return Err(StatsError::OutOfDomain {
                    name: "category",
                    value: a.max(b) as f64,
                    domain: "0..categories",
                });
            }
            counts[a * categories + b] += 1.0;
        }
        Ok(Self { categories, counts })
    }

    fn shares(&self) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
        let n: f64 = self.counts.iter().sum();
        let k = self.categories;
        let cells: Vec<f64> = self.counts.iter().map(|c| c / n).collect();
        let rows = (0..k).map(|i| cells[i * k..(i + 1) * k].iter().sum());
        let columns = (0..k).map(|j| (0..k).map(|i| cells[i * k + j]).sum());
        (rows.collect(), columns.collect(), cells)
    }

    /// Cohen's kappa, `1 - observed / expected weighted disagreement` (Cohen 1960, 1968).
    ///
    /// **Assumes** independent units and two fixed raters.
    ///
    /// **Guarantee**: the standard error holds in the limit of many units (Fleiss, Cohen, Everitt 1969).
    ///
    /// ```
    /// use driftlead_stats::agreement::{Confusion, Weighting};
    /// let c = Confusion::new(&[0, 0, 1, 1], &[0, 0, 1, 0], 2)?;
    /// let kappa = c.kappa(Weighting::None)?;
    /// assert!((kappa.value - 0.5).abs() < 1e-12);
    /// assert!(kappa.interval(0.05)?.interval.contains(0.5));
    /// # Ok::<(), driftlead_stats::StatsError>(())
    /// ```
    ///
    /// # Errors
    /// Undefined when both raters use one and the same category throughout.
    pub fn kappa(&self, weighting: Weighting) -> Result<Kappa> {
        let k = self.categories;
        let (rows, columns, cells) = self.shares();
        let largest = match weighting {
            Weighting::None => 1.0,
            Weighting::Linear => (k - 1) as f64,
            Weighting::Quadratic => ((k - 1) as f64).powi(2),
        };
        let agreement = |i: usize, j: usize| {
            let gap = i.abs_diff(j) as f64;
            let lost = match weighting {
                Weighting::None => f64::from(u8::from(i != j)),
                Weighting::Linear => gap,
                Weighting::Quadratic => gap * gap,
            };
            if lost == 0.0 {
                1.0
            } else {
                1.0 - lost / largest
            }
        };
        let pairs = || (0..k).flat_map(|i| (0..k).map(move |j| (i, j)));
        let lost = |i, j| 1.0 - agreement(i, j);
        let observed: f64 = pairs().map(|(i, j)| cells[i * k + j] * lost(i, j)).sum();
        let expected: f64 = pairs()
            .map(|(i, j)| rows[i] * columns[j] * lost(i, j))
            .sum();
        if expected == 0.0 {
            return Err(undefined("Cohen's kappa"));
        }
        let value = 1.0 - observed / expected;
        let row_mean: Vec<f64> = (0..k)
            .map(|i| (0..k).map(|j| columns[j] * agreement(i, j)).sum())
            .collect();
        let column_mean: Vec<f64> = (0..k)
            .map(|j| (0..k).map(|i| rows[i] * agreement(i, j)).sum())
            .collect();
        let spread: f64 = pairs()
            .map(|(i, j)| {
                let term = agreement(i, j) - (row_mean[i] + column_mean[j]) * (1.0 - value);
                cells[i * k + j] * term * term
            })
            .sum();
        let centre = value - (1.0 - expected) * (1.0 - value);
        let n: f64 = self.counts.iter().sum();
        let variance = (spread - centre * centre).max(0.0) / (n * expected * expected);
        Ok(Kappa {
            value,
            standard_error: variance.sqrt(),
        })
    }

    /// Matthews' correlation coefficient in its form for any number of categories (Gorodkin 2004).
    ///
    /// No assumption and no guarantee: a description of these counts. For an interval see [`super::bootstrap`].
    ///
    /// ```
    /// use driftlead_stats::agreement::Confusion;
    /// assert_eq!(Confusion::new(&[0, 1, 0, 1], &[0, 1, 0, 1], 2)?.matthews()?, 1.0);
    /// # Ok::<(), driftlead_stats::StatsError>(())
    /// ```
    ///
    /// # Errors
    /// Undefined when a rater uses one category throughout.
    pub fn matthews(&self) -> Result<f64> {
        let (rows, columns, cells) = self.shares();
        let same: f64 = (0..self.categories)
            .map(|i| cells[i * self.categories + i])
            .sum();
        let chance: f64 = rows.iter().zip(&columns).map(|(r, c)| r * c).sum();
        let spread = |shares: &[f64]| 1.0 - shares.iter().map(|s| s * s).sum::<f64>();
        let product = spread(&rows) * spread(&columns);
        if product <= 1e-15 {
            return Err(undefined("Matthews' correlation"));
        }
        Ok((same - chance) / product.sqrt())
    }
}

/// Mean share of agreeing pairs per unit, and the shares of the categories.
fn pairwise(ratings: &Ratings, what: &'static str) -> Result<(f64, Vec<f64>)> {
    let rows = ratings.full(what)?;
    let k = ratings.raters() as f64;
    if ratings.raters() < 2 || rows.is_empty() {
        return Err(StatsError::Undefined {
            what,
            because: "fewer than two raters, or no unit",
        });
    }
    let mut all: Vec<f64> = rows.iter().flatten().copied().collect();
    all.sort_by(f64::total_cmp);
    let total = all.len() as f64;
    let runs = |sorted: &[f64]| -> Vec<f64> {
        sorted
            .chunk_by(|a, b| a == b)
            .map(|run| run.len() as f64)
            .collect()
    };
    let agreeing: f64 = rows
        .iter()
        .map(|row| {
            let mut row = row.clone();
            row.sort_by(f64::total_cmp);
            runs(&row).iter().map(|c| c * (c - 1.0)).sum::<f64>() / (k * (k - 1.0))
        })
        .sum();
    let shares = runs(&all).iter().map(|c| c / total).collect();
    Ok((agreeing / rows.len() as f64, shares))
}

/// Fleiss' kappa: chance agreement from the pooled shares of the categories (Fleiss 1971).
///
/// **Assumes** the same number of interchangeable raters for every unit.
///
/// **Guarantee**: none; for an interval see [`super::bootstrap`].
///
/// ```
/// use driftlead_stats::agreement::{Ratings, fleiss_kappa};
/// let ratings = Ratings::complete(&[vec![0.0, 1.0, 0.0, 1.0], vec![0.0, 1.0, 0.0, 0.0]])?;
/// assert!((fleiss_kappa(&ratings)? - 7.0 / 15.0).abs() < 1e-12);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// Undefined for a missing rating, fewer than two raters, or one category throughout.
pub fn fleiss_kappa(ratings: &Ratings) -> Result<f64> {
    let (observed, shares) = pairwise(ratings, "Fleiss' kappa")?;
    let chance: f64 = shares.iter().map(|s| s * s).sum();
    if shares.len() < 2 {
        return Err(undefined("Fleiss' kappa"));
    }
    Ok((observed - chance) / (1.0 - chance))
}

/// Randolph's free-marginal kappa: chance agreement `1 / categories` (Randolph 2005).
///
/// **Assumes** the same number of interchangeable raters for every unit, free to use any category as
/// often as they like. **Guarantee**: none; for an interval see [`super::bootstrap`].
///
/// ```
/// use driftlead_stats::agreement::{Ratings, randolph_kappa};
/// let ratings = Ratings::complete(&[vec![0.0, 1.0, 0.0, 1.0], vec![0.0, 1.0, 0.0, 0.0]])?;
/// // Three of four agree, one half would by chance.
/// assert!((randolph_kappa(&ratings, 2)? - 0.5).abs() < 1e-12);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// As [`fleiss_kappa`]; fewer categories than two or than the ratings show.
pub fn randolph_kappa(ratings: &Ratings, categories: usize) -> Result<f64> {
    let (observed, shares) = pairwise(ratings, "Randolph's kappa")?;
    if categories < shares.len().max(2) {
        return Err(StatsError::OutOfDomain {
            name: "categories",
            value: categories as f64,
            domain: "at least 2 and the number seen",
        });
    }
    let chance = 1.0 / categories as f64;
    Ok((observed - chance) / (1.0 - chance))
}
