//! What the worlds of opinion and exposure have in common: constants with names and ranges, people
//! with a state, steps, and arms that share the people and their luck.
//!
//! Which of them is right is not known: the same question put to several is the test of how far an
//! answer depends on the world. So they share one trait, and a scenario chooses one by its key.

use std::sync::Arc;

use super::graph::Graph;
use super::purpose;
use crate::draw::Draws;

/// Something that was shown to somebody.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shown {
    /// The person.
    pub person: usize,
    /// Number of the item; see [`World::item`].
    pub item: usize,
    /// Probability that it was shown with, where the system's choice was random and that is known.
    pub propensity: Option<f64>,
    /// Reaction, where the world has one.
    pub reaction: Option<f64>,
    /// What it was worth to the person, where the world has that.
    pub value: Option<f64>,
}

impl Shown {
    /// Shown, and nothing else known.
    pub fn new(person: usize, item: usize) -> Self {
        Shown {
            person,
            item,
            propensity: None,
            reaction: None,
            value: None,
        }
    }
}

/// Hears of everything that is shown.
pub type Tell<'a> = dyn FnMut(Shown) + 'a;

/// One constant of a world, and what it may be.
pub enum Slot<'a> {
    /// A number between two bounds, both allowed.
    Number(&'a mut f64, f64, f64),
    /// A whole number between two bounds, both allowed.
    Count(&'a mut usize, usize, usize),
    /// One of several names: which it is now, and what sets it.
    Choice(&'static [&'static str], usize, &'a mut dyn FnMut(usize)),
}

/// Hears of every constant.
pub type Visit<'a> = dyn FnMut(&'static str, Slot<'_>) + 'a;

/// Tells of a constant that is one of `all`, whose names stand in the same order.
pub(super) fn choice<T: Copy + PartialEq>(
    visit: &mut Visit<'_>,
    name: &'static str,
    names: &'static [&'static str],
    all: &[T],
    chosen: &mut T,
) {
    let now = all.iter().position(|one| one == chosen).unwrap_or(0);
    let mut set = |i: usize| *chosen = all.get(i).copied().unwrap_or(*chosen);
    visit(name, Slot::Choice(names, now, &mut set));
}

/// What a run is started with, beside the world's constants.
#[derive(Debug, Clone)]
pub struct Setting {
    /// People, at least 2.
    pub people: usize,
    /// Steps, at least 1.
    pub steps: u32,
    /// Seed of all luck.
    pub seed: u64,
    /// Who is a friend of whom; nobody in particular without it.
    pub graph: Option<Arc<Graph>>,
    /// Share of what is shown that friends pass on, where the world has [`Peers::Share`].
    pub friends: f64,
}

/// What a network of friends does in a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peers {
    /// The world has no friends.
    None,
    /// People meet friends only; without a network, everybody.
    Contacts,
    /// A part of what is shown is what a friend was shown last.
    Share,
}

/// A world with its constants.
pub trait World: Send + Sync {
    /// Gives every constant a visit, in the order of the documentation.
    fn constants(&mut self, visit: &mut Visit<'_>);

    /// People at the start of a run.
    fn start(&self, setting: &Setting) -> Box<dyn Running>;

    /// The ways to run it: the first is the world as it is, and one at most is marked as the natural
    /// course, which the others are held against.
    fn arms(&self) -> Vec<Arm>;

    /// Between which positions people are expected; what lies outside counts as at the edge.
    fn scale(&self) -> [f64; 2] {
        [-1.0, 1.0]
    }

    /// What a network of friends does.
    fn peers(&self) -> Peers {
        Peers::None
    }

    /// Whether an item's number is the same item for everybody, so that what two people were shown can
    /// be compared.
    fn common_items(&self) -> bool {
        true
    }

    /// Name of an item.
    fn item(&self, item: usize) -> String {
        format!("item-{item}")
    }
}

/// One way to run a world.
pub struct Arm {
    /// What is different.
    pub name: &'static str,
    /// Whether it is the natural course: what people do without the system or the influence.
    pub natural: bool,
    /// The world with that difference.
    pub world: Box<dyn World>,
}

impl Arm {
    /// An arm that is not the natural course.
    pub fn new(name: &'static str, world: impl World + 'static) -> Self {
        Arm {
            name,
            natural: false,
            world: Box::new(world),
        }
    }

    /// The natural course.
    pub fn natural(name: &'static str, world: impl World + 'static) -> Self {
        Arm {
            natural: true,
            ..Arm::new(name, world)
        }
    }
}

/// A run that goes on step by step.
pub trait Running {
    /// The next step; `t` counts from 0.
    fn step(&mut self, t: u32, tell: &mut Tell<'_>);

    /// The state of all people, one after the other; each has as many numbers.
    fn state(&self) -> Vec<f64>;

    /// How active people are, where they differ.
    fn activity(&self) -> Option<&[f64]> {
        None
    }

    /// Numbers that only this world has.
    fn more(&self) -> Vec<(&'static str, f64)> {
        Vec::new()
    }
}

/// What friends pass on: with probability `share` an item is not the system's, but the one that a
/// friend was shown last. The draws are their own, so that no other luck of a step is moved by them.
#[derive(Debug, Clone)]
pub(super) struct Friends {
    graph: Option<Arc<Graph>>,
    share: f64,
    draws: Draws,
    last: Vec<Option<usize>>,
    next: Vec<Option<usize>>,
}

impl Friends {
    pub(super) fn new(setting: &Setting) -> Self {
        Friends {
            graph: setting.graph.clone(),
            share: setting.friends,
            draws: Draws::new(setting.seed),
            last: vec![None; setting.people],
            next: vec![None; setting.people],
        }
    }

    /// What a friend passes on, if somebody does.
    pub(super) fn passed_on(&self, person: usize, t: u32) -> Option<usize> {
        let friends = self.graph.as_ref()?.friends(person);
        let mut luck = self.draws.sequence(person as u64, t, purpose::FRIENDS);
        if friends.is_empty() || luck.uniform() >= self.share {
            return None;
        }
        let friend = friends.get(luck.below(friends.len() as u32) as usize)?;
        *self.last.get(*friend as usize)?
    }

    /// Remembers what was shown; friends can pass it on from the next step.
    pub(super) fn saw(&mut self, person: usize, item: usize) {
        if let Some(slot) = self.next.get_mut(person) {
            *slot = Some(item);
        }
    }

    /// Ends a step.
    pub(super) fn turn(&mut self) {
        self.last.copy_from_slice(&self.next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn friends_pass_on_what_they_saw_and_nobody_else_does() {
        let graph = Arc::new(Graph::from_edges(3, &[(0, 1)]));
        let setting = Setting {
            people: 3,
            steps: 1,
            seed: 1,
            graph: Some(graph),
            friends: 1.0,
        };
        let mut friends = Friends::new(&setting);
        assert_eq!(friends.passed_on(0, 0), None);
        friends.saw(1, 7);
        assert_eq!(friends.passed_on(0, 1), None, "not within the step");
        friends.turn();
        assert_eq!(friends.passed_on(0, 1), Some(7));
        assert_eq!(friends.passed_on(2, 1), None, "nobody's friend");
        let shares = Friends {
            share: 0.25,
            ..friends
        };
        let passed = (0..4000).filter(|t| shares.passed_on(0, *t).is_some());
        let passed = passed.count();
        assert!((880..1120).contains(&passed), "{passed}");
    }
}
