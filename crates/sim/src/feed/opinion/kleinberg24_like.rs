//! People with two systems, and a platform that sees only how long they stay (after Kleinberg,
//! Mullainathan & Raghavan 2024, Mgmt Sci 70(9), arXiv 2202.11776; the abstract was read, the
//! equations were not).
//!
//! Content has a dial a from 0 to 1. In a session the deliberate system wants span·(1 − cost·a) of it,
//! each worth `value`; after that the impulsive one goes on with probability q = grip·a·z each time,
//! z the person's susceptibility, and each of those costs `regret`. A person remembers the worth of
//! sessions, e ← (1−m)·e + m·(worth), and leaves for good when e falls below 0. The platform shows a+δ
//! to one half and a−δ to the other, drawn anew each step, and moves a by `step` toward the half that
//! did better by its goal.

use super::purpose;
use super::world::{Arm, Running, Setting, Shown, Slot, Tell, Visit, World, choice};
use crate::draw::Draws;

/// What the platform wants more of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// The dial stays where it is.
    Nothing,
    /// Longer sessions.
    Engagement,
    /// Sessions of more worth to the person.
    Worth,
}

const GOALS: [&str; 3] = ["nothing", "engagement", "worth"];

impl Goal {
    const ALL: [Goal; 3] = [Goal::Nothing, Goal::Engagement, Goal::Worth];
}

/// Constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kleinberg {
    /// What the platform wants more of.
    pub goal: Goal,
    /// What the deliberate system wants at a = 0.
    pub span: f64,
    /// Part of it that is lost at a = 1.
    pub cost: f64,
    /// Worth of one wanted item.
    pub value: f64,
    /// Cost of one item that the impulsive system adds.
    pub regret: f64,
    /// Largest probability that it goes on.
    pub grip: f64,
    /// Smallest susceptibility z; the largest is 1, between them it is even.
    pub least_susceptible: f64,
    /// Memory m.
    pub memory: f64,
    /// Where the dial begins.
    pub dial: f64,
    /// How far it moves at a step, and half the difference between the halves.
    pub step: f64,
}

impl Default for Kleinberg {
    fn default() -> Self {
        Kleinberg {
            goal: Goal::Engagement,
            span: 5.0,
            cost: 0.05,
            value: 1.0,
            regret: 1.0,
            grip: 0.95,
            least_susceptible: 0.8,
            memory: 0.1,
            dial: 0.3,
            step: 0.01,
        }
    }
}

impl World for Kleinberg {
    fn constants(&mut self, visit: &mut Visit<'_>) {
        choice(visit, "goal", &GOALS, &Goal::ALL, &mut self.goal);
        visit("span", Slot::Number(&mut self.span, 0.1, 1000.0));
        visit("cost", Slot::Number(&mut self.cost, 0.0, 1.0));
        visit("value", Slot::Number(&mut self.value, 0.0, 100.0));
        visit("regret", Slot::Number(&mut self.regret, 0.0, 100.0));
        visit("grip", Slot::Number(&mut self.grip, 0.0, 0.99));
        let least = Slot::Number(&mut self.least_susceptible, 0.0, 1.0);
        visit("least_susceptible", least);
        visit("memory", Slot::Number(&mut self.memory, 0.0, 1.0));
        visit("dial", Slot::Number(&mut self.dial, 0.0, 1.0));
        visit("step", Slot::Number(&mut self.step, 0.0, 0.5));
    }

    fn start(&self, setting: &Setting) -> Box<dyn Running> {
        Box::new(Life::new(*self, setting))
    }

    fn arms(&self) -> Vec<Arm> {
        vec![
            Arm::new("as it is", *self),
            Arm::new(
                "by worth",
                Kleinberg {
                    goal: Goal::Worth,
                    ..*self
                },
            ),
            Arm::new("no impulse", Kleinberg { grip: 0.0, ..*self }),
            Arm::natural(
                "the dial stays",
                Kleinberg {
                    goal: Goal::Nothing,
                    ..*self
                },
            ),
        ]
    }

    fn scale(&self) -> [f64; 2] {
        let most = (self.span * self.value).max(1e-6);
        [-most, most]
    }

    fn item(&self, item: usize) -> String {
        format!("dial-{item}")
    }
}

struct Life {
    world: Kleinberg,
    draws: Draws,
    dial: f64,
    susceptible: Vec<f64>,
    remembers: Vec<f64>,
    there: Vec<bool>,
    /// Mean length and worth of the last step's sessions.
    last: Option<[f64; 2]>,
}

impl Life {
    fn new(world: Kleinberg, setting: &Setting) -> Self {
        let draws = Draws::new(setting.seed);
        let susceptible: Vec<f64> = (0..setting.people as u64)
            .map(|i| {
                draws
                    .sequence(i, 0, purpose::KLEINBERG)
                    .between(world.least_susceptible, 1.0)
            })
            .collect();
        // What a person remembers at first is a session without the impulsive system.
        let wanted = world.value * world.span * (1.0 - world.cost * world.dial);
        Life {
            world,
            draws,
            dial: world.dial,
            remembers: vec![wanted; susceptible.len()],
            there: vec![true; susceptible.len()],
            susceptible,
            last: None,
        }
    }
}

