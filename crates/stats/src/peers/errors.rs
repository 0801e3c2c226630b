//! Detectors on a stream of errors (1) and successes (0).

use super::{Detector, moderate};
use crate::error::{Result, unit};

/// No alarm before this many observations (DDM) or errors (EDDM).
const WARM_START: f64 = 30.0;

/// DDM: alarm when the error rate plus its standard error exceeds its minimum by 3 standard errors
/// (Gama, Medas, Castillo, Rodrigues 2004).
///
/// **Assumes** independent errors at a rate that does not fall for long. No guarantee of a run length.
///
/// ```
/// use driftlead_stats::peers::{Ddm, Detector};
/// let mut ddm = Ddm::default();
/// let first = (0u32..).find(|&t| ddm.update(if t < 200 { t % 10 / 9 } else { 1 }.into()).unwrap());
/// assert!((200..230).contains(&first.unwrap()));
/// ```
#[derive(Debug, Clone)]
pub struct Ddm {
    seen: f64,
    rate: f64,
    rate_min: f64,
    error_min: f64,
    alarmed: bool,
}

impl Default for Ddm {
    fn default() -> Self {
        Self {
            seen: 0.0,
            rate: 0.0,
            rate_min: f64::INFINITY,
            error_min: f64::INFINITY,
            alarmed: false,
        }
    }
}

impl Detector for Ddm {
    fn update(&mut self, x: f64) -> Result<bool> {
        unit("x", x)?;
        if self.alarmed {
            *self = Self::default();
        }
        self.seen += 1.0;
        self.rate += (x - self.rate) / self.seen;
        if self.seen > WARM_START {
            let error = (self.rate * (1.0 - self.rate)).max(0.0).sqrt() / self.seen.sqrt();
            if self.rate + error <= self.rate_min + self.error_min {
                (self.rate_min, self.error_min) = (self.rate, error);
            }
            self.alarmed = self.rate + error > self.rate_min + 3.0 * self.error_min;
        }
        Ok(self.alarmed)
    }
}

/// EDDM: alarm when the distance between errors, mean plus two standard deviations, falls below
/// nine tenths of its maximum (Baena-García et al. 2006).
///
/// **Assumes** independent distances between errors. No guarantee of a run length.
///
/// ```
/// use driftlead_stats::peers::{Detector, Eddm};
/// let mut eddm = Eddm::default();
/// let first = (0u32..).find(|&t| eddm.update(if t < 1000 { t % 10 / 9 } else { 1 }.into()).unwrap());
/// assert!(first.unwrap() > 1000);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Eddm {
    seen: f64,
    last: f64,
    distances: f64,
    mean: f64,
    squares: f64,
    largest: f64,
    alarmed: bool,
}

impl Detector for Eddm {
    fn update(&mut self, x: f64) -> Result<bool> {
        moderate(x)?;
        if self.alarmed {
            *self = Self::default();
        }
        self.seen += 1.0;
        if x <= 0.5 {
            return Ok(false);
        }
        let distance = self.seen - self.last;
        self.last = self.seen;
        self.distances += 1.0;
        let gap = distance - self.mean;
        self.mean += gap / self.distances;
        self.squares += gap * (distance - self.mean);
        // The maximum is followed from the 31st observation on, alarms begin with the 31st error.
        if self.seen > WARM_START {
            let spread = (self.squares / (self.distances - 1.0).max(1.0)).sqrt();
            let reach = self.mean + 2.0 * spread;
            if reach > self.largest {
                self.largest = reach;
            } else if self.distances > WARM_START {
                self.alarmed = reach / self.largest < 0.9;
            }
        }
        Ok(self.alarmed)
    }
}
