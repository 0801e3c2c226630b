//! FOCuS as a detector: whether the Gaussian likelihood ratio reaches a threshold, and nothing more.

use super::block::{Block, Bounds, ROOM, Run, least, right_minima, smaller, thin};
use super::hull::{Best, Hull, Vertex};
use super::{Before, Direction, Scan};
use crate::error::{Result, finite, positive};

/// A block of an unknown level ends when the sum, centred at its start, has moved this far.
const WIDEST: f64 = 40.0;
/// The same for a known level, where only rounding asks for it.
const WIDEST_KNOWN: f64 = 1e4;
/// With an unknown level, blocks start after this many observations.
const FIRST_BLOCK: f64 = 16.0;
/// Share by which bounds are kept below the threshold, so that rounding cannot hide an alarm.
const SLACK: f64 = 1e-9;
/// Rounding of a sum over a block, relative to the numbers in it: 256 units in the last place.
const ROUNDING: f64 = 256.0 * f64::EPSILON;

/// Tells after each observation whether the statistic of [`super::GaussianFocus`] is at least a threshold.
///
/// The answer is that of `statistic >= threshold` at every observation, but most observations cost a few
/// comparisons: the sum is compared with a *limit* below which no candidate can reach the threshold,
/// and observations enter the hull in blocks. **Assumes** independent observations of variance one. **Guarantee**: exact alarm times; no false-alarm guarantee, so find the threshold by simulation.
/// Memory: about 8 KiB and a few times `ln n` candidates. Source: construction of this project on the hull of
/// Romano et al. 2023 (JMLR 24).
///
/// Why it is exact. A change after `k` of `n` observations reaches the threshold `h` exactly when the
/// sum has risen by `sqrt(2 h (n - k))` since `k` (known level), or when
/// `S_n / n - S_k / k >= sqrt(2 h (1/k - 1/n))` (unknown level); the smallest of these over `k`, seen
/// as a bound on the sum, is the limit. It grows with `n` for every `k`, so a limit computed
/// once stays safe for what was already seen, and a new observation lowers it to at most
/// `sqrt(2 h)` above itself. Only when the sum crosses is the limit computed anew, and
/// only when it still crosses is the likelihood ratio itself evaluated.
///
/// ```
/// use driftlead_stats::glr::{Before, Direction, FocusAlarm};
/// let mut alarm = FocusAlarm::new(Before::Known(0.0), Direction::Up, 8.0)?;
/// let quiet = [0.3, -0.6, 0.1, 0.2];
/// assert_eq!(alarm.first_alarm(&quiet)?, None);
/// assert!(!alarm.update(2.0)?);
/// assert_eq!(alarm.first_alarm(&[2.0; 9])?, Some(2));
/// assert_eq!(alarm.scan().change, 4);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct FocusAlarm {
    known: bool,
    mean: Option<f64>,
    threshold: f64,
    /// Observations before the block, and their sum.
    start: (f64, f64),
    block: Block,
    run: Run,
    bounds: Bounds,
    /// For each direction that is looked at.
    up: Option<Side>,
    down: Option<Side>,
    /// Rise needed over a span of `j` observations inside the block, at `ROOM - j`.
    needed: [f64; ROOM],
    /// Observations at which `needed` was computed; 0 before the first block of an unknown level.
    needed_at: f64,
    /// Room for the points of a block, the end of the hull before them.
    points: [(f64, f64); ROOM + 1],
}

/// One direction. Sums are negated for a fall.
#[derive(Debug, Clone)]
struct Side {
    sign: f64,
    hull: Hull,
    /// No candidate of the hull reaches the threshold while the centred sum is below.
    hull_limit: f64,
}

