//! Segmentations of another library, entry by entry, and exactness by enumeration.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod support;

use driftlead_stats::rng::Stream;
use driftlead_stats::segment::{Cost, Segmentation, Segmenter, Spacing};
use serde_json::Value;
use support::{close, indices, number, numbers, vectors};

/// Entries of penalised segmentation in which the other program stops above the optimum, with the two
/// totals (a penalty for every segment): (cost, penalty, stream, optimum, its own).
const SUBOPTIMAL: [(&str, f64, &str, f64, f64); 4] = [
    (
        "normal",
        3.0,
        "two_changes_normal",
        -1088.818899,
        -1086.871574,
    ),
    (
        "normal",
        3.0,
        "bern_step_.2_.4_at500_n1000",
        -9121.607894,
        -9106.757132,
    ),
    (
        "normal",
        10.0,
        "bern_step_.2_.4_at500_n1000",
        -7084.281341,
        -7006.776840,
    ),
    (
        "normal",
        30.0,
        "bern_step_.2_.4_at500_n1000",
        -3152.866249,
        -3140.766220,
    ),
];

/// Two segmentations of equal cost.
const TIE: (&str, f64, &str) = ("l1", 3.0, "two_changes_normal");

fn cost(name: &str) -> Cost {
    match name {
        "l1" => Cost::L1,
        "l2" => Cost::L2,
        "normal" => Cost::Normal { floor: 1e-6 },
        "rbf" => Cost::Rbf,
        other => panic!("unknown cost {other}"),
    }
}

fn size(value: &Value) -> Option<usize> {
    value.as_u64().map(|v| v as usize)
}

#[test]
fn segmentations_equal_those_recorded() {
    let file = vectors("ruptures");
    let (mut identical, mut by_cost) = (0, 0);
    for case in file["cases"].as_array().unwrap() {
        let algorithm = case["algo"].as_str().unwrap();
        let stream = case["stream"].as_str().unwrap();
        let xs = numbers(&file["streams"][stream]);
        let xs = &xs[..size(&case["n_used"]).unwrap_or(xs.len())];
        let stored = indices(&case["bkps"]);
        let model = case["model"].as_str().unwrap_or(match algorithm {
            "KernelCPD-linear" => "l2",
            _ => "rbf",
        });
        let spacing = Spacing {
            min_size: size(&case["min_size"]).unwrap_or(2),
            jump: size(&case["jump"]).unwrap_or(1),
        };
        let series = Segmenter::new(xs, cost(model), spacing).unwrap();
        let changes = || size(&case["n_bkps"]).unwrap();
        let ours = match algorithm {
            "Pelt" => series.penalised(number(&case["pen"])).unwrap(),
            "Binseg" => series.binary(changes()).unwrap(),
            _ => series.with_changes(changes()).unwrap(),
        };
        let what = format!(
            "{algorithm} {model} {stream} {} {}",
            case["pen"], case["n_bkps"]
        );
        close(ours.cost, series.cost(&ours.ends).unwrap(), 1e-12, &what);
        if algorithm == "Pelt" {
            let penalty = number(&case["pen"]);
            let total = |s: &[usize]| series.cost(s).unwrap() + penalty * s.len() as f64;
            let key = (model, penalty, stream);
            if let Some(entry) = SUBOPTIMAL.iter().find(|e| (e.0, e.1, e.2) == key) {
                close(total(&ours.ends), entry.3, 1e-8, &what);
                close(total(&stored), entry.4, 1e-8, &what);
                by_cost += 1;
                continue;
            }
            if key == TIE {
                close(total(&ours.ends), total(&stored), 1e-12, &what);
                by_cost += 1;
                continue;
            }
        }
        assert_eq!(ours.ends, stored, "{what}");
        identical += 1;
    }
    assert_eq!((identical, by_cost), (67, 5));
}

/// Every segmentation of `n` observations, by the bits of a number.
fn all(n: usize, spacing: Spacing) -> impl Iterator<Item = Vec<usize>> {
    (0u32..1 << (n - 1)).filter_map(move |bits| {
        let mut ends: Vec<usize> = (1..n).filter(|t| bits >> (t - 1) & 1 == 1).collect();
        let on_grid = ends.iter().all(|t| t.is_multiple_of(spacing.jump));
        ends.push(n);
        let mut start = 0;
        let long_enough = ends.iter().all(|&end| {
            let size = end - start;
            start = end;
            size >= spacing.min_size
        });
        (on_grid && long_enough).then_some(ends)
    })
}

