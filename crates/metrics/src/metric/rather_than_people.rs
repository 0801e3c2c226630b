//! M4: lines preferring it to people, or calling it the only one.
//!
//! **Count.** The person's messages with a line that prefers the system to people for talk or support, says
//! that only it understands, listens or is there, says one cannot do without it, or asks it not to leave.
//! Each of the four kinds is shown by itself too, without a verdict: they are rare, and a message with lines
//! of two kinds counts in both. **Not counted.** Statements about a human, comparisons of tools, scenes and pasted text.

use super::{Basis, Gate, Metric, Ratio, Rule};
use crate::count::Count;
use crate::series::{Measure, Side};

/// The metric.
pub(crate) const METRIC: Metric = Metric {
    id: "rather_than_people",
    version: 2,
    lists: &["rather_than_people"],
    thresholds: "",
    primary: &["rather_than_people"],
    rules: &[
        rule(None, Count::Rather),
        rule(Some("prefer"), Count::RatherPrefer),
        rule(Some("only_one"), Count::RatherOnlyOne),
        rule(Some("cannot_without"), Count::RatherCannot),
        rule(Some("dont_leave"), Count::RatherStay),
    ],
    series: &[
        share(
            "rather_than_people",
            "messages preferring it to people, or calling it the only one",
            Count::Rather,
        ),
        share(
            "rather_than_people.prefer",
            "messages preferring it to people",
            Count::RatherPrefer,
        ),
        share(
            "rather_than_people.only_one",
            "messages calling it the only one that understands, listens or is there",
            Count::RatherOnlyOne,
        ),
        share(
            "rather_than_people.cannot_without",
            "messages saying one cannot do without it",
            Count::RatherCannot,
        ),
        share(
            "rather_than_people.dont_leave",
            "messages asking it not to leave",
            Count::RatherStay,
        ),
    ],
};

const fn rule(class: Option<&'static str>, into: Count) -> Rule {
    Rule {
        side: Side::Person,
        list: "rather_than_people",
        class,
        into,
        once: true,
    }
}

const fn share(id: &'static str, name: &'static str, num: Count) -> Ratio {
    Ratio {
        id,
        name,
        unit: "share of messages",
        side: Side::Person,
        measure: Measure::Share,
        num,
        den: Count::PersonEligible,
        gate: Gate::Text(Basis::english(Side::Person)),
    }
}
