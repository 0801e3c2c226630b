//! The influence meter: how far a system's choices can have moved an average outcome.
//!
//! For an outcome that is σ-sub-Gaussian under the base distribution π₀ (Donsker–Varadhan, Jensen and
//! the chain rule of the divergence):
//!
//! |average shift| ≤ σ·√(2·(I(U;A) + KL(π̄‖π₀))), in nats.
//!
//! I(U;A) is the personal part, KL(π̄‖π₀) the part that is the same for everybody. Over several steps
//! the divergences add and the root is taken once. A standard deviation measured within people is not
//! a proven sub-Gaussian constant: figures that use one are heuristic.

use crate::portable::ln;

/// Smallest share that π₀ is taken to give each content, as a part of a uniform distribution, so that
/// a content it never shows costs a finite number of nats.
pub const COVERAGE: f64 = 1e-3;

/// KL(p‖q) in nats with the coverage correction q ← (1 − ε)·q + ε/K, ε = [`COVERAGE`].
///
/// ```
/// let kl = driftlead_sim::feed::influence::divergence(&[1.0, 0.0], &[0.5, 0.5]);
/// assert!((kl - 2f64.ln()).abs() < 1e-12);
/// ```
pub fn divergence(p: &[f64], q: &[f64]) -> f64 {
    let even = COVERAGE / p.len().max(1) as f64;
    let term = |(p, q): (&f64, &f64)| match *p > 0.0 {
        true => p * ln(p / ((1.0 - COVERAGE) * q + even)),
        false => 0.0,
    };
    p.iter().zip(q).map(term).sum()
}

/// Largest average shift that `nats` allow for an outcome with sub-Gaussian constant `sigma`, in the
/// unit of `sigma`.
pub fn certified_shift(sigma: f64, nats: f64) -> f64 {
    sigma * (2.0 * nats.max(0.0)).sqrt()
}

/// Nats that still certify an average shift of at most `shift`.
///
/// ```
/// use driftlead_sim::feed::influence::allowance;
/// assert!((allowance(50.0, 2.0) - 8e-4).abs() < 1e-9);
/// ```
pub fn allowance(sigma: f64, shift: f64) -> f64 {
    (shift / sigma).powi(2) / 2.0
}

/// The split of an influence over people.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize)]
pub struct Split {
    /// I(U;A) in nats per exposure: what is personal.
    pub personal: f64,
    /// KL(π̄‖π₀) in nats per exposure: what everybody gets alike.
    pub common: f64,
}

impl Split {
    /// From the mean over people of KL(π_u‖π₀), the mean distribution π̄ and π₀.
    pub fn of(mean_divergence: f64, mean: &[f64], base: &[f64]) -> Split {
        let common = divergence(mean, base);
        Split {
            personal: (mean_divergence - common).max(0.0),
            common,
        }
    }

    /// Both parts, nats per exposure.
    pub fn total(&self) -> f64 {
        self.personal + self.common
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_holds_for_every_tilt_of_a_bounded_outcome() {
        // An outcome in [0, 1] is 1/2-sub-Gaussian.
        let x = [0.0, 0.3, 0.7, 1.0];
        let base = [0.25; 4];
        let mean = |p: &[f64; 4]| p.iter().zip(&x).map(|(p, x)| p * x).sum::<f64>();
        for i in 0..60 {
            let strength = f64::from(i) * 0.2;
            let mut p = [0.0; 4];
            crate::feed::learner::soft(&[0.0; 4], &x.map(|v| v * strength), &mut p);
            let shift = mean(&p) - mean(&base);
            let bound = certified_shift(0.5, divergence(&p, &base));
            assert!(shift <= bound + 1e-12, "{strength}: {shift} > {bound}");
        }
    }

    #[test]
    fn a_personal_policy_without_a_common_part_is_personal() {
        let people = [[0.9, 0.1], [0.1, 0.9]];
        let base = [0.5, 0.5];
        let each = people.iter().map(|p| divergence(p, &base)).sum::<f64>() / 2.0;
        let split = Split::of(each, &[0.5, 0.5], &base);
        assert!(split.common.abs() < 1e-12 && split.personal > 0.3);
        assert!((split.total() - each).abs() < 1e-12);
    }
}
