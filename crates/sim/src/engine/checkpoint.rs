//! What is done of a run, on disk: the run, and the sums over the people that are finished.
//!
//! People are independent, so a checkpoint needs no unfinished person's state; a resumed run gives
//! the same bytes as one that was never stopped.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::run::{Run, Setting};
use super::tile::PEOPLE;
use super::totals::Totals;
use super::world::Lambda;
use crate::draw::GENERATOR;

/// The version of the file.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: u32,
    generator: String,
    /// The run in words: what must be equal for the sums to belong together.
    run: String,
    totals: Totals,
}

/// Why a checkpoint could not be used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file cannot be read or written.
    #[error("{path}: the checkpoint could not be {doing}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// "read" or "written".
        doing: &'static str,
        /// Why.
        source: io::Error,
    },
    /// It is not a checkpoint, or a damaged one.
    #[error("{path}: not a checkpoint of this version, or damaged ({why})")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// It is of another run.
    #[error("{path}: a checkpoint of another run\n  there: {there}\n  here:  {here}")]
    OtherRun {
        /// The file.
        path: PathBuf,
        /// Its run.
        there: String,
        /// The run that was asked for.
        here: String,
    },
}

/// The run in words. Numbers are written so that different ones differ.
fn words(run: &Run) -> String {
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
    format!("{setting} people={people} steps={steps} seed={seed}")
}

/// Reads the sums of a run, if the file exists.
pub(super) fn read(path: &Path, run: &Run) -> Result<Option<Totals>, CheckpointError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(CheckpointError::Io {
                path: path.to_owned(),
                doing: "read",
                source,
            });
        }
    };
    let damaged = |why: String| CheckpointError::Damaged {
        path: path.to_owned(),
        why,
    };
    let file: File = serde_json::from_slice(&text).map_err(|e| damaged(e.to_string()))?;
    if file.format != FORMAT || file.generator != GENERATOR {
        return Err(damaged(format!(
            "format {}, generator {}",
            file.format, file.generator
        )));
    }
    let here = words(run);
    if file.run != here {
        return Err(CheckpointError::OtherRun {
            path: path.to_owned(),
            there: file.run,
            here,
        });
    }
    let people = file.totals.people;
    let whole = people.is_multiple_of(PEOPLE) || people == run.people;
    if people > run.people || !whole || !file.totals.fits(run.steps, run.setting.policies()) {
        return Err(damaged("its sums do not fit the run".to_owned()));
    }
    Ok(Some(file.totals))
}

/// Writes beside the file and renames, so that an interruption leaves the last whole checkpoint.
pub(super) fn write(path: &Path, run: &Run, totals: &Totals) -> Result<(), CheckpointError> {
    let failed = |source| CheckpointError::Io {
        path: path.to_owned(),
        doing: "written",
        source,
    };
    let file = File {
        format: FORMAT,
        generator: GENERATOR.to_owned(),
        run: words(run),
        totals: totals.clone(),
    };
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    let text = serde_json::to_vec(&file).map_err(|e| failed(io::Error::other(e)))?;
    let mut out = fs::File::create(&part).map_err(failed)?;
    out.write_all(&text).map_err(failed)?;
    out.sync_all().map_err(failed)?;
    fs::rename(&part, path).map_err(failed)
}
