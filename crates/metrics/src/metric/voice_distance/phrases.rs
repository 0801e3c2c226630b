//! Runs of 4 and 5 words: which of the system's phrases the person takes up.

use std::collections::BTreeMap;

use driftlead_record::Week;

use super::other_weeks::{self, Follows};
use super::{BASELINE_WEEKS, METRIC};
use crate::count::WeekCounts;
use crate::metric::{active, enough_english, record};
use crate::series::{Abstain, Measure, OtherWeeks, Series, Side};
use crate::text::{Tokens, mix};

/// One run in `2^BASE_SHIFT` is kept, by hash.
const BASE_SHIFT: u32 = 3;
/// Most runs kept per side; beyond it every second one goes, by hash.
const MOST: usize = 1_000_000;
const WINDOW: u32 = 28 * 86_400;
/// Fewest sampled runs of a week.
const FEWEST_RUNS: u32 = 50;
/// Most runs of the system that are moved; beyond it every second one goes, by hash.
const MOST_MOVED: usize = 150_000;
const WEEK_SECONDS: i64 = 7 * 86_400;

/// A sample of runs: hash in the upper half, local seconds since 1970 in the lower.
#[derive(Debug, Clone, Default)]
pub(crate) struct PhraseSample {
    runs: Vec<u64>,
    shift: u32,
}

impl PhraseSample {
    /// Adds a run seen at an instant of the person's clock.
    pub(crate) fn add(&mut self, hash: u32, seconds: u32) {
        if kept(hash, self.shift) {
            self.runs.push(u64::from(hash) << 32 | u64::from(seconds));
            if self.runs.len() >= 2 * MOST {
                self.compact();
            }
        }
    }

    /// Adds another sample.
    pub(crate) fn merge(&mut self, other: &PhraseSample) {
        self.shift = self.shift.max(other.shift);
        for &run in &other.runs {
            self.add((run >> 32) as u32, run as u32);
        }
    }

    /// Sorts, drops repetitions, and thins until the sample fits. The result is a function of the set
    /// of all runs added, because a thinner sample of a part never exceeds one of the whole.
    fn compact(&mut self) {
        let shift = self.shift;
        self.runs.retain(|r| kept((r >> 32) as u32, shift));
        self.runs.sort_unstable();
        self.runs.dedup();
        while self.runs.len() > MOST {
            self.shift += 1;
            let shift = self.shift;
            self.runs.retain(|r| kept((r >> 32) as u32, shift));
        }
    }

    /// The sample at a shift, sorted.
    fn at_shift(&self, shift: u32) -> Vec<u64> {
        let mut runs: Vec<u64> = self
            .runs
            .iter()
            .copied()
            .filter(|r| kept((r >> 32) as u32, shift))
            .collect();
        runs.sort_unstable();
        runs.dedup();
        runs
    }
}

fn kept(hash: u32, shift: u32) -> bool {
    hash & ((1_u32 << shift.min(31)) - 1) == 0
}

/// Adds the runs of a message to a sample.
pub(crate) struct RunHasher;

impl RunHasher {
    /// Runs do not cross lines. `seconds` outside 1970–2106 are left out.
    pub(crate) fn add(tokens: &Tokens, seconds: i64, sample: &mut PhraseSample) {
        let Ok(seconds) = u32::try_from(seconds) else {
            return;
        };
        for line in &tokens.lines {
            let mut last = [0_u64; 4];
            for (index, word) in tokens.words_of(line).iter().enumerate() {
                let [a, b, c, d] = last;
                if index >= 3 {
                    let four = fold([b, c, d, word.hash]);
                    Self::keep(four, seconds, sample);
                    if index >= 4 {
                        Self::keep(fold([four, a, word.hash, 5]), seconds, sample);
                    }
                }
                last = [b, c, d, word.hash];
            }
        }
    }

    fn keep(hash: u64, seconds: u32, sample: &mut PhraseSample) {
        let hash = mix(hash);
        if hash >> (64 - BASE_SHIFT) == 0 {
            sample.add(hash as u32, seconds);
        }
    }
}

fn fold(words: [u64; 4]) -> u64 {
    words.iter().fold(0, |h, w| {
        (h ^ w).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23)
    })
}

