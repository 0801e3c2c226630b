//! Warmth toward the other party under a feed whose share of animosity changes: the world that the
//! feed experiments are held against, the nulls included.
//!
//! A person has a warmth A of 0 to 100 that returns to their own level A₀ and is pushed by animosity
//! beyond what they are used to: dA/day = −k·(e − e₀) − (A − A₀)/τ + noise, where e is the share of
//! animosity among what they were shown that day. The forms are the population model's; k is set so
//! that ten days from 10 % to 1 % give about the two points that Piccardi and others (Science 2025)
//! report, τ is "short-lived" read as five days. A long τ with the same ten-day effect predicts a
//! large change in three months and is falsified by the Meta 2020 experiments: the default must not
//! be.
//!
//! What is shown: every day a pool of candidates, some of them animosity, which has a higher pull; the
//! feed ranks by pull, or takes them in order of time. Use follows the pull of what is shown.

use rayon::prelude::*;

use super::purpose;
use crate::draw::{Draws, Sequence};
use crate::feed::sums::{Estimate, Moments};

/// Constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Animosity {
    /// Points per day and unit share, k.
    pub push: f64,
    /// Days of return, τ.
    pub days_of_return: f64,
    /// SD of a day's noise, points.
    pub day_noise: f64,
    /// Mean and SD of A₀ between people; before the bounds.
    pub warmth: [f64; 2],
    /// SD of one survey answer around A.
    pub answer_sd: f64,
    /// Candidates per day.
    pub pool: u32,
    /// Posts shown per day.
    pub shown: u32,
    /// Share of animosity among candidates from like-minded sources, and among others.
    pub animosity: [f64; 2],
    /// Share of candidates from like-minded sources.
    pub like_minded: f64,
    /// Pull of animosity over that of other posts, in SDs of a post's pull.
    pub animosity_pull: f64,
    /// Pull of like-minded posts over others.
    pub like_minded_pull: f64,
    /// Chance of a repost or favourite of a post at pull 0; it rises by 20 % per SD of pull.
    pub engages: f64,
    /// SD between people of the logarithm of that chance.
    pub engages_spread: f64,
}

impl Default for Animosity {
    fn default() -> Self {
        Animosity {
            push: 5.4,
            days_of_return: 5.0,
            day_noise: 2.0,
            warmth: [30.0, 22.0],
            answer_sd: 8.0,
            pool: 150,
            shown: 50,
            animosity: [0.09, 0.03],
            like_minded: 0.5,
            animosity_pull: 0.6,
            like_minded_pull: 0.2,
            engages: 0.02,
            engages_spread: 1.0,
        }
    }
}

/// What the feed does in an arm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FeedArm {
    /// Ranked by pull.
    Ranked,
    /// In order of time.
    Chronological,
    /// Ranked, with like-minded candidates cut by this part.
    LessLikeMinded(f64),
    /// Ranked, with animosity shown changed to this multiple of what the person is used to.
    Reranked(f64),
}

/// Outcomes of an arm, over people.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Outcome {
    /// Answer at the end less answer at the start, points.
    pub change: Moments,
    /// The same for the people of each party.
    pub change_by_party: [Moments; 2],
    /// Warmth answered at the end.
    pub answer: Moments,
    /// Share of animosity shown.
    pub exposure: Moments,
    /// Share of like-minded posts shown.
    pub like_minded: Moments,
    /// Reposts and favourites per post shown.
    pub engagement: Moments,
    /// Time on the platform, as a multiple of the start's.
    pub use_: Moments,
}

/// A person.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader {
    own: f64,
    pub(super) warmth: f64,
    engages: f64,
    used_to: f64,
    usual_pull: f64,
}

/// What a day brought: shares of what was shown, reposts and favourites per post, use as a multiple.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lived {
    pub(super) animosity: f64,
    pub(super) like_minded: f64,
    pub(super) clicks: f64,
    pub(super) use_: f64,
}

struct Day {
    animosity: f64,
    like_minded: f64,
    pull: f64,
}

/// How use follows pull: e-fold per SD of mean pull.
const USE_PER_PULL: f64 = 0.3;
/// Days of the ranked feed before an arm starts, which set what a person is used to.
const BEFORE: u32 = 30;

