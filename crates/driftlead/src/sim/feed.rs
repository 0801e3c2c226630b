//! `driftlead sim feed`: a population, one learner per person.

use std::fmt::Write as _;
use std::path::Path;

use driftlead_sim::engine::{Control, End, Kernel, Lambda, Progress, Run, Sample, Setting, Totals};
use driftlead_sim::feed::life::Shown;
use driftlead_sim::feed::panel::{Days, Panel};
use driftlead_sim::scenario::Scenario;
use serde::Serialize;

use super::output::{self, Output, Size, percent};
use super::{engine_page, events, room};
use crate::args::{Common, Feed};
use crate::failure::Failure;
use crate::number::{figure, thousands};
use crate::{Outcome, file, summary, terminal};

const CONTENTS: [&[&str]; 2] = [
    &["informative", "bait"],
    &["depth", "fear", "dunk", "flattery"],
];
/// The worlds have no clock; a panel needs one.
const DAY_STEPS: u32 = 10;
/// Bytes of the sums of one step.
const STEP_SUMS: u64 = 48;
const STATES: [&str; 3] = ["calm", "engaged", "hooked"];

/// The world's parameters. The kernel is named although no number depends on it.
#[derive(Serialize)]
struct Parameters<'a> {
    kernel: &'a str,
    alpha: f64,
    lambda: String,
}

/// What came of it.
#[derive(Serialize)]
pub(super) struct Found<'a> {
    /// Names of the contents.
    pub(super) contents: &'a [&'a str],
    /// Names of the states.
    pub(super) states: [&'a str; 3],
    /// By step.
    pub(super) steps: Vec<Step>,
    /// At the end.
    pub(super) policies: Vec<Policy>,
    /// Some people, when a page or data are asked for.
    sample: Option<Sample>,
    /// Sums over all people.
    pub(super) totals: &'a Totals,
}

type Content<'a> = Output<'a, Parameters<'a>, Found<'a>>;

/// Means and shares at one step, from 1.
#[derive(Serialize)]
pub(super) struct Step {
    /// From 1.
    pub(super) step: usize,
    /// Mean reaction.
    pub(super) mean_reaction: f64,
    shown: Vec<f64>,
    /// Shares of people by state after it.
    pub(super) states: [f64; 3],
}

/// The policies at the end, of one state or of all.
#[derive(Serialize)]
pub(super) struct Policy {
    /// The state, or "all".
    pub(super) state: &'static str,
    mean_probability: Vec<f64>,
    locked: f64,
    /// In `mirror` alone.
    pub(super) locked_to_less_reaction: Option<f64>,
}

/// Runs it.
pub(crate) fn run(args: &Feed, common: &Common) -> Result<Outcome, Failure> {
    let scenario = read(&args.scenario)?;
    output::places(args)?;
    let (setting, people, steps, panel) = match scenario {
        Scenario::Engine {
            setting,
            people,
            steps,
            panel,
        } => (setting, people, steps, panel),
        Scenario::Clusters(scenario) => return super::clusters::run(*scenario, args, common),
        Scenario::Bandit4s(scenario) => return super::phase::run(scenario, args, common),
        Scenario::Catalogue(scenario) => return super::catalogue::run(*scenario, args, common),
        Scenario::Opinion(scenario) => return super::opinion::run(*scenario, args, common),
    };
    let run = Run {
        setting,
        people: args.people.unwrap_or(people),
        steps: args.steps.unwrap_or(steps),
        seed: common.seed,
    };
    room_for_steps(&run)?;
    let events = match &args.events {
        Some(target) => Some(write_events(target, &run, panel)?),
        None => None,
    };
    let end = go(&run, args, common)?;
    if !end.complete {
        return Err(output::stopped(end.totals.people, run.people, args));
    }
    // The people of the sample go through the world once more, and nobody pays for it who did not ask.
    let wanted = args.out.is_some() || args.json.json.is_some();
    let sample = wanted.then(|| run.sample());
    let content = content(&run, &end.totals, sample, args, common);
    let text = text(&content, &run);
    let draw = |content: &Content<'_>| match &content.result.sample {
        Some(sample) => engine_page::page(&title(content), &content.result, sample),
        None => String::new(),
    };
    content.write(&text, draw, events.as_deref(), args, common)
}

/// Memory grows with steps: sums on each thread, and what is printed of them.
fn room_for_steps(run: &Run) -> Result<(), Failure> {
    let each = STEP_SUMS * (rayon::current_num_threads() as u64 + 2) + size_of::<Step>() as u64;
    let needed = u64::from(run.steps).saturating_mul(each);
    match room::memory() {
        Some(free) if needed > free => Err(Failure::Input(format!(
            "steps is {}: the sums of that many steps need about {} of memory, and {} are available",
            thousands(run.steps.into()),
            room::bytes(needed),
            room::bytes(free)
        ))),
        _ => Ok(()),
    }
}

/// Writes people spread evenly over the population, ten steps to a day.
fn write_events(target: &Path, run: &Run, panel: u64) -> Result<String, Failure> {
    let size = events::Panel {
        people: panel.min(run.people),
        shown: run.steps.into(),
    };
    let items = CONTENTS[usize::from(run.setting.contents() == 4)];
    let told = Panel::new("as it is", items.iter().copied(), DAY_STEPS);
    let days = |number| {
        let mut days = Days::new(told.clone(), number);
        for shown in run.person(number) {
            days.add(&Shown {
                day: shown.step / DAY_STEPS,
                place: shown.step % DAY_STEPS,
                content: shown.content,
                propensity: shown.propensity,
                reaction: shown.reaction,
            });
        }
        days.all
    };
    events::write(target, size, run.spread(panel).map(days))
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

fn content<'a>(
    run: &Run,
    totals: &'a Totals,
    sample: Option<Sample>,
    args: &Feed,
    common: &Common,
) -> Content<'a> {
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
    let steps = (0..run.steps as usize).map(|t| Step {
        step: t + 1,
        mean_reaction: totals.mean_reaction(t),
        shown: shares(totals.shown(t)),
        states: totals.states(t),
    });
    let parameters = Parameters {
        kernel: Kernel::best().name(),
        alpha,
        lambda,
    };
    let size = Size {
        world,
        people: run.people,
        steps: run.steps,
    };
    let found = Found {
        contents,
        states: STATES,
        steps: steps.collect(),
        policies: policies.collect(),
        sample,
        totals,
    };
    Output::new(size, parameters, found, args, common)
}

fn title(content: &Content<'_>) -> String {
    let m = &content.manifest;
    format!(
        "{}: {} people × {} steps, one learner each; alpha {}, lambda {}; seed {}",
        m.world,
        thousands(m.people),
        thousands(m.steps.into()),
        m.parameters.alpha,
        m.parameters.lambda,
        m.seed
    )
}

fn text(content: &Content<'_>, run: &Run) -> String {
    let found = &content.result;
    let mut out = format!("{}\n", title(content));
    let _ = write!(out, "\n{:>10} {:>14}", "step", "mean reaction");
    let names = found.contents.iter().chain(&found.states);
    names.for_each(|name| {
        let _ = write!(out, " {name:>12}");
    });
    out.push('\n');
    for t in shown_steps(run.steps) {
        let Some(step) = found.steps.get(t) else {
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
    for name in found.contents {
        let _ = write!(out, " {name:>12}");
    }
    out.push('\n');
    for policy in &found.policies {
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
    if let Some(wrong) = found
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
