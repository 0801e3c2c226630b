//! One month of simulated people through a real gateway under one policy: its listeners, its log, its store
//! and its record, with a clock that is set by hand.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use driftlead_gate::Server;
use driftlead_gate::clock::Clock;
use driftlead_gate::config::Config;
use driftlead_gate::governance::{Govern, Governance};
use driftlead_gate::policy::{Point, Policy};
use driftlead_gate::store::Store;
use driftlead_stats::rng::Stream;
use serde_json::{Value, json};

use crate::client::Client;
use crate::model;
use crate::people::{Person, Tone, Truth};

/// 2026-01-05, a Monday, in days since 1970.
pub(crate) const FIRST_DAY: i32 = 20_458;
const DAY: i64 = 86_400 * 1_000_000;
const MINUTE: i64 = 60 * 1_000_000;
/// Between two messages of a person: a conversation is shorter than a person's share of the day.
const BETWEEN: i64 = 40 * 1_000_000;
/// Above this dose the model is asked to be warm ([`driftlead_gate::policy::Warmth`]).
const WARM_ABOVE: f64 = 0.14;

/// What is simulated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Month {
    pub(crate) people: u32,
    pub(crate) days: u32,
    pub(crate) seed: u64,
}

/// What came of it.
pub(crate) struct Lived {
    pub(crate) people: Vec<Person>,
    /// Acts by name, as the people's own replies said.
    pub(crate) acts: BTreeMap<String, u64>,
    pub(crate) seen: Seen,
    /// What each person gets who asks for what is kept of them, by number.
    pub(crate) exports: Vec<Value>,
    /// The truth about each decision, by person and day.
    pub(crate) truths: BTreeMap<(u32, u32), Truth>,
}

/// What the people saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) conversations: u64,
    pub(crate) replies: u64,
    /// Replies to whose request something was done.
    pub(crate) governed: u64,
    pub(crate) questions: u64,
    pub(crate) jokes: u64,
    pub(crate) repairs_by_command: u64,
    pub(crate) complaints_in_words: u64,
}

/// Lives a month in `data`, the folder of the gateway.
pub(crate) fn live(point: Point, month: &Month, data: &Path) -> io::Result<Lived> {
    let policy = Policy::at(point);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(own_key(data, month.seed))?;
    let clock = Clock::standing_at(i64::from(FIRST_DAY) * DAY);
    let govern = Govern {
        data: data.to_owned(),
        record: true,
        ..Govern::default()
    };
    let governance =
        Governance::open_at(&govern, &policy, clock.clone()).map_err(io::Error::other)?;
    let mut config = Config::for_upstream(format!("http://{}", model::start()?));
    config.listen.set_port(0);
    config.admin.set_port(0);
    let server = runtime
        .block_on(Server::bind(&config, Arc::new(governance.clone())))
        .map_err(io::Error::other)?;
    let (gate, admin) = (server.address(), server.admin_address());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = runtime.spawn(server.run(async {
        let _ = stopped.await;
    }));
    let mut running = Running {
        client: Client::connect(gate, admin)?,
        handle: runtime.handle().clone(),
        governance,
        clock,
        policy,
        month: *month,
        lived: Lived {
            people: (0..month.people)
                .map(|number| Person::new(month.seed, number, month.days))
                .collect(),
            acts: BTreeMap::new(),
            seen: Seen::default(),
            exports: Vec::new(),
            truths: BTreeMap::new(),
        },
    };
    running.days()?;
    let Running { client, lived, .. } = running;
    drop(client);
    let _ = stop.send(());
    runtime.block_on(serving).map_err(io::Error::other)?;
    Ok(lived)
}

/// Gives the store a key that follows from the seed, so that the draws of pauses can be repeated. A real
/// gateway's key is random and its own.
async fn own_key(data: &Path, seed: u64) -> io::Result<()> {
    std::fs::create_dir_all(data)?;
    let mut luck = Stream::new(seed, 0, 0, 906);
    let key: Vec<u8> = (0..8).flat_map(|_| luck.bits().to_le_bytes()).collect();
    let store = Store::open(&data.join("gate.db")).map_err(io::Error::other)?;
    let own = store.own().as_bytes().to_vec();
    match store.swap_value("key", Some(&own), &key).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(io::Error::other("the store has another key than its own")),
        Err(error) => Err(io::Error::other(error)),
    }
}

struct Running {
    client: Client,
    handle: tokio::runtime::Handle,
    governance: Governance,
    clock: Clock,
    policy: Policy,
    month: Month,
    lived: Lived,
}

