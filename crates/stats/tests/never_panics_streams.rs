//! Any stream, of NaN, infinities, huge or equal numbers, ends in values or in a typed error: no panic, no NaN,
//! and a refused observation leaves the state as it was.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use driftlead_stats::baseline::{PosteriorAveraged, Prior};
use driftlead_stats::boundary::*;
use driftlead_stats::cs::*;
use driftlead_stats::edetector::*;
use driftlead_stats::eprocess::*;
use driftlead_stats::glr::*;
use driftlead_stats::series::{Settings, fit, hinge, step, trend};
use driftlead_stats::two_sample::ChangeAlarm;
use proptest::prelude::*;

/// Any `f64`, with the awkward ones over-represented.
fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        2 => any::<f64>(),
        4 => -3.0f64..3.0,
        4 => 0.0f64..=1.0,
        3 => prop::sample::select(vec![0.0, 1.0, -1.0, 0.5]),
        2 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE, 1e300, -1e300, 1e16]),
    ]
}

/// A stream of anything, or of one value again and again.
fn stream() -> impl Strategy<Value = Vec<f64>> {
    prop_oneof![
        prop::collection::vec(any_number(), 0..60),
        (any_number(), 1usize..300).prop_map(|(x, n)| vec![x; n]),
    ]
}

/// A detector under test: what one observation gives, or that it was refused.
type Feed = Box<dyn FnMut(f64) -> Option<f64>>;

