//! What came of a population, each harm a number of its own. `docs/feed.md` has the formulas.

use driftlead_stats::diversity::{Spread, agreement_a, bimodality_coefficient, dip, esteban_ray};
use serde::Serialize;

use super::influence::Split;
use super::life::{Arm, kept_weeks};
use super::phase::{Cell, Grid};
use super::population::{
    AS_IS, ArmTotals, BINS, LESS_PRESSURE, NO_LEARNER, POLICY_BINS, Totals, WeekTotals, stack,
};
use super::simplex::{Counts, Simplex};
use super::sums::{Estimate, LockCounts, Moments};
use crate::parts::Lens;
use crate::portable::{exp, ln};

/// Standard errors by which a change must exceed 0 to count for the Goodhart horizon.
const HORIZON_SE: f64 = 3.0;

/// Everything about a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Numbers {
    /// People.
    pub people: u64,
    /// Weeks.
    pub weeks: usize,
    /// Week by week, as it is.
    pub weekly: Vec<Weekly>,
    /// Echo chamber, filter bubble and influence, as it is and without a learner.
    pub exposure: [Exposure; 2],
    /// What each lens adds, as it is; nothing without lenses.
    pub lenses: Vec<LensPart>,
    /// People by probability of each content, at several weeks, as it is.
    pub policy: Vec<PolicyAt>,
    /// Where the first people end among three groups of contents; nothing with two contents.
    pub ends: Option<Simplex>,
    /// The phase diagram, if one was asked for.
    pub phase: Vec<Cell>,
    /// Lock-in, and where it comes from.
    pub lock_in: LockIn,
    /// Polarisation of the positions of people's last week.
    pub polarisation: Polarisation,
    /// Radicalisation: the weekly floor of the reaction.
    pub ratchet: Ratchet,
    /// Goodhart horizon.
    pub goodhart: Goodhart,
    /// What is left without the system.
    pub reversibility: Reversibility,
    /// The further arms against the world as it is.
    pub arms: Vec<Against>,
    /// Reaction and welfare of the last week in every arm that is a way to run the system.
    pub front: Vec<Point>,
}

/// People by the probability of each content at one time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PolicyAt {
    /// Week, or steps done, from 1.
    pub at: usize,
    /// For each content, people in 20 equal parts of [0, 1].
    pub contents: Vec<Vec<u64>>,
}

/// What one lens of the stack adds at the end, as a mean over people.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LensPart {
    /// Its name, or `masked`: the part of the prior that no lens shows any more.
    pub lens: String,
    /// Nats that it adds to the divergence from the prior; of `masked`, a share. A lens that undoes
    /// another adds less than 0.
    pub adds: Estimate,
}

/// One way to run the system, by its mean reaction and welfare per place in the last week.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Point {
    /// Name of the arm.
    pub arm: String,
    /// Reaction.
    pub reaction: f64,
    /// Welfare by the standard of the start.
    pub welfare: f64,
    /// Whether no other way has more of both.
    pub on_front: bool,
}

/// Means over people in one week, per place for something to be shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Weekly {
    /// Week, from 1.
    pub week: usize,
    /// Reaction.
    pub reaction: Estimate,
    /// Reward of the principal.
    pub reward: Estimate,
    /// Welfare by the standard of the start.
    pub welfare: Estimate,
    /// Welfare by the standard held at the time.
    pub welfare_now: Estimate,
    /// Share of places that met a hooked person.
    pub hooked: Estimate,
    /// Habit at the end of the week.
    pub habit: Estimate,
    /// λ at the end of the week.
    pub intention: Estimate,
    /// Displacement at the end of the week.
    pub displacement: Estimate,
    /// Lowest mean reaction of a day.
    pub floor: Estimate,
}

