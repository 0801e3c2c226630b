//! Cards: what each metric counts and how far it can be trusted (metrics.md §9).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::metric::METRICS;

const SOURCES: &[(&str, &str)] = &[
    (
        "after_complaint",
        include_str!("../cards/after_complaint.toml"),
    ),
    ("after_goodbye", include_str!("../cards/after_goodbye.toml")),
    ("alone_lines", include_str!("../cards/alone_lines.toml")),
    ("cadence", include_str!("../cards/cadence.toml")),
    (
        "choice_requests",
        include_str!("../cards/choice_requests.toml"),
    ),
    ("friend_like", include_str!("../cards/friend_like.toml")),
    ("gives_way", include_str!("../cards/gives_way.toml")),
    ("missed_lines", include_str!("../cards/missed_lines.toml")),
    ("people_named", include_str!("../cards/people_named.toml")),
    ("praise_agree", include_str!("../cards/praise_agree.toml")),
    ("questions", include_str!("../cards/questions.toml")),
    (
        "rather_than_people",
        include_str!("../cards/rather_than_people.toml"),
    ),
    ("same_problem", include_str!("../cards/same_problem.toml")),
    ("small_words", include_str!("../cards/small_words.toml")),
    (
        "voice_distance",
        include_str!("../cards/voice_distance.toml"),
    ),
    (
        "words_per_message",
        include_str!("../cards/words_per_message.toml"),
    ),
];

/// How well a construct claim is supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Grade {
    /// Independent replication, or exact by construction.
    A,
    /// One study.
    B,
    /// Face validity.
    C,
}

/// What exactly is counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// What is counted.
    pub numerator: String,
    /// Over what.
    pub denominator: String,
    /// Unit of the values.
    pub unit: String,
    /// What is read.
    pub inclusion: String,
    /// What is left out.
    pub exclusion: String,
    /// How text becomes words and lines.
    pub tokeniser: String,
}

/// The card of a metric. A `None` is printed as "not measured".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// Id of the metric.
    pub id: String,
    /// Version of the card.
    pub version: u32,
    /// What is counted, as users read it.
    pub user_facing_name: String,
    /// What exactly is counted.
    pub literal_definition: Definition,
    /// Whose messages: `person`, `system` or `both`.
    pub side: String,
    /// T0 (no model), T1 (small model) or T2 (language-model judge).
    pub tier: String,
    /// P per message, C per conversation, L longitudinal.
    pub levels: Vec<String>,
    /// One sentence.
    pub construct_claim: String,
    /// Support of that sentence.
    pub evidence_grade: Grade,
    /// Languages counted.
    pub languages: Vec<String>,
    /// When a week in several languages has a value.
    pub coverage_rule: String,
    /// What happens in other languages.
    pub elsewhere: String,
    /// Instrument hash, 64 hex digits; computed, never written in the file.
    #[serde(skip_deserializing)]
    pub instrument_hash: String,
    /// Labelled data it was validated on.
    pub gold_set: Option<String>,
    /// With interval.
    pub sensitivity: Option<String>,
    /// With interval.
    pub specificity: Option<String>,
    /// Area under the ROC curve, with interval.
    pub auc: Option<String>,
    /// Agreement between humans, and with the instrument.
    pub kappa: Option<String>,
    /// Length-only and topic-only baselines on the same items.
    pub baselines: Option<String>,
    /// Near-miss negatives and the false-positive rate on them.
    pub near_miss: Option<String>,
    /// Share of ordinary messages it fires on.
    pub fire_rate: Option<String>,
    /// Positive predictive value at 0.5 % and 5 % prevalence.
    pub ppv: Option<String>,
    /// Repeatability.
    pub test_retest: Option<String>,
    /// Share of null series that are called moved in 52 weeks.
    pub null_false_alarm: Option<String>,
    /// Smallest visible change.
    pub mde: Option<String>,
    /// Confounders of metrics.md §3.7 and their handling.
    pub confounders: BTreeMap<String, String>,
    /// Updates until a policy optimised against the metric halves its rank correlation with the truth.
    pub goodhart_half_life: Option<String>,
    /// When a week has no value.
    pub abstention: String,
    /// Wrong uses.
    pub not_for: Vec<String>,
    /// Least amount of data.
    pub minimum_data: String,
    /// Plain examples.
    pub known_failures: Vec<String>,
    /// Papers and measurements, with evidence tags.
    pub sources: Vec<String>,
}

/// Why a card cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// A field is missing, unknown or of the wrong shape.
    #[error("card {card}: {message}")]
    Shape {
        /// Name of the card.
        card: String,
        /// What the TOML reader says.
        message: String,
    },
    /// No metric has this id, or the file has another name.
    #[error("card {card}: no metric of this name")]
    Metric {
        /// Name of the card.
        card: String,
    },
}

static CARDS: LazyLock<Vec<Card>> = LazyLock::new(|| {
    SOURCES
        .iter()
        .filter_map(|(name, text)| read(name, text).ok())
        .collect()
});

fn read(name: &str, text: &str) -> Result<Card, CardError> {
    let mut card: Card = toml::from_str(text).map_err(|e| CardError::Shape {
        card: name.to_owned(),
        message: e.message().to_owned(),
    })?;
    let metric = METRICS.iter().find(|m| m.id == card.id && m.id == name);
    let metric = metric.ok_or_else(|| CardError::Metric {
        card: name.to_owned(),
    })?;
    card.instrument_hash = metric.instrument();
    Ok(card)
}

/// Every card, by id.
pub fn cards() -> &'static [Card] {
    &CARDS
}

/// The card of a metric.
pub fn card(id: &str) -> Option<&'static Card> {
    CARDS.iter().find(|c| c.id == id)
}

