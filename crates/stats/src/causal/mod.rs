//! Did the system cause it? Effects from decisions that were randomised with known probabilities.
//!
//! | question | use | guarantee |
//! |---|---|---|
//! | Effect right after a decision, looked at once | [`wcls`] | level `alpha`, many people; small-sample correction |
//! | The same, looked at all the time | [`EffectSequence`] | level `alpha` at all times, any number of people |
//! | Outcomes that arrive late | [`DelayedEffect`] | level `alpha` at all times, whatever the delays depend on |
//! | Only the assignment is random, outcomes unbounded | [`crate::cs::DesignSequence`] | level `alpha` at all times, asymptotically |
//! | Slow effect, against people without the system | [`holdout_effect`] | level `alpha`, one look |
//! | How many people? | [`ProximalPlan`], [`SlopeNoise`] | - |
//!
//! Without randomisation none of these says anything about cause.

mod anytime;
mod delayed;
mod estimate;
mod holdout;
mod size;
mod wcls;

pub use anytime::{EffectSequence, PersonalMean};
pub use delayed::{Arm, DelayedEffect, Ticket};
pub use estimate::Estimate;
pub use holdout::{SlopeNoise, holdout_effect};
pub use size::{DailyCourse, ProximalPlan};
pub use wcls::{Correction, JointTest, Trial, WclsFit, wcls};

use crate::error::{Result, StatsError};
use crate::special::cholesky;

/// Cholesky factor of the cross-products of `what`; an error when a column is a combination of
/// others to the precision of the sums (a pivot below 1e-12 of its diagonal entry).
fn factor(matrix: &[f64], n: usize, what: &'static str) -> Result<Vec<f64>> {
    let collinear = StatsError::Collinear { what };
    let lower = cholesky(matrix, n).map_err(|_| collinear.clone())?;
    let pivot = |i: usize| lower[i * n + i].powi(2) > 1e-12 * matrix[i * n + i];
    if (0..n).all(pivot) {
        Ok(lower)
    } else {
        Err(collinear)
    }
}