impl FocusAlarm {
    /// An empty stream. `threshold` is that of the log-likelihood ratio, as in [`Scan::statistic`].
    ///
    /// # Errors
    /// A known mean that is not finite, or a threshold that is not positive.
    pub fn new(before: Before, direction: Direction, threshold: f64) -> Result<Self> {
        positive("threshold", threshold)?;
        let mean = match before {
            Before::Known(mean) => Some(finite("mean", mean)?),
            Before::Unknown => None,
        };
        let side = |used: bool, sign: f64| {
            used.then(|| Side {
                sign,
                hull: Hull::new(mean.is_some()),
                hull_limit: f64::NEG_INFINITY,
            })
        };
        let zeros = [0.0; ROOM];
        let places = [0; ROOM];
        let mut alarm = Self {
            known: mean.is_some(),
            mean,
            threshold,
            start: (0.0, 0.0),
            block: Block {
                sums: zeros,
                centred: zeros,
                low: places,
                high: places,
            },
            run: Run {
                len: 0,
                sum: 0.0,
                centred: 0.0,
                last: f64::NAN,
                lows: 0,
                highs: 0,
                floor: f64::NEG_INFINITY,
                ceiling: f64::NEG_INFINITY,
            },
            bounds: Bounds {
                mean: 0.0,
                level: 0.0,
                rise: 0.0,
                fall: 0.0,
                widest: 0.0,
                rounding: 0.0,
            },
            up: side(direction != Direction::Down, 1.0),
            down: side(direction != Direction::Up, -1.0),
            needed: zeros,
            needed_at: 0.0,
            points: [(0.0, 0.0); ROOM + 1],
        };
        if let Some(mean) = mean {
            alarm.bounds.mean = mean;
            alarm.start_block();
        }
        Ok(alarm)
    }

    /// Adds an observation; `true` when the statistic is now at least the threshold.
    ///
    /// # Errors
    /// [`crate::StatsError::NotFinite`] for the observation, or for the sum it leads to; the state is
    /// then unchanged.
    #[inline]
    pub fn update(&mut self, x: f64) -> Result<bool> {
        if self.run.quiet(x, &self.bounds, &mut self.block) {
            return Ok(false);
        }
        self.look(x)
    }

    /// Adds observations until the first alarm and returns its index; `None` when there is none and all
    /// were added. The same as [`Self::update`] in a loop, faster.
    ///
    /// # Errors
    /// As [`Self::update`]; the observations before the refused one are then added.
    pub fn first_alarm(&mut self, xs: &[f64]) -> Result<Option<usize>> {
        let mut rest = xs.iter().enumerate();
        loop {
            let (mut run, bounds) = (self.run, self.bounds);
            let stop = rest.find(|&(_, &x)| !run.quiet(x, &bounds, &mut self.block));
            self.run = run;
            let Some((index, &x)) = stop else {
                return Ok(None);
            };
            if self.look(x)? {
                return Ok(Some(index));
            }
        }
    }

    /// Forgets everything seen, as after an alarm.
    pub fn restart(&mut self) {
        let before = match self.mean {
            Some(mean) if self.known => Before::Known(mean),
            _ => Before::Unknown,
        };
        let direction = match (&self.up, &self.down) {
            (Some(_), Some(_)) => Direction::Both,
            (Some(_), None) => Direction::Up,
            _ => Direction::Down,
        };
        if let Ok(fresh) = Self::new(before, direction, self.threshold) {
            *self = fresh;
        }
    }

    /// The best change so far.
    #[must_use]
    pub fn scan(&self) -> Scan {
        let n = self.n();
        let mut best = Best::NONE;
        for side in self.up.iter().chain(&self.down) {
            let sum = side.sign * self.run.sum;
            for &vertex in side.hull.candidates() {
                best.offer(vertex, n, sum, self.known);
            }
            for (i, s) in self.waiting().iter().enumerate() {
                let vertex = Vertex::new(self.start.0 + 1.0 + i as f64, side.sign * s);
                best.offer(vertex, n, sum, self.known);
            }
        }
        best.scan(n, self.known)
    }

    fn n(&self) -> f64 {
        self.start.0 + self.run.len as f64
    }

    /// Sums of the block.
    fn waiting(&self) -> &[f64] {
        &self.block.sums[..self.run.len.min(ROOM)]
    }

