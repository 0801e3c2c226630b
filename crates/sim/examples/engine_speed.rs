//! Speed of the engine: million user-steps per CPU-second, by world and kernel, and its share of what
//! the machine could do at most.
//!
//! ```sh
//! cargo run --release -p driftlead-sim --example engine_speed
//! cargo run --release -p driftlead-sim --example engine_speed -- --limit
//! ```
//!
//! CPU time of the process (all threads together), smallest of several interleaved repetitions:
//! unlike wall time it means something on a busy machine. One JSON line per world and kernel, with the
//! statistics of the last step. Arguments: `--users N`, `--steps N`, `--reps N`, `--threads N`,
//! `--only WORLD`, `--kernel NAME` (or `best`), `--limit`. Linux only.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use driftlead_sim::engine::{Control, Kernel, Lambda, Run, Setting, Totals, Unit, operations};

struct Options {
    users: u64,
    steps: u32,
    reps: u32,
    threads: usize,
    only: String,
    kernel: String,
    limit: bool,
}

fn options() -> Result<Options, String> {
    let mut o = Options {
        users: 2_000_000,
        steps: 250,
        reps: 5,
        threads: 1,
        only: String::new(),
        kernel: String::new(),
        limit: false,
    };
    let mut args = std::env::args().skip(1);
    while let Some(flag) = args.next() {
        if flag == "--limit" {
            o.limit = true;
            continue;
        }
        let value = args.next().ok_or(format!("{flag} needs a value"))?;
        let number = || value.parse::<f64>().map_err(|e| format!("{flag}: {e}"));
        match flag.as_str() {
            "--users" => o.users = number()? as u64,
            "--steps" => o.steps = number()? as u32,
            "--reps" => o.reps = number()? as u32,
            "--threads" => o.threads = number()? as usize,
            "--only" => o.only = value,
            "--kernel" if value == "best" => o.kernel = Kernel::best().name().to_owned(),
            "--kernel" => o.kernel = value,
            _ => return Err(format!("{flag} is unknown")),
        }
    }
    if o.limit {
        o.kernel = Kernel::best().name().to_owned();
    }
    Ok(o)
}

/// CPU time of this process's threads, in seconds: the first field of Linux's `schedstat`, in
/// nanoseconds. The system brings it up to date every few milliseconds, so runs take at least some
/// tenths of a second. The threads live as long as the process.
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    let mut sum = 0.0;
    for task in std::fs::read_dir("/proc/self/task")? {
        let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
        let first = text.split_whitespace().next().unwrap_or_default();
        sum += first.parse::<f64>()? * 1e-9;
    }
    Ok(sum)
}

struct Case {
    name: &'static str,
    kernel: Kernel,
    run: Run,
    cpu: f64,
    wall: f64,
    totals: Option<Totals>,
}

