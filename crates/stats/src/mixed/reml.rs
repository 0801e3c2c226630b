//! Linear mixed model with one grouping, by restricted maximum likelihood.

use super::basis::{Basis, norm, remove};
use super::newton::minimise;
use crate::error::{Result, StatsError};
use crate::special::{cholesky, inverse_positive, solve_cholesky};

/// Observations of a linear mixed model, one row each, sorted by group.
#[derive(Debug, Clone, Copy)]
pub struct Grouped<'a> {
    /// Number of the group (the person); must not fall from row to row.
    pub group: &'a [u32],
    /// Outcome.
    pub outcome: &'a [f64],
    /// Regressors with one coefficient for everybody; the intercept is added.
    pub fixed: &'a [&'a [f64]],
    /// Regressors whose coefficient differs from group to group, at most [`MAX_SLOPES`]; the intercept is added. Empty:
    /// random intercept. A column here belongs in `fixed` too, or its mean coefficient is taken to be 0.
    pub slopes: &'a [&'a [f64]],
}

/// Most random slopes a fit accepts.
pub const MAX_SLOPES: usize = 2;

/// A fitted linear mixed model.
#[derive(Debug, Clone, PartialEq)]
pub struct MixedFit {
    /// Fixed coefficients: intercept, then `fixed`.
    pub coefficients: Vec<f64>,
    /// Their covariance, row by row, with the variance components taken as known.
    pub covariance: Vec<f64>,
    /// Covariance of the random coefficients (intercept, then `slopes`), row by row. May be singular: the
    /// maximum can lie at a variance of 0.
    pub random_covariance: Vec<f64>,
    /// Variance of one observation inside its group.
    pub residual_variance: f64,
    /// The groups, in their order in the data.
    pub groups: Vec<u32>,
    /// Predicted random coefficients, one row of `1 + slopes` per group: deviations from the fixed
    /// coefficients, shrunken towards 0.
    pub predictions: Vec<f64>,
    /// Restricted log-likelihood at the maximum.
    pub log_likelihood: f64,
}

