//! Two-sample tests against stored results of the published implementation.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod support;

use driftlead_stats::two_sample::*;
use serde_json::Value;
use support::{close, indices, number, vectors};

fn sample(prompts: &Value, answers: &Value) -> Sample {
    let symbols = |v: &Value| indices(v).iter().map(|&i| i as u32).collect::<Vec<u32>>();
    let answers = answers.as_array().unwrap().iter().map(symbols).collect();
    Sample::new(symbols(prompts), answers).unwrap()
}

#[test]
fn kernel_statistics_and_p_values() {
    let file = vectors("model_equality");
    for case in file["cases"].as_array().unwrap() {
        let first = sample(&case["prompts1"], &case["completions1"]);
        let second = sample(&case["prompts2"], &case["completions2"]);
        let hamming = KernelTest::new(&first, &second, Kernel::Hamming).unwrap();
        close(
            hamming.statistic(),
            number(&case["mmd_hamming"]),
            1e-12,
            "Hamming",
        );
        let spectrum = KernelTest::new(&first, &second, Kernel::Spectrum(5)).unwrap();
        close(
            spectrum.statistic(),
            number(&case["mmd_kspectrum"]),
            1e-12,
            "spectrum",
        );
        let stored = number(&case["mmd_hamming_perm_p_b500"]);
        let room = 4.0 * (stored * (1.0 - stored) / 500.0).sqrt() + 0.01;
        for scheme in [Scheme::Pooled, Scheme::WithinPrompts] {
            let p = hamming.permute(500, 1, scheme).unwrap().p;
            println!("eps {}: stored p {stored}, {scheme:?} {p}", case["eps"]);
            if scheme == Scheme::Pooled {
                assert!((p - stored).abs() <= room, "{p} against {stored}");
            }
        }
        assert_eq!(
            hamming.permute(200, 7, Scheme::WithinPrompts).unwrap(),
            hamming.permute(200, 7, Scheme::WithinPrompts).unwrap()
        );
        // All answers differ, so these are constants: a smoke test only.
        close(l1(&first, &second), 2.0, 1e-12, "L1");
        close(l2(&first, &second), 0.02, 1e-12, "L2");
        close(chi_squared(&first, &second), 0.0, 1e-6, "chi-squared");
    }
}

#[test]
fn refusals() {
    let one = Sample::new(vec![0], vec![vec![1]]).unwrap();
    let other = Sample::new(vec![1], vec![vec![1]]).unwrap();
    assert!(KernelTest::new(&one, &other, Kernel::Hamming).is_err());
    assert!(KernelTest::new(&one, &one, Kernel::Spectrum(0)).is_err());
    let test = KernelTest::new(&one, &one, Kernel::Hamming).unwrap();
    assert!(test.statistic().is_finite() && test.permute(0, 1, Scheme::Pooled).is_err());
    assert!(Sample::new(vec![], vec![]).is_err() && Sample::new(vec![1], vec![]).is_err());
    let empty = Sample::new(vec![0, 0], vec![vec![], vec![]]).unwrap();
    let test = KernelTest::new(&empty, &empty, Kernel::Spectrum(2)).unwrap();
    assert!(test.statistic().is_finite());
    assert!(ln_probability_shift(&[vec![Some(f64::NAN)]], &[vec![Some(-1.0)]], 9, 1).is_err());
    assert!(ln_probability_shift(&[vec![None]], &[vec![Some(-1.0)]], 9, 1).is_err());
}
