//! The calibrated detector: nearly optimal under a limit at every baseline.

use super::Prior;
use crate::error::{Result, StatsError, finite, level};
use crate::rng::Stream;
use std::sync::Arc;

/// Likelihood ratios are capped here: far beyond any price, far from overflow in one step.
const CAP: f64 = 1e250;
/// Prices below this are not considered, so that only the rare larger evidence is stored.
const LOWEST_PRICE: f64 = 2.0;
/// Purposes of random streams: search for the prices, and their final check.
const SEARCH: u16 = 401;
const CHECK: u16 = 402;

/// What the calibration aims at.
#[derive(Debug, Clone, PartialEq)]
pub struct GuardedSettings {
    /// Observations per person for which the limits hold.
    pub horizon: u32,
    /// Largest share of unchanged people, drawn from the prior, with any alarm. In (0, 1).
    pub average: f64,
    /// Largest share in every group of baselines. In (0, 1), at least `average`.
    pub everywhere: f64,
    /// The groups of baselines.
    pub guard: Guard,
    /// Changes looked for, in points of probability; equal weights. Negative: downward.
    pub shifts: Vec<f64>,
    /// At the horizon the price is multiplied by this number in (0, 1]: the smaller, the more of the
    /// false alarms are saved for the verdict at the end. 1 treats all times alike.
    pub final_discount: f64,
    /// Simulated unchanged people per node, for the search and again for the check.
    pub paths: u32,
    /// Seed of the simulation.
    pub seed: u64,
}

impl Default for GuardedSettings {
    /// A year of daily conversations, 1 % on average, 2 % at every baseline, rises of 8 to 40 points.
    fn default() -> Self {
        Self {
            horizon: 365,
            average: 0.01,
            everywhere: 0.02,
            guard: Guard::EachBaseline,
            shifts: vec![0.08, 0.12, 0.18, 0.27, 0.4],
            final_discount: 0.3,
            paths: 2000,
            seed: 1,
        }
    }
}

/// For whom the limit `everywhere` holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Guard {
    /// Every single baseline of the grid: the limit does not lean on the prior.
    EachBaseline,
    /// The average over the prior within each stratum between these baselines, in increasing order.
    Strata(Vec<f64>),
}

impl Guard {
    /// Number of the group of each node.
    fn groups(&self, nodes: &[f64]) -> Vec<usize> {
        match self {
            Self::EachBaseline => (0..nodes.len()).collect(),
            Self::Strata(cuts) => nodes
                .iter()
                .map(|q| cuts.iter().filter(|cut| *q > **cut).count())
                .collect(),
        }
    }
}

/// Share of simulated unchanged people with an alarm within the horizon, at one baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NullRate {
    /// The baseline, in (0, 1).
    pub baseline: f64,
    /// Share with any alarm.
    pub rate: f64,
    /// Monte-Carlo standard error of the share.
    pub standard_error: f64,
}

/// A calibrated rule, shared by any number of [`Guarded`] detectors.
///
/// The posterior-averaged e-value `E_t` (see [`super::PosteriorAveraged`]) alarms when it reaches
/// `sum_q c_q post_q(t)`: a *price* `c_q` for each baseline, weighted by the posterior of the baseline if
/// nothing changed. `c_q = 1/alpha` for all `q` is Ville's threshold. Written out, the rule compares the
/// evidence for a change with `sum_q c_q pi_q p(x | q)`, which is the Neyman-Pearson test against a
/// weighting of the unchanged baselines; the prices are chosen so that this weighting is (nearly) the
/// least favourable one, `c_q = kappa_0 + kappa_q / pi_q` with one multiplier for the limit on average
/// and one per baseline for the limit everywhere.
///
/// **Assumes** independent observations given the baseline. **Guarantee**, up to the Monte-Carlo error
/// reported by [`Self::null_rates`]: within the horizon at most `everywhere` false alarms at each
/// baseline of the grid (no prior needed), and at most `average` among people drawn from the prior.
///
/// Source: Elliott, Müller, Watson 2015, "Nearly optimal tests when a nuisance parameter is present
/// under the null hypothesis" (Econometrica 83:771), applied to the running maximum over time.
///
/// ```
/// use driftlead_stats::baseline::{GuardedRule, GuardedSettings, Prior};
/// let settings = GuardedSettings { horizon: 60, paths: 200, ..GuardedSettings::default() };
/// let rule = GuardedRule::calibrate(&Prior::beta(2.0, 18.0, 6)?, &settings)?;
/// assert!(rule.null_rates().iter().all(|r| r.rate <= 0.02 + 3.0 * r.standard_error.max(0.005)));
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct GuardedRule {
    model: Model,
    prices: Vec<f64>,
    rates: Vec<NullRate>,
}

