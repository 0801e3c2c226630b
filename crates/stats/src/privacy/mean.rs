//! A mean with Laplace noise.

use super::Ledger;
use crate::error::{Result, StatsError, finite, non_negative, positive, within};
use opendp::domains::{AtomDomain, VectorDomain};
use opendp::measurements::make_laplace;
use opendp::measures::MaxDivergence;
use opendp::metrics::{AbsoluteDistance, SymmetricDistance};
use opendp::transformations::make_mean;

/// Fewest people a mean is released for.
pub const MIN_PEOPLE: usize = 100;

/// One person exchanged for another: one record removed, one added.
const ONE_PERSON: u32 = 2;

/// The range that every person's number is clipped to. Fix it before looking at the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clip {
    low: f64,
    high: f64,
}

impl Clip {
    /// The range `[low, high]`.
    ///
    /// # Errors
    /// Ends that are not finite or not in order.
    pub fn new(low: f64, high: f64) -> Result<Self> {
        finite("low", low)?;
        within("high", high, "above low", |h| h > low)?;
        finite("width", high - low)?;
        Ok(Self { low, high })
    }

    /// Upper end minus lower end.
    #[must_use]
    pub fn width(&self) -> f64 {
        self.high - self.low
    }
}

/// A released mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PrivateMean {
    /// Mean of the clipped numbers plus noise.
    pub value: f64,
    /// Epsilon paid.
    pub epsilon: f64,
    /// Scale of the Laplace noise; its standard deviation is `sqrt(2)` times that.
    pub noise_scale: f64,
    /// Number of people, treated as public.
    pub people: usize,
}

fn refused<E>(_: E) -> StatsError {
    StatsError::Undefined {
        what: "a private mean",
        because: "the noise mechanism refused its parameters",
    }
}

/// Releases the mean of one number per person and pays for it from `ledger`.
///
/// **Assumes** that each person contributed exactly one number. **Guarantee**: exchanging any one person's
/// number changes the probability of any output by a factor of at most `exp(epsilon)`; the number of
/// people is not protected. Laplace mechanism of Dwork, McSherry, Nissim, Smith 2006, scale
/// `width / (people * epsilon)`. Clipping biases the mean where numbers lie outside of the range.
///
/// The ledger is charged before noise is drawn.
///
/// ```
/// use driftlead_stats::privacy::{Clip, Ledger, private_mean};
/// let drift: Vec<f64> = (0..1000).map(|i| f64::from(i % 5) / 10.0).collect();
/// let mut ledger = Ledger::new(1.0)?;
/// let mean = private_mean("drift", &drift, Clip::new(-3.0, 3.0)?, 1.0, &mut ledger)?;
/// assert!((mean.noise_scale - 0.006).abs() < 1e-9 && (mean.value - 0.2).abs() < 0.3);
/// assert!(private_mean("again", &drift, Clip::new(-3.0, 3.0)?, 1.0, &mut ledger).is_err());
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// Fewer than [`MIN_PEOPLE`] people, a number that is not finite, an epsilon that is not positive or more
/// than the ledger has left. Nothing is released or spent then.
pub fn private_mean(
    what: &str,
    numbers: &[f64],
    clip: Clip,
    epsilon: f64,
    ledger: &mut Ledger,
) -> Result<PrivateMean> {
    within("people", numbers.len() as f64, "at least 100", |n| {
        n >= MIN_PEOPLE as f64
    })?;
    positive("epsilon", epsilon)?;
    numbers
        .iter()
        .try_for_each(|&v| finite("number", v).map(|_| ()))?;
    let clipped: Vec<f64> = numbers
        .iter()
        .map(|v| v.clamp(clip.low, clip.high))
        .collect();
    let bounds = AtomDomain::new_closed((clip.low, clip.high)).map_err(refused)?;
    let domain = VectorDomain::new(bounds).with_size(numbers.len());
    let mean = make_mean(domain, SymmetricDistance).map_err(refused)?;
    // The sensitivity includes what rounding of the sum can add; the scale is rounded up.
    let sensitivity: f64 = mean.map(&ONE_PERSON).map_err(refused)?;
    let noise_scale = sensitivity / epsilon * (1.0 + 1e-12);
    let noise = make_laplace::<_, _, MaxDivergence>(
        AtomDomain::<f64>::new_non_nan(),
        AbsoluteDistance::<f64>::default(),
        noise_scale,
        None,
    )
    .map_err(refused)?;
    let release = (mean >> noise).map_err(refused)?;
    let cost: f64 = release.map(&ONE_PERSON).map_err(refused)?;
    within(
        "epsilon of the mechanism",
        cost,
        "at most the epsilon asked for",
        |c| c <= epsilon,
    )?;
    ledger.spend(what, epsilon)?;
    Ok(PrivateMean {
        value: release.invoke(&clipped).map_err(refused)?,
        epsilon,
        noise_scale,
        people: numbers.len(),
    })
}

/// What privacy costs a mean in precision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Standard error without noise.
    pub sampling_se: f64,
    /// Standard deviation of the noise.
    pub noise_sd: f64,
    /// Standard error of the released mean.
    pub total_se: f64,
    /// How much wider intervals become: `total / sampling - 1`.
    pub widening: f64,
    /// Smallest true mean seen with probability 80 % at the two-sided 5 % level: 2.8 standard errors.
    pub smallest_visible: f64,
}

impl Cost {
    /// Cost for a mean over `people` whose numbers have standard deviation `sd`.
    ///
    /// **Assumes** independent people; the noise is that of [`private_mean`]. **Guarantee**: exact
    /// standard errors.
    ///
    /// ```
    /// use driftlead_stats::privacy::{Clip, Cost};
    /// let cost = Cost::of_mean(Clip::new(-3.0, 3.0)?, 100, 1.0, 0.919)?;
    /// assert!((cost.widening - 0.36).abs() < 0.01);
    /// # Ok::<(), driftlead_stats::StatsError>(())
    /// ```
    ///
    /// # Errors
    /// No person, an epsilon that is not positive, a negative `sd`.
    pub fn of_mean(clip: Clip, people: usize, epsilon: f64, sd: f64) -> Result<Self> {
        let n = positive("people", people as f64)?;
        positive("epsilon", epsilon)?;
        let sampling_se = non_negative("sd", sd)? / n.sqrt();
        let noise_sd = core::f64::consts::SQRT_2 * clip.width() / (n * epsilon);
        let total_se = sampling_se.hypot(noise_sd);
        Ok(Self {
            sampling_se,
            noise_sd,
            total_se,
            widening: total_se / sampling_se - 1.0,
            smallest_visible: 2.8 * total_se,
        })
    }
}
