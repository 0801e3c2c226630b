//! Many people through several arms at once: the same people, and, where arms say so, the same luck.
//!
//! What is kept are sums of integers (see [`super::sums`]): memory grows with arms and weeks and not
//! with people, and the sums are the same at any number of threads.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::influence::divergence;
use super::learner::{Rule, soft};
use super::life::{Arm, Life, Week, World, kept_weeks, live};
use super::phase::{CellSums, Grid};
use super::sums::{Fixed, LockCounts, Moments};
use crate::checkpoint::{CheckpointError, Identity};
use crate::parts::MAX_CONTENTS;
use crate::rounds::{self, Control, End, Sums};

/// A person is locked when one content has more than this of the last week.
pub const LOCKED: f64 = 0.9;
/// Groups of people for the uncertainty of lock-in: person number modulo this.
pub const GROUPS: usize = 20;
/// Bins of positions.
pub const BINS: usize = 20;
/// Bins of the probability of a content.
pub const POLICY_BINS: usize = 20;
/// First people whose last week is kept, for measures that need single values.
pub const SAMPLE: u64 = 4096;

/// The arms that every run has, in order. Further arms follow them.
pub const AS_IS: usize = 0;
/// The same people with other luck.
pub const OTHER_LUCK: usize = 1;
/// Exposure adds nothing to reactions; the luck of [`AS_IS`].
pub const FROZEN: usize = 2;
/// Exposure adds nothing; the luck of [`OTHER_LUCK`].
pub const FROZEN_OTHER_LUCK: usize = 3;
/// Nothing learns and nobody governs: the stack is shown.
pub const NO_LEARNER: usize = 4;
/// A tenth more of what is shown is drawn evenly.
pub const LESS_PRESSURE: usize = 5;
/// Part of exposures that [`LESS_PRESSURE`] takes from the learner.
pub const PRESSURE_STEP: f64 = 0.1;
/// Number of these arms.
pub const FIXED_ARMS: usize = 6;

/// The arms that every run of a world has.
pub fn fixed_arms(world: &World) -> Vec<Arm> {
    let arm = |name: &str, frozen, replica| Arm {
        name: name.to_owned(),
        world: World {
            after_weeks: 0,
            ..world.clone()
        },
        frozen,
        replica,
    };
    let mut arms = vec![
        arm("as it is", false, 0),
        arm("other luck", false, 1),
        arm("nobody sensitised", true, 0),
        arm("nobody sensitised, other luck", true, 1),
        arm("no learner", false, 0),
        arm("a tenth drawn evenly", false, 0),
    ];
    arms[AS_IS].world.after_weeks = world.after_weeks;
    arms[NO_LEARNER].world.rule = Rule::None;
    arms[NO_LEARNER].world.levers = Default::default();
    let floor = &mut arms[LESS_PRESSURE].world.levers.floor;
    *floor = 1.0 - (1.0 - *floor) * (1.0 - PRESSURE_STEP);
    arms
}

/// Sums of one week.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WeekTotals {
    /// See [`Week`].
    pub reaction: Moments,
    /// See [`Week`].
    pub reward: Moments,
    /// See [`Week`].
    pub welfare: Moments,
    /// See [`Week`].
    pub welfare_now: Moments,
    /// See [`Week`].
    pub hooked: Moments,
    /// See [`Week`].
    pub floor: Moments,
    /// See [`Week`].
    pub displacement: Moments,
    /// See [`Week`].
    pub habit: Moments,
    /// See [`Week`].
    pub intention: Moments,
    /// Reward of [`AS_IS`] less this arm's, person by person.
    pub reward_less: Moments,
    /// Welfare of [`AS_IS`] less this arm's.
    pub welfare_less: Moments,
    /// Reaction of [`AS_IS`] less this arm's.
    pub reaction_less: Moments,
}

