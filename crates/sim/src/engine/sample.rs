//! Some people of a run one by one, computed apart from it: what each is shown, and the policies of a
//! spread sample at several times.
//!
//! A person is a function of the run and a number, so these are people of the run itself; the run does
//! not slow down for them. They go through the portable kernel, which defines the result.

use rayon::prelude::*;
use serde::Serialize;

use super::kernel::{At, REACTION_OFFSET, REACTION_UNIT, Step, field};
use super::mirror::Mirror;
use super::mirror4::Mirror4;
use super::run::{Run, Setting};
use super::simd::LANES;
use super::simd::portable::Portable;
use super::world::{Policies, World};
use crate::draw::Draws;
use crate::feed::numbers::PolicyAt;
use crate::feed::population::POLICY_BINS;
use crate::feed::simplex::{Counts, Simplex};

/// Most people whose policies are looked at, and fewest when steps are many.
const MOST: u64 = 20_480;
const FEWEST: u64 = 1_024;
/// User-steps that a sample may cost, unless that would be too few people.
const WORK: u64 = 20_000_000;
/// Most times at which the policies are looked at.
const TIMES: usize = 6;

/// One thing shown and the reaction to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shown {
    /// Step, from 0.
    pub step: u32,
    /// Number of the content.
    pub content: usize,
    /// Probability with which it was shown.
    pub propensity: f64,
    /// The reaction, rounded to 2⁻¹⁵ as in the sums.
    pub reaction: f64,
}

/// Policies of people spread evenly over the population.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sample {
    /// People.
    pub people: u64,
    /// People by the probability of each content, in the state that each is in then, after a number of
    /// steps.
    pub policy: Vec<PolicyAt>,
    /// Where they end: depth, the bait that moves them in full, other baits; `mirror4` only.
    pub ends: Option<Simplex>,
}

impl Run {
    /// Everything that one person of the run is shown; nothing for a number beyond the last.
    pub fn person(&self, number: u64) -> Vec<Shown> {
        if number >= self.people {
            return Vec::new();
        }
        match self.setting {
            Setting::Mirror { alpha, lambda } => self.person_of(
                &Mirror {
                    alpha: alpha as f32,
                    lambda,
                    people: self.people,
                },
                number,
            ),
            Setting::Mirror4 { alpha } => self.person_of(
                &Mirror4 {
                    alpha: alpha as f32,
                },
                number,
            ),
        }
    }

    /// `count` person numbers spread evenly over the population, at most all.
    pub fn spread(&self, count: u64) -> impl Iterator<Item = u64> + use<> {
        let (all, n) = (u128::from(self.people), count.min(self.people));
        (0..n).map(move |i| (u128::from(i) * all / u128::from(n.max(1))) as u64)
    }

    /// Policies of people spread evenly over the population: all of up to 20,480, fewer when there are
    /// more than 1,000 steps.
    pub fn sample(&self) -> Sample {
        match self.setting {
            Setting::Mirror { alpha, lambda } => self.sample_of(&Mirror {
                alpha: alpha as f32,
                lambda,
                people: self.people,
            }),
            Setting::Mirror4 { alpha } => self.sample_of(&Mirror4 {
                alpha: alpha as f32,
            }),
        }
    }

    /// Steps after which the policies are looked at: the last, and the largest of 1, 2, 5, 10 … below.
    fn times(&self) -> Vec<u32> {
        let series = (0..10).flat_map(|power| [1u64, 2, 5].map(|m| m * 10u64.pow(power)));
        let mut times: Vec<u32> = series
            .filter(|t| *t < u64::from(self.steps))
            .map(|t| t as u32)
            .collect();
        times.push(self.steps);
        times.split_off(times.len().saturating_sub(TIMES))
    }

    fn person_of<W: World>(&self, world: &W, number: u64) -> Vec<Shown> {
        let lane = (number % LANES as u64) as usize;
        let mut all = Vec::new();
        self.walk(world, number - lane as u64, &mut |t, before, step| {
            let Some(step) = step else { return };
            let (content, reaction) = read(step, lane);
            let policy = before.p.get(state(before, lane) % W::POLICIES);
            all.push(Shown {
                step: t,
                content,
                propensity: policy.map_or(0.0, |p| f64::from(p[content][lane])),
                reaction,
            });
        });
        all
    }

