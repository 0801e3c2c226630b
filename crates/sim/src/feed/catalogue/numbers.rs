//! Many people of a catalogue through several arms, and what came of it. Sums are integers (see
//! [`crate::feed::sums`]): the same bytes at any number of threads, and no memory per person.

use serde::{Deserialize, Serialize};

use super::arms::{AS_IS, Arm, OTHER_LUCK, STILL, STILL_OTHER_LUCK};
use super::{Items, Life, Prepared, Week, World, cosine, entropy, live, live_and_tell};
use crate::checkpoint::{CheckpointError, Identity};
use crate::feed::life::kept_weeks;
use crate::feed::numbers::{Point, PolicyAt, mark_front};
use crate::feed::population::POLICY_BINS;
use crate::feed::simplex::{Counts, Simplex};
use crate::feed::sums::{Estimate, Fixed, Moments};
use crate::portable::{exp, ln};
use crate::rounds::{self, Control, End};

/// Names of the thirds of items by what they are worth to the person who is shown them.
pub const THIRDS: [&str; 3] = [
    "the third worth most",
    "the middle third",
    "the third worth least",
];

/// Everything about a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Numbers {
    /// By arm.
    pub arms: Vec<ArmNumbers>,
    /// People by probability of each of the [`THIRDS`], at several weeks, as it is.
    pub policy: Vec<PolicyAt>,
    /// Where people end among the [`THIRDS`].
    pub ends: Simplex,
    /// What makes two people end with different items; nothing below two people.
    pub parts: Option<Parts>,
    /// Reaction and welfare of the last week in every arm that is a way to run the system.
    pub front: Vec<Point>,
}

/// Why two people are shown different items in the last week: D = H + C + E, where the distance of two
/// distributions is 1 − Σ min(p, q).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Parts {
    /// D: distance of two people.
    pub dispersion: Estimate,
    /// H: what people bring with them.
    pub heterogeneity: Estimate,
    /// C: distance of one person under two lucks, nobody moved.
    pub commitment: Estimate,
    /// E: what being moved adds.
    pub moved: Estimate,
    /// Distance of one person under two lucks, as it is.
    pub path_dependence: Estimate,
}

/// One week, means over people.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Weekly {
    /// From 1.
    pub week: usize,
    /// Per place for an item.
    pub reaction: Estimate,
    /// Per place for an item: worth on reflection.
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

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct WeekSums {
    reaction: Moments,
    welfare: Moments,
    moved: Moments,
    toward: Moments,
    strength: Moments,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
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

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct PartSums {
    dispersion: Moments,
    heterogeneity: Moments,
    commitment: Moments,
    moved: Moments,
    path_dependence: Moments,
}

/// Sums of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    people: u64,
    arms: Vec<Sums>,
    policy: Vec<Vec<[u64; POLICY_BINS]>>,
    ends: Counts,
    parts: PartSums,
}