/// What people were shown in the last week.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Exposure {
    /// Name of the arm.
    pub arm: String,
    /// Mean share of each content.
    pub shares: Vec<f64>,
    /// Entropy of one person's contents in nats.
    pub entropy: Estimate,
    /// Effective number of contents of one person, exp(entropy).
    pub effective: Estimate,
    /// Effective number of contents of all people together.
    pub effective_of_all: f64,
    /// Overlap Σ min(p, q) of two people of the same profile.
    pub overlap_same_profile: Estimate,
    /// Overlap of two people of different profiles.
    pub overlap_other_profile: Estimate,
    /// I(U;A) and KL(π̄‖π₀) in nats.
    pub influence: Split,
    /// Share of people with more than 90 % of one content.
    pub locked: f64,
}

/// A figure with the standard error of a jackknife over groups of people.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Jackknifed {
    /// The figure.
    pub value: f64,
    /// Its standard error.
    pub se: f64,
}

/// Lock-in of the last week.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LockIn {
    /// Share of people with more than 90 % of one content.
    pub locked: Jackknifed,
    /// Part of the locked, to what they react to most without what exposure has added.
    pub to_own_best: Jackknifed,
    /// Part of the locked, elsewhere by luck alone: without sensitisation, at the same place.
    pub by_luck: Jackknifed,
    /// Part of the locked, elsewhere by sensitisation alone: without it, at their own best.
    pub by_sensitisation: Jackknifed,
    /// Part of the locked, elsewhere by both together.
    pub by_both: Jackknifed,
    /// D: chance that two people end with different contents.
    pub dispersion: Jackknifed,
    /// H: the part that people bring with them.
    pub heterogeneity: Jackknifed,
    /// C: chance that one person ends elsewhere with other luck, nobody sensitised.
    pub commitment: Jackknifed,
    /// E: what sensitisation adds to D; D = H + C + E.
    pub sensitisation: Jackknifed,
    /// Chance that one person ends elsewhere with other luck, as it is.
    pub path_dependence: Jackknifed,
}

/// Measures of one set of positions, each in its own sense; `None` where it is undefined.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Polarisation {
    /// People whose single positions were used for the first four.
    pub sample: usize,
    /// Variance.
    pub variance: Option<f64>,
    /// Mean absolute deviation.
    pub mean_absolute_deviation: Option<f64>,
    /// Mean distance of two people.
    pub mean_pairwise: Option<f64>,
    /// Bimodality coefficient; above 5/9 two modes are usual.
    pub bimodality: Option<f64>,
    /// Hartigans' dip.
    pub dip: Option<f64>,
    /// Van der Eijk's agreement over 20 bins, of all people.
    pub agreement: Option<f64>,
    /// Esteban & Ray's measure with α = 1 over 20 bins, of all people.
    pub esteban_ray: Option<f64>,
}

/// Last week's reaction as this week's floor.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ratchet {
    /// Mean slope of the weekly floor, per week.
    pub slope: Option<Estimate>,
    /// Mean part of weeks whose floor is above the one before; .5 without a trend.
    pub rises: Option<Estimate>,
}

/// The first week in which more pressure means more reward and less welfare.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Goodhart {
    /// That week, from 1.
    pub horizon_week: Option<usize>,
    /// Change of reward and welfare by week when the last tenth goes to the learner.
    pub by_week: Vec<[Estimate; 2]>,
}

/// What remains when nothing is shown any more.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reversibility {
    /// Mean displacement at the end of the last week with the system.
    pub at_end: f64,
    /// Mean displacement by week after it.
    pub after: Vec<f64>,
    /// Weeks until half of it is gone, by interpolation of logarithms; `None` if that was not seen.
    pub half_life_weeks: Option<f64>,
}

/// An arm against the world as it is, on the same people with the same luck, in the last week.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Against {
    /// Its name.
    pub arm: String,
    /// Reaction per place.
    pub reaction: Estimate,
    /// Welfare per place.
    pub welfare: Estimate,
    /// This arm's reaction less that of the world as it is.
    pub reaction_change: Estimate,
    /// This arm's welfare less that of the world as it is.
    pub welfare_change: Estimate,
    /// Mean over people of half the sum of |p − q| between the two last weeks.
    pub moved: Estimate,
    /// Effective number of contents per person.
    pub effective: Estimate,
    /// Share of locked people.
    pub locked: f64,
}

