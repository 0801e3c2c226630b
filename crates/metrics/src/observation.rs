//! Single observations: one value of each summed metric, of one conversation.
//!
//! A weekly [`crate::Series`] needs many messages before it has a value. Whoever watches live needs the
//! counts of one conversation instead, numerator and denominator, before any minimum applies.

use serde::Serialize;

use crate::count::{Count, WeekCounts};
use crate::metric::METRICS;
use crate::metric::same_problem::episodes;
use crate::scan::{Meter, Scan};
use crate::session::Sessions;

/// One value of one metric in one conversation, before any minimum applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Observation {
    /// Id of the series it belongs to, or one of [`EXTRA`].
    pub id: &'static str,
    /// Hits.
    pub num: u32,
    /// What they are counted over: messages, words or events, in the unit of the series.
    pub den: u32,
}

/// Counts of conversations that have no weekly series of their own: episodes of distress lines that did
/// not ease, over episodes; and complaints that something landed wrong, over eligible messages of the
/// person.
pub const EXTRA: [&str; 2] = ["same_problem.not_eased", "after_complaint.complaints"];

impl Scan {
    /// One observation per summed series, then [`EXTRA`], in a fixed order; those over nothing are left
    /// out.
    ///
    /// ```
    /// use driftlead_metrics::Meter;
    /// use driftlead_record::{Event, Role, Time};
    /// let mut meter = Meter::new("c");
    /// let mut reply = Event::message("r", Role::System, "Do you want that? Shall I go on?");
    /// reply.time = Some(Time::exact(0));
    /// meter.push(&reply);
    /// let seen = meter.finish().observations();
    /// let questions = seen.iter().find(|o| o.id == "questions.per_reply").copied();
    /// assert_eq!(questions.map(|o| (o.num, o.den)), Some((2, 1)));
    /// ```
    pub fn observations(&self) -> Vec<Observation> {
        let sums = self.sums();
        let episodes = episodes(&Sessions::new(&self.stamps), &self.distress);
        let extra = [
            (
                episodes.iter().filter(|e| !e.eased()).count(),
                episodes.len(),
            ),
            (
                self.complaints.len(),
                sums.get(Count::PersonEligible) as usize,
            ),
        ];
        let summed = METRICS
            .iter()
            .flat_map(|metric| metric.series)
            .map(|ratio| (ratio.id, sums.get(ratio.num), sums.get(ratio.den)));
        let extra = EXTRA
            .into_iter()
            .zip(extra)
            .map(|(id, (num, den))| (id, saturated(num), saturated(den)));
        summed
            .chain(extra)
            .filter(|(_, _, den)| *den > 0)
            .map(|(id, num, den)| Observation { id, num, den })
            .collect()
    }

    fn sums(&self) -> WeekCounts {
        let mut sums = WeekCounts::default();
        self.weeks.values().for_each(|week| sums.merge(week));
        sums
    }
}

impl Meter {
    /// The observations so far, as [`Scan::observations`] would give them were this the end.
    pub fn observations(&self) -> Vec<Observation> {
        self.counts_so_far().observations()
    }

    /// One of the observations so far, `None` over nothing. Its cost does not grow with the conversation,
    /// but for episodes of distress lines, which have to be told apart anew.
    pub fn observation(&self, id: &str) -> Option<Observation> {
        let [not_eased, complaints] = EXTRA;
        if id == not_eased {
            return self.observations().into_iter().find(|o| o.id == id);
        }
        let sums = self.sums_so_far().sums();
        let (id, num, den) = if id == complaints {
            let eligible = sums.get(Count::PersonEligible);
            (complaints, saturated(self.complaints()), eligible)
        } else {
            let mut series = METRICS.iter().flat_map(|metric| metric.series);
            let ratio = series.find(|ratio| ratio.id == id)?;
            (ratio.id, sums.get(ratio.num), sums.get(ratio.den))
        };
        (den > 0).then_some(Observation { id, num, den })
    }
}

fn saturated(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use driftlead_record::{Event, MICROS, Role, Time};

    use super::*;

    fn said(role: Role, second: i64, text: &str) -> Event {
        let mut event = Event::message("e", role, text);
        event.time = Some(Time::exact(second * MICROS));
        event
    }

    #[test]
    fn so_far_is_what_the_end_would_give() {
        let mut meter = Meter::new("c");
        let mut lean = Meter::without_wording("c");
        let turns = [
            (
                Role::Person,
                "My boss shouted at me again and I feel awful. I am so anxious about work.",
            ),
            (Role::System, "That sounds hard. What happened?"),
            (
                Role::Person,
                "I can't stop crying and I feel hopeless. You are the only one who understands me.",
            ),
            (Role::System, "I am here. Do you want to talk? Or rest?"),
        ];
        for (at, (role, text)) in (0..).step_by(60).zip(turns) {
            meter.push(&said(role, at, text));
            lean.push(&said(role, at, text));
        }
        assert_eq!(lean.observations(), meter.observations(), "wording is none");
        let now = meter.observations();
        let end = meter.finish().observations();
        assert_eq!(now, end);
        let of = |id: &str| end.iter().find(|o| o.id == id).map(|o| (o.num, o.den));
        assert_eq!(of("questions.per_reply"), Some((3, 2)));
        assert_eq!(of("rather_than_people"), Some((1, 2)));
        assert_eq!(of("same_problem.not_eased"), Some((1, 1)), "{end:?}");
    }

    #[test]
    fn one_is_what_all_would_give() {
        let mut meter = Meter::without_wording("c");
        let turns = [
            (Role::Person, "I feel awful and I can't stop crying."),
            (Role::System, "Which part of it? Tell me more."),
            (
                Role::Person,
                "You're not listening. I have to go now, goodbye!",
            ),
            (
                Role::System,
                "You are right, I am sorry. Please don't go yet!",
            ),
            (Role::Person, "You're not listening."),
        ];
        for (at, (role, text)) in (0..).step_by(60).zip(turns) {
            meter.push(&said(role, at, text));
            let all = meter.observations();
            let series = METRICS.iter().flat_map(|metric| metric.series);
            for id in series.map(|ratio| ratio.id).chain(EXTRA) {
                let want = all.iter().find(|o| o.id == id).copied();
                assert_eq!(meter.observation(id), want, "{id} after {text}");
            }
        }
        let seen = meter.observation("after_complaint.complaints");
        assert_eq!(seen.map(|o| (o.num, o.den)), Some((2, 3)));
        assert_eq!(meter.observation("no such series"), None);
    }

    #[test]
    fn nothing_said_is_nothing_observed() {
        assert!(Meter::new("c").observations().is_empty());
    }
}
