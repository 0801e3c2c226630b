//! What the worlds of the engine share: a person's state row, the noise, the counters of a step.

use super::math;
use super::simd::{LANES, Simd};
use crate::draw::{Keys, PER_BLOCK, stream};

/// Smallest reaction.
pub(super) const FLOOR: f32 = 0.1;
/// Behaviour toward content, by state calm, engaged, hooked: (mean reaction, variance, next state).
/// Tables of the public demo `ranfysvalle02/hooked` (MIT, © 2026 Fabian Valle), commit 1e79685; a
/// reactive person treats informative content by the first and bait by the second, an intentional
/// person the other way round.
pub(super) const INFORMATIVE: [(f64, f64, [f64; 3]); 3] = [
    (1.5, 0.10, [0.85, 0.15, 0.00]),
    (1.2, 0.08, [0.45, 0.50, 0.05]),
    (0.8, 0.05, [0.20, 0.55, 0.25]),
];
/// See [`INFORMATIVE`].
pub(super) const BAIT: [(f64, f64, [f64; 3]); 3] = [
    (2.5, 1.0, [0.25, 0.65, 0.10]),
    (5.5, 3.0, [0.05, 0.35, 0.60]),
    (8.0, 5.0, [0.00, 0.08, 0.92]),
];

/// Sums of one step over the people of a tile that share a lane, packed so that one addition counts
/// everything. `counts` has the fields of [`field`]; `reaction` sums the bits of reaction + 256, whose
/// last place is 2⁻¹⁵: sums of integers do not depend on their order.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct Step {
    pub(super) counts: [u32; LANES],
    pub(super) reaction: [u32; LANES],
}

impl Step {
    pub(super) const ZERO: Step = Step {
        counts: [0; LANES],
        reaction: [0; LANES],
    };
}

/// Vectors whose counts fit the packed fields: 5 · 48 < 2⁸ and 48 < 2⁶.
pub(super) const VECTORS: usize = 48;
/// Reactions are counted in units of 2⁻¹⁵ …
pub(super) const REACTION_UNIT: f64 = 1.0 / 32_768.0;
/// … which is the last place of numbers in [256, 512).
pub(super) const REACTION_OFFSET: f32 = 256.0;

/// Fields of a packed count, for the state before and the content of a step. The lowest field sums
/// state + 3·(content is bait), which is the row of the tables.
pub(super) mod field {
    /// Row of the tables: 8 bits.
    pub(in crate::engine) const ROW: u32 = 0;
    /// State is hooked: 6 bits.
    pub(in crate::engine) const HOOKED: u32 = 8;
    /// Content is at least 1, 2, 3: 6 bits each.
    pub(in crate::engine) const CONTENT: [u32; 3] = [14, 20, 26];
    /// What is added for state ≥ 1 and for state ≥ 2.
    pub(in crate::engine) const STATE_ADDS: [u32; 2] = [1, 1 + (1 << HOOKED)];
    /// What is added for content ≥ 1, ≥ 2, ≥ 3.
    pub(in crate::engine) const CONTENT_ADDS: [u32; 3] =
        [3 + (1 << CONTENT[0]), 1 << CONTENT[1], 1 << CONTENT[2]];
    /// Bits that tell the states apart, in a state alone: engaged has this one, …
    pub(in crate::engine) const IS_ENGAGED: u32 = STATE_ADDS[0];
    /// … hooked this one.
    pub(in crate::engine) const IS_HOOKED: u32 = 1 << HOOKED;
    /// The bit of a row that tells bait from informative content.
    pub(in crate::engine) const IS_BAIT: u32 = 1 << CONTENT[0];
}

/// Everything that is the same for all people and steps.
pub(super) struct Shared<S: Simd> {
    first_key: S::U,
    keys: [S::U; 5],
    mean: Blend<S>,
    variance: Blend<S>,
    cuts: [Blend<S>; 2],
    /// Step size in base-2 logits.
    pub(super) rate: S::F,
    /// For each of the four kinds of people, what [`field`] adds for the content it is drawn to.
    pub(super) own: S::U,
    states: [S::U; 2],
}