impl Numbers {
    /// From the sums of a run of these arms.
    pub fn of(arms: &[Arm], grid: Option<&Grid>, totals: &Totals) -> Option<Numbers> {
        let as_is = totals.arms.get(AS_IS)?;
        let without = totals.arms.get(NO_LEARNER)?;
        let exposure = |i: usize, sums: &ArmTotals| exposure(&arms[i], sums, totals.people);
        Some(Numbers {
            people: totals.people,
            weeks: as_is.weeks.len(),
            weekly: (1..).zip(&as_is.weeks).map(|(n, w)| weekly(n, w)).collect(),
            exposure: [exposure(AS_IS, as_is), exposure(NO_LEARNER, without)],
            lenses: lenses(&arms[AS_IS], as_is),
            policy: policy(arms, totals),
            ends: ends(arms, totals),
            phase: grid.map_or_else(Vec::new, |g| g.numbers(&totals.phase)),
            lock_in: lock_in(&totals.lock),
            polarisation: polarisation(arms, totals, as_is),
            ratchet: Ratchet {
                slope: some(&as_is.floor_slope),
                rises: some(&as_is.floor_rises),
            },
            goodhart: goodhart(totals.arms.get(LESS_PRESSURE)?),
            reversibility: reversibility(as_is),
            arms: (arms.iter().zip(&totals.arms).skip(1))
                .filter_map(|(arm, sums)| against(arm, sums, totals.people))
                .collect(),
            front: front(arms, totals),
        })
    }
}

fn some(m: &Moments) -> Option<Estimate> {
    (m.count() > 0).then(|| m.estimate())
}

fn weekly(week: usize, w: &WeekTotals) -> Weekly {
    Weekly {
        week,
        reaction: w.reaction.estimate(),
        reward: w.reward.estimate(),
        welfare: w.welfare.estimate(),
        welfare_now: w.welfare_now.estimate(),
        hooked: w.hooked.estimate(),
        habit: w.habit.estimate(),
        intention: w.intention.estimate(),
        displacement: w.displacement.estimate(),
        floor: w.floor.estimate(),
    }
}

fn exposure(arm: &Arm, sums: &ArmTotals, people: u64) -> Exposure {
    let k = arm.world.people.contents.len();
    let shares: Vec<f64> = (sums.exposure[..k].iter())
        .map(|s| s.value() / people as f64)
        .collect();
    let entropy: f64 = -(shares.iter())
        .filter(|p| **p > 0.0)
        .map(|p| p * ln(*p))
        .sum::<f64>();
    Exposure {
        arm: arm.name.clone(),
        influence: Split::of(sums.divergence.mean(), &shares, &stack(arm)[..k]),
        entropy: sums.entropy.estimate(),
        effective: sums.effective.estimate(),
        effective_of_all: exp(entropy),
        overlap_same_profile: sums.overlap_same.estimate(),
        overlap_other_profile: sums.overlap_other.estimate(),
        locked: sums.locked as f64 / people as f64,
        shares,
    }
}

fn lenses(arm: &Arm, sums: &ArmTotals) -> Vec<LensPart> {
    let parts = arm.world.stack.lenses.iter().zip(&sums.lenses);
    let mut all: Vec<LensPart> = parts
        .map(|(lens, nats)| LensPart {
            lens: lens.name().to_owned(),
            adds: nats.estimate(),
        })
        .collect();
    if !all.is_empty() {
        all.push(LensPart {
            lens: "masked".to_owned(),
            adds: sums.masked.estimate(),
        });
    }
    all
}

fn policy(arms: &[Arm], totals: &Totals) -> Vec<PolicyAt> {
    let weeks = arms.first().map_or(0, |a| a.world.weeks);
    let at = |(week, contents): (u32, &Vec<[u64; POLICY_BINS]>)| PolicyAt {
        at: week as usize + 1,
        contents: contents.iter().map(|bins| bins.to_vec()).collect(),
    };
    kept_weeks(weeks)
        .into_iter()
        .zip(&totals.policy)
        .map(at)
        .collect()
}

