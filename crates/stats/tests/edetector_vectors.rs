//! Detectors and e-processes against the reference implementation and 50-digit values.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod support;

use driftlead_stats::edetector::*;
use driftlead_stats::eprocess::*;
use driftlead_stats::glr::{Before, BernoulliFocus, Direction, GaussianFocus};
use serde_json::Value;
use support::{close, indices, number, numbers, vectors};

fn baseline(case: &Value) -> Baseline {
    let m = number(&case["m_pre"]);
    match case["family"].as_str().unwrap() {
        "Normal" => Baseline::Normal { mean: m, sd: 1.0 },
        "Ber" => Baseline::Bernoulli { p: m },
        _ => Baseline::Bounded { mean: m },
    }
}

fn log_values(case: &Value, xs: &[f64]) -> Vec<f64> {
    let base = baseline(case);
    let side = case["alternative"].as_str().unwrap();
    let recursion = match case["method"].as_str().unwrap() {
        "SR" => Recursion::ShiryaevRoberts,
        "CU" => Recursion::Cusum,
        "ST" => Recursion::SequentialTest,
        _ => return glr_values(base, side, xs),
    };
    let grid =
        Alternatives::weighted(numbers(&case["lambdas"]), numbers(&case["weights"])).unwrap();
    let mut detector = EDetector::new(base, grid, recursion).unwrap();
    xs.iter().map(|&x| detector.update(x).unwrap()).collect()
}

fn glr_values(base: Baseline, side: &str, xs: &[f64]) -> Vec<f64> {
    let direction = match side {
        "greater" => Direction::Up,
        "less" => Direction::Down,
        _ => Direction::Both,
    };
    match base {
        Baseline::Bernoulli { p } => {
            let mut focus = BernoulliFocus::new(Before::Known(p), direction).unwrap();
            xs.iter().map(|&x| focus.update(x > 0.5)).collect()
        }
        Baseline::Normal { mean, .. } => {
            let mut focus = GaussianFocus::new(Before::Known(mean), direction).unwrap();
            xs.iter().map(|&x| focus.update(x).unwrap()).collect()
        }
        Baseline::Bounded { .. } => panic!("no bounded case is stored"),
    }
}

#[test]
fn values_and_stopping_times() {
    let file = vectors("stcp_edetectors");
    let cases = file["cases"].as_array().unwrap();
    for (i, case) in cases.iter().enumerate() {
        let xs = numbers(&file["streams"][case["stream"].as_str().unwrap()]);
        let ours = log_values(case, &xs);
        let glr = case["method"] == "GLRCU";
        for (t, stored) in indices(&case["t"])
            .into_iter()
            .zip(numbers(&case["log_values"]))
        {
            // One-sided scan: with nothing of the right sign ours is 0.
            let value = if glr {
                ours[t - 1].max(0.0)
            } else {
                ours[t - 1]
            };
            close(
                value,
                if glr { stored.max(0.0) } else { stored },
                1e-12,
                &format!("case {i} t {t}"),
            );
        }
        let threshold = number(&case["threshold"]);
        let stop = ours
            .iter()
            .position(|v| *v > threshold)
            .map_or(0, |t| t as u64 + 1);
        assert_eq!(stop, case["stopped_time"].as_u64().unwrap(), "case {i}");
    }
    assert_eq!(cases.len(), 60);
}

#[test]
fn grids_of_the_reference_rule() {
    let file = vectors("stcp_edetectors");
    for (i, case) in file["cases"].as_array().unwrap().iter().enumerate() {
        let tail = match case["alternative"].as_str().unwrap() {
            "greater" => Tail::Greater,
            "less" => Tail::Less,
            _ => Tail::TwoSided,
        };
        let stored = numbers(&case["lambdas"]);
        if stored.is_empty() {
            continue;
        }
        let alpha = (-number(&case["threshold"])).exp();
        let (lower, upper) = (number(&case["delta_lower"]), case["delta_upper"].as_f64());
        let grid = Alternatives::reference(&baseline(case), tail, alpha, lower, upper).unwrap();
        // A rule that is degenerate repeats its one bet per side in the reference.
        let lambdas = grid.lambdas();
        assert_eq!(
            lambdas.len() as u64,
            case["k"].as_u64().unwrap(),
            "case {i}"
        );
        for (k, (l, w)) in lambdas.iter().zip(grid.weights()).enumerate() {
            close(*l, stored[k], 1e-10, &format!("case {i} lambda {k}"));
            close(
                *w,
                numbers(&case["weights"])[k],
                1e-10,
                &format!("case {i} weight {k}"),
            );
        }
    }
}

