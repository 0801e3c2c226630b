//! Words per message, of the person and of the system (context for every other series).
//!
//! **Count.** Words over messages with words; the person's pasted messages and scenes are left out.
//! **Not counted.** Languages written without spaces between words, where a word is no comparable unit.
//!
//! **Minimum.** 20 messages, and four fifths of the words in a language with spaces. The 300 words of a
//! person-week (metrics.md §3.2) do not hold here: of the weeks with 20 messages they would leave out just
//! those with fewer than 15 words per message.

use super::{Basis, Gate, Metric, Ratio};
use crate::count::Count;
use crate::series::{Measure, Side};

/// The metric.
pub(crate) const METRIC: Metric = Metric {
    id: "words_per_message",
    version: 2,
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
            gate: Gate::Messages(Basis::spaced(Side::Person)),
        },
        Ratio {
            id: "words_per_message.system",
            name: "words per message of the system",
            unit: "words per message",
            side: Side::System,
            measure: Measure::Rate { per: 1 },
            num: Count::SystemSpacedWords,
            den: Count::SystemSpaced,
            gate: Gate::Messages(Basis::spaced(Side::System)),
        },
    ],
};
