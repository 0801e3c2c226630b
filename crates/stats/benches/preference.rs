//! Bradley-Terry fits of 200 items and 20,000 comparisons: `cargo bench -p driftlead-stats --bench preference`.
//! `peers/preference.py` compares with choix on the same comparisons.
#![allow(clippy::expect_used, missing_docs)]

mod support;

use driftlead_stats::preference::{
    BradleyTerry, Comparisons, Link, Prior, expectation_propagation, iterated_spectral,
    luce_spectral, minorise_maximise,
};
use driftlead_stats::rng::Stream;
use driftlead_stats::special::expit;
use serde_json::json;
use std::hint::black_box;
use support::Exchange;

const ITEMS: u32 = 200;

fn main() {
    let mut exchange = Exchange::from_arguments();
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
    let both = |&(a, b): &(usize, usize)| [a as f64, b as f64];
    exchange.column("comparisons", outcomes.iter().flat_map(both));
    let count = || Comparisons::new(ITEMS as usize, black_box(&outcomes)).expect("data");
    // (name, fit); every fit counts the comparisons anew.
    type Fit<'a> = Box<dyn Fn() -> Vec<f64> + 'a>;
    let fits: [(&str, Fit<'_>); 5] = [
        (
            "Luce spectral ranking",
            Box::new(|| luce_spectral(&count(), 0.01).expect("fit")),
        ),
        (
            "Luce spectral ranking, iterated",
            Box::new(|| iterated_spectral(&count(), 0.01).expect("fit")),
        ),
        (
            "minorise-maximise",
            Box::new(|| minorise_maximise(&count(), 0.01).expect("fit")),
        ),
        (
            "penalised maximum",
            Box::new(|| {
                let fit = BradleyTerry::fit(&count(), Prior::Normal(0.02)).expect("fit");
                fit.strengths
            }),
        ),
        (
            "expectation propagation",
            Box::new(|| {
                let fit = expectation_propagation(&count(), 0.1, Link::Probit).expect("fit");
                fit.mean
            }),
        ),
    ];
    for (name, fit) in fits {
        exchange.report(name, None, json!(fit()), || {
            black_box(fit());
        });
    }
    exchange.finish();
}
