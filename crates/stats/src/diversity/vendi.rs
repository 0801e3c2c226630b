//! The Vendi score: the effective number of different things.

use crate::error::{Result, StatsError, finite, within};
use crate::special::symmetric_eigenvalues;

/// Eigenvalues of a similarity matrix divided by its size; they sum to 1.
///
/// The score of order `q` is the exponential of the Rényi entropy of the eigenvalues: 1 when all things are
/// the same, `n` when all are unlike. Order 1 is the usual one; large `q` counts dominant things only.
/// Source: Friedman & Dieng 2023; orders: Pasarkar & Dieng 2024.
///
/// **Assumes** a positive semi-definite similarity with 1 for "the same". **Guarantee**: none; a description.
///
/// ```
/// use driftlead_stats::diversity::Vendi;
/// let unlike = Vendi::from_similarity(&[1.0, 0.0, 0.0, 1.0], 2)?;
/// assert!((unlike.score(1.0)? - 2.0).abs() < 1e-12);
/// let same = Vendi::from_vectors(&[vec![1.0, 0.0], vec![1.0, 0.0]])?;
/// assert!((same.score(f64::INFINITY)? - 1.0).abs() < 1e-12);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Vendi {
    eigenvalues: Vec<f64>,
}

/// Eigenvalues below this share are rounding noise, which would count at orders below 1.
const NOISE: f64 = 1e-13;

impl Vendi {
    /// From an `n * n` similarity matrix, row by row, with 1 on its diagonal.
    ///
    /// # Errors
    /// A wrong size, a matrix that is not symmetric or has no unit diagonal, an entry that is not
    /// finite, an eigenvalue clearly below 0.
    pub fn from_similarity(matrix: &[f64], n: usize) -> Result<Self> {
        let eigenvalues = symmetric_eigenvalues(matrix, n)?;
        for i in 0..n {
            within("similarity with itself", matrix[i * n + i], "1", |v| {
                (v - 1.0).abs() < 1e-9
            })?;
            for j in 0..i {
                within(
                    "asymmetry",
                    matrix[i * n + j] - matrix[j * n + i],
                    "0",
                    |v| v.abs() < 1e-9,
                )?;
            }
        }
        Self::new(eigenvalues, n)
    }

    /// From vectors, by the cosine of their angle. Uses the smaller of the two Gram matrices (dual form), so
    /// that many things with few features are cheap.
    ///
    /// # Errors
    /// No vector, vectors of unequal length, an entry that is not finite, a zero vector.
    pub fn from_vectors(vectors: &[Vec<f64>]) -> Result<Self> {
        let n = vectors.len();
        let d = vectors.first().map_or(0, Vec::len);
        if n == 0 || d == 0 {
            return Err(StatsError::Empty { name: "vectors" });
        }
        let mut units: Vec<Vec<f64>> = Vec::with_capacity(n);
        for v in vectors {
            if v.len() != d {
                return Err(StatsError::LengthMismatch {
                    name: "vector",
                    expected: d,
                    got: v.len(),
                });
            }
            v.iter()
                .try_for_each(|&x| finite("vector entry", x).map(|_| ()))?;
            let largest = v.iter().fold(0.0f64, |m, x| m.max(x.abs()));
            within("length of a vector", largest, "(0, inf)", |l| l > 0.0)?;
            let scaled: Vec<f64> = v.iter().map(|x| x / largest).collect();
            let length = scaled.iter().map(|x| x * x).sum::<f64>().sqrt();
            units.push(scaled.iter().map(|x| x / length).collect());
        }
        let size = n.min(d);
        let mut gram = vec![0.0; size * size];
        for i in 0..size {
            for j in 0..=i {
                let product: f64 = if n <= d {
                    units[i].iter().zip(&units[j]).map(|(a, b)| a * b).sum()
                } else {
                    units.iter().map(|u| u[i] * u[j]).sum()
                };
                gram[i * size + j] = product;
                gram[j * size + i] = product;
            }
        }
        Self::new(symmetric_eigenvalues(&gram, size)?, n)
    }

    fn new(eigenvalues: Vec<f64>, n: usize) -> Result<Self> {
        if n == 0 {
            return Err(StatsError::Empty { name: "similarity" });
        }
        let shares: Vec<f64> = eigenvalues.iter().map(|v| v / n as f64).collect();
        if let Some(&value) = shares.iter().find(|s| **s < -1e-8) {
            return Err(StatsError::OutOfDomain {
                name: "eigenvalue",
                value,
                domain: "[0, 1]",
            });
        }
        Ok(Self {
            eigenvalues: shares.into_iter().filter(|s| *s > NOISE).collect(),
        })
    }

    /// The score of order `q` in (0, inf].
    ///
    /// # Errors
    /// `q` not positive.
    pub fn score(&self, q: f64) -> Result<f64> {
        let largest = self.eigenvalues.iter().fold(0.0f64, |m, v| m.max(*v));
        if q == f64::INFINITY {
            return Ok(1.0 / largest);
        }
        within("q", q, "(0, inf]", |q| q > 0.0)?;
        let sum = |f: &dyn Fn(f64) -> f64| self.eigenvalues.iter().map(|&v| f(v)).sum::<f64>();
        if (q - 1.0).abs() < 1e-9 {
            return Ok((-sum(&|v| v * v.ln())).exp());
        }
        // Relative to the largest, so that a large order does not underflow.
        let ln_sum = q * largest.ln() + sum(&|v| (v / largest).powf(q)).ln();
        Ok((ln_sum / (1.0 - q)).exp())
    }
}
