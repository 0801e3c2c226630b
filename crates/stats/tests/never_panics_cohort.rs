//! No input makes the estimators over people, raters and answers panic, and what they return is a number.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

use driftlead_stats::agreement::*;
use driftlead_stats::diversity::*;
use driftlead_stats::preference::*;
use driftlead_stats::two_sample::*;
use proptest::prelude::*;

/// Any `f64`, with ties and the awkward ones over-represented.
fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        1 => any::<f64>(),
        4 => (-3i8..4).prop_map(f64::from),
        4 => 0.0f64..=1.0,
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::MIN_POSITIVE, 1e300]),
    ]
}

/// Numbers of a size that data have, often tied.
fn tame() -> impl Strategy<Value = f64> {
    prop_oneof![(-3i8..4).prop_map(f64::from), -1.0f64..=1.0]
}

fn symbols() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(0u32..4, 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn agreement_of_anything(
        rows in prop::collection::vec(prop::collection::vec(prop::option::of(any_number()), 5), 1..4),
        x in prop::collection::vec(any_number(), 0..9),
        y in prop::collection::vec(any_number(), 0..9),
        alpha in any_number(),
    ) {
        if let Ok(ratings) = Ratings::new(&rows) {
            for scale in [Scale::Nominal, Scale::Ordinal, Scale::Interval, Scale::Ratio] {
                let _ = krippendorff_alpha(&ratings, scale);
            }
            for form in [IccForm::OneWay, IccForm::Agreement, IccForm::Consistency] {
                let _ = intraclass(&ratings, form, 0.05);
            }
            let _ = (fleiss_kappa(&ratings), randolph_kappa(&ratings, 3), cronbach_alpha(&ratings, alpha));
            let _ = bootstrap(5, 20, 1, 0.1, |units| krippendorff_alpha(&ratings.resampled(units), Scale::Nominal));
        }
        let _ = (pearson(&x, &y, alpha), spearman(&x, &y, alpha), kendall(&x, &y, alpha), concordance(&x, &y, alpha));
        let _ = heterotrait_ratio(&x, 3, &[0, 1], &[1, 2]);
    }

    #[test]
    fn associations_of_tame_numbers_lie_in_range(
        pairs in prop::collection::vec((tame(), tame()), 2..30),
    ) {
        let (x, y): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        for result in [pearson(&x, &y, 0.05), spearman(&x, &y, 0.05), kendall(&x, &y, 0.05)] {
            let Ok(a) = result else { continue };
            prop_assert!((-1.0..=1.0).contains(&a.value) && (0.0..=1.0).contains(&a.p), "{a:?}");
            prop_assert!(a.interval.low <= a.value + 1e-12 && a.value <= a.interval.high + 1e-12, "{a:?}");
        }
    }

    #[test]
    fn kendall_follows_its_definition(pairs in prop::collection::vec((tame(), tame()), 2..30)) {
        let (x, y): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        let sign = |d: f64| if d > 0.0 { 1.0 } else if d < 0.0 { -1.0 } else { 0.0 };
        let (mut lead, mut in_x, mut in_y) = (0.0, 0.0, 0.0);
        for i in 0..x.len() {
            for j in 0..i {
                let (a, b) = (sign(x[i] - x[j]), sign(y[i] - y[j]));
                lead += a * b;
                in_x += a * a;
                in_y += b * b;
            }
        }
        match kendall(&x, &y, 0.05) {
            Ok(tau) => prop_assert!((tau.value - lead / f64::sqrt(in_x * in_y)).abs() < 1e-12),
            Err(_) => prop_assert!(in_x == 0.0 || in_y == 0.0),
        }
    }

    #[test]
    fn diversity_of_anything(x in prop::collection::vec(any_number(), 0..12), q in any_number()) {
        let _ = (Spread::of(&x), Shape::of(&x), bimodality_coefficient(&x), dip(&x));
        let _ = (entropy(&x), gini_simpson(&x), coverage(&x), gini(&x), bins(&x, 0.0, q, 5));
        let _ = (jensen_shannon(&x, &x), calibration_kl(&x, &x, q), esteban_ray(&x, &x, q));
        if let Ok(vendi) = Vendi::from_vectors(&x.chunks(2).map(<[f64]>::to_vec).collect::<Vec<_>>()) {
            let _ = vendi.score(q);
        }
    }

    #[test]
    fn dip_is_in_range_and_symmetric(x in prop::collection::vec(tame(), 2..40)) {
        let value = dip(&x).unwrap();
        let n = x.len() as f64;
        prop_assert!(value >= 0.5 / n - 1e-12 && value <= 0.25 + 1e-12, "{value}");
        let mirrored: Vec<f64> = x.iter().map(|v| 3.0 - 2.0 * v).collect();
        prop_assert!((dip(&mirrored).unwrap() - value).abs() < 1e-9);
    }

    #[test]
    fn preferences_of_anything(
        outcomes in prop::collection::vec((0usize..5, 0usize..5, any_number()), 0..25),
        alpha in any_number(),
    ) {
        if let Ok(data) = Comparisons::weighted(5, outcomes.clone()) {
            for prior in [Prior::Flat, Prior::Normal(0.5)] {
                let _ = BradleyTerry::fit(&data, prior);
            }
            let _ = (luce_spectral(&data, alpha), rank_centrality(&data, alpha));
        }
        let judgements: Vec<Judgement> = outcomes
            .iter()
            .map(|&(first, second, share)| Judgement { first, second, share, count: 3.0 })
            .collect();
        let prior = SpreadPrior::LogNormal { ln_variance: 0.0, sd: 1.0 };
        if let Ok(fit) = Thurstonian::fit(5, &judgements, prior) {
            prop_assert!(fit.loss.is_finite() && fit.means.iter().all(|m| m.is_finite()));
        }
    }

    #[test]
    fn answers_of_anything(
        first in prop::collection::vec((0u32..3, symbols()), 0..8),
        second in prop::collection::vec((0u32..3, symbols()), 0..8),
    ) {
        let sample = |rows: Vec<(u32, Vec<u32>)>| {
            let (prompts, answers) = rows.into_iter().unzip();
            Sample::new(prompts, answers)
        };
        if let (Ok(a), Ok(b)) = (sample(first), sample(second)) {
            for kernel in [Kernel::Hamming, Kernel::Spectrum(3)] {
                let Ok(test) = KernelTest::new(&a, &b, kernel) else { continue };
                prop_assert!(test.statistic().is_finite());
                for scheme in [Scheme::Pooled, Scheme::WithinPrompts] {
                    let p = test.permute(20, 1, scheme).unwrap().p;
                    prop_assert!(p > 0.0 && p <= 1.0);
                }
            }
            prop_assert!((0.0..=2.0 + 1e-12).contains(&l1(&a, &b)) && l2(&a, &b).is_finite());
        }
    }
}
