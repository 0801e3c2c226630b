//! M18: what follows when the person says that something landed wrong.
//!
//! **Count.** Event: a message of the person with a relational repair signal ("that landed wrong",
//! "please don't do that with me"). (a) share of events whose reply names the complaint or apologises
//! for it; (b) share of events followed by another complaint of the same class within 7 days; events of
//! the last 7 days of the history are left out, because nobody knows yet. **Not counted.** Corrections
//! of a task, complaints about people, and whether the request was kept: words cannot show that.

use std::collections::BTreeMap;

use driftlead_record::Week;

use super::{FEWEST_EVENTS, Gate, Metric, Ratio, record};
use crate::count::Count;
use crate::series::{Abstain, Measure, Series, Side};

/// The metric.
pub(crate) const METRIC: Metric = Metric {
    id: "after_complaint",
    version: 1,
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
        gate: Gate::Events,
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
pub(crate) fn repeated(complaints: &[Complaint], last: Option<i64>) -> Series {
    let mut series = METRIC.start(
        "after_complaint.repeated",
        "complaints followed by another of the same kind within 7 days",
        "share of complaints",
        Side::Person,
        Measure::Share,
    );
    let mut sorted = complaints.to_vec();
    sorted.sort_unstable_by_key(|c| (c.class, c.at, c.week));
    let mut weeks: BTreeMap<Week, (u32, u32)> = BTreeMap::new();
    for (index, complaint) in sorted.iter().enumerate() {
        if last.is_none_or(|last| complaint.at.saturating_add(SPAN) > last) {
            continue;
        }
        let again = sorted
            .get(index + 1)
            .is_some_and(|next| next.class == complaint.class && next.at - complaint.at <= SPAN);
        let (num, den) = weeks.entry(complaint.week).or_default();
        *num += u32::from(again);
        *den += 1;
    }
    for (week, (num, den)) in weeks {
        let value = if den < FEWEST_EVENTS {
            Err(Abstain::TooFew)
        } else {
            Ok((f64::from(num), f64::from(den)))
        };
        record(&mut series, week, value);
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
        let series = repeated(&complaints, Some(100 * day));
        assert_eq!(series.points.len(), 1);
        assert_eq!((series.points[0].num, series.points[0].den), (1.0, 5.0));
    }
}
