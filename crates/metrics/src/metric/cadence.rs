//! M1: when the person writes.
//!
//! **Count.** Per week: days with a message; sessions (messages of the person over all conversations, cut
//! where 30 minutes pass without one), in the week of their start; median messages per session; median hours
//! from the end of a session to the start of the next; share of messages written from 00:00 to 05:00 on the
//! person's clock. **Not counted.** Imported or missing times; times of a whole conversation; the same text
//! at the same minute of the day five times or more (scheduled prompts). Only weeks with a message have a
//! value: an empty week is a gap, not a zero. Runs of days are not counted.

use std::collections::BTreeMap;

use driftlead_record::{MICROS, Time, TimeQuality, Week};
use rustc_hash::FxHashMap;

use super::{FEWEST_MESSAGES, Metric, record};
use crate::series::{Abstain, Measure, Series, Side};

/// The metric.
pub(crate) const METRIC: Metric = Metric {
    id: "cadence",
    version: 1,
    lists: &[],
    thresholds: "session 1800 s; night 0-5 h; scripted from 5",
    primary: &["cadence.sessions"],
    rules: &[],
    series: &[],
};

/// Seconds of silence that end a session.
pub(crate) const SESSION_GAP: i64 = 1800;
/// Repetitions of one text at one minute of the day that count as scheduled.
const SCRIPTED: u32 = 5;
const DAY: i64 = 86_400;
const NO_OFFSET: i32 = i32::MIN;

/// When a message of the person was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp {
    seconds: i64,
    offset: i32,
    text: u32,
}

impl Stamp {
    /// `None` where only the conversation is dated, or the time is the import's.
    pub(crate) fn new(time: &Time, text_hash: u64) -> Option<Self> {
        (time.quality <= TimeQuality::Local).then(|| Stamp {
            seconds: time.micros.div_euclid(MICROS),
            offset: time.offset_seconds.unwrap_or(NO_OFFSET),
            text: (text_hash >> 32) as u32,
        })
    }

    fn local(&self) -> i64 {
        let offset = if self.offset == NO_OFFSET {
            0
        } else {
            self.offset
        };
        self.seconds.saturating_add(i64::from(offset))
    }

    fn day(&self) -> i32 {
        i32::try_from(self.local().div_euclid(DAY)).unwrap_or(i32::MAX)
    }

    fn week(&self) -> Week {
        Week::of_day(self.day())
    }

    fn hour(&self) -> Option<i64> {
        (self.offset != NO_OFFSET).then(|| self.local().rem_euclid(DAY) / 3600)
    }
}

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
pub(crate) fn series(stamps: &[Stamp], undated_weeks: &BTreeMap<Week, u32>) -> Vec<Series> {
    let weeks = fold(unscripted(stamps));
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

/// Sorted stamps without scheduled prompts.
fn unscripted(stamps: &[Stamp]) -> Vec<Stamp> {
    let minute = |s: &Stamp| (s.text, s.local().rem_euclid(DAY) / 60);
    let mut repeats: FxHashMap<(u32, i64), u32> = FxHashMap::default();
    for stamp in stamps {
        *repeats.entry(minute(stamp)).or_default() += 1;
    }
    let mut kept: Vec<Stamp> = stamps
        .iter()
        .filter(|s| repeats.get(&minute(s)).is_none_or(|&n| n < SCRIPTED))
        .copied()
        .collect();
    kept.sort_unstable();
    kept
}

fn fold(stamps: Vec<Stamp>) -> BTreeMap<Week, CadenceWeek> {
    let mut weeks: BTreeMap<Week, CadenceWeek> = BTreeMap::new();
    let mut previous: Option<Stamp> = None;
    let mut open: Option<(Week, f64)> = None;
    for stamp in stamps {
        let silence = previous.map(|p| stamp.seconds - p.seconds);
        if let Some((_, count)) = open
            .as_mut()
            .filter(|_| silence.is_some_and(|s| s <= SESSION_GAP))
        {
            *count += 1.0;
        } else {
            close(&mut weeks, open.take());
            open = Some((stamp.week(), 1.0));
            if let Some(silence) = silence {
                weeks
                    .entry(stamp.week())
                    .or_default()
                    .gap_hours
                    .push(silence as f64 / 3600.0);
            }
        }
        note(weeks.entry(stamp.week()).or_default(), &stamp);
        previous = Some(stamp);
    }
    close(&mut weeks, open);
    weeks
}

fn close(weeks: &mut BTreeMap<Week, CadenceWeek>, session: Option<(Week, f64)>) {
    if let Some((week, messages)) = session {
        weeks
            .entry(week)
            .or_default()
            .messages_per_session
            .push(messages);
    }
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

    /// Stamp of a UTC instant with an offset in hours; texts differ unless `text` is repeated.
    fn stamp(instant: &str, offset_hours: i32, text: u64) -> Stamp {
        let at: i64 = instant.parse::<i64>().unwrap();
        let time = Time {
            micros: at * MICROS,
            offset_seconds: Some(offset_hours * 3600),
            quality: TimeQuality::Exact,
        };
        Stamp::new(&time, text << 32).unwrap()
    }

    fn at(seconds: i64, offset_hours: i32) -> Stamp {
        stamp(
            &seconds.to_string(),
            offset_hours,
            seconds as u64 & 0xFFFF_FFFF,
        )
    }

    fn value(stamps: &[Stamp], id: &str) -> Vec<(String, f64)> {
        let all = series(stamps, &BTreeMap::new());
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
        let forward = series(&stamps, &BTreeMap::new());
        stamps.reverse();
        assert_eq!(forward, series(&stamps, &BTreeMap::new()));
    }

    #[test]
    fn scheduled_prompts_are_left_out() {
        let daily = |n: i64| -> Vec<Stamp> {
            (0..n)
                .map(|i| stamp(&(NEW_YEAR_EVE - 2 * 86_400 + i * 86_400).to_string(), 0, 7))
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
                    i as u64 * 0x1_0000_0001,
                )
            })
            .collect();
        let all = series(&stamps, &BTreeMap::new());
        assert_eq!(all[4].abstained.get(&Abstain::TimeQuality), Some(&1));
        let conversation = Time {
            quality: TimeQuality::Conversation,
            ..time
        };
        assert!(Stamp::new(&conversation, 0).is_none());
    }
}
