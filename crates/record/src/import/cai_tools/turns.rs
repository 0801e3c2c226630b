//! Captures of the service's own `turns`, each with its candidates.

use std::sync::Arc;

use serde::Deserialize;

use super::SERVICE;
use crate::import::lenient::{Flag, List, Object, Text};
use crate::import::rows::{self, Head, Ids, Line};
use crate::import::{Parsed, Unit};
use crate::when::{Clock, Stamp};
use crate::{Accounting, Event, Format, Kind, Reason, Role, text};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Turn<'a> {
    #[serde(borrow)]
    turn_key: Object<TurnKey<'a>>,
    create_time: Stamp,
    #[serde(borrow)]
    author: Object<Author<'a>>,
    #[serde(borrow)]
    candidates: List<Object<Candidate<'a>>>,
    #[serde(borrow)]
    primary_candidate_id: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TurnKey<'a> {
    #[serde(borrow)]
    chat_id: Text<'a>,
    #[serde(borrow)]
    turn_id: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Author<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    /// Left out for characters.
    is_human: Flag,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Candidate<'a> {
    #[serde(borrow)]
    candidate_id: Text<'a>,
    #[serde(borrow)]
    raw_content: Text<'a>,
    create_time: Stamp,
}

impl Turn<'_> {
    fn chat_id(&self) -> Option<&str> {
        self.turn_key.0.as_ref()?.chat_id.get()
    }

    fn role(&self) -> Option<Role> {
        let is_human = self.author.0.as_ref()?.is_human.0;
        Some(if is_human { Role::Person } else { Role::System })
    }

    /// Index of the candidate that the chat went on with: the primary one, else the last with text.
    fn chosen(&self, accounting: &mut Accounting) -> Option<usize> {
        let candidates = &self.candidates.0;
        let has_words = |c: &Object<Candidate<'_>>| {
            c.0.as_ref()
                .is_some_and(|c| c.raw_content.get().is_some_and(|t| !t.trim().is_empty()))
        };
        let primary = self.primary_candidate_id.get().and_then(|id| {
            let is_primary = |c: &Candidate<'_>| c.candidate_id.get() == Some(id);
            candidates
                .iter()
                .position(|c| c.0.as_ref().is_some_and(is_primary))
        });
        if primary.is_some() || candidates.is_empty() {
            return primary;
        }
        if candidates.len() > 1 {
            accounting.note("chosen_answer_unknown");
        }
        candidates.iter().rposition(has_words).or(Some(0))
    }
}

/// Reads one capture.
pub(super) fn read(turns: &[Object<Turn<'_>>], unit: &Unit<'_>, parsed: &mut Parsed) {
    let clock = Clock::utc(unit.options.zone.as_ref());
    let known = || turns.iter().filter_map(|t| t.0.as_ref());
    let id = known()
        .find_map(Turn::chat_id)
        .map_or_else(|| derived_id(turns), Arc::from);
    let accounting = &mut parsed.accounting;
    let mut reading = Reading {
        clock,
        position: unit.position,
        ids: Ids::new(&id),
        line: Line::default(),
    };
    for turn in in_order(turns) {
        match turn {
            Some(turn) => reading.turn(turn, accounting),
            None => accounting.units.skip(Reason::BadMapping),
        }
    }
    let mut answers = known().filter(|t| t.role() == Some(Role::System));
    let name = answers.find_map(|t| t.author.0.as_ref()?.name.get());
    let head = Head {
        format: Format::CaiTools,
        deployment: name.unwrap_or(SERVICE).into(),
        person: None,
        id,
    };
    rows::finish(unit, head, reading.line.events, parsed);
}

/// Turns arrive newest first; a capture may have been turned round already, which its times show.
fn in_order<'t, 'a>(turns: &'t [Object<Turn<'a>>]) -> Vec<Option<&'t Turn<'a>>> {
    let mut list: Vec<Option<&Turn<'a>>> = turns.iter().map(|t| t.0.as_ref()).collect();
    let times: Vec<i64> = list
        .iter()
        .filter_map(|t| t.as_ref()?.create_time.time(Clock::utc(None)))
        .map(|t| t.micros)
        .collect();
    let is_oldest_first = times.first() < times.last();
    if !is_oldest_first {
        list.reverse();
    }
    list
}

fn derived_id(turns: &[Object<Turn<'_>>]) -> Arc<str> {
    let first = in_order(turns).into_iter().flatten().next();
    let words = first.and_then(|t| t.candidates.0.first()?.0.as_ref()?.raw_content.get());
    rows::content_id(&[SERVICE, words.unwrap_or_default()])
}

struct Reading<'a> {
    clock: Clock<'a>,
    position: u64,
    ids: Ids,
    line: Line,
}

impl Reading<'_> {
    fn turn(&mut self, turn: &Turn<'_>, accounting: &mut Accounting) {
        let Some(role) = turn.role() else {
            accounting.units.skip(Reason::UnknownRole);
            return;
        };
        let chosen = turn.chosen(accounting);
        let primary = chosen.and_then(|i| turn.candidates.0.get(i)?.0.as_ref());
        let words = primary.and_then(|c| text::clean(c.raw_content.get()?, accounting));
        let others = turn
            .candidates
            .0
            .iter()
            .enumerate()
            .filter(|(i, _)| Some(*i) != chosen);
        let (Some(candidate), Some(words)) = (primary, words) else {
            // Alternatives to nothing have no place.
            accounting.units.skip(Reason::EmptyText);
            accounting
                .swipes
                .skip_many(Reason::EmptyText, others.count() as u64);
            return;
        };
        accounting.units.parse();
        let turn_id = turn.turn_key.0.as_ref().and_then(|k| k.turn_id.get());
        let own = candidate.candidate_id.get().or(turn_id);
        let message = self.event(own, candidate, turn, role, words, accounting);
        self.line.message(message);
        for (_, other) in others {
            let other = other.0.as_ref();
            let words = other.and_then(|c| text::clean(c.raw_content.get()?, accounting));
            let (Some(candidate), Some(words)) = (other, words) else {
                accounting.swipes.skip(Reason::EmptyText);
                continue;
            };
            accounting.swipes.parse();
            let own = candidate.candidate_id.get();
            let event = self.event(own, candidate, turn, role, words, accounting);
            let kind = if role == Role::System {
                accounting.note("same_model_assumed");
                Kind::Replicate
            } else {
                Kind::Edit
            };
            self.line.alternative(Event { kind, ..event });
        }
    }

    fn event(
        &mut self,
        own: Option<&str>,
        candidate: &Candidate<'_>,
        turn: &Turn<'_>,
        role: Role,
        words: Box<str>,
        accounting: &mut Accounting,
    ) -> Event {
        let time = rows::time(&candidate.create_time, self.clock, accounting)
            .or_else(|| turn.create_time.time(self.clock));
        Event {
            time,
            position: self.position,
            ..Event::message(self.ids.of(own, role, time, &words), role, words)
        }
    }
}
