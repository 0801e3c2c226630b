//! The noise of one person's series: a stationary AR(1) part plus independent sampling noise whose
//! variance may differ from point to point.
//!
//! `y(t) = x(t)'β + u(t) + e(t)`, where `u` is AR(1) with coefficient φ per unit of time and variance
//! `σ²η`, and `e` is independent with variance `σ²(1−η)·s(t)`. Whitening runs the Kalman filter of this
//! model over the observations and over every regressor at once (Harvey 1989, *Forecasting,
//! Structural Time Series Models and the Kalman Filter*, §3.4), so gaps cost nothing and no matrix is
//! ever inverted.

/// Largest number of regressors a fit accepts.
pub const MAX_COLUMNS: usize = 4;

/// One observation: its regressors, then the response. `C` is their number plus one.
pub(super) type Row<const C: usize> = [f64; C];

/// Parameters of the noise other than its scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    /// AR(1) coefficient per unit of time, in `[0, 1)`.
    pub phi: f64,
    /// Share η of the variance in the AR(1) part, in `[0, 1]`.
    pub persistent_share: f64,
}

/// Whitens `rows` (each observation's regressors and response): calls `emit` with each standardised
/// innovation row. Returns `Σ log F`, the log-determinant of the noise covariance divided by σ².
pub(super) fn whiten<const C: usize>(
    noise: Noise,
    times: &[i32],
    scales: &[f64],
    rows: &[Row<C>],
    mut emit: impl FnMut(&Row<C>),
) -> f64 {
    let Noise {
        phi,
        persistent_share: eta,
    } = noise;
    let mut state: Row<C> = [0.0; C];
    let mut variance = eta;
    let mut previous = None;
    let (mut log_det, mut product) = (0.0, 1.0f64);
    for ((&time, &scale), row) in times.iter().zip(scales).zip(rows) {
        if let Some(before) = previous {
            let carry = if time - before == 1 {
                phi
            } else {
                phi.powi(time - before)
            };
            for value in &mut state {
                *value *= carry;
            }
            variance = carry * carry * variance + eta * (1.0 - carry * carry);
        }
        previous = Some(time);
        let total = variance + (1.0 - eta) * scale;
        let gain = variance / total;
        let norm = total.sqrt().recip();
        let mut white: Row<C> = [0.0; C];
        for ((out, value), &x) in white.iter_mut().zip(&mut state).zip(row) {
            let innovation = x - *value;
            *out = innovation * norm;
            *value += gain * innovation;
        }
        variance *= 1.0 - gain;
        // One logarithm for many factors; taken before the product can leave the range of a float.
        product *= total;
        if !(1e-200..1e200).contains(&product) {
            log_det += product.ln();
            product = 1.0;
        }
        emit(&white);
    }
    log_det + product.ln()
}
