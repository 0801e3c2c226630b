//! Operating characteristics of the person verdict: how often it is wrong on people who do not
//! change, and how often it sees a planted change. The null gate of the tests and the tables of
//! `examples/null_gate.rs` both come from here.

use std::collections::BTreeMap;

use driftlead_metrics::{Measure, Point, Rank, Series, Side};
use driftlead_record::Week;
use driftlead_stats::rng::Stream;
use driftlead_stats::series::{Noise, hinge, simulate};
use rayon::prelude::*;

use crate::{Coverage, Options, WeekCoverage, Word, judge};

/// Purpose of the random streams.
const PEOPLE: u16 = 2;
/// First week of the simulated histories.
const FIRST_WEEK: i32 = 3000;
/// Hits per word of the simulated counts.
const RATE: f64 = 0.02;
/// Words per week of the simulated counts, on average.
const WORDS: f64 = 600.0;

/// A simulated population.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Population {
    /// People.
    pub people: u32,
    /// Weeks of history; about one in twelve is a gap.
    pub weeks: i32,
    /// Series per person.
    pub series: u32,
    /// Week-to-week noise.
    pub noise: Noise,
    /// Whether values are counts per 100 words (Poisson around an autocorrelated rate) rather than
    /// Gaussian.
    pub counts: bool,
    /// Change planted in the first series, in SDs of one week: nothing over the first quarter, then
    /// rising linearly. Every other series is unchanged.
    pub planted_sd: f64,
    /// Whether the system version changes in the middle of the history, so that level shifts are
    /// judged too; nothing in the values changes with it.
    pub version_change: bool,
    /// Seed.
    pub seed: u64,
}

/// What the verdicts did on a population.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// Share of people with any "moved" among the series without a planted change.
    pub any_false: f64,
    /// Share of people whose first series "moved" in the planted direction.
    pub detected: f64,
    /// Mean smallest visible change of the first series, in own SDs.
    pub smallest_visible_sd: f64,
    /// Share of people whose interval for the first series holds the planted change.
    pub covered: f64,
}

/// Runs the verdict on every person of a population.
pub fn run(population: &Population) -> Outcome {
    let totals = (0..population.people)
        .into_par_iter()
        .map(|person| one(population, u64::from(person)))
        .reduce(|| [0.0; 4], |a, b| std::array::from_fn(|i| a[i] + b[i]));
    let [any_false, detected, smallest_visible_sd, covered] =
        totals.map(|t| t / f64::from(population.people.max(1)));
    Outcome {
        any_false,
        detected,
        smallest_visible_sd,
        covered,
    }
}

fn one(population: &Population, person: u64) -> [f64; 4] {
    let series = (0..population.series)
        .map(|s| draw(population, person, s))
        .collect();
    let coverage = Coverage {
        weeks: versions(population),
        conversations: 1,
        messages: 1,
        untimed_messages: 0,
        empty_weeks: 0,
    };
    let options = Options {
        nulls: 0,
        ..Options::default()
    };
    let course = judge("simulated".into(), series, coverage, &options);
    let moved = |skip| {
        let mut rest = course.lines.iter().skip(skip);
        let wrong = rest.any(|l| {
            l.verdict.word == Word::Moved || l.verdict.steps.iter().any(|step| step.moved)
        });
        f64::from(u8::from(wrong))
    };
    let unchanged = moved(usize::from(population.planted_sd != 0.0));
    let Some(first) = course.lines.first().map(|l| &l.verdict) else {
        return [0.0; 4];
    };
    let Some(change) = first.change else {
        return [unchanged, 0.0, 0.0, 0.0];
    };
    // The planted change in the unit of the series.
    let planted = population.planted_sd * unit_sd(population);
    let right = first.word == Word::Moved && change.estimate * population.planted_sd > 0.0;
    let covered = change.low <= planted && planted <= change.high;
    let visible = first.smallest_visible_sd.unwrap_or(f64::NAN);
    [
        unchanged,
        f64::from(u8::from(right)),
        visible,
        f64::from(u8::from(covered)),
    ]
}

fn versions(population: &Population) -> Vec<WeekCoverage> {
    let weeks = if population.version_change {
        population.weeks
    } else {
        0
    };
    (0..weeks)
        .map(|w| WeekCoverage {
            week: Week(FIRST_WEEK + w),
            person_messages: 20,
            system_messages: 20,
            system: Some(if 2 * w < weeks { "1" } else { "2" }.into()),
        })
        .collect()
}

/// SD of one week in the unit of the series.
fn unit_sd(population: &Population) -> f64 {
    if population.counts {
        100.0 * (RATE * RATE * SPREAD * SPREAD + RATE / WORDS).sqrt()
    } else {
        1.0
    }
}

/// Relative SD of the weekly rate of the simulated counts.
const SPREAD: f64 = 0.25;

fn draw(population: &Population, person: u64, index: u32) -> Series {
    let mut random = Stream::new(population.seed, person, index, PEOPLE);
    let times: Vec<i32> = (0..population.weeks)
        .filter(|_| random.uniform() > 1.0 / 12.0)
        .map(|w| FIRST_WEEK + w)
        .collect();
    let baseline = ((f64::from(population.weeks) / 4.0).round() as i32).clamp(3, 12);
    let planted = if index == 0 {
        population.planted_sd
    } else {
        0.0
    };
    let path = simulate(
        population.noise,
        &times,
        &vec![1.0; times.len()],
        &mut random,
    );
    let points = times
        .iter()
        .zip(path)
        .zip(hinge(&times, baseline))
        .map(|((&week, z), shift)| {
            let week = Week(week);
            if !population.counts {
                let value = 10.0 + z + planted * shift;
                return Point {
                    week,
                    value,
                    num: value,
                    den: 1.0,
                };
            }
            let den = (WORDS * (0.5 * random.normal() - 0.125).exp())
                .max(300.0)
                .round();
            let shift = planted * shift * unit_sd(population) / 100.0;
            let num = f64::from(random.poisson(den * (RATE * (1.0 + SPREAD * z) + shift).max(0.0)));
            Point {
                week,
                value: 100.0 * num / den,
                num,
                den,
            }
        })
        .collect();
    Series {
        id: "simulated",
        metric: "simulated",
        name: "simulated",
        unit: "",
        side: Side::Person,
        measure: if population.counts {
            Measure::Rate { per: 100 }
        } else {
            Measure::Typical
        },
        rank: Rank::Primary,
        instrument: String::new(),
        points,
        abstained: BTreeMap::new(),
        other_weeks: None,
    }
}
