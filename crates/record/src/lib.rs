//! The record: one table of everything that passed between a person and a system.
//!
//! [`read`] turns exports, folders and archives into [`Conversation`]s, handed to a [`Sink`] in
//! batches so that memory does not grow with the export, and returns an [`Import`] whose
//! [`Accounting`] balances exactly. This crate knows nothing of metrics or verdicts.

#![deny(clippy::indexing_slicing)]

mod account;
mod detect;
mod error;
mod event;
#[doc(hidden)]
pub mod fuzz;
mod import;
mod prefix;
mod read;
pub mod schema;
mod source;
mod text;
mod time;
mod tree;
mod when;
pub mod write;

pub use account::{Accounting, Level, Reason};
pub use error::{Problem, ReadError};
pub use event::{Conversation, Event, Kind, Role, SystemSource};
pub use import::Options;
pub use read::{FileReport, IMPORTER_VERSION, Import, read};
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

impl Format {
    /// Name for people.
    pub fn title(self) -> &'static str {
        match self {
            Format::ChatGpt => "a ChatGPT export",
            Format::Claude => "a Claude.ai export",
            Format::SillyTavern => "a SillyTavern chat",
            Format::CaiTools => "a character.ai dump of CAI Tools",
            Format::OpenWebUi => "an Open WebUI export",
            Format::Grok => "a Grok export",
            Format::AiStudio => "a Google AI Studio prompt",
            Format::GeminiCli => "a Gemini CLI session",
            Format::ShareGpt => "a ShareGPT dump",
            Format::RequestLog => "a request log",
            Format::Otel => "OpenTelemetry spans",
            Format::Driftlead => "a Driftlead record",
        }
    }
}

/// Takes conversations as they are read. Batches come in the order of the source, whatever the
/// number of threads.
pub trait Sink {
    /// Takes one batch.
    fn take(&mut self, batch: Vec<Conversation>);

    /// Told now and then how many bytes of how many have been read.
    fn progress(&mut self, _bytes: u64, _of: u64) {}
}

impl Sink for Vec<Conversation> {
    fn take(&mut self, batch: Vec<Conversation>) {
        self.extend(batch);
    }
}
