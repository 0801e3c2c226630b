//! Interests that drift with what is shown and clicked (after Jiang, Chiappa, Lattimore, György & Kohli
//! 2019, arXiv 1902.10730; the abstract was read, the equations were not).
//!
//! A person has an interest μ in each of K items; one that is shown is clicked with probability
//! 1/(1 + e^−μ), and then μ goes up by δ if it was clicked and down by δ if not. An interest above 0
//! therefore tends up and one below tends down, without end: the system is degenerate when ‖μ − μ₀‖
//! grows without bound, and how fast depends on who chooses the items.

use super::purpose;
use super::world::{
    Arm, Friends, Peers, Running, Setting, Shown, Slot, Tell, Visit, World, choice,
};
use crate::draw::{Draws, Sequence};
use crate::portable::{exp, ln};

/// Who chooses the items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chooser {
    /// Knows the interests.
    Oracle,
    /// Largest upper confidence bound of the click rate, √(2 ln t / n) above it.
    Ucb,
    /// Thompson sampling of the click rate from Beta(1 + clicks, 1 + others).
    Thompson,
    /// Draws evenly.
    Random,
}

const CHOOSERS: [&str; 4] = ["oracle", "ucb", "thompson", "random"];

impl Chooser {
    const ALL: [Chooser; 4] = [
        Chooser::Oracle,
        Chooser::Ucb,
        Chooser::Thompson,
        Chooser::Random,
    ];
}

/// Constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Jiang {
    /// Who chooses.
    pub chooser: Chooser,
    /// Items K.
    pub items: usize,
    /// Items shown at a step.
    pub shown: usize,
    /// How far one reaction moves an interest, δ.
    pub drift: f64,
    /// SD of first interests.
    pub spread: f64,
}

impl Default for Jiang {
    fn default() -> Self {
        Jiang {
            chooser: Chooser::Ucb,
            items: 50,
            shown: 5,
            drift: 0.02,
            spread: 1.0,
        }
    }
}

impl World for Jiang {
    fn constants(&mut self, visit: &mut Visit<'_>) {
        choice(
            visit,
            "chooser",
            &CHOOSERS,
            &Chooser::ALL,
            &mut self.chooser,
        );
        visit("items", Slot::Count(&mut self.items, 2, 200));
        visit("shown", Slot::Count(&mut self.shown, 1, 200));
        visit("drift", Slot::Number(&mut self.drift, 0.0, 1.0));
        visit("spread", Slot::Number(&mut self.spread, 0.0, 10.0));
    }

    fn start(&self, setting: &Setting) -> Box<dyn Running> {
        Box::new(Life::new(*self, setting))
    }

    fn arms(&self) -> Vec<Arm> {
        let with = |chooser| Jiang { chooser, ..*self };
        vec![
            Arm::new("as it is", *self),
            Arm::new("oracle", with(Chooser::Oracle)),
            Arm::new("UCB", with(Chooser::Ucb)),
            Arm::new("Thompson", with(Chooser::Thompson)),
            Arm::natural("drawn evenly", with(Chooser::Random)),
        ]
    }

    fn scale(&self) -> [f64; 2] {
        [-10.0, 10.0]
    }

    fn peers(&self) -> Peers {
        Peers::Share
    }
}

struct Life {
    world: Jiang,
    draws: Draws,
    friends: Friends,
    interest: Vec<f64>,
    /// Clicks and times shown, person by person like the interests.
    clicks: Vec<f64>,
    times: Vec<f64>,
}

impl Life {
    fn new(world: Jiang, setting: &Setting) -> Self {
        let draws = Draws::new(setting.seed);
        let interest: Vec<f64> = (0..setting.people as u64)
            .flat_map(|i| {
                let mut luck = draws.sequence(i, 0, purpose::JIANG);
                (0..world.items).map(move |_| world.spread * luck.normal())
            })
            .collect();
        Life {
            world,
            draws,
            friends: Friends::new(setting),
            clicks: vec![0.0; interest.len()],
            times: vec![0.0; interest.len()],
            interest,
        }
    }

    /// A person's items, best first.
    fn chosen(&self, person: usize, t: u32) -> Vec<usize> {
        let (w, k) = (self.world, self.world.items);
        let mut luck = self.draws.sequence(person as u64, t, purpose::JIANG_CHOICE);
        let mut scores: Vec<(f64, usize)> = (0..k)
            .map(|a| {
                let at = person * k + a;
                let (clicks, n) = (self.clicks[at], self.times[at]);
                let score = match w.chooser {
                    Chooser::Oracle => self.interest[at],
                    // Never shown: before all others, in an order by lot.
                    Chooser::Ucb if n == 0.0 => 1e9 + luck.uniform(),
                    Chooser::Ucb => clicks / n + (2.0 * ln(f64::from(t) + 1.0) / n).sqrt(),
                    Chooser::Thompson => beta(1.0 + clicks, 1.0 + n - clicks, &mut luck),
                    Chooser::Random => luck.uniform(),
                };
                (score, a)
            })
            .collect();
        scores.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        scores.iter().take(w.shown.min(k)).map(|s| s.1).collect()
    }
}

