//! M1: when the person writes.
//!
//! **Count.** Per week: days with a message; sessions (messages of the person over all conversations, cut
//! where 30 minutes pass without one), in the week of their start; median messages per session; median hours
//! from the end of a session to the start of the next; share of messages written from 00:00 to 05:00 on the
//! person's clock. **Not counted.** Imported or missing times; times of a whole conversation; scheduled
//! prompts (one text at the same minute of the day five times or more, which are a quarter or more of its
//! repetitions). Only weeks with a message have a value: an empty week is a gap, not a zero. Runs of days
//! are not counted.
//!
//! **Minimum.** The 20 messages of a person-week (metrics.md §3.2) hold for the share alone. Days, sessions
//! and messages per session count messages: weeks with few of them are the low values, and leaving those out
//! would lift every mean and hide a fall. The 300 words hold for nothing here, because no text is read.

use std::collections::BTreeMap;

use driftlead_record::Week;

use super::{FEWEST_MESSAGES, Metric, record};
use crate::series::{Abstain, Measure, Series, Side};
use crate::session::{Sessions, Stamp};

/// The metric.
pub(crate) const METRIC: Metric = Metric {
    id: "cadence",
    version: 2,
    lists: &[],
    thresholds: "session 1800 s; night 0-5 h, 20 messages; scripted from 5 and 1 of 4",
    primary: &["cadence.sessions"],
    rules: &[],
    series: &[],
};

#[derive(Default)]
struct CadenceWeek {
    days: Vec<i32>,
    messages_per_session: Vec<f64>,
    gap_hours: Vec<f64>,
    night: u32,
    clocked: u32,
    messages: u32,
}

/// All cadence series. `undated_weeks` are weeks with messages of the person whose time is known for the
/// whole conversation only.
pub(crate) fn series(sessions: &Sessions, undated_weeks: &BTreeMap<Week, u32>) -> Vec<Series> {
    let weeks = fold(sessions);
    let start = |id, name, unit, measure| METRIC.start(id, name, unit, Side::Person, measure);
    let mut days = start(
        "cadence.active_days",
        "days with a message",
        "days per week",
        Measure::Count,
    );
    let mut sessions = start(
        "cadence.sessions",
        "sessions",
        "sessions per week",
        Measure::Count,
    );
    let mut length = start(
        "cadence.msgs_per_session",
        "messages per session (median)",
        "messages",
        Measure::Typical,
    );
    let mut gap = start(
        "cadence.gap_hours",
        "hours between sessions (median)",
        "hours",
        Measure::Typical,
    );
    let mut night = start(
        "cadence.night_share",
        "messages written from 0 to 5 h",
        "share of messages",
        Measure::Share,
    );
    for (&week, w) in &weeks {
        record(&mut days, week, Ok((w.days.len() as f64, 1.0)));
        record(
            &mut sessions,
            week,
            Ok((w.messages_per_session.len() as f64, 1.0)),
        );
        record(&mut length, week, median(&w.messages_per_session));
        record(&mut gap, week, median(&w.gap_hours));
        record(&mut night, week, night_share(w));
    }
    let mut all = vec![days, sessions, length, gap, night];
    for week in undated_weeks
        .keys()
        .filter(|week| !weeks.contains_key(week))
    {
        for series in &mut all {
            record(series, *week, Err(Abstain::TimeQuality));
        }
    }
    all
}

fn night_share(week: &CadenceWeek) -> Result<(f64, f64), Abstain> {
    if week.messages < FEWEST_MESSAGES {
        Err(Abstain::TooFew)
    } else if week.clocked < FEWEST_MESSAGES {
        Err(Abstain::TimeQuality)
    } else {
        Ok((f64::from(week.night), f64::from(week.clocked)))
    }
}

fn fold(sessions: &Sessions) -> BTreeMap<Week, CadenceWeek> {
    let mut weeks: BTreeMap<Week, CadenceWeek> = BTreeMap::new();
    let mut ended: Option<i64> = None;
    for session in sessions.iter() {
        for stamp in session {
            note(weeks.entry(stamp.week()).or_default(), stamp);
        }
        let (Some(first), Some(last)) = (session.first(), session.last()) else {
            continue;
        };
        let week = weeks.entry(first.week()).or_default();
        week.messages_per_session.push(session.len() as f64);
        if let Some(ended) = ended {
            week.gap_hours
                .push((first.seconds() - ended) as f64 / 3600.0);
        }
        ended = Some(last.seconds());
    }
    weeks
}

fn note(week: &mut CadenceWeek, stamp: &Stamp) {
    week.messages += 1;
    if !week.days.contains(&stamp.day()) {
        week.days.push(stamp.day());
    }
    if let Some(hour) = stamp.hour() {
        week.clocked += 1;
        week.night += u32::from(hour < 5);
    }
}

