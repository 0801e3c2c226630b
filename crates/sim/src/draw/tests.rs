//! Known answers, and tests of the interleavings that the engine uses: over users, over steps, over
//! streams and over seeds. `examples/draws.rs` writes the same interleavings for test batteries.

use super::*;

/// Words of n neighbouring counters along one coordinate.
fn along(axis: usize, n: u32) -> Vec<u32> {
    let draws = Draws::new(7);
    (0..n)
        .map(|i| match axis {
            0 => draws.word(u64::from(i), 3, 0),
            1 => draws.word(5, i, 0),
            2 => draws.word(5, 3, i),
            _ => Draws::new(i.into()).word(5, 3, 0),
        })
        .collect()
}

/// Fixed when the generator was written, so that no change of it goes unseen; computed there by a
/// second implementation (from the byte-wise definition of AES).
#[test]
fn known_answers() {
    let draws = Draws::new(7);
    let first: [u32; 4] = std::array::from_fn(|user| draws.word(user as u64, 0, 0));
    assert_eq!(first, draws.quad(0, 0, 0));
    assert_eq!(first, KNOWN[0]);
    assert_eq!(draws.quad(1 << 40, 5, 2), KNOWN[1]);
    assert_eq!(Draws::new(u64::MAX).quad(12_345, u32::MAX, 16), KNOWN[2]);
}

const KNOWN: [[u32; 4]; 3] = [
    [0x0e56_39c2, 0x638e_7161, 0x1128_be76, 0xdcbb_116c],
    [0x875a_c618, 0xc035_cdfc, 0x59f4_7fb9, 0x38c2_8c5c],
    [0xd9f3_c690, 0xa473_90db, 0xb0eb_eb1a, 0xc64a_b6be],
];

/// Pearson's statistic of equal cells, as a standard normal (Wilson and Hilferty 1931).
fn chi_square(counts: &[u32]) -> f64 {
    let expected = f64::from(counts.iter().sum::<u32>()) / counts.len() as f64;
    let statistic: f64 = counts
        .iter()
        .map(|&c| (f64::from(c) - expected).powi(2) / expected)
        .sum();
    let freedom = (counts.len() - 1) as f64;
    let scale = 2.0 / (9.0 * freedom);
    ((statistic / freedom).cbrt() - (1.0 - scale)) / scale.sqrt()
}

/// 5 SD: one false failure in about two million looks; the looks are fixed, so it is never random.
const LIMIT: f64 = 5.0;

#[test]
fn bytes_and_pairs_are_equally_frequent_along_every_coordinate() {
    for axis in 0..4 {
        let words = along(axis, 1 << 18);
        for byte in 0..4 {
            let mut counts = vec![0u32; 256];
            let mut pairs = vec![0u32; 65_536];
            for w in words.windows(2) {
                let [a, b] = [w[0], w[1]].map(|x| usize::from(x.to_le_bytes()[byte]));
                counts[a] += 1;
                pairs[a << 8 | b] += 1;
            }
            let z = (chi_square(&counts), chi_square(&pairs));
            assert!(
                z.0.abs() < LIMIT && z.1.abs() < LIMIT,
                "axis {axis} byte {byte}: {z:?}"
            );
        }
    }
}

#[test]
fn neighbours_are_uncorrelated_at_many_lags() {
    for axis in 0..4 {
        let centred: Vec<f64> = along(axis, 1 << 17)
            .iter()
            .map(|&w| f64::from(w) / 4_294_967_296.0 - 0.5)
            .collect();
        for lag in [1, 2, 3, 4, 5, 7, 8, 16, 64, 256, 1000, 4096] {
            let pairs = centred.len() - lag;
            let sum: f64 = (0..pairs).map(|i| centred[i] * centred[i + lag]).sum();
            // Var(uv) = 1/144.
            let z = sum * 12.0 / (pairs as f64).sqrt();
            assert!(z.abs() < LIMIT, "axis {axis} lag {lag}: {z}");
        }
    }
}

/// Flipping one bit of any input flips each output bit with probability one half.
#[test]
fn one_bit_of_input_changes_half_of_the_output() {
    let trials = 2_000u32;
    let (mut inputs, mut worst) = (0, 0.0f64);
    for input in 0..192u32 {
        let mut flips = [0u32; 32];
        for i in 0..trials {
            let mut at = [
                u64::from(i).wrapping_mul(0x9E37_79B9_7F4A_7C15),
                u64::from(i) << 3,
                u64::from(i) << 32 | u64::from(i % 7),
            ];
            let word = |[seed, user, rest]: [u64; 3]| {
                Draws::new(seed).word(user, rest as u32, (rest >> 32) as u32)
            };
            let before = word(at);
            at[(input / 64) as usize] ^= 1 << (input % 64);
            // The two lowest bits of the user choose the word; any other input bit enters a round.
            let changed = before ^ word(at);
            for (bit, count) in flips.iter_mut().enumerate() {
                *count += changed >> bit & 1;
            }
        }
        inputs += 1;
        for count in flips {
            let z = (f64::from(count) - f64::from(trials) / 2.0) / (f64::from(trials) / 4.0).sqrt();
            worst = worst.max(z.abs());
        }
    }
    assert_eq!(inputs, 192);
    assert!(worst < LIMIT, "{worst}");
}

