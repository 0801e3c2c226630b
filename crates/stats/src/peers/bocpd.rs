//! Bayesian online change-point detection.

use super::{Detector, moderate};
use crate::error::{Result, level, positive, unit, within};
use crate::special::{LogSum, ln_gamma};

/// What observations are between two changes, with the prior of its parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RunModel {
    /// Normal with unknown mean and variance: normal-inverse-gamma prior, mean `mean` worth
    /// `observations` of them, variance from an inverse gamma of this `shape` and `scale`.
    Normal {
        /// Prior mean.
        mean: f64,
        /// Weight of the prior mean, in observations; positive.
        observations: f64,
        /// Shape of the variance's prior; positive.
        shape: f64,
        /// Scale of the variance's prior; positive.
        scale: f64,
    },
    /// 0 or 1 with an unknown probability: Beta(`a`, `b`) prior.
    Bernoulli {
        /// Prior successes; positive.
        a: f64,
        /// Prior failures; positive.
        b: f64,
    },
}

/// Posterior of the number of observations since the last change (Adams & MacKay 2007).
///
/// **Assumes** independent observations from `model` between changes, and changes that come with the
/// same probability `hazard` after every observation. The posterior is exact under these priors when `floor` is
/// 0; there is no false-alarm guarantee. Alarm: the probability that the run is shorter than `recent`
/// reaches `threshold`, once more than `recent` observations have been seen. Work and memory are
/// proportional to the run lengths kept, those with a posterior above `floor`.
///
/// ```
/// use driftlead_stats::peers::{Bocpd, Detector, RunModel};
/// let model = RunModel::Bernoulli { a: 1.0, b: 1.0 };
/// let mut bocpd = Bocpd::new(model, 0.01, 1e-8)?.alarm(20, 0.9)?;
/// let first = (0u32..).find(|&t| bocpd.update(if t < 100 { t % 10 / 9 } else { 1 }.into()).unwrap());
/// assert!((100..115).contains(&first.unwrap()));
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Bocpd {
    model: RunModel,
    ln_hazard: f64,
    ln_survival: f64,
    ln_floor: f64,
    recent: u64,
    threshold: f64,
    seen: u64,
    runs: Vec<Run>,
    /// `ln Gamma(shape + 1/2) - ln Gamma(shape)` by length of the run.
    ln_gamma_steps: Vec<f64>,
    alarmed: bool,
}

#[derive(Debug, Clone, Copy)]
struct Run {
    length: u64,
    ln_weight: f64,
    /// Normal: mean and sum of squares of the posterior; Bernoulli: successes, unused.
    state: (f64, f64),
}

impl Bocpd {
    /// Nothing seen; `hazard` in (0, 1) per observation; run lengths with a posterior below `floor` in
    /// [0, 1) are dropped.
    ///
    /// # Errors
    /// A parameter outside its domain.
    pub fn new(model: RunModel, hazard: f64, floor: f64) -> Result<Self> {
        match model {
            RunModel::Normal {
                mean,
                observations,
                shape,
                scale,
            } => {
                moderate(mean)?;
                positive("observations", observations)?;
                positive("shape", shape)?;
                positive("scale", scale)?;
            }
            RunModel::Bernoulli { a, b } => {
                positive("a", a)?;
                positive("b", b)?;
            }
        }
        level("hazard", hazard)?;
        within("floor", floor, "[0, 1)", |f| (0.0..1.0).contains(&f))?;
        let mut fresh = Self {
            model,
            ln_hazard: hazard.ln(),
            ln_survival: (-hazard).ln_1p(),
            ln_floor: floor.ln(),
            recent: 50,
            threshold: 0.5,
            seen: 0,
            runs: Vec::new(),
            ln_gamma_steps: Vec::new(),
            alarmed: false,
        };
        fresh.restart();
        Ok(fresh)
    }

    /// Sets when to alarm: at probability `threshold` of a run shorter than `recent`. The default is .5
    /// and 50.
    ///
    /// # Errors
    /// `recent` is 0 or `threshold` outside [0, 1].
    pub fn alarm(mut self, recent: u64, threshold: f64) -> Result<Self> {
        positive("recent", recent as f64)?;
        self.threshold = unit("threshold", threshold)?;
        self.recent = recent;
        Ok(self)
    }

    /// Posterior probability that fewer than `length` observations followed the last change.
    #[must_use]
    pub fn shorter_than(&self, length: u64) -> f64 {
        let short = self.runs.iter().filter(|r| r.length < length);
        short.map(|r| r.ln_weight.exp()).sum::<f64>().min(1.0)
    }

    /// Run lengths kept.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.runs.len()
    }

    fn restart(&mut self) {
        self.seen = 0;
        self.alarmed = false;
        self.runs.clear();
        self.runs.push(Run {
            length: 0,
            ln_weight: 0.0,
            state: self.prior(),
        });
    }

    fn prior(&self) -> (f64, f64) {
        match self.model {
            RunModel::Normal { mean, scale, .. } => (mean, scale),
            RunModel::Bernoulli { .. } => (0.0, 0.0),
        }
    }

    /// Makes room in the table of a normal run of this length.
    fn extend_table(&mut self, shape: f64) {
        let next = shape + 0.5 * self.ln_gamma_steps.len() as f64;
        if self.ln_gamma_steps.len() as u64 <= self.seen {
            self.ln_gamma_steps
                .push(ln_gamma(next + 0.5) - ln_gamma(next));
        }
    }
}