/// Every streaming estimator, twice the same for the same arguments.
fn detectors(m: f64, spread: f64) -> Vec<(&'static str, Feed)> {
    let mut all: Vec<(&'static str, Feed)> = Vec::new();
    let grids = [
        Alternatives::equal(vec![0.1, 0.9]).unwrap(),
        Alternatives::equal(vec![-0.2]).unwrap(),
        Alternatives::equal(vec![-0.1, 40.0]).unwrap(),
    ];
    let baselines = [
        Baseline::Normal {
            mean: m,
            sd: spread,
        },
        Baseline::Normal { mean: m, sd: 1.0 },
        Baseline::Bernoulli { p: m },
        Baseline::Bernoulli { p: 0.3 },
        Baseline::Bounded { mean: 0.3 },
    ];
    for grid in grids {
        for baseline in baselines {
            for recursion in [
                Recursion::ShiryaevRoberts,
                Recursion::Cusum,
                Recursion::SequentialTest,
            ] {
                if let Ok(mut e) = EDetector::new(baseline, grid.clone(), recursion) {
                    all.push(("e-detector", Box::new(move |x| e.update(x).ok())));
                }
            }
            for alarm in [
                Alarm::new(baseline, grid.clone(), 50.0),
                Alarm::exact(baseline, grid.clone(), 50.0),
            ] {
                let Ok(mut alarm) = alarm else { continue };
                all.push((
                    "alarm",
                    Box::new(move |x| {
                        let raised = alarm.update(x).ok()?;
                        Some(raised.map_or(alarm.ln_value(), |a| a.after as f64))
                    }),
                ));
            }
            for weights in [Weights::Horizon(20), Weights::OpenEnded] {
                let Ok(mut verdict) = Verdict::new(baseline, grid.clone(), weights) else {
                    continue;
                };
                all.push(("verdict", Box::new(move |x| verdict.update(x).ok())));
            }
        }
        let mut bits = BinaryBank::new(0.2, &grid, 1).unwrap();
        all.push((
            "binary bank",
            Box::new(move |x| Some(bits.update(&[x]).ok()?[0])),
        ));
        let mut reals = GaussianBank::new(grid, 1);
        all.push((
            "Gaussian bank",
            Box::new(move |x| Some(reals.update(&[x]).ok()?[0])),
        ));
    }
    let mut subsets = SubsetVerdict::new(&[0.2, 0.4], &[0.1, 5.0], 2, Weights::OpenEnded).unwrap();
    all.push((
        "subsets",
        Box::new(move |x| subsets.update(&[x, 1.0 - x]).ok()),
    ));
    let mut jumper = SimpleJumper::new(0.01).unwrap();
    all.push(("jumper", Box::new(move |x| jumper.update(x).ok())));
    let mut change = ChangeAlarm::new(20.0, 3).unwrap();
    all.push((
        "change alarm",
        Box::new(move |x| change.update(x).ok().map(|_| change.ln_value())),
    ));
    for before in [Before::Known(m), Before::Known(0.3), Before::Unknown] {
        for direction in [Direction::Up, Direction::Down, Direction::Both] {
            if let Ok(mut focus) = GaussianFocus::new(before, direction) {
                // Beyond the root of the largest number the statistic itself may be infinite.
                all.push(("FOCuS", Box::new(move |x| focus.update(x).ok())));
            }
            if let Ok(mut alarm) = FocusAlarm::new(before, direction, 5.0) {
                all.push((
                    "FOCuS alarm",
                    Box::new(move |x| {
                        alarm
                            .update(x)
                            .ok()
                            .map(|raised| f64::from(u8::from(raised)))
                    }),
                ));
            }
            if let Ok(mut focus) = BernoulliFocus::new(before, direction) {
                all.push((
                    "binary FOCuS",
                    Box::new(move |x| Some(focus.update(x > 0.5))),
                ));
            }
        }
    }
    let prior = Prior::beta(2.0, 5.0, 4).unwrap();
    let mut averaged = PosteriorAveraged::new(&prior, &[0.5, 2.0], Weights::Horizon(30)).unwrap();
    all.push((
        "posterior-averaged",
        Box::new(move |x| Some(averaged.update(x > 0.5))),
    ));
    all.extend(sequences());
    all
}

fn width(interval: Interval) -> Option<f64> {
    // Infinitely wide is an answer; NaN is not.
    Some(interval.high - interval.low).map(|w| {
        if interval.low == f64::NEG_INFINITY {
            f64::INFINITY
        } else {
            w
        }
    })
}

fn sequences() -> Vec<(&'static str, Feed)> {
    let mut all: Vec<(&'static str, Feed)> = Vec::new();
    for made in [
        BettingSequence::hedged(0.05, 20),
        BettingSequence::diversified(0.05, 20, 3),
        BettingSequence::without_replacement(0.05, 20, 40),
    ] {
        let mut sequence = made.unwrap();
        all.push((
            "betting",
            Box::new(move |x| width(sequence.update(x).ok()?)),
        ));
    }
    let mut hoeffding = PredMixHoeffding::new(0.05).unwrap();
    all.push((
        "predmix Hoeffding",
        Box::new(move |x| {
            hoeffding.update(x).ok()?;
            width(hoeffding.interval())
        }),
    ));
    let mut bernstein = PredMixBernstein::new(0.05, 0.5).unwrap();
    all.push((
        "predmix Bernstein",
        Box::new(move |x| {
            bernstein.update(x).ok()?;
            width(bernstein.interval())
        }),
    ));
    let mut conjugate = ConjugateHoeffding::new(0.05, 10.0).unwrap();
    all.push((
        "conjugate Hoeffding",
        Box::new(move |x| {
            conjugate.update(x).ok()?;
            width(conjugate.interval().unwrap())
        }),
    ));
    let mut conjugate = ConjugateBernstein::new(0.05, 10.0).unwrap();
    all.push((
        "conjugate Bernstein",
        Box::new(move |x| {
            conjugate.update(x).ok()?;
            width(conjugate.interval().unwrap())
        }),
    ));
    let mut asymptotic = AsymptoticSequence::new(0.05, 10.0).unwrap();
    all.push((
        "asymptotic",
        Box::new(move |x| {
            asymptotic.update(x).ok()?;
            width(asymptotic.interval())
        }),
    ));
    let mut design = DesignSequence::new(0.05, 1.0).unwrap();
    all.push((
        "design",
        Box::new(move |x| {
            design.update(x > 0.0, 0.4, x).ok()?;
            width(design.interval())
        }),
    ));
    let mut repeated = RepeatedSequences::new(0.05).unwrap();
    all.push((
        "repeated",
        Box::new(move |x| Some(f64::from(u8::from(repeated.update(x).ok()?)))),
    ));
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn streaming_estimators_take_any_stream(xs in stream(), m in any_number(), spread in any_number()) {
        for ((name, mut all), (_, mut accepted)) in detectors(m, spread).into_iter().zip(detectors(m, spread)) {
            for &x in &xs {
                let Some(value) = all(x) else { continue };
                prop_assert!(!value.is_nan(), "{name}: NaN after {x}");
                // The twin never saw what was refused, and must be in the same state.
                let twin = accepted(x);
                prop_assert_eq!(twin.map(f64::to_bits), Some(value.to_bits()), "{} after {}", name, x);
            }
        }
    }

    #[test]
    fn boundaries_and_run_lengths_take_any_argument(
        a in any_number(), b in any_number(), c in any_number(), successes in 0u64..2000, trials in 0u64..2000,
    ) {
        let number = |what: &str, value: driftlead_stats::Result<f64>| {
            assert!(!matches!(value, Ok(v) if v.is_nan()), "{what} of {a} {b} {c}");
        };
        if let Ok(interval) = BernoulliInterval::new(a, 0.05).or_else(|_| BernoulliInterval::new(1.0, 0.05)) {
            for alpha in [b, 0.05] {
                if let Ok((low, high)) = interval.interval(successes, trials, alpha) {
                    prop_assert!((0.0..=1.0).contains(&low) && low <= high && high <= 1.0);
                }
            }
        }
        if let Ok(lil) = EmpiricalProcessLil::with_factor(a, b, c).or_else(|_| EmpiricalProcessLil::new(0.05, 10.0)) {
            number("lil", lil.bound(c));
        }
        for double in [DoubleStitching::with_shape(a, b, c, 2.0), DoubleStitching::new(a), DoubleStitching::new(100.0)]
            .into_iter()
            .flatten()
        {
            number("double stitching", double.bound(b, c, 0.05));
            number("double stitching", double.bound(0.5, b, a));
        }
        if let Ok(poly) = PolyStitching::with_shape(a, b, c, 2.0).or_else(|_| PolyStitching::new(10.0, 1.0)) {
            number("stitching", poly.bound(c, 0.05));
        }
        number("cusum", cusum_arl(a, b, c));
        number("cusum", cusum_arl(0.5, 4.0, c));
        number("two-sided", two_sided_arl(0.5, 3.0, a));
        number("shewhart", shewhart_delay(a, b));
        number("ramp", ramp_delay(a, b));
        number("calibrate", calibrate_power(a, b));
        number("p", p_from_e(a));
        number("mean", merge_mean(&[a, b, c]));
        let grid = Alternatives::equal(vec![0.3]).unwrap();
        let _ = change_interval(&Baseline::Normal { mean: a, sd: 1.0 }, &grid, Weights::OpenEnded, &[b, c, 0.0], 0.9);
    }

    /// Gaps, constant values, huge values, columns that say the same: a fit with numbers in it or an error.
    #[test]
    fn series_of_anything(
        values in prop_oneof![prop::collection::vec(any_number(), 0..40), (any_number(), 3usize..40).prop_map(|(x, n)| vec![x; n])],
        scale in any_number(), gap in 1i32..5, at in -5i32..60, margin in any_number(),
    ) {
        let times: Vec<i32> = (0..values.len() as i32).map(|t| t * gap).collect();
        let ones = vec![1.0; times.len()];
        for scales in [ones.clone(), vec![scale; times.len()]] {
            for columns in [
                vec![ones.clone()],
                vec![ones.clone(), trend(&times)],
                vec![ones.clone(), step(&times, at)],
                vec![ones.clone(), hinge(&times, at)],
                vec![ones.clone(), trend(&times), trend(&times)],
            ] {
                let target = columns.len() - 1;
                let Ok(fit) = fit(&times, &values, &scales, &columns, target, &Settings::default()) else {
                    continue;
                };
                prop_assert!(!fit.estimate().is_nan(), "{values:?}");
                let (low, high) = fit.interval(0.05);
                prop_assert!(low <= high, "{low} {high} {values:?}");
                prop_assert!(fit.fitted.iter().chain(&fit.fitted_se).all(|v| !v.is_nan()));
                prop_assert!(fit.smallest_visible(0.05, 0.8) >= 0.0);
                if let Ok(test) = fit.equivalence(margin, 0.05) {
                    prop_assert!((0.0..=1.0).contains(&test.p) && test.smallest_margin >= 0.0);
                }
            }
        }
    }
}
