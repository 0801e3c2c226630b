//! What happens to every conversation after parsing, whatever its format: accounts, duplicates,
//! times, ratings.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};
use sha2::{Digest, Sha256};

use super::is_personal;
use super::pipeline::Outcome;
use super::siblings::Siblings;
use crate::import::{Parsed, UnitError};
use crate::{
    Accounting, Conversation, Event, Format, Kind, Level, MICROS, Options, Reason, Role, Sink,
    SystemSource, TimeQuality,
};

/// 2000-01-01 and 2100-01-01: nothing was recorded outside. Fixed, so that an import does not depend
/// on the day it is run.
const EARLIEST: i64 = 946_684_800 * MICROS;
const LATEST: i64 = 4_102_444_800 * MICROS;

/// Totals over all files.
#[derive(Debug, Default)]
pub(super) struct Settled {
    pub(super) accounts: Vec<String>,
    pub(super) has_several_accounts: bool,
    pub(super) conversations: u64,
    pub(super) events: u64,
    pub(super) first: Option<i64>,
    pub(super) last: Option<i64>,
    pub(super) warnings: Vec<String>,
}

pub(super) struct Settle<'a> {
    options: &'a Options,
    siblings: &'a Siblings,
    /// (file, position) of conversations that a later state replaces.
    superseded: FxHashSet<(usize, u64)>,
    sink: &'a mut dyn Sink,
    seen: FxHashSet<[u8; 16]>,
    /// Accounts of personal exports. One person may have one at each service.
    owners: BTreeMap<Format, BTreeSet<String>>,
    accounts: BTreeSet<String>,
    totals: Settled,
    file: usize,
    root: usize,
    bytes_before: u64,
    bytes: u64,
    formats: FxHashMap<Format, u64>,
    accounting: Accounting,
    unknown_keys: Vec<String>,
    unknown_shapes: u64,
}

impl<'a> Settle<'a> {
    pub(super) fn new(
        options: &'a Options,
        siblings: &'a Siblings,
        superseded: FxHashSet<(usize, u64)>,
        sink: &'a mut dyn Sink,
    ) -> Self {
        Settle {
            options,
            siblings,
            superseded,
            sink,
            seen: FxHashSet::default(),
            owners: BTreeMap::new(),
            accounts: BTreeSet::new(),
            totals: Settled::default(),
            file: 0,
            root: 0,
            bytes_before: 0,
            bytes: 0,
            formats: FxHashMap::default(),
            accounting: Accounting::default(),
            unknown_keys: Vec::new(),
            unknown_shapes: 0,
        }
    }

    /// Opens the books of one file.
    pub(super) fn begin(&mut self, file: usize, root: usize, bytes_before: u64, bytes: u64) {
        (self.file, self.root) = (file, root);
        (self.bytes_before, self.bytes) = (bytes_before, bytes);
        self.formats.clear();
        self.unknown_keys.clear();
        self.unknown_shapes = 0;
        self.accounting = Accounting::default();
        self.sink.progress(bytes_before, bytes);
    }

    /// Closes them: the commonest format, and the accounting.
    pub(super) fn end(&mut self) -> (Option<Format>, Accounting) {
        let commonest = self
            .formats
            .iter()
            .max_by_key(|&(&f, &n)| (n, std::cmp::Reverse(f)));
        let format = commonest.map(|(&f, _)| f);
        let mut accounting = std::mem::take(&mut self.accounting);
        if format.is_some() {
            accounting
                .containers
                .skip_many(Reason::UnknownContentType, self.unknown_shapes);
        }
        if format == Some(Format::ChatGpt) {
            let comparisons = self.siblings.take_comparisons(self.root);
            if comparisons > 0 {
                accounting
                    .notes
                    .insert("side_by_side_comparison".to_owned(), comparisons);
            }
        }
        (format, accounting)
    }

    pub(super) fn take_unknown_keys(&mut self) -> Vec<String> {
        std::mem::take(&mut self.unknown_keys)
    }

    pub(super) fn skip_container(&mut self, reason: Reason) {
        self.accounting.containers.skip(reason);
    }

