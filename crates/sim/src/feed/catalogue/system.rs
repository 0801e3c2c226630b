//! What the system knows of one person: a policy over items, linear in their attributes, and what it
//! learns from.
//!
//! Policy gradients keep θ with P(v) ∝ exp(base(v) + ⟨θ, v⟩); bandits and best-of-n keep a ridge
//! regression of the reward on the attributes, with the estimate ⟨θ̂, v⟩ and the precision A = r·1 + Σ v·vᵀ.
//! Places of a step are filled without replacement; what is learnt takes effect at the end of the step.

use super::{Prepared, dot};
use crate::draw::quantile;
use crate::feed::learner::{Baseline, Rule};
use crate::feed::lens::TRACE_KEEP;
use crate::feed::luck::pick;
use crate::parts::Governor;
use crate::portable::exp;

/// r of the regressions without a prior of their own.
const RIDGE: f64 = 1.0;

/// The system of one person.
pub(super) struct System<'a> {
    of: &'a Prepared<'a>,
    /// θ, or θ̂ of the regression.
    pub(super) theta: Vec<f64>,
    /// What this step adds to it.
    gradient: Vec<f64>,
    /// A⁻¹, row by row; empty for policy gradients.
    inverse: Vec<f64>,
    /// Θ̃ of this step (Thompson).
    drawn: Vec<f64>,
    /// c.
    context: Vec<f64>,
    /// Sum of what this step has shown.
    shown: Vec<f64>,
    places: u32,
    /// ⟨θ, v⟩ of every item at the start of a step.
    scores: Vec<f64>,
    /// Whether an item can be chosen: retrieved and not yet placed in this step.
    is_candidate: Vec<bool>,
    is_placed: Vec<bool>,
    /// Policy over the candidates that are left, unnormalised, and its sum.
    pub(super) weights: Vec<f64>,
    total: f64,
    near: Vec<f64>,
    /// Running mean of the reward, of so many.
    pub(super) seen: f64,
    mean: f64,
    batch: Vec<Memory>,
    /// What bandits learn at the end of the step.
    learnt: Vec<(usize, f64)>,
}

struct Memory {
    candidates: Vec<u32>,
    item: usize,
    probability: f64,
    reward: f64,
}

/// The distribution that a place is drawn from.
pub(super) enum Served {
    /// The policy itself.
    Policy,
    /// What the levers make of it, over all items.
    Governed(Vec<f64>),
}

impl<'a> System<'a> {
    pub(super) fn new(of: &'a Prepared<'a>) -> Self {
        let (world, d) = (of.world, of.world.attributes);
        let ridge = match world.rule {
            Rule::EpsilonGreedy { .. } | Rule::Ucb { .. } | Rule::BestOfN { .. } => Some(RIDGE),
            Rule::Thompson { prior_sd, noise_sd } => Some((noise_sd / prior_sd).powi(2)),
            _ => None,
        };
        let inverse = ridge.map_or_else(Vec::new, |r| {
            let cell = |i: usize| {
                if i.is_multiple_of(d + 1) {
                    1.0 / r
                } else {
                    0.0
                }
            };
            (0..d * d).map(cell).collect()
        });
        System {
            of,
            theta: vec![0.0; d],
            gradient: vec![0.0; d],
            inverse,
            drawn: Vec::new(),
            context: vec![0.0; d],
            shown: vec![0.0; d],
            places: 0,
            scores: vec![0.0; world.items],
            is_candidate: vec![true; world.items],
            is_placed: vec![false; world.items],
            weights: vec![0.0; world.items],
            total: 0.0,
            near: Vec::new(),
            seen: 0.0,
            mean: 0.0,
            batch: Vec::new(),
            learnt: Vec::new(),
        }
    }

