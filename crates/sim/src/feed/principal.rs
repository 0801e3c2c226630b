//! Who provides the reward. Changing it is one line of a scenario.

use crate::parts::{Principal, Signal};

/// Weights of a deployer's objective.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Weights {
    /// Reaction: attention, dwell.
    pub engagement: f64,
    /// Conversions.
    pub conversion: f64,
    /// Coming back.
    pub retention: f64,
    /// Leaning to the deployer's side.
    pub vote: f64,
    /// Doing as told.
    pub compliance: f64,
}

/// The principals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Who {
    /// The person now: the reaction as it comes.
    PersonNow,
    /// The person on reflection: the answer to "was this worth it".
    PersonReflecting,
    /// A rater who judges the content and not its effect on this person.
    Rater,
    /// A deployer with a weighted objective.
    Deployer(Weights),
}

impl Who {
    /// Name in scenarios.
    pub fn name(&self) -> &'static str {
        match self {
            Who::PersonNow => "person_now",
            Who::PersonReflecting => "person_reflecting",
            Who::Rater => "rater",
            Who::Deployer(_) => "deployer",
        }
    }
}

impl Principal for Who {
    fn reward(&self, s: &Signal) -> f64 {
        match self {
            Who::PersonNow => s.reaction,
            Who::PersonReflecting => s.rating,
            Who::Rater => s.third_party,
            Who::Deployer(w) => {
                w.engagement * s.reaction
                    + w.conversion * s.conversion
                    + w.retention * s.retention
                    + w.vote * s.vote
                    + w.compliance * s.compliance
            }
        }
    }

    fn looks_further(&self) -> bool {
        !matches!(self, Who::PersonNow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_signal_is_worth_different_things() {
        let signal = Signal {
            reaction: 3.0,
            rating: -1.0,
            third_party: 0.5,
            conversion: 1.0,
            ..Signal::default()
        };
        let deployer = Weights {
            engagement: 0.1,
            conversion: 2.0,
            ..Weights::default()
        };
        let rewards = [
            Who::PersonNow,
            Who::PersonReflecting,
            Who::Rater,
            Who::Deployer(deployer),
        ]
        .map(|w| w.reward(&signal));
        assert_eq!(rewards, [3.0, -1.0, 0.5, 2.3]);
    }
}