/// Fits `y = X beta + Z b_i + e`, `b_i ~ N(0, Psi)` per group, `e ~ N(0, sigma^2)`, by restricted
/// maximum likelihood.
///
/// `beta` and `sigma^2` are profiled out; what is left is minimised over the Cholesky factor of
/// `D = Psi / sigma^2` by a damped Newton method with the exact gradient
/// `sum M_i - (n-p)/RSS sum u_i u_i' - sum P_i A^-1 P_i'`, from three starts. All that is kept of a group
/// is `Z'Z`, `Z'X` and `Z'y`, so a step costs the number of groups, not of rows.
///
/// **Assumes** Gaussian errors that are independent given the group, Gaussian random coefficients, and
/// independent groups; no autocorrelation inside a group beyond the random coefficients. **Guarantee**: the
/// maximum of the restricted likelihood (the best of three starts); variances without the downward bias of
/// maximum likelihood. Intervals from `covariance` are approximate and need many groups. Predictions are
/// best linear unbiased given the variances. Source: Laird & Ware 1982, Biometrics 38:963; Bates & DebRoy
/// 2004, J. Multivariate Analysis 91:1 (profiling); Henderson 1975, Biometrics 31:423 (predictions).
/// The likelihood is the one of Harville 1974, Biometrika 61:383, without the term `log|X'X|/2`.
///
/// ```
/// use driftlead_stats::mixed::{Grouped, mixed_reml};
/// use driftlead_stats::rng::Stream;
/// let mut luck = Stream::new(1, 0, 0, 0);
/// let person: Vec<u32> = (0..600).map(|i| i / 12).collect();
/// let week: Vec<f64> = (0..600).map(|i| f64::from(i % 12)).collect();
/// let own: Vec<f64> = (0..50).map(|_| 2.0 * luck.normal()).collect();
/// let outcome: Vec<f64> = person.iter().zip(&week)
///     .map(|(&p, w)| 3.0 + 0.1 * w + own[p as usize] + luck.normal())
///     .collect();
/// let fit = mixed_reml(&Grouped { group: &person, outcome: &outcome, fixed: &[&week], slopes: &[] })?;
/// assert!((fit.coefficients[1] - 0.1).abs() < 3.0 * fit.covariance[3].sqrt());
/// assert!((fit.random_covariance[0] - 4.0).abs() < 2.5 && (fit.residual_variance - 1.0).abs() < 0.2);
/// // A prediction lies between 0 and the deviation of the person's own mean.
/// assert!((fit.predictions[0] - own[0]).abs() < 2.0);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// Columns of unequal length, groups out of order, a value that is not finite, collinear columns, more
/// than [`MAX_SLOPES`] slopes, fewer than two groups, not more rows than coefficients and groups, an outcome without
/// variation inside groups, an iteration that does not converge.
pub fn mixed_reml(data: &Grouped<'_>) -> Result<MixedFit> {
    data.check()?;
    let n = data.group.len();
    let with_constant = |columns: &[&[f64]]| -> Vec<Vec<f64>> {
        std::iter::once(vec![1.0; n])
            .chain(columns.iter().map(|c| c.to_vec()))
            .collect()
    };
    let fixed = Basis::new(with_constant(data.fixed), "the fixed regressors")?;
    let random = Basis::new(with_constant(data.slopes), "the random regressors")?;
    // The least-squares fit first: sums of residuals keep their digits.
    let mut residuals = data.outcome.to_vec();
    let mut coefficients = vec![0.0; fixed.columns.len()];
    let size = norm(&residuals);
    for _ in 0..2 {
        for (c, q) in coefficients.iter_mut().zip(&fixed.columns) {
            *c += remove(&mut residuals, q);
        }
    }
    let spread = norm(&residuals);
    if !spread.is_finite() {
        return Err(StatsError::NotFinite { name: "outcome" });
    }
    if spread <= 1e-13 * size {
        return Err(NO_VARIATION);
    }
    residuals.iter_mut().for_each(|r| *r /= spread);
    let sums = Sums::new(data.group, &residuals, &fixed, &random);

    let q = random.columns.len();
    let mut best: Option<(Vec<f64>, f64)> = None;
    let mut failure = NO_VARIATION;
    for start in [0.1, 0.6, 3.0] {
        let parameters: Vec<f64> = (0..q)
            .flat_map(|i| (0..=i).map(move |j| if i == j { start } else { 0.0 }))
            .collect();
        let found = minimise(&parameters, "a mixed model", |x| {
            let lower = unpack(x, q);
            let state = sums.solve(&lower)?;
            Some((state.criterion, sums.gradient(&lower, &state)))
        });
        match found {
            Ok(found) if best.as_ref().is_none_or(|b| found.1 < b.1) => best = Some(found),
            Ok(_) => {}
            Err(e) => failure = e,
        }
    }
    let (parameters, _) = best.ok_or(failure.clone())?;
    let lower = unpack(&parameters, q);
    let state = sums.solve(&lower).ok_or(failure)?;

    let df = (n - coefficients.len()) as f64;
    let variance = state.rss * spread * spread / df;
    let a_inverse = inverse_positive(&state.cross, coefficients.len())?;
    for (c, d) in coefficients.iter_mut().zip(&state.moved) {
        *c += d * spread;
    }
    fixed.back(&mut coefficients);
    let covariance = fixed.back_both(&a_inverse);
    // Random regressors were scaled to a mean square of 1.
    let scale = n as f64;
    let d = outer(&lower, q);
    let random_covariance = random.back_both(&d);
    let mut predictions = Vec::with_capacity(sums.groups.len() * q);
    for own in &sums.groups {
        let shrinkage = sums.shrinkage(own, &lower).ok_or(NO_VARIATION)?;
        let u = sums.innovation(own, &shrinkage, &state);
        let mut b = multiply(&d, &u, q, 1);
        random.back(&mut b);
        predictions.extend(b.iter().map(|b| b * spread * scale.sqrt()));
    }
    let p = coefficients.len();
    let log_triangle: f64 = (0..p).map(|i| fixed.triangle[i * p + i].ln()).sum();
    let deviance = state.log_determinants
        + 2.0 * log_triangle
        + df * ((core::f64::consts::TAU * variance).ln() + 1.0);
    Ok(MixedFit {
        coefficients,
        covariance: covariance.iter().map(|v| v * variance).collect(),
        random_covariance: random_covariance
            .iter()
            .map(|v| v * variance * scale)
            .collect(),
        residual_variance: variance,
        groups: data.group.chunk_by(|a, b| a == b).map(|g| g[0]).collect(),
        predictions,
        log_likelihood: -0.5 * deviance,
    })
}

