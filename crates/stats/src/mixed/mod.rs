//! Many people at once: what they share, how they differ, and what is known of each.
//!
//! | data of each person | use | guarantee |
//! |---|---|---|
//! | rows of a continuous outcome | [`mixed_reml`] | restricted maximum likelihood under Gaussian errors |
//! | successes out of trials | [`BetaPopulation::fit`] | maximum likelihood under a beta population |
//! | one estimate of known, equal variance | [`james_stein`] | total squared error below that of the estimates themselves |
//!
//! All three shrink a person's estimate towards the population. A shrunken estimate is better on
//! average over people; it is biased for each of them, and not an interval.

mod basis;
mod empirical_bayes;
mod newton;
mod reml;

pub use empirical_bayes::{BetaPopulation, MAX_TRIALS, james_stein};
pub use reml::{Grouped, MAX_SLOPES, MixedFit, mixed_reml};
