//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueHint};

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "driftlead",
    version,
    about = "Measures slow change between a person and a system that adapts to them.",
    after_help = "Exit codes: 0 done, 2 bad use or input, 3 could not measure;\n\
                  with --exit-code also 1: something moved. Example: driftlead demo",
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) verb: Verb,
    /// Flags that mean the same everywhere.
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Flags that mean the same everywhere.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// Seed of every random draw
    #[arg(long, global = true, default_value_t = 1, value_name = "N")]
    pub(crate) seed: u64,
    /// Threads, 0 for all cores; no result depends on it
    #[arg(
        long,
        global = true,
        default_value_t = 0,
        value_name = "N",
        hide_default_value = true
    )]
    pub(crate) threads: usize,
    /// Print errors only, and data that was asked for
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Print every note of the import
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// Exit with 1 when something moved
    #[arg(long, global = true)]
    pub(crate) exit_code: bool,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Measure your own history: an export, a folder, an archive
    Me(Me),
    /// Show it on simulated people whose truth is known
    Demo(Demo),
    /// Explain what is counted, and how far to trust it
    Metrics(Metrics),
    /// Write the common record: one table of everything that passed
    Record(Record),
    /// Simulate a population from a scenario file
    Sim(Sim),
    /// Stand between a client and a model server
    #[cfg(feature = "gate")]
    Gate(Gate),
    /// Check an audit log of the gateway, byte by byte
    #[cfg(feature = "gate")]
    Verify(Verify),
}

/// `driftlead verify`
#[cfg(feature = "gate")]
#[derive(Debug, Args)]
#[command(after_help = "Example: driftlead verify driftlead-gate/audit.log")]
pub(crate) struct Verify {
    /// The log, or the folder that holds audit.log
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) path: PathBuf,
    /// A receipt; the log must hold the entry and hash that it witnesses
    #[arg(long, value_name = "FILE")]
    pub(crate) receipt: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `driftlead gate`
#[cfg(feature = "gate")]
#[derive(Debug, Args)]
#[command(after_help = "Example: driftlead gate --upstream http://127.0.0.1:8080")]
pub(crate) struct Gate {
    /// Base address of the model server
    #[arg(long, value_name = "URL", required_unless_present_any = ["config", "schema"])]
    pub(crate) upstream: Option<String>,
    /// Where clients connect
    #[arg(long, default_value = "127.0.0.1:8787", value_name = "ADDR")]
    pub(crate) listen: std::net::SocketAddr,
    /// Where health and metrics are served
    #[arg(long, default_value = "127.0.0.1:8788", value_name = "ADDR")]
    pub(crate) admin: std::net::SocketAddr,
    /// transparent, damped, ordinary, monitored, or a file; nothing is governed without it
    #[arg(long, value_name = "POLICY")]
    pub(crate) policy: Option<String>,
    /// Folder of the audit log and the store, with --policy
    #[arg(long, default_value = "driftlead-gate", value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Configuration in TOML, instead of the other flags
    #[arg(long, value_name = "FILE",
          conflicts_with_all = ["upstream", "listen", "admin", "policy", "data"])]
    pub(crate) config: Option<PathBuf>,
    /// Check the configuration and end
    #[arg(long)]
    pub(crate) check: bool,
    /// Print the JSON schema of the configuration and end
    #[arg(long, conflicts_with_all = ["upstream", "config", "check"])]
    pub(crate) schema: bool,
}

/// Where data goes beside the page.
#[derive(Debug, Args)]
pub(crate) struct Json {
    /// Write the content as JSON too (to stdout without FILE)
    // The equals sign is required: in "--json export.zip" the export would be overwritten.
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true,
          default_missing_value = "-")]
    pub(crate) json: Option<PathBuf>,
}

/// What to read, and whose it is.
#[derive(Debug, Args)]
pub(crate) struct Input {
    /// Exports, folders or archives
    #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,
    /// Your time zone, for instance Europe/Berlin
    #[arg(long, value_name = "ZONE")]
    pub(crate) zone: Option<String>,
    /// The account to read, where there are several
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<String>,
    /// Your display name, for formats that do not mark it
    #[arg(long, value_name = "NAME")]
    pub(crate) owner: Option<String>,
    /// Go on although more than half is unreadable
    #[arg(long)]
    pub(crate) accept_partial: bool,
}