    /// The start of a step: candidates and policy. Returns the number of candidates. `uniform` gives
    /// draws to rules that need luck of their own.
    pub(super) fn weigh(&mut self, uniform: &mut dyn FnMut() -> f64) -> usize {
        self.is_placed.fill(false);
        let items = self.of.items;
        for (score, v) in self.scores.iter_mut().zip(items.each()) {
            *score = dot(&self.theta, v);
        }
        self.is_candidate.fill(true);
        // Ties at the edge all stay, so that without a history nothing is masked.
        if let Some(keep) = self.of.world.retrieve.filter(|n| *n < self.of.world.items) {
            self.near.clear();
            self.near
                .extend(items.each().map(|v| dot(&self.context, v)));
            let mut sorted = self.near.clone();
            let (_, edge, _) = sorted.select_nth_unstable_by(keep - 1, |a, b| b.total_cmp(a));
            for (is_candidate, near) in self.is_candidate.iter_mut().zip(&self.near) {
                *is_candidate = *near >= *edge;
            }
        }
        if let Rule::Thompson { noise_sd, .. } = self.of.world.rule {
            let z: Vec<f64> = (0..self.theta.len())
                .map(|_| quantile::normal(uniform()))
                .collect();
            self.drawn = self.theta.clone();
            correlate(&self.inverse, &z, noise_sd, &mut self.drawn);
        }
        let candidates = self.is_candidate.iter().filter(|c| **c).count();
        self.fill();
        candidates
    }

    /// The policy over the candidates that are left.
    fn fill(&mut self) {
        let Prepared {
            world, items, base, ..
        } = self.of;
        let learns = is_gradient(world.rule);
        let mut top = f64::NEG_INFINITY;
        let stack = base.iter().zip(&self.scores).zip(&self.is_candidate);
        for (w, ((base, score), is_candidate)) in self.weights.iter_mut().zip(stack) {
            *w = match is_candidate {
                true if learns => base + score,
                true => *base,
                false => f64::NEG_INFINITY,
            };
            top = top.max(*w);
        }
        for w in &mut self.weights {
            // The floor keeps a place for every candidate when those before it are taken.
            *w = match *w == f64::NEG_INFINITY {
                true => 0.0,
                false => exp((*w - top).max(-700.0)),
            };
        }
        self.total = self.weights.iter().sum();
        let best = |scores: &dyn Fn(usize) -> f64| {
            let candidates = || (0..self.weights.len()).filter(|i| self.is_candidate[*i]);
            let top = candidates().fold(f64::NEG_INFINITY, |m, i| m.max(scores(i)));
            candidates()
                .filter(|i| scores(*i) >= top)
                .collect::<Vec<_>>()
        };
        let (greedy, explored) = match world.rule {
            Rule::EpsilonGreedy { epsilon } => (best(&|i| self.scores[i]), epsilon),
            Rule::Ucb { width } => {
                let upper: Vec<f64> = (items.each().zip(&self.scores))
                    .map(|(v, s)| s + width * form(&self.inverse, v).max(0.0).sqrt())
                    .collect();
                (best(&|i| upper[i]), 0.0)
            }
            Rule::Thompson { .. } => {
                let drawn: Vec<f64> = items.each().map(|v| dot(&self.drawn, v)).collect();
                (best(&|i| drawn[i]), 0.0)
            }
            Rule::BestOfN { n } => return self.best_of(n),
            _ => return,
        };
        let scale = explored / self.total;
        self.weights.iter_mut().for_each(|w| *w *= scale);
        let each = (1.0 - explored) / greedy.len().max(1) as f64;
        greedy.iter().for_each(|i| self.weights[*i] += each);
        self.total = self.weights.iter().sum();
    }

    /// Of n candidates drawn from the stack the one with the highest estimate is shown: P(at most rank
    /// r) = F(r)ⁿ, shared within ties by the stack's weights.
    fn best_of(&mut self, n: u32) {
        let n = i32::try_from(n).unwrap_or(i32::MAX);
        let mut order: Vec<usize> = (0..self.weights.len())
            .filter(|i| self.is_candidate[*i])
            .collect();
        order.sort_by(|a, b| self.scores[*a].total_cmp(&self.scores[*b]));
        let mut below = 0.0;
        for ties in order.chunk_by(|a, b| self.scores[*a] == self.scores[*b]) {
            let mass = ties.iter().map(|i| self.weights[*i]).sum::<f64>() / self.total;
            let chosen = (below + mass).min(1.0).powi(n) - f64::powi(below, n);
            let scale = chosen / (mass * self.total);
            ties.iter().for_each(|i| self.weights[*i] *= scale);
            below = (below + mass).min(1.0);
        }
        self.total = self.weights.iter().sum();
    }

