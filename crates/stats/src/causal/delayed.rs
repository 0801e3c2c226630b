//! Effects on outcomes that arrive late.

use std::collections::VecDeque;

use crate::cs::{ConjugateBernstein, Interval};
use crate::error::{Result, StatsError, unit};

/// Arm of a randomised comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arm {
    /// Without the treatment.
    Control,
    /// With it.
    Treated,
}

/// Receipt for an assignment whose outcome is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    arm: Arm,
    place: usize,
}

/// Confidence sequence for a difference of arm means when outcomes in [0, 1] arrive late.
///
/// Inverse-probability increments of late outcomes are no martingale under any filtration (Lindon &
/// Kallus 2026, arXiv 2603.25971), so each arm has a sequence of its own at `alpha/2` and the effect is
/// their difference by the union bound. Within an arm outcomes enter in the order of *assignment*: one
/// that is missing holds back the later ones. A delay that depends on the outcome then biases nothing,
/// because the sequence covers every prefix at once, also one chosen by the delays.
///
/// **Assumes** within an arm a conditional mean given the earlier assignments' outcomes that is the arm's
/// mean (people randomised once: independent draws). **Guarantee**: level `alpha` at all times. Source of
/// the sequences: [`crate::cs::ConjugateBernstein`].
///
/// ```
/// use driftlead_stats::causal::{Arm, DelayedEffect};
/// let mut effect = DelayedEffect::new(0.05, 50.0)?;
/// let mut waiting = Vec::new();
/// for t in 0..2000 {
///     let arm = if t * 7919 % 10 < 5 { Arm::Treated } else { Arm::Control };
///     waiting.push((effect.assign(arm), if arm == Arm::Treated { 0.7 } else { 0.4 }));
/// }
/// for (ticket, outcome) in waiting.into_iter().rev() {
///     effect.resolve(ticket, outcome)?;
/// }
/// assert!(effect.interval()?.low > 0.2);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct DelayedEffect {
    control: ArmSequence,
    treated: ArmSequence,
}

impl DelayedEffect {
    /// Nothing assigned yet; each arm is tightest near the intrinsic time `v_opt` (outcomes times
    /// their variance).
    ///
    /// # Errors
    /// `alpha` outside (0, 1) or `v_opt` not positive.
    pub fn new(alpha: f64, v_opt: f64) -> Result<Self> {
        let arm = ArmSequence::new(alpha / 2.0, v_opt)?;
        Ok(Self {
            control: arm.clone(),
            treated: arm,
        })
    }

    /// Notes that somebody was assigned to `arm`.
    pub fn assign(&mut self, arm: Arm) -> Ticket {
        let sequence = self.arm_mut(arm);
        sequence.waiting.push_back(None);
        Ticket {
            arm,
            place: sequence.released + sequence.waiting.len() - 1,
        }
    }

    /// Gives the outcome of an assignment.
    ///
    /// # Errors
    /// An outcome outside [0, 1], or a ticket that was used before.
    pub fn resolve(&mut self, ticket: Ticket, outcome: f64) -> Result<()> {
        unit("outcome", outcome)?;
        self.arm_mut(ticket.arm)
            .settle(ticket.place, (outcome, outcome))
    }

    /// Gives up an outcome that will never arrive: it counts as 0 for the lower and as 1 for the upper
    /// end of its arm, which keeps the guarantee whatever it would have been.
    ///
    /// # Errors
    /// A ticket that was used before.
    pub fn give_up(&mut self, ticket: Ticket) -> Result<()> {
        self.arm_mut(ticket.arm).settle(ticket.place, (0.0, 1.0))
    }

    /// Assignments whose outcome is missing or held back.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.control.waiting.len() + self.treated.waiting.len()
    }

    /// Mean of one arm.
    ///
    /// # Errors
    /// Those of the boundary.
    pub fn arm(&self, arm: Arm) -> Result<Interval> {
        match arm {
            Arm::Control => self.control.interval(),
            Arm::Treated => self.treated.interval(),
        }
    }

    /// Treated minus control.
    ///
    /// # Errors
    /// Those of the boundary.
    pub fn interval(&self) -> Result<Interval> {
        let (treated, control) = (self.treated.interval()?, self.control.interval()?);
        Ok(Interval {
            low: treated.low - control.high,
            high: treated.high - control.low,
        })
    }

    fn arm_mut(&mut self, arm: Arm) -> &mut ArmSequence {
        match arm {
            Arm::Control => &mut self.control,
            Arm::Treated => &mut self.treated,
        }
    }
}

/// One arm: outcomes held back, and a sequence for each end.
#[derive(Debug, Clone)]
struct ArmSequence {
    low: ConjugateBernstein,
    high: ConjugateBernstein,
    released: usize,
    waiting: VecDeque<Option<(f64, f64)>>,
}

impl ArmSequence {
    fn new(alpha: f64, v_opt: f64) -> Result<Self> {
        let sequence = ConjugateBernstein::new(alpha, v_opt)?;
        Ok(Self {
            low: sequence,
            high: sequence,
            released: 0,
            waiting: VecDeque::new(),
        })
    }

    fn settle(&mut self, place: usize, bounds: (f64, f64)) -> Result<()> {
        let used = StatsError::Undefined {
            what: "the outcome",
            because: "its ticket was used before",
        };
        let at = place.checked_sub(self.released).ok_or(used.clone())?;
        match self.waiting.get_mut(at) {
            Some(slot @ None) => *slot = Some(bounds),
            _ => return Err(used),
        }
        while let Some(&Some((low, high))) = self.waiting.front() {
            self.low.update(low)?;
            self.high.update(high)?;
            self.waiting.pop_front();
            self.released += 1;
        }
        Ok(())
    }

    fn interval(&self) -> Result<Interval> {
        Ok(Interval {
            low: self.low.interval()?.low,
            high: self.high.interval()?.high,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_arrival_does_not_matter() {
        let build = |reverse: bool| {
            let mut effect = DelayedEffect::new(0.05, 20.0).unwrap();
            let mut tickets: Vec<_> = (0..300u32)
                .map(|t| {
                    let arm = if t % 3 == 0 {
                        Arm::Treated
                    } else {
                        Arm::Control
                    };
                    (effect.assign(arm), f64::from(t % 7) / 6.0)
                })
                .collect();
            if reverse {
                tickets.reverse();
            }
            for (ticket, outcome) in tickets {
                effect.resolve(ticket, outcome).unwrap();
            }
            (effect.interval().unwrap(), effect.waiting())
        };
        assert_eq!(build(false), build(true));
        assert_eq!(build(true).1, 0);
    }

    #[test]
    fn a_missing_outcome_holds_back_the_later_ones_until_it_is_given_up() {
        let mut effect = DelayedEffect::new(0.05, 20.0).unwrap();
        let lost = effect.assign(Arm::Treated);
        let later: Vec<_> = (0..50).map(|_| effect.assign(Arm::Treated)).collect();
        for &ticket in &later {
            effect.resolve(ticket, 0.5).unwrap();
        }
        assert_eq!(
            (effect.waiting(), effect.arm(Arm::Treated).unwrap()),
            (51, Interval::UNIT)
        );
        effect.give_up(lost).unwrap();
        assert_eq!(effect.waiting(), 0);
        assert!(effect.arm(Arm::Treated).unwrap().width() < 0.9);
        assert!(effect.give_up(lost).is_err() && effect.resolve(later[3], 0.5).is_err());
        let fresh = effect.assign(Arm::Control);
        assert!(effect.resolve(fresh, 1.5).is_err());
    }
}
