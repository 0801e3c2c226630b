//! People whose preference moves toward what they expect to be shown, and systems that know it (after
//! Carroll, Dragan, Russell & Hadfield-Menell 2022, arXiv 2204.11966; the abstract was read, the
//! equations were not, and the dynamics are known to the system here instead of learnt).
//!
//! Contents lie on a half circle, x, and so does a preference, u. A slate is a distribution s over
//! contents. A person takes x with probability ∝ s(x)·exp(β·⟨x, u⟩) and reacts with ⟨x, u⟩ + appeal of
//! x. They expect b ← (1−m)·b + m·s, and u ← (u + r·Σ b(x)·x)/‖·‖. Under even slates this is the
//! natural shift. A system chooses the slate around one content, s ∝ exp(κ·⟨x, c⟩): the best for now,
//! the best over a horizon, or the best over a horizon less a penalty on the distance from where the
//! person would be by nature.

use super::purpose;
use super::world::{Arm, Running, Setting, Shown, Slot, Tell, Visit, World, choice};
use crate::draw::Draws;
use crate::feed::luck::pick;
use crate::portable::exp;

/// Contents on the half circle.
const CONTENTS: usize = 24;
/// A slate may be centred on every second content.
const CENTRES: usize = CONTENTS / 2;
/// Cosine and sine of π/24, the angle between two contents, and of half of it.
const TURN: [f64; 2] = [0.991_444_861_373_810_4, 0.130_526_192_220_051_6];
const HALF_TURN: [f64; 2] = [0.997_858_923_238_603_5, 0.065_403_129_230_143_07];

/// How a slate is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planner {
    /// Even slates.
    Even,
    /// Most reaction now.
    Myopic,
    /// Most reaction over the horizon.
    Planned,
    /// The same less the penalty.
    Safe,
}

const PLANNERS: [&str; 4] = ["even", "myopic", "planned", "safe"];

impl Planner {
    const ALL: [Planner; 4] = [
        Planner::Even,
        Planner::Myopic,
        Planner::Planned,
        Planner::Safe,
    ];
}

/// Constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Carroll {
    /// How a slate is chosen.
    pub system: Planner,
    /// Sharpness of choice β.
    pub choice: f64,
    /// Sharpness of a slate κ.
    pub slate: f64,
    /// How fast expectations follow, m.
    pub memory: f64,
    /// How fast preferences follow expectations, r.
    pub rate: f64,
    /// Largest appeal of a content beside the preference for it.
    pub appeal: f64,
    /// Where that content lies, 0 to 1 along the half circle.
    pub peak: f64,
    /// Steps that are planned ahead.
    pub horizon: usize,
    /// Reaction that one unit of distance from the natural course must be worth per step.
    pub penalty: f64,
}

impl Default for Carroll {
    fn default() -> Self {
        Carroll {
            system: Planner::Planned,
            choice: 4.0,
            slate: 8.0,
            memory: 0.3,
            rate: 0.2,
            appeal: 0.5,
            peak: 0.15,
            horizon: 10,
            penalty: 2.0,
        }
    }
}

impl World for Carroll {
    fn constants(&mut self, visit: &mut Visit<'_>) {
        choice(visit, "system", &PLANNERS, &Planner::ALL, &mut self.system);
        visit("choice", Slot::Number(&mut self.choice, 0.0, 50.0));
        visit("slate", Slot::Number(&mut self.slate, 0.0, 50.0));
        visit("memory", Slot::Number(&mut self.memory, 0.0, 1.0));
        visit("rate", Slot::Number(&mut self.rate, 0.0, 10.0));
        visit("appeal", Slot::Number(&mut self.appeal, 0.0, 10.0));
        visit("peak", Slot::Number(&mut self.peak, 0.0, 1.0));
        visit("horizon", Slot::Count(&mut self.horizon, 1, 100));
        visit("penalty", Slot::Number(&mut self.penalty, 0.0, 1000.0));
    }

    fn start(&self, setting: &Setting) -> Box<dyn Running> {
        Box::new(Life::new(*self, setting))
    }

