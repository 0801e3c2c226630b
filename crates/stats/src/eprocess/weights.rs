//! Prior weights over the time of a change.

/// `sum_{k >= 2} 1 / (k ln^2 k)`.
const OPEN_ENDED_TOTAL: f64 = 2.109_742_801_236_892;

/// How a budget of 1 is spread over the times at which a change may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Weights {
    /// `1/T` for each of the first `T` observations, 0 afterwards.
    Horizon(u64),
    /// `1 / (Z (j+1) ln^2(j+1))` for `j = 1, 2, ...` with `Z` = 2.1097...: no horizon needed.
    OpenEnded,
}

impl Weights {
    /// Weight of a change that starts with observation `j` (from 1).
    #[must_use]
    pub fn at(self, j: u64) -> f64 {
        match self {
            Self::Horizon(t) if j >= 1 && j <= t => 1.0 / t as f64,
            Self::Horizon(_) => 0.0,
            Self::OpenEnded if j >= 1 => {
                let k = j as f64 + 1.0;
                1.0 / (OPEN_ENDED_TOTAL * k * k.ln().powi(2))
            }
            Self::OpenEnded => 0.0,
        }
    }
}
