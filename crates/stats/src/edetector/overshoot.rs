//! Spends what a Shiryaev-Roberts detector would throw away by jumping beyond its threshold.

use super::{Alternatives, Baseline};
use crate::error::{Result, StatsError};
use crate::special::{normal_cdf, normal_sf};
use std::sync::Arc;

/// Crossings are looked for on a grid of this many points per standard deviation.
const PER_SD: usize = 32;
/// Where, under each bet, a jump across the threshold is this many standard deviations away, nothing
/// is raised: at most 1 in 4,000 of the value would be cut off.
const OUT_OF_REACH: f64 = 3.5;

/// Factor by which the next value of a detector may be raised because what exceeds the threshold `gamma`
/// is cut off: the largest `b` with `E min(gamma, b M_t | past) <= 1 + M_{t-1}`.
#[derive(Debug, Clone)]
pub(super) struct Overshoot {
    ln_gamma: f64,
    law: Law,
}

#[derive(Debug, Clone)]
enum Law {
    Normal(Crossings),
    /// Logarithms of the increments for 0 and 1, per bet, and the probability of the outcome that raises.
    Binary {
        ln_steps: Vec<(f64, f64)>,
        p: f64,
    },
}

impl Overshoot {
    /// # Errors
    /// Bets of both signs or none, or a baseline whose distribution is not known.
    pub(super) fn new(baseline: &Baseline, grid: &Alternatives, gamma: f64) -> Result<Self> {
        let lambdas = grid.lambdas();
        let (up, down) = (
            lambdas.iter().all(|&l| l > 0.0),
            lambdas.iter().all(|&l| l < 0.0),
        );
        let undefined = |because| StatsError::Undefined {
            what: "an alarm of exact run length",
            because,
        };
        if !up && !down {
            return Err(undefined("the bets are on a rise and on a fall at once"));
        }
        let law = match *baseline {
            // A fall is a rise seen from the other side.
            Baseline::Normal { sd, .. } => Law::Normal(Crossings::new(
                lambdas.iter().map(|l| (l * sd).abs()).collect(),
            )),
            Baseline::Bernoulli { p } => {
                let of = |x: f64| lambdas.iter().map(move |&l| baseline.ln_increment(x, l));
                let (low, high, p) = if up {
                    (0.0, 1.0, p)
                } else {
                    (1.0, 0.0, 1.0 - p)
                };
                Law::Binary {
                    ln_steps: of(low).zip(of(high)).collect(),
                    p,
                }
            }
            Baseline::Bounded { .. } => {
                return Err(undefined("the distribution before the change is not given"));
            }
        };
        Ok(Self {
            ln_gamma: gamma.ln(),
            law,
        })
    }

    /// Logarithm of the factor, at least 0, from the logarithms of `weight (1 + M)` per component.
    pub(super) fn ln_factor(&self, ln_carried: &[f64]) -> f64 {
        match &self.law {
            Law::Normal(crossings) => crossings.ln_factor(ln_carried, self.ln_gamma),
            Law::Binary { ln_steps, p } => {
                let share = |pick: fn(&(f64, f64)) -> f64| -> f64 {
                    let terms = ln_carried.iter().zip(ln_steps);
                    terms
                        .map(|(c, s)| (c + pick(s) - self.ln_gamma).exp())
                        .sum()
                };
                let (low, high) = (share(|s| s.0), share(|s| s.1));
                if high <= 1.0 {
                    return 0.0;
                }
                // E min(1, b M) = (1-p) b low + p; the outcome that speaks against a change must not
                // raise the alarm.
                let now = (1.0 - p) * low + p * high;
                let factor = (now - p) / ((1.0 - p) * low);
                factor.min((1.0 - 1e-12) / low).max(1.0).ln()
            }
        }
    }
}

/// The factor for a standard-normal observation and components `a` (shares of the threshold), with
/// `f(z) = sum a e^(t z - t^2/2)`.
///
/// For any `z`, `E min(1, b f(Z)) <= b sum a Phi(z - t) + 1 - Phi(z)`, with equality where `b f(z) = 1`. So the
/// `b` that brings the right side to `sum a` is safe whatever `z` is, largest at that crossing, and
/// flat there: a grid of `z`, with everything but `a` computed once, loses nothing that matters.
#[derive(Debug, Clone)]
struct Crossings {
    /// Bets in standard deviations, positive.
    thetas: Vec<f64>,
    /// Per point and bet: `Phi(z - t)` and `e^(t z - t^2/2)`.
    table: Arc<[(f64, f64)]>,
    /// Per point: `1 - Phi(z)`.
    tails: Arc<[f64]>,
}

