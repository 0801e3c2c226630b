//! People of the `clusters` world: several contents, three states of arousal, reactions that exposure
//! moves, habit, and a share of intention that differs between people and may grow.
//!
//! With λ the share of intention, m(x) the gain of a state ([`GAIN`]), r and s the pull of a content
//! and what exposure has added to it, and w what the content is worth to the person on reflection:
//!
//! - reaction: (1−λ)·m(x)·(r + s) + λ·w, with noise of SD (1−λ)·m(x)·σ_pull + λ·σ_worth;
//! - arousal: P(x′ | x, a) ∝ exp(B(x, x′) + g·(1−λ)·(r + s)·1[x′ > x]), B in [`AROUSAL`];
//! - sensitisation: s += η·(cap − s) for what was shown, s −= η_decay·s for the rest;
//! - habit: the running share of steps that were shown while hooked, with a stated weekly persistence;
//!   a full habit takes a stated part of λ away;
//! - selecting: of a person who learns to select, λ(t) = λ₀ + (λ_max − λ₀)·(1 − (1 − rate)^t);
//! - standard: w moves toward the pull of what is shown, at a rate that is 0 unless asked for.
//!
//! The forms are those of the population model (K contents, arousal, sensitisation, habit); the
//! factor 1−λ in arousal follows the public demo, whose intentional person is calmed by what excites
//! the reactive one. Every constant is a choice and meant to be swept, with two exceptions that are
//! reported findings: a weekly persistence of .79 and a population mean of 1−λ of .31 (Allcott,
//! Gentzkow & Song 2022, derived from and read in a summary).

use serde::Serialize;

use super::luck::pick;
use crate::draw::{Sequence, quantile};
use crate::parts::{Law, MAX_CONTENTS, Person, Signal};
use crate::portable::{exp, ln};

/// Gain of the reactive part of a reaction when calm, engaged and hooked.
pub const GAIN: [f64; 3] = [0.6, 1.0, 1.5];
/// Log weights of the next state, `[state][next]`, without a pull.
pub const AROUSAL: [[f64; 3]; 3] = [[2.0, 0.0, -2.0], [1.0, 1.2, -1.0], [-0.5, 0.5, 1.0]];
/// SD of an answer to "was this worth it".
const ANSWER_SD: f64 = 0.5;
const HOOKED: usize = 2;

/// A content of the catalogue.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Content {
    /// Its name.
    pub name: String,
    /// Worth on reflection, in the unit of reactions.
    pub worth: f64,
    /// What a third-party rater says it is worth.
    pub third_party: f64,
    /// Place on an axis from −1 to 1, for measures of polarisation.
    pub position: f64,
    /// Chance of a conversion of a fully reactive person.
    pub conversion: f64,
    /// Chance of a lean to the deployer's side.
    pub vote: f64,
    /// Chance that a fully reactive person does as told.
    pub compliance: f64,
}

/// People who react alike.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// Share of people; shares are relative to their sum.
    pub share: f64,
    /// Pull of each content, ≥ 0.
    pub pull: Vec<f64>,
}

/// What the people of a world have in common.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct People {
    /// The contents, 2 to [`MAX_CONTENTS`].
    pub contents: Vec<Content>,
    /// The profiles, at least one; each has a pull per content.
    pub profiles: Vec<Profile>,
    /// Share of people who are a mixture of two profiles.
    pub mixed: f64,
    /// SD of a person's pulls around their profile's.
    pub spread: f64,
    /// λ is uniform between these.
    pub lambda: [f64; 2],
    /// Share of people who learn to select.
    pub select_share: f64,
    /// The λ that they tend to.
    pub select_max: f64,
    /// Part of the remaining way that they go in a week.
    pub select_week: f64,
    /// Rise of a reaction per exposure, as a part of what is left to the cap.
    pub eta: f64,
    /// Return per step without exposure.
    pub eta_decay: f64,
    /// Most that exposure adds.
    pub cap: f64,
    /// Part of λ that a full habit takes away.
    pub habit_weight: f64,
    /// What is left of a habit after a week without use.
    pub habit_week: f64,
    /// Rate at which one's own standard follows what is shown.
    pub adopt: f64,
    /// Push of a pull of 1 toward higher arousal, in log odds.
    pub arousal: f64,
    /// SD of the reactive part of a reaction.
    pub noise_pull: f64,
    /// SD of the intentional part.
    pub noise_worth: f64,
    /// What a step spent hooked costs, in the unit of reactions.
    pub hooked_cost: f64,
    /// Steps in a week, ≥ 1.
    pub week_steps: u32,
}

