//! What a run adds up: integers only, so that the order of the work cannot matter, and as many as
//! there are steps, however many people.

use serde::{Deserialize, Serialize};

use super::kernel::{REACTION_OFFSET, REACTION_UNIT, Step, field};
use super::simd::LANES;
use super::world::{Policies, World};

/// Parts of [0, 1] by λ in [`PolicyTotals::joint`].
pub const LAMBDA_BINS: usize = 20;
/// Parts of [0, 1] by final probability of bait in [`PolicyTotals::joint`].
pub const POLICY_BINS: usize = 50;
/// A policy is locked when one content has more than this.
pub const LOCKED: f32 = 0.9;
/// Probabilities are summed in units of 2⁻²⁴, rounded down.
pub(super) const PROBABILITY_UNIT: f64 = 1.0 / 16_777_216.0;

/// Sums over people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// People in the sums.
    pub people: u64,
    /// Sum of reactions per step, each rounded to 2⁻¹⁵.
    pub reaction: Vec<u64>,
    /// People per step that were shown a content of at least 1, 2, 3.
    pub content: Vec<[u64; 3]>,
    /// People engaged before each step, and after the last.
    pub engaged: Vec<u64>,
    /// People hooked before each step, and after the last.
    pub hooked: Vec<u64>,
    /// Final policies: one, or one per state.
    pub policies: Vec<PolicyTotals>,
}

/// Final policies of one state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyTotals {
    /// Sum of probabilities by content, in units of 2⁻²⁴.
    pub share: [u64; 4],
    /// People whose informative content has more than [`LOCKED`].
    pub locked_informative: u64,
    /// People with a bait that has more than [`LOCKED`].
    pub locked_bait: u64,
    /// People locked to the content that they react to less: bait above λ = ½, informative below it.
    /// Meaningful in `mirror`, where the two profiles are each other's mirror image.
    pub locked_wrong: u64,
    /// People by λ ([`LAMBDA_BINS`] rows) and probability of any bait ([`POLICY_BINS`] columns).
    pub joint: Vec<u64>,
}

impl Totals {
    pub(super) fn new(steps: u32, policies: usize) -> Self {
        let n = steps as usize;
        let policy = PolicyTotals {
            share: [0; 4],
            locked_informative: 0,
            locked_bait: 0,
            locked_wrong: 0,
            joint: vec![0; LAMBDA_BINS * POLICY_BINS],
        };
        Totals {
            people: 0,
            reaction: vec![0; n],
            content: vec![[0; 3]; n],
            engaged: vec![0; n + 1],
            hooked: vec![0; n + 1],
            policies: vec![policy; policies],
        }
    }

    /// Mean reaction of step `t` (from 0), in the model's units.
    pub fn mean_reaction(&self, t: usize) -> f64 {
        let sum = self.reaction.get(t).copied().unwrap_or(0);
        sum as f64 * REACTION_UNIT / self.people as f64
    }

    /// Shares of people calm, engaged and hooked after step `t` (from 0).
    pub fn states(&self, t: usize) -> [f64; 3] {
        let share = |v: &[u64]| v.get(t + 1).copied().unwrap_or(0) as f64 / self.people as f64;
        let (engaged, hooked) = (share(&self.engaged), share(&self.hooked));
        [1.0 - engaged - hooked, engaged, hooked]
    }

    /// Shares of people that were shown contents 0 to 3 at step `t` (from 0).
    pub fn shown(&self, t: usize) -> [f64; 4] {
        let [a, b, c] = self.content.get(t).copied().unwrap_or([0; 3]);
        [self.people - a, a - b, b - c, c].map(|n| n as f64 / self.people as f64)
    }

    /// Mean final probability of a content under a policy.
    pub fn mean_probability(&self, policy: usize, content: usize) -> f64 {
        let sum = self.policies.get(policy).and_then(|p| p.share.get(content));
        sum.copied().unwrap_or(0) as f64 * PROBABILITY_UNIT / self.people as f64
    }

    /// Share of people whose policy is locked.
    pub fn locked(&self, policy: usize) -> f64 {
        let count = self.policies.get(policy);
        count.map_or(0, |p| p.locked_informative + p.locked_bait) as f64 / self.people as f64
    }

    /// Share of people locked to the content that they react to less.
    pub fn locked_wrong(&self, policy: usize) -> f64 {
        let count = self.policies.get(policy);
        count.map_or(0, |p| p.locked_wrong) as f64 / self.people as f64
    }

