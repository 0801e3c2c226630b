//! NEON with AES: 16 people in four registers.
#![allow(unsafe_code)]
// SAFETY of every block here: a value of `Neon` is made by `detect` alone, which has seen the CPU's
// features `neon` and `aes`. Loads and stores go through references to 64 bytes, of which each quarter
// is used.

use std::arch::aarch64::*;

use super::{LANES, Simd};

/// Proof that the CPU has what this module uses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Neon(());

impl Neon {
    /// Asks the CPU.
    pub(crate) fn detect() -> Option<Self> {
        let able = std::arch::is_aarch64_feature_detected!("neon")
            && std::arch::is_aarch64_feature_detected!("aes");
        able.then_some(Neon(()))
    }
}

type F = [float32x4_t; 4];
type U = [uint32x4_t; 4];

/// The same operation on all quarters.
macro_rules! quarters {
    (|$i:ident| $body:expr) => {{
        let at = |$i: usize| unsafe { $body };
        [at(0), at(1), at(2), at(3)]
    }};
}

impl Simd for Neon {
    type F = F;
    type U = U;
    /// All bits of a lane are set where true.
    type M = U;

    #[inline(always)]
    fn f(self, x: f32) -> F {
        quarters!(|_i| vdupq_n_f32(x))
    }
    #[inline(always)]
    fn u(self, x: u32) -> U {
        quarters!(|_i| vdupq_n_u32(x))
    }
    #[inline(always)]
    fn load_f(self, from: &[f32; LANES]) -> F {
        quarters!(|i| vld1q_f32(from.as_ptr().add(4 * i)))
    }
    #[inline(always)]
    fn load_u(self, from: &[u32; LANES]) -> U {
        quarters!(|i| vld1q_u32(from.as_ptr().add(4 * i)))
    }
    #[inline(always)]
    fn store_f(self, x: F, to: &mut [f32; LANES]) {
        for (x, to) in x.iter().zip(to.chunks_exact_mut(4)) {
            unsafe { vst1q_f32(to.as_mut_ptr(), *x) }
        }
    }
    #[inline(always)]
    fn store_u(self, x: U, to: &mut [u32; LANES]) {
        for (x, to) in x.iter().zip(to.chunks_exact_mut(4)) {
            unsafe { vst1q_u32(to.as_mut_ptr(), *x) }
        }
    }
    #[inline(always)]
    fn add(self, a: F, b: F) -> F {
        quarters!(|i| vaddq_f32(a[i], b[i]))
    }
    #[inline(always)]
    fn sub(self, a: F, b: F) -> F {
        quarters!(|i| vsubq_f32(a[i], b[i]))
    }
    #[inline(always)]
    fn mul(self, a: F, b: F) -> F {
        quarters!(|i| vmulq_f32(a[i], b[i]))
    }
    #[inline(always)]
    fn div(self, a: F, b: F) -> F {
        quarters!(|i| vdivq_f32(a[i], b[i]))
    }
    #[inline(always)]
    fn max(self, a: F, b: F) -> F {
        // a > b ? a : b, as the other sets do it for zeros of both signs.
        quarters!(|i| vbslq_f32(vcgtq_f32(a[i], b[i]), a[i], b[i]))
    }
    #[inline(always)]
    fn sqrt(self, a: F) -> F {
        quarters!(|i| vsqrtq_f32(a[i]))
    }
    #[inline(always)]
    fn fma(self, a: F, b: F, c: F) -> F {
        quarters!(|i| vfmaq_f32(c[i], a[i], b[i]))
    }
    #[inline(always)]
    fn fnma(self, a: F, b: F, c: F) -> F {
        quarters!(|i| vfmsq_f32(c[i], a[i], b[i]))
    }
    #[inline(always)]
    fn fraction(self, x: F) -> F {
        quarters!(|i| vsubq_f32(x[i], vrndmq_f32(x[i])))
    }
    #[inline(always)]
    fn scale(self, p: F, x: F) -> F {
        let whole = quarters!(|i| vreinterpretq_u32_s32(vcvtmq_s32_f32(x[i])));
        self.of_bits(self.wadd(self.bits(p), self.shl::<23>(whole)))
    }
    #[inline(always)]
    fn exponent_mantissa(self, x: F) -> (F, F) {
        let bits = self.bits(x);
        let exponent = self.wadd(self.shr::<23>(bits), self.u(0u32.wrapping_sub(127)));
        let mantissa = self.or(self.and(bits, self.u(0x007F_FFFF)), self.u(0x3F80_0000));
        (self.to_f(exponent), self.of_bits(mantissa))
    }
    #[inline(always)]
    fn wadd(self, a: U, b: U) -> U {
        quarters!(|i| vaddq_u32(a[i], b[i]))
    }
    #[inline(always)]
    fn and(self, a: U, b: U) -> U {
        quarters!(|i| vandq_u32(a[i], b[i]))
    }
    #[inline(always)]
    fn or(self, a: U, b: U) -> U {
        quarters!(|i| vorrq_u32(a[i], b[i]))
    }
    #[inline(always)]
    fn xor(self, a: U, b: U) -> U {
        quarters!(|i| veorq_u32(a[i], b[i]))
    }
    #[inline(always)]
    fn shl<const N: u32>(self, a: U) -> U {
        quarters!(|i| vshlq_u32(a[i], vdupq_n_s32(N as i32)))
    }
    #[inline(always)]
    fn shr<const N: u32>(self, a: U) -> U {
        quarters!(|i| vshlq_u32(a[i], vdupq_n_s32(-(N as i32))))
    }
    #[inline(always)]
    fn to_f(self, a: U) -> F {
        quarters!(|i| vcvtq_f32_s32(vreinterpretq_s32_u32(a[i])))
    }
    #[inline(always)]
    fn bits(self, a: F) -> U {
        quarters!(|i| vreinterpretq_u32_f32(a[i]))
    }
    #[inline(always)]
    fn of_bits(self, a: U) -> F {
        quarters!(|i| vreinterpretq_f32_u32(a[i]))
    }
    #[inline(always)]
    fn ge(self, a: F, b: F) -> U {
        quarters!(|i| vcgeq_f32(a[i], b[i]))
    }
    #[inline(always)]
    fn eq(self, a: U, b: U) -> U {
        quarters!(|i| vceqq_u32(a[i], b[i]))
    }
    #[inline(always)]
    fn ne(self, a: U, b: U) -> U {
        quarters!(|i| vmvnq_u32(vceqq_u32(a[i], b[i])))
    }
    #[inline(always)]
    fn test(self, a: U, b: U) -> U {
        quarters!(|i| vtstq_u32(a[i], b[i]))
    }
    #[inline(always)]
    fn both(self, a: U, b: U) -> U {
        self.and(a, b)
    }
    #[inline(always)]
    fn pick(self, m: U, a: F, b: F) -> F {
        quarters!(|i| vbslq_f32(m[i], a[i], b[i]))
    }
    #[inline(always)]
    fn add_if(self, m: U, a: F, b: F) -> F {
        self.pick(m, self.add(a, b), a)
    }
    #[inline(always)]
    fn sub_if(self, m: U, a: F, b: F) -> F {
        self.pick(m, self.sub(a, b), a)
    }
    #[inline(always)]
    fn wadd_if(self, m: U, a: U, b: U) -> U {
        self.wadd(a, self.word_if(m, b))
    }
    #[inline(always)]
    fn word_if(self, m: U, b: U) -> U {
        self.and(m, b)
    }
    #[inline(always)]
    fn lookup(self, table: F, index: U) -> F {
        // The four byte places of entry i mod 8 are 4·i + 0, 1, 2, 3.
        quarters!(|i| {
            let bytes = uint8x16x2_t(
                vreinterpretq_u8_f32(table[0]),
                vreinterpretq_u8_f32(table[1]),
            );
            let entry = vandq_u32(index[i], vdupq_n_u32(7));
            let places = vmlaq_u32(vdupq_n_u32(0x0302_0100), entry, vdupq_n_u32(0x0404_0404));
            vreinterpretq_f32_u8(vqtbl2q_u8(bytes, vreinterpretq_u8_u32(places)))
        })
    }
    #[inline(always)]
    fn aes(self, keys: &[U; 5], x: U) -> U {
        let keys = [0, 1, 2, 3, 4].map(|k: usize| keys[k][0]);
        quarters!(|i| five_rounds(keys, x[i]))
    }
}

/// AESE adds its key before the substitution, x86's instructions after the mixing: with a zero key
/// first and the round key added at the end they are the same.
#[inline]
#[target_feature(enable = "neon,aes")]
fn five_rounds(keys: [uint32x4_t; 5], x: uint32x4_t) -> uint32x4_t {
    let zero = vdupq_n_u8(0);
    let mut x = vreinterpretq_u8_u32(x);
    for key in &keys[..4] {
        x = vaesmcq_u8(vaeseq_u8(x, zero));
        x = veorq_u8(x, vreinterpretq_u8_u32(*key));
    }
    x = vaeseq_u8(x, zero);
    vreinterpretq_u32_u8(veorq_u8(x, vreinterpretq_u8_u32(keys[4])))
}
