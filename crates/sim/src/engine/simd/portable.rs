//! Plain Rust: the definition of every operation.

use super::{LANES, Simd};
use crate::draw::{Keys, rounds};

/// Runs anywhere.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Portable;

/// 16 numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Of<T>([T; LANES]);

#[inline(always)]
fn map<T: Copy, R>(a: Of<T>, f: impl Fn(T) -> R) -> Of<R> {
    Of(a.0.map(f))
}

#[inline(always)]
fn zip<T: Copy, V: Copy, R>(a: Of<T>, b: Of<V>, f: impl Fn(T, V) -> R) -> Of<R> {
    Of(std::array::from_fn(|i| f(a.0[i], b.0[i])))
}

/// a·b + c in single precision, rounded once.
///
/// The product is exact in double precision. The sum is rounded to odd there (Boldo and Melquiond
/// 2008, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd"), so
/// that the rounding to single precision is the only one that matters.
#[inline(always)]
pub(crate) fn fused(a: f32, b: f32, c: f32) -> f32 {
    if cfg!(any(target_arch = "aarch64", target_feature = "fma")) {
        return a.mul_add(b, c);
    }
    let (product, c) = (f64::from(a) * f64::from(b), f64::from(c));
    let sum = product + c;
    let share = sum - product;
    let error = (product - (sum - share)) + (c - share);
    let bits = sum.to_bits();
    let inexact = u64::from(error != 0.0) & !bits & 1;
    let outward = (error > 0.0) == (sum > 0.0);
    let odd = if outward {
        bits + inexact
    } else {
        bits - inexact
    };
    f64::from_bits(odd) as f32
}

impl Simd for Portable {
    type F = Of<f32>;
    type U = Of<u32>;
    type M = Of<bool>;