const NO_VARIATION: StatsError = StatsError::Undefined {
    what: "a mixed model",
    because: "the outcome does not vary inside groups",
};

impl Grouped<'_> {
    fn check(&self) -> Result<()> {
        let expected = self.group.len();
        if expected == 0 {
            return Err(StatsError::Empty { name: "group" });
        }
        let fixed = self.fixed.iter().map(|&c| ("a fixed regressor", c));
        let slopes = self.slopes.iter().map(|&c| ("a random slope", c));
        for (name, column) in std::iter::once(("outcome", self.outcome))
            .chain(fixed)
            .chain(slopes)
        {
            if column.len() != expected {
                return Err(StatsError::LengthMismatch {
                    name,
                    expected,
                    got: column.len(),
                });
            }
            if column.iter().any(|v| !v.is_finite()) {
                return Err(StatsError::NotFinite { name });
            }
        }
        if let Some(row) = self.group.windows(2).position(|w| w[0] > w[1]) {
            return Err(StatsError::Unsorted {
                name: "group",
                row: row + 1,
            });
        }
        let outside = |name, value: usize, domain| {
            Err(StatsError::OutOfDomain {
                name,
                value: value as f64,
                domain,
            })
        };
        if self.slopes.len() > MAX_SLOPES {
            return outside("random slopes", self.slopes.len(), "at most 2");
        }
        let groups = self.group.chunk_by(|a, b| a == b).count();
        if groups < 2 {
            return outside("groups", groups, "at least 2");
        }
        if expected <= groups + self.fixed.len() {
            return outside("rows", expected, "more than coefficients and groups");
        }
        Ok(())
    }
}

/// What is kept of one group: `Z'Z`, `Z'X`, `Z'y`.
struct Group {
    zz: Vec<f64>,
    zx: Vec<f64>,
    zy: Vec<f64>,
}

struct Sums {
    groups: Vec<Group>,
    p: usize,
    q: usize,
    n: usize,
}

/// The profile at one factor.
struct Solved {
    criterion: f64,
    /// `sum log|V_i| + log|X'WX|`.
    log_determinants: f64,
    /// `A = X'WX`.
    cross: Vec<f64>,
    /// Change of the coefficients from least squares.
    moved: Vec<f64>,
    rss: f64,
}

impl Sums {
    fn new(group: &[u32], y: &[f64], fixed: &Basis, random: &Basis) -> Self {
        let (p, q, n) = (fixed.columns.len(), random.columns.len(), group.len());
        let scale = (n as f64).sqrt();
        let mut groups = Vec::new();
        let mut from = 0;
        for rows in group.chunk_by(|a, b| a == b) {
            let range = from..from + rows.len();
            from = range.end;
            let dot = |a: &[f64], b: &[f64]| -> f64 {
                let (a, b) = (&a[range.clone()], &b[range.clone()]);
                scale * a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>()
            };
            let z = &random.columns;
            let pairs = |right: &[Vec<f64>]| -> Vec<f64> {
                z.iter()
                    .flat_map(|z| right.iter().map(|x| dot(z, x)).collect::<Vec<_>>())
                    .collect()
            };
            groups.push(Group {
                zz: pairs(z).iter().map(|v| v * scale).collect(),
                zx: pairs(&fixed.columns),
                zy: z.iter().map(|z| dot(z, y)).collect(),
            });
        }
        Self { groups, p, q, n }
    }

