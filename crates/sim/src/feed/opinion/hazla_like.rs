//! Everybody is shown the same items, and each person moves toward what agrees with them and away
//! from what does not: u ← (u + η·⟨u, v⟩·v)/‖·‖ (Hązła, Jin, Mossel & Ramnarayan 2019, as others
//! describe it; the equation was not read in the paper).

use super::purpose;
use super::vector::{dot, principal, unit};
use super::world::{Arm, Running, Setting, Shown, Slot, Tell, Visit, World};
use crate::draw::Draws;

/// Constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hazla {
    /// People.
    pub people: usize,
    /// Dimensions of opinion, ≥ 2.
    pub dimensions: usize,
    /// Rate η.
    pub rate: f64,
    /// Items, each shown to everybody, uniform on the sphere.
    pub items: u32,
    /// Whether everybody is shown items of their own instead.
    pub own_items: bool,
}

impl Default for Hazla {
    fn default() -> Self {
        Hazla {
            people: 1000,
            dimensions: 4,
            rate: 0.3,
            items: 4000,
            own_items: false,
        }
    }
}

impl Hazla {
    /// Share of people with |⟨u, pole⟩| above `near`; the pole is the principal axis of all people.
    pub fn near_pole(&self, seed: u64, near: f64) -> f64 {
        let mut life = Life::new(*self, seed);
        (0..self.items).for_each(|t| life.next(t, &mut |_| {}));
        life.near_pole(near)
    }
}

impl World for Hazla {
    fn constants(&mut self, visit: &mut Visit<'_>) {
        visit("dimensions", Slot::Count(&mut self.dimensions, 2, 100));
        visit("rate", Slot::Number(&mut self.rate, 0.0, 100.0));
        let own = usize::from(self.own_items);
        let mut set = |i| self.own_items = i == 1;
        visit("items", Slot::Choice(&["common", "own"], own, &mut set));
    }

    fn start(&self, setting: &Setting) -> Box<dyn Running> {
        let people = setting.people;
        Box::new(Life::new(Hazla { people, ..*self }, setting.seed))
    }

    fn arms(&self) -> Vec<Arm> {
        let other = Hazla {
            own_items: !self.own_items,
            ..*self
        };
        let name = if self.own_items {
            "items in common"
        } else {
            "items of their own"
        };
        vec![
            Arm::new("as it is", *self),
            Arm::new(name, other),
            Arm::natural("nobody moves", Hazla { rate: 0.0, ..*self }),
        ]
    }
}

struct Life {
    world: Hazla,
    draws: Draws,
    state: Vec<f64>,
}

impl Life {
    fn new(world: Hazla, seed: u64) -> Self {
        let draws = Draws::new(seed);
        let mut life = Life {
            world,
            draws,
            state: Vec::new(),
        };
        life.state = (1..=world.people as u64)
            .flat_map(|u| life.direction(u, 0))
            .collect();
        life
    }

    /// A person's first opinion (step 0), an item of their own, or an item of everybody (user 0).
    fn direction(&self, user: u64, step: u32) -> Vec<f64> {
        let mut luck = self.draws.sequence(user, step, purpose::HAZLA);
        unit((0..self.world.dimensions).map(|_| luck.normal()).collect())
    }

    fn next(&mut self, t: u32, tell: &mut Tell<'_>) {
        let world = self.world;
        let mut state = std::mem::take(&mut self.state);
        let mut item = self.direction(0, t);
        for (i, u) in state.chunks_exact_mut(world.dimensions).enumerate() {
            let mut number = t as usize;
            if world.own_items {
                item = self.direction(i as u64 + 1, t + 1);
                number = t as usize * world.people + i;
            }
            let agrees = dot(u, &item);
            u.iter_mut()
                .zip(&item)
                .for_each(|(u, v)| *u += world.rate * agrees * v);
            let length = dot(u, u).sqrt();
            u.iter_mut().for_each(|x| *x /= length);
            tell(Shown {
                reaction: Some(agrees),
                ..Shown::new(i, number)
            });
        }
        self.state = state;
    }

    fn near_pole(&self, near: f64) -> f64 {
        let d = self.world.dimensions;
        let all = self.state.chunks_exact(d);
        let pole = principal(all.clone(), d);
        let there = all.filter(|u| dot(u, &pole).abs() > near).count();
        there as f64 / self.world.people as f64
    }
}

impl Running for Life {
    fn step(&mut self, t: u32, tell: &mut Tell<'_>) {
        self.next(t, tell);
    }

    fn state(&self) -> Vec<f64> {
        self.state.clone()
    }

    fn more(&self) -> Vec<(&'static str, f64)> {
        vec![("near_a_pole", self.near_pole(0.95))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_poles_form_in_time_and_not_at_once() {
        let world = |items| Hazla {
            people: 200,
            dimensions: 4,
            rate: 0.3,
            items,
            own_items: false,
        };
        assert!(world(0).near_pole(1, 0.95) < 0.3);
        assert!(world(2000).near_pole(1, 0.95) > 0.95);
    }

    /// It is the common items that bring people to the same axis.
    #[test]
    fn items_of_their_own_make_no_poles() {
        let world = Hazla {
            people: 200,
            items: 2000,
            own_items: true,
            ..Hazla::default()
        };
        assert!(world.near_pole(1, 0.95) < 0.3);
        assert_eq!(
            Hazla { rate: 0.0, ..world }.near_pole(1, 0.95),
            Hazla {
                rate: 0.0,
                items: 0,
                ..world
            }
            .near_pole(1, 0.95)
        );
    }
}
