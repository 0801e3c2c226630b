//! `driftlead sim feed` for scenarios of kind `clusters`.

use std::fmt::Write as _;
use std::path::Path;

use driftlead_sim::feed::life::Arm;
use driftlead_sim::feed::numbers::{Against, Exposure, Jackknifed, Numbers};
use driftlead_sim::feed::sums::Estimate;
use driftlead_sim::feed::{arms, panel, population};
use driftlead_sim::scenario::Clusters;
use serde::Serialize;

use super::output::{self, Output, Size, estimate, percent};
use super::{clusters_page, events, phase};
use crate::args::{Common, Feed};
use crate::failure::Failure;
use crate::number::{figure, thousands};
use crate::{Outcome, summary, terminal};

/// The world's parameters.
#[derive(Serialize)]
struct Parameters<'a> {
    principal: &'a str,
}

#[derive(Serialize)]
struct Found<'a> {
    contents: Vec<&'a str>,
    numbers: &'a Numbers,
}

type Content<'a> = Output<'a, Parameters<'a>, Found<'a>>;

/// Runs it.
pub(super) fn run(scenario: Clusters, args: &Feed, common: &Common) -> Result<Outcome, Failure> {
    let scenario = match args.steps {
        Some(steps) => scenario.with_steps(steps).map_err(Failure::Input)?,
        None => scenario,
    };
    let scenario = match args.people {
        Some(people) => scenario.with_people(people).map_err(Failure::Input)?,
        None => scenario,
    };
    let people = scenario.people;
    let mut all = population::fixed_arms(&scenario.world);
    all.extend(arms::principals(&scenario.world));
    if scenario.doses {
        all.extend(arms::doses(&scenario.world));
    }
    let events = match &args.events {
        Some(target) => Some(write_events(target, &scenario, &all, common.seed)?),
        None => None,
    };
    let grid = scenario.phase.as_ref();
    let totals = output::watch(people, args, common, |control| {
        population::run(&all, grid, people, common.seed, control)
    })?;
    let numbers = Numbers::of(&all, grid, &totals)
        .ok_or_else(|| Failure::Measure("nobody was simulated".to_owned()))?;
    let parameters = Parameters {
        principal: scenario.world.principal.name(),
    };
    let size = Size {
        world: "clusters",
        people,
        steps: scenario.steps(),
    };
    let found = Found {
        contents: names(&all),
        numbers: &numbers,
    };
    let content = Output::new(size, parameters, found, args, common);
    let draw = |content: &Content<'_>| {
        clusters_page::page(&title(content), &content.result.contents, &numbers)
    };
    content.write(&text(&content), draw, events.as_deref(), args, common)
}

/// Writes the first people of the world as it is.
fn write_events(
    target: &Path,
    scenario: &Clusters,
    all: &[Arm],
    seed: u64,
) -> Result<String, Failure> {
    let panel = events::Panel {
        people: scenario.people.min(scenario.panel),
        shown: scenario.steps().into(),
    };
    let as_is = all.get(population::AS_IS);
    let days = |number| as_is.map_or_else(Vec::new, |a| panel::conversations(a, seed, number));
    events::write(target, panel, (0..panel.people).map(days))
}

fn names(arms: &[Arm]) -> Vec<&str> {
    let contents = arms.first().map(|a| &a.world.people.contents);
    let names = contents.into_iter().flatten().map(|c| c.name.as_str());
    names.collect()
}

fn title(content: &Content<'_>) -> String {
    let m = &content.manifest;
    format!(
        "clusters: {} people × {} weeks ({} steps), one learner each; principal {}; seed {}",
        thousands(m.people),
        content.result.numbers.weeks,
        thousands(m.steps.into()),
        m.parameters.principal,
        m.seed
    )
}

fn text(content: &Content<'_>) -> String {
    let n = content.result.numbers;
    let mut out = format!("{}\n", title(content));
    weekly(&mut out, n);
    exposures(&mut out, content);
    lock_in(&mut out, n);
    harms(&mut out, n);
    phase::table(&mut out, &n.phase, "their own best");
    let _ = writeln!(
        out,
        "\nAgainst the world as it is, last week, same people, same luck"
    );
    let _ = writeln!(
        out,
        "  {:<30} {:>18} {:>18} {:>8} {:>10} {:>9}",
        "", "reaction", "welfare", "moved", "effective", "locked"
    );
    n.arms.iter().for_each(|arm| against(&mut out, arm));
    let front: Vec<&str> = (n.front.iter())
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
    out.push('\n');
    out.push_str(&summary::wrap(
        "Mean ± standard error. Reaction, reward and welfare are per place for something to be shown. \
         Locked: one content has more than 90 % of a person's last week. Formulas: docs/feed.md. These \
         are numbers of simulated people; the world's constants are choices.",
        terminal::width(),
    ));
    out
}

fn weekly(out: &mut String, n: &Numbers) {
    let names = [
        "reaction",
        "reward",
        "welfare",
        "hooked",
        "habit",
        "intention",
        "displaced",
    ];
    let _ = write!(out, "\n{:>6}", "week");
    names.iter().for_each(|name| {
        let _ = write!(out, " {name:>16}");
    });
    out.push('\n');
    for w in n
        .weekly
        .iter()
        .filter(|w| w.week == 1 || w.week % 4 == 0 || w.week == n.weeks)
    {
        let _ = write!(out, "{:>6}", w.week);
        for e in [
            w.reaction,
            w.reward,
            w.welfare,
            w.hooked,
            w.habit,
            w.intention,
            w.displacement,
        ] {
            let _ = write!(out, " {:>16}", estimate(&e));
        }
        out.push('\n');
    }
}