    /// Profiles out coefficients and residual variance; `None` where rounding has left no residual.
    fn solve(&self, lower: &[f64]) -> Option<Solved> {
        let (p, q) = (self.p, self.q);
        // X is orthonormal, y a unit vector orthogonal to it.
        let mut cross: Vec<f64> = (0..p * p)
            .map(|at| f64::from(u8::from(at / p == at % p)))
            .collect();
        let mut right = vec![0.0; p];
        let mut rss = 1.0;
        let mut log_determinants = 0.0;
        for own in &self.groups {
            let factor = cholesky(&self.inner(own, lower), q).ok()?;
            log_determinants += 2.0 * (0..q).map(|i| factor[i * q + i].ln()).sum::<f64>();
            let x = forward(&factor, transpose_multiply(lower, &own.zx, q, p), q, p);
            let y = forward(&factor, transpose_multiply(lower, &own.zy, q, 1), q, 1);
            for (row, y) in x.chunks_exact(p).zip(&y) {
                for (a, xa) in row.iter().enumerate() {
                    right[a] -= xa * y;
                    for (sum, xb) in cross[a * p..(a + 1) * p].iter_mut().zip(row) {
                        *sum -= xa * xb;
                    }
                }
                rss -= y * y;
            }
        }
        let factor = cholesky(&cross, p).ok()?;
        log_determinants += 2.0 * (0..p).map(|i| factor[i * p + i].ln()).sum::<f64>();
        let mut moved = right.clone();
        solve_cholesky(&factor, &mut moved).ok()?;
        rss -= right.iter().zip(&moved).map(|(r, m)| r * m).sum::<f64>();
        let criterion = log_determinants + (self.n - p) as f64 * rss.ln();
        // Below this the residual is rounding.
        (rss > 1e-13 && criterion.is_finite()).then_some(Solved {
            criterion,
            log_determinants,
            cross,
            moved,
            rss,
        })
    }

    /// `I + L' Z'Z L`.
    fn inner(&self, own: &Group, lower: &[f64]) -> Vec<f64> {
        let q = self.q;
        let mut inner = transpose_multiply(lower, &multiply(&own.zz, lower, q, q), q, q);
        (0..q).for_each(|i| inner[i * q + i] += 1.0);
        inner
    }

    /// `(I + Z'Z D)^-1 = I - Z'Z L (I + L'Z'ZL)^-1 L'`.
    fn shrinkage(&self, own: &Group, lower: &[f64]) -> Option<Vec<f64>> {
        let q = self.q;
        let inverse = inverse_positive(&self.inner(own, lower), q).ok()?;
        let left = multiply(&multiply(&own.zz, lower, q, q), &inverse, q, q);
        Some(
            (0..q * q)
                .map(|at| {
                    let (i, j) = (at / q, at % q);
                    let sum: f64 = (0..q).map(|k| left[i * q + k] * lower[j * q + k]).sum();
                    f64::from(u8::from(i == j)) - sum
                })
                .collect(),
        )
    }

    /// `u = Z'W(y - X beta)`.
    fn innovation(&self, own: &Group, shrinkage: &[f64], state: &Solved) -> Vec<f64> {
        let fitted = multiply(&own.zx, &state.moved, self.p, 1);
        let left: Vec<f64> = own.zy.iter().zip(fitted).map(|(y, f)| y - f).collect();
        multiply(shrinkage, &left, self.q, 1)
    }

