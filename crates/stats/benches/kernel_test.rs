//! Kernel two-sample test with 500 permutations, on the three data sets of `tests/vectors/model_equality.json`:
//! `cargo bench -p driftlead-stats --bench kernel_test`. `peers/model_equality.py` compares with the
//! published implementation on the same data.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    missing_docs
)]

use driftlead_stats::two_sample::{Kernel, KernelTest, Sample, Scheme};
use serde_json::Value;
use std::hint::black_box;
use std::time::Instant;

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
            let run = || {
                let start = Instant::now();
                let test = KernelTest::new(&first, &second, kernel).expect("test");
                let p = test.permute(500, 1, Scheme::WithinPrompts).expect("p").p;
                (start.elapsed().as_secs_f64(), p)
            };
            let best = (0..20)
                .map(|_| black_box(run()))
                .fold((f64::INFINITY, 1.0), |a, b| if b.0 < a.0 { b } else { a });
            println!(
                "kernel_test {name} case {index} seconds {:.6} p {:.4}",
                best.0, best.1
            );
        }
    }
}
