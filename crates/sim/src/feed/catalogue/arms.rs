//! The ways to run a catalogue on the same people.

use super::{Rule, World};
use crate::feed::arms::with_leash;
use crate::feed::governor::Levers;
use crate::feed::learner;
use crate::feed::principal::Who;

/// The first arms of every run, in this order.
pub const AS_IS: usize = 0;
/// The same people with other luck.
pub const OTHER_LUCK: usize = 1;
/// Nothing moves anybody; the luck of [`AS_IS`].
pub const STILL: usize = 2;
/// Nothing moves anybody; the luck of [`OTHER_LUCK`].
pub const STILL_OTHER_LUCK: usize = 3;
const FIXED: usize = 4;

/// A world under a name. All arms have the same items and people, and those with the same replica the
/// same luck.
#[derive(Debug, Clone, PartialEq)]
pub struct Arm {
    /// What is different.
    pub name: String,
    /// The world.
    pub world: World,
    /// Number of the luck.
    pub replica: u64,
    /// Whether it is a way to run the system, not another luck or other people.
    pub is_way: bool,
}

/// The arms of a world: as it is, and with other luck; both with nobody moved; nothing learnt; the
/// other principals that need no weights; everything retrieved; and the other rules with the same
/// constants. Of the ones after the fourth, one that would be the world as it is, is left out.
pub fn arms(world: &World) -> Vec<Arm> {
    let still = |w: &mut World| w.mover.rule = None;
    let mut all = vec![
        arm(world, "as it is", true, &|_| ()),
        arm(world, "other luck", false, &|_| ()),
        arm(world, "nobody moves", false, &still),
        arm(world, "nobody moves, other luck", false, &still),
        arm(world, "nothing learnt", true, &|w| {
            w.rule = learner::Rule::None;
            w.levers = Levers::default();
        }),
    ];
    all[OTHER_LUCK].replica = 1;
    all[STILL_OTHER_LUCK].replica = 1;
    for who in [Who::PersonNow, Who::PersonReflecting, Who::Rater] {
        let name = who.name().replace('_', " ");
        all.push(arm(world, &name, true, &|w| w.principal = who));
    }
    all.push(arm(world, "everything retrieved", true, &|w| {
        w.retrieve = None;
    }));
    for rule in Rule::ALL {
        all.push(arm(world, rule.name(), false, &|w| {
            w.mover.rule = Some(rule);
        }));
    }
    let mut i = 0;
    all.retain(|a| {
        i += 1;
        i <= FIXED || a.world != *world
    });
    all
}

/// One arm per dose of each lever. A lever that the world's learner does not have is left out.
pub fn doses(world: &World) -> Vec<Arm> {
    let mut all = Vec::new();
    let mut dose = |name: String, change: &dyn Fn(&mut World)| {
        all.push(arm(world, &name, true, change));
    };
    for beta in [0.05, 0.2, 0.5, 1.0] {
        if let Some(rule) = with_leash(world.rule, beta) {
            dose(format!("KL leash {beta}"), &|w| w.rule = rule);
        }
    }
    for floor in [0.1, 0.3, 0.5] {
        dose(format!("exploration floor {floor}"), &|w| {
            w.levers.floor = floor;
        });
    }
    for temperature in [1.5, 2.0, 4.0] {
        dose(format!("cooling {temperature}"), &|w| {
            w.levers.temperature = temperature;
        });
    }
    for times in [16.0, 8.0, 4.0] {
        let cap = times / world.items as f64;
        if cap < 1.0 {
            dose(format!("item cap {times} times even"), &|w| {
                w.levers.cap = cap;
            });
        }
    }
    for days in [6, 3, 1] {
        dose(format!("a pause after {days} days"), &|w| {
            w.levers.pause_after = days;
        });
    }
    for part in [4, 2] {
        let daily = (world.day_steps * (part - 1) / part).max(1);
        dose(format!("at most {daily} steps a day"), &|w| {
            w.levers.daily = daily;
        });
    }
    for share in [0.5, 1.0] {
        let name = format!("{} % learn to select", 100.0 * share);
        dose(name, &|w| w.select_share = share);
    }
    all
}

fn arm(world: &World, name: &str, is_way: bool, change: &dyn Fn(&mut World)) -> Arm {
    let mut world = world.clone();
    change(&mut world);
    Arm {
        name: name.to_owned(),
        world,
        replica: 0,
        is_way,
    }
}