/// A table that is linear in λ.
struct Blend<S: Simd> {
    reactive: S::F,
    change: S::F,
}

impl<S: Simd> Blend<S> {
    #[inline(always)]
    fn new(s: S, of: impl Fn(&(f64, f64, [f64; 3])) -> f64) -> Self {
        let mut reactive = [0.0; LANES];
        let mut change = [0.0; LANES];
        for lane in 0..LANES {
            // Lanes 6 and 7 are never looked up.
            let row = lane % 8 % 6;
            let (info, bait) = (of(&INFORMATIVE[row % 3]), of(&BAIT[row % 3]));
            let (own, other) = if row < 3 { (info, bait) } else { (bait, info) };
            reactive[lane] = own as f32;
            change[lane] = (other - own) as f32;
        }
        Blend {
            reactive: s.load_f(&reactive),
            change: s.load_f(&change),
        }
    }

    #[inline(always)]
    fn at(&self, s: S, row: S::U, lambda: S::F) -> S::F {
        let (reactive, change) = (s.lookup(self.reactive, row), s.lookup(self.change, row));
        s.fma(lambda, change, reactive)
    }
}

impl<S: Simd> Shared<S> {
    /// `alpha` in natural logits; `doubled` for worlds that keep one difference of two logits.
    #[inline(always)]
    pub(super) fn new(s: S, keys: &Keys, alpha: f32, own: &[u32; LANES]) -> Self {
        let quadruple = |key: &[u32; 4]| s.load_u(&std::array::from_fn(|i| key[i % 4]));
        const WHOLE: f64 = 16_777_216.0;
        Shared {
            first_key: quadruple(&keys.0[0]),
            keys: [1, 2, 3, 4, 5].map(|i: usize| quadruple(&keys.0[i])),
            mean: Blend::new(s, |t| t.0),
            variance: Blend::new(s, |t| t.1),
            cuts: [
                Blend::new(s, |t| WHOLE * t.2[0]),
                Blend::new(s, |t| WHOLE * (t.2[0] + t.2[1])),
            ],
            rate: s.f(alpha * std::f32::consts::LOG2_E),
            own: s.load_u(own),
            states: [s.u(field::STATE_ADDS[0]), s.u(field::STATE_ADDS[1])],
        }
    }
}

/// What is the same for all people at one step.
pub(super) struct At<S: Simd> {
    content: S::U,
    transition: S::U,
    reaction: S::U,
    /// 1/(t + 1).
    weight: S::F,
}

impl<S: Simd> At<S> {
    #[inline(always)]
    pub(super) fn new(s: S, t: u32) -> Self {
        let counter = |stream: u32| s.load_u(&std::array::from_fn(|i| [0, 0, t, stream][i % 4]));
        At {
            content: counter(stream::CONTENT),
            transition: counter(stream::TRANSITION),
            reaction: counter(stream::REACTION),
            weight: s.f(1.0 / (t as f32 + 1.0)),
        }
    }
}

/// What every person has beside a policy.
#[derive(Clone, Copy)]
pub(super) struct Person<S: Simd> {
    /// Mean of all reactions so far.
    pub(super) baseline: S::F,
    /// State, as [`field`] counts it.
    pub(super) state: S::U,
    /// 0 reactive to 1 intentional.
    pub(super) lambda: S::F,
    counter: S::U,
    radius: S::F,
    spare: S::F,
}

/// The words of a step.
#[derive(Clone, Copy)]
pub(super) struct Words<S: Simd> {
    /// Picks the content: a uniform in units of 2⁻²⁴.
    pub(super) content: S::F,
    transition: S::F,
    square: S::F,
    normal: S::F,
}

