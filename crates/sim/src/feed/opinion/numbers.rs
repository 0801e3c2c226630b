//! Runs the arms of a world and measures what comes of them.
//!
//! Every replicate is the same world with other luck; within one, arms share people, friends and luck.
//! Replicates run side by side and are added in order, so that results are the same bytes at any number
//! of threads. Memory grows with the people of one replicate, not with steps.

use std::sync::Arc;

use driftlead_stats::diversity::{Spread, agreement_a, bimodality_coefficient, dip, esteban_ray};
use rayon::prelude::*;
use serde::Serialize;

use super::graph::Network;
use super::purpose;
use super::vector::{mean_distance, principal_positions};
use super::world::{Arm, Running, Setting, Shown, World};
use crate::draw::Draws;
use crate::feed::sums::{Estimate, Moments};
use crate::portable::{exp, ln};

/// Times at which a run is looked at, beside its start.
pub const LOOKS: u32 = 12;
/// Bins of positions, for van der Eijk's A, Esteban–Ray and camps.
const BINS: usize = 20;
/// The dip is computed of this many people at most.
const DIP_PEOPLE: usize = 4096;

/// What is measured of every world, in order.
pub const MEASURES: [&str; 16] = [
    "mean",
    "mean_abs",
    "majority",
    "variance",
    "mean_absolute_deviation",
    "bimodality",
    "dip",
    "agreement",
    "esteban_ray",
    "camps",
    "activity_correlation",
    "from_start",
    "from_natural",
    "jaccard",
    "effective_items",
    "reaction",
];
/// Index of a measure that the text needs.
const FROM_NATURAL: usize = 12;

/// A value over replicates; none where no replicate has it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Named {
    /// Its name: one of [`MEASURES`], `value`, or one of the world's own.
    pub name: &'static str,
    /// Mean over replicates and its standard error.
    pub estimate: Option<Estimate>,
}

/// One look at a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Look {
    /// Steps done.
    pub step: u32,
    /// What was measured.
    pub numbers: Vec<Named>,
}

impl Look {
    /// A value by name.
    pub fn get(&self, name: &str) -> Option<Estimate> {
        self.numbers.iter().find(|n| n.name == name)?.estimate
    }
}

/// The course of an arm.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Course {
    /// What is different in it.
    pub arm: &'static str,
    /// Whether the other arms are held against it.
    pub natural: bool,
    /// From the start (step 0) to the end.
    pub looks: Vec<Look>,
}

/// How large a run is.
#[derive(Debug, Clone, PartialEq)]
pub struct Size {
    /// People, at least 2.
    pub people: usize,
    /// Steps, at least 1.
    pub steps: u32,
    /// Replicates, at least 1.
    pub replicates: u32,
    /// Friends.
    pub network: Option<Network>,
    /// Share of what is shown that friends pass on.
    pub friends: f64,
}

/// Runs every arm in every replicate. `done` hears of each finished replicate.
///
/// # Errors
/// A sentence, if there is no network of so many people.
pub fn run(
    world: &dyn World,
    size: &Size,
    seed: u64,
    done: &(dyn Fn() + Sync),
) -> Result<Vec<Course>, String> {
    let arms = world.arms();
    let replicate = |r: u32| {
        let setting = setting(size, seed, r)?;
        let rows = one(&arms, &setting);
        done();
        Ok(rows)
    };
    let all: Vec<Vec<Vec<Row>>> = (0..size.replicates)
        .into_par_iter()
        .map(replicate)
        .collect::<Result<_, String>>()?;
    let times = times(size.steps);
    let course = |(a, arm): (usize, &Arm)| Course {
        arm: arm.name,
        natural: arm.natural,
        looks: (times.iter().enumerate())
            .map(|(k, step)| look(*step, all.iter().filter_map(|r| r.get(a)?.get(k))))
            .collect(),
    };
    Ok(arms.iter().enumerate().map(course).collect())
}