/// Words that occur twice among n: n(n − 1)/2³³ pairs are expected, Poisson.
#[test]
fn collisions_are_as_frequent_as_chance() {
    let draws = Draws::new(1);
    let mut words: Vec<u32> = (0..1 << 16)
        .flat_map(|user| (0..4).map(move |step| (user, step)))
        .map(|(user, step)| draws.word(user, step, 0))
        .collect();
    words.sort_unstable();
    let n = words.len() as f64;
    let expected = n * (n - 1.0) / 2f64.powi(33);
    let found = words.windows(2).filter(|w| w[0] == w[1]).count() as f64;
    assert!(
        (found - expected).abs() < LIMIT * expected.sqrt(),
        "{found}, {expected}"
    );
}

/// The fault of a 32-bit hash chain: two users whose numbers are the same, shifted in time.
#[test]
fn no_user_runs_behind_another() {
    let draws = Draws::new(1);
    let mut seen = std::collections::HashSet::new();
    for user in 0..2_000 {
        for step in 0..99 {
            let two = [0, 1].map(|d| u64::from(draws.word(user, step + d, 0)));
            assert!(
                seen.insert(two[0] << 32 | two[1]),
                "user {user}, step {step}"
            );
        }
    }
}

#[test]
fn uniforms_and_normals_have_their_moments() {
    let draws = Draws::new(11);
    let n = 200_000u64;
    let mut sums = [0.0; 4];
    for user in 0..n {
        let (u, z) = (draws.uniform(user, 0, 16), draws.normal(user, 0, 17));
        assert!((0.0..1.0).contains(&u) && u == f64::from(u as f32));
        for (sum, x) in sums.iter_mut().zip([u, z, z * z, z.powi(4)]) {
            *sum += x / n as f64;
        }
    }
    assert!((sums[0] - 0.5).abs() < 0.004 && sums[1].abs() < 0.012);
    assert!((sums[2] - 1.0).abs() < 0.016 && (sums[3] - 3.0).abs() < 0.12);
}

/// The words in the orders that `examples/draws.rs` writes.
fn interleaved(order: &str, n: u64) -> Vec<u32> {
    let draws = Draws::new(1);
    let word = |i: u64| match order {
        "users" => draws.word(i % 100_000, (i / 100_000) as u32, 0),
        "steps" => draws.word(i / 250, (i % 250) as u32, 0),
        "streams" => draws.word(i / 750, (i / 3 % 250) as u32, (i % 3) as u32),
        _ => Draws::new(i).word(0, 0, 0),
    };
    (0..n).map(word).collect()
}

/// Fails where the smaller tail is below one in two million.
fn plausible(lower_tail: f64, what: &str) {
    let tail = lower_tail.min(1.0 - lower_tail);
    assert!(tail > 5e-7, "{what}: {tail:e}");
}

/// Ones among all bits are binomial, and pairs of neighbouring words' bytes equally frequent.
#[test]
fn bits_and_pairs_of_the_interleaved_words() {
    use statrs::distribution::{Binomial, ChiSquared, ContinuousCDF, DiscreteCDF};
    for order in ["users", "steps", "streams", "seeds"] {
        let words = interleaved(order, 1 << 20);
        let ones: u64 = words.iter().map(|w| u64::from(w.count_ones())).sum();
        let bits = Binomial::new(0.5, 32 * words.len() as u64).unwrap();
        plausible(bits.cdf(ones), &format!("{order}: ones"));
        for byte in 0..4 {
            let mut counts = vec![0u32; 65_536];
            // Pairs do not overlap, so that the statistic is chi-squared.
            for pair in words.chunks_exact(2) {
                let [a, b] = [pair[0], pair[1]].map(|x| usize::from(x.to_le_bytes()[byte]));
                counts[a << 8 | b] += 1;
            }
            let expected = (words.len() / 2) as f64 / 65_536.0;
            let statistic: f64 = counts
                .iter()
                .map(|&c| (f64::from(c) - expected).powi(2) / expected)
                .sum();
            let tail = ChiSquared::new(65_535.0).unwrap().cdf(statistic);
            plausible(tail, &format!("{order}: pairs of byte {byte}"));
        }
    }
}

/// Birthday spacings (Marsaglia 1985): of 4,096 words among 2³², sorted, the spacings that occur again
/// are Poisson with mean n³/4m = 4. It sees lattices and streams that are shifted copies of another.
#[test]
fn birthday_spacings_of_the_interleaved_words() {
    use statrs::distribution::{DiscreteCDF, Poisson};
    const TRIALS: usize = 256;
    for order in ["users", "steps", "streams", "seeds"] {
        let mut again = 0u64;
        for birthdays in interleaved(order, (TRIALS << 12) as u64).chunks_exact_mut(1 << 12) {
            birthdays.sort_unstable();
            let mut spacings: Vec<u32> = birthdays.windows(2).map(|w| w[1] - w[0]).collect();
            spacings.sort_unstable();
            again += spacings.windows(2).filter(|w| w[0] == w[1]).count() as u64;
        }
        let repeats = Poisson::new(4.0 * TRIALS as f64).unwrap();
        plausible(
            repeats.cdf(again),
            &format!("{order}: {again} spacings again"),
        );
    }
}
