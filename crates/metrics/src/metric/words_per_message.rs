//! Words per message, of the person and of the system (context for every other series).
//!
//! **Count.** Words over messages with words; the person's pasted messages and scenes are left out.
//! **Not counted.** Languages written without spaces between words, where a word is no comparable unit.

use super::{Gate, Metric, Ratio};
use crate::count::Count;
use crate::series::{Measure, Side};

/// The metric.
pub(crate) const METRIC: Metric = Metric {
    id: "words_per_message",
    version: 1,
    lists: &[],
    thresholds: "",
    primary: &["words_per_message.person", "words_per_message.system"],
    rules: &[],
    series: &[
        Ratio {
            id: "words_per_message.person",
            name: "words per message of the person",
            unit: "words per message",
            side: Side::Person,
            measure: Measure::Rate { per: 1 },
            num: Count::PersonSpacedWords,
            den: Count::PersonSpaced,
            gate: Gate::Messages,
        },
        Ratio {
            id: "words_per_message.system",
            name: "words per message of the system",
            unit: "words per message",
            side: Side::System,
            measure: Measure::Rate { per: 1 },
            num: Count::SystemSpacedWords,
            den: Count::SystemSpaced,
            gate: Gate::Messages,
        },
    ],
};
