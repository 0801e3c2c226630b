//! Generalised least squares under every noise that the data do not rule out.

use statrs::distribution::{ContinuousCDF, FisherSnedecor, StudentsT};

use super::noise::{MAX_COLUMNS, Noise, Row, whiten};
use super::{SeriesError, Settings};

/// The estimate of the coefficient of interest under one noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The noise.
    pub noise: Noise,
    /// Twice the drop of the restricted log-likelihood from its maximum, ≥ 0.
    pub deviance: f64,
    /// Estimated coefficient.
    pub estimate: f64,
    /// Its standard error.
    pub se: f64,
}

/// A fitted series.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// Noise of largest restricted likelihood.
    pub noise: Noise,
    /// All coefficients under that noise, in the order of the columns.
    pub coefficients: Vec<f64>,
    /// Every noise inside the plausible region, the best first.
    pub plausible: Vec<Candidate>,
    /// Observations minus regressors.
    pub degrees_of_freedom: usize,
    /// Root mean square of the residuals, with `degrees_of_freedom` in the denominator: the SD of
    /// one observation around the fitted course.
    pub residual_sd: f64,
    /// Fitted values, one per observation.
    pub fitted: Vec<f64>,
    /// Standard errors of the fitted values under the plausible noise with the widest interval.
    pub fitted_se: Vec<f64>,
}

/// One solved noise.
struct Solved {
    coefficients: [f64; MAX_COLUMNS],
    /// Inverse of `X'V⁻¹X`.
    inverse: [[f64; MAX_COLUMNS]; MAX_COLUMNS],
    /// Residual sum of squares over the degrees of freedom.
    sigma2: f64,
    /// Restricted log-likelihood up to a constant.
    likelihood: f64,
}

/// Fits `y(t) = x(t)'β + noise` and keeps what every plausible noise says about `β[target]`.
///
/// * `times`: strictly increasing (weeks); gaps are allowed.
/// * `values`: one finite number per time.
/// * `scales`: relative variance of the sampling noise at each time, > 0, mean about 1 (for a share
///   or rate: typical denominator over own denominator).
/// * `columns`: one to [`MAX_COLUMNS`] regressors, each as long as `times`.
///
/// # Errors
/// [`SeriesError`] for unequal lengths, non-finite input, times out of order, fewer than three
/// observations more than regressors, collinear regressors, and a series without variation.
pub fn fit(
    times: &[i32],
    values: &[f64],
    scales: &[f64],
    columns: &[Vec<f64>],
    target: usize,
    settings: &Settings,
) -> Result<Fit, SeriesError> {
    let p = columns.len();
    let n = times.len();
    check(times, values, scales, columns, target)?;
    let centre = values.iter().sum::<f64>() / n as f64;
    let spread = (values.iter().map(|v| (v - centre).powi(2)).sum::<f64>() / n as f64).sqrt();
    if spread <= 1e-12 * centre.abs().max(f64::MIN_POSITIVE) {
        return Err(SeriesError::Constant);
    }
    // Scaled so that nothing below depends on the unit.
    let response: Vec<f64> = values.iter().map(|v| (v - centre) / spread).collect();
    let solved = match p {
        1 => solve_all::<2>(times, scales, columns, &response, settings),
        2 => solve_all::<3>(times, scales, columns, &response, settings),
        3 => solve_all::<4>(times, scales, columns, &response, settings),
        _ => solve_all::<5>(times, scales, columns, &response, settings),
    };
    let best = solved
        .iter()
        .map(|(_, s)| s.likelihood)
        .fold(f64::NEG_INFINITY, f64::max);
    if !best.is_finite() {
        return Err(SeriesError::Collinear);
    }
    let df = n - p;
    let mut plausible: Vec<(Candidate, &Solved)> = solved
        .iter()
        .filter_map(|(noise, s)| {
            let deviance = 2.0 * (best - s.likelihood);
            let se = (s.sigma2 * s.inverse[target][target]).sqrt() * spread;
            let estimate = s.coefficients[target] * spread;
            (deviance <= settings.plausible_deviance && se.is_finite()).then_some((
                Candidate {
                    noise: *noise,
                    deviance,
                    estimate,
                    se,
                },
                s,
            ))
        })
        .collect();
    plausible.sort_by(|a, b| a.0.deviance.total_cmp(&b.0.deviance));
    let (chosen, top) = plausible.first().ok_or(SeriesError::Collinear)?;
    let widest = plausible
        .iter()
        .max_by(|a, b| a.0.se.total_cmp(&b.0.se))
        .map_or(*top, |(_, s)| *s);

    let fitted: Vec<f64> = (0..n)
        .map(|i| {
            let at = columns
                .iter()
                .zip(&top.coefficients)
                .map(|(x, c)| x[i] * c)
                .sum::<f64>();
            centre + spread * at
        })
        .collect();
    let residual = values
        .iter()
        .zip(&fitted)
        .map(|(y, f)| (y - f).powi(2))
        .sum::<f64>();
    let fitted_se = (0..n)
        .map(|i| {
            let mut quadratic = 0.0;
            for a in 0..p {
                for b in 0..p {
                    quadratic += columns[a][i] * widest.inverse[a][b] * columns[b][i];
                }
            }
            (quadratic.max(0.0) * widest.sigma2).sqrt() * spread
        })
        .collect();
    let mut coefficients: Vec<f64> = top.coefficients[..p].iter().map(|c| c * spread).collect();
    if let Some(first) = coefficients.first_mut() {
        // The first column is the intercept by convention; give the centre back to it.
        *first += centre;
    }
    Ok(Fit {
        noise: chosen.noise,
        coefficients,
        degrees_of_freedom: df,
        residual_sd: (residual / df as f64).sqrt(),
        fitted,
        fitted_se,
        plausible: plausible.into_iter().map(|(c, _)| c).collect(),
    })
}

