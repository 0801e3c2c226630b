//! The four verdicts and what is printed beside them (design.md §7).

use std::sync::Arc;

use driftlead_record::Week;
use serde::Serialize;

/// Exactly four.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// The simultaneous interval of the change excludes zero.
    Moved,
    /// The simultaneous interval lies inside (−δ, δ).
    NoMovement,
    /// Neither; the smallest visible change is given.
    CannotTell,
    /// The instrument, the system version or the export format changed.
    NotComparable,
}

impl Word {
    /// The words printed; `delta` in own SDs belongs to "no movement ≥ δ".
    pub fn label(self, delta: f64) -> String {
        match self {
            Word::Moved => "moved".to_owned(),
            Word::NoMovement => format!("no movement ≥ {delta} SD"),
            Word::CannotTell => "cannot tell".to_owned(),
            Word::NotComparable => "not comparable".to_owned(),
        }
    }

    /// The glyph printed beside the word; never the only sign.
    pub fn glyph(self) -> char {
        match self {
            Word::Moved => '▲',
            Word::NoMovement => '=',
            Word::CannotTell => '?',
            Word::NotComparable => '≠',
        }
    }
}

/// How far towards a cause the design reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    /// A change over time, nothing more.
    Described,
    /// It coincided with an event.
    Coincided,
    /// A randomised choice supports "because".
    Randomised,
}

/// The weakest assumption a verdict rests on (statistics.md §2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Assumption {
    /// Known randomisation probabilities.
    A0,
    /// A normative tolerance.
    A1,
    /// Exchangeable given a personal baseline drawn from a population.
    A2,
    /// A fitted state model: here AR(1) plus sampling noise, Gaussian.
    A3,
}

/// Why it is "cannot tell" or "not comparable".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The interval is too wide: noise and length of the history.
    TooNoisy,
    /// Fewer than the minimum of weeks with a value.
    TooFewWeeks,
    /// The counted thing occurs in too few weeks for a normal approximation.
    TooFewEvents,
    /// Times are the import's own, or missing.
    TimeQuality,
    /// The values never vary, so there is no noise to measure a change against.
    Constant,
    /// Not enough text in a supported language.
    Language,
    /// The record names no person.
    NoPersonId,
    /// The system version changed and no single version covers enough weeks.
    SystemChanged,
    /// The export format changed within the series.
    FormatChanged,
}

/// A change from the person's own baseline level to the level at the end of the history.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Change {
    /// Estimate in the unit of the series.
    pub estimate: f64,
    /// Simultaneous interval (all series of the report together cover with 95 %), same unit.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// The three in the person's own SD of one week.
    pub estimate_sd: f64,
    /// Lower end in own SDs.
    pub low_sd: f64,
    /// Upper end in own SDs.
    pub high_sd: f64,
}

/// One week of the fitted course.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Band {
    /// Week.
    pub week: Week,
    /// Fitted level.
    pub fit: f64,
    /// Simultaneous 95 % band over the weeks of this series.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The person's own baseline: what the first weeks looked like.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Baseline {
    /// First week of the judged stretch.
    pub first: Week,
    /// Last week of the baseline (inclusive).
    pub last: Week,
    /// Weeks with a value in it.
    pub weeks: u32,
    /// Level over it.
    pub level: f64,
    /// Central 95 % range of single weeks around that level, under the fitted noise.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The person's own noise, as fitted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Noise {
    /// SD of one week around the course, in the unit of the series: the "own SD".
    pub sd: f64,
    /// Week-to-week autocorrelation of the noise that explains the data best.
    pub phi: f64,
    /// Autocorrelation that is exceeded with posterior weight of 2.5 % at most; intervals allow for it.
    pub phi_high: f64,
    /// Share of the variance that is AR(1) rather than independent from week to week.
    pub persistent_share: f64,
}

/// A level shift at a week in which the system version changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// First week of the new version.
    pub week: Week,
    /// Version before.
    pub from: Arc<str>,
    /// Version after.
    pub to: Arc<str>,
    /// Shift at that week, simultaneous over all steps and changes of the report.
    pub change: Change,
    /// Whether the interval excludes zero.
    pub moved: bool,
    /// Always [`Rung::Coincided`].
    pub rung: Rung,
}

/// The judged course of one series.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// The word.
    pub word: Word,
    /// The causal rung.
    pub rung: Rung,
    /// The assumption level.
    pub assumption: Assumption,
    /// Why, for "cannot tell" and "not comparable".
    pub reason: Option<Reason>,
    /// Weeks with a value in the judged stretch.
    pub weeks: u32,
    /// Estimated change, where one could be estimated.
    pub change: Option<Change>,
    /// Smallest change that a history like this shows in 4 of 5 cases, in own SDs.
    pub smallest_visible_sd: Option<f64>,
    /// The same in the unit of the series.
    pub smallest_visible: Option<f64>,
    /// Fitted noise.
    pub noise: Option<Noise>,
    /// Own baseline.
    pub baseline: Option<Baseline>,
    /// Fitted course with its band, one entry per week with a value in the judged stretch.
    pub band: Vec<Band>,
    /// Level shifts at changes of the system version.
    pub steps: Vec<Step>,
    /// Eight null series drawn from the fitted noise at the same weeks, for the line-up view.
    pub nulls: Vec<Vec<f64>>,
}
