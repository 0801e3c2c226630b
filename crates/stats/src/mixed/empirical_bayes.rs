//! Empirical Bayes for counts and for estimates of known variance.

use super::newton::minimise;
use crate::error::{Result, StatsError, checked_counts, finite, positive};
use crate::special::{expit, logit};

/// Most trials of one person that [`BetaPopulation::fit`] accepts.
pub const MAX_TRIALS: u64 = 1_000_000;

/// A beta distribution of personal probabilities, from which people's counts were drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BetaPopulation {
    /// First parameter, > 0.
    pub a: f64,
    /// Second parameter, > 0.
    pub b: f64,
}

impl BetaPopulation {
    /// Maximum-likelihood fit to (successes, trials) of each person.
    ///
    /// Newton's method in the logit of the mean and the log of `a + b`; the gamma functions are written
    /// as sums over integers, so a step costs the largest number of trials.
    ///
    /// **Assumes** independent people with independent trials, probabilities that follow a beta
    /// distribution: a population of two groups is not one. See [`crate::baseline::Prior::npmle`]
    /// where that is in doubt. **Guarantee**: the maximum of the marginal likelihood. Source: Skellam 1948, JRSS B
    /// 10:257; Griffiths 1973, Biometrics 29:637.
    ///
    /// ```
    /// use driftlead_stats::mixed::BetaPopulation;
    /// let people = [(1, 20), (4, 20), (9, 20), (2, 15), (6, 25), (3, 30), (0, 10), (11, 20)];
    /// let population = BetaPopulation::fit(&people)?;
    /// assert!((population.mean() - 0.22).abs() < 0.05);
    /// // 11 of 20 is an extreme draw: the person's own probability is likely lower.
    /// let person = population.posterior_mean(11, 20)?;
    /// assert!(population.mean() < person && person < 0.55);
    /// # Ok::<(), driftlead_stats::StatsError>(())
    /// ```
    ///
    /// # Errors
    /// No people, more successes than trials, more than [`MAX_TRIALS`] trials;
    /// [`StatsError::Undefined`] where the likelihood has no maximum: nothing but failures or nothing but successes, no
    /// more spread than a binomial has, or every person at all or nothing.
    pub fn fit(people: &[(u64, u64)]) -> Result<Self> {
        let tails = Tails::new(people)?;
        let undefined = |because| StatsError::Undefined {
            what: "a beta-binomial fit",
            because,
        };
        let (successes, trials) = people
            .iter()
            .fold((0, 0), |(k, n), person| (k + person.0, n + person.1));
        if successes == 0 || successes == trials {
            return Err(undefined("all trials ended alike"));
        }
        let mean = successes as f64 / trials as f64;
        // On this scale nothing is left of the shape: the maximum is at a limit.
        const LIMIT: f64 = 16.0;
        let found = minimise(&[logit(mean), 1.0], "a beta-binomial fit", |x| {
            (x[1].abs() <= LIMIT && x[0].abs() <= 60.0).then(|| tails.criterion(x))
        });
        match found {
            Ok((x, _)) if x[1].abs() < LIMIT - 1.0 => {
                let (mean, size) = (expit(x[0]), x[1].exp());
                Ok(Self {
                    a: mean * size,
                    b: expit(-x[0]) * size,
                })
            }
            _ => Err(undefined(
                "people differ no more than chance makes them, or as much as they can",
            )),
        }
    }

    /// Mean of the population.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.a / (self.a + self.b)
    }

    /// Posterior mean of the probability of a person with `successes` out of `trials`:
    /// `(a + k) / (a + b + n)`.
    ///
    /// # Errors
    /// More successes than trials, or parameters that are not positive.
    pub fn posterior_mean(&self, successes: u64, trials: u64) -> Result<f64> {
        checked_counts(successes, trials)?;
        positive("a", self.a)?;
        positive("b", self.b)?;
        Ok((self.a + successes as f64) / (self.a + self.b + trials as f64))
    }
}

/// How many people have more than `j` successes, failures, trials, for every `j`: all that the
/// likelihood depends on.
struct Tails {
    successes: Vec<f64>,
    failures: Vec<f64>,
    trials: Vec<f64>,
}

