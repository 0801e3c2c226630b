//! One module per format. An importer is a pure function of one unit of input; everything about
//! files, archives, limits, order and threads lives in the driver.

pub(crate) mod ai_studio;
pub(crate) mod cai_tools;
pub(crate) mod chatgpt;
pub(crate) mod claude;
pub(crate) mod driftlead;
pub(crate) mod gemini_cli;
pub(crate) mod grok;
pub(crate) mod lenient;
mod lines;
mod message;
pub(crate) mod open_webui;
pub(crate) mod otel;
mod parts;
pub(crate) mod request_log;
mod rows;
pub(crate) mod sharegpt;
pub(crate) mod sillytavern;
mod surrogate;
#[cfg(test)]
mod testing;

use std::sync::Arc;

use crate::{Accounting, Conversation, Format};

/// What an importer may know besides the bytes.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The person's time zone. Fills offsets, and turns wall-clock times into instants.
    pub zone: Option<jiff::tz::TimeZone>,
    /// The account to read where an export holds several.
    pub account: Option<String>,
    /// Display name of the person, for formats that do not mark them (ShareGPT roles, logs).
    pub owner: Option<String>,
    /// Attribute that holds the person's id in telemetry, where it is not a standard one.
    pub person_attribute: Option<String>,
    /// Go on although more than half of the units are unreadable.
    pub accept_partial: bool,
}

/// One unit of input: a JSON value (an element of an export's array, or a whole file), or the whole
/// text of a line-based chat file.
#[derive(Debug, Clone)]
pub(crate) struct Unit<'a> {
    /// The bytes, not yet known to be UTF-8.
    pub(crate) bytes: &'a [u8],
    /// Offset of the first byte in the file or member.
    pub(crate) position: u64,
    /// File, and archive member after `!`.
    pub(crate) source: &'a Arc<str>,
    /// The caller's options.
    pub(crate) options: &'a Options,
}

/// What one unit became. The accounting covers everything inside the unit, the unit itself included.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parsed {
    pub(crate) conversations: Vec<Conversation>,
    pub(crate) accounting: Accounting,
}

/// Why a unit cannot be read at all. Becomes `bad_mapping`, `malformed_json` or `not_utf8` in the
/// accounting, and an error with file and position when nothing else could be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnitError {
    /// JSON that does not parse, with the offset inside the unit.
    #[error("JSON does not parse at byte {offset} ({message})")]
    Json { offset: u64, message: String },
    /// Not UTF-8 at this offset inside the unit.
    #[error("not UTF-8 at byte {offset}")]
    NotUtf8 { offset: u64 },
    /// A structure that the format does not allow.
    #[error("{0}")]
    Structure(String),
}

impl UnitError {
    /// From a parse error. Only its place and kind are kept: its own words can quote the input.
    pub(crate) fn json(error: &serde_json::Error, bytes: &[u8]) -> Self {
        use serde_json::error::Category;
        let message = match error.classify() {
            Category::Io => "cannot be read",
            Category::Syntax => "not valid JSON",
            Category::Data => "a value of an unexpected kind",
            Category::Eof => "ends too early",
        };
        UnitError::Json {
            offset: offset_of(bytes, error.line(), error.column()),
            message: message.to_owned(),
        }
    }
}

/// Parses one unit as `format`. Escapes of lone surrogates, which JSON allows and text does not, are
/// replaced and counted when parsing meets one.
pub(crate) fn parse(format: Format, unit: &Unit<'_>) -> Result<Parsed, UnitError> {
    let result = dispatch(format, unit);
    if !matches!(result, Err(UnitError::Json { .. })) {
        return result;
    }
    if let Err(error) = simdutf8::compat::from_utf8(unit.bytes) {
        return Err(UnitError::NotUtf8 {
            offset: error.valid_up_to() as u64,
        });
    }
    let Some((bytes, count)) = surrogate::replace_lone(unit.bytes) else {
        return result;
    };
    let mut parsed = dispatch(
        format,
        &Unit {
            bytes: &bytes,
            ..unit.clone()
        },
    )?;
    parsed
        .accounting
        .notes
        .insert("lone_surrogate_replaced".to_owned(), count);
    Ok(parsed)
}

fn dispatch(format: Format, unit: &Unit<'_>) -> Result<Parsed, UnitError> {
    match format {
        Format::ChatGpt => chatgpt::parse(unit),
        Format::Claude => claude::parse(unit),
        Format::OpenWebUi => open_webui::parse(unit),
        Format::Grok => grok::parse(unit),
        Format::AiStudio => ai_studio::parse(unit),
        Format::GeminiCli => gemini_cli::parse(unit),
        Format::ShareGpt => sharegpt::parse(unit),
        Format::SillyTavern => sillytavern::parse(unit),
        Format::CaiTools => cai_tools::parse(unit),
        _ => Err(UnitError::Structure(
            "this format is not read value by value".to_owned(),
        )),
    }
}

/// Reads a stream of lines that depend on one another.
pub(crate) fn read_stream(
    format: Format,
    reader: &mut dyn std::io::BufRead,
    source: &Arc<str>,
    options: &Options,
    deliver: &mut dyn FnMut(Parsed),
) -> Result<(), UnitError> {
    match format {
        Format::Driftlead => driftlead::read_stream(reader, source, options, deliver),
        Format::Otel => otel::read_stream(reader, source, options, deliver),
        Format::RequestLog => request_log::read_stream(reader, source, options, deliver),
        _ => Err(UnitError::Structure(
            "this format is not read line by line".to_owned(),
        )),
    }
}

/// Byte offset of a one-based line and column.
fn offset_of(bytes: &[u8], line: usize, column: usize) -> u64 {
    let line_start = match line.checked_sub(2) {
        None => 0,
        Some(breaks) => memchr::memchr_iter(b'\n', bytes)
            .nth(breaks)
            .map_or(0, |i| i + 1),
    };
    (line_start + column.saturating_sub(1)).min(bytes.len()) as u64
}
