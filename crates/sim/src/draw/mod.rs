//! Luck: counter-based random numbers keyed by (seed, user, step, stream).
//!
//! A draw is a pure function of a 64-bit seed, a 64-bit user, a 32-bit step and a 32-bit stream.
//! Nothing else can influence it: not the thread, the block, the width of a vector, the instruction
//! set, or what other draws were made. The last point gives common random numbers: the same person
//! under two policies meets the same luck.
//!
//! # The generator
//! Five rounds of AES on a 128-bit counter, in the style of ARS (Salmon, Moraes, Dror, Shaw 2011,
//! "Parallel random numbers: as easy as 1, 2, 3"), named [`GENERATOR`] in manifests. The counter is
//! the little-endian words (low half of user/4, high half of user/4, step, stream); a user takes the
//! output word `user mod 4`, so that four consecutive counters serve sixteen users in order. The six
//! round keys are two Weyl sequences that start at the seed (see `Keys`). It is a generator for
//! simulations: nothing here protects a secret.
//!
//! # Two ways to draw
//! - [`Draws`] gives one 32-bit word per (user, step, stream): what the engine's
//!   vector kernels use, and what a world uses that needs a fixed number of draws per step.
//! - [`Sequence`] gives as many numbers as wanted for one (user, step, stream): for worlds whose
//!   number of draws varies. Its counters have the highest stream bit set and hold the undivided
//!   user, so that no sequence shares a counter with a word.
//!
//! Streams of [`Draws`] below 2³¹ are free to use; the engine has taken [`stream`]'s. A world numbers
//! its streams in one enumeration, so that no two purposes share luck.
//!
//! ```
//! use driftlead_sim::draw::Draws;
//!
//! const CHOICE: u32 = 16;
//! let draws = Draws::new(7);
//! let u = draws.uniform(123, 0, CHOICE);
//! assert!((0.0..1.0).contains(&u));
//! assert_eq!(u, Draws::new(7).uniform(123, 0, CHOICE));
//! let mut luck = draws.sequence(123, 0, 5);
//! let (_size, _count) = (luck.normal(), luck.poisson(3.0));
//! ```

mod aes;
pub(crate) mod quantile;
mod sequence;

pub(crate) use aes::{Keys, PER_BLOCK, portable as rounds};
pub use sequence::Sequence;

/// The generator's name, for run manifests.
pub const GENERATOR: &str = "aes128-5r-counter/1";

/// Streams of [`Draws`] that the engine's kernels use.
pub mod stream {
    /// Which content is shown.
    pub const CONTENT: u32 = 0;
    /// Which state the person goes to.
    pub const TRANSITION: u32 = 1;
    /// The reaction's noise: one word per two steps.
    pub const REACTION: u32 = 2;
    /// First stream that worlds may use.
    pub const FREE: u32 = 16;
}

/// All draws of one seed. Cheap to make and to copy; safe to share between threads.
#[derive(Debug, Clone, Copy)]
pub struct Draws {
    keys: Keys,
}

impl Draws {
    /// The draws of a seed.
    pub fn new(seed: u64) -> Self {
        Draws {
            keys: Keys::new(seed),
        }
    }

    /// The round keys, for the vector kernels.
    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The words of the four users `4·quad` to `4·quad + 3`, for code that serves several at once.
    pub fn quad(&self, quad: u64, step: u32, stream: u32) -> [u32; 4] {
        aes::block(&self.keys, [quad as u32, (quad >> 32) as u32, step, stream])
    }

    /// The 32 uniform bits of (user, step, stream).
    pub fn word(&self, user: u64, step: u32, stream: u32) -> u32 {
        self.quad(user / PER_BLOCK, step, stream)[(user % PER_BLOCK) as usize]
    }

    /// Uniform in [0, 1), a multiple of 2⁻²⁴, exact in single precision: the highest 24 bits of the
    /// word.
    pub fn uniform(&self, user: u64, step: u32, stream: u32) -> f64 {
        f64::from(self.word(user, step, stream) >> 8) * (1.0 / 16_777_216.0)
    }

    /// Standard normal by inversion of the distribution function at the word's 2³² midpoints; the
    /// largest values are ±6.34.
    pub fn normal(&self, user: u64, step: u32, stream: u32) -> f64 {
        let p = (f64::from(self.word(user, step, stream)) + 0.5) * (1.0 / 4_294_967_296.0);
        quantile::normal(p)
    }

    /// A sequence of numbers for (user, step, purpose), apart from all words and from every other
    /// sequence. Purposes are numbers below 4096, fixed in the calling world.
    ///
    /// # Panics
    /// If `purpose` is 4096 or more.
    pub fn sequence(&self, user: u64, step: u32, purpose: u32) -> Sequence {
        Sequence::new(self.keys, user, step, purpose)
    }
}

#[cfg(test)]
mod tests;
