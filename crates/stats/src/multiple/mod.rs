//! Many hypotheses at once: false discoveries among people and markers.
//!
//! | input | function | controls | dependence |
//! |---|---|---|---|
//! | e-values | [`e_bh`], [`closed_e_bh`] | false discovery rate, also at data-dependent stopping times of e-processes | any |
//! | detectors with a finite run length | [`e_d_bh`] | error over patience | any |
//! | p-values at one fixed time | [`benjamini_hochberg`] | false discovery rate | independent or positively dependent |
//! | p-values at one fixed time | [`benjamini_yekutieli`] | false discovery rate | any |
//! | p-values at one fixed time | [`holm`] | any false discovery | any |
//!
//! Benjamini-Hochberg repeated at every look is *not* valid, and "ever flagged" is covered by neither
//! e-BH: report the current set, or pass the running maximum through
//! [`crate::eprocess::adjust_running_max`] first. E-values of several markers of one person are merged with
//! [`crate::eprocess::merge_mean`] (any dependence); [`crate::eprocess::calibrate_power`],
//! [`crate::eprocess::calibrate_integrated`] and [`crate::eprocess::p_from_e`] lead from p to e and back.

mod closed;
mod ebh;
mod pvalues;

pub use closed::closed_e_bh;
pub use ebh::{e_bh, e_d_bh};
pub use pvalues::{Adjusted, benjamini_hochberg, benjamini_yekutieli, holm};