/// Increments per observed bit, node and shift.
#[derive(Debug, Clone)]
struct Model {
    prior: Vec<f64>,
    nodes: Vec<f64>,
    shifts: usize,
    start_weight: f64,
    horizon: u32,
    final_discount: f64,
    /// `[bit][node * shifts + shift]`: likelihood ratio against the node.
    ratios: [Vec<f64>; 2],
    /// `[bit][node]`: probability of the bit.
    chances: [Vec<f64>; 2],
}

impl Model {
    fn new(prior: &Prior, settings: &GuardedSettings) -> Self {
        let nodes = prior.nodes().to_vec();
        let chances = [nodes.iter().map(|q| 1.0 - q).collect(), nodes.clone()];
        let (mut zeros, mut ones) = (Vec::new(), Vec::new());
        for &q in &nodes {
            for &d in &settings.shifts {
                let p = (q + d).clamp(0.002, 0.998);
                ones.push(p / q);
                zeros.push((1.0 - p) / (1.0 - q));
            }
        }
        Self {
            prior: prior.weights().to_vec(),
            nodes,
            shifts: settings.shifts.len(),
            start_weight: 1.0 / (f64::from(settings.horizon) * settings.shifts.len() as f64),
            horizon: settings.horizon,
            final_discount: settings.final_discount,
            ratios: [zeros, ones],
            chances,
        }
    }
}

/// Posterior of the baseline and evidence for a change, of one person.
#[derive(Debug, Clone)]
struct Evidence {
    posterior: Vec<f64>,
    ratios: Vec<f64>,
    seen: u32,
    e_value: f64,
}

impl Evidence {
    fn new(model: &Model) -> Self {
        let ratios = vec![0.0; model.nodes.len() * model.shifts];
        Self {
            posterior: model.prior.clone(),
            ratios,
            seen: 0,
            e_value: 0.0,
        }
    }

    /// The e-value, raised at the horizon by the discount on its price.
    fn weight(&self, model: &Model) -> f64 {
        if self.seen == model.horizon {
            self.e_value / model.final_discount
        } else {
            self.e_value
        }
    }

    fn update(&mut self, model: &Model, x: bool) {
        let [zero_chances, one_chances] = &model.chances;
        let [zero_ratios, one_ratios] = &model.ratios;
        let (chances, bets) = if x {
            (one_chances, one_ratios)
        } else {
            (zero_chances, zero_ratios)
        };
        self.seen = self.seen.saturating_add(1);
        let start = if self.seen <= model.horizon {
            model.start_weight
        } else {
            0.0
        };
        let mut total = 0.0;
        for (p, chance) in self.posterior.iter_mut().zip(chances) {
            *p *= chance;
            total += *p;
        }
        // A floor keeps a node from being lost for ever by underflow.
        let scale = 1.0 / total;
        self.posterior
            .iter_mut()
            .for_each(|p| *p = (*p * scale).max(1e-280));
        for (r, bet) in self.ratios.iter_mut().zip(bets) {
            let next = (*r + start) * bet;
            *r = if next < CAP { next } else { CAP };
        }
        let rows = self.ratios.chunks_exact(model.shifts);
        self.e_value = self
            .posterior
            .iter()
            .zip(rows)
            .map(|(p, row)| p * row.iter().sum::<f64>())
            .sum();
    }
}

