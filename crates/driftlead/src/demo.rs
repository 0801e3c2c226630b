//! `driftlead demo`: a simulated cohort whose truth is known, measured like any other history.
//!
//! Every simulated person is written to disk as a record and read back through the importer, so what
//! the demo shows is what real histories run through.

mod cohort;

use std::fmt::Write as _;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use driftlead_drift::{CohortRow, Course, Options};
use driftlead_record::Accounting;
use driftlead_record::write::Writer;
use driftlead_report::{Page, Source};
use driftlead_sim::companion_cohort::{Scenario, Truth};
use rayon::prelude::*;
use serde::Serialize;

use crate::args::{Common, Demo};
use crate::failure::Failure;
use crate::file::{self, Scratch};
use crate::measure::Measuring;
use crate::number::{hundredths, thousands};
use crate::{Outcome, VERSION, cards, summary, terminal};
use cohort::Group;

const LABEL: &str = "synthetic data";

/// One simulated person after everything.
struct Measured {
    truth: Truth,
    course: Course,
    accounting: Accounting,
}

/// The page as data.
#[derive(Serialize)]
struct Content<'a> {
    program: &'a str,
    verb: &'a str,
    label: &'a str,
    seed: u64,
    scenario: &'a Scenario,
    accounting: &'a Accounting,
    groups: &'a [Group],
    people: Vec<&'a Truth>,
    example: &'a [Course],
}

/// Runs it.
pub(crate) fn run(args: &Demo, common: &Common) -> Result<Outcome, Failure> {
    let scenario = Scenario::with_people(args.people);
    let options = Options {
        delta_sd: args.delta,
        seed: common.seed,
        nulls: 0,
        ..Options::default()
    };
    let people = measure_all(&scenario, &options, common)?;
    let mut accounting = Accounting::default();
    for person in &people {
        accounting.merge(&person.accounting);
    }
    let groups = cohort::groups(&people, options.alpha);
    let example = example(
        &scenario,
        &Options {
            nulls: 8,
            ..options
        },
        common.seed,
    )?;

    let page = page(
        &accounting,
        &people,
        &groups,
        &example,
        &options_of(args, common),
    );
    file::write(&args.out, page.as_bytes())?;
    if let Some(target) = &args.json.json {
        let content = Content {
            program: VERSION,
            verb: "demo",
            label: LABEL,
            seed: common.seed,
            scenario: &scenario,
            accounting: &accounting,
            groups: &groups,
            people: people.iter().map(|p| &p.truth).collect(),
            example: &example,
        };
        file::write_json(target, &content)?;
    }
    let prints_json = args
        .json
        .json
        .as_deref()
        .is_some_and(|p| p.as_os_str() == "-");
    if !common.quiet && !prints_json {
        terminal::print(&text(args, &scenario, &accounting, &groups))?;
    }
    Ok(if cohort::has_moved(&groups) {
        Outcome::Moved
    } else {
        Outcome::Done
    })
}

fn options_of(args: &Demo, common: &Common) -> Options {
    Options {
        delta_sd: args.delta,
        seed: common.seed,
        ..Options::default()
    }
}

fn measure_all(
    scenario: &Scenario,
    options: &Options,
    common: &Common,
) -> Result<Vec<Measured>, Failure> {
    let scratch = Scratch::new()?;
    let bar = terminal::progress(Some(scenario.people.into()), "simulating", common.quiet);
    let people = (0..scenario.people)
        .into_par_iter()
        .map(|number| {
            let path = scratch.place(&format!("{number}.parquet"));
            let person = measure_one(scenario, common.seed, number, options, &path);
            bar.inc(1);
            person
        })
        .collect();
    bar.finish_and_clear();
    people
}

