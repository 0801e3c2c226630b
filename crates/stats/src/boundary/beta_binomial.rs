//! Beta-binomial mixture: the boundary for increments in a known interval.

use super::{Mixture, Sides, checked_tuning};
use crate::error::{Result, positive};
use crate::special::{ln_scaled_beta, ln_scaled_beta_inc};

/// Beta mixture for increments in `[-g, h]` with mean zero; intrinsic time is `g h t`.
///
/// Source: Howard et al. 2021, props. 7 and 8. With `x = h/(g+h)` and
/// `W(a, b) = ln[B_x(a, b) x^-a (1-x)^-b]` (the complete beta function when two-sided) the formula is
/// `ln M = W(a, b) - W(a0, b0)`, `a0 = r/(g(g+h))`, `b0 = r/(h(g+h))`, `a = a0 + (v-gs)/(g(g+h))`,
/// `b = b0 + (v+hs)/(h(g+h))`, `r = max(rho - g h, g h / 1000)`.
///
/// **Assumes** increments in `[-g, h]` with conditional mean at most 0 (two-sided: 0). **Guarantee**: the
/// process ever reaches the bound with probability at most `alpha`, whatever the tuning.
///
/// ```
/// use driftlead_stats::boundary::{BetaBinomial, Mixture, Sides};
/// let mixture = BetaBinomial::new(100.0, 0.05, 0.2, 0.8, Sides::Two)?;
/// assert!((mixture.bound(100.0, 0.05)? - 31.4308).abs() < 1e-4);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BetaBinomial {
    down: f64,
    up: f64,
    cut: f64,
    start_a: f64,
    start_b: f64,
    start: f64,
    sides: Sides,
}

impl BetaBinomial {
    /// Tightest near intrinsic time `v_opt` for level `alpha_opt`; increments in `[-down, up]`.
    ///
    /// # Errors
    /// `v_opt`, `down` or `up` not positive, `alpha_opt` outside its range (see [`super::NormalMixture::new`]).
    pub fn new(v_opt: f64, alpha_opt: f64, down: f64, up: f64, sides: Sides) -> Result<Self> {
        let rho = checked_tuning(v_opt, alpha_opt, sides)?;
        positive("down", down)?;
        positive("up", up)?;
        let r = positive("r", (rho - down * up).max(1e-3 * down * up))?;
        let width = down + up;
        let (start_a, start_b) = (r / (down * width), r / (up * width));
        let mut mixture = Self {
            down,
            up,
            cut: up / width,
            start_a,
            start_b,
            start: 0.0,
            sides,
        };
        mixture.start = mixture.scaled(start_a, start_b);
        Ok(mixture)
    }

    fn scaled(&self, a: f64, b: f64) -> f64 {
        match self.sides {
            Sides::One => ln_scaled_beta_inc(a, b, self.cut),
            Sides::Two => ln_scaled_beta(a, b, self.cut),
        }
    }
}

impl Mixture for BetaBinomial {
    fn ln_mixture(&self, s: f64, v: f64) -> f64 {
        let width = self.down + self.up;
        let a = self.start_a + (v - self.down * s) / (self.down * width);
        let b = self.start_b + (v + self.up * s) / (self.up * width);
        if !(a > 0.0 && b > 0.0) {
            return f64::NAN;
        }
        self.scaled(a, b) - self.start
    }

    fn largest_sum(&self, v: f64) -> f64 {
        v / self.down
    }
}
