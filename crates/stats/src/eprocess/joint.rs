//! Several binary markers of one person that change together.

use crate::edetector::{Alternatives, Baseline};
use crate::error::{Result, StatsError, positive, unit};

/// Likelihood ratios are capped here: far beyond any threshold, far from overflow in one product.
const CAP: f64 = 1e200;

/// An e-process for "some markers of this person rise at a common time":
/// `E_t = sum_j w_j prod_m (1 - rho + rho mean_k prod_{i=j..t} L_i^(m,k))`, starting times `j` every
/// `spacing` observations.
///
/// Each marker takes part with probability `share`; the evidence of those that moved multiplies, where
/// the arithmetic mean of single-marker e-values only adds. **Assumes**, beyond [`super::Verdict`], that the
/// markers of one conversation are independent given the past. Where that is in doubt use
/// [`super::merge_mean`], which needs no such thing. **Guarantee**: `P(ever E_t >= 1/alpha) <= alpha`; valid input to
/// e-BH at any stopping time. Source: construction of this project: a mixture of product martingales.
///
/// ```
/// use driftlead_stats::edetector::Alternatives;
/// use driftlead_stats::eprocess::JointVerdict;
/// let grid = Alternatives::geometric_bernoulli(0.1, 0.05, 4)?;
/// let mut joint = JointVerdict::new(&[0.1; 3], &grid, 0.3, 100, 5)?;
/// for t in 0..100u32 {
///     let x = if t >= 50 && t % 3 == 0 { 1.0 } else { 0.0 };
///     joint.update(&[x, x, 0.0])?;
/// }
/// assert!(joint.ln_value() > 100f64.ln());
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct JointVerdict {
    /// Per marker and component: increment for 0 and for 1.
    steps: Vec<(f64, f64)>,
    weights: Vec<f64>,
    markers: usize,
    share: f64,
    spacing: u64,
    starts: u64,
    seen: u64,
    /// Per start, marker and component.
    ratios: Vec<f64>,
    ln_value: f64,
}

impl JointVerdict {
    /// A process over `horizon` observations of markers with baselines `p`, bets `grid` on each.
    ///
    /// # Errors
    /// No markers, a baseline outside (0, 1), `share` outside [0, 1], or a horizon or spacing of 0.
    pub fn new(
        p: &[f64],
        grid: &Alternatives,
        share: f64,
        horizon: u64,
        spacing: u64,
    ) -> Result<Self> {
        if p.is_empty() {
            return Err(StatsError::Empty { name: "p" });
        }
        unit("share", share)?;
        positive("horizon", horizon as f64)?;
        positive("spacing", spacing as f64)?;
        let mut steps = Vec::new();
        for &p in p {
            let baseline = Baseline::Bernoulli { p };
            baseline.check()?;
            let both = |&l: &f64| {
                (
                    baseline.ln_increment(0.0, l).exp(),
                    baseline.ln_increment(1.0, l).exp(),
                )
            };
            steps.extend(grid.lambdas().iter().map(both));
        }
        Ok(Self {
            steps,
            weights: grid.weights().to_vec(),
            markers: p.len(),
            share,
            spacing,
            starts: horizon.div_ceil(spacing),
            seen: 0,
            ratios: Vec::new(),
            ln_value: f64::NEG_INFINITY,
        })
    }

    /// Adds one observation of every marker (in [0, 1]) and returns the logarithm of the e-value.
    ///
    /// # Errors
    /// Not one value per marker, or one outside [0, 1]; the state is then unchanged.
    pub fn update(&mut self, x: &[f64]) -> Result<f64> {
        if x.len() != self.markers {
            let (expected, got) = (self.markers, x.len());
            return Err(StatsError::LengthMismatch {
                name: "x",
                expected,
                got,
            });
        }
        x.iter().try_for_each(|&v| unit("x", v).map(|_| ()))?;
        if self.seen.is_multiple_of(self.spacing) && self.seen / self.spacing < self.starts {
            self.ratios
                .resize(self.ratios.len() + self.steps.len(), 1.0);
        }
        self.seen += 1;
        let width = self.weights.len();
        let mut total = crate::special::LogSum::default();
        for start in self.ratios.chunks_exact_mut(self.steps.len()) {
            let mut ln_product = 0.0;
            let mut product = 1.0;
            let markers = start
                .chunks_exact_mut(width)
                .zip(self.steps.chunks_exact(width));
            for ((row, steps), x) in markers.zip(x) {
                let mut mean = 0.0;
                for ((r, (zero, one)), w) in row.iter_mut().zip(steps).zip(&self.weights) {
                    *r = (*r * (zero + (one - zero) * x)).min(CAP);
                    mean += w * *r;
                }
                product *= 1.0 - self.share + self.share * mean;
                // Two capped factors fit into f64; more may not.
                if !(1e-100..1e100).contains(&product) {
                    ln_product += product.ln();
                    product = 1.0;
                }
            }
            total.add(ln_product + product.ln());
        }
        self.ln_value = total.value() - (self.starts as f64).ln();
        Ok(self.ln_value)
    }

    /// Logarithm of the current e-value.
    #[must_use]
    pub fn ln_value(&self) -> f64 {
        self.ln_value
    }
}
