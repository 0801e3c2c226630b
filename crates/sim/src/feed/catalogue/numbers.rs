//! Many people of a catalogue through several arms, and what came of it. Sums are integers (see
//! [`crate::feed::sums`]): the same bytes at any number of threads, and no memory per person.

use rayon::prelude::*;
use serde::Serialize;

use super::{Items, Life, Rule, Week, World, cosine, entropy, live};
use crate::feed::sums::{Estimate, Fixed, Moments};
use crate::portable::{exp, ln};

/// Pairs of people between two calls of the progress report.
const ROUND: u64 = 256;

/// A world under a name. All arms have the same items, people and luck.
#[derive(Debug, Clone, PartialEq)]
pub struct Arm {
    /// What is different.
    pub name: String,
    /// The world.
    pub world: World,
}

/// The arms of a world: as it is; nobody moves; nothing learnt; the other principal; everything
/// retrieved; and the other rules with the same constants. An arm that would be the world as it is, is
/// left out.
pub fn arms(world: &World) -> Vec<Arm> {
    let arm = |name: &str, change: &dyn Fn(&mut World)| {
        let mut world = world.clone();
        change(&mut world);
        let name = name.to_owned();
        Arm { name, world }
    };
    let (now, reflecting) = ("person now", "person reflecting");
    let other = if world.reflecting { now } else { reflecting };
    let mut all = vec![
        arm("as it is", &|_| ()),
        arm("nobody moves", &|w| w.mover.rule = None),
        arm("nothing learnt", &|w| w.alpha = 0.0),
        arm(other, &|w| w.reflecting = !w.reflecting),
        arm("everything retrieved", &|w| w.retrieve = None),
    ];
    for rule in Rule::ALL {
        all.push(arm(rule.name(), &|w| w.mover.rule = Some(rule)));
    }
    let mut is_first = true;
    all.retain(|a| std::mem::take(&mut is_first) || a.world != *world);
    all
}

/// One week, means over people.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Weekly {
    /// From 1.
    pub week: usize,
    /// Per item shown.
    pub reaction: Estimate,
    /// Per item shown: worth on reflection.
    pub welfare: Estimate,
    /// 1 − cos(u, u₀).
    pub moved: Estimate,
    /// cos(u, s) − cos(u₀, s), s the mean of what was shown so far.
    pub toward: Estimate,
    /// ‖u‖.
    pub strength: Estimate,
}

