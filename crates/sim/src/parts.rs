//! The parts of the loop between a person and a system that adapts to them.
//!
//! A step: the person is in a state; a stack of [`Lens`]es and the [`Optimiser`] give a distribution
//! over contents, a [`Governor`] may constrain it, one content is shown, the person reacts and
//! changes, the [`Principal`] turns what can be seen of that into a reward, and the optimiser learns.
//! Worlds that do not fit this shape (two strategic players, a corpus) are
//! modules of their own and share nothing of this.

/// What can be seen of one exposure. Nobody but the simulator sees more of a person.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Signal {
    /// The reaction in its own unit (attention, dwell).
    pub reaction: f64,
    /// What the person answers when asked whether this was worth it, in the unit of the reaction.
    pub rating: f64,
    /// What a third person answers about the content, in the unit of the reaction.
    pub third_party: f64,
    /// Bought, signed up: 0 or 1.
    pub conversion: f64,
    /// Came back after this: 0 or 1.
    pub retention: f64,
    /// Leans to the side the deployer wants, 0 or 1.
    pub vote: f64,
    /// Did what it was told, 0 or 1.
    pub compliance: f64,
}

/// The law of a reaction: normal with a floor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Law {
    /// Mean before the floor.
    pub mean: f64,
    /// Standard deviation before the floor, ≥ 0.
    pub sd: f64,
    /// Smallest reaction.
    pub floor: f64,
}

impl Law {
    /// The reaction at a standard normal draw.
    pub fn at(&self, z: f64) -> f64 {
        (self.mean + self.sd * z).max(self.floor)
    }
}

/// One simulated person: a fast state that the system may see and a slow one that it may not.
pub trait Person {
    /// Number of fast states, at most [`MAX_STATES`].
    fn states(&self) -> usize;
    /// Number of contents, at most [`MAX_CONTENTS`].
    fn contents(&self) -> usize;
    /// The fast state now.
    fn state(&self) -> usize;
    /// Law of the reaction to a content now.
    fn law(&self, content: usize) -> Law;
    /// Everything that can be seen beside the reaction. `uniform` gives further draws.
    fn signal(&self, content: usize, reaction: f64, uniform: &mut dyn FnMut() -> f64) -> Signal {
        let _ = (content, uniform);
        Signal {
            reaction,
            rating: reaction,
            third_party: reaction,
            ..Signal::default()
        }
    }
    /// Moves both states after a content; `uniform` is in (0, 1).
    fn evolve(&mut self, content: usize, reaction: f64, uniform: f64);
    /// A step in which nothing is shown.
    fn rest(&mut self, uniform: f64) {
        let _ = uniform;
    }
    /// Worth of a content to the person by the standard held at the start; simulator only.
    fn welfare(&self, content: usize) -> f64 {
        self.law(content).mean
    }
    /// The same by the standard held now.
    fn welfare_now(&self, content: usize) -> f64 {
        self.welfare(content)
    }
    /// How far the slow state has been moved from where it began, ≥ 0; simulator only.
    fn displacement(&self) -> f64 {
        0.0
    }
    /// Strength of the pull of a content now, the part that does not wait for a decision.
    fn pull(&self, content: usize) -> f64 {
        self.law(content).mean
    }
}

/// Most fast states of a person.
pub const MAX_STATES: usize = 3;
/// Most contents a tabular learner handles.
pub const MAX_CONTENTS: usize = 16;

/// A tilt of an action distribution: new ∝ old × exp(score / β).
pub trait Lens {
    /// Its name, for the table of contributions.
    fn name(&self) -> &str;
    /// Adds score / β to the log weights of the contents; −∞ masks one.
    fn tilt(&self, shown: &[f64], log_weights: &mut [f64]);
}

/// Who provides the reward.
pub trait Principal {
    /// The reward for what was seen.
    fn reward(&self, signal: &Signal) -> f64;
    /// Whether more than the reaction is looked at. Answers cost draws.
    fn looks_further(&self) -> bool {
        true
    }
}

/// One thing shown and what came of it.
#[derive(Debug, Clone, Copy)]
pub struct Taken<'a> {
    /// State before.
    pub state: usize,
    /// State after.
    pub next: usize,
    /// The optimiser's own distribution, before a governor.
    pub policy: &'a [f64],
    /// Log weights of the lens stack under the policy.
    pub base: &'a [f64],
    /// What was shown.
    pub content: usize,
    /// The principal's reward.
    pub reward: f64,
    /// The reward expected under the policy (for the oracle baseline only).
    pub expected: f64,
}

/// What learns from the reward.
pub trait Optimiser {
    /// Writes the distribution over contents in a state, given the stack's log weights.
    /// `uniform` gives draws to rules that need luck of their own.
    fn policy(
        &mut self,
        state: usize,
        base: &[f64],
        uniform: &mut dyn FnMut() -> f64,
        out: &mut [f64],
    );
    /// Learns from one exposure.
    fn learn(&mut self, taken: &Taken<'_>);
    /// Whether [`Taken::expected`] is used; it is 0 otherwise.
    fn wants_expected(&self) -> bool {
        false
    }
}

/// Acts on the stack.
pub trait Governor {
    /// Constrains the distribution before something is shown, given the evidence so far (an e-value).
    fn constrain(&self, evidence: f64, policy: &mut [f64]);
    /// Whether anything is shown at this place of a day (both counted from 0).
    fn shows(&self, day: u32, place: u32) -> bool {
        let _ = (day, place);
        true
    }
}
