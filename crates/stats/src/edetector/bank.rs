//! Many streams at once, laid out so that the compiler vectorises over streams.

use super::{Alternatives, Baseline};
use crate::error::{Result, StatsError, level};

/// Values are capped here: far beyond any threshold, far from overflow in one step.
const CAP: f64 = 1e200;

/// Shiryaev-Roberts detectors with a common binary baseline for many streams.
///
/// Same process and guarantee as [`super::EDetector`] with [`super::Recursion::ShiryaevRoberts`], in
/// plain `f64` instead of logarithms, capped at 1e200. Increments of a 0 and of a 1 are computed once.
///
/// **Assumes** that each stream has the conditional mean `p` at most before the change (for bets on a
/// rise). **Guarantee**: acting on a stream whenever its value reaches `gamma`, and restarting it, leaves
/// at least `gamma` observations between false alarms of that stream on average. Source: Shin, Ramdas,
/// Rinaldo 2024.
///
/// ```
/// use driftlead_stats::edetector::{Alternatives, BinaryBank};
/// let grid = Alternatives::geometric_bernoulli(0.1, 0.03, 8)?;
/// let mut bank = BinaryBank::new(0.1, &grid, 2)?;
/// for t in 0..60 {
///     // The first stream stays at one in ten, the second one rises to one in two.
///     let one_in = |n: i32| f64::from(u8::from(t % n == 0));
///     bank.update(&[one_in(10), one_in(2)])?;
/// }
/// let now = bank.update(&[0.0, 1.0])?;
/// assert!(now[0] < 1e3 && now[1] > 1e4);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct BinaryBank {
    /// Per component: increment for 0, extra increment for a 1, weight.
    table: Vec<(f64, f64, f64)>,
    streams: usize,
    /// Component-major: `values[k * streams + i]`.
    values: Vec<f64>,
    mixed: Vec<f64>,
}

impl BinaryBank {
    /// `streams` detectors that have seen nothing.
    ///
    /// # Errors
    /// `p` outside (0, 1).
    pub fn new(p: f64, grid: &Alternatives, streams: usize) -> Result<Self> {
        let baseline = Baseline::Bernoulli { p: level("p", p)? };
        let increment = |x: f64, lambda: f64| baseline.ln_increment(x, lambda).exp();
        let row = |(&l, &w): (&f64, &f64)| {
            let zero = increment(0.0, l);
            (zero, increment(1.0, l) - zero, w)
        };
        let table: Vec<_> = grid.lambdas().iter().zip(grid.weights()).map(row).collect();
        let values = vec![0.0; streams * table.len()];
        Ok(Self {
            table,
            streams,
            values,
            mixed: vec![0.0; streams],
        })
    }

    /// One observation of every stream, 0 or 1 (any value in [0, 1] mixes the two increments
    /// linearly, which is the valid bet for a bounded score). Returns the detectors' values.
    ///
    /// # Errors
    /// Not one observation per stream, or one outside [0, 1]; the state is then unchanged.
    pub fn update(&mut self, x: &[f64]) -> Result<&[f64]> {
        check_row(x, self.streams, |v| (0.0..=1.0).contains(&v))?;
        self.mixed.fill(0.0);
        if self.streams == 0 {
            return Ok(&self.mixed);
        }
        let columns = self.values.chunks_exact_mut(self.streams);
        for (column, &(zero, extra, weight)) in columns.zip(&self.table) {
            for ((m, total), x) in column.iter_mut().zip(&mut self.mixed).zip(x) {
                let next = (1.0 + *m) * (zero + extra * x);
                *m = if next < CAP { next } else { CAP };
                *total += weight * *m;
            }
        }
        Ok(&self.mixed)
    }

    /// Forgets one stream, as after an alarm. Out of range: nothing happens.
    pub fn restart(&mut self, stream: usize) {
        if stream < self.streams {
            self.values
                .iter_mut()
                .skip(stream)
                .step_by(self.streams)
                .for_each(|m| *m = 0.0);
        }
    }
}

