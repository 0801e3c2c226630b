//! Between p-values and e-values.

use crate::error::{Result, StatsError, level, unit, within};

/// `kappa p^(kappa - 1)`, an e-value from a p-value (Vovk & Wang 2021, eq. 1).
///
/// **Assumes** a valid p-value. **Guarantee**: an e-value (mean at most 1 when the hypothesis holds).
///
/// ```
/// use driftlead_stats::eprocess::calibrate_power;
/// assert_eq!(calibrate_power(0.01, 0.5)?, 5.0);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// `p` outside [0, 1] or `kappa` outside (0, 1).
pub fn calibrate_power(p: f64, kappa: f64) -> Result<f64> {
    unit("p", p)?;
    level("kappa", kappa)?;
    Ok(kappa * p.powf(kappa - 1.0))
}

/// `(1 - p + p ln p) / (p ln^2 p)`, the power calibrators averaged over kappa (Vovk & Wang 2021);
/// 1/2 at `p = 1`.
///
/// **Assumes** a valid p-value. **Guarantee**: an e-value (mean at most 1 when the hypothesis holds).
///
/// ```
/// use driftlead_stats::eprocess::calibrate_integrated;
/// assert!((calibrate_integrated(0.01)? - 4.45).abs() < 0.01);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// `p` outside [0, 1].
pub fn calibrate_integrated(p: f64) -> Result<f64> {
    unit("p", p)?;
    if p == 0.0 {
        return Ok(f64::INFINITY);
    }
    let l = p.ln();
    if l.abs() < 1e-3 {
        // The quotient is 0/0 at p = 1: with p = e^l it is (e^-l - 1 + l)/l^2.
        return Ok(0.5 - l / 6.0 + l * l / 24.0 - l.powi(3) / 120.0);
    }
    Ok((1.0 - p + p * l) / (p * l * l))
}

/// `min(1, 1/e)`, the only admissible p-value from an e-value.
///
/// **Assumes** an e-value. **Guarantee**: a p-value, by Markov's inequality. Source: Vovk & Wang 2021,
/// prop. 2.2.
///
/// ```
/// use driftlead_stats::eprocess::p_from_e;
/// assert_eq!((p_from_e(20.0)?, p_from_e(0.5)?), (0.05, 1.0));
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// `e` negative or NaN.
pub fn p_from_e(e: f64) -> Result<f64> {
    check(&[e])?;
    Ok((1.0 / e).min(1.0))
}

/// E-value from the running maximum of an e-process: `(m - 1 - ln m)/ln^2 m` for `m > 1`, else 0
/// (Dawid, de Rooij, Shafer, Shen, Vereshchagin, Vovk 2011).
///
/// The maximum itself is not an e-value: this is the price of "was ever large".
///
/// **Assumes** an e-process. **Guarantee**: its running maximum, passed through this, is an e-value at
/// all times.
///
/// ```
/// use driftlead_stats::eprocess::adjust_running_max;
/// assert!((adjust_running_max(100.0)? - 4.450_992).abs() < 1e-6);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// `max` negative or NaN.
pub fn adjust_running_max(max: f64) -> Result<f64> {
    check(&[max])?;
    if max <= 1.0 {
        return Ok(0.0);
    }
    let l = max.ln();
    if l < 1e-3 {
        return Ok(0.5 + l / 6.0 + l * l / 24.0);
    }
    if max.is_infinite() {
        return Ok(f64::INFINITY);
    }
    Ok((max - 1.0 - l) / (l * l))
}

/// Arithmetic mean: an e-value under any dependence.
///
/// **Assumes** e-values, in any dependence. **Guarantee**: an e-value; essentially dominates every other
/// symmetric rule (Vovk & Wang 2021, prop. 3.1).
///
/// ```
/// use driftlead_stats::eprocess::merge_mean;
/// assert_eq!(merge_mean(&[30.0, 0.5, 0.1])?, 10.2);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// An empty list, or a negative or NaN e-value.
pub fn merge_mean(e: &[f64]) -> Result<f64> {
    check(e)?;
    if e.is_empty() {
        return Err(StatsError::Empty { name: "e" });
    }
    Ok(e.iter().map(|v| v / e.len() as f64).sum())
}

/// Product: an e-value only when each one is valid given the previous ones (independence suffices).
/// 0 as soon as one of them is 0.
///
/// **Assumes** what it says; markers that move together break it. **Guarantee**: an e-value then (Vovk &
/// Wang 2021, section 4).
///
/// ```
/// use driftlead_stats::eprocess::merge_product;
/// assert!((merge_product(&[4.0, 5.0])? - 20.0).abs() < 1e-12);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// A negative or NaN e-value.
pub fn merge_product(e: &[f64]) -> Result<f64> {
    check(e)?;
    if e.contains(&0.0) {
        return Ok(0.0);
    }
    Ok(e.iter().map(|v| v.ln()).sum::<f64>().exp())
}

fn check(e: &[f64]) -> Result<()> {
    e.iter().try_for_each(|&v| {
        if v == f64::INFINITY {
            Ok(())
        } else {
            within("e", v, "[0, inf]", |v| v >= 0.0).map(|_| ())
        }
    })
}
