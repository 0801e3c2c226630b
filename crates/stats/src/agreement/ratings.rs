//! The table of ratings.

use crate::error::{Result, StatsError, finite};

/// Ratings of units by raters; a rating may be missing.
#[derive(Debug, Clone, PartialEq)]
pub struct Ratings {
    raters: usize,
    /// Unit-major.
    values: Vec<Option<f64>>,
}

impl Ratings {
    /// One row per rater, one column per unit.
    ///
    /// ```
    /// use driftlead_stats::agreement::Ratings;
    /// let ratings = Ratings::new(&[vec![Some(1.0), None], vec![Some(2.0), Some(2.0)]])?;
    /// assert_eq!((ratings.raters(), ratings.units()), (2, 2));
    /// # Ok::<(), driftlead_stats::StatsError>(())
    /// ```
    ///
    /// # Errors
    /// No rater or no unit, rows of unequal length, a rating that is not finite.
    pub fn new(rows: &[Vec<Option<f64>>]) -> Result<Self> {
        let units = rows.first().map_or(0, Vec::len);
        if units == 0 {
            return Err(StatsError::Empty { name: "ratings" });
        }
        for row in rows {
            if row.len() != units {
                return Err(StatsError::LengthMismatch {
                    name: "ratings of one rater",
                    expected: units,
                    got: row.len(),
                });
            }
            row.iter()
                .flatten()
                .try_for_each(|&v| finite("rating", v).map(|_| ()))?;
        }
        let values = (0..units)
            .flat_map(|unit| rows.iter().map(move |row| row.get(unit).copied().flatten()))
            .collect();
        Ok(Self {
            raters: rows.len(),
            values,
        })
    }

    /// As [`Ratings::new`], without missing ratings.
    ///
    /// # Errors
    /// As [`Ratings::new`].
    pub fn complete(rows: &[Vec<f64>]) -> Result<Self> {
        let rows: Vec<Vec<Option<f64>>> = rows
            .iter()
            .map(|row| row.iter().copied().map(Some).collect())
            .collect();
        Self::new(&rows)
    }

    /// Number of raters.
    #[must_use]
    pub fn raters(&self) -> usize {
        self.raters
    }

    /// Number of units.
    #[must_use]
    pub fn units(&self) -> usize {
        self.values.len() / self.raters.max(1)
    }

    /// The same raters on the units `chosen`, with repetition; indices out of range are left out.
    #[must_use]
    pub fn resampled(&self, chosen: &[usize]) -> Self {
        let rows = chosen
            .iter()
            .filter_map(|&u| self.values.get(u * self.raters..(u + 1) * self.raters));
        Self {
            raters: self.raters,
            values: rows.flatten().copied().collect(),
        }
    }

    /// Ratings per unit.
    pub(super) fn rows(&self) -> impl Iterator<Item = &[Option<f64>]> {
        self.values.chunks_exact(self.raters.max(1))
    }

    /// Ratings per unit, when none is missing.
    pub(super) fn full(&self, what: &'static str) -> Result<Vec<Vec<f64>>> {
        self.rows()
            .map(|row| row.iter().copied().collect::<Option<Vec<f64>>>())
            .collect::<Option<_>>()
            .ok_or(StatsError::Undefined {
                what,
                because: "a rating is missing",
            })
    }
}
