//! The governor: connects the people, their consents, the policy in force and the log to the wire.
//!
//! Order of one request: who it is; a command, answered and not forwarded; else the plan (what the policy
//! and the person's own state ask for), which is written to the log **before** it is done; then the
//! request goes on, and its reply is listened to and counted.

mod acts;
#[cfg(feature = "cohort")]
mod cohort;
mod commands;
mod daily;
mod events;
mod evidence;
mod exit;
mod inner;
mod kept;
mod lens;
mod listen;
mod me;
mod merge;
mod page;
mod pause;
mod person;
mod settings;
mod sync;
mod tally;
mod words;

use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use driftlead_record::MICROS;
use hyper::StatusCode;
use serde_json::json;

use crate::audit::{AuditError, Kind, Log};
use crate::clock::Clock;
use crate::command::{self, Command};
use crate::config::Config;
#[cfg(feature = "cohort")]
use crate::govern::OperatorRequest;
use crate::govern::{
    Action, Decision, Facts, Governor, LocalReply, LocalRequest, Pending, Readiness, Tap,
};
use crate::policy::Policy;
use crate::store::Store;
use exit::ExitHold;
use inner::{Failed, InForce, Inner};
use lens::{Plan, Situation};
use listen::Listener;
use person::Person;
pub use settings::{Govern, OpenError, RecordFormat, WithoutLog};
pub(crate) use settings::{NO_DATABASE, NO_DATABASE_FOR_CA};

/// Seconds that the key to a person's page is good for.
const PAGE_SECONDS: i64 = 600;
/// How often silent conversations are looked for.
const SWEEP: Duration = Duration::from_secs(5);

/// Governs by a policy. Clones share everything.
#[derive(Debug, Clone)]
pub struct Governance {
    inner: Arc<Inner>,
}

