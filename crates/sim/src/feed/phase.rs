//! Phase diagrams: what becomes of people as the learner's step size α and the sensitisation η vary.
//!
//! The shares are those of definition L3 (a person ends at a content that is not their own best one)
//! and L2 (one content has more than a stated share), over the same people with the same luck in every
//! cell.

use serde::{Deserialize, Serialize};

use super::kernel::{Reaction, Setting, Ungoverned, step};
use super::learner::{Baseline, Learner, Rule};
use super::life::{Arm, World, live};
use super::luck::Luck;
use super::mirror::Bandit4;
use super::population::LOCKED;
use super::sums::{Estimate, Moments};
use crate::checkpoint::{CheckpointError, Identity};
use crate::parts::Optimiser;
use crate::rounds::{self, Control, End};

/// A content with more than this is L2 in the world `bandit4s`.
pub const BANDIT_LOCKED: f64 = 0.95;

/// Which cells, and how many people go through each.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// Step sizes α.
    pub alpha: Vec<f64>,
    /// Sensitisation η.
    pub eta: Vec<f64>,
    /// People.
    pub people: u64,
}

impl Grid {
    /// All pairs: every η of the first α, then of the next.
    pub fn cells(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        let etas = |a: f64| self.eta.iter().map(move |e| (a, *e));
        self.alpha.iter().flat_map(move |a| etas(*a))
    }

    /// The world with each pair, as it is.
    pub fn arms(&self, world: &World) -> Vec<Arm> {
        let arm = |(alpha, eta): (f64, f64)| {
            let mut world = World {
                after_weeks: 0,
                ..world.clone()
            };
            set_alpha(&mut world.rule, alpha);
            world.people.eta = eta;
            Arm {
                name: format!("alpha {alpha}, eta {eta}"),
                world,
                frozen: false,
                replica: 0,
            }
        };
        self.cells().map(arm).collect()
    }

    /// The cells' numbers.
    pub fn numbers(&self, sums: &[CellSums]) -> Vec<Cell> {
        let cell = |((alpha, eta), sums): ((f64, f64), &CellSums)| Cell {
            alpha,
            eta,
            elsewhere: sums.elsewhere.estimate(),
            locked: sums.locked.estimate(),
        };
        self.cells().zip(sums).map(cell).collect()
    }
}

/// Whether a rule has a step size.
pub fn has_alpha(rule: Rule) -> bool {
    set_alpha(&mut rule.clone(), 0.0)
}

fn set_alpha(rule: &mut Rule, to: f64) -> bool {
    match rule {
        Rule::Reinforce { alpha, .. }
        | Rule::ActorCritic { alpha, .. }
        | Rule::Ppo { alpha, .. }
        | Rule::Grpo { alpha, .. } => {
            *alpha = to;
            true
        }
        _ => false,
    }
}

/// Sums of one cell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellSums {
    elsewhere: Moments,
    locked: Moments,
}

impl CellSums {
    /// Adds a person of the `clusters` world.
    pub(super) fn live(&mut self, arm: &Arm, seed: u64, number: u64) {
        let life = live(arm, seed, number);
        let last = life.last();
        self.add(last != life.best, life.exposure[last] > LOCKED);
    }

    fn add(&mut self, elsewhere: bool, locked: bool) {
        self.elsewhere.add(if elsewhere { 1.0 } else { 0.0 });
        self.locked.add(if locked { 1.0 } else { 0.0 });
    }

    /// Adds other people.
    pub(super) fn merge(&mut self, other: &CellSums) {
        self.elsewhere.merge(&other.elsewhere);
        self.locked.merge(&other.locked);
    }
}

/// What came of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cell {
    /// α.
    pub alpha: f64,
    /// η.
    pub eta: f64,
    /// L3: share of people who end at another content than the one they react to most unmoved.
    pub elsewhere: Estimate,
    /// Share of locked people.
    pub locked: Estimate,
}

/// The world `bandit4s`: four contents with mean reactions 1, .8, .6 and .3 and SD .5, a learner whose
/// baseline is the mean of the rewards before, reactions that exposure raises toward 2.
#[derive(Debug, Clone, PartialEq)]
pub struct Bandit4s {
    /// The cells, and the people of each.
    pub grid: Grid,
    /// Steps.
    pub steps: u32,
}