    fn sample_of<W: World>(&self, world: &W) -> Sample {
        let fits = (WORK / u64::from(self.steps.max(1))).clamp(FEWEST, MOST);
        let vectors = self.people.div_ceil(LANES as u64);
        let taken = vectors.min(fits / LANES as u64);
        let times = self.times();
        let empty = || Sums {
            people: 0,
            bins: vec![vec![[0; POLICY_BINS]; W::CONTENTS]; times.len()],
            ends: Counts::default(),
        };
        let sums = (0..taken)
            .into_par_iter()
            .fold(empty, |mut sums, i| {
                let vector = (u128::from(i) * u128::from(vectors) / u128::from(taken)) as u64;
                let first = vector * LANES as u64;
                let lanes = (self.people - first).min(LANES as u64) as usize;
                sums.people += lanes as u64;
                self.walk(world, first, &mut |t, before, _| {
                    if let Ok(at) = times.binary_search(&t) {
                        sums.add::<W>(at, before, first, lanes, t == self.steps);
                    }
                });
                sums
            })
            .reduce(empty, |mut a, b| {
                a.merge(&b);
                a
            });
        let policy = times.iter().zip(&sums.bins).map(|(at, contents)| PolicyAt {
            at: *at as usize,
            contents: contents.iter().map(|bins| bins.to_vec()).collect(),
        });
        Sample {
            people: sums.people,
            policy: policy.collect(),
            ends: (W::CONTENTS == 4).then(|| {
                let names = ["depth", "the bait for one's kind", "other baits"];
                sums.ends.named(names.map(str::to_owned))
            }),
        }
    }

    /// Sixteen people through all steps. `see` is told each step, the policies before it and what it
    /// counted, and at the end the number of steps and the last policies.
    fn walk<W: World>(
        &self,
        world: &W,
        first: u64,
        see: &mut dyn FnMut(u32, &Policies, Option<&Step>),
    ) {
        let s = Portable;
        let draws = Draws::new(self.seed);
        let shared = world.shared(s, draws.keys());
        let mut people = [world.start(s, &shared, first)];
        let mut before = Policies::ZERO;
        for t in 0..self.steps {
            W::policies(s, &people[0], &mut before);
            let (at, mut step) = (At::new(s, t), Step::ZERO);
            if t % 2 == 0 {
                W::step::<Portable, true, 1>(s, &shared, &at, &mut people, &mut step);
            } else {
                W::step::<Portable, false, 1>(s, &shared, &at, &mut people, &mut step);
            }
            see(t, &before, Some(&step));
        }
        W::policies(s, &people[0], &mut before);
        see(self.steps, &before, None);
    }
}

fn state(at: &Policies, lane: usize) -> usize {
    at.state.get(lane).map_or(0, |q| (q & 3) as usize)
}

/// Content and reaction of a lane, from the counters of one step of one vector.
fn read(step: &Step, lane: usize) -> (usize, f64) {
    let (counts, bits) = (step.counts[lane], step.reaction[lane]);
    let least = field::CONTENT.map(|shift| (counts >> shift & 63) as usize);
    let reaction = bits.wrapping_sub(REACTION_OFFSET.to_bits());
    (least.iter().sum(), f64::from(reaction) * REACTION_UNIT)
}

struct Sums {
    people: u64,
    bins: Vec<Vec<[u64; POLICY_BINS]>>,
    ends: Counts,
}

impl Sums {
    fn add<W: World>(&mut self, at: usize, p: &Policies, first: u64, lanes: usize, ends: bool) {
        for lane in 0..lanes {
            let Some(policy) = p.p.get(state(p, lane) % W::POLICIES) else {
                continue;
            };
            let of = |k: usize| f64::from(policy[k][lane]);
            for (k, bins) in self.bins[at].iter_mut().enumerate() {
                let bin = (of(k) * POLICY_BINS as f64) as usize;
                bins[bin.min(POLICY_BINS - 1)] += 1;
            }
            if ends && W::CONTENTS == 4 {
                let kind = ((first + lane as u64) % 4) as usize;
                let own = if kind > 0 { of(kind) } else { 0.0 };
                self.ends.add([of(0), own, of(1) + of(2) + of(3) - own]);
            }
        }
    }

