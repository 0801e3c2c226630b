//! Keeps the copy of a person that is in memory and their row in the store together, though other gateways
//! change the row.
//!
//! What is guaranteed: a change that any gateway has answered (a consent, its end, a repair, an erasure)
//! holds for every request that reaches any gateway after that answer, because each request of a named
//! person begins with a look at the row's revision. A change that is made at two gateways at once is
//! merged ([`super::merge`]). Whoever is erased is erased everywhere: a row is changed only where it still is at the
//! revision that was seen, so no copy brings it back.
//!
//! Without an answer of the database nothing of this can be known, so nothing governed is done then.

use std::ops::Range;
use std::sync::Arc;

use driftlead_record::{Conversation, MICROS};

use super::inner::{Failed, Inner};
use super::kept::Kept;
use super::merge::{goes_on, merged};
use super::person::{Live, Person};
use crate::consent::Purpose;
use crate::store::{Revision, Row, Since, StoreError, Tag};

/// How often a change is tried anew when others change the same row.
const ATTEMPTS: u32 = 20;
/// Numbers of decisions that are taken at once. Those not used when the process ends are skipped.
const NUMBERS: u32 = 32;

/// How a copy in memory stands to its row.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// The state of the row that it rests on; `None`: there was no row.
    pub(super) revision: Option<Revision>,
    /// That state, where others may change it.
    base: Option<Box<Kept>>,
    /// A change that was sent and of which it is not known whether it was made.
    attempt: Option<Box<(Revision, Kept)>>,
    /// Whether there is something that the row lacks and that must get there.
    pub(super) unsaved: bool,
    /// Numbers of decisions that nobody else uses, before and after.
    pub(super) numbers: Range<u32>,
    /// Conversations that are over and not yet in the record, and when they began.
    pub(super) unwritten: Vec<(Conversation, i64)>,
}

impl Standing {
    /// A copy of a row.
    pub(super) fn of(revision: Revision, kept: &Kept, shared: bool) -> Self {
        Standing {
            revision: Some(revision),
            base: shared.then(|| Box::new(kept.clone())),
            ..Standing::default()
        }
    }

    /// Whether the sweep has something to do.
    pub(super) fn is_settled(&self) -> bool {
        !self.unsaved && self.attempt.is_none() && self.unwritten.is_empty()
    }
}

impl Inner {
    /// Brings a copy up to its row. False: the person was erased elsewhere, and the copy is nobody's now.
    pub(super) async fn refresh(&self, person: &Person, tag: Tag) -> Result<bool, Failed> {
        let _one = person.syncing.lock().await;
        let known = {
            let live = person.live();
            if live.erased {
                return Ok(false);
            }
            live.standing.revision
        };
        match self.store.since(&tag, known).await? {
            Since::Same => Ok(true),
            Since::Gone if known.is_none() => Ok(true),
            Since::Changed(row) if known.is_none() || person.owns(&row) => {
                self.adopt(person, &row)?;
                Ok(true)
            }
            Since::Gone | Since::Changed(_) => {
                self.lose(person);
                Ok(false)
            }
        }
    }

    /// Writes what is kept of a person, unless nothing may be.
    pub(super) async fn save(&self, person: &Person) -> Result<(), StoreError> {
        let Some(tag) = person.tag else {
            return Ok(());
        };
        let _one = person.syncing.lock().await;
        let saved = self.save_alone(person, tag).await;
        if saved.is_err() {
            person.live().standing.unsaved = true;
        }
        saved
    }

    async fn save_alone(&self, person: &Person, tag: Tag) -> Result<(), StoreError> {
        let mut unknown = person.live().standing.attempt.is_some();
        for _ in 0..ATTEMPTS {
            let before = person.live().standing.revision;
            if !unknown {
                let row = {
                    let mut live = person.live();
                    if live.erased {
                        return Ok(());
                    }
                    let row = person.row(&live, Revision::new()?);
                    live.standing.unsaved = false;
                    if self.store.is_shared() {
                        let sent = Box::new((row.revision, live.kept.clone()));
                        live.standing.attempt = Some(sent);
                    }
                    row
                };
                if self.store.keep(&tag, &row, before).await? {
                    let standing = &mut person.live().standing;
                    standing.revision = Some(row.revision);
                    standing.base = standing.attempt.take().map(|sent| Box::new(sent.1));
                    return Ok(());
                }
            }
            match self.store.person(&tag).await? {
                Some(row) if before.is_none() || person.owns(&row) => self.adopt(person, &row)?,
                // Erased elsewhere: what was to be written is nobody's.
                _ if before.is_some() => {
                    self.lose(person);
                    return Ok(());
                }
                _ => person.live().standing.attempt = None,
            }
            unknown = false;
        }
        Err(StoreError::Contended)
    }

