//! What importers share when they turn messages into rows: parsing, ids, links, and the conversation
//! around them.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{Parsed, Unit, UnitError};
use crate::tree::{self, Node};
use crate::when::{Clock, Stamp};
use crate::{
    Accounting, Conversation, Event, Format, Kind, Reason, Role, SystemSource, Time, TimeQuality,
};

/// Parses the JSON of a unit.
pub(super) fn json<'de, T: Deserialize<'de>>(unit: &Unit<'de>) -> Result<T, UnitError> {
    serde_json::from_slice(unit.bytes).map_err(|e| UnitError::json(&e, unit.bytes))
}

/// Id of something that has none, from what it says. Every part counts, in this order.
pub(super) fn content_id(parts: &[&str]) -> Arc<str> {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    let digest = hash.finalize();
    let hex: String = digest.iter().take(16).map(|b| format!("{b:02x}")).collect();
    format!("derived-{hex}").into()
}

/// Reads a time, and counts one that is there and cannot be read.
pub(super) fn time(stamp: &Stamp, clock: Clock<'_>, accounting: &mut Accounting) -> Option<Time> {
    let time = stamp.time(clock);
    if time.is_none() && *stamp != Stamp::Missing {
        accounting.note("unreadable_time");
    }
    time
}

/// Makes ids for rows that have none, from (conversation, role, time, text). Only rows that are
/// equal in all of these are told apart by a count.
pub(super) struct Ids {
    conversation: Arc<str>,
    seen: FxHashMap<Arc<str>, u64>,
}

impl Ids {
    pub(super) fn new(conversation: &Arc<str>) -> Self {
        Ids {
            conversation: Arc::clone(conversation),
            seen: FxHashMap::default(),
        }
    }

    /// The row's own id where it has one.
    pub(super) fn of(
        &mut self,
        own: Option<&str>,
        role: Role,
        time: Option<Time>,
        text: &str,
    ) -> Arc<str> {
        if let Some(own) = own {
            return own.into();
        }
        let stamp = time.map(|t| t.micros.to_string()).unwrap_or_default();
        let role = match role {
            Role::Person => "person",
            Role::System => "system",
            Role::Tool => "tool",
            Role::OtherHuman => "other_human",
        };
        let id = content_id(&[&self.conversation, role, &stamp, text]);
        let count = self.seen.entry(Arc::clone(&id)).or_default();
        *count += 1;
        if *count == 1 {
            id
        } else {
            format!("{id}-{count}").into()
        }
    }
}

/// Rows of a conversation that is one line, in order.
#[derive(Default)]
pub(super) struct Line {
    pub(super) events: Vec<Event>,
    /// The last message, and the one before.
    last: Option<Arc<str>>,
    before: Option<Arc<str>>,
}

impl Line {
    /// Adds a message that follows the last one.
    pub(super) fn message(&mut self, event: Event) {
        self.before = self.last.replace(Arc::clone(&event.id));
        self.events.push(Event {
            parent: self.before.clone(),
            ..event
        });
    }

    /// Adds an alternative to the last message.
    pub(super) fn alternative(&mut self, event: Event) {
        self.events.push(Event {
            parent: self.before.clone(),
            ..event
        });
    }
}

/// One node of a conversation that may branch.
#[derive(Default)]
pub(super) struct Leaf<'a> {
    pub(super) id: &'a str,
    pub(super) parent: Option<&'a str>,
    /// System that answered, for telling replicates from variants.
    pub(super) system: Option<&'a str>,
    /// The row it makes, if any.
    pub(super) row: Option<Event>,
}

/// Orders nodes into rows: main path, each message followed by its alternatives.
pub(super) fn branch(
    mut leaves: Vec<Leaf<'_>>,
    current: Option<&str>,
    accounting: &mut Accounting,
) -> Vec<Event> {
    let nodes: Vec<Node<'_>> = leaves
        .iter()
        .map(|leaf| Node {
            id: leaf.id,
            parent: leaf.parent,
            role: leaf.row.as_ref().map(|r| r.role),
            time: leaf.row.as_ref().and_then(|r| r.time).map(|t| t.micros),
            system: leaf.system,
            settings: None,
        })
        .collect();
    let tree = tree::resolve(&nodes, current);
    tree.note(accounting);
    let id_of = |i: usize| leaves.get(i)?.row.as_ref().map(|row| Arc::clone(&row.id));
    let parents: Vec<_> = tree
        .rows
        .iter()
        .map(|row| row.parent.and_then(id_of))
        .collect();
    let mut events = Vec::with_capacity(tree.rows.len());
    for (placed, parent) in tree.rows.iter().zip(parents) {
        let row = leaves.get_mut(placed.node).and_then(|l| l.row.take());
        events.extend(row.map(|row| Event {
            parent,
            kind: placed.kind,
            ..row
        }));
    }
    events
}

/// A reaction of the person to a row. The time of a rating is not recorded: only that it belongs to
/// this conversation.
pub(super) fn rating(of: &Event, value: f64) -> Event {
    Event {
        id: format!("{}:rating", of.id).into(),
        parent: Some(Arc::clone(&of.id)),
        time: of.time.map(|t| Time {
            quality: t.quality.max(TimeQuality::Conversation),
            ..t
        }),
        role: Role::Person,
        kind: Kind::Reaction,
        text: None,
        item: Some(Arc::clone(&of.id)),
        reaction: Some(value),
        system: None,
        system_source: SystemSource::Unknown,
        ..of.clone()
    }
}

/// What surrounds the rows.
pub(super) struct Head {
    pub(super) format: Format,
    pub(super) deployment: Arc<str>,
    pub(super) person: Option<Arc<str>>,
    pub(super) id: Arc<str>,
}

/// Counts the conversation, and keeps it if it has rows.
pub(super) fn finish(unit: &Unit<'_>, head: Head, events: Vec<Event>, parsed: &mut Parsed) {
    if events.is_empty() {
        parsed.accounting.containers.skip(Reason::EmptyText);
        return;
    }
    parsed.accounting.containers.parse();
    parsed.conversations.push(Conversation {
        deployment: head.deployment,
        person: head.person,
        id: head.id,
        source: Arc::clone(unit.source),
        format: head.format,
        events,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_an_id_do_not_run_together() {
        assert_ne!(content_id(&["ab", "c"]), content_id(&["a", "bc"]));
        assert_eq!(content_id(&["a"]), content_id(&["a"]));
    }

    #[test]
    fn equal_rows_get_different_ids_wherever_they_stand() {
        let mut ids = Ids::new(&"c".into());
        let first = ids.of(None, Role::Person, None, "yes");
        assert_ne!(first, ids.of(None, Role::System, None, "yes"));
        assert_ne!(first, ids.of(None, Role::Person, None, "yes"));
        assert_eq!(
            ids.of(Some("own"), Role::Person, None, "yes").as_ref(),
            "own"
        );
        let mut again = Ids::new(&"c".into());
        again.of(None, Role::System, None, "no");
        assert_eq!(first, again.of(None, Role::Person, None, "yes"));
    }
}
