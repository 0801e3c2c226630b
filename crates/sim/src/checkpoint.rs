//! What is done of a run, on disk: which run it is, and the sums over the people that are finished.
//!
//! People are independent, so a checkpoint needs no unfinished person's state; a resumed run gives the
//! same bytes as one that was never stopped. The file is one line of JSON and one with its checksum.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::draw::GENERATOR;

/// The version of the file.
const FORMAT: u32 = 2;
/// Another version of the program may add up other things.
const PROGRAM: &str = concat!("driftlead-sim ", env!("CARGO_PKG_VERSION"));

/// Which run: what must be equal for two sums to belong together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The run in a few words, for people.
    pub run: String,
    /// Everything else that the numbers depend on.
    pub settings: String,
}

#[derive(Deserialize)]
struct Version {
    format: u32,
    generator: String,
    program: String,
}

#[derive(Serialize)]
struct Kept<'a, T> {
    format: u32,
    generator: &'a str,
    program: &'a str,
    of: &'a Identity,
    totals: &'a T,
}

#[derive(Deserialize)]
struct Found<T> {
    of: Identity,
    totals: T,
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
    #[error("{path}: not a checkpoint, or damaged ({why}); it was left as it is")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// It is of another version of the program.
    #[error(
        "{path}: a checkpoint of another version; it was left as it is\n  there: {there}\n  here:  {here}"
    )]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        there: String,
        /// The version of this program.
        here: String,
    },
    /// It is of another run.
    #[error(
        "{path}: a checkpoint of another run; it was left as it is\n  there: {there}\n  here:  {here}"
    )]
    OtherRun {
        /// The file.
        path: PathBuf,
        /// Its run.
        there: String,
        /// The run that was asked for.
        here: String,
    },
    /// There is a file already, and nobody said to go on from it.
    #[error("{path}: there is a file already; go on from it with --resume, or name another one")]
    Exists {
        /// The file.
        path: PathBuf,
    },
}

/// The sums that a run begins with: none, or with `resume` those of the file if there is one. `fits`
/// says whether sums have the shape of the run.
///
/// # Errors
/// For a file that is there without `resume`, and with it for one that is not of this run.
pub fn start<T: DeserializeOwned>(
    path: &Path,
    resume: bool,
    of: &Identity,
    fits: &dyn Fn(&T) -> bool,
) -> Result<Option<T>, CheckpointError> {
    let path = path.to_owned();
    let bytes = match fs::read(&path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        _ if !resume => return Err(CheckpointError::Exists { path }),
        Ok(bytes) => bytes,
        Err(source) => {
            let doing = "read";
            return Err(CheckpointError::Io {
                path,
                doing,
                source,
            });
        }
    };
    let damaged = |why: &str| CheckpointError::Damaged {
        path: path.clone(),
        why: why.to_owned(),
    };
    let mut lines = bytes.splitn(2, |b| *b == b'\n');
    let (body, sum) = (lines.next().unwrap_or(&[]), lines.next().unwrap_or(&[]));
    let json = |e: serde_json::Error| damaged(&e.to_string());
    let version: Version = serde_json::from_slice(body).map_err(json)?;
    let there = words(version.format, &version.generator, &version.program);
    let here = words(FORMAT, GENERATOR, PROGRAM);
    if there != here {
        return Err(CheckpointError::OtherVersion { path, there, here });
    }
    if sum != checksum(body).as_bytes() {
        return Err(damaged("its checksum does not fit"));
    }
    let found: Found<T> = serde_json::from_slice(body).map_err(json)?;
    if found.of != *of {
        let (mut there, mut here) = (found.of.run, of.run.clone());
        if there == here {
            there.push_str(", other constants");
            here.push_str(", these constants");
        }
        return Err(CheckpointError::OtherRun { path, there, here });
    }
    match fits(&found.totals) {
        true => Ok(Some(found.totals)),
        false => Err(damaged("its sums do not fit the run")),
    }
}

/// Writes beside the file and renames, so that an interruption leaves the last whole checkpoint.
///
/// # Errors
/// When it cannot be written.
pub fn write<T: Serialize>(path: &Path, of: &Identity, totals: &T) -> Result<(), CheckpointError> {
    let failed = |source| CheckpointError::Io {
        path: path.to_owned(),
        doing: "written",
        source,
    };
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    let mut text = serde_json::to_vec(&Kept {
        format: FORMAT,
        generator: GENERATOR,
        program: PROGRAM,
        of,
        totals,
    })
    .map_err(|e| failed(io::Error::other(e)))?;
    let sum = checksum(&text);
    text.push(b'\n');
    text.extend_from_slice(sum.as_bytes());
    let mut out = fs::File::create(&part).map_err(failed)?;
    out.write_all(&text).map_err(failed)?;
    out.sync_all().map_err(failed)?;
    fs::rename(&part, path).map_err(failed)
}

fn words(format: u32, generator: &str, program: &str) -> String {
    format!("{program}, generator {generator}, format {format}")
}

/// CRC-32 in hexadecimal, with the end of the line.
fn checksum(body: &[u8]) -> String {
    format!("{:08x}\n", crc32fast::hash(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_run_is_taken_and_nothing_is_overwritten() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("kept");
        let of = Identity {
            run: "a run".to_owned(),
            settings: "x = 1".to_owned(),
        };
        let fits = |n: &u64| *n < 100;
        let go = |resume, of: &Identity| start::<u64>(&path, resume, of, &fits);
        assert!(go(true, &of).unwrap().is_none(), "nothing to go on from");
        write(&path, &of, &42u64).unwrap();
        assert_eq!(go(true, &of).unwrap(), Some(42));
        let refused = |resume, of: &Identity| go(resume, of).unwrap_err().to_string();
        assert!(refused(false, &of).contains("--resume"));
        let other = Identity {
            run: "another".to_owned(),
            ..of.clone()
        };
        assert!(refused(true, &other).contains("there: a run\n  here:  another"));
        let other = Identity {
            settings: "x = 2".to_owned(),
            ..of.clone()
        };
        assert!(refused(true, &other).contains("other constants"));
        let whole = fs::read_to_string(&path).unwrap();
        for (broken, part) in [
            (whole.replace("42", "43"), "checksum"),
            (whole.replace("42", "x"), "not a checkpoint"),
            (whole[..whole.len() - 2].to_owned(), "checksum"),
            (whole[..whole.len() / 2].to_owned(), "not a checkpoint"),
            (String::new(), "not a checkpoint"),
            (
                whole.replace("driftlead-sim", "driftlead-sum"),
                "another version",
            ),
        ] {
            fs::write(&path, &broken).unwrap();
            assert!(refused(true, &of).contains(part), "{broken}");
            assert_eq!(fs::read_to_string(&path).unwrap(), broken);
        }
        write(&path, &of, &100u64).unwrap();
        assert!(refused(true, &of).contains("do not fit"));
    }
}