impl Fit {
    /// Estimate of the coefficient of interest under the noise of largest likelihood.
    pub fn estimate(&self) -> f64 {
        self.plausible[0].estimate
    }

    /// Interval of the coefficient of interest with error at most about `alpha`: the union of the
    /// Student-t intervals under every plausible noise.
    pub fn interval(&self, alpha: f64) -> (f64, f64) {
        let t = t_quantile(self.degrees_of_freedom, 1.0 - alpha / 2.0);
        self.plausible
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), c| {
                (
                    low.min(c.estimate - t * c.se),
                    high.max(c.estimate + t * c.se),
                )
            })
    }

    /// The change whose interval at `alpha` would exclude zero with probability about `power`: half
    /// the width of the interval plus the one-sided margin for the estimate's own noise.
    pub fn smallest_visible(&self, alpha: f64, power: f64) -> f64 {
        let (low, high) = self.interval(alpha);
        0.5 * (high - low) + t_quantile(self.degrees_of_freedom, power) * self.plausible[0].se
    }

    /// Half-width multiplier of a simultaneous band over the whole fitted course (Scheffé).
    pub fn band_multiplier(&self, alpha: f64) -> f64 {
        let p = self.coefficients.len() as f64;
        FisherSnedecor::new(p, self.degrees_of_freedom as f64)
            .map_or(f64::NAN, |f| (p * f.inverse_cdf(1.0 - alpha)).sqrt())
    }

    /// Largest φ among the plausible noises that have a persistent part.
    pub fn phi_high(&self) -> f64 {
        self.plausible
            .iter()
            .filter(|c| c.noise.persistent_share > 0.0)
            .map(|c| c.noise.phi)
            .fold(0.0, f64::max)
    }
}

/// Student-t quantile at probability `p` in (0, 1); NaN for no degrees of freedom.
pub fn t_quantile(degrees_of_freedom: usize, p: f64) -> f64 {
    StudentsT::new(0.0, 1.0, degrees_of_freedom as f64).map_or(f64::NAN, |t| t.inverse_cdf(p))
}