/// What replicate `r` is started with.
///
/// # Errors
/// A sentence, if there is no network of so many people.
pub fn setting(size: &Size, seed: u64, r: u32) -> Result<Setting, String> {
    let mut luck = Draws::new(seed).sequence(r.into(), 0, purpose::REPLICATE);
    let seed = u64::from(luck.bits()) << 32 | u64::from(luck.bits());
    let graph = match &size.network {
        Some(network) => Some(Arc::new(network.graph(size.people, seed)?)),
        None => None,
    };
    Ok(Setting {
        people: size.people,
        steps: size.steps,
        seed,
        graph,
        friends: size.friends,
    })
}

/// Steps at which a run is looked at, from 0.
fn times(steps: u32) -> Vec<u32> {
    let at = |k: u32| (u64::from(k) * u64::from(steps)).div_ceil(LOOKS.into()) as u32;
    let mut all: Vec<u32> = (0..=LOOKS).map(at).collect();
    all.dedup();
    all
}

/// Values of one look in one replicate: those of [`MEASURES`], the value, and the world's own.
struct Row {
    common: [Option<f64>; MEASURES.len()],
    value: Option<f64>,
    more: Vec<(&'static str, f64)>,
}

fn look<'a>(step: u32, rows: impl Iterator<Item = &'a Row>) -> Look {
    let mut names: Vec<&'static str> = MEASURES.to_vec();
    names.push("value");
    let mut sums = vec![Moments::default(); names.len()];
    for row in rows {
        let values = row.common.iter().copied().chain([row.value]);
        let add = |(m, v): (&mut Moments, Option<f64>)| {
            if let Some(x) = v.filter(|x| x.is_finite()) {
                m.add(x);
            }
        };
        sums.iter_mut().zip(values).for_each(add);
        for (name, x) in row.more.iter().filter(|(_, x)| x.is_finite()) {
            let at = names.iter().position(|n| n == name).unwrap_or_else(|| {
                names.push(name);
                sums.push(Moments::default());
                names.len() - 1
            });
            if let Some(m) = sums.get_mut(at) {
                m.add(*x);
            }
        }
    }
    let named = |(name, m): (&'static str, Moments)| Named {
        name,
        estimate: (m.count() > 0).then(|| m.estimate()),
    };
    Look {
        step,
        numbers: names.into_iter().zip(sums).map(named).collect(),
    }
}

/// All arms of one replicate: rows by arm and look.
fn one(arms: &[Arm], setting: &Setting) -> Vec<Vec<Row>> {
    let mut lives: Vec<(Vec<Row>, Vec<Vec<f64>>)> = (arms.par_iter())
        .map(|arm| life(arm.world.as_ref(), setting))
        .collect();
    let natural = arms.iter().position(|a| a.natural);
    let reference = natural.and_then(|n| lives.get(n)).map(|l| l.1.clone());
    if let Some(reference) = reference {
        for (rows, states) in &mut lives {
            for ((row, state), natural) in rows.iter_mut().zip(states).zip(&reference) {
                row.common[FROM_NATURAL] = mean_distance(state, natural, setting.people);
            }
        }
    }
    lives.into_iter().map(|(rows, _)| rows).collect()
}

/// One arm: a row per look, and the states that it was of.
fn life(world: &dyn World, setting: &Setting) -> (Vec<Row>, Vec<Vec<f64>>) {
    let mut running = world.start(setting);
    let first = running.state();
    let (mut rows, mut states) = (Vec::new(), Vec::new());
    let mut window = Window::new(setting.people);
    let mut t = 0;
    for until in times(setting.steps) {
        while t < until {
            running.step(t, &mut |shown| window.add(&shown));
            t += 1;
        }
        let state = running.state();
        rows.push(row(world, running.as_ref(), &state, &first, &mut window));
        states.push(state);
    }
    (rows, states)
}

