//! What a world of the engine is.

use super::kernel::{At, Shared, Step};
use super::simd::{LANES, Simd};
use crate::draw::Keys;

/// Two-content or four-content world: sixteen people at a time, step by step.
pub(super) trait World: Sync {
    /// Sixteen people.
    type People<S: Simd>: Copy;
    /// Policies per person: one, or one per state.
    const POLICIES: usize;
    /// Contents, at most 4.
    const CONTENTS: usize;
    /// Vectors that go through a step side by side, 4 or 6: enough to hide the latency of one behind
    /// the work of the others, few enough to stay near the registers.
    const TOGETHER: usize;

    fn shared<S: Simd>(&self, s: S, keys: &Keys) -> Shared<S>;
    fn start<S: Simd>(&self, s: S, shared: &Shared<S>, first: u64) -> Self::People<S>;
    /// One step of `N` vectors, in phases: all draw, then all choose, then all react, then all learn.
    /// A vector's step is one long chain in which each operation waits for the last, and a CPU looks
    /// only some hundred operations ahead, about two chains, for one that can start. In phases, what
    /// stands side by side belongs to different chains.
    fn step<S: Simd, const EVEN: bool, const N: usize>(
        s: S,
        shared: &Shared<S>,
        at: &At<S>,
        people: &mut [Self::People<S>; N],
        step: &mut Step,
    );
    fn policies<S: Simd>(s: S, people: &Self::People<S>, out: &mut Policies);
    /// Logits, baseline and state as words, for comparisons.
    #[cfg(test)]
    fn state<S: Simd>(s: S, people: &Self::People<S>, out: &mut Vec<[u32; LANES]>);
}

/// Sixteen people at the end.
pub(super) struct Policies {
    /// Probabilities by policy and content.
    pub(super) p: [[[f32; LANES]; 4]; 3],
    pub(super) lambda: [f32; LANES],
    /// As the kernel packs it.
    pub(super) state: [u32; LANES],
}

impl Policies {
    pub(super) const ZERO: Policies = Policies {
        p: [[[0.0; LANES]; 4]; 3],
        lambda: [0.0; LANES],
        state: [0; LANES],
    };
}

/// How reactive (0) or intentional (1) the people of `mirror` are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Lambda {
    /// Everybody the same, in [0, 1].
    Fixed(f64),
    /// Person u of n has (u + ½)/n.
    Grid,
}

impl Lambda {
    pub(super) fn of(self, user: u64, people: u64) -> f32 {
        match self {
            Lambda::Fixed(lambda) => lambda as f32,
            // Lanes behind the last person are computed and thrown away.
            Lambda::Grid => (((user as f64 + 0.5) / people as f64) as f32).min(1.0),
        }
    }

    /// The golden-ratio sequence of `mirror4`, in [0, 1).
    pub(super) fn golden(user: u64) -> f32 {
        let hashed = (user as u32).wrapping_mul(2_654_435_769);
        (hashed >> 8) as f32 * (1.0 / 16_777_216.0)
    }
}
