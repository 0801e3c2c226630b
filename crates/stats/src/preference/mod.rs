//! Strengths of items from pairwise comparisons.
//!
//! | question | use |
//! |---|---|
//! | Which item wins how often, with intervals? | [`BradleyTerry::fit`] with a [`Prior`] |
//! | The same, posterior as a Gaussian | [`expectation_propagation`], logit or probit |
//! | Choice probabilities with a spread per item | [`Thurstonian::fit`] |
//! | Fast spectral estimates, as other programs compute them | [`luce_spectral`], [`iterated_spectral`], [`rank_centrality`], [`minorise_maximise`] |
//!
//! Only differences of strengths mean anything: they are centred to mean 0. Without a prior a maximum
//! exists only if every item is linked to every other by a chain of wins (Ford 1957); otherwise the fit is a
//! [`crate::StatsError::Undefined`], not a large number.

mod bradley_terry;
mod comparisons;
mod ep;
mod spectral;
mod thurstonian;

pub use bradley_terry::{BradleyTerry, Prior};
pub use comparisons::Comparisons;
pub use ep::{Link, Posterior, expectation_propagation};
pub use spectral::{iterated_spectral, luce_spectral, minorise_maximise, rank_centrality};
pub use thurstonian::{Judgement, SpreadPrior, Thurstonian};
