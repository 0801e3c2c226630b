//! M6: other people mentioned per 1,000 words.
//!
//! **Count.** Listed kin and friend terms, with or without a possessive. **Not counted.** Names, listed phrases
//! such as "Father's Day", pasted text. A mention is not a contact: conflict raises mentions.

use super::{Basis, Gate, Metric, Ratio, Rule};
use crate::count::Count;
use crate::series::{Measure, Side};

/// The metric.
pub(crate) const METRIC: Metric = Metric {
    id: "people_named",
    version: 1,
    lists: &["kin", "friend"],
    thresholds: "",
    primary: &["people_named"],
    rules: &[
        Rule {
            side: Side::Person,
            list: "kin",
            class: None,
            into: Count::Kin,
            once: false,
        },
        Rule {
            side: Side::Person,
            list: "kin",
            class: None,
            into: Count::People,
            once: false,
        },
        Rule {
            side: Side::Person,
            list: "friend",
            class: None,
            into: Count::Friend,
            once: false,
        },
        Rule {
            side: Side::Person,
            list: "friend",
            class: None,
            into: Count::People,
            once: false,
        },
    ],
    series: &[
        Ratio {
            id: "people_named",
            name: "mentions of family and friends",
            unit: "per 1,000 words",
            side: Side::Person,
            measure: Measure::Rate { per: 1000 },
            num: Count::People,
            den: Count::PersonWords,
            gate: Gate::Text(Basis::english(Side::Person)),
        },
        Ratio {
            id: "people_named.kin",
            name: "mentions of family",
            unit: "per 1,000 words",
            side: Side::Person,
            measure: Measure::Rate { per: 1000 },
            num: Count::Kin,
            den: Count::PersonWords,
            gate: Gate::Text(Basis::english(Side::Person)),
        },
        Ratio {
            id: "people_named.friend",
            name: "mentions of friends",
            unit: "per 1,000 words",
            side: Side::Person,
            measure: Measure::Rate { per: 1000 },
            num: Count::Friend,
            den: Count::PersonWords,
            gate: Gate::Text(Basis::english(Side::Person)),
        },
    ],
};
