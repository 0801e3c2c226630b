//! Tests of the learners.

use super::*;

fn after(rule: Rule, rewards: [f64; 3], steps: u32) -> Vec<f64> {
    let base = [0.0; 3];
    let mut learner = Learner::new(rule, 3);
    let mut luck = crate::draw::Draws::new(3).sequence(0, 0, 0);
    let mut p = [0.0; 3];
    for _ in 0..steps {
        learner.policy(0, &base, &mut || luck.uniform(), &mut p);
        assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{rule:?} {p:?}");
        let content = crate::feed::luck::pick(&p, luck.uniform());
        let reward = rewards[content] + 0.3 * luck.normal();
        learner.learn(&Taken {
            state: 0,
            next: 0,
            policy: &p,
            base: &base,
            content,
            reward,
            expected: p.iter().zip(&rewards).map(|(p, r)| p * r).sum(),
        });
    }
    learner.policy(0, &base, &mut || luck.uniform(), &mut p);
    p.to_vec()
}

#[test]
fn every_rule_finds_a_clearly_best_content() {
    let alpha = 0.1;
    let rules = [
        Rule::Reinforce {
            alpha,
            baseline: Baseline::Welford,
            kl: 0.0,
        },
        Rule::Reinforce {
            alpha,
            baseline: Baseline::WelfordBefore,
            kl: 0.0,
        },
        Rule::Reinforce {
            alpha,
            baseline: Baseline::Oracle,
            kl: 0.0,
        },
        Rule::ActorCritic {
            alpha,
            critic: 0.1,
            gamma: 0.0,
            kl: 0.0,
        },
        Rule::Ppo {
            alpha: 0.3,
            critic: 0.1,
            gamma: 0.0,
            kl: 0.0,
            batch: 8,
            epochs: 3,
            clip: 0.2,
        },
        Rule::Grpo {
            alpha: 0.3,
            kl: 0.0,
            batch: 8,
            epochs: 1,
            clip: 0.2,
        },
        Rule::EpsilonGreedy { epsilon: 0.1 },
        Rule::Ucb { width: 0.5 },
        Rule::Thompson {
            prior_sd: 1.0,
            noise_sd: 0.3,
        },
        Rule::BestOfN { n: 8 },
    ];
    for rule in rules {
        let p = after(rule, [0.0, 2.0, 0.5], 3000);
        assert!(p[1] > 0.85, "{rule:?}: {p:?}");
    }
    assert_eq!(after(Rule::None, [0.0, 2.0, 0.5], 100), vec![1.0 / 3.0; 3]);
}

#[test]
fn a_leash_keeps_the_policy_near_the_stack() {
    let rule = |kl| Rule::Reinforce {
        alpha: 0.05,
        baseline: Baseline::Oracle,
        kl,
    };
    let free = after(rule(0.0), [0.0, 1.0, 0.0], 4000);
    let held = after(rule(1.0), [0.0, 1.0, 0.0], 4000);
    assert!(free[1] > 0.97 && held[1] < 0.75, "{free:?} {held:?}");
    // The fixed point of the leashed objective: p ∝ exp(reward / β).
    let e = 1f64.exp();
    assert!((held[1] - e / (e + 2.0)).abs() < 0.08, "{held:?}");
}

#[test]
fn best_of_n_is_the_law_of_the_best_candidate() {
    let mut learner = Learner::new(Rule::BestOfN { n: 2 }, 3);
    learner.table[0] = {
        let mut t = [0.0; MAX_CONTENTS];
        t[..3].copy_from_slice(&[1.0, 3.0, 2.0]);
        t
    };
    let mut p = [0.0; 3];
    learner.policy(0, &[0.0; 3], &mut || 0.5, &mut p);
    for (got, want) in p.iter().zip([1.0 / 9.0, 5.0 / 9.0, 3.0 / 9.0]) {
        assert!((got - want).abs() < 1e-12);
    }
}

#[test]
fn a_masked_content_is_never_chosen() {
    let base = [0.0, f64::NEG_INFINITY, 0.0];
    for rule in [
        Rule::None,
        Rule::Ucb { width: 1.0 },
        Rule::EpsilonGreedy { epsilon: 0.2 },
        Rule::BestOfN { n: 4 },
        Rule::Reinforce {
            alpha: 0.1,
            baseline: Baseline::None,
            kl: 0.1,
        },
    ] {
        let mut p = [0.0; 3];
        Learner::new(rule, 3).policy(0, &base, &mut || 0.5, &mut p);
        assert_eq!(p[1], 0.0, "{rule:?}");
        assert!((p[0] + p[2] - 1.0).abs() < 1e-12);
    }
}