/// Moments of simulated unchanged people at which the evidence is large enough to matter.
struct Moments {
    paths: u32,
    /// Per node, per moment: number of the path.
    path: Vec<Vec<u32>>,
    /// Per node, per moment: the e-value.
    e_value: Vec<Vec<f64>>,
    /// Per node: posteriors of all moments, one after the other.
    posterior: Vec<Vec<f32>>,
}

impl Moments {
    fn simulate(model: &Model, settings: &GuardedSettings, purpose: u16) -> Self {
        let mut moments = Self {
            paths: settings.paths,
            path: vec![],
            e_value: vec![],
            posterior: vec![],
        };
        for (node, &q) in model.nodes.iter().enumerate() {
            let (mut paths, mut values, mut posteriors) = (vec![], vec![], vec![]);
            for path in 0..settings.paths {
                let subject = (node as u64) << 32 | u64::from(path);
                let mut luck = Stream::new(settings.seed, subject, 0, purpose);
                let mut evidence = Evidence::new(model);
                for _ in 0..settings.horizon {
                    evidence.update(model, luck.uniform() < q);
                    let weight = evidence.weight(model);
                    if weight > LOWEST_PRICE {
                        paths.push(path);
                        values.push(weight);
                        posteriors.extend(evidence.posterior.iter().map(|p| *p as f32));
                    }
                }
            }
            moments.path.push(paths);
            moments.e_value.push(values);
            moments.posterior.push(posteriors);
        }
        moments
    }

    /// Share of paths with an alarm at each node.
    fn rates(&self, prices: &[f64]) -> Vec<f64> {
        let per_node = self.path.iter().zip(&self.e_value).zip(&self.posterior);
        per_node
            .map(|((path, e), posterior)| self.rate(prices, path, e, posterior))
            .collect()
    }

    fn rate(&self, prices: &[f64], path: &[u32], e: &[f64], posterior: &[f32]) -> f64 {
        let mut alarms = 0u32;
        let mut last = None;
        for ((path, e), post) in path.iter().zip(e).zip(posterior.chunks_exact(prices.len())) {
            if last == Some(*path) {
                continue;
            }
            let price: f64 = post
                .iter()
                .zip(prices)
                .map(|(p, c)| f64::from(*p) * c)
                .sum();
            if *e >= price {
                alarms += 1;
                last = Some(*path);
            }
        }
        f64::from(alarms) / f64::from(self.paths.max(1))
    }
}

impl GuardedRule {
    /// Finds the prices by simulation: deterministic for given settings. Cost: about
    /// `2 x nodes x paths x horizon` updates, seconds for the defaults.
    ///
    /// # Errors
    /// No shifts or one that is not finite, a level outside (0, 1), `everywhere` below `average`, or a
    /// horizon or number of paths of 0.
    pub fn calibrate(prior: &Prior, settings: &GuardedSettings) -> Result<Self> {
        check(settings)?;
        let model = Model::new(prior, settings);
        let mut prices = search(
            &model,
            settings,
            &Moments::simulate(&model, settings, SEARCH),
        );
        let fresh = Moments::simulate(&model, settings, CHECK);
        let groups = Groups::new(&model, &settings.guard);
        // Overfitting to the first sample is undone by one common factor on a fresh one.
        for _ in 0..200 {
            let rates = fresh.rates(&prices);
            if average(&model, &rates) <= settings.average
                && groups
                    .rates(&rates)
                    .iter()
                    .all(|r| *r <= settings.everywhere)
            {
                break;
            }
            prices.iter_mut().for_each(|c| *c *= 1.01);
        }
        let rates = fresh.rates(&prices);
        Ok(Self::of(model, settings, prices, &rates))
    }