/// Sums of one arm.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ArmTotals {
    /// By week.
    pub weeks: Vec<WeekTotals>,
    /// Mean distribution of the last week, summed over people.
    pub exposure: [Fixed; MAX_CONTENTS],
    /// Entropy of a person's last week in nats.
    pub entropy: Moments,
    /// Its exponential: the effective number of contents.
    pub effective: Moments,
    /// Overlap Σ min(p, q) of two people of the same profile.
    pub overlap_same: Moments,
    /// Overlap of two people of different profiles.
    pub overlap_other: Moments,
    /// Mean position of a person's last week.
    pub position: Moments,
    /// People by position.
    pub histogram: [u64; BINS],
    /// Divergence of a person's last week from the stack, in nats.
    pub divergence: Moments,
    /// Nats that each lens adds to the divergence from the prior, at the end.
    pub lenses: Vec<Moments>,
    /// Part of the prior that is masked at the end.
    pub masked: Moments,
    /// Half the sum of |p − q| between this arm and [`AS_IS`].
    pub moved: Moments,
    /// Locked people.
    pub locked: u64,
    /// Slope of the weekly floor, per week.
    pub floor_slope: Moments,
    /// Part of the weeks from the second whose floor is above the one before.
    pub floor_rises: Moments,
    /// Displacement by week without the system.
    pub after: Vec<Moments>,
}

/// Sums of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// People.
    pub people: u64,
    /// By arm.
    pub arms: Vec<ArmTotals>,
    /// Lock-in by group of people.
    pub lock: Vec<LockCounts>,
    /// People under [`AS_IS`] by kept week, content and probability of that content; people who were
    /// shown nothing in that week are in none.
    pub policy: Vec<Vec<[u64; POLICY_BINS]>>,
    /// Sums by cell of the phase diagram; none without one.
    pub phase: Vec<CellSums>,
    /// Distributions of the last week of the first people under [`AS_IS`], as bits.
    pub sample: BTreeMap<u64, Vec<u64>>,
}

/// Runs people `0..people` through the arms; the first ones must be [`fixed_arms`]. The first people
/// go through the cells of `grid` too.
///
/// # Errors
/// For checkpoints that cannot be read, written or do not belong to this run.
pub fn run(
    arms: &[Arm],
    grid: Option<&Grid>,
    people: u64,
    seed: u64,
    control: &Control<'_>,
) -> Result<End<Totals>, CheckpointError> {
    let first = arms.first().map(|a| &a.world);
    let steps = first.map_or(0, |w| w.weeks * w.people.week_steps);
    let of = Identity {
        run: format!("clusters people={people} steps={steps} seed={seed}"),
        settings: format!("{arms:?} {grid:?}"),
    };
    let cells = first.zip(grid).map_or_else(Vec::new, |(w, g)| g.arms(w));
    let in_cells = grid.map_or(0, |g| g.people.min(people));
    let pair = |sums: &mut Totals, first| {
        sums.pair(arms, seed, first, people);
        for number in first..(first + 2).min(in_cells) {
            for (sums, cell) in sums.phase.iter_mut().zip(&cells) {
                sums.live(cell, seed, number);
            }
        }
    };
    let empty = || Totals {
        phase: vec![CellSums::default(); cells.len()],
        ..Totals::new(arms)
    };
    rounds::go(&of, people, control, &empty, &pair)
}

impl Sums for Totals {
    fn people(&self) -> u64 {
        self.people
    }

    fn merge(&mut self, other: Totals) {
        self.people += other.people;
        for (a, b) in self.arms.iter_mut().zip(&other.arms) {
            a.merge(b);
        }
        for (a, b) in self.lock.iter_mut().zip(&other.lock) {
            a.merge(b);
        }
        for (a, b) in (self.policy.iter_mut().flatten()).zip(other.policy.iter().flatten()) {
            a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        }
        for (a, b) in self.phase.iter_mut().zip(&other.phase) {
            a.merge(b);
        }
        self.sample.extend(other.sample);
    }