    #[inline(always)]
    fn f(self, x: f32) -> Of<f32> {
        Of([x; LANES])
    }
    #[inline(always)]
    fn u(self, x: u32) -> Of<u32> {
        Of([x; LANES])
    }
    #[inline(always)]
    fn load_f(self, from: &[f32; LANES]) -> Of<f32> {
        Of(*from)
    }
    #[inline(always)]
    fn load_u(self, from: &[u32; LANES]) -> Of<u32> {
        Of(*from)
    }
    #[inline(always)]
    fn store_f(self, x: Of<f32>, to: &mut [f32; LANES]) {
        *to = x.0;
    }
    #[inline(always)]
    fn store_u(self, x: Of<u32>, to: &mut [u32; LANES]) {
        *to = x.0;
    }
    #[inline(always)]
    fn add(self, a: Of<f32>, b: Of<f32>) -> Of<f32> {
        zip(a, b, |a, b| a + b)
    }
    #[inline(always)]
    fn sub(self, a: Of<f32>, b: Of<f32>) -> Of<f32> {
        zip(a, b, |a, b| a - b)
    }
    #[inline(always)]
    fn mul(self, a: Of<f32>, b: Of<f32>) -> Of<f32> {
        zip(a, b, |a, b| a * b)
    }
    #[inline(always)]
    fn div(self, a: Of<f32>, b: Of<f32>) -> Of<f32> {
        zip(a, b, |a, b| a / b)
    }
    #[inline(always)]
    fn max(self, a: Of<f32>, b: Of<f32>) -> Of<f32> {
        zip(a, b, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    fn sqrt(self, a: Of<f32>) -> Of<f32> {
        map(a, f32::sqrt)
    }
    #[inline(always)]
    fn fma(self, a: Of<f32>, b: Of<f32>, c: Of<f32>) -> Of<f32> {
        Of(std::array::from_fn(|i| fused(a.0[i], b.0[i], c.0[i])))
    }
    #[inline(always)]
    fn fnma(self, a: Of<f32>, b: Of<f32>, c: Of<f32>) -> Of<f32> {
        Of(std::array::from_fn(|i| fused(-a.0[i], b.0[i], c.0[i])))
    }
    #[inline(always)]
    fn fraction(self, x: Of<f32>) -> Of<f32> {
        map(x, |x| x - x.floor())
    }
    #[inline(always)]
    fn scale(self, p: Of<f32>, x: Of<f32>) -> Of<f32> {
        zip(p, x, |p, x| {
            f32::from_bits(p.to_bits().wrapping_add((x.floor() as i32 as u32) << 23))
        })
    }
    #[inline(always)]
    fn exponent_mantissa(self, x: Of<f32>) -> (Of<f32>, Of<f32>) {
        (
            map(x, |x| ((x.to_bits() >> 23) as i32 - 127) as f32),
            map(x, |x| {
                f32::from_bits(x.to_bits() & 0x007F_FFFF | 0x3F80_0000)
            }),
        )
    }
    #[inline(always)]
    fn wadd(self, a: Of<u32>, b: Of<u32>) -> Of<u32> {
        zip(a, b, u32::wrapping_add)
    }
    #[inline(always)]
    fn and(self, a: Of<u32>, b: Of<u32>) -> Of<u32> {
        zip(a, b, |a, b| a & b)
    }
    #[inline(always)]
    fn or(self, a: Of<u32>, b: Of<u32>) -> Of<u32> {
        zip(a, b, |a, b| a | b)
    }
    #[inline(always)]
    fn xor(self, a: Of<u32>, b: Of<u32>) -> Of<u32> {
        zip(a, b, |a, b| a ^ b)
    }
    #[inline(always)]
    fn shl<const N: u32>(self, a: Of<u32>) -> Of<u32> {
        map(a, |a| a << N)
    }
    #[inline(always)]
    fn shr<const N: u32>(self, a: Of<u32>) -> Of<u32> {
        map(a, |a| a >> N)
    }
    #[inline(always)]
    fn to_f(self, a: Of<u32>) -> Of<f32> {
        map(a, |a| a as i32 as f32)
    }
    #[inline(always)]
    fn bits(self, a: Of<f32>) -> Of<u32> {
        map(a, f32::to_bits)
    }
    #[inline(always)]
    fn of_bits(self, a: Of<u32>) -> Of<f32> {
        map(a, f32::from_bits)
    }
    #[inline(always)]
    fn ge(self, a: Of<f32>, b: Of<f32>) -> Of<bool> {
        zip(a, b, |a, b| a >= b)
    }
    #[inline(always)]
    fn eq(self, a: Of<u32>, b: Of<u32>) -> Of<bool> {
        zip(a, b, |a, b| a == b)
    }
    #[inline(always)]
    fn ne(self, a: Of<u32>, b: Of<u32>) -> Of<bool> {
        zip(a, b, |a, b| a != b)
    }
    #[inline(always)]
    fn test(self, a: Of<u32>, b: Of<u32>) -> Of<bool> {
        zip(a, b, |a, b| a & b != 0)
    }
    #[inline(always)]
    fn both(self, a: Of<bool>, b: Of<bool>) -> Of<bool> {
        zip(a, b, |a, b| a & b)
    }
    #[inline(always)]
    fn pick(self, m: Of<bool>, a: Of<f32>, b: Of<f32>) -> Of<f32> {
        Of(std::array::from_fn(
            |i| if m.0[i] { a.0[i] } else { b.0[i] },
        ))
    }
    #[inline(always)]
    fn add_if(self, m: Of<bool>, a: Of<f32>, b: Of<f32>) -> Of<f32> {
        self.pick(m, self.add(a, b), a)
    }
    #[inline(always)]
    fn sub_if(self, m: Of<bool>, a: Of<f32>, b: Of<f32>) -> Of<f32> {
        self.pick(m, self.sub(a, b), a)
    }
    #[inline(always)]
    fn wadd_if(self, m: Of<bool>, a: Of<u32>, b: Of<u32>) -> Of<u32> {
        self.wadd(a, self.word_if(m, b))
    }
    #[inline(always)]
    fn word_if(self, m: Of<bool>, b: Of<u32>) -> Of<u32> {
        zip(m, b, |m, b| if m { b } else { 0 })
    }
    #[inline(always)]
    fn lookup(self, table: Of<f32>, index: Of<u32>) -> Of<f32> {
        map(index, |i| table.0[(i % 8) as usize])
    }
    #[inline(always)]
    fn aes(self, keys: &[Of<u32>; 5], x: Of<u32>) -> Of<u32> {
        let first = |v: &Of<u32>| [v.0[0], v.0[1], v.0[2], v.0[3]];
        let keys = Keys(std::array::from_fn(|i| match i {
            0 => [0; 4],
            _ => first(&keys[i - 1]),
        }));
        let mut out = [0; LANES];
        for (to, from) in out.chunks_exact_mut(4).zip(x.0.chunks_exact(4)) {
            to.copy_from_slice(&rounds(&keys, [from[0], from[1], from[2], from[3]]));
        }
        Of(out)
    }
}