#[test]
fn fifty_digit_values() {
    let file = vectors("core_edetector_bruteforce");
    let xs = numbers(&file["x"]);
    let p = number(&file["p0"]);
    let odds = |q: f64| (q / (1.0 - q)).ln();
    let lambdas: Vec<f64> = numbers(&file["alts"])
        .iter()
        .map(|a| odds(*a) - odds(p))
        .collect();
    let grid = || Alternatives::equal(lambdas.clone()).unwrap();
    let base = Baseline::Bernoulli { p };
    let at = indices(&file["t"]);
    for (recursion, each, mix) in [
        (Recursion::ShiryaevRoberts, "log_SR_each", "log_mix_SR"),
        (Recursion::Cusum, "log_CU_each", "log_mix_CU"),
    ] {
        let mut detector = EDetector::new(base, grid(), recursion).unwrap();
        for (t, &x) in xs.iter().enumerate() {
            let value = detector.update(x).unwrap();
            let Some(i) = at.iter().position(|&s| s == t) else {
                continue;
            };
            close(value, number(&file[mix][i]), 1e-12, mix);
            for (k, component) in detector.ln_components().iter().enumerate() {
                close(*component, number(&file[each][k][i]), 1e-12, each);
            }
        }
    }
    for (weights, key) in [
        (Weights::Horizon(180), "log_horizon_eprocess_w_uniform_T180"),
        (Weights::OpenEnded, "log_eprocess_w_prior_c_over_jlog2"),
    ] {
        let mut verdict = Verdict::new(base, grid(), weights).unwrap();
        for (t, &x) in xs.iter().enumerate() {
            let value = verdict.update(x).unwrap();
            if let Some(i) = at.iter().position(|&s| s == t) {
                close(value, number(&file[key][i]), 1e-12, key);
            }
        }
    }
}

#[test]
fn calibrators_adjuster_and_jumper() {
    let file = vectors("evalues_causal_misc");
    let e = numbers(&file["e"]);
    close(
        merge_mean(&e).unwrap(),
        number(&file["arith_mean"]),
        1e-12,
        "mean",
    );
    for (e, stored) in e.iter().zip(numbers(&file["p_from_e"])) {
        close(p_from_e(*e).unwrap(), stored, 1e-12, "p from e");
    }
    for row in file["calibrator_kappa05"].as_array().unwrap() {
        close(
            calibrate_power(number(&row["p"]), 0.5).unwrap(),
            number(&row["e"]),
            1e-12,
            "power",
        );
    }
    for row in file["calibrator_int"].as_array().unwrap() {
        close(
            calibrate_integrated(number(&row["p"])).unwrap(),
            number(&row["e"]),
            1e-12,
            "integrated",
        );
    }
    for row in file["adjuster_runmax"].as_array().unwrap() {
        close(
            adjust_running_max(number(&row["max_e"])).unwrap(),
            number(&row["e"]),
            1e-12,
            "adjuster",
        );
    }
    let stored = &file["simple_jumper"];
    let mut jumper = SimpleJumper::new(number(&stored["J"])).unwrap();
    let ours: Vec<f64> = numbers(&stored["p"])
        .iter()
        .map(|&p| jumper.update(p).unwrap())
        .collect();
    for (i, value) in indices(&stored["idx"])
        .into_iter()
        .zip(numbers(&stored["log_S"]))
    {
        close(ours[i], value, 1e-12, "jumper");
    }
}
