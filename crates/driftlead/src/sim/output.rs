//! What every kind of `driftlead sim feed` writes: the same manifest over its own numbers, as data, as
//! text and as a page.

use std::path::Path;

use driftlead_sim::checkpoint::CheckpointError;
use driftlead_sim::draw::GENERATOR;
use driftlead_sim::feed::sums::Estimate;
use driftlead_sim::rounds::{Control, End, Sums};
use serde::Serialize;

use super::LABEL;
use crate::args::{Common, Feed};
use crate::failure::Failure;
use crate::number::thousands;
use crate::{Outcome, VERSION, file, terminal};

/// A run as data. `P` are the world's parameters, `R` what came of it.
#[derive(Serialize)]
pub(super) struct Output<'a, P, R> {
    program: &'a str,
    verb: &'a str,
    label: &'a str,
    /// What the numbers are a function of.
    pub(super) manifest: Manifest<'a, P>,
    #[serde(flatten)]
    pub(super) result: R,
}

/// What the numbers of a run are a function of.
#[derive(Serialize)]
pub(super) struct Manifest<'a, P> {
    scenario: String,
    generator: &'a str,
    /// Kind of the scenario.
    pub(super) world: &'a str,
    /// The world's parameters.
    #[serde(flatten)]
    pub(super) parameters: P,
    /// People.
    pub(super) people: u64,
    /// Steps.
    pub(super) steps: u32,
    /// Seed.
    pub(super) seed: u64,
}

/// What a run is, beside its parameters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size<'a> {
    /// Kind of the scenario.
    pub(super) world: &'a str,
    /// People.
    pub(super) people: u64,
    /// Steps.
    pub(super) steps: u32,
}

impl<'a, P: Serialize, R: Serialize> Output<'a, P, R> {
    /// Of a run.
    pub(super) fn new(
        size: Size<'a>,
        parameters: P,
        result: R,
        args: &Feed,
        common: &Common,
    ) -> Self {
        Output {
            program: VERSION,
            verb: "sim feed",
            label: LABEL,
            manifest: Manifest {
                scenario: args.scenario.display().to_string(),
                generator: GENERATOR,
                world: size.world,
                parameters,
                people: size.people,
                steps: size.steps,
                seed: common.seed,
            },
            result,
        }
    }

    /// Writes what was asked for: data, page, and the text below the program's line. `events` says
    /// what stands in `--events`.
    pub(super) fn write(
        &self,
        text: &str,
        page: impl FnOnce(&Self) -> String,
        events: Option<&str>,
        args: &Feed,
        common: &Common,
    ) -> Result<Outcome, Failure> {
        if let Some(target) = &args.json.json {
            file::write_json(target, self)?;
        }
        if let Some(target) = &args.out {
            file::write(target, page(self).as_bytes())?;
        }
        let is_stdout = |p: &Option<std::path::PathBuf>| p.as_deref() == Some(Path::new("-"));
        if common.quiet || is_stdout(&args.json.json) || is_stdout(&args.out) {
            return Ok(Outcome::Done);
        }
        terminal::print(&format!("{VERSION} · {LABEL}\n{text}"))?;
        if let Some(target) = &args.out {
            terminal::print(&format!("page   {}\n", target.display()))?;
        }
        if let (Some(what), Some(target)) = (events, &args.events) {
            terminal::print(&format!("events {} ({what})\n", target.display()))?;
        }
        Ok(Outcome::Done)
    }
}

/// Runs people with progress, and with a checkpoint if one is asked for. What is not complete is kept
/// and ends the program.
pub(super) fn watch<T: Sums>(
    people: u64,
    args: &Feed,
    common: &Common,
    go: impl FnOnce(&Control<'_>) -> Result<End<T>, CheckpointError>,
) -> Result<T, Failure> {
    let bar = terminal::progress_with_eta(people, "simulating people", common.quiet);
    let report = |done| bar.set_position(done);
    let end = go(&Control {
        progress: Some(&report),
        // Without a checkpoint there is nothing to keep, and Ctrl-C ends the program at once.
        stop: args.checkpoint.is_some().then(file::stop_on_interrupt),
        checkpoint: args.checkpoint.clone(),
        resume: args.resume,
        ..Control::default()
    });
    bar.finish_and_clear();
    let end = end.map_err(|e| Failure::Input(e.to_string()))?;
    match end.complete {
        true => Ok(end.sums),
        false => Err(stopped(end.sums.people(), people, args)),
    }
}

/// Ctrl-C came, and what was done is kept.
pub(super) fn stopped(done: u64, people: u64, args: &Feed) -> Failure {
    let kept = args.checkpoint.as_deref().unwrap_or(Path::new(""));
    Failure::Stopped(format!(
        "stopped after {} of {} people; they are kept in {}\n  \
         The same command with --resume goes on from there.",
        thousands(done),
        thousands(people),
        kept.display()
    ))
}

/// Finds out before a long run that something cannot be written after it.
pub(super) fn places(args: &Feed) -> Result<(), Failure> {
    let targets = [&args.json.json, &args.out, &args.events, &args.checkpoint];
    for target in targets.into_iter().flatten() {
        let folder = match target.parent() {
            Some(p) if !p.as_os_str().is_empty() => p,
            _ => Path::new("."),
        };
        if target.is_dir() {
            return Err(Failure::cannot_write(target, &"it is a folder"));
        }
        if !folder.is_dir() {
            return Err(Failure::cannot_write(target, &"its folder does not exist"));
        }
    }
    Ok(())
}

/// A mean with its standard error, where there is one.
pub(super) fn estimate(e: &Estimate) -> String {
    match e.se {
        Some(se) => format!("{:.3} ± {:.3}", e.mean, se),
        None => format!("{:.3}", e.mean),
    }
}

/// A share in percent.
pub(super) fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}
