//! The activity-driven opinion model of Baumann, Lorenz-Spreen, Sokolov & Starnini 2020 (PRL 124,
//! 048301): dx_i/dt = −x_i + K·Σ_j A_ij(t)·tanh(α·x_j).
//!
//! At every step of length dt a person is active with probability a, drawn from F(a) ∝ a^−γ on [ε, 1].
//! An active person contacts m different others, chosen ∝ |x_i − x_j|^−β with distances of at least
//! 1e-9; each of them receives tanh(α·x_i), and with probability r the person receives tanh(α·x_j) in
//! return. Euler steps from opinions uniform on (−1, 1).

use std::sync::Arc;

use super::graph::Graph;
use super::purpose;
use super::world::{Arm, Peers, Running, Setting, Shown, Slot, Tell, Visit, World};
use crate::draw::{Draws, Sequence};
use crate::portable::{exp, ln};

/// Constants of the model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Baumann {
    /// People.
    pub people: usize,
    /// Strength of influence, K.
    pub influence: f64,
    /// Controversialness α.
    pub controversy: f64,
    /// Homophily β, a whole number.
    pub homophily: usize,
    /// Contacts of an active person, m.
    pub contacts: usize,
    /// Smallest activity ε.
    pub least_activity: f64,
    /// Exponent γ of activities, not 1.
    pub activity_exponent: f64,
    /// Reciprocity r.
    pub reciprocity: f64,
    /// Length of a step.
    pub dt: f64,
    /// Steps.
    pub steps: u32,
}

impl Default for Baumann {
    fn default() -> Self {
        Baumann {
            people: 500,
            influence: 3.0,
            controversy: 3.0,
            homophily: 3,
            contacts: 10,
            least_activity: 0.01,
            activity_exponent: 2.1,
            reciprocity: 0.5,
            dt: 0.01,
            steps: 1000,
        }
    }
}

/// Opinions at the end, and activities.
#[derive(Debug, Clone, PartialEq)]
pub struct End {
    /// Opinions.
    pub opinion: Vec<f64>,
    /// Activities, in the same order.
    pub activity: Vec<f64>,
}

impl Baumann {
    /// Runs it.
    pub fn run(&self, seed: u64) -> End {
        let mut life = Life::new(*self, None, seed);
        (0..self.steps).for_each(|t| life.next(t, &mut |_| {}));
        life.end
    }

    /// Inverse of the distribution function.
    fn activity(&self, u: f64) -> f64 {
        let power = 1.0 - self.activity_exponent;
        let low = exp(power * ln(self.least_activity));
        exp(ln(low + u * (1.0 - low)) / power)
    }
}

impl World for Baumann {
    fn constants(&mut self, visit: &mut Visit<'_>) {
        visit("influence", Slot::Number(&mut self.influence, 0.0, 100.0));
        visit(
            "controversy",
            Slot::Number(&mut self.controversy, 0.0, 100.0),
        );
        visit("homophily", Slot::Count(&mut self.homophily, 0, 20));
        visit("contacts", Slot::Count(&mut self.contacts, 1, 1000));
        let least = Slot::Number(&mut self.least_activity, 1e-6, 0.999);
        visit("least_activity", least);
        let exponent = Slot::Number(&mut self.activity_exponent, 1.001, 10.0);
        visit("activity_exponent", exponent);
        visit("reciprocity", Slot::Number(&mut self.reciprocity, 0.0, 1.0));
        visit("dt", Slot::Number(&mut self.dt, 1e-6, 0.1));
    }

    fn start(&self, setting: &Setting) -> Box<dyn Running> {
        let people = setting.people;
        let world = Baumann { people, ..*self };
        Box::new(Life::new(world, setting.graph.clone(), setting.seed))
    }

    fn arms(&self) -> Vec<Arm> {
        vec![
            Arm::new("as it is", *self),
            Arm::new(
                "no homophily",
                Baumann {
                    homophily: 0,
                    ..*self
                },
            ),
            Arm::natural(
                "nobody is heard",
                Baumann {
                    influence: 0.0,
                    ..*self
                },
            ),
        ]
    }