/// The uptake series. `weeks` are the sums of every week.
pub(crate) fn uptake(
    said: &PhraseSample,
    heard: &PhraseSample,
    weeks: &BTreeMap<Week, WeekCounts>,
) -> Series {
    let mut series = METRIC.start(
        "voice_distance.uptake",
        "own runs of 4 and 5 words that the system wrote before",
        "share of runs",
        Side::Person,
        Measure::Share,
    );
    let eligible = active(weeks).filter(|(_, c)| enough_english(c, Side::Person).is_ok());
    let Some((last_baseline, _)) = eligible.clone().nth(BASELINE_WEEKS - 1) else {
        for (week, _) in active(weeks) {
            record(&mut series, week, Err(Abstain::TooFew));
        }
        return series;
    };
    let (said, heard) = thinned(said, heard);
    let counts = count(&said, &heard, last_baseline);
    for (week, sums) in active(weeks).filter(|&(week, _)| week > last_baseline) {
        let value = enough_english(sums, Side::Person).and_then(|()| match counts.get(&week) {
            Some(&(num, den)) if den >= FEWEST_RUNS => Ok((f64::from(num), f64::from(den))),
            _ => Err(Abstain::TooFew),
        });
        record(&mut series, week, value);
    }
    let valued: Vec<Week> = series.points.iter().map(|p| p.week).collect();
    series.other_weeks = against_other_weeks(&said, &heard, last_baseline, &valued);
    series
}

/// One run that the person uses after the baseline and not in it, and that the system wrote.
struct Shared {
    /// Uses of the person, each with the place of its week among those with a value.
    uses: Vec<(u64, Option<usize>)>,
    /// Uses of the system, each with the place of its week.
    heard: Vec<(u64, usize)>,
}

/// The mean weekly share with the system's text in its own weeks, and in others. Weeks weigh the same, so that busy weeks of both sides do not pass for take-up.
fn against_other_weeks(
    said: &[u64],
    heard: &[u64],
    last_baseline: Week,
    valued: &[Week],
) -> Option<OtherWeeks> {
    let mut thinner = 0;
    let kept_runs = |runs: &[u64], thinner: u32| -> Vec<u64> {
        // Bits above those that thinned the sample before.
        let wanted = |run: &&u64| thinner == 0 || **run >> (64 - thinner.min(31)) == 0;
        runs.iter().filter(wanted).copied().collect()
    };
    let mut sources = heard.to_vec();
    while sources.len() > MOST_MOVED {
        thinner += 1;
        sources = kept_runs(heard, thinner);
    }
    let own = kept_runs(said, thinner);
    let mut weeks: Vec<Week> = sources.iter().map(|&r| week_of(r)).collect();
    weeks.sort_unstable();
    weeks.dedup();
    if valued.is_empty() {
        return None;
    }
    let (shared, all) = shared(&own, &sources, &weeks, last_baseline, valued);
    let share = |by: usize| {
        let mut taken = vec![0_u32; valued.len()];
        let mut moved: Vec<u64> = Vec::new();
        for run in &shared {
            moved.clear();
            moved.extend(run.heard.iter().map(|&(at, week)| {
                let to = weeks.get((week + weeks.len() - by) % weeks.len()).copied();
                move_to(at, to.unwrap_or_else(|| week_of(at)))
            }));
            moved.sort_unstable();
            if moved.first() >= run.uses.first().map(|(first, _)| first) {
                continue;
            }
            for (at, week) in &run.uses {
                if let Some(n) = week.and_then(|w| taken.get_mut(w)) {
                    *n += u32::from(heard_before(&moved, *at));
                }
            }
        }
        let shares = taken.iter().zip(&all).filter(|(_, all)| **all > 0);
        let sum: f64 = shares
            .clone()
            .map(|(n, all)| f64::from(*n) / f64::from(*all))
            .sum();
        sum / shares.count().max(1) as f64
    };
    other_weeks::compare(weeks.len(), Follows::Up, share)
}