    /// Takes the outcomes of one batch, in order.
    pub(super) fn take_outcomes(&mut self, outcomes: Vec<Outcome>, over_limit: u64, at: u64) {
        self.accounting
            .containers
            .skip_many(Reason::OverLimit, over_limit);
        let mut batch = Vec::new();
        for outcome in outcomes {
            match (outcome.format, outcome.result) {
                (Some(format), Ok(parsed)) => {
                    self.settle(format, parsed, Some(outcome.position), &mut batch);
                }
                (Some(format), Err(error)) => self.failed(format, &error),
                (None, _) => self.unrecognised(outcome.keys),
            }
        }
        self.deliver(batch);
        self.sink
            .progress(self.bytes_before.saturating_add(at), self.bytes);
    }

    /// Takes what a stream delivers.
    pub(super) fn take_parsed(&mut self, format: Format, parsed: Parsed) {
        let mut batch = Vec::new();
        self.settle(format, parsed, None, &mut batch);
        self.deliver(batch);
    }

    fn failed(&mut self, format: Format, error: &UnitError) {
        *self.formats.entry(format).or_default() += 1;
        self.skip_container(match error {
            UnitError::Json { .. } => Reason::MalformedJson,
            UnitError::NotUtf8 { .. } => Reason::NotUtf8,
            UnitError::Structure(_) => Reason::BadMapping,
        });
    }

    /// Counted only among values that are recognised; a file without any is no export.
    fn unrecognised(&mut self, keys: Vec<String>) {
        if self.unknown_keys.is_empty() {
            self.unknown_keys = keys;
        }
        self.unknown_shapes += 1;
    }

    fn settle(
        &mut self,
        format: Format,
        parsed: Parsed,
        position: Option<u64>,
        batch: &mut Vec<Conversation>,
    ) {
        *self.formats.entry(format).or_default() += 1;
        let mut accounting = parsed.accounting;
        for mut conversation in parsed.conversations {
            match self.refusal(&conversation, position) {
                Some(reason) => withdraw(&mut accounting, &conversation, reason),
                None => {
                    check_times(&mut conversation.events, &mut accounting);
                    self.rate(&mut conversation, &mut accounting);
                    self.span(&conversation);
                    batch.push(conversation);
                }
            }
        }
        self.accounting.merge(&accounting);
    }

    fn deliver(&mut self, batch: Vec<Conversation>) {
        if batch.is_empty() || self.has_several_accounts() {
            return;
        }
        self.totals.conversations += batch.len() as u64;
        self.totals.events += batch.iter().map(|c| c.events.len() as u64).sum::<u64>();
        self.sink.take(batch);
    }

    fn has_several_accounts(&self) -> bool {
        self.options.account.is_none() && self.owners.values().any(|ids| ids.len() > 1)
    }

    fn refusal(&mut self, conversation: &Conversation, position: Option<u64>) -> Option<Reason> {
        let account = conversation
            .person
            .as_deref()
            .or_else(|| self.siblings.account(self.root));
        if let Some(account) = account {
            let owners = self.owners.entry(conversation.format).or_default();
            if is_personal(conversation.format) && !owners.contains(account) {
                owners.insert(account.to_owned());
            }
            if !self.accounts.contains(account) {
                self.accounts.insert(account.to_owned());
            }
            if self
                .options
                .account
                .as_deref()
                .is_some_and(|wanted| wanted != account)
            {
                return Some(Reason::OtherAccount);
            }
        }
        if position.is_some_and(|p| self.superseded.contains(&(self.file, p))) {
            return Some(Reason::Duplicate);
        }
        let is_new = self.seen.insert(identity(conversation));
        (!is_new).then_some(Reason::Duplicate)
    }

    /// Adds the ratings that a sibling file holds, each after the message it rates.
    fn rate(&self, conversation: &mut Conversation, accounting: &mut Accounting) {
        let Some(ratings) = self.siblings.ratings(self.root) else {
            return;
        };
        if conversation.format != Format::ChatGpt || ratings.is_empty() {
            return;
        }
        let mut at = 0;
        while let Some(event) = conversation.events.get(at) {
            at += 1;
            if let Some(rating) = ratings
                .get(&*event.id)
                .filter(|_| event.kind != Kind::Reaction)
            {
                let reaction = Event {
                    id: format!("{}:rating", event.id).into(),
                    parent: Some(event.id.clone()),
                    time: rating.time,
                    role: Role::Person,
                    kind: Kind::Reaction,
                    text: None,
                    item: Some(event.id.clone()),
                    reaction: Some(rating.value),
                    system: None,
                    system_source: SystemSource::Unknown,
                    policy: None,
                    propensity: None,
                    position: event.position,
                };
                conversation.events.insert(at, reaction);
                accounting.note("rating_attached");
            }
        }
    }

