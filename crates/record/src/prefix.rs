//! Conversations out of requests that repeat the whole history (formats.md §12, 13.4).
//!
//! Every request is laid onto a tree of the messages seen so far under the same person and
//! conversation; only what goes beyond the longest known prefix is new. Answers to the same request
//! are siblings; the one that the next request goes on from lies on the main path.
//!
//! Memory: words wait until their conversation is delivered. Above `LIMITS.held` the conversation
//! that rested longest is delivered and only fingerprints of it stay, so that it can be continued.
//! Above `LIMITS.turns` fingerprints the one that rested longest is forgotten.

mod branch;
mod lay;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::import::Parsed;
use crate::{Accounting, Conversation, Format, Reason, Role, SystemSource, Time};
use branch::{Branches, Place};
use lay::Laying;

/// What is kept at most.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Bytes of words, and of what comes with them, before conversations are delivered early.
    held: usize,
    /// Fingerprints, about 250 bytes each.
    turns: usize,
}

const LIMITS: Limits = Limits {
    held: 64 << 20,
    turns: 400_000,
};
/// Silence after which a first message that was seen before opens a new conversation, in
/// microseconds (design: 30 minutes end a session where nothing else does).
const SILENCE: i64 = 30 * 60 * crate::MICROS;
/// Messages that a cut history must share with the end of a known one.
const LEAST_OVERLAP: usize = 2;

/// One message of a request or answer, system prompts excepted.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    /// Fingerprint of role, words and tool-call ids.
    pub(crate) print: u64,
    pub(crate) role: Role,
    /// Cleaned words; `Err` for a turn that makes no row.
    pub(crate) body: Result<Option<Box<str>>, Reason>,
    /// The log's own id.
    pub(crate) id: Option<Arc<str>>,
}

impl Turn {
    /// A turn, fingerprinted by its words as they were sent.
    pub(crate) fn new(
        role: Role,
        raw: &str,
        tool_calls: &[&str],
        body: Result<Option<Box<str>>, Reason>,
    ) -> Self {
        let mut h = std::hash::DefaultHasher::new();
        (role as u8, tool_calls).hash(&mut h);
        // Front ends trim, and change line ends, when they send an answer back.
        for line in raw.trim().lines() {
            line.trim_end().hash(&mut h);
        }
        Turn {
            print: h.finish(),
            role,
            body,
            id: None,
        }
    }
}

/// One request with its answers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Exchange {
    pub(crate) person: Option<Arc<str>>,
    /// Conversation id of the log.
    pub(crate) conversation: Option<Arc<str>>,
    pub(crate) deployment: Option<Arc<str>>,
    /// Messages sent, without system prompts.
    pub(crate) turns: Vec<Turn>,
    /// System prompts and injected summaries: how many, and a fingerprint of the prompts.
    pub(crate) context: u64,
    pub(crate) prompt: Option<u64>,
    pub(crate) answers: Vec<Turn>,
    pub(crate) system: Option<Arc<str>>,
    pub(crate) system_source: SystemSource,
    /// Settings of the generation, such as a temperature.
    pub(crate) settings: Option<Arc<str>>,
    pub(crate) asked: Option<Time>,
    pub(crate) answered: Option<Time>,
    pub(crate) position: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Key {
    person: Option<Arc<str>>,
    conversation: Option<Arc<str>>,
}

/// All conversations of a stream.
pub(crate) struct Threads<'a> {
    source: Arc<str>,
    format: Format,
    known: FxHashMap<Key, Known>,
    /// Threads by the last time they were touched.
    rested: BTreeMap<u64, u64>,
    threads: FxHashMap<u64, Thread>,
    clock: u64,
    next: u64,
    held: usize,
    turns: usize,
    parsed: Parsed,
    limits: Limits,
    deliver: &'a mut dyn FnMut(Parsed),
}

/// What was seen under one key: where each prefix ends, and the threads, latest last.
#[derive(Default)]
struct Known {
    paths: FxHashMap<u64, (u64, usize)>,
    threads: Vec<u64>,
}

struct Thread {
    key: Key,
    touched: u64,
    last_time: Option<i64>,
    branches: Branches,
    parts: u32,
    deployment: Arc<str>,
    id: Arc<str>,
    held: usize,
}

fn extend(path: u64, print: u64) -> u64 {
    let mut h = std::hash::DefaultHasher::new();
    (path, print).hash(&mut h);
    h.finish()
}

