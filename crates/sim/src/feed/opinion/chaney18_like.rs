//! A recommender that is trained again and again on what its own recommendations brought about (after
//! Chaney, Stewart & Engelhardt 2018, arXiv 1710.11214; the abstract was read, the model's equations
//! and parameters were not).
//!
//! Person u has a taste θ, item i attributes β, both positive with sum 1; the item is worth
//! V = d·⟨θ, β⟩ to them, and they know V + noise before. At each step they take the item with the
//! largest known worth − a·ln(rank in the recommender's list) of those they have not had: the longer
//! the way down the list, the less likely. Tastes do not move: what becomes alike is what people do.

use super::purpose;
use super::vector::dot;
use super::world::{
    Arm, Friends, Peers, Running, Setting, Shown, Slot, Tell, Visit, World, choice,
};
use crate::draw::{Draws, Sequence};
use crate::portable::{exp, ln};

/// How the list is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ranker {
    /// By lot.
    Random,
    /// By how many took an item.
    Popularity,
    /// By Σ over others of the cosine of what was taken, for those who took it.
    Similar,
    /// By true worth.
    Ideal,
}

const RANKERS: [&str; 4] = ["random", "popularity", "similar_people", "ideal"];

impl Ranker {
    const ALL: [Ranker; 4] = [
        Ranker::Random,
        Ranker::Popularity,
        Ranker::Similar,
        Ranker::Ideal,
    ];
}

/// Constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chaney {
    /// How the list is made.
    pub ranker: Ranker,
    /// Items.
    pub items: usize,
    /// Attributes d.
    pub attributes: usize,
    /// How much worth one e-fold down the list costs, a.
    pub attention: f64,
    /// SD of what people know of an item's worth beforehand.
    pub noise: f64,
    /// Steps with a list by lot, from which the recommender first learns.
    pub startup: usize,
    /// Steps between two trainings; 0 trains once, after the start-up.
    pub retrain: usize,
}

impl Default for Chaney {
    fn default() -> Self {
        Chaney {
            ranker: Ranker::Similar,
            items: 200,
            attributes: 10,
            attention: 0.5,
            noise: 0.5,
            startup: 10,
            retrain: 5,
        }
    }
}

impl World for Chaney {
    fn constants(&mut self, visit: &mut Visit<'_>) {
        choice(visit, "ranker", &RANKERS, &Ranker::ALL, &mut self.ranker);
        visit("items", Slot::Count(&mut self.items, 2, 2000));
        visit("attributes", Slot::Count(&mut self.attributes, 2, 100));
        visit("attention", Slot::Number(&mut self.attention, 0.0, 100.0));
        visit("noise", Slot::Number(&mut self.noise, 0.0, 100.0));
        visit("startup", Slot::Count(&mut self.startup, 0, 100_000));
        visit("retrain", Slot::Count(&mut self.retrain, 0, 100_000));
    }

    fn start(&self, setting: &Setting) -> Box<dyn Running> {
        Box::new(Life::new(*self, setting))
    }

    fn arms(&self) -> Vec<Arm> {
        let with = |ranker| Chaney { ranker, ..*self };
        vec![
            Arm::new("as it is", *self),
            Arm::new(
                "trained once",
                Chaney {
                    retrain: 0,
                    ..*self
                },
            ),
            Arm::new("popularity", with(Ranker::Popularity)),
            Arm::new("by true worth", with(Ranker::Ideal)),
            Arm::natural("by lot", with(Ranker::Random)),
        ]
    }

    fn peers(&self) -> Peers {
        Peers::Share
    }
}

struct Life {
    world: Chaney,
    draws: Draws,
    friends: Friends,
    item: Vec<Vec<f64>>,
    worth: Vec<Vec<f64>>,
    known: Vec<Vec<f64>>,
    /// The person whose taste is nearest.
    nearest: Vec<usize>,
    taken: Vec<Vec<bool>>,
    /// Rank of each item in each person's list, from 1.
    rank: Vec<Vec<f64>>,
    value: f64,
    times: f64,
}