    /// The distribution of the next place under the levers.
    pub(super) fn served(&self) -> Served {
        let levers = &self.of.world.levers;
        if levers.floor == 0.0 && levers.temperature <= 1.0 && levers.cap >= 1.0 {
            return Served::Policy;
        }
        let left: Vec<usize> = (0..self.weights.len())
            .filter(|i| !self.is_placed[*i])
            .collect();
        let mut p: Vec<f64> = left.iter().map(|i| self.weights[*i] / self.total).collect();
        levers.constrain(1.0, &mut p);
        let mut all = vec![0.0; self.weights.len()];
        left.iter().zip(&p).for_each(|(i, p)| all[*i] = *p);
        Served::Governed(all)
    }

    /// The item that a uniform draw picks, and the probability of it.
    pub(super) fn choose(&self, served: &Served, u: f64) -> (usize, f64) {
        match served {
            Served::Policy => {
                let i = pick(&self.weights, u * self.total);
                (i, self.weights[i] / self.total)
            }
            Served::Governed(p) => {
                let i = pick(p, u);
                (i, p[i])
            }
        }
    }

    /// Adds a share of the distribution to sums by item.
    pub(super) fn add(&self, served: &Served, share: f64, sums: &mut [f64]) {
        match served {
            Served::Policy => {
                for (sum, w) in sums.iter_mut().zip(&self.weights) {
                    *sum += share * w / self.total;
                }
            }
            Served::Governed(p) => {
                sums.iter_mut()
                    .zip(p)
                    .for_each(|(sum, p)| *sum += share * p);
            }
        }
    }

    /// Item `i` took a place and brought a reward, of which `expected` was expected under the policy
    /// (oracle baseline only); it is not there for the next place.
    pub(super) fn learn(&mut self, i: usize, reward: f64, expected: f64) {
        let before = reward - self.mean;
        match self.of.world.rule {
            Rule::None => {}
            Rule::Reinforce {
                alpha,
                baseline,
                kl,
            } => {
                // The demo's mean takes the reward first.
                self.seen += 1.0;
                self.mean += before / self.seen;
                let advantage = match baseline {
                    Baseline::None => reward,
                    Baseline::Welford => reward - self.mean,
                    Baseline::WelfordBefore => before,
                    Baseline::Oracle => reward - expected,
                };
                self.ascend(i, alpha, advantage, kl);
            }
            Rule::ActorCritic {
                alpha, critic, kl, ..
            } => {
                self.mean += critic * before;
                self.ascend(i, alpha, before, kl);
            }
            Rule::Ppo { .. } | Rule::Grpo { .. } => {
                let candidates = (0..self.weights.len()).filter(|j| self.is_candidate[*j]);
                let memory = Memory {
                    candidates: candidates.map(|j| j as u32).collect(),
                    item: i,
                    probability: self.weights[i] / self.total,
                    reward,
                };
                self.batch.push(memory);
            }
            _ => self.learnt.push((i, reward)),
        }
        let v = self.of.items.item(i);
        self.shown.iter_mut().zip(v).for_each(|(s, v)| *s += v);
        self.places += 1;
        self.is_placed[i] = true;
        self.is_candidate[i] = false;
        match self.of.world.rule {
            Rule::EpsilonGreedy { .. }
            | Rule::Ucb { .. }
            | Rule::Thompson { .. }
            | Rule::BestOfN { .. } => self.fill(),
            _ => {
                self.weights[i] = 0.0;
                self.total = self.weights.iter().sum();
            }
        }
    }

    /// g += α·(A·(v − Σ P(v′)·v′) − β·Σ P(v′)·(⟨θ, v′⟩ − mean)·v′): the second part is the gradient of
    /// β·KL(P ‖ stack).
    fn ascend(&mut self, i: usize, alpha: f64, advantage: f64, kl: f64) {
        let step = alpha * advantage;
        if step == 0.0 && kl == 0.0 {
            return;
        }
        let leash = alpha * kl;
        let centre = match kl > 0.0 {
            true => dot(&self.weights, &self.scores) / self.total,
            false => 0.0,
        };
        let items = self.of.items;
        for ((w, score), v) in self.weights.iter().zip(&self.scores).zip(items.each()) {
            let part = (step + leash * (score - centre)) * w / self.total;
            if part != 0.0 {
                let sums = self.gradient.iter_mut().zip(v);
                sums.for_each(|(g, v)| *g -= part * v);
            }
        }
        let sums = self.gradient.iter_mut().zip(items.item(i));
        sums.for_each(|(g, v)| *g += step * v);
    }