impl Animosity {
    /// Runs `people` people for `days` days in an arm. Arms share people and luck.
    pub fn run(&self, arm: FeedArm, people: u64, days: u32, seed: u64) -> Outcome {
        let part = |mut sum: Outcome, number: u64| {
            self.person(arm, number, days, seed, &mut sum);
            sum
        };
        (0..people)
            .into_par_iter()
            .fold(Outcome::default, part)
            .reduce(Outcome::default, Outcome::merged)
    }

    fn person(&self, arm: FeedArm, number: u64, days: u32, seed: u64, sums: &mut Outcome) {
        let draws = Draws::new(seed);
        let (mut person, mut birth) = self.born(&draws, number);
        let before = person.own + self.answer_sd * birth.normal();
        let after_noise = self.answer_sd * birth.normal();
        let party = (number % 2) as usize;
        let (mut exposure, mut like_minded, mut clicks, mut use_) = (0.0, 0.0, 0.0, 0.0);
        for t in 0..days {
            let d = self.live(arm, &draws, number, t, &mut person);
            clicks += d.clicks;
            exposure += d.animosity;
            like_minded += d.like_minded;
            use_ += d.use_;
        }
        let n = f64::from(days.max(1));
        let answer = person.warmth + after_noise;
        sums.change.add(answer - before);
        sums.change_by_party[party].add(answer - before);
        sums.answer.add(answer);
        sums.exposure.add(exposure / n);
        sums.like_minded.add(like_minded / n);
        sums.engagement.add(clicks / n);
        sums.use_.add(use_ / n);
    }

    /// A person after the days of the ranked feed, and what is left of the luck of their birth.
    pub(super) fn born(&self, draws: &Draws, number: u64) -> (Reader, Sequence) {
        let mut birth = draws.sequence(number, 0, purpose::ANIMOSITY_BIRTH);
        let own = (self.warmth[0] + self.warmth[1] * birth.normal()).clamp(0.0, 100.0);
        let engages = self.engages * crate::portable::exp(self.engages_spread * birth.normal());
        let mut person = Reader {
            own,
            warmth: own,
            engages,
            used_to: 0.0,
            usual_pull: 0.0,
        };
        for t in 0..BEFORE {
            let d = self.day(FeedArm::Ranked, draws, number, t);
            person.used_to += d.animosity / f64::from(BEFORE);
            person.usual_pull += d.pull / f64::from(BEFORE);
        }
        (person, birth)
    }

    /// Day `t` of an arm, from 0.
    pub(super) fn live(
        &self,
        arm: FeedArm,
        draws: &Draws,
        number: u64,
        t: u32,
        person: &mut Reader,
    ) -> Lived {
        let mut d = self.day(arm, draws, number, BEFORE + t);
        if let FeedArm::Reranked(multiple) = arm {
            d.animosity *= multiple;
            // Animosity is replaced by other posts, or the other way round.
            d.pull += (multiple - 1.0) / multiple.max(1e-9) * d.animosity * self.animosity_pull;
        }
        let mut luck = draws.sequence(number, BEFORE + t, purpose::ANIMOSITY_DAY + 100);
        person.warmth += -self.push * (d.animosity - person.used_to)
            - (person.warmth - person.own) / self.days_of_return
            + self.day_noise * luck.normal();
        person.warmth = person.warmth.clamp(0.0, 100.0);
        let rate = person.engages * (1.0 + 0.2 * d.pull).max(0.0) * f64::from(self.shown);
        Lived {
            animosity: d.animosity,
            like_minded: d.like_minded,
            clicks: f64::from(luck.poisson(rate)) / f64::from(self.shown),
            use_: crate::portable::exp(USE_PER_PULL * (d.pull - person.usual_pull)),
        }
    }

