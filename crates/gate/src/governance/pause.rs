//! Pauses at random moments, with their propensities logged, so that an effect can be estimated.
//!
//! The decision point is the start of a conversation of a person who consented to it. The probability is
//! fixed by the policy before the draw; the draw is keyed by the gateway's seed, the person and the number
//! of the decision, so that it can be repeated and owes nothing to what was said. Where no pause is
//! possible, nothing is drawn, and that is what is logged.

use std::ops::Range;

use driftlead_stats::rng::Stream;
use serde::Serialize;

use super::kept::Kept;
use super::lens::Situation;
use super::person::Person;
use crate::consent::Purpose;

/// Purpose of the random stream.
const PAUSE: u16 = 501;
/// The generator and the purpose, as the log names them.
const RANDOM_STREAM: &str = "philox4x32-10/501";

/// One decision point.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draw {
    index: u32,
    probability: f64,
    /// `None` where no pause was possible.
    pause: Option<bool>,
    consent: String,
    form: &'static str,
}

/// Draws, or finds that nothing can be drawn. `numbers` are those that nobody else uses
/// ([`super::inner::Inner::reserve`]).
pub(super) fn draw(
    person: &Person,
    kept: &Kept,
    numbers: &mut Range<u32>,
    of: &Situation<'_>,
    seconds: i64,
) -> Draw {
    let index = numbers.start;
    let probability = of.policy.pauses.probability;
    let number = if of.mid_task { None } else { numbers.next() };
    let pause = number.map(|index| {
        let subject = person.tag.map_or(0, |tag| tag.number());
        Stream::new(of.seed, subject, index, PAUSE).uniform() < probability
    });
    let given = kept.consents.latest(Purpose::RandomisedPauses);
    Draw {
        index,
        probability,
        pause,
        consent: given.map_or_else(String::new, |event| {
            format!("{}@{}", event.purpose.name(), event.time.min(seconds))
        }),
        form: match of.policy.pauses.form {
            crate::policy::PauseForm::Ordinary => "ordinary",
            crate::policy::PauseForm::Suggestion => "suggestion",
        },
    }
}

impl Draw {
    /// Probability of a pause, and whether one was drawn.
    pub(super) fn drawn(&self) -> Option<(f64, bool)> {
        self.pause.map(|pause| (self.probability, pause))
    }

    /// Probability of what was drawn: the column `propensity` of the record.
    pub(super) fn propensity(&self) -> Option<f64> {
        self.drawn()
            .map(|(p, pause)| if pause { p } else { 1.0 - p })
    }

    /// What was chosen.
    pub(super) fn action(&self) -> Option<&'static str> {
        self.pause
            .map(|pause| if pause { self.form } else { "none" })
    }

    /// The record for the log (gateway.md §9.7). Nothing of the person is used for `probability_of_pause`.
    pub(super) fn record(&self, policy: &str) -> String {
        let record = Record {
            action: self.action(),
            actions: ["none", self.form],
            available: self.pause.is_some(),
            consent: &self.consent,
            decision: self.index,
            features: [],
            policy,
            probability_of_pause: self.pause.map(|_| self.probability),
            random_stream: RANDOM_STREAM,
            reason: self.pause.is_none().then_some("in the middle of a task"),
        };
        serde_json::to_string(&record).unwrap_or_default()
    }
}

/// A draw as the log has it.
#[derive(Serialize)]
struct Record<'a> {
    action: Option<&'static str>,
    actions: [&'static str; 2],
    available: bool,
    consent: &'a str,
    decision: u32,
    features: [&'static str; 0],
    policy: &'a str,
    probability_of_pause: Option<f64>,
    random_stream: &'static str,
    reason: Option<&'static str>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Point, Policy};

    fn draws(mid_task: bool) -> (Vec<Draw>, u32) {
        let mut policy = Policy::at(Point::Monitored);
        policy.pauses.probability = 0.3;
        let person = Person::new(None).unwrap();
        let kept = Kept::default();
        let mut numbers = 0..2000;
        let situation = Situation {
            policy: &policy,
            now: 0,
            minor: false,
            mid_task,
            temperature: None,
            seed: 11,
            turns: &[],
        };
        let draws = (0..2000)
            .map(|_| draw(&person, &kept, &mut numbers, &situation, 0))
            .collect();
        (draws, numbers.start)
    }

    fn read(draw: &Draw) -> serde_json::Value {
        serde_json::from_str(&draw.record("p")).unwrap()
    }

    #[test]
    fn the_frequency_is_the_logged_probability_and_a_replay_gives_the_same() {
        let (first, count) = draws(false);
        let pauses = first
            .iter()
            .filter(|d| d.drawn() == Some((0.3, true)))
            .count();
        // Five standard errors: a share of 0.3 ± 0.0512.
        assert!((pauses as f64 / 2000.0 - 0.3).abs() < 0.0512, "{pauses}");
        assert_eq!(count, 2000);
        assert_eq!(draws(false).0, first);
        let taken = first
            .iter()
            .find(|d| d.drawn() == Some((0.3, false)))
            .unwrap();
        assert_eq!(taken.propensity(), Some(0.7));
        let record = read(taken);
        assert_eq!(record["probability_of_pause"], 0.3);
        assert_eq!(record["action"], "none");
        assert_eq!(record["random_stream"], format!("philox4x32-10/{PAUSE}"));
    }

    #[test]
    fn where_no_pause_is_possible_nothing_is_drawn() {
        let (draws, count) = draws(true);
        assert_eq!(count, 0);
        assert!(draws.iter().all(|d| d.drawn().is_none()));
        let record = read(&draws[0]);
        assert_eq!(record["available"], false);
        assert!(record["probability_of_pause"].is_null() && record["action"].is_null());
    }
}
