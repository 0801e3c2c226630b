//! One simulated person: habits, weekly rates, and the messages that follow from them.

use std::fmt::Write as _;
use std::sync::Arc;

use driftlead_record::{
    Conversation, Event, Format, Kind, MICROS, Role, SystemSource, Time, TimeQuality,
};

use super::phrases;
use super::{PlantedRate, Scenario, SimulatedPerson, Truth};
use crate::draw::{Draws, Sequence};

/// Uses of luck that must not share draws.
#[derive(Clone, Copy)]
enum Stream {
    Habits,
    Noise,
    Calendar,
    PersonText,
    SystemText,
}

fn draws(seed: u64, person: u32, week: u32, stream: Stream) -> Sequence {
    Draws::new(seed).sequence(person.into(), week, stream as u32)
}

/// The smallest week that is written in full: a person-week counts from 20 messages a side.
const FEWEST_EXCHANGES: u32 = 21;
/// Bounds of a chance per reply, so that noise never makes it 0 or 1.
const LOWEST_RATE: f64 = 0.02;
const HIGHEST_RATE: f64 = 0.96;
/// Share of the system's plain lines that have an end; it makes them as long as a planted line.
const LONG_LINE: f64 = 0.25;
const DAY: i64 = 86_400;

/// What stays the same about a person through the year.
struct Habits {
    autocorrelation: f64,
    extra_exchanges: f64,
    sessions: u32,
    long_messages: f64,
    long_replies: f64,
    asks: f64,
    first_hour: i64,
    offset_seconds: i32,
    away: Vec<bool>,
    rates: [Rate; 3],
}

/// A weekly rate of the system. Order: friend-like, agreement, questions.
#[derive(Clone, Copy)]
struct Rate {
    planted: PlantedRate,
    latent_sd: f64,
}

fn habits(scenario: &Scenario, seed: u64, person: u32) -> Habits {
    let mut d = draws(seed, person, 0, Stream::Habits);
    let changed = scenario.is_changed(person);
    let extra_exchanges = d.between(0.0, 3.0);
    let exchanges = f64::from(FEWEST_EXCHANGES) + extra_exchanges;
    let change = |d: &mut Sequence, planted: bool| {
        let size = scenario.mean_change_sd + scenario.change_spread_sd * d.normal();
        if planted { size.max(0.5) } else { 0.0 }
    };
    let mean_progress = scenario.mean_progress();
    let rate = |d: &mut Sequence, low: f64, high: f64, planted: bool| {
        let base = d.between(low, high);
        let chance_sd = |level: f64| (level * (1.0 - level) / exchanges).sqrt();
        let latent_sd = chance_sd(base) * d.between(0.4, 0.9);
        let change_sd = change(d, planted);
        // Chance depends on the level and the level on the change, which is counted in SDs.
        let mut own_sd = chance_sd(base).hypot(latent_sd);
        for _ in 0..4 {
            let mean_level = (base + mean_progress * change_sd * own_sd).min(HIGHEST_RATE);
            own_sd = chance_sd(mean_level).hypot(latent_sd);
        }
        let planted = PlantedRate {
            base,
            own_sd,
            change_sd,
        };
        Rate { planted, latent_sd }
    };
    let rates = [
        rate(&mut d, 0.15, 0.35, changed),
        rate(&mut d, 0.15, 0.35, changed),
        rate(&mut d, 0.25, 0.55, false),
    ];
    Habits {
        autocorrelation: d.between(0.0, scenario.highest_autocorrelation),
        extra_exchanges,
        sessions: 3 + d.below(3),
        long_messages: d.between(0.65, 0.95),
        long_replies: d.between(0.0, 0.4),
        asks: d.between(0.1, 0.4),
        first_hour: i64::from(7 + d.below(12)),
        offset_seconds: 1800 * (d.below(8) as i32),
        away: weeks_away(&mut d, scenario.weeks),
        rates,
    }
}