impl Running for Life {
    fn step(&mut self, t: u32, tell: &mut Tell<'_>) {
        let (w, k) = (self.world, self.world.items);
        for i in 0..self.interest.len() / k {
            let mut chosen = self.chosen(i, t);
            // A friend's item has the last place, unless it is there anyway.
            if let Some(item) = self.friends.passed_on(i, t)
                && !chosen.contains(&item)
                && let Some(last) = chosen.last_mut()
            {
                *last = item;
            }
            let mut luck = self.draws.sequence(i as u64, t + 1, purpose::JIANG);
            // One draw per item, shown or not: what an item meets does not depend on the others.
            let draws: Vec<f64> = (0..k).map(|_| luck.uniform()).collect();
            for a in chosen {
                let at = i * k + a;
                let click = draws[a] < 1.0 / (1.0 + exp((-self.interest[at]).clamp(-500.0, 500.0)));
                self.times[at] += 1.0;
                self.clicks[at] += if click { 1.0 } else { 0.0 };
                self.interest[at] += if click { w.drift } else { -w.drift };
                if click {
                    self.friends.saw(i, a);
                }
                let reaction = Some(if click { 1.0 } else { 0.0 });
                tell(Shown {
                    reaction,
                    ..Shown::new(i, a)
                });
            }
        }
        self.friends.turn();
    }

    fn state(&self) -> Vec<f64> {
        self.interest.clone()
    }
}

/// A draw from a beta distribution with both parameters ≥ 1.
fn beta(a: f64, b: f64, luck: &mut Sequence) -> f64 {
    let (x, y) = (gamma(a, luck), gamma(b, luck));
    x / (x + y)
}

/// A draw from a gamma distribution with shape ≥ 1 and scale 1 (Marsaglia & Tsang 2000).
fn gamma(shape: f64, luck: &mut Sequence) -> f64 {
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let (x, u) = (luck.normal(), luck.uniform());
        let v = (1.0 + c * x).powi(3);
        if v > 0.0 && ln(u) < 0.5 * x * x + d - d * v + d * ln(v) {
            return d * v;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::opinion::graph::Network;
    use crate::feed::opinion::numbers::tests::end;
    use crate::feed::opinion::numbers::{Course, Size, run};

    fn courses(world: Jiang, network: Option<Network>) -> Vec<Course> {
        let size = Size {
            people: 40,
            steps: 300,
            replicates: 3,
            network,
            friends: 0.5,
        };
        run(&world, &size, 1, &|| {}).unwrap()
    }

    /// The reported shape: who chooses decides how fast interests run away.
    #[test]
    fn the_oracle_is_fastest_and_even_draws_are_slowest() {
        let all = courses(Jiang::default(), None);
        let [as_is, oracle, ucb, thompson, even] = &all[..] else {
            panic!()
        };
        let moved = |c: &Course| end(c, "from_start");
        assert_eq!(as_is.looks, ucb.looks);
        assert!(
            moved(oracle) > 1.1 * moved(thompson),
            "{} {}",
            moved(oracle),
            moved(thompson)
        );
        assert!(
            moved(thompson) > 1.1 * moved(ucb),
            "{} {}",
            moved(thompson),
            moved(ucb)
        );
        assert!(
            moved(ucb) > 1.05 * moved(even),
            "{} {}",
            moved(ucb),
            moved(even)
        );
        assert!(end(oracle, "reaction") > end(even, "reaction") + 0.2);
    }

    #[test]
    fn without_drift_nobody_moves() {
        for course in courses(
            Jiang {
                drift: 0.0,
                ..Jiang::default()
            },
            None,
        ) {
            assert_eq!(end(&course, "from_start"), 0.0, "{}", course.arm);
        }
    }

    /// Friends pass on what they clicked, so neighbours on the graph see more of the same.
    #[test]
    fn friends_bring_people_to_the_same_items() {
        let world = Jiang {
            chooser: Chooser::Oracle,
            shown: 2,
            ..Jiang::default()
        };
        let ring = Network::SmallWorld {
            degree: 2,
            rewired: 0.0,
        };
        let (alone, friends) = (courses(world, None), courses(world, Some(ring)));
        // Two of a pair are neighbours on the ring.
        let shared = |c: &[Course]| end(&c[0], "jaccard");
        assert!(
            shared(&friends) > shared(&alone) + 0.05,
            "{} {}",
            shared(&friends),
            shared(&alone)
        );
    }

    #[test]
    fn beta_draws_have_their_mean_and_variance() {
        let mut luck = Draws::new(1).sequence(0, 0, 0);
        let x: Vec<f64> = (0..20_000).map(|_| beta(3.0, 9.0, &mut luck)).collect();
        let mean = x.iter().sum::<f64>() / 2e4;
        let variance = x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 2e4;
        assert!((mean - 0.25).abs() < 0.005, "{mean}");
        assert!(
            (variance - 27.0 / (144.0 * 13.0)).abs() < 0.0006,
            "{variance}"
        );
    }
}
