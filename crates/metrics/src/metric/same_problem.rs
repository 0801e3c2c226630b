//! M8: times the same problem returns without an easing line.
//!
//! **Count.** Episode: a session (over all conversations) with two or more distress lines of the person, a
//! cue of a personal matter, and no technical cue in the lines' messages.
//! Signature: TF-IDF vector of single words and pairs of its distress lines. A later episode 24 hours to
//! 60 days after an earlier one is a *return* when the cosine of the two reaches a threshold that random
//! pairs of the same person's episodes pass in 5 % of cases. The earlier episode *eased* when the valence
//! of the last two messages of the person lies above that of the first two, or the last two hold an easing
//! line. Numerator: returns whose latest matching earlier episode had not eased. **Not counted.** Technical
//! frustration, scenes, pasted text. People also return because it helped.

use std::collections::BTreeMap;

use driftlead_record::Week;
use rustc_hash::FxHashMap;

use super::{FEWEST_EVENTS, Metric, active, enough_english, record};
use crate::count::WeekCounts;
use crate::series::{Abstain, Measure, Series, Side};
use crate::session::{Cue, Place, Sessions, Stamp};
use crate::text::mix;

/// The metric.
pub(crate) const METRIC: Metric = Metric {
    id: "same_problem",
    version: 2,
    lists: &[
        "distress",
        "personal_matter",
        "technical_matter",
        "easing",
        "valence_pos",
        "valence_neg",
    ],
    thresholds: "session 1800 s; 2 lines; 24 h to 60 d; 5 % of 2000 random pairs; from 8 episodes",
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

/// A session with distress lines.
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

/// The distress lines of one message of the person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Distress {
    place: Place,
    lines: u32,
    /// Hashed single words and pairs of the lines, by term.
    terms: Box<[(u32, u16)]>,
}

impl Distress {
    /// From the hashes of the words of each line.
    pub(crate) fn new(
        place: Place,
        lines: impl Iterator<Item = impl Iterator<Item = u64>>,
    ) -> Self {
        let mut terms = BTreeMap::new();
        let mut count = 0;
        for words in lines {
            count += 1;
            let mut before: Option<u64> = None;
            for word in words {
                add(&mut terms, (word >> 32) as u32, 1);
                if let Some(before) = before {
                    add(
                        &mut terms,
                        (mix(before.rotate_left(1) ^ word) >> 32) as u32,
                        1,
                    );
                }
                before = Some(word);
            }
        }
        Distress {
            place,
            lines: count,
            terms: terms.into_iter().collect(),
        }
    }
}

fn add(terms: &mut BTreeMap<u32, u16>, term: u32, n: u16) {
    let count = terms.entry(term).or_default();
    *count = count.saturating_add(n);
}

/// The episodes among the sessions. `distress` may be in any order.
pub(crate) fn episodes(sessions: &Sessions, distress: &[Distress]) -> Vec<Episode> {
    let mut sorted: Vec<&Distress> = distress.iter().collect();
    sorted.sort_unstable();
    let mut rest = sorted.as_slice();
    let mut episodes = Vec::new();
    for session in sessions.iter() {
        let (Some(first), Some(last)) = (session.first(), session.last()) else {
            continue;
        };
        // Lines of a scheduled prompt lie in no session.
        let from = rest.partition_point(|d| d.place < first.place);
        let to = rest.partition_point(|d| d.place <= last.place);
        let inside = rest.get(from..to).unwrap_or(&[]);
        let inside: Vec<&Distress> = inside
            .iter()
            .copied()
            .filter(|d| session.binary_search_by_key(&d.place, |s| s.place).is_ok())
            .collect();
        rest = rest.get(to..).unwrap_or(&[]);
        let lines: u32 = inside.iter().map(|d| d.lines).sum();
        if lines < FEWEST_LINES || !session.iter().any(|s| s.cue.has(Cue::PERSONAL)) {
            continue;
        }
        let mut terms = BTreeMap::new();
        for &(term, n) in inside.iter().flat_map(|d| &d.terms) {
            add(&mut terms, term, n);
        }
        episodes.push(Episode {
            start: first.seconds(),
            end: last.seconds(),
            week: first.week(),
            eased: eased(session),
            terms: terms.into_iter().collect(),
        });
    }
    episodes
}