    fn span(&mut self, conversation: &Conversation) {
        let times = conversation.events.iter().filter_map(|e| e.time);
        for micros in times.filter(|t| t.is_trustworthy()).map(|t| t.micros) {
            self.totals.first = Some(self.totals.first.map_or(micros, |f| f.min(micros)));
            self.totals.last = Some(self.totals.last.map_or(micros, |l| l.max(micros)));
        }
    }

    pub(super) fn finish(mut self) -> Settled {
        if self.accounts.is_empty() {
            // Nothing that was read names an account; the files beside it may.
            let beside = self.siblings.all_accounts();
            self.accounts.extend(beside.iter().cloned());
            self.owners.insert(Format::ChatGpt, beside);
        }
        self.totals.has_several_accounts = self.has_several_accounts();
        self.totals.accounts = self.accounts.into_iter().collect();
        self.totals
    }
}

/// What makes two conversations the same one: the export's id, or for formats that make up new ids,
/// the content.
fn identity(conversation: &Conversation) -> [u8; 16] {
    let mut hash = Sha256::new();
    let mut add = |part: &str| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    };
    add(conversation.format.title());
    add(&conversation.deployment);
    add(conversation.person.as_deref().unwrap_or_default());
    let has_own_id = matches!(
        conversation.format,
        Format::ChatGpt | Format::Claude | Format::Driftlead | Format::RequestLog | Format::Otel
    );
    if has_own_id {
        add(&conversation.id);
    } else {
        for event in &conversation.events {
            add(event.text.as_deref().unwrap_or_default());
            add(&event.time.map(|t| t.micros.to_string()).unwrap_or_default());
        }
    }
    let mut id = [0; 16];
    id.iter_mut()
        .zip(hash.finalize())
        .for_each(|(to, from)| *to = from);
    id
}

/// Turns a conversation that was parsed, and is not wanted, into a skipped one.
fn withdraw(accounting: &mut Accounting, conversation: &Conversation, reason: Reason) {
    fn take_back(level: &mut Level, n: u64, reason: Reason) {
        let n = n.min(level.parsed);
        level.parsed -= n;
        level.seen -= n;
        level.skip_many(reason, n);
    }
    let is_alternative =
        |e: &&Event| matches!(e.kind, Kind::Replicate | Kind::Variant | Kind::Edit);
    let messages = conversation.messages().count() as u64;
    let alternatives = conversation.events.iter().filter(is_alternative).count() as u64;
    let swipes = alternatives.min(accounting.swipes.parsed);
    take_back(&mut accounting.containers, 1, reason);
    take_back(&mut accounting.swipes, swipes, reason);
    take_back(
        &mut accounting.units,
        messages + alternatives - swipes,
        reason,
    );
}

/// Marks times that cannot be those of the messages (formats.md §2.4).
fn check_times(events: &mut [Event], accounting: &mut Accounting) {
    for event in events.iter_mut() {
        if event
            .time
            .is_some_and(|t| !(EARLIEST..LATEST).contains(&t.micros))
        {
            event.time = None;
            accounting.note("time_out_of_range");
        }
    }
    if is_stamped_at_once(events) {
        accounting.note("conversation_with_import_times");
        for time in events.iter_mut().filter_map(|e| e.time.as_mut()) {
            time.quality = TimeQuality::Imported;
        }
    }
}

/// More than half of the messages share one stamp, or more than 20 messages lie within 5 seconds.
/// Whole minutes are no evidence for the first: formats that write minutes repeat them honestly.
fn is_stamped_at_once(events: &[Event]) -> bool {
    let messages = || events.iter().filter(|e| e.kind == Kind::Message);
    let mut stamps: Vec<i64> = messages()
        .filter_map(|e| e.time)
        .filter(|t| t.quality != TimeQuality::Conversation)
        .map(|t| t.micros)
        .collect();
    stamps.sort_unstable();
    let n = messages().count();
    if let (Some(first), Some(last)) = (stamps.first(), stamps.last())
        && n > 20
        && stamps.len() == n
        && last - first <= 5 * MICROS
    {
        return true;
    }
    let same = stamps
        .chunk_by(|a, b| a == b)
        .filter(|run| run.first().is_some_and(|t| t % (60 * MICROS) != 0))
        .map(<[i64]>::len)
        .max();
    same.is_some_and(|same| same >= 2 && 2 * same > n)
}
