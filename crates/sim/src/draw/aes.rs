//! Five rounds of AES: the portable form that defines the numbers, and the CPU's own instructions.

use std::fmt;

/// Users that share one counter.
pub(crate) const PER_BLOCK: u64 = 4;
/// Rounds of AES; the last one is without the column mixing, as in the standard.
const ROUNDS: usize = 5;

const WEYL_LOW: u64 = 0x9E37_79B9_7F4A_7C15;
const WEYL_HIGH: u64 = 0xBB67_AE85_84CA_A73B;
const SPREAD: u64 = 0xD134_2543_DE82_EF95;

/// The round keys of a seed, as little-endian words: two Weyl sequences in place of the AES key
/// schedule, whose strength simulations do not need.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Keys(pub(crate) [[u32; 4]; ROUNDS + 1]);

impl Keys {
    pub(crate) fn new(seed: u64) -> Self {
        let mut low = seed ^ WEYL_LOW;
        let mut high = seed.wrapping_mul(SPREAD) ^ WEYL_HIGH;
        Keys(std::array::from_fn(|_| {
            let key = [
                low as u32,
                (low >> 32) as u32,
                high as u32,
                (high >> 32) as u32,
            ];
            low = low.wrapping_add(WEYL_LOW);
            high = high.wrapping_add(WEYL_HIGH);
            key
        }))
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

/// Four words from a counter, by the CPU's AES instructions where it has them.
pub(crate) fn block(keys: &Keys, counter: [u32; 4]) -> [u32; 4] {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("aes") {
        return x86::block(keys, counter);
    }
    portable(keys, counter)
}

/// The definition. `state` holds the four columns; row r of a column is its byte r.
pub(crate) fn portable(keys: &Keys, counter: [u32; 4]) -> [u32; 4] {
    let mut state = xor(counter, keys.0[0]);
    for key in &keys.0[1..ROUNDS] {
        state = xor(std::array::from_fn(|c| mixed_column(&state, c)), *key);
    }
    xor(
        std::array::from_fn(|c| substituted_column(&state, c)),
        keys.0[ROUNDS],
    )
}

fn xor(a: [u32; 4], b: [u32; 4]) -> [u32; 4] {
    std::array::from_fn(|i| a[i] ^ b[i])
}

/// Byte `row` of the column that the row shift moves to column `c`.
fn shifted(state: &[u32; 4], c: usize, row: usize) -> usize {
    state[(c + row) % 4].to_le_bytes()[row].into()
}

fn mixed_column(state: &[u32; 4], c: usize) -> u32 {
    (0..4).fold(0, |column, row| {
        column ^ MIXED[shifted(state, c, row)].rotate_left(8 * row as u32)
    })
}

fn substituted_column(state: &[u32; 4], c: usize) -> u32 {
    u32::from_le_bytes(std::array::from_fn(|row| {
        SUBSTITUTED[shifted(state, c, row)]
    }))
}

/// The substitution of FIPS 197, §5.1.1: the inverse in GF(2⁸), then an affine map.
static SUBSTITUTED: [u8; 256] = substitution();
/// A substituted byte of row 0 after the column mixing of FIPS 197, §5.1.3.
static MIXED: [u32; 256] = mixing();

const fn doubled(x: u8) -> u8 {
    (x << 1) ^ if x & 0x80 == 0 { 0 } else { 0x1B }
}

const fn substitution() -> [u8; 256] {
    // 3 generates the multiplicative group, so p runs through all x ≠ 0 while q runs through 1/x.
    let mut table = [0u8; 256];
    let (mut p, mut q) = (1u8, 1u8);
    loop {
        p ^= doubled(p);
        q ^= q << 1;
        q ^= q << 2;
        q ^= q << 4;
        if q & 0x80 != 0 {
            q ^= 0x09;
        }
        table[p as usize] =
            q ^ q.rotate_left(1) ^ q.rotate_left(2) ^ q.rotate_left(3) ^ q.rotate_left(4) ^ 0x63;
        if p == 1 {
            break;
        }
    }
    table[0] = 0x63;
    table
}

const fn mixing() -> [u32; 256] {
    let s = substitution();
    let mut table = [0u32; 256];
    let mut i = 0;
    while i < 256 {
        let double = doubled(s[i]);
        table[i] = u32::from_le_bytes([double, s[i], s[i], double ^ s[i]]);
        i += 1;
    }
    table
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    #![allow(unsafe_code)]

    use super::{Keys, ROUNDS};
    use std::arch::x86_64::*;

    /// For callers that have seen the CPU's `aes` feature.
    pub(super) fn block(keys: &Keys, counter: [u32; 4]) -> [u32; 4] {
        // SAFETY: the only caller has tested for `aes`.
        unsafe { rounds(keys, counter) }
    }

    #[target_feature(enable = "sse2,aes")]
    fn rounds(keys: &Keys, counter: [u32; 4]) -> [u32; 4] {
        let load = |w: &[u32; 4]| _mm_set_epi32(w[3] as i32, w[2] as i32, w[1] as i32, w[0] as i32);
        let mut state = _mm_xor_si128(load(&counter), load(&keys.0[0]));
        for key in &keys.0[1..ROUNDS] {
            state = _mm_aesenc_si128(state, load(key));
        }
        state = _mm_aesenclast_si128(state, load(&keys.0[ROUNDS]));
        let mut words = [0u32; 4];
        // SAFETY: `words` is 16 bytes long and the store needs no alignment.
        unsafe { _mm_storeu_si128(words.as_mut_ptr().cast(), state) };
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 197, figure 7.
    #[test]
    fn the_substitution_is_the_standards() {
        for (x, s) in [
            (0x00, 0x63),
            (0x01, 0x7C),
            (0x53, 0xED),
            (0x9A, 0xB8),
            (0xFF, 0x16),
        ] {
            assert_eq!(SUBSTITUTED[x], s);
        }
    }

    /// FIPS 197, appendix B: the state at the start of round 2 from the one at the start of round 1.
    #[test]
    fn a_round_is_the_standards() {
        let column = |bytes: [u8; 4]| u32::from_le_bytes(bytes);
        let start = [
            column([0x19, 0x3d, 0xe3, 0xbe]),
            column([0xa0, 0xf4, 0xe2, 0x2b]),
            column([0x9a, 0xc6, 0x8d, 0x2a]),
            column([0xe9, 0xf8, 0x48, 0x08]),
        ];
        let key = [
            column([0xa0, 0xfa, 0xfe, 0x17]),
            column([0x88, 0x54, 0x2c, 0xb1]),
            column([0x23, 0xa3, 0x39, 0x39]),
            column([0x2a, 0x6c, 0x76, 0x05]),
        ];
        let after = xor(std::array::from_fn(|c| mixed_column(&start, c)), key);
        let expected = [
            column([0xa4, 0x9c, 0x7f, 0xf2]),
            column([0x68, 0x9f, 0x35, 0x2b]),
            column([0x6b, 0x5b, 0xea, 0x43]),
            column([0x02, 0x6a, 0x50, 0x49]),
        ];
        assert_eq!(after, expected);
    }

    #[test]
    fn the_cpus_instructions_give_the_portable_numbers() {
        for seed in [0, 1, 7, u64::MAX, 0x0123_4567_89AB_CDEF] {
            let keys = Keys::new(seed);
            for i in 0..200u32 {
                let counter = [i, i.wrapping_mul(0x9E37_79B9), i ^ seed as u32, !i];
                assert_eq!(block(&keys, counter), portable(&keys, counter));
            }
        }
    }
}
