//! Function words and letter triples of samples of equal length.

use std::collections::BTreeMap;

use driftlead_record::Week;

use super::other_weeks::{self, Follows};
use super::{BASELINE_WEEKS, METRIC};
use crate::count::WeekCounts;
use crate::language::{SMALL_WORDS, function_word};
use crate::metric::{active, enough_english, record};
use crate::series::{Abstain, Measure, OtherWeeks, Series, Side};
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
    toward.other_weeks = against_other_weeks(&drawn, &scales);
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

/// Whether weeks are nearer to the system's wording of the same week than to that of others.
fn against_other_weeks(drawn: &[Drawn], scales: &[Scale]) -> Option<OtherWeeks> {
    let both: Vec<(&[Profile], &[Profile])> = drawn
        .iter()
        .filter_map(|d| Some((d.person.as_slice(), d.system.as_deref()?)))
        .collect();
    let n = both.len();
    other_weeks::compare(n, Follows::Down, |by| {
        let system = both.iter().cycle().skip(by);
        let pairs = both.iter().zip(system);
        mean(pairs.map(|((person, _), (_, system))| between(person, system, scales)))
            .unwrap_or_default()
    })
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
mod tests;
