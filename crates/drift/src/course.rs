//! A person's course: every series with its verdict, and what the history covers.

use std::sync::Arc;

use driftlead_metrics::{Activity, Series};
use driftlead_record::Week;
use serde::Serialize;

use crate::Verdict;

/// One week of coverage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WeekCoverage {
    /// Week.
    pub week: Week,
    /// Messages of the person on main paths.
    pub person_messages: u32,
    /// Messages of the system on main paths.
    pub system_messages: u32,
    /// System version that wrote most of the system's messages, where recorded.
    pub system: Option<Arc<str>>,
}

/// What the history covers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Coverage {
    /// Every week from the first to the last with a trustworthy time; empty weeks have zero counts.
    pub weeks: Vec<WeekCoverage>,
    /// Conversations read.
    pub conversations: u64,
    /// Main-path messages read.
    pub messages: u64,
    /// Messages without a trustworthy time: counted here, used for nothing over time.
    pub untimed_messages: u64,
    /// Weeks without any message between the first and the last.
    pub empty_weeks: u32,
}

impl Coverage {
    /// Fills the weeks without a message between the first and the last.
    pub fn of(activity: &Activity) -> Self {
        let mut weeks: Vec<WeekCoverage> = Vec::new();
        for week in &activity.weeks {
            let next = weeks.last().map_or(week.week, |w| Week(w.week.0 + 1));
            weeks.extend((next.0..week.week.0).map(|w| WeekCoverage {
                week: Week(w),
                person_messages: 0,
                system_messages: 0,
                system: None,
            }));
            weeks.push(WeekCoverage {
                week: week.week,
                person_messages: week.person_messages,
                system_messages: week.system_messages,
                system: week.system.clone(),
            });
        }
        let silent = weeks
            .iter()
            .filter(|w| w.person_messages + w.system_messages == 0)
            .count();
        Coverage {
            empty_weeks: u32::try_from(silent).unwrap_or(u32::MAX),
            weeks,
            conversations: activity.conversations,
            messages: activity.messages,
            untimed_messages: activity.untimed_messages,
        }
    }
}

/// One series with its verdict.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// The weekly values.
    pub series: Series,
    /// The verdict on them.
    pub verdict: Verdict,
}

/// A person's course with one deployment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Course {
    /// The deployment.
    pub deployment: Arc<str>,
    /// What it covers.
    pub coverage: Coverage,
    /// One line per judged series.
    pub lines: Vec<Line>,
    /// Series that are shown without a verdict: parts of the judged ones, and counts that are not judged.
    pub shown: Vec<Series>,
    /// Number of simultaneous statements (changes and steps) the intervals are corrected for.
    pub family: u32,
    /// Family-wise error level, 0.05.
    pub alpha: f64,
    /// Equivalence margin in own SDs.
    pub delta_sd: f64,
    /// Seed of the null series.
    pub seed: u64,
}
