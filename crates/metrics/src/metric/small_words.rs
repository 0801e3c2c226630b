//! M7: I, we, you, not and always, per 100 words of the person.
//!
//! Descriptive only: no claim about a state of anybody.

use super::{Basis, Gate, Metric, Ratio, Rule};
use crate::count::Count;
use crate::series::{Measure, Side};

/// The metric.
pub(crate) const METRIC: Metric = Metric {
    id: "small_words",
    version: 1,
    lists: &["small_words"],
    thresholds: "",
    primary: &["small_words.i"],
    rules: &[
        Rule {
            side: Side::Person,
            list: "small_words",
            class: Some("i"),
            into: Count::SmallI,
            once: false,
        },
        Rule {
            side: Side::Person,
            list: "small_words",
            class: Some("we"),
            into: Count::SmallWe,
            once: false,
        },
        Rule {
            side: Side::Person,
            list: "small_words",
            class: Some("you"),
            into: Count::SmallYou,
            once: false,
        },
        Rule {
            side: Side::Person,
            list: "small_words",
            class: Some("negation"),
            into: Count::SmallNegation,
            once: false,
        },
        Rule {
            side: Side::Person,
            list: "small_words",
            class: Some("certainty"),
            into: Count::SmallCertainty,
            once: false,
        },
    ],
    series: &[
        Ratio {
            id: "small_words.i",
            name: "words for I",
            unit: "per 100 words",
            side: Side::Person,
            measure: Measure::Rate { per: 100 },
            num: Count::SmallI,
            den: Count::PersonWords,
            gate: Gate::Text(Basis::english(Side::Person)),
        },
        Ratio {
            id: "small_words.we",
            name: "words for we",
            unit: "per 100 words",
            side: Side::Person,
            measure: Measure::Rate { per: 100 },
            num: Count::SmallWe,
            den: Count::PersonWords,
            gate: Gate::Text(Basis::english(Side::Person)),
        },
        Ratio {
            id: "small_words.you",
            name: "words for you",
            unit: "per 100 words",
            side: Side::Person,
            measure: Measure::Rate { per: 100 },
            num: Count::SmallYou,
            den: Count::PersonWords,
            gate: Gate::Text(Basis::english(Side::Person)),
        },
        Ratio {
            id: "small_words.negation",
            name: "words for not",
            unit: "per 100 words",
            side: Side::Person,
            measure: Measure::Rate { per: 100 },
            num: Count::SmallNegation,
            den: Count::PersonWords,
            gate: Gate::Text(Basis::english(Side::Person)),
        },
        Ratio {
            id: "small_words.certainty",
            name: "words for always and never",
            unit: "per 100 words",
            side: Side::Person,
            measure: Measure::Rate { per: 100 },
            num: Count::SmallCertainty,
            den: Count::PersonWords,
            gate: Gate::Text(Basis::english(Side::Person)),
        },
    ],
};
