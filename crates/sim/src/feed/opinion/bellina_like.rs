//! User–user collaborative filtering with a similarity and a popularity exponent (after Bellina and
//! others 2023, arXiv 2303.13270; the equation was not read): person u takes item i with probability
//! ∝ (ε + Σ_{v≠u} sim(u, v)^s·n(v, i))^p, where n counts what was taken and sim is the cosine of counts.
//!
//! Small p leaves everybody with everything (disorder); large p alone brings everybody to the same
//! items (consensus); large p with large s brings groups to items of their own (polarisation).

use super::purpose;
use super::vector::dot;
use super::world::{Arm, Running, Setting, Shown, Slot, Tell, Visit, World};
use crate::draw::Draws;
use crate::feed::luck::pick;
use crate::portable::{exp, ln};

/// Constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bellina {
    /// People.
    pub people: usize,
    /// Items.
    pub items: usize,
    /// Rounds; in each, everybody takes one item.
    pub rounds: u32,
    /// Similarity exponent s.
    pub similarity: f64,
    /// Popularity exponent p.
    pub popularity: f64,
}

impl Default for Bellina {
    fn default() -> Self {
        Bellina {
            people: 60,
            items: 30,
            rounds: 240,
            similarity: 2.0,
            popularity: 1.5,
        }
    }
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Phase {
    /// Mean effective number of items of a person in the second half of the rounds, as a part of all.
    pub breadth: f64,
    /// Mean overlap Σ min of two people in the same half.
    pub overlap: f64,
    /// Effective number of different favourite items among people in the same half.
    pub camps: f64,
}

impl Bellina {
    /// Runs it.
    pub fn run(&self, seed: u64) -> Phase {
        let mut life = Life::new(*self, seed);
        (0..self.rounds).for_each(|t| life.next(t, &mut |_| {}));
        phase(&life.late, self.items)
    }
}

impl World for Bellina {
    fn constants(&mut self, visit: &mut Visit<'_>) {
        visit("items", Slot::Count(&mut self.items, 2, 1000));
        visit("similarity", Slot::Number(&mut self.similarity, 0.0, 10.0));
        visit("popularity", Slot::Number(&mut self.popularity, 0.0, 10.0));
    }

    fn start(&self, setting: &Setting) -> Box<dyn Running> {
        let world = Bellina {
            people: setting.people,
            rounds: setting.steps,
            ..*self
        };
        Box::new(Life::new(world, setting.seed))
    }

    fn arms(&self) -> Vec<Arm> {
        let no_filter = Bellina {
            similarity: 0.0,
            popularity: 0.0,
            ..*self
        };
        vec![
            Arm::new("as it is", *self),
            Arm::new(
                "popularity alone",
                Bellina {
                    similarity: 0.0,
                    ..*self
                },
            ),
            Arm::natural("no filter", no_filter),
        ]
    }
}

struct Life {
    world: Bellina,
    draws: Draws,
    taken: Vec<Vec<f64>>,
    late: Vec<Vec<f64>>,
}

impl Life {
    fn new(world: Bellina, seed: u64) -> Self {
        let none = vec![vec![0.0; world.items]; world.people];
        Life {
            world,
            draws: Draws::new(seed),
            taken: none.clone(),
            late: none,
        }
    }

