//! M8: times the same problem returns without an easing line.
//!
//! **Count.** Episode: a stretch of one conversation (cut at 30 minutes of silence) with two or more
//! distress lines of the person, a cue of a personal matter, and no technical cue in the lines' messages.
//! Signature: TF-IDF vector of single words and pairs of its distress lines. A later episode 24 hours to
//! 60 days after an earlier one is a *return* when the cosine of the two reaches a threshold that random
//! pairs of the same person's episodes pass in 5 % of cases. The earlier episode *eased* when the valence
//! of the last two messages of the person lies above that of the first two, or the last two hold an easing
//! line. Numerator: returns whose latest matching earlier episode had not eased. **Not counted.** Technical
//! frustration, scenes, pasted text. People also return because it helped.

use std::collections::BTreeMap;

use driftlead_record::Week;
use rustc_hash::FxHashMap;

use super::{FEWEST_EVENTS, Metric, enough_english, record};
use crate::count::WeekCounts;
use crate::series::{Abstain, Measure, Series, Side};
use crate::text::mix;

/// The metric.
pub(crate) const METRIC: Metric = Metric {
    id: "same_problem",
    version: 1,
    lists: &[
        "distress",
        "personal_matter",
        "technical_matter",
        "easing",
        "valence_pos",
        "valence_neg",
    ],
    thresholds: "2 lines; 24 h to 60 d; 5 % of 2000 random pairs; from 8 episodes",
    primary: &["same_problem.returns"],
    rules: &[],
    series: &[],
};

const FEWEST_LINES: u32 = 2;
const SOONEST: i64 = 86_400;
const LATEST: i64 = 60 * 86_400;
/// Episodes below which no threshold can be set.
const FEWEST_EPISODES: usize = 8;
const RANDOM_PAIRS: u64 = 2000;
/// Share of random pairs above the threshold.
const MATCHING: f64 = 0.05;

/// One stretch with distress lines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Episode {
    start: i64,
    end: i64,
    week: Week,
    eased: bool,
    /// Hashed terms of the distress lines with their counts, by term.
    terms: Vec<(u32, u16)>,
}

impl Episode {
    /// Whether it ended easier than it began.
    pub(crate) fn eased(&self) -> bool {
        self.eased
    }
}

/// What one message of the person adds to a stretch.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Turn {
    /// Positive minus negative words.
    pub(crate) valence: i32,
    /// An easing line.
    pub(crate) easing: bool,
}

/// A stretch being read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stretch {
    start: i64,
    end: i64,
    week: Week,
    lines: u32,
    personal: bool,
    first: [Turn; 2],
    last: [Turn; 2],
    turns: u32,
    terms: BTreeMap<u32, u16>,
}

impl Stretch {
    /// Starts at a message.
    pub(crate) fn new(start: i64, week: Week) -> Self {
        Stretch {
            start,
            end: start,
            week,
            ..Stretch::default()
        }
    }

    /// Adds a message of the person.
    pub(crate) fn turn(&mut self, at: i64, turn: Turn, personal: bool) {
        self.end = at.max(self.end);
        self.personal |= personal;
        if let Some(slot) = self.first.get_mut(self.turns as usize) {
            *slot = turn;
        }
        let [_, before] = self.last;
        self.last = [before, turn];
        self.turns += 1;
    }

    /// Instant of the last message, in seconds.
    pub(crate) fn end(&self) -> i64 {
        self.end
    }

    /// Adds a distress line, given the hashes of its words.
    pub(crate) fn line(&mut self, words: impl Iterator<Item = u64>) {
        self.lines += 1;
        let mut before: Option<u64> = None;
        for word in words {
            self.term(word);
            if let Some(before) = before {
                self.term(mix(before.rotate_left(1) ^ word));
            }
            before = Some(word);
        }
    }

    fn term(&mut self, hash: u64) {
        let count = self.terms.entry((hash >> 32) as u32).or_default();
        *count = count.saturating_add(1);
    }

