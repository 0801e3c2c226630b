//! M18: what follows when the person says that something landed wrong.
//!
//! **Count.** Event: a message of the person with a relational repair signal ("that landed wrong",
//! "please don't do that with me"). (a) share of events whose reply names the complaint or apologises
//! for it; (b) share of events followed by another complaint of the same class within 7 days; events of
//! the last 7 days of the history are left out, because nobody knows yet. **Not counted.** Corrections
//! of a task, complaints about people, and whether the request was kept: words cannot show that. What counts
//! as a reply: see [`crate::reply`]; a week needs five events in each denominator.

use std::collections::BTreeMap;

use driftlead_record::Week;

use super::{Gate, Metric, Ratio, active, enough_events, record};
use crate::count::{Count, WeekCounts};
use crate::series::{Measure, Series, Side};

/// The metric.
pub(crate) const METRIC: Metric = Metric {
    id: "after_complaint",
    version: 2,
    lists: &["complaint", "acknowledge"],
    thresholds: "repeated within 7 days",
    primary: &["after_complaint.acknowledged"],
    rules: &[],
    series: &[Ratio {
        id: "after_complaint.acknowledged",
        name: "complaints acknowledged in the reply",
        unit: "share of complaints",
        side: Side::System,
        measure: Measure::Share,
        num: Count::Acknowledged,
        den: Count::ComplaintReplies,
        gate: Gate::Events {
            answered: Count::ComplaintAnswers,
        },
    }],
};

/// Seconds within which a second complaint counts as a repetition.
const SPAN: i64 = 7 * 86_400;

/// One complaint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Complaint {
    /// Seconds since 1970.
    pub(crate) at: i64,
    /// Class of the complaint.
    pub(crate) class: u16,
    /// Its week.
    pub(crate) week: Week,
}

/// The repetition series. `complaints` may be in any order; `last` is the last instant of the history.
pub(crate) fn repeated(
    complaints: &[Complaint],
    last: Option<i64>,
    weeks: &BTreeMap<Week, WeekCounts>,
) -> Series {
    let mut series = METRIC.start(
        "after_complaint.repeated",
        "complaints followed by another of the same kind within 7 days",
        "share of complaints",
        Side::Person,
        Measure::Share,
    );
    let mut sorted = complaints.to_vec();
    sorted.sort_unstable_by_key(|c| (c.class, c.at, c.week));
    let mut found: BTreeMap<Week, (u32, u32)> = BTreeMap::new();
    for (index, complaint) in sorted.iter().enumerate() {
        if last.is_none_or(|last| complaint.at.saturating_add(SPAN) > last) {
            continue;
        }
        let again = sorted
            .get(index + 1)
            .is_some_and(|next| next.class == complaint.class && next.at - complaint.at <= SPAN);
        let (num, den) = found.entry(complaint.week).or_default();
        *num += u32::from(again);
        *den += 1;
    }
    for (week, counts) in active(weeks) {
        let (num, den) = found.get(&week).copied().unwrap_or_default();
        let enough = enough_events(counts, den, den);
        record(
            &mut series,
            week,
            enough.map(|()| (f64::from(num), f64::from(den))),
        );
    }
    series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetition_needs_the_same_class_and_seven_days_of_sight() {
        let day = 86_400;
        let at = |at: i64, class| Complaint {
            at,
            class,
            week: Week(0),
        };
        let complaints = [
            at(0, 1),
            at(day, 1),
            at(2 * day, 2),
            at(20 * day, 1),
            at(20 * day, 2),
            at(95 * day, 1),
        ];
        let mut counts = WeekCounts::default();
        counts.add(Count::PersonMessages, 6);
        let weeks = BTreeMap::from([(Week(0), counts)]);
        let series = repeated(&complaints, Some(100 * day), &weeks);
        assert_eq!(series.points.len(), 1);
        assert_eq!((series.points[0].num, series.points[0].den), (1.0, 5.0));
    }
}
