//! How what a person is shown moves that person's vector: three interchangeable rules.
//!
//! Each is the simplest form of a named effect. Curmei and others 2022 (arXiv 2208.01534) compare
//! three models under these names; their equations were not read, and these are not claimed to be
//! theirs.

use super::{dot, normalise};

/// A rule. γ is [`Mover::rate`], u the person's vector, v the item's, all applied once per item shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// u ← (u + γ·(v − u))/‖·‖: toward what is shown, however it was received (the effect: Zajonc
    /// 1968).
    MereExposure,
    /// u ← (u + γ·(G − e)·v)/‖·‖ with G the reaction and e the mean that the person has come to
    /// expect, e ← e + m·(G − e): toward what was better than expected and away from what was worse
    /// (the error term: Rescorla & Wagner 1972).
    OperantConditioning,
    /// u ← u − γ·⟨u, v⟩·v, then u ← u + ρ·(u₀ − u): the response to what is shown fades, and comes
    /// back without it (the effect: Brickman & Campbell 1971). The length is not kept: it is the
    /// strength of the response.
    HedonicAdaptation,
}

impl Rule {
    /// All rules.
    pub const ALL: [Rule; 3] = [
        Rule::MereExposure,
        Rule::OperantConditioning,
        Rule::HedonicAdaptation,
    ];

    /// The name in a scenario.
    pub fn name(self) -> &'static str {
        match self {
            Rule::MereExposure => "mere_exposure",
            Rule::OperantConditioning => "operant_conditioning",
            Rule::HedonicAdaptation => "hedonic_adaptation",
        }
    }
}

/// A rule with its constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mover {
    /// The rule; `None` moves nobody.
    pub rule: Option<Rule>,
    /// γ, 0 to 1, per item shown.
    pub rate: f64,
    /// m, 0 to 1: how fast the expected reaction follows the reactions (operant conditioning).
    pub memory: f64,
    /// ρ, 0 to 1: the way back to the first vector per place for an item, shown or not (hedonic
    /// adaptation).
    pub recovery: f64,
}

impl Mover {
    /// One item was shown: moves `u`, which began as `first`, and the expected reaction.
    pub fn step(&self, u: &mut [f64], first: &[f64], item: &[f64], reaction: f64, mean: &mut f64) {
        let surprise = reaction - *mean;
        *mean += self.memory * surprise;
        match self.rule {
            None => {}
            Some(Rule::MereExposure) => {
                for (u, v) in u.iter_mut().zip(item) {
                    *u += self.rate * (v - *u);
                }
                normalise(u, first);
            }
            Some(Rule::OperantConditioning) => {
                let push = self.rate * surprise;
                for (u, v) in u.iter_mut().zip(item) {
                    *u += push * v;
                }
                normalise(u, first);
            }
            Some(Rule::HedonicAdaptation) => {
                let fade = self.rate * dot(u, item);
                for ((u, v), first) in u.iter_mut().zip(item).zip(first) {
                    *u -= fade * v;
                    *u += self.recovery * (first - *u);
                }
            }
        }
    }
}

impl Mover {
    /// A place at which nothing is shown: hedonic adaptation recovers, the others wait.
    pub fn rest(&self, u: &mut [f64], first: &[f64]) {
        if self.rule == Some(Rule::HedonicAdaptation) {
            for (u, first) in u.iter_mut().zip(first) {
                *u += self.recovery * (first - *u);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: [f64; 2] = [1.0, 0.0];
    /// 3-4-5, so that everything below is a fraction.
    const ITEM: [f64; 2] = [0.6, 0.8];

    fn mover(rule: Rule) -> Mover {
        Mover {
            rule: Some(rule),
            rate: 0.5,
            memory: 0.25,
            recovery: 0.0,
        }
    }

    fn close(a: [f64; 2], b: [f64; 2]) {
        assert!(
            (a[0] - b[0]).abs() < 1e-12 && (a[1] - b[1]).abs() < 1e-12,
            "{a:?} {b:?}"
        );
    }

    #[test]
    fn mere_exposure_goes_half_way_whatever_the_reaction() {
        for reaction in [-3.0, 0.0, 3.0] {
            let mut u = FIRST;
            mover(Rule::MereExposure).step(&mut u, &FIRST, &ITEM, reaction, &mut 0.0);
            // (1, 0) and (.6, .8) halved: (.8, .4), of length √.8.
            close(u, [0.8 / 0.8f64.sqrt(), 0.4 / 0.8f64.sqrt()]);
        }
    }

    #[test]
    fn conditioning_goes_toward_a_good_surprise_and_away_from_a_bad_one() {
        let go = |reaction: f64| {
            let (mut u, mut mean) = (FIRST, 1.0);
            mover(Rule::OperantConditioning).step(&mut u, &FIRST, &ITEM, reaction, &mut mean);
            (u, mean)
        };
        // Surprise 2: (1, 0) + 1·(.6, .8), of length √3.2; expected 1 + .25·2.
        let (toward, mean) = go(3.0);
        close(toward, [1.6 / 3.2f64.sqrt(), 0.8 / 3.2f64.sqrt()]);
        assert_eq!(mean, 1.5);
        // Surprise −1: (1, 0) − .5·(.6, .8) = (.7, −.4), of length √.65.
        let (away, mean) = go(0.0);
        close(away, [0.7 / 0.65f64.sqrt(), -0.4 / 0.65f64.sqrt()]);
        assert_eq!(mean, 0.75);
        let (same, mean) = go(1.0);
        assert_eq!((same, mean), (FIRST, 1.0), "what was expected moves nobody");
    }

    #[test]
    fn adaptation_halves_the_response_and_recovers_without_it() {
        let mut u = FIRST;
        let rule = mover(Rule::HedonicAdaptation);
        rule.step(&mut u, &FIRST, &ITEM, 9.0, &mut 0.0);
        // ⟨u, v⟩ = .6; (1, 0) − .3·(.6, .8).
        close(u, [0.82, -0.24]);
        assert!((dot(&u, &ITEM) - 0.3).abs() < 1e-12);
        let mut rested = u;
        rule.rest(&mut rested, &FIRST);
        assert_eq!(rested, u, "without recovery a pause changes nothing");
        // What is at a right angle to u takes nothing, and half of the way back is left.
        let back = Mover {
            rate: 0.0,
            recovery: 0.5,
            ..rule
        };
        back.rest(&mut rested, &FIRST);
        back.step(&mut u, &FIRST, &ITEM, 9.0, &mut 0.0);
        close(u, [0.91, -0.12]);
        assert_eq!(rested, u, "the same without anything shown");
    }

    #[test]
    fn adaptation_rests_where_fading_and_recovery_meet() {
        // r = (1 − γ)·r·(1 − ρ) + ρ·r₀ gives r = ρ·r₀/(1 − (1 − γ)(1 − ρ)) = .6·.25/.625.
        let rule = Mover {
            recovery: 0.25,
            ..mover(Rule::HedonicAdaptation)
        };
        let mut u = FIRST;
        for _ in 0..200 {
            rule.step(&mut u, &FIRST, &ITEM, 0.0, &mut 0.0);
        }
        assert!((dot(&u, &ITEM) - 0.24).abs() < 1e-12);
    }

    #[test]
    fn opposite_vectors_have_no_middle() {
        let mut u = [-0.6, -0.8];
        let first = u;
        mover(Rule::MereExposure).step(&mut u, &first, &ITEM, 0.0, &mut 0.0);
        assert_eq!(
            u, first,
            "the middle has no direction, so that the first one stays"
        );
    }
}