/// One to three absences of one to three weeks.
fn weeks_away(d: &mut Sequence, weeks: u32) -> Vec<bool> {
    let mut away = vec![false; weeks as usize];
    for _ in 0..1 + d.below(3) {
        let start = d.below(weeks) as usize;
        let length = 1 + d.below(3) as usize;
        away.iter_mut()
            .skip(start)
            .take(length)
            .for_each(|w| *w = true);
    }
    away
}

/// Latent AR(1) states of the three rates, one row per week, stationary from the first week.
fn noise(seed: u64, person: u32, weeks: u32, autocorrelation: f64) -> Vec<[f64; 3]> {
    let innovation = (1.0 - autocorrelation * autocorrelation).sqrt();
    let mut state: Option<[f64; 3]> = None;
    (0..weeks)
        .map(|week| {
            let mut d = draws(seed, person, week, Stream::Noise);
            let fresh = [d.normal(), d.normal(), d.normal()];
            let now = match state {
                None => fresh,
                Some(old) => {
                    std::array::from_fn(|i| autocorrelation * old[i] + innovation * fresh[i])
                }
            };
            state = Some(now);
            now
        })
        .collect()
}

pub(super) fn generate(scenario: &Scenario, seed: u64, person: u32) -> SimulatedPerson {
    let habits = habits(scenario, seed, person);
    let noise = noise(seed, person, scenario.weeks, habits.autocorrelation);
    let mut writer = Writer::new(person, habits.offset_seconds);
    for (week, state) in (0..scenario.weeks).zip(&noise) {
        if habits.away.get(week as usize).copied().unwrap_or(false) {
            continue;
        }
        let progress = scenario.progress(week);
        let chances = std::array::from_fn(|i| {
            let rate = habits.rates[i];
            let level = rate.planted.base + progress * rate.planted.change();
            (level + rate.latent_sd * state[i]).clamp(LOWEST_RATE, HIGHEST_RATE)
        });
        let monday = i64::from(scenario.first.0 + week as i32) * 7 - 3;
        writer.week(
            &habits,
            Week {
                seed,
                number: week,
                monday,
                chances,
            },
        );
    }
    SimulatedPerson {
        conversations: writer.conversations,
        truth: Truth {
            person,
            changed: scenario.is_changed(person),
            autocorrelation: habits.autocorrelation,
            friend_like: habits.rates[0].planted,
            agreement: habits.rates[1].planted,
        },
    }
}

/// One week to write: chances per reply of a friend-like line, agreement and a question.
struct Week {
    seed: u64,
    number: u32,
    monday: i64,
    chances: [f64; 3],
}

struct Writer {
    person: u32,
    offset_seconds: i32,
    deployment: Arc<str>,
    person_id: Arc<str>,
    source: Arc<str>,
    system: Arc<str>,
    line: String,
    conversations: Vec<Conversation>,
}

impl Writer {
    fn new(person: u32, offset_seconds: i32) -> Self {
        Writer {
            person,
            offset_seconds,
            deployment: "simulated companion".into(),
            person_id: format!("simulated-{person}").into(),
            source: "simulated".into(),
            system: "companion-1".into(),
            line: String::with_capacity(256),
            conversations: Vec::new(),
        }
    }

