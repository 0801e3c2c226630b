//! Alarm mode: monitoring that may be acted on and restarted.

use super::{Alternatives, Baseline, EDetector, Recursion};
use crate::error::{Result, within};

/// An alarm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alarmed {
    /// Observations since the last restart, the one that raised the alarm included.
    pub after: u64,
    /// Logarithm of the detector when it crossed.
    pub ln_value: f64,
}

/// A Shiryaev-Roberts e-detector that alarms at `gamma` and starts again.
///
/// **Assumes** that no increment has a conditional mean above 1 before the change (see [`Baseline`]), no
/// independence. **Guarantee**: while nothing has changed, at least `gamma` observations pass between alarms on
/// average, whatever the dependence between observations. It is *not* a probability of a false alarm;
/// for that see [`crate::eprocess::Verdict`]. Source: Shin, Ramdas, Rinaldo 2024, def. 2.2.
///
/// ```
/// use driftlead_stats::edetector::{Alarm, Alternatives, Baseline};
/// let p = 0.1;
/// let mut alarm = Alarm::new(Baseline::Bernoulli { p }, Alternatives::geometric_bernoulli(p, 0.03, 8)?, 1e4)?;
/// let first = (0..).find_map(|_| alarm.update(1.0).transpose()).unwrap()?;
/// assert!(first.after < 10 && alarm.since_restart() == 0);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Alarm {
    detector: EDetector,
    ln_threshold: f64,
    seen: u64,
}

impl Alarm {
    /// A monitor with average run length at least `gamma` observations.
    ///
    /// # Errors
    /// `gamma` not above 1, or a baseline or bet outside its domain.
    pub fn new(baseline: Baseline, grid: Alternatives, gamma: f64) -> Result<Self> {
        within("gamma", gamma, "(1, inf)", |g| g > 1.0)?;
        let detector = EDetector::new(baseline, grid, Recursion::ShiryaevRoberts)?;
        Ok(Self {
            detector,
            ln_threshold: gamma.ln(),
            seen: 0,
        })
    }

    /// Adds an observation; returns an alarm and restarts when the threshold is reached.
    ///
    /// # Errors
    /// As [`EDetector::update`].
    pub fn update(&mut self, x: f64) -> Result<Option<Alarmed>> {
        let ln_value = self.detector.update(x)?;
        self.seen += 1;
        if ln_value < self.ln_threshold {
            return Ok(None);
        }
        let alarm = Alarmed {
            after: self.seen,
            ln_value,
        };
        self.detector.restart();
        self.seen = 0;
        Ok(Some(alarm))
    }

    /// Observations since the start or the last alarm.
    #[must_use]
    pub fn since_restart(&self) -> u64 {
        self.seen
    }

    /// Logarithm of the detector now.
    #[must_use]
    pub fn ln_value(&self) -> f64 {
        self.detector.ln_value()
    }
}
