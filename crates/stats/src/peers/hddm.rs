//! Tests of a mean in [0, 1] by Hoeffding's and McDiarmid's inequalities.

use super::Detector;
use crate::error::{Result, level, unit};

/// HDDM-A: mean of the whole stream against the mean up to the best cut, by Hoeffding's inequality,
/// for a rise (Frías-Blanco et al. 2015).
///
/// **Assumes** independent observations in [0, 1]. The confidence holds for one comparison, not for a
/// stream: no guarantee of a run length.
///
/// ```
/// use driftlead_stats::peers::{Detector, HddmA};
/// let mut test = HddmA::new(0.001)?;
/// let first = (0..).find(|&t| test.update(if t < 100 { 0.1 } else { 0.9 }).unwrap());
/// assert!((100..120).contains(&first.unwrap()));
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct HddmA {
    confidence: f64,
    all: (f64, f64),
    cut: (f64, f64),
    alarmed: bool,
}

impl HddmA {
    /// A test that has seen nothing; `confidence` in (0, 1), commonly .001.
    ///
    /// # Errors
    /// `confidence` outside (0, 1).
    pub fn new(confidence: f64) -> Result<Self> {
        Ok(Self {
            confidence: level("confidence", confidence)?,
            all: (0.0, 0.0),
            cut: (0.0, 0.0),
            alarmed: false,
        })
    }
}

impl Detector for HddmA {
    fn update(&mut self, x: f64) -> Result<bool> {
        unit("x", x)?;
        if self.alarmed {
            *self = Self::new(self.confidence)?;
        }
        self.all = (self.all.0 + 1.0, self.all.1 + x);
        let upper =
            |(n, sum): (f64, f64)| sum / n + ((1.0 / self.confidence).ln() / (2.0 * n)).sqrt();
        if self.cut.0 == 0.0 || upper(self.cut) >= upper(self.all) {
            self.cut = self.all;
        }
        let ((n, sum), (n_cut, sum_cut)) = (self.all, self.cut);
        if n > n_cut {
            let m = (n - n_cut) / n_cut / n;
            let bound = (0.5 * m * (2.0 / self.confidence).ln()).sqrt();
            self.alarmed = sum / n - sum_cut / n_cut >= bound;
        }
        Ok(self.alarmed)
    }
}

/// HDDM-W: the same with exponentially weighted means and McDiarmid's inequality, for a rise.
///
/// **Assumes** independent observations in [0, 1]. The confidence holds for one comparison: no guarantee
/// of a run length. Source: Frías-Blanco et al. 2015.
///
/// ```
/// use driftlead_stats::peers::{Detector, HddmW};
/// let mut test = HddmW::new(0.001, 0.05)?;
/// let first = (0..).find(|&t| test.update(if t < 100 { 0.1 } else { 0.9 }).unwrap());
/// assert!((100..130).contains(&first.unwrap()));
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct HddmW {
    confidence: f64,
    lambda: f64,
    all: Option<Weighted>,
    before: Option<Weighted>,
    after: Option<Weighted>,
    cut: f64,
    alarmed: bool,
}

/// A weighted mean and its sum of squared weights.
#[derive(Debug, Clone, Copy)]
struct Weighted {
    mean: f64,
    squares: f64,
}

impl Weighted {
    fn add(of: Option<Self>, x: f64, lambda: f64) -> Self {
        of.map_or(
            Self {
                mean: x,
                squares: 1.0,
            },
            |w| Self {
                mean: lambda * x + (1.0 - lambda) * w.mean,
                squares: lambda * lambda + (1.0 - lambda) * (1.0 - lambda) * w.squares,
            },
        )
    }
}

impl HddmW {
    /// A test that has seen nothing; `confidence` in (0, 1), commonly .001, weight of the newest
    /// observation `lambda` in [0, 1], commonly .05.
    ///
    /// # Errors
    /// A parameter outside its domain.
    pub fn new(confidence: f64, lambda: f64) -> Result<Self> {
        Ok(Self {
            confidence: level("confidence", confidence)?,
            lambda: unit("lambda", lambda)?,
            all: None,
            before: None,
            after: None,
            cut: f64::INFINITY,
            alarmed: false,
        })
    }

    fn bound(&self, squares: f64) -> f64 {
        (0.5 * squares * (1.0 / self.confidence).ln()).sqrt()
    }
}

impl Detector for HddmW {
    fn update(&mut self, x: f64) -> Result<bool> {
        unit("x", x)?;
        if self.alarmed {
            *self = Self::new(self.confidence, self.lambda)?;
        }
        let all = Weighted::add(self.all, x, self.lambda);
        self.all = Some(all);
        let upper = all.mean + self.bound(all.squares);
        if upper < self.cut {
            self.cut = upper;
            self.before = self.all;
            self.after = None;
        } else {
            self.after = Some(Weighted::add(self.after, x, self.lambda));
        }
        if let (Some(before), Some(after)) = (self.before, self.after) {
            self.alarmed = after.mean - before.mean > self.bound(before.squares + after.squares);
        }
        Ok(self.alarmed)
    }
}
