//! One person's series: has its level changed, by how much, and what could have been seen?
//!
//! Weekly values of one person are few, autocorrelated and full of gaps. Control charts and plain
//! trend tests flag most unchanged people (XmR and CUSUM charts 15–98 % a year). Here the change is a
//! regression coefficient under AR(1)-plus-sampling noise. A short series says little about its own
//! autocorrelation, so the estimate is averaged over a grid of noises, each weighted by prior times
//! restricted likelihood; the interval is the central one of the resulting mixture of Student-t
//! distributions.
//!
//! **Assumption** (level A3): Gaussian AR(1) with 0 ≤ φ ≤ 0.7 plus independent noise. **Guarantee**:
//! the interval's error is at most about `alpha`. This is a calibration, not a theorem: prior and level
//! ([`calibrated`]) were chosen by simulation, and the null gate of the `drift` crate tests the result, on
//! Gaussian values and on counts. Beyond φ 0.7 the error exceeds `alpha`; by how much is printed there.
//!
//! ```
//! use driftlead_stats::series::{Settings, fit, hinge};
//! let weeks: Vec<i32> = (0..40).collect();
//! let values: Vec<f64> = weeks.iter().map(|w| 5.0 + f64::from(w * 7919 % 13) / 13.0).collect();
//! let columns = [vec![1.0; 40], hinge(&weeks, 10)];
//! let fit = fit(&weeks, &values, &[1.0; 40], &columns, 1, &Settings::default())?;
//! let (low, high) = fit.interval(0.05);
//! assert!(low < 0.0 && 0.0 < high);
//! assert!(fit.smallest_visible(0.05, 0.8) > 0.0);
//! # Ok::<(), driftlead_stats::series::SeriesError>(())
//! ```
//!
//! Beside the fit: [`equivalence`] for "no movement of this size", [`change_times`] for when it moved,
//! and permutation tests of any statistic ([`circular_shift_p`], [`block_permutation_p`]).

mod change_time;
mod equivalence;
mod fit;
mod lineup;
mod noise;
mod permute;
mod tail;

pub use change_time::change_times;
pub use equivalence::{Equivalence, equivalence};
pub use fit::{Candidate, Fit, calibrated, fit, t_quantile};
pub use lineup::{null_series, simulate};
pub use noise::{MAX_COLUMNS, Noise};
pub use permute::{block_permutation_p, circular_shift_p};

/// Why a series cannot be fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SeriesError {
    /// Inputs differ in length.
    #[error("times, values, scales and columns differ in length")]
    Lengths,
    /// No regressor, too many, or the target is none of them.
    #[error("a fit takes 1 to {MAX_COLUMNS} regressors and a target among them, got {columns}")]
    Columns {
        /// Regressors given.
        columns: usize,
    },
    /// Too few observations.
    #[error("{observations} observations are too few, at least {needed} are needed")]
    TooShort {
        /// Observations given.
        observations: usize,
        /// Observations needed.
        needed: usize,
    },
    /// Times are not strictly increasing.
    #[error("times are not strictly increasing")]
    Order,
    /// A value or its square is NaN or infinite, or a scale is not positive.
    #[error("values must be finite, with finite squares, and scales positive")]
    NotFinite,
    /// All values are the same.
    #[error("the values never vary")]
    Constant,
    /// Regressors are collinear at these times.
    #[error("the regressors are collinear at these times")]
    Collinear,
}

/// The noises considered, each with its prior weight (up to a common factor).
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Noises considered.
    pub grid: Vec<(Noise, f64)>,
}

impl Default for Settings {
    fn default() -> Self {
        let white = Noise {
            phi: 0.0,
            persistent_share: 0.0,
        };
        let mut grid = vec![(white, WHITE)];
        for phi in [0.15, 0.3, 0.45, 0.6, 0.7, 0.8, 0.9, 0.95] {
            for quarters in 1..=4 {
                let noise = Noise {
                    phi,
                    persistent_share: f64::from(quarters) / 4.0,
                };
                grid.push((
                    noise,
                    (1.0 - phi).sqrt() * LESS_PERSISTENT.powi(4 - quarters),
                ));
            }
        }
        Settings { grid }
    }
}

/// Prior weight of white noise, against `√(1 − φ)` for an AR(1) noise. A slow component hidden under
/// white noise cannot be told from no component in a year of weeks, so this and the next constant decide
/// how much power is paid for the possibility; both were chosen by simulation (`calibrated`).
const WHITE: f64 = 4.0;
/// Factor for each quarter of the variance that is not persistent.
const LESS_PERSISTENT: f64 = 0.7;

/// The regressor of a departure from the baseline: 0 up to and including the baseline's last time
/// `times[0] + baseline − 1`, then rising linearly to 1 at the last time. Its coefficient is the change
/// from the baseline's level to the level at the end.
///
/// ```
/// use driftlead_stats::series::hinge;
/// assert_eq!(hinge(&[0, 1, 2, 3, 4], 3), [0.0, 0.0, 0.0, 0.5, 1.0]);
/// ```
pub fn hinge(times: &[i32], baseline: i32) -> Vec<f64> {
    let (Some(&first), Some(&last)) = (times.first(), times.last()) else {
        return Vec::new();
    };
    let start = first + baseline - 1;
    let length = f64::from((last - start).max(1));
    times
        .iter()
        .map(|&t| f64::from((t - start).max(0)) / length)
        .collect()
}

/// The regressor of a level shift: 0 before `at`, 1 from then on.
///
/// ```
/// use driftlead_stats::series::step;
/// assert_eq!(step(&[0, 1, 2, 3], 2), [0.0, 0.0, 1.0, 1.0]);
/// ```
pub fn step(times: &[i32], at: i32) -> Vec<f64> {
    times
        .iter()
        .map(|&t| if t < at { 0.0 } else { 1.0 })
        .collect()
}

/// The regressor of a straight trend, from −½ at the first time to ½ at the last.
///
/// ```
/// use driftlead_stats::series::trend;
/// assert_eq!(trend(&[0, 1, 4]), [-0.5, -0.25, 0.5]);
/// ```
pub fn trend(times: &[i32]) -> Vec<f64> {
    let (Some(&first), Some(&last)) = (times.first(), times.last()) else {
        return Vec::new();
    };
    let length = f64::from((last - first).max(1));
    times
        .iter()
        .map(|&t| f64::from(t - first) / length - 0.5)
        .collect()
}
