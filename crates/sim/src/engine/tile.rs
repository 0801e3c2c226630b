//! A tile: up to 768 people through all steps, in windows of steps so that memory stays small.

use super::kernel::{At, Shared, Step, VECTORS};
use super::simd::portable::Portable;
use super::simd::{LANES, Simd};
use super::totals::Totals;
use super::world::{Policies, World};
use crate::draw::Keys;

/// People in a full tile.
pub(super) const PEOPLE: u64 = (VECTORS * LANES) as u64;
/// Steps in a window: its counters fill a third of the first-level cache. Even, because noise is
/// drawn for pairs of steps.
const WINDOW: u32 = 128;

/// The instruction set that a run uses. The results do not depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// AVX-512 with VAES.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// AVX2 with FMA and AES.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// NEON with AES.
    #[cfg(target_arch = "aarch64")]
    Neon,
    /// Plain Rust.
    Portable,
}

impl Kernel {
    /// Those that this machine can run, the fastest first.
    pub fn available() -> Vec<Kernel> {
        let mut kernels = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if super::simd::avx512::Avx512::detect().is_some() {
                kernels.push(Kernel::Avx512);
            }
            if super::simd::avx2::Avx2::detect().is_some() {
                kernels.push(Kernel::Avx2);
            }
        }
        #[cfg(target_arch = "aarch64")]
        if super::simd::neon::Neon::detect().is_some() {
            kernels.push(Kernel::Neon);
        }
        kernels.push(Kernel::Portable);
        kernels
    }

    /// The fastest one here.
    pub fn best() -> Kernel {
        Kernel::available()
            .first()
            .copied()
            .unwrap_or(Kernel::Portable)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => "avx2",
            #[cfg(target_arch = "aarch64")]
            Kernel::Neon => "neon",
            Kernel::Portable => "portable",
        }
    }
}

/// Which people, how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    /// The first person, a multiple of 16.
    pub(super) first: u64,
    /// People, at most [`PEOPLE`].
    pub(super) people: u64,
    pub(super) steps: u32,
}

/// Runs a tile and adds it to the totals.
pub(super) fn run<W: World>(
    kernel: Kernel,
    world: &W,
    keys: &Keys,
    span: Span,
    totals: &mut Totals,
) {
    // A kernel that the machine lacks falls back to the portable one: the result is the same.
    match kernel {
        #[cfg(target_arch = "x86_64")]
        Kernel::Avx512 => {
            if let Some(s) = super::simd::avx512::Avx512::detect() {
                return x86::avx512(s, world, keys, span, totals);
            }
        }
        #[cfg(target_arch = "x86_64")]
        Kernel::Avx2 => {
            if let Some(s) = super::simd::avx2::Avx2::detect() {
                return x86::avx2(s, world, keys, span, totals);
            }
        }
        #[cfg(target_arch = "aarch64")]
        Kernel::Neon => {
            if let Some(s) = super::simd::neon::Neon::detect() {
                return arm::neon(s, world, keys, span, totals);
            }
        }
        Kernel::Portable => {}
    }
    tile(Portable, world, keys, span, totals);
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    #![allow(unsafe_code)]

    use super::*;
    use crate::engine::simd::avx2::Avx2;
    use crate::engine::simd::avx512::Avx512;

    pub(super) fn avx512<W: World>(s: Avx512, w: &W, k: &Keys, span: Span, totals: &mut Totals) {
        #[target_feature(enable = "avx512f,avx512dq,avx512vl,vaes,avx2,fma,bmi1,bmi2,popcnt")]
        fn inner<W: World>(s: Avx512, w: &W, k: &Keys, span: Span, totals: &mut Totals) {
            tile(s, w, k, span, totals);
        }
        // SAFETY: `s` exists, so the CPU has the features.
        unsafe { inner(s, w, k, span, totals) }
    }

    pub(super) fn avx2<W: World>(s: Avx2, w: &W, k: &Keys, span: Span, totals: &mut Totals) {
        #[target_feature(enable = "avx2,fma,aes")]
        fn inner<W: World>(s: Avx2, w: &W, k: &Keys, span: Span, totals: &mut Totals) {
            tile(s, w, k, span, totals);
        }
        // SAFETY: `s` exists, so the CPU has the features.
        unsafe { inner(s, w, k, span, totals) }
    }
}

