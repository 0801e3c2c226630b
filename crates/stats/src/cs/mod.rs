//! Confidence sequences for a mean: intervals that hold at all times at once, updated one
//! observation at a time.
//!
//! | sequence | assumption | cost per observation |
//! |---|---|---|
//! | [`BettingSequence::hedged`] | values in [0, 1], constant conditional mean; the tightest | 1,001 grid points |
//! | [`BettingSequence::diversified`] | the same, bets spread evenly | 20 x grid points |
//! | [`BettingSequence::without_replacement`] | a finite population in random order | grid points |
//! | [`PredMixBernstein`], [`PredMixHoeffding`] | values in [0, 1] | constant |
//! | [`ConjugateBernstein`], [`ConjugateHoeffding`] | values in [0, 1] | constant; one root per interval |
//! | [`AsymptoticSequence`] | finite variance; level holds asymptotically | constant |
//! | [`DesignSequence`] | a randomised design with known probabilities | constant |
//!
//! The resolution of a betting sequence is part of the result: ends lie on the grid, widened by one
//! step. [`RepeatedSequences`] turns closed-form sequences into a change detector.

mod asymptotic;
mod bets;
mod betting;
mod capital;
mod conjugate;
mod predmix;
mod repeated;

pub use asymptotic::{AsymptoticSequence, DesignSequence};
pub use bets::Bets;
pub use betting::BettingSequence;
pub use capital::{BettingMartingale, Combination};
pub use conjugate::{ConjugateBernstein, ConjugateHoeffding};
pub use predmix::{PredMixBernstein, PredMixHoeffding};
pub use repeated::RepeatedSequences;

/// A closed interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// The trivial interval for a value in [0, 1].
    pub const UNIT: Self = Self {
        low: 0.0,
        high: 1.0,
    };

    /// Upper end minus lower end.
    #[must_use]
    pub fn width(&self) -> f64 {
        self.high - self.low
    }

    /// Whether `x` lies inside or on an end.
    #[must_use]
    pub fn contains(&self, x: f64) -> bool {
        self.low <= x && x <= self.high
    }

    /// What both intervals share; ends crossed (`low > high`) when nothing is shared.
    #[must_use]
    pub fn intersect(self, other: Self) -> Self {
        Self {
            low: self.low.max(other.low),
            high: self.high.min(other.high),
        }
    }
}
