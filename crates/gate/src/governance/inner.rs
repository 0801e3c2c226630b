//! What everything else in the governance shares: the people, the log, the store, the policy in force.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use driftlead_metrics::Observation;
use driftlead_record::{Conversation, Format, MICROS, Time};
use driftlead_stats::baseline::GuardedRule;
use serde_json::Value;

use super::acts::WITH_WORDS;
use super::events::Events;
use super::kept::{Counted, Kept};
use super::person::{Live, Person, Rows, SILENCE, Talk};
use super::tally::Tally;
use super::{Govern, evidence, lens};
use crate::audit::{AuditError, Head, Kind, Log};
use crate::clock::Clock;
use crate::consent::Purpose;
use crate::policy::Policy;
use crate::store::{Store, StoreError, Tag};

/// People in memory above which those who have been silent longest are let go early.
const MOST_PEOPLE: usize = 100_000;

/// A policy and its id.
#[derive(Debug)]
pub(super) struct InForce {
    pub(super) policy: Policy,
    pub(super) id: String,
}

/// Why an act was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    #[error(transparent)]
    Log(#[from] AuditError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Failed {
    /// What could not be written, as the mark of an ungoverned request has it.
    pub(super) fn what(&self) -> &'static str {
        match self {
            Failed::Log(_) => "log",
            Failed::Store(_) => "store",
        }
    }
}

impl InForce {
    /// Whether it changes nothing of its own accord.
    pub(super) fn is_passive(&self) -> bool {
        let transparent = Policy::at(crate::policy::Point::Transparent);
        let same = Policy {
            from: transparent.from,
            name: transparent.name.clone(),
            markers: transparent.markers.clone(),
            ..self.policy.clone()
        };
        same == transparent
    }
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) settings: Govern,
    pub(super) policy: RwLock<Arc<InForce>>,
    pub(super) log: Log,
    pub(super) log_path: std::path::PathBuf,
    /// Name of the log: what this gateway is called among those that share a store.
    pub(super) chain: String,
    pub(super) store: Store,
    pub(super) seed: u64,
    pub(super) events: Option<Events>,
    pub(super) clock: Clock,
    pub(super) tally: Tally,
    /// `None` inside: it could not be calibrated.
    pub(super) rule: OnceLock<Option<Arc<GuardedRule>>>,
    people: Mutex<HashMap<Name, Arc<Person>>>,
    /// One release at a time, so that none is paid for by the same epsilon as another.
    #[cfg(feature = "cohort")]
    pub(super) releasing: tokio::sync::Mutex<()>,
}

/// Under what a person is in memory.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Name {
    Kept(Tag),
    /// Whoever is not named, by the conversation.
    Session(String),
}

impl Inner {
    pub(super) fn new(
        settings: Govern,
        policy: Policy,
        log: Log,
        (log_path, chain): (std::path::PathBuf, String),
        store: Store,
        events: Option<Events>,
        clock: Clock,
    ) -> Self {
        let seed = store.own().mac(b"driftlead/seed/1", b"");
        let mut eight = [0; 8];
        eight.iter_mut().zip(seed).for_each(|(to, from)| *to = from);
        Inner {
            settings,
            policy: RwLock::new(Arc::new(InForce {
                id: policy.id(),
                policy,
            })),
            log,
            log_path,
            chain,
            store,
            seed: u64::from_le_bytes(eight),
            events,
            clock,
            tally: Tally::default(),
            rule: OnceLock::new(),
            people: Mutex::default(),
            #[cfg(feature = "cohort")]
            releasing: tokio::sync::Mutex::default(),
        }
    }