impl Detector for Bocpd {
    fn update(&mut self, x: f64) -> Result<bool> {
        match self.model {
            RunModel::Normal { .. } => moderate(x)?,
            RunModel::Bernoulli { .. } => unit("x", x)?,
        };
        if self.alarmed {
            self.restart();
        }
        if let RunModel::Normal { shape, .. } = self.model {
            self.extend_table(shape);
        }
        let mut evidence = LogSum::default();
        for run in &mut self.runs {
            let n = run.length as f64;
            let ln_predictive = match self.model {
                RunModel::Normal {
                    observations,
                    shape,
                    ..
                } => {
                    // Student t with 2 (shape + n/2) degrees of freedom.
                    let (kappa, alpha) = (observations + n, shape + 0.5 * n);
                    let (mean, beta) = run.state;
                    let gap = x - mean;
                    let extra = 0.5 * kappa / (kappa + 1.0) * gap * gap;
                    run.state = (mean + gap / (kappa + 1.0), beta + extra);
                    let step = usize::try_from(run.length)
                        .ok()
                        .and_then(|i| self.ln_gamma_steps.get(i))
                        .copied()
                        .unwrap_or(0.0);
                    step - 0.5 * (core::f64::consts::TAU * beta * (kappa + 1.0) / kappa).ln()
                        - (alpha + 0.5) * (extra / beta).ln_1p()
                }
                RunModel::Bernoulli { a, b } => {
                    let ones = run.state.0;
                    run.state.0 += x;
                    let p = (a + ones) / (a + b + n);
                    (p * x + (1.0 - p) * (1.0 - x)).ln()
                }
            };
            run.length += 1;
            run.ln_weight += ln_predictive;
            evidence.add(run.ln_weight);
        }
        let total = evidence.value();
        for run in &mut self.runs {
            run.ln_weight += self.ln_survival - total;
        }
        self.runs.push(Run {
            length: 0,
            ln_weight: self.ln_hazard,
            state: self.prior(),
        });
        let floor = self.ln_floor;
        self.runs.retain(|r| r.ln_weight >= floor);
        self.seen += 1;
        self.alarmed = self.seen > self.recent && self.shorter_than(self.recent) >= self.threshold;
        Ok(self.alarmed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::special::ln_beta;

    /// The posterior of the last change equals the sum over every segmentation.
    fn check(model: RunModel, xs: &[f64], ln_marginal: impl Fn(&[f64]) -> f64) {
        let (n, hazard) = (xs.len(), 0.2f64);
        let mut bocpd = Bocpd::new(model, hazard, 0.0)
            .unwrap()
            .alarm(100, 1.0)
            .unwrap();
        xs.iter().for_each(|&x| assert!(!bocpd.update(x).unwrap()));
        let mut by_run = vec![0.0; n + 1];
        for mask in 0u32..1 << n {
            // Bit i: a change after observation i.
            let (mut from, mut ln_joint) = (0, 0.0);
            for i in 0..n {
                if mask >> i & 1 == 1 {
                    ln_joint += hazard.ln() + ln_marginal(&xs[from..=i]);
                    from = i + 1;
                } else {
                    ln_joint += (1.0 - hazard).ln();
                }
            }
            ln_joint += ln_marginal(&xs[from..]);
            by_run[n - from] += ln_joint.exp();
        }
        let total: f64 = by_run.iter().sum();
        let mut shorter = 0.0;
        for (length, joint) in by_run.iter().enumerate() {
            let ours = bocpd.shorter_than(length as u64);
            assert!((ours - shorter).abs() < 1e-10, "{length}: {ours} {shorter}");
            shorter += joint / total;
        }
    }

    #[test]
    fn equals_the_sum_over_segmentations() {
        let (a, b) = (1.5, 2.5);
        check(
            RunModel::Bernoulli { a, b },
            &[0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0],
            |xs| {
                let ones: f64 = xs.iter().sum();
                ln_beta(a + ones, b + xs.len() as f64 - ones) - ln_beta(a, b)
            },
        );
        let (m, k, s, c) = (0.3, 0.7, 1.2, 0.9);
        let model = RunModel::Normal {
            mean: m,
            observations: k,
            shape: s,
            scale: c,
        };
        check(model, &[0.1, -0.4, 0.3, 2.1, 2.6, 1.9, 5.0, 2.2], |xs| {
            let n = xs.len() as f64;
            let mean = xs.iter().sum::<f64>() / n.max(1.0);
            let squares: f64 = xs.iter().map(|x| (x - mean).powi(2)).sum();
            let scale = c + 0.5 * squares + 0.5 * k * n * (mean - m).powi(2) / (k + n);
            ln_gamma(s + 0.5 * n) - ln_gamma(s) + s * c.ln() - (s + 0.5 * n) * scale.ln()
                + 0.5 * (k / (k + n)).ln()
                - 0.5 * n * core::f64::consts::TAU.ln()
        });
    }

    #[test]
    fn a_floor_bounds_the_work() {
        let model = RunModel::Normal {
            mean: 0.0,
            observations: 1.0,
            shape: 1.0,
            scale: 1.0,
        };
        let mut bocpd = Bocpd::new(model, 0.01, 1e-6).unwrap();
        let mut luck = crate::rng::Stream::new(3, 0, 0, 1);
        for t in 0..2000 {
            bocpd
                .update(luck.normal() + if t < 1000 { 0.0 } else { 3.0 })
                .unwrap();
        }
        assert!(bocpd.kept() < 1500, "{}", bocpd.kept());
    }
}
