//! "No movement of this size": a claim that needs evidence of its own.

use crate::error::{Result, finite, level, positive};
use crate::special::{student_quantile, student_two_sided};

/// Two one-sided tests that a change is smaller than a margin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Equivalence {
    /// p-value of "the change is at least `margin` up or down".
    pub p: f64,
    /// Whether `p` is at most `alpha`: no movement as large as the margin.
    pub shown: bool,
    /// Smallest margin that would have been shown, in the unit of the estimate.
    pub smallest_margin: f64,
}

/// Tests that a true change lies inside `(-margin, margin)`.
///
/// **Assumes** `(estimate - truth)/se` a Student t variable with `degrees_of_freedom`, and a margin chosen
/// before the data were seen. **Guarantee**: error `alpha`, for one look. An interval that contains 0 shows nothing of
/// the kind: it may only be wide. Source: Schuirmann 1987, J. Pharmacokinet. Biopharm. 15:657 (two
/// one-sided tests); the same as the interval at `2 alpha` lying inside the margin.
///
/// ```
/// use driftlead_stats::series::equivalence;
/// let narrow = equivalence(0.02, 0.05, 30.0, 0.2, 0.05)?;
/// assert!(narrow.shown && narrow.smallest_margin < 0.2);
/// // As close to 0, but known too badly to say.
/// assert!(!equivalence(0.02, 0.5, 30.0, 0.2, 0.05)?.shown);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// An estimate that is not finite; a standard error, degrees of freedom or margin that is not positive;
/// `alpha` outside (0, 1/2).
pub fn equivalence(
    estimate: f64,
    se: f64,
    degrees_of_freedom: f64,
    margin: f64,
    alpha: f64,
) -> Result<Equivalence> {
    finite("estimate", estimate)?;
    positive("se", se)?;
    positive("degrees_of_freedom", degrees_of_freedom)?;
    positive("margin", margin)?;
    level("twice alpha", 2.0 * alpha)?;
    // The test against the nearer end has the larger p-value.
    let t = (margin - estimate.abs()) / se;
    let tail = 0.5 * student_two_sided(t.abs(), degrees_of_freedom);
    let p = if t >= 0.0 { tail } else { 1.0 - tail };
    Ok(Equivalence {
        p,
        shown: p <= alpha,
        smallest_margin: estimate.abs() + student_quantile(1.0 - alpha, degrees_of_freedom)? * se,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_is_the_interval_at_twice_alpha() {
        for estimate in [-0.3, 0.0, 0.1, 0.25] {
            let test = equivalence(estimate, 0.1, 12.0, 0.4, 0.05).unwrap();
            // t quantile with 12 degrees of freedom at .95.
            let half = 1.782_287_555_649_159 * 0.1;
            assert_eq!(test.shown, estimate.abs() + half <= 0.4);
            assert!((test.smallest_margin - estimate.abs() - half).abs() < 1e-12);
            let edge = equivalence(estimate, 0.1, 12.0, test.smallest_margin, 0.05).unwrap();
            assert!((edge.p - 0.05).abs() < 1e-12);
        }
        let outside = equivalence(0.5, 0.1, 12.0, 0.4, 0.05).unwrap();
        assert!(outside.p > 0.5 && !outside.shown);
        assert!(equivalence(0.0, 0.0, 12.0, 0.4, 0.05).is_err());
        assert!(equivalence(0.0, 0.1, 12.0, 0.4, 0.5).is_err());
    }
}