    /// What the step taught takes effect, and the context takes what was shown: it fades by the number
    /// of places and not by their order.
    pub(super) fn end_step(&mut self) {
        for (theta, g) in self.theta.iter_mut().zip(&mut self.gradient) {
            *theta += *g;
            *g = 0.0;
        }
        for (i, reward) in std::mem::take(&mut self.learnt) {
            regress(
                &mut self.theta,
                &mut self.inverse,
                self.of.items.item(i),
                reward,
            );
        }
        match self.of.world.rule {
            Rule::Ppo {
                alpha,
                critic,
                kl,
                batch,
                epochs,
                clip,
                ..
            } if self.batch.len() >= batch => {
                let errors: Vec<f64> = self.batch.iter().map(|m| m.reward - self.mean).collect();
                errors.iter().for_each(|e| self.mean += critic * e);
                self.clipped(&errors, alpha, kl, epochs, clip);
            }
            Rule::Grpo {
                alpha,
                kl,
                batch,
                epochs,
                clip,
            } if self.batch.len() >= batch => {
                let n = self.batch.len().max(1) as f64;
                let mean = self.batch.iter().map(|m| m.reward).sum::<f64>() / n;
                let square = self.batch.iter().map(|m| (m.reward - mean).powi(2));
                let sd = (square.sum::<f64>() / n).sqrt() + 1e-6;
                let scores: Vec<f64> = (self.batch.iter())
                    .map(|m| (m.reward - mean) / sd)
                    .collect();
                self.clipped(&scores, alpha, kl, epochs, clip);
            }
            _ => {}
        }
        let keep = (0..self.places).fold(1.0, |k, _| k * TRACE_KEEP);
        self.places = 0;
        for (c, s) in self.context.iter_mut().zip(&mut self.shown) {
            *c = keep * *c + *s;
            *s = 0.0;
        }
    }

    /// Passes over the batch with the clipped ratio, then forgets it.
    fn clipped(&mut self, advantages: &[f64], alpha: f64, kl: f64, epochs: usize, clip: f64) {
        let batch = std::mem::take(&mut self.batch);
        let rate = alpha / batch.len().max(1) as f64;
        let Prepared { items, base, .. } = self.of;
        for _ in 0..epochs {
            let frozen = self.theta.clone();
            let scores: Vec<f64> = items.each().map(|v| dot(&frozen, v)).collect();
            for (m, advantage) in batch.iter().zip(advantages) {
                let logit = |j: usize| base[j] + scores[j];
                let all = || m.candidates.iter().map(|j| *j as usize);
                let top = all().fold(f64::NEG_INFINITY, |t, j| t.max(logit(j)));
                let p: Vec<f64> = all().map(|j| exp((logit(j) - top).max(-700.0))).collect();
                let total: f64 = p.iter().sum();
                // What a floor has shown beside the candidates has no ratio.
                let own = match m.probability > 0.0 {
                    true => exp((logit(m.item) - top).max(-700.0)) / total,
                    false => 0.0,
                };
                let ratio = own / m.probability.max(1e-12);
                let beyond = (*advantage > 0.0 && ratio > 1.0 + clip)
                    || (*advantage < 0.0 && ratio < 1.0 - clip);
                let weight = if beyond { 0.0 } else { ratio * advantage };
                let centre = all().zip(&p).map(|(j, p)| p * scores[j]).sum::<f64>() / total;
                for (j, p) in all().zip(&p) {
                    let part = rate * (weight + kl * (scores[j] - centre)) * p / total;
                    let sums = self.theta.iter_mut().zip(items.item(j));
                    sums.for_each(|(t, v)| *t -= part * v);
                }
                let sums = self.theta.iter_mut().zip(items.item(m.item));
                sums.for_each(|(t, v)| *t += rate * weight * v);
            }
        }
    }

