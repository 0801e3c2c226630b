//! Expectation propagation: a Gaussian that matches the posterior of strengths.

use super::bradley_terry::around;
use super::comparisons::Comparisons;
use crate::cs::Interval;
use crate::error::{Result, StatsError, positive};
use crate::special::{gauss_legendre, inverse_positive, ln_normal_cdf, normal_cdf, normal_pdf};

/// How a difference of strengths becomes a probability of winning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Link {
    /// Logistic: Bradley-Terry.
    Logit,
    /// The logistic as a weighted sum of five normal distribution functions (Williams & Barber 1998), as
    /// other programs use it: faster, means off by up to about 4e-4.
    LogitMixture,
    /// Normal: Thurstone's case V with unit variance of the difference.
    Probit,
}

/// A Gaussian approximation of the posterior.
#[derive(Debug, Clone, PartialEq)]
pub struct Posterior {
    /// Means, in the units of the link.
    pub mean: Vec<f64>,
    /// Covariance, row by row.
    pub covariance: Vec<f64>,
}

impl Posterior {
    /// Interval of the strength of `i` minus that of `j`, at error level `alpha`.
    ///
    /// # Errors
    /// An item out of range, `alpha` outside (0, 1).
    pub fn difference(&self, i: usize, j: usize, alpha: f64) -> Result<Interval> {
        let n = self.mean.len();
        if i.max(j) >= n {
            return Err(StatsError::OutOfDomain {
                name: "item",
                value: i.max(j) as f64,
                domain: "0..items",
            });
        }
        around(
            self.mean[i] - self.mean[j],
            spread(&self.covariance, n, i, j),
            alpha,
        )
    }
}

/// Variance of the difference of two strengths.
fn spread(covariance: &[f64], n: usize, i: usize, j: usize) -> f64 {
    covariance[i * n + i] + covariance[j * n + j] - 2.0 * covariance[i * n + j]
}

/// Posterior of strengths under independent normal priors with precision `precision`.
///
/// **Assumes** independent comparisons. **Guarantee**: a fixed point of expectation propagation (Minka 2001; for
/// comparisons Chu & Ghahramani 2005), independent of the order of the data; moments under the
/// logistic link by quadrature. Strengths are not centred: the prior fixes their level.
///
/// ```
/// use driftlead_stats::preference::{Comparisons, Link, expectation_propagation};
/// let data = Comparisons::new(3, &[(0, 1), (0, 1), (1, 2)])?;
/// let posterior = expectation_propagation(&data, 1.0, Link::Probit)?;
/// assert!(posterior.mean[0] > posterior.mean[1] && posterior.mean[1] > posterior.mean[2]);
/// assert!(posterior.difference(0, 2, 0.05)?.contains(0.0));
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// A precision that is not positive, no convergence.
pub fn expectation_propagation(
    data: &Comparisons,
    precision: f64,
    link: Link,
) -> Result<Posterior> {
    positive("precision", precision)?;
    let n = data.items();
    let wins: Vec<(usize, usize, f64)> = data.wins().collect();
    // Site of one comparison: precision and shift of the difference. Equal comparisons share a site.
    let mut sites = vec![(0.0, 0.0); wins.len()];
    for _ in 0..500 {
        let posterior = combine(&wins, &sites, n, precision)?;
        let mut moved = 0.0f64;
        for (&(w, l, _), site) in wins.iter().zip(&mut sites) {
            let variance = spread(&posterior.covariance, n, w, l);
            let total = (
                1.0 / variance,
                (posterior.mean[w] - posterior.mean[l]) / variance,
            );
            let cavity = (total.0 - site.0, total.1 - site.1);
            if cavity.0 <= 0.0 {
                return Err(StatsError::NoConvergence {
                    what: "expectation propagation",
                });
            }
            let centre = cavity.1 / cavity.0;
            let (slope, curvature) = derivatives(link, centre, 1.0 / cavity.0);
            let share = 1.0 + curvature / cavity.0;
            let next = (-curvature / share, (slope - centre * curvature) / share);
            // Half steps: all sites move at once.
            let change = (0.5 * (next.0 - site.0), 0.5 * (next.1 - site.1));
            *site = (site.0 + change.0, site.1 + change.1);
            moved = moved.max(change.0.abs()).max(change.1.abs());
        }
        if moved < 1e-11 {
            return combine(&wins, &sites, n, precision);
        }
    }
    Err(StatsError::NoConvergence {
        what: "expectation propagation",
    })
}

