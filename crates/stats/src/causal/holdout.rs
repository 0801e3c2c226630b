//! Slow effects, from people who are randomly left without the system.

use super::Estimate;
use crate::error::{Result, StatsError, finite, level, non_negative, positive, within};
use crate::special::normal_quantile;

/// How far one person's estimated change over the study scatters: the change is a fitted slope,
/// expressed as the total over `conversations`, in standard deviations of one conversation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlopeNoise {
    /// Conversations per person, > 0.
    pub conversations: f64,
    /// Autocorrelation of neighbouring conversations, in [0, 1).
    pub phi: f64,
    /// Standard deviation of the true changes between people, ≥ 0.
    pub between_sd: f64,
}

impl SlopeNoise {
    /// Variance of one person's estimated change: `12 (1+phi)/((1-phi) T) + between_sd^2`.
    ///
    /// The first part is the variance of a least-squares slope times `T`, inflated for the
    /// autocorrelation in the limit of many conversations (Diggle, Heagerty, Liang & Zeger 2002, sec. 2.4).
    ///
    /// # Errors
    /// A value outside its domain.
    pub fn variance(&self) -> Result<f64> {
        positive("conversations", self.conversations)?;
        within("phi", self.phi, "[0, 1)", |p| (0.0..1.0).contains(&p))?;
        non_negative("between_sd", self.between_sd)?;
        let noise = 12.0 * (1.0 + self.phi) / ((1.0 - self.phi) * self.conversations);
        Ok(noise + self.between_sd * self.between_sd)
    }

    /// People to hold out, as a real number, so that a difference in change of `delta` is found with
    /// probability `power` in a two-sided test at `alpha`, when a share `holdout` of all people is
    /// held out: `(z_(1-alpha/2) + z_power)^2 Var (1 + h/(1-h)) / delta^2`. Round up.
    ///
    /// **Assumes** people randomised once, independent of each other, normal estimates. It is a plan
    /// with the variance taken as known; with fewer than about 30 people held out it is optimistic.
    ///
    /// **Guarantee**: that power, under these assumptions. Source: the usual formula for two normal
    /// means, with the variance of [`Self::variance`].
    ///
    /// ```
    /// use driftlead_stats::causal::SlopeNoise;
    /// let noise = SlopeNoise { conversations: 180.0, phi: 0.5, between_sd: 0.3 };
    /// let held_out = noise.holdout_size(0.1, 0.9, 0.05, 0.1)?;
    /// assert!((held_out - 338.6).abs() < 0.05);
    /// # Ok::<(), driftlead_stats::StatsError>(())
    /// ```
    ///
    /// # Errors
    /// A value outside its domain.
    pub fn holdout_size(&self, delta: f64, power: f64, alpha: f64, holdout: f64) -> Result<f64> {
        within("delta", delta, "not 0", |d| d != 0.0)?;
        let z = self.margin(power, alpha)? / delta;
        Ok(z * z * self.variance()? * arms(holdout)?)
    }

    /// The smallest difference in change that `people` held out would find.
    ///
    /// **Assumes** what [`Self::holdout_size`] does, of which it is the inverse.
    ///
    /// ```
    /// use driftlead_stats::causal::SlopeNoise;
    /// let noise = SlopeNoise { conversations: 180.0, phi: 0.5, between_sd: 0.3 };
    /// assert!((noise.smallest_visible(338.6, 0.9, 0.05, 0.1)? - 0.1).abs() < 1e-4);
    /// # Ok::<(), driftlead_stats::StatsError>(())
    /// ```
    ///
    /// # Errors
    /// A value outside its domain.
    pub fn smallest_visible(
        &self,
        people: f64,
        power: f64,
        alpha: f64,
        holdout: f64,
    ) -> Result<f64> {
        positive("people", people)?;
        let variance = self.variance()? * arms(holdout)? / people;
        Ok(self.margin(power, alpha)? * variance.sqrt())
    }

    fn margin(&self, power: f64, alpha: f64) -> Result<f64> {
        let tail = level("alpha", alpha)? / 2.0;
        Ok(normal_quantile(level("power", power)?) - normal_quantile(tail))
    }
}

