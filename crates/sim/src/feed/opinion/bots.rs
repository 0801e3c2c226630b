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
use super::world::{Arm, Running, Setting, Shown, Slot, Tell, Visit, World};
use crate::draw::{Draws, Sequence};
use crate::feed::lens::remember;
use crate::feed::luck::pick;
use crate::feed::sums::Moments;
use crate::portable::exp;

/// Bins of content, from one side (0) to the other.
const BINS: usize = 9;
const MIDDLE: f64 = (BINS as f64 - 1.0) / 2.0;

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
            let mut life = self.born(&draws, u);
            self.consume(self.history, self.followed, &mut life);
            let mut bot = life.clone();
            let person = self.consume(self.after, self.followed, &mut life);
            let bot = self.consume(self.after, 1.0, &mut bot);
            sums.person.add(person);
            sums.difference.add(bot - person);
        }
        sums
    }

    /// A person without a history.
    fn born(&self, draws: &Draws, u: u64) -> Consumer {
        let mut luck = draws.sequence(u, 0, purpose::BOTS);
        let place = (MIDDLE + self.places * luck.normal()).clamp(0.0, BINS as f64 - 1.0);
        Consumer {
            taste: bell(place, self.taste),
            trace: [0.0; BINS],
            luck,
        }
    }

    /// Mean distance from the middle of several items.
    fn consume(&self, items: u32, followed: f64, life: &mut Consumer) -> f64 {
        let popular = bell(MIDDLE, self.popular);
        let next = |_| (self.next(followed, &popular, life) as f64 - MIDDLE).abs() / MIDDLE;
        (0..items).map(next).sum::<f64>() / f64::from(items.max(1))
    }

    fn next(&self, followed: f64, popular: &[f64; BINS], life: &mut Consumer) -> usize {
        let follows = life.luck.uniform() < followed;
        let u = life.luck.uniform();
        let item = match follows {
            true => pick(&self.recommended(popular, &life.trace), u),
            false => pick(&life.taste, u),
        };
        remember(&mut life.trace, item);
        item
    }

    fn recommended(&self, popular: &[f64; BINS], trace: &[f64; BINS]) -> [f64; BINS] {
        let mut p: [f64; BINS] =
            std::array::from_fn(|j| popular[j] * exp((self.tilt * trace[j]).min(100.0)));
        let sum: f64 = p.iter().sum();
        p.iter_mut().for_each(|x| *x /= sum);
        p
    }
}

#[derive(Debug, Clone)]
struct Consumer {
    taste: [f64; BINS],
    trace: [f64; BINS],
    luck: Sequence,
}

impl World for Bots {
    fn constants(&mut self, visit: &mut Visit<'_>) {
        let mut history = self.history as usize;
        visit("history", Slot::Count(&mut history, 0, 100_000));
        self.history = history as u32;
        visit("followed", Slot::Number(&mut self.followed, 0.0, 1.0));
        visit("tilt", Slot::Number(&mut self.tilt, 0.0, 100.0));
        visit("taste", Slot::Number(&mut self.taste, 0.05, 100.0));
        visit("popular", Slot::Number(&mut self.popular, 0.05, 100.0));
        visit("places", Slot::Number(&mut self.places, 0.0, 100.0));
    }

    fn start(&self, setting: &Setting) -> Box<dyn Running> {
        Box::new(Life::new(*self, self.followed, setting))
    }

    fn arms(&self) -> Vec<Arm> {
        vec![
            Arm::new("as it is", *self),
            Arm::new(
                "bots: recommender alone",
                After {
                    followed: 1.0,
                    world: *self,
                },
            ),
            Arm::natural(
                "own choice alone",
                After {
                    followed: 0.0,
                    world: *self,
                },
            ),
        ]
    }

    fn item(&self, item: usize) -> String {
        format!("bin-{item}")
    }
}

/// [`Bots`] with another share followed after the history than in it.
struct After {
    world: Bots,
    followed: f64,
}

impl World for After {
    fn constants(&mut self, visit: &mut Visit<'_>) {
        self.world.constants(visit);
    }

    fn start(&self, setting: &Setting) -> Box<dyn Running> {
        Box::new(Life::new(self.world, self.followed, setting))
    }

    fn arms(&self) -> Vec<Arm> {
        Vec::new()
    }
}

struct Life {
    world: Bots,
    people: Vec<Consumer>,
    distance: Moments,
}

impl Life {
    /// People after their history, who go on with a part `followed` from the recommender.
    fn new(world: Bots, followed: f64, setting: &Setting) -> Self {
        let draws = Draws::new(setting.seed);
        let person = |u: u64| {
            let mut life = world.born(&draws, u);
            world.consume(world.history, world.followed, &mut life);
            life
        };
        Life {
            world: Bots { followed, ..world },
            people: (0..setting.people as u64).map(person).collect(),
            distance: Moments::default(),
        }
    }
}

impl Running for Life {
    fn step(&mut self, _: u32, tell: &mut Tell<'_>) {
        let popular = bell(MIDDLE, self.world.popular);
        for (i, life) in self.people.iter_mut().enumerate() {
            let item = self.world.next(self.world.followed, &popular, life);
            self.distance.add((item as f64 - MIDDLE).abs() / MIDDLE);
            tell(Shown::new(i, item));
        }
    }

    /// Mean side of what was seen lately, −1 to 1, weighted by the trace.
    fn state(&self) -> Vec<f64> {
        let side = |life: &Consumer| {
            let sum: f64 = life.trace.iter().sum();
            let sides = life.trace.iter().enumerate();
            let all: f64 = sides.map(|(j, w)| w * (j as f64 - MIDDLE) / MIDDLE).sum();
            if sum > 0.0 { all / sum } else { 0.0 }
        };
        self.people.iter().map(side).collect()
    }

    fn more(&self) -> Vec<(&'static str, f64)> {
        match self.distance.count() {
            0 => Vec::new(),
            _ => vec![("distance_seen", self.distance.mean())],
        }
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
