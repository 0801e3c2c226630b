//! `mirror4`: depth and three baits, four kinds of people, one learner per person and state.
//!
//! Kind u mod 4 is moved in full by one bait (kind 0 by none) and half as much by the others. Of the
//! four logits of a state the three differences to content 0 are kept, to base 2 and bounded as in
//! [`super::mirror`]. With g = αA/Z, Z = 1 + Σe_k, they move by g − g·e_k + αA·(1[a=k] − 1[a=0]).

use super::kernel::{At, Person, Shared, Step, Words, count, field};
use super::math::{TWO_POW_MINUS_24, exp2};
#[cfg(test)]
use super::simd::LANES;
use super::simd::Simd;
use super::world::{Lambda, Policies, World};

/// The world and its knobs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mirror4 {
    pub(super) alpha: f32,
}

/// Sixteen people. `logits[state][content − 1]`.
#[derive(Clone, Copy)]
pub(super) struct People<S: Simd> {
    person: Person<S>,
    logits: [[S::F; 3]; 3],
}

/// What [`field`] counts for contents 1, 2 and 3; no content counts like this for kind 0.
const OWN: [u32; 4] = {
    let [one, two, three] = field::CONTENT_ADDS;
    [u32::MAX, one, one + two, one + two + three]
};

/// What was shown: e_k, Z, the content as [`field`] counts it and the row of the tables.
#[derive(Clone, Copy)]
struct Shown<S: Simd> {
    odds: [S::F; 3],
    total: S::F,
    content: S::U,
    row: S::U,
}

/// αA and g.
#[derive(Clone, Copy)]
struct Move<S: Simd> {
    push: S::F,
    gain: S::F,
}

impl<S: Simd> Shown<S> {
    #[inline(always)]
    fn none(s: S) -> Self {
        Shown {
            odds: [s.f(0.0); 3],
            total: s.f(0.0),
            content: s.u(0),
            row: s.u(0),
        }
    }
}

impl<S: Simd> Move<S> {
    #[inline(always)]
    fn none(s: S) -> Self {
        Move {
            push: s.f(0.0),
            gain: s.f(0.0),
        }
    }
}

impl<S: Simd> People<S> {
    #[inline(always)]
    fn choose(&self, s: S, words: &Words<S>) -> Shown<S> {
        let People { person, logits } = self;
        let engaged = s.test(person.state, s.u(field::IS_ENGAGED));
        let hooked = s.test(person.state, s.u(field::IS_HOOKED));
        let mut odds = [s.f(0.0); 3];
        for k in 0..3 {
            let low = s.pick(engaged, logits[1][k], logits[0][k]);
            odds[k] = exp2(s, s.pick(hooked, logits[2][k], low));
        }
        let second = s.add(odds[0], s.f(1.0));
        let third = s.add(second, odds[1]);
        let total = s.add(third, odds[2]);
        let place = s.mul(words.content, s.mul(total, s.f(TWO_POW_MINUS_24)));
        let [one, two, three] = field::CONTENT_ADDS;
        let mut content = s.word_if(s.ge(place, s.f(1.0)), s.u(one));
        content = s.wadd_if(s.ge(place, second), content, s.u(two));
        content = s.wadd_if(s.ge(place, third), content, s.u(three));
        Shown {
            odds,
            total,
            content,
            row: s.wadd(person.state, content),
        }
    }

    #[inline(always)]
    fn learn(&mut self, s: S, shown: &Shown<S>, Move { push, gain }: Move<S>) {
        // Each mask by a comparison of its own: combining masks is slower where they are not vectors.
        let calm = s.eq(self.person.state, s.u(0));
        let engaged = s.test(self.person.state, s.u(field::IS_ENGAGED));
        let hooked = s.test(self.person.state, s.u(field::IS_HOOKED));
        let base = s.sub_if(s.eq(shown.content, s.u(0)), gain, push);
        for k in 0..3 {
            let this = s.eq(shown.content, s.u(OWN[k + 1]));
            let change = s.add_if(this, s.fnma(gain, shown.odds[k], base), push);
            self.logits[0][k] = s.add_if(calm, self.logits[0][k], change);
            self.logits[1][k] = s.add_if(engaged, self.logits[1][k], change);
            self.logits[2][k] = s.add_if(hooked, self.logits[2][k], change);
        }
    }
}

impl World for Mirror4 {
    type People<S: Simd> = People<S>;
    const POLICIES: usize = 3;
    const CONTENTS: usize = 4;
    const TOGETHER: usize = 4;

    #[inline(always)]
    fn shared<S: Simd>(&self, s: S, keys: &crate::draw::Keys) -> Shared<S> {
        Shared::new(s, keys, self.alpha, &std::array::from_fn(|i| OWN[i % 4]))
    }

    #[inline(always)]
    fn start<S: Simd>(&self, s: S, shared: &Shared<S>, first: u64) -> People<S> {
        let lambda = std::array::from_fn(|i| Lambda::golden(first + i as u64));
        People {
            person: Person::new(s, shared, first, &lambda),
            logits: [[s.f(0.0); 3]; 3],
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
        let mut moves = [Move::none(s); N];
        for i in 0..N {
            let Shown {
                row,
                content,
                total,
                ..
            } = shown[i];
            let person = &mut people[i].person;
            let halved = s.both(s.ne(content, s.u(0)), s.ne(content, shared.own));
            let reaction = person.react(s, shared, row, &words[i], Some(halved));
            let push = s.mul(person.advantage(s, at, reaction), shared.rate);
            let gain = s.div(push, total);
            moves[i] = Move { push, gain };
            count(s, step, row, reaction);
        }
        for i in 0..N {
            people[i].learn(s, &shown[i], moves[i]);
            people[i].person.evolve(s, shared, shown[i].row, &words[i]);
        }
    }

    #[inline(always)]
    fn policies<S: Simd>(s: S, people: &People<S>, out: &mut Policies) {
        for (logits, p) in people.logits.iter().zip(&mut out.p) {
            let odds = [exp2(s, logits[0]), exp2(s, logits[1]), exp2(s, logits[2])];
            let total = s.add(s.add(s.add(odds[0], s.f(1.0)), odds[1]), odds[2]);
            s.store_f(s.div(s.f(1.0), total), &mut p[0]);
            for k in 0..3 {
                s.store_f(s.div(odds[k], total), &mut p[k + 1]);
            }
        }
        s.store_f(people.person.lambda, &mut out.lambda);
        s.store_u(people.person.state, &mut out.state);
    }

    #[cfg(test)]
    fn state<S: Simd>(s: S, people: &People<S>, out: &mut Vec<[u32; LANES]>) {
        let floats = people
            .logits
            .iter()
            .flatten()
            .chain([&people.person.baseline]);
        for x in floats {
            let mut lanes = [0; LANES];
            s.store_u(s.bits(*x), &mut lanes);
            out.push(lanes);
        }
        let mut lanes = [0; LANES];
        s.store_u(people.person.state, &mut lanes);
        out.push(lanes.map(|q| q & 3));
    }
}
