//! Reads a request once, borrowing from its bytes.
//!
//! The body is never rebuilt: fields that nobody here knows, the order of keys and the spelling of
//! numbers survive because edits are splices at the places remembered here (gateway.md §5.2).

mod splice;
mod visit;

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::dialect::Dialect;
pub(crate) use splice::json_string;
pub use splice::{Own, apply};

/// Who speaks in a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// `system`.
    System,
    /// `developer`, the newer name of system text.
    Developer,
    /// The person.
    User,
    /// The model.
    Assistant,
    /// The result of a tool, in any of its spellings.
    Tool,
    /// Any other role, or none.
    Other,
}

impl Role {
    fn of(name: &str) -> Role {
        match name {
            "system" => Role::System,
            "developer" => Role::Developer,
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "tool" | "function" => Role::Tool,
            _ => Role::Other,
        }
    }

    /// Whether the turn is system text.
    pub fn is_system(self) -> bool {
        matches!(self, Role::System | Role::Developer)
    }
}

/// One turn of the conversation, its content still as JSON text.
#[derive(Debug, Clone, Copy)]
pub struct Turn<'a> {
    /// Who speaks.
    pub role: Role,
    /// `content` as JSON; `None` where the turn has none.
    pub content: Option<&'a RawValue>,
    /// Offset of the first character of its first key in the body, where it is an object.
    first_key: Option<usize>,
}

impl<'a> Turn<'a> {
    /// The text of the turn: the string, or the text parts joined by line breaks. `None` where there
    /// is no text (pictures only, tool calls).
    pub fn text(&self) -> Option<Cow<'a, str>> {
        let raw = self.content?.get();
        match raw.as_bytes().first() {
            Some(b'"') => decode(raw),
            Some(b'[') => {
                let mut texts = parts(raw)?.into_iter().filter_map(|part| part.text);
                let first = texts.next()?;
                Some(texts.fold(first, |whole, next| Cow::Owned(format!("{whole}\n{next}"))))
            }
            _ => None,
        }
    }

    /// The text, if the turn is one piece of text and nothing else: no picture, no file, no second
    /// part. Only such a turn can be a command.
    pub fn only_text(&self) -> Option<Cow<'a, str>> {
        let raw = self.content?.get();
        match raw.as_bytes().first() {
            Some(b'"') => decode(raw),
            Some(b'[') => {
                let mut parts = parts(raw)?;
                if parts.len() == 1 {
                    parts.pop()?.text
                } else {
                    None
                }
            }
            _ => None,
        }
    }

    /// The content as JSON with `own` taken out of its texts, where it finds something to take out: a part
    /// that is left without text goes. `None` where nothing changes, or nothing would be left.
    pub fn content_without(&self, own: impl Fn(&str) -> Option<String>) -> Option<String> {
        let raw = self.content?.get();
        if raw.starts_with('"') {
            return own(&decode(raw)?).map(|text| json_string(&text));
        }
        let parts: Vec<&RawValue> = serde_json::from_str(raw).ok()?;
        let mut changed = false;
        let mut kept: Vec<Cow<'_, str>> = Vec::new();
        for part in parts {
            let text = serde_json::from_str::<Part<'_>>(part.get())
                .ok()
                .and_then(|part| part.text);
            match text.as_deref().and_then(&own) {
                None => kept.push(part.get().into()),
                Some(text) if text.trim().is_empty() => changed = true,
                Some(text) => {
                    changed = true;
                    kept.push(splice::with_text(part, &text)?.into());
                }
            }
        }
        (changed && !kept.is_empty()).then(|| format!("[{}]", kept.join(",")))
    }

    /// Whether a part of the turn is the result of a tool (the Anthropic shape puts it into a user turn).
    fn holds_tool_result(&self) -> bool {
        self.content.is_some_and(|content| {
            content.get().starts_with('[')
                && parts(content.get()).is_some_and(|parts| {
                    parts
                        .iter()
                        .any(|p| p.kind.as_deref() == Some("tool_result"))
                })
        })
    }
}

#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
}

fn parts(raw: &str) -> Option<Vec<Part<'_>>> {
    serde_json::from_str(raw).ok()
}

