//! `driftlead sim feed`: a population, one learner per person.

use std::fmt::Write as _;
use std::path::Path;

use driftlead_sim::draw::GENERATOR;
use driftlead_sim::engine::{Control, End, Kernel, Lambda, Progress, Run, Setting, Totals};
use driftlead_sim::scenario::Scenario;
use serde::Serialize;

use super::LABEL;
use crate::args::{Common, Feed};
use crate::failure::Failure;
use crate::number::{figure, thousands};
use crate::{Outcome, VERSION, file, summary, terminal};

const CONTENTS: [&[&str]; 2] = [
    &["informative", "bait"],
    &["depth", "fear", "dunk", "flattery"],
];
const STATES: [&str; 3] = ["calm", "engaged", "hooked"];

/// The run as data.
#[derive(Serialize)]
struct Content<'a> {
    program: &'a str,
    verb: &'a str,
    label: &'a str,
    manifest: Manifest<'a>,
    contents: &'a [&'a str],
    states: [&'a str; 3],
    steps: Vec<Step>,
    policies: Vec<Policy>,
    totals: &'a Totals,
}

/// What the numbers are a function of. The kernel is named although no number depends on it.
#[derive(Serialize)]
struct Manifest<'a> {
    scenario: String,
    generator: &'a str,
    kernel: &'a str,
    world: &'a str,
    alpha: f64,
    lambda: String,
    people: u64,
    steps: u32,
    seed: u64,
}

/// Means and shares at one step, from 1.
#[derive(Serialize)]
struct Step {
    step: usize,
    mean_reaction: f64,
    shown: Vec<f64>,
    states: [f64; 3],
}

/// The policies at the end, of one state or of all.
#[derive(Serialize)]
struct Policy {
    state: &'static str,
    mean_probability: Vec<f64>,
    locked: f64,
    locked_to_less_reaction: Option<f64>,
}

/// Runs it.
pub(crate) fn run(args: &Feed, common: &Common) -> Result<Outcome, Failure> {
    let scenario = read(&args.scenario)?;
    let (setting, people, steps) = match scenario {
        Scenario::Engine {
            setting,
            people,
            steps,
        } => (setting, people, steps),
        Scenario::Clusters(scenario) => return super::clusters::run(*scenario, args, common),
        Scenario::Catalogue(scenario) => return super::catalogue::run(*scenario, args, common),
        Scenario::Opinion(scenario) => return super::opinion::run(*scenario, args, common),
    };
    if args.events.is_some() || args.out.is_some() {
        let what = "--events and --out need a scenario of kind clusters";
        return Err(Failure::Input(what.to_owned()));
    }
    let run = Run {
        setting,
        people: args.people.unwrap_or(people),
        steps: args.steps.unwrap_or(steps),
        seed: common.seed,
    };
    let end = go(&run, args, common)?;
    if !end.complete {
        return Err(stopped(&end, &run, args));
    }
    let content = content(&run, &end.totals, args);
    if let Some(target) = &args.json.json {
        file::write_json(target, &content)?;
    }
    let prints_json = (args.json.json.as_deref()).is_some_and(|p| p.as_os_str() == "-");
    if !common.quiet && !prints_json {
        terminal::print(&text(&content, &run))?;
    }
    Ok(Outcome::Done)
}