impl Running {
    fn days(&mut self) -> io::Result<()> {
        let people = self.lived.people.clone();
        let mut read = vec![Tone::Plain; people.len()];
        for day in 0..self.month.days {
            for (person, before) in people.iter().zip(&mut read) {
                self.wait_for(day, person.number);
                if day == 0 {
                    self.consents(person)?;
                }
                if person.stops == Some(day) {
                    let body = json!({ "messages": [user("/driftlead stop")] });
                    self.client.chat(&person.name(), "stop", &body)?;
                }
                *before = match person.messages(day, *before) {
                    0 => Tone::Plain,
                    messages => self.conversation(person, day, messages)?,
                };
            }
        }
        self.wait_for(self.month.days, 0);
        for person in &people {
            let export = self.client.me(&person.name(), "/export", None)?;
            self.lived.exports.push(export);
        }
        Ok(())
    }

    /// Each person has a share of the day to themselves.
    fn wait_for(&mut self, day: u32, number: u32) {
        let share = DAY / i64::from(self.month.people);
        let at = i64::from(FIRST_DAY) * DAY + i64::from(day) * DAY + i64::from(number) * share;
        self.clock.set(at + MINUTE);
        self.handle.block_on(self.governance.sweep());
    }

    fn consents(&mut self, person: &Person) -> io::Result<()> {
        let who = person.name();
        let pauses = person.takes_pauses && self.policy.pauses.probability > 0.0;
        for (wished, purpose) in [(person.keeps, "keep_state"), (pauses, "randomised_pauses")] {
            for change in ["show", "give"].iter().filter(|_| wished) {
                let body = json!({ "purpose": purpose, "change": change });
                self.client.me(&who, "/consent", Some(&body))?;
            }
        }
        if person.wants_relation {
            let mut ask = |words: &str| {
                let body = json!({ "messages": [user(words)] });
                let reply = self.client.chat(&who, "consent", &body)?;
                Ok::<_, io::Error>(reply.said().to_owned())
            };
            let answer = ask("/driftlead relational")?;
            // Only where the policy has something to consent to is there a code.
            if let Some((_, line)) = answer.split_once("within ten minutes: ") {
                ask(line)?;
            }
        }
        Ok(())
    }

    /// One conversation; the tone of its replies.
    fn conversation(&mut self, person: &Person, day: u32, messages: u32) -> io::Result<Tone> {
        let (who, session) = (person.name(), format!("day-{day}"));
        let mut turns: Vec<Value> = Vec::new();
        let mut tone = None;
        let mut joked = false;
        self.lived.seen.conversations += 1;
        for (turn, line) in (0..).zip(person.lines(day, messages)) {
            let complaint = if joked {
                person.complaint(day, turn)
            } else {
                None
            };
            let mut line = line;
            match complaint {
                // A command is answered by the gateway, and what was to be said comes after it.
                Some(command) if command.starts_with('/') => {
                    turns.push(user(command));
                    let body = json!({ "messages": turns });
                    let reply = self.client.chat(&who, &session, &body)?;
                    turns.push(assistant(reply.said()));
                    self.lived.seen.repairs_by_command += 1;
                }
                Some(words) => {
                    line = words;
                    self.lived.seen.complaints_in_words += 1;
                }
                None => {}
            }
            self.clock.set(self.clock.now_micros() + BETWEEN);
            turns.push(user(line));
            let seed = person.request_seed(day, turn);
            let body = json!({ "model": "m", "seed": seed, "messages": turns });
            let reply = self.client.chat(&who, &session, &body)?;
            let said = reply.said().to_owned();
            let seen = &mut self.lived.seen;
            seen.replies += 1;
            seen.governed += u64::from(!reply.acts.is_empty());
            seen.questions += u64::from(model::questions(&said));
            joked = model::jokes(&said);
            seen.jokes += u64::from(joked);
            for act in &reply.acts {
                *self.lived.acts.entry(act.clone()).or_default() += 1;
            }
            if tone.is_none() {
                let read = model::tone(&said);
                let paused = reply.acts.iter().any(|act| act == "pause");
                self.truth(person, day, read, paused)?;
                tone = Some(read);
            }
            turns.push(assistant(&said));
        }
        Ok(tone.unwrap_or_default())
    }

    /// Writes down what is true of a decision: in what tone the replies would be without a pause.
    fn truth(&mut self, person: &Person, day: u32, read: Tone, paused: bool) -> io::Result<()> {
        let mut otherwise = read;
        if paused {
            // A pause of somebody from whom the warmth has been taken back already changes nothing.
            let me = self.client.me(&person.name(), "", None)?;
            let weeks = me["weeks_taken_back"].as_f64().unwrap_or(0.0);
            let warmth = &self.policy.warmth;
            if warmth.dose_with_consent - warmth.taper_per_week * weeks > WARM_ABOVE {
                otherwise = Tone::Warm;
            }
        }
        let truth = person.truth(otherwise);
        self.lived.truths.insert((person.number, day), truth);
        Ok(())
    }
}

fn user(words: &str) -> Value {
    json!({ "role": "user", "content": words })
}

fn assistant(words: &str) -> Value {
    json!({ "role": "assistant", "content": words })
}
