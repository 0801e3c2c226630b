//! Damped Newton minimisation in a few parameters.

use crate::error::{Result, StatsError};
use crate::special::{cholesky, solve_cholesky};

/// Steps before giving up.
const STEPS: usize = 300;

/// Curvature below which the damping does not shrink with the Hessian.
const FLATTEST: f64 = 1e-8;

/// A parameter beyond this is on its way to infinity.
const FARTHEST: f64 = 1e8;

/// Minimises `f`, which returns its value and gradient, or `None` outside its domain.
///
/// The Hessian is a central difference of the gradient; a multiple of the identity is added until it
/// is positive definite and the step lowers `f`.
pub(super) fn minimise(
    start: &[f64],
    what: &'static str,
    f: impl Fn(&[f64]) -> Option<(f64, Vec<f64>)>,
) -> Result<(Vec<f64>, f64)> {
    let failed = StatsError::NoConvergence { what };
    let n = start.len();
    let mut x = start.to_vec();
    let (mut value, mut gradient) = f(&x).ok_or(failed.clone())?;
    let mut damping = 0.0;
    for _ in 0..STEPS {
        let hessian = hessian(&x, &f).ok_or(failed.clone())?;
        let scale = (0..n)
            .map(|i| hessian[i * n + i].abs())
            .fold(FLATTEST, f64::max);
        let before = value;
        loop {
            let mut damped = hessian.clone();
            (0..n).for_each(|i| damped[i * n + i] += damping * scale);
            if let Ok(factor) = cholesky(&damped, n) {
                let mut step: Vec<f64> = gradient.iter().map(|g| -g).collect();
                solve_cholesky(&factor, &mut step)?;
                let size = x.iter().fold(1.0f64, |m, v| m.max(v.abs()));
                if size > FARTHEST {
                    return Err(failed);
                }
                let longest = step.iter().fold(0.0f64, |m, v| m.max(v.abs()));
                // A short step of an undamped or barely damped Newton iteration: quadratic
                // convergence leaves an error far below the step.
                if longest <= 1e-9 * size && damping <= 1e-3 {
                    let last: Vec<f64> = x.iter().zip(&step).map(|(x, s)| x + s).collect();
                    return Ok(match f(&last) {
                        Some((v, _)) => (last, v),
                        None => (x, value),
                    });
                }
                let next: Vec<f64> = x.iter().zip(&step).map(|(x, s)| x + s).collect();
                // Rounding of the value must not stop a step that the gradient justifies.
                if let Some((v, g)) = f(&next)
                    && v <= before + 1e-13 * before.abs().max(1.0)
                {
                    (x, value, gradient) = (next, v, g);
                    damping = if damping < 1e-6 { 0.0 } else { damping * 0.1 };
                    break;
                }
            }
            damping = if damping == 0.0 { 1e-4 } else { damping * 10.0 };
            if damping > 1e12 {
                return Err(failed);
            }
        }
    }
    Err(failed)
}

fn hessian(x: &[f64], f: &impl Fn(&[f64]) -> Option<(f64, Vec<f64>)>) -> Option<Vec<f64>> {
    let n = x.len();
    let mut hessian = vec![0.0; n * n];
    for i in 0..n {
        let step = 1e-5 * x[i].abs().max(0.1);
        let at = |sign: f64| {
            let mut moved = x.to_vec();
            moved[i] += sign * step;
            f(&moved).map(|(_, gradient)| gradient)
        };
        let (up, down) = (at(1.0)?, at(-1.0)?);
        for j in 0..n {
            let slope = (up[j] - down[j]) / (2.0 * step);
            hessian[i * n + j] += 0.5 * slope;
            hessian[j * n + i] += 0.5 * slope;
        }
    }
    hessian.iter().all(|v| v.is_finite()).then_some(hessian)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_bottom_of_a_curved_valley() {
        let valley = |x: &[f64]| {
            let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
            let gradient = vec![-2.0 * a - 400.0 * x[0] * b, 200.0 * b];
            Some((a * a + 100.0 * b * b, gradient))
        };
        let (x, value) = minimise(&[-1.2, 1.0], "a valley", valley).unwrap();
        assert!((x[0] - 1.0).abs() < 1e-9 && (x[1] - 1.0).abs() < 1e-9 && value < 1e-16);
        let slope = |x: &[f64]| Some((x[0], vec![1.0]));
        assert!(minimise(&[0.0], "a slope", slope).is_err());
    }
}