/// The distributions of the last week of the people that are kept one by one.
fn sample(totals: &Totals) -> impl Iterator<Item = Vec<f64>> + '_ {
    let of = |bits: &Vec<u64>| bits.iter().map(|b| f64::from_bits(*b)).collect();
    totals.sample.values().map(of)
}

/// Three contents as they are; of more, the two with the largest shares and the others together.
fn ends(arms: &[Arm], totals: &Totals) -> Option<Simplex> {
    let contents = &arms.first()?.world.people.contents;
    let shares = &totals.arms.first()?.exposure;
    let mut order: Vec<usize> = (0..contents.len()).collect();
    if contents.len() < 3 {
        return None;
    }
    if contents.len() > 3 {
        let share = |j: &usize| shares.get(*j).map_or(0.0, |s| s.value());
        order.sort_by(|a, b| share(b).total_cmp(&share(a)));
    }
    let [first, second, others @ ..] = order.as_slice() else {
        return None;
    };
    let name = |j: &usize| {
        contents
            .get(*j)
            .map_or_else(String::new, |c| c.name.clone())
    };
    let third = match others {
        [one] => name(one),
        _ => format!("the {} others", others.len()),
    };
    let mut counts = Counts::default();
    for p in sample(totals) {
        let of = |j: &usize| p.get(*j).copied().unwrap_or(0.0);
        counts.add([of(first), of(second), others.iter().map(of).sum()]);
    }
    Some(counts.named([name(first), name(second), third]))
}

fn lock_in(groups: &[LockCounts]) -> LockIn {
    let k = groups.first().map_or(0, |g| g.by_content.len());
    let all = || {
        let mut all = LockCounts::new(k);
        groups.iter().for_each(|g| all.merge(g));
        all
    };
    let whole = figures(&all());
    let used: Vec<&LockCounts> = groups.iter().filter(|g| g.people > 0).collect();
    let left_out: Vec<[f64; 10]> = (0..used.len())
        .map(|out| {
            let mut rest = LockCounts::new(k);
            let others = used.iter().enumerate().filter(|(i, _)| *i != out);
            others.for_each(|(_, g)| rest.merge(g));
            figures(&rest)
        })
        .collect();
    let of = |i: usize| {
        let n = left_out.len() as f64;
        let mean = left_out.iter().map(|f| f[i]).sum::<f64>() / n;
        let square: f64 = left_out.iter().map(|f| (f[i] - mean).powi(2)).sum();
        Jackknifed {
            value: whole[i],
            se: (square * (n - 1.0) / n).sqrt(),
        }
    };
    LockIn {
        locked: of(0),
        to_own_best: of(1),
        by_luck: of(2),
        by_sensitisation: of(3),
        by_both: of(4),
        dispersion: of(5),
        heterogeneity: of(6),
        commitment: of(7),
        sensitisation: of(8),
        path_dependence: of(9),
    }
}

/// In the order of [`LockIn`].
fn figures(c: &LockCounts) -> [f64; 10] {
    let n = c.people as f64;
    let part = |x: u64| match c.locked {
        0 => 0.0,
        all => x as f64 / all as f64,
    };
    // Chance that two different people end with different contents.
    let apart = |counts: &[u64]| {
        let same: f64 = counts.iter().map(|x| *x as f64 * (*x as f64 - 1.0)).sum();
        1.0 - same / (n * (n - 1.0)).max(1.0)
    };
    let (d, d0) = (apart(&c.by_content), apart(&c.by_content_frozen));
    let commitment = c.other_luck_frozen as f64 / n;
    [
        c.locked as f64 / n,
        part(c.to_own_best),
        part(c.by_luck),
        part(c.by_sensitisation),
        part(c.by_both),
        d,
        d0 - commitment,
        commitment,
        d - d0,
        c.other_luck as f64 / n,
    ]
}

