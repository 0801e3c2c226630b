//! Grids of bets.

use super::Baseline;
use crate::error::{Result, StatsError, finite, level, positive, within};
use crate::special::{find_root, logit};

/// Direction of the change a grid bets on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tail {
    /// The mean rises.
    Greater,
    /// The mean falls.
    Less,
    /// Either; half of the weight on each side.
    TwoSided,
}

/// Bets and their weights (positive, summing to 1).
#[derive(Debug, Clone, PartialEq)]
pub struct Alternatives {
    lambdas: Vec<f64>,
    weights: Vec<f64>,
}

impl Alternatives {
    /// Bets with weights proportional to `weights`.
    ///
    /// # Errors
    /// Empty or unequal lists, a bet that is not finite, a weight that is not positive.
    pub fn weighted(lambdas: Vec<f64>, weights: Vec<f64>) -> Result<Self> {
        if lambdas.is_empty() {
            return Err(StatsError::Empty { name: "lambdas" });
        }
        if lambdas.len() != weights.len() {
            let (expected, got) = (lambdas.len(), weights.len());
            return Err(StatsError::LengthMismatch {
                name: "weights",
                expected,
                got,
            });
        }
        lambdas
            .iter()
            .try_for_each(|&l| finite("lambda", l).map(|_| ()))?;
        weights
            .iter()
            .try_for_each(|&w| positive("weight", w).map(|_| ()))?;
        let total = positive("sum of weights", weights.iter().sum())?;
        Ok(Self {
            lambdas,
            weights: weights.iter().map(|w| w / total).collect(),
        })
    }

    /// Bets with equal weights.
    ///
    /// # Errors
    /// An empty list or a bet that is not finite.
    pub fn equal(lambdas: Vec<f64>) -> Result<Self> {
        let weights = vec![1.0; lambdas.len()];
        Self::weighted(lambdas, weights)
    }

    /// `count` Gaussian shifts spaced geometrically from `smallest` to `largest` standard deviations.
    /// The default of this project is `(0.1, 2.0, 6)`.
    ///
    /// ```
    /// use driftlead_stats::edetector::Alternatives;
    /// let grid = Alternatives::geometric_normal(0.1, 2.0, 6)?;
    /// assert!((grid.lambdas()[5] - 2.0).abs() < 1e-12);
    /// # Ok::<(), driftlead_stats::StatsError>(())
    /// ```
    ///
    /// # Errors
    /// Bounds not positive, or `count` = 0.
    pub fn geometric_normal(smallest: f64, largest: f64, count: usize) -> Result<Self> {
        Self::equal(geometric(smallest, largest, count)?)
    }

    /// `count` probabilities `p + step`, steps spaced geometrically from `smallest` to
    /// `min(0.6, 0.95 - p)`, as log odds ratios against `p`. The default `smallest` is 0.03.
    ///
    /// ```
    /// use driftlead_stats::edetector::Alternatives;
    /// let grid = Alternatives::geometric_bernoulli(0.1, 0.03, 8)?;
    /// // The smallest bet is on .13.
    /// let odds = |p: f64| (p / (1.0 - p)).ln();
    /// assert!((grid.lambdas()[0] - (odds(0.13) - odds(0.1))).abs() < 1e-12);
    /// # Ok::<(), driftlead_stats::StatsError>(())
    /// ```
    ///
    /// # Errors
    /// `p` outside (0, 1), no room above `p` for `smallest`, or `count` = 0.
    pub fn geometric_bernoulli(p: f64, smallest: f64, count: usize) -> Result<Self> {
        level("p", p)?;
        let largest = (0.95 - p).min(0.6);
        within("smallest", smallest, "(0, min(0.6, 0.95 - p)]", |s| {
            s > 0.0 && s <= largest
        })?;
        let steps = geometric(smallest, largest, count)?;
        Self::equal(
            steps
                .iter()
                .map(|step| logit(p + step) - logit(p))
                .collect(),
        )
    }

