//! Feeds that learn one policy per person from that person's reactions.
//!
//! [`kernel`] is one step of the loop in [`crate::parts`]; [`learner`] has the optimisers, [`lens`] the
//! stack under them, [`principal`] who provides the reward, [`governor`] the levers. [`mirror`] has
//! the known answers.
//!
//! `cargo run --release -p driftlead-sim --example reproduce_feed` holds them against published and
//! measured numbers. What is missing: worlds beyond the known answers, a runner with scenario files, the
//! numbers of a population, and a verb.

pub mod governor;
pub mod influence;
pub mod kernel;
pub mod learner;
pub mod lens;
pub mod luck;
pub mod mirror;
pub mod principal;