    pub(super) fn in_force(&self) -> Arc<InForce> {
        self.policy
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn people(&self) -> MutexGuard<'_, HashMap<Name, Arc<Person>>> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The person of a name, from memory or the store, else new. As every gateway that shares the store has
    /// left them.
    pub(super) async fn named(&self, name: &str) -> Result<Arc<Person>, Failed> {
        self.tagged(self.store.tag(name)).await
    }

    async fn tagged(&self, tag: Tag) -> Result<Arc<Person>, Failed> {
        // Rarely more than once: only where the person is erased or made at the same moment.
        for _ in 0..8 {
            if let Some(person) = self.in_memory(tag) {
                if !self.store.is_shared() || self.refresh(&person, tag).await? {
                    return Ok(person);
                }
                continue;
            }
            let person = match self.store.person(&tag).await? {
                Some(row) => {
                    let kept = Kept::read(&row.state).map_err(|_| StoreError::Damaged {
                        file: "the store".to_owned(),
                        what: "a person's state cannot be read",
                    })?;
                    Person::kept(tag, row, kept, self.store.is_shared())
                }
                None => Person::new(Some(tag))?,
            };
            self.equip(&mut person.live());
            let person = Arc::new(person);
            // Of two that were made at once, the first stays; it may be older than this look at the store.
            if Arc::ptr_eq(&self.remember(Name::Kept(tag), &person), &person) {
                return Ok(person);
            }
        }
        Err(StoreError::Contended.into())
    }

    fn in_memory(&self, tag: Tag) -> Option<Arc<Person>> {
        self.people().get(&Name::Kept(tag)).cloned()
    }

    /// The person of a name as they were seen last, for what must not wait for a store.
    pub(super) fn last_seen(&self, name: &str) -> Option<Arc<Person>> {
        self.in_memory(self.store.tag(name))
    }

    /// Somebody who is not named: known by the conversation alone, and not beyond it.
    pub(super) fn unnamed(&self, session: &str) -> Result<Arc<Person>, Failed> {
        let name = Name::Session(session.to_owned());
        if let Some(person) = self.people().get(&name) {
            return Ok(Arc::clone(person));
        }
        Ok(self.remember(name, &Arc::new(Person::new(None)?)))
    }

    /// Of two that were made at once, the first stays.
    fn remember(&self, name: Name, person: &Arc<Person>) -> Arc<Person> {
        Arc::clone(
            self.people()
                .entry(name)
                .or_insert_with(|| Arc::clone(person)),
        )
    }

    pub(super) fn forget(&self, person: &Person) {
        let Some(tag) = person.tag else {
            return;
        };
        let mut people = self.people();
        let name = Name::Kept(tag);
        // Whoever has the name by now may be somebody else.
        if people
            .get(&name)
            .is_some_and(|here| std::ptr::eq(&raw const **here, person))
        {
            people.remove(&name);
        }
    }

    /// Everybody in memory.
    pub(super) fn everybody_here(&self) -> Vec<Arc<Person>> {
        self.people().values().cloned().collect()
    }

    /// A key to a person's own page, good at every gateway that shares the store: sealed, it says whose and
    /// from when it is. It ends with the row that it was made for.
    pub(super) fn page_key(&self, person: &Person, live: &Live, now: i64) -> Option<String> {
        let mut plain = person.tag?.bytes().to_vec();
        plain.extend_from_slice(&now.to_le_bytes());
        if live.standing.revision.is_some() {
            plain.extend_from_slice(person.identity().pseudonym.as_bytes());
        }
        let sealed = self.store.own().seal(b"page", &plain).ok()?;
        Some(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// The person who was given this key to their page.
    pub(super) async fn by_page_key(&self, key: &str, now: i64) -> Option<Arc<Person>> {
        let sealed = URL_SAFE_NO_PAD.decode(key).ok()?;
        let plain = self.store.own().open(b"page", &sealed).ok()?;
        let (tag, rest) = plain.split_first_chunk::<32>()?;
        let (given, of) = rest.split_first_chunk::<8>()?;
        let age = now.saturating_sub(i64::from_le_bytes(*given));
        if !(0..super::PAGE_SECONDS).contains(&age) {
            return None;
        }
        let person = self.tagged(Tag::from_bytes(*tag)).await.ok()?;
        let theirs = of.is_empty() || of == person.identity().pseudonym.as_bytes();
        theirs.then_some(person)
    }

    /// Gives a person their detectors, once the rule is there.
    pub(super) fn equip(&self, live: &mut Live) {
        if live.detectors.is_empty()
            && let Some(Some(rule)) = self.rule.get()
        {
            live.detectors = evidence::replay(rule, &live.kept);
        }
    }

    /// Adds an entry about a person. The first one stores their key, so that they can open it later.
    pub(super) async fn enter(
        &self,
        person: &Person,
        kind: Kind,
        event: Value,
    ) -> Result<Head, Failed> {
        self.enter_behind(person, None, (kind, event.to_string()))
            .await
    }

    /// As [`Self::enter`], right behind another one, where there is one.
    pub(super) async fn enter_behind(
        &self,
        person: &Person,
        first: Option<(Kind, String)>,
        (kind, event): (Kind, String),
    ) -> Result<Head, Failed> {
        let stored = person.live().standing.revision.is_some();
        if !stored {
            self.save(person).await?;
        }
        let key = &person.identity().key;
        let first = first.map(|(kind, event)| (kind, event.into_bytes()));
        let entries = 1 + u64::from(first.is_some());
        let event = (kind, event.into_bytes());
        let done = self.log.append_behind(first, key, event).await;
        Ok(self.counted(entries, done)?)
    }

    /// Adds an entry about no person.
    pub(super) async fn enter_own(&self, kind: Kind, event: Value) -> Result<Head, AuditError> {
        let event = event.to_string().into_bytes();
        let done = self.log.append(kind, self.store.own(), event).await;
        self.counted(1, done)
    }

    fn counted(&self, entries: u64, done: Result<Head, AuditError>) -> Result<Head, AuditError> {
        match &done {
            Ok(_) => self.tally.entries(entries),
            Err(_) => self.tally.log_failure(),
        }
        done
    }

    /// Whether rows are written for a person, and how.
    pub(super) fn rows(&self, live: &Live, seconds: i64) -> Option<Rows> {
        let events = self.events.as_ref()?;
        let consents = &live.kept.consents;
        // Words are kept only of those who were told so before they agreed.
        let told = consents
            .latest(Purpose::KeepState)
            .and_then(|event| event.notice.as_ref())
            .is_some_and(|notice| notice.language == WITH_WORDS);
        consents
            .allows(Purpose::KeepState, seconds)
            .then_some(Rows {
                text: events.text() && told,
            })
    }

    /// Whether the record holds what was said.
    pub(super) fn keeps_words(&self) -> bool {
        self.events.as_ref().is_some_and(Events::text)
    }

    /// Takes what a finished conversation leaves: with the consent to keep it, its counts and its rows;
    /// else nothing. [`Self::settle`] writes it.
    pub(super) fn finish(&self, person: &Person, live: &mut Live, talk: Talk) {
        let seconds = talk.last.div_euclid(MICROS);
        if person.tag.is_none() || live.erased {
            return;
        }
        if !live.kept.consents.allows(Purpose::KeepState, seconds) {
            return;
        }
        let counts: Vec<Observation> = talk.meter.observations();
        if !counts.is_empty() {
            let counted = Counted {
                day: Time::exact(talk.started).day(),
                counts: counts
                    .into_iter()
                    .map(|o| (o.id.to_owned(), (o.num, o.den)))
                    .collect(),
                policy: talk.policy.clone(),
                pause: talk.pause,
            };
            evidence::observe(&mut live.detectors, &counted);
            live.kept.add_conversation(counted);
            lens::weigh(live, seconds);
        }
        live.standing.unsaved = true;
        if self.events.is_some() && !talk.rows.is_empty() {
            let conversation = Conversation {
                deployment: self.settings.deployment.as_str().into(),
                person: Some(person.identity().pseudonym.as_str().into()),
                id: talk.id.as_str().into(),
                source: "gateway".into(),
                format: Format::Driftlead,
                events: talk.rows,
            };
            let ended = (conversation, talk.started);
            live.standing.unwritten.push(ended);
        }
    }

    /// Packs days of the record that are due; all of them, at the end.
    pub(super) fn pack(&self, all: bool) {
        if let Some(events) = &self.events
            && events.pack(all).is_err()
        {
            self.tally.store_failure();
        }
    }

    /// Ends the conversations that are silent, and lets people go who are. `None`: all of them, at the end.
    pub(super) async fn sweep(&self, now: Option<i64>) {
        let people: Vec<(Name, Arc<Person>)> = {
            let people = self.people();
            people
                .iter()
                .map(|(name, person)| (name.clone(), Arc::clone(person)))
                .collect()
        };
        let crowded = people.len() > MOST_PEOPLE;
        for (name, person) in people {
            self.end_talks(&person, now);
            self.settle(&person).await;
            let over = |last: i64| now.is_none_or(|now| now.saturating_sub(last) > SILENCE);
            let live = person.live();
            let waits = live.code.is_some() && !over(live.last);
            let gone = live.talks.is_empty() && !waits;
            let settled = live.standing.is_settled();
            drop(live);
            // Two references: the map's and this one's. Whoever holds a third is in the middle of a request.
            let mut all = self.people();
            if settled
                && (gone || crowded && over_half(now, &person))
                && Arc::strong_count(&person) <= 2
            {
                all.remove(&name);
            }
        }
    }

    /// Ends a person's conversations that are silent; `None`: all of them.
    fn end_talks(&self, person: &Person, now: Option<i64>) {
        let mut live = person.live();
        {
            self.equip(&mut live);
            if let Some(now) = now {
                live.set_back_to(now);
            }
            let over = |last: i64| now.is_none_or(|now| now.saturating_sub(last) > SILENCE);
            let ended: Vec<String> = live
                .talks
                .iter()
                .filter(|(_, talk)| over(talk.last))
                .map(|(session, _)| session.clone())
                .collect();
            for session in ended {
                if let Some(talk) = live.talks.remove(&session) {
                    self.finish(person, &mut live, talk);
                }
            }
        }
    }
}

fn over_half(now: Option<i64>, person: &Person) -> bool {
    now.is_none_or(|now| now.saturating_sub(person.live().last) > SILENCE / 2)
}
