//! Edits of a request as splices of its bytes.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::{Parsed, visit};
use crate::dialect::Dialect;
use crate::govern::Edits;

/// Replacement of a range of the body; an empty range inserts.
struct Splice {
    start: usize,
    end: usize,
    text: String,
}

/// What the wire changes of its own accord.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Own {
    /// Ask for a usage chunk.
    pub usage: bool,
    /// The earlier reply that this one follows, instead of one that the upstream does not know; inside,
    /// `None` for none.
    pub previous: Option<Option<String>>,
}

impl Own {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        *self == Own::default()
    }
}

/// The body with the edits made, every other byte as it was. `None` where an edit has no place: a
/// conversation without turns.
pub fn apply(
    dialect: Dialect,
    body: &[u8],
    parsed: &Parsed<'_>,
    edits: &Edits,
    own: &Own,
) -> Option<Bytes> {
    let mut splices = Vec::new();
    if !edits.system.is_empty() {
        splices.push(system(dialect, body, parsed, &edits.system.join("\n\n"))?);
    }
    let caps = [
        (
            "temperature",
            parsed.places.temperature,
            edits.temperature_cap,
        ),
        ("top_p", parsed.places.top_p, edits.top_p_cap),
    ];
    for (key, place, cap) in caps {
        if let Some(cap) = cap
            && let Some(splice) = capped(body, key, place, cap)
        {
            splices.push(splice?);
        }
    }
    if own.usage {
        splices.push(usage(body, parsed.places.stream_options)?);
    }
    if let (Some(previous), Some(place)) = (&own.previous, parsed.places.previous) {
        let text = previous
            .as_deref()
            .map_or_else(|| "null".to_owned(), json_string);
        splices.push(instead(body, place, text)?);
    }
    for (number, content) in &edits.contents {
        let place = parsed.turns.get(*number)?.content?;
        splices.push(instead(body, place, content.clone())?);
    }
    for &number in &edits.without_turns {
        splices.push(without(body, parsed, number)?);
    }
    splices.sort_by_key(|splice| splice.start);
    assemble(body, &splices)
}

fn instead(body: &[u8], place: &RawValue, text: String) -> Option<Splice> {
    let start = offset(body, place)?;
    Some(Splice {
        start,
        end: start + place.get().len(),
        text,
    })
}

/// Leaves a turn out, with the comma behind it. The last turn has none, and stays.
fn without(body: &[u8], parsed: &Parsed<'_>, number: usize) -> Option<Splice> {
    let brace = |number: usize| before_key(body, parsed.turns.get(number)?.first_key?);
    Some(Splice {
        start: brace(number)?,
        end: brace(number + 1)?,
        text: String::new(),
    })
}

fn assemble(body: &[u8], splices: &[Splice]) -> Option<Bytes> {
    let added: usize = splices.iter().map(|splice| splice.text.len()).sum();
    let mut out = Vec::with_capacity(body.len() + added);
    let mut at = 0;
    for splice in splices {
        out.extend_from_slice(body.get(at..splice.start)?);
        out.extend_from_slice(splice.text.as_bytes());
        at = splice.end;
    }
    out.extend_from_slice(body.get(at..)?);
    Some(Bytes::from(out))
}