    /// The rule that [`Self::calibrate`] once found for this prior and these settings, from its prices and
    /// its false-alarm rates, one each per baseline of the grid. Nothing is simulated, so nothing is proved
    /// anew: whoever stores prices has to test that the calibration still gives them.
    ///
    /// # Errors
    /// Settings outside their domain, prices that are not above 0, rates outside [0, 1], or another number
    /// of either than the grid has nodes.
    ///
    /// ```
    /// use driftlead_stats::baseline::{GuardedRule, GuardedSettings, Prior};
    /// let settings = GuardedSettings { horizon: 60, paths: 200, ..GuardedSettings::default() };
    /// let prior = Prior::beta(2.0, 18.0, 6)?;
    /// let rule = GuardedRule::calibrate(&prior, &settings)?;
    /// let rates: Vec<f64> = rule.null_rates().iter().map(|null| null.rate).collect();
    /// let again = GuardedRule::calibrated_before(&prior, &settings, rule.prices(), &rates)?;
    /// assert_eq!(again.prices(), rule.prices());
    /// assert_eq!(again.null_rates(), rule.null_rates());
    /// assert!(GuardedRule::calibrated_before(&prior, &settings, &[1.0], &rates).is_err());
    /// # Ok::<(), driftlead_stats::StatsError>(())
    /// ```
    pub fn calibrated_before(
        prior: &Prior,
        settings: &GuardedSettings,
        prices: &[f64],
        rates: &[f64],
    ) -> Result<Self> {
        check(settings)?;
        let expected = prior.nodes().len();
        for (name, given) in [("prices", prices), ("rates", rates)] {
            if given.len() != expected {
                let got = given.len();
                return Err(StatsError::LengthMismatch {
                    name,
                    expected,
                    got,
                });
            }
        }
        for price in prices {
            crate::error::positive("price", *price)?;
        }
        for rate in rates {
            crate::error::unit("rate", *rate)?;
        }
        let model = Model::new(prior, settings);
        Ok(Self::of(model, settings, prices.to_vec(), rates))
    }

    fn of(model: Model, settings: &GuardedSettings, prices: Vec<f64>, rates: &[f64]) -> Self {
        let n = f64::from(settings.paths);
        let describe = |(&baseline, &rate): (&f64, &f64)| NullRate {
            baseline,
            rate,
            standard_error: (rate * (1.0 - rate) / n).sqrt(),
        };
        let rates = model.nodes.iter().zip(rates).map(describe).collect();
        Self {
            model,
            prices,
            rates,
        }
    }

    /// False-alarm rates at every baseline of the grid, on a simulation that the search did not see.
    #[must_use]
    pub fn null_rates(&self) -> &[NullRate] {
        &self.rates
    }

    /// The same averaged over the prior.
    #[must_use]
    pub fn average_rate(&self) -> f64 {
        self.rates
            .iter()
            .zip(&self.model.prior)
            .map(|(r, w)| r.rate * w)
            .sum()
    }

    /// Price per baseline of the grid: what `1/alpha` is in a rule without guards.
    #[must_use]
    pub fn prices(&self) -> &[f64] {
        &self.prices
    }
}

fn check(settings: &GuardedSettings) -> Result<()> {
    if settings.shifts.is_empty() {
        return Err(StatsError::Empty { name: "shifts" });
    }
    settings
        .shifts
        .iter()
        .try_for_each(|&d| finite("shift", d).map(|_| ()))?;
    level("average", settings.average)?;
    crate::error::within("everywhere", settings.everywhere, "[average, 1)", |e| {
        e >= settings.average && e < 1.0
    })?;
    crate::error::within("final_discount", settings.final_discount, "(0, 1]", |d| {
        d > 0.0 && d <= 1.0
    })?;
    crate::error::positive("horizon", f64::from(settings.horizon))?;
    crate::error::positive("paths", f64::from(settings.paths)).map(|_| ())
}

fn average(model: &Model, rates: &[f64]) -> f64 {
    rates.iter().zip(&model.prior).map(|(r, w)| r * w).sum()
}

/// Baselines that share one limit.
struct Groups {
    of: Vec<usize>,
    /// Prior weight of each node within its group.
    within: Vec<f64>,
    /// Prior weight of each group.
    shares: Vec<f64>,
}

impl Groups {
    fn new(model: &Model, guard: &Guard) -> Self {
        let of = guard.groups(&model.nodes);
        let mut shares = vec![0.0; of.iter().max().map_or(0, |g| g + 1)];
        for (&g, w) in of.iter().zip(&model.prior) {
            shares[g] += w;
        }
        let within = of
            .iter()
            .zip(&model.prior)
            .map(|(&g, w)| w / shares[g])
            .collect();
        Self { of, within, shares }
    }

