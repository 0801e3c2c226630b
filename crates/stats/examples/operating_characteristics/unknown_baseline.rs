//! Null alarms and detection when the baseline of a person is not known.

use crate::{Options, reaches, share_error, verdict};
use driftlead_stats::baseline::{
    Guard, Guarded, GuardedRule, GuardedSettings, PosteriorAveraged, Prior,
};
use driftlead_stats::eprocess::Weights;
use driftlead_stats::rng::Stream;
use driftlead_stats::special::{expit, ln_beta_inc, logit};
use std::sync::Arc;

const HORIZON: u32 = 365;

/// Where baselines come from: a mixture of betas `(share, a, b)`.
struct Population {
    name: &'static str,
    parts: &'static [(f64, f64, f64)],
}

const POPULATIONS: [Population; 2] = [
    Population {
        name: "Beta(2,18)",
        parts: &[(1.0, 2.0, 18.0)],
    },
    Population {
        name: "80 % Beta(2,38) + 20 % Beta(8,12)",
        parts: &[(0.8, 2.0, 38.0), (0.2, 8.0, 12.0)],
    },
];

/// (name, size of the step, first changed conversation from 0, length of the ramp)
const CHANGES: [(&str, f64, u32, u32); 6] = [
    ("none", 0.0, HORIZON, 0),
    ("+.10 at 60", 0.10, 60, 0),
    ("+.15 at 60", 0.15, 60, 0),
    ("+.15 at 180", 0.15, 180, 0),
    ("+.30 at 60", 0.30, 60, 0),
    ("ramp +.30 over 120 from 60", 0.30, 60, 120),
];

/// Smallest share of people to be seen, by change.
const GOALS: [(&str, f64); 2] = [("+.15 at 60", 0.5), ("+.15 at 180", 0.8)];

/// One detector for one person: whether the newest observation raises an alarm.
type Detector = Box<dyn FnMut(bool) -> bool>;

struct Method {
    name: &'static str,
    start: Box<dyn Fn() -> Detector>,
}

pub(crate) fn run(options: &Options) {
    println!(
        "\n## Unknown personal baseline: T = {HORIZON}, limit .01 on average, .02 at every baseline\n"
    );
    println!(
        "Prior fitted on 300 other people x 60 conversations. Share of people with any alarm ± Monte-Carlo standard error (detections count from the change on; median delay). The error counts people, not the draw of the 300 on whom the prior was fitted.\n"
    );
    for population in &POPULATIONS {
        table(population, options);
    }
}

fn table(population: &Population, options: &Options) {
    // The limits on people without a change are small and need more of them.
    let (unchanged, changed): (u64, u64) = if options.quick {
        (2000, 2000)
    } else {
        (20_000, 4000)
    };
    println!(
        "### Population {}; {unchanged} people without a change, {changed} per change\n",
        population.name
    );
    let methods = methods(population, options);
    println!(
        "\n| method | null | null by baseline <.05 / .05-.15 / >.15 | {} |",
        CHANGES[1..]
            .iter()
            .map(|c| c.0)
            .collect::<Vec<_>>()
            .join(" | ")
    );
    println!("|---|---|---|{}", "---|".repeat(CHANGES.len() - 1));
    let mut judged = Vec::new();
    for method in &methods {
        let mut cells = Vec::new();
        for (index, &(change, size, onset, ramp)) in CHANGES.iter().enumerate() {
            let people = if size == 0.0 { unchanged } else { changed };
            let mut strata = [(0u32, 0u32); 3];
            let (mut hits, mut delays) = (0u32, Vec::new());
            for person in 0..people {
                let mut luck = Stream::new(options.seed, person, index as u32, 1);
                let p = draw(population, &mut luck);
                let mut detector = (method.start)();
                let alarm = (0..HORIZON).find(|&t| {
                    let share = if t < onset {
                        0.0
                    } else if ramp == 0 {
                        1.0
                    } else {
                        (f64::from(t - onset + 1) / f64::from(ramp)).min(1.0)
                    };
                    detector(luck.uniform() < (p + size * share).min(0.95))
                });
                let stratum = usize::from(p >= 0.05) + usize::from(p > 0.15);
                strata[stratum].1 += 1;
                if let Some(t) = alarm.filter(|&t| size == 0.0 || t >= onset) {
                    hits += 1;
                    strata[stratum].0 += 1;
                    delays.push(t.saturating_sub(onset) + 1);
                }
            }
            let share = f64::from(hits) / people as f64;
            let error = share_error(share, people as f64);
            delays.sort_unstable();
            let median = delays.get(delays.len() / 2).copied().unwrap_or(0);
            if index == 0 {
                let rate = |s: (u32, u32)| {
                    let n = f64::from(s.1.max(1));
                    let rate = f64::from(s.0) / n;
                    (rate, share_error(rate, n))
                };
                let strata = strata.map(rate);
                cells.push(format!("{share:.4} ± {error:.4}"));
                cells.push(strata.map(|(r, e)| format!("{r:.4} ± {e:.4}")).join(" / "));
                let (worst, spread) = strata
                    .into_iter()
                    .fold((0.0, 0.0), |a, b| if b.0 > a.0 { b } else { a });
                judged.push(format!(
                    "- {}: null at most .01 overall: {}; at most .02 in the worst stratum: {}",
                    method.name,
                    verdict(share, error, 0.01),
                    verdict(worst, spread, 0.02)
                ));
            } else {
                cells.push(format!("{share:.3} ± {error:.3} ({median})"));
                if let Some(&(_, goal)) = GOALS.iter().find(|g| g.0 == change) {
                    judged.push(format!(
                        "  - {change}, at least {goal} seen: {}",
                        reaches(share, error, goal)
                    ));
                }
            }
        }
        println!("| {} | {} |", method.name, cells.join(" | "));
    }
    println!("\nTargets:\n");
    for line in judged {
        println!("{line}");
    }
    println!();
}

