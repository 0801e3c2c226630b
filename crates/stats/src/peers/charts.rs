//! Control charts without memory, or with a short one.

use super::{Detector, beyond, moderate};
use crate::error::{Result, finite, positive};
use crate::glr::Direction;
use std::collections::VecDeque;

/// A threshold on every single observation (Shewhart 1931).
///
/// **Assumes** a known mean and standard deviation; for a run length also independence and a normal
/// distribution ([`crate::glr::shewhart_threshold`], exact).
///
/// **Guarantee**: that run length, under these assumptions.
///
/// ```
/// use driftlead_stats::glr::{Direction, shewhart_threshold};
/// use driftlead_stats::peers::{Detector, Shewhart};
/// let mut chart = Shewhart::new(0.0, 1.0, shewhart_threshold(1e4)?, Direction::Up)?;
/// assert!(!chart.update(3.7)? && chart.update(3.8)?);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Shewhart {
    mean: f64,
    sd: f64,
    limit: f64,
    direction: Direction,
}

impl Shewhart {
    /// Alarms at `limit` standard deviations from `mean`.
    ///
    /// # Errors
    /// A mean that is not finite, or a standard deviation or limit that is not positive.
    pub fn new(mean: f64, sd: f64, limit: f64, direction: Direction) -> Result<Self> {
        Ok(Self {
            mean: finite("mean", mean)?,
            sd: positive("sd", sd)?,
            limit: positive("limit", limit)?,
            direction,
        })
    }
}

impl Detector for Shewhart {
    fn update(&mut self, x: f64) -> Result<bool> {
        let z = (moderate(x)? - self.mean) / self.sd;
        Ok(beyond(z, self.limit, self.direction))
    }
}

/// The mean of the newest `length` observations, `sum / (sd sqrt(length))`, with zeros before the start.
///
/// **Assumes** a known mean and standard deviation. No guarantee: the limit has to be
/// calibrated by simulation. Source: Roberts 1959.
///
/// ```
/// use driftlead_stats::glr::Direction;
/// use driftlead_stats::peers::{Detector, MovingMean};
/// let mut chart = MovingMean::new(0.0, 1.0, 7, 3.6, Direction::Up)?;
/// let first = (1..).find(|_| chart.update(2.0).unwrap());
/// assert_eq!(first, Some(5)); // 5 x 2 / sqrt(7) = 3.78
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MovingMean {
    mean: f64,
    scale: f64,
    limit: f64,
    direction: Direction,
    window: VecDeque<f64>,
    length: usize,
    alarmed: bool,
}

impl MovingMean {
    /// Alarms when the standardised mean of `length` observations reaches `limit`.
    ///
    /// # Errors
    /// A mean that is not finite, a standard deviation or limit that is not positive, or a length of 0.
    pub fn new(
        mean: f64,
        sd: f64,
        length: usize,
        limit: f64,
        direction: Direction,
    ) -> Result<Self> {
        positive("length", length as f64)?;
        Ok(Self {
            mean: finite("mean", mean)?,
            scale: 1.0 / (positive("sd", sd)? * (length as f64).sqrt()),
            limit: positive("limit", limit)?,
            direction,
            window: VecDeque::with_capacity(length),
            length,
            alarmed: false,
        })
    }
}

impl Detector for MovingMean {
    fn update(&mut self, x: f64) -> Result<bool> {
        let z = (moderate(x)? - self.mean) * self.scale;
        if self.alarmed {
            self.window.clear();
        }
        if self.window.len() == self.length {
            self.window.pop_front();
        }
        self.window.push_back(z);
        // Summed afresh: a running sum would keep the rounding error of a large value for ever.
        let sum: f64 = self.window.iter().sum();
        self.alarmed = beyond(sum, self.limit, self.direction);
        Ok(self.alarmed)
    }
}
