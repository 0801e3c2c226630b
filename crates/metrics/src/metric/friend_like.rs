//! M11: friend-like lines per 100 words of the system.
//!
//! **Count.** Hits of six cue classes, and emoji and runs of exclamation marks as a seventh; the total is their
//! sum. **Not counted.** Task "we" and "let's", apologies, service phrases, marks inside code or quotes.

use super::{Gate, Metric, Ratio, Rule};
use crate::count::Count;
use crate::series::{Measure, Side};

/// The metric.
pub(crate) const METRIC: Metric = Metric {
    id: "friend_like",
    version: 1,
    lists: &["friend_like"],
    thresholds: "",
    rules: &[
        Rule {
            side: Side::System,
            list: "friend_like",
            class: None,
            into: Count::FriendLike,
            once: false,
        },
        Rule {
            side: Side::System,
            list: "friend_like",
            class: Some("own_feeling"),
            into: Count::OwnFeeling,
            once: false,
        },
        Rule {
            side: Side::System,
            list: "friend_like",
            class: Some("togetherness"),
            into: Count::Togetherness,
            once: false,
        },
        Rule {
            side: Side::System,
            list: "friend_like",
            class: Some("naming"),
            into: Count::Naming,
            once: false,
        },
        Rule {
            side: Side::System,
            list: "friend_like",
            class: Some("shared_memory"),
            into: Count::SharedMemory,
            once: false,
        },
        Rule {
            side: Side::System,
            list: "friend_like",
            class: Some("invitation"),
            into: Count::Invitation,
            once: false,
        },
        Rule {
            side: Side::System,
            list: "friend_like",
            class: Some("endearment"),
            into: Count::Endearment,
            once: false,
        },
    ],
    series: &[
        Ratio {
            id: "friend_like",
            name: "friend-like lines",
            unit: "per 100 words",
            side: Side::System,
            measure: Measure::Rate { per: 100 },
            num: Count::FriendLike,
            den: Count::SystemWords,
            gate: Gate::English(Side::System),
        },
        Ratio {
            id: "friend_like.own_feeling",
            name: "lines of own feeling or care",
            unit: "per 100 words",
            side: Side::System,
            measure: Measure::Rate { per: 100 },
            num: Count::OwnFeeling,
            den: Count::SystemWords,
            gate: Gate::English(Side::System),
        },
        Ratio {
            id: "friend_like.togetherness",
            name: "lines of togetherness",
            unit: "per 100 words",
            side: Side::System,
            measure: Measure::Rate { per: 100 },
            num: Count::Togetherness,
            den: Count::SystemWords,
            gate: Gate::English(Side::System),
        },
        Ratio {
            id: "friend_like.naming",
            name: "lines naming the relation or the person's special place",
            unit: "per 100 words",
            side: Side::System,
            measure: Measure::Rate { per: 100 },
            num: Count::Naming,
            den: Count::SystemWords,
            gate: Gate::English(Side::System),
        },
        Ratio {
            id: "friend_like.shared_memory",
            name: "lines claiming a shared memory",
            unit: "per 100 words",
            side: Side::System,
            measure: Measure::Rate { per: 100 },
            num: Count::SharedMemory,
            den: Count::SystemWords,
            gate: Gate::English(Side::System),
        },
        Ratio {
            id: "friend_like.invitation",
            name: "lines inviting to keep talking or come back",
            unit: "per 100 words",
            side: Side::System,
            measure: Measure::Rate { per: 100 },
            num: Count::Invitation,
            den: Count::SystemWords,
            gate: Gate::English(Side::System),
        },
        Ratio {
            id: "friend_like.endearment",
            name: "pet names",
            unit: "per 100 words",
            side: Side::System,
            measure: Measure::Rate { per: 100 },
            num: Count::Endearment,
            den: Count::SystemWords,
            gate: Gate::English(Side::System),
        },
        Ratio {
            id: "friend_like.marks",
            name: "emoji and exclamation marks",
            unit: "per 100 words",
            side: Side::System,
            measure: Measure::Rate { per: 100 },
            num: Count::Marks,
            den: Count::SystemWords,
            gate: Gate::English(Side::System),
        },
    ],
};
