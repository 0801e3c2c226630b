//! How often the interval of one unchanged series misses zero, over its declared level.
//!
//! `cargo run --release -p driftlead-stats --example interval_error [SERIES]` (default 20,000 per cell).
//! The prior of `Settings::default` and the factor in `calibrated` were chosen so that no cell up to
//! φ 0.7 is above 1 by more than its Monte-Carlo error.

#![allow(clippy::print_stdout)]

use driftlead_stats::rng::Stream;
use driftlead_stats::series::{Noise, SeriesError, Settings, fit, hinge, simulate};

const LEVELS: [f64; 3] = [0.05, 0.01, 0.004];

fn main() -> Result<(), SeriesError> {
    let series = std::env::args()
        .nth(1)
        .and_then(|a| a.parse().ok())
        .unwrap_or(20_000);
    println!(
        "Share of {series} unchanged series whose interval misses zero, over its level; seed 9."
    );
    println!("weeks  phi  persistent   level 0.05   0.01  0.004");
    for weeks in [12, 16, 20, 26, 39, 52, 104] {
        for (phi, persistent_share) in [
            (0.0, 1.0),
            (0.3, 1.0),
            (0.5, 1.0),
            (0.7, 1.0),
            (0.7, 0.5),
            (0.9, 0.3),
            (0.9, 1.0),
        ] {
            let noise = Noise {
                phi,
                persistent_share,
            };
            let missed = missed(weeks, noise, series)?;
            let ratios = LEVELS.iter().zip(missed);
            let row: Vec<String> = ratios
                .map(|(level, n)| format!("{:6.2}", n as f64 / series as f64 / level))
                .collect();
            println!(
                "{weeks:>5}  {phi:>3}  {persistent_share:>10}       {}",
                row.join(" ")
            );
        }
    }
    Ok(())
}

fn missed(weeks: i32, noise: Noise, series: u64) -> Result<[u64; 3], SeriesError> {
    let settings = Settings::default();
    let times: Vec<i32> = (0..weeks).collect();
    let ones = vec![1.0; times.len()];
    let baseline = (weeks / 4).clamp(3, 12);
    let columns = [ones.clone(), hinge(&times, baseline)];
    let mut missed = [0; 3];
    for index in 0..series {
        let mut random = Stream::new(9, index, weeks as u32, (noise.phi * 100.0) as u16);
        let values = simulate(noise, &times, &ones, &mut random);
        let fit = fit(&times, &values, &ones, &columns, 1, &settings)?;
        for (count, level) in missed.iter_mut().zip(LEVELS) {
            let (low, high) = fit.interval(level);
            *count += u64::from(low > 0.0 || high < 0.0);
        }
    }
    Ok(missed)
}
