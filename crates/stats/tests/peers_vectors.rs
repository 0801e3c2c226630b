//! Detectors of other libraries against their own recorded alarms.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod support;

use driftlead_stats::glr::Direction;
use driftlead_stats::peers::*;
use serde_json::Value;
use support::{close, indices, number, numbers, vectors};

fn alarms(detector: &mut dyn Detector, xs: &[f64]) -> Vec<usize> {
    (0..xs.len())
        .filter(|&t| detector.update(xs[t]).unwrap())
        .collect()
}

fn adwin(params: &Value) -> AdwinSettings {
    let count = |key: &str| params[key].as_u64().unwrap();
    AdwinSettings {
        delta: number(&params["delta"]),
        clock: count("clock"),
        max_buckets: count("max_buckets") as usize,
        min_window_length: count("min_window_length"),
        grace_period: count("grace_period"),
    }
}

fn page_hinkley(params: &Value) -> PageHinkleySettings {
    PageHinkleySettings {
        min_instances: params["min_instances"].as_u64().unwrap(),
        delta: number(&params["delta"]),
        threshold: number(&params["threshold"]),
        alpha: number(&params["alpha"]),
        direction: match params["mode"].as_str().unwrap() {
            "up" => Direction::Up,
            "down" => Direction::Down,
            _ => Direction::Both,
        },
    }
}

#[test]
fn alarms_equal_those_recorded() {
    let file = vectors("river_detectors");
    let mut compared = std::collections::BTreeMap::<&str, usize>::new();
    for run in file["detectors"].as_array().unwrap() {
        let name = run["detector"].as_str().unwrap();
        let params = &run["params"];
        let xs = numbers(&file["streams"][run["stream"].as_str().unwrap()]);
        let ours = match name {
            "ADWIN" => {
                let mut window = Adwin::new(adwin(params)).unwrap();
                let mut found = Vec::new();
                let mut trace = run["trace_every100"].as_array().unwrap().iter();
                for (t, &x) in xs.iter().enumerate() {
                    if window.update(x).unwrap() {
                        found.push(t);
                    }
                    if t % 100 == 99 {
                        let stored = numbers(trace.next().unwrap());
                        let ours = [
                            window.width() as f64,
                            window.mean(),
                            window.sum_of_squares(),
                        ];
                        for (a, b) in ours.iter().zip(stored) {
                            close(*a, b, 1e-9, &format!("ADWIN {params} t {t}"));
                        }
                    }
                }
                assert!(trace.next().is_none());
                found
            }
            "PageHinkley" => alarms(&mut PageHinkley::new(page_hinkley(params)).unwrap(), &xs),
            "DDM" => alarms(&mut Ddm::default(), &xs),
            "EDDM" => alarms(&mut Eddm::default(), &xs),
            "HDDMA" => alarms(&mut HddmA::new(0.001).unwrap(), &xs),
            "HDDMW" => alarms(&mut HddmW::new(0.001, 0.05).unwrap(), &xs),
            // Depends on the other program's random numbers.
            "KSWIN" => continue,
            other => panic!("unknown detector {other}"),
        };
        assert_eq!(
            ours,
            indices(&run["detections"]),
            "{name} {params} {}",
            run["stream"]
        );
        *compared.entry(name).or_default() += 1;
    }
    let counts: Vec<_> = compared.into_iter().collect();
    assert_eq!(
        counts,
        [
            ("ADWIN", 24),
            ("DDM", 2),
            ("EDDM", 2),
            ("HDDMA", 2),
            ("HDDMW", 2),
            ("PageHinkley", 48)
        ]
    );
}
