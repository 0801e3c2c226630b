//! How many people a micro-randomised trial of a proximal effect needs.

use crate::error::{Result, StatsError, finite, level, positive, within};
use crate::special::{f_quantile, noncentral_f_sf, solve_cholesky};

use super::factor;

/// Fewest people ever answered: below ten the F approximation is not to be trusted.
const FEWEST: u64 = 10;

/// Most people searched for.
const MOST: u64 = 1 << 40;

/// How a quantity runs over the days of a trial, day 0 first.
#[derive(Debug, Clone, PartialEq)]
pub struct DailyCourse(Vec<f64>);

impl DailyCourse {
    /// The same every day.
    ///
    /// # Errors
    /// No day, or a value that is not finite.
    pub fn constant(value: f64, days: usize) -> Result<Self> {
        Self::given(vec![value; days])
    }

    /// A straight line from `initial` whose mean over the days is `mean`.
    ///
    /// # Errors
    /// Fewer than two days, or a value that is not finite.
    pub fn linear(mean: f64, initial: f64, days: usize) -> Result<Self> {
        check_days(days, 2)?;
        let slope = 2.0 * (mean - initial) / (days - 1) as f64;
        Self::given((0..days).map(|d| initial + slope * d as f64).collect())
    }

    /// A parabola from `initial` with its turning point on day `peak` (counted from 1, at least 2)
    /// whose mean over the days is `mean` (Liao et al. 2016, sec. 4).
    ///
    /// ```
    /// use driftlead_stats::causal::DailyCourse;
    /// let course = DailyCourse::quadratic(0.1, 0.0, 28, 42)?;
    /// let days = course.values();
    /// assert!((days.iter().sum::<f64>() / 42.0 - 0.1).abs() < 1e-15 && days[0] == 0.0);
    /// assert!(days[27] > days[26] && days[27] > days[28]);
    /// # Ok::<(), driftlead_stats::StatsError>(())
    /// ```
    ///
    /// # Errors
    /// Fewer than three days, a peak before day 2 or at which no such parabola exists, or a value
    /// that is not finite.
    pub fn quadratic(mean: f64, initial: f64, peak: usize, days: usize) -> Result<Self> {
        check_days(days, 3)?;
        within("peak", peak as f64, "[2, inf)", |p| p >= 2.0)?;
        let sum: f64 = (0..days).map(|d| d as f64).sum();
        let squares: f64 = (0..days).map(|d| (d as f64).powi(2)).sum();
        // b + 2 c (peak - 1) = 0 puts the turning point, b sum + c squares the mean.
        let turn = 2.0 * (peak - 1) as f64;
        let c = (mean - initial) * days as f64 / (squares - turn * sum);
        let b = -turn * c;
        finite("peak", c)?;
        let at = |d: usize| initial + b * d as f64 + c * (d as f64).powi(2);
        Self::given((0..days).map(at).collect())
    }

    /// Any course, one value per day.
    ///
    /// # Errors
    /// No day, or a value that is not finite.
    pub fn given(values: Vec<f64>) -> Result<Self> {
        check_days(values.len(), 1)?;
        values
            .iter()
            .try_for_each(|&v| finite("a day's value", v).map(|_| ()))?;
        Ok(Self(values))
    }

    /// One value per day.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.0
    }
}

fn check_days(days: usize, least: usize) -> Result<()> {
    if days >= least {
        return Ok(());
    }
    Err(StatsError::OutOfDomain {
        name: "days",
        value: days as f64,
        domain: "more days than the course has parameters",
    })
}

/// The plan of a micro-randomised trial.
#[derive(Debug, Clone, PartialEq)]
pub struct ProximalPlan {
    /// Decisions per day.
    pub per_day: usize,
    /// Probability of treatment at each available decision, in (0, 1).
    pub probability: f64,
    /// Effect by day, in standard deviations of the outcome, as it is expected to run.
    pub effect: DailyCourse,
    /// Share of decisions at which treatment is possible, by day, in (0, 1].
    pub availability: DailyCourse,
    /// Parameters of the effect that the analysis will fit as a polynomial of the day: 1 for a
    /// constant effect, 2 linear, 3 quadratic.
    pub effect_parameters: usize,
    /// Parameters of the controls, intercept included.
    pub control_parameters: usize,
}

impl ProximalPlan {
    /// Probability of finding the effect with `people` people at level `alpha`.
    ///
    /// Noncentral F with (p, N-q-p) degrees of freedom. **Assumes** effect and availability run as
    /// planned and the residual variance is the same at all decisions. Source: Liao, Klasnja, Tewari &
    /// Murphy 2016, Statistics in Medicine 35:1944, eq. 9-11.
    ///
    /// **Guarantee**: the power of that F test, under these assumptions.
    ///
    /// ```
    /// use driftlead_stats::causal::{DailyCourse, ProximalPlan};
    /// let plan = ProximalPlan {
    ///     per_day: 5,
    ///     probability: 0.4,
    ///     effect: DailyCourse::quadratic(0.1, 0.0, 28, 42)?,
    ///     availability: DailyCourse::quadratic(0.5, 0.7, 42, 42)?,
    ///     effect_parameters: 3,
    ///     control_parameters: 3,
    /// };
    /// assert_eq!(plan.people(0.8, 0.05)?, 46);
    /// assert!((plan.power(40, 0.05)? - 0.731_556_859_752).abs() < 1e-9);
    /// # Ok::<(), driftlead_stats::StatsError>(())
    /// ```
    ///
    /// # Errors
    /// A plan that cannot be analysed, not more people than parameters, `alpha` outside (0, 1).
    pub fn power(&self, people: u64, alpha: f64) -> Result<f64> {
        level("alpha", alpha)?;
        let per_person = self.noncentrality()?;
        self.power_at(people, per_person, alpha)
    }

