//! Rows to conversations.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHasher};

use crate::import::{Parsed, UnitError};
use crate::{Conversation, Event, Format, Reason};

/// Rows that are collected before they are delivered.
const BATCH_ROWS: usize = 8192;

/// What the rows of one conversation share.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Head {
    pub(super) deployment: Arc<str>,
    pub(super) person: Option<Arc<str>>,
    pub(super) conversation: Arc<str>,
    pub(super) source: Arc<str>,
    pub(super) format: Format,
}

impl Head {
    /// Equality that looks at the bytes only where the pointers differ.
    fn is_of(&self, c: &Conversation) -> bool {
        same(&self.conversation, &c.id)
            && same(&self.source, &c.source)
            && same(&self.deployment, &c.deployment)
            && self.format == c.format
            && match (&self.person, &c.person) {
                (Some(a), Some(b)) => same(a, b),
                (None, None) => true,
                _ => false,
            }
    }

    fn hash(&self) -> u64 {
        let mut h = FxHasher::default();
        (&self.deployment, &self.person, &self.conversation).hash(&mut h);
        (&self.source, self.format as u8).hash(&mut h);
        h.finish()
    }
}

fn same(a: &Arc<str>, b: &Arc<str>) -> bool {
    Arc::ptr_eq(a, b) || a == b
}

/// Collects rows into conversations and delivers them in batches.
///
/// Holds eight bytes per conversation seen, to notice rows that do not stand together: a
/// conversation cut in two would be measured as two.
pub(super) struct Assembler<'a> {
    open: Option<(Conversation, u32)>,
    /// Whether the first run of rows of a conversation began at row 0.
    seen: FxHashMap<u64, bool>,
    rows: usize,
    parsed: Parsed,
    deliver: &'a mut dyn FnMut(Parsed),
}

impl<'a> Assembler<'a> {
    pub(super) fn new(deliver: &'a mut dyn FnMut(Parsed)) -> Self {
        Assembler {
            open: None,
            seen: FxHashMap::default(),
            rows: 0,
            parsed: Parsed::default(),
            deliver,
        }
    }

    /// Takes one row. A row belongs to the open conversation while its head is the same and `seq`
    /// rises; the same conversation written twice starts again at 0.
    pub(super) fn row(&mut self, head: Head, seq: u32, event: Event) -> Result<(), UnitError> {
        self.parsed.accounting.units.parse();
        self.rows += 1;
        if let Some((conversation, last)) = &mut self.open
            && seq > *last
            && head.is_of(conversation)
        {
            conversation.events.push(event);
            *last = seq;
            return Ok(());
        }
        self.close();
        let complete = self.seen.entry(head.hash()).or_insert(seq == 0);
        if seq != 0 && *complete || seq == 0 && !*complete {
            return Err(UnitError::Structure(
                "rows of one conversation do not stand together; sort the record by deployment, \
                 person, source, conversation and seq"
                    .to_owned(),
            ));
        }
        self.open = Some((
            Conversation {
                deployment: head.deployment,
                person: head.person,
                id: head.conversation,
                source: head.source,
                format: head.format,
                events: vec![event],
            },
            seq,
        ));
        Ok(())
    }

    /// Counts a row that cannot be used.
    pub(super) fn skip(&mut self, reason: Reason) {
        self.parsed.accounting.units.skip(reason);
        self.rows += 1;
    }

    /// Counts a row whose word no table knows.
    pub(super) fn skip_unknown(&mut self, reason: Reason, column: &str, word: &str) {
        self.parsed.accounting.unknown(column, word);
        self.skip(reason);
    }

    fn close(&mut self) {
        if let Some((conversation, _)) = self.open.take() {
            self.parsed.accounting.containers.parse();
            self.parsed.conversations.push(conversation);
        }
        if self.rows >= BATCH_ROWS {
            self.rows = 0;
            (self.deliver)(std::mem::take(&mut self.parsed));
        }
    }

    /// Delivers what is left.
    pub(super) fn finish(mut self) {
        self.close();
        if self.rows > 0 {
            (self.deliver)(self.parsed);
        }
    }
}
