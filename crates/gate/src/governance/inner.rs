//! What everything else in the governance shares: the people, the log, the store, the policy in force.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

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
use crate::audit::{AuditError, Head, Kind, Log, SubjectKey};
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
    pub(super) store: Store,
    pub(super) seed: u64,
    pub(super) events: Option<Events>,
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
        log_path: std::path::PathBuf,
        store: Store,
        events: Option<Events>,
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
            store,
            seed: u64::from_le_bytes(eight),
            events,
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

    /// The person of a name, from memory or the store, else new.
    pub(super) fn named(&self, name: &str) -> Result<Arc<Person>, Failed> {
        let tag = self.store.tag(name);
        self.tagged(tag)
    }

    pub(super) fn tagged(&self, tag: Tag) -> Result<Arc<Person>, Failed> {
        if let Some(person) = self.people().get(&Name::Kept(tag)) {
            return Ok(Arc::clone(person));
        }
        let person = match self.store.person(&tag)? {
            Some(row) => {
                let kept = Kept::read(&row.state).map_err(|_| StoreError::Damaged {
                    file: "the store".to_owned(),
                    what: "a person's state cannot be read",
                })?;
                Person::kept(tag, row, kept)
            }
            None => Person::new(Some(tag))?,
        };
        self.equip(&mut person.live());
        Ok(self.remember(Name::Kept(tag), person))
    }

    /// Somebody who is not named: known by the conversation alone, and not beyond it.
    pub(super) fn unnamed(&self, session: &str) -> Result<Arc<Person>, Failed> {
        let name = Name::Session(session.to_owned());
        if let Some(person) = self.people().get(&name) {
            return Ok(Arc::clone(person));
        }
        Ok(self.remember(name, Person::new(None)?))
    }

    /// Of two that were made at once, the first stays.
    fn remember(&self, name: Name, person: Person) -> Arc<Person> {
        Arc::clone(
            self.people()
                .entry(name)
                .or_insert_with(|| Arc::new(person)),
        )
    }

    pub(super) fn forget(&self, tag: Tag) {
        self.people().remove(&Name::Kept(tag));
    }

    /// The person who was given this key to their page.
    pub(super) fn by_page_key(&self, key: &str, now: i64) -> Option<Arc<Person>> {
        let people: Vec<Arc<Person>> = self.people().values().cloned().collect();
        people.into_iter().find(|person| {
            person.live().page.as_ref().is_some_and(|(own, given)| {
                own == key && (0..super::PAGE_SECONDS).contains(&now.saturating_sub(*given))
            })
        })
    }

    /// Gives a person their detectors, once the rule is there.
    pub(super) fn equip(&self, live: &mut Live) {
        if live.detectors.is_empty()
            && let Some(Some(rule)) = self.rule.get()
        {
            live.detectors = evidence::replay(rule, &live.kept);
        }
    }

    /// Stores a person, unless nothing may be kept of them.
    pub(super) fn keep(&self, person: &Person, live: &mut Live) -> Result<(), StoreError> {
        let Some(tag) = person.tag.filter(|_| !live.erased) else {
            return Ok(());
        };
        self.store.keep(&tag, &person.row(live))?;
        live.stored = true;
        Ok(())
    }

    /// Adds an entry about a person. The first one stores their key, so that they can open it later.
    pub(super) async fn enter(
        &self,
        person: &Person,
        kind: Kind,
        event: Value,
    ) -> Result<Head, Failed> {
        {
            let mut live = person.live();
            if !live.stored {
                self.keep(person, &mut live)?;
            }
        }
        Ok(self.append(kind, &person.key, event).await?)
    }

    /// Adds an entry about no person.
    pub(super) async fn enter_own(&self, kind: Kind, event: Value) -> Result<Head, AuditError> {
        self.append(kind, self.store.own(), event).await
    }

    async fn append(&self, kind: Kind, key: &SubjectKey, event: Value) -> Result<Head, AuditError> {
        let done = self
            .log
            .append(kind, key, event.to_string().into_bytes())
            .await;
        match &done {
            Ok(_) => self.tally.entry(),
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
    /// else nothing.
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
        if self.keep(person, live).is_err() {
            self.tally.store_failure();
        }
        if let Some(events) = &self.events
            && !talk.rows.is_empty()
        {
            let conversation = Conversation {
                deployment: self.settings.deployment.as_str().into(),
                person: Some(person.pseudonym.as_str().into()),
                id: talk.id.as_str().into(),
                source: "gateway".into(),
                format: Format::Driftlead,
                events: talk.rows,
            };
            if events.write(&conversation, talk.started).is_err() {
                self.tally.store_failure();
            }
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
    pub(super) fn sweep(&self, now: Option<i64>) {
        let people: Vec<(Name, Arc<Person>)> = {
            let people = self.people();
            people
                .iter()
                .map(|(name, person)| (name.clone(), Arc::clone(person)))
                .collect()
        };
        let crowded = people.len() > MOST_PEOPLE;
        for (name, person) in people {
            let mut live = person.live();
            self.equip(&mut live);
            let over = |last: i64| now.is_none_or(|now| now.saturating_sub(last) > SILENCE);
            let ended: Vec<String> = live
                .talks
                .iter()
                .filter(|(_, talk)| over(talk.last))
                .map(|(session, _)| session.clone())
                .collect();
            for session in ended {
                if let Some(talk) = live.talks.remove(&session) {
                    self.finish(&person, &mut live, talk);
                }
            }
            let waits = live.code.is_some() || live.page.is_some();
            let gone = live.talks.is_empty() && (!waits || over(live.last));
            drop(live);
            // Two references: the map's and this one's. Whoever holds a third is in the middle of a request.
            let mut all = self.people();
            if (gone || crowded && over_half(now, &person)) && Arc::strong_count(&person) <= 2 {
                all.remove(&name);
            }
        }
    }
}

fn over_half(now: Option<i64>, person: &Person) -> bool {
    now.is_none_or(|now| now.saturating_sub(person.live().last) > SILENCE / 2)
}
