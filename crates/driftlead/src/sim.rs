//! `driftlead sim`: simulated populations from scenario files.

mod feed;

use crate::Outcome;
use crate::args::{Common, Sim, World};
use crate::failure::Failure;

/// Runs it.
pub(crate) fn run(args: &Sim, common: &Common) -> Result<Outcome, Failure> {
    match &args.world {
        World::Feed(args) => feed::run(args, common),
    }
}
