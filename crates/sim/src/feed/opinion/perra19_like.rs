//! Opinions that people adopt from what a filter shows them of their friends' (after Perra & Rocha
//! 2019, Sci Rep 9:7261; the abstract was read, the equations were not).
//!
//! An opinion is −1 or 1. A person who is active has the newest posts of their friends before them and
//! reads `shown`, chosen at random, newest first, or those that agree first; with probability `nudge`
//! the first place is given to opinion 1. They adopt the opinion of one of the places, drawn evenly,
//! and post what they then think. Without a nudge and with posts drawn at random this is the voter
//! model, in which the expected share of an opinion does not move on a graph of equal degrees.

use std::sync::Arc;

use super::graph::{Graph, Network};
use super::purpose;
use super::world::{Arm, Peers, Running, Setting, Shown, Slot, Tell, Visit, World, choice};
use crate::draw::Draws;

/// What is read of what friends post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// Drawn evenly.
    Random,
    /// Newest first.
    Newest,
    /// Those that agree with the person first.
    Similar,
}

/// Names of filters, in order.
const FILTERS: [&str; 3] = ["random", "newest", "similar"];

impl Filter {
    const ALL: [Filter; 3] = [Filter::Random, Filter::Newest, Filter::Similar];
}

/// Constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Perra {
    /// What is read.
    pub filter: Filter,
    /// Share of people who are active at a step.
    pub active: f64,
    /// Places read.
    pub shown: usize,
    /// Probability that opinion 1 has the first place.
    pub nudge: f64,
    /// Share of people who begin with opinion 1.
    pub start_share: f64,
}

impl Default for Perra {
    fn default() -> Self {
        Perra {
            filter: Filter::Similar,
            active: 0.3,
            shown: 5,
            nudge: 0.0,
            start_share: 0.5,
        }
    }
}

impl World for Perra {
    fn constants(&mut self, visit: &mut Visit<'_>) {
        choice(visit, "filter", &FILTERS, &Filter::ALL, &mut self.filter);
        visit("active", Slot::Number(&mut self.active, 0.0, 1.0));
        visit("shown", Slot::Count(&mut self.shown, 1, 1000));
        visit("nudge", Slot::Number(&mut self.nudge, 0.0, 1.0));
        visit("start_share", Slot::Number(&mut self.start_share, 0.0, 1.0));
    }

    fn start(&self, setting: &Setting) -> Box<dyn Running> {
        Box::new(Life::new(*self, setting))
    }

    fn arms(&self) -> Vec<Arm> {
        let with = |filter| Perra {
            filter,
            nudge: 0.0,
            ..*self
        };
        vec![
            Arm::new("as it is", *self),
            Arm::new("newest first", with(Filter::Newest)),
            Arm::new("similar first", with(Filter::Similar)),
            Arm::new(
                "nudged .05 more",
                Perra {
                    nudge: (self.nudge + 0.05).min(1.0),
                    ..*self
                },
            ),
            Arm::natural("drawn evenly", with(Filter::Random)),
        ]
    }

    fn peers(&self) -> Peers {
        Peers::Contacts
    }

    fn item(&self, item: usize) -> String {
        if item == 1 {
            "opinion-for"
        } else {
            "opinion-against"
        }
        .to_owned()
    }
}

struct Life {
    world: Perra,
    draws: Draws,
    graph: Arc<Graph>,
    opinion: Vec<f64>,
    /// Opinion in a person's newest post, and the step of it.
    post: Vec<(f64, u32)>,
}

impl Life {
    fn new(world: Perra, setting: &Setting) -> Self {
        let draws = Draws::new(setting.seed);
        let graph = setting.graph.clone().unwrap_or_else(|| {
            // Friends are what this world is about: without a network there is a small world.
            let degree = 10.min((setting.people.max(3) - 1) / 2 * 2);
            let small = Network::SmallWorld {
                degree,
                rewired: 0.05,
            };
            let graph = small.graph(setting.people, setting.seed);
            Arc::new(graph.unwrap_or_else(|_| Graph::from_edges(setting.people, &[(0, 1)])))
        });
        let opinion: Vec<f64> = (0..setting.people as u64)
            .map(|i| {
                let for_it = draws.sequence(i, 0, purpose::PERRA).uniform() < world.start_share;
                if for_it { 1.0 } else { -1.0 }
            })
            .collect();
        Life {
            world,
            draws,
            graph,
            post: opinion.iter().map(|o| (*o, 0)).collect(),
            opinion,
        }
    }
}

