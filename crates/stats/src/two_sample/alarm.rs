//! Change of a system as it is watched day by day, with a guaranteed average run length.

use crate::edetector::Alarmed;
use crate::error::{Result, finite, within};
use crate::rng::Stream;
use crate::special::{LogSum, log_add_exp};

/// Purpose of the random stream.
const TIES: u16 = 44;

/// Exponents of the bets `kappa p^(kappa - 1)`, with equal weight: from "somewhat larger than before" to
/// "larger than all before".
const BETS: [f64; 5] = [0.1, 0.2, 0.35, 0.55, 0.8];

/// Alarms when distances from a reference become larger than they were: conformal Shiryaev-Roberts.
///
/// Feed one number per day that grows when the system moves away from a reference (a kernel statistic
/// against reference answers, a share of mismatches, a mean log-probability shift). Each is ranked among
/// those since the last restart; the rank is a p-value that is uniform and independent of the past as long
/// as days are exchangeable, and every bet against it has mean 1.
///
/// **Assumes** exchangeable days before the change; any distribution, no reference noise model. **Guarantee**: at
/// least `gamma` days between false alarms on average. The value can grow only once there are days to be
/// compared with: at least 20 quiet ones are needed in practice. Source: Vovk and others 2021 ("Retrain or
/// not retrain"), section 5; e-detector recursion of Shin, Ramdas, Rinaldo 2024.
///
/// ```
/// use driftlead_stats::two_sample::ChangeAlarm;
/// let mut alarm = ChangeAlarm::new(100.0, 1)?;
/// let mut found = None;
/// for day in 0..90 {
///     let wobble = f64::from(day * 37 % 11) / 100.0;
///     let distance = if day < 60 { wobble } else { 0.5 + wobble };
///     found = found.or(alarm.update(distance)?.map(|_| day));
/// }
/// assert!(found.is_some_and(|day| (60..75).contains(&day)));
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ChangeAlarm {
    ln_gamma: f64,
    luck: Stream,
    /// Distances since the restart, sorted.
    seen: Vec<f64>,
    ln_values: [f64; BETS.len()],
    ln_value: f64,
}

impl ChangeAlarm {
    /// A monitor with average run length at least `gamma` days. `seed` breaks ties at random.
    ///
    /// # Errors
    /// `gamma` not above 1.
    pub fn new(gamma: f64, seed: u64) -> Result<Self> {
        Ok(Self {
            ln_gamma: within("gamma", gamma, "(1, inf)", |g| g > 1.0)?.ln(),
            luck: Stream::new(seed, 0, 0, TIES),
            seen: Vec::new(),
            ln_values: [f64::NEG_INFINITY; BETS.len()],
            ln_value: f64::NEG_INFINITY,
        })
    }

    /// Adds the distance of one day; on an alarm the days before it are forgotten.
    ///
    /// # Errors
    /// A distance that is not finite; the state is then unchanged.
    pub fn update(&mut self, distance: f64) -> Result<Option<Alarmed>> {
        finite("distance", distance)?;
        let from = self.seen.partition_point(|d| *d < distance);
        let to = self.seen.partition_point(|d| *d <= distance);
        let larger = (self.seen.len() - to) as f64;
        let equal = (to - from) as f64 + 1.0;
        let p = (larger + self.luck.uniform() * equal) / (self.seen.len() as f64 + 1.0);
        self.seen.insert(to, distance);
        let mut total = LogSum::default();
        for (value, kappa) in self.ln_values.iter_mut().zip(BETS) {
            let bet = kappa.ln() + (kappa - 1.0) * p.ln();
            *value = log_add_exp(0.0, *value) + bet;
            total.add(*value - (BETS.len() as f64).ln());
        }
        self.ln_value = total.value();
        if self.ln_value < self.ln_gamma {
            return Ok(None);
        }
        let alarm = Alarmed {
            after: self.seen.len() as u64,
            ln_value: self.ln_value,
        };
        self.seen.clear();
        self.ln_values = [f64::NEG_INFINITY; BETS.len()];
        self.ln_value = f64::NEG_INFINITY;
        Ok(Some(alarm))
    }

    /// Logarithm of the detector now.
    #[must_use]
    pub fn ln_value(&self) -> f64 {
        self.ln_value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn average_run_length_is_kept_for_scores_full_of_ties() {
        let gamma = 100.0;
        let runs = 300;
        let mut total = 0.0;
        for run in 0..runs {
            let mut alarm = ChangeAlarm::new(gamma, run).unwrap();
            let mut luck = Stream::new(5, run, 0, 0);
            let mut days = 0u64;
            while days < 3000 {
                days += 1;
                if alarm.update(f64::from(luck.below(4))).unwrap().is_some() {
                    break;
                }
            }
            // Runs are cut at 3,000 days, which can only lower the mean.
            total += days as f64;
        }
        assert!(total / runs as f64 >= gamma, "{}", total / runs as f64);
    }

    #[test]
    fn refusals() {
        let mut alarm = ChangeAlarm::new(10.0, 0).unwrap();
        assert!(alarm.update(f64::NAN).is_err() && ChangeAlarm::new(1.0, 0).is_err());
        assert_eq!(alarm.ln_value(), f64::NEG_INFINITY);
        assert!(alarm.update(0.0).is_ok());
    }
}