    /// What a person is shown on a day: the candidates are the same in every arm.
    fn day(&self, arm: FeedArm, draws: &Draws, number: u64, t: u32) -> Day {
        let mut luck = draws.sequence(number, t, purpose::ANIMOSITY_DAY);
        let mut posts: Vec<(f64, f64, f64)> = Vec::with_capacity(self.pool as usize);
        for _ in 0..self.pool {
            let (from, what, cut) = (luck.uniform(), luck.uniform(), luck.uniform());
            let noise = luck.normal();
            let friends = from < self.like_minded;
            let chance = self.animosity[usize::from(!friends)];
            let hostile = what < chance;
            let dropped = match arm {
                FeedArm::LessLikeMinded(part) => friends && cut < part,
                _ => false,
            };
            if dropped {
                continue;
            }
            let one = |is: bool| if is { 1.0 } else { 0.0 };
            let pull =
                noise + self.animosity_pull * one(hostile) + self.like_minded_pull * one(friends);
            posts.push((pull, one(hostile), one(friends)));
        }
        if arm != FeedArm::Chronological {
            posts.sort_by(|a, b| b.0.total_cmp(&a.0));
        }
        posts.truncate(self.shown as usize);
        let n = posts.len().max(1) as f64;
        Day {
            pull: posts.iter().map(|p| p.0).sum::<f64>() / n,
            animosity: posts.iter().map(|p| p.1).sum::<f64>() / n,
            like_minded: posts.iter().map(|p| p.2).sum::<f64>() / n,
        }
    }
}

impl Outcome {
    fn merged(mut self, other: Outcome) -> Outcome {
        self.change.merge(&other.change);
        for (a, b) in self.change_by_party.iter_mut().zip(&other.change_by_party) {
            a.merge(b);
        }
        self.answer.merge(&other.answer);
        self.exposure.merge(&other.exposure);
        self.like_minded.merge(&other.like_minded);
        self.engagement.merge(&other.engagement);
        self.use_.merge(&other.use_);
        self
    }
}

/// Difference of two groups of different people, and its standard error.
pub fn difference(a: &Moments, b: &Moments) -> Estimate {
    let (a, b) = (a.estimate(), b.estimate());
    let se = a.se.zip(b.se).map(|(a, b)| a.hypot(b));
    Estimate {
        mean: a.mean - b.mean,
        se,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Course of A without noise: k·τ·Δe·(1 − (1 − 1/τ)^days).
    #[test]
    fn the_shift_is_the_recursion_s() {
        let world = Animosity {
            day_noise: 0.0,
            answer_sd: 0.0,
            warmth: [50.0, 0.0],
            ..Animosity::default()
        };
        let run = |multiple| world.run(FeedArm::Reranked(multiple), 400, 10, 1);
        let shift = run(0.1).change.mean() - run(1.0).change.mean();
        let less = 0.9 * run(1.0).exposure.mean();
        let want = 5.4 * 5.0 * less * (1.0 - 0.8f64.powi(10));
        assert!((shift - want).abs() < 0.1, "{shift} {want}");
    }

    #[test]
    fn ranking_shows_more_animosity_and_more_pull() {
        let world = Animosity::default();
        let ranked = world.run(FeedArm::Ranked, 200, 10, 1);
        let chronological = world.run(FeedArm::Chronological, 200, 10, 1);
        assert!(
            (ranked.exposure.mean() - 0.1).abs() < 0.01,
            "{:?}",
            ranked.exposure.mean()
        );
        assert!((chronological.exposure.mean() - 0.06).abs() < 0.01);
        assert!(chronological.use_.mean() < 0.95 && (ranked.use_.mean() - 1.0).abs() < 0.03);
        assert_eq!(ranked, world.run(FeedArm::Ranked, 200, 10, 1));
    }

    /// What the null is for: the same ten days, remembered for ever, are falsified in three months.
    #[test]
    fn a_world_that_never_forgets_fails_the_null_that_the_default_keeps() {
        let d = |world: Animosity| {
            let arm = |arm| world.run(arm, 600, 91, 1);
            let (as_is, less) = (arm(FeedArm::Ranked), arm(FeedArm::Chronological));
            (less.answer.mean() - as_is.answer.mean()) / as_is.answer.variance().sqrt()
        };
        let default = d(Animosity::default());
        let lasting = d(Animosity {
            push: 2.4,
            days_of_return: 1000.0,
            day_noise: 0.2,
            ..Animosity::default()
        });
        assert!(default.abs() < 0.1, "{default}");
        assert!(lasting > 0.1, "{lasting}");
    }
}
