//! Intervals by resampling units.

use crate::cs::Interval;
use crate::error::{Result, StatsError, level};
use crate::rng::Stream;
use crate::special::{normal_cdf, normal_quantile};

/// Purpose of the random stream.
const RESAMPLE: u16 = 40;

/// Bias-corrected and accelerated bootstrap interval (Efron 1987) at error level `alpha`.
///
/// `statistic` gets the indices of the chosen units, with repetition. **Assumes** independent units.
/// **Guarantee**: the level in the limit of many units, none for few. Resamples whose statistic is
/// undefined are left out. The same seed gives the same interval.
///
/// ```
/// use driftlead_stats::agreement::{Ratings, Scale, bootstrap, krippendorff_alpha};
/// let a: Vec<f64> = (0..40).map(|i| f64::from(i % 3)).collect();
/// let b: Vec<f64> = (0..40).map(|i| f64::from(if i % 7 == 0 { 0 } else { i % 3 })).collect();
/// let ratings = Ratings::complete(&[a, b])?;
/// let of = |units: &[usize]| krippendorff_alpha(&ratings.resampled(units), Scale::Nominal);
/// let interval = bootstrap(ratings.units(), 500, 1, 0.05, of)?;
/// assert!(interval.contains(krippendorff_alpha(&ratings, Scale::Nominal)?));
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// `alpha` outside (0, 1), fewer than 2 units, the statistic undefined for the data themselves or for
/// more than half of the resamples.
pub fn bootstrap(
    units: usize,
    resamples: u32,
    seed: u64,
    alpha: f64,
    statistic: impl Fn(&[usize]) -> Result<f64>,
) -> Result<Interval> {
    level("alpha", alpha)?;
    let undefined = |because| StatsError::Undefined {
        what: "a bootstrap interval",
        because,
    };
    let count = u32::try_from(units).map_err(|_| undefined("there are too many units"))?;
    if units < 2 {
        return Err(undefined("there are fewer than two units"));
    }
    let mut chosen: Vec<usize> = (0..units).collect();
    let value = statistic(&chosen)?;
    // Acceleration from the values that leave one unit out.
    let mut left_out: Vec<f64> = Vec::with_capacity(units);
    for skip in 0..units {
        let rest: Vec<usize> = (0..units).filter(|&i| i != skip).collect();
        left_out.extend(statistic(&rest).ok());
    }
    let mean = left_out.iter().sum::<f64>() / left_out.len().max(1) as f64;
    let (mut squares, mut cubes) = (0.0, 0.0);
    for v in &left_out {
        squares += (mean - v).powi(2);
        cubes += (mean - v).powi(3);
    }
    let acceleration = if squares > 0.0 {
        cubes / (6.0 * squares.powf(1.5))
    } else {
        0.0
    };
    let mut draws = Vec::with_capacity(resamples as usize);
    for round in 0..resamples {
        let mut luck = Stream::new(seed, 0, round, RESAMPLE);
        chosen
            .iter_mut()
            .for_each(|c| *c = luck.below(count) as usize);
        draws.extend(statistic(&chosen).ok());
    }
    if draws.len() * 2 <= resamples as usize {
        return Err(undefined("it is undefined for most resamples"));
    }
    draws.sort_by(f64::total_cmp);
    let size = draws.len() as f64;
    let below = draws.partition_point(|d| *d < value) as f64;
    let ties = draws.partition_point(|d| *d <= value) as f64 - below;
    let share = ((below + 0.5 * ties) / size).clamp(0.5 / size, 1.0 - 0.5 / size);
    let bias = normal_quantile(share);
    let end = |p: f64| {
        let z = bias + normal_quantile(p);
        let adjusted = normal_cdf(bias + z / (1.0 - acceleration * z));
        let place = (adjusted * (size - 1.0)).round().clamp(0.0, size - 1.0);
        draws[place as usize]
    };
    Ok(Interval {
        low: end(0.5 * alpha),
        high: end(1.0 - 0.5 * alpha),
    })
}