/// Positive numbers with sum 1: a softmax of normals.
fn shares(d: usize, luck: &mut Sequence) -> Vec<f64> {
    let mut v: Vec<f64> = (0..d).map(|_| exp(1.5 * luck.normal())).collect();
    let sum: f64 = v.iter().sum();
    v.iter_mut().for_each(|x| *x /= sum);
    v
}

impl Life {
    fn new(world: Chaney, setting: &Setting) -> Self {
        let draws = Draws::new(setting.seed);
        let (n, d) = (setting.people, world.attributes);
        // Items are drawn behind all people.
        let luck = |user: usize| draws.sequence(user as u64, 0, purpose::CHANEY);
        let item: Vec<Vec<f64>> = (0..world.items)
            .map(|i| shares(d, &mut luck(n + i)))
            .collect();
        let mut births: Vec<Sequence> = (0..n).map(luck).collect();
        let taste: Vec<Vec<f64>> = births.iter_mut().map(|luck| shares(d, luck)).collect();
        let of = |t: &Vec<f64>| {
            item.iter()
                .map(|b| d as f64 * dot(t, b))
                .collect::<Vec<f64>>()
        };
        let worth: Vec<Vec<f64>> = taste.iter().map(of).collect();
        let known = (worth.iter().zip(&mut births))
            .map(|(v, luck)| v.iter().map(|x| x + world.noise * luck.normal()).collect())
            .collect();
        let cosine = |a: &[f64], b: &[f64]| dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
        let nearest = |u: usize| {
            let others = (0..n)
                .filter(|v| *v != u)
                .map(|v| (cosine(&taste[u], &taste[v]), v));
            others.max_by(|a, b| a.0.total_cmp(&b.0)).map_or(u, |x| x.1)
        };
        Life {
            nearest: (0..n).map(nearest).collect(),
            world,
            draws,
            friends: Friends::new(setting),
            taken: vec![vec![false; item.len()]; n],
            rank: vec![vec![1.0; item.len()]; n],
            item,
            worth,
            known,
            value: 0.0,
            times: 0.0,
        }
    }

    /// Makes everybody's list anew.
    fn train(&mut self, ranker: Ranker, t: u32) {
        let (n, k) = (self.taken.len(), self.item.len());
        let one = |is: &bool| if *is { 1.0 } else { 0.0 };
        let taken: Vec<Vec<f64>> = self
            .taken
            .iter()
            .map(|v| v.iter().map(one).collect())
            .collect();
        let length: Vec<f64> = taken.iter().map(|v| dot(v, v).sqrt().max(1e-9)).collect();
        let mut popular = vec![0.0; k];
        taken
            .iter()
            .for_each(|v| popular.iter_mut().zip(v).for_each(|(p, x)| *p += x));
        for u in 0..n {
            let mut luck = self.draws.sequence(u as u64, 2 * t + 1, purpose::CHANEY);
            let mut score = match ranker {
                Ranker::Random => vec![0.0; k],
                Ranker::Popularity => popular.clone(),
                Ranker::Ideal => self.worth[u].clone(),
                Ranker::Similar => {
                    let mut score = vec![0.0; k];
                    for v in (0..n).filter(|v| *v != u) {
                        let cosine = dot(&taken[u], &taken[v]) / (length[u] * length[v]);
                        score
                            .iter_mut()
                            .zip(&taken[v])
                            .for_each(|(s, x)| *s += cosine * x);
                    }
                    score
                }
            };
            // What was taken is not offered again; equal scores are ordered by lot.
            score.iter_mut().zip(&self.taken[u]).for_each(|(s, had)| {
                if *had {
                    *s = f64::NEG_INFINITY;
                }
            });
            let mut order: Vec<(f64, f64, usize)> = (score.into_iter().enumerate())
                .map(|(i, s)| (s, luck.uniform(), i))
                .collect();
            order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.total_cmp(&b.1)));
            for (place, (.., i)) in order.into_iter().enumerate() {
                self.rank[u][i] = place as f64 + 1.0;
            }
        }
    }
}