    /// Gradient of the criterion in the lower triangle of `L`; NaN where `D` has left the range of
    /// a float.
    fn gradient(&self, lower: &[f64], state: &Solved) -> Vec<f64> {
        let (p, q) = (self.p, self.q);
        let parts = || {
            let inverse = inverse_positive(&state.cross, p).ok()?;
            let per_rss = (self.n - p) as f64 / state.rss;
            let mut in_d = vec![0.0; q * q];
            for own in &self.groups {
                let shrink = self.shrinkage(own, lower)?;
                let m = multiply(&shrink, &own.zz, q, q);
                let u = self.innovation(own, &shrink, state);
                let px = multiply(&shrink, &own.zx, q, p);
                let solved = multiply(&px, &inverse, p, p);
                for (at, sum) in in_d.iter_mut().enumerate() {
                    let (i, j) = (at / q, at % q);
                    let through: f64 = (0..p).map(|k| solved[i * p + k] * px[j * p + k]).sum();
                    *sum += m[at] - per_rss * u[i] * u[j] - through;
                }
            }
            Some(in_d)
        };
        let in_d = parts().unwrap_or_else(|| vec![f64::NAN; q * q]);
        let in_l = multiply(&in_d, lower, q, q);
        (0..q)
            .flat_map(|i| (0..=i).map(move |j| (i, j)))
            .map(|(i, j)| 2.0 * in_l[i * q + j])
            .collect()
    }
}

/// Row-by-row lower triangle from its packed entries.
fn unpack(packed: &[f64], q: usize) -> Vec<f64> {
    let mut lower = vec![0.0; q * q];
    let places = (0..q).flat_map(|i| (0..=i).map(move |j| i * q + j));
    for (at, value) in places.zip(packed) {
        lower[at] = *value;
    }
    lower
}

/// `A B`, where `A` has `inner` columns and `B` has `width`.
fn multiply(a: &[f64], b: &[f64], inner: usize, width: usize) -> Vec<f64> {
    let mut product = Vec::with_capacity(a.len() / inner * width);
    for row in a.chunks_exact(inner) {
        product.extend((0..width).map(|j| {
            let terms = row.iter().enumerate().map(|(k, a)| a * b[k * width + j]);
            terms.sum::<f64>()
        }));
    }
    product
}

/// `L' B` for a square `L` of size `q`.
fn transpose_multiply(lower: &[f64], b: &[f64], q: usize, width: usize) -> Vec<f64> {
    (0..q * width)
        .map(|at| {
            let (i, j) = (at / width, at % width);
            (0..q).map(|k| lower[k * q + i] * b[k * width + j]).sum()
        })
        .collect()
}

/// `L L'`.
fn outer(lower: &[f64], q: usize) -> Vec<f64> {
    (0..q * q)
        .map(|at| {
            let (i, j) = (at / q, at % q);
            (0..q).map(|k| lower[i * q + k] * lower[j * q + k]).sum()
        })
        .collect()
}