#[test]
fn both_searches_are_exact_at_every_spacing() {
    let costs = [Cost::L1, Cost::L2, Cost::Normal { floor: 1e-3 }, Cost::Rbf];
    for (run, cost) in costs.iter().cycle().take(40).enumerate() {
        let mut luck = Stream::new(11, run as u64, 0, 0);
        let n = 9 + luck.below(5) as usize;
        let (min_size, jump) = (1 + luck.below(4) as usize, 1 + luck.below(3) as usize);
        let spacing = Spacing { min_size, jump };
        // Whole numbers in half of the runs, so that there are ties.
        let xs: Vec<f64> = (0..n)
            .map(|_| {
                if run % 2 == 0 {
                    luck.normal()
                } else {
                    f64::from(luck.below(3))
                }
            })
            .collect();
        let series = Segmenter::new(&xs, *cost, spacing).unwrap();
        let priced: Vec<(usize, f64)> = all(n, spacing)
            .map(|ends| (ends.len() - 1, series.cost(&ends).unwrap()))
            .collect();
        for penalty in [0.01, 0.3, 1.0, 4.0] {
            let optimum = priced
                .iter()
                .map(|&(changes, cost)| cost + penalty * changes as f64)
                .fold(f64::INFINITY, f64::min);
            let found: Segmentation = series.penalised(penalty).unwrap();
            let ours = found.cost + penalty * found.changes().len() as f64;
            close(
                ours,
                optimum,
                1e-11,
                &format!("{cost:?} {spacing:?} {penalty} {xs:?}"),
            );
        }
        for changes in 0..n {
            let optimum = priced.iter().filter(|p| p.0 == changes).map(|p| p.1);
            let optimum = optimum.fold(f64::INFINITY, f64::min);
            match series.with_changes(changes) {
                Ok(found) => {
                    assert_eq!(found.changes().len(), changes);
                    close(found.cost, optimum, 1e-11, "dynamic programming");
                    if let Ok(greedy) = series.binary(changes) {
                        assert_eq!(greedy.changes().len(), changes);
                        assert!(greedy.cost >= optimum - 1e-11);
                    }
                }
                Err(_) => assert!(optimum.is_infinite()),
            }
        }
    }
}

#[test]
fn constant_series_and_bad_input_are_defined() {
    let costs = [Cost::L1, Cost::L2, Cost::Normal { floor: 1e-6 }, Cost::Rbf];
    for cost in costs {
        for level in [0.0, 0.1, -3e99] {
            let series = Segmenter::new(&[level; 50], cost, Spacing::default()).unwrap();
            for penalty in [1e-3, 1.0] {
                assert_eq!(
                    series.penalised(penalty).unwrap().ends,
                    [50],
                    "{cost:?} {level}"
                );
            }
            assert!(series.penalised(0.0).is_err() && series.penalised(f64::NAN).is_err());
            assert!(series.with_changes(25).is_err() && series.binary(50).is_err());
            assert_eq!(series.with_changes(24).unwrap().ends.len(), 25);
            for ends in [&[][..], &[49], &[20, 20, 50], &[0, 50], &[60, 50]] {
                assert!(series.cost(ends).is_err());
            }
        }
        for bad in [f64::NAN, f64::INFINITY, 1e200] {
            assert!(Segmenter::new(&[1.0, bad, 2.0], cost, Spacing::default()).is_err());
        }
        let refused = |xs: &[f64], min_size, jump| {
            assert!(Segmenter::new(xs, cost, Spacing { min_size, jump }).is_err());
        };
        refused(&[], 1, 1);
        refused(&[1.0, 2.0], 3, 1);
        refused(&[1.0, 2.0], 0, 1);
        refused(&[1.0, 2.0], 1, 0);
    }
    for floor in [0.0, -1.0, f64::NAN] {
        assert!(Segmenter::new(&[1.0, 2.0], Cost::Normal { floor }, Spacing::default()).is_err());
    }
    assert!(Segmenter::new(&[0.0; 5_001], Cost::Rbf, Spacing::default()).is_err());
}
