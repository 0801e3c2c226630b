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
mod page;
mod pause;
mod person;
mod settings;
mod tally;
mod words;

use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use driftlead_record::MICROS;
use hyper::StatusCode;
use serde_json::json;

use crate::audit::{AuditError, Kind, Log};
use crate::command;
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
        let governance = Self::open_quietly(settings, policy)?;
        let weak = Arc::downgrade(&governance.inner);
        // The calibration comes first, and takes seconds; until then no evidence stands.
        let swept = std::thread::Builder::new()
            .name("sweep".to_owned())
            .spawn(move || {
                let rule = evidence::shared_rule();
                while let Some(inner) = weak.upgrade() {
                    let _ = inner.rule.set(rule.clone());
                    inner.sweep(Some(now_micros()));
                    inner.pack(false);
                    drop(inner);
                    std::thread::sleep(SWEEP);
                }
            });
        swept.map_err(|source| OpenError::Folder {
            folder: settings.data.display().to_string(),
            source,
        })?;
        Ok(governance)
    }

    /// Opens without the thread that sweeps and calibrates.
    fn open_quietly(settings: &Govern, policy: &Policy) -> Result<Self, OpenError> {
        let folder = |source| OpenError::Folder {
            folder: settings.data.display().to_string(),
            source,
        };
        private_folder(&settings.data).map_err(folder)?;
        let store = Store::open(&settings.data.join("gate.db"))?;
        let log_path = settings.data.join("audit.log");
        let (log, _) = Log::open(&log_path, settings.log_sync, store.own().clone())?;
        let record = settings.data.join("record");
        let events = settings
            .record
            .then(|| events::Events::open(&record, settings.record_text, settings.record_format))
            .transpose()
            .map_err(folder)?;
        let inner = Inner::new(
            settings.clone(),
            policy.clone(),
            log,
            log_path,
            store,
            events,
        );
        let started = json!({ "version": env!("CARGO_PKG_VERSION"), "policy": policy.id() });
        let started = started.to_string().into_bytes();
        inner
            .log
            .append_blocking(Kind::Start, inner.store.own(), started)?;
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
        let Ok(person) = self.person_of(facts, &session) else {
            return self.without("store");
        };
        if self.go_on(&person, &session, &force, facts).is_err() {
            return self.without("randomness");
        }
        let minor = is_minor(facts);
        let newest = facts.newest_user_turn().and_then(|turn| turn.only_text());
        if let Some(command) = newest.as_deref().and_then(command::parse) {
            let asked = commands::Asked {
                session: &session,
                now: facts.now_micros,
                minor,
            };
            let text = commands::answer(inner, &person, &command, &asked).await;
            return answered(&force.id, text);
        }
        if let Some(words) = header(facts, "x-driftlead-repair") {
            let wish = acts::Wish {
                words: Some(words),
                always: false,
                session: Some(&session),
            };
            let seconds = facts.now_micros.div_euclid(MICROS);
            if acts::repair(inner, &person, &wish, seconds).await.is_err() {
                return self.without("log");
            }
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
            Err(_) => self.without("log"),
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

    fn person_of(&self, facts: &Facts<'_>, session: &str) -> Result<Arc<Person>, Failed> {
        match facts.subject {
            Some(subject) => self.inner.named(subject.id()),
            None => self.inner.unnamed(session),
        }
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

    /// Writes down what will be done; the number of the entry, if anything is.
    async fn log(
        &self,
        person: &Person,
        force: &InForce,
        session: &str,
        plan: &Plan,
        facts: &Facts<'_>,
    ) -> Result<Option<u64>, Failed> {
        let inner = &self.inner;
        if let Some(draw) = &plan.draw {
            let logged = inner
                .enter(person, Kind::Decision, draw.record(&force.id))
                .await;
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
            drop(live);
            logged?;
        }
        if plan.acts.is_empty() {
            return Ok(None);
        }
        let event = json!({ "policy": force.id, "acts": plan.acts });
        let head = inner.enter(person, Kind::Act, event).await?;
        inner.tally.governed();
        Ok(Some(head.seq))
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

    fn readiness(&self) -> Readiness {
        if self.inner.log.is_writable() {
            Readiness::Ready
        } else {
            Readiness::NotReady("the audit log cannot be written".to_owned())
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
            self.inner.sweep(None);
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

fn now_micros() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| {
            i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
        })
}
