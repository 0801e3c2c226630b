//! Small dense linear systems.

use crate::error::{Result, StatsError};

/// Solves `A x = b` by Gaussian elimination with partial pivoting.
///
/// `matrix` holds `A` row by row and is overwritten; `right` holds `b` and becomes `x`. Meant for the
/// few hundred nodes of an integral equation, where a linear-algebra library buys nothing.
///
/// # Errors
/// [`StatsError::LengthMismatch`] when `matrix` is not `n * n`, [`StatsError::NoConvergence`] when `A` is singular.
pub fn solve_dense(matrix: &mut [f64], right: &mut [f64]) -> Result<()> {
    let n = right.len();
    if matrix.len() != n * n {
        return Err(StatsError::LengthMismatch {
            name: "matrix",
            expected: n * n,
            got: matrix.len(),
        });
    }
    for column in 0..n {
        let pivot = (column..n)
            .max_by(|&i, &j| {
                matrix[i * n + column]
                    .abs()
                    .total_cmp(&matrix[j * n + column].abs())
            })
            .unwrap_or(column);
        if pivot != column {
            for k in 0..n {
                matrix.swap(column * n + k, pivot * n + k);
            }
            right.swap(column, pivot);
        }
        let lead = matrix[column * n + column];
        if lead == 0.0 || !lead.is_finite() {
            return Err(StatsError::NoConvergence {
                what: "a linear system",
            });
        }
        let (done, rest) = matrix.split_at_mut((column + 1) * n);
        let lead_row = &done[column * n + column..];
        let lead_right = right[column];
        for (row, value) in rest.chunks_exact_mut(n).zip(&mut right[column + 1..]) {
            let factor = row[column] / lead;
            for (a, b) in row[column..].iter_mut().zip(lead_row) {
                *a -= factor * b;
            }
            *value -= factor * lead_right;
        }
    }
    for row in (0..n).rev() {
        let known: f64 = (row + 1..n).map(|k| matrix[row * n + k] * right[k]).sum();
        right[row] = (right[row] - known) / matrix[row * n + row];
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_a_system_that_needs_pivoting() {
        let mut a = [0.0, 2.0, 1.0, 1.0, 1.0, 0.0, 3.0, 0.0, 1.0];
        let mut b = [7.0, 3.0, 6.0];
        solve_dense(&mut a, &mut b).unwrap();
        for (ours, exact) in b.iter().zip([1.0, 2.0, 3.0]) {
            assert!((ours - exact).abs() < 1e-14);
        }
        assert!(solve_dense(&mut [1.0, 1.0, 1.0, 1.0], &mut [1.0, 2.0]).is_err());
        assert!(solve_dense(&mut [1.0], &mut [1.0, 2.0]).is_err());
    }
}