    fn scale(&self) -> [f64; 2] {
        [-5.0, 5.0]
    }

    fn peers(&self) -> Peers {
        Peers::Contacts
    }

    /// What is shown is a person's opinion.
    fn item(&self, item: usize) -> String {
        format!("person-{item}")
    }
}

/// A run; its state is the end of what was done so far.
struct Life {
    world: Baumann,
    draws: Draws,
    graph: Option<Arc<Graph>>,
    end: End,
    received: Vec<f64>,
    weights: Vec<f64>,
}

impl Life {
    fn new(world: Baumann, graph: Option<Arc<Graph>>, seed: u64) -> Self {
        let draws = Draws::new(seed);
        let (mut opinion, mut activity) = (Vec::new(), Vec::new());
        for i in 0..world.people {
            let mut luck = draws.sequence(i as u64, 0, purpose::BAUMANN_BIRTH);
            opinion.push(luck.between(-1.0, 1.0));
            activity.push(world.activity(luck.uniform()));
        }
        Life {
            world,
            draws,
            graph,
            end: End { opinion, activity },
            received: vec![0.0; world.people],
            weights: vec![0.0; world.people],
        }
    }

    fn next(&mut self, t: u32, tell: &mut Tell<'_>) {
        let world = &self.world;
        let opinion = &mut self.end.opinion;
        self.received.fill(0.0);
        let said: Vec<f64> = opinion
            .iter()
            .map(|x| tanh(world.controversy * x))
            .collect();
        for (i, a) in self.end.activity.iter().enumerate() {
            let mut luck = self.draws.sequence(i as u64, t, purpose::BAUMANN_STEP);
            if !luck.chance(*a) {
                continue;
            }
            let likely = |x: f64| {
                (x - opinion[i])
                    .abs()
                    .max(1e-9)
                    .powi(-(world.homophily as i32))
            };
            let known = match &self.graph {
                None => {
                    let pairs = self.weights.iter_mut().zip(opinion.iter());
                    pairs.for_each(|(w, x)| *w = likely(*x));
                    self.weights[i] = 0.0;
                    world.people - 1
                }
                Some(graph) => {
                    self.weights.fill(0.0);
                    for j in graph.friends(i).iter().map(|j| *j as usize) {
                        self.weights[j] = likely(opinion[j]);
                    }
                    graph.friends(i).len()
                }
            };
            for _ in 0..world.contacts.min(known) {
                let j = take(&mut self.weights, &mut luck);
                self.received[j] += said[i];
                tell(Shown::new(j, i));
                if luck.chance(world.reciprocity) {
                    self.received[i] += said[j];
                    tell(Shown::new(i, j));
                }
            }
        }
        for (x, sum) in opinion.iter_mut().zip(&self.received) {
            *x += world.dt * (world.influence * sum - *x);
        }
    }
}

impl Running for Life {
    fn step(&mut self, t: u32, tell: &mut Tell<'_>) {
        self.next(t, tell);
    }

    fn state(&self) -> Vec<f64> {
        self.end.opinion.clone()
    }

    fn activity(&self) -> Option<&[f64]> {
        Some(&self.end.activity)
    }
}

/// Draws an index by weight and takes it out.
fn take(weights: &mut [f64], luck: &mut Sequence) -> usize {
    let total: f64 = weights.iter().sum();
    let mut left = luck.uniform() * total;
    let mut chosen = 0;
    for (j, w) in weights.iter().enumerate() {
        if *w > 0.0 {
            chosen = j;
            left -= w;
            if left <= 0.0 {
                break;
            }
        }
    }
    weights[chosen] = 0.0;
    chosen
}

fn tanh(x: f64) -> f64 {
    let e = exp((2.0 * x).clamp(-100.0, 100.0));
    (e - 1.0) / (e + 1.0)
}

