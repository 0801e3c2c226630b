//! Claude.ai data export (formats.md §5): one conversation with its `chat_messages`.

mod shape;
mod words;

use std::sync::Arc;

use self::shape::{Message, Root};
use self::words::{Class, classify};
use super::chatgpt::derived_id;
use super::{Parsed, Unit, UnitError};
use crate::tree::{self, Node, Placed};
use crate::when::{Clock, Stamp};
use crate::{Accounting, Conversation, Event, Format, Kind, Reason, Role, SystemSource, Time};

/// Parent of a first message in captures of the web interface.
const NO_PARENT: &str = "00000000-0000-4000-8000-000000000000";

/// Reads one conversation, bare or as `{conversation: …}`.
///
/// # Errors
/// [`UnitError::Json`] where it is no JSON, [`UnitError::Structure`] where it has no `chat_messages`.
pub(crate) fn parse(unit: &Unit<'_>) -> Result<Parsed, UnitError> {
    let mut root: Root<'_> =
        serde_json::from_slice(unit.bytes).map_err(|e| UnitError::json(&e, unit.bytes))?;
    if let Some(inner) = root.conversation.0.take() {
        root = *inner;
    }
    let Some(messages) = root.chat_messages.take() else {
        return Err(UnitError::Structure("no `chat_messages`".to_owned()));
    };
    let messages: Vec<Message<'_>> = messages
        .0
        .into_iter()
        .map(|m| m.0.unwrap_or_default())
        .collect();
    let mut reading = Reading {
        unit,
        root: &root,
        accounting: Accounting::default(),
    };
    let rows = reading.classify(&messages);
    Ok(reading.finish(&messages, rows))
}

struct Reading<'a> {
    unit: &'a Unit<'a>,
    root: &'a Root<'a>,
    accounting: Accounting,
}