impl Running for Life {
    fn step(&mut self, t: u32, tell: &mut Tell<'_>) {
        let w = self.world;
        let before = self.post.clone();
        for i in 0..self.opinion.len() {
            let mut luck = self.draws.sequence(i as u64, t + 1, purpose::PERRA);
            let (active, nudged, which) = (luck.uniform(), luck.uniform(), luck.uniform());
            let friends = self.graph.friends(i);
            if active >= w.active || friends.is_empty() {
                continue;
            }
            let own = self.opinion[i];
            // Ties of the order are broken by lot, by a draw for each friend.
            let mut posts: Vec<(u32, f64, f64)> = (friends.iter())
                .filter_map(|j| before.get(*j as usize))
                .map(|(opinion, when)| {
                    let rank = match w.filter {
                        Filter::Random => 0,
                        Filter::Newest => u32::MAX - when,
                        Filter::Similar => u32::from(*opinion != own),
                    };
                    (rank, luck.uniform(), *opinion)
                })
                .collect();
            posts.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
            posts.truncate(w.shown);
            if nudged < w.nudge
                && let Some(first) = posts.first_mut()
            {
                first.2 = 1.0;
            }
            for (.., opinion) in &posts {
                let agrees = if *opinion == own { 1.0 } else { 0.0 };
                let item = usize::from(*opinion > 0.0);
                tell(Shown {
                    reaction: Some(agrees),
                    ..Shown::new(i, item)
                });
            }
            let adopted = posts.get((which * posts.len() as f64) as usize);
            self.opinion[i] = adopted.map_or(own, |p| p.2);
            self.post[i] = (self.opinion[i], t + 1);
        }
    }

    fn state(&self) -> Vec<f64> {
        self.opinion.clone()
    }

    fn more(&self) -> Vec<(&'static str, f64)> {
        let n = self.opinion.len() as f64;
        let share = self.opinion.iter().filter(|o| **o > 0.0).count() as f64 / n;
        let alike = self
            .graph
            .share_of_edges(|i, j| self.opinion.get(i) == self.opinion.get(j));
        let mut all = vec![("share_for", share)];
        all.extend(alike.map(|s| ("alike_friends", s)));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::opinion::numbers::tests::{alone, end};
    use crate::feed::opinion::numbers::{Course, run};

    fn courses(world: Perra) -> Vec<Course> {
        run(&world, &alone(200, 200, 6), 3, &|| {}).unwrap()
    }

    /// What the abstract reports: a filter by agreement makes echo chambers, and a small nudge moves
    /// the whole toward its side.
    #[test]
    fn agreement_first_keeps_friends_alike_and_a_nudge_moves_everybody() {
        let all = courses(Perra::default());
        let [as_is, _, similar, nudged, even] = &all[..] else {
            panic!()
        };
        assert_eq!(as_is.looks, similar.looks);
        // Agreement first freezes: people turn less often, and meet less of the other side.
        assert!(end(as_is, "reaction") > 0.95, "{}", end(as_is, "reaction"));
        assert!(end(even, "reaction") < 0.9, "{}", end(even, "reaction"));
        assert!(end(as_is, "from_start") < 0.8 * end(even, "from_start"));
        assert!(end(nudged, "share_for") > end(as_is, "share_for") + 0.1);
        let start = as_is.looks[0].get("alike_friends").unwrap().mean;
        assert!(end(as_is, "alike_friends") > start + 0.2);
    }

    #[test]
    fn with_nobody_active_nothing_moves() {
        for course in courses(Perra {
            active: 0.0,
            ..Perra::default()
        }) {
            assert_eq!(end(&course, "from_start"), 0.0, "{}", course.arm);
        }
    }

    /// The voter model: the expected share stays.
    #[test]
    fn drawn_evenly_no_side_is_favoured() {
        let world = Perra {
            filter: Filter::Random,
            start_share: 0.3,
            ..Perra::default()
        };
        let size = alone(100, 60, 200);
        let all = run(&world, &size, 1, &|| {}).unwrap();
        let (first, last) = (&all[0].looks[0], all[0].looks.last().unwrap());
        let share = last.get("share_for").unwrap();
        let moved = share.mean - first.get("share_for").unwrap().mean;
        assert!(moved.abs() < 3.5 * share.se.unwrap(), "{moved} {share:?}");
    }
}