impl Governance {
    /// Opens the folder, verifies the log and begins to write.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(settings: &Govern, policy: &Policy) -> Result<Self, OpenError> {
        Self::sweeping(settings, policy, || open_store(settings))
    }

    /// As [`Self::open`], on a store that is open already.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open_on(settings: &Govern, policy: &Policy, store: Store) -> Result<Self, OpenError> {
        Self::sweeping(settings, policy, || Ok(store))
    }

    /// Opens with a thread that ends silent conversations.
    fn sweeping(
        settings: &Govern,
        policy: &Policy,
        store: impl FnOnce() -> Result<Store, OpenError>,
    ) -> Result<Self, OpenError> {
        let governance = Self::open_quietly(settings, policy, store, Clock::system())?;
        let weak = Arc::downgrade(&governance.inner);
        let failed = |source| OpenError::Folder {
            folder: settings.data.display().to_string(),
            source,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        let swept = std::thread::Builder::new()
            .name("sweep".to_owned())
            .spawn(move || {
                while let Some(inner) = weak.upgrade() {
                    runtime.block_on(sweep(&inner));
                    inner.pack(false);
                    drop(inner);
                    std::thread::sleep(SWEEP);
                }
            });
        swept.map_err(failed)?;
        Ok(governance)
    }

    /// Opens with a clock of the caller's, for simulated months and for clocks that jump. Nothing then
    /// looks for silent conversations but [`Self::sweep`].
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_at(settings: &Govern, policy: &Policy, clock: Clock) -> Result<Self, OpenError> {
        Self::open_quietly(settings, policy, || open_store(settings), clock)
    }

    /// Ends the conversations that are silent by the clock, and writes down what they leave. A gateway
    /// that was opened with [`Self::open`] does this every few seconds.
    pub async fn sweep(&self) {
        sweep(&self.inner).await;
    }

    /// Opens without the thread that sweeps.
    fn open_quietly(
        settings: &Govern,
        policy: &Policy,
        store: impl FnOnce() -> Result<Store, OpenError>,
        clock: Clock,
    ) -> Result<Self, OpenError> {
        let folder = |source| OpenError::Folder {
            folder: settings.data.display().to_string(),
            source,
        };
        private_folder(&settings.data).map_err(folder)?;
        let store = store()?;
        let log_path = settings.data.join("audit.log");
        let own = store.own().clone();
        let log = Log::open(&log_path, settings.log_sync, own, clock.clone())?;
        let record = settings.data.join("record");
        let events = settings
            .record
            .then(|| events::Events::open(&record, settings.record_text, settings.record_format))
            .transpose()
            .map_err(folder)?;
        let chain = crate::audit::chain_name(&log_path)?;
        at_once(store.join(&chain)).map_err(folder)??;
        let inner = Inner::new(
            settings.clone(),
            policy.clone(),
            log,
            (log_path, chain),
            store,
            events,
            clock,
        );
        let started = json!({ "version": env!("CARGO_PKG_VERSION"), "policy": policy.id() });
        let started = started.to_string().into_bytes();
        inner
            .log
            .append_blocking(Kind::Start, inner.store.own(), started)?;
        let _ = inner.rule.set(evidence::shared_rule());
        Ok(Governance {
            inner: Arc::new(inner),
        })
    }

    /// Puts another policy in force, for requests to come.
    ///
    /// # Errors
    /// [`AuditError`] where the change could not be logged; the old policy holds then.
    pub fn set_policy(&self, policy: &Policy) -> Result<(), AuditError> {
        let next = InForce {
            id: policy.id(),
            policy: policy.clone(),
        };
        let before = self.policy_id();
        if next.id == before {
            return Ok(());
        }
        let event = json!({ "policy": next.id, "before": before }).to_string();
        let inner = &self.inner;
        inner
            .log
            .append_blocking(Kind::Policy, inner.store.own(), event.into_bytes())?;
        let mut slot = inner.policy.write().unwrap_or_else(PoisonError::into_inner);
        *slot = Arc::new(next);
        Ok(())
    }

    /// Name and hash of the policy in force.
    pub fn policy_id(&self) -> String {
        self.inner.in_force().id.clone()
    }

    async fn decide(&self, facts: &Facts<'_>) -> Decision {
        let inner = &self.inner;
        let force = inner.in_force();
        let session = facts.session.map_or("", |session| session.id()).to_owned();
        if !facts.readable || facts.turns.is_empty() {
            return unread(&force, facts);
        }
        let newest = facts.newest_user_turn().and_then(|turn| turn.only_text());
        let command = newest.as_deref().and_then(command::parse);
        let person = match (self.person_of(facts, &session).await, &command) {
            (Ok(person), _) => person,
            // Ending a consent does not wait for a store, and a command is never forwarded.
            (Err(_), Some(Command::Stop)) => match self.last_seen(facts) {
                Some(person) => person,
                None => return answered(&force.id, words::NO_STORE.to_owned()),
            },
            (Err(_), Some(_)) => return answered(&force.id, words::NO_STORE.to_owned()),
            (Err(_), None) => return self.without("store"),
        };
        if self.go_on(&person, &session, &force, facts).is_err() {
            return self.without("randomness");
        }
        inner.settle(&person).await;
        let minor = is_minor(facts);
        if let Some(command) = &command {
            let asked = commands::Asked {
                session: &session,
                now: facts.now_micros,
                minor,
            };
            let text = commands::answer(inner, &person, command, &asked).await;
            return answered(&force.id, text);
        }
        if let Some(words) = header(facts, "x-driftlead-repair") {
            let wish = acts::Wish {
                words: Some(words),
                always: false,
                session: Some(&session),
            };
            let seconds = facts.now_micros.div_euclid(MICROS);
            if let Err(error) = acts::repair(inner, &person, &wish, seconds).await {
                return self.without(error.what());
            }
        }
        if force.policy.pauses.probability > 0.0
            && inner.reserve(&person, facts.now_micros).await.is_err()
        {
            return self.without("store");
        }
        let plan = {
            let situation = Situation {
                policy: &force.policy,
                now: facts.now_micros,
                minor,
                mid_task: facts.newest_user_turn().is_none(),
                temperature: facts.temperature,
                seed: inner.seed,
                turns: facts.turns,
            };
            lens::plan(&person, &mut person.live(), &session, &situation)
        };
        let mut decision = match self.log(&person, &force, &session, &plan, facts).await {
            Ok(entry) => forwarded(&force, plan, entry, facts),
            Err(error) => self.without(error.what()),
        };
        if exit::applies(&force, facts) {
            decision.hold = Some(Box::new(ExitHold::new(inner, &person, &force)));
        }
        let goes_on = matches!(decision.action, Action::Forward(_));
        if force.policy.markers.observe && goes_on {
            decision.tap = Listener::new(inner, &person, &session, facts)
                .map(|listener| Box::new(listener) as Box<dyn Tap>);
        }
        decision
    }

    async fn person_of(&self, facts: &Facts<'_>, session: &str) -> Result<Arc<Person>, Failed> {
        match facts.subject {
            Some(subject) => self.inner.named(subject.id()).await,
            None => self.inner.unnamed(session),
        }
    }

    fn last_seen(&self, facts: &Facts<'_>) -> Option<Arc<Person>> {
        self.inner.last_seen(facts.subject?.id())
    }

    /// Begins the conversation, or goes on with it.
    fn go_on(
        &self,
        person: &Person,
        session: &str,
        force: &InForce,
        facts: &Facts<'_>,
    ) -> Result<(), AuditError> {
        let mut live = person.live();
        let (_, ended) = live.talk(session, &force.id, facts.now_micros)?;
        if let Some(ended) = ended {
            self.inner.finish(person, &mut live, ended);
        }
        Ok(())
    }

    /// Writes down what was drawn and what will be done; the number of the entry of the latter, if
    /// anything is.
    async fn log(
        &self,
        person: &Person,
        force: &InForce,
        session: &str,
        plan: &Plan,
        facts: &Facts<'_>,
    ) -> Result<Option<u64>, Failed> {
        let inner = &self.inner;
        let drawn = plan
            .draw
            .as_ref()
            .map(|draw| (Kind::Decision, draw.record(&force.id)));
        let done = (!plan.acts.is_empty()).then(|| {
            (
                Kind::Act,
                json!({ "policy": force.id, "acts": plan.acts }).to_string(),
            )
        });
        let act = done.is_some();
        let (first, last) = match (drawn, done) {
            (None, None) => return Ok(None),
            (Some(only), None) | (None, Some(only)) => (None, only),
            (drawn, Some(done)) => (drawn, done),
        };
        let logged = inner.enter_behind(person, first, last).await;
        if let Some(draw) = &plan.draw {
            let mut live = person.live();
            let rows = inner.rows(&live, facts.now_micros.div_euclid(MICROS));
            if let Some(talk) = live.talks.get_mut(session) {
                match &logged {
                    // What is not logged is not done.
                    Err(_) => talk.pause = None,
                    Ok(_) if rows.is_some() => talk.note(
                        driftlead_record::Kind::Pause,
                        facts.now_micros,
                        draw.propensity(),
                        draw.action(),
                    ),
                    Ok(_) => {}
                }
            }
        }
        let head = logged?;
        if act {
            inner.tally.governed();
        }
        Ok(act.then_some(head.seq))
    }

    /// Something that should be done cannot be written down: the request goes on as it is, marked so, or
    /// is refused, as the configuration says.
    fn without(&self, what: &str) -> Decision {
        self.inner.tally.ungoverned();
        let mut decision = Decision::forward();
        decision.acted = true;
        decision.headers = vec![("x-driftlead-ungoverned", what.to_owned())];
        if self.inner.settings.without_log == WithoutLog::Refuse {
            decision.action = Action::Refuse(
                StatusCode::SERVICE_UNAVAILABLE,
                "governance_unavailable",
                "The gateway cannot write down what it does, so it does nothing.".to_owned(),
            );
        }
        decision
    }
}

