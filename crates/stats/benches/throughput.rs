//! Updates per second and core: `cargo bench -p driftlead-stats`.
#![allow(clippy::expect_used, clippy::print_stdout, missing_docs)]

mod support;

use driftlead_stats::baseline::{PosteriorAveraged, Prior};
use driftlead_stats::cs::{BettingSequence, ConjugateBernstein, PredMixBernstein};
use driftlead_stats::edetector::{
    Alarm, Alternatives, Baseline, BinaryBank, EDetector, GaussianBank, Recursion,
};
use driftlead_stats::eprocess::{SubsetVerdict, Weights};
use driftlead_stats::glr::{Before, BernoulliFocus, Direction, FocusAlarm, GaussianFocus};
use driftlead_stats::multiple::{closed_e_bh, e_bh};
use driftlead_stats::rng::Stream;
use std::hint::black_box;
use std::sync::OnceLock;

/// Goals in M updates/s, for every line whose name starts like this.
const BARS: [(&str, f64); 3] = [
    ("e-SR, binary bank, K = 8", 50.0),
    ("e-SR, Gaussian bank, K = 8", 50.0),
    ("FOCuS", 100.0),
];

/// M updates/s of Page's CUSUM on one stream: the least that a detector does per observation of one stream.
static CUSUM: OnceLock<f64> = OnceLock::new();

/// Prints the best timing of `work`, which does `updates` updates, its goal, and its ratio to a bare CUSUM.
fn report(name: &str, updates: usize, work: impl FnMut()) {
    let speed = updates as f64 / support::cpu_seconds(work).0 / 1e6;
    let cusum = CUSUM.get_or_init(|| speed);
    let bar = BARS.iter().find(|bar| name.starts_with(bar.0));
    let bar = bar.map_or(String::new(), |&(_, bar)| {
        let verdict = if speed >= bar { "met" } else { "missed" };
        format!("   bar {bar} M/s: {verdict}")
    });
    let ratio = if name.ends_with("hypotheses") {
        String::new()
    } else {
        format!(", {:>7.3} of a CUSUM", speed / cusum)
    };
    println!("{name:<58} {speed:>12.3} M/s{ratio}{bar}");
}