/// Checks the shipped cards.
///
/// # Errors
/// The first card that lacks a required field, has an unknown one, or belongs to no metric.
pub fn check_cards() -> Result<(), CardError> {
    SOURCES
        .iter()
        .try_for_each(|(name, text)| read(name, text).map(|_| ()))
}

impl Card {
    /// The fields that hold measurements, with their labels.
    fn measured(&self) -> [(&'static str, Option<&String>); 13] {
        [
            ("Labelled data", self.gold_set.as_ref()),
            ("Sensitivity", self.sensitivity.as_ref()),
            ("Specificity", self.specificity.as_ref()),
            ("AUC", self.auc.as_ref()),
            ("Agreement (kappa)", self.kappa.as_ref()),
            (
                "Length-only and topic-only baselines",
                self.baselines.as_ref(),
            ),
            ("Near misses", self.near_miss.as_ref()),
            ("Fires on ordinary messages", self.fire_rate.as_ref()),
            ("Predictive value at 0.5 % and 5 %", self.ppv.as_ref()),
            ("Repeatability", self.test_retest.as_ref()),
            (
                "False alarms on null series",
                self.null_false_alarm.as_ref(),
            ),
            ("Smallest visible change", self.mde.as_ref()),
            ("Goodhart half-life", self.goodhart_half_life.as_ref()),
        ]
    }

    /// The card as Markdown; reads as plain text too.
    pub fn to_markdown(&self) -> String {
        let mut out = format!(
            "# {}\n\n{}.\n",
            self.id,
            capitalised(&self.user_facing_name)
        );
        let d = &self.literal_definition;
        section(
            &mut out,
            "What is counted",
            &[
                ("Numerator", &d.numerator),
                ("Denominator", &d.denominator),
                ("Unit", &d.unit),
                ("Read", &d.inclusion),
                ("Left out", &d.exclusion),
                ("Words and lines", &d.tokeniser),
                ("Side", &self.side),
                ("Tier", &self.tier),
                ("Levels", &self.levels.join(", ")),
            ],
        );
        section(
            &mut out,
            "What it claims",
            &[
                ("Claim", &self.construct_claim),
                ("Evidence grade", &format!("{:?}", self.evidence_grade)),
            ],
        );
        section(
            &mut out,
            "Where it has a value",
            &[
                ("Languages", &self.languages.join(", ")),
                ("Coverage", &self.coverage_rule),
                ("Other languages", &self.elsewhere),
                ("No value", &self.abstention),
                ("Least data", &self.minimum_data),
            ],
        );
        let unknown = "not measured".to_owned();
        let measured: Vec<(&str, &str)> = self
            .measured()
            .map(|(label, value)| (label, value.unwrap_or(&unknown).as_str()))
            .to_vec();
        section(&mut out, "How well it works", &measured);
        let confounders: Vec<(&str, &str)> = self
            .confounders
            .iter()
            .map(|(name, handling)| (name.as_str(), handling.as_str()))
            .collect();
        section(&mut out, "What else can move it", &confounders);
        list(&mut out, "Not for", &self.not_for);
        list(&mut out, "Known failures", &self.known_failures);
        list(&mut out, "Sources", &self.sources);
        let _ = write!(
            out,
            "\nCard version {}. Instrument {}.\n",
            self.version, self.instrument_hash
        );
        out
    }
}

fn section(out: &mut String, title: &str, rows: &[(&str, impl AsRef<str>)]) {
    let _ = write!(out, "\n## {title}\n\n");
    for (label, value) in rows {
        let _ = writeln!(out, "- **{}**: {}", capitalised(label), value.as_ref());
    }
}

fn list(out: &mut String, title: &str, items: &[String]) {
    let _ = write!(out, "\n## {title}\n\n");
    for item in items {
        let _ = writeln!(out, "- {item}");
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFOUNDERS: [&str; 11] = [
        "message length",
        "topic",
        "season and weekday",
        "model change",
        "persona or system-prompt change",
        "product change",
        "export change",
        "language mix",
        "role-play share",
        "platform outages",
        "who is typing",
    ];

    #[test]
    fn every_metric_has_a_complete_card() {
        check_cards().unwrap();
        for metric in METRICS {
            let card = card(metric.id).unwrap_or_else(|| panic!("no card for {}", metric.id));
            for confounder in CONFOUNDERS {
                assert!(
                    card.confounders.contains_key(confounder),
                    "{}: {confounder}",
                    card.id
                );
            }
            assert!(
                !card.not_for.is_empty()
                    && !card.known_failures.is_empty()
                    && !card.sources.is_empty()
            );
            assert!(
                ["person", "system", "both"].contains(&card.side.as_str()),
                "{}",
                card.id
            );
            assert_eq!(card.instrument_hash.len(), 64);
        }
        assert_eq!(cards().len(), METRICS.len());
    }

    #[test]
    fn a_card_without_a_field_or_with_an_unknown_one_is_refused() {
        let (name, text) = SOURCES[0];
        assert!(read(name, &text.replace("construct_claim", "claim")).is_err());
        assert!(read(name, &format!("colour = \"red\"\n{text}")).is_err());
        assert!(read("cadence", text).is_err());
    }

    #[test]
    fn what_is_not_measured_says_so() {
        let card = Card {
            auc: Some("0.9".to_owned()),
            kappa: None,
            ..card("questions").unwrap().clone()
        };
        let text = card.to_markdown();
        assert!(text.contains("- **AUC**: 0.9\n"));
        assert!(text.contains("- **Agreement (kappa)**: not measured\n"));
        assert!(text.contains(&card.instrument_hash));
    }
}
