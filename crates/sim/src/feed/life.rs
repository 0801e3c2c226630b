//! One person through one run of the `clusters` world.

use super::clusters::People;
use super::governor::Levers;
use super::kernel::{Setting, step};
use super::learner::{Learner, Rule};
use super::lens::{Stack, remember};
use super::luck::Luck;
use super::principal::Who;
use crate::parts::{Governor, MAX_CONTENTS, Person};

/// Days in a week.
pub const WEEK: u32 = 7;
/// Most weeks whose distributions are kept.
const KEPT: u64 = 6;

/// A world: people, and the system that learns from each of them.
#[derive(Debug, Clone, PartialEq)]
pub struct World {
    /// What the people have in common.
    pub people: People,
    /// What is shown before anybody learns.
    pub stack: Stack,
    /// What learns.
    pub rule: Rule,
    /// Who provides the reward.
    pub principal: Who,
    /// The levers.
    pub levers: Levers,
    /// Places for something to be shown per day, ≥ 1.
    pub day_steps: u32,
    /// Weeks, ≥ 1.
    pub weeks: u32,
    /// Weeks without the system after the last one.
    pub after_weeks: u32,
}

/// One way to run a world on the same people.
#[derive(Debug, Clone, PartialEq)]
pub struct Arm {
    /// Its name.
    pub name: String,
    /// The world.
    pub world: World,
    /// Whether exposure adds nothing to reactions.
    pub frozen: bool,
    /// Number of the luck; arms with the same number share all draws.
    pub replica: u64,
}

/// Means over the places of a week, shown or not, unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Week {
    /// Reaction; 0 where nothing is shown.
    pub reaction: f64,
    /// The principal's reward; 0 where nothing is shown.
    pub reward: f64,
    /// Welfare by the standard of the start.
    pub welfare: f64,
    /// Welfare by the standard held at the time.
    pub welfare_now: f64,
    /// Share of places before which the person was hooked.
    pub hooked: f64,
    /// Lowest mean reaction of a day to what was shown; 0 when nothing was.
    pub floor: f64,
    /// Displacement of the slow state at the end of the week.
    pub displacement: f64,
    /// Habit at the end of the week.
    pub habit: f64,
    /// λ at the end of the week.
    pub intention: f64,
}

/// What is kept of a person's run.
#[derive(Debug, Clone, PartialEq)]
pub struct Life {
    /// Number of the profile.
    pub profile: usize,
    /// Week by week.
    pub weeks: Vec<Week>,
    /// Mean distribution over contents that was drawn from in the last week.
    pub exposure: [f64; MAX_CONTENTS],
    /// The same in each of the [`kept_weeks`]; zeros where nothing was shown.
    pub course: Vec<[f64; MAX_CONTENTS]>,
    /// The content that the person reacts to most in the states of the last week, without what
    /// exposure has added.
    pub best: usize,
    /// Nats that each lens adds to the divergence from the prior, at the end of the last week.
    pub lenses: Vec<f64>,
    /// Part of the prior that is masked then.
    pub masked: f64,
    /// Displacement at the end of each week without the system.
    pub after: Vec<f64>,
}

impl Life {
    /// The content with the largest part of the last week.
    pub fn last(&self) -> usize {
        largest(&self.exposure)
    }
}

fn largest(x: &[f64]) -> usize {
    (0..x.len()).fold(0, |best, j| if x[j] > x[best] { j } else { best })
}

/// Weeks, from 0, whose distributions are kept: the first, the last, and up to four between, evenly.
///
/// ```
/// use driftlead_sim::feed::life::kept_weeks;
/// assert_eq!(kept_weeks(1), [0]);
/// assert_eq!(kept_weeks(12), [0, 2, 4, 6, 8, 11]);
/// ```
pub fn kept_weeks(weeks: u32) -> Vec<u32> {
    let last = u64::from(weeks.saturating_sub(1));
    let mut kept: Vec<u32> = (0..KEPT).map(|i| (i * last / (KEPT - 1)) as u32).collect();
    kept.dedup();
    kept
}

/// One thing shown and the reaction to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shown {
    /// Day, from 0.
    pub day: u32,
    /// Place in the day, from 0.
    pub place: u32,
    /// Number of the content.
    pub content: usize,
    /// Probability with which it was shown.
    pub propensity: f64,
    /// The reaction.
    pub reaction: f64,
}

/// Runs person `number` under `seed`.
pub fn live(arm: &Arm, seed: u64, number: u64) -> Life {
    live_and_tell(arm, seed, number, &mut |_| {})
}

