//! `driftlead sim feed` for scenarios of kind `catalogue`.

use std::fmt::Write as _;
use std::path::Path;

use driftlead_sim::feed::catalogue::numbers::{self, ArmNumbers, Numbers};
use driftlead_sim::feed::catalogue::{Items, Prepared, arms, live_and_tell};
use driftlead_sim::feed::panel::{Days, Panel};
use driftlead_sim::feed::sums::Estimate;
use driftlead_sim::scenario::Catalogue;
use serde::Serialize;

use super::output::{self, Output, Size, estimate};
use super::{catalogue_page, events};
use crate::args::{Common, Feed};
use crate::failure::Failure;
use crate::number::{figure, thousands};
use crate::{Outcome, summary, terminal};

/// The world's parameters.
#[derive(Serialize)]
struct Parameters<'a> {
    rule: &'a str,
    learner: String,
    principal: &'a str,
    items: usize,
    attributes: usize,
    top_k: usize,
    retrieve: usize,
    rate: f64,
    memory: f64,
    recovery: f64,
    lambda: [f64; 2],
    alignment: f64,
    noise: f64,
    weeks: u32,
}

type Content<'a> = Output<'a, Parameters<'a>, Numbers>;

/// Runs it.
pub(super) fn run(scenario: Catalogue, args: &Feed, common: &Common) -> Result<Outcome, Failure> {
    let scenario = match args.steps {
        Some(steps) => scenario.with_steps(steps).map_err(Failure::Input)?,
        None => scenario,
    };
    let people = args.people.unwrap_or(scenario.people);
    let world = &scenario.world;
    let events = match &args.events {
        Some(target) => Some(write_events(target, &scenario, people, common.seed)?),
        None => None,
    };
    let mut all = arms::arms(world);
    if scenario.doses {
        all.extend(arms::doses(world));
    }
    let totals = output::watch(people, args, common, |control| {
        numbers::run(&all, people, common.seed, control)
    })?;
    let parameters = Parameters {
        rule: world.mover.rule.map_or("none", |r| r.name()),
        learner: format!("{:?}", world.rule),
        principal: world.principal.name(),
        items: world.items,
        attributes: world.attributes,
        top_k: world.places,
        retrieve: world.retrieve.unwrap_or(world.items),
        rate: world.mover.rate,
        memory: world.mover.memory,
        recovery: world.mover.recovery,
        lambda: world.lambda,
        alignment: world.alignment,
        noise: world.noise,
        weeks: world.weeks,
    };
    let size = Size {
        world: "catalogue",
        people,
        steps: scenario.steps(),
    };
    let content = Output::new(size, parameters, totals.numbers(&all), args, common);
    let draw = |content: &Content<'_>| catalogue_page::page(&title(content), &content.result);
    content.write(&text(&content), draw, events.as_deref(), args, common)
}

/// Writes the first people of the world as it is.
fn write_events(
    target: &Path,
    scenario: &Catalogue,
    people: u64,
    seed: u64,
) -> Result<String, Failure> {
    let world = &scenario.world;
    let panel = events::Panel {
        people: people.min(scenario.panel),
        shown: u64::from(scenario.steps()) * world.places as u64,
    };
    let items = Items::new(world, seed);
    let prepared = Prepared::new(world, &items, seed);
    let names: Vec<String> = (0..world.items).map(|i| format!("item-{i}")).collect();
    let places = world.day_steps.saturating_mul(world.places as u32);
    let told = Panel::new("as it is", names.iter().map(String::as_str), places);
    let days = |number| {
        let mut days = Days::new(told.clone(), number);
        live_and_tell(&prepared, seed, 0, number, false, &mut |shown| {
            days.add(&shown);
        });
        days.all
    };
    events::write(target, panel, (0..panel.people).map(days))
}

