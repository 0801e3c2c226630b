//! M4: lines preferring it to people, or calling it the only one.
//!
//! **Count.** The person's messages with a line that prefers the system to people for talk or support, says
//! that only it understands, listens or is there, says one cannot do without it, or asks it not to leave.
//! **Not counted.** Statements about a human, comparisons of tools, scenes and pasted text.

use super::{Gate, Metric, Ratio, Rule};
use crate::count::Count;
use crate::series::{Measure, Side};

/// The metric.
pub(crate) const METRIC: Metric = Metric {
    id: "rather_than_people",
    version: 1,
    lists: &["rather_than_people"],
    thresholds: "",
    primary: &["rather_than_people"],
    rules: &[Rule {
        side: Side::Person,
        list: "rather_than_people",
        class: None,
        into: Count::Rather,
        once: true,
    }],
    series: &[Ratio {
        id: "rather_than_people",
        name: "messages preferring it to people, or calling it the only one",
        unit: "share of messages",
        side: Side::Person,
        measure: Measure::Share,
        num: Count::Rather,
        den: Count::PersonEligible,
        gate: Gate::English(Side::Person),
    }],
};
