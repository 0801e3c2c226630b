//! The record: one table of everything that passed between a person and a system.
//!
//! [`read`] turns exports, folders and archives into [`Conversation`]s, handed to a [`Sink`] in
//! batches so that memory does not grow with the export, and returns an [`Import`] whose
//! [`Accounting`] balances exactly. This crate knows nothing of metrics or verdicts.

#![deny(clippy::indexing_slicing)]

mod account;
mod event;
mod import;
pub mod schema;
mod text;
mod time;
mod tree;

pub mod write;
pub use account::{Accounting, Level, Reason};
pub use event::{Conversation, Event, Kind, Role, SystemSource};
pub use import::Options;
pub use time::{MICROS, Time, TimeQuality, Week, civil};

use serde::{Deserialize, Serialize};

/// A format that can be read. Recognised by content, never by name alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// ChatGPT data export.
    ChatGpt,
    /// Claude.ai data export.
    Claude,
    /// SillyTavern chat.
    SillyTavern,
    /// character.ai, through CAI Tools.
    CaiTools,
    /// Open WebUI chat export.
    OpenWebUi,
    /// Grok data export.
    Grok,
    /// Google AI Studio prompt file.
    AiStudio,
    /// Gemini CLI session.
    GeminiCli,
    /// ShareGPT dump.
    ShareGpt,
    /// OpenAI-style request log.
    RequestLog,
    /// OpenTelemetry spans with GenAI attributes.
    Otel,
    /// Driftlead's own record, Parquet or JSON Lines.
    Driftlead,
}

/// Takes conversations as they are read. Batches come in the order of the source, whatever the
/// number of threads.
pub trait Sink {
    /// Takes one batch.
    fn take(&mut self, batch: Vec<Conversation>);
}

impl Sink for Vec<Conversation> {
    fn take(&mut self, batch: Vec<Conversation>) {
        self.extend(batch);
    }
}
