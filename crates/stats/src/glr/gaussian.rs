//! FOCuS for a change in the mean of a Gaussian stream with unit variance.

use super::hull::Hull;
use super::{Before, Direction, Scan};
use crate::error::{Result, finite};

/// Exact maximum over all change points of the Gaussian likelihood ratio, updated per observation.
///
/// **Assumes** independent observations scaled to variance 1. **Guarantee**: the statistic equals the
/// maximum over every split; no false-alarm guarantee. Work: amortised constant pruning plus one
/// evaluation per candidate, about `ln n` of them. Source: Romano et al. 2023 (JMLR 24), with the
/// one-sided statistic restricted to candidates of the right sign.
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
    before: Before,
    mean: f64,
    n: f64,
    sum: f64,
    up: Option<Hull>,
    down: Option<Hull>,
    scan: Scan,
}

impl GaussianFocus {
    /// An empty stream.
    ///
    /// # Errors
    /// A known mean that is not finite.
    pub fn new(before: Before, direction: Direction) -> Result<Self> {
        let mean = match before {
            Before::Known(mean) => finite("mean", mean)?,
            Before::Unknown => 0.0,
        };
        let known = matches!(before, Before::Known(_));
        let hull = |used: bool| used.then(|| Hull::new(known));
        Ok(Self {
            before,
            mean,
            n: 0.0,
            sum: 0.0,
            up: hull(direction != Direction::Down),
            down: hull(direction != Direction::Up),
            scan: Scan {
                statistic: 0.0,
                change: 0,
            },
        })
    }

    /// Adds an observation and returns the statistic.
    ///
    /// # Errors
    /// [`crate::StatsError::NotFinite`]; the state is then unchanged.
    #[inline]
    pub fn update(&mut self, x: f64) -> Result<f64> {
        finite("x", x)?;
        self.n += 1.0;
        self.sum += x - self.mean;
        let (n, sum) = (self.n, self.sum);
        let mut best = Best::NONE;
        let known = matches!(self.before, Before::Known(_));
        if let Some(hull) = &mut self.up {
            best.search(hull, n, sum, known);
            hull.push(n, sum);
        }
        if let Some(hull) = &mut self.down {
            best.search(hull, n, -sum, known);
            hull.push(n, -sum);
        }
        self.scan = best.scan(n, known);
        Ok(self.scan.statistic)
    }

    /// The best change so far.
    #[must_use]
    pub fn scan(&self) -> Scan {
        self.scan
    }

    /// Candidates kept at the moment, a few times `ln n`.
    #[must_use]
    pub fn candidates(&self) -> usize {
        self.up.iter().chain(&self.down).map(Hull::len).sum()
    }
}

/// Running maximum of `gain^2 / span`, compared without divisions.
struct Best {
    square: f64,
    span: f64,
    change: f64,
}

impl Best {
    const NONE: Self = Self {
        square: 0.0,
        span: 1.0,
        change: 0.0,
    };

    #[inline]
    fn offer(&mut self, gain: f64, span: f64, change: f64) {
        let square = gain * gain;
        if gain > 0.0 && span > 0.0 && square * self.span > self.square * span {
            *self = Self {
                square,
                span,
                change,
            };
        }
    }

    #[inline]
    fn search(&mut self, hull: &Hull, n: f64, sum: f64, known: bool) {
        for (k, s) in hull.candidates() {
            if known {
                self.offer(sum - s, n - k, k);
            } else {
                self.offer(k * sum - n * s, k * (n - k), k);
            }
        }
    }

    fn scan(&self, n: f64, known: bool) -> Scan {
        let scale = if known { 2.0 } else { 2.0 * n };
        Scan {
            statistic: self.square / (scale * self.span),
            change: self.change as u64,
        }
    }
}