/// Runs of both sides, and all runs of the person by week.
fn shared(
    said: &[u64],
    heard: &[u64],
    weeks: &[Week],
    last_baseline: Week,
    valued: &[Week],
) -> (Vec<Shared>, Vec<u32>) {
    let mut all = vec![0_u32; valued.len()];
    let mut found = Vec::new();
    for uses in said.chunk_by(|a, b| a >> 32 == b >> 32) {
        let Some(&first) = uses.first() else { continue };
        let uses: Vec<(u64, Option<usize>)> = uses
            .iter()
            .map(|&run| (run, valued.binary_search(&week_of(run)).ok()))
            .collect();
        for week in uses.iter().filter_map(|(_, week)| *week) {
            if let Some(n) = all.get_mut(week) {
                *n += 1;
            }
        }
        let from = heard.partition_point(|h| h >> 32 < first >> 32);
        let heard: Vec<(u64, usize)> = heard
            .get(from..)
            .unwrap_or(&[])
            .iter()
            .take_while(|&&h| h >> 32 == first >> 32)
            .map(|&h| (h, weeks.binary_search(&week_of(h)).unwrap_or(0)))
            .collect();
        if !heard.is_empty() && week_of(first) > last_baseline {
            found.push(Shared { uses, heard });
        }
    }
    (found, all)
}

/// The same run on the same day and hour of another week.
fn move_to(run: u64, week: Week) -> u64 {
    let weeks = i64::from(week.0) - i64::from(week_of(run).0);
    let seconds = i64::from(run as u32) + weeks * WEEK_SECONDS;
    (run >> 32) << 32 | u64::from(u32::try_from(seconds).unwrap_or(0))
}

/// Both samples compacted and brought to the coarser of the two rates.
fn thinned(said: &PhraseSample, heard: &PhraseSample) -> (Vec<u64>, Vec<u64>) {
    let (mut said, mut heard) = (said.clone(), heard.clone());
    said.compact();
    heard.compact();
    let shift = said.shift.max(heard.shift);
    (said.at_shift(shift), heard.at_shift(shift))
}

/// Taken-up and all runs of the person by week after the baseline.
fn count(said: &[u64], heard: &[u64], last_baseline: Week) -> BTreeMap<Week, (u32, u32)> {
    let mut weeks: BTreeMap<Week, (u32, u32)> = BTreeMap::new();
    for uses in said.chunk_by(|a, b| a >> 32 == b >> 32) {
        let Some(&first) = uses.first() else { continue };
        let known = week_of(first) <= last_baseline;
        let from = heard.partition_point(|h| h >> 32 < first >> 32);
        let sources = heard.get(from..).unwrap_or(&[]);
        let ours_first = sources
            .first()
            .is_none_or(|&h| h >> 32 != first >> 32 || h as u32 >= first as u32);
        for &run in uses {
            let week = week_of(run);
            if week <= last_baseline {
                continue;
            }
            let (num, den) = weeks.entry(week).or_default();
            *den += 1;
            *num += u32::from(!known && !ours_first && heard_before(sources, run));
        }
    }
    weeks
}

/// Whether the run stands in `sources` within the window before its use.
fn heard_before(sources: &[u64], run: u64) -> bool {
    let earliest = (run >> 32) << 32 | u64::from((run as u32).saturating_sub(WINDOW));
    let at = sources.partition_point(|&h| h < earliest);
    sources.get(at).is_some_and(|&h| h < run)
}

