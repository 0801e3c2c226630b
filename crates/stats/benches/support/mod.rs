//! CPU time, and the exchange with the scripts in `peers/`: with `--write FOLDER` a benchmark leaves its data
//! and its results there.
#![allow(
    dead_code,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::redundant_pub_crate
)]

use serde_json::{Map, Value, json};
use std::path::PathBuf;
use std::time::Instant;

/// CPU time of this thread so far in s, where the system tells (Linux); else the time on the wall.
///
/// The first number of `schedstat` is the time on a processor in ns: a busy machine does not
/// lengthen it as it lengthens the time on the wall.
fn clock(start: Instant) -> f64 {
    let cpu = || -> Option<f64> {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        text.split_whitespace().next()?.parse().ok()
    };
    cpu().map_or_else(|| start.elapsed().as_secs_f64(), |ns| ns / 1e9)
}

/// The system counts CPU time in ticks of a few ms: work is repeated until this much has passed.
const LEAST_SECONDS: f64 = 0.1;

/// Best and median CPU time in s of one call of `work`, of seven timings; of three when a call takes long.
pub(crate) fn cpu_seconds(mut work: impl FnMut()) -> (f64, f64) {
    let origin = Instant::now();
    let mut time = |calls: u32| {
        let from = clock(origin);
        (0..calls).for_each(|_| work());
        clock(origin) - from
    };
    let mut calls = 1;
    while time(calls) < LEAST_SECONDS && calls < 1 << 24 {
        calls *= 2;
    }
    let timings = if calls == 1 { 3 } else { 7 };
    let mut times: Vec<f64> = (0..timings)
        .map(|_| time(calls) / f64::from(calls))
        .collect();
    times.sort_by(f64::total_cmp);
    (times[0], times[times.len() / 2])
}

/// What a benchmark hands to its script.
pub(crate) struct Exchange {
    folder: Option<PathBuf>,
    /// Seconds of what nothing on these data can be faster than.
    bound: Option<f64>,
    results: Map<String, Value>,
}

impl Exchange {
    /// Reads `--write FOLDER` from the command line.
    pub(crate) fn from_arguments() -> Self {
        let mut arguments = std::env::args().skip_while(|a| a != "--write").skip(1);
        Self {
            folder: arguments.next().map(PathBuf::from),
            bound: None,
            results: Map::new(),
        }
    }

    /// Hands over a column of data, as little-endian 64-bit floats.
    pub(crate) fn column(&self, name: &str, values: impl IntoIterator<Item = f64>) {
        if let Some(folder) = &self.folder {
            let bytes: Vec<u8> = values.into_iter().flat_map(f64::to_le_bytes).collect();
            std::fs::write(folder.join(name).with_extension("f64"), bytes).expect("a data file");
        }
    }

    /// Times what the following reports are compared with, and prints it.
    pub(crate) fn bound(&mut self, name: &str, work: impl FnMut()) {
        let (best, _) = cpu_seconds(work);
        println!(
            "{name:<58} best {:>10.3} ms CPU: the bound below",
            best * 1e3
        );
        self.bound = Some(best);
    }

    /// Times `work` and prints it against its `bar` in s; hands over the time and `result`.
    pub(crate) fn report(
        &mut self,
        name: &str,
        bar: Option<f64>,
        result: Value,
        work: impl FnMut(),
    ) {
        let (best, median) = cpu_seconds(work);
        let bar = bar.map_or(String::new(), |bar| {
            let verdict = if best < bar { "met" } else { "missed" };
            format!(
                "   bar < {} ms: {verdict}, {:.1} times below",
                bar * 1e3,
                bar / best
            )
        });
        let bound = self.bound.map_or(String::new(), |bound| {
            format!("   {:.1} times the bound", best / bound)
        });
        println!(
            "{name:<58} best {:>10.3} ms CPU, median {:>10.3}{bar}{bound}",
            best * 1e3,
            median * 1e3
        );
        let entry = json!({ "seconds": best, "result": result });
        self.results.insert(name.to_owned(), entry);
    }

    /// Writes what was handed over.
    pub(crate) fn finish(self) {
        if let Some(folder) = self.folder {
            let text = Value::Object(self.results).to_string();
            std::fs::write(folder.join("results.json"), text).expect("the results");
        }
    }
}