#[cfg(target_arch = "aarch64")]
mod arm {
    #![allow(unsafe_code)]

    use super::*;
    use crate::engine::simd::neon::Neon;

    pub(super) fn neon<W: World>(s: Neon, w: &W, k: &Keys, span: Span, totals: &mut Totals) {
        #[target_feature(enable = "neon,aes")]
        fn inner<W: World>(s: Neon, w: &W, k: &Keys, span: Span, totals: &mut Totals) {
            tile(s, w, k, span, totals);
        }
        // SAFETY: `s` exists, so the CPU has the features.
        unsafe { inner(s, w, k, span, totals) }
    }
}

/// The people of the last vector that is only partly filled are counted on their own.
#[inline(always)]
fn tile<S: Simd, W: World>(s: S, world: &W, keys: &Keys, span: Span, totals: &mut Totals) {
    let shared = world.shared(s, keys);
    let full = (span.people / LANES as u64) as usize;
    let rest = (span.people % LANES as u64) as usize;
    if full > 0 {
        vectors::<S, W>(s, world, &shared, span, full, LANES, totals);
    }
    if rest > 0 {
        let first = span.first + (full * LANES) as u64;
        vectors::<S, W>(s, world, &shared, Span { first, ..span }, 1, rest, totals);
    }
}

#[inline(always)]
fn vectors<S: Simd, W: World>(
    s: S,
    world: &W,
    shared: &Shared<S>,
    span: Span,
    count: usize,
    lanes: usize,
    totals: &mut Totals,
) {
    let mut people: Vec<W::People<S>> = (0..count)
        .map(|v| world.start(s, shared, span.first + (v * LANES) as u64))
        .collect();
    let mut window = [Step::ZERO; WINDOW as usize];
    let mut from = 0;
    while from < span.steps {
        let length = WINDOW.min(span.steps - from);
        let steps = &mut window[..length as usize];
        steps.fill(Step::ZERO);
        match W::TOGETHER {
            6 => in_groups::<S, W, 6>(s, shared, from, &mut people, steps),
            _ => in_groups::<S, W, 4>(s, shared, from, &mut people, steps),
        }
        totals.add_window(from, steps, count, lanes);
        from += length;
    }
    let mut out = Policies::ZERO;
    for p in &people {
        W::policies(s, p, &mut out);
        totals.add_final::<W>(&out, lanes);
    }
}

/// All vectors through the steps of a window, `N` at a time.
#[inline(always)]
fn in_groups<S: Simd, W: World, const N: usize>(
    s: S,
    shared: &Shared<S>,
    from: u32,
    people: &mut [W::People<S>],
    steps: &mut [Step],
) {
    let (groups, rest) = people.as_chunks_mut::<N>();
    for group in groups {
        walk::<S, W, N>(s, shared, from, group, steps);
    }
    for one in rest {
        walk::<S, W, 1>(s, shared, from, std::array::from_mut(one), steps);
    }
}

/// A few vectors through the steps of a window, which starts at an even step.
#[inline(always)]
fn walk<S: Simd, W: World, const N: usize>(
    s: S,
    shared: &Shared<S>,
    from: u32,
    people: &mut [W::People<S>; N],
    steps: &mut [Step],
) {
    let mut t = from;
    let (pairs, last) = steps.as_chunks_mut::<2>();
    for [even, odd] in pairs {
        W::step::<S, true, N>(s, shared, &At::new(s, t), people, even);
        W::step::<S, false, N>(s, shared, &At::new(s, t + 1), people, odd);
        t += 2;
    }
    if let [even] = last {
        W::step::<S, true, N>(s, shared, &At::new(s, t), people, even);
    }
}

/// Final states of the first people, for the golden vectors.
#[cfg(test)]
pub(super) fn states<S: Simd, W: World>(
    s: S,
    world: &W,
    keys: &Keys,
    span: Span,
) -> Vec<[u32; LANES]> {
    let shared = world.shared(s, keys);
    let mut out = Vec::new();
    for v in 0..span.people / LANES as u64 {
        let mut people = [world.start(s, &shared, span.first + v * LANES as u64)];
        let mut steps = vec![Step::ZERO; span.steps as usize];
        walk::<S, W, 1>(s, &shared, 0, &mut people, &mut steps);
        W::state(s, &people[0], &mut out);
    }
    out
}
