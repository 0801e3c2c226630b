use super::*;
use crate::feed::life::World;
use crate::feed::life::tests::world;
use crate::feed::population::fixed_arms;
use crate::feed::population::tests::whole;

fn numbers(world: &World, people: u64) -> Numbers {
    let arms = fixed_arms(world);
    Numbers::of(&arms, None, &whole(&arms, people)).unwrap()
}

#[test]
fn the_parts_of_lock_in_add_up() {
    let n = numbers(&world(), 300);
    let l = n.lock_in;
    let parts = l.heterogeneity.value + l.commitment.value + l.sensitisation.value;
    assert!((parts - l.dispersion.value).abs() < 1e-12);
    let causes = [l.to_own_best, l.by_luck, l.by_sensitisation, l.by_both];
    let sum: f64 = causes.iter().map(|c| c.value).sum();
    assert!(l.locked.value > 0.05 && (sum - 1.0).abs() < 1e-12, "{l:?}");
    assert!(l.heterogeneity.se > 0.0 && l.heterogeneity.se < 0.1);
}

/// A tilt adds what the divergence of its distribution says, and a mask takes its part of the prior.
#[test]
fn every_lens_says_what_it_adds() {
    use crate::feed::influence::divergence;
    use crate::feed::lens::Tilt;
    let mut world = world();
    assert!(numbers(&world, 4).lenses.is_empty());
    let scores = vec![2.0, 0.0, 0.0, 0.0];
    world.stack.lenses = vec![
        Tilt::Rlhf { scores, beta: 1.0 },
        Tilt::Retrieval { keep: 1 },
    ];
    let parts = numbers(&world, 40).lenses;
    let names: Vec<&str> = parts.iter().map(|p| p.lens.as_str()).collect();
    assert_eq!(names, ["rlhf", "retrieval", "masked"]);
    let weights = [exp(2.0), 1.0, 1.0, 1.0];
    let tilted = weights.map(|w| w / weights.iter().sum::<f64>());
    let first = divergence(&tilted, &[0.25; 4]);
    assert!((parts[0].adds.mean - first).abs() < 1e-9, "{parts:?}");
    // One of four contents is left to everybody: ln 4 in all.
    let all = parts[0].adds.mean + parts[1].adds.mean;
    assert!((all - ln(4.0)).abs() < 1e-9, "{parts:?}");
    assert!((parts[2].adds.mean - 0.75).abs() < 1e-9, "{parts:?}");
}

/// Attribution finds the mechanism that was put in.
#[test]
fn alike_people_without_sensitisation_part_by_luck_alone() {
    let mut world = world();
    world.people.profiles.truncate(1);
    world.people.profiles[0].pull = vec![2.0; 4];
    world.people.contents.iter_mut().for_each(|c| c.worth = 1.0);
    (world.people.spread, world.people.eta) = (0.0, 0.0);
    let l = numbers(&world, 300).lock_in;
    assert!(l.dispersion.value > 0.5, "{l:?}");
    assert_eq!(l.sensitisation.value, 0.0);
    assert!(
        l.heterogeneity.value.abs() < 4.0 * l.heterogeneity.se.max(0.02),
        "{l:?}"
    );
    assert_eq!((l.by_sensitisation.value, l.by_both.value), (0.0, 0.0));

    // People who differ far more than noise does: nearly all of it is theirs.
    world = super::tests::world();
    world.people.eta = 0.0;
    (world.people.mixed, world.people.lambda) = (0.0, [0.0, 0.0]);
    for (i, p) in world.people.profiles.iter_mut().enumerate() {
        p.pull = (0..4).map(|j| if i == j { 8.0 } else { 0.5 }).collect();
    }
    let l = numbers(&world, 300).lock_in;
    assert!(
        l.heterogeneity.value > 0.65 && l.commitment.value < 0.1,
        "{l:?}"
    );

    // With strong sensitisation people end where they would not have ended without it.
    world = super::tests::world();
    (world.people.eta, world.people.cap) = (0.2, 6.0);
    world.people.profiles.truncate(1);
    world.people.profiles[0].pull = vec![2.5, 2.0, 1.5, 1.0];
    (world.people.spread, world.people.mixed) = (0.0, 0.0);
    let l = numbers(&world, 300).lock_in;
    assert!(l.sensitisation.value > 5.0 * l.sensitisation.se, "{l:?}");
}

#[test]
fn half_lives() {
    assert_eq!(half_life(0.0, &[0.0]), None);
    assert_eq!(half_life(1.0, &[0.9, 0.8]), None);
    assert!((half_life(1.0, &[0.5]).unwrap() - 1.0).abs() < 1e-12);
    // 0.7 a week: ln 2 / ln (1/.7) weeks.
    let course: Vec<f64> = (1..5).map(|i| 0.7f64.powi(i)).collect();
    let want = 2f64.ln() / (1.0 / 0.7f64).ln();
    assert!((half_life(1.0, &course).unwrap() - want).abs() < 1e-9);
    assert_eq!(half_life(1.0, &[0.0]), Some(1.0));
}

#[test]
fn nothing_is_irreversible_that_wears_off() {
    let mut world = world();
    (world.after_weeks, world.people.eta_decay) = (8, 0.005);
    let r = numbers(&world, 40).reversibility;
    // .995 per step is .704 per week of 70.
    let want = 2f64.ln() / (70.0 * (1.0f64 / 0.995).ln());
    assert!((r.half_life_weeks.unwrap() - want).abs() < 1e-6, "{r:?}");
    world.people.eta_decay = 0.0;
    assert_eq!(numbers(&world, 10).reversibility.half_life_weeks, None);
}

#[test]
fn the_horizon_needs_both_signs() {
    let week = |g: f64, w: f64| {
        let moments = |mean: f64| {
            let mut m = Moments::default();
            (0..100).for_each(|i| m.add(mean + f64::from(i % 2) * 0.02 - 0.01));
            m
        };
        WeekTotals {
            reward_less: moments(g),
            welfare_less: moments(w),
            ..WeekTotals::default()
        }
    };
    let of = |weeks: Vec<WeekTotals>| {
        let arm = ArmTotals {
            weeks,
            ..ArmTotals::default()
        };
        goodhart(&arm).horizon_week
    };
    assert_eq!(
        of(vec![week(1.0, 1.0), week(-1.0, -1.0), week(0.0, -1.0)]),
        None
    );
    assert_eq!(of(vec![week(1.0, 1.0), week(1.0, -1.0)]), Some(2));
}