    fn arms(&self) -> Vec<Arm> {
        let with = |system| Carroll { system, ..*self };
        vec![
            Arm::new("as it is", *self),
            Arm::new("best for now", with(Planner::Myopic)),
            Arm::new("planned", with(Planner::Planned)),
            Arm::new("planned, safe shift", with(Planner::Safe)),
            Arm::natural("even slates", with(Planner::Even)),
        ]
    }

    fn item(&self, item: usize) -> String {
        format!("content-{item}")
    }
}

/// A person: preference and expectation.
#[derive(Debug, Clone, Copy)]
struct Mind {
    u: [f64; 2],
    expects: [f64; CONTENTS],
}

struct Life {
    world: Carroll,
    draws: Draws,
    contents: [[f64; 2]; CONTENTS],
    appeal: [f64; CONTENTS],
    /// The slates that can be chosen, and the even one last.
    slates: Vec<[f64; CONTENTS]>,
    minds: Vec<Mind>,
    /// Where the same people would be by nature.
    natural: Vec<Mind>,
}

fn times(a: [f64; 2], b: [f64; 2]) -> f64 {
    a[0] * b[0] + a[1] * b[1]
}

fn turned(v: [f64; 2], by: [f64; 2]) -> [f64; 2] {
    [v[0] * by[0] - v[1] * by[1], v[0] * by[1] + v[1] * by[0]]
}

impl Life {
    fn new(world: Carroll, setting: &Setting) -> Self {
        let draws = Draws::new(setting.seed);
        let mut contents = [HALF_TURN; CONTENTS];
        for i in 1..CONTENTS {
            contents[i] = turned(contents[i - 1], TURN);
        }
        let peak = ((world.peak * CONTENTS as f64) as usize).min(CONTENTS - 1);
        let slate = |c: usize| {
            let mut s = contents.map(|x| exp(world.slate * (times(x, contents[2 * c]) - 1.0)));
            let sum: f64 = s.iter().sum();
            s.iter_mut().for_each(|x| *x /= sum);
            s
        };
        let even = [1.0 / CONTENTS as f64; CONTENTS];
        let mut slates: Vec<[f64; CONTENTS]> = (0..CENTRES).map(slate).collect();
        slates.push(even);
        let mind = |i: u64| {
            let place = draws
                .sequence(i, 0, purpose::CARROLL)
                .below(CONTENTS as u32);
            Mind {
                u: contents[place as usize],
                expects: even,
            }
        };
        let minds: Vec<Mind> = (0..setting.people as u64).map(mind).collect();
        Life {
            world,
            draws,
            contents,
            appeal: contents.map(|x| world.appeal * exp(8.0 * (times(x, contents[peak]) - 1.0))),
            slates,
            natural: minds.clone(),
            minds,
        }
    }

    /// Probabilities of what is taken from a slate, and the mean reaction.
    fn taken(&self, u: [f64; 2], slate: &[f64; CONTENTS]) -> ([f64; CONTENTS], f64) {
        let mut p = *slate;
        for (p, x) in p.iter_mut().zip(&self.contents) {
            *p *= exp(self.world.choice * (times(*x, u) - 1.0));
        }
        let sum: f64 = p.iter().sum();
        p.iter_mut().for_each(|x| *x /= sum);
        let react = |i: usize| times(self.contents[i], u) + self.appeal[i];
        let mean = p.iter().enumerate().map(|(i, p)| p * react(i)).sum();
        (p, mean)
    }

    fn after(&self, mind: &Mind, slate: &[f64; CONTENTS]) -> Mind {
        let w = &self.world;
        let mut next = *mind;
        let mut pull = [0.0; 2];
        for ((b, s), x) in next.expects.iter_mut().zip(slate).zip(&self.contents) {
            *b += w.memory * (s - *b);
            pull = [pull[0] + *b * x[0], pull[1] + *b * x[1]];
        }
        next.u = [mind.u[0] + w.rate * pull[0], mind.u[1] + w.rate * pull[1]];
        let length = times(next.u, next.u).sqrt();
        next.u = next.u.map(|x| x / length);
        next
    }

