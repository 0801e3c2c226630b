//! `driftlead sim feed` for scenarios of kind `opinion`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use driftlead_sim::feed::opinion::kinds::Constant;
use driftlead_sim::feed::opinion::numbers::{self, Course, Look, MEASURES};
use driftlead_sim::feed::opinion::panel;
use driftlead_sim::feed::sums::Estimate;
use driftlead_sim::scenario::Opinion;
use serde::Serialize;

use super::output::{self, Output};
use super::{events, opinion_page};
use crate::args::{Common, Feed};
use crate::failure::Failure;
use crate::number::{figure, thousands};
use crate::{Outcome, summary, terminal};

/// The world's parameters.
#[derive(Serialize)]
struct Parameters<'a> {
    kind: &'a str,
    constants: BTreeMap<&'a str, Constant>,
    network: Option<&'a str>,
    friends: f64,
    replicates: u32,
}

#[derive(Serialize)]
struct Found {
    arms: Vec<Course>,
}

type Content<'a> = Output<'a, Parameters<'a>, Found>;

/// Runs it.
pub(super) fn run(scenario: Opinion, args: &Feed, common: &Common) -> Result<Outcome, Failure> {
    if args.checkpoint.is_some() {
        let what = "a scenario of kind opinion has no --checkpoint";
        return Err(Failure::Input(what.to_owned()));
    }
    let scenario = (scenario.with_size(args.people, args.steps))
        .and_then(|s| s.with_edges(&args.scenario))
        .map_err(Failure::Input)?;
    let world = scenario.world();
    let size = &scenario.size;
    let events = match &args.events {
        Some(target) => Some(write_panel(target, &scenario, common)?),
        None => None,
    };
    let total = u64::from(size.replicates);
    let bar = terminal::progress_with_eta(total, "simulating replicates", common.quiet);
    let finished = AtomicU64::new(0);
    let done = || bar.set_position(finished.fetch_add(1, Ordering::Relaxed) + 1);
    let arms = numbers::run(world.as_ref(), size, common.seed, &done);
    bar.finish_and_clear();
    let parameters = Parameters {
        kind: "opinion",
        constants: scenario.constants.iter().copied().collect(),
        network: size.network.as_ref().map(|n| n.name()),
        friends: size.friends,
        replicates: size.replicates,
    };
    let found = Found {
        arms: arms.map_err(Failure::Input)?,
    };
    let run = output::Size {
        world: scenario.key,
        people: size.people as u64,
        steps: size.steps,
    };
    let content = Output::new(run, parameters, found, args, common);
    let draw = |content: &Content<'_>| opinion_page::page(&title(content), &content.result.arms);
    content.write(&text(&content), draw, events.as_deref(), args, common)
}

/// Writes the first people of the first replicate, as it is.
fn write_panel(target: &Path, scenario: &Opinion, common: &Common) -> Result<String, Failure> {
    let setting = numbers::setting(&scenario.size, common.seed, 0).map_err(Failure::Input)?;
    let world = scenario.world();
    let panel = events::Panel {
        people: scenario.panel.min(scenario.size.people) as u64,
        shown: scenario.size.steps.into(),
    };
    // People meet each other, so that all of them go through the steps at once.
    let days = || panel::conversations(scenario.key, world.as_ref(), &setting, scenario.panel);
    events::write(target, panel, std::iter::once_with(days))
}

/// What a table shows of each look: heading and name of the number.
const COURSE: [(&str, &str); 7] = [
    ("mean", "mean"),
    ("|x|", "mean_abs"),
    ("variance", "variance"),
    ("bimodality", "bimodality"),
    ("agreement", "agreement"),
    ("camps", "camps"),
    ("from start", "from_start"),
];
const ARMS: [(&str, &str); 8] = [
    ("variance", "variance"),
    ("bimodality", "bimodality"),
    ("camps", "camps"),
    ("from start", "from_start"),
    ("from natural", "from_natural"),
    ("Jaccard", "jaccard"),
    ("reaction", "reaction"),
    ("value", "value"),
];
/// What else there is of the world as it is, in words.
const REST: [(&str, &str); 6] = [
    ("majority", "majority"),
    ("mean absolute deviation", "mean_absolute_deviation"),
    ("dip", "dip"),
    ("Esteban–Ray", "esteban_ray"),
    ("correlation of activity and |x|", "activity_correlation"),
    ("effective number of items", "effective_items"),
];