impl End {
    /// Share of the larger side of 0.
    pub fn majority(&self) -> f64 {
        let above = self.opinion.iter().filter(|x| **x > 0.0).count() as f64;
        let share = above / self.opinion.len() as f64;
        share.max(1.0 - share)
    }

    /// Population SD of opinions.
    pub fn sd(&self) -> f64 {
        covariance(&self.opinion, &self.opinion).sqrt()
    }

    /// Mean distance from 0.
    pub fn mean_abs(&self) -> f64 {
        self.opinion.iter().map(|x| x.abs()).sum::<f64>() / self.opinion.len() as f64
    }

    /// Correlation of activity and distance from 0.
    pub fn activity_correlation(&self) -> f64 {
        let distance: Vec<f64> = self.opinion.iter().map(|x| x.abs()).collect();
        let scale = covariance(&distance, &distance) * covariance(&self.activity, &self.activity);
        covariance(&self.activity, &distance) / scale.sqrt()
    }
}

fn covariance(x: &[f64], y: &[f64]) -> f64 {
    let n = x.len() as f64;
    let (mx, my) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    x.iter()
        .zip(y)
        .map(|(x, y)| (x - mx) * (y - my))
        .sum::<f64>()
        / n
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activities_are_a_power_law_between_their_bounds() {
        let world = Baumann::default();
        assert!((world.activity(0.0) - 0.01).abs() < 1e-12);
        assert!((world.activity(1.0) - 1.0).abs() < 1e-12);
        // Median of F ∝ a^-2.1 on [.01, 1]: ((.01^-1.1 + 1)/2)^(-1/1.1).
        let median = ((0.01f64.powf(-1.1) + 1.0) / 2.0).powf(-1.0 / 1.1);
        assert!((world.activity(0.5) - median).abs() < 1e-12);
    }

    #[test]
    fn contacts_are_different_people_and_near_ones_come_first() {
        let mut luck = Draws::new(1).sequence(0, 0, 0);
        let mut first = [0; 3];
        for _ in 0..6000 {
            let mut weights = [1.0, 2.0, 3.0];
            let all: Vec<usize> = (0..3).map(|_| take(&mut weights, &mut luck)).collect();
            assert_eq!(all.iter().sum::<usize>(), 3, "each one once");
            first[all[0]] += 1;
        }
        for (count, share) in first.iter().zip([1.0, 2.0, 3.0]) {
            assert!(
                (f64::from(*count) / 1000.0 - share).abs() < 0.15,
                "{first:?}"
            );
        }
    }

    /// Nobody speaks of anything controversial: opinions decay as e^-t.
    #[test]
    fn without_influence_opinions_decay() {
        let world = Baumann {
            influence: 0.0,
            people: 50,
            steps: 300,
            ..Baumann::default()
        };
        let start = Baumann { steps: 0, ..world }.run(1);
        let end = world.run(1);
        let want = start.mean_abs() * 0.99f64.powi(300);
        assert!((end.mean_abs() - want).abs() < 1e-9);
    }

    /// Who has no friends is heard by nobody and hears nobody; two friends hear each other alone.
    #[test]
    fn on_a_graph_people_meet_friends_only() {
        let setting = Setting {
            people: 20,
            steps: 100,
            seed: 1,
            graph: Some(Arc::new(Graph::from_edges(20, &[(0, 1)]))),
            friends: 0.0,
        };
        let world = Baumann {
            least_activity: 0.9,
            ..Baumann::default()
        };
        let mut life = world.start(&setting);
        let start = life.state();
        let mut pairs = std::collections::BTreeSet::new();
        for t in 0..100 {
            life.step(t, &mut |shown| {
                pairs.insert((shown.person, shown.item));
            });
        }
        assert_eq!(pairs.into_iter().collect::<Vec<_>>(), [(0, 1), (1, 0)]);
        for (i, (x, x0)) in life.state().iter().zip(&start).enumerate() {
            let decayed = (x - x0 * 0.99f64.powi(100)).abs() < 1e-12;
            assert_eq!(decayed, i > 1, "{i}");
        }
    }
}