    fn fits(&self, empty: &Totals) -> bool {
        let shape = |t: &Totals| {
            let arms = t.arms.iter().map(|a| (a.weeks.len(), a.after.len()));
            let lock = (t.lock.iter()).map(|l| (l.by_content.len(), l.by_content_frozen.len()));
            let policy = t.policy.iter().map(Vec::len);
            (
                arms.collect::<Vec<_>>(),
                lock.collect::<Vec<_>>(),
                policy.collect::<Vec<_>>(),
            )
        };
        shape(self) == shape(empty) && self.phase.len() == empty.phase.len()
    }
}

impl Totals {
    fn new(arms: &[Arm]) -> Self {
        let k = arms.first().map_or(0, |a| a.world.people.contents.len());
        let empty = |arm: &Arm| ArmTotals {
            weeks: vec![WeekTotals::default(); arm.world.weeks as usize],
            after: vec![Moments::default(); arm.world.after_weeks as usize],
            lenses: vec![Moments::default(); arm.world.stack.lenses.len()],
            ..ArmTotals::default()
        };
        Totals {
            people: 0,
            arms: arms.iter().map(empty).collect(),
            lock: vec![LockCounts::new(k); GROUPS],
            policy: (arms.first())
                .map_or_else(Vec::new, |a| kept_weeks(a.world.weeks))
                .iter()
                .map(|_| vec![[0; POLICY_BINS]; k])
                .collect(),
            phase: Vec::new(),
            sample: BTreeMap::new(),
        }
    }

    /// Two people, so that overlaps need nobody else.
    fn pair(&mut self, arms: &[Arm], seed: u64, first: u64, people: u64) {
        let lives = |u: u64| -> Vec<Life> { arms.iter().map(|a| live(a, seed, u)).collect() };
        let one = lives(first);
        self.person(arms, first, &one);
        if first + 1 < people {
            let two = lives(first + 1);
            self.person(arms, first + 1, &two);
            for ((sums, a), b) in self.arms.iter_mut().zip(&one).zip(&two) {
                let least = a.exposure.iter().zip(&b.exposure).map(|(p, q)| p.min(*q));
                let overlap = least.sum();
                match a.profile == b.profile {
                    true => sums.overlap_same.add(overlap),
                    false => sums.overlap_other.add(overlap),
                }
            }
        }
    }

    fn person(&mut self, arms: &[Arm], number: u64, lives: &[Life]) {
        self.people += 1;
        let Some(as_is) = lives.first() else { return };
        for ((sums, arm), life) in self.arms.iter_mut().zip(arms).zip(lives) {
            sums.add(arm, life, as_is);
        }
        if number < SAMPLE {
            let k = arms.first().map_or(0, |a| a.world.people.contents.len());
            let bits = as_is.exposure.iter().take(k).map(|p| p.to_bits());
            self.sample.insert(number, bits.collect());
        }
        for (histograms, p) in self.policy.iter_mut().zip(&as_is.course) {
            if p.iter().sum::<f64>() > 0.0 {
                for (histogram, p) in histograms.iter_mut().zip(p) {
                    let bin = (p * POLICY_BINS as f64) as usize;
                    histogram[bin.min(POLICY_BINS - 1)] += 1;
                }
            }
        }
        let group = (number % GROUPS as u64) as usize;
        if let [as_is, other, frozen, frozen_other, ..] = lives {
            count(&mut self.lock[group], as_is, other, frozen, frozen_other);
        }
    }
}

