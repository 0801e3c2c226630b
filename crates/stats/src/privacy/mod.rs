//! Differentially private release of a cohort's mean (feature `privacy`).
//!
//! One number per person, clipped to a range fixed beforehand; Laplace noise from
//! [OpenDP](https://docs.rs/opendp), whose rounding-aware transformations set its scale; a [`Ledger`]
//! that refuses to spend more than its budget. No release below [`MIN_PEOPLE`] people.
//!
//! Central model: whoever calls this sees the raw numbers and is trusted. The noise comes from the
//! operating system and cannot be seeded: a repeatable release would be no release.

mod ledger;
mod mean;

pub use ledger::{Ledger, Spending};
pub use mean::{Clip, Cost, MIN_PEOPLE, PrivateMean, private_mean};
