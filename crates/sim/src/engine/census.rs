//! What a step costs: the vector operations of a kernel, counted by running it on a [`Simd`] that does
//! nothing but count.

use std::sync::atomic::{AtomicU64, Ordering};

use super::kernel::{At, Step};
use super::mirror::Mirror;
use super::mirror4::Mirror4;
use super::run::Setting;
use super::simd::{LANES, Simd};
use super::world::World;
use crate::draw::Draws;

/// Kinds of vector operations, by the part of a CPU that carries them out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Products and fused multiply-adds.
    Multiply,
    /// Sums, maxima, rounding, conversion, exponents and mantissas.
    Add,
    /// Sums, selections and logic of words.
    Word,
    /// Shifts of words.
    Shift,
    /// Comparisons that give masks.
    Compare,
    /// Looking up in a table that is a vector.
    Permute,
    /// Rounds of AES.
    Cipher,
    /// Multiplying by a power of two.
    Scale,
    /// Quotients and square roots.
    Divide,
}

impl Unit {
    /// All of them.
    pub const ALL: [Unit; 9] = [
        Unit::Multiply,
        Unit::Add,
        Unit::Word,
        Unit::Shift,
        Unit::Compare,
        Unit::Permute,
        Unit::Cipher,
        Unit::Scale,
        Unit::Divide,
    ];
}

/// Vector operations per step of sixteen people, in the order of [`Unit::ALL`]: the mean of an even and
/// an odd step, as many as AVX-512 needs. Loads, stores and copies are not among them.
pub fn operations(setting: &Setting) -> [f64; Unit::ALL.len()] {
    match *setting {
        Setting::Mirror { alpha, lambda } => count(&Mirror {
            alpha: alpha as f32,
            lambda,
            people: LANES as u64,
        }),
        Setting::Mirror4 { alpha } => count(&Mirror4 {
            alpha: alpha as f32,
        }),
    }
}

fn count<W: World>(world: &W) -> [f64; Unit::ALL.len()] {
    let counts = Counts::default();
    let s = Counting(&counts);
    let draws = Draws::new(0);
    let shared = world.shared(s, draws.keys());
    let mut people = [world.start(s, &shared, 0)];
    let at = [At::new(s, 0), At::new(s, 1)];
    let mut step = Step::ZERO;
    for c in &counts {
        c.store(0, Ordering::Relaxed);
    }
    W::step::<_, true, 1>(s, &shared, &at[0], &mut people, &mut step);
    W::step::<_, false, 1>(s, &shared, &at[1], &mut people, &mut step);
    counts.map(|c| c.into_inner() as f64 / 2.0)
}

type Counts = [AtomicU64; Unit::ALL.len()];

/// Vectors without lanes.
#[derive(Clone, Copy)]
struct Counting<'a>(&'a Counts);

impl Counting<'_> {
    fn tally(self, unit: Unit, n: u64) {
        if let Some(count) = self.0.get(unit as usize) {
            count.fetch_add(n, Ordering::Relaxed);
        }
    }
}

/// Operations that count as one of a unit.
macro_rules! counted {
    ($unit:ident: $($name:ident($($arg:ident: $kind:ident),*);)*) => {
        $(fn $name(self, $($arg: Self::$kind),*) {
            $(let () = $arg;)*
            self.tally(Unit::$unit, 1);
        })*
    };
}

impl Simd for Counting<'_> {
    type F = ();
    type U = ();
    type M = ();

    counted! {
        Multiply:
        mul(a: F, b: F);
        fma(a: F, b: F, c: F);
        fnma(a: F, b: F, c: F);
    }
    counted! {
        Add:
        add(a: F, b: F);
        sub(a: F, b: F);
        max(a: F, b: F);
        to_f(a: U);
        add_if(m: M, a: F, b: F);
        sub_if(m: M, a: F, b: F);
    }
    counted! {
        Word:
        wadd(a: U, b: U);
        and(a: U, b: U);
        or(a: U, b: U);
        xor(a: U, b: U);
        pick(m: M, a: F, b: F);
        wadd_if(m: M, a: U, b: U);
        word_if(m: M, b: U);
    }
    counted! {
        Compare:
        ge(a: F, b: F);
        eq(a: U, b: U);
        ne(a: U, b: U);
        test(a: U, b: U);
    }
    counted! {
        Permute:
        lookup(table: F, index: U);
    }
    counted! {
        Scale:
        scale(p: F, x: F);
    }
    counted! {
        Divide:
        div(a: F, b: F);
        sqrt(a: F);
    }

    fn shl<const N: u32>(self, (): ()) {
        self.tally(Unit::Shift, 1);
    }
    fn shr<const N: u32>(self, (): ()) {
        self.tally(Unit::Shift, 1);
    }
    /// Rounding and a difference.
    fn fraction(self, (): ()) {
        self.tally(Unit::Add, 2);
    }
    fn exponent_mantissa(self, (): ()) -> ((), ()) {
        self.tally(Unit::Add, 2);
        ((), ())
    }
    fn aes(self, _keys: &[(); 5], (): ()) {
        self.tally(Unit::Cipher, 5);
    }

    // Constants, memory and changes of type: no operations. A second condition of a comparison is
    // part of it.
    fn f(self, _: f32) {}
    fn u(self, _: u32) {}
    fn load_f(self, _: &[f32; LANES]) {}
    fn load_u(self, _: &[u32; LANES]) {}
    fn store_f(self, (): (), _: &mut [f32; LANES]) {}
    fn store_u(self, (): (), _: &mut [u32; LANES]) {}
    fn bits(self, (): ()) {}
    fn of_bits(self, (): ()) {}
    fn both(self, (): (), (): ()) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Lambda;

    /// Counted by hand from the kernels: three ciphers in an even step and two in an odd one, one root
    /// and one quotient, one power of two per logit.
    #[test]
    fn counts_what_the_kernels_do() {
        let two = operations(&Setting::Mirror {
            alpha: 0.08,
            lambda: Lambda::Grid,
        });
        let four = operations(&Setting::Mirror4 { alpha: 0.08 });
        let of = |counts: [f64; 9], unit: Unit| counts[unit as usize];
        for counts in [two, four] {
            assert_eq!(of(counts, Unit::Cipher), 12.5);
            assert_eq!(of(counts, Unit::Divide), 2.0);
            assert_eq!(of(counts, Unit::Permute), 8.0);
        }
        assert_eq!(of(two, Unit::Scale), 1.0);
        assert_eq!(of(four, Unit::Scale), 3.0);
    }
}
