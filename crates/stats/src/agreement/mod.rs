//! Agreement between raters and association between two measurements.
//!
//! | question | use | scale |
//! |---|---|---|
//! | Two raters, same categories | [`Confusion::kappa`], [`Confusion::matthews`] | nominal, ordinal by weights |
//! | Many raters, no gaps | [`fleiss_kappa`], [`randolph_kappa`] | nominal |
//! | Many raters, gaps | [`krippendorff_alpha`] | nominal, ordinal, interval, ratio |
//! | Many raters, numbers, no gaps | [`intraclass`] | interval |
//! | Two methods that should give the same number | [`concordance`] | interval |
//! | Do two measurements move together? | [`pearson`], [`spearman`], [`kendall`] | interval, ordinal |
//! | Do the items of a scale hang together, and apart from another's? | [`cronbach_alpha`], [`heterotrait_ratio`] | interval |
//!
//! Coefficients that are 0/0 for the data (nobody's rating varies) are a [`crate::StatsError::Undefined`],
//! never a silent 0 or 1. Intervals come from a formula where a standard one exists; for the rest,
//! [`bootstrap`] resamples units.

mod association;
mod bootstrap;
mod intraclass;
mod kappa;
mod krippendorff;
mod ratings;

pub use association::{
    Association, concordance, heterotrait_ratio, kendall, pearson, ranks, spearman,
};
pub use bootstrap::bootstrap;
pub use intraclass::{Icc, IccForm, cronbach_alpha, intraclass};
pub use kappa::{Confusion, Kappa, Weighting, fleiss_kappa, randolph_kappa};
pub use krippendorff::{Scale, krippendorff_alpha};
pub use ratings::Ratings;

use crate::cs::Interval;

/// A coefficient with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coefficient {
    /// The estimate.
    pub value: f64,
    /// Its interval at the level asked for.
    pub interval: Interval,
}
