use super::arms::{Arm, arms, doses};
use super::numbers::{ArmNumbers, Numbers, run};
use super::*;
use crate::feed::learner::{Baseline, Rule as Learner};
use crate::feed::principal::Weights;
use crate::rounds::Control;

fn numbers(arms: &[Arm], people: u64, seed: u64) -> Numbers {
    let end = run(arms, people, seed, &Control::default()).unwrap();
    end.sums.numbers(arms)
}

fn reinforce(alpha: f64, kl: f64) -> Learner {
    Learner::Reinforce {
        alpha,
        baseline: Baseline::Welford,
        kl,
    }
}

fn named<'a>(numbers: &'a Numbers, name: &str) -> &'a ArmNumbers {
    numbers.arms.iter().find(|a| a.arm == name).unwrap()
}

fn world(rule: Rule) -> World {
    World {
        items: 40,
        attributes: 4,
        places: 3,
        retrieve: Some(20),
        rule: reinforce(0.08, 0.0),
        principal: Who::PersonNow,
        lenses: Vec::new(),
        levers: Levers::default(),
        lambda: [0.0, 0.5],
        select_share: 0.0,
        select_max: 1.0,
        select_week: 0.1,
        alignment: 0.5,
        noise: 0.3,
        mover: Mover {
            rule: Some(rule),
            rate: 0.02,
            memory: 0.1,
            recovery: 0.005,
        },
        day_steps: 3,
        weeks: 3,
    }
}

#[test]
fn vectors_have_unit_length_and_the_cosine_asked_for() {
    let world = world(Rule::MereExposure);
    let items = Items::new(&world, 1);
    assert_eq!(items.each().count(), 40);
    for v in items.each() {
        assert!((dot(v, v) - 1.0).abs() < 1e-12);
    }
    let (a, b) = (items.item(0), items.item(1));
    assert!((cosine(a, b)).abs() < 0.999, "items differ");
    for c in [-1.0, 0.0, 0.5, 1.0] {
        let w = reflection(a, b, c);
        assert!((dot(&w, &w) - 1.0).abs() < 1e-12);
        assert!((dot(&w, a) - c).abs() < 1e-12);
    }
}

#[test]
fn a_step_shows_different_items_among_the_nearest() {
    let world = world(Rule::MereExposure);
    let items = Items::new(&world, 1);
    let of = Prepared::new(&world, &items, 1);
    let mut system = System::new(&of);
    let mut none = || 0.5;
    assert_eq!(
        system.weigh(&mut none),
        40,
        "without a context nothing is masked"
    );
    system.learn(7, 1.0, 0.0);
    system.end_step();
    assert_eq!(system.weigh(&mut none), 20);
    let near = |i: usize| dot(items.item(i), items.item(7));
    let kept = |i: &usize| system.weights[*i] > 0.0;
    let least = (0..40).filter(kept).map(near).fold(2.0, f64::min);
    let most = (0..40).filter(|i| !kept(i)).map(near).fold(-2.0, f64::max);
    assert!(least > most, "{least} {most}");
    let mut seen = Vec::new();
    for _ in 0..20 {
        let served = system.served();
        let (i, p) = system.choose(&served, 0.5);
        assert!(!seen.contains(&i) && p > 0.0);
        seen.push(i);
        system.learn(i, 0.0, 0.0);
    }
}

/// The context fades by the number of places; their order within a step does not matter.
#[test]
fn the_order_of_places_does_not_change_the_context() {
    let world = world(Rule::MereExposure);
    let items = Items::new(&world, 1);
    let of = Prepared::new(&world, &items, 1);
    let after = |order: [usize; 3]| {
        let mut system = System::new(&of);
        system.weigh(&mut || 0.5);
        order.iter().for_each(|i| system.learn(*i, 0.0, 0.0));
        system.end_step();
        system.weigh(&mut || 0.5);
        let kept = (0..40).filter(|i| system.weights[*i] > 0.0);
        kept.collect::<Vec<_>>()
    };
    assert_eq!(after([3, 8, 21]), after([21, 3, 8]));
}