impl<'a> Threads<'a> {
    pub(crate) fn new(
        source: &Arc<str>,
        format: Format,
        deliver: &'a mut dyn FnMut(Parsed),
    ) -> Self {
        Threads {
            source: source.clone(),
            format,
            known: FxHashMap::default(),
            rested: BTreeMap::new(),
            threads: FxHashMap::default(),
            clock: 0,
            next: 0,
            held: 0,
            turns: 0,
            parsed: Parsed::default(),
            limits: LIMITS,
            deliver,
        }
    }

    /// For what the caller itself has to count.
    pub(crate) fn accounting(&mut self) -> &mut Accounting {
        &mut self.parsed.accounting
    }

    /// Lays one request and its answers onto what is known.
    pub(crate) fn take(&mut self, exchange: Exchange) {
        let key = Key {
            person: exchange.person.clone(),
            conversation: exchange.conversation.clone(),
        };
        let (thread, place, shared) = self.find(&key, &exchange);
        self.touch(thread);
        self.add(thread, place, shared, exchange);
        self.make_room();
    }

    /// The thread and place that a request goes on from, and how many of its turns are known.
    fn find(&mut self, key: &Key, exchange: &Exchange) -> (u64, Place, usize) {
        if let Some(known) = self.known.get(key) {
            if let Some(found) = self.by_prefix(key, known, exchange) {
                return found;
            }
            if let Some(found) = self.by_tail(key, known, exchange) {
                return found;
            }
        }
        (self.open(key, exchange), None, 0)
    }

    fn by_prefix(&self, key: &Key, known: &Known, of: &Exchange) -> Option<(u64, Place, usize)> {
        let mut path = 0;
        let mut found = None;
        for (i, turn) in of.turns.iter().enumerate() {
            path = extend(path, turn.print);
            match known.paths.get(&path) {
                Some(&(thread, node)) => found = Some((thread, Some(node), i + 1)),
                // A prefix of a known prefix is known, except where it was forgotten.
                None if found.is_some() => break,
                None => {}
            }
        }
        let (thread, node, shared) = found?;
        // A greeting that was sent before opens a conversation more often than it repeats one.
        let is_greeting = shared == 1 && key.conversation.is_none();
        let is_new = is_greeting && (key.person.is_none() || self.rested_long(thread, of.asked));
        (!is_new).then_some((thread, node, shared))
    }

    fn rested_long(&self, thread: u64, now: Option<Time>) -> bool {
        let last = self.threads.get(&thread).and_then(|t| t.last_time);
        match (last, now) {
            (Some(last), Some(now)) => now.micros.saturating_sub(last).abs() > SILENCE,
            _ => false,
        }
    }

    /// Where the front of the history was cut, its start is the end of a known conversation. A log
    /// that names conversations needs less: whatever it names goes on from the end.
    fn by_tail(&self, key: &Key, known: &Known, of: &Exchange) -> Option<(u64, Place, usize)> {
        let least = if key.conversation.is_some() {
            1
        } else {
            LEAST_OVERLAP
        };
        let prints: Vec<u64> = of.turns.iter().map(|t| t.print).collect();
        let latest = known.threads.iter().rev().take(64);
        for &thread in latest.clone() {
            let branches = &self.threads.get(&thread)?.branches;
            if let Some((node, shared)) = branches.overlap(&prints, least) {
                return Some((thread, Some(node), shared));
            }
        }
        key.conversation.as_ref()?;
        let thread = *known.threads.last()?;
        Some((thread, self.threads.get(&thread)?.branches.leaf(), 0))
    }

    fn open(&mut self, key: &Key, exchange: &Exchange) -> u64 {
        let id = match &exchange.conversation {
            Some(id) => id.clone(),
            None => first_id(exchange),
        };
        let thread = self.next;
        self.next += 1;
        self.known
            .entry(key.clone())
            .or_default()
            .threads
            .push(thread);
        self.rested.insert(self.clock, thread);
        let deployment = exchange.deployment.clone();
        self.threads.insert(
            thread,
            Thread {
                key: key.clone(),
                touched: self.clock,
                last_time: None,
                branches: Branches::default(),
                parts: 0,
                deployment: deployment.unwrap_or_else(|| Arc::from(UNNAMED)),
                id,
                held: 0,
            },
        );
        self.clock += 1;
        thread
    }