impl<S: Simd> Words<S> {
    #[inline(always)]
    pub(super) fn none(s: S) -> Self {
        let zero = s.f(0.0);
        Words {
            content: zero,
            transition: zero,
            square: zero,
            normal: zero,
        }
    }
}

impl<S: Simd> Person<S> {
    /// The 16 people from `first`, which is a multiple of 16.
    #[inline(always)]
    pub(super) fn new(s: S, shared: &Shared<S>, first: u64, lambda: &[f32; LANES]) -> Self {
        let counter: [u32; LANES] = std::array::from_fn(|i| {
            let quad = first / PER_BLOCK + i as u64 / 4;
            [quad as u32, (quad >> 32) as u32, 0, 0][i % 4]
        });
        Person {
            baseline: s.f(0.0),
            state: s.u(0),
            lambda: s.load_f(lambda),
            counter: s.xor(s.load_u(&counter), shared.first_key),
            radius: s.f(0.0),
            spare: s.f(0.0),
        }
    }

    /// Draws the luck of a step; the noise of an even step serves the next one too.
    #[inline(always)]
    pub(super) fn draw<const EVEN: bool>(
        &mut self,
        s: S,
        shared: &Shared<S>,
        at: &At<S>,
    ) -> Words<S> {
        let content = s.aes(&shared.keys, s.xor(self.counter, at.content));
        let transition = s.aes(&shared.keys, s.xor(self.counter, at.transition));
        let normal = if EVEN {
            let reaction = s.aes(&shared.keys, s.xor(self.counter, at.reaction));
            let (square, first, second) = math::polar(s, content, transition, reaction);
            self.radius = square;
            self.spare = second;
            first
        } else {
            self.spare
        };
        Words {
            content: s.to_f(s.shr::<8>(content)),
            transition: s.to_f(s.shr::<8>(transition)),
            square: self.radius,
            normal,
        }
    }

    /// The reaction to what was shown; `halved` marks people whom it moves half as much.
    #[inline(always)]
    pub(super) fn react(
        &self,
        s: S,
        shared: &Shared<S>,
        row: S::U,
        words: &Words<S>,
        halved: Option<S::M>,
    ) -> S::F {
        let mut mean = shared.mean.at(s, row, self.lambda);
        if let Some(halved) = halved {
            mean = s.pick(halved, s.mul(mean, s.f(0.5)), mean);
        }
        let variance = shared.variance.at(s, row, self.lambda);
        let size = s.sqrt(s.mul(variance, words.square));
        s.max(s.fma(size, words.normal, mean), s.f(FLOOR))
    }

    /// Moves the baseline, and only then takes the advantage: it already contains the reaction.
    #[inline(always)]
    pub(super) fn advantage(&mut self, s: S, at: &At<S>, reaction: S::F) -> S::F {
        let surprise = s.sub(reaction, self.baseline);
        self.baseline = s.fma(surprise, at.weight, self.baseline);
        s.sub(reaction, self.baseline)
    }

    /// Goes to the next state.
    #[inline(always)]
    pub(super) fn evolve(&mut self, s: S, shared: &Shared<S>, row: S::U, words: &Words<S>) {
        let engaged = s.ge(words.transition, shared.cuts[0].at(s, row, self.lambda));
        let hooked = s.ge(words.transition, shared.cuts[1].at(s, row, self.lambda));
        let state = s.word_if(engaged, shared.states[0]);
        self.state = s.wadd_if(hooked, state, shared.states[1]);
    }
}

/// Counts a step.
#[inline(always)]
pub(super) fn count<S: Simd>(s: S, step: &mut Step, row: S::U, reaction: S::F) {
    let counts = s.wadd(s.load_u(&step.counts), row);
    s.store_u(counts, &mut step.counts);
    let fixed = s.bits(s.add(reaction, s.f(REACTION_OFFSET)));
    let sum = s.wadd(s.load_u(&step.reaction), fixed);
    s.store_u(sum, &mut step.reaction);
}
