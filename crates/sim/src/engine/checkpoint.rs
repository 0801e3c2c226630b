//! Which run a checkpoint of the engine is of, and whether its sums have the shape of that run.

use std::path::Path;

use super::run::{Run, Setting};
use super::tile::PEOPLE;
use super::totals::Totals;
use super::world::Lambda;
use crate::checkpoint::{self, CheckpointError, Identity};

/// Numbers are written so that different ones differ.
fn identity(run: &Run) -> Identity {
    let setting = match run.setting {
        Setting::Mirror { alpha, lambda } => match lambda {
            Lambda::Fixed(x) => format!("mirror alpha={alpha:?} lambda={x:?}"),
            Lambda::Grid => format!("mirror alpha={alpha:?} lambda=grid"),
        },
        Setting::Mirror4 { alpha } => format!("mirror4 alpha={alpha:?}"),
    };
    let Run {
        people,
        steps,
        seed,
        ..
    } = run;
    Identity {
        run: format!("{setting} people={people} steps={steps} seed={seed}"),
        settings: String::new(),
    }
}

/// The sums that a run begins with, if there is a file to resume.
pub(super) fn start(
    path: &Path,
    resume: bool,
    run: &Run,
) -> Result<Option<Totals>, CheckpointError> {
    let fits = |totals: &Totals| {
        let people = totals.people;
        let whole = people.is_multiple_of(PEOPLE) || people == run.people;
        people <= run.people && whole && totals.fits(run.steps, run.setting.policies())
    };
    checkpoint::start(path, resume, &identity(run), &fits)
}

/// Keeps the sums.
pub(super) fn write(path: &Path, run: &Run, totals: &Totals) -> Result<(), CheckpointError> {
    checkpoint::write(path, &identity(run), totals)
}
