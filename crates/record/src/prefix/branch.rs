//! The tree of one conversation that is seen through its requests.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{Exchange, Turn};
use crate::{Event, Kind, Reason, Role, SystemSource, Time, tree};

/// A node, or the start of the conversation.
pub(super) type Place = Option<usize>;

/// Longest end of a conversation that a cut history is compared with.
const TAIL: usize = 4096;

/// One message of the tree. After delivery only fingerprint and parent are left.
#[derive(Debug, Clone)]
pub(super) struct Node {
    print: u64,
    parent: Place,
    delivered: bool,
    id: Option<Arc<str>>,
    pub(super) role: Role,
    pub(super) skipped: Option<Reason>,
    pub(super) text: Option<Box<str>>,
    pub(super) time: Option<Time>,
    pub(super) system: Option<Arc<str>>,
    pub(super) system_source: SystemSource,
    pub(super) settings: Option<Arc<str>>,
    position: u64,
}

impl Node {
    pub(super) fn new(parent: Place, turn: Turn, position: u64) -> Self {
        let (text, skipped) = match turn.body {
            Ok(text) => (text, None),
            Err(reason) => (None, Some(reason)),
        };
        Node {
            print: turn.print,
            parent,
            delivered: false,
            id: turn.id,
            role: turn.role,
            skipped,
            text,
            time: None,
            system: None,
            system_source: SystemSource::Unknown,
            settings: None,
            position,
        }
    }

    /// An answer that was logged without words.
    fn is_silent(&self) -> bool {
        self.role == Role::System && self.skipped.is_none() && self.text.is_none()
    }

    fn event(&self, id: &Arc<str>, parent: Option<Arc<str>>, kind: Kind) -> Event {
        Event {
            id: id.clone(),
            parent,
            time: self.time,
            role: self.role,
            kind,
            text: self.text.clone(),
            item: None,
            reaction: None,
            system: self.system.clone(),
            system_source: self.system_source,
            policy: None,
            propensity: None,
            position: self.position,
        }
    }
}

/// Stable id from what a message is, in 16 hexadecimal digits.
pub(super) fn derive(parts: &[&str]) -> Arc<str> {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    let hex: String = hash
        .finalize()
        .iter()
        .take(8)
        .map(|b| format!("{b:02x}"))
        .collect();
    Arc::from(hex)
}

/// The tree, with the end of the last request and the last system prompt.
#[derive(Default)]
pub(super) struct Branches {
    nodes: Vec<Node>,
    /// Last child of each node, the start first; siblings are chained backwards.
    last_child: Vec<Place>,
    sibling: Vec<Place>,
    asked: Place,
    leaf: Place,
    prompt: Option<u64>,
    /// Changes of the system prompt, each with the place that it follows.
    notes: Vec<(Place, Event)>,
}

impl Branches {
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The end of what was seen last.
    pub(super) fn leaf(&self) -> Place {
        self.leaf
    }

    /// Remembers where the last request ended.
    pub(super) fn asked(&mut self, place: Place) {
        self.asked = place;
        self.leaf = place;
    }

    fn node(&self, at: Place) -> Option<&Node> {
        self.nodes.get(at?)
    }

