//! Sixteen people side by side: one trait, one implementation per instruction set.
//!
//! All implementations give the same bits. That holds because each operation is one that IEEE 754
//! fixes (`+ − × ÷ √`, fused multiply-add, conversions), exact (floor, exponent arithmetic) or on
//! integers; a kernel is written once against the trait, so the order of operations is shared. The
//! portable implementation defines the result; tests hold the others to it, bit for bit.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
#[cfg(target_arch = "aarch64")]
pub(crate) mod neon;
pub(crate) mod portable;

/// People in a vector.
pub(crate) const LANES: usize = 16;

/// Vector operations. A value of an implementing type exists only where the CPU can run them.
pub(crate) trait Simd: Copy + Send + Sync {
    /// 16 single-precision numbers.
    type F: Copy;
    /// 16 32-bit words.
    type U: Copy;
    /// 16 truth values.
    type M: Copy;

    fn f(self, x: f32) -> Self::F;
    fn u(self, x: u32) -> Self::U;
    fn load_f(self, from: &[f32; LANES]) -> Self::F;
    fn load_u(self, from: &[u32; LANES]) -> Self::U;
    fn store_f(self, x: Self::F, to: &mut [f32; LANES]);
    fn store_u(self, x: Self::U, to: &mut [u32; LANES]);

    fn add(self, a: Self::F, b: Self::F) -> Self::F;
    fn sub(self, a: Self::F, b: Self::F) -> Self::F;
    fn mul(self, a: Self::F, b: Self::F) -> Self::F;
    fn div(self, a: Self::F, b: Self::F) -> Self::F;
    fn max(self, a: Self::F, b: Self::F) -> Self::F;
    fn sqrt(self, a: Self::F) -> Self::F;
    /// a·b + c, rounded once.
    fn fma(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// c − a·b, rounded once.
    fn fnma(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// x − ⌊x⌋.
    fn fraction(self, x: Self::F) -> Self::F;
    /// p·2^⌊x⌋, where the result is a normal number.
    fn scale(self, p: Self::F, x: Self::F) -> Self::F;
    /// Exponent and mantissa in [1, 2) of a positive normal number.
    fn exponent_mantissa(self, x: Self::F) -> (Self::F, Self::F);

    fn wadd(self, a: Self::U, b: Self::U) -> Self::U;
    fn and(self, a: Self::U, b: Self::U) -> Self::U;
    fn or(self, a: Self::U, b: Self::U) -> Self::U;
    fn xor(self, a: Self::U, b: Self::U) -> Self::U;
    fn shl<const N: u32>(self, a: Self::U) -> Self::U;
    fn shr<const N: u32>(self, a: Self::U) -> Self::U;
    /// The words as signed integers.
    fn to_f(self, a: Self::U) -> Self::F;
    fn bits(self, a: Self::F) -> Self::U;
    fn of_bits(self, a: Self::U) -> Self::F;

    fn ge(self, a: Self::F, b: Self::F) -> Self::M;
    fn eq(self, a: Self::U, b: Self::U) -> Self::M;
    fn ne(self, a: Self::U, b: Self::U) -> Self::M;
    /// Whether a and b have a bit in common.
    fn test(self, a: Self::U, b: Self::U) -> Self::M;
    fn both(self, a: Self::M, b: Self::M) -> Self::M;
    /// a where m, else b.
    fn pick(self, m: Self::M, a: Self::F, b: Self::F) -> Self::F;
    /// a + b where m, else a.
    fn add_if(self, m: Self::M, a: Self::F, b: Self::F) -> Self::F;
    /// a − b where m, else a.
    fn sub_if(self, m: Self::M, a: Self::F, b: Self::F) -> Self::F;
    /// a + b where m, else a.
    fn wadd_if(self, m: Self::M, a: Self::U, b: Self::U) -> Self::U;
    /// b where m, else 0.
    fn word_if(self, m: Self::M, b: Self::U) -> Self::U;
    /// Entry `index mod 8` of a table whose lanes 8 to 15 repeat lanes 0 to 7.
    fn lookup(self, table: Self::F, index: Self::U) -> Self::F;

    /// The five rounds of [`crate::draw`] on four counters, each four lanes, that have been combined
    /// with the first key.
    fn aes(self, keys: &[Self::U; 5], x: Self::U) -> Self::U;
}

#[cfg(test)]
mod tests;