impl Governor for Governance {
    fn on_request<'a>(&'a self, facts: &'a Facts<'a>) -> Pending<'a, Decision> {
        Box::pin(self.decide(facts))
    }

    fn on_local(&self, request: LocalRequest) -> Pending<'_, Option<LocalReply>> {
        Box::pin(async move { me::serve(&self.inner, &request).await })
    }

    #[cfg(feature = "cohort")]
    fn on_operator(&self, request: OperatorRequest) -> Pending<'_, Option<LocalReply>> {
        Box::pin(async move { cohort::serve(&self.inner, &request).await })
    }

    fn clock(&self) -> Clock {
        self.inner.clock.clone()
    }

    fn readiness(&self) -> Readiness {
        if !self.inner.log.is_writable() {
            Readiness::NotReady("the audit log cannot be written".to_owned())
        } else if !self.inner.store.is_reachable() {
            Readiness::NotReady("the database cannot be reached".to_owned())
        } else {
            Readiness::Ready
        }
    }

    fn metrics(&self) -> String {
        self.inner.tally.text()
    }

    fn reload(&self, config: &Config) -> Result<(), String> {
        let Some(policy) = &config.policy else {
            return Err(
                "a gateway that governs needs a policy; to end that, restart it".to_owned(),
            );
        };
        if config.govern != self.inner.settings {
            return Err("[govern] changes only with a restart".to_owned());
        }
        self.set_policy(policy).map_err(|error| error.to_string())
    }

    fn shutdown(&self) -> Pending<'_, ()> {
        Box::pin(async move {
            self.inner.sweep(None).await;
            self.inner.pack(true);
            // An entry that cannot be written now is missing, which is what the reader must know.
            let _ = self.inner.enter_own(Kind::Stop, json!({})).await;
        })
    }
}

