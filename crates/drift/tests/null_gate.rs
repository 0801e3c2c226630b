//! The null gate: on people who do not change, "moved" stays within the declared rate; on planted
//! change it is found.

use driftlead_drift::characteristics::{Outcome, Population, run};
use driftlead_stats::series::Noise;

const PEOPLE: u32 = 400;
const SERIES: u32 = 16;

fn outcome(weeks: i32, phi: f64, counts: bool, planted_sd: f64, series: u32) -> Outcome {
    run(&Population {
        people: PEOPLE,
        weeks,
        series,
        noise: Noise {
            phi,
            persistent_share: 1.0,
        },
        counts,
        planted_sd,
        version_change: false,
        seed: 4,
    })
}

#[test]
fn unchanged_people_stay_within_the_declared_rate() {
    // 5 % plus three Monte-Carlo standard errors.
    let limit = 0.05 + 3.0 * (0.05f64 * 0.95 / f64::from(PEOPLE)).sqrt();
    for weeks in [12, 26, 52] {
        for phi in [0.0, 0.3, 0.5, 0.7] {
            for counts in [false, true] {
                let share = outcome(weeks, phi, counts, 0.0, SERIES).any_false;
                assert!(
                    share <= limit,
                    "{share:.3} of unchanged people moved (weeks {weeks}, phi {phi}, counts {counts})"
                );
            }
        }
    }
}

#[test]
fn level_shifts_at_a_version_change_stay_within_the_declared_rate() {
    let limit = 0.05 + 3.0 * (0.05f64 * 0.95 / f64::from(PEOPLE)).sqrt();
    for (phi, counts) in [(0.0, false), (0.7, false), (0.7, true)] {
        let share = run(&Population {
            people: PEOPLE,
            weeks: 52,
            series: SERIES,
            noise: Noise {
                phi,
                persistent_share: 1.0,
            },
            counts,
            planted_sd: 0.0,
            version_change: true,
            seed: 5,
        })
        .any_false;
        assert!(share <= limit, "{share:.3} (phi {phi}, counts {counts})");
    }
}

#[test]
fn planted_change_is_seen() {
    // With no autocorrelation a year shows 3 own SDs to most people, whatever the kind of data, and two
    // years show 2.
    for counts in [false, true] {
        for (weeks, sd, least) in [(52, 3.0, 0.6), (104, 2.0, 0.8)] {
            let seen = outcome(weeks, 0.0, counts, sd, SERIES).detected;
            assert!(
                seen > least,
                "{seen} of planted changes seen ({weeks} weeks, {sd} SD, counts {counts})"
            );
        }
    }
    // A single series needs no correction and shows less.
    assert!(outcome(52, 0.3, false, 3.0, 1).detected > 0.6);
}

#[test]
fn the_smallest_visible_change_is_what_it_says() {
    for (weeks, phi) in [(26, 0.0), (52, 0.0), (52, 0.5)] {
        let stated = outcome(weeks, phi, false, 0.0, SERIES).smallest_visible_sd;
        let seen = outcome(weeks, phi, false, stated, SERIES).detected;
        assert!(
            (0.6..=0.97).contains(&seen),
            "a change of {stated:.2} SD is seen by {seen:.2} (weeks {weeks}, phi {phi}), stated 0.8"
        );
    }
}

#[test]
fn intervals_hold_the_planted_change() {
    for phi in [0.0, 0.5] {
        assert!(outcome(52, phi, false, 2.0, SERIES).covered > 0.99);
    }
}
