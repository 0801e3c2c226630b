//! The luck of one person: a pure function of (seed, person, step, purpose).
//!
//! Every step has its own content draw, transition draw and normal, whatever policy runs, so that two
//! worlds can be compared on the same people with the same luck (common random numbers). Further
//! draws of a step come from a stream of their own and cannot shift the first three.

use crate::draw::{Draws, Sequence};

/// Purposes of the sequences of a feed world.
const STEP: u32 = 64;
const FURTHER: u32 = 65;
const BIRTH: u32 = 66;

/// The three draws of a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepLuck {
    /// Picks the content, in (0, 1).
    pub content: f64,
    /// Picks the next state, in (0, 1).
    pub state: f64,
    /// Standard normal of the reaction.
    pub reaction: f64,
}

/// A person's luck under one seed.
#[derive(Debug, Clone, Copy)]
pub struct Luck {
    seed: u64,
    draws: Draws,
    person: u64,
}

impl Luck {
    /// The luck of a person.
    pub fn new(seed: u64, person: u64) -> Self {
        Luck {
            seed,
            draws: Draws::new(seed),
            person,
        }
    }

    /// The draws of a step: one block of the generator.
    pub fn step(&self, t: u32) -> StepLuck {
        let mut words = self.draws.sequence(self.person, t, STEP);
        let unit = |bits: u32| (f64::from(bits) + 0.5) / 4_294_967_296.0;
        StepLuck {
            content: unit(words.bits()),
            state: unit(words.bits()),
            reaction: words.normal(),
        }
    }

    /// Further draws of a step.
    pub fn further(&self, t: u32) -> Sequence {
        self.draws.sequence(self.person, t, FURTHER)
    }

    /// The draws that make a person. Replicas of a person are made by the same ones.
    pub fn birth(&self) -> Sequence {
        self.draws.sequence(self.person, 0, BIRTH)
    }

    /// The luck of the same person's steps in another replica; replica 0 is the person as is.
    pub fn replica(&self, replica: u64) -> Luck {
        Luck::new(
            self.seed ^ replica.wrapping_mul(0x9E37_79B9_7F4A_7C15),
            self.person,
        )
    }
}

/// The first index whose cumulative probability exceeds `u`; the last possible one when rounding
/// leaves none.
pub fn pick(p: &[f64], u: f64) -> usize {
    let mut sum = 0.0;
    let mut last = 0;
    for (i, q) in p.iter().enumerate() {
        if *q > 0.0 {
            sum += q;
            last = i;
            if u < sum {
                return i;
            }
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_its_own_and_its_moments_are_right() {
        let n = 40_000u32;
        let (mut u, mut s, mut z, mut zz, mut uz) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for t in 0..n {
            let d = Luck::new(1, 5).step(t);
            u += d.content - 0.5;
            s += d.state - 0.5;
            z += d.reaction;
            zz += d.reaction * d.reaction;
            uz += d.content * d.reaction;
        }
        let n = f64::from(n);
        for mean in [u / n, s / n, z / n, zz / n - 1.0, uz / n] {
            assert!(mean.abs() < 0.03, "{mean}");
        }
        let base = Luck::new(1, 5);
        assert_ne!(base.step(1), base.step(2));
        assert_ne!(base.step(1), base.replica(1).step(1));
        assert_eq!(base.step(1), base.replica(0).step(1));
        assert_ne!(base.step(1), Luck::new(1, 5 | 1 << 40).step(1));
    }

    #[test]
    fn the_rule_of_the_public_demo() {
        // index = number of cumulative probabilities <= u
        assert_eq!(pick(&[0.5, 0.5], 0.5), 1);
        assert_eq!(pick(&[0.5, 0.5], 0.499), 0);
        assert_eq!(pick(&[0.0, 1.0], 0.0), 1);
        assert_eq!(pick(&[1.0, 0.0], 1.0), 0);
    }
}
