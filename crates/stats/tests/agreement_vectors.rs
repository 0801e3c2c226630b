//! Agreement against stored results of other programs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod support;

use driftlead_stats::agreement::*;
use serde_json::Value;
use support::{close, number, numbers, vectors};

fn table(value: &Value) -> Ratings {
    let rows: Vec<Vec<Option<f64>>> = value
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row.as_array().unwrap().iter().map(Value::as_f64).collect())
        .collect();
    Ratings::new(&rows).unwrap()
}

const SCALES: [(&str, Scale); 4] = [
    ("nominal", Scale::Nominal),
    ("ordinal", Scale::Ordinal),
    ("interval", Scale::Interval),
    ("ratio", Scale::Ratio),
];

#[test]
fn krippendorff() {
    let file = vectors("agreement");
    for (name, scale) in SCALES {
        for (data, key) in [
            ("ratings", format!("krippendorff_alpha_{name}_complete")),
            (
                "ratings_missing",
                format!("krippendorff_alpha_{name}_missing"),
            ),
        ] {
            let ours = krippendorff_alpha(&table(&file[data]), scale).unwrap();
            close(ours, number(&file[&key]), 1e-9, &key);
        }
        let canonical = table(&file["krippendorff_canonical_data"]);
        let ours = krippendorff_alpha(&canonical, scale).unwrap();
        close(
            ours,
            number(&file["krippendorff_canonical"][name]),
            1e-9,
            name,
        );
    }
}

#[test]
fn kappas() {
    let file = vectors("agreement");
    let row = |i: usize| -> Vec<usize> {
        numbers(&file["ratings"][i])
            .iter()
            .map(|&v| v as usize)
            .collect()
    };
    let pair = Confusion::new(&row(0), &row(1), 4).unwrap();
    for (weighting, name) in [
        (Weighting::None, "None"),
        (Weighting::Linear, "linear"),
        (Weighting::Quadratic, "quadratic"),
    ] {
        let kappa = pair.kappa(weighting).unwrap();
        close(
            kappa.value,
            number(&file[&format!("cohen_kappa_r0_r1_{name}")]),
            1e-9,
            name,
        );
        assert!(kappa.standard_error > 0.0 && kappa.standard_error < 0.2);
    }
    let binary = |i| {
        row(i)
            .iter()
            .map(|&v| usize::from(v > 1))
            .collect::<Vec<_>>()
    };
    let mcc = Confusion::new(&binary(0), &binary(1), 2)
        .unwrap()
        .matthews()
        .unwrap();
    close(mcc, number(&file["mcc_r0_r1_bin"]), 1e-9, "MCC");
    let ratings = table(&file["ratings"]);
    close(
        fleiss_kappa(&ratings).unwrap(),
        number(&file["fleiss_kappa"]),
        1e-9,
        "Fleiss",
    );
    close(
        randolph_kappa(&ratings, 4).unwrap(),
        number(&file["randolph_kappa"]),
        1e-9,
        "Randolph",
    );
}

#[test]
fn intraclass_correlations() {
    let file = vectors("agreement");
    let ratings = table(&file["ratings"]);
    for (form, letter) in [
        (IccForm::OneWay, "1"),
        (IccForm::Agreement, "A"),
        (IccForm::Consistency, "C"),
    ] {
        let icc = intraclass(&ratings, form, 0.05).unwrap();
        for (ours, kind) in [(icc.single, "1"), (icc.mean, "k")] {
            let stored = numbers(&file["icc"][&format!("ICC({letter},{kind})")]);
            close(ours.value, stored[0], 1e-9, letter);
            close(icc.f, stored[1], 1e-9, "F");
            assert!(ours.interval.contains(ours.value) && ours.interval.width() < 0.4);
        }
    }
}

#[test]
fn associations() {
    let file = vectors("agreement");
    let (x, y) = (numbers(&file["x"]), numbers(&file["y"]));
    for (ours, key) in [
        (pearson(&x, &y, 0.05), "pearson"),
        (spearman(&x, &y, 0.05), "spearman"),
        (kendall(&x, &y, 0.05), "kendall_tau_b"),
    ] {
        let (ours, stored) = (ours.unwrap(), numbers(&file[key]));
        close(ours.value, stored[0], 1e-9, key);
        close(ours.p, stored[1], 1e-6, "p");
        assert!((ours.p / stored[1] - 1.0).abs() < 1e-6, "{key}");
        assert!(ours.interval.contains(ours.value) && ours.interval.low > 0.0);
    }
    let ccc = concordance(&x, &y, 0.05).unwrap();
    close(ccc.value, number(&file["lin_ccc_ddof0"]), 1e-9, "CCC");
    assert!(ccc.interval.contains(ccc.value) && ccc.interval.width() < 0.6);
}

#[test]
fn consistency_of_scales() {
    let file = vectors("agreement");
    let people: Vec<Vec<f64>> = file["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(numbers)
        .collect();
    let items: Vec<Vec<f64>> = (0..4)
        .map(|j| people.iter().map(|p| p[j]).collect())
        .collect();
    let alpha = cronbach_alpha(&Ratings::complete(&items).unwrap(), 0.05).unwrap();
    close(
        alpha.value,
        number(&file["cronbach_alpha"]),
        1e-9,
        "Cronbach",
    );
    assert!(alpha.interval.contains(alpha.value));
    let htmt = &vectors("evalues_causal_misc")["htmt"];
    let r: Vec<f64> = htmt["R"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(numbers)
        .collect();
    let block = |i: usize| support::indices(&htmt["blocks"][i]);
    let ours = heterotrait_ratio(&r, 6, &block(0), &block(1)).unwrap();
    close(ours, number(&htmt["htmt"]), 1e-9, "HTMT");
}

#[test]
fn no_variation_is_an_error_and_nan_is_refused() {
    let same = Ratings::complete(&[vec![1.0; 5], vec![1.0; 5]]).unwrap();
    for (_, scale) in SCALES {
        assert!(krippendorff_alpha(&same, scale).is_err());
    }
    assert!(fleiss_kappa(&same).is_err() && cronbach_alpha(&same, 0.05).is_err());
    assert!(intraclass(&same, IccForm::Agreement, 0.05).is_err());
    let one = Confusion::new(&[0, 0], &[0, 0], 2).unwrap();
    assert!(one.kappa(Weighting::Quadratic).is_err() && one.matthews().is_err());
    assert!(Ratings::complete(&[vec![f64::NAN]]).is_err());
    assert!(pearson(&[1.0, 1.0], &[1.0, 2.0], 0.05).is_err());
    assert!(kendall(&[1.0, f64::NAN], &[1.0, 2.0], 0.05).is_err());
    assert_eq!(
        concordance(&[1.0, 1.0, 1.0], &[2.0, 2.0, 2.0], 0.05)
            .unwrap()
            .value,
        0.0
    );
    let perfect = Ratings::complete(&[vec![1.0, 2.0, 3.0], vec![1.0, 2.0, 3.0]]).unwrap();
    assert_eq!(
        intraclass(&perfect, IccForm::Agreement, 0.05)
            .unwrap()
            .single
            .value,
        1.0
    );
}
