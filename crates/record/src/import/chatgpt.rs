//! ChatGPT data export (formats.md §4): one conversation object whose `mapping` is a tree of nodes.

mod content;
mod shape;

use std::sync::Arc;

use sha2::{Digest, Sha256};

use self::content::{Class, classify};
use self::shape::{Mapping, Message, Root};
use super::{Parsed, Unit, UnitError};
use crate::tree::{self, Node, Tree};
use crate::when::{Clock, Stamp};
use crate::{Accounting, Conversation, Event, Format, Reason, Role, SystemSource, Time};

/// Reads one conversation.
///
/// # Errors
/// [`UnitError::Json`] where it is no JSON, [`UnitError::Structure`] where it has no `mapping`.
pub(crate) fn parse(unit: &Unit<'_>) -> Result<Parsed, UnitError> {
    let root: Root<'_> =
        serde_json::from_slice(unit.bytes).map_err(|e| UnitError::json(&e, unit.bytes))?;
    let mut parsed = Parsed::default();
    match &root.mapping {
        Mapping::Absent => Err(UnitError::Structure("no `mapping`".to_owned())),
        Mapping::NotAnObject => {
            parsed.accounting.containers.skip(Reason::BadMapping);
            Ok(parsed)
        }
        Mapping::Nodes(nodes) => {
            let mut reading = Reading::new(unit, &root);
            reading.classify(nodes);
            reading.finish()
        }
    }
}

/// A node that makes a row, waiting for its place.
struct Visible {
    id: Arc<str>,
    role: Role,
    text: Box<str>,
    time: Option<Time>,
    system: Option<Arc<str>>,
    source: SystemSource,
}

struct Reading<'a> {
    unit: &'a Unit<'a>,
    root: &'a Root<'a>,
    accounting: Accounting,
    nodes: Vec<Node<'a>>,
    visible: Vec<Option<Visible>>,
    /// The last model seen: neighbours share one allocation of its name.
    model: Option<Arc<str>>,
}

impl<'a> Reading<'a> {
    fn new(unit: &'a Unit<'a>, root: &'a Root<'a>) -> Self {
        Reading {
            unit,
            root,
            accounting: Accounting::default(),
            nodes: Vec::new(),
            visible: Vec::new(),
            model: None,
        }
    }

    fn classify(&mut self, entries: &'a [shape::Entry<'a>]) {
        for entry in entries {
            let message = entry.node.message.0.as_ref();
            let class = match message {
                _ if entry.is_broken => Class::Skip(Reason::BadMapping),
                None => Class::Skip(Reason::StructuralRoot),
                Some(message) => classify(message, &mut self.accounting),
            };
            let visible = match class {
                Class::Skip(reason) => {
                    self.accounting.units.skip(reason);
                    None
                }
                Class::Row(role, text) => {
                    self.accounting.units.parse();
                    message.map(|m| self.visible(&entry.key, m, role, text))
                }
            };
            self.nodes.push(self.node(entry, message, visible.as_ref()));
            self.visible.push(visible);
        }
    }

    fn visible(&mut self, key: &str, message: &Message<'_>, role: Role, text: Box<str>) -> Visible {
        let (system, source) = match role {
            Role::System => self.system_of(message),
            _ => (None, SystemSource::Unknown),
        };
        Visible {
            id: message.id.get().unwrap_or(key).into(),
            role,
            text,
            time: self.time(message),
            system,
            source,
        }
    }

    fn time(&mut self, message: &Message<'_>) -> Option<Time> {
        let time = message
            .create_time
            .time(Clock::utc(self.unit.options.zone.as_ref()));
        if time.is_none() && message.create_time != Stamp::Missing {
            self.accounting.note("unreadable_time");
        }
        time
    }

    /// The model of an answer: its own, else the conversation's default.
    fn system_of(&mut self, message: &Message<'_>) -> (Option<Arc<str>>, SystemSource) {
        let own = message.metadata.0.as_ref().and_then(|m| m.model_slug.get());
        let (slug, source) = match (own, self.root.default_model_slug.get()) {
            (Some(slug), _) => (slug, SystemSource::Message),
            (None, Some(slug)) => (slug, SystemSource::Conversation),
            (None, None) => return (None, SystemSource::Unknown),
        };
        if self.model.as_deref() != Some(slug) {
            self.model = Some(slug.into());
        }
        (self.model.clone(), source)
    }

    fn node(
        &self,
        entry: &'a shape::Entry<'a>,
        message: Option<&'a Message<'a>>,
        visible: Option<&Visible>,
    ) -> Node<'a> {
        let metadata = message.and_then(|m| m.metadata.0.as_ref());
        Node {
            id: &entry.key,
            parent: entry.node.parent.get(),
            role: visible.map(|v| v.role),
            time: visible.and_then(|v| v.time).map(|t| t.micros),
            system: metadata
                .and_then(|m| m.model_slug.get())
                .or_else(|| self.root.default_model_slug.get()),
            settings: metadata.and_then(|m| m.thinking_effort.get()),
        }
    }

    fn finish(mut self) -> Result<Parsed, UnitError> {
        let tree = tree::resolve(&self.nodes, self.root.current_node.get());
        tree.note(&mut self.accounting);
        let mut conversations = Vec::new();
        if tree.rows.is_empty() {
            self.accounting.containers.skip(Reason::EmptyText);
        } else {
            self.accounting.containers.parse();
            if self.root.is_do_not_remember.0 {
                self.accounting.note("conversation_marked_do_not_remember");
            }
            conversations.push(Conversation {
                deployment: "chatgpt".into(),
                person: None,
                id: self.conversation_id(),
                source: Arc::clone(self.unit.source),
                format: Format::ChatGpt,
                events: self.events(&tree),
            });
        }
        Ok(Parsed {
            conversations,
            accounting: self.accounting,
        })
    }

    fn conversation_id(&self) -> Arc<str> {
        match self
            .root
            .conversation_id
            .get()
            .or_else(|| self.root.id.get())
        {
            Some(id) => id.into(),
            None => derived_id(self.nodes.iter().map(|n| n.id)),
        }
    }

    fn events(&mut self, tree: &Tree) -> Vec<Event> {
        let id_of = |i: usize| self.visible.get(i)?.as_ref().map(|v| Arc::clone(&v.id));
        let parents: Vec<_> = tree
            .rows
            .iter()
            .map(|row| row.parent.and_then(id_of))
            .collect();
        let mut events = Vec::with_capacity(tree.rows.len());
        for (row, parent) in tree.rows.iter().zip(parents) {
            let taken = self.visible.get_mut(row.node).and_then(Option::take);
            events.extend(taken.map(|v| Event {
                parent,
                time: v.time,
                kind: row.kind,
                system: v.system,
                system_source: v.source,
                position: self.unit.position,
                ..Event::message(v.id, v.role, v.text)
            }));
        }
        events
    }
}

/// Id of a conversation that has none: its node ids, in an order that no export changes.
pub(super) fn derived_id<'a>(ids: impl Iterator<Item = &'a str>) -> Arc<str> {
    let mut ids: Vec<&str> = ids.collect();
    ids.sort_unstable();
    let mut hash = Sha256::new();
    for id in ids {
        hash.update(id.as_bytes());
        hash.update([0]);
    }
    let digest = hash.finalize();
    let hex: String = digest.iter().take(16).map(|b| format!("{b:02x}")).collect();
    format!("derived-{hex}").into()
}

#[cfg(test)]
mod tests;