fn title(content: &Content<'_>) -> String {
    let m = &content.manifest;
    format!(
        "{}: {} people × {} steps, {} replicates; friends: {}; seed {}",
        m.world,
        thousands(m.people),
        thousands(m.steps.into()),
        thousands(m.parameters.replicates.into()),
        m.parameters.network.unwrap_or("none").replace('_', " "),
        m.seed
    )
}

fn text(content: &Content<'_>) -> String {
    let mut out = format!("{}\n", title(content));
    let shown = |c: &Constant| match c {
        Constant::Number(x) => x.to_string(),
        Constant::Count(n) => n.to_string(),
        Constant::Choice(name) => (*name).to_owned(),
    };
    let constants = content.manifest.parameters.constants.iter();
    let constants = constants.map(|(k, c)| format!("{k} {}", shown(c)));
    let constants = constants.collect::<Vec<_>>().join(", ");
    out.push_str(&summary::wrap(&constants, terminal::width()));
    let Some(as_is) = content.result.arms.first() else {
        return out;
    };
    let _ = write!(out, "\n{:>9}", "step");
    COURSE.iter().for_each(|(name, _)| {
        let _ = write!(out, " {name:>16}");
    });
    out.push('\n');
    for look in &as_is.looks {
        let _ = write!(out, "{:>9}", thousands(look.step.into()));
        COURSE.iter().for_each(|(_, key)| {
            let _ = write!(out, " {:>16}", estimate(look.get(key)));
        });
        out.push('\n');
    }
    arms(&mut out, &content.result.arms);
    if let Some(last) = as_is.looks.last() {
        let rest = REST.iter().filter_map(|(name, key)| {
            let value = last.get(key)?;
            Some(format!("{name} {}", estimate(Some(value))))
        });
        let rest = rest.collect::<Vec<_>>().join("; ");
        out.push_str(&summary::wrap(
            &format!("\nAs it is: {rest}."),
            terminal::width(),
        ));
    }
    let natural = content.result.arms.iter().find(|a| a.natural).map_or_else(
        || "This world has no natural course.".to_owned(),
        |a| {
            format!(
                "From natural: mean distance to the same people in the arm \"{}\".",
                a.arm
            )
        },
    );
    out.push_str(&summary::wrap(
        &format!(
            "Mean over replicates ± standard error. x is a person's position, |x| its distance from the middle of \
             the scale, agreement van der Eijk's A. {natural} Jaccard: overlap of what two people were shown since the look before; reaction and \
             value per thing shown. Formulas, and which of them were checked against their paper: docs/feed.md. These \
             are numbers of simulated people."
        ),
        terminal::width(),
    ));
    out
}

fn arms(out: &mut String, arms: &[Course]) {
    let _ = write!(out, "\nAt the end, same people, same luck\n  {:<26}", "");
    ARMS.iter().for_each(|(name, _)| {
        let _ = write!(out, " {name:>15}");
    });
    out.push('\n');
    let last = |arm: &Course| arm.looks.last().cloned();
    let all: Vec<(&str, Look)> = (arms.iter())
        .filter_map(|a| Some((a.arm, last(a)?)))
        .collect();
    for (name, look) in &all {
        let _ = write!(out, "  {name:<26}");
        ARMS.iter().for_each(|(_, key)| {
            let _ = write!(out, " {:>15}", estimate(look.get(key)));
        });
        out.push('\n');
    }
    // The world's own numbers, of every arm.
    let Some((_, first)) = all.first() else {
        return;
    };
    let own = first.numbers.iter().map(|n| n.name);
    let own: Vec<&str> = own
        .filter(|n| !MEASURES.contains(n) && *n != "value")
        .collect();
    if own.is_empty() {
        return;
    }
    let _ = write!(out, "  {:<26}", "");
    own.iter().for_each(|name| {
        let _ = write!(out, " {:>15}", name.replace('_', " "));
    });
    out.push('\n');
    for (name, look) in &all {
        let _ = write!(out, "  {name:<26}");
        own.iter().for_each(|key| {
            let _ = write!(out, " {:>15}", estimate(look.get(key)));
        });
        out.push('\n');
    }
}

fn estimate(e: Option<Estimate>) -> String {
    match e {
        None => "–".to_owned(),
        Some(Estimate { mean, se: None }) => figure(mean),
        Some(Estimate { mean, se: Some(se) }) => format!("{} ± {}", figure(mean), small(se)),
    }
}

/// A standard error: two digits, and nothing below a thousandth.
fn small(se: f64) -> String {
    match se {
        x if x < 0.0005 => "0".to_owned(),
        x if x < 0.095 => format!("{x:.3}"),
        x => format!("{x:.2}"),
    }
}