fn count(lock: &mut LockCounts, as_is: &Life, other: &Life, frozen: &Life, frozen_other: &Life) {
    let (last, unmoved) = (as_is.last(), frozen.last());
    lock.people += 1;
    lock.by_content[last] += 1;
    lock.by_content_frozen[unmoved] += 1;
    lock.other_luck += u64::from(last != other.last());
    lock.other_luck_frozen += u64::from(unmoved != frozen_other.last());
    if as_is.exposure[last] <= LOCKED {
        return;
    }
    lock.locked += 1;
    let cause = if last == as_is.best {
        &mut lock.to_own_best
    } else if last == unmoved {
        &mut lock.by_luck
    } else if unmoved == as_is.best {
        &mut lock.by_sensitisation
    } else {
        &mut lock.by_both
    };
    *cause += 1;
}

fn position(arm: &Arm, life: &Life) -> f64 {
    let contents = arm.world.people.contents.iter();
    contents
        .zip(&life.exposure)
        .map(|(c, p)| c.position * p)
        .sum()
}

impl ArmTotals {
    fn add(&mut self, arm: &Arm, life: &Life, as_is: &Life) {
        for ((sums, week), as_is) in self.weeks.iter_mut().zip(&life.weeks).zip(&as_is.weeks) {
            sums.add(week, as_is);
        }
        let k = arm.world.people.contents.len();
        let p = &life.exposure[..k];
        for (sum, x) in self.exposure.iter_mut().zip(p) {
            sum.add(*x);
        }
        let entropy = -p
            .iter()
            .filter(|p| **p > 0.0)
            .map(|p| p * crate::portable::ln(*p))
            .sum::<f64>();
        self.entropy.add(entropy);
        self.effective.add(crate::portable::exp(entropy));
        self.divergence.add(divergence(p, &stack(arm)[..k]));
        for (sums, nats) in self.lenses.iter_mut().zip(&life.lenses) {
            sums.add(*nats);
        }
        self.masked.add(life.masked);
        let moved = p.iter().zip(&as_is.exposure).map(|(p, q)| (p - q).abs());
        self.moved.add(0.5 * moved.sum::<f64>());
        self.locked += u64::from(life.exposure[life.last()] > LOCKED);
        let position = position(arm, life);
        self.position.add(position);
        let bin = ((position + 1.0) * 0.5 * BINS as f64) as usize;
        self.histogram[bin.min(BINS - 1)] += 1;
        self.ratchet(&life.weeks);
        for (sums, x) in self.after.iter_mut().zip(&life.after) {
            sums.add(*x);
        }
    }

    fn ratchet(&mut self, weeks: &[Week]) {
        let n = weeks.len() as f64;
        if weeks.len() < 2 {
            return;
        }
        let middle = (n - 1.0) / 2.0;
        let (mut xy, mut xx) = (0.0, 0.0);
        for (i, week) in weeks.iter().enumerate() {
            let x = i as f64 - middle;
            xy += x * week.floor;
            xx += x * x;
        }
        self.floor_slope.add(xy / xx);
        let rises = weeks.windows(2).filter(|w| w[1].floor > w[0].floor).count();
        self.floor_rises.add(rises as f64 / (n - 1.0));
    }

    fn merge(&mut self, other: &ArmTotals) {
        for (a, b) in self.weeks.iter_mut().zip(&other.weeks) {
            a.merge(b);
        }
        for (a, b) in self.exposure.iter_mut().zip(&other.exposure) {
            a.merge(*b);
        }
        for (a, b) in self.histogram.iter_mut().zip(&other.histogram) {
            *a += b;
        }
        for (a, b) in self.after.iter_mut().zip(&other.after) {
            a.merge(b);
        }
        for (a, b) in self.lenses.iter_mut().zip(&other.lenses) {
            a.merge(b);
        }
        self.masked.merge(&other.masked);
        self.entropy.merge(&other.entropy);
        self.effective.merge(&other.effective);
        self.overlap_same.merge(&other.overlap_same);
        self.overlap_other.merge(&other.overlap_other);
        self.position.merge(&other.position);
        self.divergence.merge(&other.divergence);
        self.moved.merge(&other.moved);
        self.floor_slope.merge(&other.floor_slope);
        self.floor_rises.merge(&other.floor_rises);
        self.locked += other.locked;
    }
}