impl Running for Life {
    fn step(&mut self, t: u32, tell: &mut Tell<'_>) {
        let (w, startup) = (self.world, self.world.startup as u32);
        if t < startup {
            self.train(Ranker::Random, t);
        } else {
            let since = t - startup;
            let again = (w.retrain > 0).then_some(w.retrain as u32);
            // A list by lot is drawn anew each time: nobody is kept to one lot.
            if since == 0
                || w.ranker == Ranker::Random
                || again.is_some_and(|r| since.is_multiple_of(r))
            {
                self.train(w.ranker, t);
            }
        }
        for u in 0..self.taken.len() {
            let free = |i: &usize| !self.taken[u][*i];
            let score = |i: usize| self.known[u][i] - w.attention * ln(self.rank[u][i]);
            let own = (0..self.item.len())
                .filter(free)
                .max_by(|a, b| score(*a).total_cmp(&score(*b)));
            let passed = self.friends.passed_on(u, t).filter(free);
            let Some(i) = passed.or(own) else {
                continue;
            };
            self.taken[u][i] = true;
            let value = self.worth[u][i];
            (self.value, self.times) = (self.value + value, self.times + 1.0);
            self.friends.saw(u, i);
            tell(Shown {
                value: Some(value),
                ..Shown::new(u, i)
            });
        }
        self.friends.turn();
    }

    /// Mean attributes of what a person took; even before they took anything.
    fn state(&self) -> Vec<f64> {
        let d = self.world.attributes;
        let of = |taken: &Vec<bool>| {
            let n = taken.iter().filter(|t| **t).count() as f64;
            let mut mean = vec![if n > 0.0 { 0.0 } else { 1.0 / d as f64 }; d];
            for (item, _) in self.item.iter().zip(taken).filter(|(_, t)| **t) {
                mean.iter_mut().zip(item).for_each(|(m, x)| *m += x / n);
            }
            mean
        };
        self.taken.iter().flat_map(of).collect()
    }

    fn more(&self) -> Vec<(&'static str, f64)> {
        if self.times == 0.0 {
            return Vec::new();
        }
        let jaccard = |a: &[bool], b: &[bool]| {
            let count =
                |f: fn(bool, bool) -> bool| a.iter().zip(b).filter(|(x, y)| f(**x, **y)).count();
            count(|x, y| x && y) as f64 / count(|x, y| x || y).max(1) as f64
        };
        let pairs = self.nearest.iter().enumerate();
        let alike = pairs
            .map(|(u, v)| jaccard(&self.taken[u], &self.taken[*v]))
            .sum::<f64>();
        vec![
            ("worth_so_far", self.value / self.times),
            ("with_nearest", alike / self.taken.len() as f64),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::opinion::numbers::tests::{alone, end};
    use crate::feed::opinion::numbers::{Course, run};

    fn courses(world: Chaney) -> Vec<Course> {
        run(&world, &alone(60, 60, 4), 1, &|| {}).unwrap()
    }

    /// The reported shape: training on confounded choices makes people more alike than training once
    /// or than their tastes do, without more worth.
    #[test]
    fn retraining_makes_people_alike_without_more_worth() {
        let all = courses(Chaney::default());
        let [as_is, once, popularity, ideal, lot] = &all[..] else {
            panic!()
        };
        let alike = |c: &Course| end(c, "with_nearest");
        let worth = |c: &Course| end(c, "worth_so_far");
        let row = |c: &Course| format!("{} alike {:.3} worth {:.3}\n", c.arm, alike(c), worth(c));
        let table: String = all.iter().map(row).collect();
        assert!(alike(as_is) > alike(once) + 0.02, "{table}");
        assert!(alike(as_is) > alike(ideal) + 0.02, "{table}");
        assert!(alike(popularity) > alike(lot) + 0.05, "{table}");
        assert!(worth(ideal) > worth(as_is) + 0.05, "{table}");
        assert!(worth(as_is) < worth(once) + 0.02, "{table}");
    }

    /// Without attention to the list the recommender changes nothing.
    #[test]
    fn a_list_that_nobody_reads_changes_nothing() {
        let all = courses(Chaney {
            attention: 0.0,
            ..Chaney::default()
        });
        for course in &all {
            assert_eq!(course.looks, all[0].looks, "{}", course.arm);
        }
    }
}
