//! The public demo and its two relatives, in f64, one person at a time: known answers for the kernel.
//!
//! Tables, floor, blend and order of updates: public demo `ranfysvalle02/hooked` (MIT, © 2026 Fabian
//! Valle), commit 1e79685; facts only, no code of it. The engine has the same worlds as vectors.

use super::luck::pick;
use crate::parts::{Law, Person};

/// Step size of the demo.
pub const ALPHA: f64 = 0.08;
/// Steps of the demo.
pub const STEPS: u32 = 250;
/// Smallest reaction.
pub const FLOOR: f64 = 0.1;
/// Mean reaction, reactive profile, `[state][informative, outrage]`.
pub const MEAN: [[f64; 2]; 3] = [[1.5, 2.5], [1.2, 5.5], [0.8, 8.0]];
/// Variance of the reaction, reactive profile, `[state][informative, outrage]`.
pub const VARIANCE: [[f64; 2]; 3] = [[0.10, 1.00], [0.08, 3.00], [0.05, 5.00]];
/// Next state, reactive profile, `[informative, outrage][state][next]`.
pub const NEXT: [[[f64; 3]; 3]; 2] = [
    [[0.85, 0.15, 0.00], [0.45, 0.50, 0.05], [0.20, 0.55, 0.25]],
    [[0.25, 0.65, 0.10], [0.05, 0.35, 0.60], [0.00, 0.08, 0.92]],
];

fn blend(lambda: f64, reactive: f64, intentional: f64) -> f64 {
    (1.0 - lambda) * reactive + lambda * intentional
}

/// The person of `mirror`: two contents, a learner that does not see the state.
#[derive(Debug, Clone, Copy)]
pub struct Mirror {
    /// 0 reactive to 1 intentional; clamped.
    pub lambda: f64,
    /// 0 calm, 1 engaged, 2 hooked.
    pub state: usize,
}

impl Mirror {
    /// A calm person.
    pub fn new(lambda: f64) -> Self {
        Mirror {
            lambda: lambda.clamp(0.0, 1.0),
            state: 0,
        }
    }

    /// The blended row of transition probabilities.
    pub fn row(&self, content: usize, state: usize) -> [f64; 3] {
        let (r, i) = (NEXT[content][state], NEXT[1 - content][state]);
        std::array::from_fn(|s| blend(self.lambda, r[s], i[s]))
    }

    /// The law of the reaction in a state.
    pub fn law_in(&self, state: usize, content: usize) -> Law {
        let of = |table: &[[f64; 2]; 3]| {
            blend(
                self.lambda,
                table[state][content],
                table[state][1 - content],
            )
        };
        Law {
            mean: of(&MEAN),
            sd: of(&VARIANCE).sqrt(),
            floor: FLOOR,
        }
    }
}

impl Person for Mirror {
    fn states(&self) -> usize {
        1
    }
    fn contents(&self) -> usize {
        2
    }
    fn state(&self) -> usize {
        0
    }
    fn law(&self, content: usize) -> Law {
        self.law_in(self.state, content)
    }
    fn evolve(&mut self, content: usize, _reaction: f64, uniform: f64) {
        self.state = pick(&self.row(content, self.state), uniform);
    }
}

/// The person of `mirror4`: depth and three baits, four kinds of people, a learner per state.
#[derive(Debug, Clone, Copy)]
pub struct Mirror4 {
    lambda: f64,
    cluster: usize,
    state: usize,
}

impl Mirror4 {
    /// Person number `u`: cluster u mod 4, λ the golden-ratio sequence.
    pub fn new(u: u64) -> Self {
        let hashed = (u.wrapping_mul(2_654_435_769) & 0xffff_ffff) >> 8;
        Mirror4 {
            lambda: hashed as f64 / f64::from(1u32 << 24),
            cluster: (u % 4) as usize,
            state: 0,
        }
    }

    /// The fast state, 0 calm to 2 hooked.
    pub fn fast(&self) -> usize {
        self.state
    }

    fn kind(content: usize) -> usize {
        usize::from(content > 0)
    }
}

impl Person for Mirror4 {
    fn states(&self) -> usize {
        3
    }
    fn contents(&self) -> usize {
        4
    }
    fn state(&self) -> usize {
        self.state
    }
    fn law(&self, content: usize) -> Law {
        let (kind, s) = (Self::kind(content), self.state);
        let weight = match content == 0 || content == self.cluster {
            true => 1.0,
            false => 0.5,
        };
        let of = |t: &[[f64; 2]; 3]| blend(self.lambda, t[s][kind], t[s][1 - kind]);
        Law {
            mean: weight * of(&MEAN),
            sd: of(&VARIANCE).sqrt(),
            floor: FLOOR,
        }
    }
    fn evolve(&mut self, content: usize, _reaction: f64, uniform: f64) {
        let kind = Self::kind(content);
        let (r, i) = (NEXT[kind][self.state], NEXT[1 - kind][self.state]);
        let row: [f64; 3] = std::array::from_fn(|s| blend(self.lambda, r[s], i[s]));
        self.state = pick(&row, uniform);
    }
}

/// The person of `bandit4` and `bandit4s`: stateless, with reactions that rise by exposure toward a
/// cap and return without it.
#[derive(Debug, Clone, Copy)]
pub struct Bandit4 {
    start: [f64; 4],
    now: [f64; 4],
    sd: f64,
    eta: f64,
    eta_decay: f64,
    cap: f64,
}

impl Bandit4 {
    /// Means 1, .8, .6, .3 and SD .5; `eta` is both the rise and the return, 0 for `bandit4`.
    pub fn new(eta: f64) -> Self {
        let start = [1.0, 0.8, 0.6, 0.3];
        Bandit4 {
            start,
            now: start,
            sd: 0.5,
            eta,
            eta_decay: eta,
            cap: 2.0,
        }
    }

    /// Mean reactions now.
    pub fn means(&self) -> [f64; 4] {
        self.now
    }
}

impl Person for Bandit4 {
    fn states(&self) -> usize {
        1
    }
    fn contents(&self) -> usize {
        4
    }
    fn state(&self) -> usize {
        0
    }
    fn law(&self, content: usize) -> Law {
        Law {
            mean: self.now[content],
            sd: self.sd,
            floor: f64::NEG_INFINITY,
        }
    }
    fn evolve(&mut self, content: usize, _reaction: f64, _uniform: f64) {
        if self.eta == 0.0 {
            return;
        }
        for (j, now) in self.now.iter_mut().enumerate() {
            *now += match j == content {
                true => self.eta * (self.cap - *now),
                false => -self.eta_decay * (*now - self.start[j]),
            };
        }
    }
}
