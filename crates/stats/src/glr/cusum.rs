//! Page's CUSUM and the per-observation threshold, solved exactly for Gaussian observations.

use crate::error::{Result, StatsError, finite, positive, within};
use crate::special::{
    find_root, gauss_legendre, normal_cdf, normal_pdf, normal_quantile, normal_sf, solve_dense,
};

/// Average run length of Page's one-sided CUSUM `S = max(0, S + x - k)`, alarm when `S > h`, started at
/// 0, for `x ~ N(mean, 1)`.
///
/// The integral equation `L(s) = 1 + F(k-s) L(0) + int_0^h f(k+y-s) L(y) dy` (Page 1954) is solved by
/// the Nyström method on 120 Gauss-Legendre nodes (200 when `h > 20`) plus the atom at 0. Relative
/// error below 1e-8 for run lengths up to 1e5.
///
/// **Assumes** independent observations. **Guarantee**: exact up to the error stated.
///
/// ```
/// use driftlead_stats::glr::cusum_arl;
/// // Montgomery: two-sided, k = 1/2, h = 4 has run length 168, so one side has twice that.
/// assert!((cusum_arl(0.5, 4.0, 0.0)? / 2.0 - 167.684).abs() < 1e-3);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// `h` not positive, `k` or `mean` not finite, or a run length beyond what `f64` resolves.
pub fn cusum_arl(k: f64, h: f64, mean: f64) -> Result<f64> {
    finite("k", k)?;
    finite("mean", mean)?;
    positive("h", h)?;
    let k = k - mean;
    let rule: Vec<(f64, f64)> = gauss_legendre(if h > 20.0 { 200 } else { 120 })
        .on(0.0, h)
        .collect();
    let size = rule.len() + 1;
    // Row 0 and column 0 belong to the atom at zero.
    let states: Vec<f64> = core::iter::once(0.0)
        .chain(rule.iter().map(|r| r.0))
        .collect();
    let mut matrix = Vec::with_capacity(size * size);
    for (i, s) in states.iter().enumerate() {
        let identity = |j: usize| if i == j { 1.0 } else { 0.0 };
        matrix.push(identity(0) - normal_cdf(k - s));
        for (j, (y, weight)) in rule.iter().enumerate() {
            matrix.push(identity(j + 1) - weight * normal_pdf(k + y - s));
        }
    }
    let mut lengths = vec![1.0; size];
    solve_dense(&mut matrix, &mut lengths)?;
    match lengths.first() {
        Some(&length) if length.is_finite() && length >= 1.0 => Ok(length),
        _ => Err(StatsError::NoConvergence {
            what: "the run length of a CUSUM",
        }),
    }
}

/// Run length of a pair of one-sided CUSUMs, `1/L = 1/L_up + 1/L_down`.
///
/// **Assumes** what [`cusum_arl`] does. **Guarantee**: exact, because one side is at 0 when
/// the other alarms. Source: Kemp 1961, JRSS B 23:149.
///
/// ```
/// use driftlead_stats::glr::two_sided_arl;
/// assert!((two_sided_arl(0.5, 4.0, 0.0)? - 167.684).abs() < 1e-3);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// As [`cusum_arl`].
pub fn two_sided_arl(k: f64, h: f64, mean: f64) -> Result<f64> {
    Ok(1.0 / (1.0 / cusum_arl(k, h, mean)? + 1.0 / cusum_arl(k, h, -mean)?))
}