/// Simulates one person, writes the record, and reads it back as an export is read.
fn measure_one(
    scenario: &Scenario,
    seed: u64,
    number: u32,
    options: &Options,
    path: &Path,
) -> Result<Measured, Failure> {
    let person = scenario.person(seed, number);
    write(path, &person.conversations)?;
    drop(person.conversations);
    let mut measuring = Measuring::new()?;
    let record = [path.to_owned()];
    let import = driftlead_record::read(
        &record,
        &driftlead_record::Options::default(),
        &mut measuring,
    )
    .map_err(|e| Failure::Input(e.to_string()))?;
    // The record has served; on a small disk the next person needs the room.
    std::fs::remove_file(path).map_err(|e| Failure::cannot_write(path, &e))?;
    let course = measuring
        .courses(options)
        .into_iter()
        .next()
        .ok_or_else(|| {
            Failure::Measure(format!("simulated person {number} left no conversation"))
        })?;
    Ok(Measured {
        truth: person.truth,
        course,
        accounting: import.accounting,
    })
}

fn write(path: &Path, conversations: &[driftlead_record::Conversation]) -> Result<(), Failure> {
    let failed = |e: &dyn std::fmt::Display| Failure::cannot_write(path, e);
    let file = File::create(path).map_err(|e| failed(&e))?;
    let mut writer = Writer::parquet(BufWriter::new(file), true).map_err(|e| failed(&e))?;
    writer.write(conversations).map_err(|e| failed(&e))?;
    writer.finish().map_err(|e| failed(&e))?;
    Ok(())
}

/// The first changed person (or the first of all) in full, as `me` would show them. Picked by number,
/// not by result.
fn example(scenario: &Scenario, options: &Options, seed: u64) -> Result<Vec<Course>, Failure> {
    let number = (0..scenario.people)
        .find(|&p| scenario.is_changed(p))
        .unwrap_or(0);
    let scratch = Scratch::new()?;
    let path = scratch.place("example.parquet");
    Ok(vec![
        measure_one(scenario, seed, number, options, &path)?.course,
    ])
}

fn page(
    accounting: &Accounting,
    people: &[Measured],
    groups: &[Group],
    example: &[Course],
    options: &Options,
) -> String {
    let sources = [Source {
        name: format!("records of {} simulated people", people.len()),
        format: driftlead_record::Format::Driftlead.title().to_owned(),
    }];
    driftlead_report::page(&Page {
        title: "Demo: simulated people, known truth",
        version: VERSION,
        label: Some(LABEL),
        courses: example,
        import: Some(driftlead_report::Import {
            accounting,
            sources: &sources,
            warnings: &[],
        }),
        cards: &cards::texts(example),
        cohort: Some(&cohort::figure(people, groups, options)),
    })
}

fn text(args: &Demo, scenario: &Scenario, accounting: &Accounting, groups: &[Group]) -> String {
    let width = terminal::width();
    let mut out = format!("{VERSION} · {LABEL}\n");
    let _ = writeln!(
        out,
        "{} simulated people, {} weeks, {} messages, each written as a record and read back.",
        thousands(scenario.people.into()),
        scenario.weeks,
        thousands(accounting.units.parsed)
    );
    out.push_str(&summary::wrap(
        &format!(
            "In {} of them the system's replies change slowly from week {} to week {}; nobody else \
             changes, and nobody's own messages react.",
            scenario.changed, scenario.baseline_weeks, scenario.weeks
        ),
        width,
    ));
    for group in groups {
        let _ = writeln!(out, "\n{}", group.title());
        for id in cohort::SHOWN {
            if let Some(row) = group.cohort.rows.iter().find(|r| r.id == id) {
                out.push_str(&line(row));
            }
        }
    }
    out.push('\n');
    out.push_str(&summary::wrap(
        "Mean change in own SDs of one week, with an interval that holds for all counts of a group at once with \
         95 % probability; then how many single histories say moved (▲), no movement (=) or cannot tell (?). \
         These are rates on simulated people, not on real ones.",
        width,
    ));
    let _ = writeln!(out, "page  {}", args.out.display());
    out
}

fn line(row: &CohortRow) -> String {
    let interval = format!(
        "{} [{}, {}]",
        hundredths(row.mean_sd),
        hundredths(row.low_sd),
        hundredths(row.high_sd)
    );
    let unclear = row.cannot_tell + row.not_comparable;
    format!(
        "  {:<42} {interval:<22} ▲ {:<4} = {:<4} ? {unclear}\n",
        row.name, row.moved, row.no_movement
    )
}
