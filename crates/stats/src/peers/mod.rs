//! Widely used detectors, as arms to compare against.
//!
//! None of them carries a false-alarm guarantee for a chosen number of observations; where a threshold is
//! theirs to choose it has to be calibrated, exactly ([`ewma_arl`], [`crate::glr::shewhart_threshold`]) or by
//! simulation. They are here because a benchmark without them proves nothing, and because near the shift
//! they are tuned to, some of them are hard to beat. To monitor or to judge, use [`crate::edetector`] and
//! [`crate::eprocess`].
//!
//! | detector | looks at | tuned by |
//! |---|---|---|
//! | [`Shewhart`] | the newest observation | run length |
//! | [`MovingMean`], [`Ewma`] | a recent average against a known level | run length; [`Ewma::tuned`] also by the shift |
//! | [`PageHinkley`] | cumulative deviations from the running mean | threshold, no calibration |
//! | [`Adwin`] | every split of an adaptive window | confidence per test, not per stream |
//! | [`Kswin`] | the distribution of the newest observations | level per test, not per stream |
//! | [`Ddm`], [`Eddm`] | rate of errors, distance between errors | fixed multiples of a deviation |
//! | [`HddmA`], [`HddmW`] | means of a stream in [0, 1], plain or weighted | confidence per test |
//! | [`Bocpd`] | posterior of the time since the last change | hazard and prior |
//!
//! After an alarm each of them starts anew with the next observation, as the published implementations do.

mod adwin;
mod bocpd;
mod charts;
mod errors;
mod ewma;
mod hddm;
mod kswin;
mod page_hinkley;

pub use adwin::{Adwin, AdwinSettings};
pub use bocpd::{Bocpd, RunModel};
pub use charts::{MovingMean, Shewhart};
pub use errors::{Ddm, Eddm};
pub use ewma::{Ewma, ewma_arl, ewma_limit};
pub use hddm::{HddmA, HddmW};
pub use kswin::{Kswin, equal_size_ks_p};
pub use page_hinkley::{PageHinkley, PageHinkleySettings};

use crate::error::{Result, StatsError, finite};
use crate::glr::Direction;

/// A detector that is given one observation at a time and says whether it raises an alarm.
pub trait Detector {
    /// Adds an observation; true if it raises an alarm.
    ///
    /// # Errors
    /// An observation that is not finite or outside the range of the detector; the state is then
    /// unchanged.
    fn update(&mut self, x: f64) -> Result<bool>;
}

/// Squares of larger observations, summed over a stream, would leave the range of `f64`.
const LARGEST: f64 = 1e100;

/// `x`, if it is finite and its square is too.
fn moderate(x: f64) -> Result<f64> {
    finite("x", x)?;
    if x.abs() <= LARGEST {
        return Ok(x);
    }
    Err(StatsError::OutOfDomain {
        name: "x",
        value: x,
        domain: "[-1e100, 1e100]",
    })
}

/// Whether a standardised statistic lies beyond `limit` in the direction watched.
fn beyond(statistic: f64, limit: f64, direction: Direction) -> bool {
    match direction {
        Direction::Up => statistic >= limit,
        Direction::Down => -statistic >= limit,
        Direction::Both => statistic.abs() >= limit,
    }
}
