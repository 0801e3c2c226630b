//! Dumps of 2023: histories with their messages, swiped-away answers among them.

use std::sync::Arc;

use serde::Deserialize;

use super::SERVICE;
use crate::import::lenient::{Flag, List, Object, Text};
use crate::import::rows::{self, Head, Ids, Line};
use crate::import::{Parsed, Unit};
use crate::when::{Clock, Stamp};
use crate::{Accounting, Event, Format, Kind, Reason, Role, Time, TimeQuality, text};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Info<'a> {
    #[serde(borrow)]
    character: Object<Character<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Character<'a> {
    #[serde(borrow)]
    name: Text<'a>,
}

impl Info<'_> {
    pub(super) fn name(&self) -> Option<&str> {
        self.character.0.as_ref()?.name.get()
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct History<'a> {
    #[serde(borrow)]
    external_id: Text<'a>,
    created: Stamp,
    #[serde(borrow)]
    pub(super) msgs: Option<List<Object<Message<'a>>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    text: Text<'a>,
    #[serde(borrow)]
    src: Object<Author<'a>>,
    is_alternative: Flag,
    created: Stamp,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Author<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    is_human: Option<Flag>,
}

impl Message<'_> {
    fn role(&self) -> Option<Role> {
        match self.src.0.as_ref()?.is_human?.0 {
            true => Some(Role::Person),
            false => Some(Role::System),
        }
    }
}

/// Reads one history.
pub(super) fn read(
    history: Option<&History<'_>>,
    character: Option<&str>,
    unit: &Unit<'_>,
    parsed: &mut Parsed,
) {
    let Some(history) = history.filter(|h| h.msgs.is_some()) else {
        parsed.accounting.containers.skip(Reason::BadMapping);
        return;
    };
    let id = id(history);
    let clock = Clock::utc(unit.options.zone.as_ref());
    let began = rows::time(&history.created, clock, &mut parsed.accounting);
    let mut reading = Reading {
        began: began.map(|t| Time {
            quality: TimeQuality::Conversation,
            ..t
        }),
        clock,
        position: unit.position,
        ids: Ids::new(&id),
        line: Line::default(),
        waiting: Vec::new(),
    };
    let messages = history
        .msgs
        .as_ref()
        .map(|m| m.0.as_slice())
        .unwrap_or_default();
    for message in messages {
        reading.message(message.0.as_ref(), &mut parsed.accounting);
    }
    reading.settle(&mut parsed.accounting);
    let named = messages.iter().filter_map(|m| m.0.as_ref());
    let deployment = character.or_else(|| {
        let mut answers = named.filter(|m| m.role() == Some(Role::System));
        answers.find_map(|m| m.src.0.as_ref()?.name.get())
    });
    let head = Head {
        format: Format::CaiTools,
        deployment: deployment.unwrap_or(SERVICE).into(),
        person: None,
        id,
    };
    rows::finish(unit, head, reading.line.events, parsed);
}

fn id(history: &History<'_>) -> Arc<str> {
    if let Some(id) = history.external_id.get() {
        return id.into();
    }
    let began = history
        .created
        .time(Clock::utc(None))
        .map(|t| t.micros.to_string());
    let first = history.msgs.as_ref().and_then(|m| m.0.first()?.0.as_ref());
    let words = first.and_then(|m| m.text.get()).unwrap_or_default();
    rows::content_id(&[SERVICE, &began.unwrap_or_default(), words])
}

struct Reading<'a> {
    /// Time of messages without one.
    began: Option<Time>,
    clock: Clock<'a>,
    position: u64,
    ids: Ids,
    line: Line,
    /// Alternatives to an answer that has not come yet.
    waiting: Vec<Event>,
}

impl Reading<'_> {
    fn message(&mut self, message: Option<&Message<'_>>, accounting: &mut Accounting) {
        let Some(message) = message else {
            return accounting.units.skip(Reason::BadMapping);
        };
        let Some(role) = message.role() else {
            return accounting.units.skip(Reason::UnknownRole);
        };
        let written = message.text.get().unwrap_or_default();
        let Some(words) = text::clean(written, accounting) else {
            return accounting.units.skip(Reason::EmptyText);
        };
        accounting.units.parse();
        let time = rows::time(&message.created, self.clock, accounting).or(self.began);
        let event = Event {
            time,
            position: self.position,
            ..Event::message(self.ids.of(None, role, time, &words), role, words)
        };
        if message.is_alternative.0 {
            self.alternative(event, accounting);
        } else {
            self.line_up(event, accounting);
        }
    }

    /// An answer that was swiped away. No model is recorded: that the same service gave it is an
    /// assumption, and noted.
    fn alternative(&mut self, event: Event, accounting: &mut Accounting) {
        let kind = if event.role == Role::System {
            accounting.note("same_model_assumed");
            Kind::Replicate
        } else {
            Kind::Edit
        };
        let event = Event { kind, ..event };
        match self
            .line
            .events
            .iter()
            .rev()
            .find(|e| e.kind == Kind::Message)
        {
            Some(last) if last.role == event.role => self.line.alternative(event),
            _ => self.waiting.push(event),
        }
    }

    fn line_up(&mut self, event: Event, accounting: &mut Accounting) {
        let role = event.role;
        if self.waiting.iter().any(|w| w.role != role) {
            self.settle(accounting);
        }
        self.line.message(event);
        for waiting in self.waiting.drain(..) {
            self.line.alternative(waiting);
        }
    }

    /// Of alternatives without a chosen one, the last was shown last.
    fn settle(&mut self, accounting: &mut Accounting) {
        if let Some(shown) = self.waiting.pop() {
            accounting.note("chosen_answer_unknown");
            self.line.message(Event {
                kind: Kind::Message,
                ..shown
            });
            for waiting in self.waiting.drain(..) {
                self.line.alternative(waiting);
            }
        }
    }
}
