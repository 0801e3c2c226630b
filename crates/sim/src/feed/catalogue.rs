//! The `catalogue` world: many items as unit vectors of attributes, a system that learns a vector for
//! each person, and a person whose own vector moves with what is shown.
//!
//! With v an item, u the person's vector, w what the person values on reflection, λ the share of
//! intention and θ what the system has learnt:
//!
//! - candidates: all items, or those nearest to the context c, which is what was shown lately;
//! - shown: places are filled without replacement, each with P(v) ∝ exp ⟨θ, v⟩ over what is left;
//! - reaction: G = (1−λ)·⟨u, v⟩ + λ·⟨w, v⟩ + σ·noise; welfare: ⟨w, v⟩;
//! - reward R: G, or ⟨w, v⟩ + σ·noise where the person is asked on reflection;
//! - learning: θ += α·Σ over places of (R − R̄)·(v − mean of v under P), R̄ a running mean;
//! - the person: one of three rules, [`Rule`].
//!
//! Items and people are drawn once, uniform on the sphere; a share c of w is u₀: w = c·u₀ + √(1−c²)·z
//! with z at a right angle to u₀.

pub mod numbers;
mod rule;

pub use rule::{Mover, Rule};

use super::lens::TRACE_KEEP;
use super::life::WEEK;
use super::luck::pick;
use crate::draw::{Draws, Sequence};
use crate::portable::{exp, ln};

/// Purposes of the sequences; no other world of the feed uses these.
const ITEMS: u32 = 96;
const BIRTH: u32 = 97;
const STEP: u32 = 98;

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
    /// Step size α of the system; 0 learns nothing.
    pub alpha: f64,
    /// Whether the person on reflection provides the reward, not the person now.
    pub reflecting: bool,
    /// Lower and upper bound of λ, uniform between people.
    pub lambda: [f64; 2],
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

/// Means of one person's week, per item shown, and where the person is at its end.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Week {
    /// Reaction.
    pub reaction: f64,
    /// Worth on reflection.
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
    /// Candidates of a step, mean of the last week.
    pub candidates: f64,
    /// The first vector.
    pub first: Vec<f64>,
    /// The last vector.
    pub last: Vec<f64>,
}

/// One person through the world. The draws of a step are the same whatever is shown, so that worlds
/// can be compared on the same people with the same luck.
pub fn live(world: &World, items: &Items, seed: u64, person: u64) -> Life {
    let draws = Draws::new(seed);
    let d = world.attributes;
    let mut birth = draws.sequence(person, 0, BIRTH);
    let first = direction(&mut birth, d);
    let worth = reflection(&first, &direction(&mut birth, d), world.alignment);
    let lambda = birth.between(world.lambda[0], world.lambda[1]);
    let mut life = Life {
        weeks: Vec::with_capacity(world.weeks as usize),
        exposure: vec![0.0; world.items],
        candidates: 0.0,
        last: first.clone(),
        first,
    };
    let mut system = System::new(world);
    let (mut expected, mut all_shown) = (0.0, vec![0.0; d]);
    let share = 1.0 / f64::from(world.week_steps());
    for week in 0..world.weeks {
        let mut sums = Week::default();
        let is_last = week + 1 == world.weeks;
        for step in 0..world.week_steps() {
            let t = week * world.week_steps() + step;
            let mut luck = draws.sequence(person, t, STEP);
            let candidates = system.weigh(items);
            if is_last {
                life.candidates += candidates as f64 * share;
                system.add_policy(share, &mut life.exposure);
            }
            for _ in 0..world.places {
                let i = system.choose(luck.uniform());
                let v = items.item(i);
                let (valued, noise) = (dot(&worth, v), world.noise * luck.normal());
                let reaction = (1.0 - lambda) * dot(&life.last, v) + lambda * valued + noise;
                let reward = if world.reflecting {
                    valued + noise
                } else {
                    reaction
                };
                sums.reaction += reaction;
                sums.welfare += valued;
                all_shown.iter_mut().zip(v).for_each(|(s, v)| *s += v);
                system.learn(items, i, reward);
                (world.mover).step(&mut life.last, &life.first, v, reaction, &mut expected);
            }
            system.end_step();
        }
        let shown = f64::from(world.week_steps()) * world.places as f64;
        life.weeks.push(Week {
            reaction: sums.reaction / shown,
            welfare: sums.welfare / shown,
            moved: 1.0 - cosine(&life.last, &life.first),
            toward: cosine(&life.last, &all_shown) - cosine(&life.first, &all_shown),
            strength: dot(&life.last, &life.last).sqrt(),
        });
    }
    life
}