impl Running for Life {
    fn step(&mut self, t: u32, tell: &mut Tell<'_>) {
        let w = self.world;
        // Sums of length, worth and sessions of both halves.
        let mut halves = [[0.0; 3]; 2];
        for i in 0..self.there.len() {
            let mut luck = self.draws.sequence(i as u64, t + 1, purpose::KLEINBERG);
            if !self.there[i] {
                continue;
            }
            let more = luck.uniform() < 0.5;
            let delta = if w.goal == Goal::Nothing { 0.0 } else { w.step };
            let a = (self.dial + if more { delta } else { -delta }).clamp(0.0, 1.0);
            let wanted = w.span * (1.0 - w.cost * a);
            let mut added = 0.0;
            while luck.uniform() < w.grip * a * self.susceptible[i] {
                added += 1.0;
            }
            let worth = w.value * wanted - w.regret * added;
            let half = &mut halves[usize::from(more)];
            *half = [half[0] + wanted + added, half[1] + worth, half[2] + 1.0];
            self.remembers[i] += w.memory * (worth - self.remembers[i]);
            self.there[i] = self.remembers[i] >= 0.0;
            tell(Shown {
                reaction: Some(wanted + added),
                value: Some(worth),
                ..Shown::new(i, ((10.0 * a) as usize).min(9))
            });
        }
        let [less, more] = halves;
        let n = less[2] + more[2];
        self.last = (n > 0.0).then(|| [(less[0] + more[0]) / n, (less[1] + more[1]) / n]);
        let by = match w.goal {
            Goal::Nothing => return,
            Goal::Engagement => 0,
            Goal::Worth => 1,
        };
        if less[2] > 0.0 && more[2] > 0.0 {
            let better = more[by] / more[2] > less[by] / less[2];
            self.dial = (self.dial + if better { w.step } else { -w.step }).clamp(0.0, 1.0);
        }
    }

    /// What a person remembers of a session's worth.
    fn state(&self) -> Vec<f64> {
        self.remembers.clone()
    }

    fn more(&self) -> Vec<(&'static str, f64)> {
        let there = self.there.iter().filter(|t| **t).count() as f64 / self.there.len() as f64;
        let mut all = vec![("still_there", there), ("dial", self.dial)];
        if let Some([length, worth]) = self.last {
            all.extend([("session", length), ("session_worth", worth)]);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::opinion::numbers::tests::alone;
    use crate::feed::opinion::numbers::{Course, run};

    fn courses(world: Kleinberg) -> Vec<Course> {
        run(&world, &alone(1000, 240, 3), 1, &|| {}).unwrap()
    }

    fn at(course: &Course, look: usize, name: &str) -> Option<f64> {
        Some(course.looks[look].get(name)?.mean)
    }

    /// The reported shape: engagement rises steadily, worth does not, and then people quit.
    #[test]
    fn engagement_rises_and_then_people_leave() {
        let all = courses(Kleinberg::default());
        let course = |c: &Course| {
            let row = |k: usize| {
                let number = |name| at(c, k, name).unwrap_or(f64::NAN);
                format!(
                    "{:.2} {:.2} {:.2} {:.2}\n",
                    number("dial"),
                    number("session"),
                    number("session_worth"),
                    number("still_there")
                )
            };
            (0..13).map(row).collect::<String>()
        };
        let [as_is, by_worth, no_impulse, stays] = &all[..] else {
            panic!()
        };
        let session = |c, k| at(c, k, "session").unwrap();
        // While everybody is there, sessions get longer and less worth.
        let last_full = (1..13)
            .take_while(|k| at(as_is, *k, "still_there") == Some(1.0))
            .last();
        let last_full = last_full.unwrap();
        assert!(
            session(as_is, last_full) > session(as_is, 1) + 0.5,
            "{}",
            course(as_is)
        );
        let worth = |k| at(as_is, k, "session_worth").unwrap();
        assert!(worth(last_full) < worth(1), "{}", course(as_is));
        assert!(
            at(as_is, 12, "still_there").unwrap() < 0.3,
            "{}",
            course(as_is)
        );
        for other in [by_worth, no_impulse, stays] {
            assert_eq!(
                at(other, 12, "still_there"),
                Some(1.0),
                "{}\n{}",
                other.arm,
                course(other)
            );
        }
        assert!(
            at(by_worth, 12, "dial").unwrap() < 0.1,
            "{}",
            course(by_worth)
        );
    }

    #[test]
    fn without_impulse_and_goal_nothing_moves() {
        let world = Kleinberg {
            grip: 0.0,
            goal: Goal::Nothing,
            ..Kleinberg::default()
        };
        let all = courses(world);
        assert!(at(&all[0], 12, "from_start").unwrap() < 1e-12);
        assert_eq!(at(&all[0], 12, "still_there"), Some(1.0));
    }
}
