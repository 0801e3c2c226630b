use super::*;
use crate::feed::luck::Luck;

/// Four profiles that each react most to a content of their own.
pub(crate) fn people() -> People {
    let names = ["threat", "tribal", "validation", "craft"];
    let worth = [0.0, 0.2, 0.5, 2.0];
    let content = |j: usize| Content {
        name: names[j].to_owned(),
        worth: worth[j],
        third_party: worth[j],
        position: [0.5, 1.0, -0.5, -1.0][j],
        conversion: 0.1,
        vote: 0.1,
        compliance: 0.1,
    };
    let profile = |i: usize| Profile {
        name: format!("{}-reactive", names[i]),
        share: 0.25,
        pull: (0..4).map(|j| if i == j { 3.0 } else { 1.0 }).collect(),
    };
    People {
        contents: (0..4).map(content).collect(),
        profiles: (0..4).map(profile).collect(),
        mixed: 0.3,
        spread: 0.3,
        lambda: [0.38, 1.0],
        select_share: 0.0,
        select_max: 0.95,
        select_week: 0.1,
        eta: 0.02,
        eta_decay: 0.005,
        cap: 2.0,
        habit_weight: 0.3,
        habit_week: 0.79,
        adopt: 0.0,
        arousal: 0.5,
        noise_pull: 1.0,
        noise_worth: 0.3,
        hooked_cost: 1.0,
        week_steps: 70,
    }
}

fn one(people: &People, number: u64, frozen: bool) -> OnePerson<'_> {
    people.person(&mut Luck::new(7, number).birth(), frozen)
}

#[test]
fn the_reaction_is_the_formula() {
    let people = people();
    let mut person = one(&people, 3, false);
    (person.state, person.added[1], person.lambda, person.habit) = (2, 0.4, 0.5, 0.5);
    let lambda = 0.5 * (1.0 - 0.3 * 0.5);
    let law = person.law(1);
    let mean = (1.0 - lambda) * 1.5 * (person.pull[1] + 0.4) + lambda * 0.2;
    assert!((law.mean - mean).abs() < 1e-12);
    let sd = (1.0 - lambda) * 1.5 * 1.0 + lambda * 0.3;
    assert!((law.sd - sd).abs() < 1e-12);
    assert!((person.unmoved(2, 1) - (mean - (1.0 - lambda) * 1.5 * 0.4)).abs() < 1e-12);
    assert!((person.welfare(3) - 1.0).abs() < 1e-12, "hooked costs 1");
}

#[test]
fn exposure_sensitises_to_a_cap_and_wears_off() {
    let people = people();
    let (mut person, mut frozen) = (one(&people, 1, false), one(&people, 1, true));
    assert_eq!(person.pull, frozen.pull, "the same person");
    let before = person.pull(2);
    for _ in 0..500 {
        person.evolve(2, 1.0, 0.5);
        frozen.evolve(2, 1.0, 0.5);
    }
    assert!((person.pull(2) - before - 2.0).abs() < 1e-3);
    assert_eq!((frozen.pull(2), frozen.displacement()), (before, 0.0));
    let moved = person.displacement();
    (0..139).for_each(|_| person.rest(0.5));
    // .995^139 is one half.
    assert!((person.displacement() / moved - 0.5).abs() < 0.01);
}

#[test]
fn a_habit_keeps_four_fifths_in_a_week_and_takes_from_intention() {
    let people = people();
    let mut person = one(&people, 2, false);
    person.habit = 0.8;
    assert!((person.intention() / person.lambda - (1.0 - 0.3 * 0.8)).abs() < 1e-12);
    (0..70).for_each(|_| person.rest(0.0));
    assert!((person.habit() / 0.8 - 0.79).abs() < 1e-9);
}

#[test]
fn who_learns_to_select_goes_a_part_of_the_way_each_week() {
    let mut people = people();
    (people.select_share, people.habit_weight) = (1.0, 0.0);
    let mut person = one(&people, 4, false);
    let start = person.intention();
    (0..70).for_each(|_| person.rest(0.3));
    let way = (person.intention() - start) / (0.95 - start).max(0.0);
    assert!(start > 0.95 || (way - 0.1).abs() < 1e-9, "{way}");
    people.select_share = 0.0;
    let mut person = one(&people, 4, false);
    (0..70).for_each(|_| person.rest(0.3));
    assert_eq!(person.intention(), start);
}

#[test]
fn what_excites_the_reactive_leaves_the_intentional_calm() {
    let mut people = people();
    people.profiles.truncate(1);
    let share = |people: &People| {
        let mut hooked = 0;
        for u in 0..200 {
            let mut person = one(people, u, true);
            let luck = Luck::new(8, u);
            for t in 0..200 {
                person.evolve(0, 0.0, luck.step(t).state);
                hooked += u32::from(person.hooked());
            }
        }
        f64::from(hooked) / 40_000.0
    };
    people.habit_weight = 0.0;
    people.lambda = [0.0, 0.0];
    let reactive = share(&people);
    people.lambda = [1.0, 1.0];
    let intentional = share(&people);
    assert!(reactive > intentional + 0.1, "{reactive} {intentional}");
}

#[test]
fn profiles_and_intention_are_as_declared() {
    let people = people();
    let (mut counts, mut lambda) = ([0.0; 4], 0.0);
    for u in 0..20_000 {
        let person = one(&people, u, false);
        counts[person.profile()] += 1.0 / 20_000.0;
        lambda += person.intention() / 20_000.0;
    }
    assert!(
        counts.iter().all(|c| (c - 0.25f64).abs() < 0.015),
        "{counts:?}"
    );
    assert!((1.0 - lambda - 0.31).abs() < 0.005, "{lambda}");
}