impl Tails {
    fn new(people: &[(u64, u64)]) -> Result<Self> {
        if people.is_empty() {
            return Err(StatsError::Empty { name: "people" });
        }
        for &(k, n) in people {
            checked_counts(k, n)?;
            if n > MAX_TRIALS {
                return Err(StatsError::OutOfDomain {
                    name: "trials",
                    value: n as f64,
                    domain: "at most 1,000,000",
                });
            }
        }
        let tail = |count: fn(&(u64, u64)) -> u64| {
            let longest = people.iter().map(count).max().unwrap_or(0) as usize;
            let mut more = vec![0.0; longest];
            people
                .iter()
                .filter_map(|p| count(p).checked_sub(1))
                .for_each(|last| more[last as usize] += 1.0);
            for j in (1..longest).rev() {
                more[j - 1] += more[j];
            }
            more
        };
        Ok(Self {
            successes: tail(|p| p.0),
            failures: tail(|p| p.1 - p.0),
            trials: tail(|p| p.1),
        })
    }

    /// Negative log-likelihood (without the binomial coefficients) and its gradient in (logit mean,
    /// log size).
    fn criterion(&self, x: &[f64]) -> (f64, Vec<f64>) {
        let (p, q, size) = (expit(x[0]), expit(-x[0]), x[1].exp());
        let (a, b) = (p * size, q * size);
        let sum = |counts: &[f64], at: f64| {
            counts
                .iter()
                .enumerate()
                .fold((0.0, 0.0), |(f, d), (j, c)| {
                    (f + c * (at + j as f64).ln(), d + c / (at + j as f64))
                })
        };
        let (fa, da) = sum(&self.successes, a);
        let (fb, db) = sum(&self.failures, b);
        let (fs, ds) = sum(&self.trials, size);
        let in_logit = size * p * q * (da - db);
        let in_size = a * da + b * db - size * ds;
        (-(fa + fb - fs), vec![-in_logit, -in_size])
    }
}

/// Positive-part James-Stein estimates: every estimate moved towards the mean of all by the factor
/// `max(0, 1 - (n-3) variance / sum (x - mean)^2)`.
///
/// **Assumes** independent Gaussian estimates of the same known `variance`. **Guarantee**: for four or
/// more, expected total squared error below that of the estimates themselves, whatever the true
/// values; nothing about any single one. Source: Efron & Morris 1973, JASA 68:117 (shrinking to the mean: Lindley).
///
/// ```
/// use driftlead_stats::mixed::james_stein;
/// let shrunken = james_stein(&[1.0, 2.0, 3.0, 4.0, 5.0], 1.0)?;
/// assert!((shrunken[0] - (3.0 - 2.0 * 0.8)).abs() < 1e-14);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// Fewer than four estimates, one that is not finite, a variance that is not positive.
pub fn james_stein(estimates: &[f64], variance: f64) -> Result<Vec<f64>> {
    positive("variance", variance)?;
    if estimates.len() < 4 {
        return Err(StatsError::LengthMismatch {
            name: "estimates",
            expected: 4,
            got: estimates.len(),
        });
    }
    let n = estimates.len() as f64;
    let mut mean = 0.0;
    for &x in estimates {
        mean += finite("an estimate", x)? / n;
    }
    let spread: f64 = estimates.iter().map(|x| (x - mean).powi(2)).sum();
    // Equal estimates: the factor is 0, and there is nothing to move.
    let factor = (1.0 - (n - 3.0) * variance / spread).max(0.0);
    Ok(estimates
        .iter()
        .map(|x| mean + factor * (x - mean))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_likelihood_without_a_maximum_is_said_to_have_none() {
        let undefined = |people: &[(u64, u64)]| {
            assert!(matches!(
                BetaPopulation::fit(people),
                Err(StatsError::Undefined { .. })
            ));
        };
        undefined(&[(0, 5), (0, 9)]);
        undefined(&[(5, 5), (9, 9)]);
        undefined(&[(5, 10), (5, 10), (5, 10)]);
        undefined(&[(0, 10), (10, 10), (0, 10)]);
        undefined(&[(0, 0)]);
        assert!(BetaPopulation::fit(&[]).is_err() && BetaPopulation::fit(&[(2, 1)]).is_err());
        assert!(BetaPopulation::fit(&[(1, MAX_TRIALS + 1)]).is_err());
        assert!(BetaPopulation::fit(&[(1, u64::MAX), (1, u64::MAX)]).is_err());
    }

    #[test]
    fn estimates_that_do_not_differ_collapse() {
        let equal = james_stein(&[2.0; 6], 1.0).unwrap();
        assert!(equal.iter().all(|x| (x - 2.0).abs() < 1e-15));
        let close = james_stein(&[1.0, 1.1, 0.9, 1.0], 4.0).unwrap();
        assert!(close.iter().all(|x| (x - 1.0).abs() < 1e-12));
        assert!(james_stein(&[1.0; 3], 1.0).is_err() && james_stein(&[1.0; 4], 0.0).is_err());
        assert!(james_stein(&[1.0, f64::NAN, 1.0, 1.0], 1.0).is_err());
    }
}
