//! Which segmentation is cheapest.

use super::cost::{Cost, Priced};
use crate::error::{Result, StatsError, finite, positive, within};

/// Where changes may lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spacing {
    /// Observations in a segment, at least; 1 or more.
    pub min_size: usize,
    /// Changes lie only after a multiple of this many observations; 1 or more.
    pub jump: usize,
}

impl Default for Spacing {
    /// Segments of at least 2 observations, changes anywhere.
    fn default() -> Self {
        Self {
            min_size: 2,
            jump: 1,
        }
    }
}

/// A series cut into consecutive segments.
#[derive(Debug, Clone, PartialEq)]
pub struct Segmentation {
    /// End of every segment (exclusive, from 0), the last of them the length of the series.
    pub ends: Vec<usize>,
    /// Sum of the costs of the segments, without any penalty.
    pub cost: f64,
}

impl Segmentation {
    /// First observation (from 0) after each change.
    #[must_use]
    pub fn changes(&self) -> &[usize] {
        self.ends.split_last().map_or(&[], |(_, changes)| changes)
    }
}

/// One series, prepared to be cut.
///
/// **Assumes** independent observations within a segment, as every cost here does: positive autocorrelation
/// is taken for changes. Observations are one-dimensional. A constant series has no change at any penalty.
///
/// **Guarantee**: what each method says of the cost; none about error rates. Sources and examples are
/// with the methods: [`Self::penalised`], [`Self::with_changes`], [`Self::binary`].
///
/// ```
/// use driftlead_stats::segment::{Cost, Segmenter, Spacing};
/// let series = Segmenter::new(&[0.0, 0.1, 0.0, 4.0, 4.1, 4.0], Cost::L2, Spacing::default())?;
/// assert_eq!(series.with_changes(1)?.changes(), [3]);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Segmenter {
    priced: Priced,
    spacing: Spacing,
    n: usize,
}

impl Segmenter {
    /// Prepares `xs`.
    ///
    /// # Errors
    /// No observation, one that is not finite or beyond 1e100 in size, fewer than `min_size`, a zero
    /// `min_size` or `jump`, a floor that is not positive, or too many observations for [`Cost::Rbf`].
    pub fn new(xs: &[f64], cost: Cost, spacing: Spacing) -> Result<Self> {
        if xs.is_empty() {
            return Err(StatsError::Empty { name: "xs" });
        }
        for &x in xs {
            within("x", x, "[-1e100, 1e100]", |x| x.abs() <= 1e100)?;
        }
        within("jump", spacing.jump as f64, "[1, inf)", |j| j >= 1.0)?;
        within(
            "min_size",
            spacing.min_size as f64,
            "[1, length of the series]",
            |m| m >= 1.0 && m <= xs.len() as f64,
        )?;
        Ok(Self {
            priced: Priced::new(xs, cost)?,
            spacing,
            n: xs.len(),
        })
    }

