//! Has a system changed? Two samples of its answers to the same prompts.
//!
//! | question | use |
//! |---|---|
//! | Two samples of answers, once | [`KernelTest`] with [`Kernel::Hamming`] or [`Kernel::Spectrum`] |
//! | Distance of two samples of answers as whole items | [`l1`], [`l2`], [`chi_squared`] |
//! | Two samples of token log-probabilities | [`ln_probability_shift`] |
//! | A sample every day, looked at all the time | [`ChangeAlarm`] |

mod alarm;
mod counts;
mod kernel;
mod logprob;
mod mmd;
mod sample;

pub use alarm::ChangeAlarm;
pub use counts::{chi_squared, l1, l2};
pub use kernel::Kernel;
pub use logprob::{ShiftTest, ln_probability_shift};
pub use mmd::{KernelTest, Permutations, Scheme};
pub use sample::Sample;
