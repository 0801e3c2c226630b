//! An estimate with its standard error.

use crate::cs::Interval;
use crate::error::{Result, level};
use crate::special::{f_sf, student_quantile};

/// An estimate whose error is a Student t variable with `degrees_of_freedom`.
///
/// **Assumes** and **guarantees** what the function that made it does ([`crate::causal::wcls`],
/// [`crate::causal::holdout_effect`]; Student 1908). For **one** look at a time fixed in advance. Looking
/// repeatedly at this interval is wrong far more often than `alpha`; for that there is
/// [`crate::causal::EffectSequence`].
///
/// ```
/// use driftlead_stats::causal::Estimate;
/// let effect = Estimate { value: 0.183, se: 0.0813, degrees_of_freedom: 27.0 };
/// let interval = effect.interval(0.05)?;
/// assert!(interval.low > 0.0 && effect.p_value() < 0.05);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The estimate, in the unit of the outcome.
    pub value: f64,
    /// Its standard error.
    pub se: f64,
    /// Degrees of freedom of the t distribution, > 0.
    pub degrees_of_freedom: f64,
}

impl Estimate {
    /// Interval with error `alpha`, two-sided.
    ///
    /// # Errors
    /// `alpha` outside (0, 1).
    pub fn interval(&self, alpha: f64) -> Result<Interval> {
        level("alpha", alpha)?;
        let half = student_quantile(1.0 - 0.5 * alpha, self.degrees_of_freedom)? * self.se;
        Ok(Interval {
            low: self.value - half,
            high: self.value + half,
        })
    }

    /// `(value/se)^2`, an F variable with (1, `degrees_of_freedom`) when there is no effect.
    #[must_use]
    pub fn statistic(&self) -> f64 {
        (self.value / self.se).powi(2)
    }

    /// Two-sided p-value of "no effect".
    #[must_use]
    pub fn p_value(&self) -> f64 {
        f_sf(self.statistic(), 1.0, self.degrees_of_freedom)
    }
}