    /// The segmentation with the smallest cost plus `penalty` times the number of changes, exactly; among
    /// equals, the one whose last change is earliest.
    ///
    /// Optimal partitioning (Jackson et al. 2005) with the pruning of PELT (Killick, Fearnhead & Eckley
    /// 2012, theorem 3.1): `t` is dropped when `F(t) + C(t, s) > F(s)`. With a minimum size, `s` can itself
    /// be the last change only from `s + min_size` on, so the pruning takes effect that much later; without
    /// the delay the result is not exact. Time between linear, with many changes, and quadratic.
    ///
    /// For [`Cost::L2`] with noise of variance `v`, penalties of `2 v ln(n)` and more are usual.
    ///
    /// **Assumes** what [`Segmenter`] does. **Guarantee**: the optimum, exactly.
    ///
    /// ```
    /// use driftlead_stats::segment::{Cost, Segmenter, Spacing};
    /// let xs = [0.1, -0.2, 0.0, 0.1, 5.0, 5.2, 4.9, 5.1];
    /// let series = Segmenter::new(&xs, Cost::L1, Spacing::default())?;
    /// assert_eq!(series.penalised(1.0)?.changes(), [4]);
    /// assert!(series.penalised(100.0)?.changes().is_empty());
    /// # Ok::<(), driftlead_stats::StatsError>(())
    /// ```
    ///
    /// # Errors
    /// A penalty that is not positive and finite.
    pub fn penalised(&self, penalty: f64) -> Result<Segmentation> {
        positive("penalty", penalty)?;
        let positions = self.positions();
        // Per position: cheapest cost up to it, previous position, and where it stops being a candidate.
        let mut best = vec![
            Cell {
                value: f64::INFINITY,
                from: 0,
                until: usize::MAX
            };
            positions.len()
        ];
        if let Some(first) = best.first_mut() {
            first.value = 0.0;
        }
        let mut candidates: Vec<usize> = Vec::new();
        let mut admitted = 0;
        for (index, &end) in positions.iter().enumerate().skip(1) {
            if end < self.spacing.min_size {
                continue;
            }
            while let Some(&start) = positions
                .get(admitted)
                .filter(|&&p| p + self.spacing.min_size <= end)
            {
                if start == 0 || best.get(admitted).is_some_and(|c| c.value.is_finite()) {
                    candidates.push(admitted);
                }
                admitted += 1;
            }
            let reach = |best: &[Cell], from: usize| -> f64 {
                let start = positions.get(from).copied().unwrap_or(0);
                let before = best.get(from).map_or(f64::INFINITY, |c| c.value);
                let change = if start == 0 { 0.0 } else { penalty };
                before + change + self.priced.price(start, end)
            };
            candidates.retain(|&c| best.get(c).is_some_and(|cell| end < cell.until));
            let mut here = Cell {
                value: f64::INFINITY,
                from: 0,
                until: usize::MAX,
            };
            let mut costs = Vec::with_capacity(candidates.len());
            for &from in &candidates {
                let value = reach(&best, from);
                costs.push(value);
                if lower(value, here.value) {
                    (here.value, here.from) = (value, from);
                }
            }
            // A candidate is beaten for good by a change here, from the end that such a change can serve.
            // The slack keeps candidates that are equal up to rounding.
            let bar = here.value + penalty + 1e-9 * (1.0 + here.value.abs());
            for (&from, &value) in candidates.iter().zip(&costs) {
                if let Some(cell) = best.get_mut(from).filter(|_| value > bar) {
                    cell.until = cell.until.min(end.saturating_add(self.spacing.min_size));
                }
            }
            if let Some(cell) = best.get_mut(index) {
                *cell = here;
            }
        }
        let mut ends = Vec::new();
        let mut index = positions.len() - 1;
        while index > 0 {
            ends.extend(positions.get(index));
            index = best.get(index).map_or(0, |c| c.from).min(index - 1);
        }
        ends.reverse();
        self.priced_ends(ends)
    }

    /// The cheapest segmentation with exactly `changes` changes; among equals, the one whose last change is
    /// earliest.
    ///
    /// Dynamic programming over the number of segments (Bellman 1961), in `changes * (n / jump)^2` steps.
    /// With [`Cost::Rbf`], or with [`Cost::L2`] as the linear kernel, this is kernel change-point detection.
    ///
    /// **Assumes** what [`Segmenter`] does. **Guarantee**: the optimum, exactly.
    ///
    /// ```
    /// use driftlead_stats::segment::{Cost, Segmenter, Spacing};
    /// // The spread changes, the level does not.
    /// let xs: Vec<f64> = (0..80).map(|t| (if t < 50 { 0.1 } else { 2.0 }) * (t as f64 * 2.4).sin()).collect();
    /// let spacing = Spacing { min_size: 10, jump: 1 };
    /// let found = Segmenter::new(&xs, Cost::Rbf, spacing)?.with_changes(1)?;
    /// assert!(found.changes()[0].abs_diff(50) <= 2);
    /// # Ok::<(), driftlead_stats::StatsError>(())
    /// ```
    ///
    /// # Errors
    /// The series is too short for so many changes at this spacing.
    pub fn with_changes(&self, changes: usize) -> Result<Segmentation> {
        let positions = self.positions();
        if changes >= positions.len() {
            return Err(TOO_SHORT);
        }
        let mut cheapest: Vec<f64> = positions
            .iter()
            .map(|&end| {
                if end >= self.spacing.min_size {
                    self.priced.price(0, end)
                } else {
                    f64::INFINITY
                }
            })
            .collect();
        let mut origins: Vec<Vec<usize>> = Vec::new();
        for round in 1..=changes {
            let mut next = vec![f64::INFINITY; positions.len()];
            let mut origin = vec![0; positions.len()];
            // Only the end of the series is asked for in the last round.
            let first = if round == changes {
                positions.len() - 1
            } else {
                1
            };
            for (index, (value, from)) in next.iter_mut().zip(&mut origin).enumerate().skip(first) {
                let end = positions.get(index).copied().unwrap_or(0);
                for (candidate, (&start, &before)) in
                    positions.iter().zip(&cheapest).enumerate().skip(1)
                {
                    if start + self.spacing.min_size > end {
                        break;
                    }
                    if before.is_infinite() {
                        continue;
                    }
                    let total = before + self.priced.price(start, end);
                    if lower(total, *value) {
                        (*value, *from) = (total, candidate);
                    }
                }
            }
            cheapest = next;
            origins.push(origin);
        }
        if cheapest.last().is_none_or(|c| c.is_infinite()) {
            return Err(TOO_SHORT);
        }
        let mut index = positions.len() - 1;
        let mut ends = vec![self.n];
        for origin in origins.iter().rev() {
            index = origin.get(index).copied().unwrap_or(0);
            ends.extend(positions.get(index));
        }
        ends.reverse();
        self.priced_ends(ends)
    }

