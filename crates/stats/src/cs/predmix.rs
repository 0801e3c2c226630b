//! Predictable plug-in sequences in closed form.

use super::{Bets, Interval};
use crate::error::{Result, level, unit, within};

/// Hoeffding-type sequence: `lower = (sum lambda x - ln(2/alpha) - sum lambda^2/8) / sum lambda`.
///
/// **Assumes** values in [0, 1] with a constant conditional mean. **Guarantee**: two-sided, level
/// `alpha`, at all times. Source: Waudby-Smith & Ramdas 2024, prop. 1.
///
/// ```
/// use driftlead_stats::cs::PredMixHoeffding;
/// let mut sequence = PredMixHoeffding::new(0.05)?;
/// for t in 0..500 {
///     sequence.update(f64::from(t % 2))?;
/// }
/// assert!(sequence.interval().contains(0.5) && sequence.interval().width() < 0.3);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PredMixHoeffding {
    ln_side: f64,
    count: f64,
    sums: Sums,
}

/// Weighted sums that give both ends.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Sums {
    bets: f64,
    weighted: f64,
    low_cost: f64,
    high_cost: f64,
}

impl Sums {
    fn add(&mut self, bet: f64, x: f64, (low_cost, high_cost): (f64, f64)) {
        self.bets += bet;
        self.weighted += bet * x;
        self.low_cost += low_cost;
        self.high_cost += high_cost;
    }

    fn interval(&self, ln_side: f64) -> Interval {
        if self.bets <= 0.0 {
            return Interval::UNIT;
        }
        let below = (self.weighted - ln_side - self.low_cost) / self.bets;
        let above = (self.weighted + ln_side + self.high_cost) / self.bets;
        Interval {
            low: below.max(0.0),
            high: above.min(1.0),
        }
    }
}

impl PredMixHoeffding {
    /// An empty sequence at level `alpha`.
    ///
    /// # Errors
    /// `alpha` outside (0, 1).
    pub fn new(alpha: f64) -> Result<Self> {
        let ln_side = -(level("alpha", alpha)? / 2.0).ln();
        Ok(Self {
            ln_side,
            count: 0.0,
            sums: Sums::default(),
        })
    }

    /// Adds an observation.
    ///
    /// # Errors
    /// `x` outside [0, 1].
    pub fn update(&mut self, x: f64) -> Result<()> {
        unit("x", x)?;
        self.count += 1.0;
        let t = self.count;
        let bet = (8.0 * self.ln_side / (t * t.ln_1p())).sqrt().min(1.0);
        let cost = bet * bet / 8.0;
        self.sums.add(bet, x, (cost, cost));
        Ok(())
    }

    /// The interval now; [0, 1] before the first observation.
    #[must_use]
    pub fn interval(&self) -> Interval {
        self.sums.interval(self.ln_side)
    }
}

/// Empirical-Bernstein sequence with predictable bets: the tightest in closed form.
///
/// `lower = (sum lambda x - ln(2/alpha) - sum v psi_E(lambda)) / sum lambda`, `psi_E(l) = -ln(1-l) - l`,
/// `v_i = (x_i - mean of the earlier ones)^2`. **Assumes** values in [0, 1] with a constant conditional
/// mean. **Guarantee**: two-sided, level `alpha`, at all times. Source: Waudby-Smith & Ramdas 2024,
/// thm. 2.
///
/// ```
/// use driftlead_stats::cs::PredMixBernstein;
/// let mut sequence = PredMixBernstein::new(0.05, 0.5)?;
/// for t in 0..500 {
///     sequence.update(if t % 10 == 0 { 1.0 } else { 0.0 })?;
/// }
/// assert!(sequence.interval().contains(0.1) && sequence.interval().width() < 0.15);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PredMixBernstein {
    side: f64,
    trunc: f64,
    bets: Bets,
    count: f64,
    total: f64,
    sums: Sums,
}

impl PredMixBernstein {
    /// An empty sequence at level `alpha`, bets cut at `trunc` in (0, 1).
    ///
    /// # Errors
    /// `alpha` or `trunc` outside (0, 1).
    pub fn new(alpha: f64, trunc: f64) -> Result<Self> {
        let side = level("alpha", alpha)? / 2.0;
        within("trunc", trunc, "(0, 1)", |c| c > 0.0 && c < 1.0)?;
        let sums = Sums::default();
        Ok(Self {
            side,
            trunc,
            bets: Bets::default(),
            count: 0.0,
            total: 0.0,
            sums,
        })
    }

    /// Adds an observation.
    ///
    /// # Errors
    /// `x` outside [0, 1].
    pub fn update(&mut self, x: f64) -> Result<()> {
        let bet = self.bets.empirical_bernstein(self.side).min(self.trunc);
        self.bets.update(x)?;
        let mean = self.total / self.count;
        // Before the first observation each end predicts the value that favours it least.
        let (low, high) = if self.count > 0.0 {
            (mean, mean)
        } else {
            (0.0, 1.0)
        };
        let psi = -(-bet).ln_1p() - bet;
        self.sums
            .add(bet, x, ((x - low).powi(2) * psi, (x - high).powi(2) * psi));
        self.count += 1.0;
        self.total += x;
        Ok(())
    }

    /// The interval now; [0, 1] before the first observation.
    #[must_use]
    pub fn interval(&self) -> Interval {
        self.sums.interval(-self.side.ln())
    }
}
