//! As many numbers as wanted for one (user, step, purpose).
//!
//! No number depends on the platform: uniforms are exact, normals and Poisson numbers use only IEEE
//! basic operations (see `portable`).

use super::aes::{self, Keys};
use super::quantile;
use crate::portable;

/// Marks a counter as one of a sequence.
const SEQUENCE: u32 = 1 << 31;
/// Bits of the last counter word that count blocks; the purpose is above them.
const INDEX_BITS: u32 = 19;
const PURPOSES: u32 = SEQUENCE >> INDEX_BITS;

/// The numbers of one (seed, user, step, purpose), in order. It is 2²¹ 32-bit words long, and then
/// starts again.
#[derive(Debug, Clone)]
pub struct Sequence {
    keys: Keys,
    counter: [u32; 4],
    block: [u32; 4],
    used: usize,
}

impl Sequence {
    pub(super) fn new(keys: Keys, user: u64, step: u32, purpose: u32) -> Self {
        assert!(purpose < PURPOSES, "purposes are numbers below {PURPOSES}");
        let last = SEQUENCE | purpose << INDEX_BITS;
        Sequence {
            keys,
            counter: [user as u32, (user >> 32) as u32, step, last],
            block: [0; 4],
            used: 4,
        }
    }

    /// 32 uniform bits.
    pub fn bits(&mut self) -> u32 {
        if self.used == 4 {
            self.block = aes::block(&self.keys, self.counter);
            let index = self.counter[3].wrapping_add(1) & ((1 << INDEX_BITS) - 1);
            self.counter[3] = self.counter[3] >> INDEX_BITS << INDEX_BITS | index;
            self.used = 0;
        }
        let word = self.block[self.used];
        self.used += 1;
        word
    }

    /// Uniform in the open interval (0, 1), a multiple of 2⁻⁵³.
    pub fn uniform(&mut self) -> f64 {
        let wide = u64::from(self.bits()) << 32 | u64::from(self.bits());
        ((wide >> 12) as f64 + 0.5) * (1.0 / (1u64 << 52) as f64)
    }

    /// Uniform between two bounds.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// Uniform in `0..n`; 0 for `n = 0`. The bias is below `n`/2³².
    pub fn below(&mut self, n: u32) -> u32 {
        ((u64::from(self.bits()) * u64::from(n)) >> 32) as u32
    }

    /// `true` with probability `p`, resolved to 2⁻³².
    pub fn chance(&mut self, p: f64) -> bool {
        f64::from(self.bits()) < p * 4_294_967_296.0
    }

    /// One of the choices; the first if there is only one.
    ///
    /// # Panics
    /// If there is none.
    pub fn pick<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(u32::try_from(choices.len()).unwrap_or(u32::MAX)) as usize]
    }

    /// Standard normal: one uniform through the inverse distribution function, so that the n-th
    /// normal always uses the same bits.
    pub fn normal(&mut self) -> f64 {
        quantile::normal(self.uniform())
    }

    /// Poisson with a mean ≥ 0, by inversion; means above 16 are split into independent parts.
    pub fn poisson(&mut self, mean: f64) -> u32 {
        if mean > 16.0 {
            return self.poisson(mean * 0.5) + self.poisson(mean * 0.5);
        }
        let mut left = self.uniform();
        let mut probability = portable::exp(-mean.max(0.0));
        let mut count = 0;
        while left > probability && count < 200 {
            left -= probability;
            count += 1;
            probability *= mean / f64::from(count);
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use crate::draw::Draws;

    #[test]
    fn every_coordinate_changes_the_numbers() {
        let first = |s, p, t, k| Draws::new(s).sequence(p, t, k).uniform();
        let base = first(1, 2, 3, 4);
        assert_eq!(base, first(1, 2, 3, 4));
        for other in [
            first(2, 2, 3, 4),
            first(1 << 40, 2, 3, 4),
            first(1, 3, 3, 4),
            first(1, 2 | 1 << 40, 3, 4),
            first(1, 2, 4, 4),
            first(1, 2, 3, 5),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn a_sequence_shares_no_words_with_its_neighbours() {
        let draws = Draws::new(3);
        let mut seen = std::collections::HashSet::new();
        for purpose in [0, 1, 4095] {
            let mut s = draws.sequence(9, 1, purpose);
            for _ in 0..1000 {
                let wide = u64::from(s.bits()) << 32 | u64::from(s.bits());
                assert!(seen.insert(wide));
            }
        }
    }

    #[test]
    fn moments() {
        let mut d = Draws::new(7).sequence(0, 0, 0);
        let n = 200_000;
        let (mut sum, mut square, mut fourth) = (0.0, 0.0, 0.0);
        for _ in 0..n {
            let z = d.normal();
            sum += z;
            square += z * z;
            fourth += z.powi(4);
        }
        let n = f64::from(n);
        assert!((sum / n).abs() < 0.01);
        assert!((square / n - 1.0).abs() < 0.02);
        assert!((fourth / n - 3.0).abs() < 0.1);
        for mean in [0.0, 0.3, 4.0, 40.0] {
            let draws: Vec<f64> = (0..50_000).map(|_| f64::from(d.poisson(mean))).collect();
            let m = draws.iter().sum::<f64>() / 50_000.0;
            let v = draws.iter().map(|x| (x - m).powi(2)).sum::<f64>() / 50_000.0;
            let tolerance = 6.0 * (mean / 50_000.0f64).sqrt() + 1e-12;
            assert!((m - mean).abs() <= tolerance, "mean {mean}: {m}");
            assert!(
                (v - mean).abs() <= 0.05 * mean + 1e-12,
                "variance {mean}: {v}"
            );
        }
    }
}
