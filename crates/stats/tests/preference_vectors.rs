//! Preference fits against stored results of other programs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod support;

use driftlead_stats::preference::*;
use support::{close, indices, number, numbers, vectors};

fn data() -> (Comparisons, serde_json::Value) {
    let file = vectors("choix_bradley_terry");
    let outcomes: Vec<(usize, usize)> = file["data_winner_loser"]
        .as_array()
        .unwrap()
        .iter()
        .map(indices)
        .map(|pair| (pair[0], pair[1]))
        .collect();
    (
        Comparisons::new(8, &outcomes).unwrap(),
        file["results"].clone(),
    )
}

#[track_caller]
fn all_close(ours: &[f64], stored: &serde_json::Value, tolerance: f64, what: &str) {
    let stored = numbers(stored);
    assert_eq!(ours.len(), stored.len(), "{what}");
    for (a, b) in ours.iter().zip(stored) {
        close(*a, b, tolerance, what);
    }
}

#[test]
fn bradley_terry_estimates() {
    let (data, stored) = data();
    for alpha in ["0.0", "0.01", "0.1"] {
        let a: f64 = alpha.parse().unwrap();
        let key = |name: &str| format!("{name}_alpha{alpha}");
        let check = |ours: Vec<f64>, name: &str, tolerance| {
            all_close(&ours, &stored[&key(name)], tolerance, &key(name));
        };
        check(luce_spectral(&data, a).unwrap(), "lsr_pairwise", 1e-12);
        check(iterated_spectral(&data, a).unwrap(), "ilsr_pairwise", 2e-8);
        check(minorise_maximise(&data, a).unwrap(), "mm_pairwise", 2e-7);
        // The stored penalty is alpha |theta|^2: a normal prior with precision 2 alpha.
        let prior = if a > 0.0 {
            Prior::Normal(2.0 * a)
        } else {
            Prior::Flat
        };
        let fit = BradleyTerry::fit(&data, prior).unwrap();
        check(fit.strengths.clone(), "opt_pairwise", 2e-8);
        if a > 0.0 {
            check(rank_centrality(&data, a).unwrap(), "rank_centrality", 1e-12);
        } else {
            check(fit.strengths, "ilsr_pairwise", 2e-8);
        }
    }
    let at = numbers(&stored["ilsr_pairwise_alpha0.01"]);
    close(
        BradleyTerry::ln_likelihood(&data, &at),
        number(&stored["log_likelihood_pairwise_at_ilsr_alpha0.01"]),
        1e-9,
        "log-likelihood",
    );
}

#[test]
fn posteriors() {
    let (data, stored) = data();
    // The stored logit fit replaces the logistic by a sum of five normal distribution functions.
    for (link, name) in [(Link::LogitMixture, "logit"), (Link::Probit, "probit")] {
        let ours = expectation_propagation(&data, 0.1, link).unwrap();
        all_close(
            &ours.mean,
            &stored[&format!("ep_{name}_alpha.1_mean")],
            1e-6,
            name,
        );
        for (row, line) in ours.covariance.chunks(8).zip(
            stored[&format!("ep_{name}_alpha.1_cov")]
                .as_array()
                .unwrap(),
        ) {
            all_close(row, line, 1e-6, name);
        }
    }
    let exact = expectation_propagation(&data, 0.1, Link::Logit).unwrap();
    all_close(
        &exact.mean,
        &stored["ep_logit_alpha.1_mean"],
        1e-3,
        "exact logistic",
    );
}

/// One comparison: the posterior of the difference is one-dimensional and the match is exact.
#[test]
fn exact_moments_of_one_comparison() {
    let data = Comparisons::new(2, &[(0, 1)]).unwrap();
    for (precision, link) in [(0.1, Link::Logit), (2.0, Link::Logit), (0.5, Link::Probit)] {
        let ours = expectation_propagation(&data, precision, link).unwrap();
        let variance = 2.0 / precision;
        let win = |d: f64| match link {
            Link::Probit => driftlead_stats::special::normal_cdf(d),
            _ => driftlead_stats::special::expit(d),
        };
        let (mut mass, mut first, mut second) = (0.0, 0.0, 0.0);
        for k in -40_000..=40_000 {
            let d = f64::from(k) * 0.001 * variance.sqrt() / 4.0;
            let weight = (-0.5 * d * d / variance).exp() * win(d);
            mass += weight;
            first += weight * d;
            second += weight * d * d;
        }
        let mean = first / mass;
        close(ours.mean[0] - ours.mean[1], mean, 1e-9, "mean");
        let c = &ours.covariance;
        close(
            c[0] + c[3] - c[1] - c[2],
            second / mass - mean * mean,
            1e-9,
            "variance",
        );
    }
}

#[test]
fn thurstonian() {
    let file = vectors("thurstonian_cais");
    let data: Vec<Judgement> = file["pairs"]
        .as_array()
        .unwrap()
        .iter()
        .map(indices)
        .zip(numbers(&file["prob_A"]))
        .map(|(pair, share)| Judgement {
            first: pair[0],
            second: pair[1],
            share,
            count: number(&file["K"]),
        })
        .collect();
    for name in [
        "fit_1000ep_lr001_seed0_f32",
        "fit_1000ep_seed1",
        "fit_20000ep_f64",
    ] {
        let fit = &file[name];
        let loss = Thurstonian::loss(&numbers(&fit["mu"]), &numbers(&fit["sigma2"]), &data);
        close(loss.unwrap(), number(&fit["loss"]), 1e-6, name);
    }
    let free = Thurstonian::fit(8, &data, SpreadPrior::Flat).unwrap();
    println!("loss {}", free.loss);
    assert!(free.loss <= 0.429_195_81, "{}", free.loss);
    assert!(free.mean_interval(0, 0.05).is_err());
    let prior = SpreadPrior::LogNormal {
        ln_variance: 0.0,
        sd: 1.0,
    };
    let held = Thurstonian::fit(8, &data, prior).unwrap();
    assert!(held.loss >= free.loss && held.loss < 0.44);
    for i in 0..8 {
        let (mean, variance) = (held.mean_interval(i, 0.05), held.variance_interval(i, 0.05));
        let (mean, variance) = (mean.unwrap(), variance.unwrap());
        assert!(
            mean.contains(held.means[i]) && mean.width() < 1.5,
            "{mean:?}"
        );
        assert!(variance.contains(held.variances[i]) && variance.low > 0.0);
    }
    assert!(held.mean_interval(8, 0.05).is_err());
}

#[test]
fn undefined_fits_are_errors() {
    let one_way = Comparisons::new(3, &[(0, 1), (1, 2)]).unwrap();
    assert!(BradleyTerry::fit(&one_way, Prior::Flat).is_err());
    assert!(luce_spectral(&one_way, 0.0).is_err() && rank_centrality(&one_way, 0.0).is_err());
    let fit = BradleyTerry::fit(&one_way, Prior::Normal(1.0)).unwrap();
    assert!(fit.strengths[0] > 0.0 && fit.strengths.iter().all(|s| s.is_finite()));
    assert!(fit.wins(0, 3).is_err() && BradleyTerry::fit(&one_way, Prior::Normal(0.0)).is_err());
    assert!(Comparisons::new(2, &[(0, 0)]).is_err() && Comparisons::new(2, &[]).is_err());
    assert!(Comparisons::weighted(2, [(0, 1, f64::NAN)]).is_err());
}