    /// The episode, if it is one.
    pub(crate) fn close(self) -> Option<Episode> {
        let eased = self.eased();
        (self.lines >= FEWEST_LINES && self.personal).then(|| Episode {
            start: self.start,
            end: self.end,
            week: self.week,
            eased,
            terms: self.terms.into_iter().collect(),
        })
    }

    fn eased(&self) -> bool {
        let sum = |turns: &[Turn; 2]| turns.iter().map(|t| t.valence).sum::<i32>();
        self.last.iter().any(|t| t.easing) || (self.turns > 2 && sum(&self.last) > sum(&self.first))
    }
}

/// Both series: returns per week, and their share of episodes.
pub(crate) fn series(episodes: &[Episode], weeks: &BTreeMap<Week, WeekCounts>) -> Vec<Series> {
    let mut count = METRIC.start(
        "same_problem.returns",
        "times the same problem returned without an easing line",
        "per week",
        Side::Person,
        Measure::Count,
    );
    let mut share = METRIC.start(
        "same_problem.share",
        "episodes in which the same problem returned without an easing line",
        "share of episodes",
        Side::Person,
        Measure::Share,
    );
    let found = returns(episodes);
    for (&week, counts) in weeks {
        if counts.get(crate::count::Count::PersonMessages) == 0 {
            continue;
        }
        let (num, den) = found
            .as_ref()
            .and_then(|f| f.get(&week))
            .copied()
            .unwrap_or_default();
        let eligible = enough_english(counts, Side::Person).and(if found.is_some() {
            Ok(())
        } else {
            Err(Abstain::TooFew)
        });
        record(&mut count, week, eligible.map(|()| (f64::from(num), 1.0)));
        let enough = if den < FEWEST_EVENTS {
            Err(Abstain::TooFew)
        } else {
            Ok(())
        };
        record(
            &mut share,
            week,
            eligible
                .and(enough)
                .map(|()| (f64::from(num), f64::from(den))),
        );
    }
    vec![count, share]
}

/// Returns and episodes by week; `None` with too few episodes for a threshold.
fn returns(episodes: &[Episode]) -> Option<BTreeMap<Week, (u32, u32)>> {
    if episodes.len() < FEWEST_EPISODES {
        return None;
    }
    let mut sorted: Vec<&Episode> = episodes.iter().collect();
    sorted.sort_unstable();
    let vectors = weigh(&sorted);
    let threshold = threshold(&vectors);
    let mut weeks: BTreeMap<Week, (u32, u32)> = BTreeMap::new();
    for (index, (episode, vector)) in sorted.iter().zip(&vectors).enumerate() {
        let earlier = sorted.iter().zip(&vectors).take(index).rev();
        let matching = earlier
            .take_while(|(e, _)| episode.start - e.start <= LATEST)
            .find(|(e, v)| episode.start - e.end >= SOONEST && cosine(vector, v) >= threshold);
        let (num, den) = weeks.entry(episode.week).or_default();
        *num += u32::from(matching.is_some_and(|(e, _)| !e.eased));
        *den += 1;
    }
    Some(weeks)
}

type Vector = Vec<(u32, f64)>;

/// Unit vectors of term count times log inverse share of the person's episodes.
fn weigh(episodes: &[&Episode]) -> Vec<Vector> {
    let mut holders: FxHashMap<u32, u32> = FxHashMap::default();
    for (term, _) in episodes.iter().flat_map(|e| &e.terms) {
        *holders.entry(*term).or_default() += 1;
    }
    let all = episodes.len() as f64;
    let weight = |term: &u32| (all / f64::from(holders.get(term).copied().unwrap_or(1))).ln();
    episodes
        .iter()
        .map(|e| {
            let mut vector: Vector = e
                .terms
                .iter()
                .map(|(t, n)| (*t, f64::from(*n) * weight(t)))
                .collect();
            let norm = vector.iter().map(|(_, w)| w * w).sum::<f64>().sqrt();
            if norm > 0.0 {
                vector.iter_mut().for_each(|(_, w)| *w /= norm);
            }
            vector
        })
        .collect()
}

