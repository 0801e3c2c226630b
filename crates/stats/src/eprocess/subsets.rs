//! Several markers of one person that change together.

use super::Weights;
use crate::error::{Result, StatsError, level, positive, unit};
use crate::special::find_root;
use std::sync::Arc;

/// Values are capped here: far beyond any threshold, far from overflow in one step.
const CAP: f64 = 1e200;
/// Largest share of the capital that a bet can lose in one conversation.
const STAKE: f64 = 0.999;
/// More subsets than this are refused.
const MOST_SUBSETS: usize = 100_000;

/// An e-process for "some few markers of this person rise at a common time", whatever the dependence
/// between markers.
///
/// For every set `S` of at most `largest` markers and every rise `d` one bet on the sum of the set,
/// `L_S = 1 + lambda sum_{m in S} (x_m - p_m)`, is run as a [`super::Verdict`] is: `R = (R + w_t) L_S`. The
/// e-value is their mean, each number of markers with the same total weight. `lambda` is the bet that
/// grows fastest when the markers of `S` are independent and have risen by `d`; it decides how much
/// evidence there is, not whether it is valid.
///
/// **Assumes** `E[x_m | past of all markers] <= p_m` for every marker while nothing changed. The sum of
/// a set then has mean at most the sum of its `p_m`, whether or not the markers of a conversation
/// are independent, so nothing is assumed of that. **Guarantee**: `P(ever E_t >= 1/alpha) <= alpha`; valid
/// input to e-BH at any stopping time. Nothing but sums can be bet on: under this assumption every
/// valid factor is at most some `1 + sum lambda_m (x_m - p_m)` with `lambda_m >= 0` (linear programming
/// duality). Source: construction of this project. For a fall feed `1 - x` and `1 - p`.
///
/// Where three markers move, single bets joined by [`super::merge_mean`] see a third of the evidence each; a
/// set sees nearly all of it, at the price of `ln` of the number of sets for not knowing which.
///
/// ```
/// use driftlead_stats::eprocess::{SubsetVerdict, Weights};
/// let mut verdict = SubsetVerdict::new(&[0.1; 5], &[0.06, 0.13, 0.28], 3, Weights::Horizon(100))?;
/// for t in 0..100u32 {
///     let x = if t >= 50 && t % 3 == 0 { 1.0 } else { 0.0 };
///     verdict.update(&[x, x, 0.0, 0.0, 0.0])?;
/// }
/// assert!(verdict.e_value() > 100.0);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct SubsetVerdict {
    /// The same for all people, so shared by clones.
    plan: Arc<Plan>,
    weights: Weights,
    seen: u64,
    /// `x - p` of the newest observation.
    excess: Vec<f64>,
    /// Per set and rise, in the order of the plan.
    values: Vec<f64>,
    value: f64,
}

#[derive(Debug)]
struct Plan {
    p: Vec<f64>,
    rises: usize,
    sizes: Vec<Size>,
}

/// All sets of one size.
#[derive(Debug)]
struct Size {
    markers: usize,
    /// `markers` indices per set.
    members: Vec<usize>,
    /// A bet per set and rise.
    lambdas: Vec<f64>,
    /// Weight of one set and rise.
    weight: f64,
}

impl SubsetVerdict {
    /// A process for markers with baselines `p`, sets of up to `largest` of them, and rises of the
    /// probability `rises` (cut where `p` plus the rise exceeds 0.99).
    ///
    /// # Errors
    /// No markers or rises, a baseline outside (0, 1), a rise that is not positive, or `largest` 0, above the
    /// number of markers, or so large that there are more than 100,000 sets.
    pub fn new(p: &[f64], rises: &[f64], largest: usize, weights: Weights) -> Result<Self> {
        for (name, empty) in [("p", p.is_empty()), ("rises", rises.is_empty())] {
            if empty {
                return Err(StatsError::Empty { name });
            }
        }
        p.iter().try_for_each(|&p| level("p", p).map(|_| ()))?;
        rises
            .iter()
            .try_for_each(|&d| positive("rise", d).map(|_| ()))?;
        let sets: f64 = (1..=largest.min(64)).map(|s| binomial(p.len(), s)).sum();
        if largest == 0 || largest > p.len() || sets > MOST_SUBSETS as f64 {
            return Err(StatsError::OutOfDomain {
                name: "largest",
                value: largest as f64,
                domain: "[1, markers], with at most 100,000 sets",
            });
        }
        let sizes: Vec<Size> = (1..=largest)
            .map(|markers| size(p, rises, markers, largest))
            .collect::<Result<_>>()?;
        let values = vec![0.0; sizes.iter().map(|s| s.lambdas.len()).sum()];
        Ok(Self {
            plan: Arc::new(Plan {
                p: p.to_vec(),
                rises: rises.len(),
                sizes,
            }),
            weights,
            seen: 0,
            excess: vec![0.0; p.len()],
            values,
            value: 0.0,
        })
    }