/// `factor^-1 B` by forward substitution.
fn forward(factor: &[f64], mut b: Vec<f64>, q: usize, width: usize) -> Vec<f64> {
    for i in 0..q {
        for j in 0..width {
            let known: f64 = (0..i).map(|k| factor[i * q + k] * b[k * width + j]).sum();
            b[i * width + j] = (b[i * width + j] - known) / factor[i * q + i];
        }
    }
    b
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    #[test]
    fn a_balanced_random_intercept_is_the_analysis_of_variance() {
        let (groups, rows) = (20u32, 6u32);
        let mut luck = Stream::new(7, 0, 0, 0);
        let own: Vec<f64> = (0..groups).map(|_| luck.normal()).collect();
        let group: Vec<u32> = (0..groups * rows).map(|i| i / rows).collect();
        let y: Vec<f64> = group
            .iter()
            .map(|&g| own[g as usize] + luck.normal())
            .collect();
        let data = Grouped {
            group: &group,
            outcome: &y,
            fixed: &[],
            slopes: &[],
        };
        let fit = mixed_reml(&data).unwrap();
        let means: Vec<f64> = y
            .chunks(rows as usize)
            .map(|c| c.iter().sum::<f64>() / f64::from(rows))
            .collect();
        let grand = means.iter().sum::<f64>() / f64::from(groups);
        let within: f64 = y
            .iter()
            .zip(&group)
            .map(|(y, &g)| (y - means[g as usize]).powi(2))
            .sum::<f64>()
            / f64::from(groups * (rows - 1));
        let between: f64 =
            means.iter().map(|m| (m - grand).powi(2)).sum::<f64>() / f64::from(groups - 1);
        assert!((fit.coefficients[0] - grand).abs() < 1e-12);
        assert!((fit.residual_variance - within).abs() < 1e-10);
        let variance = between - within / f64::from(rows);
        assert!((fit.random_covariance[0] - variance).abs() < 1e-9);
        let shrink = variance / between;
        for (ours, mean) in fit.predictions.iter().zip(&means) {
            assert!((ours - shrink * (mean - grand)).abs() < 1e-9);
        }
        // Unit and origin of outcome and regressor do not matter.
        let week: Vec<f64> = (0..group.len()).map(|i| (i % 6) as f64).collect();
        let far: Vec<f64> = week.iter().map(|w| 2026.0 + w / 52.0).collect();
        let run = |w: &[f64], y: &[f64]| {
            let columns = [w];
            mixed_reml(&Grouped {
                group: &group,
                outcome: y,
                fixed: &columns,
                slopes: &columns,
            })
            .unwrap()
        };
        let moved: Vec<f64> = y.iter().map(|y| 1e4 * y + 1e6).collect();
        let (near, distant) = (run(&week, &y), run(&far, &moved));
        assert!((near.coefficients[1] * 52e4 - distant.coefficients[1]).abs() < 1e-4);
        assert!((near.residual_variance * 1e8 / distant.residual_variance - 1.0).abs() < 1e-7);
    }

    #[test]
    fn a_variance_of_zero_is_a_maximum_like_any_other() {
        // Every group has the same values: between groups there is less than chance would give.
        let group: Vec<u32> = (0..30).map(|i| i / 5).collect();
        let y: Vec<f64> = (0..30).map(|i| f64::from(i % 5)).collect();
        let data = Grouped {
            group: &group,
            outcome: &y,
            fixed: &[],
            slopes: &[],
        };
        let fit = mixed_reml(&data).unwrap();
        assert!(fit.random_covariance[0] < 1e-10 && fit.predictions.iter().all(|b| b.abs() < 1e-8));
        assert!((fit.residual_variance - 60.0 / 29.0).abs() < 1e-9);
    }

    #[test]
    fn bad_input_is_refused() {
        let run = |group: &[u32], y: &[f64], fixed: &[&[f64]]| {
            mixed_reml(&Grouped {
                group,
                outcome: y,
                fixed,
                slopes: &[],
            })
        };
        let group = [0, 0, 0, 1, 1, 1];
        let y = [1.0, 2.0, 4.0, 3.0, 5.0, 8.0];
        assert!(run(&group, &y, &[]).is_ok());
        assert!(matches!(
            run(&group, &y, &[&[1.0; 6]]),
            Err(StatsError::Collinear { .. })
        ));
        assert!(matches!(
            run(&[0, 0, 1, 0, 1, 1], &y, &[]),
            Err(StatsError::Unsorted { row: 3, .. })
        ));
        assert!(matches!(
            run(&[0; 6], &y, &[]),
            Err(StatsError::OutOfDomain { .. })
        ));
        assert!(run(&group, &y[..5], &[]).is_err() && run(&[], &[], &[]).is_err());
        assert!(run(&group, &[f64::NAN; 6], &[]).is_err() && run(&group, &[2.0; 6], &[]).is_err());
        assert!(run(&group, &[1.0, 1.0, 1.0, 2.0, 2.0, 2.0], &[]).is_err());
        assert!(run(&group, &[1e300; 6], &[]).is_err());
    }
}
