//! Polarisation and diversity: many measures, each its own number, never one score.
//!
//! Bramson and others (2016) tell nine senses of "polarised" apart; a population can rise in one and fall
//! in another. Report several.
//!
//! | sense | use |
//! |---|---|
//! | spread | [`Spread::variance`], [`Spread::mean_absolute_deviation`], [`Spread::mean_pairwise`] |
//! | two camps | [`bimodality_coefficient`], [`dip`], [`dip_test`], [`agreement_a`] |
//! | large camps far apart | [`esteban_ray`] |
//! | evenness of categories | [`entropy`], [`gini_simpson`], [`coverage`], [`gini`] |
//! | number of effectively different things | [`Vendi`] |
//! | distance of two distributions | [`jensen_shannon`], [`calibration_kl`] |

mod categories;
mod dip;
mod opinion;
mod vendi;

pub use categories::{bins, calibration_kl, coverage, entropy, gini, gini_simpson, jensen_shannon};
pub use dip::{DipTest, dip, dip_test};
pub use opinion::{Shape, Spread, agreement_a, bimodality_coefficient, esteban_ray};
pub use vendi::Vendi;