impl<'a> Reading<'a> {
    /// One slot per message; `None` for those that make no row.
    fn classify(&mut self, messages: &[Message<'_>]) -> Vec<Option<Event>> {
        let mut rows = Vec::with_capacity(messages.len());
        for message in messages {
            let row = match classify(message, &mut self.accounting) {
                Class::Skip(reason) => {
                    self.accounting.units.skip(reason);
                    None
                }
                Class::Row(role, text) => {
                    self.accounting.units.parse();
                    Some(self.event(message, role, text))
                }
            };
            rows.push(row);
        }
        rows
    }

    fn event(&mut self, message: &Message<'_>, role: Role, text: Box<str>) -> Event {
        let time = self.time(&message.created_at);
        let id = match message.uuid.get() {
            Some(id) => id.into(),
            None => {
                let stamp = time.map(|t| t.micros).unwrap_or_default().to_string();
                derived_id([role_word(role), stamp.as_str(), &text].into_iter())
            }
        };
        let (system, system_source) = match (role, message.model.get(), self.root.model.get()) {
            (Role::System, Some(model), _) => (Some(model.into()), SystemSource::Message),
            (Role::System, None, Some(model)) => (Some(model.into()), SystemSource::Conversation),
            _ => (None, SystemSource::Unknown),
        };
        Event {
            time,
            system,
            system_source,
            position: self.unit.position,
            ..Event::message(id, role, text)
        }
    }

    fn time(&mut self, stamp: &Stamp) -> Option<Time> {
        let time = stamp.time(Clock::utc(self.unit.options.zone.as_ref()));
        if time.is_none() && *stamp != Stamp::Missing {
            self.accounting.note("unreadable_time");
        }
        time
    }

    fn finish(mut self, messages: &[Message<'_>], rows: Vec<Option<Event>>) -> Parsed {
        let mut conversations = Vec::new();
        if rows.iter().all(Option::is_none) {
            self.accounting.containers.skip(Reason::EmptyText);
        } else {
            self.accounting.containers.parse();
            if self.root.is_temporary.0 {
                self.accounting.note("temporary_conversation");
            }
            let id = self.conversation_id(messages);
            conversations.push(Conversation {
                deployment: "claude".into(),
                person: self
                    .root
                    .account
                    .0
                    .as_ref()
                    .and_then(|a| a.uuid.get())
                    .map(Arc::from),
                id,
                source: Arc::clone(self.unit.source),
                format: Format::Claude,
                events: self.events(messages, rows),
            });
        }
        Parsed {
            conversations,
            accounting: self.accounting,
        }
    }

    fn conversation_id(&self, messages: &[Message<'_>]) -> Arc<str> {
        let root = self.root;
        match root.uuid.get().or_else(|| root.conversation_id.get()) {
            Some(id) => id.into(),
            None => derived_id(messages.iter().filter_map(|m| m.uuid.get())),
        }
    }

    fn events(&mut self, messages: &[Message<'_>], rows: Vec<Option<Event>>) -> Vec<Event> {
        if messages
            .iter()
            .any(|m| m.parent_message_uuid.get().is_some())
        {
            self.branching(messages, rows)
        } else {
            self.flat(rows.into_iter().flatten())
        }
    }

    /// A capture with parent links.
    fn branching(&mut self, messages: &[Message<'_>], mut rows: Vec<Option<Event>>) -> Vec<Event> {
        let nodes: Vec<Node<'_>> = messages
            .iter()
            .zip(&rows)
            .map(|(message, row)| Node {
                id: message.uuid.get().unwrap_or_default(),
                parent: message
                    .parent_message_uuid
                    .get()
                    .filter(|p| *p != NO_PARENT),
                role: row.as_ref().map(|r| r.role),
                time: row.as_ref().and_then(|r| r.time).map(|t| t.micros),
                system: message.model.get().or_else(|| self.root.model.get()),
                settings: None,
            })
            .collect();
        let tree = tree::resolve(&nodes, self.root.current_leaf_message_uuid.get());
        tree.note(&mut self.accounting);
        let parent = |row: &Placed| {
            let above = rows.get(row.parent?)?.as_ref()?;
            Some(Arc::clone(&above.id))
        };
        let parents: Vec<_> = tree.rows.iter().map(parent).collect();
        let mut events = Vec::with_capacity(tree.rows.len());
        for (row, parent) in tree.rows.iter().zip(parents) {
            let taken = rows.get_mut(row.node).and_then(Option::take);
            events.extend(taken.map(|event| Event {
                parent,
                kind: row.kind,
                ..event
            }));
        }
        events
    }

    /// The official export: one list in time order without links. Of two answers in a row the
    /// earlier one may have been regenerated, and is therefore kept out of the main path.
    fn flat(&mut self, rows: impl Iterator<Item = Event>) -> Vec<Event> {
        let mut events: Vec<Event> = Vec::new();
        let mut answers: Vec<Event> = Vec::new();
        let mut last: Option<Arc<str>> = None;
        for mut row in rows {
            if row.role == Role::System {
                row.parent.clone_from(&last);
                answers.push(row);
            } else {
                last = self.settle(&mut answers, &mut events).or(last);
                row.parent.clone_from(&last);
                last = Some(Arc::clone(&row.id));
                events.push(row);
            }
        }
        self.settle(&mut answers, &mut events);
        events
    }

    /// Moves a run of answers to the rows, the last one as the message. Returns its id.
    fn settle(&mut self, answers: &mut Vec<Event>, events: &mut Vec<Event>) -> Option<Arc<str>> {
        let message = answers.pop()?;
        let id = Arc::clone(&message.id);
        events.push(message);
        for earlier in answers.drain(..) {
            self.accounting.note("possible_regeneration");
            events.push(Event {
                kind: Kind::Variant,
                ..earlier
            });
        }
        Some(id)
    }
}

fn role_word(role: Role) -> &'static str {
    if role == Role::System {
        "system"
    } else {
        "person"
    }
}
