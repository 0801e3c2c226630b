//! Feeds that learn one policy per person from that person's reactions.
//!
//! [`kernel`] is one step of the loop in [`crate::parts`]; [`learner`] has the optimisers, [`lens`] the
//! stack under them, [`principal`] who provides the reward, [`governor`] the levers. [`mirror`] has
//! the known answers. [`clusters`] are people whom exposure moves, [`life`] runs one of them,
//! [`population`] many, and [`numbers`] says what came of it. [`catalogue`] are many items with
//! attributes, and people whose vector moves with what is shown. [`phase`] varies two constants, and
//! [`simplex`] says where people end among three groups.
//!
//! `cargo run --release -p driftlead-sim --example reproduce_feed` holds them against published and
//! measured numbers.

pub mod arms;
pub mod catalogue;
pub mod clusters;
pub mod governor;
pub mod influence;
pub mod kernel;
pub mod learner;
pub mod lens;
pub mod life;
pub mod luck;
pub mod mirror;
pub mod numbers;
pub mod opinion;
pub mod panel;
pub mod phase;
pub mod population;
pub mod principal;
pub mod simplex;
pub mod sums;
