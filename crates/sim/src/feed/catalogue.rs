//! The `catalogue` world: many items as unit vectors of attributes, a system that learns a vector for
//! each person, and a person whose own vector moves with what is shown.
//!
//! With v an item, u the person's vector, w what the person values on reflection, λ the share of
//! intention and θ what the system has learnt:
//!
//! - candidates: all items, or those nearest to the context c, which is what was shown lately;
//! - shown: places are filled without replacement, each with P(v) ∝ exp(base(v) + ⟨θ, v⟩) over what is
//!   left, base the lens stack; levers may constrain P;
//! - reaction: G = (1−λ)·⟨u, v⟩ + λ·⟨w, v⟩ + σ·noise; welfare: ⟨w, v⟩;
//! - reward R: G, or ⟨w, v⟩ + σ·noise where the person is asked on reflection, or ⟨q, v⟩ + σ·noise of a
//!   rater, or a deployer's weighted objective;
//! - learning: the optimisers of [`super::learner`] on θ; by default θ += α·Σ over places of
//!   (R − R̄)·(v − mean of v under P), R̄ a running mean;
//! - the person: one of three rules, [`Rule`].
//!
//! Items, people, q and the deployer's direction are drawn once, uniform on the sphere; a share c of w is u₀: w = c·u₀ + √(1−c²)·z
//! with z at a right angle to u₀.

pub mod arms;
pub mod numbers;
mod rule;
mod system;

pub use rule::{Mover, Rule};

use super::governor::Levers;
use super::learner;
use super::lens::Tilt;
use super::life::{Shown, WEEK, kept_weeks};
use super::principal::Who;
use crate::draw::{Draws, Sequence};
use crate::parts::{Governor, Principal, Signal};
use crate::portable::{exp, ln};
use system::System;

/// Purposes of the sequences; no other world of the feed uses these.
const ITEMS: u32 = 96;
const BIRTH: u32 = 97;
const STEP: u32 = 98;
const OTHERS: u32 = 99;
const ASKED: u32 = 100;
const RULE: u32 = 101;

/// A world with its constants.
#[derive(Debug, Clone, PartialEq)]
pub struct World {
    /// Items I, ≥ 2.
    pub items: usize,
    /// Attributes d, ≥ 2.
    pub attributes: usize,
    /// Places k of a step, 1 to the items that are retrieved.
    pub places: usize,
    /// Items that the context leaves as candidates; all of them without it.
    pub retrieve: Option<usize>,
    /// What learns.
    pub rule: learner::Rule,
    /// Who provides the reward. A deployer may weigh engagement and conversion.
    pub principal: Who,
    /// The lens stack over even display; scores are along the attributes.
    pub lenses: Vec<Tilt>,
    /// The levers; a day has [`World::day_steps`] steps.
    pub levers: Levers,
    /// Lower and upper bound of λ, uniform between people.
    pub lambda: [f64; 2],
    /// Share of people who learn to select.
    pub select_share: f64,
    /// The λ that they tend to.
    pub select_max: f64,
    /// Part of the remaining way that they go in a week.
    pub select_week: f64,
    /// c: cosine of u₀ and w.
    pub alignment: f64,
    /// SD σ of a reaction's noise.
    pub noise: f64,
    /// How the person moves.
    pub mover: Mover,
    /// Steps of a day.
    pub day_steps: u32,
    /// Weeks.
    pub weeks: u32,
}

impl World {
    /// Steps of a week.
    pub fn week_steps(&self) -> u32 {
        WEEK * self.day_steps
    }
}

/// The items: `items` unit vectors one after the other.
#[derive(Debug, Clone)]
pub struct Items {
    attributes: usize,
    values: Vec<f64>,
}

impl Items {
    /// The items of a seed.
    pub fn new(world: &World, seed: u64) -> Self {
        let draws = Draws::new(seed);
        let mut values = Vec::with_capacity(world.items * world.attributes);
        for i in 0..world.items as u64 {
            values.extend(direction(
                &mut draws.sequence(i, 0, ITEMS),
                world.attributes,
            ));
        }
        Items {
            attributes: world.attributes,
            values,
        }
    }