    /// Takes an observation that crossed a limit, or that fills the block.
    #[inline(never)]
    fn look(&mut self, x: f64) -> Result<bool> {
        finite("x", x)?;
        let mean = self.mean.unwrap_or(x);
        finite("sum of x", self.run.sum + (x - mean))?;
        if self.mean.is_none() {
            // An unknown level may be far from zero: sums are taken from the first observation.
            self.mean = Some(mean);
            self.bounds.mean = mean;
            self.bounds.level = mean;
        }
        let centred = self.run.centred + (x - self.bounds.level);
        self.run.take(x, centred, &self.bounds, &mut self.block);
        let mut near = self.needed_at == 0.0;
        if !near {
            // Written so that NaN counts as a crossing.
            let below = |run: &Run| run.centred < run.ceiling;
            let above = |run: &Run| run.centred > run.floor;
            if !below(&self.run) {
                self.run.ceiling = self.limit(1.0);
                near |= !below(&self.run);
            }
            if !above(&self.run) {
                self.run.floor = -self.limit(-1.0);
                near |= !above(&self.run);
            }
        }
        if near || self.run.len >= ROOM {
            self.end_block();
            return Ok(near && self.scan().statistic >= self.threshold);
        }
        self.run.ceiling = smaller(centred + self.bounds.rise, self.run.ceiling);
        self.run.floor = -smaller(self.bounds.fall - centred, -self.run.floor);
        Ok(false)
    }

    /// The centred sum below which no candidate, the newest observation left out, reaches the
    /// threshold now or later in this block; negated for a fall.
    fn limit(&mut self, sign: f64) -> f64 {
        let older = self.run.len.saturating_sub(1).min(ROOM);
        let (sums, needed) = (&self.block.centred[..older], &self.needed[ROOM - older..]);
        let within = least(sums, needed, |s, needed| sign * s + needed);
        let Some(side) = self.side(sign) else {
            return self.bounds.widest;
        };
        let mut hull = side.hull_limit;
        // The limit of the hull grows: worth computing again when it is what binds, or soon will.
        if hull < sign * self.run.centred + 1.5 {
            hull = self.hull_limit(side, self.n());
        }
        let slot = if sign > 0.0 {
            &mut self.up
        } else {
            &mut self.down
        };
        if let Some(side) = slot {
            side.hull_limit = hull;
        }
        smaller(
            within - self.bounds.rounding,
            smaller(hull, self.bounds.widest),
        )
    }

    fn side(&self, sign: f64) -> Option<&Side> {
        if sign > 0.0 {
            self.up.as_ref()
        } else {
            self.down.as_ref()
        }
    }

    /// The same for the candidates of the hull, from the `n`th observation on.
    fn hull_limit(&self, side: &Side, n: f64) -> f64 {
        let (twice, vertices) = (self.twice(), side.hull.candidates());
        let limit = if self.known {
            let lowest = least(vertices, vertices, |v, _| {
                v.sum + (twice * (n - v.time)).sqrt()
            });
            lowest - side.sign * self.start.1
        } else {
            let now = n.recip();
            // The oldest vertex, before the first observation, is NaN here and passed over.
            let lowest = least(vertices, vertices, |v, _| {
                v.sum * v.inverse + (twice * (v.inverse - now)).sqrt()
            }) - side.sign * (self.bounds.level - self.bounds.mean);
            // A bound on a mean grows with n only where it is positive.
            if lowest > 0.0 {
                n * lowest
            } else {
                f64::NEG_INFINITY
            }
        };
        limit - self.bounds.rounding
    }

    /// Twice the threshold, a little less.
    fn twice(&self) -> f64 {
        2.0 * self.threshold * (1.0 - SLACK)
    }

