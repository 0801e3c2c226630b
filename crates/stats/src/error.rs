//! What can go wrong, as one typed error.

use thiserror::Error;

/// Why a number could not be computed.
///
/// Errors carry names of parameters and values, never data of a person.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum StatsError {
    /// A value is NaN or infinite where a finite number is needed.
    #[error("{name} is not a finite number")]
    NotFinite {
        /// Name of the parameter.
        name: &'static str,
    },
    /// A value lies outside its domain.
    #[error("{name} = {value} is outside its domain: {domain}")]
    OutOfDomain {
        /// Name of the parameter.
        name: &'static str,
        /// The value given.
        value: f64,
        /// The domain, in words or as an interval.
        domain: &'static str,
    },
    /// A list that needs at least one entry is empty.
    #[error("{name} is empty")]
    Empty {
        /// Name of the list.
        name: &'static str,
    },
    /// Two lists that belong together differ in length.
    #[error("{name} has {got} entries where {expected} are needed")]
    LengthMismatch {
        /// Name of the list.
        name: &'static str,
        /// Entries needed.
        expected: usize,
        /// Entries given.
        got: usize,
    },
    /// More observations arrived than the population or horizon holds.
    #[error("observation {got} lies beyond the declared {what} of {limit}")]
    BeyondHorizon {
        /// What was declared ("population", "horizon").
        what: &'static str,
        /// The declared size.
        limit: usize,
        /// Number of the observation that did not fit (from 1).
        got: usize,
    },
    /// The inputs are valid but the quantity has no value for them (0/0, no maximum).
    #[error("{what} is undefined: {because}")]
    Undefined {
        /// The quantity.
        what: &'static str,
        /// Why it has no value.
        because: &'static str,
    },
    /// A regressor is a combination of the others, so their coefficients cannot be told apart.
    #[error("the columns of {what} are collinear")]
    Collinear {
        /// Which fit.
        what: &'static str,
    },
    /// A list that must be sorted is not.
    #[error("{name} is out of order at row {row}")]
    Unsorted {
        /// Name of the list.
        name: &'static str,
        /// First row (from 0) that is smaller than the one before it.
        row: usize,
    },
    /// An iteration did not reach its tolerance.
    #[error("{what} did not converge")]
    NoConvergence {
        /// The computation.
        what: &'static str,
    },
}

/// Result of this crate.
pub type Result<T> = core::result::Result<T, StatsError>;

/// `value`, if it is finite.
pub(crate) fn finite(name: &'static str, value: f64) -> Result<f64> {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(StatsError::NotFinite { name })
    }
}

/// `value`, if it is finite and `holds`.
pub(crate) fn within(
    name: &'static str,
    value: f64,
    domain: &'static str,
    holds: impl Fn(f64) -> bool,
) -> Result<f64> {
    finite(name, value)?;
    if holds(value) {
        Ok(value)
    } else {
        Err(StatsError::OutOfDomain {
            name,
            value,
            domain,
        })
    }
}

/// `value`, if it is a level in (0, 1).
pub(crate) fn level(name: &'static str, value: f64) -> Result<f64> {
    within(name, value, "(0, 1)", |a| a > 0.0 && a < 1.0)
}

/// `value`, if it is finite and positive.
pub(crate) fn positive(name: &'static str, value: f64) -> Result<f64> {
    within(name, value, "(0, inf)", |a| a > 0.0)
}

/// `value`, if it is finite and not negative.
pub(crate) fn non_negative(name: &'static str, value: f64) -> Result<f64> {
    within(name, value, "[0, inf)", |a| a >= 0.0)
}

/// `value`, if it lies in [0, 1].
pub(crate) fn unit(name: &'static str, value: f64) -> Result<f64> {
    within(name, value, "[0, 1]", |a| (0.0..=1.0).contains(&a))
}

/// Checks that no more successes than trials are claimed.
pub(crate) fn checked_counts(successes: u64, trials: u64) -> Result<()> {
    if successes <= trials {
        return Ok(());
    }
    Err(StatsError::OutOfDomain {
        name: "successes",
        value: successes as f64,
        domain: "[0, trials]",
    })
}