    /// The slate with the most of what the system wants, for a person at a step.
    fn chosen(&self, i: usize) -> &[f64; CONTENTS] {
        let even = &self.slates[CENTRES];
        let steps = match self.world.system {
            Planner::Even => return even,
            Planner::Myopic => 1,
            Planner::Planned | Planner::Safe => self.world.horizon,
        };
        let penalty = match self.world.system {
            Planner::Safe => self.world.penalty,
            _ => 0.0,
        };
        let gain = |slate: &[f64; CONTENTS]| {
            let (mut mind, mut natural, mut sum) = (self.minds[i], self.natural[i], 0.0);
            for _ in 0..steps {
                sum += self.taken(mind.u, slate).1;
                mind = self.after(&mind, slate);
                if penalty > 0.0 {
                    natural = self.after(&natural, even);
                    let apart = [mind.u[0] - natural.u[0], mind.u[1] - natural.u[1]];
                    sum -= penalty * times(apart, apart).sqrt();
                }
            }
            sum
        };
        // A system that must not disturb may leave it at an even slate.
        let best = self.slates.iter().map(|s| (gain(s), s));
        best.max_by(|a, b| a.0.total_cmp(&b.0))
            .map_or(even, |b| b.1)
    }
}

impl Running for Life {
    fn step(&mut self, t: u32, tell: &mut Tell<'_>) {
        for i in 0..self.minds.len() {
            let mut luck = self.draws.sequence(i as u64, t + 1, purpose::CARROLL);
            let slate = *self.chosen(i);
            let u = self.minds[i].u;
            let (p, _) = self.taken(u, &slate);
            let item = pick(&p, luck.uniform());
            self.minds[i] = self.after(&self.minds[i], &slate);
            self.natural[i] = self.after(&self.natural[i], &self.slates[CENTRES]);
            tell(Shown {
                reaction: Some(times(self.contents[item], u) + self.appeal[item]),
                propensity: Some(p[item]),
                ..Shown::new(i, item)
            });
        }
    }

    /// The cosine of the preference with the start of the half circle, −1 to 1.
    fn state(&self) -> Vec<f64> {
        self.minds.iter().map(|m| m.u[0]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::opinion::numbers::tests::{alone, end};
    use crate::feed::opinion::numbers::{Course, run};

    fn courses(world: Carroll) -> Vec<Course> {
        run(&world, &alone(60, 10, 3), 1, &|| {}).unwrap()
    }

    #[test]
    fn contents_go_round_the_half_circle() {
        let setting = Setting {
            people: 2,
            steps: 1,
            seed: 1,
            graph: None,
            friends: 0.0,
        };
        let life = Life::new(Carroll::default(), &setting);
        for (i, x) in life.contents.iter().enumerate() {
            let angle = std::f64::consts::PI * (i as f64 + 0.5) / CONTENTS as f64;
            assert!((x[0] - angle.cos()).abs() < 1e-12 && (x[1] - angle.sin()).abs() < 1e-12);
        }
    }

    /// The reported shape: planning ahead moves people farther from their natural course than the best
    /// for now, for more reaction; the trust region keeps them nearer, for less.
    #[test]
    fn planning_moves_people_and_the_safe_shift_holds_them() {
        let all = courses(Carroll::default());
        let [as_is, now, planned, safe, even] = &all[..] else {
            panic!()
        };
        let apart = |c: &Course| end(c, "from_natural");
        let row = |c: &Course| {
            format!(
                "{} apart {:.3} reaction {:.3}\n",
                c.arm,
                apart(c),
                end(c, "reaction")
            )
        };
        let table: String = all.iter().map(row).collect();
        assert_eq!(as_is.looks, planned.looks);
        assert!(apart(planned) > apart(now) + 0.02, "{table}");
        assert!(apart(safe) < 0.7 * apart(planned), "{table}");
        assert!(end(planned, "reaction") > end(safe, "reaction"), "{table}");
        assert!(end(safe, "reaction") > end(even, "reaction"), "{table}");
    }

    #[test]
    fn who_expects_nothing_new_moves_by_nature_alone() {
        let all = courses(Carroll {
            memory: 0.0,
            ..Carroll::default()
        });
        assert!(end(&all[0], "from_start") > 0.0);
        for course in &all {
            assert!(end(course, "from_natural") < 1e-12, "{}", course.arm);
        }
        for course in courses(Carroll {
            rate: 0.0,
            ..Carroll::default()
        }) {
            assert!(end(&course, "from_start") < 1e-12, "{}", course.arm);
        }
    }
}
