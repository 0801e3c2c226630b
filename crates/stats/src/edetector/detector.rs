//! Mixture e-detectors in the log domain.

use super::{Alternatives, Baseline};
use crate::error::Result;
use crate::special::{LogSum, log_add_exp};

/// How increments are accumulated per component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Recursion {
    /// Shiryaev-Roberts: `M = (1 + M) L`, from 0. An e-detector; the one to use.
    ShiryaevRoberts,
    /// CUSUM: `M = max(1, M) L`, from 1. An e-detector, slower at the same guarantee.
    Cusum,
    /// Sequential test of "no change since the start": `M = M L`, from 1. An e-process.
    SequentialTest,
}

/// A weighted mixture of Shiryaev-Roberts, CUSUM or test processes over a grid of bets.
///
/// **Assumes** `E[L_t | past] <= 1` before the change (see [`Baseline`]), no independence.
/// **Guarantee**: alarming when the value reaches `gamma` gives an average run length of at least
/// `gamma` (Shiryaev-Roberts, CUSUM), or a probability of at most `1/gamma` of ever alarming
/// (sequential test). Source: Shin, Ramdas, Rinaldo 2024, def. 2.2 and eq. 14-16.
///
/// ```
/// use driftlead_stats::edetector::{Alternatives, Baseline, EDetector, Recursion};
/// let baseline = Baseline::standard_normal(0.0)?;
/// let grid = Alternatives::geometric_normal(0.1, 2.0, 6)?;
/// let mut detector = EDetector::new(baseline, grid, Recursion::ShiryaevRoberts)?;
/// for _ in 0..30 {
///     detector.update(1.0)?;
/// }
/// assert!(detector.ln_value() > 1e4f64.ln());
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct EDetector {
    baseline: Baseline,
    recursion: Recursion,
    lambdas: Vec<f64>,
    ln_weights: Vec<f64>,
    ln_values: Vec<f64>,
    ln_value: f64,
}

impl EDetector {
    /// A detector that has seen nothing.
    ///
    /// # Errors
    /// A baseline or bet outside its domain.
    pub fn new(baseline: Baseline, grid: Alternatives, recursion: Recursion) -> Result<Self> {
        baseline.check()?;
        grid.lambdas()
            .iter()
            .try_for_each(|&l| baseline.check_bet(l))?;
        let mut detector = Self {
            baseline,
            recursion,
            lambdas: grid.lambdas().to_vec(),
            ln_weights: grid.weights().iter().map(|w| w.ln()).collect(),
            ln_values: Vec::new(),
            ln_value: 0.0,
        };
        detector.restart();
        Ok(detector)
    }

    /// Forgets everything seen.
    pub fn restart(&mut self) {
        let start = match self.recursion {
            Recursion::ShiryaevRoberts => f64::NEG_INFINITY,
            Recursion::Cusum | Recursion::SequentialTest => 0.0,
        };
        self.ln_values = vec![start; self.lambdas.len()];
        self.ln_value = start;
    }

    /// Adds an observation and returns the logarithm of the detector.
    ///
    /// # Errors
    /// An observation that is not finite or outside the range of the baseline; the state is then
    /// unchanged.
    pub fn update(&mut self, x: f64) -> Result<f64> {
        self.baseline.check_observation(x)?;
        let mut total = LogSum::default();
        for ((m, lambda), ln_weight) in self
            .ln_values
            .iter_mut()
            .zip(&self.lambdas)
            .zip(&self.ln_weights)
        {
            let carried = match self.recursion {
                Recursion::ShiryaevRoberts => log_add_exp(0.0, *m),
                Recursion::Cusum => m.max(0.0),
                Recursion::SequentialTest => *m,
            };
            *m = carried + self.baseline.ln_increment(x, *lambda);
            if *m == f64::INFINITY {
                // From there nothing could come back down.
                *m = f64::MAX;
            }
            total.add(ln_weight + *m);
        }
        self.ln_value = total.value();
        Ok(self.ln_value)
    }

    /// Logarithms of `weight (1 + M)` per component: what the next Shiryaev-Roberts step multiplies.
    pub(super) fn ln_carried(&self) -> impl Iterator<Item = f64> {
        let values = self.ln_values.iter().zip(&self.ln_weights);
        values.map(|(m, w)| w + log_add_exp(0.0, *m))
    }

    /// Multiplies the detector by `e^ln_factor` and returns its logarithm.
    pub(super) fn raise(&mut self, ln_factor: f64) -> f64 {
        self.ln_values.iter_mut().for_each(|m| *m += ln_factor);
        self.ln_value += ln_factor;
        self.ln_value
    }

    /// Logarithm of the detector; `-inf` for Shiryaev-Roberts before the first observation.
    #[must_use]
    pub fn ln_value(&self) -> f64 {
        self.ln_value
    }

    /// Logarithm of each component, without its weight.
    #[must_use]
    pub fn ln_components(&self) -> &[f64] {
        &self.ln_values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    /// The guarantee of the CUSUM recursion, measured: at least `gamma`, three standard errors allowed.
    #[test]
    fn an_e_cusum_runs_at_least_as_long_as_promised() {
        let baseline = Baseline::standard_normal(0.0).unwrap();
        let grid = Alternatives::geometric_normal(0.3, 2.0, 4).unwrap();
        for (gamma, runs) in [(10.0f64, 2000), (60.0, 800)] {
            let mut detector = EDetector::new(baseline, grid.clone(), Recursion::Cusum).unwrap();
            let (mut total, mut squares) = (0.0, 0.0);
            for run in 0..runs {
                let mut luck = Stream::new(21, run, 0, 1);
                detector.restart();
                let crosses = |_: &u32| detector.update(luck.normal()).unwrap() >= gamma.ln();
                let after = f64::from((1..).find(crosses).unwrap());
                total += after;
                squares += after * after;
            }
            let n = runs as f64;
            let mean = total / n;
            let error = ((squares / n - mean * mean) / n).sqrt();
            assert!(mean >= gamma - 3.0 * error, "{gamma}: {mean} ± {error}");
        }
    }
}
