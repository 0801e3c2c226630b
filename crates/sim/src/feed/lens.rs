//! The lens stack: tilts of the distribution over contents, one after the other.

use super::influence::divergence;
use crate::parts::{Lens, MAX_CONTENTS};
use crate::portable::ln;

/// One lens of a scenario.
#[derive(Debug, Clone, PartialEq)]
pub enum Tilt {
    /// Scores of a third-party rater over β: what preference tuning adds to a base model.
    Rlhf {
        /// Scores by content.
        scores: Vec<f64>,
        /// Temperature, > 0.
        beta: f64,
    },
    /// Log-likelihood ratios of a prompt or context over β.
    Prompt {
        /// Scores by content.
        scores: Vec<f64>,
        /// Temperature, > 0.
        beta: f64,
    },
    /// Only the `keep` contents most present in what was shown lately remain.
    Retrieval {
        /// Contents kept, ≥ 1.
        keep: usize,
    },
}

impl Lens for Tilt {
    fn name(&self) -> &str {
        match self {
            Tilt::Rlhf { .. } => "rlhf",
            Tilt::Prompt { .. } => "prompt",
            Tilt::Retrieval { .. } => "retrieval",
        }
    }

    fn tilt(&self, shown: &[f64], log_weights: &mut [f64]) {
        match self {
            Tilt::Rlhf { scores, beta } | Tilt::Prompt { scores, beta } => {
                for (w, s) in log_weights.iter_mut().zip(scores) {
                    *w += s / beta;
                }
            }
            Tilt::Retrieval { keep } => mask(shown, *keep, log_weights),
        }
    }
}

/// Keeps the `keep` largest of `shown`; ties at the edge all stay, so that without a history nothing
/// is masked.
fn mask(shown: &[f64], keep: usize, log_weights: &mut [f64]) {
    let k = shown.len();
    let mut sorted = [0.0; MAX_CONTENTS];
    sorted[..k].copy_from_slice(shown);
    sorted[..k].sort_by(|a, b| b.total_cmp(a));
    let edge = sorted[keep.clamp(1, k.max(1)) - 1];
    for (w, s) in log_weights.iter_mut().zip(shown) {
        if *s < edge {
            *w = f64::NEG_INFINITY;
        }
    }
}

/// A prior and the lenses over it.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    /// π₀: what is shown before anybody tilts anything.
    pub prior: Vec<f64>,
    /// The lenses, in order.
    pub lenses: Vec<Tilt>,
}

/// After how many neutral exposures the trace of one has halved. Reported: a recommender forgets
/// within roughly 30 items (arXiv 2308.10398v2, read in a summary); .125 after 30 is our reading.
pub const FORGETTING_HALF_LIFE: f64 = 10.0;

/// What is left of a trace after one exposure: 2^(−1/[`FORGETTING_HALF_LIFE`]), written out so that no
/// platform's powf enters.
pub(super) const TRACE_KEEP: f64 = 0.933_032_991_536_807_4;

/// Adds one exposure to the trace of what was shown lately.
pub fn remember(trace: &mut [f64], content: usize) {
    trace.iter_mut().for_each(|m| *m *= TRACE_KEEP);
    if let Some(m) = trace.get_mut(content) {
        *m += 1.0;
    }
}

impl Stack {
    /// Log weights of the whole stack.
    pub fn log_weights(&self, shown: &[f64], out: &mut [f64]) {
        for (o, p) in out.iter_mut().zip(&self.prior) {
            *o = if *p > 0.0 { ln(*p) } else { f64::NEG_INFINITY };
        }
        for lens in &self.lenses {
            lens.tilt(shown, out);
        }
    }

    /// Whether the stack depends on what was shown.
    pub fn looks_back(&self) -> bool {
        self.lenses
            .iter()
            .any(|l| matches!(l, Tilt::Retrieval { .. }))
    }

    /// Nats that each lens adds to KL(·‖π₀), in order, and the π₀-mass that is masked. The sum over
    /// lenses is the divergence of the stack; one part can be negative when a lens undoes another.
    pub fn contributions(&self, shown: &[f64]) -> (Vec<f64>, f64) {
        let k = self.prior.len();
        let mut weights = [0.0; MAX_CONTENTS];
        for (w, p) in weights.iter_mut().zip(&self.prior) {
            *w = if *p > 0.0 { ln(*p) } else { f64::NEG_INFINITY };
        }
        let mut before = 0.0;
        let mut parts = Vec::with_capacity(self.lenses.len());
        for lens in &self.lenses {
            lens.tilt(shown, &mut weights[..k]);
            let mut p = [0.0; MAX_CONTENTS];
            super::learner::soft(&weights[..k], &[0.0; MAX_CONTENTS][..k], &mut p[..k]);
            let after = divergence(&p[..k], &self.prior);
            parts.push(after - before);
            before = after;
        }
        let masked = self
            .prior
            .iter()
            .zip(&weights)
            .filter(|(_, w)| **w == f64::NEG_INFINITY)
            .map(|(p, _)| p)
            .sum();
        (parts, masked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack() -> Stack {
        Stack {
            prior: vec![0.4, 0.3, 0.2, 0.1],
            lenses: vec![
                Tilt::Rlhf {
                    scores: vec![0.0, 0.0, 1.0, 0.0],
                    beta: 0.5,
                },
                Tilt::Prompt {
                    scores: vec![1.0, 0.0, 0.0, 0.0],
                    beta: 1.0,
                },
                Tilt::Retrieval { keep: 2 },
            ],
        }
    }

    #[test]
    fn contributions_add_up_to_the_divergence_of_the_stack() {
        let shown = [0.5, 2.0, 3.0, 0.0];
        let stack = stack();
        let mut w = [0.0; 4];
        stack.log_weights(&shown, &mut w);
        let mut p = [0.0; 4];
        super::super::learner::soft(&w, &[0.0; 4], &mut p);
        let (parts, masked) = stack.contributions(&shown);
        assert!((parts.iter().sum::<f64>() - divergence(&p, &stack.prior)).abs() < 1e-12);
        assert!(
            (masked - 0.5).abs() < 1e-12,
            "contents 0 and 3 are masked: {masked}"
        );
        assert_eq!(p[0], 0.0);
    }

    #[test]
    fn order_does_not_matter_for_tilts_and_no_history_masks_nothing() {
        let mut turned = stack();
        turned.lenses.swap(0, 1);
        let (mut a, mut b) = ([0.0; 4], [0.0; 4]);
        stack().log_weights(&[0.0; 4], &mut a);
        turned.log_weights(&[0.0; 4], &mut b);
        for (a, b) in a.iter().zip(&b) {
            assert!((a - b).abs() < 1e-12 && a.is_finite());
        }
    }

    #[test]
    fn a_trace_falls_to_an_eighth_in_thirty_neutral_items() {
        let mut trace = [1.0, 0.0];
        (0..30).for_each(|_| remember(&mut trace, 1));
        assert!((trace[0] - 0.125).abs() < 1e-12);
    }
}