    fn merge(&mut self, other: &Sums) {
        self.people += other.people;
        for (a, b) in (self.bins.iter_mut().flatten()).zip(other.bins.iter().flatten()) {
            a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        }
        self.ends.merge(&other.ends);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Control, Lambda};

    fn run(setting: Setting, people: u64) -> Run {
        Run {
            setting,
            people,
            steps: 51,
            seed: 3,
        }
    }

    const MIRROR: Setting = Setting::Mirror {
        alpha: 0.08,
        lambda: Lambda::Grid,
    };

    /// People one by one add up to the sums of the run.
    #[test]
    fn the_people_are_those_of_the_run() {
        for setting in [MIRROR, Setting::Mirror4 { alpha: 0.08 }] {
            let run = run(setting, 37);
            let totals = run.go(&Control::default()).unwrap().totals;
            let everybody: Vec<Vec<Shown>> = (0..37).map(|u| run.person(u)).collect();
            assert!(everybody.iter().all(|p| p.len() == 51));
            for t in 0..51 {
                let now = || everybody.iter().map(|p| p[t]);
                let mean = now().map(|x| x.reaction).sum::<f64>() / 37.0;
                assert!((mean - totals.mean_reaction(t)).abs() < 1e-9, "{t}");
                let shown = totals.shown(t);
                for (k, share) in shown.iter().enumerate().take(setting.contents()) {
                    let here = now().filter(|x| x.content == k).count() as f64 / 37.0;
                    assert!((here - share).abs() < 1e-9, "{t} {k}");
                }
                assert!(now().all(|x| x.propensity > 0.0 && x.propensity <= 1.0));
            }
            assert!(run.person(37).is_empty());
            let first = everybody[0][0].propensity;
            assert!((first - 1.0 / setting.contents() as f64).abs() < 1e-6);
        }
    }

    #[test]
    fn a_sample_of_all_people_is_the_population() {
        let run = run(MIRROR, 5000);
        let (sample, totals) = (run.sample(), run.go(&Control::default()).unwrap().totals);
        assert_eq!(sample.people, 5000);
        let times: Vec<usize> = sample.policy.iter().map(|p| p.at).collect();
        assert_eq!(times, [2, 5, 10, 20, 50, 51]);
        for at in &sample.policy {
            assert!(
                at.contents
                    .iter()
                    .all(|bins| bins.iter().sum::<u64>() == 5000)
            );
        }
        // The last two bins of each content are the locked people.
        let last = sample.policy.last().unwrap();
        let locked: u64 = last.contents.iter().map(|b| b[18] + b[19]).sum();
        assert!((locked as f64 / 5000.0 - totals.locked(0)).abs() < 1e-9);
        assert!(sample.ends.is_none());
    }

    #[test]
    fn a_sample_is_spread_over_the_population() {
        let large = run(MIRROR, 10_000_000);
        let sample = large.sample();
        assert_eq!(sample.people, MOST);
        // With lambda over the whole of [0, 1] as many people end with bait as without.
        let bait = &sample.policy.last().unwrap().contents[1];
        let (low, high): (u64, u64) = (bait[..10].iter().sum(), bait[10..].iter().sum());
        assert!(low.abs_diff(high) < 800, "{low} {high}");
        let numbers: Vec<u64> = run(MIRROR, 10).spread(3).collect();
        assert_eq!(numbers, [0, 3, 6]);
        assert_eq!(run(MIRROR, 2).spread(5).count(), 2);
        let ends = run(Setting::Mirror4 { alpha: 0.08 }, 400)
            .sample()
            .ends
            .unwrap();
        assert_eq!(ends.people, 400);
        assert!(ends.cells.iter().any(|c| c.least[1] > 0.5));
    }
}