    /// The rule of the paper: bets covering shifts `[delta_lower, delta_upper]` with a guaranteed loss,
    /// for alarms at `1/alpha`. `None` for `delta_upper` takes the widest sensible range (5 for a
    /// Gaussian, to within .001 of the end of [0, 1] otherwise).
    ///
    /// Source: Shin, Ramdas, Rinaldo 2024, section 4.2 and algorithm 2 (`v_min` = 1).
    ///
    /// ```
    /// use driftlead_stats::edetector::{Alternatives, Baseline, Tail};
    /// let baseline = Baseline::standard_normal(0.0)?;
    /// let rule = Alternatives::reference(&baseline, Tail::Greater, 1e-4, 0.1, Some(2.0))?;
    /// assert!(rule.lambdas().len() > Alternatives::geometric_normal(0.1, 2.0, 6)?.lambdas().len());
    /// # Ok::<(), driftlead_stats::StatsError>(())
    /// ```
    ///
    /// # Errors
    /// A shift or level outside its domain, or a baseline with a standard deviation other than 1.
    pub fn reference(
        baseline: &Baseline,
        tail: Tail,
        alpha: f64,
        delta_lower: f64,
        delta_upper: Option<f64>,
    ) -> Result<Self> {
        baseline.check()?;
        level("alpha", alpha)?;
        positive("delta_lower", delta_lower)?;
        let upper = delta_upper
            .unwrap_or_else(|| widest(baseline, tail))
            .max(delta_lower);
        match tail {
            Tail::TwoSided => {
                let above = side(baseline, false, alpha / 2.0, delta_lower, upper)?;
                let below = side(baseline, true, alpha / 2.0, delta_lower, upper)?;
                let join = |a: Vec<f64>, b: Vec<f64>| a.into_iter().chain(b).collect();
                let lambdas = join(above.lambdas, below.lambdas);
                Self::weighted(lambdas, join(above.weights, below.weights))
            }
            _ => side(baseline, tail == Tail::Less, alpha, delta_lower, upper),
        }
    }

    /// The bets.
    #[must_use]
    pub fn lambdas(&self) -> &[f64] {
        &self.lambdas
    }

    /// The weights, in the order of the bets.
    #[must_use]
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }
}

fn geometric(smallest: f64, largest: f64, count: usize) -> Result<Vec<f64>> {
    positive("smallest", smallest)?;
    positive("largest", largest)?;
    match count {
        0 => Err(StatsError::Empty { name: "grid" }),
        1 => Ok(vec![smallest]),
        _ => {
            let ratio = (largest / smallest).powf(1.0 / (count - 1) as f64);
            Ok((0..count)
                .map(|i| smallest * ratio.powi(i as i32))
                .collect())
        }
    }
}

fn widest(baseline: &Baseline, tail: Tail) -> f64 {
    let mean = match *baseline {
        Baseline::Normal { .. } => return 5.0,
        Baseline::Bernoulli { p } => p,
        Baseline::Bounded { mean } => mean,
    };
    let room = match tail {
        Tail::Greater => 1.0 - mean,
        Tail::Less => mean,
        Tail::TwoSided => mean.min(1.0 - mean),
    };
    room - 0.001
}

/// One side of the reference rule. The lower side is the upper one of the mirrored baseline.
fn side(
    baseline: &Baseline,
    mirrored: bool,
    alpha: f64,
    lower: f64,
    upper: f64,
) -> Result<Alternatives> {
    let mirror = |m: f64| if mirrored { 1.0 - m } else { m };
    match *baseline {
        Baseline::Normal { sd, .. } => {
            within("sd", sd, "exactly 1", |s| s == 1.0)?;
            let sign = if mirrored { -1.0 } else { 1.0 };
            spread(&Psi::Gaussian, alpha, lower, upper, |l| sign * l)
        }
        Baseline::Bernoulli { p } => {
            let p = mirror(p);
            within(
                "delta_upper",
                upper,
                "(0, room to the end of [0, 1])",
                |u| p + u < 1.0,
            )?;
            let sign = if mirrored { -1.0 } else { 1.0 };
            spread(&Psi::Bernoulli { p }, alpha, lower, upper, |l| sign * l)
        }
        Baseline::Bounded { mean } => {
            let m = mirror(mean);
            within(
                "delta_upper",
                upper,
                "(0, room to the end of [0, 1])",
                |u| m + u < 1.0,
            )?;
            let low = m * lower / (0.25 + upper * upper);
            let high = m * upper / (lower * lower);
            let scale = if mirrored { -mean / (1.0 - mean) } else { 1.0 };
            spread(&Psi::Exponential, alpha, low, high, |l| scale * l)
        }
    }
}