/// Shiryaev-Roberts detectors with a standard-normal baseline for many streams.
///
/// As [`BinaryBank`]; the increment costs one exponential per component and observation.
///
/// **Assumes** standardised observations, conditionally normal or sub-Gaussian with mean 0 before the change.
/// **Guarantee** and source: as [`BinaryBank`].
///
/// ```
/// use driftlead_stats::edetector::{Alternatives, GaussianBank};
/// let mut bank = GaussianBank::new(Alternatives::geometric_normal(0.1, 2.0, 6)?, 2);
/// for _ in 0..29 {
///     bank.update(&[0.0, 1.0])?;
/// }
/// let now = bank.update(&[0.0, 1.0])?;
/// assert!(now[0] < 1e3 && now[1] > 1e4);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct GaussianBank {
    grid: Alternatives,
    streams: usize,
    values: Vec<f64>,
    mixed: Vec<f64>,
}

impl GaussianBank {
    /// `streams` detectors that have seen nothing.
    #[must_use]
    pub fn new(grid: Alternatives, streams: usize) -> Self {
        let values = vec![0.0; streams * grid.lambdas().len()];
        Self {
            grid,
            streams,
            values,
            mixed: vec![0.0; streams],
        }
    }

    /// One standardised observation of every stream. Returns the detectors' values.
    ///
    /// # Errors
    /// Not one observation per stream, or one that is not finite; the state is then unchanged.
    pub fn update(&mut self, x: &[f64]) -> Result<&[f64]> {
        check_row(x, self.streams, f64::is_finite)?;
        self.mixed.fill(0.0);
        if self.streams == 0 {
            return Ok(&self.mixed);
        }
        let bets = self.grid.lambdas().iter().zip(self.grid.weights());
        for (column, (lambda, weight)) in self.values.chunks_exact_mut(self.streams).zip(bets) {
            for ((m, total), x) in column.iter_mut().zip(&mut self.mixed).zip(x) {
                let next = (1.0 + *m) * (lambda * (x - 0.5 * lambda)).exp();
                *m = if next < CAP { next } else { CAP };
                *total += weight * *m;
            }
        }
        Ok(&self.mixed)
    }
}

fn check_row(x: &[f64], streams: usize, fits: impl Fn(f64) -> bool) -> Result<()> {
    if x.len() != streams {
        return Err(StatsError::LengthMismatch {
            name: "x",
            expected: streams,
            got: x.len(),
        });
    }
    // No early exit, so that the check vectorises.
    if x.iter().fold(true, |all, &v| all & fits(v)) {
        return Ok(());
    }
    match x.iter().find(|v| !fits(**v)) {
        Some(&value) if value.is_finite() => Err(StatsError::OutOfDomain {
            name: "x",
            value,
            domain: "[0, 1]",
        }),
        _ => Err(StatsError::NotFinite { name: "x" }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{EDetector, Recursion};
    use super::*;

    #[test]
    fn banks_equal_single_detectors() {
        let p = 0.1;
        let binary = Alternatives::geometric_bernoulli(p, 0.03, 8).unwrap();
        let normal = Alternatives::geometric_normal(0.1, 2.0, 6).unwrap();
        let sr = Recursion::ShiryaevRoberts;
        let mut one = EDetector::new(Baseline::Bernoulli { p }, binary.clone(), sr).unwrap();
        let mut two =
            EDetector::new(Baseline::standard_normal(0.0).unwrap(), normal.clone(), sr).unwrap();
        let mut bits = BinaryBank::new(p, &binary, 3).unwrap();
        let mut reals = GaussianBank::new(normal, 3);
        for t in 0..200u32 {
            let x = f64::from(u8::from(t * 7919 % 13 < 4));
            let z = f64::from(t * 104_729 % 17) / 8.0 - 0.9;
            let a = one.update(x).unwrap();
            let b = two.update(z).unwrap();
            let in_bits = bits.update(&[0.0, x, 1.0]).unwrap()[1].ln();
            let in_reals = reals.update(&[0.0, z, 1.0]).unwrap()[1].ln();
            assert!((a - in_bits).abs() < 1e-9 && (b - in_reals).abs() < 1e-9);
        }
        assert!(bits.update(&[0.0; 2]).is_err() && bits.update(&[2.0; 3]).is_err());
        assert!(reals.update(&[f64::NAN; 3]).is_err());
    }
}
