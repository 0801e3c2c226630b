//! Generalised least squares averaged over every noise, weighted by how well it explains the data.

use statrs::distribution::{ContinuousCDF, FisherSnedecor, StudentsT};

use super::noise::{MAX_COLUMNS, Noise, Row, whiten};
use super::tail::Tail;
use super::{Equivalence, SeriesError, Settings};

use crate::error::{StatsError, level, positive};

/// Noises that together weigh less than this are left out: far below any error level in use.
const NEGLIGIBLE: f64 = 1e-7;

/// The estimate of the coefficient of interest under one noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The noise.
    pub noise: Noise,
    /// Posterior weight: prior times restricted likelihood, summing to 1 over a fit.
    pub weight: f64,
    /// Estimated coefficient.
    pub estimate: f64,
    /// Its standard error.
    pub se: f64,
}

/// A fitted series.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// Noise of largest posterior weight.
    pub noise: Noise,
    /// All coefficients under that noise, in the order of the columns.
    pub coefficients: Vec<f64>,
    /// Every noise of more than negligible weight, the heaviest first.
    pub candidates: Vec<Candidate>,
    /// Observations.
    pub observations: usize,
    /// Observations minus regressors.
    pub degrees_of_freedom: usize,
    /// Root mean square of the residuals, with `degrees_of_freedom` in the denominator: the SD of
    /// one observation around the fitted course.
    pub residual_sd: f64,
    /// Fitted values, one per observation.
    pub fitted: Vec<f64>,
    /// Standard errors of the fitted values, averaged over the noises.
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

/// Fits `y(t) = x(t)'β + noise` and keeps what every noise says about `β[target]`.
///
/// * `times`: strictly increasing (weeks); gaps are allowed.
/// * `values`: one finite number per time.
/// * `scales`: relative variance of the sampling noise at each time, > 0, mean about 1 (for a share
///   or rate: typical denominator over own denominator).
/// * `columns`: one to [`MAX_COLUMNS`] regressors, each as long as `times`.
///
/// **Assumes** Gaussian AR(1) noise with φ up to 0.7, plus independent noise. **Guarantee**: the error of
/// [`Fit::interval`] is at most about `alpha`, by calibration. See [the module](crate::series) for both.
/// Source: construction of this project on generalised least squares (Aitken 1936) by a Kalman filter
/// (Harvey 1989), averaged over noises as in Hoeting, Madigan, Raftery, Volinsky 1999.
///
/// ```
/// use driftlead_stats::series::{Settings, fit, step};
/// // Six weeks are missing; the level rises by 2 after week 30.
/// let weeks: Vec<i32> = (0..60).filter(|w| !(40..46).contains(w)).collect();
/// let level = |w: i32| if w < 30 { 5.0 } else { 7.0 };
/// let values: Vec<f64> = weeks.iter().map(|&w| level(w) + f64::from(w * 7919 % 13) / 13.0).collect();
/// let columns = [vec![1.0; weeks.len()], step(&weeks, 30)];
/// let fit = fit(&weeks, &values, &vec![1.0; weeks.len()], &columns, 1, &Settings::default())?;
/// let (low, high) = fit.interval(0.05);
/// assert!(low > 1.0 && low < 2.0 && 2.0 < high && high < 3.0);
/// # Ok::<(), driftlead_stats::series::SeriesError>(())
/// ```
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
    // Values of which the squares are not finite.
    if !spread.is_finite() {
        return Err(SeriesError::NotFinite);
    }
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
        .map(|(.., s)| s.likelihood)
        .fold(f64::NEG_INFINITY, f64::max);
    if !best.is_finite() {
        return Err(SeriesError::Collinear);
    }
    let df = n - p;
    let mut weighed: Vec<(f64, Noise, &Solved)> = solved
        .iter()
        .filter(|(.., s)| s.inverse[target][target] > 0.0 && s.sigma2.is_finite())
        .map(|(prior, noise, s)| (prior * (s.likelihood - best).exp(), *noise, s))
        .collect();
    weighed.sort_by(|a, b| b.0.total_cmp(&a.0));
    let total: f64 = weighed.iter().map(|(w, ..)| w).sum();
    weighed.retain(|(w, ..)| *w > NEGLIGIBLE * total);
    let kept: f64 = weighed.iter().map(|(w, ..)| w).sum();
    for (weight, ..) in &mut weighed {
        *weight /= kept;
    }
    let (_, noise, top) = *weighed.first().ok_or(SeriesError::Collinear)?;
    let candidates = weighed
        .iter()
        .map(|&(weight, noise, s)| Candidate {
            noise,
            weight,
            estimate: s.coefficients[target] * spread,
            se: (s.sigma2 * s.inverse[target][target]).sqrt() * spread,
        })
        .collect();

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
            let mut variance = 0.0;
            for (weight, _, s) in &weighed {
                for a in 0..p {
                    for b in 0..p {
                        variance +=
                            weight * s.sigma2 * columns[a][i] * s.inverse[a][b] * columns[b][i];
                    }
                }
            }
            variance.max(0.0).sqrt() * spread
        })
        .collect();
    let mut coefficients: Vec<f64> = top.coefficients[..p].iter().map(|c| c * spread).collect();
    if let Some(first) = coefficients.first_mut() {
        // The first column is the intercept by convention; give the centre back to it.
        *first += centre;
    }
    Ok(Fit {
        noise,
        coefficients,
        observations: n,
        degrees_of_freedom: df,
        residual_sd: (residual / df as f64).sqrt(),
        fitted,
        fitted_se,
        candidates,
    })
}

