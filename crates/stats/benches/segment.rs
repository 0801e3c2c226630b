//! Where a finished series changes: `cargo bench -p driftlead-stats --bench segment`.
//! `peers/segment.py` compares with ruptures on the same data.
#![allow(clippy::expect_used, missing_docs)]

mod support;

use driftlead_stats::glr::{Before, Direction, GaussianFocus};
use driftlead_stats::rng::Stream;
use driftlead_stats::segment::{Cost, Segmentation, Segmenter, Spacing};
use serde_json::json;
use std::hint::black_box;
use support::Exchange;

const OBSERVATIONS: usize = 2_000;
/// Level of the mean and SD between the changes.
const REGIMES: [(f64, f64); 5] = [(0.0, 1.0), (1.5, 1.0), (0.5, 1.0), (0.5, 2.5), (2.0, 1.0)];

/// A way to cut a series.
type Cut = fn(&Segmenter) -> Segmentation;

/// (name, observations, cost, way to cut). The script repeats the penalties and numbers of changes.
const CASES: [(&str, usize, Cost, Cut); 7] = [
    ("penalised, l2", 2_000, Cost::L2, |s| {
        s.penalised(20.0).expect("cut")
    }),
    ("penalised, l1", 1_000, Cost::L1, |s| {
        s.penalised(10.0).expect("cut")
    }),
    (
        "penalised, normal",
        1_000,
        Cost::Normal { floor: 1e-6 },
        |s| s.penalised(30.0).expect("cut"),
    ),
    ("penalised, kernel", 2_000, Cost::Rbf, |s| {
        s.penalised(10.0).expect("cut")
    }),
    ("4 changes, l2", 500, Cost::L2, |s| {
        s.with_changes(4).expect("cut")
    }),
    ("4 changes, kernel", 2_000, Cost::Rbf, |s| {
        s.with_changes(4).expect("cut")
    }),
    ("4 changes, greedy, l2", 2_000, Cost::L2, |s| {
        s.binary(4).expect("cut")
    }),
];

fn main() {
    let mut exchange = Exchange::from_arguments();
    let mut luck = Stream::new(1, 0, 0, 4);
    let mut series = |n: usize| -> Vec<f64> {
        (0..n)
            .map(|t| {
                let (mean, sd) = REGIMES[t * REGIMES.len() / n];
                mean + sd * luck.normal()
            })
            .collect()
    };
    let lengths = [500, 1_000, OBSERVATIONS];
    let data = lengths.map(|n| (n, series(n)));
    for (n, xs) in &data {
        exchange.column(&format!("series{n}"), xs.iter().copied());
    }
    for (name, n, cost, cut) in CASES {
        let (_, xs) = data.iter().find(|d| d.0 == n).expect("a series");
        let run = || {
            let segmenter = Segmenter::new(black_box(xs), cost, Spacing::default());
            cut(&segmenter.expect("series"))
        };
        let found = run();
        let result = json!({ "ends": found.ends, "cost": found.cost });
        exchange.report(name, None, result, || {
            black_box(run());
        });
    }
    let single: Vec<f64> = (0..OBSERVATIONS)
        .map(|t| luck.normal() + if t < 1_300 { 0.0 } else { 0.4 })
        .collect();
    exchange.column("single", single.iter().copied());
    let scan = || {
        let mut focus = GaussianFocus::new(Before::Unknown, Direction::Both).expect("focus");
        for &x in &single {
            focus.update(x).expect("x");
        }
        focus.scan()
    };
    let found = scan();
    let result = json!({ "change": found.change, "statistic": found.statistic });
    exchange.report("FOCuS, one change", None, result, || {
        black_box(scan());
    });
    exchange.finish();
}