/// `driftlead me`
#[derive(Debug, Args)]
#[command(after_help = "Example: driftlead me export.zip --zone Europe/Berlin")]
pub(crate) struct Me {
    #[command(flatten)]
    pub(crate) input: Input,
    /// The page to write
    #[arg(short, long, default_value = "report.html", value_name = "FILE")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) json: Json,
    /// Margin of "no movement" in own SDs of one week
    #[arg(long, default_value_t = 1.0, value_name = "SD", value_parser = positive)]
    pub(crate) delta: f64,
}

/// `driftlead demo`
#[derive(Debug, Args)]
#[command(after_help = "Example: driftlead demo --out demo.html")]
pub(crate) struct Demo {
    /// The page to write
    #[arg(short, long, default_value = "demo.html", value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Simulated people
    #[arg(long, default_value_t = 500, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) people: u32,
    #[command(flatten)]
    pub(crate) json: Json,
    /// Margin of "no movement" in own SDs of one week
    #[arg(long, default_value_t = 1.0, value_name = "SD", value_parser = positive)]
    pub(crate) delta: f64,
}

/// `driftlead metrics`
#[derive(Debug, Args)]
#[command(after_help = "Example: driftlead metrics questions")]
pub(crate) struct Metrics {
    /// One metric; all of them without it
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) json: Json,
    /// Write one Markdown page per card into a folder
    #[arg(long, value_name = "DIR", conflicts_with_all = ["name", "json"])]
    pub(crate) markdown: Option<PathBuf>,
}

/// `driftlead record`
#[derive(Debug, Args)]
#[command(after_help = "Example: driftlead record export.zip --out record.parquet")]
pub(crate) struct Record {
    #[command(flatten)]
    pub(crate) input: Input,
    /// The file to write: .parquet or .jsonl
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Keep the words of the messages (left out otherwise)
    #[arg(long)]
    pub(crate) text: bool,
}

/// `driftlead sim`
#[derive(Debug, Args)]
#[command(after_help = "Example: driftlead sim feed scenarios/mirror.toml --people 1e6")]
pub(crate) struct Sim {
    /// Which kind of world
    #[command(subcommand)]
    pub(crate) world: World,
}

/// The kinds of worlds.
#[derive(Debug, Subcommand)]
pub(crate) enum World {
    /// A feed that learns one policy per person from that person's reactions
    Feed(Feed),
}

/// `driftlead sim feed`
#[derive(Debug, Args)]
#[command(after_help = "Example: driftlead sim feed scenarios/mirror.toml --people 1e6")]
pub(crate) struct Feed {
    /// The scenario
    #[arg(value_name = "SCENARIO", value_hint = ValueHint::FilePath)]
    pub(crate) scenario: PathBuf,
    /// People, such as 1e9; the scenario's without it
    #[arg(long, value_name = "N", value_parser = people)]
    pub(crate) people: Option<u64>,
    /// Steps; the scenario's without it
    #[arg(long, value_name = "N", value_parser = steps)]
    pub(crate) steps: Option<u32>,
    #[command(flatten)]
    pub(crate) json: Json,
    /// Write a page with figures
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Write some people as a record (.parquet, .jsonl)
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Option<PathBuf>,
    /// Keep here what is done, each 10 s and at Ctrl-C
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// Go on from the checkpoint, if there is one
    #[arg(long, requires = "checkpoint")]
    pub(crate) resume: bool,
}

fn people(text: &str) -> Result<u64, String> {
    count(text, 9e15)
}

fn steps(text: &str) -> Result<u32, String> {
    let most = f64::from(u32::MAX);
    count(text, most).map(|n| u32::try_from(n).unwrap_or(u32::MAX))
}

/// A whole number from 1, also as 1e6.
fn count(text: &str, most: f64) -> Result<u64, String> {
    match text.replace('_', "").parse::<f64>() {
        Ok(x) if x.fract() == 0.0 && (1.0..=most).contains(&x) => Ok(x as u64),
        _ => Err(format!("a whole number from 1 to {most} is needed")),
    }
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && value > 0.0 => Ok(value),
        _ => Err("a number above 0 is needed".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_count_may_have_an_exponent() {
        assert_eq!(people("1e9"), Ok(1_000_000_000));
        assert_eq!(people("1_000"), Ok(1000));
        assert_eq!(steps("250"), Ok(250));
        for bad in ["0", "-1", "1.5", "NaN", "inf", "x", "1e16"] {
            assert!(people(bad).is_err(), "{bad}");
        }
        assert!(steps("1e10").is_err());
    }

    #[test]
    fn a_margin_is_a_positive_number() {
        assert_eq!(positive("0.5"), Ok(0.5));
        for bad in ["0", "-1", "NaN", "inf", "x"] {
            assert!(positive(bad).is_err(), "{bad}");
        }
    }
}