fn week_of(run: u64) -> Week {
    Week::of_day((run as u32 / 86_400) as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    /// Share taken up when the system says a text on `heard` days and the person on `said` days.
    fn share(heard_days: &[i64], said_days: &[i64], baseline_days: i64) -> (u32, u32) {
        let text: Vec<String> = (0..400).map(|i| format!("w{}", mix(i) % 1000)).collect();
        let mut tokens = Tokens::default();
        tokens.read(&text.join(" "));
        let (mut said, mut heard) = (PhraseSample::default(), PhraseSample::default());
        heard_days
            .iter()
            .for_each(|d| RunHasher::add(&tokens, d * DAY, &mut heard));
        said_days
            .iter()
            .for_each(|d| RunHasher::add(&tokens, d * DAY + 1, &mut said));
        let (said, heard) = thinned(&said, &heard);
        count(&said, &heard, Week::of_day(baseline_days as i32))
            .values()
            .fold((0, 0), |(a, b), (n, d)| (a + n, b + d))
    }

    #[test]
    fn only_new_phrases_heard_lately_and_first_are_taken_up() {
        let (num, den) = share(&[200], &[210], 100);
        assert!(den > 50 && num == den, "{num} of {den}");
        assert_eq!(share(&[200], &[229], 100).0, 0, "heard too long ago");
        assert_eq!(share(&[211], &[210], 100).0, 0, "heard later");
        assert_eq!(
            share(&[200], &[50, 210], 100).0,
            0,
            "own wording of the baseline"
        );
        let (num, den) = share(&[215], &[210, 220], 100);
        assert!(den > 100 && num == 0, "the person said it first");
    }

    /// Runs of 40 weeks on both sides, drawn from one pool; of the person's, `followed` in a hundred are what
    /// the system wrote a week before.
    fn histories(seed: u64, followed: u64) -> (Vec<u64>, Vec<u64>) {
        let draw = |side: u64, week: u64, i: u64| {
            mix(mix(seed + 1) ^ (side << 60) ^ (week << 32) ^ i) % 4000
        };
        let run =
            |hash: u64, week: u64, i: u64| mix(hash + 1) >> 32 << 32 | (week * 604_800 + i * 1000);
        let heard = (0..40_u64).flat_map(|w| (0..150).map(move |i| run(draw(1, w, i), w, i)));
        let said = (1..40_u64).flat_map(|w| {
            (0..150).map(move |i| {
                let follows = w > 12 && draw(3, w, i) % 100 < followed;
                let hash = if follows {
                    draw(1, w - 1, i)
                } else {
                    draw(2, w, i)
                };
                run(hash, w, i)
            })
        });
        let (mut said, mut heard): (Vec<u64>, Vec<u64>) = (said.collect(), heard.collect());
        said.sort_unstable();
        heard.sort_unstable();
        (said, heard)
    }

    fn moved(seed: u64, followed: u64) -> OtherWeeks {
        let (said, heard) = histories(seed, followed);
        let valued: Vec<Week> = (14..40).map(|w| week_of(w * 604_800)).collect();
        against_other_weeks(&said, &heard, week_of(12 * 604_800), &valued).unwrap()
    }

    #[test]
    fn the_real_place_is_counted_like_the_series() {
        let (said, heard) = histories(5, 10);
        let counts = count(&said, &heard, week_of(12 * 604_800));
        let valued: Vec<Week> = (14..40).map(|w| week_of(w * 604_800)).collect();
        let shares = valued.iter().map(|w| counts[w]);
        let mean = shares
            .map(|(n, d)| f64::from(n) / f64::from(d))
            .sum::<f64>()
            / 26.0;
        assert!((moved(5, 10).observed - mean).abs() < 1e-12);
    }

    #[test]
    fn take_up_is_beyond_chance_and_its_absence_is_not() {
        // Up to three near moves keep what was written a week before within 28 days.
        let found = moved(1, 15);
        assert!(
            found.as_far <= 3 && found.observed > 1.2 * found.expected,
            "{found:?}"
        );
        let people = 300;
        let found = (0..people)
            .filter(|&seed| moved(seed, 0).is_beyond_chance())
            .count() as f64;
        let expected = people as f64 / 20.0;
        let three_sd = 3.0 * (expected * 0.95).sqrt();
        assert!((found - expected).abs() < three_sd, "{found} of {people}");
    }

    #[test]
    fn the_sample_is_a_function_of_the_set() {
        let runs: Vec<u32> = (0..3_000_000).map(|i| mix(i) as u32).collect();
        let mut forward = PhraseSample::default();
        runs.iter().for_each(|&r| forward.add(r, 7));
        let mut parts = [PhraseSample::default(), PhraseSample::default()];
        for (i, &r) in runs.iter().rev().enumerate() {
            parts[usize::from(i % 3 == 0)].add(r, 7);
        }
        let [mut a, b] = parts;
        a.merge(&b);
        forward.compact();
        a.compact();
        assert!(forward.runs.len() <= MOST);
        assert_eq!((forward.shift, forward.runs), (a.shift, a.runs));
    }
}