    /// Adds another part of the people. Both are of the same run.
    pub(super) fn merge(&mut self, other: &Totals) {
        let add = |a: &mut [u64], b: &[u64]| a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        self.people += other.people;
        add(&mut self.reaction, &other.reaction);
        add(
            self.content.as_flattened_mut(),
            other.content.as_flattened(),
        );
        add(&mut self.engaged, &other.engaged);
        add(&mut self.hooked, &other.hooked);
        for (a, b) in self.policies.iter_mut().zip(&other.policies) {
            add(&mut a.share, &b.share);
            a.locked_informative += b.locked_informative;
            a.locked_bait += b.locked_bait;
            a.locked_wrong += b.locked_wrong;
            add(&mut a.joint, &b.joint);
        }
    }

    /// Whether it can belong to a run of this shape.
    pub(super) fn fits(&self, steps: u32, policies: usize) -> bool {
        let n = steps as usize;
        self.reaction.len() == n
            && self.content.len() == n
            && self.engaged.len() == n + 1
            && self.hooked.len() == n + 1
            && self.policies.len() == policies
            && (self.policies.iter()).all(|p| p.joint.len() == LAMBDA_BINS * POLICY_BINS)
    }

    /// Unpacks the counters of a window; only the first `lanes` lanes hold people.
    #[inline(always)]
    pub(super) fn add_window(&mut self, from: u32, steps: &[Step], vectors: usize, lanes: usize) {
        let offset = REACTION_OFFSET.to_bits().wrapping_mul(vectors as u32);
        for (i, step) in steps.iter().enumerate() {
            let t = from as usize + i;
            let field = |shift: u32, bits: u32| -> u64 {
                let mask = (1u32 << bits) - 1;
                let sum = |sum, c: &u32| sum + (c >> shift & mask);
                u64::from(if lanes == LANES {
                    step.counts.iter().fold(0, sum)
                } else {
                    step.counts[..lanes].iter().fold(0, sum)
                })
            };
            let content = field::CONTENT.map(|shift| field(shift, 6));
            let hooked = field(field::HOOKED, 6);
            let state = field(field::ROW, 8) - 3 * content[0];
            for (total, part) in self.content[t].iter_mut().zip(content) {
                *total += part;
            }
            self.hooked[t] += hooked;
            self.engaged[t] += state - 2 * hooked;
            let reaction: u64 = step.reaction[..lanes]
                .iter()
                .map(|&bits| u64::from(bits.wrapping_sub(offset)))
                .sum();
            self.reaction[t] += reaction;
        }
    }

    /// Adds the people of a vector at the end of their run.
    #[inline(always)]
    pub(super) fn add_final<W: World>(&mut self, end: &Policies, lanes: usize) {
        self.people += lanes as u64;
        let states = &end.state[..lanes];
        let in_state = |x: u32| states.iter().filter(|&&q| q & 3 == x).count() as u64;
        if let Some(engaged) = self.engaged.last_mut() {
            *engaged += in_state(1);
        }
        if let Some(hooked) = self.hooked.last_mut() {
            *hooked += in_state(2);
        }
        for (totals, p) in self.policies.iter_mut().zip(&end.p) {
            let mut best = [0.0f32; LANES];
            for (k, p) in p.iter().enumerate().take(W::CONTENTS) {
                let sum: u32 = p[..lanes].iter().map(|&p| (p * 16_777_216.0) as u32).sum();
                totals.share[k] += u64::from(sum);
                if k > 0 {
                    best.iter_mut().zip(p).for_each(|(b, &p)| *b = b.max(p));
                }
            }
            for lane in 0..lanes {
                let (informative, bait, lambda) = (p[0][lane], best[lane], end.lambda[lane]);
                let (to_first, to_bait) = (informative > LOCKED, bait > LOCKED);
                totals.locked_informative += u64::from(to_first);
                totals.locked_bait += u64::from(to_bait);
                let wrong = (to_first && lambda < 0.5) || (to_bait && lambda > 0.5);
                totals.locked_wrong += u64::from(wrong);
                let bin = |x: f32, n: usize| ((x * n as f32) as usize).min(n - 1);
                let row = bin(lambda, LAMBDA_BINS) * POLICY_BINS;
                totals.joint[row + bin(1.0 - informative, POLICY_BINS)] += 1;
            }
        }
    }
}