impl Case {
    /// User-steps per CPU-second.
    fn speed(&self) -> f64 {
        self.run.people as f64 * f64::from(self.run.steps) / self.cpu.max(1e-9)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let o = options()?;
    rayon::ThreadPoolBuilder::new()
        .num_threads(o.threads)
        .build_global()?;
    let mut cases = cases(&o);
    let clock = if o.limit { clock_hz()? } else { 0.0 };
    for _ in 0..o.reps {
        for case in &mut cases {
            let control = Control {
                kernel: Some(case.kernel),
                ..Control::default()
            };
            let (start, before) = (Instant::now(), cpu_seconds()?);
            let end = case.run.go(&control)?;
            case.cpu = case.cpu.min(cpu_seconds()? - before);
            case.wall = case.wall.min(start.elapsed().as_secs_f64());
            case.totals = Some(end.totals);
        }
    }
    for case in &cases {
        match o.limit {
            true => print_limit(case, clock),
            false => print_speed(case, o.threads),
        }
    }
    Ok(())
}

fn cases(o: &Options) -> Vec<Case> {
    let mirror = Setting::Mirror {
        alpha: 0.08,
        lambda: Lambda::Grid,
    };
    let worlds = [("W4", Setting::Mirror4 { alpha: 0.08 }), ("W2", mirror)];
    let wanted = |filter: &str, name: &str| filter.is_empty() || filter == name;
    let mut cases = Vec::new();
    for kernel in Kernel::available() {
        for (name, setting) in worlds {
            if wanted(&o.only, name) && wanted(&o.kernel, kernel.name()) {
                // Enough people for the clock's resolution; the portable kernel gets fewer.
                let people = match kernel {
                    Kernel::Portable => (o.users / 50).max(16),
                    _ => o.users,
                };
                cases.push(Case {
                    name,
                    kernel,
                    run: Run {
                        setting,
                        people,
                        steps: o.steps,
                        seed: 1,
                    },
                    cpu: f64::INFINITY,
                    wall: f64::INFINITY,
                    totals: None,
                });
            }
        }
    }
    cases
}

fn print_speed(case: &Case, threads: usize) {
    let Some(totals) = &case.totals else { return };
    let last = case.run.steps as usize - 1;
    let list = |shares: &[f64]| {
        let words: Vec<String> = shares.iter().map(|p| format!("{p:.4}")).collect();
        format!("[{}]", words.join(", "))
    };
    println!(
        "{{\"engine\": \"driftlead-{}\", \"workload\": \"{}\", \"users\": {}, \"steps\": {}, \
         \"user_steps_per_cpu_second\": {:.1}, \"cpu_seconds\": {:.6}, \"wall_seconds\": {:.3}, \
         \"threads\": {threads}, \"last\": {{\"reaction\": {:.4}, \"states\": {}, \"shown\": {}}}}}",
        case.kernel.name(),
        case.name,
        case.run.people,
        case.run.steps,
        case.speed(),
        case.cpu,
        case.wall,
        totals.mean_reaction(last),
        list(&totals.states(last)[1..]),
        list(&totals.shown(last)[1..case.run.setting.contents()]),
    );
}

/// The core's clock, in Hz, from a chain of operations of which each waits for the last: an exclusive
/// or (one cycle) and a product (three cycles on every x86-64 and 64-bit Arm core of the last decade).
fn clock_hz() -> Result<f64, Box<dyn Error>> {
    const ROUNDS: u32 = 400_000_000;
    let before = cpu_seconds()?;
    let mut x = black_box(1u64);
    for _ in 0..ROUNDS {
        x = (x ^ 0x55).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    black_box(x);
    Ok(f64::from(ROUNDS) * 4.0 / (cpu_seconds()? - before))
}

/// 512-bit operations that a core can start per cycle, by unit: measured one unit at a time on the AMD
/// Zen 5 of docs/measured.md, rounded up to what its pipes could do. Quotients were not measured; they
/// share the unit of the roots.
const PER_CYCLE: [f64; Unit::ALL.len()] = [2.0, 2.0, 4.0, 2.0, 2.0, 2.0, 2.0, 1.0, 0.22];
/// Vector operations of all units together.
const TOGETHER: f64 = 4.0;

fn print_limit(case: &Case, clock: f64) {
    let counts = operations(&case.run.setting);
    let all: f64 = counts.iter().sum();
    let taken = clock * 16.0 / case.speed();
    let million = |cycles: f64| clock * 16.0 / cycles / 1e6;
    println!(
        "{}, {}, {:.2} GHz, per step of 16 people",
        case.name,
        case.kernel.name(),
        clock / 1e9
    );
    println!("  {:<10} {:>10} {:>8}", "unit", "operations", "cycles");
    let mut least = all / TOGETHER;
    for (i, unit) in Unit::ALL.iter().enumerate() {
        let cycles = counts[i] / PER_CYCLE[i];
        least = least.max(cycles);
        println!(
            "  {:<10} {:>10.1} {cycles:>8.1}",
            format!("{unit:?}"),
            counts[i]
        );
    }
    println!("  {:<10} {all:>10.1} {:>8.1}", "all", all / TOGETHER);
    println!(
        "  least {least:.1} cycles: {:.0} million user-steps per second",
        million(least)
    );
    println!(
        "  taken {taken:.1} cycles: {:.0} million user-steps per CPU-second",
        million(taken)
    );
    println!(
        "  share of the limit {:.0} %; {:.1} vector operations per cycle",
        100.0 * least / taken,
        all / taken
    );
}
