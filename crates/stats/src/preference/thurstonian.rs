//! Thurstonian utilities: each item has a mean and its own spread.

use super::bradley_terry::around;
use crate::cs::Interval;
use crate::error::{Result, StatsError, level, positive, unit, within};
use crate::special::{inverse_positive, ln_normal_cdf, normal_cdf, normal_pdf};

/// Added to every variance of a difference, as in the published implementation.
const FLOOR: f64 = 1e-5;

/// One pair and how often its first item was preferred.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judgement {
    /// First item.
    pub first: usize,
    /// Second item.
    pub second: usize,
    /// Share of the judgements that preferred the first item, in [0, 1].
    pub share: f64,
    /// Number of judgements behind the share.
    pub count: f64,
}

/// What is believed about the spread of items before any judgement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SpreadPrior {
    /// Nothing. Spreads may run to 0 and intervals do not exist.
    Flat,
    /// Log variances independent normal with mean `ln_variance` and standard deviation `sd`, on the
    /// scale on which the means have standard deviation 1.
    LogNormal {
        /// Mean of the log variance.
        ln_variance: f64,
        /// Standard deviation of the log variance.
        sd: f64,
    },
}

/// A converged fit of `P(a over b) = Phi((mu_a - mu_b)/sqrt(s_a + s_b + 1e-5))`.
///
/// Means are standardised (mean 0, standard deviation 1 with divisor n - 1), variances `s` are on that
/// scale. **Assumes** independent judgements. **Guarantee**: a stationary point of the penalised
/// likelihood, reached to rounding; intervals are approximate. Spreads are weakly identified: without a
/// prior some run to 0. Source: Thurstone 1927; the likelihood of Mazeika and others 2025 ("Utility
/// engineering"), whose published fit stops before it has converged.
///
/// ```
/// use driftlead_stats::preference::{Judgement, SpreadPrior, Thurstonian};
/// let judge = |first, second, share| Judgement { first, second, share, count: 20.0 };
/// let data = [judge(0, 1, 0.8), judge(1, 2, 0.7), judge(0, 2, 0.95)];
/// let fit = Thurstonian::fit(3, &data, SpreadPrior::LogNormal { ln_variance: 0.0, sd: 1.0 })?;
/// assert!(fit.means[0] > fit.means[1] && fit.means[1] > fit.means[2]);
/// assert!(fit.mean_interval(0, 0.05)?.contains(fit.means[0]));
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Thurstonian {
    /// Means of the items, standardised.
    pub means: Vec<f64>,
    /// Variances of the items.
    pub variances: Vec<f64>,
    /// Mean cross-entropy per judgement in nats, without the prior.
    pub loss: f64,
    /// Covariance of the means, then of the log variances; absent where the prior is flat.
    covariance: Option<Vec<f64>>,
}

impl Thurstonian {
    /// Fits `items` means and variances.
    ///
    /// # Errors
    /// Fewer than two items, no judgement, an item out of range, a pair of one item, a share outside
    /// [0, 1], a count or prior that is not positive, no convergence.
    pub fn fit(items: usize, data: &[Judgement], prior: SpreadPrior) -> Result<Self> {
        check(items, data)?;
        if let SpreadPrior::LogNormal { ln_variance, sd } = prior {
            crate::error::finite("ln_variance", ln_variance)?;
            positive("sd", sd)?;
        }
        let total: f64 = data.iter().map(|d| d.count).sum();
        let problem = Problem {
            items,
            data,
            prior,
            total,
        };
        // Wins set the starting means; ties in them are told apart so that they can be standardised.
        let mut start = vec![0.0; 2 * items];
        for d in data {
            start[d.first] += d.share - 0.5;
            start[d.second] -= d.share - 0.5;
        }
        for (i, s) in start.iter_mut().take(items).enumerate() {
            *s += 1e-3 * i as f64;
        }
        let best = minimise(&problem, start)?;
        let (z, sd) = standardised(&best[..items]);
        if sd == 0.0 {
            return Err(StatsError::Undefined {
                what: "a Thurstonian fit",
                because: "the means of all items are equal",
            });
        }
        let variances: Vec<f64> = best[items..].iter().map(|e| e.exp()).collect();
        let covariance = match prior {
            SpreadPrior::Flat => None,
            SpreadPrior::LogNormal { .. } => Some(problem.covariance(&z, &best[items..])?),
        };
        Ok(Self {
            loss: Self::loss(&z, &variances, data)?,
            means: z,
            variances,
            covariance,
        })
    }

    /// Mean cross-entropy per judgement, in nats, of given means and variances.
    ///
    /// # Errors
    /// As [`Thurstonian::fit`], and lists of unequal length or negative variances.
    pub fn loss(means: &[f64], variances: &[f64], data: &[Judgement]) -> Result<f64> {
        check(means.len(), data)?;
        if variances.len() != means.len() {
            return Err(StatsError::LengthMismatch {
                name: "variances",
                expected: means.len(),
                got: variances.len(),
            });
        }
        variances
            .iter()
            .try_for_each(|&v| within("variance", v, "[0, inf)", |v| v >= 0.0).map(|_| ()))?;
        let total: f64 = data.iter().map(|d| d.count).sum();
        let one = |d: &Judgement| {
            let spread = variances[d.first] + variances[d.second] + FLOOR;
            let z = (means[d.first] - means[d.second]) / spread.sqrt();
            d.count * cross_entropy(d.share, z)
        };
        Ok(data.iter().map(one).sum::<f64>() / total)
    }