fn combine(
    wins: &[(usize, usize, f64)],
    sites: &[(f64, f64)],
    n: usize,
    precision: f64,
) -> Result<Posterior> {
    let mut total = vec![0.0; n * n];
    let mut shift = vec![0.0; n];
    for i in 0..n {
        total[i * n + i] = precision;
    }
    for (&(w, l, count), &(tau, nu)) in wins.iter().zip(sites) {
        total[w * n + w] += count * tau;
        total[l * n + l] += count * tau;
        total[w * n + l] -= count * tau;
        total[l * n + w] -= count * tau;
        shift[w] += count * nu;
        shift[l] -= count * nu;
    }
    let covariance = inverse_positive(&total, n)?;
    let row = |i: usize| covariance[i * n..(i + 1) * n].iter().zip(&shift);
    let mean = (0..n).map(|i| row(i).map(|(c, s)| c * s).sum()).collect();
    Ok(Posterior { mean, covariance })
}

/// First and second derivative, in the mean, of the log of the expected win probability when the
/// difference is normal.
fn derivatives(link: Link, mean: f64, variance: f64) -> (f64, f64) {
    match link {
        Link::Probit => {
            let scale = (1.0 + variance).sqrt();
            let z = mean / scale;
            let ratio = (normal_pdf(z).ln() - ln_normal_cdf(z)).exp();
            (ratio / scale, -ratio * (z + ratio) / (1.0 + variance))
        }
        // Far in the tail the weights of the sum cancel to nothing.
        Link::LogitMixture if mean.abs() < 4.0 + 0.98 * variance => {
            mixture_derivatives(mean, variance)
        }
        Link::Logit | Link::LogitMixture => logit_derivatives(mean, variance),
    }
}

/// Scales and weights of the five distribution functions that sum to the logistic (Williams & Barber 1998, in the
/// values of the GPML toolbox; scales before the factor `sqrt 2`).
const MIXTURE: [(f64, f64); 5] = [
    (0.44, 114.648_098_857_443_9),
    (0.41, -1_508.871_030_070_582),
    (0.40, 2_676.085_036_831_241),
    (0.39, -1_356.294_962_039_222),
    (0.36, 75.432_856_421_118_5),
];

fn mixture_derivatives(mean: f64, variance: f64) -> (f64, f64) {
    let (mut value, mut first, mut second) = (0.0, 0.0, 0.0);
    for (scale, weight) in MIXTURE {
        let scale = scale * core::f64::consts::SQRT_2;
        let root = (1.0 + scale * scale * variance).sqrt();
        let (z, inner) = (scale * mean / root, scale / root);
        value += weight * normal_cdf(z);
        first += weight * inner * normal_pdf(z);
        second -= weight * inner * inner * z * normal_pdf(z);
    }
    let slope = first / value;
    (slope, second / value - slope * slope)
}

/// The same for the logistic link: Gauss-Legendre in pieces around the mode of the integrand.
fn logit_derivatives(mean: f64, variance: f64) -> (f64, f64) {
    let sd = variance.sqrt();
    // The mode lies between the mean and mean + variance; all mass is near it.
    let (low, high) = (mean - 12.0 * sd, mean + variance.min(12.0 * sd) + 12.0 * sd);
    let rule = gauss_legendre(16);
    let pieces = ((high - low) / sd.clamp(0.01, 2.0))
        .ceil()
        .clamp(8.0, 400.0);
    let log_integrand = |x: f64| {
        let z = (x - mean) / sd;
        -0.5 * z * z - (x.min(0.0).abs() + (-x.abs()).exp().ln_1p())
    };
    let nodes: Vec<(f64, f64)> = (0..pieces as usize)
        .flat_map(|k| {
            let width = (high - low) / pieces;
            let from = low + k as f64 * width;
            rule.on(from, from + width).collect::<Vec<_>>()
        })
        .map(|(x, w)| (x, w.ln() + log_integrand(x)))
        .collect();
    let largest = nodes.iter().fold(f64::NEG_INFINITY, |m, n| m.max(n.1));
    let (mut mass, mut first, mut second) = (0.0, 0.0, 0.0);
    for (x, ln_weight) in nodes {
        let weight = (ln_weight - largest).exp();
        let gap = x - mean;
        mass += weight;
        first += weight * gap;
        second += weight * gap * gap;
    }
    let shift = first / mass;
    let tilted = second / mass - shift * shift;
    (shift / variance, (tilted / variance - 1.0) / variance)
}