    fn each(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.attributes)
    }

    fn item(&self, i: usize) -> &[f64] {
        &self.values[i * self.attributes..(i + 1) * self.attributes]
    }
}

/// What is the same for all people of an arm.
#[derive(Debug, Clone)]
pub struct Prepared<'a> {
    /// The world.
    pub world: &'a World,
    items: &'a Items,
    /// Log weight of each item in the lens stack.
    base: Vec<f64>,
    /// What a rater looks for, and what a deployer sells.
    rater: Vec<f64>,
    deployer: Vec<f64>,
}

impl<'a> Prepared<'a> {
    /// An arm of a seed's items.
    pub fn new(world: &'a World, items: &'a Items, seed: u64) -> Self {
        let of = |v: &[f64]| {
            let part = |lens: &Tilt| match lens {
                Tilt::Rlhf { scores, beta } | Tilt::Prompt { scores, beta } => {
                    dot(scores, v) / beta
                }
                // Candidates are the key retrieve, not a lens.
                Tilt::Retrieval { .. } => 0.0,
            };
            world.lenses.iter().map(part).sum()
        };
        let mut luck = Draws::new(seed).sequence(0, 0, OTHERS);
        Prepared {
            world,
            items,
            base: items.each().map(of).collect(),
            rater: direction(&mut luck, world.attributes),
            deployer: direction(&mut luck, world.attributes),
        }
    }
}

/// Means of one person's week, per place for an item, and where the person is at its end.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Week {
    /// Reaction; 0 where nothing is shown.
    pub reaction: f64,
    /// Worth on reflection; 0 where nothing is shown.
    pub welfare: f64,
    /// 1 − cos(u, u₀).
    pub moved: f64,
    /// cos(u, s) − cos(u₀, s), with s the mean of all that was shown so far.
    pub toward: f64,
    /// ‖u‖.
    pub strength: f64,
}

/// One person's course.
#[derive(Debug, Clone, PartialEq)]
pub struct Life {
    /// By week.
    pub weeks: Vec<Week>,
    /// Mean distribution that the first place of a step was drawn from, in the last week.
    pub exposure: Vec<f64>,
    /// Shares of the thirds of items that are worth most, in the middle and least to the person, in each
    /// of the [`kept_weeks`]; only where it was asked for.
    pub thirds: Vec<[f64; 3]>,
    /// Candidates of a step, mean of the last week.
    pub candidates: f64,
    /// The first vector.
    pub first: Vec<f64>,
    /// The last vector.
    pub last: Vec<f64>,
}

/// One person through the world. The draws of a step are the same whatever is shown, so that worlds
/// can be compared on the same people with the same luck; `replica` is the number of the luck.
pub fn live(of: &Prepared<'_>, seed: u64, replica: u64, person: u64) -> Life {
    live_and_tell(of, seed, replica, person, false, &mut |_| {})
}

