//! Elementary functions of the kernels, from operations that are the same on every machine.
//!
//! Errors are absolute maxima over dense grids unless stated; they are far below what any number of
//! people could resolve.

use super::simd::Simd;

/// c₀xⁿ + … + cₙ by Horner's rule.
#[inline(always)]
fn polynomial<S: Simd, const N: usize>(s: S, x: S::F, c: [f32; N]) -> S::F {
    let mut sum = s.f(c[0]);
    for &next in &c[1..] {
        sum = s.fma(sum, x, s.f(next));
    }
    sum
}

/// 2^x for |x| ≤ 126; relative error 1.8e-7.
#[inline(always)]
pub(super) fn exp2<S: Simd>(s: S, x: S::F) -> S::F {
    let p = polynomial(
        s,
        s.fraction(x),
        [
            1.877_576_7e-3,
            8.989_339e-3,
            5.582_631e-2,
            2.401_536e-1,
            6.931_531e-1,
            9.999_999e-1,
        ],
    );
    s.scale(p, x)
}

/// −2 ln u for u in [2⁻²⁵, 1]; error 2.3e-6, never negative.
#[inline(always)]
fn minus_two_ln<S: Simd>(s: S, u: S::F) -> S::F {
    let (exponent, mantissa) = s.exponent_mantissa(u);
    let t = s.sub(mantissa, s.f(1.0));
    let p = polynomial(
        s,
        t,
        [
            -0.012_319_325,
            0.063_607_37,
            -0.155_351_16,
            0.256_009_25,
            -0.353_394_66,
            0.480_063_68,
            -0.721_310_1,
            1.442_694_8,
        ],
    );
    let log2 = s.fma(t, p, exponent);
    // The fit may exceed 0 by 4e-7 just below u = 1.
    s.max(s.mul(log2, s.f(-2.0 * std::f32::consts::LN_2)), s.f(0.0))
}

/// The noise of two steps, as (r², cos φ, sin φ): r cos φ and r sin φ are independent standard
/// normals (Box and Muller 1958). The root of r² is left to the caller, who needs one anyway.
///
/// `reaction` gives r by its highest 24 bits. The angle takes the lowest byte of all three words,
/// which the uniforms do not use: 21 bits within an eighth of a circle, one to swap sine and cosine
/// and one for each sign, so that all eight octants occur.
#[inline(always)]
pub(super) fn polar<S: Simd>(
    s: S,
    content: S::U,
    transition: S::U,
    reaction: S::U,
) -> (S::F, S::F, S::F) {
    // Midpoints of 2²⁴ equal cells; the last one rounds to 1.
    let top = s.to_f(s.shr::<8>(reaction));
    let radius = minus_two_ln(
        s,
        s.fma(top, s.f(TWO_POW_MINUS_24), s.f(0.5 * TWO_POW_MINUS_24)),
    );

    let second = s.and(s.shl::<16>(transition), s.u(0x00FF_0000));
    let third = s.and(s.shl::<8>(reaction), s.u(0x0000_FF00));
    let bits = s.or(s.or(s.shl::<24>(content), second), third);
    let y = s.mul(
        s.to_f(bits),
        s.f(std::f32::consts::FRAC_PI_4 / 2_147_483_648.0),
    );
    let (sine, cosine) = sine_cosine(s, y);

    let swap = s.test(bits, s.u(1 << 8));
    (
        radius,
        signed(s, s.pick(swap, sine, cosine), s.shl::<22>(bits)),
        signed(s, s.pick(swap, cosine, sine), s.shl::<21>(bits)),
    )
}

/// x, negated where the highest bit of `by` is set.
#[inline(always)]
fn signed<S: Simd>(s: S, x: S::F, by: S::U) -> S::F {
    s.of_bits(s.xor(s.bits(x), s.and(by, s.u(1 << 31))))
}

/// Sine and cosine for |y| ≤ π/4; errors 4.4e-8 and 7.3e-8.
#[inline(always)]
fn sine_cosine<S: Simd>(s: S, y: S::F) -> (S::F, S::F) {
    let square = s.mul(y, y);
    let p = polynomial(s, square, [-1.951_529_6e-4, 8.332_161e-3, -1.666_665_5e-1]);
    let sine = s.fma(s.mul(y, square), p, y);
    let p = polynomial(s, square, [2.443_315_7e-5, -1.388_731_6e-3, 4.166_664_6e-2]);
    let half = s.fnma(square, s.f(0.5), s.f(1.0));
    let cosine = s.fma(s.mul(square, square), p, half);
    (sine, cosine)
}

/// 2⁻²⁴.
pub(super) const TWO_POW_MINUS_24: f32 = 1.0 / 16_777_216.0;

#[cfg(test)]
mod tests {
    use super::super::simd::portable::Portable;
    use super::*;

    fn lanes(x: f32) -> <Portable as Simd>::F {
        Portable.f(x)
    }

    fn first(x: <Portable as Simd>::F) -> f64 {
        let mut out = [0.0; 16];
        Portable.store_f(x, &mut out);
        f64::from(out[0])
    }

    #[test]
    fn powers_of_two() {
        let mut worst = 0.0f64;
        for i in -100_000..100_000 {
            let x = i as f32 * 1.2e-3;
            let exact = f64::from(x).exp2();
            worst = worst.max((first(exp2(Portable, lanes(x))) / exact - 1.0).abs());
        }
        assert!(worst < 2.5e-7, "{worst}");
    }

    #[test]
    fn logarithms() {
        let mut worst = 0.0f64;
        for i in (0..1u32 << 24)
            .step_by(97)
            .chain([(1 << 24) - 1, (1 << 24) - 2])
        {
            let u = i as f32 * TWO_POW_MINUS_24 + 0.5 * TWO_POW_MINUS_24;
            let value = first(minus_two_ln(Portable, lanes(u)));
            assert!(value >= 0.0);
            worst = worst.max((value + 2.0 * f64::from(u).ln()).abs());
        }
        assert!(worst < 4e-6, "{worst}");
    }

    #[test]
    fn circle() {
        for i in -1000..=1000 {
            let y = i as f32 / 1000.0 * std::f32::consts::FRAC_PI_4;
            let (sine, cosine) = sine_cosine(Portable, lanes(y));
            assert!((first(sine) - f64::from(y).sin()).abs() < 1.2e-7);
            assert!((first(cosine) - f64::from(y).cos()).abs() < 1.2e-7);
        }
    }

    /// Moments of both coordinates and of their products, over real draws.
    #[test]
    fn the_noise_is_two_independent_normals() {
        let draws = crate::draw::Draws::new(3);
        let n = 100_000u64;
        let mut sums = [0.0f64; 8];
        for user in 0..n {
            let word = |stream| Portable.u(draws.word(user, 0, stream));
            let (square, c, d) = polar(Portable, word(0), word(1), word(2));
            let r = first(square).sqrt();
            let (x, y) = (r * first(c), r * first(d));
            let terms = [
                x,
                y,
                x * x,
                y * y,
                x * y,
                x * x * y * y,
                x.powi(4),
                y.powi(4),
            ];
            for (sum, term) in sums.iter_mut().zip(terms) {
                *sum += term / n as f64;
            }
        }
        let expected = [0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 3.0, 3.0];
        let variance: [f64; 8] = [1.0, 1.0, 2.0, 2.0, 1.0, 8.0, 96.0, 96.0];
        for i in 0..8 {
            let z = (sums[i] - expected[i]) / (variance[i] / n as f64).sqrt();
            assert!(z.abs() < 5.0, "{i}: {z}");
        }
    }
}