    /// Moves the block into the hulls and starts another.
    fn end_block(&mut self) {
        let block = &mut self.block;
        let newest = self.run.len.saturating_sub(1);
        for (side, places, count) in [
            (&mut self.up, &mut block.low, self.run.lows),
            (&mut self.down, &mut block.high, self.run.highs),
        ] {
            let Some(side) = side else { continue };
            places[count % ROOM] = newest as u8;
            let mut places = &mut places[..=count % ROOM];
            if self.known {
                places = right_minima(places, |i| side.sign * block.sums[usize::from(i) % ROOM]);
            }
            let Some(end) = side.hull.candidates().last() else {
                continue;
            };
            let points = &mut self.points[..=places.len()];
            points[0] = (end.time, end.sum);
            for (point, &i) in points.iter_mut().skip(1).zip(&*places) {
                let time = self.start.0 + 1.0 + f64::from(i);
                *point = (time, side.sign * block.sums[usize::from(i) % ROOM]);
            }
            let left = thin(points);
            side.hull.extend(points[1..left].iter().copied());
        }
        self.start = (self.n(), self.run.sum);
        self.run = Run {
            len: 0,
            centred: 0.0,
            last: f64::NAN,
            lows: 0,
            highs: 0,
            ..self.run
        };
        if self.known || self.start.0 >= FIRST_BLOCK {
            self.start_block();
        }
    }

    /// Sets the bounds of a block.
    fn start_block(&mut self) {
        let (n, sum) = self.start;
        let twice = self.twice();
        if self.known {
            self.bounds.level = self.bounds.mean;
            self.bounds.widest = WIDEST_KNOWN;
            if self.needed_at == 0.0 {
                self.needed_at = 1.0;
                for (needed, j) in self.needed.iter_mut().rev().zip(1u8..) {
                    *needed = (twice * f64::from(j)).sqrt();
                }
            }
        } else {
            self.bounds.level = self.bounds.mean + sum / n;
            // The bounds grow with n: those of half as many observations are safe, and hardly smaller.
            if n >= 2.0 * self.needed_at {
                self.needed_at = n;
                self.bounds.widest = (0.125 * n).min(WIDEST);
                // For a start inside the block the two sides of the condition are, with centred sums T,
                // T_n - T_k and sqrt(2 h j k/n) + j T_n/n for a span of j. Here k is at least the start
                // and T_n at least -widest. What is left is concave in j: no smaller, later
                // in the block, than at either end.
                let tilt = self.bounds.widest / n;
                let rise = |j: f64| (twice * j * n / (n + j)).sqrt() - j * tilt;
                let end = rise(ROOM as f64);
                for (needed, j) in self.needed.iter_mut().rev().zip(1u8..) {
                    *needed = smaller(rise(f64::from(j)), end);
                }
            }
        }
        let bounds = &mut self.bounds;
        let scale = sum.abs() + bounds.level.abs() + bounds.widest + n * twice.sqrt();
        bounds.rounding = ROUNDING * scale;
        let step = self.needed[ROOM - 1] - bounds.rounding;
        let step_of = |side: &Option<Side>| {
            if side.is_some() { step } else { f64::INFINITY }
        };
        (bounds.rise, bounds.fall) = (step_of(&self.up), step_of(&self.down));
        let limits = [&self.up, &self.down]
            .map(|side| side.as_ref().map(|side| self.hull_limit(side, n + 1.0)));
        for (side, limit) in [&mut self.up, &mut self.down].into_iter().zip(limits) {
            if let (Some(side), Some(limit)) = (side, limit) {
                side.hull_limit = limit;
            }
        }
        let widest = self.bounds.widest;
        let [ceiling, fall] = limits.map(|limit| smaller(limit.unwrap_or(widest), widest));
        (self.run.ceiling, self.run.floor) = (ceiling, -fall);
    }
}

#[cfg(test)]
mod tests {
    use super::super::GaussianFocus;
    use super::*;
    use crate::rng::Stream;
    use proptest::prelude::*;

