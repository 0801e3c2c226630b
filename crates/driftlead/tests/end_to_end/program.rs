//! Runs the program in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A folder to work in, and another for the program's temporary files.
pub(crate) struct Desk {
    folder: TempDir,
    temporary: TempDir,
}

/// What a run left.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Desk {
            folder: TempDir::new().unwrap(),
            temporary: TempDir::new().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn put(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_driftlead"));
        command
            .args(args)
            .current_dir(self.folder.path())
            .env("TMPDIR", self.temporary.path())
            .env("COLUMNS", "80")
            .env_remove("RUST_BACKTRACE")
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Run {
        let Output {
            status,
            stdout,
            stderr,
        } = self.command(args).output().unwrap();
        let run = Run {
            code: status.code().expect("ended by a signal"),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        };
        assert!(
            !run.stderr.contains("defect") && !run.stderr.contains("panicked"),
            "{args:?}: {}",
            run.stderr
        );
        run
    }

    /// Names in the working folder, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        names(self.folder.path())
    }

    /// Everything that lies around, hidden files included: (name, content).
    pub(crate) fn everything(&self) -> Vec<(String, Vec<u8>)> {
        let mut all = Vec::new();
        for folder in [self.folder.path(), self.temporary.path()] {
            for name in names(folder) {
                let path = folder.join(&name);
                let content = if path.is_dir() {
                    Vec::new()
                } else {
                    std::fs::read(path).unwrap()
                };
                all.push((name, content));
            }
        }
        all
    }

    /// Whether nothing temporary is left.
    pub(crate) fn is_clean(&self) -> bool {
        names(self.temporary.path()).is_empty()
            && !self.names().iter().any(|n| n.ends_with(".part"))
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
