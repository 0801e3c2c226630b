//! Grok data export (formats.md §9): one element of `conversations`.

use serde::Deserialize;

use super::lenient::{Flag, List, Object, Text};
use super::rows::{self, Head, Ids, Leaf, Line};
use super::{Parsed, Unit, UnitError};
use crate::when::{Clock, Stamp};
use crate::{Accounting, Event, Format, Reason, Role, SystemSource, Time, text};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Root<'a> {
    #[serde(borrow)]
    conversation: Object<About<'a>>,
    #[serde(borrow)]
    responses: Option<List<Object<Entry<'a>>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct About<'a> {
    #[serde(borrow)]
    conversation_id: Text<'a>,
    #[serde(borrow)]
    user_id: Text<'a>,
    #[serde(borrow)]
    title: Text<'a>,
    create_time: Stamp,
    temporary: Flag,
    #[serde(borrow)]
    leaf_response_id: Text<'a>,
}

/// A response, bare or inside `response`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entry<'a> {
    #[serde(borrow)]
    response: Object<Box<Entry<'a>>>,
    #[serde(borrow)]
    response_id: Text<'a>,
    #[serde(borrow)]
    parent_response_id: Text<'a>,
    #[serde(borrow)]
    message: Text<'a>,
    #[serde(borrow)]
    sender: Text<'a>,
    create_time: Stamp,
    partial: Flag,
    #[serde(borrow)]
    thinking_trace: Text<'a>,
    error: Presence,
    #[serde(borrow)]
    metadata: Object<Metadata<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metadata<'a> {
    #[serde(borrow)]
    request_model_details: Object<ModelDetails<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ModelDetails<'a> {
    #[serde(borrow)]
    model_id: Text<'a>,
}

/// Whether a value is there and not null.
#[derive(Debug, Clone, Copy, Default)]
struct Presence(bool);

impl<'de> Deserialize<'de> for Presence {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Option::<serde::de::IgnoredAny>::deserialize(d).map(|v| Presence(v.is_some()))
    }
}

impl Entry<'_> {
    fn role(&self) -> Option<Role> {
        let sender = self.sender.get()?.to_ascii_lowercase();
        match sender.as_str() {
            "human" | "user" => Some(Role::Person),
            "assistant" | "grok" => Some(Role::System),
            _ => None,
        }
    }

    fn model(&self) -> Option<&str> {
        self.metadata
            .0
            .as_ref()?
            .request_model_details
            .0
            .as_ref()?
            .model_id
            .get()
    }
}

/// Reads one conversation.
///
/// # Errors
/// [`UnitError::Json`] where it is no JSON, [`UnitError::Structure`] where it has no `responses`.
pub(crate) fn parse(unit: &Unit<'_>) -> Result<Parsed, UnitError> {
    let root: Root<'_> = rows::json(unit)?;
    let Some(responses) = &root.responses else {
        return Err(UnitError::Structure("no `responses`".to_owned()));
    };
    let mut parsed = Parsed::default();
    let mut entries: Vec<&Entry<'_>> = Vec::with_capacity(responses.0.len());
    for response in &responses.0 {
        match response.0.as_ref() {
            Some(entry) => entries.push(entry.response.0.as_deref().unwrap_or(entry)),
            None => parsed.accounting.units.skip(Reason::BadMapping),
        }
    }
    let nothing = About::default();
    let about = root.conversation.0.as_ref().unwrap_or(&nothing);
    let mut reading = Reading::new(unit, about, &entries);
    reading.parsed = parsed;
    let events = if entries.iter().any(|e| e.parent_response_id.get().is_some()) {
        reading.tree(&entries)
    } else {
        reading.flat(entries)
    };
    let mut parsed = reading.parsed;
    if about.temporary.0 {
        parsed.accounting.note("temporary_conversation");
    }
    rows::finish(unit, reading.head, events, &mut parsed);
    Ok(parsed)
}

struct Reading<'a> {
    unit: &'a Unit<'a>,
    head: Head,
    about: &'a About<'a>,
    ids: Ids,
    parsed: Parsed,
}