/// The gradient of one place is that of ln P(v) less the leash's divergence, taken by differences.
#[test]
fn learning_follows_the_gradient_of_the_policy() {
    for kl in [0.0, 0.7] {
        let world = World {
            retrieve: None,
            rule: reinforce(0.5, kl),
            lenses: vec![Tilt::Prompt {
                scores: vec![0.5, 0.0, -0.5, 0.0],
                beta: 1.0,
            }],
            ..world(Rule::MereExposure)
        };
        let items = Items::new(&world, 2);
        let of = Prepared::new(&world, &items, 2);
        let theta = [0.3, -0.2, 0.5, 0.1];
        let objective = |theta: &[f64]| {
            let base: Vec<f64> = items.each().map(|v| 0.5 * v[0] - 0.5 * v[2]).collect();
            let scores: Vec<f64> = (items.each().zip(&base))
                .map(|(v, b)| b + dot(theta, v))
                .collect();
            let log_sum = |x: &[f64]| x.iter().map(|s| s.exp()).sum::<f64>().ln();
            let (top, under) = (log_sum(&scores), log_sum(&base));
            let leash = scores.iter().zip(&base).map(|(s, b)| {
                let p = (s - top).exp();
                p * ((s - top) - (b - under))
            });
            scores[5] - top - kl * leash.sum::<f64>()
        };
        let mut system = System::new(&of);
        system.theta.copy_from_slice(&theta);
        // Ten reactions of 0 and then one of 1.1: the mean is .1, the advantage 1.
        system.seen = 10.0;
        system.weigh(&mut || 0.5);
        system.learn(5, 1.1, 0.0);
        system.end_step();
        for j in 0..4 {
            let (mut up, mut down) = (theta, theta);
            up[j] += 1e-5;
            down[j] -= 1e-5;
            let slope = (objective(&up) - objective(&down)) / 2e-5;
            let moved = system.theta[j] - theta[j];
            assert!((moved - 0.5 * slope).abs() < 1e-8, "{kl}: {moved} {slope}");
        }
    }
}

/// A batch of one with one pass is the plain gradient of its advantage.
#[test]
fn a_batch_of_one_place_is_a_plain_step() {
    let after = |rule: Learner| {
        let world = World {
            retrieve: None,
            rule,
            ..world(Rule::MereExposure)
        };
        let items = Items::new(&world, 2);
        let of = Prepared::new(&world, &items, 2);
        let mut system = System::new(&of);
        for i in [5, 9] {
            system.weigh(&mut || 0.5);
            system.learn(i, 1.5, 0.0);
            system.end_step();
        }
        system.theta.clone()
    };
    let ppo = after(Learner::Ppo {
        alpha: 0.1,
        critic: 0.2,
        gamma: 0.0,
        kl: 0.3,
        batch: 1,
        epochs: 1,
        clip: 0.2,
    });
    let critic = after(Learner::ActorCritic {
        alpha: 0.1,
        critic: 0.2,
        gamma: 0.0,
        kl: 0.3,
    });
    for (a, b) in ppo.iter().zip(&critic) {
        assert!((a - b).abs() < 1e-12, "{ppo:?} {critic:?}");
    }
}

#[test]
fn the_numbers_do_not_depend_on_the_threads() {
    let arms = arms(&world(Rule::OperantConditioning));
    assert_eq!(arms.len(), 10);
    assert!(arms.iter().all(|a| a.name != "operant_conditioning"));
    let go = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.unwrap();
        let numbers = pool.install(|| numbers(&arms, 33, 1));
        serde_json::to_string(&numbers).unwrap()
    };
    let one = go(1);
    assert_eq!(one, go(3));
    assert!(!one.contains("null"), "every number is one: {one}");
}

#[test]
fn each_rule_moves_people_its_own_way() {
    let last = |rule: Rule, name: &str| {
        let all = numbers(&arms(&world(rule)), 200, 3);
        let arm = named(&all, name);
        *arm.weekly.last().unwrap()
    };
    let sure = |e: crate::feed::sums::Estimate| e.mean / e.se.unwrap();
    let exposed = last(Rule::MereExposure, "as it is");
    assert!(sure(exposed.toward) > 5.0, "{exposed:?}");
    assert!((exposed.strength.mean - 1.0).abs() < 1e-9);
    let adapted = last(Rule::HedonicAdaptation, "as it is");
    assert!(sure(adapted.toward) < -5.0, "{adapted:?}");
    assert!(adapted.strength.mean < 0.9);
    let still = last(Rule::MereExposure, "nobody moves");
    assert!(still.moved.mean.abs() < 1e-9 && still.toward.mean == 0.0);
    // An arm of another rule is the world with that rule.
    assert_eq!(last(Rule::MereExposure, "hedonic_adaptation"), adapted);
}

#[test]
fn a_system_that_learns_shows_fewer_items_and_gets_more_reaction() {
    let world = World {
        weeks: 8,
        retrieve: None,
        ..world(Rule::MereExposure)
    };
    let all = numbers(&arms(&world), 60, 3);
    let nothing = named(&all, "nothing learnt");
    assert!((nothing.effective.mean - 40.0).abs() < 1e-6);
    assert!((nothing.overlap.unwrap().mean - 1.0).abs() < 1e-9);
    assert!(nothing.personal.abs() < 1e-9 && nothing.common.abs() < 1e-9);
    let change = nothing.reaction_change;
    assert!(change.mean < -5.0 * change.se.unwrap(), "{change:?}");
    assert!(all.arms[0].effective.mean < 35.0 && all.arms[0].personal > 0.05);
    assert_eq!(all.arms[0].reaction_change.mean, 0.0);
    // Asked on reflection, people get more of what they value, and react less.
    let asked = named(&all, "person reflecting");
    let (more, less) = (asked.welfare_change, asked.reaction_change);
    assert!(more.mean > 3.0 * more.se.unwrap(), "{more:?}");
    assert!(less.mean < 0.0, "{less:?}");
    // The parts of the distance add up, and every place of the last week is in the triangle.
    let parts = all.parts.unwrap();
    let sum = parts.heterogeneity.mean + parts.commitment.mean + parts.moved.mean;
    assert!((sum - parts.dispersion.mean).abs() < 1e-9, "{parts:?}");
    assert!(parts.heterogeneity.mean > 0.05 && parts.commitment.mean > 0.0);
    assert_eq!((all.ends.people, all.policy.len()), (60, 6));
}

