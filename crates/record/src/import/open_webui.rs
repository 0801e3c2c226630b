//! Open WebUI chat export (formats.md §8): one chat, as a standard or as a legacy item.

mod details;
mod shape;

use std::borrow::Cow;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use self::shape::{Chat, Message};
use super::rows::{self, Head, Ids, Leaf};
use super::{Parsed, Unit, UnitError};
use crate::when::Clock;
use crate::{Accounting, Event, Format, Reason, Role, SystemSource, text};

/// Reads one chat.
///
/// # Errors
/// [`UnitError::Json`] where it is no JSON, [`UnitError::Structure`] where it has neither
/// `history.messages` nor `messages`.
pub(crate) fn parse(unit: &Unit<'_>) -> Result<Parsed, UnitError> {
    let root: Chat<'_> = rows::json(unit)?;
    let chat = root.chat.0.as_deref().unwrap_or(&root);
    let id = root.id.get().map_or_else(|| derived_id(chat), Arc::from);
    let mut reading = Reading {
        unit,
        chat,
        ids: Ids::new(&id),
        parsed: Parsed::default(),
        ratings: FxHashMap::default(),
    };
    let mut events = reading.events()?;
    reading.rate(&mut events);
    let head = Head {
        format: Format::OpenWebUi,
        deployment: "open_webui".into(),
        person: root.user_id.get().map(Arc::from),
        id,
    };
    let mut parsed = reading.parsed;
    rows::finish(unit, head, events, &mut parsed);
    Ok(parsed)
}

/// Id of a chat without one: its message ids, or its words where they have none. Message ids come in
/// the order of a map, which says nothing.
fn derived_id(chat: &Chat<'_>) -> Arc<str> {
    let mut known: Vec<Cow<'_, str>> = Vec::new();
    for entry in chat.nodes() {
        known.push(Cow::Borrowed(&entry.key));
    }
    known.sort_unstable();
    if known.is_empty() {
        let first = chat.messages.0.iter().filter_map(|m| m.0.as_ref()).take(2);
        known.extend(first.map(|m| m.content.words()));
    }
    let parts: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
    rows::content_id(&parts)
}

struct Reading<'a> {
    unit: &'a Unit<'a>,
    chat: &'a Chat<'a>,
    ids: Ids,
    parsed: Parsed,
    /// Value of every rating, by the row it rates.
    ratings: FxHashMap<Arc<str>, f64>,
}

impl<'a> Reading<'a> {
    fn events(&mut self) -> Result<Vec<Event>, UnitError> {
        let chat = self.chat;
        if !chat.is_chat() {
            return Err(UnitError::Structure(
                "neither `history.messages` nor `messages`".to_owned(),
            ));
        }
        if !chat.nodes().is_empty() {
            return Ok(self.tree());
        }
        let mut line = rows::Line::default();
        for message in &chat.messages.0 {
            let event = self.row(message.0.as_ref(), None);
            event.into_iter().for_each(|event| line.message(event));
        }
        Ok(line.events)
    }

    fn tree(&mut self) -> Vec<Event> {
        let chat = self.chat;
        let mut leaves = Vec::with_capacity(chat.nodes().len());
        for entry in chat.nodes() {
            let message = entry.message.0.as_ref();
            leaves.push(Leaf {
                id: &entry.key,
                parent: message.and_then(|m| m.parent_id.get()),
                system: message
                    .and_then(|m| m.model.get())
                    .or_else(|| chat.only_model()),
                row: self.row(message, Some(&entry.key)),
            });
        }
        rows::branch(leaves, chat.current(), &mut self.parsed.accounting)
    }

    /// The row of a message; `None`, and counted, if it makes none.
    fn row(&mut self, message: Option<&Message<'_>>, key: Option<&str>) -> Option<Event> {
        let accounting = &mut self.parsed.accounting;
        let (message, role, words) = match classify(message, accounting) {
            Ok(row) => row,
            Err(reason) => {
                accounting.units.skip(reason);
                return None;
            }
        };
        accounting.units.parse();
        if message.done.0 == Some(false) {
            accounting.note("unfinished_answer");
        }
        let clock = Clock::utc(self.unit.options.zone.as_ref());
        let time = rows::time(&message.timestamp, clock, accounting);
        let (system, system_source) = match (role, message.model.get(), self.chat.only_model()) {
            (Role::System, Some(model), _) => (Some(model.into()), SystemSource::Message),
            (Role::System, None, Some(model)) => (Some(model.into()), SystemSource::Conversation),
            _ => (None, SystemSource::Unknown),
        };
        let id = self.ids.of(message.id.get().or(key), role, time, &words);
        let rating = message.annotation.0.as_ref().and_then(|a| a.rating.0);
        if let Some(value) = rating.filter(|r| r.is_finite() && *r != 0.0) {
            self.ratings.insert(Arc::clone(&id), value);
        }
        Some(Event {
            time,
            system,
            system_source,
            position: self.unit.position,
            ..Event::message(id, role, words)
        })
    }

    /// Puts every rating after the row it rates.
    fn rate(&mut self, events: &mut Vec<Event>) {
        if self.ratings.is_empty() {
            return;
        }
        let mut rated = Vec::with_capacity(events.len() + self.ratings.len());
        for event in events.drain(..) {
            let rating = self
                .ratings
                .remove(&event.id)
                .map(|value| rows::rating(&event, value));
            rated.push(event);
            rated.extend(rating);
        }
        *events = rated;
    }
}

/// Who says what, or why there is no row.
fn classify<'m, 'a>(
    message: Option<&'m Message<'a>>,
    accounting: &mut Accounting,
) -> Result<(&'m Message<'a>, Role, Box<str>), Reason> {
    let message = message.ok_or(Reason::BadMapping)?;
    let role = match message.role.get() {
        Some("user") => Role::Person,
        Some("assistant") => Role::System,
        Some("system") => return Err(Reason::HiddenContext),
        Some("tool") => return Err(Reason::ToolResult),
        other => {
            accounting.unknown("role", other.unwrap_or_default());
            return Err(Reason::UnknownRole);
        }
    };
    let written = message.content.words();
    let cut = match role {
        Role::System => details::cut(&written),
        _ => details::Cut::nothing(&written),
    };
    for (n, what) in [
        (cut.reasoning, "reasoning_removed"),
        (cut.tools, "tool_block_removed"),
    ] {
        (0..n).for_each(|_| accounting.note(what));
    }
    match text::clean(&cut.text, accounting) {
        Some(words) => Ok((message, role, words)),
        None if message.files.0 > 0 || message.content.has_attachment() => {
            Err(Reason::AttachmentOnly)
        }
        None if cut.reasoning > 0 => Err(Reason::Reasoning),
        None if cut.tools > 0 => Err(Reason::ToolCall),
        None => Err(Reason::EmptyText),
    }
}

#[cfg(test)]
mod tests;
