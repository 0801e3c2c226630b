//! Phase diagrams: scenarios of kind `bandit4s`, and the table of any diagram.

use std::fmt::Write as _;

use driftlead_sim::feed::phase::{Bandit4s, Cell};
use serde::Serialize;

use super::output::{self, Output, Size};
use super::page;
use crate::args::{Common, Feed};
use crate::failure::Failure;
use crate::number::thousands;
use crate::{Outcome, summary, terminal};

#[derive(Serialize)]
struct Parameters {
    alpha: Vec<f64>,
    eta: Vec<f64>,
}

#[derive(Serialize)]
struct Found {
    phase: Vec<Cell>,
}

type Content<'a> = Output<'a, Parameters, Found>;

/// Runs it.
pub(super) fn run(
    mut scenario: Bandit4s,
    args: &Feed,
    common: &Common,
) -> Result<Outcome, Failure> {
    if args.events.is_some() {
        let what = "a scenario of kind bandit4s has no --events: it is many worlds, not one";
        return Err(Failure::Input(what.to_owned()));
    }
    scenario.steps = args.steps.unwrap_or(scenario.steps);
    scenario.grid.people = args.people.unwrap_or(scenario.grid.people);
    let people = scenario.grid.people;
    let totals = output::watch(people, args, common, |control| {
        scenario.run(common.seed, control)
    })?;
    let found = Found {
        phase: scenario.numbers(&totals),
    };
    let size = Size {
        world: "bandit4s",
        people,
        steps: scenario.steps,
    };
    let parameters = Parameters {
        alpha: scenario.grid.alpha,
        eta: scenario.grid.eta,
    };
    let content = Output::new(size, parameters, found, args, common);
    let draw = |content: &Content<'_>| {
        let charts = [page::phase(&content.result.phase, "their best one")];
        page::render(&title(content), &charts)
    };
    content.write(&text(&content), draw, None, args, common)
}

fn title(content: &Content<'_>) -> String {
    let m = &content.manifest;
    format!(
        "bandit4s: {} people × {} steps in each cell, one learner each; seed {}",
        thousands(m.people),
        thousands(m.steps.into()),
        m.seed
    )
}

fn text(content: &Content<'_>) -> String {
    let mut out = format!("{}\n", title(content));
    table(&mut out, &content.result.phase, "their best one");
    out.push('\n');
    out.push_str(&summary::wrap(
        "Share ± standard error. Four contents with mean reactions 1, .8, .6 and .3 and an SD of .5 for \
         everybody; exposure raises a reaction toward 2. These are numbers of simulated people; the \
         world's constants are choices.",
        terminal::width(),
    ));
    out
}

/// Shares of people who end elsewhere, one row per step size; nothing without cells.
pub(super) fn table(out: &mut String, cells: &[Cell], best: &str) {
    let Some(first) = cells.first() else { return };
    let _ = writeln!(
        out,
        "\nPeople who end at another content than {best}, by step size alpha and sensitisation eta"
    );
    let _ = write!(out, "  {:>7}", "alpha");
    for cell in cells.iter().take_while(|c| c.alpha == first.alpha) {
        let _ = write!(out, " {:>15}", format!("eta {}", cell.eta));
    }
    for row in cells.chunk_by(|a, b| a.alpha == b.alpha) {
        let _ = write!(out, "\n  {:>7}", row.first().map_or(0.0, |c| c.alpha));
        for cell in row {
            let (share, se) = (cell.elsewhere.mean, cell.elsewhere.se.unwrap_or(0.0));
            let shown = format!("{:.1} ± {:.1} %", 100.0 * share, 100.0 * se);
            let _ = write!(out, " {shown:>15}");
        }
    }
    out.push('\n');
}