/// Each optimiser gets more reaction than none.
#[test]
fn every_optimiser_learns() {
    let rules = [
        Learner::Reinforce {
            alpha: 0.1,
            baseline: Baseline::Oracle,
            kl: 0.0,
        },
        Learner::ActorCritic {
            alpha: 0.1,
            critic: 0.1,
            gamma: 0.0,
            kl: 0.0,
        },
        Learner::Ppo {
            alpha: 0.3,
            critic: 0.1,
            gamma: 0.0,
            kl: 0.0,
            batch: 6,
            epochs: 2,
            clip: 0.2,
        },
        Learner::Grpo {
            alpha: 0.3,
            kl: 0.0,
            batch: 6,
            epochs: 2,
            clip: 0.2,
        },
        Learner::EpsilonGreedy { epsilon: 0.1 },
        Learner::Ucb { width: 0.5 },
        Learner::Thompson {
            prior_sd: 1.0,
            noise_sd: 0.3,
        },
        Learner::BestOfN { n: 4 },
    ];
    for rule in rules {
        let world = World {
            rule,
            retrieve: None,
            ..world(Rule::OperantConditioning)
        };
        let all: Vec<Arm> = arms(&world).into_iter().take(5).collect();
        let found = numbers(&all, 30, 1);
        let change = named(&found, "nothing learnt").reaction_change;
        assert!(
            change.mean < -4.0 * change.se.unwrap(),
            "{rule:?} {change:?}"
        );
    }
}

#[test]
fn levers_do_what_they_are_for() {
    let world = World {
        weeks: 4,
        retrieve: None,
        ..world(Rule::MereExposure)
    };
    let mut all = arms(&world);
    all.extend(doses(&world));
    let found = numbers(&all, 40, 1);
    let effective = |name: &str| named(&found, name).effective.mean;
    let as_is = effective("as it is");
    assert!(effective("KL leash 1") > effective("KL leash 0.05"));
    assert!(effective("exploration floor 0.5") > effective("exploration floor 0.1"));
    assert!(effective("cooling 4") > effective("cooling 1.5") && effective("cooling 1.5") > as_is);
    assert!(effective("item cap 4 times even") >= effective("item cap 8 times even"));
    assert!(named(&found, "a pause after 1 days").reaction_change.mean < 0.0);
    assert!(named(&found, "at most 1 steps a day").reaction_change.mean < 0.0);
    let coached = named(&found, "100 % learn to select").welfare_change;
    assert!(coached.mean > 0.0, "{coached:?}");
    assert!(found.front.iter().any(|p| p.on_front));
    assert!(found.front.iter().all(|p| p.arm != "other luck"));
}

/// A lens shifts what is shown before anything is learnt; principals get what they ask for.
#[test]
fn lenses_and_principals() {
    let base = World {
        retrieve: None,
        weeks: 6,
        ..world(Rule::OperantConditioning)
    };
    let along = |world: &World, axis: &dyn Fn(&Prepared<'_>) -> Vec<f64>| {
        let items = Items::new(world, 1);
        let of = Prepared::new(world, &items, 1);
        let axis = axis(&of);
        let people = (0..30).map(|u| {
            let life = live(&of, 1, 0, u);
            (items.each().zip(&life.exposure))
                .map(|(v, p)| p * dot(v, &axis))
                .sum::<f64>()
        });
        people.sum::<f64>() / 30.0
    };
    let x = |_: &Prepared<'_>| vec![1.0, 0.0, 0.0, 0.0];
    let tilted = World {
        rule: Learner::None,
        lenses: vec![Tilt::Rlhf {
            scores: vec![1.0, 0.0, 0.0, 0.0],
            beta: 0.5,
        }],
        ..base.clone()
    };
    let plain = World {
        lenses: Vec::new(),
        ..tilted.clone()
    };
    assert!(along(&tilted, &x) > along(&plain, &x) + 0.2);
    let rated = World {
        principal: Who::Rater,
        ..base.clone()
    };
    let rater = |of: &Prepared<'_>| of.rater.clone();
    assert!(along(&rated, &rater) > along(&base, &rater) + 0.3);
    let sold = World {
        principal: Who::Deployer(Weights {
            conversion: 2.0,
            ..Weights::default()
        }),
        ..base.clone()
    };
    let deployer = |of: &Prepared<'_>| of.deployer.clone();
    assert!(along(&sold, &deployer) > along(&base, &deployer) + 0.2);
}
