//! Standard output and standard error: closed pipes, width, emphasis, progress.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::failure::Failure;

/// Widest and narrowest text that is laid out.
const WIDEST: usize = 100;
const NARROWEST: usize = 60;

/// Writes text to standard output. A closed pipe ends the run quietly.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    print_bytes(text.as_bytes())
}

/// Writes bytes to standard output. A closed pipe ends the run quietly.
pub(crate) fn print_bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Failure::Closed),
        Err(error) => Err(Failure::Input(format!(
            "standard output could not be written: {error}\n  Use --out for the page."
        ))),
    }
}

/// Writes a line to standard error; nothing can be done if that fails.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Columns to lay text out in.
pub(crate) fn width() -> usize {
    let columns = terminal_size::terminal_size()
        .filter(|_| io::stdout().is_terminal())
        .map_or(WIDEST, |(w, _)| usize::from(w.0));
    columns.clamp(NARROWEST, WIDEST)
}

/// Emphasis for terminals. It repeats what words say and is off in pipes and under `NO_COLOR`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Emphasis {
    on: bool,
}

impl Emphasis {
    /// As the terminal and the environment allow.
    pub(crate) fn detect() -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty())
            || std::env::var_os("TERM").is_some_and(|t| t == "dumb");
        Emphasis {
            on: io::stdout().is_terminal() && !refused,
        }
    }

    /// Bold.
    pub(crate) fn strong(self, text: &str) -> String {
        if self.on {
            format!("\x1b[1m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// The same with the time that is left.
pub(crate) fn progress_with_eta(total: u64, what: &'static str, quiet: bool) -> ProgressBar {
    let bar = progress(Some(total), what, quiet);
    let template = "{msg} {wide_bar} {human_pos}/{human_len}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

/// Progress of long work: on a terminal only, and not when asked to be quiet.
pub(crate) fn progress(total: Option<u64>, what: &'static str, quiet: bool) -> ProgressBar {
    if quiet || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr_with_hz(8));
    let template = match total {
        Some(_) => "{msg} {wide_bar} {pos}/{len}",
        None => "{spinner} {msg} {pos}",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_message(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