/// Whether the last two messages that were read hold an easing line, or more good words than the first
/// two. Two messages have no first and last half.
fn eased(session: &[Stamp]) -> bool {
    let read = || session.iter().map(|s| s.cue).filter(|c| c.has(Cue::READ));
    let sum = |cues: &mut dyn Iterator<Item = Cue>| cues.map(|c| i32::from(c.valence)).sum::<i32>();
    let mut last = session
        .iter()
        .rev()
        .map(|s| s.cue)
        .filter(|c| c.has(Cue::READ));
    let last: [Option<Cue>; 2] = [last.next(), last.next()];
    let last = || last.into_iter().flatten();
    last().any(|c| c.has(Cue::EASING))
        || (read().nth(2).is_some() && sum(&mut last()) > sum(&mut read().take(2)))
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
    for (week, counts) in active(weeks) {
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
    use crate::session::tests::at;
    use crate::text::hash_word;

    fn episode(day: i64, words: &[&str], eased: bool) -> Episode {
        let start = day * 86_400;
        let stamps = [
            said(start, Cue::read(0).with(Cue::PERSONAL, true)),
            said(start + 60, Cue::read(0).with(Cue::EASING, eased)),
        ];
        let lines = [(0, words), (60, words)].map(|(after, w)| distress(start + after, w));
        let mut all = episodes(&Sessions::new(&stamps), &lines);
        all.pop().unwrap()
    }

    fn said(seconds: i64, cue: Cue) -> Stamp {
        at(seconds, 0).with(cue)
    }

    fn distress(seconds: i64, words: &[&str]) -> Distress {
        let line = words.iter().map(|w| hash_word(w));
        Distress::new(at(seconds, 0).place, [line].into_iter())
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
    fn an_episode_needs_two_lines_and_a_personal_matter() {
        let count = |personal: bool, lines: &[Distress]| {
            let stamps = [
                said(0, Cue::read(0).with(Cue::PERSONAL, personal)),
                said(60, Cue::read(0)),
            ];
            episodes(&Sessions::new(&stamps), lines).len()
        };
        let [one, two] = [0, 60].map(|s| distress(s, &["rent"]));
        assert_eq!(count(true, std::slice::from_ref(&one)), 0);
        assert_eq!(count(true, &[one.clone(), two.clone()]), 1);
        assert_eq!(count(false, &[one, two]), 0);
    }

    #[test]
    fn an_episode_goes_on_in_another_conversation() {
        // One line in each of two conversations, 20 minutes apart; a third line 31 minutes later.
        let mut other = said(1200, Cue::read(0).with(Cue::EASING, true));
        other.place.conversation = 2;
        let mut line = distress(1200, &["rent"]);
        line.place.conversation = 2;
        let stamps = [
            said(0, Cue::read(0).with(Cue::PERSONAL, true)),
            other,
            said(1200 + 1860, Cue::read(0)),
        ];
        let lines = [distress(0, &["rent"]), line, distress(3060, &["rent"])];
        let found = episodes(&Sessions::new(&stamps), &lines);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].start, found[0].end, found[0].eased),
            (0, 1200, true)
        );
        assert_eq!(
            found[0].terms.iter().map(|(_, n)| *n).collect::<Vec<_>>(),
            [2]
        );
    }

    #[test]
    fn easing_is_a_line_or_a_rise_of_valence() {
        let turns = |valences: &[i32]| {
            let stamps: Vec<Stamp> = valences
                .iter()
                .zip(0..)
                .map(|(&v, i)| said(i, Cue::read(v)))
                .collect();
            eased(&stamps)
        };
        assert!(turns(&[-2, -1, 0, 1]));
        assert!(!turns(&[1, 0, -1, -2]));
        assert!(!turns(&[-2, 5]), "two messages have no first and last half");
        let unread = [
            said(0, Cue::read(-2)),
            said(1, Cue::default()),
            said(2, Cue::read(5)),
        ];
        assert!(!eased(&unread), "messages that were not read are no turns");
    }
}