    /// Fewest people (at least 10) with which the effect is found with probability `power`.
    ///
    /// **Assumes** and source: as [`Self::power`], which has an example.
    ///
    /// # Errors
    /// As [`Self::power`], `power` outside (0, 1), or no effect to find.
    pub fn people(&self, power: f64, alpha: f64) -> Result<u64> {
        level("alpha", alpha)?;
        level("power", power)?;
        let per_person = positive("effect", self.noncentrality()?)?;
        let parameters = (self.effect_parameters + self.control_parameters) as u64;
        let mut low = FEWEST.max(parameters + 1);
        if self.power_at(low, per_person, alpha)? >= power {
            return Ok(low);
        }
        let mut high = low;
        while self.power_at(high, per_person, alpha)? < power {
            low = high;
            high *= 2;
            if high > MOST {
                return Err(StatsError::NoConvergence {
                    what: "a sample size",
                });
            }
        }
        while high - low > 1 {
            let mid = low + (high - low) / 2;
            if self.power_at(mid, per_person, alpha)? < power {
                low = mid;
            } else {
                high = mid;
            }
        }
        Ok(high)
    }

    fn power_at(&self, people: u64, per_person: f64, alpha: f64) -> Result<f64> {
        let p = self.effect_parameters as f64;
        let n = people as f64;
        let denominator = within(
            "people",
            n - self.control_parameters as f64 - p,
            "more than parameters",
            |d| d > 0.0,
        )?;
        let critical = f_quantile(1.0 - alpha, p, denominator)?;
        // Beyond 1e6 the smallest power is 1 to the last digit.
        let noncentrality = (n * per_person).min(1e6);
        Ok(noncentral_f_sf(critical, p, denominator, noncentrality))
    }

    /// Noncentrality that one person contributes.
    fn noncentrality(&self) -> Result<f64> {
        let days = self.effect.0.len();
        let p = self.effect_parameters;
        level("probability", self.probability)?;
        if self.availability.0.len() != days {
            return Err(StatsError::LengthMismatch {
                name: "availability",
                expected: days,
                got: self.availability.0.len(),
            });
        }
        for &share in &self.availability.0 {
            within("availability", share, "(0, 1]", |s| s > 0.0 && s <= 1.0)?;
        }
        within("effect_parameters", p as f64, "[1, days]", |p| {
            p >= 1.0 && p <= days as f64
        })?;
        within("per_day", self.per_day as f64, "[1, inf)", |d| d >= 1.0)?;
        // Days as -1..1: the fitted effect does not depend on the basis, the digits do.
        let scale = 2.0 / (days.max(2) - 1) as f64;
        let basis = |d: usize, j: usize| (d as f64 * scale - 1.0).powi(j as i32);
        let mut gram = vec![0.0; p * p];
        let mut right = vec![0.0; p];
        for (d, (effect, share)) in self.effect.0.iter().zip(&self.availability.0).enumerate() {
            for a in 0..p {
                right[a] += share * basis(d, a) * effect;
                for b in 0..p {
                    gram[a * p + b] += share * basis(d, a) * basis(d, b);
                }
            }
        }
        let lower = factor(&gram, p, "the days of the plan")?;
        let mut fitted = right.clone();
        solve_cholesky(&lower, &mut fitted)?;
        let explained: f64 = fitted.iter().zip(&right).map(|(f, r)| f * r).sum();
        Ok(explained * self.per_day as f64 * self.probability * (1.0 - self.probability))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(effect: f64) -> ProximalPlan {
        ProximalPlan {
            per_day: 1,
            probability: 0.5,
            effect: DailyCourse::constant(effect, 180).unwrap(),
            availability: DailyCourse::constant(0.7, 180).unwrap(),
            effect_parameters: 1,
            control_parameters: 3,
        }
    }

    #[test]
    fn people_is_the_smallest_number_with_that_power() {
        for effect in [0.01, 0.05, 0.1] {
            let plan = plan(effect);
            let n = plan.people(0.8, 0.05).unwrap();
            assert!(plan.power(n, 0.05).unwrap() >= 0.8);
            assert!(n == FEWEST || plan.power(n - 1, 0.05).unwrap() < 0.8);
        }
        // Without an effect the power is the level.
        assert!((plan(0.0).power(50, 0.05).unwrap() - 0.05).abs() < 1e-12);
    }

    #[test]
    fn a_plan_that_cannot_be_analysed_is_refused() {
        assert!(plan(0.0).people(0.8, 0.05).is_err());
        assert!(plan(0.1).power(4, 0.05).is_err());
        assert!(
            ProximalPlan {
                probability: 1.0,
                ..plan(0.1)
            }
            .people(0.8, 0.05)
            .is_err()
        );
        assert!(
            ProximalPlan {
                effect_parameters: 0,
                ..plan(0.1)
            }
            .people(0.8, 0.05)
            .is_err()
        );
        let short = DailyCourse::constant(0.7, 3).unwrap();
        assert!(
            ProximalPlan {
                availability: short,
                ..plan(0.1)
            }
            .people(0.8, 0.05)
            .is_err()
        );
        assert!(DailyCourse::quadratic(0.1, 0.0, 28, 2).is_err());
        assert!(DailyCourse::linear(f64::NAN, 0.0, 5).is_err());
        let line = DailyCourse::linear(0.5, 0.2, 11).unwrap();
        assert!((line.values()[10] - 0.8).abs() < 1e-15);
    }
}
