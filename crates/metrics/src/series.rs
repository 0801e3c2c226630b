//! What metrics hand on: one weekly series per count, with gaps kept as gaps.

use std::collections::BTreeMap;

use driftlead_record::Week;
use serde::{Deserialize, Serialize};

/// Whose messages are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The person's messages.
    Person,
    /// The system's messages.
    System,
}

/// How a weekly value is made of its numerator and denominator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// `num / den` in 0..=1: messages with at least one hit over messages.
    Share,
    /// `num / den × per`: hits per 100 or 1,000 words, questions per reply.
    Rate {
        /// Denominator units one value refers to (100 for "per 100 words", 1 for "per reply").
        per: u32,
    },
    /// `num` itself: a count per week. `den` is 1.
    Count,
    /// A typical value (median or distance) over `den` items; `num` is the value itself.
    Typical,
}

/// Whether a series gets a verdict of its own. Every series that is judged widens the intervals of all
/// others, so a metric puts one count forward, or two where it is two counts, and shows its parts
/// without a verdict; one whose words tell little of what is asked for puts none forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rank {
    /// The count that the metric is about: judged.
    Primary,
    /// A part of it, the same thing in another unit, or a count of a metric without verdict: shown, not
    /// judged.
    Secondary,
}

/// One week of one series. Weeks that abstain have no point.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// ISO week in the person's time zone.
    pub week: Week,
    /// Value in the unit of the series.
    pub value: f64,
    /// Numerator (hits), summed over the week.
    pub num: f64,
    /// Denominator (messages, words, events), summed over the week; > 0.
    pub den: f64,
}

/// Why a week, or a whole series, has no value (metrics.md §3.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Abstain {
    /// Too few of the words are in a language the metric supports.
    Language,
    /// Fewer messages, words or events than the minimum.
    TooFew,
    /// No trustworthy time, or no known local clock where one is needed.
    TimeQuality,
    /// The instrument changed within the series.
    InstrumentChanged,
    /// The record names no person.
    NoPersonId,
}

/// A series set against the system's text of other weeks (metrics.md §5, M10): all its weeks moved against
/// the person's. Topics that both sides share in time lift the real place too: this is not yet take-up.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OtherWeeks {
    /// Mean over the weeks, with the system's weeks in their real place.
    pub observed: f64,
    /// Mean over the moves.
    pub expected: f64,
    /// Moves.
    pub moves: u32,
    /// Of these, as far in the direction of following the system as the real place, or farther.
    pub as_far: u32,
}

impl OtherWeeks {
    /// Whether at most 5 % of all places, the real one among them, lie as far: a person who follows nobody
    /// gets this in about 5 % of cases.
    pub fn is_beyond_chance(&self) -> bool {
        20 * (self.as_far + 1) <= self.moves + 1
    }
}

/// One weekly series of one person.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Series {
    /// Stable id, `metric` or `metric.part`, for instance `small_words.i`.
    pub id: &'static str,
    /// Metric it belongs to; the id of its card.
    pub metric: &'static str,
    /// What is counted, in plain words: "questions per reply".
    pub name: &'static str,
    /// Unit of the values: "per 100 words", "share of messages", "days".
    pub unit: &'static str,
    /// Whose messages.
    pub side: Side,
    /// How values are made.
    pub measure: Measure,
    /// Whether it is judged or only shown.
    pub rank: Rank,
    /// Instrument hash (metrics.md §3.6), 64 hex digits.
    pub instrument: String,
    /// Points in week order; gaps are absent.
    pub points: Vec<Point>,
    /// Weeks with activity but without a value, by reason.
    pub abstained: BTreeMap<Abstain, u32>,
    /// The same over other weeks of the system, where that is what chance would give.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_weeks: Option<OtherWeeks>,
}
