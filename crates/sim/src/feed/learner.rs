//! The optimisers, all on one kernel: a table of numbers per state and content, one table per person.
//!
//! The policy is π(a) ∝ exp(base(a) + θ(x, a)), where `base` is what the lens stack says. Bandits and
//! best-of-n keep estimates of the reward instead of θ; the stack's distribution is what they explore
//! or choose candidates with.

use crate::draw::quantile;
use crate::parts::{MAX_CONTENTS, MAX_STATES, Optimiser, Taken};
use crate::portable::{exp, ln};

/// What is subtracted from the reward before a REINFORCE update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Baseline {
    /// Nothing.
    None,
    /// The running mean that already holds this reward (the public demo's order; the first advantage
    /// is 0).
    Welford,
    /// The running mean of the rewards before this one.
    WelfordBefore,
    /// The reward expected under the policy, which only a simulator knows.
    Oracle,
}

/// What learns, and with which constants. `alpha` is the step size, `kl` the weight β of the leash
/// β·KL(π ‖ stack), whose gradient in the tabular case is exact.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// Nothing learns: what is shown comes from the lens stack.
    None,
    /// θ += α·(A·∇log π − β·∇KL).
    Reinforce {
        /// Step size.
        alpha: f64,
        /// What is subtracted.
        baseline: Baseline,
        /// Leash.
        kl: f64,
    },
    /// A = G + γ·V(x') − V(x); V follows by `critic`.
    ActorCritic {
        /// Step size.
        alpha: f64,
        /// Step size of V.
        critic: f64,
        /// Discount; 0 is myopic.
        gamma: f64,
        /// Leash.
        kl: f64,
    },
    /// As actor–critic on batches, several passes over each, with the clipped ratio of Schulman et
    /// al. 2017.
    Ppo {
        /// Step size.
        alpha: f64,
        /// Step size of V.
        critic: f64,
        /// Discount.
        gamma: f64,
        /// Leash.
        kl: f64,
        /// Exposures per batch.
        batch: usize,
        /// Passes over a batch.
        epochs: usize,
        /// Largest change of the ratio that still has a gradient.
        clip: f64,
    },
    /// Groups of exposures; A = (G − mean)/(population SD + 1e-6) within the group.
    Grpo {
        /// Step size.
        alpha: f64,
        /// Leash.
        kl: f64,
        /// Exposures per group.
        batch: usize,
        /// Passes over a group.
        epochs: usize,
        /// Clip of the ratio.
        clip: f64,
    },
    /// With probability ε from the stack, otherwise the content with the highest mean reward.
    EpsilonGreedy {
        /// ε.
        epsilon: f64,
    },
    /// The highest of mean + width·√(ln n / n_a) (UCB1 with a width in the unit of the reward).
    Ucb {
        /// Width.
        width: f64,
    },
    /// The highest of one draw per content from a normal posterior of its mean.
    Thompson {
        /// SD of the prior around 0.
        prior_sd: f64,
        /// SD of a reward around its mean, taken as known.
        noise_sd: f64,
    },
    /// `n` candidates from the stack, the one with the highest mean reward is shown.
    BestOfN {
        /// Candidates.
        n: u32,
    },
}

type Table = [[f64; MAX_CONTENTS]; MAX_STATES];

/// One learner of one person.
#[derive(Debug, Clone)]
pub struct Learner {
    rule: Rule,
    contents: usize,
    /// θ for policy gradients, mean rewards for the others.
    table: Table,
    seen: Table,
    value: [f64; MAX_STATES],
    mean: f64,
    n: u64,
    batch: Vec<Memory>,
}

#[derive(Debug, Clone, Copy)]
struct Memory {
    state: usize,
    next: usize,
    content: usize,
    reward: f64,
    probability: f64,
    base: [f64; MAX_CONTENTS],
}

impl Learner {
    /// A learner that has seen nothing.
    pub fn new(rule: Rule, contents: usize) -> Self {
        Learner {
            rule,
            contents: contents.min(MAX_CONTENTS),
            table: [[0.0; MAX_CONTENTS]; MAX_STATES],
            seen: [[0.0; MAX_CONTENTS]; MAX_STATES],
            value: [0.0; MAX_STATES],
            mean: 0.0,
            n: 0,
            batch: Vec::new(),
        }
    }

    /// θ of a state (or the mean rewards, for bandits).
    pub fn row(&self, state: usize) -> &[f64] {
        &self.table[state][..self.contents]
    }

    /// The running mean of the reward.
    pub fn baseline(&self) -> f64 {
        self.mean
    }

    fn welford(&mut self, reward: f64) -> f64 {
        self.n += 1;
        let before = reward - self.mean;
        self.mean += before / self.n as f64;
        before
    }

