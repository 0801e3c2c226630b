//! `driftlead sim feed` for scenarios of kind `catalogue`.

use std::fmt::Write as _;

use driftlead_sim::feed::catalogue::numbers::{self, ArmNumbers};
use driftlead_sim::feed::sums::Estimate;
use driftlead_sim::scenario::Catalogue;
use serde::Serialize;

use super::output::{Output, Size, estimate};
use crate::args::{Common, Feed};
use crate::failure::Failure;
use crate::number::{figure, thousands};
use crate::{Outcome, summary, terminal};

/// The world's parameters.
#[derive(Serialize)]
struct Parameters<'a> {
    rule: &'a str,
    principal: &'a str,
    items: usize,
    attributes: usize,
    top_k: usize,
    retrieve: usize,
    alpha: f64,
    rate: f64,
    memory: f64,
    recovery: f64,
    lambda: [f64; 2],
    alignment: f64,
    noise: f64,
    weeks: u32,
}

#[derive(Serialize)]
struct Arms {
    arms: Vec<ArmNumbers>,
}

type Content<'a> = Output<'a, Parameters<'a>, Arms>;

/// Runs it.
pub(super) fn run(scenario: Catalogue, args: &Feed, common: &Common) -> Result<Outcome, Failure> {
    if args.checkpoint.is_some() || args.events.is_some() || args.out.is_some() {
        let what = "a scenario of kind catalogue has no --checkpoint, --events or --out";
        return Err(Failure::Input(what.to_owned()));
    }
    let scenario = match args.steps {
        Some(steps) => scenario.with_steps(steps).map_err(Failure::Input)?,
        None => scenario,
    };
    let people = args.people.unwrap_or(scenario.people);
    let world = &scenario.world;
    let bar = terminal::progress_with_eta(people, "simulating people", common.quiet);
    let report = |done| bar.set_position(done);
    let arms = numbers::run(&numbers::arms(world), people, common.seed, &report);
    bar.finish_and_clear();
    let parameters = Parameters {
        rule: world.mover.rule.map_or("none", |r| r.name()),
        principal: match world.reflecting {
            true => "person_reflecting",
            false => "person_now",
        },
        items: world.items,
        attributes: world.attributes,
        top_k: world.places,
        retrieve: world.retrieve.unwrap_or(world.items),
        alpha: world.alpha,
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
    let content = Output::new(size, parameters, Arms { arms }, args, common);
    content.write(&text(&content), |_| String::new(), None, args, common)
}

fn text(content: &Content<'_>) -> String {
    let m = &content.manifest;
    let p = &m.parameters;
    let arms = &content.result.arms;
    let mut out = format!(
        "catalogue: {} items × {} attributes, {} places of {} candidates; {} people × {} weeks \
         ({} steps), one learner each; rule {}; principal {}; seed {}\n",
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
    );
    if let Some(as_is) = arms.first() {
        weekly(&mut out, as_is);
    }
    let _ = writeln!(
        out,
        "\nLast week, same people, same luck\n  {:<22} {:>16} {:>16} {:>10} {:>10} {:>10} {:>10} {:>10}",
        "", "reaction", "welfare", "effective", "of all", "overlap", "moved", "toward"
    );
    for arm in arms {
        let Some(last) = arm.weekly.last() else {
            continue;
        };
        let _ = writeln!(
            out,
            "  {:<22} {:>16} {:>16} {:>10} {:>10} {:>10} {:>10} {:>10}",
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
    out.push_str(&summary::wrap(
        "Mean ± standard error, per item shown. Effective: number of items, of one person and of all together. \
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
