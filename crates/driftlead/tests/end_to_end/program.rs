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
        Self::ended(args, self.command(args).output().unwrap())
    }

    /// Runs and watches the peak of resident memory, in bytes. The last milliseconds before the end are
    /// not seen.
    #[cfg(target_os = "linux")]
    pub(crate) fn run_measured(&self, args: &[&str]) -> (Run, u64) {
        let mut command = self.command(args);
        let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        let status = format!("/proc/{}/status", child.id());
        let mut peak = 0;
        while child.try_wait().unwrap().is_none() {
            let text = std::fs::read_to_string(&status).unwrap_or_default();
            let line = text.lines().find_map(|l| l.strip_prefix("VmHWM:"));
            let kib = line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok());
            peak = peak.max(1024 * kib.unwrap_or(0));
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        (Self::ended(args, child.wait_with_output().unwrap()), peak)
    }

    fn ended(args: &[&str], output: Output) -> Run {
        let Output {
            status,
            stdout,
            stderr,
        } = output;
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