/// The same, with everything that is shown told as it happens.
pub fn live_and_tell(arm: &Arm, seed: u64, number: u64, tell: &mut impl FnMut(Shown)) -> Life {
    let world = &arm.world;
    let k = world.people.contents.len();
    let luck = Luck::new(seed, number);
    let mut person = world.people.person(&mut luck.birth(), arm.frozen);
    let luck = luck.replica(arm.replica);
    let mut learner = Learner::new(world.rule, k);
    let mut trace = [0.0; MAX_CONTENTS];
    let mut base = [0.0; MAX_CONTENTS];
    world.stack.log_weights(&trace[..k], &mut base[..k]);
    let looks_back = world.stack.looks_back();
    let mut life = Life {
        profile: person.profile(),
        weeks: Vec::with_capacity(world.weeks as usize),
        exposure: [0.0; MAX_CONTENTS],
        course: Vec::new(),
        best: 0,
        lenses: Vec::new(),
        masked: 0.0,
        after: Vec::new(),
    };
    let mut occupied = [0.0; 3];
    let kept = kept_weeks(world.weeks);
    let mut t = 0;
    for in_week in 0..world.weeks {
        let last = in_week + 1 == world.weeks;
        let is_kept = kept.get(life.course.len()) == Some(&in_week);
        let (mut served, mut served_places) = ([0.0; MAX_CONTENTS], 0.0);
        let mut week = Week {
            floor: f64::INFINITY,
            ..Week::default()
        };
        for day in 0..WEEK {
            let (mut reactions, mut shown) = (0.0, 0u32);
            for place in 0..world.day_steps {
                week.hooked += if person.hooked() { 1.0 } else { 0.0 };
                if last {
                    occupied[person.state()] += 1.0;
                }
                let draws = luck.step(t);
                if !world.levers.shows(in_week * WEEK + day, place) {
                    week.welfare -= person.cost();
                    week.welfare_now -= person.cost();
                    person.rest(draws.state);
                    t += 1;
                    continue;
                }
                if looks_back {
                    world.stack.log_weights(&trace[..k], &mut base[..k]);
                }
                let setting = Setting {
                    base: &base[..k],
                    principal: &world.principal,
                    governor: &world.levers,
                    evidence: 1.0,
                };
                let mut further = luck.further(t);
                let o = step(&mut person, &mut learner, &setting, draws, &mut || {
                    further.uniform()
                });
                remember(&mut trace[..k], o.content);
                tell(Shown {
                    day: in_week * WEEK + day,
                    place,
                    content: o.content,
                    propensity: o.propensity,
                    reaction: o.signal.reaction,
                });
                week.reaction += o.signal.reaction;
                week.reward += o.reward;
                week.welfare += o.welfare;
                week.welfare_now += o.welfare_now;
                reactions += o.signal.reaction;
                shown += 1;
                if is_kept {
                    let sums = served.iter_mut().zip(&o.served);
                    sums.for_each(|(sum, p)| *sum += p);
                    served_places += 1.0;
                }
                t += 1;
            }
            if shown > 0 {
                week.floor = week.floor.min(reactions / f64::from(shown));
            }
        }
        if is_kept {
            if served_places > 0.0 {
                served.iter_mut().for_each(|p| *p /= served_places);
            }
            life.course.push(served);
        }
        life.weeks.push(finish(week, world, &person));
    }
    life.exposure = life.course.last().copied().unwrap_or_default();
    let mut score = [f64::NEG_INFINITY; MAX_CONTENTS];
    for (j, s) in score[..k].iter_mut().enumerate() {
        *s = (0..3).map(|x| occupied[x] * person.unmoved(x, j)).sum();
    }
    life.best = largest(&score);
    (life.lenses, life.masked) = world.stack.contributions(&trace[..k]);
    for _ in 0..world.after_weeks {
        for _ in 0..WEEK * world.day_steps {
            person.rest(luck.step(t).state);
            t += 1;
        }
        life.after.push(person.displacement());
    }
    life
}

fn finish(sums: Week, world: &World, person: &super::clusters::OnePerson<'_>) -> Week {
    let places = f64::from(WEEK * world.day_steps);
    Week {
        reaction: sums.reaction / places,
        reward: sums.reward / places,
        welfare: sums.welfare / places,
        welfare_now: sums.welfare_now / places,
        hooked: sums.hooked / places,
        floor: if sums.floor.is_finite() {
            sums.floor
        } else {
            0.0
        },
        displacement: person.displacement(),
        habit: person.habit(),
        intention: person.intention(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::feed::clusters::tests::people;
    use crate::feed::learner::Baseline;

    pub(crate) fn world() -> World {
        World {
            people: people(),
            stack: Stack {
                prior: vec![0.25; 4],
                lenses: Vec::new(),
            },
            rule: Rule::Reinforce {
                alpha: 0.08,
                baseline: Baseline::Welford,
                kl: 0.0,
            },
            principal: Who::PersonNow,
            levers: Levers::default(),
            day_steps: 10,
            weeks: 6,
            after_weeks: 2,
        }
    }

    pub(crate) fn arm(world: World) -> Arm {
        Arm {
            name: "test".to_owned(),
            world,
            frozen: false,
            replica: 0,
        }
    }

    #[test]
    fn a_life_is_a_function_of_seed_person_and_replica() {
        let mut arm = arm(world());
        let first = live(&arm, 1, 5);
        assert_eq!(first, live(&arm, 1, 5));
        assert_ne!(first, live(&arm, 1, 6));
        assert_ne!(first, live(&arm, 2, 5));
        arm.replica = 1;
        let other = live(&arm, 1, 5);
        assert_ne!(first.exposure, other.exposure);
        assert_eq!(
            first.profile, other.profile,
            "the same person with other luck"
        );
        let sum: f64 = first.exposure.iter().sum();
        assert!((sum - 1.0).abs() < 1e-9);
        assert_eq!((first.weeks.len(), first.after.len()), (6, 2));
    }

    #[test]
    fn without_a_learner_the_stack_is_shown() {
        let mut world = world();
        world.rule = Rule::None;
        world.stack.prior = vec![0.4, 0.3, 0.2, 0.1];
        let life = live(&arm(world), 1, 0);
        for (p, want) in life.exposure.iter().zip([0.4, 0.3, 0.2, 0.1]) {
            assert!((p - want).abs() < 1e-12);
        }
    }

    #[test]
    fn a_day_without_anything_shown_has_no_reaction() {
        let mut world = world();
        world.levers.daily = 0;
        let life = live(&arm(world), 1, 0);
        assert!(
            life.weeks
                .iter()
                .all(|w| w.reaction == 0.0 && w.floor == 0.0)
        );
        assert!(life.weeks.iter().all(|w| w.displacement == 0.0));
    }
}
