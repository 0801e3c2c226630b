//! One module per metric. Most are tables: which list hits are added to which weekly sum, and how two
//! sums make a series. What needs more than sums has functions of its own.

pub(crate) mod after_complaint;
pub(crate) mod after_goodbye;
pub(crate) mod alone_lines;
pub(crate) mod cadence;
pub(crate) mod choice_requests;
pub(crate) mod friend_like;
pub(crate) mod gives_way;
pub(crate) mod missed_lines;
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
use crate::pasted;
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
    /// Series that get a verdict: one, or two where the metric is two counts; none where it is not known
    /// how well the words tell what is asked for. The others describe.
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
    /// Enough messages and words in a language that is read (metrics.md §3.2, §3.5).
    Text(Basis),
    /// Enough messages in a language that is read. The words are the count itself: leaving out weeks
    /// with few of them would leave out the low values.
    Messages(Basis),
    /// Enough conditioning events in the denominator (metrics.md §3.3), of which these many were
    /// answered. The denominator is events, so 20 messages and 300 words say nothing about it.
    Events {
        /// Events with an answer, read or not.
        answered: Count,
    },
}

/// The sums that say how much of a side's text a metric reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Basis {
    /// Messages with words.
    own: Count,
    /// Words of those.
    any_words: Count,
    /// Of the messages, those in a language that is read.
    read: Count,
    /// Words of those.
    words: Count,
}

impl Basis {
    /// English text of a side.
    pub(crate) const fn english(side: Side) -> Self {
        match side {
            Side::Person => Basis {
                own: Count::PersonOwn,
                any_words: Count::PersonAnyWords,
                read: Count::PersonEligible,
                words: Count::PersonWords,
            },
            Side::System => Basis {
                own: Count::SystemOwn,
                any_words: Count::SystemAnyWords,
                read: Count::SystemEligible,
                words: Count::SystemWords,
            },
        }
    }

    /// Text of a side in languages with spaces between words.
    pub(crate) const fn spaced(side: Side) -> Self {
        match side {
            Side::Person => Basis {
                read: Count::PersonSpaced,
                words: Count::PersonSpacedWords,
                ..Basis::english(side)
            },
            Side::System => Basis {
                read: Count::SystemSpaced,
                words: Count::SystemSpacedWords,
                ..Basis::english(side)
            },
        }
    }

    /// Replies in languages with a question mark.
    pub(crate) const MARKED: Self = Basis {
        read: Count::Replies,
        words: Count::ReplyWords,
        ..Basis::english(Side::System)
    };

    /// Whether a week has enough text. Too little of any language is too little; enough of it in
    /// languages that are not read abstains for the language.
    pub(crate) fn enough(self, counts: &WeekCounts, fewest_words: u32) -> Result<(), Abstain> {
        let thin = |messages: Count, words: Count| {
            counts.get(messages) < FEWEST_MESSAGES || counts.get(words) < fewest_words
        };
        if thin(self.own, self.any_words) {
            Err(Abstain::TooFew)
        } else if !self.covers(counts) {
            Err(Abstain::Language)
        } else if thin(self.read, self.words) {
            Err(Abstain::TooFew)
        } else {
            Ok(())
        }
    }

    /// Whether enough of the words are read.
    fn covers(self, counts: &WeekCounts) -> bool {
        covers(counts.get(self.words), counts.get(self.any_words))
    }
}

fn covers(part: u32, whole: u32) -> bool {
    f64::from(part) >= LEAST_COVERAGE * f64::from(whole)
}

/// Whether a week has enough conditioning events. They are found in the person's English words, so
/// those must cover the week; `answered` are the events with an answer, `read` those whose answer is
/// known.
pub(crate) fn enough_events(counts: &WeekCounts, answered: u32, read: u32) -> Result<(), Abstain> {
    if !Basis::english(Side::Person).covers(counts) {
        Err(Abstain::Language)
    } else if answered < FEWEST_EVENTS {
        Err(Abstain::TooFew)
    } else if !covers(read, answered) {
        Err(Abstain::Language)
    } else if read < FEWEST_EVENTS {
        Err(Abstain::TooFew)
    } else {
        Ok(())
    }
}

/// Every metric that is counted.
pub(crate) const METRICS: &[&Metric] = &[
    &cadence::METRIC,
    &words_per_message::METRIC,
    &choice_requests::METRIC,
    &rather_than_people::METRIC,
    &alone_lines::METRIC,
    &missed_lines::METRIC,
    &people_named::METRIC,
    &small_words::METRIC,
    &same_problem::METRIC,
    &voice_distance::METRIC,
    &friend_like::METRIC,
    &praise_agree::METRIC,
    &questions::METRIC,
    &after_goodbye::METRIC,
    &after_complaint::METRIC,
    &gives_way::METRIC,
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
            pasted::RULE,
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
            other_weeks: None,
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
            Gate::Text(basis) => basis.enough(counts, FEWEST_WORDS)?,
            Gate::Messages(basis) => basis.enough(counts, 0)?,
            Gate::Events { answered } => enough_events(counts, counts.get(answered), den)?,
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

/// Whether a week has enough English text of a side (metrics.md §3.2, §3.5).
pub(crate) fn enough_english(counts: &WeekCounts, side: Side) -> Result<(), Abstain> {
    Basis::english(side).enough(counts, FEWEST_WORDS)
}

/// The weeks with messages of the person, in order.
pub(crate) fn active(
    weeks: &BTreeMap<Week, WeekCounts>,
) -> impl Iterator<Item = (Week, &WeekCounts)> + Clone {
    weeks
        .iter()
        .filter(|(_, counts)| counts.get(Count::PersonMessages) > 0)
        .map(|(&week, counts)| (week, counts))
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

    /// Metrics without a verdict: every one that is judged widens the intervals of all the others.
    const SHOWN_ONLY: [&str; 1] = ["gives_way"];

    #[test]
    fn every_judged_metric_puts_one_or_two_of_its_series_forward() {
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
            let expected = if SHOWN_ONLY.contains(&metric.id) {
                0..=0
            } else {
                1..=2
            };
            assert!(expected.contains(&primary.len()), "{}", metric.id);
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
