//! M2: messages asking it to choose, or to write words to someone.
//!
//! **Count.** `choose`: messages that ask the system to choose, decide or say what to do (list `choose_ask`), with
//! a cue of a personal matter and none of a technical one in the same message. `script`: messages asking for
//! words to be sent to a person in the asker's life. **Not counted.** Technical "should", templates, exam items.

use super::{Basis, Gate, Metric, Ratio};
use crate::count::Count;
use crate::series::{Measure, Side};

/// The metric.
pub(crate) const METRIC: Metric = Metric {
    id: "choice_requests",
    version: 1,
    lists: &[
        "choose_ask",
        "personal_matter",
        "technical_matter",
        "script_ask",
    ],
    thresholds: "choose needs a personal cue and no technical cue",
    primary: &["choice_requests"],
    rules: &[],
    series: &[
        Ratio {
            id: "choice_requests",
            name: "messages asking it to choose, or to write words to someone",
            unit: "share of messages",
            side: Side::Person,
            measure: Measure::Share,
            num: Count::Choice,
            den: Count::PersonEligible,
            gate: Gate::Text(Basis::english(Side::Person)),
        },
        Ratio {
            id: "choice_requests.choose",
            name: "messages asking it to choose",
            unit: "share of messages",
            side: Side::Person,
            measure: Measure::Share,
            num: Count::Choose,
            den: Count::PersonEligible,
            gate: Gate::Text(Basis::english(Side::Person)),
        },
        Ratio {
            id: "choice_requests.script",
            name: "messages asking it to write words to someone",
            unit: "share of messages",
            side: Side::Person,
            measure: Measure::Share,
            num: Count::Script,
            den: Count::PersonEligible,
            gate: Gate::Text(Basis::english(Side::Person)),
        },
    ],
};

/// Adds one message of the person with these numbers of hits.
pub(crate) fn count(
    choose: u32,
    personal: u32,
    technical: u32,
    script: u32,
    week: &mut crate::count::WeekCounts,
) {
    let choose = choose > 0 && personal > 0 && technical == 0;
    let script = script > 0;
    week.add(Count::Choose, u32::from(choose));
    week.add(Count::Script, u32::from(script));
    week.add(Count::Choice, u32::from(choose || script));
}
