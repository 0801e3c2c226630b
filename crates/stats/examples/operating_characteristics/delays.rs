//! Delay of the detectors over the exact optimum at the same average run length.

use crate::Options;
use driftlead_stats::edetector::{Alternatives, GaussianBank};
use driftlead_stats::glr::{Before, Direction, GaussianFocus, cusum_delay, shewhart_delay};
use driftlead_stats::rng::Stream;

const ARL: f64 = 1e4;
const SHIFTS: [f64; 9] = [0.1, 0.2, 0.25, 0.3, 0.5, 1.0, 2.0, 3.0, 4.0];

/// A statistic that is updated with one observation.
type Statistic = Box<dyn FnMut(f64) -> f64>;

struct Arm {
    name: &'static str,
    start: fn() -> Statistic,
    /// `None`: calibrated by simulation to the run length.
    threshold: Option<f64>,
}

fn shiryaev_roberts(smallest: f64, largest: f64, count: usize) -> Statistic {
    let grid = Alternatives::geometric_normal(smallest, largest, count).expect("grid");
    let mut bank = GaussianBank::new(grid, 1);
    Box::new(move |x| bank.update(&[x]).expect("finite")[0])
}

fn focus() -> Statistic {
    let mut focus = GaussianFocus::new(Before::Known(0.0), Direction::Up).expect("mean");
    Box::new(move |x| focus.update(x).expect("finite"))
}

fn ewma() -> Statistic {
    let mut z = 0.0;
    Box::new(move |x| {
        z += 0.05 * (x - z);
        z / (0.05f64 / 1.95).sqrt()
    })
}

/// Run length of one stream under `shift`, cut at `limit`.
fn run_length(
    start: fn() -> Statistic,
    threshold: f64,
    shift: f64,
    limit: u32,
    luck: &mut Stream,
) -> f64 {
    let mut statistic = start();
    for t in 1..=limit {
        if statistic(luck.normal() + shift) >= threshold {
            return f64::from(t);
        }
    }
    f64::from(limit)
}

fn mean_run_length(arm: &Arm, threshold: f64, shift: f64, runs: u64, seed: u64) -> f64 {
    let purpose = 10 + (shift * 100.0) as u16;
    let total: f64 = (0..runs)
        .map(|run| {
            run_length(
                arm.start,
                threshold,
                shift,
                400_000,
                &mut Stream::new(seed, run, 0, purpose),
            )
        })
        .sum();
    total / runs as f64
}

fn calibrate(arm: &Arm, runs: u64, seed: u64) -> f64 {
    let (mut low, mut high) = (1.0, 30.0);
    for _ in 0..12 {
        let mid = 0.5 * (low + high);
        if mean_run_length(arm, mid, 0.0, runs, seed) < ARL {
            low = mid
        } else {
            high = mid
        }
    }
    0.5 * (low + high)
}

pub(crate) fn run(options: &Options) {
    let (null_runs, runs) = if options.quick {
        (60, 200)
    } else {
        (400, 2000)
    };
    println!("\n## Delay over the exact optimal CUSUM, N(0,1) to N(delta,1), ARL 10,000\n");
    println!(
        "{runs} runs per cell from a fresh start; delay (ratio). \"Guaranteed\": threshold 10,000 by theory; \"calibrated\": by {null_runs} simulated null runs.\n"
    );
    let arms = [
        Arm {
            name: "e-SR .1-2 K=6, guaranteed",
            start: || shiryaev_roberts(0.1, 2.0, 6),
            threshold: Some(ARL),
        },
        Arm {
            name: "e-SR .1-4 K=8, guaranteed",
            start: || shiryaev_roberts(0.1, 4.0, 8),
            threshold: Some(ARL),
        },
        Arm {
            name: "FOCuS, calibrated",
            start: focus,
            threshold: None,
        },
        Arm {
            name: "EWMA .05, calibrated",
            start: ewma,
            threshold: None,
        },
    ];
    let thresholds: Vec<f64> = arms
        .iter()
        .map(|arm| {
            arm.threshold
                .unwrap_or_else(|| calibrate(arm, null_runs, options.seed))
        })
        .collect();
    println!(
        "| delta | optimal CUSUM (exact) | per-conversation threshold (exact) | {} |",
        arms.each_ref().map(|a| a.name).join(" | ")
    );
    println!("|---|---|---|{}", "---|".repeat(arms.len()));
    let lengths: Vec<String> = arms
        .iter()
        .zip(&thresholds)
        .map(|(arm, &h)| {
            format!(
                "{:.0} at {h:.3}",
                mean_run_length(arm, h, 0.0, null_runs, options.seed + 1)
            )
        })
        .collect();
    println!(
        "| 0 (measured ARL) | 10000 | 10000 | {} |",
        lengths.join(" | ")
    );
    for delta in SHIFTS {
        let optimal = cusum_delay(delta, ARL).expect("delta");
        let threshold = shewhart_delay(delta, ARL).expect("delta");
        let cells: Vec<String> = arms
            .iter()
            .zip(&thresholds)
            .map(|(arm, &h)| {
                let delay = mean_run_length(arm, h, delta, runs, options.seed);
                format!("{delay:.1} ({:.2})", delay / optimal)
            })
            .collect();
        println!(
            "| {delta} | {optimal:.1} | {threshold:.1} ({:.1}) | {} |",
            threshold / optimal,
            cells.join(" | ")
        );
    }
}
