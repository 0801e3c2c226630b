//! The effect of a randomised decision, at all times.

use crate::boundary::{GammaExponential, Mixture};
use crate::cs::{AsymptoticSequence, Interval};
use crate::error::{Result, StatsError, level, positive, unit, within};

/// Bound on the predictable centre of the intrinsic time: small effects are centred fully, and the
/// proof below holds at a cost of 0.2 % in width.
const CENTRE_LIMIT: f64 = 0.1;

/// What is expected of a person before their next outcome, from their own past alone.
///
/// Any guess made before the coin is tossed is allowed; a better one makes [`EffectSequence`] narrower.
///
/// ```
/// use driftlead_stats::causal::{EffectSequence, PersonalMean};
/// let mut person = PersonalMean::new(0.15)?;
/// let mut sequence = EffectSequence::new(0.05, 0.5, 100.0)?;
/// for t in 0..50 {
///     sequence.update(&mut person, t % 2 == 0, 0.5, 0.8)?;
/// }
/// assert!((person.expected() - 0.8).abs() < 1e-3);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PersonalMean {
    mean: f64,
    count: f64,
    floor: f64,
}

impl PersonalMean {
    /// Expects 1/2 at first; each outcome then moves it by `max(1/n, floor)` of the gap. `floor` in
    /// [0, 1]: 0 is the running mean, 0.15 follows a mood and is the default of this project.
    ///
    /// # Errors
    /// `floor` outside [0, 1].
    pub fn new(floor: f64) -> Result<Self> {
        Self::starting_at(0.5, floor)
    }

    /// The same, expecting `start` in [0, 1] at first: what is known of other people by then, such as the
    /// mean of their outcomes so far. It counts as nothing once the person's own first outcome is in.
    ///
    /// ```
    /// use driftlead_stats::causal::PersonalMean;
    /// assert_eq!(PersonalMean::starting_at(0.3, 0.15)?.expected(), 0.3);
    /// # Ok::<(), driftlead_stats::StatsError>(())
    /// ```
    ///
    /// # Errors
    /// `start` or `floor` outside [0, 1].
    pub fn starting_at(start: f64, floor: f64) -> Result<Self> {
        Ok(Self {
            mean: unit("start", start)?,
            count: 0.0,
            floor: unit("floor", floor)?,
        })
    }

    /// The outcome expected next, in [0, 1].
    #[must_use]
    pub fn expected(&self) -> f64 {
        self.mean
    }

    fn learn(&mut self, outcome: f64) {
        self.count += 1.0;
        self.mean += (outcome - self.mean) * (1.0 / self.count).max(self.floor);
    }
}

/// Confidence sequence for the mean effect of a randomised decision on an outcome in [0, 1].
///
/// Every decision contributes `psi = (A-p)/(p(1-p)) (Y - m)`, with `m` what the person's own past lets
/// expect. As `m` is fixed before the coin is tossed, the conditional mean of `psi` is exactly the
/// conditional effect at that decision, whatever the outcomes look like; the interval covers the
/// running mean of those effects.
///
/// **Assumes** that `p` is the true probability given the past, and lies in `[p_min, 1 - p_min]`. Nothing
/// else (level A0). **Guarantee**: level `alpha` at all times at once. Proof: for `|psi| <= b` with `b =
/// 1/p_min`, and a predictable centre `x` clipped to `[-k, k]`, both `psi - x` and `x - psi` are at least
/// `-(b + k)`, so that `exp(l (psi - mean) - psi_E(l) (psi - x)^2)` is a supermartingale increment for `0
/// <= l < 1/(b+k)` (Howard et al. 2021, thm. 4); here `k` = 0.1. An unclipped centre with scale `b`,
/// which is sometimes seen, has no such proof. Each side has `alpha/2`. Source: construction of this
/// project; `cargo run --release -p driftlead-stats --example operating_characteristics -- peeking`
/// measures it.
///
/// ```
/// use driftlead_stats::causal::{EffectSequence, PersonalMean};
/// let mut sequence = EffectSequence::new(0.05, 0.5, 100.0)?;
/// let mut person = PersonalMean::new(0.15)?;
/// for t in 0..2000 {
///     let treated = (t * 7919) % 10 < 5;
///     sequence.update(&mut person, treated, 0.5, if treated { 0.7 } else { 0.4 })?;
/// }
/// let interval = sequence.interval()?;
/// assert!(interval.low > 0.0 && interval.contains(0.3));
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EffectSequence {
    side: f64,
    p_min: f64,
    mixture: GammaExponential,
    asymptotic: AsymptoticSequence,
    count: f64,
    sum: f64,
    intrinsic: f64,
}

impl EffectSequence {
    /// Empty, at level `alpha`, for probabilities in `[p_min, 1 - p_min]`, tightest near the intrinsic
    /// time `v_opt`: about (decisions) x (variance of the outcome around its expectation) / (p (1-p)).
    ///
    /// # Errors
    /// `alpha` outside (0, 1), `p_min` outside (0, 1/2] or `v_opt` not positive.
    pub fn new(alpha: f64, p_min: f64, v_opt: f64) -> Result<Self> {
        let side = level("alpha", alpha)? / 2.0;
        within("p_min", p_min, "(0, 1/2]", |p| p > 0.0 && p <= 0.5)?;
        positive("v_opt", v_opt)?;
        Ok(Self {
            side,
            p_min,
            mixture: GammaExponential::new(v_opt, side, 1.0 / p_min + CENTRE_LIMIT)?,
            asymptotic: AsymptoticSequence::new(alpha, v_opt)?,
            count: 0.0,
            sum: 0.0,
            intrinsic: 0.0,
        })
    }

