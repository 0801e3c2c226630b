//! Generalised likelihood ratios, and the exact optimum to compare against.
//!
//! [`GaussianFocus`] and [`BernoulliFocus`] give the likelihood ratio maximised over the time *and*
//! the size of one change after every observation, in amortised constant work; [`FocusAlarm`] tells
//! only whether it reaches a threshold, which is much cheaper. They carry no false-alarm guarantee:
//! calibrate their threshold by simulation, or use [`crate::edetector`].
//!
//! [`cusum_arl`] and [`cusum_threshold`] solve the run length of Page's CUSUM exactly. CUSUM with a
//! known shift is optimal (Moustakides 1986), so its delay is the right denominator for any other
//! detector; the asymptotic bound `ln(ARL)/KL` is not, it overstates the optimum three-fold at small
//! shifts.

mod alarm;
mod bernoulli;
mod block;
mod cusum;
mod gaussian;
mod hull;

pub use alarm::FocusAlarm;
pub use bernoulli::BernoulliFocus;
pub use cusum::{
    cusum_arl, cusum_delay, cusum_threshold, ramp_delay, shewhart_delay, shewhart_threshold,
    two_sided_arl,
};
pub use gaussian::GaussianFocus;

/// Direction of change looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The level rises.
    Up,
    /// The level falls.
    Down,
    /// Either.
    Both,
}

/// What is known of the level before the change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Before {
    /// The level is known.
    Known(f64),
    /// The level is estimated from the observations before each candidate change.
    Unknown,
}

/// The best single change in the data so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scan {
    /// Log-likelihood ratio of "one change" against "none"; 0 when no change fits better than none.
    pub statistic: f64,
    /// Number of observations before the best change.
    pub change: u64,
}
