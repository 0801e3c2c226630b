//! FOCuS for a change in the success probability of a binary stream.

use super::hull::{Hull, Vertex};
use super::{Before, Direction, Scan};
use crate::error::{Result, level};

/// Exact maximum over all change points of the Bernoulli likelihood ratio, updated per observation.
///
/// **Assumes** independent observations. **Guarantee**: the statistic equals the maximum over every
/// split; no false-alarm guarantee. Source: Ward, Dilillo, Eckley, Fearnhead 2024 (FOCuS for
/// exponential families); the candidates are those of [`super::GaussianFocus`].
///
/// ```
/// use driftlead_stats::glr::{Before, BernoulliFocus, Direction};
/// let mut focus = BernoulliFocus::new(Before::Known(0.2), Direction::Up)?;
/// for x in [false, false, true, true, true] {
///     focus.update(x);
/// }
/// assert_eq!(focus.scan().change, 2);
/// assert!((focus.scan().statistic - 3.0 * 5f64.ln()).abs() < 1e-12);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct BernoulliFocus {
    known: Option<f64>,
    n: f64,
    ones: f64,
    up: Option<Hull>,
    down: Option<Hull>,
    scan: Scan,
}

impl BernoulliFocus {
    /// An empty stream.
    ///
    /// # Errors
    /// A known probability outside (0, 1).
    pub fn new(before: Before, direction: Direction) -> Result<Self> {
        let known = match before {
            Before::Known(p) => Some(level("p", p)?),
            Before::Unknown => None,
        };
        let hull = |used: bool| used.then(|| Hull::new(known.is_some()));
        Ok(Self {
            known,
            n: 0.0,
            ones: 0.0,
            up: hull(direction != Direction::Down),
            down: hull(direction != Direction::Up),
            scan: Scan {
                statistic: 0.0,
                change: 0,
            },
        })
    }

    /// Adds an observation and returns the statistic.
    pub fn update(&mut self, x: bool) -> f64 {
        self.n += 1.0;
        self.ones += f64::from(u8::from(x));
        let mut scan = Scan {
            statistic: 0.0,
            change: 0,
        };
        let level = self.known.unwrap_or(0.0);
        // Sums are stored as counts, centred only inside the hull, so that ratios stay exact.
        let (n, centred) = (self.n, self.ones - level * self.n);
        for (hull, sign) in [(&mut self.up, 1.0), (&mut self.down, -1.0)] {
            let Some(hull) = hull else { continue };
            for &Vertex {
                time: k, sum: s, ..
            } in hull.candidates()
            {
                let ones_before = (sign * s + level * k).round();
                let value = gain(self.known, sign, (n, self.ones), (k, ones_before));
                if value > scan.statistic {
                    scan = Scan {
                        statistic: value,
                        change: k as u64,
                    };
                }
            }
            hull.push(n, sign * centred);
        }
        self.scan = scan;
        scan.statistic
    }

    /// The best change so far.
    #[must_use]
    pub fn scan(&self) -> Scan {
        self.scan
    }
}

/// Log-likelihood ratio of a change after `before.0` observations; 0 for the wrong sign.
fn gain(known: Option<f64>, sign: f64, all: (f64, f64), before: (f64, f64)) -> f64 {
    let (m, ones) = (all.0 - before.0, all.1 - before.1);
    match known {
        Some(p) if sign * (ones - m * p) > 0.0 => {
            fit(m, ones) - ones * p.ln() - (m - ones) * (-p).ln_1p()
        }
        None if sign * (ones * before.0 - before.1 * m) > 0.0 => {
            fit(m, ones) + fit(before.0, before.1) - fit(all.0, all.1)
        }
        _ => 0.0,
    }
}

/// Maximised log-likelihood of `ones` successes in `m` trials.
fn fit(m: f64, ones: f64) -> f64 {
    let part = |count: f64| {
        if count > 0.0 {
            count * (count / m).ln()
        } else {
            0.0
        }
    };
    part(ones) + part(m - ones)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equals_the_maximum_over_all_splits(xs in proptest::collection::vec(proptest::bool::weighted(0.3), 1..80)) {
            for (before, known) in [(Before::Known(0.3), Some(0.3)), (Before::Unknown, None)] {
                for (direction, signs) in [
                    (Direction::Up, &[1.0][..]),
                    (Direction::Down, &[-1.0][..]),
                    (Direction::Both, &[1.0, -1.0][..]),
                ] {
                    let mut focus = BernoulliFocus::new(before, direction).unwrap();
                    let mut counts = vec![0.0];
                    for &x in &xs {
                        let n = counts.len() as f64;
                        let all = counts[counts.len() - 1] + f64::from(u8::from(x));
                        let brute = counts.iter().enumerate().flat_map(|(k, &s)| {
                            signs.iter().map(move |&sign| gain(known, sign, (n, all), (k as f64, s)))
                        }).fold(0.0, f64::max);
                        let ours = focus.update(x);
                        prop_assert!((ours - brute).abs() < 1e-9, "{ours} {brute}");
                        counts.push(all);
                    }
                }
            }
        }
    }
}
