//! Function words and letter triples of equal-length samples.

use std::collections::BTreeMap;

use driftlead_record::Week;

use super::{BASELINE_WEEKS, METRIC};
use crate::count::{Count, WeekCounts};
use crate::language::{SMALL_WORDS, function_word};
use crate::metric::{enough_english, record};
use crate::series::{Abstain, Measure, Series, Side};
use crate::text::{Tokens, mix};

/// Words of a week's sample.
const SAMPLE_WORDS: u32 = 1000;
/// Words kept before a sample is cut back to its length.
const KEPT_WORDS: u32 = 2500;
const TRIPLES: usize = 512;

/// Wording of one message, without its text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sketch {
    key: u64,
    words: u32,
    /// Function words and their counts.
    small: Box<[(u16, u16)]>,
    /// Letter triples and their counts.
    letters: Box<[(u16, u16)]>,
}

/// Reusable counters for [`Sketch`]es.
#[derive(Debug)]
pub(crate) struct SketchBuilder {
    small: Counters,
    letters: Counters,
}

impl Default for SketchBuilder {
    fn default() -> Self {
        SketchBuilder {
            small: Counters::new(SMALL_WORDS),
            letters: Counters::new(TRIPLES),
        }
    }
}

impl SketchBuilder {
    /// Sketch of a message; `key` orders messages within a week.
    pub(crate) fn sketch(&mut self, tokens: &Tokens, key: u64) -> Sketch {
        for word in &tokens.words {
            if let Some(index) = function_word(word.hash) {
                self.small.add(u16::from(index));
            }
            self.triples(tokens.text_of(word).as_bytes());
        }
        Sketch {
            key,
            words: tokens.words.len() as u32,
            small: self.small.take(),
            letters: self.letters.take(),
        }
    }

    /// Triples of bytes of a word and the spaces around it.
    fn triples(&mut self, word: &[u8]) {
        let mut window: u32 = u32::from(b' ');
        for byte in word.iter().map(u8::to_ascii_lowercase).chain([b' ']) {
            window = (window << 8 | u32::from(byte)) & 0x00FF_FFFF;
            if window > 0xFFFF {
                self.letters
                    .add((window.wrapping_mul(0x9E37_79B1) >> 23) as u16);
            }
        }
    }
}

/// Counters that remember which of them are in use.
#[derive(Debug)]
struct Counters {
    counts: Vec<u16>,
    used: Vec<u16>,
}

impl Counters {
    fn new(size: usize) -> Self {
        Counters {
            counts: vec![0; size],
            used: Vec::new(),
        }
    }

    fn add(&mut self, index: u16) {
        if let Some(count) = self.counts.get_mut(usize::from(index)) {
            if *count == 0 {
                self.used.push(index);
            }
            *count = count.saturating_add(1);
        }
    }

    /// Counters in use with their index; all are zero afterwards.
    fn take(&mut self) -> Box<[(u16, u16)]> {
        let counts = &mut self.counts;
        let count = |&index: &u16| {
            (
                index,
                counts.get_mut(usize::from(index)).map_or(0, std::mem::take),
            )
        };
        let taken = self.used.iter().map(count).collect();
        self.used.clear();
        taken
    }
}

/// The sketches of one week with the smallest keys.
#[derive(Debug, Clone, Default)]
pub(crate) struct WeekSample {
    sketches: Vec<Sketch>,
    words: u32,
}

impl WeekSample {
    /// Adds a message.
    pub(crate) fn add(&mut self, sketch: Sketch) {
        self.words += sketch.words;
        self.sketches.push(sketch);
        if self.words > KEPT_WORDS {
            self.trim();
        }
    }

    /// Adds another part of the same week.
    pub(crate) fn merge(&mut self, other: WeekSample) {
        other.sketches.into_iter().for_each(|s| self.add(s));
    }

    /// Cuts back to the messages in order of key that reach the length of a sample.
    fn trim(&mut self) {
        self.sketches.sort_unstable();
        let mut words = 0;
        self.sketches.retain(|s| {
            let wanted = words < SAMPLE_WORDS;
            if wanted {
                words += s.words;
            }
            wanted
        });
        self.words = words;
    }