    /// Probability that `i` is preferred to `j`.
    ///
    /// # Errors
    /// An item out of range.
    pub fn prefers(&self, i: usize, j: usize) -> Result<f64> {
        let out = StatsError::OutOfDomain {
            name: "item",
            value: i.max(j) as f64,
            domain: "0..items",
        };
        let (Some(a), Some(b)) = (self.means.get(i), self.means.get(j)) else {
            return Err(out);
        };
        let spread = self.variances[i] + self.variances[j] + FLOOR;
        Ok(normal_cdf((a - b) / spread.sqrt()))
    }

    fn variance_of(&self, k: usize) -> Result<f64> {
        let covariance = self.covariance.as_ref().ok_or(StatsError::Undefined {
            what: "an interval",
            because: "the fit has no prior on the spread of items",
        })?;
        let d = 2 * self.means.len();
        covariance
            .get(k * d + k)
            .copied()
            .ok_or(StatsError::OutOfDomain {
                name: "item",
                value: k as f64,
                domain: "0..items",
            })
    }

    /// Interval of a mean at error level `alpha`, by the Gaussian approximation at the maximum.
    ///
    /// # Errors
    /// An item out of range, `alpha` outside (0, 1); undefined for a flat prior.
    pub fn mean_interval(&self, i: usize, alpha: f64) -> Result<Interval> {
        within("item", i as f64, "0..items", |v| {
            v < self.means.len() as f64
        })?;
        around(self.means[i], self.variance_of(i)?, alpha)
    }

    /// Interval of a variance at error level `alpha`, Gaussian on the log scale.
    ///
    /// # Errors
    /// As [`Thurstonian::mean_interval`].
    pub fn variance_interval(&self, i: usize, alpha: f64) -> Result<Interval> {
        level("alpha", alpha)?;
        within("item", i as f64, "0..items", |v| {
            v < self.means.len() as f64
        })?;
        let ln = around(
            self.variances[i].ln(),
            self.variance_of(self.means.len() + i)?,
            alpha,
        )?;
        Ok(Interval {
            low: ln.low.exp(),
            high: ln.high.exp(),
        })
    }
}

fn check(items: usize, data: &[Judgement]) -> Result<()> {
    within("items", items as f64, "at least 2", |i| i >= 2.0)?;
    if data.is_empty() {
        return Err(StatsError::Empty { name: "judgements" });
    }
    for d in data {
        let largest = d.first.max(d.second) as f64;
        within("item", largest, "0..items", |i| i < items as f64)?;
        within(
            "second",
            d.second as f64,
            "an item other than the first",
            |_| d.first != d.second,
        )?;
        unit("share", d.share)?;
        positive("count", d.count)?;
    }
    Ok(())
}

/// `-p ln Phi(z) - (1-p) ln Phi(-z)`.
fn cross_entropy(p: f64, z: f64) -> f64 {
    let part = |p: f64, z: f64| if p > 0.0 { -p * ln_normal_cdf(z) } else { 0.0 };
    part(p, z) + part(1.0 - p, -z)
}

/// Values with mean 0 and unit standard deviation (divisor n - 1), and that deviation before.
fn standardised(m: &[f64]) -> (Vec<f64>, f64) {
    let n = m.len() as f64;
    let mean = m.iter().sum::<f64>() / n;
    let sd = (m.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    (m.iter().map(|v| (v - mean) / sd).collect(), sd)
}

struct Problem<'a> {
    items: usize,
    data: &'a [Judgement],
    prior: SpreadPrior,
    total: f64,
}

