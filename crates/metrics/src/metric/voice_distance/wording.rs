//! Function words and letter triples of samples of equal length.

use std::collections::BTreeMap;

use driftlead_record::Week;

use super::shuffle::{self, Follows};
use super::{BASELINE_WEEKS, METRIC};
use crate::count::WeekCounts;
use crate::language::{SMALL_WORDS, function_word};
use crate::metric::{active, enough_english, record};
use crate::series::{Abstain, Measure, Series, Shuffled, Side};
use crate::text::{Tokens, Word, mix};

/// Words of one sample.
const SAMPLE_WORDS: u32 = 1000;
/// Samples drawn from a week. Each alone is a random sample of its messages, so that a long week is no
/// nearer to anything than a short one; several steady the value.
const DRAWS: u64 = 4;
/// Words of a week that samples are drawn from.
const POOL_WORDS: u32 = 2000;
/// Words kept before a pool is cut back to its length.
const KEPT_WORDS: u32 = 3000;
/// Words of a piece of a message. Whole messages would make samples of unequal length.
const PIECE_WORDS: usize = 100;
const TRIPLES: usize = 512;

/// Wording of a piece of a message, without its text.
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
    /// Adds the pieces of a message of the person; `key` orders messages within a week.
    pub(crate) fn person(&mut self, tokens: &Tokens, key: u64, sample: &mut WeekSample) {
        for (piece, number) in tokens.words.chunks(PIECE_WORDS).zip(0..) {
            let key = mix(key ^ number);
            if !sample.wants(key) {
                continue;
            }
            for word in piece {
                self.triples(tokens.text_of(word).as_bytes());
            }
            let letters = self.letters.take();
            sample.add(self.sketch(piece, key, letters));
        }
    }

    /// Adds one piece of a message of the system, and of that the function words alone: replies are long
    /// and many, and a few hundred words of each week are enough.
    pub(crate) fn system(&mut self, tokens: &Tokens, seconds: i64, sample: &mut WeekSample) {
        let said = tokens.words.iter().take(8).map(|w| w.hash);
        let key = key(said.fold(0, |h, w| mix(h ^ w)), seconds);
        let pieces = tokens.words.len().div_ceil(PIECE_WORDS).max(1);
        let piece = tokens
            .words
            .chunks(PIECE_WORDS)
            .nth((key % pieces as u64) as usize);
        if let Some(piece) = piece.filter(|_| sample.wants(key)) {
            sample.add(self.sketch(piece, key, Box::default()));
        }
    }

    fn sketch(&mut self, piece: &[Word], key: u64, letters: Box<[(u16, u16)]>) -> Sketch {
        for word in piece {
            if let Some(index) = function_word(word.hash) {
                self.small.add(u16::from(index));
            }
        }
        Sketch {
            key,
            words: piece.len() as u32,
            small: self.small.take(),
            letters,
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

/// The pieces of one week with the smallest keys.
#[derive(Debug, Clone, Default)]
pub(crate) struct WeekSample {
    sketches: Vec<Sketch>,
    words: u32,
    /// Largest key of a full pool: what lies above never enters.
    full: Option<u64>,
}

impl WeekSample {
    /// Whether a piece with this key can be in the pool.
    fn wants(&self, key: u64) -> bool {
        self.full.is_none_or(|largest| key <= largest)
    }

    /// Adds a piece.
    fn add(&mut self, sketch: Sketch) {
        if self.wants(sketch.key) {
            self.words += sketch.words;
            self.sketches.push(sketch);
            if self.words > KEPT_WORDS {
                self.trim();
            }
        }
    }

    /// Adds another part of the same week.
    pub(crate) fn merge(&mut self, other: WeekSample) {
        other.sketches.into_iter().for_each(|s| self.add(s));
    }

    /// Cuts back to the pieces in order of key that reach the length of a pool.
    fn trim(&mut self) {
        self.sketches.sort_unstable();
        let mut words = 0;
        self.sketches.retain(|s| {
            let wanted = words < POOL_WORDS;
            if wanted {
                words += s.words;
            }
            wanted
        });
        self.words = words;
        if words >= POOL_WORDS {
            self.full = self.sketches.last().map(|s| s.key);
        }
    }

    /// The samples: in each, the pieces in an order of its own until they reach the length. `None` if the
    /// week has fewer words.
    fn profiles(&self) -> Option<Vec<Profile>> {
        let mut pool = self.clone();
        pool.trim();
        if pool.words < SAMPLE_WORDS {
            return None;
        }
        let draw = |draw: u64| {
            let mut order: Vec<(u64, &Sketch)> = pool
                .sketches
                .iter()
                .map(|s| (mix(s.key ^ draw), s))
                .collect();
            order.sort_unstable();
            let mut profile = Profile::default();
            for (_, sketch) in order {
                if profile.words < f64::from(SAMPLE_WORDS) {
                    profile.add(sketch);
                }
            }
            profile.small.iter_mut().for_each(|n| *n /= profile.words);
            profile
        };
        Some((1..=DRAWS).map(draw).collect())
    }
}

fn add(sums: &mut [f64], counts: impl Iterator<Item = (usize, u16)>) {
    for (index, n) in counts {
        if let Some(sum) = sums.get_mut(index) {
            *sum += f64::from(n);
        }
    }
}

/// Rates of function words and counts of letter triples of one sample.
#[derive(Clone)]
struct Profile {
    words: f64,
    small: Vec<f64>,
    letters: Vec<f64>,
}

impl Default for Profile {
    fn default() -> Self {
        Profile {
            words: 0.0,
            small: vec![0.0; SMALL_WORDS],
            letters: vec![0.0; TRIPLES],
        }
    }
}

impl Profile {
    fn add(&mut self, sketch: &Sketch) {
        let each = |&(i, n): &(u16, u16)| (usize::from(i), n);
        add(&mut self.small, sketch.small.iter().map(each));
        add(&mut self.letters, sketch.letters.iter().map(each));
        self.words += f64::from(sketch.words);
    }
}

/// The samples of one week.
struct Drawn {
    week: Week,
    person: Vec<Profile>,
    /// Of the system, where it wrote enough English.
    system: Option<Vec<Profile>>,
}

/// Mean over the draws.
fn mean(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let values: Option<Vec<f64>> = values.collect();
    values
        .filter(|v| !v.is_empty())
        .map(|v| v.iter().sum::<f64>() / v.len() as f64)
}

/// The distances from the person's own baseline, and from the system.
pub(crate) fn distance(
    person: &BTreeMap<Week, WeekSample>,
    system: &BTreeMap<Week, WeekSample>,
    weeks: &BTreeMap<Week, WeekCounts>,
) -> Vec<Series> {
    let start = |id, name, unit| METRIC.start(id, name, unit, Side::Person, Measure::Typical);
    let mut small = start(
        "voice_distance.function_words",
        "distance of function words from own first 12 weeks",
        "baseline standard deviations",
    );
    let mut letters = start(
        "voice_distance.letters",
        "distance of letter triples from own first 12 weeks",
        "cosine distance",
    );
    let mut toward = start(
        "voice_distance.toward",
        "distance of function words from the system's of the same week",
        "baseline standard deviations",
    );
    let mut drawn: Vec<Drawn> = Vec::new();
    let mut thin: Vec<(Week, Abstain)> = Vec::new();
    for (week, counts) in active(weeks) {
        let samples = |of: &BTreeMap<Week, WeekSample>, side| {
            enough_english(counts, side).and_then(|()| {
                let profiles = of.get(&week).and_then(WeekSample::profiles);
                profiles.ok_or(Abstain::TooFew)
            })
        };
        match samples(person, Side::Person) {
            Ok(person) => drawn.push(Drawn {
                week,
                person,
                system: samples(system, Side::System).ok(),
            }),
            Err(reason) => thin.push((week, reason)),
        }
    }
    if drawn.len() < BASELINE_WEEKS {
        thin.extend(drawn.drain(..).map(|d| (d.week, Abstain::TooFew)));
    }
    let scales = baseline_scales(&drawn);
    for (index, d) in drawn.iter().enumerate() {
        // A week of the baseline is compared with the others of it.
        let baseline = |draw: usize| -> Vec<&Profile> {
            let others = drawn.iter().take(BASELINE_WEEKS).enumerate();
            others
                .filter(|(i, _)| *i != index)
                .filter_map(|(_, b)| b.person.get(draw))
                .collect()
        };
        let words = d.person.iter().map(|p| p.words).sum::<f64>() / DRAWS as f64;
        let own = || d.person.iter().enumerate();
        let value = |v: Option<f64>| v.map(|v| (v, words)).ok_or(Abstain::TooFew);
        let far = mean(own().map(|(i, p)| delta(p, &Scale::of(&baseline(i)))));
        record(&mut small, d.week, value(far));
        let far = mean(own().map(|(i, p)| Some(cosine_distance(p, &baseline(i)))));
        record(&mut letters, d.week, value(far));
        record(
            &mut toward,
            d.week,
            value(
                d.system
                    .as_ref()
                    .and_then(|s| between(&d.person, s, &scales)),
            ),
        );
    }
    toward.shuffled = against_other_weeks(&drawn, &scales);
    for (week, reason) in thin {
        for series in [&mut small, &mut letters, &mut toward] {
            record(series, week, Err(reason));
        }
    }
    vec![small, letters, toward]
}

/// Spread of the person's baseline, by draw.
fn baseline_scales(drawn: &[Drawn]) -> Vec<Scale> {
    let baseline = drawn.get(..BASELINE_WEEKS).unwrap_or_default();
    (0..DRAWS as usize)
        .map(|draw| {
            let profiles = baseline.iter().filter_map(|d| d.person.get(draw));
            Scale::of(&profiles.collect::<Vec<_>>())
        })
        .collect()
}

/// Distance between samples of the two sides, in standard deviations of the person's baseline.
fn between(person: &[Profile], system: &[Profile], scales: &[Scale]) -> Option<f64> {
    let draws = person.iter().zip(system).zip(scales);
    mean(draws.map(|((p, s), scale)| scale.distance(&p.small, &s.small)))
}

/// Whether weeks after the baseline are nearer to the system's wording of the same week than to that of
/// others: the weeks of the system in random orders.
fn against_other_weeks(drawn: &[Drawn], scales: &[Scale]) -> Option<Shuffled> {
    let later: Vec<(&[Profile], &[Profile])> = drawn
        .iter()
        .skip(BASELINE_WEEKS)
        .filter_map(|d| Some((d.person.as_slice(), d.system.as_deref()?)))
        .collect();
    let n = later.len();
    if n < shuffle::FEWEST_WEEKS {
        return None;
    }
    let mut table: Vec<f64> = Vec::with_capacity(n * n);
    for (person, _) in &later {
        for (_, system) in &later {
            table.push(between(person, system, scales)?);
        }
    }
    let total = |order: &[usize]| -> f64 {
        let at = |(i, &j): (usize, &usize)| table.get(i * n + j).copied().unwrap_or_default();
        order.iter().enumerate().map(at).sum::<f64>() / n as f64
    };
    Some(shuffle::compare(n, Follows::Down, total))
}

/// Mean and spread of each function word over the baseline weeks.
struct Scale {
    mean: Vec<f64>,
    sd: Vec<f64>,
}

impl Scale {
    fn of(baseline: &[&Profile]) -> Self {
        let n = baseline.len() as f64;
        let rates = |index: usize| baseline.iter().filter_map(move |b| b.small.get(index));
        let mean: Vec<f64> = (0..SMALL_WORDS)
            .map(|i| rates(i).sum::<f64>() / n)
            .collect();
        let sd = mean.iter().enumerate().map(|(i, mean)| {
            (rates(i).map(|r| (r - mean) * (r - mean)).sum::<f64>() / (n - 1.0)).sqrt()
        });
        Scale {
            sd: sd.collect(),
            mean,
        }
    }

    /// Mean absolute difference of two sets of rates, over words that vary within the baseline.
    fn distance(&self, a: &[f64], b: &[f64]) -> Option<f64> {
        let mut sum = 0.0;
        let mut used = 0.0;
        for ((a, b), sd) in a.iter().zip(b).zip(&self.sd) {
            if *sd > 0.0 {
                sum += (a - b).abs() / sd;
                used += 1.0;
            }
        }
        (used > 0.0).then(|| sum / used)
    }
}

/// Burrows' delta against the mean of the baseline weeks.
fn delta(profile: &Profile, baseline: &Scale) -> Option<f64> {
    baseline.distance(&profile.small, &baseline.mean)
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
    use crate::count::Count;

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
            let key = key(mix(seed + message), message as i64);
            builder.person(&tokens, key, &mut sample);
        }
        sample
    }

    /// A week with 60 messages of 20 words on each side.
    fn full_week() -> WeekCounts {
        let mut counts = WeekCounts::default();
        for count in [
            Count::PersonMessages,
            Count::PersonOwn,
            Count::PersonEligible,
            Count::SystemOwn,
            Count::SystemEligible,
        ] {
            counts.add(count, 60);
        }
        for count in [
            Count::PersonWords,
            Count::PersonAnyWords,
            Count::SystemWords,
            Count::SystemAnyWords,
        ] {
            counts.add(count, 1200);
        }
        counts
    }

    /// The series of one simulated history; other words from `shift_from` on.
    fn measure(history: u64, shift_from: u64) -> Vec<Series> {
        let shift = |w: u64| if w >= shift_from { 6 } else { 0 };
        let samples = (0..40_u64)
            .map(|w| (Week(w as i32), week(history * 1000 + w, shift(w))))
            .collect();
        let weeks = (0..40).map(|w| (Week(w), full_week())).collect();
        let mut all = distance(&samples, &BTreeMap::new(), &weeks);
        let toward = all.pop().unwrap();
        assert!(toward.points.is_empty() && toward.shuffled.is_none());
        all
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
        for (a, b) in one
            .profiles()
            .unwrap()
            .iter()
            .zip(other.profiles().unwrap())
        {
            assert_eq!(
                (a.words, &a.small, &a.letters),
                (b.words, &b.small, &b.letters)
            );
        }
    }

    #[test]
    fn draws_are_of_equal_length_and_differ() {
        let mut sample = WeekSample::default();
        let mut tokens = Tokens::default();
        let mut builder = SketchBuilder::default();
        for message in 0..40_u64 {
            // Messages of 5 to 395 words.
            let text: Vec<&str> = (0..5 + 10 * message)
                .map(|i| COMMON[(mix(message * 1000 + i) % 24) as usize])
                .collect();
            tokens.read(&text.join(" "));
            builder.person(&tokens, mix(message), &mut sample);
        }
        let draws = sample.profiles().unwrap();
        assert_eq!(draws.len() as u64, DRAWS);
        for draw in &draws {
            assert!((1000.0..1100.0).contains(&draw.words), "{}", draw.words);
        }
        assert!(draws.windows(2).all(|d| d[0].small != d[1].small));
    }

    #[test]
    fn a_long_week_is_no_nearer_than_a_short_one() {
        // Weeks of 1,200 and of 4,800 words in turn: one sample of the same length each.
        let mut mean = [0.0; 2];
        for history in 0..12 {
            let samples = (0..40_u64)
                .map(|w| {
                    let mut sample = week(history * 1000 + w, 0);
                    for part in 1..=3 * (w % 2) {
                        sample.merge(week(history * 1000 + w + part * 100_000, 0));
                    }
                    (Week(w as i32), sample)
                })
                .collect();
            let weeks = (0..40).map(|w| (Week(w), full_week())).collect();
            let small = &distance(&samples, &BTreeMap::new(), &weeks)[0];
            for point in small.points.iter().skip(12) {
                mean[(point.week.0 % 2) as usize] += point.value;
            }
        }
        let ratio = mean[1] / mean[0];
        assert!((0.97..1.03).contains(&ratio), "{ratio}");
    }

    /// How often weeks follow the system's wording of the week: own or a third of the words.
    fn toward(history: u64, follows: bool) -> Series {
        let draw = |seed: u64, shift: usize| week(seed, shift);
        let shift = |w: u64| (mix(history * 77 + w) % 8) as usize;
        let system = (0..40_u64).map(|w| (Week(w as i32), draw(history * 1000 + w, shift(w))));
        let person = (0..40_u64).map(|w| {
            let own = if follows {
                shift(w)
            } else {
                (mix(history * 99 + w + 1) % 8) as usize
            };
            (Week(w as i32), draw((history + 50_000) * 1000 + w, own))
        });
        let weeks = (0..40).map(|w| (Week(w), full_week())).collect();
        distance(&person.collect(), &system.collect(), &weeks).remove(2)
    }

    #[test]
    fn nearer_to_the_system_of_the_same_week_than_to_other_weeks() {
        let found = toward(1, true).shuffled.unwrap();
        assert!(
            found.observed < found.expected && found.as_far == 0,
            "{found:?}"
        );
    }

    #[test]
    fn who_follows_nobody_is_found_at_the_stated_rate() {
        let people = 200;
        let found = (0..people)
            .filter(|&h| toward(h, false).shuffled.unwrap().is_beyond_chance())
            .count() as f64;
        let expected = 0.05 * people as f64;
        let three_sd = 3.0 * (expected * 0.95).sqrt();
        assert!((found - expected).abs() < three_sd, "{found} of {people}");
    }
}
