//! Symmetric matrices: Cholesky factor, inverse, eigenvalues. Stored row by row.

use crate::error::{Result, StatsError};

fn check_square(matrix: &[f64], n: usize) -> Result<()> {
    if matrix.len() == n * n {
        return Ok(());
    }
    Err(StatsError::LengthMismatch {
        name: "matrix",
        expected: n * n,
        got: matrix.len(),
    })
}

/// Lower Cholesky factor of a positive definite `n * n` matrix (the upper triangle of the result is 0).
///
/// # Errors
/// [`StatsError::LengthMismatch`] for a wrong size, [`StatsError::NoConvergence`] when the matrix is
/// not positive definite.
pub fn cholesky(matrix: &[f64], n: usize) -> Result<Vec<f64>> {
    check_square(matrix, n)?;
    let mut factor = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let (row_i, row_j) = (&factor[i * n..i * n + j], &factor[j * n..j * n + j]);
            let known: f64 = row_i.iter().zip(row_j).map(|(a, b)| a * b).sum();
            let left = matrix[i * n + j] - known;
            factor[i * n + j] = if i != j {
                left / factor[j * n + j]
            } else if left > 0.0 && left.is_finite() {
                left.sqrt()
            } else {
                return Err(StatsError::NoConvergence {
                    what: "a Cholesky factor",
                });
            };
        }
    }
    Ok(factor)
}

/// Solves `L L' x = right` in place, `factor` from [`cholesky`].
///
/// # Errors
/// [`StatsError::LengthMismatch`] when `factor` does not fit `right`.
pub fn solve_cholesky(factor: &[f64], right: &mut [f64]) -> Result<()> {
    let n = right.len();
    check_square(factor, n)?;
    for i in 0..n {
        let known: f64 = (0..i).map(|k| factor[i * n + k] * right[k]).sum();
        right[i] = (right[i] - known) / factor[i * n + i];
    }
    for i in (0..n).rev() {
        let known: f64 = (i + 1..n).map(|k| factor[k * n + i] * right[k]).sum();
        right[i] = (right[i] - known) / factor[i * n + i];
    }
    Ok(())
}

/// Inverse of a positive definite matrix.
///
/// ```
/// use driftlead_stats::special::inverse_positive;
/// let inverse = inverse_positive(&[4.0, 1.0, 1.0, 3.0], 2)?;
/// assert!((inverse[0] - 3.0 / 11.0).abs() < 1e-15 && (inverse[1] + 1.0 / 11.0).abs() < 1e-15);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// As [`cholesky`].
pub fn inverse_positive(matrix: &[f64], n: usize) -> Result<Vec<f64>> {
    let factor = cholesky(matrix, n)?;
    let mut inverse = vec![0.0; n * n];
    for (i, row) in inverse.chunks_exact_mut(n.max(1)).enumerate() {
        row[i] = 1.0;
        solve_cholesky(&factor, row)?;
    }
    Ok(inverse)
}

/// Eigenvalues of a symmetric matrix in increasing order, by cyclic Jacobi rotations (Golub & Van
/// Loan, section 8.5): slow beyond a few hundred rows, accurate to the last digits before.
///
/// ```
/// use driftlead_stats::special::symmetric_eigenvalues;
/// assert!((symmetric_eigenvalues(&[2.0, 1.0, 1.0, 2.0], 2)?[1] - 3.0).abs() < 1e-15);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// [`StatsError::LengthMismatch`] for a wrong size, [`StatsError::NotFinite`] for an entry that is not
/// finite, [`StatsError::NoConvergence`] after 60 sweeps.
pub fn symmetric_eigenvalues(matrix: &[f64], n: usize) -> Result<Vec<f64>> {
    check_square(matrix, n)?;
    if matrix.iter().any(|v| !v.is_finite()) {
        return Err(StatsError::NotFinite { name: "matrix" });
    }
    let mut a = matrix.to_vec();
    let scale = a.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    for _ in 0..60 {
        let off = (0..n)
            .flat_map(|i| (0..i).map(move |j| (i, j)))
            .fold(0.0f64, |m, (i, j)| m.max(a[i * n + j].abs()));
        if off <= 1e-17 * scale {
            let mut values: Vec<f64> = (0..n).map(|i| a[i * n + i]).collect();
            values.sort_by(f64::total_cmp);
            return Ok(values);
        }
        for p in 0..n {
            for q in p + 1..n {
                rotate(&mut a, n, p, q);
            }
        }
    }
    Err(StatsError::NoConvergence {
        what: "an eigenvalue iteration",
    })
}

/// One Jacobi rotation that makes entry `(p, q)` zero.
fn rotate(a: &mut [f64], n: usize, p: usize, q: usize) {
    let apq = a[p * n + q];
    if apq == 0.0 {
        return;
    }
    let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * apq);
    let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
    let cos = 1.0 / t.hypot(1.0);
    let sin = t * cos;
    for k in 0..n {
        let (kp, kq) = (a[k * n + p], a[k * n + q]);
        a[k * n + p] = cos * kp - sin * kq;
        a[k * n + q] = sin * kp + cos * kq;
    }
    for k in 0..n {
        let (pk, qk) = (a[p * n + k], a[q * n + k]);
        a[p * n + k] = cos * pk - sin * qk;
        a[q * n + k] = sin * pk + cos * qk;
    }
    a[p * n + q] = 0.0;
    a[q * n + p] = 0.0;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eigenvalues_of_the_second_difference() {
        let n = 12;
        let mut a = vec![0.0; n * n];
        for i in 0..n {
            a[i * n + i] = 2.0;
            if i + 1 < n {
                a[i * n + i + 1] = -1.0;
                a[(i + 1) * n + i] = -1.0;
            }
        }
        for (k, value) in symmetric_eigenvalues(&a, n).unwrap().iter().enumerate() {
            let angle = (k + 1) as f64 * core::f64::consts::PI / (n + 1) as f64;
            assert!((value - (2.0 - 2.0 * angle.cos())).abs() < 1e-14);
        }
        let inverse = inverse_positive(&a, n).unwrap();
        for i in 0..n {
            for j in 0..n {
                let entry: f64 = (0..n).map(|k| a[i * n + k] * inverse[k * n + j]).sum();
                assert!((entry - f64::from(u8::from(i == j))).abs() < 1e-13);
            }
        }
    }

    #[test]
    fn refusals() {
        assert!(cholesky(&[1.0, 2.0, 2.0, 1.0], 2).is_err());
        assert!(cholesky(&[1.0], 2).is_err());
        assert!(symmetric_eigenvalues(&[f64::NAN], 1).is_err());
        assert_eq!(symmetric_eigenvalues(&[0.0; 9], 3).unwrap(), [0.0; 3]);
    }
}