/// A request whose words cannot be read: it passes, and where a policy would have acted, it says so.
fn unread(force: &InForce, facts: &Facts<'_>) -> Decision {
    let mut decision = Decision::forward();
    if !facts.readable && !force.is_passive() {
        decision.acted = true;
        decision.headers = vec![("x-driftlead-ungoverned", "unreadable".to_owned())];
    }
    decision
}

fn answered(policy: &str, text: String) -> Decision {
    Decision {
        action: Action::Answer(text),
        headers: vec![
            ("x-driftlead-policy", policy.to_owned()),
            ("x-driftlead-acts", "answer".to_owned()),
        ],
        acted: true,
        ..Decision::forward()
    }
}

fn forwarded(force: &InForce, plan: Plan, entry: Option<u64>, facts: &Facts<'_>) -> Decision {
    let mut decision = Decision::forward();
    let Some(entry) = entry else {
        return decision;
    };
    if force.policy.notice.show && !facts.structured {
        decision.told = words::about(&plan.acts, entry);
    }
    decision.headers = vec![
        ("x-driftlead-policy", force.id.clone()),
        ("x-driftlead-acts", plan.acts.join(", ")),
        ("x-driftlead-entry", entry.to_string()),
    ];
    decision.acted = true;
    decision.action = Action::Forward(plan.edits);
    decision
}

fn header<'a>(facts: &Facts<'a>, name: &str) -> Option<&'a str> {
    let value = facts.headers.get(name)?.to_str().ok()?.trim();
    (!value.is_empty()).then_some(value)
}

/// What the application says; it knows ages, the gateway does not.
fn is_minor(facts: &Facts<'_>) -> bool {
    header(facts, "x-driftlead-minor")
        .is_some_and(|value| value == "1" || value.eq_ignore_ascii_case("true"))
}

fn private_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// The file of this gateway, or the database of several.
fn open_store(settings: &Govern) -> Result<Store, OpenError> {
    let Some(name) = &settings.database_url_env else {
        return Ok(Store::open(&settings.data.join("gate.db"))?);
    };
    let address = std::env::var(name).map_err(|_| OpenError::NoAddress { name: name.clone() })?;
    connect(&address.into(), settings.database_ca.as_deref())
}

#[cfg(feature = "postgres")]
fn connect(address: &secrecy::SecretString, ca: Option<&Path>) -> Result<Store, OpenError> {
    Ok(Store::connect(address, ca)?)
}

#[cfg(not(feature = "postgres"))]
fn connect(_: &secrecy::SecretString, _: Option<&Path>) -> Result<Store, OpenError> {
    Err(OpenError::NoDatabase)
}

/// Waits for an answer of the store, from anywhere: on a thread of its own, because a runtime's threads must
/// not wait.
fn at_once<T: Send>(answer: impl Future<Output = T> + Send) -> std::io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    std::thread::scope(|scope| {
        let waits = scope.spawn(move || runtime.block_on(answer));
        waits
            .join()
            .map_err(|_| std::io::Error::other("a thread ended early"))
    })
}

/// Takes out whom any gateway erased, then ends the conversations that are silent.
async fn sweep(inner: &Inner) {
    if inner.purge().await.is_err() {
        inner.tally.store_failure();
    }
    inner.sweep(Some(inner.clock.now_micros())).await;
}
