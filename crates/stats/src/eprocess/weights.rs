//! Prior weights over the time of a change.

/// `sum_{k >= 2} 1 / (k ln^2 k)`.
const OPEN_ENDED_TOTAL: f64 = 2.109_742_801_236_892;

/// How a budget of 1 is spread over the times at which a change may start.
///
/// **Assumes** nothing. **Guarantee**: the weights of all times sum to at most 1. A horizon is tighter
/// inside it and worth nothing after it. Source: Dandapanthula & Ramdas, arXiv 2501.04130, for the use of
/// such weights.
///
/// ```
/// use driftlead_stats::eprocess::Weights;
/// let total: f64 = (1..=400).map(|j| Weights::Horizon(365).at(j)).sum();
/// assert!((total - 1.0).abs() < 1e-12);
/// assert!((1..=100_000).map(|j| Weights::OpenEnded.at(j)).sum::<f64>() < 1.0);
/// ```
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
