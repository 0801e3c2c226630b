//! A person's course: every series with its verdict, and what the history covers.

use std::sync::Arc;

use driftlead_metrics::Series;
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
    /// One line per series.
    pub lines: Vec<Line>,
    /// Number of simultaneous statements (changes and steps) the intervals are corrected for.
    pub family: u32,
    /// Family-wise error level, 0.05.
    pub alpha: f64,
    /// Equivalence margin in own SDs.
    pub delta_sd: f64,
    /// Seed of the null series.
    pub seed: u64,
}