fn read(path: &Path) -> Result<Scenario, Failure> {
    let failed =
        |what: &dyn std::fmt::Display| Failure::Input(format!("{}: {what}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| failed(&e))?;
    Scenario::parse(&text).map_err(|e| failed(&e))
}

fn go(run: &Run, args: &Feed, common: &Common) -> Result<End, Failure> {
    let bar = terminal::progress_with_eta(run.people, "simulating people", common.quiet);
    let report = |p: Progress| bar.set_position(p.done);
    let control = Control {
        progress: Some(&report),
        // Without a checkpoint there is nothing to keep, and Ctrl-C ends the program at once.
        stop: args.checkpoint.is_some().then(file::stop_on_interrupt),
        checkpoint: args.checkpoint.clone(),
        resume: args.resume,
        ..Control::default()
    };
    let end = run.go(&control);
    bar.finish_and_clear();
    end.map_err(|e| Failure::Input(e.to_string()))
}

fn stopped(end: &End, run: &Run, args: &Feed) -> Failure {
    let kept = args.checkpoint.as_deref().unwrap_or(Path::new(""));
    Failure::Stopped(format!(
        "stopped after {} of {} people; they are kept in {}\n  \
         The same command with --resume goes on from there.",
        thousands(end.totals.people),
        thousands(run.people),
        kept.display()
    ))
}

fn content<'a>(run: &Run, totals: &'a Totals, args: &Feed) -> Content<'a> {
    let (world, alpha, lambda, contents) = match run.setting {
        Setting::Mirror { alpha, lambda } => {
            let lambda = match lambda {
                Lambda::Fixed(x) => x.to_string(),
                Lambda::Grid => "grid over [0, 1]".to_owned(),
            };
            ("mirror", alpha, lambda, CONTENTS[0])
        }
        Setting::Mirror4 { alpha } => {
            let lambda = "golden-ratio sequence in [0, 1)".to_owned();
            ("mirror4", alpha, lambda, CONTENTS[1])
        }
    };
    let shares = |all: [f64; 4]| all[..contents.len()].to_vec();
    let policies = (0..run.setting.policies()).map(|i| Policy {
        state: if run.setting.policies() == 1 {
            "all"
        } else {
            STATES[i]
        },
        mean_probability: (0..contents.len())
            .map(|k| totals.mean_probability(i, k))
            .collect(),
        locked: totals.locked(i),
        locked_to_less_reaction: (contents.len() == 2).then(|| totals.locked_wrong(i)),
    });
    Content {
        program: VERSION,
        verb: "sim feed",
        label: LABEL,
        manifest: Manifest {
            scenario: args.scenario.display().to_string(),
            generator: GENERATOR,
            kernel: Kernel::best().name(),
            world,
            alpha,
            lambda,
            people: run.people,
            steps: run.steps,
            seed: run.seed,
        },
        contents,
        states: STATES,
        steps: (0..run.steps as usize)
            .map(|t| Step {
                step: t + 1,
                mean_reaction: totals.mean_reaction(t),
                shown: shares(totals.shown(t)),
                states: totals.states(t),
            })
            .collect(),
        policies: policies.collect(),
        totals,
    }
}

fn text(content: &Content<'_>, run: &Run) -> String {
    let m = &content.manifest;
    let mut out = format!("{VERSION} · {LABEL}\n");
    let _ = writeln!(
        out,
        "{}: {} people × {} steps, one learner each; alpha {}, lambda {}; seed {}",
        m.world,
        thousands(m.people),
        thousands(m.steps.into()),
        m.alpha,
        m.lambda,
        m.seed
    );
    let _ = write!(out, "\n{:>10} {:>14}", "step", "mean reaction");
    let names = content.contents.iter().chain(&content.states);
    names.for_each(|name| {
        let _ = write!(out, " {name:>12}");
    });
    out.push('\n');
    for t in shown_steps(run.steps) {
        let Some(step) = content.steps.get(t) else {
            continue;
        };
        let _ = write!(
            out,
            "{:>10} {:>14}",
            thousands(step.step as u64),
            figure(step.mean_reaction)
        );
        for share in step.shown.iter().chain(&step.states) {
            let _ = write!(out, " {:>12}", percent(*share));
        }
        out.push('\n');
    }
    out.push_str("\nPolicies after the last step\n");
    let _ = write!(out, "{:>10} {:>14}", "in state", "locked");
    for name in content.contents {
        let _ = write!(out, " {name:>12}");
    }
    out.push('\n');
    for policy in &content.policies {
        let _ = write!(out, "{:>10} {:>14}", policy.state, percent(policy.locked));
        for p in &policy.mean_probability {
            let _ = write!(out, " {:>12}", percent(*p));
        }
        out.push('\n');
    }
    out.push('\n');
    let mut note =
        "Locked: one content has more than 90 % of a person's policy. Shown contents and states \
                    are shares of people at that step; a policy's contents are mean probabilities."
            .to_owned();
    if let Some(wrong) = content
        .policies
        .first()
        .and_then(|p| p.locked_to_less_reaction)
    {
        let _ = write!(
            note,
            " {} of all people are locked to the content that they react to less.",
            percent(wrong)
        );
    }
    out.push_str(&summary::wrap(&note, terminal::width()));
    out
}

/// The first step, the last, and 1-2-5 steps between.
fn shown_steps(steps: u32) -> Vec<usize> {
    let mut shown: Vec<usize> = (0..10)
        .flat_map(|power| [1u64, 2, 5].map(|m| m * 10u64.pow(power)))
        .filter(|&t| t < u64::from(steps))
        .map(|t| t as usize - 1)
        .collect();
    shown.push(steps as usize - 1);
    shown
}

fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_that_are_shown() {
        assert_eq!(shown_steps(1), [0]);
        assert_eq!(shown_steps(2), [0, 1]);
        assert_eq!(shown_steps(250), [0, 1, 4, 9, 19, 49, 99, 199, 249]);
        assert!(shown_steps(u32::MAX).len() < 40);
    }
}