fn exposures(out: &mut String, content: &Content<'_>) {
    let _ = writeln!(out, "\nWhat people were shown in the last week");
    let [as_is, without] = &content.result.numbers.exposure;
    let mut line = |name: &str, of: &dyn Fn(&Exposure) -> String| {
        let _ = writeln!(out, "  {name:<44} {:>18} {:>18}", of(as_is), of(without));
    };
    line("", &|e| e.arm.clone());
    for (j, name) in content.result.contents.iter().enumerate() {
        line(name, &|e| percent(e.shares.get(j).copied().unwrap_or(0.0)));
    }
    line("entropy of one person's contents, nats", &|e| {
        estimate(&e.entropy)
    });
    line("effective number of one person's contents", &|e| {
        estimate(&e.effective)
    });
    line("effective number of all people's contents", &|e| {
        figure(e.effective_of_all)
    });
    line("overlap of two people of the same profile", &|e| {
        estimate(&e.overlap_same_profile)
    });
    line("overlap of two people of other profiles", &|e| {
        estimate(&e.overlap_other_profile)
    });
    line("influence, personal part, nats", &|e| {
        figure(e.influence.personal)
    });
    line("influence, common part, nats", &|e| {
        figure(e.influence.common)
    });
    line("locked", &|e| percent(e.locked));
    let lenses = &content.result.numbers.lenses;
    if lenses.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "\nWhat each lens adds to the divergence from the prior at the end, nats"
    );
    for part in lenses {
        let name = match part.lens.as_str() {
            "masked" => "part of the prior that is masked",
            lens => lens,
        };
        let _ = writeln!(out, "  {name:<44} {:>18}", estimate(&part.adds));
    }
}

fn lock_in(out: &mut String, n: &Numbers) {
    let l = &n.lock_in;
    let _ = writeln!(out, "\nLock-in in the last week");
    let mut line = |name: &str, j: &Jackknifed| {
        let _ = writeln!(out, "  {name:<62} {:>16}", share(j));
    };
    line("Locked people", &l.locked);
    line(
        "of these, to what they react to most unmoved by exposure",
        &l.to_own_best,
    );
    line("elsewhere by luck alone", &l.by_luck);
    line("elsewhere by sensitisation alone", &l.by_sensitisation);
    line("elsewhere by both", &l.by_both);
    line(
        "Two people end with different contents (D = H + C + E)",
        &l.dispersion,
    );
    line("H: what people bring with them", &l.heterogeneity);
    line("C: by luck, nobody sensitised", &l.commitment);
    line("E: added by sensitisation", &l.sensitisation);
    line(
        "One person ends elsewhere with other luck",
        &l.path_dependence,
    );
}

fn harms(out: &mut String, n: &Numbers) {
    let number = |x: Option<f64>| x.map_or("undefined".to_owned(), figure);
    let p = &n.polarisation;
    let _ = writeln!(out, "\nPolarisation of positions from −1 to 1");
    for (name, x) in [
        ("variance", p.variance),
        ("mean absolute deviation", p.mean_absolute_deviation),
        ("mean distance of two people", p.mean_pairwise),
        (
            "bimodality coefficient (two modes usual above 0.556)",
            p.bimodality,
        ),
        ("dip", p.dip),
        ("agreement A (1 one category, −1 two extremes)", p.agreement),
        ("Esteban–Ray, α = 1", p.esteban_ray),
    ] {
        let _ = writeln!(out, "  {name:<62} {:>16}", number(x));
    }
    let some = |e: &Option<Estimate>| e.as_ref().map_or("undefined".to_owned(), estimate);
    let weeks =
        |x: Option<f64>| x.map_or("not seen".to_owned(), |w| format!("{} weeks", figure(w)));
    let horizon = n.goodhart.horizon_week;
    let _ = writeln!(out, "\nCourse");
    for (name, value) in [
        (
            "ratchet: slope of the weekly floor, per week",
            some(&n.ratchet.slope),
        ),
        (
            "ratchet: weeks with a floor above the one before",
            some(&n.ratchet.rises),
        ),
        (
            "Goodhart horizon",
            horizon.map_or("none".to_owned(), |w| format!("week {w}")),
        ),
        (
            "half-life of displacement without the system",
            weeks(n.reversibility.half_life_weeks),
        ),
    ] {
        let _ = writeln!(out, "  {name:<62} {value:>16}");
    }
}

fn against(out: &mut String, a: &Against) {
    let _ = writeln!(
        out,
        "  {:<30} {:>18} {:>18} {:>8} {:>10} {:>9}",
        a.arm,
        estimate(&a.reaction_change),
        estimate(&a.welfare_change),
        figure(a.moved.mean),
        figure(a.effective.mean),
        percent(a.locked)
    );
}

fn share(j: &Jackknifed) -> String {
    format!("{:.1} ± {:.1} %", 100.0 * j.value, 100.0 * j.se)
}