    /// Adds one observation of every marker (in [0, 1]) and returns the logarithm of the e-value.
    ///
    /// # Errors
    /// Not one value per marker, or one outside [0, 1]; the state is then unchanged.
    pub fn update(&mut self, x: &[f64]) -> Result<f64> {
        let plan = &*self.plan;
        if x.len() != plan.p.len() {
            return Err(StatsError::LengthMismatch {
                name: "x",
                expected: plan.p.len(),
                got: x.len(),
            });
        }
        x.iter().try_for_each(|&v| unit("x", v).map(|_| ()))?;
        for ((excess, x), p) in self.excess.iter_mut().zip(x).zip(&plan.p) {
            *excess = x - p;
        }
        self.seen += 1;
        let start = self.weights.at(self.seen);
        self.value = 0.0;
        let mut values = self.values.as_mut_slice();
        for size in &plan.sizes {
            let (these, rest) = values.split_at_mut(size.lambdas.len());
            values = rest;
            let sets = size.members.chunks_exact(size.markers);
            let rows = these
                .chunks_exact_mut(plan.rises)
                .zip(size.lambdas.chunks_exact(plan.rises));
            let mut total = 0.0;
            for (set, (row, lambdas)) in sets.zip(rows) {
                let sum: f64 = set.iter().map(|&m| self.excess[m]).sum();
                for (r, lambda) in row.iter_mut().zip(lambdas) {
                    let next = (*r + start) * (1.0 + lambda * sum);
                    *r = if next < CAP { next } else { CAP };
                    total += *r;
                }
            }
            self.value += size.weight * total;
        }
        Ok(self.value.ln())
    }

    /// Logarithm of the current e-value.
    #[must_use]
    pub fn ln_value(&self) -> f64 {
        self.value.ln()
    }

    /// The current e-value.
    #[must_use]
    pub fn e_value(&self) -> f64 {
        self.value
    }
}

/// Number of sets of `k` out of `n`.
fn binomial(n: usize, k: usize) -> f64 {
    (0..k)
        .map(|i| (n as f64 - i as f64) / (i as f64 + 1.0))
        .product()
}

fn size(p: &[f64], rises: &[f64], markers: usize, largest: usize) -> Result<Size> {
    let mut members = Vec::new();
    let mut set: Vec<usize> = (0..markers).collect();
    loop {
        members.extend_from_slice(&set);
        // The next set in lexicographic order: raise the last index that has room.
        let Some(at) = (0..markers).rev().find(|&i| set[i] + markers - i < p.len()) else {
            break;
        };
        let next = set[at] + 1;
        for (slot, marker) in set[at..].iter_mut().zip(next..) {
            *slot = marker;
        }
    }
    let mut lambdas = Vec::new();
    for set in members.chunks_exact(markers) {
        let p: Vec<f64> = set.iter().map(|&m| p[m]).collect();
        for &rise in rises {
            lambdas.push(fastest(&p, rise)?);
        }
    }
    let weight = 1.0 / (largest as f64 * lambdas.len() as f64);
    Ok(Size {
        markers,
        members,
        lambdas,
        weight,
    })
}

