//! Page–Hinkley.

use super::{Detector, moderate};
use crate::error::{Result, finite, positive, unit};
use crate::glr::Direction;

/// Settings of [`PageHinkley`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PageHinkleySettings {
    /// No alarm before this many observations.
    pub min_instances: u64,
    /// Slack per observation, in units of the observations.
    pub delta: f64,
    /// Alarm when the cumulative deviation exceeds its extreme by more than this.
    pub threshold: f64,
    /// Forgetting factor in [0, 1].
    pub alpha: f64,
    /// Direction watched.
    pub direction: Direction,
}

impl Default for PageHinkleySettings {
    fn default() -> Self {
        Self {
            min_instances: 30,
            delta: 0.005,
            threshold: 50.0,
            alpha: 0.9999,
            direction: Direction::Both,
        }
    }
}

/// Cumulative deviation from the running mean against its extreme so far (Page 1954, Hinkley 1971).
///
/// **Assumes** nothing that could be checked; the threshold has no calibration and the test no
/// guarantee. Recursion as in river
/// 0.26: `up = alpha up + x - mean - delta`, alarm when `up - min up > threshold`; mirrored for down.
///
/// ```
/// use driftlead_stats::peers::{Detector, PageHinkley, PageHinkleySettings};
/// let mut test = PageHinkley::new(PageHinkleySettings::default())?;
/// let first = (0..).find(|&t| test.update(if t < 100 { 0.0 } else { 1.0 }).unwrap());
/// assert!((150..250).contains(&first.unwrap()));
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct PageHinkley {
    settings: PageHinkleySettings,
    state: State,
}

#[derive(Debug, Clone, Default)]
struct State {
    seen: f64,
    mean: f64,
    up: f64,
    down: f64,
    up_min: f64,
    down_max: f64,
    alarmed: bool,
}

impl State {
    fn fresh() -> Self {
        Self {
            up_min: f64::INFINITY,
            // The published implementation starts its maximum at -1, not at minus infinity.
            down_max: -1.0,
            ..Self::default()
        }
    }
}

impl PageHinkley {
    /// A test that has seen nothing.
    ///
    /// # Errors
    /// A slack that is not finite, a threshold that is not positive, `alpha` outside [0, 1].
    pub fn new(settings: PageHinkleySettings) -> Result<Self> {
        finite("delta", settings.delta)?;
        positive("threshold", settings.threshold)?;
        unit("alpha", settings.alpha)?;
        Ok(Self {
            settings,
            state: State::fresh(),
        })
    }
}

impl Detector for PageHinkley {
    fn update(&mut self, x: f64) -> Result<bool> {
        moderate(x)?;
        if self.state.alarmed {
            self.state = State::fresh();
        }
        let (s, set) = (&mut self.state, &self.settings);
        s.seen += 1.0;
        s.mean += (x - s.mean) / s.seen;
        let deviation = x - s.mean;
        s.up = set.alpha * s.up + deviation - set.delta;
        s.down = set.alpha * s.down + deviation + set.delta;
        s.up_min = s.up_min.min(s.up);
        s.down_max = s.down_max.max(s.down);
        if s.seen >= set.min_instances as f64 {
            let rises = s.up - s.up_min > set.threshold;
            let falls = s.down_max - s.down > set.threshold;
            s.alarmed = match set.direction {
                Direction::Up => rises,
                Direction::Down => falls,
                Direction::Both => rises || falls,
            };
        }
        Ok(s.alarmed)
    }
}
