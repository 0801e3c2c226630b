//! M5: lines stating being alone, unheard, without friends, shut out.
//!
//! **Count.** The person's messages with such a line. **Not counted.** "leave me alone", "this alone", statements
//! about others, technical "no one uses this". Most hits in ordinary traffic are false: only a trend over one
//! person's own history, never a statement about a message or a person.

use super::{Basis, Gate, Metric, Ratio, Rule};
use crate::count::Count;
use crate::series::{Measure, Side};

/// The metric.
pub(crate) const METRIC: Metric = Metric {
    id: "alone_lines",
    version: 1,
    lists: &["alone"],
    thresholds: "",
    primary: &["alone_lines"],
    rules: &[Rule {
        side: Side::Person,
        list: "alone",
        class: None,
        into: Count::Alone,
        once: true,
    }],
    series: &[Ratio {
        id: "alone_lines",
        name: "messages saying alone or no one",
        unit: "share of messages",
        side: Side::Person,
        measure: Measure::Share,
        num: Count::Alone,
        den: Count::PersonEligible,
        gate: Gate::Text(Basis::english(Side::Person)),
    }],
};
