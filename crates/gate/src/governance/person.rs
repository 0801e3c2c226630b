//! One person while they are here: what is kept of them, and their conversations under way.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use driftlead_metrics::Meter;
use driftlead_record::{Event, Kind, MICROS, Role, SystemSource, Time};
use driftlead_stats::baseline::Guarded;

use super::kept::{Kept, Repair};
use super::sync::Standing;
use crate::audit::{AuditError, SubjectKey};
use crate::command::Code;
use crate::store::{Revision, Row, Tag, pseudonym};

/// Silence that ends a conversation, µs.
pub(super) const SILENCE: i64 = 30 * 60 * MICROS;

/// One person.
#[derive(Debug)]
pub(super) struct Person {
    /// `None` for whoever is not named: nothing of theirs is ever stored.
    pub(super) tag: Option<Tag>,
    identity: Mutex<Arc<Identity>>,
    /// Held while something about consent, repair or erasure is logged and then done, so that two such
    /// acts cannot cross.
    pub(super) acting: tokio::sync::Mutex<()>,
    /// Held while this copy and the row in the store are compared or written.
    pub(super) syncing: tokio::sync::Mutex<()>,
    live: Mutex<Live>,
}

/// What seals what is theirs, and their name in the record.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) key: SubjectKey,
    pub(super) pseudonym: String,
}

/// What changes.
#[derive(Debug, Default)]
pub(super) struct Live {
    pub(super) kept: Kept,
    /// How this stands to the row in the store.
    pub(super) standing: Standing,
    /// Set by erasure: whatever still runs must not write the person back.
    pub(super) erased: bool,
    pub(super) code: Option<Code>,
    pub(super) talks: HashMap<String, Talk>,
    /// One detector per marker, once the rule is there.
    pub(super) detectors: Vec<Guarded>,
    /// Start of continued use, µs; the last break reminder in it.
    pub(super) use_since: i64,
    pub(super) last: i64,
}

/// One conversation under way.
#[derive(Debug)]
pub(super) struct Talk {
    /// Random name: the client's own is not kept.
    pub(super) id: String,
    pub(super) started: i64,
    pub(super) last: i64,
    pub(super) policy: String,
    pub(super) meter: Meter,
    /// Hash of the newest user turn and number of turns with it: the same again is a regeneration.
    newest: Option<(u64, usize)>,
    answered: bool,
    pub(super) complaints: u32,
    /// Rows for the record, where it is written.
    pub(super) rows: Vec<Event>,
    next_row: u32,
    pub(super) disclosed: Option<i64>,
    pub(super) repairs: Vec<Repair>,
    pub(super) pause: Option<(f64, bool)>,
    /// Whether the start of the conversation, where a pause is drawn, is over.
    pub(super) begun: bool,
}

/// What a new request is to its conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Something new.
    New,
    /// The same message once more, for another reply.
    Again,
    /// Another wording at the same place.
    Edited,
}

impl Person {
    /// Somebody of whom nothing is kept.
    pub(super) fn new(tag: Option<Tag>) -> Result<Self, AuditError> {
        let identity = Identity {
            key: SubjectKey::random()?,
            pseudonym: pseudonym()?,
        };
        Ok(Person {
            tag,
            identity: Mutex::new(Arc::new(identity)),
            acting: tokio::sync::Mutex::default(),
            syncing: tokio::sync::Mutex::default(),
            live: Mutex::default(),
        })
    }

    /// Somebody from the store.
    pub(super) fn kept(tag: Tag, row: Row, kept: Kept, shared: bool) -> Self {
        let identity = Identity {
            key: row.key,
            pseudonym: row.pseudonym,
        };
        Person {
            tag: Some(tag),
            identity: Mutex::new(Arc::new(identity)),
            acting: tokio::sync::Mutex::default(),
            syncing: tokio::sync::Mutex::default(),
            live: Mutex::new(Live {
                standing: Standing::of(row.revision, &kept, shared),
                kept,
                ..Live::default()
            }),
        }
    }

