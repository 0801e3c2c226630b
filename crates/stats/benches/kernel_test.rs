//! Kernel two-sample test with 500 permutations, on the three data sets of `tests/vectors/model_equality.json`:
//! `cargo bench -p driftlead-stats --bench kernel_test`. `peers/kernel_test.py` compares with the
//! published implementation on the same data.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    missing_docs
)]

mod support;

use driftlead_stats::two_sample::{Kernel, KernelTest, Sample, Scheme};
use serde_json::{Value, json};
use std::hint::black_box;
use support::Exchange;

fn symbols(value: &Value) -> Vec<u32> {
    let list = value.as_array().expect("a list");
    list.iter()
        .map(|v| v.as_u64().expect("a symbol") as u32)
        .collect()
}

fn sample(prompts: &Value, answers: &Value) -> Sample {
    let answers = answers
        .as_array()
        .expect("a list")
        .iter()
        .map(symbols)
        .collect();
    Sample::new(symbols(prompts), answers).expect("a sample")
}

fn main() {
    let mut exchange = Exchange::from_arguments();
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/vectors/model_equality.json"
    );
    let text = std::fs::read_to_string(path).expect("the vectors");
    let file: Value = serde_json::from_str(&text).expect("JSON");
    for (name, kernel) in [
        ("hamming", Kernel::Hamming),
        ("spectrum", Kernel::Spectrum(5)),
    ] {
        for (index, case) in file["cases"].as_array().expect("cases").iter().enumerate() {
            let first = sample(&case["prompts1"], &case["completions1"]);
            let second = sample(&case["prompts2"], &case["completions2"]);
            let kernel_alone = || {
                black_box(KernelTest::new(&first, &second, kernel).expect("test"));
            };
            exchange.bound(
                &format!("{name}, case {index}, the kernel alone"),
                kernel_alone,
            );
            let run = || {
                let test = KernelTest::new(&first, &second, kernel).expect("test");
                let p = test.permute(500, 1, Scheme::WithinPrompts).expect("p").p;
                (test.statistic(), p)
            };
            let (statistic, p) = run();
            let result = json!({ "statistic": statistic, "p": p });
            exchange.report(&format!("{name}, case {index}"), None, result, || {
                black_box(run());
            });
        }
    }
    println!(
        "goal: 1,000 times as fast as the published implementation; `peers/stats kernel_test` times both"
    );
    exchange.finish();
}
