//! The counterfactual bots of Hosseinmardi and others (PNAS 2024), as their design is reported: a bot
//! first repeats a real person's history, then follows the recommender only, while the person goes on
//! by their own choice. Less partisan consumption of the bot means that the person's own choices, and
//! not the recommender, carried the partisan part.
//!
//! Contents lie in bins from one side to the other. A person has a taste around a place of their own
//! and takes a stated part of what they see from the recommender, the rest by search or subscription.
//! The recommender shows what is popular with everybody, tilted by a trace of what was seen lately that
//! halves in ten items.

use super::purpose;
use crate::draw::{Draws, Sequence};
use crate::feed::lens::remember;
use crate::feed::luck::pick;
use crate::feed::sums::Moments;
use crate::portable::exp;

/// Bins of content, from one side (0) to the other.
const BINS: usize = 9;

/// Constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bots {
    /// Items of the history that person and bot share.
    pub history: u32,
    /// Items after it.
    pub after: u32,
    /// Part of a person's items that they take from the recommender.
    pub followed: f64,
    /// Strength of the recommender's tilt toward what was seen lately.
    pub tilt: f64,
    /// Width of a person's taste, in bins.
    pub taste: f64,
    /// Width of what is popular with everybody, in bins.
    pub popular: f64,
    /// SD of people's places, in bins.
    pub places: f64,
}

impl Default for Bots {
    fn default() -> Self {
        Bots {
            history: 100,
            after: 100,
            followed: 0.3,
            tilt: 0.15,
            taste: 1.0,
            popular: 2.0,
            places: 2.5,
        }
    }
}

/// Distance from the middle of what was consumed after the history, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Partisan {
    /// People.
    pub person: Moments,
    /// Bot less person.
    pub difference: Moments,
}

impl Bots {
    /// Runs people and their bots.
    pub fn run(&self, people: u64, seed: u64) -> Partisan {
        let draws = Draws::new(seed);
        let mut sums = Partisan::default();
        for u in 0..people {
            let mut luck = draws.sequence(u, 0, purpose::BOTS);
            let middle = (BINS as f64 - 1.0) / 2.0;
            let place = (middle + self.places * luck.normal()).clamp(0.0, BINS as f64 - 1.0);
            let taste = bell(place, self.taste);
            let mut trace = [0.0; BINS];
            self.consume(self.history, self.followed, &taste, &mut trace, &mut luck);
            let mut bot_trace = trace;
            let mut bot_luck = luck.clone();
            let person = self.consume(self.after, self.followed, &taste, &mut trace, &mut luck);
            let bot = self.consume(self.after, 1.0, &taste, &mut bot_trace, &mut bot_luck);
            sums.person.add(person);
            sums.difference.add(bot - person);
        }
        sums
    }

    fn consume(
        &self,
        items: u32,
        followed: f64,
        taste: &[f64; BINS],
        trace: &mut [f64; BINS],
        luck: &mut Sequence,
    ) -> f64 {
        let middle = (BINS as f64 - 1.0) / 2.0;
        let popular = bell(middle, self.popular);
        let mut sum = 0.0;
        for _ in 0..items {
            let follows = luck.uniform() < followed;
            let u = luck.uniform();
            let item = match follows {
                true => pick(&self.recommended(&popular, trace), u),
                false => pick(taste, u),
            };
            remember(trace, item);
            sum += (item as f64 - middle).abs() / middle;
        }
        sum / f64::from(items.max(1))
    }

    fn recommended(&self, popular: &[f64; BINS], trace: &[f64; BINS]) -> [f64; BINS] {
        let mut p: [f64; BINS] =
            std::array::from_fn(|j| popular[j] * exp((self.tilt * trace[j]).min(100.0)));
        let sum: f64 = p.iter().sum();
        p.iter_mut().for_each(|x| *x /= sum);
        p
    }
}

/// Shares that fall off like a normal density around a place.
fn bell(place: f64, width: f64) -> [f64; BINS] {
    let density = |j: usize| exp((-0.5 * ((j as f64 - place) / width).powi(2)).max(-700.0));
    let sum: f64 = (0..BINS).map(density).sum();
    std::array::from_fn(|j| density(j) / sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recommender_that_only_repeats_moderates_nobody() {
        let world = Bots::default();
        let weak = world.run(500, 1);
        let strong = Bots { tilt: 3.0, ..world }.run(500, 1);
        assert!(weak.difference.mean() < strong.difference.mean());
        // Following the recommender in everything, the person is the bot.
        let same = Bots {
            followed: 1.0,
            ..world
        }
        .run(50, 1);
        assert_eq!(same.difference.mean(), 0.0);
    }
}
