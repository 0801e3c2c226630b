//! Counts of wins.

use crate::error::{Result, StatsError, non_negative, within};

/// Wins between items, counted once per pair.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparisons {
    items: usize,
    /// `(i, j, wins of i over j, wins of j over i)`, `i < j`, in increasing order.
    pairs: Vec<(usize, usize, f64, f64)>,
}

impl Comparisons {
    /// Counts `(winner, loser)` pairs of items `0..items`.
    ///
    /// # Errors
    /// Fewer than two items, no comparison, an item out of range, an item compared with itself.
    pub fn new(items: usize, outcomes: &[(usize, usize)]) -> Result<Self> {
        Self::weighted(items, outcomes.iter().map(|&(w, l)| (w, l, 1.0)))
    }

    /// As [`Comparisons::new`] with a weight per outcome; a draw is half a win for each.
    ///
    /// ```
    /// use driftlead_stats::preference::Comparisons;
    /// // A draw.
    /// let data = Comparisons::weighted(2, [(0, 1, 0.5), (1, 0, 0.5)])?;
    /// assert_eq!(data.items(), 2);
    /// # Ok::<(), driftlead_stats::StatsError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Comparisons::new`]; a weight that is negative or not finite.
    pub fn weighted(
        items: usize,
        outcomes: impl IntoIterator<Item = (usize, usize, f64)>,
    ) -> Result<Self> {
        within("items", items as f64, "at least 2", |i| i >= 2.0)?;
        let mut rows: Vec<(usize, usize, f64, f64)> = Vec::new();
        for (winner, loser, weight) in outcomes {
            let largest = winner.max(loser) as f64;
            within("item", largest, "0..items", |i| i < items as f64)?;
            within(
                "loser",
                loser as f64,
                "an item other than the winner",
                |_| winner != loser,
            )?;
            non_negative("weight", weight)?;
            rows.push(if winner < loser {
                (winner, loser, weight, 0.0)
            } else {
                (loser, winner, 0.0, weight)
            });
        }
        rows.sort_by_key(|r| (r.0, r.1));
        let mut pairs: Vec<(usize, usize, f64, f64)> = Vec::new();
        for row in rows {
            match pairs.last_mut() {
                Some(last) if (last.0, last.1) == (row.0, row.1) => {
                    last.2 += row.2;
                    last.3 += row.3;
                }
                _ => pairs.push(row),
            }
        }
        if pairs.is_empty() {
            return Err(StatsError::Empty {
                name: "comparisons",
            });
        }
        Ok(Self { items, pairs })
    }

    /// Number of items.
    #[must_use]
    pub fn items(&self) -> usize {
        self.items
    }

    pub(super) fn pairs(&self) -> &[(usize, usize, f64, f64)] {
        &self.pairs
    }

    /// Each direction once: `(winner, loser, wins)` with wins above 0.
    pub(super) fn wins(&self) -> impl Iterator<Item = (usize, usize, f64)> {
        self.pairs
            .iter()
            .flat_map(|&(i, j, a, b)| [(i, j, a), (j, i, b)])
            .filter(|w| w.2 > 0.0)
    }

    /// Fails unless wins lead from every item to every other.
    pub(super) fn check_connected(&self, what: &'static str) -> Result<()> {
        let reach = |backwards: bool| {
            let mut next = vec![Vec::new(); self.items];
            for (w, l, _) in self.wins() {
                let (from, to) = if backwards { (l, w) } else { (w, l) };
                next[from].push(to);
            }
            let mut seen = vec![false; self.items];
            seen[0] = true;
            let mut open = vec![0];
            while let Some(i) = open.pop() {
                for &j in &next[i] {
                    if !seen[j] {
                        seen[j] = true;
                        open.push(j);
                    }
                }
            }
            seen.into_iter().all(|s| s)
        };
        if reach(false) && reach(true) {
            return Ok(());
        }
        Err(StatsError::Undefined {
            what,
            because: "no chain of wins leads from every item to every other",
        })
    }
}

/// Subtracts the mean.
pub(super) fn centre(theta: &mut [f64]) {
    let mean = theta.iter().sum::<f64>() / theta.len().max(1) as f64;
    theta.iter_mut().for_each(|t| *t -= mean);
}
