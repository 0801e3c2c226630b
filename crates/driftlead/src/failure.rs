//! How a run ends when it does not end well.

use std::fmt;
use std::path::Path;

/// Why a verb stopped. Each kind has its exit code.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Wrong use, or input that cannot be read: 2.
    Input(String),
    /// Everything was read, but it is too little to measure: 3.
    Measure(String),
    /// Ctrl-C, with what was done kept: 130, as shells expect it (128 + SIGINT).
    Stopped(String),
    /// The reader of our output went away: end quietly, as other programs do.
    Closed,
}

impl Failure {
    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Failure::Input(_) => 2,
            Failure::Measure(_) => 3,
            Failure::Stopped(_) => 130,
            Failure::Closed => 0,
        }
    }

    /// A file that could not be written, with what to do.
    pub(crate) fn cannot_write(path: &Path, error: &dyn fmt::Display) -> Self {
        Failure::Input(format!(
            "{} could not be written: {error}\n  Choose another place with --out.",
            path.display()
        ))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Input(what) | Failure::Measure(what) | Failure::Stopped(what) => {
                f.write_str(what)
            }
            Failure::Closed => f.write_str("output closed"),
        }
    }
}

/// Says that a panic is a defect of the program, and where, but prints none of the data that the
/// message of a panic can carry.
pub(crate) fn announce_defects() {
    std::panic::set_hook(Box::new(|info| {
        let place = info
            .location()
            .map(|l| format!(" ({}:{})", l.file(), l.line()))
            .unwrap_or_default();
        crate::terminal::complain(&format!(
            "driftlead {} met a defect of its own{place}. Nothing was written.\n  \
             Please report this line; it holds none of your data.",
            env!("CARGO_PKG_VERSION")
        ));
    }));
}
