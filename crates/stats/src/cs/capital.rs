//! Capital of a gambler who bets against one candidate mean.

use super::{Bets, Interval};
use crate::error::{Result, StatsError, level, positive, unit};
use crate::special::log_add_exp;

/// How the capital of betting upward and downward is joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Combination {
    /// `max(theta K+, (1 - theta) K-)`.
    Max,
    /// `theta K+ + (1 - theta) K-`: a martingale itself.
    Sum,
}

/// Two gamblers against the hypothesis "the mean is `m`": one bets on more, one on less.
///
/// `K+ = prod(1 + lambda+ (x - m))`, `K- = prod(1 - lambda- (x - m))`, bets cut at `trunc/m` and
/// `trunc/(1-m)`. **Assumes** values in [0, 1] with conditional mean `m`. **Guarantee**: the capital
/// reaches `1/alpha` with probability at most `alpha`. Source: Waudby-Smith & Ramdas 2024, eq. 22-24.
///
/// ```
/// use driftlead_stats::cs::{BettingMartingale, Combination};
/// let mut capital = BettingMartingale::new(0.2, 0.05, 0.5, 0.5, Combination::Max)?;
/// for _ in 0..20 {
///     capital.update(0.8)?;
/// }
/// assert!(capital.ln_value() > 20f64.ln());
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BettingMartingale {
    m: f64,
    stakes: Stakes,
    bets: Bets,
    up: f64,
    down: f64,
    population: Option<Population>,
}

/// A finite population of which some members have been seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Population {
    size: f64,
    seen: f64,
    sum: f64,
}

impl Population {
    pub(super) fn new(size: usize) -> Result<Self> {
        Ok(Self {
            size: positive("size", size as f64)?,
            seen: 0.0,
            sum: 0.0,
        })
    }

    /// Mean of the members not yet seen if the mean of all is `m`.
    pub(super) fn rest(&self, m: f64) -> f64 {
        (self.size * m - self.sum) / (self.size - self.seen)
    }

    /// Takes one member out.
    pub(super) fn draw(&mut self, x: f64) {
        self.seen += 1.0;
        self.sum += x;
    }

    /// An error when everybody has been seen.
    pub(super) fn check_room(&self) -> Result<()> {
        if self.seen < self.size {
            return Ok(());
        }
        let (limit, got) = (self.size as usize, self.seen as usize + 1);
        Err(StatsError::BeyondHorizon {
            what: "population",
            limit,
            got,
        })
    }

    /// What the members seen so far allow whatever the others are.
    pub(super) fn logical(&self) -> Interval {
        let low = self.sum / self.size;
        Interval {
            low,
            high: low + (self.size - self.seen) / self.size,
        }
    }
}

/// Shares and sizes of the bets, the same for every candidate mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stakes {
    pub(super) alpha: f64,
    pub(super) theta: f64,
    pub(super) trunc: f64,
    pub(super) combination: Combination,
}

impl Stakes {
    /// Bets of the two gamblers, before they are cut.
    pub(super) fn bets(&self, bets: &Bets) -> (f64, f64) {
        let bet = |share: f64| bets.empirical_bernstein(self.alpha * share);
        (bet(self.theta), bet(1.0 - self.theta))
    }

    /// Logarithm of the joint capital.
    pub(super) fn combine(&self, up: f64, down: f64) -> f64 {
        // A capital without a share counts as nothing, even when it is infinite.
        let share = |s: f64, ln: f64| {
            if s > 0.0 {
                s.ln() + ln
            } else {
                f64::NEG_INFINITY
            }
        };
        let (up, down) = (share(self.theta, up), share(1.0 - self.theta, down));
        match self.combination {
            Combination::Max => up.max(down),
            Combination::Sum => log_add_exp(up, down),
        }
    }

    /// Plays observation `x` against mean `m`. A mean outside [0, 1] makes both gamblers rich.
    pub(super) fn play(
        &self,
        (up, down): (f64, f64),
        x: f64,
        m: f64,
        k_up: &mut f64,
        k_down: &mut f64,
    ) {
        if !(0.0..=1.0).contains(&m) {
            (*k_up, *k_down) = (f64::INFINITY, f64::INFINITY);
            return;
        }
        let (above, below) = (self.trunc / m, self.trunc / (1.0 - m));
        accumulate(k_up, ln_factor(up.max(-below).min(above), x - m));
        accumulate(k_down, ln_factor(-down.max(-above).min(below), x - m));
    }
}

/// `ln(1 + bet * gap)`, with the factor 1 for an infinite bet on nothing.
fn ln_factor(bet: f64, gap: f64) -> f64 {
    if gap == 0.0 {
        0.0
    } else {
        (bet * gap).max(-1.0).ln_1p()
    }
}

/// Adds a factor to a capital; lost capital stays lost.
pub(super) fn accumulate(capital: &mut f64, ln_factor: f64) {
    *capital = if *capital == f64::NEG_INFINITY || ln_factor == f64::NEG_INFINITY {
        f64::NEG_INFINITY
    } else {
        *capital + ln_factor
    };
}

impl BettingMartingale {
    /// Capital 1 against mean `m`, aimed at level `alpha`; `theta` is the share of the upward gambler,
    /// `trunc` in (0, 1] the largest part of the capital at risk.
    ///
    /// # Errors
    /// `m`, `theta` or `trunc` outside [0, 1], `alpha` outside (0, 1).
    pub fn new(
        m: f64,
        alpha: f64,
        theta: f64,
        trunc: f64,
        combination: Combination,
    ) -> Result<Self> {
        unit("m", m)?;
        unit("theta", theta)?;
        unit("trunc", trunc)?;
        level("alpha", alpha)?;
        let stakes = Stakes {
            alpha,
            theta,
            trunc,
            combination,
        };
        Ok(Self {
            m,
            stakes,
            bets: Bets::default(),
            up: 0.0,
            down: 0.0,
            population: None,
        })
    }

    /// The same for the mean `m` of `size` members drawn in random order without replacement.
    ///
    /// # Errors
    /// As [`Self::new`], or an empty population.
    pub fn without_replacement(
        m: f64,
        alpha: f64,
        theta: f64,
        trunc: f64,
        combination: Combination,
        size: usize,
    ) -> Result<Self> {
        let population = Some(Population::new(size)?);
        Ok(Self {
            population,
            ..Self::new(m, alpha, theta, trunc, combination)?
        })
    }

    /// Adds an observation and returns the logarithm of the joint capital; infinite when no population
    /// with mean `m` could have shown what was seen.
    ///
    /// # Errors
    /// `x` outside [0, 1], or more observations than the population has members.
    pub fn update(&mut self, x: f64) -> Result<f64> {
        unit("x", x)?;
        let mut target = self.m;
        if let Some(population) = &mut self.population {
            population.check_room()?;
            target = population.rest(self.m);
            population.draw(x);
        }
        let bets = self.stakes.bets(&self.bets);
        self.bets.update(x)?;
        self.stakes
            .play(bets, x, target, &mut self.up, &mut self.down);
        Ok(self.ln_value())
    }

    /// Logarithm of the joint capital; `-inf` when it is lost.
    #[must_use]
    pub fn ln_value(&self) -> f64 {
        self.stakes.combine(self.up, self.down)
    }
}
