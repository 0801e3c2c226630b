//! All phrases as one tree over words, walked once per message.

use rustc_hash::FxHashMap;

use super::Part;
use crate::text::{Gap, Tokens, mix};

/// Bits of the filter in front of the edges.
const FILTER_BITS: u32 = 18;

/// A tree whose edges are words. Edges of all nodes lie in one table.
#[derive(Debug)]
pub(super) struct Trie {
    nodes: Vec<Node>,
    /// Child by node and word.
    edges: FxHashMap<u64, u32>,
    /// A bit per key of `edges`: most words have no edge, and this says so without a look-up.
    filter: Vec<u64>,
    /// Prefix edges of the root by the first three bytes of the prefix.
    roots: FxHashMap<[u8; 3], Vec<(Box<str>, u32)>>,
    /// Prefix edges of the nodes that have some; none of the root.
    prefixes: FxHashMap<u32, Vec<(Box<str>, u32)>>,
    /// Where several phrases end at one node, all but the first.
    more_ends: FxHashMap<u32, Vec<u32>>,
}

/// There are hundreds of thousands of nodes, and few have anything but edges by a word.
#[derive(Debug, Clone, Copy)]
struct Node {
    /// Child by any word, or [`NONE`].
    any: u32,
    /// The first phrase that ends here, or [`NONE`].
    end: u32,
    has_prefixes: bool,
}

const NONE: u32 = u32::MAX;
const BARE: Node = Node {
    any: NONE,
    end: NONE,
    has_prefixes: false,
};

impl Default for Trie {
    fn default() -> Self {
        Trie {
            nodes: vec![BARE],
            edges: FxHashMap::default(),
            filter: vec![0; 1 << (FILTER_BITS - 6)],
            roots: FxHashMap::default(),
            prefixes: FxHashMap::default(),
            more_ends: FxHashMap::default(),
        }
    }
}

/// Key of an edge.
fn key(node: u32, word: u64) -> u64 {
    if node == 0 {
        word
    } else {
        mix(word ^ u64::from(node).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }
}

fn bit(key: u64) -> (usize, u64) {
    let at = key >> (64 - FILTER_BITS);
    ((at >> 6) as usize, 1 << (at & 63))
}

impl Trie {
    /// Adds a phrase under its index.
    pub(super) fn insert<'a>(&mut self, parts: impl Iterator<Item = &'a Part>, phrase: u32) {
        let mut node = 0;
        for part in parts {
            node = self.child(node, part);
        }
        match self.nodes.get_mut(node as usize) {
            Some(here) if here.end == NONE => here.end = phrase,
            _ => self.more_ends.entry(node).or_default().push(phrase),
        }
    }

    /// Gives back what was reserved for phrases that did not come.
    pub(super) fn shrink(&mut self) {
        self.nodes.shrink_to_fit();
        self.edges.shrink_to_fit();
    }

    fn child(&mut self, node: u32, part: &Part) -> u32 {
        let new = self.nodes.len() as u32;
        let child = match part {
            Part::Exact(word) => {
                let key = key(node, *word);
                let (at, bit) = bit(key);
                if let Some(bits) = self.filter.get_mut(at) {
                    *bits |= bit;
                }
                *self.edges.entry(key).or_insert(new)
            }
            Part::Any => match self.nodes.get_mut(node as usize) {
                Some(here) if here.any == NONE => {
                    here.any = new;
                    new
                }
                here => here.map_or(new, |here| here.any),
            },
            Part::Prefix(prefix) => {
                let list = match (node, prefix.as_bytes().first_chunk::<3>()) {
                    (0, Some(&key)) => self.roots.entry(key).or_default(),
                    _ => {
                        if let Some(here) = self.nodes.get_mut(node as usize) {
                            here.has_prefixes = true;
                        }
                        self.prefixes.entry(node).or_default()
                    }
                };
                match list.iter().find(|(p, _)| p == prefix) {
                    Some((_, child)) => *child,
                    None => {
                        list.push((prefix.clone(), new));
                        new
                    }
                }
            }
        };
        if child == new {
            self.nodes.push(BARE);
        }
        child
    }

    fn edge(&self, node: u32, word: u64) -> Option<u32> {
        let key = key(node, word);
        let (at, bit) = bit(key);
        (self.filter.get(at)? & bit != 0)
            .then(|| self.edges.get(&key).copied())
            .flatten()
    }

    /// Calls `found` with every phrase whose words stand in the text, and the index of its first word.
    /// Lines, marks between the words and constraints are left to the phrase.
    pub(super) fn walk(&self, tokens: &Tokens, mut found: impl FnMut(u32, usize)) {
        let any = self.nodes.first().map(|root| root.any);
        let any = any.filter(|child| *child != NONE);
        for (first, word) in tokens.words.iter().enumerate() {
            if let Some(child) = any {
                self.descend(child, tokens, first, first + 1, &mut found);
            }
            if let Some(child) = self.edge(0, word.hash) {
                self.descend(child, tokens, first, first + 1, &mut found);
            }
            let roots = tokens
                .first_bytes(word)
                .and_then(|key| self.roots.get(&key));
            for (prefix, child) in roots.into_iter().flatten() {
                if tokens.starts_with(word, prefix) {
                    self.descend(*child, tokens, first, first + 1, &mut found);
                }
            }
        }
    }

    fn descend(
        &self,
        node: u32,
        tokens: &Tokens,
        first: usize,
        next: usize,
        found: &mut impl FnMut(u32, usize),
    ) {
        let Some(here) = self.nodes.get(node as usize) else {
            return;
        };
        if here.end != NONE {
            found(here.end, first);
            let more = self.more_ends.get(&node);
            more.into_iter()
                .flatten()
                .for_each(|&phrase| found(phrase, first));
        }
        let Some(word) = tokens.words.get(next).filter(|w| w.gap < Gap::Break) else {
            return;
        };
        if let Some(child) = self.edge(node, word.hash) {
            self.descend(child, tokens, first, next + 1, found);
        }
        if here.any != NONE {
            self.descend(here.any, tokens, first, next + 1, found);
        }
        if !here.has_prefixes {
            return;
        }
        for (prefix, child) in self.prefixes.get(&node).into_iter().flatten() {
            if tokens.starts_with(word, prefix) {
                self.descend(*child, tokens, first, next + 1, found);
            }
        }
    }
}
