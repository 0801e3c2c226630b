//! Polarisation and diversity against stored results.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod support;

use driftlead_stats::diversity::*;
use support::{close, number, numbers, vectors};

#[test]
fn opinions() {
    let file = vectors("polarization_diversity");
    for name in [
        "uniform",
        "bimodal",
        "unimodal",
        "extreme01",
        "skew_bimodal",
    ] {
        let case = &file[name];
        let x = numbers(&case["x"]);
        let check =
            |ours: f64, key: &str| close(ours, number(&case[key]), 1e-9, &format!("{name} {key}"));
        let spread = Spread::of(&x).unwrap();
        check(spread.variance, "var");
        check(spread.mean_absolute_deviation, "mad");
        check(spread.mean_pairwise, "mean_pairwise");
        let shape = Shape::of(&x).unwrap();
        check(shape.skew, "skew_biased");
        check(shape.excess_kurtosis, "kurtosis_excess_biased");
        check(
            bimodality_coefficient(&x).unwrap(),
            "bimodality_coefficient",
        );
        check(dip(&x).unwrap(), "dip");
        let counts = bins(&x, 0.0, 1.0, 10).unwrap();
        check(entropy(&counts).unwrap(), "entropy_bins10_nats");
        check(gini_simpson(&counts).unwrap(), "gini_simpson_bins10");
        check(coverage(&counts).unwrap(), "coverage_bins10");
        let centres: Vec<f64> = (0..10).map(|i| 0.05 + 0.1 * f64::from(i)).collect();
        for alpha in ["1.0", "1.3", "1.6"] {
            let ours = esteban_ray(&counts, &centres, alpha.parse().unwrap()).unwrap();
            check(ours, &format!("esteban_ray_alpha{alpha}_bins10_K1"));
        }
        let counts: Vec<u64> = numbers(&case["counts5"])
            .iter()
            .map(|&c| c as u64)
            .collect();
        check(agreement_a(&counts).unwrap(), "van_der_eijk_A_counts5");
    }
}

#[test]
fn vendi() {
    let file = vectors("polarization_diversity");
    let case = &file["vendi"];
    let rows: Vec<Vec<f64>> = case["X"].as_array().unwrap().iter().map(numbers).collect();
    let dual = Vendi::from_vectors(&rows).unwrap();
    let n = rows.len();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let cosine = |a: &[f64], b: &[f64]| dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
    let gram: Vec<f64> = (0..n * n)
        .map(|k| cosine(&rows[k / n], &rows[k % n]))
        .collect();
    let direct = Vendi::from_similarity(&gram, n).unwrap();
    for (q, key, tolerance) in [
        (1.0, "score_q1", 1e-9),
        (1.0, "score_dual", 1e-9),
        (2.0, "score_q2", 1e-9),
        (f64::INFINITY, "score_qinf", 1e-9),
        (0.5, "score_q0_5", 1e-6),
    ] {
        close(dual.score(q).unwrap(), number(&case[key]), tolerance, key);
        close(direct.score(q).unwrap(), number(&case[key]), tolerance, key);
    }
    let same = Vendi::from_similarity(&[1.0; 25], 5).unwrap();
    close(
        same.score(1.0).unwrap(),
        number(&case["identical"]),
        1e-9,
        "identical",
    );
    let unlike: Vec<f64> = (0..25).map(|k| f64::from(u8::from(k % 6 == 0))).collect();
    let unlike = Vendi::from_similarity(&unlike, 5).unwrap();
    close(
        unlike.score(1.0).unwrap(),
        number(&case["orthogonal"]),
        1e-9,
        "orthogonal",
    );
}

#[test]
fn distributions() {
    let file = vectors("polarization_diversity");
    let case = &file["steck_calibration_kl_alpha.01"];
    let (p, q) = (numbers(&case["p"]), numbers(&case["q"]));
    close(
        calibration_kl(&p, &q, 0.01).unwrap(),
        number(&case["kl"]),
        1e-9,
        "calibration",
    );
    let case = &file["jsd"];
    let (p, q) = (numbers(&case["p"]), numbers(&case["q"]));
    close(
        jensen_shannon(&p, &q).unwrap(),
        number(&case["jsd_nats"]),
        1e-9,
        "JSD",
    );
    let case = &file["gini_exposure"];
    close(
        gini(&numbers(&case["x"])).unwrap(),
        number(&case["gini"]),
        1e-9,
        "Gini",
    );
}

#[test]
fn constants_and_refusals() {
    let constant = [2.0; 6];
    let spread = Spread::of(&constant).unwrap();
    assert_eq!((spread.variance, spread.mean_pairwise), (0.0, 0.0));
    assert!(Shape::of(&constant).is_err() && bimodality_coefficient(&constant).is_err());
    assert_eq!(dip(&constant).unwrap(), 1.0 / 12.0);
    assert!(dip(&[]).is_err() && dip(&[f64::NAN]).is_err());
    assert!(entropy(&[]).is_err() && entropy(&[0.0]).is_err() && gini(&[-1.0]).is_err());
    assert!(agreement_a(&[1, 2]).is_err() && agreement_a(&[0, 0, 0]).is_err());
    assert!(Vendi::from_vectors(&[vec![0.0, 0.0]]).is_err());
    assert!(Vendi::from_similarity(&[1.0, 0.5, 0.4, 1.0], 2).is_err());
    assert!(bins(&[1.5], 0.0, 1.0, 10).is_err());
}