impl<'a> Reading<'a> {
    fn new(unit: &'a Unit<'a>, about: &'a About<'a>, entries: &[&Entry<'_>]) -> Self {
        let id = match about.conversation_id.get() {
            Some(id) => id.into(),
            None => derived_id(about, entries),
        };
        Reading {
            unit,
            about,
            ids: Ids::new(&id),
            head: Head {
                format: Format::Grok,
                deployment: "grok".into(),
                person: about.user_id.get().map(Into::into),
                id,
            },
            parsed: Parsed::default(),
        }
    }

    /// Responses that name their parents. The model of an answer is what its parent asked for.
    fn tree(&mut self, entries: &[&Entry<'_>]) -> Vec<Event> {
        let asked: rustc_hash::FxHashMap<&str, &str> = entries
            .iter()
            .filter_map(|e| Some((e.response_id.get()?, e.model()?)))
            .collect();
        let mut leaves = Vec::with_capacity(entries.len());
        for entry in entries {
            let parent = entry.parent_response_id.get();
            let model = parent
                .and_then(|p| asked.get(p).copied())
                .or_else(|| entry.model());
            leaves.push(Leaf {
                id: entry.response_id.get().unwrap_or_default(),
                parent,
                system: model,
                row: self.row(entry, model),
            });
        }
        let current = self.about.leaf_response_id.get();
        rows::branch(leaves, current, &mut self.parsed.accounting)
    }

    /// Responses without links: a line in the order of their times, where they have any.
    fn flat(&mut self, mut entries: Vec<&Entry<'_>>) -> Vec<Event> {
        let micros = |e: &&Entry<'_>| e.create_time.time(Clock::utc(None)).map(|t| t.micros);
        if entries.iter().all(|e| micros(e).is_some()) {
            entries.sort_by_key(micros);
        }
        let mut line = Line::default();
        let mut asked = None;
        for entry in entries {
            if entry.role() == Some(Role::Person) {
                asked = entry.model();
            }
            if let Some(event) = self.row(entry, asked.or_else(|| entry.model())) {
                line.message(event);
            }
        }
        line.events
    }

    /// The row of a response; `None`, and counted, if it makes none.
    fn row(&mut self, entry: &Entry<'_>, model: Option<&str>) -> Option<Event> {
        let accounting = &mut self.parsed.accounting;
        let Some(role) = entry.role() else {
            accounting.unknown("sender", entry.sender.get().unwrap_or_default());
            accounting.units.skip(Reason::UnknownRole);
            return None;
        };
        flags(entry, accounting);
        let Some(words) = text::clean(entry.message.get().unwrap_or_default(), accounting) else {
            let is_thought = entry.thinking_trace.get().is_some();
            accounting.units.skip(if is_thought {
                Reason::Reasoning
            } else {
                Reason::EmptyText
            });
            return None;
        };
        accounting.units.parse();
        let clock = Clock::utc(self.unit.options.zone.as_ref());
        let time = rows::time(&entry.create_time, clock, accounting);
        let model = model.filter(|_| role == Role::System);
        Some(Event {
            time,
            system: model.map(Into::into),
            system_source: model.map_or(SystemSource::Unknown, |_| SystemSource::Message),
            position: self.unit.position,
            ..Event::message(
                self.ids.of(entry.response_id.get(), role, time, &words),
                role,
                words,
            )
        })
    }
}

fn flags(entry: &Entry<'_>, accounting: &mut Accounting) {
    let found = [
        (entry.partial.0, "unfinished_answer"),
        (entry.error.0, "answer_with_error"),
        (entry.thinking_trace.get().is_some(), "reasoning_removed"),
    ];
    for (_, what) in found.into_iter().filter(|(is_set, _)| *is_set) {
        accounting.note(what);
    }
}

/// Id of a conversation without one: what it was called and when it began, and its earliest words.
fn derived_id(about: &About<'_>, entries: &[&Entry<'_>]) -> std::sync::Arc<str> {
    let micros = |s: &Stamp| s.time(Clock::utc(None)).map(|t: Time| t.micros);
    let first = entries
        .iter()
        .min_by_key(|e| micros(&e.create_time).unwrap_or(i64::MAX));
    let began = micros(&about.create_time)
        .map(|m| m.to_string())
        .unwrap_or_default();
    let words = first.and_then(|e| e.message.get()).unwrap_or_default();
    rows::content_id(&["grok", about.title.get().unwrap_or_default(), &began, words])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;
    use crate::import::testing::{check_mutations, note, parse_with, skipped};

    const SYNTHETIC: &str = include_str!("../../tests/fixtures/synthetic/grok_export.json");
    const FLAT: &str = include_str!("../../tests/fixtures/mit-polylogue/grok_flat.json");

    fn elements(file: &str) -> Vec<String> {
        let value: serde_json::Value = serde_json::from_str(file).unwrap();
        value["conversations"]
            .as_array()
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn two_answers_to_one_question() {
        let parsed = parse_with(parse, &elements(SYNTHETIC)[0]);
        assert_eq!(
            (parsed.accounting.units.seen, parsed.accounting.units.parsed),
            (4, 3)
        );
        assert_eq!(skipped(&parsed), [("empty_text", 1)]);
        let conversation = &parsed.conversations[0];
        let rows: Vec<_> = conversation
            .events
            .iter()
            .map(|e| (&*e.id, e.kind))
            .collect();
        let expected = [
            ("r1", Kind::Message),
            ("r2b", Kind::Message),
            ("r2", Kind::Replicate),
        ];
        assert_eq!(rows, expected);
        for answer in &conversation.events[1..] {
            assert_eq!(answer.system.as_deref(), Some("grok-synthetic"));
            assert_eq!(answer.parent.as_deref(), Some("r1"));
        }
        assert_eq!(
            conversation.events[0].time,
            Some(Time::exact(1_767_693_601_194_663))
        );
        assert_eq!(note(&parsed, "reasoning_removed"), 1);
    }

    #[test]
    fn flat_responses_with_extended_times() {
        let parsed = parse_with(parse, &elements(SYNTHETIC)[1]);
        let events = &parsed.conversations[0].events;
        assert_eq!((parsed.accounting.units.seen, events.len()), (2, 2));
        assert_eq!(events[1].time, Some(Time::exact(1_767_693_603_000_000)));
        assert_eq!(events[1].parent.as_ref(), Some(&events[0].id));
        let published = parse_with(parse, &elements(FLAT)[0]);
        assert_eq!(published.conversations[0].events.len(), 2);
    }

    #[test]
    fn without_links_the_order_is_that_of_the_times() {
        let element = |a: &str, b: &str| {
            format!(r#"{{"conversation":{{"title":"t"}},"responses":[{a},{b}]}}"#)
        };
        let asked = r#"{"sender":"USER","message":"Why?","create_time":1767693601,
            "metadata":{"requestModelDetails":{"modelId":"grok-x"}}}"#;
        let said = r#"{"sender":"Grok","message":"So.","create_time":1767693602,"partial":true,"error":{}}"#;
        let one = parse_with(parse, &element(asked, said));
        let other = parse_with(parse, &element(said, asked));
        assert_eq!(one.conversations, other.conversations);
        let events = &one.conversations[0].events;
        assert_eq!(events[0].role, Role::Person);
        assert_eq!(events[1].system.as_deref(), Some("grok-x"));
        assert_eq!(
            (
                note(&one, "unfinished_answer"),
                note(&one, "answer_with_error")
            ),
            (1, 1)
        );
    }

    #[test]
    fn unknown_senders_are_counted() {
        let parsed = parse_with(
            parse,
            r#"{"conversation":{"temporary":true},"responses":[{"sender":"moderator","message":"x"}, null]}"#,
        );
        assert_eq!(skipped(&parsed), [("unknown_role", 1), ("bad_mapping", 1)]);
        assert_eq!(note(&parsed, "temporary_conversation"), 1);
        assert!(parsed.conversations.is_empty());
    }

    #[test]
    fn mutations_balance() {
        for element in elements(SYNTHETIC) {
            check_mutations(parse, &element);
        }
    }
}