/// Threshold `h` at which the CUSUM with reference value `k` has null run length `arl`.
///
/// **Assumes** what [`cusum_arl`] does, whose root it is. **Guarantee**: exact up to its error.
///
/// ```
/// use driftlead_stats::glr::{cusum_arl, cusum_threshold};
/// let h = cusum_threshold(0.25, 1e4)?;
/// assert!((cusum_arl(0.25, h, 0.0)? - 1e4).abs() < 0.1);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// `arl` not in (2, 1e9), `k` not positive, or no solution.
pub fn cusum_threshold(k: f64, arl: f64) -> Result<f64> {
    positive("k", k)?;
    within("arl", arl, "(2, 1e9)", |a| a > 2.0 && a < 1e9)?;
    let gap = |h: f64| cusum_arl(k, h, 0.0).map_or(f64::INFINITY, |l| l.ln() - arl.ln());
    let mut high = 1.0;
    while gap(high) < 0.0 {
        high *= 2.0;
    }
    find_root(1e-9, high, |h| gap(h).clamp(-1e3, 1e3))
}

/// Delay of the optimal CUSUM for a shift of `delta` standard deviations at null run length `arl`:
/// `k = delta/2`, run length from 0 under the shift, which is Lorden's worst case.
///
/// **Assumes** independent normal observations with variance 1. **Guarantee**: no detector with this run
/// length has a smaller worst-case delay for a shift of exactly `delta` (Moustakides 1986).
///
/// ```
/// use driftlead_stats::glr::cusum_delay;
/// assert!((cusum_delay(0.5, 1e4)? - 49.13).abs() < 0.01);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// `delta` not positive, or as [`cusum_threshold`].
pub fn cusum_delay(delta: f64, arl: f64) -> Result<f64> {
    positive("delta", delta)?;
    let h = cusum_threshold(delta / 2.0, arl)?;
    cusum_arl(delta / 2.0, h, delta)
}

/// Threshold of a test of every single observation with null run length `arl`: `Phi^-1(1 - 1/arl)`.
///
/// **Assumes** independent normal observations with variance 1. **Guarantee**: exact. Source: Shewhart
/// 1931; a geometric waiting time.
///
/// ```
/// use driftlead_stats::glr::shewhart_threshold;
/// assert!((shewhart_threshold(1e4)? - 3.719).abs() < 1e-3);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// `arl` not above 1.
pub fn shewhart_threshold(arl: f64) -> Result<f64> {
    within("arl", arl, "(1, inf)", |a| a > 1.0)?;
    Ok(-normal_quantile(1.0 / arl))
}

/// Delay of that test for a shift of `delta` standard deviations: `1 / (1 - Phi(c - delta))`.
///
/// **Assumes** independent normal observations with variance 1. **Guarantee**: exact. Source: as
/// [`shewhart_threshold`].
///
/// ```
/// use driftlead_stats::glr::{cusum_delay, shewhart_delay};
/// // A shift of half a standard deviation: looking at single observations takes 32 times as long.
/// assert!((shewhart_delay(0.5, 1e4)? / cusum_delay(0.5, 1e4)? - 31.6).abs() < 0.1);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// As [`shewhart_threshold`], or `delta` not finite.
pub fn shewhart_delay(delta: f64, arl: f64) -> Result<f64> {
    finite("delta", delta)?;
    Ok(1.0 / normal_sf(shewhart_threshold(arl)? - delta))
}

/// Asymptotic delay for a ramp of `slope` standard deviations per observation:
/// `(6 ln(arl) / slope^2)^(1/3)`. Measured delays of slow ramps lie *below* it.
///
/// **Assumes** independent normal observations with variance 1. **Guarantee**: none at a finite run
/// length. Source: the mean of a CUSUM that knows the ramp, `sum (s i)^2 / 2 = ln(arl)`, solved for the
/// number of observations.
///
/// ```
/// use driftlead_stats::glr::ramp_delay;
/// // Half a standard deviation over 180 conversations.
/// assert!((ramp_delay(0.5 / 180.0, 1e4)? - 193.0).abs() < 0.5);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// `slope` not positive or `arl` not above 1.
pub fn ramp_delay(slope: f64, arl: f64) -> Result<f64> {
    positive("slope", slope)?;
    within("arl", arl, "(1, inf)", |a| a > 1.0)?;
    Ok((6.0 * arl.ln() / (slope * slope)).cbrt())
}
