//! Counter-based random numbers: every draw is a pure function of (seed, person, time, stream).
//!
//! The generator is the Philox4x32-10 of [`driftlead_stats::rng`]. Nothing is shared between people or weeks, so a world gives the same bits
//! at any number of threads and in any order, and two policies can meet the same person with the
//! same luck.
//!
//! No draw depends on the platform: uniforms are exact, normals and Poisson numbers use only IEEE
//! basic operations (see `portable`).

use driftlead_stats::rng::philox;

use crate::portable;

/// The draws of one (seed, person, time, stream), in order. 2³⁴ numbers long.
#[derive(Debug, Clone)]
pub struct Draws {
    key: [u32; 2],
    counter: [u32; 4],
    block: [u32; 4],
    used: usize,
}

impl Draws {
    /// Starts at the first draw. `time` counts in whatever step the world uses; `stream` separates
    /// uses that must not share luck.
    pub fn new(seed: u64, person: u32, time: u32, stream: u32) -> Self {
        Draws {
            key: [seed as u32, (seed >> 32) as u32],
            counter: [0, time, person, stream],
            block: [0; 4],
            used: 4,
        }
    }

    /// 32 uniform bits.
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
        normal_quantile(self.uniform())
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

/// Quantile of the standard normal, relative error about 1e-16: Wichura, algorithm AS 241 (PPND16),
/// Applied Statistics 37 (1988), 477-484.
fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * polynomial(&CENTRE_TOP, r) / polynomial(&CENTRE_BOTTOM, r);
    }
    let tail = (-portable::ln(p.min(1.0 - p))).sqrt();
    let size = if tail <= 5.0 {
        polynomial(&MIDDLE_TOP, tail - 1.6) / polynomial(&MIDDLE_BOTTOM, tail - 1.6)
    } else {
        polynomial(&FAR_TOP, tail - 5.0) / polynomial(&FAR_BOTTOM, tail - 5.0)
    };
    if q < 0.0 { -size } else { size }
}

fn polynomial(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

const CENTRE_TOP: [f64; 8] = [
    3.387_132_872_796_366_5,
    1.331_416_678_917_843_8e2,
    1.971_590_950_306_551_3e3,
    1.373_169_376_550_946e4,
    4.592_195_393_154_987e4,
    6.726_577_092_700_87e4,
    3.343_057_558_358_813e4,
    2.509_080_928_730_122_7e3,
];
const CENTRE_BOTTOM: [f64; 8] = [
    1.0,
    4.231_333_070_160_091e1,
    6.871_870_074_920_579e2,
    5.394_196_021_424_751e3,
    2.121_379_430_158_659_7e4,
    3.930_789_580_009_271e4,
    2.872_908_573_572_194_3e4,
    5.226_495_278_852_854e3,
];
const MIDDLE_TOP: [f64; 8] = [
    1.423_437_110_749_683_5,
    4.630_337_846_156_546,
    5.769_497_221_460_691,
    3.647_848_324_763_204_5,
    1.270_458_252_452_368_4,
    2.417_807_251_774_506e-1,
    2.272_384_498_926_918_4e-2,
    7.745_450_142_783_414e-4,
];
const MIDDLE_BOTTOM: [f64; 8] = [
    1.0,
    2.053_191_626_637_759,
    1.676_384_830_183_803_8,
    6.897_673_349_851e-1,
    1.481_039_764_274_800_8e-1,
    1.519_866_656_361_645_7e-2,
    5.475_938_084_995_345e-4,
    1.050_750_071_644_416_9e-9,
];
const FAR_TOP: [f64; 8] = [
    6.657_904_643_501_103,
    5.463_784_911_164_114,
    1.784_826_539_917_291_3,
    2.965_605_718_285_048_7e-1,
    2.653_218_952_657_612_4e-2,
    1.242_660_947_388_078_4e-3,
    2.711_555_568_743_487_6e-5,
    2.010_334_399_292_288_1e-7,
];
const FAR_BOTTOM: [f64; 8] = [
    1.0,
    5.998_322_065_558_88e-1,
    1.369_298_809_227_358e-1,
    1.487_536_129_085_061_5e-2,
    7.868_691_311_456_133e-4,
    1.846_318_317_510_054_8e-5,
    1.421_511_758_316_446e-7,
    2.044_263_103_389_939_8e-15,
];

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::distribution::{ContinuousCDF, Normal};

    /// Known answers published with the Random123 distribution (`kat_vectors`, philox4x32 10).
    #[test]
    fn the_generator_gives_the_published_answers() {
        let mut zero = Draws::new(0, 0, 0, 0);
        let first = [zero.bits(), zero.bits(), zero.bits(), zero.bits()];
        assert_eq!(first, [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        let cases = [
            (
                [u32::MAX; 4],
                [u32::MAX; 2],
                [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd],
            ),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, answer) in cases {
            assert_eq!(philox(counter, key), answer);
        }
    }

    #[test]
    fn every_coordinate_changes_the_draws() {
        let first = |s, p, t, k| Draws::new(s, p, t, k).uniform();
        let base = first(1, 2, 3, 4);
        assert_eq!(base, first(1, 2, 3, 4));
        for other in [
            first(2, 2, 3, 4),
            first(1 << 40, 2, 3, 4),
            first(1, 3, 3, 4),
            first(1, 2, 4, 4),
            first(1, 2, 3, 5),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn normal_quantile_matches_an_independent_one() {
        let normal = Normal::new(0.0, 1.0).unwrap();
        for i in 1..2000 {
            let p = f64::from(i) / 2000.0;
            assert!((normal.cdf(normal_quantile(p)) - p).abs() < 1e-9, "p = {p}");
        }
        // Published check values of AS 241.
        assert!((normal_quantile(0.25) + 0.674_489_750_196_081_7).abs() < 1e-15);
        assert!((normal_quantile(1e-3) + 3.090_232_306_167_813_5).abs() < 1e-14);
        assert!((normal_quantile(1e-20) + 9.262_340_089_798_408).abs() < 1e-13);
    }

    #[test]
    fn moments() {
        let mut d = Draws::new(7, 0, 0, 0);
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
