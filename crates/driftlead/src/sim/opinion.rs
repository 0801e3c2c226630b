//! `driftlead sim feed` for scenarios of kind `opinion`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::BufWriter;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use driftlead_record::write::{WriteError, Writer};
use driftlead_sim::draw::GENERATOR;
use driftlead_sim::feed::opinion::kinds::Constant;
use driftlead_sim::feed::opinion::numbers::{self, Course, Look, MEASURES};
use driftlead_sim::feed::opinion::panel;
use driftlead_sim::feed::sums::Estimate;
use driftlead_sim::scenario::Opinion;
use serde::Serialize;

use super::LABEL;
use crate::args::{Common, Feed};
use crate::failure::Failure;
use crate::file::Draft;
use crate::number::{figure, thousands};
use crate::{Outcome, VERSION, file, summary, terminal};

#[derive(Serialize)]
struct Content<'a> {
    program: &'a str,
    verb: &'a str,
    label: &'a str,
    manifest: Manifest<'a>,
    arms: Vec<Course>,
}

#[derive(Serialize)]
struct Manifest<'a> {
    scenario: String,
    generator: &'a str,
    kind: &'a str,
    world: &'a str,
    constants: BTreeMap<&'a str, Constant>,
    network: Option<&'a str>,
    friends: f64,
    people: usize,
    steps: u32,
    replicates: u32,
    seed: u64,
}

/// Runs it.
pub(super) fn run(scenario: Opinion, args: &Feed, common: &Common) -> Result<Outcome, Failure> {
    if args.checkpoint.is_some() || args.out.is_some() {
        let what = "a scenario of kind opinion has no --checkpoint or --out";
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
    let content = Content {
        program: VERSION,
        verb: "sim feed",
        label: LABEL,
        manifest: Manifest {
            scenario: args.scenario.display().to_string(),
            generator: GENERATOR,
            kind: "opinion",
            world: scenario.key,
            constants: scenario.constants.iter().copied().collect(),
            network: size.network.as_ref().map(|n| n.name()),
            friends: size.friends,
            people: size.people,
            steps: size.steps,
            replicates: size.replicates,
            seed: common.seed,
        },
        arms: arms.map_err(Failure::Input)?,
    };
    if let Some(target) = &args.json.json {
        file::write_json(target, &content)?;
    }
    let prints_json = (args.json.json.as_deref()).is_some_and(|p| p.as_os_str() == "-");
    if !common.quiet && !prints_json {
        terminal::print(&text(&content))?;
        if let (Some(rows), Some(target)) = (events, &args.events) {
            let (rows, people) = (thousands(rows), scenario.panel.min(size.people));
            let place = target.display();
            terminal::print(&format!(
                "events {place} ({rows} rows of {people} people)\n"
            ))?;
        }
    }
    Ok(Outcome::Done)
}

/// The first people of the first replicate, as it is.
fn write_panel(target: &Path, scenario: &Opinion, common: &Common) -> Result<u64, Failure> {
    let failed = |e: WriteError| Failure::cannot_write(target, &e);
    let draft = Draft::start(target)?;
    let file = BufWriter::new(draft.writer()?);
    let mut writer = match target.extension().and_then(|e| e.to_str()) {
        Some("parquet") => Writer::parquet(file, false),
        Some("jsonl") => Writer::json_lines(file, false),
        _ => {
            let place = target.display();
            let what = format!("--events {place}: the name must end in .parquet or .jsonl");
            return Err(Failure::Input(what));
        }
    }
    .map_err(failed)?;
    let setting = numbers::setting(&scenario.size, common.seed, 0).map_err(Failure::Input)?;
    let world = scenario.world();
    let days = panel::conversations(scenario.key, world.as_ref(), &setting, scenario.panel);
    writer.write(&days).map_err(failed)?;
    let rows = writer.finish().map_err(failed)?;
    draft.keep()?;
    Ok(rows)
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

fn text(content: &Content<'_>) -> String {
    let m = &content.manifest;
    let mut out = format!(
        "{VERSION} · {LABEL}\n{}: {} people × {} steps, {} replicates; friends: {}; seed {}\n",
        m.world,
        thousands(m.people as u64),
        thousands(m.steps.into()),
        thousands(m.replicates.into()),
        m.network.unwrap_or("none").replace('_', " "),
        m.seed
    );
    let shown = |c: &Constant| match c {
        Constant::Number(x) => x.to_string(),
        Constant::Count(n) => n.to_string(),
        Constant::Choice(name) => (*name).to_owned(),
    };
    let constants = m.constants.iter().map(|(k, c)| format!("{k} {}", shown(c)));
    let constants = constants.collect::<Vec<_>>().join(", ");
    out.push_str(&summary::wrap(&constants, terminal::width()));
    let Some(as_is) = content.arms.first() else {
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
    arms(&mut out, &content.arms);
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
    let natural = content.arms.iter().find(|a| a.natural).map_or_else(
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
