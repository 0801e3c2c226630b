//! KSWIN: the newest observations against a sample of those before them.

use super::Detector;
use crate::error::{Result, StatsError, finite, level, within};
use crate::rng::Stream;
use crate::special::ln_gamma;
use std::collections::VecDeque;

/// Purpose of the random stream.
const SAMPLE: u16 = 411;
/// A difference of distribution functions below this never counts.
const LEAST_DISTANCE: f64 = 0.1;

/// Kolmogorov–Smirnov test of the newest `recent` observations against as many drawn from the rest of a
/// sliding window (Raab, Heusinger, Schleif 2020).
///
/// **Assumes** independent observations from a continuous distribution. `alpha` holds for one test, and
/// one is made with every observation: no guarantee of a run length. The sample comes from
/// [`crate::rng`], so alarms are reproducible, but they do not equal those of other implementations one
/// by one.
///
/// ```
/// use driftlead_stats::peers::{Detector, Kswin};
/// let mut window = Kswin::new(0.005, 100, 30, 42)?;
/// let wave = |t: i32| f64::from(t * 37 % 101) / 101.0;
/// let first = (0..).find(|&t| window.update(wave(t) + if t < 300 { 0.0 } else { 0.6 }).unwrap());
/// assert!((300..340).contains(&first.unwrap()));
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Kswin {
    alpha: f64,
    window: VecDeque<f64>,
    size: usize,
    recent: usize,
    seed: u64,
    tests: u64,
}

impl Kswin {
    /// An empty window of `size` observations, of which the newest `recent` are tested.
    ///
    /// # Errors
    /// `alpha` outside (0, 1), or not `0 < 2 recent <= size`.
    pub fn new(alpha: f64, size: usize, recent: usize, seed: u64) -> Result<Self> {
        within("recent", recent as f64, "[1, size / 2]", |r| {
            r >= 1.0 && 2.0 * r <= size as f64
        })?;
        Ok(Self {
            alpha: level("alpha", alpha)?,
            window: VecDeque::with_capacity(size),
            size,
            recent,
            seed,
            tests: 0,
        })
    }
}

impl Detector for Kswin {
    fn update(&mut self, x: f64) -> Result<bool> {
        finite("x", x)?;
        if self.window.len() == self.size {
            self.window.pop_front();
        }
        self.window.push_back(x);
        if self.window.len() < self.size {
            return Ok(false);
        }
        self.tests += 1;
        let mut luck = Stream::new(self.seed, self.tests, 0, SAMPLE);
        let (old, new) = self
            .window
            .make_contiguous()
            .split_at(self.size - self.recent);
        // The first `recent` places of a partial shuffle are a sample without replacement.
        let mut sample = old.to_vec();
        for i in 0..self.recent {
            let j = i + luck.below((sample.len() - i) as u32) as usize;
            sample.swap(i, j);
        }
        sample.truncate(self.recent);
        let distance = distance(&mut sample, &mut new.to_vec());
        let crossings = (distance * self.recent as f64).round() as usize;
        let alarm =
            distance > LEAST_DISTANCE && equal_size_ks_p(self.recent, crossings)? <= self.alpha;
        if alarm {
            self.window.drain(..self.size - self.recent);
        }
        Ok(alarm)
    }
}

/// Largest difference of the two empirical distribution functions.
fn distance(a: &mut [f64], b: &mut [f64]) -> f64 {
    a.sort_unstable_by(f64::total_cmp);
    b.sort_unstable_by(f64::total_cmp);
    let (mut i, mut j, mut largest) = (0usize, 0usize, 0f64);
    while let (Some(&x), Some(&y)) = (a.get(i), b.get(j)) {
        let at = x.min(y);
        while a.get(i).is_some_and(|&v| v <= at) {
            i += 1;
        }
        while b.get(j).is_some_and(|&v| v <= at) {
            j += 1;
        }
        let gap = i as f64 / a.len() as f64 - j as f64 / b.len() as f64;
        largest = largest.max(gap.abs());
    }
    largest
}

/// Exact two-sided p-value of the Kolmogorov–Smirnov distance `crossings / n` between two samples of
/// `n` observations without ties: `2 sum_j (-1)^(j-1) C(2n, n - j k) / C(2n, n)` (Gnedenko & Korolyuk 1951).
///
/// **Assumes** independent samples of one continuous distribution. **Guarantee**: exact then.
///
/// ```
/// use driftlead_stats::peers::equal_size_ks_p;
/// // Two of the six orders of 2 + 2 observations separate the samples completely.
/// assert!((equal_size_ks_p(2, 2)? - 2.0 / 6.0).abs() < 1e-12);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// `n` is 0 or below `crossings`.
pub fn equal_size_ks_p(n: usize, crossings: usize) -> Result<f64> {
    if n == 0 || crossings > n {
        return Err(StatsError::OutOfDomain {
            name: "crossings",
            value: crossings as f64,
            domain: "[0, n], n >= 1",
        });
    }
    if crossings == 0 {
        return Ok(1.0);
    }
    let size = n as f64;
    let mut p = 0.0;
    for (turn, shift) in (crossings..=n).step_by(crossings).enumerate() {
        let k = shift as f64;
        let ln_term =
            2.0 * ln_gamma(size + 1.0) - ln_gamma(size - k + 1.0) - ln_gamma(size + k + 1.0);
        p += if turn % 2 == 0 { 2.0 } else { -2.0 } * ln_term.exp();
    }
    Ok(p.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_values_equal_enumeration() {
        let n = 5usize;
        let mut tail = vec![0u32; n + 1];
        let mut orders = 0;
        for mask in 0u32..1 << (2 * n) {
            if mask.count_ones() as usize != n {
                continue;
            }
            orders += 1;
            let (mut height, mut largest) = (0i32, 0i32);
            for bit in 0..2 * n {
                height += if mask >> bit & 1 == 1 { 1 } else { -1 };
                largest = largest.max(height.abs());
            }
            tail[..=largest as usize].iter_mut().for_each(|t| *t += 1);
        }
        for (k, count) in tail.iter().enumerate() {
            let exact = f64::from(*count) / f64::from(orders);
            assert!(
                (equal_size_ks_p(n, k).unwrap() - exact).abs() < 1e-12,
                "{k}"
            );
        }
    }

    #[test]
    fn ties_count_once() {
        assert_eq!(distance(&mut [0.0, 0.0, 1.0], &mut [0.0, 0.0, 1.0]), 0.0);
        assert_eq!(distance(&mut [0.0, 0.0], &mut [1.0, 1.0]), 1.0);
    }

    #[test]
    fn same_seed_same_alarms() {
        let alarms = |seed| {
            let mut kswin = Kswin::new(0.005, 100, 30, seed).unwrap();
            let mut luck = Stream::new(9, 0, 0, 1);
            (0..4000)
                .filter(|_| kswin.update(luck.normal()).unwrap())
                .collect::<Vec<_>>()
        };
        // On an unchanged stream: the level is per test, so alarms must come.
        assert!(!alarms(42).is_empty() && alarms(42) == alarms(42));
    }
}
