//! The exponentially weighted mean, with its exact run length.

use super::{Detector, beyond, moderate};
use crate::error::{Result, StatsError, finite, positive, within};
use crate::glr::Direction;
use crate::special::{find_root, gauss_legendre, normal_pdf, solve_dense};

/// Exponentially weighted mean `z = (1 - lambda) z + lambda x` of standardised observations, from 0, in
/// units of its standard deviation in the long run, `sqrt(lambda / (2 - lambda))` (Roberts 1959).
///
/// **Assumes** a known mean and standard deviation; the run length ([`ewma_arl`]) also independence and a
/// normal distribution. Small `lambda` sees small shifts, large `lambda` large ones.
///
/// **Guarantee**: that run length, under these assumptions.
///
/// ```
/// use driftlead_stats::peers::{Detector, Ewma};
/// // The fastest one for a shift of half a standard deviation at a run length of 1,000.
/// let mut chart = Ewma::tuned(0.0, 1.0, 0.5, 1e3)?;
/// assert!((0.03..0.1).contains(&chart.lambda()));
/// let first = (1..).find(|_| chart.update(0.5).unwrap());
/// assert!(first.unwrap() < 40);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Ewma {
    mean: f64,
    sd: f64,
    lambda: f64,
    limit: f64,
    direction: Direction,
    level: f64,
    alarmed: bool,
}

impl Ewma {
    /// Alarms when the statistic reaches `limit`; `lambda` in (0, 1].
    ///
    /// # Errors
    /// A parameter outside its domain.
    pub fn new(mean: f64, sd: f64, lambda: f64, limit: f64, direction: Direction) -> Result<Self> {
        Ok(Self {
            mean: finite("mean", mean)?,
            sd: positive("sd", sd)?,
            lambda: check_lambda(lambda)?,
            limit: positive("limit", limit)?,
            direction,
            level: 0.0,
            alarmed: false,
        })
    }

    /// The upward chart with the shortest exact delay for a shift of `delta` standard deviations among
    /// those of run length `arl`; `lambda` is searched on a grid of 24 per factor of 10 from .004 to 1.
    ///
    /// # Errors
    /// `delta` not positive, `arl` not in (2, 1e9), or a mean or standard deviation outside its domain.
    pub fn tuned(mean: f64, sd: f64, delta: f64, arl: f64) -> Result<Self> {
        positive("delta", delta)?;
        let at = |step: i32| 10f64.powf(f64::from(step) / 24.0);
        let delay = |step: i32| -> Result<(f64, f64)> {
            let limit = ewma_limit(at(step), arl, Direction::Up)?;
            Ok((ewma_arl(at(step), limit, delta, Direction::Up)?, limit))
        };
        // The delay has one minimum in lambda: descend from the largest.
        let (mut best, mut step) = (delay(0)?, 0);
        while step > -57 {
            let next = delay(step - 1)?;
            if next.0 >= best.0 {
                break;
            }
            (best, step) = (next, step - 1);
        }
        Self::new(mean, sd, at(step), best.1, Direction::Up)
    }

    /// Weight of the newest observation.
    #[must_use]
    pub fn lambda(&self) -> f64 {
        self.lambda
    }

    /// Alarm limit in standard deviations of the statistic.
    #[must_use]
    pub fn limit(&self) -> f64 {
        self.limit
    }
}

impl Detector for Ewma {
    fn update(&mut self, x: f64) -> Result<bool> {
        let z = (moderate(x)? - self.mean) / self.sd;
        if self.alarmed {
            self.level = 0.0;
        }
        self.level += self.lambda * (z - self.level);
        let statistic = self.level / spread(self.lambda);
        self.alarmed = beyond(statistic, self.limit, self.direction);
        Ok(self.alarmed)
    }
}

fn spread(lambda: f64) -> f64 {
    (lambda / (2.0 - lambda)).sqrt()
}

fn check_lambda(lambda: f64) -> Result<f64> {
    within("lambda", lambda, "(0, 1]", |l| l > 0.0 && l <= 1.0)
}