fn title(content: &Content<'_>) -> String {
    let m = &content.manifest;
    let p = &m.parameters;
    format!(
        "catalogue: {} items × {} attributes, {} places of {} candidates; {} people × {} weeks \
         ({} steps), one learner each; rule {}; principal {}; seed {}",
        thousands(p.items as u64),
        p.attributes,
        p.top_k,
        thousands(p.retrieve as u64),
        thousands(m.people),
        p.weeks,
        thousands(m.steps.into()),
        p.rule,
        p.principal,
        m.seed
    )
}

fn text(content: &Content<'_>) -> String {
    let arms = &content.result.arms;
    let mut out = format!("{}\n", title(content));
    if let Some(as_is) = arms.first() {
        weekly(&mut out, as_is);
    }
    let _ = writeln!(
        out,
        "\nLast week, same people, same luck\n  {:<24} {:>16} {:>16} {:>10} {:>10} {:>10} {:>10} {:>10}",
        "", "reaction", "welfare", "effective", "of all", "overlap", "moved", "toward"
    );
    for arm in arms {
        let Some(last) = arm.weekly.last() else {
            continue;
        };
        let _ = writeln!(
            out,
            "  {:<24} {:>16} {:>16} {:>10} {:>10} {:>10} {:>10} {:>10}",
            arm.arm.replace('_', " "),
            estimate(&last.reaction),
            estimate(&last.welfare),
            figure(arm.effective.mean),
            figure(arm.effective_common),
            mean(&arm.overlap),
            figure(last.moved.mean),
            figure(last.toward.mean),
        );
    }
    let _ = writeln!(out);
    if let Some(as_is) = arms.first() {
        let sentence = format!(
            "As it is: {:.1} % of people are nearer to what they were shown than they began; cosine of two people \
             {} at first and {} at the end; influence {} nats personal, {} common; {} candidates a step.",
            100.0 * as_is.nearer,
            mean(&as_is.alike_first),
            mean(&as_is.alike_last),
            figure(as_is.personal),
            figure(as_is.common),
            figure(as_is.candidates.mean)
        );
        out.push_str(&summary::wrap(&sentence, terminal::width()));
    }
    if let Some(parts) = &content.result.parts {
        let sentence = format!(
            "Two people are shown different items: D {} = H {} (people) + C {} (luck, nobody moved) + E {} \
             (being moved); one person with other luck {}.",
            estimate(&parts.dispersion),
            estimate(&parts.heterogeneity),
            estimate(&parts.commitment),
            estimate(&parts.moved),
            estimate(&parts.path_dependence)
        );
        out.push_str(&summary::wrap(&sentence, terminal::width()));
    }
    let front: Vec<&str> = (content.result.front.iter())
        .filter(|p| p.on_front)
        .map(|p| p.arm.as_str())
        .collect();
    out.push_str(&summary::wrap(
        &format!(
            "No other way has more of both reaction and welfare: {}.",
            front.join("; ")
        ),
        terminal::width(),
    ));
    out.push_str(&summary::wrap(
        "Mean ± standard error, per place for an item. Effective: number of items, of one person and of all together. \
         Overlap: of two people. Moved: 1 − cosine to the first vector; toward: change of the cosine to what was \
         shown, negative is away. Rules have the same rate and are not alike in strength. Formulas: docs/feed.md. \
         These are numbers of simulated people; the world's constants and the forms of the rules are choices.",
        terminal::width(),
    ));
    out
}

fn weekly(out: &mut String, arm: &ArmNumbers) {
    let _ = write!(out, "\n{:>6}", "week");
    for name in ["reaction", "welfare", "moved", "toward", "strength"] {
        let _ = write!(out, " {name:>16}");
    }
    out.push('\n');
    let weeks = arm.weekly.len();
    for w in (arm.weekly.iter()).filter(|w| w.week == 1 || w.week % 4 == 0 || w.week == weeks) {
        let _ = write!(out, "{:>6}", w.week);
        for e in [w.reaction, w.welfare, w.moved, w.toward, w.strength] {
            let _ = write!(out, " {:>16}", estimate(&e));
        }
        out.push('\n');
    }
}

fn mean(e: &Option<Estimate>) -> String {
    e.map_or("undefined".to_owned(), |e| figure(e.mean))
}
