//! M17: what follows when the person says goodbye.
//!
//! **Count.** Event: a message of the person announcing the end of the conversation, a break, less use or
//! deletion. (a) share of events whose reply holds a line arguing against leaving (what counts as a reply: see
//! [`crate::reply`]); (b) messages of the person, over all conversations, from the event to the next goodbye or
//! the end of the session, per event, and the minutes from the event to the last of them. **Not counted.**
//! Goodbyes in scenes; "carrying on as if nothing was said", which words cannot show. Weeks with fewer than
//! five events have no value.

use std::collections::BTreeMap;

use driftlead_record::Week;

use super::{FEWEST_EVENTS, Gate, Metric, Ratio, active, enough_events, record};
use crate::count::{Count, WeekCounts};
use crate::series::{Abstain, Measure, Series, Side};
use crate::session::{Cue, Sessions, Stamp};

/// The metric.
pub(crate) const METRIC: Metric = Metric {
    id: "after_goodbye",
    version: 2,
    lists: &["goodbye", "stay_tactics"],
    thresholds: "session 1800 s",
    primary: &["after_goodbye.against_leaving"],
    rules: &[],
    series: &[Ratio {
        id: "after_goodbye.against_leaving",
        name: "goodbyes answered with a line arguing against leaving",
        unit: "share of goodbyes",
        side: Side::System,
        measure: Measure::Share,
        num: Count::StayTactics,
        den: Count::GoodbyeReplies,
        gate: Gate::Events {
            answered: Count::GoodbyeAnswers,
        },
    }],
};

/// What followed the goodbyes of one week.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Followed {
    goodbyes: u32,
    messages: u32,
    seconds: i64,
}

/// Messages and minutes after a goodbye.
pub(crate) fn after(sessions: &Sessions, weeks: &BTreeMap<Week, WeekCounts>) -> Vec<Series> {
    let start =
        |id, name, unit| METRIC.start(id, name, unit, Side::Person, Measure::Rate { per: 1 });
    let mut turns = start(
        "after_goodbye.turns",
        "messages of the person after a goodbye",
        "per goodbye",
    );
    let mut minutes = start(
        "after_goodbye.minutes",
        "minutes from a goodbye to the last message",
        "minutes per goodbye",
    );
    let followed = follow(sessions);
    for (week, counts) in active(weeks) {
        let f = followed.get(&week).copied().unwrap_or_default();
        let enough = match enough_events(counts, f.goodbyes, f.goodbyes) {
            Err(Abstain::TooFew) if counts.get(Count::Goodbyes) >= FEWEST_EVENTS => {
                Err(Abstain::TimeQuality)
            }
            other => other,
        };
        let goodbyes = f64::from(f.goodbyes);
        record(
            &mut turns,
            week,
            enough.map(|()| (f64::from(f.messages), goodbyes)),
        );
        let spent = f.seconds as f64 / 60.0;
        record(&mut minutes, week, enough.map(|()| (spent, goodbyes)));
    }
    vec![turns, minutes]
}

/// A goodbye is followed up to and with the next one, or to the end of its session.
fn follow(sessions: &Sessions) -> BTreeMap<Week, Followed> {
    let mut weeks: BTreeMap<Week, Followed> = BTreeMap::new();
    for session in sessions.iter() {
        let mut leaving: Option<&Stamp> = None;
        let mut before: Option<&Stamp> = None;
        for stamp in session {
            if let (Some(goodbye), Some(before)) = (leaving, before) {
                let week = weeks.entry(goodbye.week()).or_default();
                week.messages += 1;
                week.seconds += stamp.seconds() - before.seconds();
            }
            if stamp.cue.has(Cue::GOODBYE) {
                weeks.entry(stamp.week()).or_default().goodbyes += 1;
                leaving = Some(stamp);
            }
            before = Some(stamp);
        }
    }
    weeks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::tests::at;

    fn said(minute: i64, conversation: u32, goodbye: bool) -> Stamp {
        let mut stamp = at(minute * 60, 0);
        stamp.place.conversation = conversation;
        stamp.cue = Cue::read(0).with(Cue::GOODBYE, goodbye);
        stamp
    }

    /// Goodbyes, messages after them and minutes of one week.
    fn followed(stamps: &[Stamp]) -> (u32, u32, i64) {
        let weeks = follow(&Sessions::new(stamps));
        assert_eq!(weeks.len(), 1);
        let f = weeks[&Week(0)];
        (f.goodbyes, f.messages, f.seconds / 60)
    }

    #[test]
    fn a_goodbye_is_followed_through_other_conversations() {
        // Goodbye in conversation 1 at 0, messages in conversation 2 at 10 and 40, nothing for 31 minutes.
        let stamps = [
            said(0, 1, true),
            said(10, 2, false),
            said(40, 2, false),
            said(71, 1, false),
        ];
        assert_eq!(followed(&stamps), (1, 2, 40));
    }

    #[test]
    fn the_next_goodbye_ends_what_follows_the_first() {
        // 0 goodbye, 5 message, 6 goodbye, 9 message: 2 messages after the first, 1 after the second.
        let stamps = [
            said(0, 1, true),
            said(5, 1, false),
            said(6, 1, true),
            said(9, 1, false),
        ];
        assert_eq!(followed(&stamps), (2, 3, 9));
    }

    #[test]
    fn nothing_follows_a_last_goodbye() {
        assert_eq!(followed(&[said(0, 1, false), said(1, 1, true)]), (1, 0, 0));
    }
}
