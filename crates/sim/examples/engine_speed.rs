//! Speed of the engine: million user-steps per CPU-second, by world and kernel.
//!
//! ```sh
//! cargo run --release -p driftlead-sim --example engine_speed
//! ```
//!
//! CPU time of the process (all threads together), smallest of several interleaved repetitions:
//! unlike wall time it means something on a busy machine. One JSON line per world and kernel.
//! Arguments: `--users N`, `--steps N`, `--reps N`, `--threads N`, `--only WORLD`, `--kernel NAME`.

#![allow(clippy::print_stdout)]

use std::time::Instant;

use driftlead_sim::engine::{Control, Kernel, Lambda, Run, Setting};

struct Options {
    users: u64,
    steps: u32,
    reps: u32,
    threads: usize,
    only: String,
    kernel: String,
}

fn options() -> Result<Options, String> {
    let mut o = Options {
        users: 400_000,
        steps: 250,
        reps: 5,
        threads: 1,
        only: String::new(),
        kernel: String::new(),
    };
    let mut args = std::env::args().skip(1);
    while let Some(flag) = args.next() {
        let value = args.next().ok_or(format!("{flag} needs a value"))?;
        let number = || value.parse::<f64>().map_err(|e| format!("{flag}: {e}"));
        match flag.as_str() {
            "--users" => o.users = number()? as u64,
            "--steps" => o.steps = number()? as u32,
            "--reps" => o.reps = number()? as u32,
            "--threads" => o.threads = number()? as usize,
            "--only" => o.only = value,
            "--kernel" => o.kernel = value,
            _ => return Err(format!("{flag} is unknown")),
        }
    }
    Ok(o)
}

/// User and system time of this process, in seconds.
fn cpu_seconds() -> Result<f64, Box<dyn std::error::Error>> {
    // Fields 14 and 15 of Linux's stat, counted after the name in brackets, in hundredths.
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let field = |i: usize| {
        fields
            .split_whitespace()
            .nth(i)
            .unwrap_or("0")
            .parse::<f64>()
    };
    Ok((field(11)? + field(12)?) / 100.0)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let o = options()?;
    rayon_threads(o.threads)?;
    let worlds = [
        ("W4", Setting::Mirror4 { alpha: 0.08 }),
        (
            "W2",
            Setting::Mirror {
                alpha: 0.08,
                lambda: Lambda::Grid,
            },
        ),
    ];
    let mut cases = Vec::new();
    for kernel in Kernel::available() {
        for (name, setting) in worlds {
            let wanted = |filter: &str, name: &str| filter.is_empty() || filter == name;
            if wanted(&o.only, name) && wanted(&o.kernel, kernel.name()) {
                cases.push((name, kernel, setting, f64::INFINITY, f64::INFINITY));
            }
        }
    }
    for _ in 0..o.reps {
        for (_, kernel, setting, cpu, wall) in &mut cases {
            let run = Run {
                setting: *setting,
                people: people(&o, *kernel),
                steps: o.steps,
                seed: 1,
            };
            let control = Control {
                kernel: Some(*kernel),
                ..Control::default()
            };
            let (start, before) = (Instant::now(), cpu_seconds()?);
            run.go(&control)?;
            *cpu = cpu.min(cpu_seconds()? - before);
            *wall = wall.min(start.elapsed().as_secs_f64());
        }
    }
    for (name, kernel, _, cpu, wall) in cases {
        let steps = people(&o, kernel) as f64 * f64::from(o.steps);
        println!(
            "{{\"engine\": \"driftlead-{}\", \"workload\": \"{name}\", \"users\": {}, \"steps\": {}, \
             \"user_steps_per_cpu_second\": {:.1}, \"wall_seconds\": {wall:.3}, \"threads\": {}}}",
            kernel.name(),
            people(&o, kernel),
            o.steps,
            steps / cpu.max(1e-9),
            o.threads
        );
    }
    Ok(())
}

/// Enough people for the clock's resolution; the portable kernel gets fewer.
fn people(o: &Options, kernel: Kernel) -> u64 {
    match kernel {
        Kernel::Portable => (o.users / 50).max(16),
        _ => o.users,
    }
}

fn rayon_threads(threads: usize) -> Result<(), rayon::ThreadPoolBuildError> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()
}
