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
    assert!(toward.points.is_empty() && toward.other_weeks.is_none());
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
    let found = toward(1, true).other_weeks.unwrap();
    assert!(
        found.observed < found.expected && found.as_far == 0,
        "{found:?}"
    );
}

#[test]
fn who_follows_nobody_is_found_at_the_stated_rate() {
    let people = 200;
    let found = (0..people)
        .filter(|&h| toward(h, false).other_weeks.unwrap().is_beyond_chance())
        .count() as f64;
    let expected = people as f64 / 20.0;
    let three_sd = 3.0 * (expected * 0.95).sqrt();
    assert!((found - expected).abs() < three_sd, "{found} of {people}");
}
