//! Orthonormal columns, so that no digit is lost to a distant origin or an odd unit of a regressor.

use crate::error::{Result, StatsError};

/// Part of a column's length that must be its own.
const OWN_PART: f64 = 1e-10;

/// Orthonormal columns `Q` and the upper triangle `R` (row by row) of `X = Q R`.
pub(super) struct Basis {
    pub(super) columns: Vec<Vec<f64>>,
    pub(super) triangle: Vec<f64>,
}

impl Basis {
    /// By modified Gram-Schmidt, each column twice (Giraud et al. 2005: twice is enough).
    pub(super) fn new(columns: Vec<Vec<f64>>, what: &'static str) -> Result<Self> {
        let p = columns.len();
        let mut triangle = vec![0.0; p * p];
        let mut done: Vec<Vec<f64>> = Vec::with_capacity(p);
        for (j, mut column) in columns.into_iter().enumerate() {
            let length = norm(&column);
            if !length.is_finite() {
                return Err(StatsError::NotFinite { name: what });
            }
            for _ in 0..2 {
                for (i, q) in done.iter().enumerate() {
                    triangle[i * p + j] += remove(&mut column, q);
                }
            }
            let own = norm(&column);
            if own <= OWN_PART * length {
                return Err(StatsError::Collinear { what });
            }
            column.iter_mut().for_each(|v| *v /= own);
            triangle[j * p + j] = own;
            done.push(column);
        }
        Ok(Self {
            columns: done,
            triangle,
        })
    }

    /// `R^-1 v` in place.
    pub(super) fn back(&self, v: &mut [f64]) {
        let p = self.columns.len();
        for i in (0..p).rev() {
            let known: f64 = (i + 1..p).map(|j| self.triangle[i * p + j] * v[j]).sum();
            v[i] = (v[i] - known) / self.triangle[i * p + i];
        }
    }

    /// `R^-1 M R^-T` of a symmetric matrix, row by row.
    pub(super) fn back_both(&self, matrix: &[f64]) -> Vec<f64> {
        let p = self.columns.len();
        let mut half = matrix.to_vec();
        for _ in 0..2 {
            // Rows of a symmetric matrix are its columns; the second pass works on the transpose.
            half.chunks_exact_mut(p.max(1))
                .for_each(|row| self.back(row));
            half = (0..p * p).map(|at| half[at % p * p + at / p]).collect();
        }
        half
    }
}

/// Removes the part along unit vector `q` and returns its length.
pub(super) fn remove(column: &mut [f64], q: &[f64]) -> f64 {
    let along: f64 = column.iter().zip(q).map(|(c, q)| c * q).sum();
    for (c, q) in column.iter_mut().zip(q) {
        *c -= along * q;
    }
    along
}

/// Euclidean length.
pub(super) fn norm(column: &[f64]) -> f64 {
    column.iter().map(|v| v * v).sum::<f64>().sqrt()
}
