//! One module per metric. Most are tables: which list hits are added to which weekly sum, and how two
//! sums make a series. What needs more than sums has functions of its own.

pub(crate) mod after_complaint;
pub(crate) mod after_goodbye;
pub(crate) mod alone_lines;
pub(crate) mod cadence;
pub(crate) mod choice_requests;
pub(crate) mod friend_like;
pub(crate) mod people_named;
pub(crate) mod praise_agree;
pub(crate) mod questions;
pub(crate) mod rather_than_people;
pub(crate) mod same_problem;
pub(crate) mod small_words;
pub(crate) mod voice_distance;
pub(crate) mod words_per_message;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use driftlead_record::Week;
use sha2::{Digest, Sha256};

use crate::count::{Count, WeekCounts};
use crate::list::{LEXICON, bytes_of};
use crate::series::{Abstain, Measure, Point, Rank, Series, Side};
use crate::text::TOKENISER;

/// Fewest messages of the relevant side in a week (metrics.md §3.2).
pub(crate) const FEWEST_MESSAGES: u32 = 20;
/// Fewest words in a supported language in a week (metrics.md §3.2).
pub(crate) const FEWEST_WORDS: u32 = 300;
/// Smallest share of words in a supported language (metrics.md §3.5).
pub(crate) const LEAST_COVERAGE: f64 = 0.8;
/// Fewest conditioning events in a week (metrics.md §3.3).
pub(crate) const FEWEST_EVENTS: u32 = 5;

/// A metric: its id, what its instrument hash covers, and its table.
pub(crate) struct Metric {
    /// Id, and id of its card.
    pub(crate) id: &'static str,
    /// Version of its algorithm.
    pub(crate) version: u32,
    /// Lists it reads.
    pub(crate) lists: &'static [&'static str],
    /// Thresholds of its own, as text.
    pub(crate) thresholds: &'static str,
    /// Series that get a verdict: one, or two where the metric is two counts. The others describe.
    pub(crate) primary: &'static [&'static str],
    /// Whose messages of which list hits are summed.
    pub(crate) rules: &'static [Rule],
    /// Series made of two sums.
    pub(crate) series: &'static [Ratio],
}

/// Adds hits of a list, or of one class of it, to a weekly sum.
pub(crate) struct Rule {
    /// Whose messages.
    pub(crate) side: Side,
    /// List.
    pub(crate) list: &'static str,
    /// Class, or every class.
    pub(crate) class: Option<&'static str>,
    /// Where the sum goes.
    pub(crate) into: Count,
    /// One per message with a hit rather than one per hit.
    pub(crate) once: bool,
}

/// A series that is one sum over another.
pub(crate) struct Ratio {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) side: Side,
    pub(crate) measure: Measure,
    pub(crate) num: Count,
    pub(crate) den: Count,
    pub(crate) gate: Gate,
}

/// When a week has a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    /// Enough English text of a side.
    English(Side),
    /// Enough messages in the denominator.
    Messages,
    /// Enough events in the denominator.
    Events,
}

/// Every metric that is counted.
pub(crate) const METRICS: &[&Metric] = &[
    &cadence::METRIC,
    &words_per_message::METRIC,
    &choice_requests::METRIC,
    &rather_than_people::METRIC,
    &alone_lines::METRIC,
    &people_named::METRIC,
    &small_words::METRIC,
    &same_problem::METRIC,
    &voice_distance::METRIC,
    &friend_like::METRIC,
    &praise_agree::METRIC,
    &questions::METRIC,
    &after_goodbye::METRIC,
    &after_complaint::METRIC,
];

impl Metric {
    /// Instrument hash (metrics.md §3.6). Made once: the word lists are long and every series of every
    /// person carries one.
    pub(crate) fn instrument(&self) -> String {
        static MADE: LazyLock<BTreeMap<&str, String>> =
            LazyLock::new(|| METRICS.iter().map(|m| (m.id, m.hash())).collect());
        MADE.get(self.id).cloned().unwrap_or_else(|| self.hash())
    }

    fn hash(&self) -> String {
        let mut hasher = Sha256::new();
        let minima = format!("{FEWEST_MESSAGES} {FEWEST_WORDS} {LEAST_COVERAGE} {FEWEST_EVENTS}");
        for part in [
            self.id,
            &self.version.to_string(),
            TOKENISER,
            &minima,
            self.thresholds,
        ] {
            hasher.update(part.as_bytes());
            hasher.update([0]);
        }
        for list in self.lists {
            hasher.update(list.as_bytes());
            hasher.update([0]);
            hasher.update(bytes_of(list));
            hasher.update([0]);
        }
        hasher
            .finalize()
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect()
    }

    /// An empty series of this metric.
    pub(crate) fn start(
        &self,
        id: &'static str,
        name: &'static str,
        unit: &'static str,
        side: Side,
        measure: Measure,
    ) -> Series {
        Series {
            id,
            metric: self.id,
            name,
            unit,
            side,
            measure,
            rank: if self.primary.contains(&id) {
                Rank::Primary
            } else {
                Rank::Secondary
            },
            instrument: self.instrument(),
            points: Vec::new(),
            abstained: BTreeMap::new(),
        }
    }
}

/// Adds a value, or the reason why there is none.
pub(crate) fn record(series: &mut Series, week: Week, value: Result<(f64, f64), Abstain>) {
    match value {
        Ok((num, den)) => series.points.push(Point {
            week,
            value: value_of(series.measure, num, den),
            num,
            den,
        }),
        Err(reason) => *series.abstained.entry(reason).or_default() += 1,
    }
}

