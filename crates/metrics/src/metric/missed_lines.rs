//! Lines saying that sleep, a meal, work or classes, or a day was missed.
//!
//! **Count.** The person's messages with such a line in the past or present, each of the four kinds by
//! itself too. **Not counted.** Longing ("I miss work"), others' missed days, food that somebody does not
//! eat, scenes and pasted text. What such lines have to do with how somebody is doing has not been measured:
//! shift work, fasting, babies and holidays write them too.

use super::{Basis, Gate, Metric, Ratio, Rule};
use crate::count::Count;
use crate::series::{Measure, Side};

/// The metric.
pub(crate) const METRIC: Metric = Metric {
    id: "missed_lines",
    version: 1,
    lists: &["missed"],
    thresholds: "",
    primary: &["missed_lines"],
    rules: &[
        rule(None, Count::Missed),
        rule(Some("sleep"), Count::MissedSleep),
        rule(Some("meals"), Count::MissedMeals),
        rule(Some("work"), Count::MissedWork),
        rule(Some("day"), Count::MissedDay),
    ],
    series: &[
        share(
            "missed_lines",
            "messages saying sleep, a meal, work or a day was missed",
            Count::Missed,
        ),
        share(
            "missed_lines.sleep",
            "messages saying sleep was missed",
            Count::MissedSleep,
        ),
        share(
            "missed_lines.meals",
            "messages saying a meal was missed",
            Count::MissedMeals,
        ),
        share(
            "missed_lines.work",
            "messages saying work or classes were missed",
            Count::MissedWork,
        ),
        share(
            "missed_lines.day",
            "messages saying they did not get up or out",
            Count::MissedDay,
        ),
    ],
};

const fn rule(class: Option<&'static str>, into: Count) -> Rule {
    Rule {
        side: Side::Person,
        list: "missed",
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
