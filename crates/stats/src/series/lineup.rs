//! Series drawn from a fitted noise.

use super::Noise;
use crate::rng::Stream;

/// One path of the noise at `times`, with unit marginal variance where `scales` are 1.
///
/// **Assumes** the noise of [`Noise`], which it draws exactly.
///
/// ```
/// use driftlead_stats::rng::Stream;
/// use driftlead_stats::series::{Noise, simulate};
/// let noise = Noise { phi: 0.5, persistent_share: 1.0 };
/// let path = simulate(noise, &[0, 1, 2, 9], &[1.0; 4], &mut Stream::new(1, 0, 0, 0));
/// assert_eq!(path.len(), 4);
/// ```
pub fn simulate(noise: Noise, times: &[i32], scales: &[f64], random: &mut Stream) -> Vec<f64> {
    let Noise {
        phi,
        persistent_share: eta,
    } = noise;
    let mut state = random.normal();
    let mut previous = None;
    times
        .iter()
        .zip(scales)
        .map(|(&time, &scale)| {
            if let Some(before) = previous {
                let carry = phi.powi(time - before);
                state = carry * state + (1.0 - carry * carry).sqrt() * random.normal();
            }
            previous = Some(time);
            eta.sqrt() * state + ((1.0 - eta) * scale).sqrt() * random.normal()
        })
        .collect()
}

/// A series as it would look had nothing changed: the observed residuals, reordered so that their
/// ranks follow a path of the fitted noise, around the mean level of the observed values. Keeping the residuals
/// themselves keeps their shape (zeros, ties, skew), so a line-up shows no difference but the course.
///
/// **Assumes** that the noise fitted is the right one. **Guarantee**: none as a test; it is for eyes.
/// Source: the line-up of Buja and others 2009, with ranks reordered as in surrogate data (Theiler and
/// others 1992).
///
/// ```
/// use driftlead_stats::rng::Stream;
/// use driftlead_stats::series::{Noise, null_series};
/// let (times, values) = ([0, 1, 2, 3], [1.0, 2.0, 6.0, 7.0]);
/// let fitted = [1.5, 1.5, 6.5, 6.5];
/// let noise = Noise { phi: 0.3, persistent_share: 1.0 };
/// let series = null_series(noise, &times, &[1.0; 4], &values, &fitted, &mut Stream::new(1, 0, 0, 0));
/// // The residuals are those observed, around the mean of 4.
/// assert!(series.iter().all(|y| (y - 3.5).abs() < 1e-12 || (y - 4.5).abs() < 1e-12));
/// ```
pub fn null_series(
    noise: Noise,
    times: &[i32],
    scales: &[f64],
    values: &[f64],
    fitted: &[f64],
    random: &mut Stream,
) -> Vec<f64> {
    let level = values.iter().sum::<f64>() / values.len().max(1) as f64;
    let mut residuals: Vec<f64> = values.iter().zip(fitted).map(|(y, f)| y - f).collect();
    residuals.sort_by(f64::total_cmp);
    let path = simulate(noise, times, scales, random);
    let mut order: Vec<usize> = (0..path.len()).collect();
    order.sort_by(|&a, &b| path[a].total_cmp(&path[b]));
    let mut series = vec![level; path.len()];
    for (residual, index) in residuals.into_iter().zip(order) {
        series[index] += residual;
    }
    series
}
