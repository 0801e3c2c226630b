//! The record as JSON Lines.

use std::io::BufRead;
use std::sync::Arc;

use super::assemble::{Assembler, Head};
use super::check_version;
use crate::import::lines::{Line, Lines};
use crate::import::{Options, Parsed, UnitError};
use crate::schema::{Row, VERSION_KEY, Word};
use crate::{Event, Reason, Time};

/// Reads a record of one row per line. The first line may carry the schema version; a file without
/// it is read as the current version.
pub(crate) fn read_stream(
    reader: &mut dyn BufRead,
    _source: &Arc<str>,
    _options: &Options,
    deliver: &mut dyn FnMut(Parsed),
) -> Result<(), UnitError> {
    let mut lines = Lines::new(reader);
    let mut rows = Assembler::new(deliver);
    let mut words = Repeats::default();
    while let Some(line) = lines.next()? {
        match line {
            Line::Blank => {}
            Line::TooLong => rows.skip(Reason::OverLimit),
            Line::NotUtf8 => rows.skip(Reason::NotUtf8),
            Line::Text(text) if is_header(text) => {
                check_version(header_version(text).as_deref())?;
                rows.skip(Reason::NotAMessage);
            }
            Line::Text(text) => match serde_json::from_str::<Row<'_>>(text) {
                Ok(row) => words.take(row, &mut rows)?,
                Err(_) => rows.skip(Reason::MalformedJson),
            },
        }
    }
    rows.finish();
    Ok(())
}

/// A header stands in the first columns of its line; rows have no such key.
fn is_header(line: &str) -> bool {
    let start = line.trim_start_matches(['{', ' ', '"', '\t']);
    start.starts_with(VERSION_KEY)
}

fn header_version(line: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(line).ok()?;
    Some(value.get(VERSION_KEY)?.to_string())
}

/// The last value of each repeating column: most rows repeat it, and share its memory.
#[derive(Default)]
struct Repeats {
    deployment: Last,
    person: Last,
    conversation: Last,
    source: Last,
    item: Last,
    system: Last,
    policy: Last,
    id: Last,
}

#[derive(Default)]
struct Last(Option<Arc<str>>);

impl Last {
    fn get(&mut self, value: &str) -> Arc<str> {
        match &self.0 {
            Some(last) if &**last == value => last.clone(),
            _ => {
                let new: Arc<str> = Arc::from(value);
                self.0 = Some(new.clone());
                new
            }
        }
    }
}

impl Repeats {
    fn take(&mut self, row: Row<'_>, rows: &mut Assembler<'_>) -> Result<(), UnitError> {
        let Some(role) = Word::of(&row.role) else {
            rows.skip_unknown(Reason::UnknownRole, "role", &row.role);
            return Ok(());
        };
        let Some(kind) = Word::of(&row.kind) else {
            rows.skip_unknown(Reason::UnknownContentType, "kind", &row.kind);
            return Ok(());
        };
        let Some(format) = Word::of(&row.format) else {
            rows.skip_unknown(Reason::UnknownContentType, "format", &row.format);
            return Ok(());
        };
        let Some(system_source) = Word::of(&row.system_source) else {
            rows.skip_unknown(
                Reason::UnknownContentType,
                "system_source",
                &row.system_source,
            );
            return Ok(());
        };
        let Ok(time) = time(&row) else {
            rows.skip(Reason::MalformedLine);
            return Ok(());
        };
        let parent = row.parent.as_deref().map(|p| self.id.get(p));
        let id = self.id.get(&row.id);
        let head = Head {
            deployment: self.deployment.get(&row.deployment),
            person: row.person.as_deref().map(|p| self.person.get(p)),
            conversation: self.conversation.get(&row.conversation),
            source: self.source.get(&row.source),
            format,
        };
        let event = Event {
            id,
            parent,
            time,
            role,
            kind,
            text: row.text.map(|t| t.into_owned().into_boxed_str()),
            item: row.item.as_deref().map(|v| self.item.get(v)),
            reaction: row.reaction,
            system: row.system.as_deref().map(|v| self.system.get(v)),
            system_source,
            policy: row.policy.as_deref().map(|v| self.policy.get(v)),
            propensity: row.propensity,
            position: row.position,
        };
        rows.row(head, row.seq, event)
    }
}

/// Time and its quality come together or not at all.
fn time(row: &Row<'_>) -> Result<Option<Time>, ()> {
    match (row.time, row.time_quality.as_deref()) {
        (None, None) => Ok(None),
        (Some(micros), Some(quality)) => Ok(Some(Time {
            micros,
            offset_seconds: row.offset_seconds,
            quality: Word::of(quality).ok_or(())?,
        })),
        _ => Err(()),
    }
}