    /// One policy-gradient step in a state: θ += α·(A·(1[a] − p) − β·p·(θ − E_p θ)).
    fn ascend(
        &mut self,
        state: usize,
        policy: &[f64],
        content: usize,
        weight: f64,
        rate: f64,
        kl: f64,
    ) {
        let row = &mut self.table[state];
        let centre: f64 = match kl > 0.0 {
            true => policy.iter().zip(row.iter()).map(|(p, t)| p * t).sum(),
            false => 0.0,
        };
        for (j, (p, t)) in policy.iter().zip(row.iter_mut()).enumerate() {
            let hit = if j == content { 1.0 } else { 0.0 };
            let mut gradient = weight * (hit - p);
            if kl > 0.0 {
                gradient -= kl * p * (*t - centre);
            }
            *t += rate * gradient;
        }
    }

    fn estimate(&mut self, taken: &Taken<'_>) {
        let n = &mut self.seen[taken.state][taken.content];
        *n += 1.0;
        let mean = &mut self.table[taken.state][taken.content];
        *mean += (taken.reward - *mean) / *n;
    }

    fn remember(&mut self, taken: &Taken<'_>, batch: usize) -> bool {
        let mut base = [0.0; MAX_CONTENTS];
        base[..self.contents].copy_from_slice(&taken.base[..self.contents]);
        self.batch.push(Memory {
            state: taken.state,
            next: taken.next,
            content: taken.content,
            reward: taken.reward,
            probability: taken.policy[taken.content],
            base,
        });
        self.batch.len() >= batch
    }

    /// Passes over the batch with the clipped ratio, then forgets it.
    fn clipped(&mut self, advantages: &[f64], alpha: f64, kl: f64, epochs: usize, clip: f64) {
        let k = self.contents;
        let batch = std::mem::take(&mut self.batch);
        let rate = alpha / batch.len().max(1) as f64;
        for _ in 0..epochs {
            let frozen = self.table;
            for (m, advantage) in batch.iter().zip(advantages) {
                let mut p = [0.0; MAX_CONTENTS];
                soft(&m.base[..k], &frozen[m.state][..k], &mut p[..k]);
                let ratio = p[m.content] / m.probability.max(1e-12);
                let beyond = (*advantage > 0.0 && ratio > 1.0 + clip)
                    || (*advantage < 0.0 && ratio < 1.0 - clip);
                let weight = if beyond { 0.0 } else { ratio * advantage };
                let row = &frozen[m.state];
                let centre: f64 = p[..k].iter().zip(row).map(|(p, t)| p * t).sum();
                for j in 0..k {
                    let hit = if j == m.content { 1.0 } else { 0.0 };
                    let gradient = weight * (hit - p[j]) - kl * p[j] * (row[j] - centre);
                    self.table[m.state][j] += rate * gradient;
                }
            }
        }
        self.batch = batch;
        self.batch.clear();
    }

    /// Advantages of a PPO batch by the value before it, and the value after it.
    fn critic(&mut self, gamma: f64, rate: f64) -> Vec<f64> {
        let errors: Vec<f64> = self
            .batch
            .iter()
            .map(|m| m.reward + gamma * self.value[m.next] - self.value[m.state])
            .collect();
        for (m, e) in self.batch.iter().zip(&errors) {
            self.value[m.state] += rate * e;
        }
        errors
    }

    fn standardised(&self) -> Vec<f64> {
        let n = self.batch.len().max(1) as f64;
        let mean = self.batch.iter().map(|m| m.reward).sum::<f64>() / n;
        let square = self.batch.iter().map(|m| (m.reward - mean).powi(2));
        let sd = (square.sum::<f64>() / n).sqrt() + 1e-6;
        self.batch.iter().map(|m| (m.reward - mean) / sd).collect()
    }

    fn greedy(&self, scores: &[f64], base: &[f64], out: &mut [f64]) {
        let possible = |j: usize| base[j] > f64::NEG_INFINITY;
        let best = (0..self.contents)
            .filter(|j| possible(*j))
            .fold(f64::NEG_INFINITY, |m, j| m.max(scores[j]));
        let ties = (0..self.contents).filter(|j| possible(*j) && scores[*j] >= best);
        let share = 1.0 / ties.clone().count().max(1) as f64;
        out.fill(0.0);
        ties.for_each(|j| out[j] = share);
    }

    fn upper(&self, state: usize, width: f64) -> [f64; MAX_CONTENTS] {
        let seen = &self.seen[state];
        let all: f64 = seen.iter().sum();
        let log = if all > 1.0 { ln(all) } else { 0.0 };
        std::array::from_fn(|j| match seen[j] > 0.0 {
            true => self.table[state][j] + width * (log / seen[j]).sqrt(),
            false => f64::INFINITY,
        })
    }

    fn sampled(
        &self,
        state: usize,
        prior_sd: f64,
        noise_sd: f64,
        uniform: &mut dyn FnMut() -> f64,
    ) -> [f64; MAX_CONTENTS] {
        let ratio = (noise_sd / prior_sd).powi(2);
        let mut scores = [0.0; MAX_CONTENTS];
        for (j, score) in scores.iter_mut().enumerate().take(self.contents) {
            let weight = self.seen[state][j] + ratio;
            let mean = self.table[state][j] * self.seen[state][j] / weight;
            *score = mean + noise_sd / weight.sqrt() * quantile::normal(uniform());
        }
        scores
    }