/// What came of an arm.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArmNumbers {
    /// Its name.
    pub arm: String,
    /// By week.
    pub weekly: Vec<Weekly>,
    /// People nearer to what they were shown than they began.
    pub nearer: f64,
    /// exp H(p_u): effective number of items of a person.
    pub effective: Estimate,
    /// exp H(π̄): effective number of items of all people together.
    pub effective_common: f64,
    /// Σ min(p_u, p_v) of persons 2i and 2i+1; nothing below two people.
    pub overlap: Option<Estimate>,
    /// Candidates of a step.
    pub candidates: Estimate,
    /// H(π̄) − mean H(p_u) in nats: what is personal in what is shown.
    pub personal: f64,
    /// ln I − H(π̄) in nats: what everybody gets alike.
    pub common: f64,
    /// cos(u_2i, u_2i+1) at the start; nothing below two people.
    pub alike_first: Option<Estimate>,
    /// The same at the end.
    pub alike_last: Option<Estimate>,
    /// Reaction of the last week less that of the world as it is, person by person.
    pub reaction_change: Estimate,
    /// Welfare of the last week less that of the world as it is.
    pub welfare_change: Estimate,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct WeekSums {
    reaction: Moments,
    welfare: Moments,
    moved: Moments,
    toward: Moments,
    strength: Moments,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Sums {
    weeks: Vec<WeekSums>,
    exposure: Vec<Fixed>,
    nearer: u64,
    people: u64,
    entropy: Moments,
    effective: Moments,
    overlap: Moments,
    candidates: Moments,
    alike_first: Moments,
    alike_last: Moments,
    reaction_change: Moments,
    welfare_change: Moments,
}

/// Runs people `0..people` through the arms, of which the first is the world as it is. `progress` is
/// told how many people are done.
pub fn run(
    arms: &[Arm],
    people: u64,
    seed: u64,
    progress: &(dyn Fn(u64) + Sync),
) -> Vec<ArmNumbers> {
    let Some(as_is) = arms.first() else {
        return Vec::new();
    };
    let items = Items::new(&as_is.world, seed);
    let empty = || -> Vec<Sums> { arms.iter().map(|a| Sums::new(&a.world)).collect() };
    let merge = |mut a: Vec<Sums>, b: Vec<Sums>| {
        a.iter_mut().zip(&b).for_each(|(a, b)| a.merge(b));
        a
    };
    let mut totals = empty();
    let pairs = people.div_ceil(2);
    let mut from = 0;
    while from < pairs {
        let to = (from + ROUND).min(pairs);
        let part = (from..to)
            .into_par_iter()
            .fold(empty, |mut sums, pair| {
                add_pair(&mut sums, arms, &items, seed, 2 * pair, people);
                sums
            })
            .reduce(empty, merge);
        totals = merge(totals, part);
        from = to;
        progress((2 * to).min(people));
    }
    (arms.iter().zip(&totals))
        .map(|(arm, sums)| sums.numbers(&arm.name))
        .collect()
}

/// Two people, so that overlaps need nobody else.
fn add_pair(sums: &mut [Sums], arms: &[Arm], items: &Items, seed: u64, first: u64, people: u64) {
    let lives = |u: u64| -> Vec<Life> {
        arms.iter()
            .map(|a| live(&a.world, items, seed, u))
            .collect()
    };
    let one = lives(first);
    add_person(sums, &one);
    if first + 1 < people {
        let two = lives(first + 1);
        add_person(sums, &two);
        for ((sums, a), b) in sums.iter_mut().zip(&one).zip(&two) {
            let least = a.exposure.iter().zip(&b.exposure).map(|(p, q)| p.min(*q));
            sums.overlap.add(least.sum());
            sums.alike_first.add(cosine(&a.first, &b.first));
            sums.alike_last.add(cosine(&a.last, &b.last));
        }
    }
}

fn add_person(sums: &mut [Sums], lives: &[Life]) {
    let Some(as_is) = lives.first() else { return };
    for (sums, life) in sums.iter_mut().zip(lives) {
        sums.add(life, as_is);
    }
}

impl Sums {
    fn new(world: &World) -> Self {
        Sums {
            weeks: vec![WeekSums::default(); world.weeks as usize],
            exposure: vec![Fixed::default(); world.items],
            ..Sums::default()
        }
    }

    fn add(&mut self, life: &Life, as_is: &Life) {
        self.people += 1;
        for (sums, week) in self.weeks.iter_mut().zip(&life.weeks) {
            sums.add(week);
        }
        for (sum, p) in self.exposure.iter_mut().zip(&life.exposure) {
            sum.add(*p);
        }
        let h = entropy(&life.exposure);
        self.entropy.add(h);
        self.effective.add(exp(h));
        self.candidates.add(life.candidates);
        if let (Some(week), Some(base)) = (life.weeks.last(), as_is.weeks.last()) {
            self.nearer += u64::from(week.toward > 0.0);
            self.reaction_change.add(week.reaction - base.reaction);
            self.welfare_change.add(week.welfare - base.welfare);
        }
    }

    fn merge(&mut self, other: &Sums) {
        for (a, b) in self.weeks.iter_mut().zip(&other.weeks) {
            a.merge(b);
        }
        for (a, b) in self.exposure.iter_mut().zip(&other.exposure) {
            a.merge(*b);
        }
        self.nearer += other.nearer;
        self.people += other.people;
        self.entropy.merge(&other.entropy);
        self.effective.merge(&other.effective);
        self.overlap.merge(&other.overlap);
        self.candidates.merge(&other.candidates);
        self.alike_first.merge(&other.alike_first);
        self.alike_last.merge(&other.alike_last);
        self.reaction_change.merge(&other.reaction_change);
        self.welfare_change.merge(&other.welfare_change);
    }

    fn numbers(&self, arm: &str) -> ArmNumbers {
        let n = self.people.max(1) as f64;
        let mean: Vec<f64> = self.exposure.iter().map(|s| s.value() / n).collect();
        let common = entropy(&mean);
        let some = |m: &Moments| (m.count() > 0).then(|| m.estimate());
        ArmNumbers {
            arm: arm.to_owned(),
            weekly: (self.weeks.iter().enumerate())
                .map(|(i, week)| week.numbers(i + 1))
                .collect(),
            nearer: self.nearer as f64 / n,
            effective: self.effective.estimate(),
            effective_common: exp(common),
            overlap: some(&self.overlap),
            candidates: self.candidates.estimate(),
            personal: (common - self.entropy.mean()).max(0.0),
            common: (ln(mean.len().max(1) as f64) - common).max(0.0),
            alike_first: some(&self.alike_first),
            alike_last: some(&self.alike_last),
            reaction_change: self.reaction_change.estimate(),
            welfare_change: self.welfare_change.estimate(),
        }
    }
}

impl WeekSums {
    fn add(&mut self, week: &Week) {
        self.reaction.add(week.reaction);
        self.welfare.add(week.welfare);
        self.moved.add(week.moved);
        self.toward.add(week.toward);
        self.strength.add(week.strength);
    }

    fn merge(&mut self, other: &WeekSums) {
        self.reaction.merge(&other.reaction);
        self.welfare.merge(&other.welfare);
        self.moved.merge(&other.moved);
        self.toward.merge(&other.toward);
        self.strength.merge(&other.strength);
    }

    fn numbers(&self, week: usize) -> Weekly {
        Weekly {
            week,
            reaction: self.reaction.estimate(),
            welfare: self.welfare.estimate(),
            moved: self.moved.estimate(),
            toward: self.toward.estimate(),
            strength: self.strength.estimate(),
        }
    }
}