impl Fit {
    /// Estimate of the coefficient of interest, averaged over the noises.
    pub fn estimate(&self) -> f64 {
        self.candidates.iter().map(|c| c.weight * c.estimate).sum()
    }

    /// Interval of the coefficient of interest with error at most about `alpha`: the central
    /// interval of the mixture of Student-t distributions that the weighted noises imply, at the
    /// [`calibrated`] level.
    pub fn interval(&self, alpha: f64) -> (f64, f64) {
        let tail = Tail::new(self.degrees_of_freedom);
        let each = 0.5 * calibrated(alpha, self.observations);
        let above = |x: f64| -> f64 {
            let mix = self.candidates.iter();
            mix.map(|c| c.weight * tail.above((x - c.estimate) / c.se))
                .sum()
        };
        let centre = self.estimate();
        let unit = self.candidates.iter().map(|c| c.weight * c.se).sum::<f64>();
        let low = crossing(centre, -unit, |x| each - (1.0 - above(x)));
        let high = crossing(centre, unit, |x| each - above(x));
        (low, high)
    }

    /// The change whose interval at `alpha` would exclude zero with probability about `power`: half
    /// the width of the interval plus the one-sided margin for the estimate's own noise.
    pub fn smallest_visible(&self, alpha: f64, power: f64) -> f64 {
        let (low, high) = self.interval(alpha);
        let se = self.candidates.first().map_or(f64::NAN, |c| c.se);
        0.5 * (high - low) + t_quantile(self.degrees_of_freedom, power) * se
    }

