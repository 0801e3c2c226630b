//! Distribution of baselines in a population.

use crate::error::{Result, StatsError, checked_counts, level, positive};
use crate::special::{expit, find_root, ln_beta_inc, log_sum_exp, logit};

/// A discrete distribution of baseline probabilities.
#[derive(Debug, Clone, PartialEq)]
pub struct Prior {
    nodes: Vec<f64>,
    weights: Vec<f64>,
}

impl Prior {
    /// Baselines `nodes` in (0, 1) with probabilities proportional to `weights`.
    ///
    /// # Errors
    /// Empty or unequal lists, a node outside (0, 1), a weight that is not positive.
    pub fn new(nodes: Vec<f64>, weights: Vec<f64>) -> Result<Self> {
        if nodes.is_empty() {
            return Err(StatsError::Empty { name: "nodes" });
        }
        if nodes.len() != weights.len() {
            let (expected, got) = (nodes.len(), weights.len());
            return Err(StatsError::LengthMismatch {
                name: "weights",
                expected,
                got,
            });
        }
        nodes
            .iter()
            .try_for_each(|&q| level("node", q).map(|_| ()))?;
        weights
            .iter()
            .try_for_each(|&w| positive("weight", w).map(|_| ()))?;
        let total = positive("sum of weights", weights.iter().sum())?;
        Ok(Self {
            nodes,
            weights: weights.iter().map(|w| w / total).collect(),
        })
    }

    /// `count` equally likely nodes at the midpoints in probability of Beta(a, b).
    ///
    /// ```
    /// use driftlead_stats::baseline::Prior;
    /// let prior = Prior::beta(2.0, 18.0, 16)?;
    /// assert!((prior.mean() - 0.1).abs() < 0.005);
    /// # Ok::<(), driftlead_stats::StatsError>(())
    /// ```
    ///
    /// # Errors
    /// `a` or `b` not positive, or `count` = 0.
    pub fn beta(a: f64, b: f64, count: usize) -> Result<Self> {
        positive("a", a)?;
        positive("b", b)?;
        let quantile = |i: usize| {
            let u = (i as f64 + 0.5) / count as f64;
            // On the logit scale, where a quantile next to 0 or 1 is as easy as any other.
            find_root(-700.0, 700.0, |l| ln_beta_inc(a, b, expit(l)) - u.ln())
                .map(|l| expit(l).clamp(1e-300, 1.0 - 1e-15))
        };
        let nodes = (0..count).map(quantile).collect::<Result<Vec<f64>>>()?;
        Self::new(nodes, vec![1.0; count])
    }