    /// Their key and pseudonym. They are the row's, once there is one.
    pub(super) fn identity(&self) -> Arc<Identity> {
        Arc::clone(&self.identity.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether a row is of this person, and not of one who was erased or came after.
    pub(super) fn owns(&self, row: &Row) -> bool {
        self.identity().key == row.key
    }

    /// Another gateway made the row first: its key is the person's.
    pub(super) fn take_identity(&self, row: &Row) {
        if !self.owns(row) {
            let identity = Identity {
                key: row.key.clone(),
                pseudonym: row.pseudonym.clone(),
            };
            let mut own = self.identity.lock().unwrap_or_else(PoisonError::into_inner);
            *own = Arc::new(identity);
        }
    }

    pub(super) fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The row as it should be stored.
    pub(super) fn row(&self, live: &Live, revision: Revision) -> Row {
        let identity = self.identity();
        Row {
            key: identity.key.clone(),
            pseudonym: identity.pseudonym.clone(),
            state: live.kept.write(),
            revision,
        }
    }
}

impl Live {
    /// Takes back to `now` what lies ahead of it. A clock that was set forward and then right would
    /// otherwise leave conversations that never end and reminders that never come; a clock set back by
    /// a little ends nothing, and silence is counted anew. Nothing lies ahead of `last`, so that a clock
    /// that goes forward costs nothing here, however many conversations there are.
    pub(super) fn set_back_to(&mut self, now: i64) {
        // Requests at the same time come a little out of order: that is no clock that was set.
        if now >= self.last.saturating_sub(MICROS) {
            return;
        }
        self.last = self.last.min(now);
        self.use_since = self.use_since.min(now);
        for talk in self.talks.values_mut() {
            talk.last = talk.last.min(now);
            talk.disclosed = talk.disclosed.map(|at| at.min(now));
        }
    }

    /// The conversation of a session, begun anew after silence; the one that silence ended comes back.
    pub(super) fn talk(
        &mut self,
        session: &str,
        policy: &str,
        now: i64,
    ) -> Result<(&mut Talk, Option<Talk>), AuditError> {
        self.set_back_to(now);
        if now.saturating_sub(self.last) > SILENCE {
            self.use_since = now;
        }
        self.last = self.last.max(now);
        let over = self
            .talks
            .get(session)
            .is_some_and(|talk| now.saturating_sub(talk.last) > SILENCE);
        let ended = if over {
            self.talks.remove(session)
        } else {
            None
        };
        let talk = match self.talks.entry(session.to_owned()) {
            Entry::Occupied(talk) => talk.into_mut(),
            Entry::Vacant(place) => place.insert(Talk::new(pseudonym()?, policy, now)),
        };
        talk.last = talk.last.max(now);
        Ok((talk, ended))
    }
}

impl Talk {
    fn new(id: String, policy: &str, now: i64) -> Self {
        Talk {
            meter: Meter::without_wording(&id),
            id,
            started: now,
            last: now,
            policy: policy.to_owned(),
            newest: None,
            answered: false,
            complaints: 0,
            rows: Vec::new(),
            next_row: 0,
            disclosed: None,
            repairs: Vec::new(),
            pause: None,
            begun: false,
        }
    }

    /// What the newest user turn is, given the number of turns in its request.
    pub(super) fn place(&mut self, hash: u64, turns: usize) -> Turn {
        let before = self.newest.replace((hash, turns));
        match before {
            Some((old, n)) if n == turns && old == hash => Turn::Again,
            Some((_, n)) if n == turns => Turn::Edited,
            _ => {
                self.answered = false;
                Turn::New
            }
        }
    }

    /// Counts what was said, and keeps a row where rows are kept.
    pub(super) fn say(&mut self, said: Said<'_>, rows: Option<Rows>) {
        let kind = match (said.role, said.turn) {
            (_, Turn::New) => Kind::Message,
            // The first try brought no reply, so this one is it.
            (Role::System, Turn::Again) if !self.answered => Kind::Message,
            (Role::System, Turn::Again) => Kind::Replicate,
            (Role::System, Turn::Edited) => Kind::Variant,
            (_, Turn::Again) => return,
            (_, Turn::Edited) => Kind::Edit,
        };
        self.answered |= said.role == Role::System;
        let mut event = self.event(said.role, kind, said.at);
        event.text = Some(said.text.into());
        event.system = said.system.map(Into::into);
        if event.system.is_some() {
            event.system_source = SystemSource::Message;
        }
        self.meter.push(&event);
        if let Some(rows) = rows {
            if !rows.text {
                event.text = None;
            }
            self.rows.push(event);
        }
    }

    /// A row that is no message, such as a pause or a repair.
    pub(super) fn note(
        &mut self,
        kind: Kind,
        at: i64,
        propensity: Option<f64>,
        item: Option<&str>,
    ) {
        let mut event = self.event(Role::Person, kind, at);
        event.propensity = propensity;
        event.item = item.map(Into::into);
        self.rows.push(event);
    }

    fn event(&mut self, role: Role, kind: Kind, at: i64) -> Event {
        let id = format!("{}-{}", self.id, self.next_row);
        let parent = self
            .next_row
            .checked_sub(1)
            .map(|n| format!("{}-{n}", self.id).into());
        self.next_row += 1;
        Event {
            parent,
            time: Some(Time::exact(at)),
            kind,
            text: None,
            policy: Some(self.policy.as_str().into()),
            position: u64::from(self.next_row),
            ..Event::message(id, role, "")
        }
    }

    /// Numerator and denominator of one count so far.
    pub(super) fn count(&self, id: &str) -> Option<(u32, u32)> {
        self.meter.observation(id).map(|o| (o.num, o.den))
    }
}

/// One message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said<'a> {
    pub(super) role: Role,
    pub(super) turn: Turn,
    pub(super) at: i64,
    pub(super) text: &'a str,
    pub(super) system: Option<&'a str>,
}

/// That rows are kept, and whether with their text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows {
    pub(super) text: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(role: Role, turn: Turn, text: &str) -> Said<'_> {
        Said {
            role,
            turn,
            at: 0,
            text,
            system: None,
        }
    }

    #[test]
    fn silence_ends_a_conversation() {
        let mut live = Live::default();
        let first = live.talk("s", "p", 0).unwrap().0.id.clone();
        let (talk, ended) = live.talk("s", "p", SILENCE).unwrap();
        assert_eq!((talk.id.as_str(), ended.is_none()), (first.as_str(), true));
        let (talk, ended) = live.talk("s", "p", 2 * SILENCE + 1).unwrap();
        let same = talk.id.clone();
        assert_ne!(talk.id, first);
        assert_eq!(ended.unwrap().id, first);
        assert_eq!(live.use_since, 2 * SILENCE + 1);
        live.talks.get_mut("s").unwrap().disclosed = Some(2 * SILENCE);
        let (talk, ended) = live.talk("s", "p", 7).unwrap();
        assert!(
            ended.is_none() && talk.id == same,
            "a clock set back ends nothing"
        );
        assert_eq!((talk.last, talk.disclosed), (7, Some(7)));
        assert_eq!((live.last, live.use_since), (7, 7));
    }

    #[test]
    fn a_regeneration_counts_once_and_a_failed_reply_not_at_all() {
        let mut talk = Talk::new("c".into(), "p", 0);
        let turn = talk.place(1, 1);
        talk.say(
            said(Role::Person, turn, "Is that so?"),
            Some(Rows { text: false }),
        );
        let turn = talk.place(1, 1);
        assert_eq!(turn, Turn::Again);
        talk.say(
            said(Role::Person, turn, "Is that so?"),
            Some(Rows { text: false }),
        );
        talk.say(
            said(Role::System, turn, "Who knows?"),
            Some(Rows { text: false }),
        );
        let turn = talk.place(1, 1);
        talk.say(
            said(Role::System, turn, "Who? Who?"),
            Some(Rows { text: false }),
        );
        assert_eq!(talk.count("questions.per_reply"), Some((1, 1)));
        let kinds: Vec<Kind> = talk.rows.iter().map(|row| row.kind).collect();
        assert_eq!(kinds, [Kind::Message, Kind::Message, Kind::Replicate]);
        assert!(talk.rows.iter().all(|row| row.text.is_none()));
        assert_eq!(talk.place(2, 1), Turn::Edited);
        assert_eq!(talk.place(3, 3), Turn::New);
    }
}