    /// Whether [`System::learn`] uses what was expected.
    pub(super) fn wants_expected(&self) -> bool {
        let oracle = Baseline::Oracle;
        matches!(self.of.world.rule, Rule::Reinforce { baseline, .. } if baseline == oracle)
    }

    /// Mean of a direction's product with the items under the policy of the next place.
    pub(super) fn mean_along(&self, direction: &[f64]) -> f64 {
        let along = self.of.items.each().map(|v| dot(direction, v));
        along.zip(&self.weights).map(|(x, w)| x * w).sum::<f64>() / self.total
    }
}

/// Whether a rule is a policy gradient.
fn is_gradient(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::Reinforce { .. } | Rule::ActorCritic { .. } | Rule::Ppo { .. } | Rule::Grpo { .. }
    )
}

/// vᵀ·A⁻¹·v.
fn form(inverse: &[f64], v: &[f64]) -> f64 {
    let rows = inverse.chunks_exact(v.len().max(1));
    rows.zip(v).map(|(row, x)| x * dot(row, v)).sum()
}

/// One more reward for `v`: recursive least squares, A⁻¹ by Sherman and Morrison.
fn regress(theta: &mut [f64], inverse: &mut [f64], v: &[f64], reward: f64) {
    let d = v.len();
    let u: Vec<f64> = inverse.chunks_exact(d).map(|row| dot(row, v)).collect();
    let scale = 1.0 + dot(&u, v);
    let error = (reward - dot(theta, v)) / scale;
    theta.iter_mut().zip(&u).for_each(|(t, u)| *t += error * u);
    for (row, a) in inverse.chunks_exact_mut(d).zip(&u) {
        row.iter_mut()
            .zip(&u)
            .for_each(|(x, b)| *x -= a * b / scale);
    }
}

/// Adds sd·L·z to `out`, with L·Lᵀ the matrix (Cholesky; a pivot that rounding has made negative
/// counts as 0).
fn correlate(matrix: &[f64], z: &[f64], sd: f64, out: &mut [f64]) {
    let d = z.len();
    let mut l = vec![0.0; d * d];
    for i in 0..d {
        for j in 0..=i {
            let sum = matrix[i * d + j] - dot(&l[i * d..i * d + j], &l[j * d..j * d + j]);
            let pivot = l[j * d + j];
            l[i * d + j] = if i == j {
                sum.max(0.0).sqrt()
            } else if pivot > 0.0 {
                sum / pivot
            } else {
                0.0
            };
        }
    }
    for (row, out) in l.chunks_exact(d).zip(out) {
        *out += sd * dot(row, z);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regression_is_the_ridge_solution() {
        // A = 1 + 2·(1, 0)(1, 0)ᵀ + (0, 1)(0, 1)ᵀ; b = (1 + 3, 5).
        let (mut theta, mut inverse) = (vec![0.0; 2], vec![1.0, 0.0, 0.0, 1.0]);
        regress(&mut theta, &mut inverse, &[1.0, 0.0], 1.0);
        regress(&mut theta, &mut inverse, &[1.0, 0.0], 3.0);
        regress(&mut theta, &mut inverse, &[0.0, 1.0], 5.0);
        assert!((theta[0] - 4.0 / 3.0).abs() < 1e-12 && (theta[1] - 2.5).abs() < 1e-12);
        assert!((form(&inverse, &[1.0, 1.0]) - (1.0 / 3.0 + 0.5)).abs() < 1e-12);
    }

    #[test]
    fn draws_have_the_covariance_of_the_matrix() {
        // [[4, 2], [2, 5]] = L·Lᵀ with L = [[2, 0], [1, 2]].
        let mut out = vec![0.0; 2];
        correlate(&[4.0, 2.0, 2.0, 5.0], &[1.0, 0.0], 3.0, &mut out);
        assert_eq!(out, [6.0, 3.0]);
        correlate(&[4.0, 2.0, 2.0, 5.0], &[0.0, 1.0], 3.0, &mut out);
        assert_eq!(out, [6.0, 9.0]);
    }
}