impl Problem<'_> {
    /// Negative log posterior per judgement and its gradient. Means enter standardised, so that their
    /// location and scale do not matter.
    fn value(&self, x: &[f64]) -> (f64, Vec<f64>) {
        let n = self.items;
        let (z, sd) = standardised(&x[..n]);
        let (mut value, mut gradient) = (0.0, vec![0.0; 2 * n]);
        for d in self.data {
            let (a, b) = (d.first, d.second);
            let (va, vb) = (x[n + a].exp(), x[n + b].exp());
            let spread = va + vb + FLOOR;
            let root = spread.sqrt();
            let t = (z[a] - z[b]) / root;
            let weight = d.count / self.total;
            value += weight * cross_entropy(d.share, t);
            let ratio = |t: f64| (normal_pdf(t).ln() - ln_normal_cdf(t)).exp();
            let part = |p: f64, t: f64| if p > 0.0 { p * ratio(t) } else { 0.0 };
            let slope = weight * (part(1.0 - d.share, -t) - part(d.share, t));
            gradient[a] += slope / root;
            gradient[b] -= slope / root;
            gradient[n + a] -= 0.5 * slope * t * va / spread;
            gradient[n + b] -= 0.5 * slope * t * vb / spread;
        }
        if let SpreadPrior::LogNormal { ln_variance, sd } = self.prior {
            for i in n..2 * n {
                let gap = (x[i] - ln_variance) / sd;
                value += 0.5 * gap * gap / self.total;
                gradient[i] += gap / (sd * self.total);
            }
        }
        // Through the standardisation: no pull along a shift or a stretch of the means.
        let mean = gradient[..n].iter().sum::<f64>() / n as f64;
        let along = gradient[..n]
            .iter()
            .zip(&z)
            .map(|(g, z)| g * z)
            .sum::<f64>()
            / (n as f64 - 1.0);
        for (g, z) in gradient.iter_mut().zip(&z) {
            *g = (*g - mean - along * z) / sd;
        }
        (value, gradient)
    }

    /// Inverse of the curvature at the maximum, without the two directions that mean nothing.
    fn covariance(&self, z: &[f64], ln_variances: &[f64]) -> Result<Vec<f64>> {
        let (n, d) = (self.items, 2 * self.items);
        let mut x = [z, ln_variances].concat();
        let mut curvature = vec![0.0; d * d];
        for k in 0..d {
            let (here, step) = (x[k], 1e-4);
            x[k] = here + step;
            let up = self.value(&x).1;
            x[k] = here - step;
            let down = self.value(&x).1;
            x[k] = here;
            for (i, (u, v)) in up.iter().zip(&down).enumerate() {
                let entry = 0.5 * self.total * (u - v) / (2.0 * step);
                curvature[k * d + i] += entry;
                curvature[i * d + k] += entry;
            }
        }
        // Ones and z are orthogonal, with lengths n and n - 1.
        let free = |i: usize, j: usize| 1.0 / n as f64 + z[i] * z[j] / (n as f64 - 1.0);
        for i in 0..n {
            for j in 0..n {
                curvature[i * d + j] += self.total * free(i, j);
            }
        }
        let mut covariance = inverse_positive(&curvature, d)?;
        for i in 0..n {
            for j in 0..n {
                covariance[i * d + j] -= free(i, j) / self.total;
            }
        }
        Ok(covariance)
    }
}

/// Quasi-Newton (BFGS) minimum with step halving.
fn minimise(problem: &Problem<'_>, start: Vec<f64>) -> Result<Vec<f64>> {
    let d = start.len();
    let identity = || {
        let mut h = vec![0.0; d * d];
        (0..d).for_each(|i| h[i * d + i] = 1.0);
        h
    };
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let mut x = start;
    let (mut value, mut gradient) = problem.value(&x);
    let mut inverse = identity();
    let mut fresh = true;
    for _ in 0..5000 {
        let steepest = gradient.iter().fold(0.0f64, |m, g| m.max(g.abs()));
        if steepest < 1e-10 {
            return Ok(x);
        }
        let mut step: Vec<f64> = inverse
            .chunks_exact(d)
            .map(|row| -dot(row, &gradient))
            .collect();
        let mut slope = dot(&step, &gradient);
        if slope >= 0.0 {
            inverse = identity();
            step = gradient.iter().map(|g| -g).collect();
            slope = -dot(&gradient, &gradient);
        }
        let longest = step.iter().fold(0.0f64, |m, s| m.max(s.abs()));
        let mut share = (2.0 / longest).min(1.0);
        let accepted = loop {
            let next: Vec<f64> = x.iter().zip(&step).map(|(a, s)| a + share * s).collect();
            let (there, slopes) = problem.value(&next);
            if there <= value + 1e-4 * share * slope {
                break Some((next, there, slopes));
            }
            share *= 0.5;
            if share < 1e-14 {
                break None;
            }
        };
        let Some((next, there, slopes)) = accepted else {
            // No descent left in double precision.
            if steepest < 1e-7 {
                return Ok(x);
            }
            if fresh {
                break;
            }
            inverse = identity();
            fresh = true;
            continue;
        };
        fresh = false;
        let s: Vec<f64> = next.iter().zip(&x).map(|(a, b)| a - b).collect();
        let y: Vec<f64> = slopes.iter().zip(&gradient).map(|(a, b)| a - b).collect();
        let sy = dot(&s, &y);
        if sy > 1e-300 {
            let hy: Vec<f64> = inverse.chunks_exact(d).map(|row| dot(row, &y)).collect();
            let scale = (sy + dot(&y, &hy)) / (sy * sy);
            for i in 0..d {
                for j in 0..d {
                    inverse[i * d + j] += scale * s[i] * s[j] - (hy[i] * s[j] + s[i] * hy[j]) / sy;
                }
            }
        }
        (x, value, gradient) = (next, there, slopes);
    }
    Err(StatsError::NoConvergence {
        what: "a Thurstonian fit",
    })
}
