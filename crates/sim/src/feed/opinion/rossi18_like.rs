//! A person and a recommender of news in a closed loop (after Rossi, Polderman & Frasca 2018, arXiv
//! 1809.04644; the abstract was read, the equations were not): news lie on one of two sides,
//! p ∈ {−1, 1}; o(t+1) = a·o(0) + b·o(t) + c·p(t) with a + b + c = 1; a click has the probability
//! ½ + ½·s·o·p; the recommender is ε-greedy on the share of clicks of each side.
//!
//! With one side for ever an opinion ends at (a·o(0) + c·p)/(a + c): how far it can be carried is
//! set by a : c, how fast by b, and which way by the loop.

use super::purpose;
use super::world::{Arm, Friends, Peers, Running, Setting, Shown, Slot, Tell, Visit, World};
use crate::draw::Draws;

/// Constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rossi {
    /// Weight a of the first opinion.
    pub prejudice: f64,
    /// Weight c of what is shown; b is the rest.
    pub influence: f64,
    /// Confirmation bias s.
    pub bias: f64,
    /// Share ε of news that are drawn evenly.
    pub exploration: f64,
}

impl Default for Rossi {
    fn default() -> Self {
        Rossi {
            prejudice: 0.02,
            influence: 0.02,
            bias: 1.0,
            exploration: 0.1,
        }
    }
}

impl World for Rossi {
    fn constants(&mut self, visit: &mut Visit<'_>) {
        // a + c ≤ 1 for any two in range.
        visit("prejudice", Slot::Number(&mut self.prejudice, 0.0, 0.5));
        visit("influence", Slot::Number(&mut self.influence, 0.0, 0.5));
        visit("bias", Slot::Number(&mut self.bias, 0.0, 1.0));
        visit("exploration", Slot::Number(&mut self.exploration, 0.0, 1.0));
    }

    fn start(&self, setting: &Setting) -> Box<dyn Running> {
        Box::new(Life::new(*self, setting))
    }

    fn arms(&self) -> Vec<Arm> {
        vec![
            Arm::new("as it is", *self),
            Arm::new(
                "half drawn evenly",
                Rossi {
                    exploration: 0.5,
                    ..*self
                },
            ),
            Arm::new("no confirmation bias", Rossi { bias: 0.0, ..*self }),
            Arm::natural(
                "drawn evenly",
                Rossi {
                    exploration: 1.0,
                    ..*self
                },
            ),
        ]
    }

    fn peers(&self) -> Peers {
        Peers::Share
    }

    fn item(&self, item: usize) -> String {
        if item == 1 {
            "news-for"
        } else {
            "news-against"
        }
        .to_owned()
    }
}

struct Life {
    world: Rossi,
    draws: Draws,
    friends: Friends,
    first: Vec<f64>,
    opinion: Vec<f64>,
    /// Clicks and times shown of both sides, for each person.
    counts: Vec<[[f64; 2]; 2]>,
}

impl Life {
    fn new(world: Rossi, setting: &Setting) -> Self {
        let draws = Draws::new(setting.seed);
        let first: Vec<f64> = (0..setting.people as u64)
            .map(|i| draws.sequence(i, 0, purpose::ROSSI).between(-1.0, 1.0))
            .collect();
        Life {
            world,
            draws,
            friends: Friends::new(setting),
            opinion: first.clone(),
            counts: vec![[[0.0; 2]; 2]; first.len()],
            first,
        }
    }
}

impl Running for Life {
    fn step(&mut self, t: u32, tell: &mut Tell<'_>) {
        let w = self.world;
        for (i, o) in self.opinion.iter_mut().enumerate() {
            let mut luck = self.draws.sequence(i as u64, t + 1, purpose::ROSSI);
            let (explores, even, clicks) = (luck.uniform(), luck.uniform(), luck.uniform());
            let counts = &mut self.counts[i];
            // A side that was never shown counts as always clicked, so that both are tried.
            let rate = |side: usize| (counts[0][side] + 1.0) / (counts[1][side] + 1.0);
            let tie = rate(0) == rate(1);
            let greedy = usize::from(if tie { even < 0.5 } else { rate(1) > rate(0) });
            let own = if explores < w.exploration {
                usize::from(even < 0.5)
            } else {
                greedy
            };
            let passed = self.friends.passed_on(i, t);
            let side = passed.unwrap_or(own);
            let likely = w.exploration * 0.5
                + if side == greedy {
                    1.0 - w.exploration
                } else {
                    0.0
                };
            let p = if side == 1 { 1.0 } else { -1.0 };
            let click = clicks < 0.5 + 0.5 * w.bias * *o * p;
            counts[1][side] += 1.0;
            counts[0][side] += if click { 1.0 } else { 0.0 };
            *o = w.prejudice * self.first[i]
                + (1.0 - w.prejudice - w.influence) * *o
                + w.influence * p;
            self.friends.saw(i, side);
            tell(Shown {
                propensity: (passed.is_none() && !tie).then_some(likely),
                reaction: Some(if click { 1.0 } else { 0.0 }),
                ..Shown::new(i, side)
            });
        }
        self.friends.turn();
    }

    fn state(&self) -> Vec<f64> {
        self.opinion.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::opinion::numbers::tests::{alone, end};
    use crate::feed::opinion::numbers::{Course, run};

    fn courses(world: Rossi) -> Vec<Course> {
        run(&world, &alone(300, 400, 3), 1, &|| {}).unwrap()
    }

    /// What the abstract reports: recommendations drawn by clicks make opinions more extreme, and
    /// randomness buys less of that with less clicks.
    #[test]
    fn the_loop_makes_opinions_more_extreme_and_gets_more_clicks() {
        let all = courses(Rossi::default());
        let [as_is, half, unbiased, even] = &all[..] else {
            panic!()
        };
        assert!(
            end(as_is, "mean_abs") > 0.5 && end(as_is, "mean_abs") > end(half, "mean_abs") + 0.05
        );
        assert!(end(half, "mean_abs") > end(even, "mean_abs") + 0.05);
        assert!(end(as_is, "reaction") > end(half, "reaction") + 0.05);
        assert!(end(half, "reaction") > end(even, "reaction") + 0.05);
        // Without the bias clicks say nothing about the person.
        assert!((end(unbiased, "reaction") - 0.5).abs() < 0.01);
        assert!(end(as_is, "from_natural") > 0.2 && end(even, "from_natural") == 0.0);
    }

    #[test]
    fn without_influence_nobody_moves() {
        for course in courses(Rossi {
            influence: 0.0,
            ..Rossi::default()
        }) {
            assert!(end(&course, "from_start") < 1e-9, "{}", course.arm);
        }
    }

    #[test]
    fn one_side_for_ever_ends_where_the_weights_say() {
        let setting = Setting {
            people: 1,
            steps: 1,
            seed: 1,
            graph: None,
            friends: 0.0,
        };
        let mut life = Life::new(
            Rossi {
                exploration: 0.0,
                ..Rossi::default()
            },
            &setting,
        );
        // The other side is known never to be clicked.
        (life.first[0], life.opinion[0]) = (0.4, 0.4);
        life.counts[0] = [[0.0, 1e9], [1e9, 1e9]];
        (0..2000).for_each(|t| life.step(t, &mut |_| {}));
        assert!((life.opinion[0] - (0.02 * 0.4 + 0.02) / 0.04).abs() < 1e-9);
    }
}