impl Crossings {
    fn new(thetas: Vec<f64>) -> Self {
        let largest = thetas.iter().copied().fold(0.0, f64::max);
        // An observation on the wrong side of the baseline must not raise the alarm: from 0.
        let points = PER_SD * (largest.min(100.0) + OUT_OF_REACH + 3.0) as usize;
        let at = |i: usize| i as f64 / PER_SD as f64;
        let row = |i: usize| {
            let z = at(i);
            let cell = move |t: &f64| (normal_cdf(z - t), (t * (z - 0.5 * t)).exp());
            thetas.iter().map(cell).collect::<Vec<_>>()
        };
        Self {
            table: (0..points).flat_map(row).collect(),
            tails: (0..points).map(|i| normal_sf(at(i))).collect(),
            thetas,
        }
    }

    fn ln_factor(&self, ln_carried: &[f64], ln_gamma: f64) -> f64 {
        // The threshold falls only where some component passes its share of it.
        let ln_share = ln_gamma - (self.thetas.len() as f64).ln();
        let far = |(c, t): (&f64, &f64)| (ln_share - c) / t - 0.5 * t > OUT_OF_REACH;
        if ln_carried.iter().zip(&self.thetas).all(far) {
            return 0.0;
        }
        let shares: Vec<f64> = ln_carried.iter().map(|c| (c - ln_gamma).exp()).collect();
        let now: f64 = shares.iter().sum();
        // Factor that a point allows, and the value without it where that point is observed.
        let at = |i: usize| -> (f64, f64) {
            let row = self.table.chunks_exact(shares.len()).nth(i).unwrap_or(&[]);
            let (mut below, mut value) = (0.0, 0.0);
            for (a, (phi, growth)) in shares.iter().zip(row) {
                below += a * phi;
                value += a * growth;
            }
            let tail = self.tails.get(i).copied().unwrap_or(0.0);
            // Rounding must not spend more than there is.
            ((now - tail) / below * (1.0 - 1e-12), value)
        };
        let (mut low, mut high) = (0, self.tails.len().saturating_sub(1));
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            let (factor, value) = at(middle);
            if factor * value < 1.0 {
                low = middle;
            } else {
                high = middle;
            }
        }
        let most = (1.0 - 1e-12) / at(0).1;
        let factor = at(low).0.max(at(high).0);
        factor.min(most).max(1.0).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::special::{gauss_legendre, normal_pdf};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// By quadrature: what is cut off pays for what is raised, and nothing is left over.
        #[test]
        fn the_mean_is_kept(
            shares in prop::collection::vec(1e-6f64..0.3, 4),
            scale in 1e-3f64..1.0,
        ) {
            let thetas = [0.1, 0.4, 1.0, 2.0];
            let gamma = 1e4f64;
            let overshoot = Overshoot { ln_gamma: gamma.ln(), law: Law::Normal(Crossings::new(thetas.to_vec())) };
            let carried: Vec<f64> = shares.iter().map(|s| s * scale * gamma).collect();
            let ln: Vec<f64> = carried.iter().map(|c| c.ln()).collect();
            let factor = overshoot.ln_factor(&ln).exp();
            prop_assert!(factor >= 1.0);
            let value = |z: f64| -> f64 {
                carried.iter().zip(thetas).map(|(c, t)| c * (t * z - 0.5 * t * t).exp()).sum()
            };
            let (mut mean, rule) = (0.0, gauss_legendre(8));
            for piece in 0..400 {
                let from = -10.0 + 0.05 * f64::from(piece);
                for (z, w) in rule.on(from, from + 0.05) {
                    mean += w * normal_pdf(z) * gamma.min(factor * value(z));
                }
            }
            let now: f64 = carried.iter().sum();
            // The quadrature is not better than this where the cut lies inside a piece.
            prop_assert!(mean <= now * (1.0 + 1e-5), "{mean} {now}");
            // Equality, but for what is out of reach and the rule about the wrong side.
            prop_assert!(mean >= now * (1.0 - 1e-3) || factor * value(1e-9) >= gamma * (1.0 - 1e-6), "{mean} {now}");
        }
    }

    #[test]
    fn a_binary_step_is_paid_exactly() {
        let p = 0.1;
        let baseline = Baseline::Bernoulli { p };
        let grid = Alternatives::geometric_bernoulli(p, 0.05, 3).unwrap();
        let overshoot = Overshoot::new(&baseline, &grid, 100.0).unwrap();
        let carried = [10.0f64, 12.0, 15.0];
        let ln: Vec<f64> = carried.iter().map(|c| c.ln()).collect();
        let factor = overshoot.ln_factor(&ln).exp();
        let value = |x: f64| -> f64 {
            let steps = grid
                .lambdas()
                .iter()
                .map(|&l| baseline.ln_increment(x, l).exp());
            carried.iter().zip(steps).map(|(c, s)| c * s).sum()
        };
        assert!(value(1.0) > 100.0 && factor > 1.0);
        let mean = (1.0 - p) * factor * value(0.0) + p * 100.0;
        assert!((mean - 37.0).abs() < 1e-9, "{mean}");
        assert!(Overshoot::new(&Baseline::Bounded { mean: 0.1 }, &grid, 10.0).is_err());
        let both = Alternatives::equal(vec![-0.1, 0.1]).unwrap();
        assert!(Overshoot::new(&baseline, &both, 10.0).is_err());
    }
}
