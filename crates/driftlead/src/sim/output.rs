//! What every kind of `driftlead sim feed` writes: the same manifest over its own numbers, as data, as
//! text and as a page.

use std::path::Path;

use driftlead_sim::draw::GENERATOR;
use driftlead_sim::feed::sums::Estimate;
use serde::Serialize;

use super::LABEL;
use crate::args::{Common, Feed};
use crate::failure::Failure;
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
