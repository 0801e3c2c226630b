//! Conversations out of requests that repeat the whole history (formats.md §12, 13.4).
//!
//! Every request is laid onto a tree of the messages seen so far under the same person and
//! conversation; only what goes beyond the longest known prefix is new. Answers to the same request
//! are siblings; the one that the next request goes on from lies on the main path.
//!
//! Memory: words wait until their conversation is delivered. Above [`HELD_BYTES`] the conversation
//! that rested longest is delivered and only fingerprints of it stay, so that it can be continued.
//! Above [`KNOWN_TURNS`] fingerprints the one that rested longest is forgotten.

mod branch;

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::import::Parsed;
use crate::{Accounting, Conversation, Format, Reason, Role, SystemSource, Time};
use branch::{Branches, Node, Place};

/// Words kept before conversations are delivered early.
const HELD_BYTES: usize = 64 << 20;
/// Fingerprints kept, about 250 bytes each.
const KNOWN_TURNS: usize = 400_000;
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

    fn make_room(&mut self) {
        let limit = |bytes: usize, of: usize| bytes > of;
        while limit(self.held, HELD_BYTES) {
            let oldest = self
                .rested
                .values()
                .copied()
                .find(|t| self.threads.get(t).is_some_and(|t| t.held > 0));
            let Some(oldest) = oldest else { break };
            self.close(oldest);
            self.pass_on();
        }
        while limit(self.turns, KNOWN_TURNS) && self.rested.len() > 1 {
            let Some((_, oldest)) = self.rested.pop_first() else {
                break;
            };
            self.close(oldest);
            self.forget(oldest);
            self.pass_on();
        }
    }

    /// Makes a conversation of what a thread holds.
    fn close(&mut self, id: u64) {
        let Some(thread) = self.threads.get_mut(&id) else {
            return;
        };
        self.held -= thread.held;
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

    fn forget(&mut self, id: u64) {
        let Some(thread) = self.threads.remove(&id) else {
            return;
        };
        self.turns -= thread.branches.len().min(self.turns);
        self.parsed.accounting.note("history_forgotten");
        if let Some(known) = self.known.get_mut(&thread.key) {
            known.threads.retain(|t| *t != id);
            known.paths.retain(|_, (t, _)| *t != id);
            if known.threads.is_empty() {
                self.known.remove(&thread.key);
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

/// One request on its way into a thread.
struct Laying<'t> {
    thread: &'t mut Thread,
    id: u64,
    paths: &'t mut FxHashMap<u64, (u64, usize)>,
    accounting: &'t mut Accounting,
    held: usize,
    turns: usize,
}

impl Laying<'_> {
    fn lay(&mut self, place: Place, shared: usize, mut exchange: Exchange) {
        let changed = self.thread.branches.prompt(place, &exchange);
        self.accounting
            .units
            .skip_many(Reason::HiddenContext, exchange.context);
        if changed {
            self.accounting.note("system_prompt_changed");
        }
        self.accounting
            .units
            .skip_many(Reason::Duplicate, shared as u64);
        let turns = std::mem::take(&mut exchange.turns);
        let answers = std::mem::take(&mut exchange.answers);
        let end = turns.len();
        let (mut place, mut path) = (place, 0);
        for (i, turn) in turns.into_iter().enumerate() {
            path = extend(path, turn.print);
            if i >= shared {
                // Only what was sent last was sent now; what stands before it is history.
                let time = exchange.asked.filter(|_| i + 1 == end);
                place = self.turn(place, turn, time, &exchange);
            }
            // Also for known turns: a cut history has its own first turn from now on.
            if i + 1 >= shared
                && let Some(node) = place
            {
                self.paths.entry(path).or_insert((self.id, node));
            }
        }
        self.thread.branches.asked(place);
        for answer in answers {
            let print = answer.print;
            let node = self.answer(place, answer, &exchange);
            if let Some(node) = node {
                self.paths
                    .entry(extend(path, print))
                    .or_insert((self.id, node));
            }
        }
    }

    fn turn(&mut self, place: Place, turn: Turn, time: Option<Time>, of: &Exchange) -> Place {
        if turn.role == Role::System
            && let Some(node) = self.thread.branches.fill(place, &turn)
        {
            // The words of an answer that was logged without them.
            self.accounting.units.skip(Reason::Duplicate);
            self.held += words(&turn);
            return Some(node);
        }
        let mut node = Node::new(place, turn, of.position);
        if node.role != Role::System || time.is_some() {
            node.time = time;
        }
        Some(self.push(node))
    }

    fn answer(&mut self, place: Place, turn: Turn, of: &Exchange) -> Place {
        if self.thread.branches.has_answer(place, &turn, of.answered) {
            self.accounting.units.skip(Reason::Duplicate);
            return None;
        }
        let mut node = Node::new(place, turn, of.position);
        node.time = of.answered;
        node.system = of.system.clone();
        node.system_source = of.system_source;
        node.settings = of.settings.clone();
        Some(self.push(node))
    }

    fn push(&mut self, node: Node) -> usize {
        match node.skipped {
            Some(reason) => self.accounting.units.skip(reason),
            None => self.accounting.units.parse(),
        }
        let held = node.text.as_deref().map_or(0, str::len) + 200;
        self.held += held;
        self.turns += 1;
        self.thread.branches.push(&self.thread.id, node)
    }
}

fn words(turn: &Turn) -> usize {
    match &turn.body {
        Ok(Some(text)) => text.len(),
        _ => 0,
    }
}
