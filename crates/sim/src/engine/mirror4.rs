//! `mirror4`: depth and three baits, four kinds of people, one learner per person and state.
//!
//! Kind u mod 4 is moved in full by one bait (kind 0 by none) and half as much by the others. Of the
//! four logits of a state the three differences to content 0 are kept, to base 2 and bounded as in
//! [`super::mirror`]. With g = αA/Z, Z = 1 + Σe_k, they move by g − g·e_k + αA·(1[a=k] − 1[a=0]).

use super::kernel::{At, Person, Shared, Step, count, field};
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
    fn step<S: Simd, const EVEN: bool>(
        s: S,
        shared: &Shared<S>,
        at: &At<S>,
        people: &mut People<S>,
        step: &mut Step,
    ) {
        let People { person, logits } = people;
        let words = person.draw::<EVEN>(s, shared, at);
        let engaged = s.test(person.state, s.u(3));
        let hooked = s.test(person.state, s.u(1 << field::HOOKED));
        let mut odds = [s.f(0.0); 3];
        for k in 0..3 {
            let low = s.pick(engaged, logits[1][k], logits[0][k]);
            odds[k] = exp2(s, s.pick(hooked, logits[2][k], low));
        }
        let upto = [s.f(1.0), s.add(odds[0], s.f(1.0))];
        let third = s.add(upto[1], odds[1]);
        let total = s.add(third, odds[2]);
        let place = s.mul(words.content, s.mul(total, s.f(TWO_POW_MINUS_24)));
        let least = [
            s.ge(place, upto[0]),
            s.ge(place, upto[1]),
            s.ge(place, third),
        ];
        let mut content = s.word_if(least[0], s.u(field::CONTENT_ADDS[0]));
        content = s.wadd_if(least[1], content, s.u(field::CONTENT_ADDS[1]));
        content = s.wadd_if(least[2], content, s.u(field::CONTENT_ADDS[2]));
        let row = s.wadd(person.state, content);

        let halved = s.both(least[0], s.ne(content, shared.own));
        let reaction = person.react(s, shared, row, &words, Some(halved));
        let push = s.mul(person.advantage(s, at, reaction), shared.rate);
        let gain = s.div(push, total);
        let base = s.pick(least[0], gain, s.sub(gain, push));
        let shown = [
            s.but_not(least[0], least[1]),
            s.but_not(least[1], least[2]),
            least[2],
        ];
        let only_engaged = s.but_not(engaged, hooked);
        for k in 0..3 {
            let change = s.add_if(shown[k], s.fnma(gain, odds[k], base), push);
            logits[0][k] = s.add_unless(engaged, logits[0][k], change);
            logits[1][k] = s.add_if(only_engaged, logits[1][k], change);
            logits[2][k] = s.add_if(hooked, logits[2][k], change);
        }
        count(s, step, row, reaction);
        person.evolve(s, shared, row, &words);
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
