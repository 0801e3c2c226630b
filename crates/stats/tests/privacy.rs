//! Private release: the published cost table, the floor, the ledger and the noise itself.
#![cfg(feature = "privacy")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

use driftlead_stats::privacy::*;

/// Widening in per cent and smallest visible mean drift, as printed in the reference of this project: drift
/// of a person clipped to +-3 of their own standard deviations; standard error of one person's
/// drift over 52 weeks .771, spread of true drift .5.
#[test]
fn cost_table() {
    let rows: [(usize, [(f64, f64); 3]); 5] = [
        (30, [(252.0, 1.65), (96.0, 0.92), (31.0, 0.61)]),
        (100, [(110.0, 0.54), (36.0, 0.35), (10.0, 0.28)]),
        (300, [(46.0, 0.22), (13.0, 0.17), (3.0, 0.15)]),
        (1000, [(16.0, 0.09), (4.0, 0.08), (1.0, 0.08)]),
        (5000, [(3.0, 0.04), (1.0, 0.04), (0.0, 0.04)]),
    ];
    let clip = Clip::new(-3.0, 3.0).unwrap();
    let sd = 0.771f64.hypot(0.5);
    for (people, cells) in rows {
        for (epsilon, (widening, smallest)) in [0.5, 1.0, 2.0].into_iter().zip(cells) {
            let cost = Cost::of_mean(clip, people, epsilon, sd).unwrap();
            let percent = 100.0 * cost.widening;
            println!(
                "{people} {epsilon} {percent:.1} {:.3}",
                cost.smallest_visible
            );
            assert!(
                (percent - widening).abs() <= 0.6,
                "{people} {epsilon}: {percent}"
            );
            assert!(
                (cost.smallest_visible - smallest).abs() <= 0.0051,
                "{people} {epsilon}"
            );
        }
    }
}

#[test]
fn floor_and_bad_input_cost_nothing() {
    let mut ledger = Ledger::new(1.0).unwrap();
    let clip = Clip::new(-3.0, 3.0).unwrap();
    assert!(private_mean("few", &[0.0; 99], clip, 0.5, &mut ledger).is_err());
    let mut numbers = vec![0.0; 100];
    numbers[7] = f64::NAN;
    assert!(private_mean("nan", &numbers, clip, 0.5, &mut ledger).is_err());
    numbers[7] = 1e300;
    for epsilon in [0.0, -1.0, f64::NAN, 1.5] {
        assert!(private_mean("epsilon", &numbers, clip, epsilon, &mut ledger).is_err());
    }
    assert_eq!(ledger.left(), 1.0);
    let mean = private_mean("outlier", &numbers, clip, 1.0, &mut ledger).unwrap();
    // Clipped to 3 of 100: far below 30 noise scales.
    assert!((mean.value - 0.03).abs() < 30.0 * mean.noise_scale);
    assert!(private_mean("spent", &numbers, clip, 0.01, &mut ledger).is_err());
    assert_eq!(ledger.spent().len(), 1);
    assert!(Clip::new(1.0, 1.0).is_err() && Clip::new(f64::NAN, 1.0).is_err());
}

#[test]
fn ledger_survives_storage() {
    let mut ledger = Ledger::new(2.0).unwrap();
    for k in 0..10 {
        ledger.spend(&format!("week {k}"), 0.2).unwrap();
    }
    assert!(ledger.spend("more", 0.01).is_err());
    let text = serde_json::to_string(&ledger).unwrap();
    let mut back: Ledger = serde_json::from_str(&text).unwrap();
    assert_eq!(back, ledger);
    assert!(back.spend("more", 0.01).is_err());
}

/// The noise has the standard deviation that the cost is computed from (relative error of the
/// estimate about 2.5 %; the bound is six of them).
#[test]
fn noise_has_the_stated_size() {
    let numbers: Vec<f64> = (0..400).map(|i| f64::from(i % 7) - 3.0).collect();
    let clip = Clip::new(-3.0, 3.0).unwrap();
    let truth = numbers.iter().sum::<f64>() / 400.0;
    let mut squares = 0.0;
    let runs = 2000;
    for _ in 0..runs {
        let mut ledger = Ledger::new(0.7).unwrap();
        let mean = private_mean("test", &numbers, clip, 0.7, &mut ledger).unwrap();
        squares += (mean.value - truth).powi(2);
    }
    let sd = (squares / f64::from(runs)).sqrt();
    let stated = Cost::of_mean(clip, 400, 0.7, 1.0).unwrap().noise_sd;
    assert!((sd / stated - 1.0).abs() < 0.15, "{sd} {stated}");
}
