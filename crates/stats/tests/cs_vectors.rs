//! Confidence sequences against the reference implementation.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod support;

use driftlead_stats::boundary::{GammaExponential, Mixture};
use driftlead_stats::cs::*;
use serde_json::Value;
use support::{close, indices, number, numbers, vectors};

/// Compares the values of `ours` at the stored positions.
fn compare(ours: &[f64], idx: &[usize], stored: &Value, what: &str) {
    for (&i, stored) in idx.iter().zip(numbers(stored)) {
        close(ours[i], stored, 1e-9, &format!("{what} index {i}"));
    }
}

fn each_stream(mut f: impl FnMut(&str, &Value, &[f64], &[usize])) {
    let file = vectors("confseq_betting");
    for (name, stream) in file["streams"].as_object().unwrap() {
        f(
            name,
            stream,
            &numbers(&stream["x"]),
            &indices(&stream["idx"]),
        );
    }
}

/// The bet before each observation.
fn bets(xs: &[f64], bet: impl Fn(&Bets) -> f64) -> Vec<f64> {
    let mut state = Bets::default();
    xs.iter()
        .map(|&x| {
            let value = bet(&state);
            state.update(x).unwrap();
            value
        })
        .collect()
}

#[test]
fn predictable_bets() {
    each_stream(|name, stream, xs, idx| {
        for (key, alpha) in [
            ("lambda_predmix_eb_a05", 0.05),
            ("lambda_predmix_eb_a025", 0.025),
        ] {
            compare(
                &bets(xs, |b| b.empirical_bernstein(alpha)),
                idx,
                &stream[key],
                name,
            );
        }
        for m in [0.1, 0.2, 0.3, 0.5, 0.7] {
            let kelly = bets(xs, |b| b.approximate_kelly(m));
            compare(
                &kelly,
                idx,
                &stream[format!("lambda_aKelly_m{m}")],
                &format!("{name} aKelly {m}"),
            );
            let lbow = bets(xs, |b| b.lower_bound_on_wealth(m));
            let key = format!("lambda_LBOW_m{m}");
            for (&i, stored) in idx.iter().zip(stream[&key].as_array().unwrap()) {
                match stored.as_f64() {
                    Some(stored) => close(lbow[i], stored, 1e-9, &format!("{name} {key} {i}")),
                    None => {
                        assert_eq!((name, m), ("constant_half_n100", 0.5));
                        assert_eq!(lbow[i], 0.0);
                    }
                }
            }
        }
    });
}

#[test]
fn martingales() {
    let (mut compared, mut ruined) = (0, 0);
    each_stream(|name, stream, xs, idx| {
        for case in stream["marts"].as_array().unwrap() {
            let f = |key: &str| number(&case[key]);
            let joint = if case["convex_comb"].as_bool().unwrap() {
                Combination::Sum
            } else {
                Combination::Max
            };
            let (m, theta, trunc) = (f("m"), f("theta"), f("trunc_scale"));
            let mut capital = BettingMartingale::new(m, 0.05, theta, trunc, joint).unwrap();
            let ours: Vec<f64> = xs.iter().map(|&x| capital.update(x).unwrap()).collect();
            for (&i, stored) in idx.iter().zip(case["log_value"].as_array().unwrap()) {
                match stored.as_f64() {
                    Some(stored) => close(ours[i], stored, 1e-9, &format!("{name} {case} {i}")),
                    None => {
                        assert_eq!(
                            ours[i],
                            f64::NEG_INFINITY,
                            "{name} m {m} theta {theta} {trunc} {i}"
                        );
                        ruined += 1;
                    }
                }
                compared += 1;
            }
        }
    });
    println!("{compared} values, {ruined} with capital 0");
    assert_eq!(ruined, 626);
}