    /// Of n candidates drawn from the stack the one with the highest estimate is shown:
    /// P(at most rank r) = F(r)ⁿ, shared within ties by the stack's weights.
    fn best_of(&self, state: usize, n: u32, out: &mut [f64]) {
        let scores = self.table[state];
        let mut order: [usize; MAX_CONTENTS] = std::array::from_fn(|j| j);
        let order = &mut order[..self.contents];
        order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
        let drawn: [f64; MAX_CONTENTS] =
            std::array::from_fn(|j| out.get(j).copied().unwrap_or(0.0));
        let power = |x: f64| x.powi(i32::try_from(n).unwrap_or(i32::MAX));
        let mut below = 0.0;
        for ties in order.chunk_by(|a, b| scores[*a] == scores[*b]) {
            let mass: f64 = ties.iter().map(|j| drawn[*j]).sum();
            let chosen = power((below + mass).min(1.0)) - power(below);
            for j in ties {
                out[*j] = if mass > 0.0 {
                    chosen * drawn[*j] / mass
                } else {
                    0.0
                };
            }
            below += mass;
        }
    }
}

impl Optimiser for Learner {
    fn policy(
        &mut self,
        state: usize,
        base: &[f64],
        uniform: &mut dyn FnMut() -> f64,
        out: &mut [f64],
    ) {
        let none = [0.0; MAX_CONTENTS];
        let k = self.contents;
        match self.rule {
            Rule::None => soft(base, &none[..k], out),
            Rule::Reinforce { .. }
            | Rule::ActorCritic { .. }
            | Rule::Ppo { .. }
            | Rule::Grpo { .. } => soft(base, &self.table[state][..k], out),
            Rule::EpsilonGreedy { epsilon } => {
                let mut greedy = [0.0; MAX_CONTENTS];
                self.greedy(&self.table[state], base, &mut greedy[..k]);
                soft(base, &none[..k], out);
                for (p, g) in out.iter_mut().zip(&greedy) {
                    *p = epsilon * *p + (1.0 - epsilon) * g;
                }
            }
            Rule::Ucb { width } => self.greedy(&self.upper(state, width), base, out),
            Rule::Thompson { prior_sd, noise_sd } => {
                let scores = self.sampled(state, prior_sd, noise_sd, uniform);
                self.greedy(&scores, base, out);
            }
            Rule::BestOfN { n } => {
                soft(base, &none[..k], out);
                self.best_of(state, n, out);
            }
        }
    }

    fn wants_expected(&self) -> bool {
        matches!(
            self.rule,
            Rule::Reinforce {
                baseline: Baseline::Oracle,
                ..
            }
        )
    }

    fn learn(&mut self, taken: &Taken<'_>) {
        let (x, a) = (taken.state, taken.content);
        match self.rule {
            Rule::None => {}
            Rule::Reinforce {
                alpha,
                baseline,
                kl,
            } => {
                let advantage = match baseline {
                    Baseline::None => taken.reward,
                    Baseline::Oracle => taken.reward - taken.expected,
                    Baseline::WelfordBefore => self.welford(taken.reward),
                    Baseline::Welford => {
                        self.welford(taken.reward);
                        taken.reward - self.mean
                    }
                };
                self.ascend(x, taken.policy, a, advantage, alpha, kl);
            }
            Rule::ActorCritic {
                alpha,
                critic,
                gamma,
                kl,
            } => {
                let error = taken.reward + gamma * self.value[taken.next] - self.value[x];
                self.value[x] += critic * error;
                self.ascend(x, taken.policy, a, error, alpha, kl);
            }
            Rule::Ppo {
                alpha,
                critic,
                gamma,
                kl,
                batch,
                epochs,
                clip,
            } => {
                if self.remember(taken, batch) {
                    let advantages = self.critic(gamma, critic);
                    self.clipped(&advantages, alpha, kl, epochs, clip);
                }
            }
            Rule::Grpo {
                alpha,
                kl,
                batch,
                epochs,
                clip,
            } => {
                if self.remember(taken, batch) {
                    let advantages = self.standardised();
                    self.clipped(&advantages, alpha, kl, epochs, clip);
                }
            }
            Rule::EpsilonGreedy { .. }
            | Rule::Ucb { .. }
            | Rule::Thompson { .. }
            | Rule::BestOfN { .. } => self.estimate(taken),
        }
    }
}

/// Softmax of base + θ, with the largest subtracted; −∞ gives 0.
pub(crate) fn soft(base: &[f64], theta: &[f64], out: &mut [f64]) {
    let mut top = f64::NEG_INFINITY;
    for ((o, b), t) in out.iter_mut().zip(base).zip(theta) {
        *o = b + t;
        top = top.max(*o);
    }
    let mut sum = 0.0;
    for o in out.iter_mut() {
        *o = if *o > top - 700.0 { exp(*o - top) } else { 0.0 };
        sum += *o;
    }
    let scale = 1.0 / sum;
    out.iter_mut().for_each(|o| *o *= scale);
}

#[cfg(test)]
mod tests;