    fn profile(&self) -> Option<Profile> {
        let mut sample = self.clone();
        sample.trim();
        if sample.words < SAMPLE_WORDS {
            return None;
        }
        let mut profile = Profile {
            words: f64::from(sample.words),
            small: vec![0.0; SMALL_WORDS],
            letters: vec![0.0; TRIPLES],
        };
        for sketch in &sample.sketches {
            add(
                &mut profile.small,
                sketch.small.iter().map(|&(i, n)| (usize::from(i), n)),
            );
            add(
                &mut profile.letters,
                sketch.letters.iter().map(|&(i, n)| (usize::from(i), n)),
            );
        }
        profile.small.iter_mut().for_each(|n| *n /= profile.words);
        Some(profile)
    }
}

fn add(sums: &mut [f64], counts: impl Iterator<Item = (usize, u16)>) {
    for (index, n) in counts {
        if let Some(sum) = sums.get_mut(index) {
            *sum += f64::from(n);
        }
    }
}

/// Rates of function words and counts of letter triples of one week.
struct Profile {
    words: f64,
    small: Vec<f64>,
    letters: Vec<f64>,
}

/// Both distance series.
pub(crate) fn distance(
    samples: &BTreeMap<Week, WeekSample>,
    weeks: &BTreeMap<Week, WeekCounts>,
) -> Vec<Series> {
    let mut small = METRIC.start(
        "voice_distance.function_words",
        "distance of function words from own first 12 weeks",
        "baseline standard deviations",
        Side::Person,
        Measure::Typical,
    );
    let mut letters = METRIC.start(
        "voice_distance.letters",
        "distance of letter triples from own first 12 weeks",
        "cosine distance",
        Side::Person,
        Measure::Typical,
    );
    let mut profiles: Vec<(Week, Profile)> = Vec::new();
    let mut thin: Vec<(Week, Abstain)> = Vec::new();
    for (&week, counts) in weeks {
        if counts.get(Count::PersonMessages) == 0 {
            continue;
        }
        let profile = enough_english(counts, Side::Person).and_then(|()| {
            samples
                .get(&week)
                .and_then(WeekSample::profile)
                .ok_or(Abstain::TooFew)
        });
        match profile {
            Ok(profile) => profiles.push((week, profile)),
            Err(reason) => thin.push((week, reason)),
        }
    }
    if profiles.len() < BASELINE_WEEKS {
        thin.extend(profiles.drain(..).map(|(week, _)| (week, Abstain::TooFew)));
    }
    for (index, (week, profile)) in profiles.iter().enumerate() {
        let baseline: Vec<&Profile> = profiles
            .iter()
            .take(BASELINE_WEEKS)
            .enumerate()
            .filter(|(i, _)| *i != index)
            .map(|(_, (_, p))| p)
            .collect();
        record(
            &mut small,
            *week,
            delta(profile, &baseline)
                .map(|d| (d, profile.words))
                .ok_or(Abstain::TooFew),
        );
        record(
            &mut letters,
            *week,
            Ok((cosine_distance(profile, &baseline), profile.words)),
        );
    }
    for (week, reason) in thin {
        record(&mut small, week, Err(reason));
        record(&mut letters, week, Err(reason));
    }
    vec![small, letters]
}

/// Burrows' delta against the mean of the baseline weeks, over words that vary within the baseline.
fn delta(profile: &Profile, baseline: &[&Profile]) -> Option<f64> {
    let n = baseline.len() as f64;
    let mut sum = 0.0;
    let mut used = 0.0;
    for (index, rate) in profile.small.iter().enumerate() {
        let rates = || baseline.iter().filter_map(|b| b.small.get(index));
        let mean = rates().sum::<f64>() / n;
        let variance = rates().map(|r| (r - mean) * (r - mean)).sum::<f64>() / (n - 1.0);
        if variance > 0.0 {
            sum += (rate - mean).abs() / variance.sqrt();
            used += 1.0;
        }
    }
    (used > 0.0).then(|| sum / used)
}

