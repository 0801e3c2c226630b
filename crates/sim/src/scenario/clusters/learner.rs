//! The learner of a scenario of kind `clusters`.

use std::ops::RangeInclusive;

use serde::Deserialize;
use toml::{Spanned, Value};

use super::{AMOUNT, Number, PART};
use crate::feed::learner::{Baseline, Rule};
use crate::scenario::{Reader, ScenarioError};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct File {
    rule: Spanned<String>,
    alpha: Number,
    baseline: Option<Spanned<String>>,
    kl: Number,
    critic: Number,
    gamma: Number,
    batch: Option<Spanned<Value>>,
    epochs: Option<Spanned<Value>>,
    clip: Number,
    epsilon: Number,
    width: Number,
    prior_sd: Number,
    noise_sd: Number,
    n: Option<Spanned<Value>>,
}

/// Reads it.
pub(in crate::scenario) fn rule(reader: &Reader<'_>, f: File) -> Result<Rule, ScenarioError> {
    const STEP: RangeInclusive<f64> = 0.0..=10.0;
    let name = f.rule.get_ref().as_str();
    let uses: &[&str] = match name {
        "none" => &[],
        "reinforce" => &["alpha", "baseline", "kl"],
        "actor_critic" => &["alpha", "critic", "gamma", "kl"],
        "ppo" => &["alpha", "critic", "gamma", "kl", "batch", "epochs", "clip"],
        "grpo" => &["alpha", "kl", "batch", "epochs", "clip"],
        "epsilon_greedy" => &["epsilon"],
        "ucb" => &["width"],
        "thompson" => &["prior_sd", "noise_sd"],
        "best_of_n" => &["n"],
        other => {
            let message = format!(
                "rule is \"{other}\", and must be one of none, reinforce, actor_critic, ppo, grpo, \
                 epsilon_greedy, ucb, thompson, best_of_n"
            );
            return Err(reader.at(f.rule.span().start, message));
        }
    };
    for (key, at) in written(&f) {
        if !uses.contains(&key) {
            let message = format!("the rule {name} does not use the key {key}");
            return Err(reader.at(at, message));
        }
    }
    let alpha = reader.number("alpha", &f.alpha, crate::scenario::ALPHA, STEP)?;
    let kl = reader.number("kl", &f.kl, 0.0, AMOUNT)?;
    let critic = reader.number("critic", &f.critic, 0.1, PART)?;
    let gamma = reader.number("gamma", &f.gamma, 0.0, 0.0..=0.999)?;
    let clip = reader.number("clip", &f.clip, 0.2, 0.0..=1.0)?;
    let baseline = match f.baseline.as_ref().map(|b| b.get_ref().as_str()) {
        None | Some("welford") => Baseline::Welford,
        Some("none") => Baseline::None,
        Some("welford_before") => Baseline::WelfordBefore,
        Some("oracle") => Baseline::Oracle,
        Some(other) => {
            let at = f.baseline.as_ref().map_or(0, |b| b.span().start);
            let message = format!(
                "baseline is \"{other}\", and must be one of none, welford, welford_before, oracle"
            );
            return Err(reader.at(at, message));
        }
    };
    let batch = reader.count("batch", f.batch, 8, 100_000)? as usize;
    let epochs = reader.count("epochs", f.epochs, 1, 1000)? as usize;
    let n = reader.count("n", f.n, 4, 1_000_000)? as u32;
    let above_zero = 1e-6..=1000.0;
    Ok(match name {
        "none" => Rule::None,
        "reinforce" => Rule::Reinforce {
            alpha,
            baseline,
            kl,
        },
        "actor_critic" => Rule::ActorCritic {
            alpha,
            critic,
            gamma,
            kl,
        },
        "ppo" => Rule::Ppo {
            alpha,
            critic,
            gamma,
            kl,
            batch,
            epochs,
            clip,
        },
        "grpo" => Rule::Grpo {
            alpha,
            kl,
            batch,
            epochs,
            clip,
        },
        "epsilon_greedy" => Rule::EpsilonGreedy {
            epsilon: reader.number("epsilon", &f.epsilon, 0.1, PART)?,
        },
        "ucb" => Rule::Ucb {
            width: reader.number("width", &f.width, 1.0, AMOUNT)?,
        },
        "thompson" => Rule::Thompson {
            prior_sd: reader.number("prior_sd", &f.prior_sd, 2.0, above_zero.clone())?,
            noise_sd: reader.number("noise_sd", &f.noise_sd, 1.0, above_zero)?,
        },
        _ => Rule::BestOfN { n },
    })
}

/// The keys that the file has, and where.
fn written(f: &File) -> Vec<(&'static str, usize)> {
    let number = |key, v: &Number| v.as_ref().map(|v| (key, v.span().start));
    let value = |key, v: &Option<Spanned<Value>>| v.as_ref().map(|v| (key, v.span().start));
    let all = [
        number("alpha", &f.alpha),
        f.baseline.as_ref().map(|b| ("baseline", b.span().start)),
        number("kl", &f.kl),
        number("critic", &f.critic),
        number("gamma", &f.gamma),
        value("batch", &f.batch),
        value("epochs", &f.epochs),
        number("clip", &f.clip),
        number("epsilon", &f.epsilon),
        number("width", &f.width),
        number("prior_sd", &f.prior_sd),
        number("noise_sd", &f.noise_sd),
        value("n", &f.n),
    ];
    all.into_iter().flatten().collect()
}
