//! Bradley-Terry fits of 200 items and 20,000 comparisons: `cargo bench -p driftlead-stats --bench preference`.
//! With `--write FILE` the comparisons go to a JSON file, which `peers/choix.py` reads.
#![allow(clippy::expect_used, clippy::print_stdout, missing_docs)]

use driftlead_stats::preference::{
    BradleyTerry, Comparisons, Link, Prior, expectation_propagation, iterated_spectral,
    luce_spectral, minorise_maximise,
};
use driftlead_stats::rng::Stream;
use driftlead_stats::special::expit;
use std::hint::black_box;
use std::time::Instant;

const ITEMS: u32 = 200;

fn report(name: &str, mut work: impl FnMut()) {
    let best = (0..5)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64()
        })
        .fold(f64::INFINITY, f64::min);
    println!("preference {name} seconds {best:.6}");
}

fn main() {
    let mut luck = Stream::new(1, 0, 0, 1);
    let strength: Vec<f64> = (0..ITEMS).map(|_| luck.normal()).collect();
    let outcomes: Vec<(usize, usize)> = (0..20_000)
        .map(|_| {
            let a = luck.below(ITEMS) as usize;
            let b = (a + 1 + luck.below(ITEMS - 1) as usize) % ITEMS as usize;
            if luck.uniform() < expit(strength[a] - strength[b]) {
                (a, b)
            } else {
                (b, a)
            }
        })
        .collect();
    let mut arguments = std::env::args().skip_while(|a| a != "--write").skip(1);
    if let Some(path) = arguments.next() {
        let text = serde_json::to_string(&outcomes).expect("JSON");
        std::fs::write(path, text).expect("the file is written");
    }
    let count = || Comparisons::new(ITEMS as usize, black_box(&outcomes)).expect("data");
    report("newton", || {
        black_box(BradleyTerry::fit(&count(), Prior::Normal(0.02)).expect("fit"));
    });
    report("lsr", || {
        black_box(luce_spectral(&count(), 0.01).expect("fit"));
    });
    report("ilsr", || {
        black_box(iterated_spectral(&count(), 0.01).expect("fit"));
    });
    report("mm", || {
        black_box(minorise_maximise(&count(), 0.01).expect("fit"));
    });
    report("ep_probit", || {
        black_box(expectation_propagation(&count(), 0.1, Link::Probit).expect("fit"));
    });
}