/// The bet that maximises `E ln(1 + lambda sum (x - p))` for independent `x` of probability `p + rise`.
fn fastest(p: &[f64], rise: f64) -> Result<f64> {
    let baseline: f64 = p.iter().sum();
    // Distribution of the sum, marker by marker.
    let mut chances = vec![1.0];
    for p in p {
        let q = (p + rise).min(0.99).max(*p);
        let stay = chances.iter().map(|c| c * (1.0 - q)).chain([0.0]);
        let step = core::iter::once(0.0).chain(chances.iter().map(|c| c * q));
        chances = stay.zip(step).map(|(a, b)| a + b).collect();
    }
    let slope = |lambda: f64| -> f64 {
        let terms = chances.iter().enumerate().map(|(ones, chance)| {
            let excess = ones as f64 - baseline;
            chance * excess / (1.0 + lambda * excess)
        });
        terms.sum()
    };
    let most = STAKE / baseline;
    if slope(most) >= 0.0 {
        return Ok(most);
    }
    find_root(0.0, most, slope)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edetector::{Alternatives, Baseline};
    use crate::eprocess::Verdict;
    use crate::rng::Stream;
    use proptest::prelude::*;

    #[test]
    fn sets_of_one_are_the_mean_of_single_verdicts() {
        let (p, rises) = ([0.1, 0.3], [0.05, 0.2]);
        let mut ours = SubsetVerdict::new(&p, &rises, 1, Weights::Horizon(50)).unwrap();
        let mut single: Vec<Verdict> = p
            .iter()
            .map(|&p| {
                let bets = rises
                    .iter()
                    .map(|d| crate::special::logit(p + d) - crate::special::logit(p));
                let grid = Alternatives::equal(bets.collect()).unwrap();
                Verdict::new(Baseline::Bernoulli { p }, grid, Weights::Horizon(50)).unwrap()
            })
            .collect();
        for t in 0..60u32 {
            let x = [f64::from(t % 4 / 3), f64::from(t % 3 / 2)];
            ours.update(&x).unwrap();
            for (verdict, x) in single.iter_mut().zip(x) {
                verdict.update(x).unwrap();
            }
            let mean = single.iter().map(Verdict::e_value).sum::<f64>() / 2.0;
            assert!((ours.e_value() - mean).abs() < 1e-9 * mean, "t {t}");
        }
    }

    #[test]
    fn counts_its_sets() {
        let verdict = SubsetVerdict::new(&[0.1; 15], &[0.1, 0.2], 3, Weights::OpenEnded).unwrap();
        assert_eq!(verdict.values.len(), 2 * (15 + 105 + 455));
        let new = |p: &[f64], rises: &[f64], largest| {
            SubsetVerdict::new(p, rises, largest, Weights::OpenEnded)
        };
        assert!(new(&[], &[0.1], 1).is_err() && new(&[0.1], &[], 1).is_err());
        assert!(new(&[0.1], &[0.1], 0).is_err() && new(&[0.1], &[0.1], 2).is_err());
        assert!(new(&[0.1; 100], &[0.1], 4).is_err() && new(&[1.0], &[0.1], 1).is_err());
        assert!(new(&[0.1], &[-0.1], 1).is_err());
        let mut verdict = new(&[0.1, 0.2], &[0.1], 2).unwrap();
        assert!(verdict.update(&[0.1]).is_err() && verdict.update(&[0.1, f64::NAN]).is_err());
        assert_eq!(verdict.e_value(), 0.0);
    }

    /// Exact check of the claim: over all outcomes of two conversations, with a dependence drawn at
    /// random, the mean of the e-value is at most the weights spent.
    #[test]
    fn any_dependence_keeps_the_mean() {
        proptest!(|(table in prop::collection::vec(0.0f64..1.0, 8), p in prop::collection::vec(0.05f64..0.9, 3))| {
            // A joint distribution of three markers with free dependence, scaled to marginals <= p.
            let total: f64 = table.iter().sum::<f64>() + 1e-9;
            let joint: Vec<f64> = table.iter().map(|c| c / total).collect();
            let marginal = |m: usize| (0..8).filter(|o| o >> m & 1 == 1).map(|o| joint[o]).sum::<f64>();
            let scale = (0..3).map(|m| p[m] / marginal(m).max(1e-12)).fold(1.0, f64::min);
            let chance = |o: usize| scale * joint[o] + if o == 0 { 1.0 - scale * joint.iter().sum::<f64>() } else { 0.0 };
            let start = SubsetVerdict::new(&p, &[0.1, 0.3, 0.8], 3, Weights::Horizon(2)).unwrap();
            let x = |o: usize| [0, 1, 2].map(|m| f64::from(u8::from(o >> m & 1 == 1)));
            let mut mean = 0.0;
            for first in 0..8 {
                let mut after = start.clone();
                after.update(&x(first)).unwrap();
                for second in 0..8 {
                    let mut end = after.clone();
                    end.update(&x(second)).unwrap();
                    mean += chance(first) * chance(second) * end.e_value();
                }
            }
            prop_assert!(mean <= 1.0 + 1e-9, "mean {mean}");
        });
    }

    #[test]
    fn markers_that_are_copies_of_each_other_raise_no_false_alarms() {
        let people = 400;
        let fresh =
            SubsetVerdict::new(&[0.1; 6], &[0.06, 0.2, 0.5], 3, Weights::Horizon(180)).unwrap();
        let ever = (0..people)
            .filter(|&person| {
                let mut luck = Stream::new(11, person, 0, 1);
                let mut verdict = fresh.clone();
                (0..180).any(|_| {
                    let x = f64::from(u8::from(luck.uniform() < 0.1));
                    verdict.update(&[x; 6]).unwrap() >= 10f64.ln()
                })
            })
            .count();
        // At most a tenth by theory; 400 people have a standard error of .015.
        assert!(ever as f64 / people as f64 <= 0.145, "{ever} of {people}");
    }
}