#[test]
fn sequences() {
    each_stream(|name, stream, xs, idx| {
        let mut hedged = BettingSequence::hedged(0.05, 1000).unwrap();
        let mut kelly = BettingSequence::diversified(0.05, 200, 10).unwrap();
        let mut hoeffding = PredMixHoeffding::new(0.05).unwrap();
        let mut bernstein = PredMixBernstein::new(0.05, 0.5).unwrap();
        let mut conjugate = ConjugateHoeffding::new(0.05, 100.0).unwrap();
        // The reference halves alpha twice: alpha/4 per side there is alpha/2 per side here.
        let mut conjugate_bernstein = ConjugateBernstein::new(0.025, 25.0).unwrap();
        let mut intervals: [Vec<Interval>; 6] = Default::default();
        for &x in xs {
            hoeffding.update(x).unwrap();
            bernstein.update(x).unwrap();
            conjugate.update(x).unwrap();
            conjugate_bernstein.update(x).unwrap();
            let row = [
                hedged.update(x).unwrap(),
                kelly.update(x).unwrap(),
                hoeffding.interval(),
                bernstein.interval(),
                conjugate.interval().unwrap(),
                conjugate_bernstein.interval().unwrap(),
            ];
            intervals
                .iter_mut()
                .zip(row)
                .for_each(|(list, i)| list.push(i));
        }
        let keys = [
            "hedged_cs_breaks1000_a05_ri",
            "dKelly_D10_breaks200_a05",
            "predmix_hoeffding_a05",
            "predmix_empbern_twosided_a05_trunc0.5",
            "conjmix_hoeffding_topt100_a05",
            "conjmix_empbern_vopt25_a05",
        ];
        for (key, list) in keys.iter().zip(&intervals) {
            let stored = &stream["cs"][key];
            if stored.get("error").is_some() {
                assert_eq!(
                    (name, *key),
                    ("constant_half_n100", "conjmix_empbern_vopt25_a05")
                );
                assert!(list.iter().all(|i| i.contains(0.5)));
                continue;
            }
            let low: Vec<f64> = list.iter().map(|i| i.low).collect();
            let high: Vec<f64> = list.iter().map(|i| i.high).collect();
            compare(&low, idx, &stored["l"], &format!("{name} {key} low"));
            compare(&high, idx, &stored["u"], &format!("{name} {key} high"));
        }
    });
}

#[test]
fn without_replacement() {
    let file = vectors("confseq_wor");
    let size = file["N"].as_u64().unwrap() as usize;
    let steps = file["breaks"].as_u64().unwrap() as usize;
    let mut sequence = BettingSequence::without_replacement(0.05, steps, size).unwrap();
    let mut capital = BettingMartingale::without_replacement(
        number(&file["m"]),
        0.05,
        0.5,
        0.5,
        Combination::Max,
        size,
    )
    .unwrap();
    let (low, high, mart) = (
        numbers(&file["hedged_l"]),
        numbers(&file["hedged_u"]),
        numbers(&file["log_mart"]),
    );
    for (t, x) in numbers(&file["x"]).into_iter().enumerate() {
        let interval = sequence.update(x).unwrap();
        close(interval.low, low[t], 1e-9, &format!("low {t}"));
        close(interval.high, high[t], 1e-9, &format!("high {t}"));
        close(
            capital.update(x).unwrap(),
            mart[t],
            1e-9,
            &format!("capital {t}"),
        );
    }
}

#[test]
fn effects() {
    let file = vectors("evalues_causal_misc");
    let stored = &file["anytime_causal"];
    let (a, y) = (numbers(&stored["A"]), numbers(&stored["y"]));
    let (p, alpha) = (number(&stored["p"]), number(&stored["alpha"]));
    let rho = number(&stored["rho"]);
    let mut asymptotic = AsymptoticSequence::with_rho(alpha, rho).unwrap();
    let mut design = DesignSequence::new(alpha, rho).unwrap();
    let mut sum = 0.0;
    for t in 0..a.len() {
        let m = if t == 0 { 0.5 } else { sum / t as f64 };
        asymptotic
            .update((a[t] - p) / (p * (1.0 - p)) * (y[t] - m))
            .unwrap();
        design.update(a[t] > 0.5, p, y[t]).unwrap();
        sum += y[t];
        for row in stored["rows"].as_array().unwrap() {
            if row["t"].as_u64().unwrap() as usize == t + 1 {
                let (i, d) = (asymptotic.interval(), design.interval());
                close(0.5 * (i.low + i.high), number(&row["mean"]), 1e-9, "mean");
                close(
                    asymptotic.half_width(),
                    number(&row["asympcs_half"]),
                    1e-9,
                    "asymptotic",
                );
                close(
                    0.5 * (d.low + d.high),
                    number(&row["ipw_mean"]),
                    1e-9,
                    "ipw",
                );
                let eb = GammaExponential::new(20.0, 0.025, 2.0).unwrap();
                let half = eb.bound(number(&row["V"]), 0.025).unwrap() / (t + 1) as f64;
                close(half, number(&row["eb_half"]), 1e-9, "empirical Bernstein");
                close(
                    design.half_width(),
                    number(&row["design_half"]),
                    1e-9,
                    "design",
                );
            }
        }
    }
}