/// The same, with everything that is shown told as it happens, and with [`Life::thirds`] if asked for.
pub fn live_and_tell(
    of: &Prepared<'_>,
    seed: u64,
    replica: u64,
    person: u64,
    thirds: bool,
    tell: &mut dyn FnMut(Shown),
) -> Life {
    let (world, items) = (of.world, of.items);
    let mut someone = Someone::born(world, seed, person);
    let third = thirds.then(|| items_by_worth(items, &someone.worth));
    let draws = Draws::new(seed ^ replica.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let mut life = Life {
        weeks: Vec::with_capacity(world.weeks as usize),
        exposure: vec![0.0; world.items],
        thirds: Vec::new(),
        candidates: 0.0,
        last: Vec::new(),
        first: someone.first.clone(),
    };
    let mut system = System::new(of);
    let mut all_shown = vec![0.0; world.attributes];
    let kept = kept_weeks(world.weeks);
    for week in 0..world.weeks {
        let mut sums = Week::default();
        let is_last = week + 1 == world.weeks;
        let is_kept = third.is_some() && kept.get(life.thirds.len()) == Some(&week);
        let mut exposure = vec![0.0; if is_last || is_kept { world.items } else { 0 }];
        let (mut steps, mut candidates) = (0.0, 0.0);
        for step in 0..world.week_steps() {
            let t = week * world.week_steps() + step;
            if t > 0 {
                someone.step();
            }
            let (day, place) = (t / world.day_steps, step % world.day_steps);
            if !world.levers.shows(day, place) {
                someone.rest(world);
                continue;
            }
            let mut luck = draws.sequence(person, t, STEP);
            let mut further = draws.sequence(person, t, RULE);
            let mut asked = draws.sequence(person, t, ASKED);
            let count = system.weigh(&mut || further.uniform());
            for position in 0..world.places {
                let served = system.served();
                if position == 0 && !exposure.is_empty() {
                    steps += 1.0;
                    candidates += count as f64;
                    system.add(&served, 1.0, &mut exposure);
                }
                let (i, propensity) = system.choose(&served, luck.uniform());
                let v = items.item(i);
                let seen = someone.react(of, v, luck.normal(), &mut asked);
                let expected = match system.wants_expected() {
                    true => someone.expects(of, &|direction| system.mean_along(direction)),
                    false => 0.0,
                };
                tell(Shown {
                    day,
                    place: place * world.places as u32 + position as u32,
                    content: i,
                    propensity,
                    reaction: seen.reaction,
                });
                sums.reaction += seen.reaction;
                sums.welfare += dot(&someone.worth, v);
                all_shown.iter_mut().zip(v).for_each(|(s, v)| *s += v);
                system.learn(i, world.principal.reward(&seen), expected);
                someone.evolve(world, v, seen.reaction);
            }
            system.end_step();
        }
        if steps > 0.0 {
            exposure.iter_mut().for_each(|p| *p /= steps);
        }
        if let (Some(third), true) = (&third, is_kept) {
            let mut shares = [0.0; 3];
            let of = |i: &u8| usize::from(*i).min(2);
            (third.iter().zip(&exposure)).for_each(|(i, p)| shares[of(i)] += p);
            life.thirds.push(shares);
        }
        if is_last {
            life.exposure = exposure;
            life.candidates = if steps > 0.0 { candidates / steps } else { 0.0 };
        }
        let places = f64::from(world.week_steps()) * world.places as f64;
        let u = &someone.now;
        life.weeks.push(Week {
            reaction: sums.reaction / places,
            welfare: sums.welfare / places,
            moved: 1.0 - cosine(u, &life.first),
            toward: cosine(u, &all_shown) - cosine(&life.first, &all_shown),
            strength: dot(u, u).sqrt(),
        });
    }
    life.last = someone.now;
    life
}

/// The third of all items that each is in: 0 worth most to a person, 2 least.
fn items_by_worth(items: &Items, worth: &[f64]) -> Vec<u8> {
    let value: Vec<f64> = items.each().map(|v| dot(worth, v)).collect();
    let mut order: Vec<usize> = (0..value.len()).collect();
    order.sort_by(|a, b| value[*b].total_cmp(&value[*a]));
    let mut third = vec![0; value.len()];
    for (rank, i) in order.iter().enumerate() {
        third[*i] = (3 * rank / value.len()) as u8;
    }
    third
}

/// A person.
struct Someone {
    first: Vec<f64>,
    now: Vec<f64>,
    worth: Vec<f64>,
    lambda: f64,
    /// Way of λ that is left to go, and the part of it that a step goes.
    select_left: f64,
    select_step: f64,
    /// What the person has come to expect.
    expected: f64,
}

impl Someone {
    fn born(world: &World, seed: u64, person: u64) -> Self {
        let d = world.attributes;
        let mut birth = Draws::new(seed).sequence(person, 0, BIRTH);
        let first = direction(&mut birth, d);
        let worth = reflection(&first, &direction(&mut birth, d), world.alignment);
        let lambda = birth.between(world.lambda[0], world.lambda[1]);
        let selects = birth.uniform() < world.select_share;
        let steps = f64::from(world.week_steps());
        let left = 1.0 - world.select_week;
        Someone {
            now: first.clone(),
            first,
            worth,
            lambda,
            select_left: match selects {
                true => (world.select_max - lambda).max(0.0),
                false => 0.0,
            },
            select_step: match left > 0.0 {
                true => 1.0 - exp(ln(left) / steps),
                false => 1.0,
            },
            expected: 0.0,
        }
    }

    /// Time passes: λ of those who learn to select.
    fn step(&mut self) {
        if self.select_left > 0.0 {
            let way = self.select_step * self.select_left;
            self.lambda += way;
            self.select_left -= way;
        }
    }

    fn rest(&mut self, world: &World) {
        for _ in 0..world.places {
            world.mover.rest(&mut self.now, &self.first);
        }
    }

    /// What can be seen of one item shown.
    fn react(&self, of: &Prepared<'_>, v: &[f64], z: f64, asked: &mut Sequence) -> Signal {
        let (world, noise) = (of.world, of.world.noise * z);
        let valued = dot(&self.worth, v);
        let mut signal = Signal {
            reaction: (1.0 - self.lambda) * dot(&self.now, v) + self.lambda * valued + noise,
            ..Signal::default()
        };
        match world.principal {
            Who::PersonNow => {}
            Who::PersonReflecting => signal.rating = valued + noise,
            Who::Rater => signal.third_party = dot(&of.rater, v) + noise,
            Who::Deployer(_) => {
                let chance = (1.0 - self.lambda) * dot(&of.deployer, v).max(0.0);
                signal.conversion = if asked.uniform() < chance { 1.0 } else { 0.0 };
            }
        }
        signal
    }

    /// The reward that is expected when the mean of the items along a direction is `along`.
    fn expects(&self, of: &Prepared<'_>, along: &dyn Fn(&[f64]) -> f64) -> f64 {
        let reaction = || (1.0 - self.lambda) * along(&self.now) + self.lambda * along(&self.worth);
        match of.world.principal {
            Who::PersonReflecting => along(&self.worth),
            Who::Rater => along(&of.rater),
            // The mean of a conversion is not linear in the items; its part is left out.
            Who::PersonNow => reaction(),
            Who::Deployer(w) => w.engagement * reaction(),
        }
    }

    fn evolve(&mut self, world: &World, v: &[f64], reaction: f64) {
        let (now, first) = (&mut self.now, &self.first);
        (world.mover).step(now, first, v, reaction, &mut self.expected);
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// 0 where one of them has no direction.
fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let lengths = (dot(a, a) * dot(b, b)).sqrt();
    match lengths > 0.0 {
        true => dot(a, b) / lengths,
        false => 0.0,
    }
}

/// Makes `u` a unit vector; `instead` if it has no direction.
fn normalise(u: &mut [f64], instead: &[f64]) {
    let length = dot(u, u).sqrt();
    if length > 1e-9 {
        u.iter_mut().for_each(|x| *x /= length);
    } else {
        u.copy_from_slice(instead);
    }
}

/// Uniform on the unit sphere.
fn direction(luck: &mut Sequence, d: usize) -> Vec<f64> {
    let mut v: Vec<f64> = (0..d).map(|_| luck.normal()).collect();
    let mut axis = vec![0.0; d];
    axis[..1].fill(1.0);
    normalise(&mut v, &axis);
    v
}

/// A unit vector with the cosine `c` to `first`, in the plane of `first` and `other`.
fn reflection(first: &[f64], other: &[f64], c: f64) -> Vec<f64> {
    let along = dot(first, other);
    let mut z: Vec<f64> = (other.iter().zip(first))
        .map(|(o, f)| o - along * f)
        .collect();
    normalise(&mut z, first);
    let across = (1.0 - c * c).max(0.0).sqrt();
    first
        .iter()
        .zip(&z)
        .map(|(f, z)| c * f + across * z)
        .collect()
}

/// H(p) in nats.
fn entropy(p: &[f64]) -> f64 {
    -(p.iter().filter(|p| **p > 0.0).map(|p| p * ln(*p))).sum::<f64>()
}

#[cfg(test)]
mod tests;
