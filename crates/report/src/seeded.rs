//! Choices that look random and are the same every time.

/// The SplitMix64 mixing function (Steele, Lea & Flood 2014) on a seed and a name.
pub(crate) fn mix(seed: u64, name: &str) -> u64 {
    name.bytes()
        .fold(split(seed), |h, b| split(h ^ u64::from(b)))
}

/// A number in `0..n` from mixed bits (Lemire's multiplication; the bias is below n / 2⁶⁴).
pub(crate) fn below(bits: u64, n: u64) -> u64 {
    let product = u128::from(bits) * u128::from(n);
    u64::try_from(product >> 64).unwrap_or_default()
}

/// `k` of `0..n` in ascending order, each set equally likely: the `k` smallest of mixed keys.
pub(crate) fn sample(seed: u64, name: &str, n: usize, k: usize) -> Vec<usize> {
    let base = mix(seed, name);
    let mut keys: Vec<(u64, usize)> = (0..n).map(|i| (split(base ^ split(i as u64)), i)).collect();
    keys.sort_unstable();
    let mut chosen: Vec<usize> = keys.into_iter().take(k).map(|(_, i)| i).collect();
    chosen.sort_unstable();
    chosen
}

fn split(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_the_published_first_output() {
        // First output of SplitMix64 started at 0.
        assert_eq!(split(0), 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn every_place_is_reached() {
        let mut seen = [0; 9];
        for seed in 0..900 {
            seen[below(mix(seed, "questions"), 9) as usize] += 1;
        }
        assert!(seen.iter().all(|n| (60..150).contains(n)), "{seen:?}");
    }

    #[test]
    fn a_sample_has_no_repeats() {
        let s = sample(3, "x", 1000, 60);
        assert_eq!(s.len(), 60);
        assert!(s.windows(2).all(|w| w[0] < w[1]));
        assert_eq!(sample(3, "x", 5, 60), [0, 1, 2, 3, 4]);
    }
}