/// One person.
#[derive(Debug, Clone)]
pub struct OnePerson<'a> {
    of: &'a People,
    profile: usize,
    pull: [f64; MAX_CONTENTS],
    added: [f64; MAX_CONTENTS],
    worth: [f64; MAX_CONTENTS],
    worth_start: [f64; MAX_CONTENTS],
    lambda: f64,
    /// Way of λ that is left to go.
    select_left: f64,
    select_step: f64,
    habit: f64,
    habit_keep: f64,
    state: usize,
    eta: f64,
}

impl People {
    /// The person made by this luck. With `frozen`, exposure adds nothing to reactions.
    pub fn person(&self, luck: &mut Sequence, frozen: bool) -> OnePerson<'_> {
        let total: f64 = self.profiles.iter().map(|p| p.share).sum();
        let mut which = || {
            let u = luck.uniform();
            let shares: Vec<f64> = self.profiles.iter().map(|p| p.share / total).collect();
            pick(&shares, u)
        };
        let (first, second) = (which(), which());
        let mixed = luck.uniform() < self.mixed;
        // The first is the larger part of a mixture: between half and all of it.
        let larger = luck.between(0.5, 1.0);
        let part = if mixed { larger } else { 1.0 };
        let lambda = luck.between(self.lambda[0], self.lambda[1]);
        let selects = luck.uniform() < self.select_share;
        let mut pull = [0.0; MAX_CONTENTS];
        let mut worth = [0.0; MAX_CONTENTS];
        for (j, content) in self.contents.iter().enumerate() {
            let of = |i: usize| self.profiles[i].pull[j];
            let own = self.spread * luck.normal();
            pull[j] = (part * of(first) + (1.0 - part) * of(second) + own).max(0.0);
            worth[j] = content.worth;
        }
        let week = f64::from(self.week_steps.max(1));
        let per_step = |weekly: f64| match weekly > 0.0 {
            true => exp(ln(weekly) / week),
            false => 0.0,
        };
        OnePerson {
            of: self,
            profile: first,
            pull,
            added: [0.0; MAX_CONTENTS],
            worth,
            worth_start: worth,
            lambda,
            select_left: match selects {
                true => (self.select_max - lambda).max(0.0),
                false => 0.0,
            },
            select_step: 1.0 - per_step(1.0 - self.select_week),
            habit: 0.0,
            habit_keep: per_step(self.habit_week),
            state: 0,
            eta: if frozen { 0.0 } else { self.eta },
        }
    }
}