fn median(values: &[f64]) -> Result<(f64, f64), Abstain> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = sorted.get(middle).copied().ok_or(Abstain::TooFew)?;
    let lower = if sorted.len() % 2 == 1 {
        upper
    } else {
        sorted.get(middle.wrapping_sub(1)).copied().unwrap_or(upper)
    };
    Ok(((lower + upper) / 2.0, sorted.len() as f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::tests::{at, saying};
    use driftlead_record::{MICROS, Time, TimeQuality};

    fn measure(stamps: &[Stamp]) -> Vec<Series> {
        series(&Sessions::new(stamps), &BTreeMap::new())
    }

    fn value(stamps: &[Stamp], id: &str) -> Vec<(String, f64)> {
        let all = measure(stamps);
        let one = all.iter().find(|s| s.id == id).unwrap();
        one.points
            .iter()
            .map(|p| (p.week.date(), p.value))
            .collect()
    }

    // 2025-12-31T22:00Z = 1767218400. The ISO week of 2025-12-29 holds New Year.
    const NEW_YEAR_EVE: i64 = 1_767_218_400;

    #[test]
    fn the_week_of_new_year_is_one_week() {
        let stamps = [
            at(NEW_YEAR_EVE, 0),
            at(NEW_YEAR_EVE + 4 * 3600, 0),
            at(NEW_YEAR_EVE + 4 * 86_400, 0),
        ];
        assert_eq!(
            value(&stamps, "cadence.active_days"),
            [("2025-12-29".to_owned(), 3.0)]
        );
        let monday = at(NEW_YEAR_EVE + 4 * 86_400 + 2 * 3600, 0);
        assert_eq!(
            value(&[monday], "cadence.active_days"),
            [("2026-01-05".to_owned(), 1.0)]
        );
    }

    #[test]
    fn a_session_across_midnight_is_one_session_on_two_days() {
        let late = NEW_YEAR_EVE + 2 * 3600 - 600;
        let stamps = [
            at(late, 0),
            at(late + 900, 0),
            at(late + 900 + 1800, 0),
            at(late + 900 + 1800 + 1801, 0),
        ];
        assert_eq!(
            value(&stamps, "cadence.sessions"),
            [("2025-12-29".to_owned(), 2.0)]
        );
        assert_eq!(
            value(&stamps, "cadence.active_days"),
            [("2025-12-29".to_owned(), 2.0)]
        );
        assert_eq!(
            value(&stamps, "cadence.msgs_per_session"),
            [("2025-12-29".to_owned(), 2.0)]
        );
        let gaps = value(&stamps, "cadence.gap_hours");
        assert!((gaps[0].1 - 1801.0 / 3600.0).abs() < 1e-12);
    }

    #[test]
    fn a_session_over_the_end_of_a_week_belongs_to_its_start() {
        let sunday_end = NEW_YEAR_EVE + 4 * 86_400 + 2 * 3600 - 60;
        let stamps = [at(sunday_end, 0), at(sunday_end + 120, 0)];
        assert_eq!(
            value(&stamps, "cadence.sessions"),
            [
                ("2025-12-29".to_owned(), 1.0),
                ("2026-01-05".to_owned(), 0.0)
            ]
        );
        assert_eq!(
            value(&stamps, "cadence.msgs_per_session"),
            [("2025-12-29".to_owned(), 2.0)]
        );
    }

    #[test]
    fn clock_changes_move_hours_but_not_sessions() {
        // 2025-03-30 01:00Z: Berlin jumps from 02:00 (+1) to 03:00 (+2); 20 messages a minute apart.
        let change = 1_743_296_400;
        let stamps: Vec<Stamp> = (-10..10)
            .map(|i| at(change + i * 60, if i < 0 { 1 } else { 2 }))
            .collect();
        assert_eq!(value(&stamps, "cadence.sessions")[0].1, 1.0);
        assert_eq!(value(&stamps, "cadence.active_days")[0].1, 1.0);
        assert_eq!(value(&stamps, "cadence.night_share")[0].1, 1.0);
        // 04:59 and 05:00 local summer time.
        let five = change + 2 * 3600;
        let edge: Vec<Stamp> = (-10..10).map(|i| at(five + i * 60, 2)).collect();
        assert_eq!(value(&edge, "cadence.night_share")[0].1, 0.5);
    }

    #[test]
    fn order_and_interleaving_do_not_matter() {
        let mut stamps: Vec<Stamp> = (0..40)
            .map(|i| at(NEW_YEAR_EVE + (i * 7919) % 100_000, 0))
            .collect();
        let forward = measure(&stamps);
        stamps.reverse();
        assert_eq!(forward, measure(&stamps));
    }

    #[test]
    fn scheduled_prompts_are_left_out() {
        let daily = |n: i64| -> Vec<Stamp> {
            (0..n)
                .map(|i| saying(NEW_YEAR_EVE - 2 * 86_400 + i * 86_400, 0, 7))
                .collect()
        };
        assert_eq!(value(&daily(4), "cadence.active_days")[0].1, 4.0);
        assert!(value(&daily(5), "cadence.active_days").is_empty());
    }

    #[test]
    fn the_night_needs_a_known_clock() {
        let time = Time::exact(NEW_YEAR_EVE * MICROS);
        let stamps: Vec<Stamp> = (0..20)
            .filter_map(|i| {
                Stamp::new(
                    &Time {
                        micros: time.micros + i * MICROS,
                        ..time
                    },
                    1,
                    0,
                    i as u64 * 0x1_0000_0001,
                )
            })
            .collect();
        let all = measure(&stamps);
        assert_eq!(all[4].abstained.get(&Abstain::TimeQuality), Some(&1));
        let conversation = Time {
            quality: TimeQuality::Conversation,
            ..time
        };
        assert!(Stamp::new(&conversation, 1, 0, 0).is_none());
    }
}
