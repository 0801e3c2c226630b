//! Generalised likelihood ratios and exact run lengths against oracle values.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod support;

use driftlead_stats::glr::*;
use support::{close, indices, number, numbers, vectors};

#[test]
fn focus_equals_the_maximum_over_all_splits() {
    let file = vectors("glr_bruteforce");
    let z = numbers(&file["z"]);
    for (name, before, direction) in [
        (
            "glr_known_mean0_two_sided",
            Before::Known(0.0),
            Direction::Both,
        ),
        ("glr_known_mean0_up", Before::Known(0.0), Direction::Up),
        (
            "glr_unknown_mean_two_sided",
            Before::Unknown,
            Direction::Both,
        ),
    ] {
        let mut focus = GaussianFocus::new(before, direction).unwrap();
        for (t, (x, stored)) in z.iter().zip(numbers(&file[name])).enumerate() {
            close(
                focus.update(*x).unwrap(),
                stored,
                1e-9,
                &format!("{name} t {t}"),
            );
        }
    }
}

#[test]
fn focus_equals_the_published_implementation() {
    let file = vectors("focus");
    let mut compared = 0;
    for case in file["cases"].as_array().unwrap() {
        let model = case["model"].as_str().unwrap();
        let side = case["side"].as_str().unwrap();
        let stream = numbers(&file["streams"][case["stream"].as_str().unwrap()]);
        let direction = match side {
            "both" => Direction::Both,
            "right" => Direction::Up,
            _ => Direction::Down,
        };
        let known = model.contains("known") && !model.contains("unknown");
        let gaussian = model.starts_with("gaussian");
        let before = match (known, gaussian) {
            (false, _) => Before::Unknown,
            (true, true) => Before::Known(0.0),
            (true, false) => Before::Known(0.2),
        };
        let (values, scan) = if gaussian {
            let mut focus = GaussianFocus::new(before, direction).unwrap();
            let values: Vec<f64> = stream.iter().map(|&x| focus.update(x).unwrap()).collect();
            (values, focus.scan())
        } else {
            let mut focus = BernoulliFocus::new(before, direction).unwrap();
            let values = stream.iter().map(|&x| focus.update(x > 0.5)).collect();
            (values, focus.scan())
        };
        if known && side != "both" {
            // The published one keeps candidates of the wrong sign; the exact final values are known.
            let exact = match (gaussian, side) {
                (true, "left") => Some(0.153661),
                (false, "left") => Some(0.892574),
                _ => None,
            };
            if let Some(exact) = exact {
                close(values[values.len() - 1], exact, 1e-6, model);
            }
            continue;
        }
        let tolerance = if gaussian { 1e-9 } else { 2e-8 };
        for (i, stored) in indices(&case["idx"])
            .into_iter()
            .zip(numbers(&case["stat"]))
        {
            close(
                values[i],
                stored,
                tolerance,
                &format!("{model} {side} index {i}"),
            );
        }
        assert_eq!(
            scan.change as f64,
            number(&case["final_changepoint"]["changepoint"]),
            "{model} {side}"
        );
        compared += 1;
    }
    assert_eq!(compared, 8);
}

#[test]
fn exact_run_lengths() {
    let file = vectors("cusum_arl_exact");
    for row in file["table"].as_array().unwrap() {
        let f = |key: &str| number(&row[key]);
        let (gamma, delta) = (f("gamma"), f("delta"));
        let h = cusum_threshold(delta / 2.0, gamma).unwrap();
        close(h, f("h"), 1e-6, &format!("h at {gamma} {delta}"));
        close(
            cusum_arl(delta / 2.0, h, delta).unwrap(),
            f("D_cusum"),
            1e-6,
            "delay",
        );
        close(
            shewhart_delay(delta, gamma).unwrap(),
            f("shewhart_D"),
            1e-9,
            "threshold delay",
        );
    }
    for (h, row) in file["meta"]["montgomery_two_sided_k0_5"]
        .as_object()
        .unwrap()
    {
        let h: f64 = h.parse().unwrap();
        for (delta, stored) in row.as_object().unwrap() {
            let ours = two_sided_arl(0.5, h, delta.parse().unwrap()).unwrap();
            close(
                ours,
                number(stored),
                1e-7,
                &format!("Montgomery h {h} delta {delta}"),
            );
        }
    }
}
