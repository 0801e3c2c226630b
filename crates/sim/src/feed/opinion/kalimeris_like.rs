//! A recommender by predicted taste, whose people drift toward what they are shown, with and without a
//! penalty on objectionable items (after Kalimeris and others, KDD 2021; the equation was not read).
//!
//! Engagement is the true taste for what is shown plus a bonus of objectionable items; the recommender
//! knows taste with noise and takes the item with the highest prediction.

use rayon::prelude::*;

use super::purpose;
use crate::draw::Draws;
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
        let mut luck = draws.sequence(number, 0, purpose::KALIMERIS);
        let mut taste: Vec<f64> = (0..self.dimensions).map(|_| luck.normal()).collect();
        let (mut engagement, mut objectionable) = (0.0, 0.0);
        for t in 1..=self.steps {
            let mut luck = draws.sequence(number, t, purpose::KALIMERIS);
            let mut best = (f64::NEG_INFINITY, 0.0, 0.0, Vec::new());
            for _ in 0..self.items {
                let bad = if luck.chance(self.objectionable) {
                    1.0
                } else {
                    0.0
                };
                let item: Vec<f64> = (0..self.dimensions).map(|_| luck.normal()).collect();
                let scale = (self.dimensions as f64).sqrt();
                let dot: f64 = taste.iter().zip(&item).map(|(a, b)| a * b).sum();
                let worth = 1.0 + dot / scale + self.bonus * bad;
                let predicted = worth + self.error * luck.normal() - penalty * bad;
                if predicted > best.0 {
                    best = (predicted, worth, bad, item);
                }
            }
            engagement += best.1;
            objectionable += best.2;
            for (u, v) in taste.iter_mut().zip(&best.3) {
                *u += self.drift * (v - *u);
            }
        }
        let n = f64::from(self.steps);
        [engagement / n, objectionable / n]
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