/// Average run length, from 0, of an EWMA with this `lambda` and `limit` for `x ~ N(mean, 1)`.
///
/// Solves `L(z) = 1 + (1/lambda) int f((y - (1-lambda) z)/lambda - mean) L(y) dy` (Crowder 1987) by the
/// Nyström method; a one-sided chart is cut 9 standard deviations below its lower level.
///
/// **Assumes** independent observations. **Guarantee**: exact, up to the numerical error.
///
/// ```
/// use driftlead_stats::glr::Direction;
/// use driftlead_stats::peers::ewma_arl;
/// // Published: lambda .1 with limit 2.814 has run length 500, and 31.3 at a shift of .5.
/// assert!((ewma_arl(0.1, 2.814, 0.0, Direction::Both)? - 500.0).abs() < 1.0);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// A parameter outside its domain (`lambda` below .002 is not resolved), or a run length beyond what
/// `f64` resolves.
pub fn ewma_arl(lambda: f64, limit: f64, mean: f64, direction: Direction) -> Result<f64> {
    within("lambda", lambda, "[0.002, 1]", |l| {
        (0.002..=1.0).contains(&l)
    })?;
    within("limit", limit, "(0, 40)", |l| l > 0.0 && l < 40.0)?;
    finite("mean", mean)?;
    let (mean, sd) = (
        if direction == Direction::Down {
            -mean
        } else {
            mean
        },
        spread(lambda),
    );
    let high = limit * sd;
    let low = match direction {
        Direction::Both => -high,
        _ => mean.min(0.0) - 9.0 * sd,
    };
    let nodes = (40.0 + 3.0 * (high - low) / lambda).min(700.0) as usize;
    let rule: Vec<(f64, f64)> = gauss_legendre(nodes).on(low, high).collect();
    let kernel =
        |from: f64, to: f64| normal_pdf((to - (1.0 - lambda) * from) / lambda - mean) / lambda;
    let mut matrix = Vec::with_capacity(rule.len() * rule.len());
    for (i, &(from, _)) in rule.iter().enumerate() {
        for (j, &(to, weight)) in rule.iter().enumerate() {
            let identity = if i == j { 1.0 } else { 0.0 };
            matrix.push(identity - weight * kernel(from, to));
        }
    }
    let mut lengths = vec![1.0; rule.len()];
    solve_dense(&mut matrix, &mut lengths)?;
    let start = 1.0
        + rule
            .iter()
            .zip(&lengths)
            .map(|(&(to, weight), length)| weight * kernel(0.0, to) * length)
            .sum::<f64>();
    if start.is_finite() && start >= 1.0 {
        Ok(start)
    } else {
        Err(StatsError::NoConvergence {
            what: "the run length of an EWMA",
        })
    }
}

/// Limit at which an EWMA has null run length `arl`.
///
/// **Assumes** what [`ewma_arl`] does, whose root it is. **Guarantee**: exact up to its error.
///
/// ```
/// use driftlead_stats::glr::Direction;
/// use driftlead_stats::peers::ewma_limit;
/// assert!((ewma_limit(0.1, 500.0, Direction::Both)? - 2.814).abs() < 1e-3);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// `lambda` outside [.002, 1] or `arl` not in (2, 1e9).
pub fn ewma_limit(lambda: f64, arl: f64, direction: Direction) -> Result<f64> {
    within("arl", arl, "(2, 1e9)", |a| a > 2.0 && a < 1e9)?;
    ewma_arl(lambda, 1.0, 0.0, direction)?;
    let gap = |limit: f64| {
        ewma_arl(lambda, limit, 0.0, direction).map_or(1e3, |length| length.ln() - arl.ln())
    };
    let mut high = 2.0;
    while high < 32.0 && gap(high) < 0.0 {
        high += 1.0;
    }
    find_root(1e-3, high, gap)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::special::normal_cdf;

    /// The run length by a Markov chain of `states` equal cells: another method, with an error of
    /// order `1 / states^2`.
    fn by_chain(lambda: f64, limit: f64, mean: f64, states: usize) -> f64 {
        let end = limit * (lambda / (2.0 - lambda)).sqrt();
        let cell = 2.0 * end / states as f64;
        let centre = |i: usize| -end + cell * (i as f64 + 0.5);
        let mut matrix = Vec::new();
        for i in 0..states {
            for j in 0..states {
                let z = |to: f64| (to - (1.0 - lambda) * centre(i)) / lambda - mean;
                let step =
                    normal_cdf(z(centre(j) + cell / 2.0)) - normal_cdf(z(centre(j) - cell / 2.0));
                matrix.push(f64::from(u8::from(i == j)) - step);
            }
        }
        let mut lengths = vec![1.0; states];
        solve_dense(&mut matrix, &mut lengths).unwrap();
        lengths[states / 2]
    }

    /// Lucas & Saccucci 1990, as tabulated by Montgomery: run lengths to a tenth, limits to a thousandth,
    /// from Markov chains of finitely many states. Ours must be within one unit of the last digit, and
    /// equal to a finer chain: one of 51 states gives the printed 48.2 where the limit is 48.29.
    #[test]
    fn published_run_lengths() {
        for (lambda, limit, at_half, at_one) in [
            (0.4, 3.054, 71.2, 14.3),
            (0.25, 2.998, 48.2, 11.1),
            (0.2, 2.962, 41.8, 10.5),
            (0.1, 2.814, 31.3, 10.3),
            (0.05, 2.615, 28.7, 11.4),
        ] {
            for (mean, printed, last_digit) in
                [(0.0, 500.0, 1.0), (0.5, at_half, 0.1), (1.0, at_one, 0.1)]
            {
                let arl = ewma_arl(lambda, limit, mean, Direction::Both).unwrap();
                assert!(
                    (arl - printed).abs() < last_digit,
                    "{lambda} at {mean}: {arl}"
                );
                let chain = by_chain(lambda, limit, mean, 151);
                assert!(
                    (arl / chain - 1.0).abs() < 3e-3,
                    "{lambda} at {mean}: {arl} {chain}"
                );
            }
        }
        let coarse = by_chain(0.25, 2.998, 0.5, 51);
        assert_eq!(format!("{coarse:.1}"), "48.2");
    }

    #[test]
    fn the_largest_lambda_is_a_threshold_per_observation() {
        let limit = ewma_limit(1.0, 1e4, Direction::Up).unwrap();
        assert!((limit - crate::glr::shewhart_threshold(1e4).unwrap()).abs() < 1e-6);
        let delay = ewma_arl(1.0, limit, 2.0, Direction::Up).unwrap();
        assert!((delay / crate::glr::shewhart_delay(2.0, 1e4).unwrap() - 1.0).abs() < 1e-6);
    }
}