/// A JSON string's content, borrowed where it has no escapes.
pub(crate) fn decode(raw: &str) -> Option<Cow<'_, str>> {
    // Every role and nearly every model's name is such a string, and a string that was read is a whole one.
    if let Some(inner) = raw
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        && memchr::memchr2(b'\\', b'"', inner.as_bytes()).is_none()
    {
        return Some(Cow::Borrowed(inner));
    }
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    serde_json::from_str::<Text<'_>>(raw)
        .ok()
        .map(|text| text.0)
}

/// What was read from a request body.
#[derive(Debug, Default)]
pub struct Parsed<'a> {
    /// `model`.
    pub model: Option<Cow<'a, str>>,
    /// `stream`.
    pub stream: bool,
    /// The turns, oldest first.
    pub turns: Vec<Turn<'a>>,
    /// `user`.
    pub user: Option<Cow<'a, str>>,
    /// `safety_identifier`.
    pub safety_identifier: Option<Cow<'a, str>>,
    /// `metadata.user_id`, the Anthropic place for it.
    pub metadata_user: Option<Cow<'a, str>>,
    /// Whether the client offered tools.
    pub tools: bool,
    /// `stream_options.include_usage`.
    pub include_usage: bool,
    /// Whether the client asked for a reply in a form of its own, such as JSON.
    pub structured: bool,
    places: Places<'a>,
}

/// Where edits go.
#[derive(Debug, Default)]
struct Places<'a> {
    temperature: Option<&'a RawValue>,
    top_p: Option<&'a RawValue>,
    /// `instructions` (Responses) or `system` (Messages).
    system: Option<&'a RawValue>,
    stream_options: Option<&'a RawValue>,
    /// `previous_response_id`.
    previous: Option<&'a RawValue>,
}

/// Why a body could not be read. Says a position, never content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Not UTF-8.
    #[error("the body is not UTF-8")]
    Encoding,
    /// Not JSON of the expected shape.
    #[error("the body is not a JSON object of the expected shape (line {line}, column {column})")]
    Shape {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
}

impl<'a> Parsed<'a> {
    /// Reads a body.
    ///
    /// # Errors
    /// If it is not UTF-8, or not a JSON object whose turns are objects.
    pub fn read(dialect: Dialect, body: &'a [u8]) -> Result<Parsed<'a>, Unreadable> {
        let text = simdutf8::basic::from_utf8(body).map_err(|_| Unreadable::Encoding)?;
        let mut parsed = visit::read(dialect, text).map_err(|error| Unreadable::Shape {
            line: error.line(),
            column: error.column(),
        })?;
        if dialect == Dialect::Messages
            && let Some(last) = parsed.turns.last_mut()
            && last.holds_tool_result()
        {
            last.role = Role::Tool;
        }
        Ok(parsed)
    }

    /// `previous_response_id`, where it is a text.
    pub fn previous_response(&self) -> Option<Cow<'a, str>> {
        self.places
            .previous
            .filter(|raw| raw.get().starts_with('"'))
            .and_then(|raw| decode(raw.get()))
    }

    /// `temperature`, where it is a number.
    pub fn temperature(&self) -> Option<f64> {
        number(self.places.temperature)
    }
}