fn row(
    world: &dyn World,
    running: &dyn Running,
    state: &[f64],
    first: &[f64],
    window: &mut Window,
) -> Row {
    let people = window.items.len();
    let x = principal_positions(state, people);
    let n = x.len().max(1) as f64;
    let spread = Spread::of(&x).ok();
    let mean = |f: &dyn Fn(f64) -> f64| x.iter().map(|v| f(*v)).sum::<f64>() / n;
    let [low, high] = world.scale();
    let counts = histogram(&x, low, high);
    let shares = counts.map(|c| c as f64 / n);
    let centre = |i: usize| -1.0 + (2.0 * i as f64 + 1.0) / BINS as f64;
    let positions: Vec<f64> = (0..BINS).map(centre).collect();
    let middle = 0.5 * (low + high);
    let above = mean(&|v| if v > middle { 1.0 } else { 0.0 });
    let distance: Vec<f64> = x.iter().map(|v| (v - middle).abs()).collect();
    let seen = window.take();
    Row {
        common: [
            Some(mean(&|v| v)),
            Some(mean(&|v| (v - middle).abs())),
            Some(above.max(1.0 - above)),
            spread.map(|s| s.variance),
            spread.map(|s| s.mean_absolute_deviation),
            bimodality_coefficient(&x).ok(),
            dip(x.get(..DIP_PEOPLE).unwrap_or(&x)).ok(),
            agreement_a(&counts).ok(),
            esteban_ray(&shares, &positions, 1.0).ok(),
            Some(camps(&counts) as f64),
            running.activity().and_then(|a| correlation(a, &distance)),
            mean_distance(state, first, people),
            None,
            seen.jaccard.filter(|_| world.common_items()),
            seen.effective,
            seen.reaction,
        ],
        value: seen.value,
        more: running.more(),
    }
}

fn histogram(x: &[f64], low: f64, high: f64) -> [u64; BINS] {
    let mut counts = [0; BINS];
    for v in x {
        let at = ((v - low) / (high - low) * BINS as f64).clamp(0.0, BINS as f64 - 1.0);
        counts[at as usize] += 1;
    }
    counts
}

/// Peaks of the histogram, smoothed by ¼, ½, ¼, with a valley between any two that is below half of the
/// smaller one; peaks below a fiftieth of the people do not count.
pub fn camps(counts: &[u64]) -> usize {
    let at = |i: usize| counts.get(i).copied().unwrap_or(0) as f64;
    let smooth = |i: usize| {
        let before = i.checked_sub(1).map_or(0.0, at);
        0.25 * before + 0.5 * at(i) + 0.25 * at(i + 1)
    };
    let least = 0.02 * counts.iter().sum::<u64>() as f64;
    let (mut found, mut peak, mut valley) = (0, 0.0f64, f64::INFINITY);
    // Walks upward to a peak and down to a valley; a rise to twice the valley starts another camp.
    for h in (0..counts.len()).map(smooth) {
        valley = valley.min(h);
        if found == 0 || (valley < 0.5 * peak && valley < 0.5 * h) {
            if h > least {
                found += 1;
                (peak, valley) = (h, h);
            }
        } else if h > peak {
            (peak, valley) = (h, h);
        }
    }
    found
}

fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let n = a.len() as f64;
    let mean = |x: &[f64]| x.iter().sum::<f64>() / n;
    let (ma, mb) = (mean(a), mean(b));
    let covariance = |x: &[f64], mx: f64, y: &[f64], my: f64| {
        x.iter()
            .zip(y)
            .map(|(x, y)| (x - mx) * (y - my))
            .sum::<f64>()
            / n
    };
    let scale = covariance(a, ma, a, ma) * covariance(b, mb, b, mb);
    (scale > 1e-24).then(|| covariance(a, ma, b, mb) / scale.sqrt())
}

/// What was shown since the last look.
struct Window {
    items: Vec<Vec<u32>>,
    reaction: Moments,
    value: Moments,
}

struct Seen {
    jaccard: Option<f64>,
    effective: Option<f64>,
    reaction: Option<f64>,
    value: Option<f64>,
}

impl Window {
    fn new(people: usize) -> Self {
        Window {
            items: vec![Vec::new(); people],
            reaction: Moments::default(),
            value: Moments::default(),
        }
    }

    fn add(&mut self, shown: &Shown) {
        if let Some(items) = self.items.get_mut(shown.person) {
            items.push(u32::try_from(shown.item).unwrap_or(u32::MAX));
        }
        if let Some(x) = shown.reaction {
            self.reaction.add(x);
        }
        if let Some(x) = shown.value {
            self.value.add(x);
        }
    }

