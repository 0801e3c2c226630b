//! A year of a companion product: many people, each with habits and noise of their own, and in some
//! of them one planted, slow change in *the system's replies only*.
//!
//! Per person: a weekly number of exchanges, sessions, length of messages, hours, weeks away, and
//! three weekly rates of the system (friend-like lines, praise or agreement, questions), each with
//! its own level and AR(1) noise. In a changed person the first two rise linearly from the end of
//! the baseline to the last week, by a stated number of that person's own SDs of one week. The
//! person's own messages are written from other draws and never react.
//!
//! One person is a pure function of (scenario, seed, number); callers spread people over threads.

mod person;
mod phrases;

use driftlead_record::{Conversation, Week};
use serde::Serialize;

/// What the cohort looks like.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scenario {
    /// People.
    pub people: u32,
    /// Of these, with a planted change; they are spread evenly over the numbers.
    pub changed: u32,
    /// Weeks, counted from 0.
    pub weeks: u32,
    /// First week.
    pub first: Week,
    /// Weeks before the planted change starts.
    pub baseline_weeks: u32,
    /// Mean of the planted change from baseline to last week, in own SDs of one week.
    pub mean_change_sd: f64,
    /// SD of the planted change between people, in the same unit; changes are at least 0.5.
    pub change_spread_sd: f64,
    /// Week-to-week autocorrelation of the latent rates is drawn uniformly from 0 to this, < 1.
    pub highest_autocorrelation: f64,
}

impl Default for Scenario {
    fn default() -> Self {
        Scenario {
            people: 500,
            changed: 150,
            weeks: 52,
            first: Week::of_day(20_094),
            baseline_weeks: 13,
            mean_change_sd: 2.0,
            change_spread_sd: 0.5,
            highest_autocorrelation: 0.7,
        }
    }
}

impl Scenario {
    /// The default cohort with another number of people, three in ten of them changed.
    pub fn with_people(people: u32) -> Self {
        let changed = u64::from(people) * 3 / 10;
        Scenario {
            people,
            changed: u32::try_from(changed).unwrap_or(u32::MAX),
            ..Scenario::default()
        }
    }

    /// Whether a person has a planted change. Exactly `changed` of the `people` do.
    pub fn is_changed(&self, person: u32) -> bool {
        let share = |n: u32| u64::from(n) * u64::from(self.changed) / u64::from(self.people.max(1));
        person < self.people && share(person + 1) > share(person)
    }

    /// Part of the planted change that has happened by a week, 0 to 1: 0 through the baseline, then
    /// a straight line to 1 in the last week.
    pub fn progress(&self, week: u32) -> f64 {
        let start = f64::from(self.baseline_weeks) - 1.0;
        let last = f64::from(self.weeks) - 1.0;
        if last <= start {
            return 0.0;
        }
        ((f64::from(week) - start) / (last - start)).clamp(0.0, 1.0)
    }

    /// Mean of [`Scenario::progress`] over the weeks.
    fn mean_progress(&self) -> f64 {
        let sum: f64 = (0..self.weeks).map(|w| self.progress(w)).sum();
        sum / f64::from(self.weeks.max(1))
    }

    /// One person: everything that passed, and the truth about it.
    pub fn person(&self, seed: u64, person: u32) -> SimulatedPerson {
        person::generate(self, seed, person)
    }
}

/// A rate of the system as it was built.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PlantedRate {
    /// Chance per reply in the baseline weeks.
    pub base: f64,
    /// SD of one week's share of replies around the course, at its mean level over the weeks: latent
    /// noise and chance together.
    pub own_sd: f64,
    /// Planted change from baseline to last week, in own SDs; 0 if unchanged.
    pub change_sd: f64,
}

impl PlantedRate {
    /// The planted change in chance per reply.
    pub fn change(&self) -> f64 {
        self.change_sd * self.own_sd
    }
}

/// What is true of one simulated person.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Truth {
    /// Number of the person.
    pub person: u32,
    /// Whether a change was planted.
    pub changed: bool,
    /// Autocorrelation of the latent weekly rates.
    pub autocorrelation: f64,
    /// Friend-like lines.
    pub friend_like: PlantedRate,
    /// Praise or agreement.
    pub agreement: PlantedRate,
}

/// One person's year and the truth about it.
#[derive(Debug, Clone, PartialEq)]
pub struct SimulatedPerson {
    /// The record, in order of time.
    pub conversations: Vec<Conversation>,
    /// The truth.
    pub truth: Truth,
}

#[cfg(test)]
mod tests;