/// Both arms' share in the variance of their difference.
fn arms(holdout: f64) -> Result<f64> {
    level("holdout", holdout)?;
    Ok(1.0 + holdout / (1.0 - holdout))
}

/// Difference of means, exposed minus held out, of one number per person.
///
/// Welch's statistic with Satterthwaite's degrees of freedom. **Assumes** people randomised to the arms
/// and independent of each other; nothing about what happens inside a person, whose whole history is
/// one number (such as its fitted change). **Guarantee**: the level stated, for one look, up to the
/// normal approximation. To look repeatedly while people finish use [`super::DelayedEffect`].
/// Source: Welch 1947, Biometrika 34:28.
///
/// ```
/// use driftlead_stats::causal::holdout_effect;
/// let held_out = [0.1, -0.2, 0.0, 0.3, -0.1];
/// let exposed = [0.9, 1.2, 0.8, 1.1, 1.0, 1.3];
/// let effect = holdout_effect(&held_out, &exposed)?;
/// assert!((effect.value - 1.03).abs() < 1e-12 && effect.interval(0.05)?.low > 0.0);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// Fewer than two people in an arm, a number that is not finite, no variation at all.
pub fn holdout_effect(held_out: &[f64], exposed: &[f64]) -> Result<Estimate> {
    let (low_mean, low_square) = mean_and_squared_error("held_out", held_out)?;
    let (high_mean, high_square) = mean_and_squared_error("exposed", exposed)?;
    let total = low_square + high_square;
    let per = |square: f64, arm: &[f64]| (square / total).powi(2) / (arm.len() - 1) as f64;
    positive("variance", total)?;
    Ok(Estimate {
        value: high_mean - low_mean,
        se: total.sqrt(),
        degrees_of_freedom: 1.0 / (per(low_square, held_out) + per(high_square, exposed)),
    })
}

fn mean_and_squared_error(name: &'static str, arm: &[f64]) -> Result<(f64, f64)> {
    if arm.len() < 2 {
        return Err(StatsError::LengthMismatch {
            name,
            expected: 2,
            got: arm.len(),
        });
    }
    let n = arm.len() as f64;
    arm.iter().try_for_each(|&x| finite(name, x).map(|_| ()))?;
    let mean = arm.iter().sum::<f64>() / n;
    let squares: f64 = arm.iter().map(|x| (x - mean).powi(2)).sum();
    Ok((
        finite(name, mean)?,
        finite(name, squares / (n * (n - 1.0)))?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_the_reference() {
        let noise = SlopeNoise {
            conversations: 180.0,
            phi: 0.5,
            between_sd: 0.3,
        };
        for (delta, people) in [(0.05, 1354.3), (0.1, 338.6), (0.2, 84.6)] {
            let ours = noise.holdout_size(delta, 0.9, 0.05, 0.1).unwrap();
            assert!((ours - people).abs() < 0.06, "{delta}: {ours}");
            let back = noise.smallest_visible(ours, 0.9, 0.05, 0.1).unwrap();
            assert!((back - delta).abs() < 1e-12);
        }
        assert!(noise.holdout_size(0.0, 0.9, 0.05, 0.1).is_err());
        assert!(noise.holdout_size(0.1, 0.9, 0.05, 1.0).is_err());
        assert!(SlopeNoise { phi: 1.0, ..noise }.variance().is_err());
    }

    #[test]
    fn arms_without_variation_or_people_are_refused() {
        assert!(holdout_effect(&[1.0, 1.0], &[2.0, 2.0]).is_err());
        assert!(holdout_effect(&[1.0], &[2.0, 3.0]).is_err());
        assert!(holdout_effect(&[1.0, f64::NAN], &[2.0, 3.0]).is_err());
        let one_arm = holdout_effect(&[1.0, 1.0, 1.0], &[2.0, 4.0, 6.0]).unwrap();
        assert!((one_arm.degrees_of_freedom - 2.0).abs() < 1e-12);
    }
}
