//! Series drawn from a fitted noise.

use super::Noise;
use crate::rng::Stream;

/// One path of the noise at `times`, with unit marginal variance where `scales` are 1.
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
