//! AVX2 with FMA and AES: 16 people in two registers.
#![allow(unsafe_code)]
// SAFETY of every block here: a value of `Avx2` is made by `detect` alone, which has seen the CPU's
// features `avx2`, `fma` and `aes`. Loads and stores go through references to 64 bytes, of which each
// half is used, and need no alignment.

use std::arch::x86_64::*;

use super::{LANES, Simd};

/// Proof that the CPU has what this module uses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// Asks the CPU.
    pub(crate) fn detect() -> Option<Self> {
        let able = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("aes");
        able.then_some(Avx2(()))
    }
}

type F = [__m256; 2];
type U = [__m256i; 2];

/// The same operation on both halves.
macro_rules! halves {
    ($f:ident($($a:ident),+)) => {
        unsafe { [$f($($a[0]),+), $f($($a[1]),+)] }
    };
}

impl Simd for Avx2 {
    type F = F;
    type U = U;
    /// All bits of a lane are set where true.
    type M = F;

    #[inline(always)]
    fn f(self, x: f32) -> F {
        unsafe { [_mm256_set1_ps(x); 2] }
    }
    #[inline(always)]
    fn u(self, x: u32) -> U {
        unsafe { [_mm256_set1_epi32(x as i32); 2] }
    }
    #[inline(always)]
    fn load_f(self, from: &[f32; LANES]) -> F {
        unsafe {
            [
                _mm256_loadu_ps(from.as_ptr()),
                _mm256_loadu_ps(from.as_ptr().add(8)),
            ]
        }
    }
    #[inline(always)]
    fn load_u(self, from: &[u32; LANES]) -> U {
        unsafe {
            [
                _mm256_loadu_si256(from.as_ptr().cast()),
                _mm256_loadu_si256(from.as_ptr().add(8).cast()),
            ]
        }
    }
    #[inline(always)]
    fn store_f(self, x: F, to: &mut [f32; LANES]) {
        unsafe {
            _mm256_storeu_ps(to.as_mut_ptr(), x[0]);
            _mm256_storeu_ps(to.as_mut_ptr().add(8), x[1]);
        }
    }
    #[inline(always)]
    fn store_u(self, x: U, to: &mut [u32; LANES]) {
        unsafe {
            _mm256_storeu_si256(to.as_mut_ptr().cast(), x[0]);
            _mm256_storeu_si256(to.as_mut_ptr().add(8).cast(), x[1]);
        }
    }
    #[inline(always)]
    fn add(self, a: F, b: F) -> F {
        halves!(_mm256_add_ps(a, b))
    }
    #[inline(always)]
    fn sub(self, a: F, b: F) -> F {
        halves!(_mm256_sub_ps(a, b))
    }
    #[inline(always)]
    fn mul(self, a: F, b: F) -> F {
        halves!(_mm256_mul_ps(a, b))
    }
    #[inline(always)]
    fn div(self, a: F, b: F) -> F {
        halves!(_mm256_div_ps(a, b))
    }
    #[inline(always)]
    fn max(self, a: F, b: F) -> F {
        halves!(_mm256_max_ps(a, b))
    }
    #[inline(always)]
    fn sqrt(self, a: F) -> F {
        halves!(_mm256_sqrt_ps(a))
    }
    #[inline(always)]
    fn fma(self, a: F, b: F, c: F) -> F {
        halves!(_mm256_fmadd_ps(a, b, c))
    }
    #[inline(always)]
    fn fnma(self, a: F, b: F, c: F) -> F {
        halves!(_mm256_fnmadd_ps(a, b, c))
    }
    #[inline(always)]
    fn fraction(self, x: F) -> F {
        let floor = halves!(_mm256_floor_ps(x));
        self.sub(x, floor)
    }
    #[inline(always)]
    fn scale(self, p: F, x: F) -> F {
        let floor = halves!(_mm256_floor_ps(x));
        let whole = halves!(_mm256_cvttps_epi32(floor));
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
        halves!(_mm256_add_epi32(a, b))
    }
    #[inline(always)]
    fn and(self, a: U, b: U) -> U {
        halves!(_mm256_and_si256(a, b))
    }
    #[inline(always)]
    fn or(self, a: U, b: U) -> U {
        halves!(_mm256_or_si256(a, b))
    }
    #[inline(always)]
    fn xor(self, a: U, b: U) -> U {
        halves!(_mm256_xor_si256(a, b))
    }
    #[inline(always)]
    fn shl<const N: u32>(self, a: U) -> U {
        unsafe {
            let n = _mm_cvtsi32_si128(N as i32);
            [_mm256_sll_epi32(a[0], n), _mm256_sll_epi32(a[1], n)]
        }
    }
    #[inline(always)]
    fn shr<const N: u32>(self, a: U) -> U {
        unsafe {
            let n = _mm_cvtsi32_si128(N as i32);
            [_mm256_srl_epi32(a[0], n), _mm256_srl_epi32(a[1], n)]
        }
    }
    #[inline(always)]
    fn to_f(self, a: U) -> F {
        halves!(_mm256_cvtepi32_ps(a))
    }
    #[inline(always)]
    fn bits(self, a: F) -> U {
        halves!(_mm256_castps_si256(a))
    }
    #[inline(always)]
    fn of_bits(self, a: U) -> F {
        halves!(_mm256_castsi256_ps(a))
    }
    #[inline(always)]
    fn ge(self, a: F, b: F) -> F {
        unsafe {
            [
                _mm256_cmp_ps::<_CMP_GE_OQ>(a[0], b[0]),
                _mm256_cmp_ps::<_CMP_GE_OQ>(a[1], b[1]),
            ]
        }
    }
    #[inline(always)]
    fn eq(self, a: U, b: U) -> F {
        let equal = halves!(_mm256_cmpeq_epi32(a, b));
        self.of_bits(equal)
    }
    #[inline(always)]
    fn ne(self, a: U, b: U) -> F {
        let equal = halves!(_mm256_cmpeq_epi32(a, b));
        self.of_bits(self.xor(equal, self.u(u32::MAX)))
    }
    #[inline(always)]
    fn test(self, a: U, b: U) -> F {
        self.ne(self.and(a, b), self.u(0))
    }
    #[inline(always)]
    fn both(self, a: F, b: F) -> F {
        halves!(_mm256_and_ps(a, b))
    }
    #[inline(always)]
    fn pick(self, m: F, a: F, b: F) -> F {
        halves!(_mm256_blendv_ps(b, a, m))
    }
    #[inline(always)]
    fn add_if(self, m: F, a: F, b: F) -> F {
        self.pick(m, self.add(a, b), a)
    }
    #[inline(always)]
    fn sub_if(self, m: F, a: F, b: F) -> F {
        self.pick(m, self.sub(a, b), a)
    }
    #[inline(always)]
    fn wadd_if(self, m: F, a: U, b: U) -> U {
        self.wadd(a, self.word_if(m, b))
    }
    #[inline(always)]
    fn word_if(self, m: F, b: U) -> U {
        self.and(self.bits(m), b)
    }
    #[inline(always)]
    fn lookup(self, table: F, index: U) -> F {
        unsafe {
            [
                _mm256_permutevar8x32_ps(table[0], index[0]),
                _mm256_permutevar8x32_ps(table[0], index[1]),
            ]
        }
    }
    #[inline(always)]
    fn aes(self, keys: &[U; 5], x: U) -> U {
        unsafe {
            let mut x = [
                _mm256_castsi256_si128(x[0]),
                _mm256_extracti128_si256::<1>(x[0]),
                _mm256_castsi256_si128(x[1]),
                _mm256_extracti128_si256::<1>(x[1]),
            ];
            for key in &keys[..4] {
                let key = _mm256_castsi256_si128(key[0]);
                for quad in &mut x {
                    *quad = _mm_aesenc_si128(*quad, key);
                }
            }
            let key = _mm256_castsi256_si128(keys[4][0]);
            for quad in &mut x {
                *quad = _mm_aesenclast_si128(*quad, key);
            }
            [_mm256_set_m128i(x[1], x[0]), _mm256_set_m128i(x[3], x[2])]
        }
    }
}
