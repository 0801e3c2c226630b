//! The `driftlead` program: arguments, progress, files and exit codes. What is measured, and how, is
//! in the libraries.

mod args;
mod cards;
mod demo;
mod failure;
mod file;
#[cfg(feature = "gate")]
mod gate;
mod input;
mod me;
mod measure;
mod metrics;
mod number;
mod record;
mod sim;
mod summary;
mod terminal;
#[cfg(feature = "gate")]
mod verify;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use args::{Cli, Verb};
use failure::Failure;

/// Name and version, as printed everywhere.
pub(crate) const VERSION: &str = concat!("driftlead ", env!("CARGO_PKG_VERSION"));

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Done, and nothing moved.
    Done,
    /// Done, and something moved.
    Moved,
}

fn main() -> ExitCode {
    failure::announce_defects();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    let wants_code = cli.common.exit_code;
    match run(&cli) {
        Ok(Outcome::Moved) if wants_code => ExitCode::from(1),
        Ok(_) => ExitCode::SUCCESS,
        Err(Failure::Closed) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal::complain(&format!("driftlead: {failure}"));
            ExitCode::from(failure.code())
        }
    }
}

/// Help and version end well; everything else is wrong use. A closed pipe is no reason to complain.
fn refuse(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
        _ => ExitCode::from(2),
    }
}

fn run(cli: &Cli) -> Result<Outcome, Failure> {
    // It has signals and threads of its own.
    #[cfg(feature = "gate")]
    if let Verb::Gate(args) = &cli.verb {
        return gate::run(args, &cli.common);
    }
    file::clean_up_on_interrupt();
    rayon::ThreadPoolBuilder::new()
        .num_threads(cli.common.threads)
        .build_global()
        .map_err(|e| Failure::Input(format!("--threads {}: {e}", cli.common.threads)))?;
    match &cli.verb {
        Verb::Me(args) => me::run(args, &cli.common),
        Verb::Demo(args) => demo::run(args, &cli.common),
        Verb::Metrics(args) => metrics::run(args, &cli.common),
        Verb::Record(args) => record::run(args, &cli.common),
        Verb::Sim(args) => sim::run(args, &cli.common),
        #[cfg(feature = "gate")]
        Verb::Gate(args) => gate::run(args, &cli.common),
        #[cfg(feature = "gate")]
        Verb::Verify(args) => verify::run(args, &cli.common),
    }
}