fn cosine_distance(profile: &Profile, baseline: &[&Profile]) -> f64 {
    let mut pooled = vec![0.0; TRIPLES];
    for other in baseline {
        pooled
            .iter_mut()
            .zip(&other.letters)
            .for_each(|(sum, n)| *sum += n);
    }
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let norms = (dot(&pooled, &pooled) * dot(&profile.letters, &profile.letters)).sqrt();
    if norms > 0.0 {
        1.0 - dot(&pooled, &profile.letters) / norms
    } else {
        0.0
    }
}

/// Order of a message within its week: depends on what it says and when, not on where it was read.
pub(crate) fn key(text: u64, seconds: i64) -> u64 {
    mix(text ^ mix(seconds as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMON: [&str; 24] = [
        "the", "and", "i", "to", "of", "you", "that", "it", "was", "for", "my", "with", "house",
        "train", "garden", "coffee", "evening", "letter", "music", "window", "always", "never",
        "because", "then",
    ];

    /// A week of 60 messages of 20 words; `shift` replaces words by others from a point of the list on.
    fn week(seed: u64, shift: usize) -> WeekSample {
        let mut builder = SketchBuilder::default();
        let mut sample = WeekSample::default();
        let mut tokens = Tokens::default();
        for message in 0..60_u64 {
            let text: Vec<&str> = (0..20_u64)
                .map(|i| {
                    let draw = mix(seed * 100_003 + message * 101 + i) as usize;
                    COMMON[(draw % (COMMON.len() - shift)) + shift]
                })
                .collect();
            tokens.read(&text.join(" "));
            sample.add(builder.sketch(&tokens, key(mix(seed + message), message as i64)));
        }
        sample
    }

    /// The series of one simulated history; other words from `shift_from` on.
    fn measure(history: u64, shift_from: u64) -> Vec<Series> {
        let mut counts = WeekCounts::default();
        for count in [
            Count::PersonMessages,
            Count::PersonOwn,
            Count::PersonEligible,
        ] {
            counts.add(count, 60);
        }
        counts.add(Count::PersonWords, 1200);
        counts.add(Count::PersonAnyWords, 1200);
        let shift = |w: u64| if w >= shift_from { 6 } else { 0 };
        let samples = (0..40_u64)
            .map(|w| (Week(w as i32), week(history * 1000 + w, shift(w))))
            .collect();
        let weeks = (0..40).map(|w| (Week(w), counts)).collect();
        distance(&samples, &weeks)
    }

    fn mean(points: &[crate::Point]) -> f64 {
        points.iter().map(|p| p.value).sum::<f64>() / points.len() as f64
    }

    #[test]
    fn without_change_baseline_weeks_are_no_closer_than_later_ones() {
        for which in 0..2 {
            let ratios: Vec<f64> = (0..24)
                .map(|history| {
                    let series = measure(history, u64::MAX);
                    let (before, after) = series[which].points.split_at(12);
                    mean(after) / mean(before)
                })
                .collect();
            let ratio = ratios.iter().sum::<f64>() / ratios.len() as f64;
            assert!((0.95..1.05).contains(&ratio), "{ratio}");
        }
    }

    #[test]
    fn other_words_are_farther_away() {
        for series in measure(0, 25) {
            let (before, after) = series.points.split_at(25);
            assert!(mean(after) > 1.5 * mean(before), "{}", series.id);
        }
    }

    #[test]
    fn a_sample_does_not_depend_on_the_order() {
        let one = week(3, 0);
        let mut other = WeekSample::default();
        let mut sketches = week(3, 0).sketches;
        sketches.reverse();
        sketches.into_iter().for_each(|s| other.add(s));
        let (a, b) = (one.profile().unwrap(), other.profile().unwrap());
        assert_eq!((a.words, a.small, a.letters), (b.words, b.small, b.letters));
    }
}