    /// Beta fitted to counts of other people by the method of moments, as `count` nodes.
    ///
    /// `people` holds (successes, trials). **Assumes** independent people, trials that are independent
    /// given the person, and one beta distribution. **Guarantee**: none. Wrong when the population is a
    /// mixture of groups: a fitted beta then broke the false-alarm limit five-fold in the upper group.
    /// Prefer [`Self::npmle`].
    ///
    /// ```
    /// use driftlead_stats::baseline::Prior;
    /// let others: Vec<(u64, u64)> = (0..40).map(|i| (2 + i % 9, 60)).collect();
    /// let prior = Prior::beta_from_counts(&others, 16)?;
    /// assert!((prior.mean() - 0.1).abs() < 0.01);
    /// # Ok::<(), driftlead_stats::StatsError>(())
    /// ```
    ///
    /// # Errors
    /// Fewer than two people, trials of 0, or more successes than trials.
    pub fn beta_from_counts(people: &[(u64, u64)], count: usize) -> Result<Self> {
        check_people(people)?;
        let n = people.len() as f64;
        let rates = || people.iter().map(|&(k, m)| k as f64 / m as f64);
        let mean = (rates().sum::<f64>() / n).clamp(1e-6, 1.0 - 1e-6);
        let spread = rates().map(|r| (r - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
        let inverse_trials = people.iter().map(|&(_, m)| 1.0 / m as f64).sum::<f64>() / n;
        // Var(k/m) = v (1 - 1/m) + mean (1 - mean)/m: what is left over after sampling noise.
        let noise = mean * (1.0 - mean);
        let between = (spread - noise * inverse_trials) / (1.0 - inverse_trials).max(1e-9);
        // No spread beyond the noise, or more than a beta can have, ends at a very narrow or wide one.
        let concentration = (noise / between.max(noise * 1e-4) - 1.0).max(0.05);
        Self::beta(mean * concentration, (1.0 - mean) * concentration, count)
    }

    /// Nonparametric maximum-likelihood prior on `count` log-spaced nodes from `low` to `high`, by 200
    /// EM steps, with a floor of 1e-4 under every weight (Kiefer & Wolfowitz 1956; Laird 1978).
    ///
    /// The default of this project is 24 nodes from 0.004 to 0.6.
    ///
    /// **Assumes** independent people and trials that are independent given the person, no shape of the
    /// population. **Guarantee**: approaches the maximum of the likelihood on these nodes; says nothing
    /// of baselines beyond them.
    ///
    /// ```
    /// use driftlead_stats::baseline::Prior;
    /// // Two groups of people, at .05 and at .4.
    /// let others: Vec<(u64, u64)> = (0..40).map(|i| if i % 4 == 0 { (24, 60) } else { (3, 60) }).collect();
    /// let prior = Prior::npmle(&others, 0.004, 0.6, 24)?;
    /// let high: f64 = prior.nodes().iter().zip(prior.weights()).filter(|n| *n.0 > 0.2).map(|n| n.1).sum();
    /// assert!((high - 0.25).abs() < 0.02);
    /// # Ok::<(), driftlead_stats::StatsError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Self::beta_from_counts`], `low >= high`, or a bound outside (0, 1).
    pub fn npmle(people: &[(u64, u64)], low: f64, high: f64, count: usize) -> Result<Self> {
        check_people(people)?;
        level("low", low)?;
        level("high", high)?;
        if count < 2 || low >= high {
            return Err(StatsError::OutOfDomain {
                name: "low",
                value: low,
                domain: "(0, high)",
            });
        }
        let ratio = (high / low).powf(1.0 / (count - 1) as f64);
        let nodes: Vec<f64> = (0..count).map(|i| low * ratio.powi(i as i32)).collect();
        let likelihoods: Vec<Vec<f64>> = people.iter().map(|&p| likelihood(&nodes, p)).collect();
        let mut weights = vec![1.0 / count as f64; count];
        for _ in 0..200 {
            weights = em_step(&weights, &likelihoods);
        }
        weights.iter_mut().for_each(|w| *w = w.max(1e-4));
        Self::new(nodes, weights)
    }

    /// The same distribution with every node replaced by a bell of `width` on the logit scale, on
    /// `count` logit-spaced nodes from `low` to `high`: an NPMLE is a handful of spikes, and people
    /// lie between them.
    ///
    /// ```
    /// use driftlead_stats::baseline::Prior;
    /// let spikes = Prior::new(vec![0.05, 0.4], vec![0.75, 0.25])?;
    /// let smooth = spikes.smoothed(0.004, 0.75, 32, 0.25)?;
    /// assert!(smooth.nodes().len() == 32 && (smooth.mean() - spikes.mean()).abs() < 0.01);
    /// # Ok::<(), driftlead_stats::StatsError>(())
    /// ```
    ///
    /// # Errors
    /// A bound outside (0, 1), `low >= high`, `width` not positive, or fewer than two nodes.
    pub fn smoothed(&self, low: f64, high: f64, count: usize, width: f64) -> Result<Self> {
        level("low", low)?;
        level("high", high)?;
        positive("width", width)?;
        if count < 2 || low >= high {
            return Err(StatsError::OutOfDomain {
                name: "low",
                value: low,
                domain: "(0, high)",
            });
        }
        let step = (logit(high) - logit(low)) / (count - 1) as f64;
        let nodes: Vec<f64> = (0..count)
            .map(|i| expit(logit(low) + step * i as f64))
            .collect();
        let mass = |x: f64| {
            let bell = |(q, w): (&f64, &f64)| w * (-0.5 * ((x - logit(*q)) / width).powi(2)).exp();
            self.nodes.iter().zip(&self.weights).map(bell).sum::<f64>() + 1e-12
        };
        let weights = nodes.iter().map(|q| mass(logit(*q))).collect();
        Self::new(nodes, weights)
    }

    /// The baselines.
    #[must_use]
    pub fn nodes(&self) -> &[f64] {
        &self.nodes
    }

    /// Their probabilities, summing to 1.
    #[must_use]
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Mean baseline.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.nodes
            .iter()
            .zip(&self.weights)
            .map(|(q, w)| q * w)
            .sum()
    }
}

fn check_people(people: &[(u64, u64)]) -> Result<()> {
    if people.len() < 2 {
        return Err(StatsError::Empty { name: "people" });
    }
    people.iter().try_for_each(|&(k, m)| {
        checked_counts(k, m)?;
        positive("trials", m as f64).map(|_| ())
    })
}

/// Likelihood of one person's count at every node, scaled to a maximum of 1.
fn likelihood(nodes: &[f64], (k, m): (u64, u64)) -> Vec<f64> {
    let logs: Vec<f64> = nodes
        .iter()
        .map(|q| k as f64 * q.ln() + (m - k) as f64 * (-q).ln_1p())
        .collect();
    let norm = log_sum_exp(&logs);
    logs.iter().map(|l| (l - norm).exp()).collect()
}

fn em_step(weights: &[f64], likelihoods: &[Vec<f64>]) -> Vec<f64> {
    let mut next = vec![0.0; weights.len()];
    for person in likelihoods {
        let total: f64 = person.iter().zip(weights).map(|(l, w)| l * w).sum();
        if total > 0.0 {
            for ((slot, l), w) in next.iter_mut().zip(person).zip(weights) {
                *slot += l * w / (total * likelihoods.len() as f64);
            }
        }
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn npmle_separates_two_groups() {
        let people: Vec<(u64, u64)> = (0..200)
            .map(|i| if i % 4 == 0 { (30, 60) } else { (3, 60) })
            .collect();
        let prior = Prior::npmle(&people, 0.004, 0.6, 24).unwrap();
        let upper: f64 = prior
            .nodes()
            .iter()
            .zip(prior.weights())
            .filter(|(q, _)| **q > 0.2)
            .map(|(_, w)| w)
            .sum();
        assert!((upper - 0.25).abs() < 0.01, "{upper}");
        let smooth = prior.smoothed(0.004, 0.8, 40, 0.3).unwrap();
        assert!((smooth.mean() - prior.mean()).abs() < 0.02);
    }

    #[test]
    fn degenerate_input_is_an_error_or_a_prior() {
        assert!(Prior::npmle(&[], 0.01, 0.5, 8).is_err());
        assert!(Prior::beta_from_counts(&[(1, 0), (0, 3)], 8).is_err());
        assert!(Prior::beta_from_counts(&[(0, 10), (0, 10)], 8).is_ok());
        assert!(Prior::beta_from_counts(&[(0, 1), (1, 1)], 8).is_ok());
        assert!(Prior::new(vec![0.5], vec![f64::NAN]).is_err());
    }
}