/// The distribution of the stack before anything was shown.
pub(super) fn stack(arm: &Arm) -> [f64; MAX_CONTENTS] {
    let k = arm.world.people.contents.len();
    let (mut base, mut p) = ([0.0; MAX_CONTENTS], [0.0; MAX_CONTENTS]);
    arm.world
        .stack
        .log_weights(&[0.0; MAX_CONTENTS][..k], &mut base[..k]);
    soft(&base[..k], &[0.0; MAX_CONTENTS][..k], &mut p[..k]);
    p
}

impl WeekTotals {
    fn add(&mut self, week: &Week, as_is: &Week) {
        self.reaction.add(week.reaction);
        self.reward.add(week.reward);
        self.welfare.add(week.welfare);
        self.welfare_now.add(week.welfare_now);
        self.hooked.add(week.hooked);
        self.floor.add(week.floor);
        self.displacement.add(week.displacement);
        self.habit.add(week.habit);
        self.intention.add(week.intention);
        self.reward_less.add(as_is.reward - week.reward);
        self.welfare_less.add(as_is.welfare - week.welfare);
        self.reaction_less.add(as_is.reaction - week.reaction);
    }

    fn merge(&mut self, other: &WeekTotals) {
        self.reaction.merge(&other.reaction);
        self.reward.merge(&other.reward);
        self.welfare.merge(&other.welfare);
        self.welfare_now.merge(&other.welfare_now);
        self.hooked.merge(&other.hooked);
        self.floor.merge(&other.floor);
        self.displacement.merge(&other.displacement);
        self.habit.merge(&other.habit);
        self.intention.merge(&other.intention);
        self.reward_less.merge(&other.reward_less);
        self.welfare_less.merge(&other.welfare_less);
        self.reaction_less.merge(&other.reaction_less);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::feed::life::tests::world;

    pub(crate) fn whole(arms: &[Arm], people: u64) -> Totals {
        let end = run(arms, None, people, 1, &Control::default()).unwrap();
        assert!(end.complete);
        end.sums
    }

    #[test]
    fn the_sums_do_not_depend_on_the_threads() {
        let mut world = world();
        world.weeks = 2;
        let arms = fixed_arms(&world);
        let go = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.unwrap().install(|| whole(&arms, 33))
        };
        let (one, three) = (go(1), go(3));
        assert_eq!(one, three);
        assert_eq!(one.people, 33);
        assert_eq!(one.sample.len(), 33);
        assert_eq!(one.lock.iter().map(|l| l.people).sum::<u64>(), 33);
        let pairs = &one.arms[AS_IS];
        let (same, other) = (pairs.overlap_same.count(), pairs.overlap_other.count());
        assert_eq!(same + other, 16, "the last person has no partner");
        let counted = |week: usize| one.policy[week][0].iter().sum::<u64>();
        assert_eq!((one.policy.len(), counted(0), counted(1)), (2, 33, 33));
    }

    #[test]
    fn frozen_people_are_not_displaced_and_no_learner_locks_nobody() {
        let totals = whole(&fixed_arms(&world()), 60);
        let last = |arm: usize| totals.arms[arm].weeks.last().unwrap();
        assert_eq!(last(FROZEN).displacement.mean(), 0.0);
        assert!(last(AS_IS).displacement.mean() > 0.1);
        assert_eq!(totals.arms[NO_LEARNER].locked, 0);
        assert!(totals.arms[NO_LEARNER].divergence.mean().abs() < 1e-9);
        let less = totals.arms[LESS_PRESSURE].effective.mean();
        assert!(less > totals.arms[AS_IS].effective.mean());
        // An arm less itself is nothing.
        assert_eq!(last(AS_IS).reward_less.mean(), 0.0);
        assert_eq!(totals.arms[AS_IS].moved.mean(), 0.0);
    }
}
