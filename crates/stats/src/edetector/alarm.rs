//! Alarm mode: monitoring that may be acted on and restarted.

use super::overshoot::Overshoot;
use super::{Alternatives, Baseline, EDetector, Recursion};
use crate::error::{Result, StatsError, within};

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
    exact: Option<Overshoot>,
    /// Whether observations must be 0 or 1.
    binary: bool,
    carried: Vec<f64>,
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
            exact: None,
            binary: false,
            carried: Vec::new(),
        })
    }

    /// A monitor whose average run length is `gamma` itself, not more, which makes it faster.
    ///
    /// The detector of [`Self::new`] jumps beyond its threshold, and what lies beyond is lost: its run length
    /// is a third to a half longer than asked for. Here the value is cut at the threshold, and before
    /// each observation it is raised by the largest factor `b` that keeps
    /// `E min(gamma, b M_t | past) <= 1 + M_{t-1}`. Then `M_t - t` is still a supermartingale until the alarm,
    /// where `M` is `gamma`: the run length is at least `gamma`, by optional stopping, and hardly more: only
    /// where a jump across the threshold is out of reach is nothing raised, and no observation on the
    /// wrong side of the baseline may raise an alarm. Source: the sequential boosting of Fischer & Ramdas, arXiv
    /// 2410.16076, there for sequential tests, here for a detector.
    ///
    /// **Assumes** more than [`Self::new`]: given the past, an observation is distributed as the baseline
    /// says (Gaussian, or 0 and 1) or stochastically on the side away from the change looked for.
    ///
    /// ```
    /// use driftlead_stats::edetector::{Alarm, Alternatives, Baseline};
    /// let grid = || Alternatives::geometric_normal(0.1, 4.0, 8);
    /// let mut exact = Alarm::exact(Baseline::standard_normal(0.0)?, grid()?, 1e4)?;
    /// let mut usual = Alarm::new(Baseline::standard_normal(0.0)?, grid()?, 1e4)?;
    /// let mut first = |alarm: &mut Alarm| (1..).find(|_| alarm.update(0.5).unwrap().is_some());
    /// assert!(first(&mut exact) < first(&mut usual));
    /// # Ok::<(), driftlead_stats::StatsError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Self::new`]; also bets on a rise and on a fall at once, or [`Baseline::Bounded`], whose
    /// distribution is not known.
    pub fn exact(baseline: Baseline, grid: Alternatives, gamma: f64) -> Result<Self> {
        let mut alarm = Self::new(baseline, grid.clone(), gamma)?;
        alarm.exact = Some(Overshoot::new(&baseline, &grid, gamma)?);
        alarm.binary = matches!(baseline, Baseline::Bernoulli { .. });
        Ok(alarm)
    }

    /// Adds an observation; returns an alarm and restarts when the threshold is reached.
    ///
    /// # Errors
    /// As [`EDetector::update`]; for [`Self::exact`] with a binary baseline also anything but 0 and 1.
    pub fn update(&mut self, x: f64) -> Result<Option<Alarmed>> {
        if self.binary && x != 0.0 && x != 1.0 {
            return Err(StatsError::OutOfDomain {
                name: "x",
                value: x,
                domain: "{0, 1}",
            });
        }
        let ln_factor = self.exact.as_ref().map_or(0.0, |exact| {
            self.carried.clear();
            self.carried.extend(self.detector.ln_carried());
            exact.ln_factor(&self.carried)
        });
        self.detector.update(x)?;
        let ln_value = self.detector.raise(ln_factor);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    /// Mean run length and its standard error over `runs` streams of `draw`.
    fn run_length(mut alarm: Alarm, runs: u64, draw: impl Fn(&mut Stream) -> f64) -> (f64, f64) {
        let (mut total, mut squares) = (0.0, 0.0);
        for run in 0..runs {
            let mut luck = Stream::new(20, run, 0, 1);
            let after = loop {
                if let Some(alarmed) = alarm.update(draw(&mut luck)).unwrap() {
                    break alarmed.after as f64;
                }
            };
            total += after;
            squares += after * after;
        }
        let n = runs as f64;
        let mean = total / n;
        (mean, ((squares / n - mean * mean) / n).sqrt())
    }

    /// The guarantee, measured: three standard errors on the safe side, and for the exact alarm not
    /// more than asked for either.
    #[test]
    fn run_lengths_are_at_least_gamma() {
        let normal = Baseline::standard_normal(0.0).unwrap();
        let shifts = || Alternatives::geometric_normal(0.1, 4.0, 8).unwrap();
        let bit = Baseline::Bernoulli { p: 0.2 };
        let rises = || Alternatives::geometric_bernoulli(0.2, 0.03, 5).unwrap();
        let fair = |luck: &mut Stream| luck.normal();
        let coin = |luck: &mut Stream| f64::from(u8::from(luck.uniform() < 0.2));
        for (gamma, runs) in [(20.0, 1500), (150.0, 800)] {
            let usual = run_length(Alarm::new(normal, shifts(), gamma).unwrap(), runs, fair);
            let exact = run_length(Alarm::exact(normal, shifts(), gamma).unwrap(), runs, fair);
            let bits = run_length(Alarm::new(bit, rises(), gamma).unwrap(), runs, coin);
            let exact_bits = run_length(Alarm::exact(bit, rises(), gamma).unwrap(), runs, coin);
            for (what, (mean, error)) in [
                ("usual", usual),
                ("exact", exact),
                ("bits", bits),
                ("exact bits", exact_bits),
            ] {
                assert!(
                    mean >= gamma - 3.0 * error,
                    "{what} at {gamma}: {mean} ± {error}"
                );
            }
            assert!(usual.0 > 1.2 * gamma, "{usual:?}");
            for (mean, error) in [exact, exact_bits] {
                assert!(
                    mean <= 1.05 * gamma + 3.0 * error,
                    "{gamma}: {mean} ± {error}"
                );
            }
        }
    }

    /// Dependence between observations, a mean of at most the baseline: the guarantee holds.
    #[test]
    fn dependence_does_not_shorten_the_run_length() {
        let bit = Baseline::Bernoulli { p: 0.2 };
        let grid = Alternatives::geometric_bernoulli(0.2, 0.03, 5).unwrap();
        let alarm = Alarm::new(bit, grid, 50.0).unwrap();
        // The probability of a one is .2 or less, depending on the one before.
        let last = core::cell::Cell::new(0.0);
        let (mean, error) = run_length(alarm, 4000, |luck| {
            let p = if last.get() > 0.0 { 0.2 } else { 0.18 };
            last.set(f64::from(u8::from(luck.uniform() < p)));
            last.get()
        });
        assert!(mean >= 50.0 - 3.0 * error, "{mean} ± {error}");
    }

    #[test]
    fn an_exact_alarm_refuses_what_it_cannot_pay_for() {
        let grid = Alternatives::geometric_bernoulli(0.1, 0.03, 4).unwrap();
        let mut alarm = Alarm::exact(Baseline::Bernoulli { p: 0.1 }, grid, 100.0).unwrap();
        assert!(alarm.update(0.5).is_err() && alarm.update(f64::NAN).is_err());
        assert_eq!(alarm.since_restart(), 0);
        assert!((0..50).all(|_| alarm.update(0.0).unwrap().is_none()));
    }
}
