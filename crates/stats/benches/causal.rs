//! CPU time of WCLS and of a mixed model: `cargo bench -p driftlead-stats --bench causal`.
//! `peers/causal.py` compares with statsmodels on the same data.
#![allow(clippy::expect_used, missing_docs)]

mod support;

use driftlead_stats::causal::{Correction, Trial, wcls};
use driftlead_stats::mixed::{Grouped, mixed_reml};
use driftlead_stats::rng::Stream;
use serde_json::json;
use std::hint::black_box;
use support::Exchange;

type Columns<'a> = &'a [&'a [f64]];

const PEOPLE: u32 = 1_000;
/// Decisions of all people together.
const ROWS: usize = 200_000;

/// Goal for WCLS on these rows, in s.
const BAR: f64 = 0.020;

fn main() {
    let mut exchange = Exchange::from_arguments();
    let mut luck = Stream::new(1, 0, 0, 2);
    let person: Vec<u32> = (0..ROWS as u32)
        .map(|i| i / (ROWS as u32 / PEOPLE))
        .collect();
    let own: Vec<f64> = (0..PEOPLE).map(|_| luck.normal()).collect();
    let slope: Vec<f64> = (0..PEOPLE).map(|_| 0.5 + 0.3 * luck.normal()).collect();
    let available: Vec<bool> = (0..ROWS).map(|_| luck.uniform() < 0.8).collect();
    let probability: Vec<f64> = (0..ROWS).map(|_| 0.2 + 0.4 * luck.uniform()).collect();
    let treated: Vec<bool> = probability.iter().map(|&p| luck.uniform() < p).collect();
    let control: Vec<f64> = (0..ROWS).map(|_| luck.normal()).collect();
    let modifier: Vec<f64> = (0..ROWS).map(|_| luck.uniform()).collect();
    let outcome: Vec<f64> = (0..ROWS)
        .map(|i| {
            let effect = if treated[i] {
                0.1 + 0.1 * modifier[i]
            } else {
                0.0
            };
            let who = person[i] as usize;
            effect + slope[who] * control[i] + own[who] + luck.normal()
        })
        .collect();
    let marginal: [&[f64]; 1] = [&control];
    let both: [&[f64]; 2] = [&control, &modifier];
    let moderators: [&[f64]; 1] = [&modifier];
    let all = vec![true; ROWS];
    let number = |b: &bool| f64::from(u8::from(*b));
    exchange.column("person", person.iter().map(|&p| f64::from(p)));
    exchange.column("available", available.iter().map(number));
    exchange.column("treated", treated.iter().map(number));
    for (name, column) in [
        ("probability", &probability),
        ("control", &control),
        ("modifier", &modifier),
        ("outcome", &outcome),
    ] {
        exchange.column(name, column.iter().copied());
    }
    exchange.bound("reading every column once", || {
        let mut sum = 0.0;
        for column in [&probability, &control, &modifier, &outcome] {
            sum += black_box(column).iter().sum::<f64>();
        }
        let flags = available.iter().zip(&treated).zip(&person);
        for ((&a, &t), &p) in black_box(flags) {
            sum += f64::from(u32::from(a & t) ^ p);
        }
        black_box(sum);
    });
    use Correction::{Always, Never};
    let cases: [(&str, &[bool], Columns<'_>, Columns<'_>, Correction); 4] = [
        (
            "WCLS, 80 % available, 3 columns",
            &available,
            &marginal,
            &[],
            Always,
        ),
        ("WCLS, 3 columns", &all, &marginal, &[], Always),
        ("WCLS, 5 columns", &all, &both, &moderators, Always),
        (
            "WCLS, 5 columns, no small-sample correction",
            &all,
            &both,
            &moderators,
            Never,
        ),
    ];
    for (name, available, controls, moderators, correction) in cases {
        let trial = Trial {
            person: &person,
            available,
            treated: &treated,
            probability: &probability,
            outcome: &outcome,
            controls,
            moderators,
        };
        let fit = || wcls(black_box(&trial), 0.4, correction).expect("fit");
        let found = fit();
        let result = json!({ "coefficients": found.coefficients, "covariance": found.covariance });
        exchange.report(name, Some(BAR), result, || {
            black_box(fit());
        });
    }
    let slopes: [(&str, Columns<'_>); 2] = [
        ("REML, 1,000 people, random intercept", &[]),
        ("REML, 1,000 people, random slope", &marginal),
    ];
    for (name, slopes) in slopes {
        let data = Grouped {
            group: &person,
            outcome: &outcome,
            fixed: &marginal,
            slopes,
        };
        let fit = || mixed_reml(black_box(&data)).expect("fit");
        let found = fit();
        let result = json!({
            "coefficients": found.coefficients,
            "covariance": found.covariance,
            "random_covariance": found.random_covariance,
            "residual_variance": found.residual_variance,
            "log_likelihood": found.log_likelihood,
        });
        exchange.report(name, None, result, || {
            black_box(fit());
        });
    }
    exchange.finish();
}