/// Adds to the system text where it already is: a second system turn would break chat templates
/// that allow one only. In Responses that is `instructions`, or else the items of the system that the
/// input begins with: `instructions` of the gateway's own would come to stand in front of the client's.
fn system(dialect: Dialect, body: &[u8], parsed: &Parsed<'_>, text: &str) -> Option<Splice> {
    let kind = match dialect {
        Dialect::Responses => "input_text",
        _ => "text",
    };
    let instructs = parsed
        .places
        .system
        .is_some_and(|raw| !matches!(raw.get(), "null" | "\"\""));
    if dialect == Dialect::Chat || dialect == Dialect::Responses && !instructs {
        let leading = parsed.turns.iter().take_while(|turn| turn.role.is_system());
        if let Some(content) = leading.filter_map(|turn| turn.content).last()
            && let Some(splice) = extend(body, content, text, kind)
        {
            return Some(splice);
        }
    }
    if dialect == Dialect::Chat {
        let start = before_key(body, parsed.turns.first()?.first_key?)?;
        let content = json_string(text);
        return Some(insert(
            start,
            format!(r#"{{"role":"system","content":{content}}},"#),
        ));
    }
    let key = if dialect == Dialect::Messages {
        "system"
    } else {
        "instructions"
    };
    match parsed.places.system {
        // null, or a value that is no text: the upstream reads it as none.
        Some(place) => {
            extend(body, place, text, kind).or_else(|| instead(body, place, json_string(text)))
        }
        None => Some(first_field(
            body,
            &format!(r#""{key}":{}"#, json_string(text)),
        )?),
    }
}

/// Adds a paragraph at the end of a string, or a part at the end of a list of parts.
fn extend(body: &[u8], place: &RawValue, text: &str, kind: &str) -> Option<Splice> {
    let raw = place.get();
    let end = offset(body, place)? + raw.len().checked_sub(1)?;
    let quoted = json_string(text);
    match raw.as_bytes().first()? {
        b'"' => {
            let inner = quoted.get(1..quoted.len() - 1)?;
            let gap = if raw.len() > 2 { r"\n\n" } else { "" };
            Some(insert(end, format!("{gap}{inner}")))
        }
        b'[' => {
            let empty = raw.get(1..raw.len() - 1)?.trim().is_empty();
            let comma = if empty { "" } else { "," };
            Some(insert(
                end,
                format!(r#"{comma}{{"type":"{kind}","text":{quoted}}}"#),
            ))
        }
        _ => None,
    }
}

/// `None` where the client's value is within the cap.
fn capped(body: &[u8], key: &str, place: Option<&RawValue>, cap: f64) -> Option<Option<Splice>> {
    match place {
        Some(raw) => match serde_json::from_str::<f64>(raw.get()) {
            Ok(value) if value <= cap => None,
            _ => Some(instead(body, raw, number(cap))),
        },
        None => Some(first_field(body, &format!(r#""{key}":{}"#, number(cap)))),
    }
}

fn usage(body: &[u8], options: Option<&RawValue>) -> Option<Splice> {
    let Some(options) = options else {
        return first_field(body, r#""stream_options":{"include_usage":true}"#);
    };
    if let Some(value) = visit::include_usage(options) {
        return instead(body, value, "true".to_owned());
    }
    let start = offset(body, options)?;
    let raw = options.get();
    if raw.starts_with('{') {
        let empty = raw.get(1..raw.len() - 1)?.trim().is_empty();
        let comma = if empty { "" } else { "," };
        return Some(insert(start + 1, format!(r#""include_usage":true{comma}"#)));
    }
    instead(body, options, r#"{"include_usage":true}"#.to_owned())
}

/// A new field at the front of the body.
fn first_field(body: &[u8], field: &str) -> Option<Splice> {
    let brace = body.iter().position(|&byte| byte == b'{')?;
    let rest = body.get(brace + 1..)?;
    let empty = rest.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'}');
    let comma = if empty { "" } else { "," };
    Some(insert(brace + 1, format!("{field}{comma}")))
}

fn insert(start: usize, text: String) -> Splice {
    Splice {
        start,
        end: start,
        text,
    }
}

/// Offset of the brace that opens the object whose first key begins at `key`.
fn before_key(body: &[u8], key: usize) -> Option<usize> {
    let before = body.get(..key.checked_sub(1)?)?;
    let brace = before
        .iter()
        .rposition(|byte| !byte.is_ascii_whitespace())?;
    (before.get(brace) == Some(&b'{')).then_some(brace)
}

/// Where a borrowed value lies in the body it was borrowed from.
fn offset(body: &[u8], raw: &RawValue) -> Option<usize> {
    let start = (raw.get().as_ptr() as usize).checked_sub(body.as_ptr() as usize)?;
    (start + raw.get().len() <= body.len()).then_some(start)
}

fn number(value: f64) -> String {
    serde_json::Value::from(value).to_string()
}

/// A part of a turn with another text; every other byte as it was.
pub(super) fn with_text(part: &RawValue, text: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Text<'a> {
        #[serde(borrow)]
        text: &'a RawValue,
    }
    let found = serde_json::from_str::<Text<'_>>(part.get()).ok()?;
    let body = part.get().as_bytes();
    let splice = instead(body, found.text, json_string(text))?;
    String::from_utf8(assemble(body, &[splice])?.to_vec()).ok()
}

pub(crate) fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(dialect: Dialect, body: &str, edits: &Edits, usage: bool) -> String {
        let parsed = Parsed::read(dialect, body.as_bytes()).unwrap();
        let own = Own {
            usage,
            previous: None,
        };
        let out = apply(dialect, body.as_bytes(), &parsed, edits, &own).unwrap();
        let text = String::from_utf8(out.to_vec()).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap();
        text
    }

    fn asks(text: &str) -> Edits {
        Edits {
            system: vec![text.to_owned()],
            ..Edits::default()
        }
    }

    #[test]
    fn system_text_goes_where_system_text_is() {
        let cases = [
            (
                Dialect::Chat,
                r#"{"zz":1.50,"messages":[ { "role":"system","content":"a\n"},{"role":"user","content":"q"}],"k":1e3}"#,
                r#"{"zz":1.50,"messages":[ { "role":"system","content":"a\n\n\nX \"y\""},{"role":"user","content":"q"}],"k":1e3}"#,
            ),
            (
                Dialect::Chat,
                r#"{"messages":[ { "role":"user","content":"q"}]}"#,
                r#"{"messages":[ {"role":"system","content":"X \"y\""},{ "role":"user","content":"q"}]}"#,
            ),
            (
                Dialect::Chat,
                r#"{"messages":[{"role":"developer","content":[{"type":"text","text":"a"}]},{"role":"user"}]}"#,
                r#"{"messages":[{"role":"developer","content":[{"type":"text","text":"a"},{"type":"text","text":"X \"y\""}]},{"role":"user"}]}"#,
            ),
            (
                Dialect::Responses,
                r#"{"input":"hi","instructions":null}"#,
                r#"{"input":"hi","instructions":"X \"y\""}"#,
            ),
            (
                Dialect::Responses,
                r#"{"input":"hi"}"#,
                r#"{"instructions":"X \"y\"","input":"hi"}"#,
            ),
            // An item of the system in front of the input keeps its place, and `instructions` theirs.
            (
                Dialect::Responses,
                r#"{"input":[{"role":"developer","content":"a"},{"role":"user","content":"q"}]}"#,
                r#"{"input":[{"role":"developer","content":"a\n\nX \"y\""},{"role":"user","content":"q"}]}"#,
            ),
            (
                Dialect::Responses,
                r#"{"instructions":null,"input":[{"type":"message","role":"system","content":[{"type":"input_text","text":"a"}]},{"role":"user","content":"q"}]}"#,
                r#"{"instructions":null,"input":[{"type":"message","role":"system","content":[{"type":"input_text","text":"a"},{"type":"input_text","text":"X \"y\""}]},{"role":"user","content":"q"}]}"#,
            ),
            (
                Dialect::Responses,
                r#"{"instructions":"b","input":[{"role":"system","content":"a"},{"role":"user","content":"q"}]}"#,
                r#"{"instructions":"b\n\nX \"y\"","input":[{"role":"system","content":"a"},{"role":"user","content":"q"}]}"#,
            ),
            (
                Dialect::Messages,
                r#"{"system":"","messages":[]}"#,
                r#"{"system":"X \"y\"","messages":[]}"#,
            ),
            (
                Dialect::Messages,
                r#"{"system":[ ],"messages":[]}"#,
                r#"{"system":[ {"type":"text","text":"X \"y\""}],"messages":[]}"#,
            ),
        ];
        for (dialect, body, want) in cases {
            assert_eq!(edited(dialect, body, &asks("X \"y\""), false), want);
        }
    }

    #[test]
    fn caps_lower_and_never_raise() {
        let cap = Edits {
            temperature_cap: Some(0.5),
            ..Edits::default()
        };
        let same = r#"{"temperature":0.20,"messages":[]}"#;
        assert_eq!(edited(Dialect::Chat, same, &cap, false), same);
        assert_eq!(
            edited(Dialect::Chat, r#"{"temperature": 1.2 ,"m":1}"#, &cap, false),
            r#"{"temperature": 0.5 ,"m":1}"#
        );
        assert_eq!(
            edited(Dialect::Chat, "{ }", &cap, false),
            r#"{"temperature":0.5 }"#
        );
    }

    #[test]
    fn turns_can_be_left_out_and_system_text_put_in_their_place() {
        let body = r#"{"messages":[ {"role":"user","content":"a"} , {"content":"b","role":"assistant"},
            {"role":"user","content":"c"}],"k":1}"#;
        let mut edits = Edits {
            without_turns: vec![0, 1],
            ..Edits::default()
        };
        let want = r#"{"messages":[ {"role":"user","content":"c"}],"k":1}"#;
        assert_eq!(edited(Dialect::Chat, body, &edits, false), want);
        assert_eq!(edited(Dialect::Messages, body, &edits, false), want);
        edits.system = vec!["x".to_owned()];
        assert_eq!(
            edited(Dialect::Chat, body, &edits, false),
            r#"{"messages":[ {"role":"system","content":"x"},{"role":"user","content":"c"}],"k":1}"#
        );
        let parsed = Parsed::read(Dialect::Chat, body.as_bytes()).unwrap();
        edits.without_turns = vec![2];
        assert!(
            apply(
                Dialect::Chat,
                body.as_bytes(),
                &parsed,
                &edits,
                &Own::default()
            )
            .is_none()
        );
    }

    #[test]
    fn usage_is_asked_for_once() {
        let none = Edits::default();
        let cases = [
            (
                r#"{"a":1}"#,
                r#"{"stream_options":{"include_usage":true},"a":1}"#,
            ),
            (
                r#"{"stream_options":{"include_usage": false}}"#,
                r#"{"stream_options":{"include_usage": true}}"#,
            ),
            (
                r#"{"stream_options":{"x":1}}"#,
                r#"{"stream_options":{"include_usage":true,"x":1}}"#,
            ),
            (
                r#"{"stream_options":null}"#,
                r#"{"stream_options":{"include_usage":true}}"#,
            ),
        ];
        for (body, want) in cases {
            assert_eq!(edited(Dialect::Chat, body, &none, true), want);
        }
    }

    #[test]
    fn a_conversation_without_turns_has_no_place_for_system_text() {
        let body = br#"{"messages":[]}"#;
        let parsed = Parsed::read(Dialect::Chat, body).unwrap();
        assert!(apply(Dialect::Chat, body, &parsed, &asks("x"), &Own::default()).is_none());
    }
}