fn cosine(a: &Vector, b: &Vector) -> f64 {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    let mut sum = 0.0;
    while let (Some(&&(x, u)), Some(&&(y, v))) = (a.peek(), b.peek()) {
        match x.cmp(&y) {
            std::cmp::Ordering::Less => {
                a.next();
            }
            std::cmp::Ordering::Greater => {
                b.next();
            }
            std::cmp::Ordering::Equal => {
                sum += u * v;
                a.next();
                b.next();
            }
        }
    }
    sum
}

/// Value that 5 % of random pairs exceed; never zero, so that nothing shared is never a match.
fn threshold(vectors: &[Vector]) -> f64 {
    let n = vectors.len() as u64;
    let mut cosines: Vec<f64> = (0..RANDOM_PAIRS)
        .filter_map(|draw| {
            let (i, j) = (mix(2 * draw + 1) % n, mix(2 * draw + 2) % n);
            let (a, b) = (vectors.get(i as usize)?, vectors.get(j as usize)?);
            (i != j).then(|| cosine(a, b))
        })
        .collect();
    cosines.sort_unstable_by(f64::total_cmp);
    let at = (cosines.len() as f64 * (1.0 - MATCHING)) as usize;
    cosines.get(at).copied().unwrap_or(1.0).max(1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::hash_word;

    fn episode(day: i64, words: &[&str], eased: bool) -> Episode {
        let start = day * 86_400;
        let mut stretch = Stretch::new(start, Week::of_day(day as i32));
        stretch.turn(start, Turn::default(), true);
        stretch.line(words.iter().map(|w| hash_word(w)));
        stretch.line(words.iter().map(|w| hash_word(w)));
        stretch.turn(
            start + 60,
            Turn {
                valence: 0,
                easing: eased,
            },
            false,
        );
        stretch.close().unwrap()
    }

    /// Twenty unrelated episodes, far apart, and a pair about one problem.
    fn history(gap_days: i64, eased: bool) -> Vec<Episode> {
        let names: Vec<String> = (0..20).map(|i| format!("thing{i}")).collect();
        let mut all: Vec<Episode> = names
            .iter()
            .enumerate()
            .map(|(i, n)| episode(1000 + 70 * i as i64, &[n], false))
            .collect();
        all.push(episode(100, &["rent", "is", "late"], eased));
        all.push(episode(100 + gap_days, &["rent", "is", "late"], false));
        all
    }

    fn returned(history: &[Episode]) -> u32 {
        returns(history).unwrap().values().map(|(num, _)| num).sum()
    }

    #[test]
    fn only_an_uneased_problem_in_time_returns() {
        assert_eq!(returned(&history(7, false)), 1);
        assert_eq!(returned(&history(7, true)), 0);
        assert_eq!(returned(&history(61, false)), 0);
        assert_eq!(returned(&history(0, false)), 0);
    }

    #[test]
    fn few_episodes_set_no_threshold() {
        assert!(returns(&history(7, false)[14..]).is_some());
        assert!(returns(&history(7, false)[16..]).is_none());
    }

    #[test]
    fn a_stretch_needs_two_lines_and_a_personal_matter() {
        let mut one = Stretch::new(0, Week(0));
        one.turn(0, Turn::default(), true);
        one.line([1, 2].into_iter());
        assert!(one.clone().close().is_none());
        one.line([3].into_iter());
        assert!(one.clone().close().is_some());
        one.personal = false;
        assert!(one.close().is_none());
    }

    #[test]
    fn easing_is_a_line_or_a_rise_of_valence() {
        let turns = |valences: &[i32]| {
            let mut s = Stretch::new(0, Week(0));
            for v in valences {
                s.turn(
                    0,
                    Turn {
                        valence: *v,
                        easing: false,
                    },
                    true,
                );
            }
            s.eased()
        };
        assert!(turns(&[-2, -1, 0, 1]));
        assert!(!turns(&[1, 0, -1, -2]));
        assert!(!turns(&[-2, 5]), "two messages have no first and last half");
    }
}