    /// Takes what others made of the row into the copy.
    fn adopt(&self, person: &Person, row: &Row) -> Result<(), StoreError> {
        let theirs = Kept::read(&row.state).map_err(|_| StoreError::Damaged {
            file: "the store".to_owned(),
            what: "a person's state cannot be read",
        })?;
        person.take_identity(row);
        let mut live = person.live();
        let standing = &mut live.standing;
        let base = match standing.attempt.take() {
            // What was sent had arrived: it is not to be counted again.
            Some(sent) if sent.0 == row.revision => sent.1,
            _ => standing.base.take().map(|base| *base).unwrap_or_default(),
        };
        let kept = merged(&base, &live.kept, &theirs);
        let purpose = Purpose::KeepState;
        if !goes_on(
            live.kept.consents.latest(purpose),
            kept.consents.latest(purpose),
        ) {
            live.standing.unwritten.clear();
            for talk in live.talks.values_mut() {
                talk.rows.clear();
            }
        }
        if kept.conversations != live.kept.conversations {
            live.detectors.clear();
        }
        live.standing.unsaved |= kept != theirs;
        live.standing.revision = Some(row.revision);
        live.standing.base = self.store.is_shared().then(|| Box::new(theirs));
        live.kept = kept;
        self.equip(&mut live);
        Ok(())
    }

    /// Lets go of the copy of somebody who was erased. A note in the store sees to their rows.
    pub(super) fn lose(&self, person: &Person) {
        let mut live = person.live();
        *live = Live {
            erased: true,
            ..Live::default()
        };
        drop(live);
        self.forget(person);
    }

    /// Takes numbers for decisions, where one may be drawn and none is left: nobody else has them, and a
    /// process that is killed does not use them twice.
    pub(super) async fn reserve(&self, person: &Person, now: i64) -> Result<(), StoreError> {
        let needed = |live: &Live| {
            live.standing.numbers.is_empty()
                && live
                    .kept
                    .consents
                    .allows(Purpose::RandomisedPauses, now.div_euclid(MICROS))
        };
        let Some(tag) = person.tag.filter(|_| needed(&person.live())) else {
            return Ok(());
        };
        let _one = person.syncing.lock().await;
        {
            let mut live = person.live();
            if !needed(&live) {
                return Ok(());
            }
            live.kept.decisions = live.kept.decisions.saturating_add(NUMBERS);
        }
        self.save_alone(person, tag).await?;
        let mut live = person.live();
        // A merge may have moved them behind those of another gateway. On failure they are skipped.
        let end = live.kept.decisions;
        live.standing.numbers = end.saturating_sub(NUMBERS)..end;
        Ok(())
    }

    /// Writes what ended conversations left: to the store, and then, if the person is still there and
    /// still allows it, to the record.
    pub(super) async fn settle(&self, person: &Person) {
        if person.live().standing.is_settled() {
            return;
        }
        if self.save(person).await.is_err() {
            self.tally.store_failure();
            return;
        }
        let mut live = person.live();
        let ended = std::mem::take(&mut live.standing.unwritten);
        let Some(events) = self.events.as_ref().filter(|_| !live.erased) else {
            return;
        };
        for (conversation, started) in ended {
            if events.write(&conversation, started).is_err() {
                self.tally.store_failure();
            }
        }
    }

    /// Takes people whom any gateway erased out of this one's memory and record.
    pub(super) async fn purge(&self) -> Result<(), Failed> {
        for pseudonym in self.store.erasures(&self.chain).await? {
            if let Some(person) = self.of_pseudonym(&pseudonym) {
                self.lose(&person);
            }
            self.unwrite(&pseudonym).await?;
        }
        Ok(())
    }

    /// Takes the rows of somebody who was erased out of the record of this gateway.
    pub(super) async fn unwrite(&self, pseudonym: &str) -> Result<(), Failed> {
        if let Some(events) = &self.events
            && events.erase(pseudonym).is_err()
        {
            self.tally.store_failure();
            return Err(Failed::Store(StoreError::Damaged {
                file: "the record".to_owned(),
                what: "a file could not be rewritten",
            }));
        }
        // The row is gone already. A note that stays is only looked at again.
        if self.store.done_with(&self.chain, pseudonym).await.is_err() {
            self.tally.store_failure();
        }
        Ok(())
    }

    /// Whoever has this pseudonym, if they are in memory.
    fn of_pseudonym(&self, pseudonym: &str) -> Option<Arc<Person>> {
        let people = self.everybody_here();
        people
            .into_iter()
            .find(|person| person.identity().pseudonym == pseudonym)
    }
}