fn polarisation(arms: &[Arm], totals: &Totals, as_is: &ArmTotals) -> Polarisation {
    let contents = arms.first().map(|a| &a.world.people.contents);
    let position = |p: Vec<f64>| -> f64 {
        let contents = contents.into_iter().flatten();
        contents.zip(&p).map(|(c, p)| c.position * p).sum()
    };
    let x: Vec<f64> = sample(totals).map(position).collect();
    let spread = Spread::of(&x).ok();
    let n = totals.people as f64;
    let shares = as_is.histogram.map(|c| c as f64 / n);
    let centre = |i: usize| -1.0 + (2.0 * i as f64 + 1.0) / BINS as f64;
    let positions: Vec<f64> = (0..BINS).map(centre).collect();
    Polarisation {
        sample: x.len(),
        variance: spread.map(|s| s.variance),
        mean_absolute_deviation: spread.map(|s| s.mean_absolute_deviation),
        mean_pairwise: spread.map(|s| s.mean_pairwise),
        bimodality: bimodality_coefficient(&x).ok(),
        dip: dip(&x).ok(),
        agreement: agreement_a(&as_is.histogram).ok(),
        esteban_ray: esteban_ray(&shares, &positions, 1.0).ok(),
    }
}

fn goodhart(less: &ArmTotals) -> Goodhart {
    let by_week: Vec<[Estimate; 2]> = (less.weeks.iter())
        .map(|w| [w.reward_less.estimate(), w.welfare_less.estimate()])
        .collect();
    let beyond = |e: &Estimate, sign: f64| e.se.is_some_and(|se| sign * e.mean > HORIZON_SE * se);
    let found = by_week
        .iter()
        .position(|[g, w]| beyond(g, 1.0) && beyond(w, -1.0));
    Goodhart {
        horizon_week: found.map(|w| w + 1),
        by_week,
    }
}

fn reversibility(as_is: &ArmTotals) -> Reversibility {
    let at_end = as_is.weeks.last().map_or(0.0, |w| w.displacement.mean());
    let after: Vec<f64> = as_is.after.iter().map(Moments::mean).collect();
    Reversibility {
        half_life_weeks: half_life(at_end, &after),
        at_end,
        after,
    }
}

/// Steps until the course from `start` over `after` has reached half of `start`.
fn half_life(start: f64, after: &[f64]) -> Option<f64> {
    if start <= 0.0 {
        return None;
    }
    let half = 0.5 * start;
    let mut before = start;
    for (i, now) in after.iter().enumerate() {
        if *now <= half {
            let way = match *now > 0.0 {
                true => ln(before / half) / ln(before / now),
                false => 1.0,
            };
            return Some(i as f64 + way);
        }
        before = *now;
    }
    None
}

/// Arms with other luck or without sensitisation are no ways to run a system.
fn front(arms: &[Arm], totals: &Totals) -> Vec<Point> {
    let mut points: Vec<Point> = (arms.iter().zip(&totals.arms).enumerate())
        .filter(|(i, _)| *i == AS_IS || *i >= NO_LEARNER)
        .filter_map(|(_, (arm, sums))| {
            let last = sums.weeks.last()?;
            Some(Point {
                arm: arm.name.clone(),
                reaction: last.reaction.mean(),
                welfare: last.welfare.mean(),
                on_front: false,
            })
        })
        .collect();
    mark_front(&mut points);
    points
}

/// Says of each way whether no other has more of both.
pub(super) fn mark_front(points: &mut [Point]) {
    let places: Vec<(f64, f64)> = points.iter().map(|p| (p.reaction, p.welfare)).collect();
    for p in points {
        let beaten =
            |(reaction, welfare): &(f64, f64)| *reaction > p.reaction && *welfare > p.welfare;
        p.on_front = !places.iter().any(beaten);
    }
}

fn against(arm: &Arm, sums: &ArmTotals, people: u64) -> Option<Against> {
    let last = sums.weeks.last()?;
    let turned = |m: &Moments| {
        let e = m.estimate();
        Estimate { mean: -e.mean, ..e }
    };
    Some(Against {
        arm: arm.name.clone(),
        reaction: last.reaction.estimate(),
        welfare: last.welfare.estimate(),
        reaction_change: turned(&last.reaction_less),
        welfare_change: turned(&last.welfare_less),
        moved: sums.moved.estimate(),
        effective: sums.effective.estimate(),
        locked: sums.locked as f64 / people as f64,
    })
}

#[cfg(test)]
mod tests;