    fn next(&mut self, t: u32, tell: &mut Tell<'_>) {
        let (n, k) = (self.world.people, self.world.items);
        let before = self.taken.clone();
        let length: Vec<f64> = before.iter().map(|v| dot(v, v).sqrt()).collect();
        for u in 0..n {
            let mut score = vec![0.0; k];
            for v in (0..n).filter(|v| *v != u) {
                let scale = length[u] * length[v];
                let cosine = if scale > 0.0 {
                    dot(&before[u], &before[v]) / scale
                } else {
                    0.0
                };
                let weight = power(cosine, self.world.similarity);
                score
                    .iter_mut()
                    .zip(&before[v])
                    .for_each(|(s, c)| *s += weight * c);
            }
            let top = score.iter().copied().fold(0.0, f64::max).max(1e-12);
            // Of ε a thousandth of the largest is left, so that nothing is impossible at first.
            let mut p: Vec<f64> = (score.iter())
                .map(|s| power((s / top).max(1e-3), self.world.popularity))
                .collect();
            let sum: f64 = p.iter().sum();
            p.iter_mut().for_each(|x| *x /= sum);
            let item = pick(
                &p,
                self.draws.sequence(u as u64, t, purpose::BELLINA).uniform(),
            );
            self.taken[u][item] += 1.0;
            // Twice the step could pass the largest number of steps.
            if t >= self.world.rounds.div_ceil(2) {
                self.late[u][item] += 1.0;
            }
            let propensity = Some(p[item]);
            tell(Shown {
                propensity,
                ..Shown::new(u, item)
            });
        }
    }
}

impl Running for Life {
    fn step(&mut self, t: u32, tell: &mut Tell<'_>) {
        self.next(t, tell);
    }

    /// Shares of what a person took so far; even before they took anything.
    fn state(&self) -> Vec<f64> {
        let even = 1.0 / self.world.items as f64;
        let share = |v: &Vec<f64>| {
            let sum = v.iter().sum::<f64>();
            let one = |x: &f64| if sum > 0.0 { x / sum } else { even };
            v.iter().map(one).collect::<Vec<f64>>()
        };
        self.taken.iter().flat_map(share).collect()
    }

    fn more(&self) -> Vec<(&'static str, f64)> {
        let empty = self.late.iter().flatten().all(|x| *x == 0.0);
        let so_far = if empty { &self.taken } else { &self.late };
        if so_far.iter().flatten().all(|x| *x == 0.0) {
            return Vec::new();
        }
        let phase = phase(so_far, self.world.items);
        vec![
            ("breadth", phase.breadth),
            ("share_in_common", phase.overlap),
            ("favourites", phase.camps),
        ]
    }
}

fn phase(late: &[Vec<f64>], k: usize) -> Phase {
    let shares: Vec<Vec<f64>> = (late.iter())
        .map(|v| {
            let sum: f64 = v.iter().sum();
            v.iter().map(|x| x / sum.max(1.0)).collect()
        })
        .collect();
    let effective = |p: &Vec<f64>| {
        let entropy: f64 = p.iter().filter(|x| **x > 0.0).map(|x| -x * ln(*x)).sum();
        exp(entropy) / k as f64
    };
    let breadth = shares.iter().map(effective).sum::<f64>() / shares.len() as f64;
    let (mut overlap, mut pairs) = (0.0, 0.0);
    for (i, p) in shares.iter().enumerate() {
        for q in &shares[..i] {
            overlap += p.iter().zip(q).map(|(p, q)| p.min(*q)).sum::<f64>();
            pairs += 1.0;
        }
    }
    let mut favourites = vec![0.0; k];
    for p in &shares {
        let best = (0..k).fold(0, |best, j| if p[j] > p[best] { j } else { best });
        favourites[best] += 1.0 / shares.len() as f64;
    }
    Phase {
        breadth,
        overlap: overlap / pairs,
        camps: effective(&favourites) * k as f64,
    }
}

/// x^y with 0⁰ = 1.
fn power(x: f64, y: f64) -> f64 {
    match (x > 0.0, y == 0.0) {
        (_, true) => 1.0,
        (true, _) => exp((y * ln(x)).max(-700.0)),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_exponents_everything_is_taken_alike() {
        let world = Bellina {
            people: 20,
            items: 5,
            rounds: 200,
            similarity: 0.0,
            popularity: 0.0,
        };
        let phase = world.run(1);
        assert!(phase.breadth > 0.95 && phase.overlap > 0.8, "{phase:?}");
        assert_eq!(phase, world.run(1));
    }
}