    /// `changes` changes found one after the other, each where it lowers the cost most (binary segmentation,
    /// Scott & Knott 1974); among equals, the latest place in the earliest segment. Fast, and not exact: a
    /// change once placed stays.
    ///
    /// ```
    /// use driftlead_stats::segment::{Cost, Segmenter, Spacing};
    /// let xs = [0.0, 0.1, 0.0, 0.1, 9.0, 9.1, 9.0, 9.1];
    /// let found = Segmenter::new(&xs, Cost::L2, Spacing::default())?.binary(1)?;
    /// assert_eq!(found.ends, [4, 8]);
    /// # Ok::<(), driftlead_stats::StatsError>(())
    /// ```
    ///
    /// # Errors
    /// No segment is left that can be cut before `changes` changes are found.
    pub fn binary(&self, changes: usize) -> Result<Segmentation> {
        let mut segments = vec![(0, self.n, self.best_cut(0, self.n))];
        for _ in 0..changes {
            let mut pick: Option<(usize, f64, usize)> = None;
            for (index, segment) in segments.iter().enumerate() {
                if let Some((gain, cut)) = segment.2.filter(|&(g, _)| pick.is_none_or(|p| g > p.1))
                {
                    pick = Some((index, gain, cut));
                }
            }
            let (index, _, cut) = pick.ok_or(TOO_SHORT)?;
            let (start, end, _) = segments.remove(index);
            segments.insert(index, (cut, end, self.best_cut(cut, end)));
            segments.insert(index, (start, cut, self.best_cut(start, cut)));
        }
        self.priced_ends(segments.into_iter().map(|s| s.1).collect())
    }

    /// Cost of a given segmentation; `ends` as in [`Segmentation::ends`], at any spacing.
    ///
    /// # Errors
    /// Ends that do not rise, or do not finish at the length of the series.
    pub fn cost(&self, ends: &[usize]) -> Result<f64> {
        if ends.last() != Some(&self.n) {
            return Err(StatsError::Undefined {
                what: "the cost",
                because: "the last segment does not end with the series",
            });
        }
        let (mut total, mut start) = (0.0, 0);
        for (row, &end) in ends.iter().enumerate() {
            if end <= start || end > self.n {
                return Err(StatsError::Unsorted { name: "ends", row });
            }
            total += self.priced.price(start, end);
            start = end;
        }
        finite("cost", total)
    }

    fn priced_ends(&self, ends: Vec<usize>) -> Result<Segmentation> {
        Ok(Segmentation {
            cost: self.cost(&ends)?,
            ends,
        })
    }

    /// 0, the multiples of `jump`, and the length of the series.
    fn positions(&self) -> Vec<usize> {
        (0..self.n)
            .step_by(self.spacing.jump)
            .chain([self.n])
            .collect()
    }

    /// Largest gain of cutting `start..end` in two, and the latest place of it.
    fn best_cut(&self, start: usize, end: usize) -> Option<(f64, usize)> {
        let whole = self.priced.price(start, end);
        let Spacing { min_size, jump } = self.spacing;
        let mut best: Option<(f64, usize)> = None;
        let first = start
            .saturating_add(min_size)
            .div_ceil(jump)
            .saturating_mul(jump);
        for cut in (first..end)
            .step_by(jump)
            .take_while(|cut| end - cut >= min_size)
        {
            let gain = whole - self.priced.price(start, cut) - self.priced.price(cut, end);
            let most = best.map_or(f64::NEG_INFINITY, |b| b.0);
            if !lower(gain, most) {
                best = Some((gain.max(most), cut));
            }
        }
        best
    }
}

/// Whether `a` is below `b` by more than rounding, so that ties are broken by place and not by rounding.
fn lower(a: f64, b: f64) -> bool {
    b == f64::INFINITY || a < b - 1e-12 * (1.0 + b.abs())
}

const TOO_SHORT: StatsError = StatsError::Undefined {
    what: "a segmentation with so many changes",
    because: "the series is too short for them at this spacing",
};

#[derive(Debug, Clone, Copy)]
struct Cell {
    value: f64,
    from: usize,
    until: usize,
}