/// Sums of a run of `bandit4s`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    people: u64,
    cells: Vec<CellSums>,
}

impl rounds::Sums for Totals {
    fn people(&self) -> u64 {
        self.people
    }
    fn merge(&mut self, other: Totals) {
        self.people += other.people;
        for (a, b) in self.cells.iter_mut().zip(&other.cells) {
            a.merge(b);
        }
    }
    fn fits(&self, empty: &Totals) -> bool {
        self.cells.len() == empty.cells.len()
    }
}

impl Bandit4s {
    /// Runs it.
    ///
    /// # Errors
    /// For checkpoints that cannot be read, written or do not belong to this run.
    pub fn run(&self, seed: u64, control: &Control<'_>) -> Result<End<Totals>, CheckpointError> {
        let (people, steps) = (self.grid.people, self.steps);
        let of = Identity {
            run: format!("bandit4s people={people} steps={steps} seed={seed}"),
            settings: format!("{self:?}"),
        };
        let empty = || Totals {
            people: 0,
            cells: vec![CellSums::default(); self.grid.cells().count()],
        };
        let pair = |sums: &mut Totals, first: u64| {
            for number in first..(first + 2).min(people) {
                sums.people += 1;
                for (sums, (alpha, eta)) in sums.cells.iter_mut().zip(self.grid.cells()) {
                    let p = bandit(alpha, eta, steps, seed, number);
                    let largest = (0..4).fold(0, |m, j| if p[j] > p[m] { j } else { m });
                    // The first content is everybody's best one.
                    sums.add(largest != 0, p[largest] > BANDIT_LOCKED);
                }
            }
        };
        rounds::go(&of, people, control, &empty, &pair)
    }

    /// The cells' numbers.
    pub fn numbers(&self, totals: &Totals) -> Vec<Cell> {
        self.grid.numbers(&totals.cells)
    }
}

/// The policy that one person ends with.
fn bandit(alpha: f64, eta: f64, steps: u32, seed: u64, number: u64) -> [f64; 4] {
    let rule = Rule::Reinforce {
        alpha,
        baseline: Baseline::WelfordBefore,
        kl: 0.0,
    };
    let base = [0.0; 4];
    let setting = Setting {
        base: &base,
        principal: &Reaction,
        governor: &Ungoverned,
        evidence: 1.0,
    };
    let (mut person, mut learner) = (Bandit4::new(eta), Learner::new(rule, 4));
    let luck = Luck::new(seed, number);
    for t in 0..steps {
        step(
            &mut person,
            &mut learner,
            &setting,
            luck.step(t),
            &mut || 0.5,
        );
    }
    let mut p = [0.0; 4];
    learner.policy(0, &base, &mut || 0.5, &mut p);
    p
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::life::tests::world;

    /// The table of the reference, whose cells come from runs of 10,000 people; 300 here.
    #[test]
    fn the_boundary_of_the_sensitising_bandit() {
        let world = Bandit4s {
            grid: Grid {
                alpha: vec![0.02, 0.1],
                eta: vec![0.0, 0.005, 0.02],
                people: 300,
            },
            steps: 3000,
        };
        let end = world.run(1, &Control::default()).unwrap();
        let cells = world.numbers(&end.sums);
        let want = [0.0, 0.0075, 0.0284, 0.0, 0.0479, 0.1342];
        assert_eq!(cells.len(), want.len());
        for (cell, want) in cells.iter().zip(want) {
            let found = cell.elsewhere.mean;
            let se = (want * (1.0 - want) / 300f64).sqrt().max(0.002);
            assert!((found - want).abs() < 4.0 * se, "{cell:?} {want}");
        }
        assert!(cells[3].locked.mean > 0.98 && cells[0].locked.mean < 0.4);
    }

    #[test]
    fn a_cell_is_the_world_with_its_constants() {
        let world = world();
        let grid = Grid {
            alpha: vec![0.08, 0.2],
            eta: vec![world.people.eta, 0.5],
            people: 4,
        };
        let arms = grid.arms(&world);
        assert_eq!(arms.len(), 4);
        let first = World {
            after_weeks: 0,
            ..world.clone()
        };
        assert_eq!(arms[0].world, first);
        assert_eq!(arms[3].world.people.eta, 0.5);
        assert!(has_alpha(world.rule) && !has_alpha(Rule::Ucb { width: 1.0 }));
    }
}