    /// The numbers of the window, which is empty after it.
    fn take(&mut self) -> Seen {
        let (mut jaccard, mut effective) = (Moments::default(), Moments::default());
        self.items.iter_mut().for_each(|v| v.sort_unstable());
        for v in self.items.iter().filter(|v| !v.is_empty()) {
            let n = v.len() as f64;
            let of = |run: &[u32]| -(run.len() as f64 / n) * ln(run.len() as f64 / n);
            effective.add(exp(v.chunk_by(|a, b| a == b).map(of).sum()));
        }
        self.items.iter_mut().for_each(Vec::dedup);
        for pair in self.items.chunks_exact(2) {
            if let [a, b] = pair
                && !(a.is_empty() && b.is_empty())
            {
                let both = a.iter().filter(|i| b.binary_search(i).is_ok()).count();
                jaccard.add(both as f64 / (a.len() + b.len() - both) as f64);
            }
        }
        self.items.iter_mut().for_each(Vec::clear);
        let some = |m: &Moments| (m.count() > 0).then(|| m.mean());
        let seen = Seen {
            jaccard: some(&jaccard),
            effective: some(&effective),
            reaction: some(&self.reaction),
            value: some(&self.value),
        };
        (self.reaction, self.value) = (Moments::default(), Moments::default());
        seen
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A run without friends.
    pub(crate) fn alone(people: usize, steps: u32, replicates: u32) -> Size {
        Size {
            people,
            steps,
            replicates,
            network: None,
            friends: 0.0,
        }
    }

    /// A measure at the end.
    pub(crate) fn end(course: &Course, name: &str) -> f64 {
        course.looks.last().unwrap().get(name).unwrap().mean
    }

    #[test]
    fn looks_end_with_the_run() {
        assert_eq!(times(1), [0, 1]);
        assert_eq!(times(24), [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24]);
        assert_eq!(times(1000).last(), Some(&1000));
    }

    #[test]
    fn camps_are_peaks_with_a_valley_between() {
        assert_eq!(camps(&[0, 0, 50, 50, 0, 0, 0, 0]), 1);
        assert_eq!(camps(&[50, 0, 0, 0, 0, 0, 0, 50]), 2);
        assert_eq!(camps(&[50, 40, 0, 0, 0, 30, 0, 0, 0, 50]), 3);
        assert_eq!(camps(&[10; 20]), 1, "even spread is no camps");
        assert_eq!(
            camps(&[20, 18, 17, 18, 20, 18, 17, 18]),
            1,
            "shallow valleys"
        );
        assert_eq!(camps(&[1000, 0, 0, 0, 0, 0, 0, 9]), 1, "nine of a thousand");
    }

    #[test]
    fn what_was_shown_is_counted_by_window() {
        let mut window = Window::new(3);
        for (person, item) in [(0, 1), (0, 1), (0, 2), (1, 2), (1, 3), (2, 9)] {
            window.add(&Shown {
                reaction: Some(item as f64),
                ..Shown::new(person, item)
            });
        }
        let seen = window.take();
        assert!(
            (seen.jaccard.unwrap() - 1.0 / 3.0).abs() < 1e-9,
            "{{1, 2}} and {{2, 3}}"
        );
        assert_eq!(seen.reaction, Some(3.0));
        assert_eq!(seen.value, None);
        let first =
            (-(2.0 / 3.0f64) * (2.0 / 3.0f64).ln() - (1.0 / 3.0f64) * (1.0 / 3.0f64).ln()).exp();
        assert!((seen.effective.unwrap() - (first + 2.0 + 1.0) / 3.0).abs() < 1e-9);
        assert_eq!(window.take().jaccard, None);
    }

    #[test]
    fn correlation_of_a_constant_is_none() {
        assert_eq!(correlation(&[1.0, 1.0], &[1.0, 2.0]), None);
        assert_eq!(correlation(&[1.0, 2.0], &[3.0, 5.0]), Some(1.0));
    }
}
