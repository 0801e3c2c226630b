//! From the command line's input to the importer's, and its errors to words that name our flags.

use std::path::{Path, PathBuf};

use driftlead_record::{Conversation, Import, Options, ReadError, Sink};
use indicatif::ProgressBar;
use jiff::tz::TimeZone;

use crate::args::Input;
use crate::failure::Failure;

/// Reads everything into the sink.
pub(crate) fn read(input: &Input, sink: &mut dyn Sink) -> Result<Import, Failure> {
    driftlead_record::read(&input.paths, &options(input)?, sink).map_err(|e| explain(&e))
}

fn options(input: &Input) -> Result<Options, Failure> {
    let zone = match &input.zone {
        None => None,
        Some(name) => Some(TimeZone::get(name).map_err(|_| {
            Failure::Input(format!(
                "--zone {name}: there is no such time zone.\n  Use a name like Europe/Berlin or America/New_York."
            ))
        })?),
    };
    Ok(Options {
        zone,
        account: input.account.clone(),
        owner: input.owner.clone(),
        accept_partial: input.accept_partial,
        ..Options::default()
    })
}

fn explain(error: &ReadError) -> Failure {
    let flag = match error {
        ReadError::SeveralAccounts { .. } | ReadError::NoSuchAccount { .. } => {
            "\n  The flag is --account ID."
        }
        ReadError::MostlyUnreadable { .. } => "\n  The flag is --accept-partial.",
        ReadError::Input(_) | ReadError::NothingRead { .. } => "",
    };
    Failure::Input(format!("{error}.{flag}"))
}

/// Refuses to write over what is to be read.
pub(crate) fn keep_apart(inputs: &[PathBuf], output: &Path) -> Result<(), Failure> {
    let Ok(output) = output.canonicalize() else {
        return Ok(());
    };
    match inputs
        .iter()
        .find(|i| i.canonicalize().is_ok_and(|i| i == output))
    {
        None => Ok(()),
        Some(input) => Err(Failure::Input(format!(
            "{} is an input and would be overwritten.\n  Choose another place with --out.",
            input.display()
        ))),
    }
}

/// A sink that also moves a progress bar.
pub(crate) struct Watched<'a, S: Sink> {
    /// Where the conversations go.
    pub(crate) inner: &'a mut S,
    /// The bar, in bytes.
    pub(crate) bar: &'a ProgressBar,
}

impl<S: Sink> Sink for Watched<'_, S> {
    fn take(&mut self, batch: Vec<Conversation>) {
        self.inner.take(batch);
    }

    fn progress(&mut self, bytes: u64, of: u64) {
        self.bar.set_length(of);
        self.bar.set_position(bytes);
        self.inner.progress(bytes, of);
    }
}
