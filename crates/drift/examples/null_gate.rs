//! The null gate and power tables of the person verdict.
//!
//! `cargo run --release -p driftlead-drift --example null_gate [PEOPLE]` (default 2,000 per cell).

#![allow(clippy::print_stdout)]

use driftlead_drift::characteristics::{Population, run};
use driftlead_stats::series::Noise;

/// Series per person, as many as `me` judges on a full history.
const SERIES: u32 = 16;

fn main() {
    let people = std::env::args()
        .nth(1)
        .and_then(|a| a.parse().ok())
        .unwrap_or(2000);
    let population = |weeks, phi, share, counts, planted_sd| Population {
        people,
        weeks,
        series: SERIES,
        noise: Noise {
            phi,
            persistent_share: share,
        },
        counts,
        planted_sd,
        version_change: false,
        seed: 20,
    };
    println!("Person verdict, {SERIES} series per person, {people} people per cell, seed 20.\n");
    println!("Null gate: % of unchanged people with any \"moved\" (declared: at most 5)");
    println!(
        "{:>6} {:>5} {:>10} {:>10}",
        "weeks", "phi", "Gaussian", "counts"
    );
    for weeks in [12, 16, 26, 39, 52] {
        for phi in [0.0, 0.3, 0.5, 0.7] {
            let gaussian = run(&population(weeks, phi, 1.0, false, 0.0)).any_false;
            let counts = run(&population(weeks, phi, 1.0, true, 0.0)).any_false;
            println!(
                "{weeks:>6} {phi:>5} {:>9.1}% {:>9.1}%",
                100.0 * gaussian,
                100.0 * counts
            );
        }
    }
    println!("\nBeyond what is declared: Gaussian, phi 0.9 with 30 % of the variance");
    for weeks in [26, 52] {
        let outcome = run(&population(weeks, 0.9, 0.3, false, 0.0));
        println!("{weeks:>6} {:>5} {:>9.1}%", 0.9, 100.0 * outcome.any_false);
    }
    println!("\nPower: % of people whose planted change is seen among {SERIES} series");
    println!(
        "{:>6} {:>5} {:>7} {:>7} {:>7} {:>7} {:>22}",
        "weeks", "phi", "1 SD", "2 SD", "3 SD", "4 SD", "smallest visible (SD)"
    );
    for weeks in [26, 52, 104] {
        for phi in [0.0, 0.3, 0.5, 0.7] {
            let outcomes =
                [1.0, 2.0, 3.0, 4.0].map(|sd| run(&population(weeks, phi, 1.0, false, sd)));
            let detected = outcomes
                .map(|o| format!("{:>6.0}%", 100.0 * o.detected))
                .join(" ");
            println!(
                "{weeks:>6} {phi:>5} {detected} {:>22.1}",
                outcomes[0].smallest_visible_sd
            );
        }
    }
}
