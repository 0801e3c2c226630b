//! One step of the loop, the same for every tabular world and every optimiser.

use super::luck::{StepLuck, pick};
use crate::parts::{Governor, MAX_CONTENTS, Optimiser, Person, Principal, Signal, Taken};

/// What happened in one step.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    /// State before.
    pub state: usize,
    /// State after.
    pub next: usize,
    /// What was shown.
    pub content: usize,
    /// Probability with which it was shown.
    pub propensity: f64,
    /// What can be seen of it.
    pub signal: Signal,
    /// The principal's reward.
    pub reward: f64,
    /// Worth of what was shown, by the standard of the start; simulator only.
    pub welfare: f64,
    /// The same by the standard held now.
    pub welfare_now: f64,
    /// The optimiser's own distribution, before the governor.
    pub policy: [f64; MAX_CONTENTS],
    /// The distribution that was drawn from.
    pub served: [f64; MAX_CONTENTS],
}

/// The person now provides the reward: the reaction as it comes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reaction;

impl Principal for Reaction {
    fn reward(&self, signal: &Signal) -> f64 {
        signal.reaction
    }
    fn looks_further(&self) -> bool {
        false
    }
}

/// Nobody governs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ungoverned;

impl Governor for Ungoverned {
    fn constrain(&self, _evidence: f64, _policy: &mut [f64]) {}
}

/// What a step needs beside the person and the optimiser.
pub struct Setting<'a, R, G> {
    /// Log weights of the lens stack.
    pub base: &'a [f64],
    /// Who provides the reward.
    pub principal: &'a R,
    /// Who constrains the distribution.
    pub governor: &'a G,
    /// The monitor's evidence so far.
    pub evidence: f64,
}

/// One step. Draws in the order content, reaction, state; the reaction is that of the state *before*
/// the transition, and the optimiser learns before the person moves on.
pub fn step<P: Person, O: Optimiser, R: Principal, G: Governor>(
    person: &mut P,
    optimiser: &mut O,
    setting: &Setting<'_, R, G>,
    luck: StepLuck,
    further: &mut dyn FnMut() -> f64,
) -> Outcome {
    let k = person.contents();
    let state = person.state();
    let mut policy = [0.0; MAX_CONTENTS];
    optimiser.policy(state, setting.base, further, &mut policy[..k]);
    let mut served = policy;
    setting
        .governor
        .constrain(setting.evidence, &mut served[..k]);
    let content = pick(&served[..k], luck.content);
    let reaction = person.law(content).at(luck.reaction);
    let signal = match setting.principal.looks_further() {
        true => person.signal(content, reaction, further),
        false => Signal {
            reaction,
            ..Signal::default()
        },
    };
    let reward = setting.principal.reward(&signal);
    let expected = match optimiser.wants_expected() {
        true => (0..k).map(|j| policy[j] * person.law(j).mean).sum(),
        false => 0.0,
    };
    let (welfare, welfare_now) = (person.welfare(content), person.welfare_now(content));
    person.evolve(content, reaction, luck.state);
    let next = person.state();
    optimiser.learn(&Taken {
        state,
        next,
        policy: &policy[..k],
        base: setting.base,
        content,
        reward,
        expected,
    });
    Outcome {
        state,
        next,
        content,
        propensity: served[content],
        signal,
        reward,
        welfare,
        welfare_now,
        policy,
        served,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::learner::{Baseline, Learner, Rule};
    use crate::feed::mirror::{ALPHA, Mirror};

    const ACTION: [f64; 8] = [0.1, 0.7, 0.62, 0.3, 0.95, 0.45, 0.8, 0.05];
    const Z: [f64; 8] = [0.5, -1.2, 0.8, 1.5, -3.0, 0.1, -0.4, 2.0];
    const STATE: [f64; 8] = [0.9, 0.2, 0.75, 0.5, 0.97, 0.03, 0.66, 0.4];

    /// Theta of the second content after each step, from the demo's own class with these draws.
    #[test]
    fn the_trace_of_the_public_demo() {
        let cases = [
            (
                0.0,
                [
                    0.0,
                    0.035_268_502_958_178_57,
                    0.147_071_365_524_460_48,
                    0.245_159_945_517_830_27,
                    0.172_931_809_399_223_98,
                    0.326_052_806_894_795_1,
                    0.354_295_318_164_739_8,
                    0.472_933_639_290_519_46,
                ],
            ),
            (
                0.3,
                [
                    0.0,
                    0.007_139_759_001_407_349,
                    0.089_038_396_907_185_29,
                    0.039_888_701_264_608_63,
                    -0.070_408_294_182_873_12,
                    -0.073_878_389_445_412_07,
                    -0.115_564_596_010_090_95,
                    -0.165_638_415_676_804_26,
                ],
            ),
        ];
        for (lambda, want) in cases {
            let mut person = Mirror::new(lambda);
            let rule = Rule::Reinforce {
                alpha: ALPHA,
                baseline: Baseline::Welford,
                kl: 0.0,
            };
            let mut learner = Learner::new(rule, 2);
            let setting = Setting {
                base: &[0.0; 2],
                principal: &Reaction,
                governor: &Ungoverned,
                evidence: 1.0,
            };
            for t in 0..8 {
                let luck = StepLuck {
                    content: ACTION[t],
                    state: STATE[t],
                    reaction: Z[t],
                };
                step(&mut person, &mut learner, &setting, luck, &mut || 0.5);
                assert!((learner.row(0)[1] - want[t]).abs() < 1e-9, "{lambda} {t}");
                assert!((learner.row(0)[0] + want[t]).abs() < 1e-9);
            }
        }
    }
}
