//! FOCuS for a change in the mean of a Gaussian stream with unit variance.

use super::hull::{Best, Hull};
use super::{Before, Direction, Scan};
use crate::error::{Result, finite};

/// Exact maximum over all change points of the Gaussian likelihood ratio, updated per observation.
///
/// **Assumes** independent observations scaled to variance 1. **Guarantee**: the statistic equals the
/// maximum over every split; no false-alarm guarantee. Work: amortised constant pruning, plus one
/// evaluation per candidate, about `ln n` of them. A detector only asks whether the statistic reaches a
/// threshold: [`super::FocusAlarm`] answers that several times faster. Source: Romano et al. 2023 (JMLR
/// 24), with the one-sided statistic restricted to candidates of the right sign.
///
/// Known mean `m`: `max_k (S_n - S_k - (n-k) m)^2 / (2 (n-k))`. Unknown mean:
/// `max_k k (n-k) / (2n) (mean after - mean before)^2`.
///
/// ```
/// use driftlead_stats::glr::{Before, Direction, GaussianFocus};
/// let mut focus = GaussianFocus::new(Before::Unknown, Direction::Both)?;
/// for x in [0.1, -0.2, 0.0, 3.1, 2.9] {
///     focus.update(x)?;
/// }
/// assert_eq!(focus.scan().change, 3);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct GaussianFocus {
    known: bool,
    mean: Option<f64>,
    n: f64,
    sum: f64,
    up: Option<Hull>,
    down: Option<Hull>,
}

impl GaussianFocus {
    /// An empty stream.
    ///
    /// # Errors
    /// A known mean that is not finite.
    pub fn new(before: Before, direction: Direction) -> Result<Self> {
        let mean = match before {
            Before::Known(mean) => Some(finite("mean", mean)?),
            Before::Unknown => None,
        };
        let hull = |used: bool| used.then(|| Hull::new(mean.is_some()));
        Ok(Self {
            known: mean.is_some(),
            mean,
            n: 0.0,
            sum: 0.0,
            up: hull(direction != Direction::Down),
            down: hull(direction != Direction::Up),
        })
    }

    /// Adds an observation and returns the statistic.
    ///
    /// # Errors
    /// [`crate::StatsError::NotFinite`] for the observation, or for the sum it leads to; the state is
    /// then unchanged.
    #[inline]
    pub fn update(&mut self, x: f64) -> Result<f64> {
        finite("x", x)?;
        // An unknown level may be far from zero: sums are taken from the first observation.
        let mean = self.mean.unwrap_or(x);
        let sum = finite("sum of x", self.sum + (x - mean))?;
        self.mean = Some(mean);
        self.n += 1.0;
        self.sum = sum;
        if let Some(hull) = &mut self.up {
            hull.push(self.n, sum);
        }
        if let Some(hull) = &mut self.down {
            hull.push(self.n, -sum);
        }
        Ok(self.scan().statistic)
    }

    /// The best change so far.
    #[must_use]
    pub fn scan(&self) -> Scan {
        let mut best = Best::NONE;
        for (hull, sum) in [(&self.up, self.sum), (&self.down, -self.sum)] {
            for &vertex in hull.iter().flat_map(Hull::candidates) {
                best.offer(vertex, self.n, sum, self.known);
            }
        }
        best.scan(self.n, self.known)
    }

    /// Candidates kept at the moment, a few times `ln n`.
    #[must_use]
    pub fn candidates(&self) -> usize {
        let sides = self.up.iter().chain(&self.down);
        sides.map(|hull| hull.candidates().len()).sum()
    }
}
