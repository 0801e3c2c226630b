//! A change detector made of confidence sequences.

use super::{Interval, PredMixBernstein};
use crate::error::{Result, level, unit};

/// Starts a new empirical-Bernstein sequence at every observation and alarms when no single mean is
/// left in all of them.
///
/// **Assumes** values in [0, 1] with a constant conditional mean before the change. **Guarantee**:
/// average run length at least `1/alpha`. Cost per observation: one update per sequence alive, so it
/// grows with the length of the stream. Source: Shekhar & Ramdas 2024 (arXiv 2309.09111).
///
/// ```
/// use driftlead_stats::cs::RepeatedSequences;
/// let mut detector = RepeatedSequences::new(0.01)?;
/// let alarm = (0..200).find(|&t| detector.update(if t < 100 { 0.2 } else { 0.8 }).unwrap());
/// assert!(alarm.is_some_and(|t| t > 100));
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct RepeatedSequences {
    alpha: f64,
    sequences: Vec<PredMixBernstein>,
    common: Interval,
}

impl RepeatedSequences {
    /// A detector that has seen nothing.
    ///
    /// # Errors
    /// `alpha` outside (0, 1).
    pub fn new(alpha: f64) -> Result<Self> {
        level("alpha", alpha)?;
        Ok(Self {
            alpha,
            sequences: Vec::new(),
            common: Interval::UNIT,
        })
    }

    /// Adds an observation; whether the sequences contradict each other by now.
    ///
    /// # Errors
    /// `x` outside [0, 1].
    pub fn update(&mut self, x: f64) -> Result<bool> {
        unit("x", x)?;
        self.sequences.push(PredMixBernstein::new(self.alpha, 0.5)?);
        for sequence in &mut self.sequences {
            sequence.update(x)?;
            self.common = self.common.intersect(sequence.interval());
        }
        Ok(self.common.low > self.common.high)
    }
}
