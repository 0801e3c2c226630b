//! The posterior-averaged e-process against 50-digit values.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod support;

use driftlead_stats::baseline::{PosteriorAveraged, Prior};
use driftlead_stats::eprocess::Weights;
use support::{close, indices, number, numbers, vectors};

#[test]
fn posterior_average_by_definition() {
    let file = vectors("core_edetector_bruteforce");
    let stored = &file["posterior_averaged"];
    let prior = Prior::new(numbers(&stored["nodes"]), numbers(&stored["prior"])).unwrap();
    let shifts = numbers(&stored["logit_shifts"]);
    let mut process = PosteriorAveraged::new(&prior, &shifts, Weights::Horizon(180)).unwrap();
    let at = indices(&file["t"]);
    for (t, x) in numbers(&file["x"]).into_iter().enumerate() {
        let value = process.update(x > 0.5);
        if let Some(i) = at.iter().position(|&s| s == t) {
            close(value, number(&stored["log_E"][i]), 1e-11, &format!("t {t}"));
        }
    }
}