    fn children(&self, of: Place) -> impl Iterator<Item = usize> + '_ {
        let slot = of.map_or(0, |i| i + 1);
        let first = self.last_child.get(slot).copied().flatten();
        std::iter::successors(first, |&i| self.sibling.get(i).copied().flatten())
    }

    /// Adds a message and names it where the log does not.
    pub(super) fn push(&mut self, conversation: &str, mut node: Node) -> usize {
        let i = self.nodes.len();
        if node.skipped.is_none() && node.id.is_none() {
            node.id = Some(self.name(conversation, &node));
        }
        self.last_child.resize(i + 2, None);
        let slot = node.parent.map_or(0, |p| p + 1);
        let before = match self.last_child.get_mut(slot) {
            Some(last) => last.replace(i),
            None => None,
        };
        self.sibling.push(before);
        self.nodes.push(node);
        self.leaf = Some(i);
        i
    }

    /// From conversation, parent, role, words and time; an equal sibling gets a number.
    fn name(&self, conversation: &str, node: &Node) -> Arc<str> {
        let parent = self.node(node.parent).and_then(|p| p.id.as_deref());
        let twins = self
            .children(node.parent)
            .filter(|&i| self.node(Some(i)).is_some_and(|n| n.print == node.print))
            .count();
        derive(&[
            conversation,
            parent.unwrap_or(""),
            if node.role == Role::Person {
                "person"
            } else {
                "system"
            },
            node.text.as_deref().unwrap_or(""),
            &node.time.map_or(String::new(), |t| t.micros.to_string()),
            &twins.to_string(),
        ])
    }

    /// Whether exactly this answer is there already. Equal words alone are no proof: a system can
    /// say the same thing twice.
    pub(super) fn has_answer(&self, place: Place, turn: &Turn, time: Option<Time>) -> bool {
        self.children(place).any(|i| {
            self.node(Some(i)).is_some_and(|n| {
                let same = match (&n.id, &turn.id) {
                    (Some(a), Some(b)) => a == b,
                    _ => n.time == time,
                };
                n.print == turn.print && same
            })
        })
    }

    /// Gives a silent answer the words that the next request repeats.
    pub(super) fn fill(&mut self, place: Place, turn: &Turn) -> Option<usize> {
        let silent = self.children(place).find(|&i| {
            self.node(Some(i))
                .is_some_and(|n| n.is_silent() && !n.delivered)
        })?;
        let node = self.nodes.get_mut(silent)?;
        node.print = turn.print;
        match &turn.body {
            Ok(text) => node.text = text.clone(),
            Err(_) => return None,
        }
        Some(silent)
    }

    /// Notes a changed system prompt by its fingerprint; its words are not the person's.
    pub(super) fn prompt(&mut self, place: Place, of: &Exchange) -> bool {
        let Some(prompt) = of.prompt else {
            return false;
        };
        let before = self.prompt.replace(prompt);
        if before.is_none_or(|b| b == prompt) {
            return false;
        }
        let item = derive(&["system prompt", &prompt.to_string()]);
        let event = Event {
            id: derive(&[
                "system prompt",
                &prompt.to_string(),
                &self.notes.len().to_string(),
            ]),
            parent: self.node(place).and_then(|n| n.id.clone()),
            time: of.asked,
            role: Role::System,
            kind: Kind::Note,
            text: None,
            item: Some(Arc::from(format!("system_prompt:{item}"))),
            reaction: None,
            system: of.system.clone(),
            system_source: of.system_source,
            policy: None,
            propensity: None,
            position: of.position,
        };
        self.notes.push((place, event));
        true
    }

    /// Longest overlap of the start of a history with the end of this conversation: the node that
    /// the overlap ends at, and its length. The end is that of the last request, with or without
    /// each of its answers.
    pub(super) fn overlap(&self, prints: &[u64], least: usize) -> Option<(usize, usize)> {
        if prints.len() < least {
            return None;
        }
        let ends = self.children(self.asked).chain(self.asked);
        let mut best: Option<(usize, usize)> = None;
        for end in ends {
            let tail = self.tail(end);
            let longest = (least.max(1)..=tail.len().min(prints.len()))
                .rev()
                .find(|&n| {
                    let known = tail.iter().take(n).rev();
                    known.eq(prints.iter().take(n))
                });
            if let Some(n) = longest
                && best.is_none_or(|(_, most)| n > most)
            {
                best = Some((end, n));
            }
        }
        best
    }

    /// Fingerprints from a node upwards.
    fn tail(&self, end: usize) -> Vec<u64> {
        let up = std::iter::successors(Some(end), |&i| self.node(Some(i))?.parent);
        up.take(TAIL)
            .filter_map(|i| self.node(Some(i)).map(|n| n.print))
            .collect()
    }

    /// The rows that were not delivered yet, main path first to last, each followed by its
    /// alternatives. Their words are given up.
    pub(super) fn deliver(&mut self) -> Vec<Event> {
        if self.notes.is_empty() && self.nodes.last().is_none_or(|n| n.delivered) {
            return Vec::new();
        }
        let names: Vec<String> = (0..self.nodes.len()).map(|i| format!("{i:010}")).collect();
        let fresh: Vec<usize> = (0..self.nodes.len())
            .filter(|&i| self.node(Some(i)).is_some_and(|n| !n.delivered))
            .collect();
        let resolved = {
            let nodes: Vec<tree::Node<'_>> = fresh
                .iter()
                .filter_map(|&i| self.tree_node(i, &names))
                .collect();
            let current = self.leaf.and_then(|l| names.get(l)).map(String::as_str);
            tree::resolve(&nodes, current)
        };
        let rows: Vec<(usize, Kind)> = resolved
            .rows
            .iter()
            .filter_map(|r| Some((*fresh.get(r.node)?, r.kind)))
            .collect();
        let events = self.events(&rows);
        for node in &mut self.nodes {
            node.delivered = true;
            node.text = None;
            node.settings = None;
        }
        events
    }

    fn is_delivered(&self, i: usize) -> bool {
        self.node(Some(i)).is_some_and(|n| n.delivered)
    }

    fn tree_node<'a>(&'a self, i: usize, names: &'a [String]) -> Option<tree::Node<'a>> {
        let node = self.nodes.get(i)?;
        let parent = node.parent.filter(|&p| !self.is_delivered(p));
        Some(tree::Node {
            id: names.get(i)?,
            parent: parent.and_then(|p| names.get(p)).map(String::as_str),
            role: node.skipped.is_none().then_some(node.role),
            time: None,
            system: node.system.as_deref(),
            settings: node.settings.as_deref(),
        })
    }

    fn events(&mut self, rows: &[(usize, Kind)]) -> Vec<Event> {
        // A note that follows nothing that has a row comes first.
        let mut notes: BTreeMap<Place, Vec<Event>> = BTreeMap::new();
        for (place, event) in std::mem::take(&mut self.notes) {
            notes.entry(self.row_above(place)).or_default().push(event);
        }
        let mut events = notes.remove(&None).unwrap_or_default();
        let mut waiting = Vec::new();
        for &(at, kind) in rows {
            // Alternatives stand directly behind their message, and notes behind those.
            if kind == Kind::Message {
                events.append(&mut waiting);
            }
            let parent = self.node(Some(at)).and_then(|n| n.parent);
            let parent = self
                .node(self.named_above(parent))
                .and_then(|p| p.id.clone());
            if let Some(node) = self.node(Some(at))
                && let Some(id) = &node.id
            {
                events.push(node.event(id, parent, kind));
            }
            waiting.extend(notes.remove(&Some(at)).unwrap_or_default());
        }
        events.append(&mut waiting);
        events
    }

    fn named_above(&self, place: Place) -> Place {
        std::iter::successors(place, |&i| self.node(Some(i))?.parent)
            .find(|&i| self.node(Some(i)).is_some_and(|n| n.skipped.is_none()))
    }

    /// The nearest node at or above `place` that gets a row now.
    fn row_above(&self, place: Place) -> Place {
        self.named_above(place).filter(|&i| !self.is_delivered(i))
    }
}
