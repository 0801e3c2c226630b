//! Confidence sequences by betting against every mean on a grid.

use super::capital::{Combination, Population, Stakes, accumulate};
use super::{Bets, Interval};
use crate::error::{Result, level, positive, unit};
use crate::special::log_add_exp;

/// All candidate means against which the gambler is not yet rich.
///
/// **Assumes** values in [0, 1] with a constant conditional mean (or a finite population in random
/// order). **Guarantee**: with probability `1 - alpha` the interval holds the mean at all times. Points
/// `i / steps` with capital at most `1/alpha` are kept, both ends are widened by one step, and the
/// intervals are intersected over time. Source: Waudby-Smith & Ramdas 2024.
///
/// ```
/// use driftlead_stats::cs::BettingSequence;
/// let mut sequence = BettingSequence::hedged(0.05, 1000)?;
/// for t in 0..300 {
///     sequence.update(if t % 10 < 3 { 1.0 } else { 0.0 })?;
/// }
/// let interval = sequence.interval();
/// assert!(interval.contains(0.3) && interval.width() < 0.25);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct BettingSequence {
    steps: usize,
    ln_limit: f64,
    bets: Bets,
    gambler: Gambler,
    /// Logarithms of the capitals; per grid point `width` upward ones, then `width` downward ones.
    capitals: Vec<f64>,
    width: usize,
    population: Option<Population>,
    interval: Interval,
}

#[derive(Debug, Clone)]
enum Gambler {
    Hedged(Stakes),
    Diversified,
}

impl BettingSequence {
    /// Hedged capital: empirical-Bernstein bets upward and downward, half of the capital each, at most
    /// half of it at risk. 1,000 steps are the default of this project.
    ///
    /// # Errors
    /// `alpha` outside (0, 1), or no steps.
    pub fn hedged(alpha: f64, steps: usize) -> Result<Self> {
        let stakes = Stakes {
            alpha,
            theta: 0.5,
            trunc: 0.5,
            combination: Combination::Max,
        };
        Self::new(alpha, steps, Gambler::Hedged(stakes), 1, None)
    }

    /// Diversified Kelly: `bets` constant fractions `i/(bets+1)` of the largest bet on each side.
    ///
    /// The bets do not look at the data, so every point of the grid costs `2 bets` products per
    /// observation. Source: Waudby-Smith & Ramdas 2024 (diversified Kelly).
    ///
    /// ```
    /// use driftlead_stats::cs::BettingSequence;
    /// let mut sequence = BettingSequence::diversified(0.05, 200, 10)?;
    /// for t in 0..300 {
    ///     sequence.update(if t % 10 < 3 { 1.0 } else { 0.0 })?;
    /// }
    /// assert!(sequence.interval().contains(0.3));
    /// # Ok::<(), driftlead_stats::StatsError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Self::hedged`], or no bets.
    pub fn diversified(alpha: f64, steps: usize, bets: usize) -> Result<Self> {
        positive("bets", bets as f64)?;
        Self::new(alpha, steps, Gambler::Diversified, bets, None)
    }

    /// Hedged capital for the mean of `size` members drawn in random order without replacement.
    ///
    /// **Assumes** an order drawn at random, values fixed beforehand. Source: Waudby-Smith & Ramdas 2020,
    /// "Confidence sequences for sampling without replacement".
    ///
    /// ```
    /// use driftlead_stats::cs::BettingSequence;
    /// let mut sequence = BettingSequence::without_replacement(0.05, 1000, 100)?;
    /// for t in 0..100 {
    ///     sequence.update(if t % 10 < 3 { 1.0 } else { 0.0 })?;
    /// }
    /// // Everybody was asked: nothing is left to be unsure of but the grid.
    /// assert!(sequence.interval().contains(0.3) && sequence.interval().width() < 0.01);
    /// # Ok::<(), driftlead_stats::StatsError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Self::hedged`], or an empty population.
    pub fn without_replacement(alpha: f64, steps: usize, size: usize) -> Result<Self> {
        let stakes = Stakes {
            alpha,
            theta: 0.5,
            trunc: 0.5,
            combination: Combination::Max,
        };
        Self::new(
            alpha,
            steps,
            Gambler::Hedged(stakes),
            1,
            Some(Population::new(size)?),
        )
    }

    fn new(
        alpha: f64,
        steps: usize,
        gambler: Gambler,
        width: usize,
        population: Option<Population>,
    ) -> Result<Self> {
        level("alpha", alpha)?;
        positive("steps", steps as f64)?;
        Ok(Self {
            steps,
            ln_limit: -alpha.ln(),
            bets: Bets::default(),
            gambler,
            capitals: vec![0.0; (steps + 1) * 2 * width],
            width,
            population,
            interval: Interval::UNIT,
        })
    }

    /// Adds an observation and returns the interval.
    ///
    /// # Errors
    /// `x` outside [0, 1], or more observations than the population has members.
    pub fn update(&mut self, x: f64) -> Result<Interval> {
        unit("x", x)?;
        if let Some(population) = &self.population {
            population.check_room()?;
        }
        let (mut first, mut last) = (None, None);
        for (i, row) in self.capitals.chunks_exact_mut(2 * self.width).enumerate() {
            let m = i as f64 / self.steps as f64;
            let target = self.population.map_or(m, |p| p.rest(m));
            let ln_capital = self.gambler.play(row, &self.bets, x, target);
            if ln_capital <= self.ln_limit {
                first = first.or(Some(m));
                last = Some(m);
            }
        }
        self.bets.update(x)?;
        let step = 1.0 / self.steps as f64;
        let mut now = match (first, last) {
            (Some(low), Some(high)) => Interval {
                low: (low - step).max(0.0),
                high: (high + step).min(1.0),
            },
            _ => Interval::UNIT,
        };
        if let Some(p) = &mut self.population {
            p.draw(x);
            now = now.intersect(p.logical());
        }
        self.interval = self.interval.intersect(now);
        Ok(self.interval)
    }

    /// The interval now.
    #[must_use]
    pub fn interval(&self) -> Interval {
        self.interval
    }
}

impl Gambler {
    /// Plays one observation against one mean; logarithm of the joint capital.
    fn play(&self, row: &mut [f64], bets: &Bets, x: f64, m: f64) -> f64 {
        match (self, row) {
            (Self::Hedged(stakes), [up, down]) => {
                stakes.play(stakes.bets(bets), x, m, up, down);
                stakes.combine(*up, *down)
            }
            (_, row) => diversify(row, x, m),
        }
    }
}

fn diversify(row: &mut [f64], x: f64, m: f64) -> f64 {
    let count = row.len() / 2;
    let mut total = f64::NEG_INFINITY;
    for (k, capital) in row.iter_mut().enumerate() {
        let fraction = (k % count + 1) as f64 / (count + 1) as f64;
        let bet = if k < count {
            fraction / m
        } else {
            -fraction / (1.0 - m)
        };
        let factor = if x == m { 0.0 } else { (bet * (x - m)).ln_1p() };
        accumulate(capital, factor);
        total = log_add_exp(total, *capital);
    }
    total - (2.0 * count as f64).ln()
}
