//! A recommender by predicted taste, whose people drift toward what they are shown, with and without a
//! penalty on objectionable items (after Kalimeris and others, KDD 2021; the equation was not read).
//!
//! Engagement is the true taste for what is shown plus a bonus of objectionable items; the recommender
//! knows taste with noise and takes the item with the highest prediction.

use rayon::prelude::*;

use super::purpose;
use super::vector::dot;
use super::world::{Arm, Running, Setting, Shown as Exposure, Slot, Tell, Visit, World};
use crate::draw::{Draws, Sequence};
use crate::feed::sums::Moments;

/// Constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kalimeris {
    /// Items per step to choose from.
    pub items: u32,
    /// Dimensions of taste.
    pub dimensions: usize,
    /// Share of objectionable items.
    pub objectionable: f64,
    /// What an objectionable item adds to engagement for a person at the start.
    pub bonus: f64,
    /// SD of the prediction's error.
    pub error: f64,
    /// Rate at which taste moves toward what is shown.
    pub drift: f64,
    /// Steps.
    pub steps: u32,
    /// Penalty on the prediction of objectionable items.
    pub penalty: f64,
}

impl Default for Kalimeris {
    fn default() -> Self {
        Kalimeris {
            items: 20,
            dimensions: 5,
            objectionable: 0.2,
            bonus: 0.1,
            error: 0.5,
            drift: 0.02,
            steps: 200,
            penalty: 0.0,
        }
    }
}

/// Sums over people.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Shown {
    /// Engagement per step.
    pub engagement: Moments,
    /// Share of objectionable items shown.
    pub objectionable: Moments,
}

impl Kalimeris {
    /// Runs people with a penalty on the prediction of objectionable items; same luck at any penalty.
    pub fn run(&self, penalty: f64, people: u64, seed: u64) -> Shown {
        let lives: Vec<[f64; 2]> = (0..people)
            .into_par_iter()
            .map(|u| self.person(penalty, u, seed))
            .collect();
        let mut sums = Shown::default();
        for [engagement, objectionable] in lives {
            sums.engagement.add(engagement);
            sums.objectionable.add(objectionable);
        }
        sums
    }

    fn person(&self, penalty: f64, number: u64, seed: u64) -> [f64; 2] {
        let draws = Draws::new(seed);
        let mut taste = self.taste(&draws, number);
        let (mut engagement, mut objectionable) = (0.0, 0.0);
        for t in 1..=self.steps {
            let mut luck = draws.sequence(number, t, purpose::KALIMERIS);
            let best = self.best(penalty, &taste, &mut luck);
            engagement += best.worth;
            objectionable += best.bad;
            self.drift(&mut taste, &best.item);
        }
        let n = f64::from(self.steps);
        [engagement / n, objectionable / n]
    }

    fn taste(&self, draws: &Draws, number: u64) -> Vec<f64> {
        let mut luck = draws.sequence(number, 0, purpose::KALIMERIS);
        (0..self.dimensions).map(|_| luck.normal()).collect()
    }

    /// The item with the highest prediction among new ones.
    fn best(&self, penalty: f64, taste: &[f64], luck: &mut Sequence) -> Best {
        let mut best = Best {
            predicted: f64::NEG_INFINITY,
            number: 0,
            worth: 0.0,
            bad: 0.0,
            item: Vec::new(),
        };
        for number in 0..self.items {
            let bad = if luck.chance(self.objectionable) {
                1.0
            } else {
                0.0
            };
            let item: Vec<f64> = (0..self.dimensions).map(|_| luck.normal()).collect();
            let scale = (self.dimensions as f64).sqrt();
            let worth = 1.0 + dot(taste, &item) / scale + self.bonus * bad;
            let predicted = worth + self.error * luck.normal() - penalty * bad;
            if predicted > best.predicted {
                best = Best {
                    predicted,
                    number,
                    worth,
                    bad,
                    item,
                };
            }
        }
        best
    }

    fn drift(&self, taste: &mut [f64], item: &[f64]) {
        for (u, v) in taste.iter_mut().zip(item) {
            *u += self.drift * (v - *u);
        }
    }
}

struct Best {
    predicted: f64,
    number: u32,
    worth: f64,
    bad: f64,
    item: Vec<f64>,
}

impl World for Kalimeris {
    fn constants(&mut self, visit: &mut Visit<'_>) {
        let mut items = self.items as usize;
        visit("items", Slot::Count(&mut items, 1, 10_000));
        self.items = items as u32;
        visit("dimensions", Slot::Count(&mut self.dimensions, 1, 100));
        visit(
            "objectionable",
            Slot::Number(&mut self.objectionable, 0.0, 1.0),
        );
        visit("bonus", Slot::Number(&mut self.bonus, -100.0, 100.0));
        visit("error", Slot::Number(&mut self.error, 0.0, 100.0));
        visit("drift", Slot::Number(&mut self.drift, 0.0, 1.0));
        visit("penalty", Slot::Number(&mut self.penalty, 0.0, 100.0));
    }

    fn start(&self, setting: &Setting) -> Box<dyn Running> {
        let draws = Draws::new(setting.seed);
        let tastes = (0..setting.people as u64)
            .map(|i| self.taste(&draws, i))
            .collect();
        Box::new(Life {
            world: *self,
            draws,
            tastes,
            objectionable: Moments::default(),
        })
    }

    fn arms(&self) -> Vec<Arm> {
        let with = |penalty| Kalimeris { penalty, ..*self };
        vec![
            Arm::new("as it is", *self),
            Arm::new("no penalty", with(0.0)),
            Arm::new("penalty .3", with(0.3)),
            Arm::new("penalty 10", with(10.0)),
            Arm::natural("one item to choose from", Kalimeris { items: 1, ..*self }),
        ]
    }

    fn common_items(&self) -> bool {
        false
    }

    fn scale(&self) -> [f64; 2] {
        [-4.0, 4.0]
    }
}

struct Life {
    world: Kalimeris,
    draws: Draws,
    tastes: Vec<Vec<f64>>,
    objectionable: Moments,
}

impl Running for Life {
    fn step(&mut self, t: u32, tell: &mut Tell<'_>) {
        let w = self.world;
        let mut objectionable = Moments::default();
        for (i, taste) in self.tastes.iter_mut().enumerate() {
            let mut luck = self.draws.sequence(i as u64, t + 1, purpose::KALIMERIS);
            let best = w.best(w.penalty, taste, &mut luck);
            objectionable.add(best.bad);
            w.drift(taste, &best.item);
            // Everybody has items of their own, new ones each step.
            let number = (t as usize * w.items as usize + best.number as usize) % 1_000_000;
            tell(Exposure {
                reaction: Some(best.worth),
                ..Exposure::new(i, number)
            });
        }
        self.objectionable.merge(&objectionable);
    }

    fn state(&self) -> Vec<f64> {
        self.tastes.concat()
    }

    fn more(&self) -> Vec<(&'static str, f64)> {
        vec![("objectionable", self.objectionable.mean())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_penalty_shows_less_of_it() {
        let world = Kalimeris {
            steps: 50,
            ..Kalimeris::default()
        };
        let (free, less) = (world.run(0.0, 100, 1), world.run(0.5, 100, 1));
        assert!(less.objectionable.mean() < 0.7 * free.objectionable.mean());
        assert!(free.objectionable.mean() > world.objectionable);
    }
}
