use super::numbers::{arms, run};
use super::*;

fn world(rule: Rule) -> World {
    World {
        items: 40,
        attributes: 4,
        places: 3,
        retrieve: Some(20),
        alpha: 0.08,
        reflecting: false,
        lambda: [0.0, 0.5],
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
    let mut system = System::new(&world);
    assert_eq!(
        system.weigh(&items),
        40,
        "without a context nothing is masked"
    );
    system.learn(&items, 7, 1.0);
    assert_eq!(system.weigh(&items), 20);
    let near = |i: usize| dot(items.item(i), items.item(7));
    let kept = |i: &usize| system.weights[*i] > 0.0;
    let least = (0..40).filter(kept).map(near).fold(2.0, f64::min);
    let most = (0..40).filter(|i| !kept(i)).map(near).fold(-2.0, f64::max);
    assert!(least > most, "{least} {most}");
    let mut seen = Vec::new();
    for _ in 0..20 {
        let i = system.choose(0.5);
        assert!(!seen.contains(&i) && system.weights[i] > 0.0);
        seen.push(i);
        system.learn(&items, i, 0.0);
    }
}

/// The gradient of one place is that of ln P(v), taken by differences.
#[test]
fn learning_follows_the_gradient_of_the_policy() {
    let world = World {
        retrieve: None,
        alpha: 0.5,
        ..world(Rule::MereExposure)
    };
    let items = Items::new(&world, 2);
    let theta = [0.3, -0.2, 0.5, 0.1];
    let log_policy = |theta: &[f64]| {
        let scores: Vec<f64> = items.each().map(|v| dot(theta, v)).collect();
        scores[5] - scores.iter().map(|s| s.exp()).sum::<f64>().ln()
    };
    let mut system = System::new(&world);
    system.theta.copy_from_slice(&theta);
    // Ten reactions of 0 and then one of 1.1: the mean is .1, the advantage 1.
    system.shown = 10.0;
    system.weigh(&items);
    system.learn(&items, 5, 1.1);
    system.end_step();
    for j in 0..4 {
        let (mut up, mut down) = (theta, theta);
        up[j] += 1e-5;
        down[j] -= 1e-5;
        let slope = (log_policy(&up) - log_policy(&down)) / 2e-5;
        let moved = system.theta[j] - theta[j];
        assert!((moved - 0.5 * slope).abs() < 1e-8, "{moved} {slope}");
    }
}

#[test]
fn the_numbers_do_not_depend_on_the_threads() {
    let arms = arms(&world(Rule::OperantConditioning));
    assert_eq!(arms.len(), 7);
    assert!(arms.iter().all(|a| a.name != "operant_conditioning"));
    let go = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.unwrap();
        let numbers = pool.install(|| run(&arms, 33, 1, &|_| ()));
        serde_json::to_string(&numbers).unwrap()
    };
    let one = go(1);
    assert_eq!(one, go(3));
    assert!(!one.contains("null"), "every number is one: {one}");
}

#[test]
fn each_rule_moves_people_its_own_way() {
    let last = |rule: Rule, name: &str| {
        let all = run(&arms(&world(rule)), 200, 3, &|_| ());
        let arm = all.into_iter().find(|a| a.arm == name).unwrap();
        (*arm.weekly.last().unwrap(), arm)
    };
    let sure = |e: crate::feed::sums::Estimate| (e.mean - 0.0) / e.se.unwrap();
    let (exposed, _) = last(Rule::MereExposure, "as it is");
    assert!(sure(exposed.toward) > 5.0, "{exposed:?}");
    assert!((exposed.strength.mean - 1.0).abs() < 1e-9);
    let (adapted, _) = last(Rule::HedonicAdaptation, "as it is");
    assert!(sure(adapted.toward) < -5.0, "{adapted:?}");
    assert!(adapted.strength.mean < 0.9);
    let (still, _) = last(Rule::MereExposure, "nobody moves");
    assert!(still.moved.mean.abs() < 1e-9 && still.toward.mean == 0.0);
    // An arm of another rule is the world with that rule.
    let (arm, _) = last(Rule::MereExposure, "hedonic_adaptation");
    assert_eq!(arm, adapted);
}

#[test]
fn a_system_that_learns_shows_fewer_items_and_gets_more_reaction() {
    let world = World {
        weeks: 8,
        retrieve: None,
        ..world(Rule::MereExposure)
    };
    let all = run(&arms(&world), 60, 3, &|_| ());
    let nothing = all.iter().find(|a| a.arm == "nothing learnt").unwrap();
    assert!((nothing.effective.mean - 40.0).abs() < 1e-6);
    assert!((nothing.overlap.unwrap().mean - 1.0).abs() < 1e-9);
    assert!(nothing.personal.abs() < 1e-9 && nothing.common.abs() < 1e-9);
    let change = nothing.reaction_change;
    assert!(change.mean < -5.0 * change.se.unwrap(), "{change:?}");
    assert!(all[0].effective.mean < 35.0 && all[0].personal > 0.05);
    assert_eq!(all[0].reaction_change.mean, 0.0);
    // Asked on reflection, people get more of what they value, and react less.
    let asked = all.iter().find(|a| a.arm == "person reflecting").unwrap();
    let (more, less) = (asked.welfare_change, asked.reaction_change);
    assert!(more.mean > 3.0 * more.se.unwrap(), "{more:?}");
    assert!(less.mean < 0.0, "{less:?}");
}