    fn touch(&mut self, thread: u64) {
        if let Some(t) = self.threads.get_mut(&thread) {
            self.rested.remove(&t.touched);
            t.touched = self.clock;
            self.rested.insert(self.clock, thread);
            self.clock += 1;
        }
    }

    fn add(&mut self, id: u64, place: Place, shared: usize, exchange: Exchange) {
        let Some(thread) = self.threads.get_mut(&id) else {
            return;
        };
        let Some(known) = self.known.get_mut(&thread.key) else {
            return;
        };
        let time = exchange.answered.or(exchange.asked);
        thread.last_time = time.map(|t| t.micros).or(thread.last_time);
        let mut laid = Laying {
            thread: &mut *thread,
            id,
            paths: &mut known.paths,
            accounting: &mut self.parsed.accounting,
            held: 0,
            turns: 0,
        };
        laid.lay(place, shared, exchange);
        let (held, turns) = (laid.held, laid.turns);
        thread.held += held;
        self.held += held;
        self.turns += turns;
    }

    /// Works down to half of a limit at once, so that the search is paid for rarely.
    fn make_room(&mut self) {
        if self.held > self.limits.held {
            let rested: Vec<u64> = self.rested.values().copied().collect();
            for thread in rested {
                if self.held <= self.limits.held / 2 {
                    break;
                }
                self.close(thread);
            }
            self.pass_on();
        }
        if self.turns > self.limits.turns {
            let mut gone = FxHashMap::default();
            while self.turns > self.limits.turns / 2 && self.rested.len() > 1 {
                let Some((_, oldest)) = self.rested.pop_first() else {
                    break;
                };
                self.close(oldest);
                self.forget(oldest, &mut gone);
            }
            self.unlist(&gone);
            self.pass_on();
        }
    }

    /// Makes a conversation of what a thread holds.
    fn close(&mut self, id: u64) {
        let Some(thread) = self.threads.get_mut(&id) else {
            return;
        };
        self.held = self.held.saturating_sub(thread.held);
        thread.held = 0;
        let events = thread.branches.deliver();
        if events.is_empty() {
            return;
        }
        thread.parts += 1;
        let id = match thread.parts {
            1 => thread.id.clone(),
            n => Arc::from(format!("{}/{n}", thread.id)),
        };
        self.parsed.accounting.containers.parse();
        if thread.parts > 1 {
            self.parsed.accounting.note("conversation_in_parts");
        }
        self.parsed.conversations.push(Conversation {
            deployment: thread.deployment.clone(),
            person: thread.key.person.clone(),
            id,
            source: self.source.clone(),
            format: self.format,
            events,
        });
    }

    fn forget(&mut self, id: u64, gone: &mut FxHashMap<Key, FxHashSet<u64>>) {
        if let Some(thread) = self.threads.remove(&id) {
            self.turns = self.turns.saturating_sub(thread.branches.len());
            self.parsed.accounting.note("history_forgotten");
            gone.entry(thread.key).or_default().insert(id);
        }
    }

    fn unlist(&mut self, gone: &FxHashMap<Key, FxHashSet<u64>>) {
        for (key, ids) in gone {
            let Some(known) = self.known.get_mut(key) else {
                continue;
            };
            known.threads.retain(|t| !ids.contains(t));
            known.paths.retain(|_, (t, _)| !ids.contains(t));
            if known.threads.is_empty() {
                self.known.remove(key);
            }
        }
    }

    fn pass_on(&mut self) {
        (self.deliver)(std::mem::take(&mut self.parsed));
    }

    /// Delivers everything, in the order in which the conversations began.
    pub(crate) fn finish(mut self) {
        let mut ids: Vec<u64> = self.threads.keys().copied().collect();
        ids.sort_unstable();
        for chunk in ids.chunks(256) {
            for &id in chunk {
                self.close(id);
                self.threads.remove(&id);
            }
            self.pass_on();
        }
        if ids.is_empty() {
            self.pass_on();
        }
    }
}

/// Deployment where neither system nor service is named.
const UNNAMED: &str = "log";

fn first_id(exchange: &Exchange) -> Arc<str> {
    let first = exchange.turns.first().or(exchange.answers.first());
    let words = first
        .and_then(|t| t.body.as_ref().ok())
        .and_then(|b| b.as_deref());
    let time = exchange.asked.or(exchange.answered);
    branch::derive(&[
        exchange.person.as_deref().unwrap_or(""),
        &time.map_or(String::new(), |t| t.micros.to_string()),
        words.unwrap_or(""),
    ])
}
