//! Where the governor keeps things, what it does when it cannot, and why it does not start.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::audit::{AuditError, Sync};
use crate::consent::Controller;
use crate::store::StoreError;

/// Where the governor keeps things, and what it does when it cannot.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Govern {
    /// Folder of the audit log (`audit.log`), the store (`gate.db`) and the record (`record/`).
    pub data: PathBuf,
    /// Name of the environment variable with the address of a PostgreSQL database, for several gateways
    /// behind one address. It is the store then, in the place of `gate.db`; log and record stay in `data`.
    pub database_url_env: Option<String>,
    /// File in PEM with the authorities that may vouch for the database's certificate, in the place of the
    /// public ones. With it, the way to the database is encrypted unless it is a socket.
    pub database_ca: Option<PathBuf>,
    /// How far an entry of the log has come before an act is done: `process` or `each`.
    pub log_sync: Sync,
    /// What happens to requests that a policy would change while the log cannot be written, or a database
    /// cannot be reached.
    pub without_log: WithoutLog,
    /// Name of the deployment in the record.
    pub deployment: String,
    /// Whether the record is written, of people who consented to keep their counts.
    pub record: bool,
    /// How the record is written: `json_lines`, or `parquet` for days that are over.
    pub record_format: RecordFormat,
    /// Whether the record holds what was said, unsealed: of people who agreed after a notice that says so.
    pub record_text: bool,
    /// Address of the person's page as their browser sees it, for instance `http://127.0.0.1:8787`.
    /// Without it, no link is shown.
    pub page_address: Option<String>,
    /// Budget of differential privacy for all releases about the people of this gateway together. It is
    /// set when the store is made; a later change has no effect.
    #[schemars(range(min = 0.0))]
    pub epsilon: f64,
    /// Who runs the gateway, for receipts.
    pub controller: Controller,
}

/// How the record is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordFormat {
    /// `DATE.jsonl`, as conversations end.
    #[default]
    JsonLines,
    /// The same, and when a day's file has been still for half an hour, or the gateway stops, `DATE.parquet`
    /// in its place.
    Parquet,
}

/// What happens while the log cannot be written or the database cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WithoutLog {
    /// Requests go on as the client sent them, marked `x-driftlead-ungoverned: log` (or `store`).
    #[default]
    Forward,
    /// They are refused with 503.
    Refuse,
}

impl Default for Govern {
    fn default() -> Self {
        Govern {
            data: PathBuf::from("driftlead-gate"),
            database_url_env: None,
            database_ca: None,
            log_sync: Sync::default(),
            without_log: WithoutLog::default(),
            deployment: "gate".to_owned(),
            record: false,
            record_format: RecordFormat::default(),
            record_text: false,
            page_address: None,
            epsilon: 1.0,
            controller: Controller::default(),
        }
    }
}

/// Said where a database is named and this build knows none.
pub(crate) const NO_DATABASE: &str =
    "govern.database_url_env: this build has no PostgreSQL (the feature `postgres`)";

/// Said where authorities are named and no database is.
pub(crate) const NO_DATABASE_FOR_CA: &str =
    "govern.database_ca: there is no govern.database_url_env that it could be for";

/// Why the governor cannot start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be made.
    #[error("{folder}: {source}")]
    Folder {
        /// The folder.
        folder: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The log does not verify or cannot be written.
    #[error(transparent)]
    Log(#[from] AuditError),
    /// The variable with the address of the database is not set.
    #[error("the environment variable {name} is not set: govern.database_url_env names it")]
    NoAddress {
        /// Its name.
        name: String,
    },
    /// A database is named, and this build knows none.
    #[error("{NO_DATABASE}")]
    NoDatabase,
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
}
