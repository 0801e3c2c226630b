//! Every instruction set against the portable definition, operation by operation.

use super::portable::{Portable, fused};
use super::{LANES, Simd};
use crate::draw::Draws;

/// Numbers of the sizes that the kernels meet, and words of all kinds.
struct Cases {
    floats: Vec<[f32; LANES]>,
    words: Vec<[u32; LANES]>,
}

fn cases() -> Cases {
    let mut luck = Draws::new(5).sequence(0, 0, 0);
    let special = [
        0.0, 1.0, -1.0, 0.5, -0.5, 1e-9, -1e-9, 126.0, -126.0, 2.5, -3.0, 0.1,
    ];
    let mut float = |i: usize| match special.get(i) {
        Some(x) => *x,
        None => (luck.normal() * [1e-6, 1e-2, 1.0, 30.0][i % 4]) as f32,
    };
    let floats = (0..64)
        .map(|v| std::array::from_fn(|i| float(v * LANES + i)))
        .collect();
    let mut luck = Draws::new(5).sequence(1, 0, 0);
    let words = (0..64)
        .map(|_| std::array::from_fn(|_| luck.bits()))
        .collect();
    Cases { floats, words }
}

/// The bits of every operation on every case.
fn everything<S: Simd>(s: S) -> Vec<[u32; LANES]> {
    let Cases { floats, words } = cases();
    let mut out = Vec::new();
    let mut keep = |x: S::U| {
        let mut lanes = [0; LANES];
        s.store_u(x, &mut lanes);
        out.push(lanes);
    };
    for i in 0..floats.len() {
        let j = (i + 1) % floats.len();
        let (a, b, c) = (
            s.load_f(&floats[i]),
            s.load_f(&floats[j]),
            s.load_f(&floats[(i + 2) % floats.len()]),
        );
        let (u, v) = (s.load_u(&words[i]), s.load_u(&words[j]));
        let positive = s.max(a, s.f(1e-8));
        let bounded = s.max(a, s.f(-100.0));
        let (exponent, mantissa) = s.exponent_mantissa(positive);
        let m = s.ge(a, b);
        let n = s.test(u, s.u(6));
        for x in [
            s.add(a, b),
            s.sub(a, b),
            s.mul(a, b),
            s.div(a, s.max(b, s.f(0.25))),
            s.max(a, b),
            s.sqrt(positive),
            s.fma(a, b, c),
            s.fnma(a, b, c),
            s.fraction(a),
            s.scale(s.add(s.fraction(a), s.f(1.0)), bounded),
            exponent,
            mantissa,
            s.to_f(s.shr::<8>(u)),
            s.to_f(u),
            s.of_bits(s.bits(a)),
            s.pick(m, a, b),
            s.pick(s.both(m, n), a, b),
            s.pick(s.eq(s.and(u, s.u(1)), s.and(v, s.u(1))), a, b),
            s.pick(s.ne(s.and(u, s.u(3)), s.and(v, s.u(3))), a, b),
            s.add_if(n, a, b),
            s.sub_if(n, a, b),
            s.lookup(
                s.load_f(&std::array::from_fn(|i| (i % 8) as f32)),
                s.and(u, s.u(0xFFFF_FF07)),
            ),
        ] {
            keep(s.bits(x));
        }
        let mut keys = [s.u(0); 5];
        for (k, key) in keys.iter_mut().enumerate() {
            let word = words[k];
            *key = s.load_u(&std::array::from_fn(|i| word[i % 4]));
        }
        for x in [
            s.wadd(u, v),
            s.and(u, v),
            s.or(u, v),
            s.xor(u, v),
            s.shl::<11>(u),
            s.shr::<3>(u),
            s.wadd_if(n, u, v),
            s.word_if(m, v),
            s.aes(&keys, u),
        ] {
            keep(x);
        }
    }
    out
}

fn compare(name: &str, found: &[[u32; LANES]]) {
    let expected = everything(Portable);
    assert_eq!(expected.len(), found.len());
    for (i, (a, b)) in expected.iter().zip(found).enumerate() {
        assert_eq!(a, b, "{name}: operation {} of case {}", i % 31, i / 31);
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn avx512_is_portable() {
    if let Some(s) = super::avx512::Avx512::detect() {
        compare("avx512", &everything(s));
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn avx2_is_portable() {
    if let Some(s) = super::avx2::Avx2::detect() {
        compare("avx2", &everything(s));
    }
}

#[test]
#[cfg(target_arch = "aarch64")]
fn neon_is_portable() {
    if let Some(s) = super::neon::Neon::detect() {
        compare("neon", &everything(s));
    }
}

/// The portable fused multiply-add against the platform's, on sums that cancel and on halfway cases.
#[test]
fn fused_rounds_once() {
    let mut luck = Draws::new(6).sequence(0, 0, 0);
    for i in 0..200_000 {
        let (a, b) = (luck.normal() as f32, luck.normal() as f32);
        let c = match i % 4 {
            0 => luck.normal() as f32,
            1 => -(a * b),
            2 => (luck.normal() * 1e-7) as f32,
            // Half a last place beside the product.
            _ => f32::from_bits((a * b).to_bits() & 0xFF80_0000) * f32::EPSILON * 0.5,
        };
        assert_eq!(
            fused(a, b, c).to_bits(),
            a.mul_add(b, c).to_bits(),
            "{a} {b} {c}"
        );
    }
}