fn main() {
    let mut luck = Stream::new(1, 0, 0, 1);
    let normals: Vec<f64> = (0..1 << 17).map(|_| luck.normal()).collect();
    let bits: Vec<f64> = (0..1 << 17)
        .map(|_| f64::from(u8::from(luck.uniform() < 0.1)))
        .collect();
    report("CUSUM, one stream", normals.len(), || {
        let (mut sum, mut alarms) = (0f64, 0u32);
        for &x in black_box(&normals) {
            sum = (sum + x - 0.25).max(0.0);
            if sum > 13.0 {
                (sum, alarms) = (0.0, alarms + 1);
            }
        }
        black_box(alarms);
    });
    let streams = 1024;
    for k in [1, 4, 8, 16] {
        let grid = Alternatives::geometric_bernoulli(0.1, 0.03, k).expect("grid");
        let mut bank = BinaryBank::new(0.1, &grid, streams).expect("bank");
        report(
            &format!("e-SR, binary bank, K = {k}, 1024 streams"),
            40 * bits.len(),
            || {
                for _ in 0..40 {
                    for row in bits.chunks_exact(streams) {
                        black_box(bank.update(black_box(row)).expect("row"));
                    }
                }
            },
        );
    }
    let grid = Alternatives::geometric_normal(0.1, 2.0, 8).expect("grid");
    let mut bank = GaussianBank::new(grid.clone(), streams);
    report(
        "e-SR, Gaussian bank, K = 8, 1024 streams",
        normals.len(),
        || {
            for row in normals.chunks_exact(streams) {
                black_box(bank.update(black_box(row)).expect("row"));
            }
        },
    );
    let baseline = Baseline::standard_normal(0.0).expect("baseline");
    let mut exact = Alarm::exact(baseline, grid.clone(), 1e4).expect("alarm");
    let mut single = EDetector::new(baseline, grid, Recursion::ShiryaevRoberts).expect("detector");
    report(
        "e-SR, one stream in the log domain, K = 8",
        normals.len(),
        || {
            normals.iter().for_each(|&x| {
                black_box(single.update(x).expect("x"));
            });
        },
    );
    report(
        "e-SR, one stream, alarm of exact run length 10,000, K = 8",
        normals.len(),
        || {
            normals.iter().for_each(|&x| {
                black_box(exact.update(x).expect("x"));
            });
        },
    );
    for (name, before, direction) in [
        ("FOCuS known mean, up", Before::Known(0.0), Direction::Up),
        (
            "FOCuS known mean, both",
            Before::Known(0.0),
            Direction::Both,
        ),
        ("FOCuS unknown mean, both", Before::Unknown, Direction::Both),
    ] {
        // Unchanged streams of 32,768 observations, four of them.
        report(&format!("{name}, statistic"), normals.len(), || {
            for chunk in normals.chunks(1 << 15) {
                let mut focus = GaussianFocus::new(before, direction).expect("focus");
                for &x in chunk {
                    black_box(focus.update(x).expect("x"));
                }
            }
        });
        // 8.8 is what a run length of 10,000 takes (example operating_characteristics, table delay).
        for threshold in [12.0, 8.8] {
            let fresh = || FocusAlarm::new(before, direction, threshold).expect("focus");
            report(
                &format!("{name}, alarm at {threshold}, one by one"),
                normals.len(),
                || {
                    for chunk in normals.chunks(1 << 15) {
                        let mut alarm = fresh();
                        for &x in chunk {
                            black_box(alarm.update(x).expect("x"));
                        }
                    }
                },
            );
            report(
                &format!("{name}, alarm at {threshold}, slice"),
                normals.len(),
                || {
                    for chunk in normals.chunks(1 << 15) {
                        let (mut alarm, mut rest) = (fresh(), chunk);
                        while let Some(at) = alarm.first_alarm(black_box(rest)).expect("x") {
                            rest = &rest[at + 1..];
                        }
                        black_box(&alarm);
                    }
                },
            );
        }
    }
    report("FOCuS Bernoulli, unknown, both", bits.len(), || {
        let mut focus = BernoulliFocus::new(Before::Unknown, Direction::Both).expect("focus");
        bits.iter().for_each(|&x| {
            black_box(focus.update(x > 0.5));
        });
    });
    let prior = Prior::beta(2.0, 18.0, 16).expect("prior");
    let shifts = PosteriorAveraged::default_shifts();
    report("posterior-averaged e-process, 16 x 5", 1 << 15, || {
        let mut e =
            PosteriorAveraged::new(&prior, &shifts, Weights::Horizon(365)).expect("process");
        bits[..1 << 15].iter().for_each(|&x| {
            black_box(e.update(x > 0.5));
        });
    });
    report("hedged confidence sequence, 1000 steps", 2000, || {
        let mut cs = BettingSequence::hedged(0.05, 1000).expect("cs");
        bits[..2000].iter().for_each(|&x| {
            black_box(cs.update(x).expect("x"));
        });
    });
    report(
        "predictable-mixture empirical Bernstein",
        bits.len(),
        || {
            let mut cs = PredMixBernstein::new(0.05, 0.5).expect("cs");
            bits.iter().for_each(|&x| {
                cs.update(x).expect("x");
                black_box(cs.interval());
            });
        },
    );
    let p = [0.1; 15];
    let rises = [0.06, 0.13, 0.28, 0.6];
    let mut sets = SubsetVerdict::new(&p, &rises, 3, Weights::Horizon(180)).expect("sets");
    report(
        "sets of up to 3 of 15 markers, 4 rises (markers/s)",
        2000 * 15,
        || {
            bits[..2000 * 15].chunks_exact(15).for_each(|x| {
                black_box(sets.update(x).expect("x"));
            });
        },
    );
    report(
        "conjugate empirical Bernstein with its interval",
        2000,
        || {
            let mut cs = ConjugateBernstein::new(0.05, 25.0).expect("cs");
            bits[..2000].iter().for_each(|&x| {
                cs.update(x).expect("x");
                black_box(cs.interval().expect("interval"));
            });
        },
    );
    let e: Vec<f64> = normals[..10_000].iter().map(|z| (3.0 * z).exp()).collect();
    report("e-BH, 10,000 hypotheses", e.len(), || {
        black_box(e_bh(&e, 0.05).expect("e"));
    });
    report("closed e-BH, 10,000 hypotheses", e.len(), || {
        black_box(closed_e_bh(&e, 0.05).expect("e"));
    });
}