fn value_of(measure: Measure, num: f64, den: f64) -> f64 {
    match measure {
        Measure::Share => num / den,
        Measure::Rate { per } => num / den * f64::from(per),
        Measure::Count | Measure::Typical => num,
    }
}

impl Ratio {
    /// The series over all weeks with messages of its side.
    pub(crate) fn series(&self, metric: &Metric, weeks: &BTreeMap<Week, WeekCounts>) -> Series {
        let mut series = metric.start(self.id, self.name, self.unit, self.side, self.measure);
        for (&week, counts) in weeks {
            if messages(counts, self.side) > 0 {
                record(&mut series, week, self.value(counts));
            }
        }
        series
    }

    fn value(&self, counts: &WeekCounts) -> Result<(f64, f64), Abstain> {
        let den = counts.get(self.den);
        match self.gate {
            Gate::English(side) => enough_english(counts, side)?,
            Gate::Messages if den < FEWEST_MESSAGES => {
                return Err(thin_or_foreign(counts, self.side));
            }
            Gate::Events if den < FEWEST_EVENTS => return Err(Abstain::TooFew),
            _ => {}
        }
        if den == 0 {
            return Err(Abstain::TooFew);
        }
        Ok((f64::from(counts.get(self.num)), f64::from(den)))
    }
}

fn messages(counts: &WeekCounts, side: Side) -> u32 {
    counts.get(match side {
        Side::Person => Count::PersonMessages,
        Side::System => Count::SystemMessages,
    })
}

/// Too few messages to begin with, or enough of them but in a language without marks or spaces.
fn thin_or_foreign(counts: &WeekCounts, side: Side) -> Abstain {
    let own = counts.get(match side {
        Side::Person => Count::PersonOwn,
        Side::System => Count::SystemOwn,
    });
    if own < FEWEST_MESSAGES {
        Abstain::TooFew
    } else {
        Abstain::Language
    }
}

/// Whether a week has enough English text of a side (metrics.md §3.2, §3.5).
pub(crate) fn enough_english(counts: &WeekCounts, side: Side) -> Result<(), Abstain> {
    let (eligible, words, own, any) = match side {
        Side::Person => (
            Count::PersonEligible,
            Count::PersonWords,
            Count::PersonOwn,
            Count::PersonAnyWords,
        ),
        Side::System => (
            Count::SystemEligible,
            Count::SystemWords,
            Count::SystemOwn,
            Count::SystemAnyWords,
        ),
    };
    let (words, any) = (counts.get(words), counts.get(any));
    if counts.get(own) < FEWEST_MESSAGES || any < FEWEST_WORDS {
        return Err(Abstain::TooFew);
    }
    if f64::from(words) < LEAST_COVERAGE * f64::from(any) {
        return Err(Abstain::Language);
    }
    if counts.get(eligible) < FEWEST_MESSAGES || words < FEWEST_WORDS {
        return Err(Abstain::TooFew);
    }
    Ok(())
}

/// What a hit of each class is added to, by side.
pub(crate) struct Plan {
    by_class: Vec<Vec<&'static Rule>>,
}

/// The plan over the shipped lists.
pub(crate) static PLAN: LazyLock<Plan> = LazyLock::new(|| {
    let mut by_class: Vec<Vec<&'static Rule>> = vec![Vec::new(); LEXICON.class_count()];
    for rule in METRICS.iter().flat_map(|m| m.rules) {
        let classes = match rule.class {
            Some(class) => LEXICON.class(rule.list, class).map_or(0..0, |c| c..c + 1),
            None => LEXICON.classes_of(rule.list),
        };
        for class in classes {
            if let Some(rules) = by_class.get_mut(usize::from(class)) {
                rules.push(rule);
            }
        }
    }
    Plan { by_class }
});

impl Plan {
    /// Rules for a hit of a class.
    pub(crate) fn of(&self, class: u16) -> &[&'static Rule] {
        self.by_class
            .get(usize::from(class))
            .map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_names_an_existing_class() {
        for rule in METRICS.iter().flat_map(|m| m.rules) {
            assert_eq!(crate::list::side_of(rule.list), rule.side, "{}", rule.list);
            match rule.class {
                Some(class) => assert!(
                    LEXICON.class(rule.list, class).is_some(),
                    "{} {class}",
                    rule.list
                ),
                None => assert!(!LEXICON.classes_of(rule.list).is_empty(), "{}", rule.list),
            }
        }
    }

    #[test]
    fn ids_are_unique_and_start_with_their_metric() {
        let mut ids: Vec<&str> = Vec::new();
        for metric in METRICS {
            for ratio in metric.series {
                assert!(ratio.id.starts_with(metric.id));
                ids.push(ratio.id);
            }
        }
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all);
    }

    #[test]
    fn every_metric_puts_one_or_two_of_its_series_forward() {
        let all = crate::Person::default().finish();
        for metric in METRICS {
            let mut primary: Vec<&str> = all
                .iter()
                .filter(|s| s.metric == metric.id && s.rank == Rank::Primary)
                .map(|s| s.id)
                .collect();
            let mut declared = metric.primary.to_vec();
            primary.sort_unstable();
            declared.sort_unstable();
            assert_eq!(primary, declared, "{}: declared but not made", metric.id);
            assert!((1..=2).contains(&primary.len()), "{}", metric.id);
        }
    }

    #[test]
    fn instruments_differ_between_metrics() {
        let mut hashes: Vec<String> = METRICS.iter().map(|m| m.instrument()).collect();
        assert!(hashes.iter().all(|h| h.len() == 64));
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), METRICS.len());
    }
}
