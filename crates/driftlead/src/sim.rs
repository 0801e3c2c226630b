//! `driftlead sim`: simulated populations from scenario files.

mod catalogue;
mod catalogue_page;
mod clusters;
mod clusters_page;
mod engine_page;
mod events;
mod feed;
mod opinion;
mod opinion_page;
mod output;
mod page;
mod phase;
mod room;

use crate::Outcome;
use crate::args::{Common, Sim, World};
use crate::failure::Failure;

/// What stands over everything that a simulation prints.
const LABEL: &str = "synthetic data";

/// Runs it.
pub(crate) fn run(args: &Sim, common: &Common) -> Result<Outcome, Failure> {
    match &args.world {
        World::Feed(args) => feed::run(args, common),
    }
}
