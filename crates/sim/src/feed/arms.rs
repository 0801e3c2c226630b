//! Further ways to run a world on the same people with the same luck: another principal, or a dose of
//! one lever.

use super::learner::Rule;
use super::life::{Arm, World};
use super::principal::Who;

/// The same world with each other principal that needs no weights.
pub fn principals(world: &World) -> Vec<Arm> {
    [Who::PersonNow, Who::PersonReflecting, Who::Rater]
        .into_iter()
        .filter(|who| *who != world.principal)
        .map(|principal| {
            let name = format!("principal {}", principal.name());
            arm(world, name, |w| w.principal = principal)
        })
        .collect()
}

/// One arm per dose of each lever. A lever that the world's learner does not have is left out.
pub fn doses(world: &World) -> Vec<Arm> {
    let mut arms = Vec::new();
    for beta in [0.05, 0.2, 0.5, 1.0] {
        if let Some(rule) = with_leash(world.rule, beta) {
            arms.push(arm(world, format!("KL leash {beta}"), |w| w.rule = rule));
        }
    }
    for floor in [0.1, 0.3, 0.5] {
        let name = format!("exploration floor {floor}");
        arms.push(arm(world, name, |w| w.levers.floor = floor));
    }
    for temperature in [1.5, 2.0, 4.0] {
        let name = format!("cooling {temperature}");
        arms.push(arm(world, name, |w| w.levers.temperature = temperature));
    }
    for cap in [0.8, 0.6, 0.4] {
        let name = format!("content cap {cap}");
        arms.push(arm(world, name, |w| w.levers.cap = cap));
    }
    for days in [6, 3, 1] {
        let name = format!("a pause after {days} days");
        arms.push(arm(world, name, |w| w.levers.pause_after = days));
    }
    for part in [4, 2] {
        let daily = (world.day_steps * (part - 1) / part).max(1);
        let name = format!("at most {daily} a day");
        arms.push(arm(world, name, |w| w.levers.daily = daily));
    }
    for share in [0.5, 1.0] {
        let name = format!("{} % learn to select", 100.0 * share);
        arms.push(arm(world, name, |w| w.people.select_share = share));
    }
    arms
}

fn arm(world: &World, name: String, change: impl FnOnce(&mut World)) -> Arm {
    let mut world = World {
        after_weeks: 0,
        ..world.clone()
    };
    change(&mut world);
    Arm {
        name,
        world,
        frozen: false,
        replica: 0,
    }
}

/// The rule with this leash, if it can have one.
pub(super) fn with_leash(mut rule: Rule, beta: f64) -> Option<Rule> {
    match &mut rule {
        Rule::Reinforce { kl, .. }
        | Rule::ActorCritic { kl, .. }
        | Rule::Ppo { kl, .. }
        | Rule::Grpo { kl, .. } => *kl = beta,
        _ => return None,
    }
    Some(rule)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::life::tests::world;
    use crate::feed::numbers::Numbers;
    use crate::feed::population::tests::whole;
    use crate::feed::population::{FIXED_ARMS, fixed_arms};

    #[test]
    fn levers_do_what_they_are_for() {
        let mut world = world();
        world.weeks = 4;
        let mut arms = fixed_arms(&world);
        arms.extend(doses(&world));
        let totals = whole(&arms, 60);
        let numbers = Numbers::of(&arms, None, &totals).unwrap();
        let named = |name: &str| numbers.arms.iter().find(|a| a.arm == name).unwrap();
        let effective = |name| named(name).effective.mean;
        assert!(effective("KL leash 1") > effective("KL leash 0.05"));
        assert!(effective("content cap 0.4") > effective("content cap 0.8"));
        assert!(effective("cooling 4") > effective("cooling 1.5"));
        assert!(named("a pause after 1 days").reaction_change.mean < 0.0);
        assert!(numbers.arms.len() >= FIXED_ARMS - 1 + 15);
        let front: Vec<_> = numbers.front.iter().filter(|p| p.on_front).collect();
        assert!(!front.is_empty() && front.len() < numbers.front.len());
        for p in &front {
            let better = |q: &&_| {
                let q: &crate::feed::numbers::Point = q;
                q.reaction > p.reaction && q.welfare > p.welfare
            };
            assert!(numbers.front.iter().find(better).is_none());
        }
        world.rule = Rule::Ucb { width: 1.0 };
        assert!(doses(&world).iter().all(|a| !a.name.contains("leash")));
    }

    #[test]
    fn asking_what_it_was_worth_is_better_for_the_person() {
        let world = world();
        let mut arms = fixed_arms(&world);
        arms.extend(principals(&world));
        let totals = whole(&arms, 60);
        let numbers = Numbers::of(&arms, None, &totals).unwrap();
        let reflecting = |a: &&_| -> bool {
            let a: &crate::feed::numbers::Against = a;
            a.arm == "principal person_reflecting"
        };
        let gap = numbers.arms.iter().find(reflecting).unwrap();
        let se = gap.welfare_change.se.unwrap();
        assert!(gap.welfare_change.mean > 3.0 * se, "{gap:?}");
    }
}
