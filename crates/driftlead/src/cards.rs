//! Cards as the page shows them: what was counted, how far to trust it, what it is not for.

use std::collections::BTreeSet;

use driftlead_drift::Course;
use driftlead_metrics::{Card, cards};
use driftlead_report::CardText;

const NOT_MEASURED: &str = "not measured";

/// The cards of the metrics that occur in the courses.
pub(crate) fn texts(courses: &[Course]) -> Vec<CardText> {
    let used: BTreeSet<&str> = courses
        .iter()
        .flat_map(|c| c.lines.iter().map(|l| &l.series).chain(&c.shown))
        .map(|series| series.metric)
        .collect();
    cards()
        .iter()
        .filter(|c| used.contains(c.id.as_str()))
        .map(text)
        .collect()
}

fn text(card: &Card) -> CardText {
    let definition = &card.literal_definition;
    let measured =
        |value: &Option<String>| value.clone().unwrap_or_else(|| NOT_MEASURED.to_owned());
    let rows = [
        ("What is counted", definition.numerator.clone()),
        ("Over", definition.denominator.clone()),
        ("Unit", definition.unit.clone()),
        ("Read", definition.inclusion.clone()),
        ("Left out", definition.exclusion.clone()),
        ("Claim", card.construct_claim.clone()),
        ("Evidence grade", format!("{:?}", card.evidence_grade)),
        ("Labelled data", measured(&card.gold_set)),
        ("Sensitivity", measured(&card.sensitivity)),
        ("Specificity", measured(&card.specificity)),
        ("AUC", measured(&card.auc)),
        ("Human agreement", measured(&card.kappa)),
        ("Near misses", measured(&card.near_miss)),
        (
            "False alarms on null series",
            measured(&card.null_false_alarm),
        ),
        ("Smallest visible change", measured(&card.mde)),
        ("Languages", card.languages.join(", ")),
        ("When there is no value", card.abstention.clone()),
        ("Confounders", confounders(card)),
        ("Known failures", card.known_failures.join("; ")),
        ("Not for", card.not_for.join("; ")),
        ("Sources", card.sources.join("; ")),
    ];
    CardText {
        id: card.id.clone(),
        name: card.user_facing_name.clone(),
        hash: card.instrument_hash.clone(),
        rows: rows
            .map(|(label, content)| (label.to_owned(), content))
            .into(),
    }
}

fn confounders(card: &Card) -> String {
    let parts: Vec<String> = card
        .confounders
        .iter()
        .map(|(what, how)| format!("{what}: {how}"))
        .collect();
    parts.join("; ")
}
