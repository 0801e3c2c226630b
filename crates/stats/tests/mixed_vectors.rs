//! Mixed models and empirical Bayes against other programs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod support;

use driftlead_stats::mixed::*;
use serde_json::Value;
use support::{close, number, numbers, vectors};

fn groups(value: &Value) -> Vec<u32> {
    numbers(value).iter().map(|&g| g as u32).collect()
}

/// Nested or flat lists as one flat list.
fn flat(value: &Value) -> Vec<f64> {
    match value.as_array() {
        Some(list) => list.iter().flat_map(flat).collect(),
        None => vec![number(value)],
    }
}

#[track_caller]
fn close_all(ours: &[f64], stored: &[f64], tolerance: f64, what: &str) {
    assert_eq!(ours.len(), stored.len(), "{what}");
    for (o, s) in ours.iter().zip(stored) {
        close(*o, *s, tolerance, what);
    }
}

/// The other program stops early: our likelihood may be higher, and the components differ a little.
#[test]
fn restricted_maximum_likelihood() {
    let file = vectors("mixed_effects_eb");
    let group = groups(&file["g"]);
    let (t, y) = (numbers(&file["t"]), numbers(&file["y"]));
    for (key, slopes, components, tolerance) in [
        ("ri", &[][..], "var_re", 5e-5),
        ("rs", &[t.as_slice()][..], "cov_re", 2e-5),
    ] {
        let stored = &file[key];
        let fit = mixed_reml(&Grouped {
            group: &group,
            outcome: &y,
            fixed: &[&t],
            slopes,
        })
        .unwrap();
        close_all(&fit.coefficients, &numbers(&stored["fe"]), 1e-9, key);
        close_all(
            &fit.random_covariance,
            &flat(&stored[components]),
            tolerance,
            key,
        );
        close(fit.residual_variance, number(&stored["scale"]), 1e-5, key);
        close_all(&fit.predictions, &flat(&stored["blup"]), 2e-5, key);
        let theirs = number(&stored["llf"]);
        close(fit.log_likelihood, theirs, 1e-7, key);
        assert!(
            fit.log_likelihood >= theirs - 1e-9,
            "{key}: a lower likelihood"
        );
    }
}

/// Against nlme: random intercept of the trials' people, outcome on x, mod and A.
#[test]
fn random_intercepts_of_trials() {
    let file = vectors("mrt_wcls");
    for set in file["sets"].as_array().unwrap() {
        let stored = &set["nlme_lme_reml_y~x+mod+A+(1|userid)"];
        let group = groups(&set["userid"]);
        let [x, modifier, a, y] = ["x", "mod", "A", "y"].map(|key| numbers(&set[key]));
        let fit = mixed_reml(&Grouped {
            group: &group,
            outcome: &y,
            fixed: &[&x, &modifier, &a],
            slopes: &[],
        })
        .unwrap();
        close_all(&fit.coefficients, &numbers(&stored["fixef"]), 1e-9, "fixef");
        close(
            fit.log_likelihood,
            number(&stored["logLik"][0]),
            1e-9,
            "logLik",
        );
        close(
            fit.random_covariance[0].sqrt(),
            number(&stored["sd_re"][0]),
            1e-7,
            "sd",
        );
        close(
            fit.residual_variance.sqrt(),
            number(&stored["sd_resid"][0]),
            1e-7,
            "sd",
        );
        close_all(
            &fit.predictions[..5],
            &numbers(&stored["blup_first5"]),
            1e-7,
            "blup",
        );
    }
}

#[test]
fn beta_binomial_population() {
    let stored = &vectors("mixed_effects_eb")["beta_binomial"];
    let trials = stored["n"].as_u64().unwrap();
    let people: Vec<(u64, u64)> = numbers(&stored["k"])
        .iter()
        .map(|&k| (k as u64, trials))
        .collect();
    let fit = BetaPopulation::fit(&people).unwrap();
    close(fit.a, number(&stored["mle_a"]), 1e-6, "a");
    close(fit.b, number(&stored["mle_b"]), 1e-6, "b");
    for (&(k, n), mean) in people.iter().zip(numbers(&stored["post_mean_first10"])) {
        close(
            fit.posterior_mean(k, n).unwrap(),
            mean,
            1e-8,
            "posterior mean",
        );
    }
}

#[test]
fn james_stein_estimates() {
    let stored = &vectors("mixed_effects_eb")["james_stein_positive_part"];
    let ours = james_stein(&numbers(&stored["x"]), number(&stored["sigma2"])).unwrap();
    close_all(&ours, &numbers(&stored["est"]), 1e-12, "James-Stein");
}
