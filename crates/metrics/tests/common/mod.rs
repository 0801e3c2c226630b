//! Histories made by hand, and the series of one person.

#![allow(clippy::panic)]

use std::sync::Arc;

use driftlead_metrics::{Person, Series, scan};
use driftlead_record::{Conversation, Event, Format, MICROS, Role, Time, TimeQuality};

/// A message at an exact time.
pub(crate) fn event(role: Role, text: &str, at: i64, offset_hours: i32) -> Event {
    let mut event = Event::message(format!("{role:?}{at}"), role, text);
    event.time = Some(Time {
        micros: at * MICROS,
        offset_seconds: Some(offset_hours * 3600),
        quality: TimeQuality::Exact,
    });
    event
}

/// A conversation of these events.
pub(crate) fn conversation(id: &str, events: Vec<Event>) -> Conversation {
    Conversation {
        deployment: Arc::from("test"),
        person: None,
        id: Arc::from(id),
        source: Arc::from("test"),
        format: Format::Driftlead,
        events,
    }
}

/// The series of one person.
pub(crate) fn measure(conversations: &[Conversation]) -> Vec<Series> {
    let mut person = Person::default();
    conversations.iter().for_each(|c| person.absorb(scan(c)));
    person.finish()
}

/// One of the series.
pub(crate) fn find<'a>(series: &'a [Series], id: &str) -> &'a Series {
    series
        .iter()
        .find(|s| s.id == id)
        .unwrap_or_else(|| panic!("no series {id}"))
}
