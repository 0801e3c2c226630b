//! No input of any kind makes the estimators panic or leave a NaN behind.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

use driftlead_stats::baseline::{PosteriorAveraged, Prior};
use driftlead_stats::boundary::*;
use driftlead_stats::causal::*;
use driftlead_stats::cs::*;
use driftlead_stats::edetector::*;
use driftlead_stats::eprocess::*;
use driftlead_stats::glr::{Before, Direction, GaussianFocus};
use driftlead_stats::mixed::*;
use driftlead_stats::multiple::*;
use driftlead_stats::peers;
use driftlead_stats::rng::Stream;
use driftlead_stats::segment::{Cost, Segmenter, Spacing};
use driftlead_stats::series::{block_permutation_p, change_times, circular_shift_p, equivalence};
use driftlead_stats::special;
use proptest::prelude::*;

/// Any `f64`, with the awkward ones over-represented.
fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        -3.0f64..3.0,
        0.0f64..=1.0,
        prop::sample::select(vec![
            0.0,
            -0.0,
            1.0,
            f64::NAN,
            f64::INFINITY,
            f64::MIN_POSITIVE,
            1e300
        ]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn streaming_estimators(xs in prop::collection::vec(any_number(), 1..40), m in any_number(), level in any_number()) {
        for baseline in [Baseline::Normal { mean: m, sd: 1.0 }, Baseline::Bernoulli { p: m }, Baseline::Bounded { mean: m }] {
            for recursion in [Recursion::ShiryaevRoberts, Recursion::Cusum, Recursion::SequentialTest] {
                let grid = Alternatives::equal(vec![-0.1, 0.3]).unwrap();
                let Ok(mut detector) = EDetector::new(baseline, grid, recursion) else { continue };
                for &x in &xs {
                    if let Ok(value) = detector.update(x) {
                        prop_assert!(!value.is_nan());
                    }
                }
            }
        }
        let mut focus = GaussianFocus::new(Before::Unknown, Direction::Both).unwrap();
        let mut bernstein = PredMixBernstein::new(0.05, 0.5).unwrap();
        let mut hedged = BettingSequence::hedged(0.05, 20).unwrap();
        let mut conjugate = ConjugateBernstein::new(0.05, 5.0).unwrap();
        let mut asymptotic = AsymptoticSequence::new(0.05, 5.0).unwrap();
        let mut posterior =
            PosteriorAveraged::new(&Prior::beta(2.0, 5.0, 4).unwrap(), &[0.5, 2.0], Weights::OpenEnded).unwrap();
        for &x in &xs {
            let _ = (focus.update(x), asymptotic.update(x), bernstein.update(x), conjugate.update(x));
            prop_assert!(!bernstein.interval().low.is_nan());
            if let Ok(interval) = hedged.update(x) {
                prop_assert!(!interval.width().is_nan());
            }
            prop_assert!(conjugate.interval().unwrap().width() >= 0.0);
            prop_assert!(!posterior.update(x > 0.0).is_nan());
        }
        let _ = (e_bh(&xs, level), closed_e_bh(&xs, level), holm(&xs), benjamini_yekutieli(&xs));
        let _ = (calibrate_power(m, level), calibrate_integrated(m), adjust_running_max(m), merge_product(&xs));
    }

    #[test]
    fn boundaries(v in any_number(), alpha in any_number(), v_opt in any_number(), c in any_number()) {
        let check = |bound: driftlead_stats::Result<f64>| {
            if let Ok(value) = bound {
                assert!(!value.is_nan(), "v {v} alpha {alpha} v_opt {v_opt} c {c}");
            }
        };
        for sides in [Sides::One, Sides::Two] {
            if let Ok(m) = NormalMixture::new(v_opt, 0.05, sides) { check(m.bound(v, alpha)); }
            if let Ok(m) = BetaBinomial::new(v_opt, 0.05, c, 0.5, sides) { check(m.bound(v, alpha)); }
        }
        if let Ok(m) = GammaExponential::new(v_opt, 0.05, c) { check(m.bound(v, alpha)); }
        if let Ok(m) = GammaPoisson::new(v_opt, 0.05, c) { check(m.bound(v, alpha)); }
        if let Ok(s) = PolyStitching::new(v_opt, c) { check(s.bound(v, alpha)); }
        let _ = (special::normal_quantile(v), special::ln_normal_cdf(v), special::zeta(v), special::ln_gamma(v));
    }

    /// What is accepted is cut at finite cost, never dearer than not at all.
    #[test]
    fn segmentations(
        xs in prop::collection::vec(any_number(), 0..40),
        penalty in any_number(), floor in any_number(),
        min_size in 0usize..6, jump in prop::sample::select(vec![0, 1, 2, 5, usize::MAX]), changes in 0usize..5,
    ) {
        let moderate: Vec<f64> = xs.iter().copied().filter(|x| x.abs() <= 1e100).collect();
        for cost in [Cost::L1, Cost::L2, Cost::Normal { floor }, Cost::Normal { floor: 1e-6 }, Cost::Rbf] {
            let _ = Segmenter::new(&xs, cost, Spacing { min_size, jump });
            if let Ok(series) = Segmenter::new(&moderate, cost, Spacing { min_size, jump }) {
                let whole = series.cost(&[moderate.len()]).unwrap();
                if let Ok(found) = series.penalised(penalty) {
                    // The two sums round differently, by a few units in the last place per segment.
                    let rounding = 1e-12 * whole.abs();
                    prop_assert!(
                        found.cost <= whole + rounding,
                        "{cost:?}: {} above {whole}", found.cost
                    );
                }
                let _ = (series.with_changes(changes), series.binary(changes));
            }
        }
    }

    /// A refused observation leaves a detector as it was: dropping it changes no later alarm.
    #[test]
    fn peers_are_unmoved_by_what_they_refuse(xs in prop::collection::vec(any_number(), 1..200)) {
        let fresh = || -> Vec<Box<dyn peers::Detector>> {
            let both = Direction::Both;
            let normal = peers::RunModel::Normal { mean: 0.0, observations: 1.0, shape: 1.0, scale: 1.0 };
            let bits = peers::RunModel::Bernoulli { a: 1.0, b: 1.0 };
            let adwin = peers::AdwinSettings { clock: 4, ..Default::default() };
            let page = peers::PageHinkleySettings { threshold: 3.0, ..Default::default() };
            vec![
                Box::new(peers::Shewhart::new(0.0, 1.0, 3.0, both).unwrap()),
                Box::new(peers::MovingMean::new(0.0, 1.0, 5, 3.0, both).unwrap()),
                Box::new(peers::Ewma::new(0.0, 1.0, 0.1, 3.0, both).unwrap()),
                Box::new(peers::PageHinkley::new(page).unwrap()),
                Box::new(peers::Adwin::new(adwin).unwrap()),
                Box::new(peers::Ddm::default()),
                Box::new(peers::Eddm::default()),
                Box::new(peers::HddmA::new(0.1).unwrap()),
                Box::new(peers::HddmW::new(0.1, 0.05).unwrap()),
                Box::new(peers::Kswin::new(0.05, 20, 8, 1).unwrap()),
                Box::new(peers::Bocpd::new(normal, 0.05, 1e-6).unwrap()),
                Box::new(peers::Bocpd::new(bits, 0.05, 0.0).unwrap()),
            ]
        };
        for (index, (mut all, mut accepted)) in fresh().into_iter().zip(fresh()).enumerate() {
            for &x in &xs {
                if let Ok(alarm) = all.update(x) {
                    prop_assert_eq!(accepted.update(x), Ok(alarm), "detector {}", index);
                }
            }
            prop_assert!(all.update(f64::NAN).is_err() && all.update(f64::INFINITY).is_err());
        }
        // A constant stream raises no alarm where a change of level is looked for.
        for (index, mut detector) in fresh().into_iter().enumerate() {
            let alarms = (0..300).filter(|_| detector.update(0.0).unwrap()).count();
            prop_assert!(alarms == 0, "detector {}: {} alarms", index, alarms);
        }
    }

    #[test]
    fn effects_of_decisions(
        rows in prop::collection::vec((0u32..6, any::<bool>(), any::<bool>(), any_number(), any_number(), any_number()), 0..60),
        sorted in any::<bool>(), numerator in any_number(), p_min in any_number(), v_opt in any_number(),
    ) {
        let mut rows = rows;
        if sorted {
            rows.sort_by_key(|r| r.0);
        }
        let person: Vec<u32> = rows.iter().map(|r| r.0).collect();
        let available: Vec<bool> = rows.iter().map(|r| r.1).collect();
        let treated: Vec<bool> = rows.iter().map(|r| r.2).collect();
        let probability: Vec<f64> = rows.iter().map(|r| r.3).collect();
        let usual = vec![0.4; rows.len()];
        let outcome: Vec<f64> = rows.iter().map(|r| r.4).collect();
        let x: Vec<f64> = rows.iter().map(|r| r.5).collect();
        for probability in [&probability, &usual] {
            for columns in [&[][..], &[x.as_slice()][..]] {
                let trial = Trial {
                    person: &person, available: &available, treated: &treated, probability,
                    outcome: &outcome, controls: columns, moderators: columns,
                };
                for numerator in [numerator, 0.4] {
                    let Ok(fit) = wcls(&trial, numerator, Correction::Automatic) else { continue };
                    let moderators = vec![0.5; columns.len()];
                    if let Ok(effect) = fit.effect(&moderators) {
                        let _ = (effect.interval(0.05), effect.p_value(), fit.joint_test());
                    }
                }
            }
        }
        let _ = holdout_effect(&outcome, &x);
        let mut late = DelayedEffect::new(numerator, v_opt).or_else(|_| DelayedEffect::new(0.05, 20.0)).unwrap();
        for r in &rows {
            let ticket = late.assign(if r.2 { Arm::Treated } else { Arm::Control });
            let _ = if r.1 { late.resolve(ticket, r.4) } else { late.give_up(ticket) };
        }
        let _ = late.interval();
        if let Ok(mut effect) = EffectSequence::new(0.05, p_min, v_opt).or_else(|_| EffectSequence::new(0.05, 0.2, 20.0)) {
            let mut mean = PersonalMean::new(0.0).unwrap();
            for r in &rows {
                let _ = effect.update(&mut mean, r.2, r.3, r.4);
                prop_assert!(!effect.estimate().is_nan());
                if let Ok(interval) = effect.interval() {
                    prop_assert!(!interval.width().is_nan());
                }
            }
        }
    }

    #[test]
    fn shrinkage(
        rows in prop::collection::vec((0u32..6, any_number(), any_number(), any_number()), 0..40),
        tame in any::<bool>(), variance in any_number(),
        people in prop::collection::vec((0u64..60, 0u64..60), 0..12),
    ) {
        let mut rows = rows;
        rows.sort_by_key(|r| r.0);
        // Numbers of ordinary size reach the optimiser; the others mostly end in an error.
        let value = |v: f64| if tame && (!v.is_finite() || v.abs() > 1e6) { 1.5 } else { v };
        let group: Vec<u32> = rows.iter().map(|r| r.0).collect();
        let columns: Vec<Vec<f64>> = vec![
            rows.iter().map(|r| value(r.1)).collect(),
            rows.iter().map(|r| value(r.2)).collect(),
            rows.iter().map(|r| value(r.3)).collect(),
        ];
        let fixed: [&[f64]; 1] = [&columns[1]];
        let both: [&[f64]; 2] = [&columns[1], &columns[2]];
        for slopes in [&[][..], &fixed[..], &both[..]] {
            let data = Grouped { group: &group, outcome: &columns[0], fixed: &fixed, slopes };
            if let Ok(fit) = mixed_reml(&data) {
                prop_assert!(fit.coefficients.iter().chain(&fit.predictions).all(|v| !v.is_nan()));
                prop_assert!(fit.residual_variance >= 0.0 && !fit.log_likelihood.is_nan());
            }
        }
        if let Ok(fit) = BetaPopulation::fit(&people) {
            prop_assert!(fit.a > 0.0 && fit.b > 0.0 && fit.mean() < 1.0);
        }
        if let Ok(estimates) = james_stein(&columns[0], variance) {
            prop_assert!(estimates.iter().all(|v| !v.is_nan()));
        }
        let mut luck = Stream::new(1, 0, 0, 0);
        let last = |v: &[f64]| v.last().copied().unwrap_or(f64::NAN);
        let _ = (circular_shift_p(&columns[0], last), block_permutation_p(&columns[0], 3, 9, &mut luck, last));
        let grid = Alternatives::equal(vec![-0.2, 0.4]).unwrap();
        let baseline = Baseline::Normal { mean: variance, sd: 1.0 };
        let _ = change_times(&baseline, &grid, Weights::OpenEnded, &columns[0], 0.05);
        if let Ok(test) = equivalence(variance, 0.1, 5.0, 0.2, 0.05) {
            prop_assert!((0.0..=1.0).contains(&test.p));
        }
    }
}
