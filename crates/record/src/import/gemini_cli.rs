//! Gemini CLI session (formats.md §10): one object with its `messages` in order.

use serde::Deserialize;

use super::lenient::{Count, List, Object, Text};
use super::parts::Parts;
use super::rows::{self, Head, Ids, Line};
use super::{Parsed, Unit, UnitError};
use crate::when::{Clock, Stamp};
use crate::{Event, Format, Reason, Role, SystemSource, text};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Session<'a> {
    #[serde(borrow)]
    session_id: Text<'a>,
    start_time: Stamp,
    #[serde(borrow)]
    messages: Option<List<Object<Message<'a>>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Message<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    timestamp: Stamp,
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    content: Parts<'a>,
    #[serde(borrow)]
    model: Text<'a>,
    thoughts: Count,
    tool_calls: Count,
}

/// Reads one session.
///
/// # Errors
/// [`UnitError::Json`] where it is no JSON, [`UnitError::Structure`] where it has no `messages`.
pub(crate) fn parse(unit: &Unit<'_>) -> Result<Parsed, UnitError> {
    let session: Session<'_> = rows::json(unit)?;
    let Some(messages) = &session.messages else {
        return Err(UnitError::Structure("no `messages`".to_owned()));
    };
    let mut parsed = Parsed::default();
    let clock = Clock::utc(unit.options.zone.as_ref());
    let id = match session.session_id.get() {
        Some(id) => id.into(),
        None => {
            let start = session.start_time.time(clock).map(|t| t.micros.to_string());
            let first = messages.0.first().and_then(|m| m.0.as_ref());
            let words = first.map(|m| m.content.words()).unwrap_or_default();
            rows::content_id(&["gemini_cli", &start.unwrap_or_default(), &words])
        }
    };
    let mut ids = Ids::new(&id);
    let mut line = Line::default();
    for message in &messages.0 {
        let message = message.0.as_ref();
        if let Some(event) = message.and_then(|m| row(m, unit, &mut ids, &mut parsed)) {
            line.message(event);
        } else if message.is_none() {
            parsed.accounting.units.skip(Reason::BadMapping);
        }
    }
    let head = Head {
        format: Format::GeminiCli,
        deployment: "gemini_cli".into(),
        person: None,
        id,
    };
    rows::finish(unit, head, line.events, &mut parsed);
    Ok(parsed)
}

/// The row of a message; `None`, and counted, if it makes none.
fn row(
    message: &Message<'_>,
    unit: &Unit<'_>,
    ids: &mut Ids,
    parsed: &mut Parsed,
) -> Option<Event> {
    let accounting = &mut parsed.accounting;
    let role = match message.kind.get() {
        Some("user") => Role::Person,
        Some("gemini") => Role::System,
        Some("info" | "warning" | "error") => {
            accounting.units.skip(Reason::SystemLine);
            return None;
        }
        other => {
            accounting.unknown("type", other.unwrap_or_default());
            accounting.units.skip(Reason::UnknownRole);
            return None;
        }
    };
    if message.thoughts.0 > 0 {
        accounting.note("reasoning_removed");
    }
    let Some(words) = text::clean(&message.content.words(), accounting) else {
        accounting.units.skip(match () {
            () if message.content.has_attachment() => Reason::AttachmentOnly,
            () if message.tool_calls.0 > 0 => Reason::ToolCall,
            () if message.thoughts.0 > 0 => Reason::Reasoning,
            () => Reason::EmptyText,
        });
        return None;
    };
    accounting.units.parse();
    let time = rows::time(
        &message.timestamp,
        Clock::utc(unit.options.zone.as_ref()),
        accounting,
    );
    let model = message.model.get().filter(|_| role == Role::System);
    Some(Event {
        time,
        system: model.map(Into::into),
        system_source: model.map_or(SystemSource::Unknown, |_| SystemSource::Message),
        position: unit.position,
        ..Event::message(ids.of(message.id.get(), role, time, &words), role, words)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::testing::{check_mutations, parse_with, skipped};

    const FIXTURE: &str =
        include_str!("../../tests/fixtures/mit-polylogue/gemini_cli_session.json");

    #[test]
    fn the_published_session() {
        let parsed = parse_with(parse, FIXTURE);
        assert_eq!(parsed.accounting.units.parsed, 2);
        assert_eq!(skipped(&parsed), []);
        let conversation = &parsed.conversations[0];
        assert_eq!(&*conversation.id, "origin-matrix-gemini-cli");
        let answer = &conversation.events[1];
        assert_eq!(answer.system.as_deref(), Some("gemini-matrix"));
        assert_eq!(answer.parent.as_deref(), Some("user-1"));
        assert_eq!(answer.time.unwrap().micros, 1_785_578_402_000_000);
    }

    #[test]
    fn tools_notices_and_unknown_kinds_are_counted() {
        let parsed = parse_with(
            parse,
            r#"{"sessionId":"s","projectHash":"p","messages":[
            {"type":"user","content":[{"text":"List "},{"text":"files."}]},
            {"type":"gemini","content":"","toolCalls":[{"name":"ls"}],"thoughts":[{}]},
            {"type":"info","content":"Request cancelled."},
            {"type":"quit","content":"bye"},
            {"type":"gemini","content":"Two."}, 7]}"#,
        );
        let expected = [
            ("bad_mapping", 1),
            ("system_line", 1),
            ("tool_call", 1),
            ("unknown_role", 1),
        ];
        let mut found = skipped(&parsed);
        found.sort_unstable();
        assert_eq!(found, expected);
        let texts: Vec<_> = parsed.conversations[0]
            .events
            .iter()
            .map(|e| e.text.as_deref())
            .collect();
        assert_eq!(texts, [Some("List files."), Some("Two.")]);
    }

    #[test]
    fn mutations_balance() {
        check_mutations(parse, FIXTURE);
    }
}