    /// Adds one available decision of `person`: whether treated, the probability of treatment, and the
    /// outcome in [0, 1]. Decisions without availability are not shown to it.
    ///
    /// # Errors
    /// `p` outside `[p_min, 1 - p_min]` or an outcome outside [0, 1]; the state is then unchanged.
    pub fn update(
        &mut self,
        person: &mut PersonalMean,
        treated: bool,
        p: f64,
        outcome: f64,
    ) -> Result<()> {
        unit("outcome", outcome)?;
        if !(p >= self.p_min && p <= 1.0 - self.p_min) {
            return Err(StatsError::OutOfDomain {
                name: "p",
                value: p,
                domain: "[p_min, 1 - p_min]",
            });
        }
        let gap = outcome - person.expected();
        let increment = if treated { gap / p } else { -gap / (1.0 - p) };
        let mean = if self.count > 0.0 {
            self.sum / self.count
        } else {
            0.0
        };
        let centre = mean.clamp(-CENTRE_LIMIT, CENTRE_LIMIT);
        self.asymptotic.update(increment)?;
        self.intrinsic += (increment - centre).powi(2);
        self.count += 1.0;
        self.sum += increment;
        person.learn(outcome);
        Ok(())
    }

    /// Decisions seen.
    #[must_use]
    pub fn decisions(&self) -> f64 {
        self.count
    }

    /// Mean of the increments: an unbiased estimate of the mean effect at a time fixed in advance.
    #[must_use]
    pub fn estimate(&self) -> f64 {
        if self.count > 0.0 {
            self.sum / self.count
        } else {
            0.0
        }
    }

    /// The interval now; [-1, 1] before the first decision.
    ///
    /// # Errors
    /// Those of the boundary.
    pub fn interval(&self) -> Result<Interval> {
        if self.count == 0.0 {
            return Ok(Interval {
                low: -1.0,
                high: 1.0,
            });
        }
        let half = self.mixture.bound(self.intrinsic, self.side)? / self.count;
        Ok(Interval {
            low: (self.estimate() - half).max(-1.0),
            high: (self.estimate() + half).min(1.0),
        })
    }

    /// The asymptotic interval of the same increments: a little narrower, its level reached only in
    /// the limit of a late first look. Tuned to `v_opt` decisions.
    #[must_use]
    pub fn asymptotic_interval(&self) -> Interval {
        self.asymptotic.interval()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    #[test]
    fn without_effect_it_rarely_excludes_zero_at_any_time() {
        let mut wrong = 0;
        for run in 0..300 {
            let mut luck = Stream::new(1, run, 0, 0);
            let mut sequence = EffectSequence::new(0.1, 0.3, 50.0).unwrap();
            let mut people = [PersonalMean::new(0.15).unwrap(); 4];
            let mut excluded = false;
            for t in 0..400usize {
                let p = 0.3 + 0.4 * luck.uniform();
                let outcome = f64::from(u8::from(luck.uniform() < 0.2 + 0.2 * (t % 4) as f64));
                sequence
                    .update(&mut people[t % 4], luck.uniform() < p, p, outcome)
                    .unwrap();
                excluded |= !sequence.interval().unwrap().contains(0.0);
            }
            wrong += u32::from(excluded);
        }
        assert!(wrong <= 30, "{wrong} of 300 at level 0.1");
    }

    #[test]
    fn one_step_is_a_supermartingale_at_the_worst_increments() {
        // Two-point increments at the ends of their range, every centre, every bet, by its definition.
        let (bound, limit) = (2.0, CENTRE_LIMIT);
        let scale = bound + limit;
        for i in 0..=40 {
            let mean = -1.0 + f64::from(i) / 20.0;
            let high = (mean + bound) / (2.0 * bound);
            for j in 0..=20 {
                let centre = limit * (f64::from(j) / 10.0 - 1.0);
                for l in 1..60 {
                    let bet = f64::from(l) / 60.0 / scale;
                    let psi = (-(-scale * bet).ln_1p() - scale * bet) / (scale * scale);
                    let factor = |x: f64| (bet * (x - mean) - psi * (x - centre).powi(2)).exp();
                    let expected = high * factor(bound) + (1.0 - high) * factor(-bound);
                    assert!(expected <= 1.0 + 1e-12, "{mean} {centre} {bet}: {expected}");
                }
            }
        }
    }

    #[test]
    fn wrong_input_leaves_the_state_alone() {
        let mut sequence = EffectSequence::new(0.05, 0.4, 10.0).unwrap();
        let mut person = PersonalMean::new(0.0).unwrap();
        let before = (sequence, person);
        for (p, y) in [
            (0.3, 0.5),
            (0.61, 0.5),
            (f64::NAN, 0.5),
            (0.5, 1.1),
            (0.5, f64::NAN),
        ] {
            assert!(sequence.update(&mut person, true, p, y).is_err());
        }
        assert_eq!(before, (sequence, person));
        assert_eq!(sequence.interval().unwrap().width(), 2.0);
        assert!(EffectSequence::new(0.05, 0.6, 10.0).is_err() && PersonalMean::new(2.0).is_err());
    }
}