    /// Tests that the coefficient of interest lies inside `(-margin, margin)`: two one-sided tests against
    /// the mixture that [`Self::interval`] uses, at the [`calibrated`] level. The same as the interval at
    /// `2 alpha` lying inside the margin. See [`super::equivalence`] for one estimate and its standard error.
    ///
    /// ```
    /// use driftlead_stats::series::{Settings, fit, trend};
    /// let times: Vec<i32> = (0..60).collect();
    /// let values: Vec<f64> = times.iter().map(|t| f64::from(t * 7919 % 13)).collect();
    /// let columns = [vec![1.0; 60], trend(&times)];
    /// let fit = fit(&times, &values, &[1.0; 60], &columns, 1, &Settings::default()).unwrap();
    /// let test = fit.equivalence(6.0, 0.05)?;
    /// assert!(test.shown && test.p < 0.05 && test.smallest_margin < 6.0);
    /// assert!(!fit.equivalence(0.1, 0.05)?.shown);
    /// # Ok::<(), driftlead_stats::StatsError>(())
    /// ```
    ///
    /// # Errors
    /// A margin that is not positive, or `alpha` outside (0, 1/2).
    pub fn equivalence(&self, margin: f64, alpha: f64) -> Result<Equivalence, StatsError> {
        positive("margin", margin)?;
        level("twice alpha", 2.0 * alpha)?;
        let tail = Tail::new(self.degrees_of_freedom);
        let beyond = |sign: f64| -> f64 {
            let mix = self.candidates.iter();
            mix.map(|c| c.weight * tail.above((margin - sign * c.estimate) / c.se))
                .sum()
        };
        // `calibrated` is proportional to the level, so dividing by its factor undoes it.
        let factor = calibrated(1.0, self.observations);
        let p = (beyond(1.0).max(beyond(-1.0)) / factor).clamp(0.0, 1.0);
        let (low, high) = self.interval(2.0 * alpha);
        Ok(Equivalence {
            p,
            shown: p <= alpha,
            smallest_margin: low.abs().max(high.abs()),
        })
    }

    /// Half-width multiplier of a simultaneous band over the whole fitted course (Scheffé 1953).
    pub fn band_multiplier(&self, alpha: f64) -> f64 {
        let p = self.coefficients.len() as f64;
        FisherSnedecor::new(p, self.degrees_of_freedom as f64)
            .map_or(f64::NAN, |f| (p * f.inverse_cdf(1.0 - alpha)).sqrt())
    }

    /// Autocorrelation from one time to the next that the noise exceeds with weight 2.5 % or less.
    pub fn phi_high(&self) -> f64 {
        let mut by_phi: Vec<&Candidate> = self.candidates.iter().collect();
        by_phi.sort_by(|a, b| b.noise.phi.total_cmp(&a.noise.phi));
        let mut above = 0.0;
        for candidate in by_phi {
            above += candidate.weight;
            if above > 0.025 {
                return candidate.noise.phi;
            }
        }
        0.0
    }
}

/// The level at which the mixture's interval errs at most at about `alpha` for every φ up to 0.7: the
/// average over noises is a little too sure of itself, the more so the shorter the series. The factor
/// comes from simulation (`cargo run --release -p driftlead-stats --example interval_error` prints the table).
///
/// ```
/// use driftlead_stats::series::calibrated;
/// assert!((calibrated(0.05, 52) - 0.035).abs() < 1e-15);
/// ```
pub fn calibrated(alpha: f64, observations: usize) -> f64 {
    alpha * 0.7 * (observations as f64 / 36.0).min(1.0)
}

/// Where `gap` (negative at `from`) crosses zero going in the direction of `step`.
fn crossing(from: f64, step: f64, gap: impl Fn(f64) -> f64) -> f64 {
    let (mut near, mut far) = (from, from + 2.0 * step);
    let mut reach = 2.0 * step;
    for _ in 0..60 {
        if gap(far) >= 0.0 {
            break;
        }
        near = far;
        reach *= 2.0;
        far += reach;
    }
    for _ in 0..40 {
        let middle = 0.5 * (near + far);
        if gap(middle) >= 0.0 {
            far = middle;
        } else {
            near = middle;
        }
        if (far - near).abs() < 1e-6 * step.abs() {
            break;
        }
    }
    far
}

/// Student-t quantile at probability `p` in (0, 1); NaN for no degrees of freedom.
///
/// ```
/// use driftlead_stats::series::t_quantile;
/// assert!((t_quantile(10, 0.975) - 2.228_139).abs() < 1e-6);
/// ```
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
) -> Vec<(f64, Noise, Solved)> {
    let rows: Vec<Row<C>> = (0..times.len())
        .map(|i| {
            let mut row = [response[i]; C];
            for (slot, column) in row.iter_mut().zip(columns) {
                *slot = column[i];
            }
            row
        })
        .collect();
    let each =
        |&(noise, prior): &(Noise, f64)| Some((prior, noise, solve(noise, times, scales, &rows)?));
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