/// Convex conjugates `psi*` and what the rule needs of them.
enum Psi {
    Gaussian,
    Bernoulli { p: f64 },
    Exponential,
}

impl Psi {
    fn conjugate(&self, x: f64) -> f64 {
        match *self {
            Self::Gaussian => 0.5 * x * x,
            Self::Bernoulli { p } => {
                let q = p + x;
                let rest = 1.0 - q;
                q * (q / p).ln()
                    + if rest > 0.0 {
                        rest * (rest / (1.0 - p)).ln()
                    } else {
                        0.0
                    }
            }
            Self::Exponential => x - x.ln_1p(),
        }
    }

    fn slope(&self, x: f64) -> f64 {
        match *self {
            Self::Gaussian => x,
            Self::Bernoulli { p } => logit(p + x) - logit(p),
            Self::Exponential => x / (1.0 + x),
        }
    }

    fn inverse(&self, d: f64, low: f64, high: f64) -> Result<f64> {
        match self {
            Self::Gaussian => Ok((2.0 * d).sqrt()),
            // The last grid point may miss the end by rounding.
            _ if d <= self.conjugate(low) => Ok(low),
            _ if d >= self.conjugate(high) => Ok(high),
            _ => find_root(low, high, |x| self.conjugate(x) - d),
        }
    }
}

/// The grid for one convex function.
fn spread(
    psi: &Psi,
    alpha: f64,
    low: f64,
    high: f64,
    turn: impl Fn(f64) -> f64,
) -> Result<Alternatives> {
    let (d_low, d_high) = (psi.conjugate(low), psi.conjugate(high));
    let budget = -alpha.ln();
    if low >= high || budget <= d_low {
        return Alternatives::equal(vec![turn(psi.slope(low))]);
    }
    let ratio = d_high / d_low;
    let cost = |g: f64| best_count(g, ratio).1;
    let covered = cost(d_high) <= -budget;
    let gap = |g: f64| {
        let value = if covered {
            cost(g)
        } else {
            crate::special::log_add_exp(-g, cost(g))
        };
        value + budget
    };
    let mut limit = budget.max(1.0);
    while gap(limit) > 0.0 {
        limit *= 2.0;
    }
    let g = find_root(0.0, limit, gap)?;
    let count = best_count(g, ratio).0;
    let eta = ratio.powf(1.0 / count as f64);
    let (mut lambdas, mut weights) = (Vec::new(), Vec::new());
    if g > d_high {
        lambdas.push(turn(psi.slope(high)));
        weights.push((-g).exp());
    }
    for k in 1..=count {
        let d = d_high / eta.powi(k as i32);
        lambdas.push(turn(psi.slope(psi.inverse(d, low, high)?)));
        weights.push((-g / eta).exp());
    }
    Alternatives::weighted(lambdas, weights)
}

/// `min_k {ln k - g ratio^(-1/k)}` and where it is reached.
fn best_count(g: f64, ratio: f64) -> (usize, f64) {
    let mut best = (1, f64::INFINITY);
    for k in 1..1_000_000usize {
        let size = k as f64;
        // No later k can win: the second term is never below -g.
        if size.ln() - g >= best.1 {
            break;
        }
        let value = size.ln() - g * ratio.powf(-1.0 / size);
        if value < best.1 {
            best = (k, value);
        }
    }
    best
}
