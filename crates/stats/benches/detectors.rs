//! Published detectors, one observation at a time: `cargo bench -p driftlead-stats --bench detectors`.
//! `peers/detectors.py` compares with other implementations on the same data.
#![allow(clippy::expect_used, missing_docs)]

mod support;

use driftlead_stats::glr::{Before, Direction, GaussianFocus};
use driftlead_stats::peers::{
    Adwin, AdwinSettings, Ddm, Detector, Eddm, HddmA, HddmW, Kswin, PageHinkley,
    PageHinkleySettings,
};
use driftlead_stats::rng::Stream;
use serde_json::json;
use std::hint::black_box;
use support::Exchange;

const OBSERVATIONS: usize = 100_000;
/// Tests of distribution are slow elsewhere.
const FEW: usize = 10_000;
/// The level changes after so many observations.
const REGIME: usize = 2_500;

fn main() {
    let mut exchange = Exchange::from_arguments();
    let mut luck = Stream::new(1, 0, 0, 3);
    let high = |t: usize| (t / REGIME) % 2 == 1;
    let normal: Vec<f64> = (0..OBSERVATIONS)
        .map(|t| luck.normal() + if high(t) { 0.5 } else { 0.0 })
        .collect();
    let binary: Vec<f64> = (0..OBSERVATIONS)
        .map(|t| {
            let p = if high(t) { 0.3 } else { 0.15 };
            f64::from(u8::from(luck.uniform() < p))
        })
        .collect();
    exchange.column("normal", normal.iter().copied());
    exchange.column("binary", binary.iter().copied());
    let adwin = |clock| {
        let settings = AdwinSettings {
            clock,
            ..AdwinSettings::default()
        };
        move || Adwin::new(settings).expect("settings")
    };
    let every = &mut exchange;
    alarms(every, "ADWIN", &normal, adwin(32));
    alarms(every, "ADWIN, clock 1", &normal, adwin(1));
    alarms(every, "Page-Hinkley", &normal, || {
        PageHinkley::new(PageHinkleySettings::default()).expect("settings")
    });
    alarms(every, "KSWIN", &normal[..FEW], || {
        Kswin::new(0.005, 100, 30, 42).expect("settings")
    });
    alarms(every, "DDM", &binary, Ddm::default);
    alarms(every, "EDDM", &binary, Eddm::default);
    alarms(every, "HDDM_A", &binary, || {
        HddmA::new(0.001).expect("confidence")
    });
    alarms(every, "HDDM_W", &binary, || {
        HddmW::new(0.001, 0.05).expect("confidence")
    });
    let statistics = || -> Vec<f64> {
        let mut focus = GaussianFocus::new(Before::Unknown, Direction::Both).expect("focus");
        normal[..FEW]
            .iter()
            .map(|&x| focus.update(x).expect("x"))
            .collect()
    };
    exchange.column("focus", statistics());
    exchange.report("FOCuS", None, json!(null), || {
        black_box(statistics());
    });
    exchange.finish();
}

/// Times a detector over a stream; its result are the indices of its alarms.
fn alarms<D: Detector>(exchange: &mut Exchange, name: &str, xs: &[f64], start: impl Fn() -> D) {
    let run = || -> Vec<usize> {
        let mut detector = start();
        let mut found = Vec::new();
        for (t, &x) in xs.iter().enumerate() {
            if detector.update(x).expect("x") {
                found.push(t);
            }
        }
        found
    };
    exchange.report(name, None, json!(run()), || {
        black_box(run());
    });
}
