//! Verdict mode: evidence against "never changed" that may be looked at any time.
//!
//! [`Verdict`] is an e-process: the probability that it *ever* reaches `1/alpha` is at most `alpha`
//! when nothing changed, and its current values may be fed to [`crate::multiple::e_bh`]. The other
//! functions turn p-values into e-values, merge them, and adjust running maxima.

mod calibrate;
mod conformal;
mod subsets;
mod verdict;
mod weights;

pub use calibrate::{
    adjust_running_max, calibrate_integrated, calibrate_power, merge_mean, merge_product, p_from_e,
};
pub use conformal::SimpleJumper;
pub use subsets::SubsetVerdict;
pub use verdict::{Verdict, change_interval};
pub use weights::Weights;
