//! What a page is made of. None of these types can hold a message: a report shows counts only.

use driftlead_drift::Course;
use driftlead_record::{Accounting, Week};

/// Everything one page shows.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// Heading of the page.
    pub title: &'a str,
    /// Name and version of the program, for instance `driftlead 0.1.0`.
    pub version: &'a str,
    /// Shown on every figure when set, for instance `synthetic data`.
    pub label: Option<&'a str>,
    /// One section per deployment, in this order.
    pub courses: &'a [Course],
    /// What was read, where files were read.
    pub import: Option<Import<'a>>,
    /// The cards of the metrics, in this order.
    pub cards: &'a [CardText],
    /// A cohort, where there is one.
    pub cohort: Option<&'a Cohort>,
}

/// What was read.
#[derive(Debug, Clone, Copy)]
pub struct Import<'a> {
    /// The accounting over all sources.
    pub accounting: &'a Accounting,
    /// Files and folders, in the order read.
    pub sources: &'a [Source],
    /// Warnings of the import: positions and counts, never text of a person.
    pub warnings: &'a [String],
}

/// One file or folder that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its name as given.
    pub name: String,
    /// The recognised format, in words.
    pub format: String,
}

/// A method card as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardText {
    /// Id of the metric.
    pub id: String,
    /// What is counted, in plain words.
    pub name: String,
    /// Instrument hash (hex).
    pub hash: String,
    /// Fields and their content, in the order shown.
    pub rows: Vec<(String, String)>,
}

/// Many people's courses, set side by side without names.
#[derive(Debug, Clone, PartialEq)]
pub struct Cohort {
    /// People in all groups together.
    pub people: u32,
    /// Equivalence margin in own SDs.
    pub delta_sd: f64,
    /// Seed of the choice of the lines that are drawn.
    pub seed: u64,
    /// One row per series and group. Rows of one name are drawn side by side.
    pub rows: Vec<CohortRow>,
}

/// One series in one group of people.
#[derive(Debug, Clone, PartialEq)]
pub struct CohortRow {
    /// What is counted, in plain words.
    pub name: String,
    /// People in the group.
    pub people: u32,
    /// What was planted in the group, in words; `None` for a group left unchanged.
    pub planted: Option<String>,
    /// Mean over people of the change in own SDs, with its 95 % interval.
    pub mean: Interval,
    /// What the single histories say.
    pub shares: Shares,
    /// Weekly values of every person; may be empty, then no lines are drawn.
    pub lines: Vec<PersonLine>,
}

/// One person's weeks: the distance from the level of their own first weeks, in own SDs.
#[derive(Debug, Clone, PartialEq)]
pub struct PersonLine(pub Vec<(Week, f64)>);

/// An estimate with an interval, low ≤ estimate ≤ high.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The estimate.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Shares of people by the verdict on their own history, each in 0..=1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shares {
    /// Moved.
    pub moved: f64,
    /// No movement of δ or more.
    pub no_movement: f64,
    /// Cannot tell, or not comparable.
    pub cannot_tell: f64,
}
