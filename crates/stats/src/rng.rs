//! Counter-based random numbers: the value depends on the key and the counter alone.
//!
//! Every stochastic choice in the project is keyed by (seed, subject, time, stream), so that a run is
//! bit-identical at any number of threads and two policies can be compared on the same person with
//! the same luck (common random numbers). The generator is Philox4x32-10 (Salmon, Moraes, Dror, Shaw
//! 2011, "Parallel random numbers: as easy as 1, 2, 3").

const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// Philox4x32-10: four 32-bit words from a 128-bit counter and a 64-bit key.
pub fn philox(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let mut c = counter;
    let mut k = key;
    for round in 0..10 {
        if round > 0 {
            k = [k[0].wrapping_add(WEYL[0]), k[1].wrapping_add(WEYL[1])];
        }
        let a = u64::from(MULTIPLIERS[0]) * u64::from(c[0]);
        let b = u64::from(MULTIPLIERS[1]) * u64::from(c[2]);
        c = [
            (b >> 32) as u32 ^ c[1] ^ k[0],
            b as u32,
            (a >> 32) as u32 ^ c[3] ^ k[1],
            a as u32,
        ];
    }
    c
}

/// A stream of numbers for one (seed, subject, time, stream).
///
/// **Assumes** that a purpose is used for one thing only. **Guarantee**: the same key gives the same
/// numbers, in any order of calls to other streams and at any number of threads. Source: Salmon and
/// others 2011.
///
/// ```
/// use driftlead_stats::rng::Stream;
/// let draw = |person| Stream::new(1, person, 0, 7).normal();
/// assert_eq!(draw(3), draw(3));
/// assert_ne!(draw(3), draw(4));
/// ```
#[derive(Debug, Clone)]
pub struct Stream {
    key: [u32; 2],
    counter: [u32; 4],
    block: [u32; 4],
    used: usize,
    spare: Option<f64>,
}

impl Stream {
    /// The stream of one subject (person, series) at one time under one purpose. Purposes are small
    /// numbers fixed in the calling module.
    pub fn new(seed: u64, subject: u64, time: u32, purpose: u16) -> Self {
        let key = [seed as u32, (seed >> 32) as u32];
        // The subject has 48 bits; the low half of the last word tells purposes apart.
        let counter = [
            0,
            time,
            subject as u32,
            ((subject >> 32) as u32) << 16 | u32::from(purpose),
        ];
        Stream {
            key,
            counter,
            block: [0; 4],
            used: 4,
            spare: None,
        }
    }

    /// The next 32 random bits.
    pub fn bits(&mut self) -> u32 {
        if self.used == 4 {
            self.block = philox(self.counter, self.key);
            self.counter[0] = self.counter[0].wrapping_add(1);
            self.used = 0;
        }
        let word = self.block[self.used];
        self.used += 1;
        word
    }

    /// Uniform in the open interval (0, 1), 53 bits.
    pub fn uniform(&mut self) -> f64 {
        let high = u64::from(self.bits());
        let low = u64::from(self.bits());
        ((high << 21 | low >> 11) as f64 + 0.5) * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform integer in `0..n` (`n` > 0; 0 for `n` = 0), by Lemire's multiply-shift without
    /// rejection: the bias is below n/2³².
    pub fn below(&mut self, n: u32) -> u32 {
        ((u64::from(self.bits()) * u64::from(n)) >> 32) as u32
    }

    /// Standard normal, by the Box–Muller transform.
    pub fn normal(&mut self) -> f64 {
        if let Some(value) = self.spare.take() {
            return value;
        }
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        let (sin, cos) = (std::f64::consts::TAU * self.uniform()).sin_cos();
        self.spare = Some(radius * sin);
        radius * cos
    }

    /// Poisson count with mean `mean` (0 for a mean that is not positive): by inversion up to 30, by
    /// splitting above, so that it never underflows.
    pub fn poisson(&mut self, mean: f64) -> u32 {
        let mut left = if mean > 0.0 { mean } else { return 0 };
        let mut count = 0;
        while left > 0.0 {
            let part = left.min(30.0);
            left -= part;
            let (mut term, mut k) = ((-part).exp(), 0u32);
            let mut u = self.uniform();
            while u > term && k < 1000 {
                u -= term;
                k += 1;
                term *= part / f64::from(k);
            }
            count += k;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers published with the Random123 library.
    #[test]
    fn known_answers() {
        let cases = [
            (
                [0; 4],
                [0; 2],
                [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8],
            ),
            (
                [!0; 4],
                [!0; 2],
                [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd],
            ),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, expected) in cases {
            assert_eq!(philox(counter, key), expected);
        }
    }

    #[test]
    fn moments() {
        let mut s = Stream::new(1, 2, 3, 4);
        let n = 100_000;
        let (mut mean, mut square, mut poisson) = (0.0, 0.0, 0.0);
        for _ in 0..n {
            let z = s.normal();
            mean += z;
            square += z * z;
            poisson += f64::from(s.poisson(42.5));
        }
        let n = f64::from(n);
        assert!((mean / n).abs() < 0.015);
        assert!((square / n - 1.0).abs() < 0.02);
        assert!((poisson / n - 42.5).abs() < 0.1);
    }

    #[test]
    fn streams_differ() {
        let first = |seed, subject, time, purpose| Stream::new(seed, subject, time, purpose).bits();
        let base = first(1, 1, 1, 1);
        assert!(first(2, 1, 1, 1) != base && first(1, 2, 1, 1) != base);
        assert!(first(1, 1, 2, 1) != base && first(1, 1, 1, 2) != base);
        assert!(first(1, 1 << 32, 1, 1) != first(1, 0, 1, 1));
    }
}