    /// Spreads the week's exchanges over its sessions.
    fn week(&mut self, habits: &Habits, week: Week) {
        let mut calendar = draws(week.seed, self.person, week.number, Stream::Calendar);
        let mut said = draws(week.seed, self.person, week.number, Stream::PersonText);
        let mut replied = draws(week.seed, self.person, week.number, Stream::SystemText);
        let exchanges = FEWEST_EXCHANGES + calendar.poisson(habits.extra_exchanges);
        let sessions = habits.sessions;
        for session in 0..sessions {
            let share = |n: u32| n * exchanges / sessions;
            let day = i64::from(session * 7 / sessions) + i64::from(calendar.below(2));
            let minute = i64::from(calendar.below(240));
            let mut clock = (week.monday + day.min(6)) * DAY
                + (habits.first_hour * 60 + minute) * 60
                - i64::from(self.offset_seconds);
            let mut events = Vec::new();
            for _ in share(session)..share(session + 1) {
                clock += 20 + i64::from(calendar.below(200));
                self.say(&mut said, habits);
                self.push(&mut events, Role::Person, clock, (week.number, session));
                clock += 2 + i64::from(calendar.below(6));
                self.reply(&mut replied, habits, week.chances);
                self.push(&mut events, Role::System, clock, (week.number, session));
            }
            self.conversations.push(Conversation {
                deployment: self.deployment.clone(),
                person: Some(self.person_id.clone()),
                id: format!("{}-{}-{session}", self.person, week.number).into(),
                source: self.source.clone(),
                format: Format::Driftlead,
                events,
            });
        }
    }

    /// Writes a message of the person into `self.line`: one or two lines, the last one sometimes a
    /// question.
    fn say(&mut self, d: &mut Sequence, habits: &Habits) {
        self.line.clear();
        if d.chance(habits.long_messages) {
            compose(&mut self.line, d, &phrases::PERSON);
        }
        if d.chance(habits.asks) {
            add(&mut self.line, d.pick(phrases::PERSON_QUESTIONS));
        } else {
            compose(&mut self.line, d, &phrases::PERSON);
        }
    }

    /// Writes a reply of the system into `self.line`. All draws are made whether used or not, so
    /// that a changed person's other lines are those of the unchanged one.
    fn reply(&mut self, d: &mut Sequence, habits: &Habits, chances: [f64; 3]) {
        let lines = 3 + usize::from(d.chance(habits.long_replies));
        let [friend, agree, question] = chances.map(|p| d.chance(p));
        let planted = usize::from(friend) + usize::from(agree) + usize::from(question);
        let agreement = d.pick(phrases::AGREEMENT);
        let warm = d.pick(phrases::FRIEND_LIKE);
        let asked = d.pick(phrases::SYSTEM_QUESTIONS);
        self.line.clear();
        if agree {
            add(&mut self.line, agreement);
        }
        for _ in planted..lines {
            let parts = if d.chance(LONG_LINE) { 3 } else { 2 };
            compose(&mut self.line, d, &phrases::SYSTEM[..parts]);
        }
        if friend {
            add(&mut self.line, warm);
        }
        if question {
            add(&mut self.line, asked);
        }
    }

    /// Turns `self.line` into the next event of a conversation.
    fn push(&self, events: &mut Vec<Event>, role: Role, clock: i64, place: (u32, u32)) {
        let mut id = String::with_capacity(20);
        // Writing to a string cannot fail.
        let _ = write!(
            id,
            "{}-{}-{}-{}",
            self.person,
            place.0,
            place.1,
            events.len()
        );
        let from_system = role == Role::System;
        events.push(Event {
            id: id.into(),
            parent: events.last().map(|e: &Event| e.id.clone()),
            time: Some(Time {
                micros: clock * MICROS,
                offset_seconds: Some(self.offset_seconds),
                quality: TimeQuality::Exact,
            }),
            role,
            kind: Kind::Message,
            text: Some(self.line.as_str().into()),
            item: None,
            reaction: None,
            system: from_system.then(|| self.system.clone()),
            system_source: if from_system {
                SystemSource::Message
            } else {
                SystemSource::Unknown
            },
            policy: None,
            propensity: None,
            position: events.len() as u64,
        });
    }
}

fn compose(line: &mut String, d: &mut Sequence, parts: &[&[&str]]) {
    space(line);
    for part in parts {
        line.push_str(d.pick(part));
    }
    line.push('.');
}

fn add(line: &mut String, sentence: &str) {
    space(line);
    line.push_str(sentence);
}

fn space(line: &mut String) {
    if !line.is_empty() {
        line.push(' ');
    }
}