    /// False-alarm rate per group from the rates per node; 0 for a stratum without nodes.
    fn rates(&self, per_node: &[f64]) -> Vec<f64> {
        let mut rates = vec![0.0; self.shares.len()];
        for ((&g, w), rate) in self.of.iter().zip(&self.within).zip(per_node) {
            rates[g] += w * rate;
        }
        rates
    }
}

/// Multiplicative search for the multipliers of the limits, with a step that shrinks.
fn search(model: &Model, settings: &GuardedSettings, moments: &Moments) -> Vec<f64> {
    const ROUNDS: u32 = 400;
    let mut common = 0.3 / settings.average;
    let groups = Groups::new(model, &settings.guard);
    let mut extra = vec![0.1 / settings.everywhere; groups.shares.len()];
    let prices = |common: f64, extra: &[f64]| -> Vec<f64> {
        groups
            .of
            .iter()
            .map(|&g| (common + extra[g]).max(LOWEST_PRICE))
            .collect()
    };
    for round in 0..ROUNDS {
        let rates = moments.rates(&prices(common, &extra));
        let step = 0.5 / (1.0 + f64::from(round) / 40.0);
        let factor = |rate: f64, limit: f64| (step * (rate / limit - 1.0).clamp(-1.0, 2.0)).exp();
        common *= factor(average(model, &rates), settings.average);
        for (k, rate) in extra.iter_mut().zip(&groups.rates(&rates)) {
            *k = (*k * factor(*rate, settings.everywhere)).max(1e-3);
        }
    }
    prices(common, &extra)
}

/// One person under a [`GuardedRule`].
///
/// **Assumes** and **guarantees** what the rule does; construction and source are described there.
///
/// ```
/// use driftlead_stats::baseline::{Guarded, GuardedRule, GuardedSettings, Prior};
/// use std::sync::Arc;
/// let settings = GuardedSettings { horizon: 100, paths: 200, ..GuardedSettings::default() };
/// let rule = Arc::new(GuardedRule::calibrate(&Prior::beta(2.0, 18.0, 8)?, &settings)?);
/// assert!(rule.average_rate() <= 0.01);
/// let mut person = Guarded::new(rule);
/// let alarm = (0..100).find(|t| person.update(if *t < 50 { t % 10 == 0 } else { t % 2 == 0 }));
/// assert!(alarm.is_some_and(|t| t > 50));
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Guarded {
    rule: Arc<GuardedRule>,
    evidence: Evidence,
}

impl Guarded {
    /// A person of whom nothing has been seen.
    #[must_use]
    pub fn new(rule: Arc<GuardedRule>) -> Self {
        let evidence = Evidence::new(&rule.model);
        Self { rule, evidence }
    }

    /// Adds an observation; whether the rule alarms now. The limits count a person as alarmed from the
    /// first alarm on, and cover the first `horizon` observations.
    pub fn update(&mut self, x: bool) -> bool {
        self.evidence.update(&self.rule.model, x);
        self.evidence.seen <= self.rule.model.horizon && self.margin() >= 1.0
    }

    /// Evidence over price: an alarm when it reaches 1.
    #[must_use]
    pub fn margin(&self) -> f64 {
        let price: f64 = self
            .evidence
            .posterior
            .iter()
            .zip(&self.rule.prices)
            .map(|(p, c)| p * c)
            .sum();
        self.evidence.weight(&self.rule.model) / price
    }

    /// The posterior-averaged e-value, valid on average over the prior.
    #[must_use]
    pub fn e_value(&self) -> f64 {
        self.evidence.e_value
    }

    /// Posterior mean of the baseline if nothing changed, in (0, 1).
    #[must_use]
    pub fn baseline(&self) -> f64 {
        self.evidence
            .posterior
            .iter()
            .zip(&self.rule.model.nodes)
            .map(|(p, q)| p * q)
            .sum()
    }
}
