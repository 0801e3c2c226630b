//! `mirror`: two contents, one learner per person that does not see the person's state.
//!
//! The public demo's algorithm in single precision. Of its two logits only the difference matters;
//! it is kept to base 2, θ = log₂(p₁/p₀), so that e^θ is a power of two.
//!
//! Per step: content by the policy; reaction by the state before; baseline, then advantage A; then
//! θ += 2αA(1 − p₁) if bait was shown, −2αA·p₁ if not; then the next state.
//!
//! θ stays within ±116: content of probability below 2⁻²⁴ is never drawn, so the policy can only
//! leave [−24, 24] in one update of at most 2αA·log₂e, and A < 22, α ≤ ½ (checked by the scenario).

use super::kernel::{At, Person, Shared, Step, Words, count, field};
use super::math::{TWO_POW_MINUS_24, exp2};
use super::simd::{LANES, Simd};
use super::world::World;
use super::world::{Lambda, Policies};

/// The world and its knobs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mirror {
    pub(super) alpha: f32,
    pub(super) lambda: Lambda,
    pub(super) people: u64,
}

/// Sixteen people.
#[derive(Clone, Copy)]
pub(super) struct People<S: Simd> {
    person: Person<S>,
    logit: S::F,
}

/// What was shown: e^θ, 1 + e^θ, and the row of the tables.
#[derive(Clone, Copy)]
struct Shown<S: Simd> {
    odds: S::F,
    total: S::F,
    row: S::U,
}

impl<S: Simd> Shown<S> {
    #[inline(always)]
    fn none(s: S) -> Self {
        Shown {
            odds: s.f(0.0),
            total: s.f(0.0),
            row: s.u(0),
        }
    }
}

impl<S: Simd> People<S> {
    #[inline(always)]
    fn choose(&self, s: S, words: &Words<S>) -> Shown<S> {
        let odds = exp2(s, self.logit);
        let total = s.add(odds, s.f(1.0));
        let place = s.mul(words.content, s.mul(total, s.f(TWO_POW_MINUS_24)));
        let bait = s.ge(place, s.f(1.0));
        let row = s.wadd_if(bait, self.person.state, s.u(field::CONTENT_ADDS[0]));
        Shown { odds, total, row }
    }

    #[inline(always)]
    fn learn(&mut self, s: S, shown: &Shown<S>, gain: S::F) {
        let bait = s.test(shown.row, s.u(field::IS_BAIT));
        let down = s.fnma(gain, shown.odds, self.logit);
        self.logit = s.pick(bait, s.add(self.logit, gain), down);
    }
}

impl World for Mirror {
    type People<S: Simd> = People<S>;
    const POLICIES: usize = 1;
    const CONTENTS: usize = 2;
    const TOGETHER: usize = 6;

    #[inline(always)]
    fn shared<S: Simd>(&self, s: S, keys: &crate::draw::Keys) -> Shared<S> {
        // Both logits move, in opposite directions: their difference moves twice as fast.
        Shared::new(s, keys, 2.0 * self.alpha, &[0; LANES])
    }

    #[inline(always)]
    fn start<S: Simd>(&self, s: S, shared: &Shared<S>, first: u64) -> People<S> {
        let lambda = std::array::from_fn(|i| self.lambda.of(first + i as u64, self.people));
        People {
            person: Person::new(s, shared, first, &lambda),
            logit: s.f(0.0),
        }
    }

    #[inline(always)]
    fn step<S: Simd, const EVEN: bool, const N: usize>(
        s: S,
        shared: &Shared<S>,
        at: &At<S>,
        people: &mut [People<S>; N],
        step: &mut Step,
    ) {
        // Loops over arrays: a closure would not be compiled for the kernel's instruction set.
        let mut words = [Words::none(s); N];
        for i in 0..N {
            words[i] = people[i].person.draw::<EVEN>(s, shared, at);
        }
        let mut shown = [Shown::none(s); N];
        for i in 0..N {
            shown[i] = people[i].choose(s, &words[i]);
        }
        let mut gains = [s.f(0.0); N];
        for i in 0..N {
            let Shown { row, total, .. } = shown[i];
            let person = &mut people[i].person;
            let reaction = person.react(s, shared, row, &words[i], None);
            let advantage = person.advantage(s, at, reaction);
            gains[i] = s.div(s.mul(advantage, shared.rate), total);
            count(s, step, row, reaction);
        }
        for i in 0..N {
            people[i].learn(s, &shown[i], gains[i]);
            people[i].person.evolve(s, shared, shown[i].row, &words[i]);
        }
    }

    #[inline(always)]
    fn policies<S: Simd>(s: S, people: &People<S>, out: &mut Policies) {
        let odds = exp2(s, people.logit);
        let total = s.add(odds, s.f(1.0));
        s.store_f(s.div(s.f(1.0), total), &mut out.p[0][0]);
        s.store_f(s.div(odds, total), &mut out.p[0][1]);
        s.store_f(people.person.lambda, &mut out.lambda);
        s.store_u(people.person.state, &mut out.state);
    }

    #[cfg(test)]
    fn state<S: Simd>(s: S, people: &People<S>, out: &mut Vec<[u32; LANES]>) {
        for x in [people.logit, people.person.baseline] {
            let mut lanes = [0; LANES];
            s.store_u(s.bits(x), &mut lanes);
            out.push(lanes);
        }
        let mut lanes = [0; LANES];
        s.store_u(people.person.state, &mut lanes);
        out.push(lanes.map(|q| q & 3));
    }
}