fn methods(population: &Population, options: &Options) -> Vec<Method> {
    let others: Vec<(u64, u64)> = (0..300)
        .map(|person| {
            let mut luck = Stream::new(options.seed, person, 0, 2);
            let p = draw(population, &mut luck);
            ((0..60).filter(|_| luck.uniform() < p).count() as u64, 60)
        })
        .collect();
    let beta = Prior::beta_from_counts(&others, 16).expect("counts");
    let npmle = Prior::npmle(&others, 0.004, 0.6, 24).expect("counts");
    let shifts = PosteriorAveraged::default_shifts();
    let mut methods = Vec::new();
    for (name, prior) in [
        ("posterior average, beta prior, 1/alpha", beta),
        ("posterior average, NPMLE prior, 1/alpha", npmle.clone()),
    ] {
        let fresh = PosteriorAveraged::new(&prior, &shifts, Weights::Horizon(HORIZON.into()))
            .expect("shifts");
        methods.push(Method {
            name,
            start: Box::new(move || {
                let mut process = fresh.clone();
                Box::new(move |x| process.update(x) >= 100f64.ln())
            }),
        });
    }
    let grid = npmle.smoothed(0.004, 0.75, 32, 0.25).expect("grid");
    let base = GuardedSettings {
        paths: if options.quick { 2000 } else { 4000 },
        seed: options.seed,
        ..GuardedSettings::default()
    };
    let strata = || Guard::Strata(vec![0.05, 0.15]);
    for (name, settings) in [
        ("guarded at every baseline", base.clone()),
        (
            "guarded in three strata",
            GuardedSettings {
                guard: strata(),
                average: 0.008,
                everywhere: 0.015,
                ..base.clone()
            },
        ),
    ] {
        let rule = Arc::new(GuardedRule::calibrate(&grid, &settings).expect("settings"));
        let worst = rule.null_rates().iter().map(|r| r.rate).fold(0.0, f64::max);
        println!(
            "- {name}: calibrated to {} on average, {} in each group; average rate under the fitted prior {:.4}, worst baseline {worst:.4}.",
            settings.average,
            settings.everywhere,
            rule.average_rate()
        );
        methods.push(Method {
            name,
            start: Box::new(move || {
                let mut person = Guarded::new(Arc::clone(&rule));
                Box::new(move |x| person.update(x))
            }),
        });
    }
    methods
}

/// A baseline from the population, by inversion of the beta distribution on a logit grid.
fn draw(population: &Population, luck: &mut Stream) -> f64 {
    let mut pick = luck.uniform();
    for &(share, a, b) in population.parts {
        if pick < share {
            return beta_quantile(a, b, luck.uniform());
        }
        pick -= share;
    }
    population
        .parts
        .last()
        .map_or(0.5, |&(_, a, b)| beta_quantile(a, b, luck.uniform()))
}

fn beta_quantile(a: f64, b: f64, u: f64) -> f64 {
    let (mut low, mut high) = (logit(1e-9), logit(1.0 - 1e-9));
    for _ in 0..40 {
        let mid = 0.5 * (low + high);
        if ln_beta_inc(a, b, expit(mid)) < u.ln() {
            low = mid
        } else {
            high = mid
        }
    }
    expit(0.5 * (low + high))
}
