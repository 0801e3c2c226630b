//! Lays one request onto the tree of its conversation.

use rustc_hash::FxHashMap;

use super::branch::{Node, Place};
use super::{Exchange, Thread, Turn, extend};
use crate::{Accounting, Reason, Role, Time};

/// One request on its way into a thread.
pub(super) struct Laying<'t> {
    pub(super) thread: &'t mut Thread,
    pub(super) id: u64,
    pub(super) paths: &'t mut FxHashMap<u64, (u64, usize)>,
    pub(super) accounting: &'t mut Accounting,
    pub(super) held: usize,
    pub(super) turns: usize,
}

impl Laying<'_> {
    pub(super) fn lay(&mut self, place: Place, shared: usize, mut exchange: Exchange) {
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
