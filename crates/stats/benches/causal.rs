//! CPU time of WCLS and of a mixed model: `cargo bench -p driftlead-stats --bench causal`.
#![allow(clippy::expect_used, clippy::print_stdout, missing_docs)]

use driftlead_stats::causal::{Correction, Trial, wcls};
use driftlead_stats::mixed::{Grouped, mixed_reml};
use driftlead_stats::rng::Stream;
use std::hint::black_box;
use std::time::Instant;

type Columns<'a> = &'a [&'a [f64]];

const PEOPLE: u32 = 1_000;
const ROWS: usize = 200_000;

/// CPU time of this thread so far in ms, where the system tells (Linux); else `None`.
///
/// The first number of `schedstat` is the time on a processor in ns: a busy machine does not
/// lengthen it as it lengthens the time on the wall.
fn cpu_ms() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let ns: f64 = text.split_whitespace().next()?.parse().ok()?;
    Some(ns / 1e6)
}

/// Runs per timing: the system counts CPU time in ticks of a few ms.
const RUNS: u32 = 20;

/// Prints the best and the median, per run, of seven timings of `work`.
fn report(name: &str, bar: Option<f64>, mut work: impl FnMut()) {
    let mut kind = "CPU";
    let mut times: Vec<f64> = (0..7)
        .map(|_| {
            let (wall, cpu) = (Instant::now(), cpu_ms());
            (0..RUNS).for_each(|_| work());
            let total = match cpu.zip(cpu_ms()) {
                Some((from, to)) => to - from,
                None => {
                    kind = "wall";
                    wall.elapsed().as_secs_f64() * 1e3
                }
            };
            total / f64::from(RUNS)
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let bar = bar.map_or(String::new(), |b| format!("   bar < {b} ms"));
    println!(
        "{name:<58} best {:>8.2} ms {kind}, median {:>8.2}{bar}",
        times[0],
        times[times.len() / 2]
    );
}

fn main() {
    let mut luck = Stream::new(1, 0, 0, 2);
    let person: Vec<u32> = (0..ROWS as u32)
        .map(|i| i / (ROWS as u32 / PEOPLE))
        .collect();
    let own: Vec<f64> = (0..PEOPLE).map(|_| luck.normal()).collect();
    let available: Vec<bool> = (0..ROWS).map(|_| luck.uniform() < 0.8).collect();
    let probability: Vec<f64> = (0..ROWS).map(|_| 0.2 + 0.4 * luck.uniform()).collect();
    let treated: Vec<bool> = probability.iter().map(|&p| luck.uniform() < p).collect();
    let control: Vec<f64> = (0..ROWS).map(|_| luck.normal()).collect();
    let modifier: Vec<f64> = (0..ROWS).map(|_| luck.uniform()).collect();
    let outcome: Vec<f64> = (0..ROWS)
        .map(|i| {
            let effect = if treated[i] {
                0.1 + 0.1 * modifier[i]
            } else {
                0.0
            };
            effect + 0.5 * control[i] + own[person[i] as usize] + luck.normal()
        })
        .collect();
    let marginal: [&[f64]; 1] = [&control];
    let both: [&[f64]; 2] = [&control, &modifier];
    let moderators: [&[f64]; 1] = [&modifier];
    let all = vec![true; ROWS];
    let cases: [(&str, &[bool], Columns<'_>, Columns<'_>); 3] = [
        (
            "WCLS, 200,000 rows, 80 % available, 3 columns",
            &available,
            &marginal,
            &[],
        ),
        (
            "WCLS, 200,000 rows, all available, 3 columns",
            &all,
            &marginal,
            &[],
        ),
        (
            "WCLS, 200,000 rows, all available, 5 columns",
            &all,
            &both,
            &moderators,
        ),
    ];
    for (name, available, controls, moderators) in cases {
        let trial = Trial {
            person: &person,
            available,
            treated: &treated,
            probability: &probability,
            outcome: &outcome,
            controls,
            moderators,
        };
        report(name, Some(20.0), || {
            black_box(wcls(black_box(&trial), 0.4, Correction::Always).expect("fit"));
        });
    }
    let slopes: [(&str, Columns<'_>); 2] = [
        ("REML, 200,000 rows, 1,000 people, random intercept", &[]),
        ("REML, 200,000 rows, 1,000 people, random slope", &marginal),
    ];
    for (name, slopes) in slopes {
        let data = Grouped {
            group: &person,
            outcome: &outcome,
            fixed: &marginal,
            slopes,
        };
        report(name, None, || {
            black_box(mixed_reml(black_box(&data)).expect("fit"));
        });
    }
}
