//! All worlds of opinion and exposure by the key that a scenario chooses them with.

use super::animosity_arms::AnimosityFeed;
use super::baumann::Baumann;
use super::bellina_like::Bellina;
use super::bots::Bots;
use super::carroll22_like::Carroll;
use super::chaney18_like::Chaney;
use super::hazla_like::Hazla;
use super::jiang19_like::Jiang;
use super::kalimeris_like::Kalimeris;
use super::kleinberg24_like::Kleinberg;
use super::perra19_like::Perra;
use super::rank2_timelines::Timeline;
use super::rossi18_like::Rossi;
use super::world::{Slot, World};

/// A world to choose.
pub struct Kind {
    /// Its key.
    pub key: &'static str,
    /// People and steps without other wishes.
    pub size: (usize, u32),
    /// Most people: work or memory grows faster than them in some worlds.
    pub most_people: usize,
    /// The world with its default constants.
    pub new: fn() -> Box<dyn World>,
}

fn new<W: World + Default + 'static>() -> Box<dyn World> {
    Box::new(W::default())
}

/// All worlds, in the order of the documentation.
pub const KINDS: &[Kind] = &[
    Kind {
        key: "baumann20",
        size: (500, 1000),
        most_people: 20_000,
        new: new::<Baumann>,
    },
    Kind {
        key: "hazla_like",
        size: (1000, 2000),
        most_people: 20_000,
        new: new::<Hazla>,
    },
    Kind {
        key: "rossi18_like",
        size: (1000, 500),
        most_people: 100_000,
        new: new::<Rossi>,
    },
    Kind {
        key: "perra19_like",
        size: (500, 200),
        most_people: 100_000,
        new: new::<Perra>,
    },
    Kind {
        key: "jiang19_like",
        size: (100, 500),
        most_people: 2000,
        new: new::<Jiang>,
    },
    Kind {
        key: "bellina_like",
        size: (60, 240),
        most_people: 1000,
        new: new::<Bellina>,
    },
    Kind {
        key: "chaney18_like",
        size: (100, 100),
        most_people: 2000,
        new: new::<Chaney>,
    },
    Kind {
        key: "carroll22_like",
        size: (200, 10),
        most_people: 100_000,
        new: new::<Carroll>,
    },
    Kind {
        key: "kleinberg24_like",
        size: (1000, 300),
        most_people: 100_000,
        new: new::<Kleinberg>,
    },
    Kind {
        key: "kalimeris_like",
        size: (300, 200),
        most_people: 10_000,
        new: new::<Kalimeris>,
    },
    Kind {
        key: "animosity",
        size: (100, 91),
        most_people: 100_000,
        new: new::<AnimosityFeed>,
    },
    Kind {
        key: "rank2",
        size: (1000, 1),
        most_people: 100_000,
        new: new::<Timeline>,
    },
    Kind {
        key: "bots",
        size: (1000, 100),
        most_people: 100_000,
        new: new::<Bots>,
    },
];

/// The world of a key.
pub fn kind(key: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|k| k.key == key)
}

/// A constant as data.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
#[serde(untagged)]
pub enum Constant {
    /// A number.
    Number(f64),
    /// A whole number.
    Count(usize),
    /// A name.
    Choice(&'static str),
}

/// The constants of a world as they are.
pub fn constants(world: &mut dyn World) -> Vec<(&'static str, Constant)> {
    let mut all = Vec::new();
    world.constants(&mut |name, slot| {
        let constant = match slot {
            Slot::Number(x, ..) => Constant::Number(*x),
            Slot::Count(n, ..) => Constant::Count(*n),
            Slot::Choice(names, now, _) => Constant::Choice(names.get(now).copied().unwrap_or("")),
        };
        all.push((name, constant));
    });
    all
}

/// Sets the constants that are named; others stay.
pub fn set(world: &mut dyn World, constants: &[(&'static str, Constant)]) {
    world.constants(&mut |name, slot| {
        let given = constants.iter().find(|(n, _)| *n == name);
        match (slot, given.map(|(_, c)| *c)) {
            (Slot::Number(x, ..), Some(Constant::Number(v))) => *x = v,
            (Slot::Count(n, ..), Some(Constant::Count(v))) => *n = v,
            (Slot::Choice(names, _, set), Some(Constant::Choice(v))) => {
                if let Some(i) = names.iter().position(|n| *n == v) {
                    set(i);
                }
            }
            _ => {}
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::opinion::numbers::{LOOKS, Size, run};

    /// What every world owes: defaults within their ranges, arms that start from the same people, the
    /// same numbers from the same seed and others from another, at most one natural course.
    #[test]
    fn every_world_keeps_the_rules() {
        for kind in KINDS {
            let mut world = (kind.new)();
            world.constants(&mut |name, slot| match slot {
                Slot::Number(x, low, high) => {
                    assert!(low <= *x && *x <= high, "{} {name}", kind.key)
                }
                Slot::Count(n, low, high) => {
                    assert!(low <= *n && *n <= high, "{} {name}", kind.key)
                }
                Slot::Choice(names, now, _) => assert!(now < names.len(), "{} {name}", kind.key),
            });
            let size = Size {
                people: 24,
                steps: 13,
                replicates: 2,
                network: None,
                friends: 0.0,
            };
            let go = |seed| run(world.as_ref(), &size, seed, &|| {}).unwrap();
            let courses = go(1);
            assert_eq!(courses, go(1), "{}", kind.key);
            assert_ne!(courses, go(2), "{}", kind.key);
            assert!(courses.iter().filter(|c| c.natural).count() <= 1);
            assert_eq!(courses[0].arm, "as it is");
            for course in &courses {
                assert_eq!(course.looks.len(), LOOKS as usize + 1);
                let at = |k: usize, name| {
                    course.looks[k]
                        .get(name)
                        .map(|e: crate::feed::sums::Estimate| e.mean)
                };
                assert_eq!(at(0, "from_start"), Some(0.0), "{}", kind.key);
                assert_eq!(
                    at(0, "mean"),
                    courses[0].looks[0].get("mean").map(|e| e.mean)
                );
                if courses.iter().any(|c| c.natural) {
                    assert_eq!(at(0, "from_natural"), Some(0.0), "{}", kind.key);
                }
                for named in course.looks.iter().flat_map(|l| &l.numbers) {
                    assert!(
                        named.estimate.is_none_or(|e| e.mean.is_finite()),
                        "{named:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn constants_go_out_and_in_again() {
        for kind in KINDS {
            let mut world = (kind.new)();
            let before = constants(world.as_mut());
            let changed: Vec<_> = (before.iter())
                .map(|(name, c)| match c {
                    Constant::Number(x) => (*name, Constant::Number(x * 0.5 + 0.01)),
                    other => (*name, *other),
                })
                .collect();
            set(world.as_mut(), &changed);
            assert_eq!(constants(world.as_mut()), changed, "{}", kind.key);
        }
    }
}
