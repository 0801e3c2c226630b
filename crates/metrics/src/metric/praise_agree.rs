//! M12: lines praising or agreeing.
//!
//! **Count.** Replies with at least one line of praise of the person, praise of the idea or text, or emphatic
//! agreement; and hits per 100 words. **Not counted.** Thanks, factual confirmation, praise of third parties.
//! Longer replies hold more of everything: read it beside words per message.

use super::{Basis, Gate, Metric, Ratio, Rule};
use crate::count::Count;
use crate::series::{Measure, Side};

/// The metric.
pub(crate) const METRIC: Metric = Metric {
    id: "praise_agree",
    version: 1,
    lists: &["praise_agree"],
    thresholds: "",
    primary: &["praise_agree.share"],
    rules: &[
        Rule {
            side: Side::System,
            list: "praise_agree",
            class: None,
            into: Count::PraiseMessages,
            once: true,
        },
        Rule {
            side: Side::System,
            list: "praise_agree",
            class: None,
            into: Count::Praise,
            once: false,
        },
        Rule {
            side: Side::System,
            list: "praise_agree",
            class: Some("praise_person"),
            into: Count::PraisePerson,
            once: false,
        },
        Rule {
            side: Side::System,
            list: "praise_agree",
            class: Some("praise_work"),
            into: Count::PraiseWork,
            once: false,
        },
        Rule {
            side: Side::System,
            list: "praise_agree",
            class: Some("agreement"),
            into: Count::Agreement,
            once: false,
        },
    ],
    series: &[
        Ratio {
            id: "praise_agree.share",
            name: "replies with a line praising or agreeing",
            unit: "share of replies",
            side: Side::System,
            measure: Measure::Share,
            num: Count::PraiseMessages,
            den: Count::SystemEligible,
            gate: Gate::Text(Basis::english(Side::System)),
        },
        Ratio {
            id: "praise_agree.density",
            name: "lines praising or agreeing",
            unit: "per 100 words",
            side: Side::System,
            measure: Measure::Rate { per: 100 },
            num: Count::Praise,
            den: Count::SystemWords,
            gate: Gate::Text(Basis::english(Side::System)),
        },
        Ratio {
            id: "praise_agree.praise_person",
            name: "lines praising the person",
            unit: "per 100 words",
            side: Side::System,
            measure: Measure::Rate { per: 100 },
            num: Count::PraisePerson,
            den: Count::SystemWords,
            gate: Gate::Text(Basis::english(Side::System)),
        },
        Ratio {
            id: "praise_agree.praise_work",
            name: "lines praising the idea or text",
            unit: "per 100 words",
            side: Side::System,
            measure: Measure::Rate { per: 100 },
            num: Count::PraiseWork,
            den: Count::SystemWords,
            gate: Gate::Text(Basis::english(Side::System)),
        },
        Ratio {
            id: "praise_agree.agreement",
            name: "lines of emphatic agreement",
            unit: "per 100 words",
            side: Side::System,
            measure: Measure::Rate { per: 100 },
            num: Count::Agreement,
            den: Count::SystemWords,
            gate: Gate::Text(Basis::english(Side::System)),
        },
    ],
};