    /// Compares with the statistic at every observation; both must answer the same.
    fn compare(before: Before, direction: Direction, threshold: f64, xs: &[f64]) -> usize {
        let mut focus = GaussianFocus::new(before, direction).unwrap();
        let mut alarm = FocusAlarm::new(before, direction, threshold).unwrap();
        let mut alarms = Vec::new();
        for (t, &x) in xs.iter().enumerate() {
            let statistic = focus.update(x).unwrap();
            let raised = alarm.update(x).unwrap();
            // Where both round differently the answer may differ in the last digits only.
            if (statistic - threshold).abs() > 1e-9 * threshold {
                assert_eq!(
                    raised,
                    statistic >= threshold,
                    "{before:?} {direction:?} {threshold} at {t}: {statistic}"
                );
            }
            if raised {
                alarms.push(t);
            }
            if t % 37 == 0 {
                assert_eq!(
                    alarm.scan(),
                    focus.scan(),
                    "{before:?} {direction:?} at {t}"
                );
            }
        }
        let mut alarm = FocusAlarm::new(before, direction, threshold).unwrap();
        let (mut at, mut found) = (0, Vec::new());
        while let Some(index) = alarm.first_alarm(&xs[at..]).unwrap() {
            found.push(at + index);
            at += index + 1;
        }
        assert_eq!(alarms, found);
        alarms.len()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn alarms_exactly_when_the_statistic_reaches_the_threshold(
            seed in 0_u64..1_000_000,
            level in prop_oneof![Just(0.0), -1e3_f64..1e3, -1e9_f64..1e9],
            shift in -1.0_f64..1.0,
            onset in 0_usize..1500,
            threshold in prop_oneof![0.01_f64..1.0, 1.0_f64..14.0],
        ) {
            let mut luck = Stream::new(seed, 0, 0, 1);
            let xs: Vec<f64> = (0..1500)
                .map(|t| level + luck.normal() + if t >= onset { shift } else { 0.0 })
                .collect();
            for before in [Before::Known(level), Before::Unknown] {
                for direction in [Direction::Up, Direction::Down, Direction::Both] {
                    compare(before, direction, threshold, &xs);
                }
            }
        }
    }

    #[test]
    fn long_streams_and_awkward_ones() {
        let mut luck = Stream::new(5, 0, 0, 1);
        let quiet: Vec<f64> = (0..60_000).map(|_| luck.normal()).collect();
        let steps: Vec<f64> = quiet.iter().map(|x| x.signum()).collect();
        let constant = vec![2.5; 3000];
        let ramp: Vec<f64> = (0..3000).map(|t| 1e-3 * f64::from(t)).collect();
        let convex: Vec<f64> = (0..600).map(|t| (0.02 * f64::from(t)).exp()).collect();
        let alternating: Vec<f64> = (0..3000)
            .map(|t| if t % 2 == 0 { 30.0 } else { -30.0 })
            .collect();
        let outlier: Vec<f64> = quiet[..3000]
            .iter()
            .enumerate()
            .map(|(t, x)| if t == 0 || t == 1700 { 1e6 * x } else { *x })
            .collect();
        let mut alarms = 0;
        for xs in [
            &quiet,
            &steps,
            &constant,
            &ramp,
            &convex,
            &alternating,
            &outlier,
        ] {
            for before in [Before::Known(0.0), Before::Unknown] {
                for direction in [Direction::Up, Direction::Down, Direction::Both] {
                    for threshold in [3.0, 8.774] {
                        alarms += compare(before, direction, threshold, xs);
                    }
                }
            }
        }
        assert!(alarms > 1000);
    }

    #[test]
    fn refuses_what_is_not_finite_and_restarts() {
        let mut alarm = FocusAlarm::new(Before::Unknown, Direction::Both, 5.0).unwrap();
        assert!(alarm.update(f64::NAN).is_err() && alarm.update(f64::INFINITY).is_err());
        assert!(alarm.first_alarm(&[0.5, f64::NEG_INFINITY]).is_err());
        assert!(!alarm.update(0.5).unwrap());
        assert!(alarm.update(-1e308).is_ok() && alarm.update(-1e308).is_err());
        alarm.restart();
        assert_eq!(
            alarm.scan(),
            Scan {
                statistic: 0.0,
                change: 0
            }
        );
        assert!(FocusAlarm::new(Before::Known(f64::NAN), Direction::Up, 1.0).is_err());
        assert!(FocusAlarm::new(Before::Unknown, Direction::Up, 0.0).is_err());
    }
}