fn check(
    times: &[i32],
    values: &[f64],
    scales: &[f64],
    columns: &[Vec<f64>],
    target: usize,
) -> Result<(), SeriesError> {
    let n = times.len();
    let p = columns.len();
    if values.len() != n || scales.len() != n || columns.iter().any(|c| c.len() != n) {
        return Err(SeriesError::Lengths);
    }
    if p == 0 || p > MAX_COLUMNS || target >= p {
        return Err(SeriesError::Columns { columns: p });
    }
    if n < p + 3 {
        return Err(SeriesError::TooShort {
            observations: n,
            needed: p + 3,
        });
    }
    if times.windows(2).any(|w| w[0] >= w[1]) {
        return Err(SeriesError::Order);
    }
    let finite = values
        .iter()
        .chain(columns.iter().flatten())
        .all(|v| v.is_finite());
    if !finite || !scales.iter().all(|s| s.is_finite() && *s > 0.0) {
        return Err(SeriesError::NotFinite);
    }
    Ok(())
}

/// Solves under every noise of the grid; `C` is the number of columns plus one.
fn solve_all<const C: usize>(
    times: &[i32],
    scales: &[f64],
    columns: &[Vec<f64>],
    response: &[f64],
    settings: &Settings,
) -> Vec<(Noise, Solved)> {
    let rows: Vec<Row<C>> = (0..times.len())
        .map(|i| {
            let mut row = [response[i]; C];
            for (slot, column) in row.iter_mut().zip(columns) {
                *slot = column[i];
            }
            row
        })
        .collect();
    let each = |&noise: &Noise| Some((noise, solve(noise, times, scales, &rows)?));
    settings.grid.iter().filter_map(each).collect()
}

// Triangular index loops read like the algebra; iterators over three arrays at once do not.
#[allow(clippy::needless_range_loop)]
fn solve<const C: usize>(
    noise: Noise,
    times: &[i32],
    scales: &[f64],
    rows: &[Row<C>],
) -> Option<Solved> {
    let p = C - 1;
    // `X'X`, `X'y` and `y'y` of the whitened rows, upper triangle.
    let mut cross = [[0.0; C]; C];
    let log_det = whiten(noise, times, scales, rows, |row| {
        for a in 0..=p {
            for b in a..=p {
                cross[a][b] += row[a] * row[b];
            }
        }
    });
    let df = (rows.len() - p) as f64;
    // Cholesky of X'V⁻¹X, then forward substitution of X'V⁻¹y.
    let mut lower = [[0.0; MAX_COLUMNS]; MAX_COLUMNS];
    let mut log_gram = 0.0;
    for a in 0..p {
        for b in 0..=a {
            let mut sum = cross[b][a];
            for k in 0..b {
                sum -= lower[a][k] * lower[b][k];
            }
            if a == b {
                if sum <= 1e-10 * cross[a][a] {
                    return None;
                }
                lower[a][a] = sum.sqrt();
                log_gram += sum.ln();
            } else {
                lower[a][b] = sum / lower[b][b];
            }
        }
    }
    let mut half = [0.0; MAX_COLUMNS];
    let mut explained = 0.0;
    for a in 0..p {
        let mut sum = cross[a][p];
        for k in 0..a {
            sum -= lower[a][k] * half[k];
        }
        half[a] = sum / lower[a][a];
        explained += half[a] * half[a];
    }
    let residual = (cross[p][p] - explained).max(f64::MIN_POSITIVE);
    let mut coefficients = [0.0; MAX_COLUMNS];
    let mut inverse = [[0.0; MAX_COLUMNS]; MAX_COLUMNS];
    // Columns of (LL')⁻¹ by back substitution.
    for column in 0..p {
        let mut forward = [0.0; MAX_COLUMNS];
        for a in column..p {
            let mut sum = if a == column { 1.0 } else { 0.0 };
            for k in column..a {
                sum -= lower[a][k] * forward[k];
            }
            forward[a] = sum / lower[a][a];
        }
        for a in (0..p).rev() {
            let mut sum = forward[a];
            for k in a + 1..p {
                sum -= lower[k][a] * inverse[k][column];
            }
            inverse[a][column] = sum / lower[a][a];
        }
    }
    for a in (0..p).rev() {
        let mut sum = half[a];
        for k in a + 1..p {
            sum -= lower[k][a] * coefficients[k];
        }
        coefficients[a] = sum / lower[a][a];
    }
    let likelihood = -0.5 * (df * residual.ln() + log_det + log_gram);
    Some(Solved {
        coefficients,
        inverse,
        sigma2: residual / df,
        likelihood,
    })
}