/// What the system has learnt of one person.
struct System {
    alpha: f64,
    retrieve: Option<usize>,
    /// θ.
    theta: Vec<f64>,
    /// What this step adds to it.
    gradient: Vec<f64>,
    /// c.
    context: Vec<f64>,
    /// Unnormalised policy over what is left in this step, and its sum.
    weights: Vec<f64>,
    total: f64,
    near: Vec<f64>,
    shown: f64,
    mean: f64,
}

impl System {
    fn new(world: &World) -> Self {
        System {
            alpha: world.alpha,
            retrieve: world.retrieve.filter(|n| *n < world.items),
            theta: vec![0.0; world.attributes],
            gradient: vec![0.0; world.attributes],
            context: vec![0.0; world.attributes],
            weights: vec![0.0; world.items],
            total: 0.0,
            near: Vec::new(),
            shown: 0.0,
            mean: 0.0,
        }
    }

    /// The policy at the start of a step; returns the number of candidates.
    fn weigh(&mut self, items: &Items) -> usize {
        for (w, v) in self.weights.iter_mut().zip(items.each()) {
            *w = dot(&self.theta, v);
        }
        // Ties at the edge all stay, so that without a history nothing is masked.
        if let Some(keep) = self.retrieve {
            self.near.clear();
            self.near
                .extend(items.each().map(|v| dot(&self.context, v)));
            let mut sorted = self.near.clone();
            let (_, edge, _) = sorted.select_nth_unstable_by(keep - 1, |a, b| b.total_cmp(a));
            for (w, near) in self.weights.iter_mut().zip(&self.near) {
                if *near < *edge {
                    *w = f64::NEG_INFINITY;
                }
            }
        }
        let top = self
            .weights
            .iter()
            .fold(f64::NEG_INFINITY, |a, b| a.max(*b));
        let mut candidates = 0;
        self.total = 0.0;
        for w in &mut self.weights {
            // The floor keeps a place for every candidate when those before it are taken.
            *w = match *w == f64::NEG_INFINITY {
                true => 0.0,
                false => exp((*w - top).max(-700.0)),
            };
            candidates += usize::from(*w > 0.0);
            self.total += *w;
        }
        candidates
    }

    fn add_policy(&self, share: f64, sums: &mut [f64]) {
        for (sum, w) in sums.iter_mut().zip(&self.weights) {
            *sum += share * w / self.total;
        }
    }

    fn choose(&self, u: f64) -> usize {
        pick(&self.weights, u * self.total)
    }

    /// Item `i` took a place and brought a reward: the step's part of the gradient, and the item is not
    /// there for the next place.
    fn learn(&mut self, items: &Items, i: usize, reward: f64) {
        // The mean takes the reward first, as in the public demo.
        self.shown += 1.0;
        self.mean += (reward - self.mean) / self.shown;
        let step = self.alpha * (reward - self.mean);
        if step != 0.0 {
            for (w, v) in self.weights.iter().zip(items.each()) {
                let part = step * w / self.total;
                if part != 0.0 {
                    self.gradient
                        .iter_mut()
                        .zip(v)
                        .for_each(|(g, v)| *g -= part * v);
                }
            }
            let v = items.item(i);
            self.gradient
                .iter_mut()
                .zip(v)
                .for_each(|(g, v)| *g += step * v);
        }
        let v = items.item(i);
        for (c, v) in self.context.iter_mut().zip(v) {
            *c = TRACE_KEEP * *c + v;
        }
        self.weights[i] = 0.0;
        self.total = self.weights.iter().sum();
    }

    fn end_step(&mut self) {
        for (theta, g) in self.theta.iter_mut().zip(&mut self.gradient) {
            *theta += *g;
            *g = 0.0;
        }
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
