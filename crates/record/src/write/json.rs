//! Conversations to JSON Lines.

use std::borrow::Cow;
use std::io::{BufWriter, Write};

use super::WriteError;
use crate::schema::{Header, Row, VERSION, Word};
use crate::{Conversation, Event};

/// A JSON Lines file being written.
pub(super) struct Lines<W: Write> {
    out: BufWriter<W>,
    text: bool,
}

impl<W: Write> Lines<W> {
    /// Writes the header line.
    pub(super) fn start(out: W, text: bool) -> Result<Self, WriteError> {
        let mut out = BufWriter::with_capacity(1 << 16, out);
        let header = Header {
            version: VERSION,
            text,
        };
        serde_json::to_writer(&mut out, &header)?;
        out.write_all(b"\n")?;
        Ok(Lines { out, text })
    }

    /// Writes the rows of one conversation.
    pub(super) fn write(&mut self, conversation: &Conversation) -> Result<(), WriteError> {
        for (seq, event) in conversation.events.iter().enumerate() {
            let seq = u32::try_from(seq).map_err(|_| WriteError::TooLarge {
                source_file: conversation.source.clone(),
            })?;
            serde_json::to_writer(&mut self.out, &row(conversation, seq, event, self.text))?;
            self.out.write_all(b"\n")?;
        }
        Ok(())
    }

    /// Passes everything on to the output.
    pub(super) fn finish(mut self) -> Result<(), WriteError> {
        self.out.flush()?;
        Ok(())
    }
}

fn row<'a>(of: &'a Conversation, seq: u32, event: &'a Event, text: bool) -> Row<'a> {
    Row {
        deployment: Cow::Borrowed(&of.deployment),
        person: of.person.as_deref().map(Cow::Borrowed),
        conversation: Cow::Borrowed(&of.id),
        seq,
        time: event.time.map(|t| t.micros),
        offset_seconds: event.time.and_then(|t| t.offset_seconds),
        time_quality: event.time.map(|t| Cow::Borrowed(t.quality.word())),
        role: Cow::Borrowed(event.role.word()),
        kind: Cow::Borrowed(event.kind.word()),
        text: event.text.as_deref().filter(|_| text).map(Cow::Borrowed),
        item: event.item.as_deref().map(Cow::Borrowed),
        reaction: event.reaction.filter(|v| v.is_finite()),
        system: event.system.as_deref().map(Cow::Borrowed),
        system_source: Cow::Borrowed(event.system_source.word()),
        policy: event.policy.as_deref().map(Cow::Borrowed),
        propensity: event.propensity.filter(|v| v.is_finite()),
        id: Cow::Borrowed(&event.id),
        parent: event.parent.as_deref().map(Cow::Borrowed),
        source: Cow::Borrowed(&of.source),
        format: Cow::Borrowed(of.format.word()),
        position: event.position,
    }
}
