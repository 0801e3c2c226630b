//! Prints the operating characteristics of the detectors as Markdown tables.
//!
//! `cargo run --release -p driftlead-stats --example operating_characteristics -- [--quick] [--seed N] [TABLE...]`
//!
//! Tables: `delay`, `unknown`, `population`, `autocorrelation`, `peeking`; all of them without an argument.
#![allow(clippy::expect_used, clippy::print_stdout)]

mod autocorrelation;
mod delays;
mod peeking;
mod population;
mod unknown_baseline;

/// What the command line asked for.
pub(crate) struct Options {
    pub(crate) quick: bool,
    pub(crate) seed: u64,
}

/// Whether a figure with its Monte-Carlo standard error keeps below `limit`: said only when it is two
/// standard errors away.
pub(crate) fn verdict(value: f64, error: f64, limit: f64) -> &'static str {
    match value {
        v if v + 2.0 * error <= limit => "met",
        v if v > limit + 2.0 * error => "missed",
        v if v <= limit => "met by less than two standard errors",
        _ => "missed by less than two standard errors",
    }
}

/// The same for a figure that has to reach `limit`.
pub(crate) fn reaches(value: f64, error: f64, limit: f64) -> &'static str {
    verdict(-value, error, -limit)
}

/// Standard error of a share of `n`.
pub(crate) fn share_error(share: f64, n: f64) -> f64 {
    (share * (1.0 - share) / n.max(1.0)).sqrt()
}

/// Prints one table.
type Table = fn(&Options);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let after = |flag: &str| {
        arguments
            .iter()
            .position(|a| a == flag)
            .and_then(|i| arguments.get(i + 1))
    };
    let seed = after("--seed")
        .and_then(|s| s.parse().ok())
        .unwrap_or(20_261_124);
    let options = Options {
        quick: arguments.iter().any(|a| a == "--quick"),
        seed,
    };
    let named = |name: &str| arguments.iter().any(|a| a == name);
    let tables: [(&str, Table); 5] = [
        ("delay", delays::run),
        ("unknown", unknown_baseline::run),
        ("population", population::run),
        ("autocorrelation", autocorrelation::run),
        ("peeking", peeking::run),
    ];
    let all = !tables.iter().any(|(name, _)| named(name));
    println!(
        "# Operating characteristics (seed {seed}{})",
        if options.quick { ", quick" } else { "" }
    );
    for (name, table) in tables {
        if all || named(name) {
            table(&options);
        }
    }
}
