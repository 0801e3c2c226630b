//! Files appear whole or not at all.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::{Builder, NamedTempFile};

use crate::failure::Failure;
use crate::terminal;

/// The unfinished file or folder of this run, if there is one, so that Ctrl-C can take it away.
static UNFINISHED: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Whether the run ends itself when it is told to, and whether it has been told.
static ENDS_ITSELF: AtomicBool = AtomicBool::new(false);
static STOP: AtomicBool = AtomicBool::new(false);

/// Exit code of a run ended by Ctrl-C, as shells expect it (128 + SIGINT).
const INTERRUPTED: i32 = 130;

/// Takes the unfinished file away and ends the run when Ctrl-C comes.
pub(crate) fn clean_up_on_interrupt() {
    // Without a handler Ctrl-C still ends the run; only a temporary file could stay behind.
    let _ = ctrlc::set_handler(|| {
        // The first Ctrl-C asks, the second does not.
        if ENDS_ITSELF.load(Ordering::Relaxed) && !STOP.swap(true, Ordering::Relaxed) {
            return;
        }
        // The lock is never given back, so no other file can appear meanwhile.
        let unfinished = UNFINISHED.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(path) = unfinished.as_ref() {
            let _ = if path.is_dir() {
                std::fs::remove_dir_all(path)
            } else {
                std::fs::remove_file(path)
            };
        }
        std::process::exit(INTERRUPTED);
    });
}

/// From now on the first Ctrl-C sets the flag and leaves it to the run to end.
pub(crate) fn stop_on_interrupt() -> &'static AtomicBool {
    ENDS_ITSELF.store(true, Ordering::Relaxed);
    &STOP
}

/// A file being written beside its final place.
pub(crate) struct Draft {
    target: PathBuf,
    file: NamedTempFile,
}

impl Draft {
    /// Starts a file. Nothing exists under its final name until [`Draft::keep`].
    pub(crate) fn start(target: &Path) -> Result<Self, Failure> {
        let folder = match target.parent() {
            Some(p) if !p.as_os_str().is_empty() => p,
            _ => Path::new("."),
        };
        if target.is_dir() {
            return Err(Failure::cannot_write(target, &"it is a folder"));
        }
        let mut unfinished = UNFINISHED.lock().unwrap_or_else(|e| e.into_inner());
        let file = create(folder).map_err(|e| Failure::cannot_write(target, &e))?;
        *unfinished = Some(file.path().to_owned());
        Ok(Draft {
            target: target.to_owned(),
            file,
        })
    }

    /// A second handle to write through.
    pub(crate) fn writer(&self) -> Result<File, Failure> {
        self.file
            .as_file()
            .try_clone()
            .map_err(|e| Failure::cannot_write(&self.target, &e))
    }

    /// Gives the finished file its name.
    pub(crate) fn keep(self) -> Result<(), Failure> {
        let Draft { target, file } = self;
        let mut unfinished = UNFINISHED.lock().unwrap_or_else(|e| e.into_inner());
        let kept = file
            .persist(&target)
            .map_err(|e| Failure::cannot_write(&target, &e.error));
        *unfinished = None;
        kept.map(|_| ())
    }
}

fn create(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(".driftlead-").suffix(".part");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

/// Writes a whole file, or to standard output for `-`.
pub(crate) fn write(target: &Path, content: &[u8]) -> Result<(), Failure> {
    if target == Path::new("-") {
        return terminal::print_bytes(content);
    }
    let draft = Draft::start(target)?;
    draft
        .writer()?
        .write_all(content)
        .map_err(|e| Failure::cannot_write(target, &e))?;
    draft.keep()
}

/// Writes content as JSON, to a file or to standard output for `-`.
pub(crate) fn write_json(target: &Path, content: &impl serde::Serialize) -> Result<(), Failure> {
    let mut bytes = serde_json::to_vec(content).map_err(|e| Failure::cannot_write(target, &e))?;
    bytes.push(b'\n');
    write(target, &bytes)
}

/// A folder for this run that is taken away again, also by Ctrl-C.
pub(crate) struct Scratch {
    folder: tempfile::TempDir,
}

impl Scratch {
    /// Makes it where the system keeps temporary files.
    pub(crate) fn new() -> Result<Self, Failure> {
        let mut unfinished = UNFINISHED.lock().unwrap_or_else(|e| e.into_inner());
        let folder = Builder::new()
            .prefix("driftlead-")
            .tempdir()
            .map_err(|e| Failure::cannot_write(&std::env::temp_dir(), &e))?;
        *unfinished = Some(folder.path().to_owned());
        Ok(Scratch { folder })
    }

    /// A place in it.
    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        *UNFINISHED.lock().unwrap_or_else(|e| e.into_inner()) = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_whole_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("page.html");
        std::fs::write(&target, "old").unwrap();
        let dropped = Draft::start(&target).unwrap();
        dropped.writer().unwrap().write_all(b"half").unwrap();
        drop(dropped);
        assert_eq!(std::fs::read(&target).unwrap(), b"old");
        write(&target, b"new").unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_place_that_does_not_exist_is_an_input_error() {
        let error = write(Path::new("no/such/folder/page.html"), b"x").unwrap_err();
        assert_eq!(error.code(), 2);
        assert!(write(&std::env::temp_dir(), b"x").is_err());
    }
}
