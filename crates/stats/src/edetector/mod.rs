//! Detectors with a guaranteed average run length, one constant-work update per observation.
//!
//! An *e-detector* is a process whose value at any stopping time is, on average, at most that time
//! while nothing has changed. Alarming at `gamma` therefore gives an average run length of at least
//! `gamma`, without independence: only `E[L_t | past] <= 1` is needed (Shin, Ramdas, Rinaldo 2024,
//! "E-detectors: a nonparametric framework for sequential change detection", NEJSDS 2:229).
//!
//! - [`Baseline`] says what is known before the change and turns an observation into increments `L_t`.
//! - [`Alternatives`] is the grid of bets: [`Alternatives::geometric_normal`] and
//!   [`Alternatives::geometric_bernoulli`] (6-8 components, the default of this project) or the
//!   [`Alternatives::reference`] rule of the paper, which needs hundreds.
//! - [`EDetector`] runs Shiryaev-Roberts, CUSUM or a sequential test over the grid; use
//!   Shiryaev-Roberts: the e-CUSUM with the same guarantee is 1.5-5 times slower.
//! - [`Alarm`] is the *alarm mode*: threshold `gamma`, restart after each alarm. [`Alarm::exact`] is
//!   faster where the distribution before the change is known.
//! - [`BinaryBank`], [`GaussianBank`] run many streams at once for throughput.
//!
//! A detector with a finite run length gives no false discovery rate across people. For a sentence in
//! a report use [`crate::eprocess`].

mod alarm;
mod bank;
mod detector;
mod grid;
mod increment;
mod overshoot;

pub use alarm::{Alarm, Alarmed};
pub use bank::{BinaryBank, GaussianBank};
pub use detector::{EDetector, Recursion};
pub use grid::{Alternatives, Tail};
pub use increment::Baseline;