impl OnePerson<'_> {
    /// Number of the profile; of a mixture, the larger part's.
    pub fn profile(&self) -> usize {
        self.profile
    }

    /// λ now: what habit leaves of it.
    pub fn intention(&self) -> f64 {
        (self.lambda * (1.0 - self.of.habit_weight * self.habit)).clamp(0.0, 1.0)
    }

    /// Habit now, 0 to 1.
    pub fn habit(&self) -> f64 {
        self.habit
    }

    /// Whether the person is hooked now.
    pub fn hooked(&self) -> bool {
        self.state == HOOKED
    }

    /// Mean reaction to a content in a state, without what exposure has added.
    pub fn unmoved(&self, state: usize, content: usize) -> f64 {
        let lambda = self.intention();
        (1.0 - lambda) * GAIN[state] * self.pull[content] + lambda * self.worth_start[content]
    }

    /// What a step in the present state costs.
    pub fn cost(&self) -> f64 {
        if self.hooked() {
            self.of.hooked_cost
        } else {
            0.0
        }
    }

    fn pass(&mut self, uniform: f64, pull: f64, shown: bool) {
        let push = self.of.arousal * (1.0 - self.intention()) * pull;
        let mut p = [0.0; 3];
        let mut sum = 0.0;
        for (next, q) in p.iter_mut().enumerate() {
            let up = if next > self.state { push } else { 0.0 };
            *q = exp((AROUSAL[self.state][next] + up).clamp(-700.0, 700.0));
            sum += *q;
        }
        p.iter_mut().for_each(|q| *q /= sum);
        let used = if shown && self.hooked() { 1.0 } else { 0.0 };
        self.habit = self.habit_keep * self.habit + (1.0 - self.habit_keep) * used;
        let way = self.select_step * self.select_left;
        self.lambda += way;
        self.select_left -= way;
        self.state = pick(&p, uniform);
    }

    fn sensitise(&mut self, shown: Option<usize>) {
        if self.eta == 0.0 {
            return;
        }
        let k = self.of.contents.len();
        for (j, s) in self.added[..k].iter_mut().enumerate() {
            *s += match shown == Some(j) {
                true => self.eta * (self.of.cap - *s),
                false => -self.of.eta_decay * *s,
            };
        }
    }
}

impl Person for OnePerson<'_> {
    fn states(&self) -> usize {
        3
    }
    fn contents(&self) -> usize {
        self.of.contents.len()
    }
    fn state(&self) -> usize {
        self.state
    }
    fn law(&self, j: usize) -> Law {
        let lambda = self.intention();
        let gain = (1.0 - lambda) * GAIN[self.state];
        Law {
            mean: gain * (self.pull[j] + self.added[j]) + lambda * self.worth[j],
            sd: gain * self.of.noise_pull + lambda * self.of.noise_worth,
            floor: f64::NEG_INFINITY,
        }
    }
    fn signal(&self, j: usize, reaction: f64, uniform: &mut dyn FnMut() -> f64) -> Signal {
        let content = &self.of.contents[j];
        let reactive = 1.0 - self.intention();
        let mut happens = |p: f64| if uniform() < p { 1.0 } else { 0.0 };
        let conversion = happens(content.conversion * reactive);
        let retention = happens(0.5 + 0.4 * self.habit);
        let vote = happens(content.vote);
        let compliance = happens(content.compliance * reactive);
        let mut answer = || ANSWER_SD * quantile::normal(uniform());
        Signal {
            reaction,
            rating: self.worth[j] + answer(),
            third_party: content.third_party + answer(),
            conversion,
            retention,
            vote,
            compliance,
        }
    }
    fn evolve(&mut self, content: usize, _reaction: f64, uniform: f64) {
        let pull = self.pull[content] + self.added[content];
        self.sensitise(Some(content));
        if self.of.adopt > 0.0 {
            self.worth[content] += self.of.adopt * (pull - self.worth[content]);
        }
        self.pass(uniform, pull, true);
    }
    fn rest(&mut self, uniform: f64) {
        self.sensitise(None);
        self.pass(uniform, 0.0, false);
    }
    fn welfare(&self, j: usize) -> f64 {
        self.worth_start[j] - self.cost()
    }
    fn welfare_now(&self, j: usize) -> f64 {
        self.worth[j] - self.cost()
    }
    fn displacement(&self) -> f64 {
        let moved = self.worth.iter().zip(&self.worth_start);
        self.added.iter().sum::<f64>() + moved.map(|(a, b)| (a - b).abs()).sum::<f64>()
    }
    fn pull(&self, j: usize) -> f64 {
        self.pull[j] + self.added[j]
    }
}

#[cfg(test)]
pub(crate) mod tests;