/// Runs people `0..people` through the arms, of which the first are those of [`super::arms::arms`].
///
/// # Errors
/// For checkpoints that cannot be read, written or do not belong to this run.
pub fn run(
    arms: &[Arm],
    people: u64,
    seed: u64,
    control: &Control<'_>,
) -> Result<End<Totals>, CheckpointError> {
    let steps = arms
        .first()
        .map_or(0, |a| a.world.weeks * a.world.week_steps());
    let of = Identity {
        run: format!("catalogue people={people} steps={steps} seed={seed}"),
        settings: format!("{arms:?}"),
    };
    let items = arms.first().map(|a| Items::new(&a.world, seed));
    let prepared: Vec<(&Arm, Prepared<'_>)> = (items.iter())
        .flat_map(|items| {
            arms.iter()
                .map(move |a| (a, Prepared::new(&a.world, items, seed)))
        })
        .collect();
    let pair = |sums: &mut Totals, first| sums.pair(&prepared, seed, first, people);
    rounds::go(&of, people, control, &|| Totals::new(arms), &pair)
}

impl rounds::Sums for Totals {
    fn people(&self) -> u64 {
        self.people
    }

    fn merge(&mut self, other: Totals) {
        self.people += other.people;
        for (a, b) in self.arms.iter_mut().zip(&other.arms) {
            a.merge(b);
        }
        for (a, b) in (self.policy.iter_mut().flatten()).zip(other.policy.iter().flatten()) {
            a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        }
        self.ends.merge(&other.ends);
        self.parts.merge(&other.parts);
    }

    fn fits(&self, empty: &Totals) -> bool {
        let shape = |t: &Totals| {
            let arms = t.arms.iter().map(|a| (a.weeks.len(), a.exposure.len()));
            let policy = t.policy.iter().map(Vec::len);
            (arms.collect::<Vec<_>>(), policy.collect::<Vec<_>>())
        };
        shape(self) == shape(empty) && self.ends.fits(&empty.ends)
    }
}

impl Totals {
    fn new(arms: &[Arm]) -> Self {
        let weeks = arms.first().map_or(0, |a| a.world.weeks);
        Totals {
            people: 0,
            arms: arms.iter().map(|a| Sums::new(&a.world)).collect(),
            policy: vec![vec![[0; POLICY_BINS]; THIRDS.len()]; kept_weeks(weeks).len()],
            ends: Counts::default(),
            parts: PartSums::default(),
        }
    }

    /// Two people, so that overlaps need nobody else.
    fn pair(&mut self, arms: &[(&Arm, Prepared<'_>)], seed: u64, first: u64, people: u64) {
        let lives = |u: u64| -> Vec<Life> {
            let one = |(i, (arm, of)): (usize, &(&Arm, Prepared<'_>))| match i {
                AS_IS => live_and_tell(of, seed, arm.replica, u, true, &mut |_| {}),
                _ => live(of, seed, arm.replica, u),
            };
            arms.iter().enumerate().map(one).collect()
        };
        let one = lives(first);
        self.person(&one);
        if first + 1 < people {
            let two = lives(first + 1);
            self.person(&two);
            for ((sums, a), b) in self.arms.iter_mut().zip(&one).zip(&two) {
                sums.overlap.add(1.0 - distance(a, b));
                sums.alike_first.add(cosine(&a.first, &b.first));
                sums.alike_last.add(cosine(&a.last, &b.last));
            }
            self.parts.add(&one, &two);
        }
    }

    fn person(&mut self, lives: &[Life]) {
        self.people += 1;
        let Some(as_is) = lives.first() else { return };
        for (sums, life) in self.arms.iter_mut().zip(lives) {
            sums.add(life, as_is);
        }
        for (histograms, p) in self.policy.iter_mut().zip(&as_is.thirds) {
            if p.iter().sum::<f64>() > 0.0 {
                for (histogram, p) in histograms.iter_mut().zip(p) {
                    let bin = (p * POLICY_BINS as f64) as usize;
                    histogram[bin.min(POLICY_BINS - 1)] += 1;
                }
            }
        }
        if let Some(last) = as_is.thirds.last() {
            self.ends.add(*last);
        }
    }

    /// What came of it.
    pub fn numbers(&self, arms: &[Arm]) -> Numbers {
        let weeks = arms.first().map_or(0, |a| a.world.weeks);
        let at = |(week, thirds): (u32, &Vec<[u64; POLICY_BINS]>)| PolicyAt {
            at: week as usize + 1,
            contents: thirds.iter().map(|bins| bins.to_vec()).collect(),
        };
        let point = |(arm, sums): (&Arm, &Sums)| {
            let last = sums.weeks.last()?;
            Some(Point {
                arm: arm.name.clone(),
                reaction: last.reaction.mean(),
                welfare: last.welfare.mean(),
                on_front: false,
            })
        };
        let ways = arms.iter().zip(&self.arms).filter(|(a, _)| a.is_way);
        let mut front: Vec<Point> = ways.filter_map(point).collect();
        mark_front(&mut front);
        Numbers {
            arms: (arms.iter().zip(&self.arms))
                .map(|(arm, sums)| sums.numbers(&arm.name))
                .collect(),
            policy: kept_weeks(weeks)
                .into_iter()
                .zip(&self.policy)
                .map(at)
                .collect(),
            ends: self.ends.named(THIRDS.map(str::to_owned)),
            parts: (self.parts.dispersion.count() > 0).then(|| self.parts.numbers()),
            front,
        }
    }
}

/// 1 − Σ min(p, q) of two last weeks.
fn distance(a: &Life, b: &Life) -> f64 {
    let least = a.exposure.iter().zip(&b.exposure).map(|(p, q)| p.min(*q));
    1.0 - least.sum::<f64>()
}

impl PartSums {
    fn add(&mut self, one: &[Life], two: &[Life]) {
        let between = |arm: usize| Some(distance(one.get(arm)?, two.get(arm)?));
        let within = |a: usize, b: usize| {
            let of = |lives: &[Life]| Some(distance(lives.get(a)?, lives.get(b)?));
            Some(0.5 * (of(one)? + of(two)?))
        };
        if let (Some(all), Some(still), Some(luck), Some(path)) = (
            between(AS_IS),
            between(STILL),
            within(STILL, STILL_OTHER_LUCK),
            within(AS_IS, OTHER_LUCK),
        ) {
            self.dispersion.add(all);
            self.heterogeneity.add(still - luck);
            self.commitment.add(luck);
            self.moved.add(all - still);
            self.path_dependence.add(path);
        }
    }

    fn merge(&mut self, other: &PartSums) {
        self.dispersion.merge(&other.dispersion);
        self.heterogeneity.merge(&other.heterogeneity);
        self.commitment.merge(&other.commitment);
        self.moved.merge(&other.moved);
        self.path_dependence.merge(&other.path_dependence);
    }

    fn numbers(&self) -> Parts {
        Parts {
            dispersion: self.dispersion.estimate(),
            heterogeneity: self.heterogeneity.estimate(),
            commitment: self.commitment.estimate(),
            moved: self.moved.estimate(),
            path_dependence: self.path_dependence.estimate(),
        }
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