fn number(raw: Option<&RawValue>) -> Option<f64> {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_chat_request() {
        let body = br#"{"stream":true,"x":[1,{"model":"no"}],"model":"m\u0061","messages":[
            {"role":"system","content":"s"},{"content":[{"type":"text","text":"a"},{"type":"image_url"},
            {"type":"text","text":"b\n"}],"role":"user","name":"n"}],"user":"u",
            "stream_options":{"include_usage":true},"temperature":1e0}"#;
        let parsed = Parsed::read(Dialect::Chat, body).unwrap();
        assert_eq!(parsed.model.as_deref(), Some("ma"));
        assert!(parsed.stream && parsed.include_usage && !parsed.tools);
        assert_eq!(parsed.turns.len(), 2);
        assert_eq!(parsed.turns[1].role, Role::User);
        assert_eq!(parsed.turns[1].text().as_deref(), Some("a\nb\n"));
        assert_eq!(parsed.turns[1].only_text(), None);
        assert_eq!(parsed.turns[0].only_text().as_deref(), Some("s"));
        assert_eq!(parsed.user.as_deref(), Some("u"));
        assert_eq!(parsed.temperature(), Some(1.0));
    }

    #[test]
    fn the_last_of_repeated_keys_counts_as_it_does_upstream() {
        let body = br#"{"messages":[{"role":"user","content":"a"}],"messages":[{"role":"user","content":"b"}]}"#;
        let parsed = Parsed::read(Dialect::Chat, body).unwrap();
        assert_eq!(parsed.turns.len(), 1);
        assert_eq!(parsed.turns[0].text().as_deref(), Some("b"));
    }

    #[test]
    fn reads_the_other_dialects() {
        let responses =
            Parsed::read(Dialect::Responses, br#"{"input":"hi","instructions":"be"}"#).unwrap();
        assert_eq!(responses.turns[0].role, Role::User);
        assert_eq!(responses.turns[0].text().as_deref(), Some("hi"));
        let items = br#"{"input":[{"role":"user","content":[{"type":"input_text","text":"q"}]},
            {"type":"function_call_output","call_id":"c","output":"o"}]}"#;
        let parsed = Parsed::read(Dialect::Responses, items).unwrap();
        assert_eq!(parsed.turns[0].only_text().as_deref(), Some("q"));
        assert_eq!(parsed.turns[1].role, Role::Tool);
        let messages = br#"{"system":"s","metadata":{"user_id":"m"},"messages":[{"role":"user",
            "content":[{"type":"tool_result","tool_use_id":"t","content":"r"}]}]}"#;
        let parsed = Parsed::read(Dialect::Messages, messages).unwrap();
        assert_eq!(parsed.turns[0].role, Role::Tool);
        assert_eq!(parsed.metadata_user.as_deref(), Some("m"));
    }

    #[test]
    fn odd_values_of_known_fields_are_not_errors() {
        let body = br#"{"model":7,"stream":"yes","user":{"a":1},"metadata":[],"tools":null,"temperature":"hot",
            "stream_options":3,"messages":[{"role":null,"content":null}]}"#;
        let parsed = Parsed::read(Dialect::Chat, body).unwrap();
        assert_eq!(parsed.model, None);
        assert!(!parsed.stream && !parsed.tools);
        assert_eq!(parsed.turns[0].role, Role::Other);
        assert_eq!(parsed.turns[0].text(), None);
    }

    #[test]
    fn forms_of_their_own_are_seen_in_every_dialect() {
        let asked = |dialect, field: &str| {
            let body = format!("{{{field}}}");
            Parsed::read(dialect, body.as_bytes()).unwrap().structured
        };
        for (dialect, yes, no) in [
            (
                Dialect::Chat,
                r#""response_format":{"type":"json_object"}"#,
                r#""response_format":{"type":"text"}"#,
            ),
            (
                Dialect::Responses,
                r#""text":{"format":{"type":"json_schema","schema":{}}}"#,
                r#""text":{"verbosity":"low","format":{"type":"text"}}"#,
            ),
            (
                Dialect::Messages,
                r#""output_config":{"format":{"type":"json_schema"}}"#,
                r#""output_config":{"effort":"low"},"response_format":null"#,
            ),
        ] {
            assert!(asked(dialect, yes) && !asked(dialect, no), "{dialect:?}");
        }
    }

    #[test]
    fn says_where_a_body_is_broken() {
        let error = Parsed::read(Dialect::Chat, b"{\"model\":\n}").unwrap_err();
        assert!(
            matches!(error, Unreadable::Shape { line: 2, .. }),
            "{error}"
        );
        assert_eq!(
            Parsed::read(Dialect::Chat, &[0xff]).unwrap_err(),
            Unreadable::Encoding
        );
        assert!(Parsed::read(Dialect::Chat, b"[]").is_err());
        assert!(Parsed::read(Dialect::Chat, b"{\"messages\":[3]}").is_err());
        assert!(Parsed::read(Dialect::Chat, b"{} x").is_err());
    }
}
