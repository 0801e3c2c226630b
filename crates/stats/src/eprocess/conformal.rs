//! Conformal test martingale.

use crate::error::{Result, unit, within};

/// The simple jumper: bets that conformal p-values are not uniform, switching direction at rate `J`.
///
/// **Assumes** exchangeable data behind the p-values. **Guarantee**: a martingale from 1, so
/// `P(ever >= 1/alpha) <= alpha`. Source: Vovk 2021, "Testing randomness online", algorithm 1.
///
/// ```
/// use driftlead_stats::eprocess::SimpleJumper;
/// let mut jumper = SimpleJumper::new(0.01)?;
/// for _ in 0..40 {
///     jumper.update(0.02)?;
/// }
/// assert!(jumper.value() > 100.0);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct SimpleJumper {
    rate: f64,
    shares: [f64; 3],
    ln_scale: f64,
}

impl SimpleJumper {
    /// A martingale at 1, with jump rate `rate` in [0, 1].
    ///
    /// # Errors
    /// `rate` outside [0, 1].
    pub fn new(rate: f64) -> Result<Self> {
        Ok(Self {
            rate: unit("rate", rate)?,
            shares: [1.0 / 3.0; 3],
            ln_scale: 0.0,
        })
    }

    /// Adds a p-value and returns the logarithm of the martingale.
    ///
    /// # Errors
    /// `p` outside [0, 1].
    pub fn update(&mut self, p: f64) -> Result<f64> {
        within("p", p, "[0, 1]", |p| (0.0..=1.0).contains(&p))?;
        let total: f64 = self.shares.iter().sum();
        for (share, epsilon) in self.shares.iter_mut().zip([-1.0, 0.0, 1.0]) {
            *share = ((1.0 - self.rate) * *share + self.rate / 3.0 * total)
                * (1.0 + epsilon * (p - 0.5));
        }
        // Kept near 1 so that no run of p-values can overflow it.
        let total: f64 = self.shares.iter().sum();
        self.shares.iter_mut().for_each(|s| *s /= total);
        self.ln_scale += total.ln();
        Ok(self.ln_scale)
    }

    /// The martingale; infinite when beyond `f64`.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.ln_scale.exp()
    }
}
