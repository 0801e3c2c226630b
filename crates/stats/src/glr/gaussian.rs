//! FOCuS for a change in the mean of a Gaussian stream with unit variance.

use super::hull::{Hull, Vertex};
use super::{Before, Direction, Scan};
use crate::error::{Result, finite};

/// Exact maximum over all change points of the Gaussian likelihood ratio, updated per observation.
///
/// **Assumes** independent observations scaled to variance 1. **Guarantee**: the statistic equals the
/// maximum over every split; no false-alarm guarantee. Work: amortised constant pruning, plus one
/// evaluation per candidate, about `ln n` of them, where the statistic itself is asked for. A detector
/// only asks whether it reaches a threshold: [`Self::add`] and [`Self::reaches`] answer that exactly
/// with little more than one evaluation. Source: Romano et al. 2023 (JMLR 24), with the one-sided
/// statistic restricted to candidates of the right sign; the bound that spares evaluations is that of
/// Ward, Romano, Eckley, Fearnhead 2024 ("A constant-per-iteration likelihood ratio test for online
/// changepoint detection for exponential family models", Statistics and Computing 34).
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
/// assert!(focus.reaches(4.0) && !focus.reaches(9.0));
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
    /// [`crate::StatsError::NotFinite`]; the state is then unchanged.
    #[inline]
    pub fn update(&mut self, x: f64) -> Result<f64> {
        self.add(x)?;
        Ok(self.scan().statistic)
    }

    /// Adds an observation.
    ///
    /// # Errors
    /// [`crate::StatsError::NotFinite`]; the state is then unchanged.
    #[inline]
    pub fn add(&mut self, x: f64) -> Result<()> {
        finite("x", x)?;
        // An unknown level may be far from zero: sums are taken from the first observation.
        let mean = *self.mean.get_or_insert(x);
        self.n += 1.0;
        self.sum += x - mean;
        if let Some(hull) = &mut self.up {
            hull.push(self.n, self.sum);
        }
        if let Some(hull) = &mut self.down {
            hull.push(self.n, -self.sum);
        }
        Ok(())
    }

    /// Whether the statistic is at least `threshold` (> 0) now. Exact: a candidate is passed over only
    /// if neither it nor an older one can reach the threshold.
    #[inline]
    #[must_use]
    pub fn reaches(&self, threshold: f64) -> bool {
        let reached = |hull: &Option<Hull>, sum: f64| {
            hull.as_ref()
                .is_some_and(|hull| self.reached(hull, sum, threshold))
        };
        reached(&self.up, self.sum) || reached(&self.down, -self.sum)
    }

    #[inline]
    fn reached(&self, hull: &Hull, sum: f64, threshold: f64) -> bool {
        let n = self.n;
        // Fit of no change at all, which the fits of the hull are compared with.
        let none = if self.known {
            0.0
        } else {
            sum * sum / (2.0 * n)
        };
        // Rounding must not make the bound too small.
        let needed = (threshold + none) * (1.0 - 1e-9);
        for vertex in hull.candidates().iter().rev().skip(1) {
            let (span, rise) = (n - vertex.time, sum - vertex.sum);
            if rise * rise < (needed - vertex.fit) * 2.0 * span {
                return false;
            }
            let mut best = Best::NONE;
            best.offer(vertex, n, sum, self.known);
            if best.scan(n, self.known).statistic >= threshold {
                return true;
            }
        }
        false
    }

    /// The best change so far.
    #[must_use]
    pub fn scan(&self) -> Scan {
        let mut best = Best::NONE;
        for (hull, sum) in [(&self.up, self.sum), (&self.down, -self.sum)] {
            for vertex in hull.iter().flat_map(Hull::candidates) {
                best.offer(vertex, self.n, sum, self.known);
            }
        }
        best.scan(self.n, self.known)
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
    fn offer(&mut self, vertex: &Vertex, n: f64, sum: f64, known: bool) {
        let (k, s) = (vertex.time, vertex.sum);
        let (gain, span) = if known {
            (sum - s, n - k)
        } else {
            (k * sum - n * s, k * (n - k))
        };
        let square = gain * gain;
        if gain > 0.0 && span > 0.0 && square * self.span > self.square * span {
            *self = Self {
                square,
                span,
                change: k,
            };
        }
    }

    fn scan(&self, n: f64, known: bool) -> Scan {
        let scale = if known { 2.0 } else { 2.0 * n };
        let statistic = if self.square > 0.0 {
            self.square / (scale * self.span)
        } else {
            0.0
        };
        Scan {
            statistic,
            change: self.change as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn reaches_a_threshold_exactly_when_the_statistic_does(
            seed in 0_u64..1000,
            level in -1e6_f64..1e6,
            shift in -2.0_f64..2.0,
            threshold in 0.1_f64..12.0,
        ) {
            for before in [Before::Known(level), Before::Unknown] {
                for direction in [Direction::Up, Direction::Down, Direction::Both] {
                    let mut luck = Stream::new(seed, 0, 0, 1);
                    let mut focus = GaussianFocus::new(before, direction).unwrap();
                    for t in 0..200 {
                        let x = level + luck.normal() + if t > 120 { shift } else { 0.0 };
                        let statistic = focus.update(x).unwrap();
                        prop_assert!((statistic - threshold).abs() < 1e-9
                            || focus.reaches(threshold) == (statistic >= threshold));
                    }
                }
            }
        }
    }
}
