//! Reads the copy of a reply: its text, how it finished, what it used. It never touches the reply.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::dialect::Dialect;
use crate::govern::{Tap, Usage};
use crate::sse::Reader;

/// Longest JSON reply decoded, bytes; a longer one passes undecoded.
const LONGEST_JSON: usize = 16 << 20;

/// What a reply said about itself.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) model: Option<String>,
    pub(super) finish: Option<String>,
    pub(super) usage: Option<Usage>,
    /// The stream carried an error.
    pub(super) failed: bool,
}

#[derive(Debug)]
enum Form {
    Events(Reader),
    Json(Vec<u8>),
    /// Compressed, too long, or of another kind.
    Unread,
}

/// Decodes one reply for a tap.
#[derive(Debug)]
pub(super) struct Copy {
    dialect: Dialect,
    form: Form,
    told: Told,
}

impl Copy {
    /// `content_type` as the upstream gave it; `encoded` where the body is compressed.
    pub(super) fn new(dialect: Dialect, content_type: &str, encoded: bool) -> Self {
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        let form = if encoded {
            Form::Unread
        } else if kind.eq_ignore_ascii_case("text/event-stream") {
            Form::Events(Reader::new())
        } else if kind.eq_ignore_ascii_case("application/json") {
            Form::Json(Vec::new())
        } else {
            Form::Unread
        };
        Copy {
            dialect,
            form,
            told: Told::default(),
        }
    }

    pub(super) fn feed(&mut self, bytes: &[u8], tap: &mut dyn Tap) {
        match &mut self.form {
            Form::Events(reader) => {
                let (dialect, told) = (self.dialect, &mut self.told);
                reader.feed(bytes, |event| read(dialect, event.data, told, tap));
            }
            Form::Json(held) if held.len() + bytes.len() <= LONGEST_JSON => {
                held.extend_from_slice(bytes);
            }
            Form::Json(_) => self.form = Form::Unread,
            Form::Unread => {}
        }
    }

    /// Reads what is held, if the reply came whole, and says what the reply told.
    pub(super) fn finish(mut self, whole: bool, tap: &mut dyn Tap) -> Told {
        if let Form::Json(held) = &self.form
            && whole
        {
            read(self.dialect, held, &mut self.told, tap);
        }
        self.told
    }
}

/// One JSON reply or one event; the shapes of all dialects in one. Each field is read by itself: one of an
/// odd shape, known or not, must not hide the text beside it.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Piece<'a> {
    #[serde(borrow, rename = "type")]
    kind: Raw<'a>,
    #[serde(borrow)]
    model: Raw<'a>,
    #[serde(borrow)]
    choices: Raw<'a>,
    #[serde(borrow)]
    usage: Raw<'a>,
    error: Option<serde::de::IgnoredAny>,
    /// Messages and Responses events: an object, or a text.
    #[serde(borrow)]
    delta: Raw<'a>,
    #[serde(borrow)]
    message: Raw<'a>,
    #[serde(borrow)]
    response: Raw<'a>,
    #[serde(borrow)]
    content: Raw<'a>,
    #[serde(borrow)]
    output: Raw<'a>,
    #[serde(borrow)]
    stop_reason: Raw<'a>,
    #[serde(borrow)]
    status: Raw<'a>,
}

type Raw<'a> = Option<&'a RawValue>;

/// A field, if it has the shape that is looked for.
fn of<'a, T: Deserialize<'a>>(raw: Raw<'a>) -> Option<T> {
    serde_json::from_str(raw?.get()).ok()
}

/// A text, borrowed where it has no escapes.
fn text(raw: Raw<'_>) -> Option<Cow<'_, str>> {
    raw.and_then(|raw| crate::request::decode(raw.get()))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Choice<'a> {
    index: u32,
    #[serde(borrow)]
    delta: Option<Words<'a>>,
    #[serde(borrow)]
    message: Option<Words<'a>>,
    #[serde(borrow)]
    finish_reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Words<'a> {
    #[serde(borrow)]
    content: Option<Cow<'a, str>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Whole<'a> {
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
    usage: Option<Counts>,
    #[serde(borrow)]
    status: Option<Cow<'a, str>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Item<'a> {
    #[serde(borrow)]
    content: Option<Vec<Part<'a>>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Part<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct MessageDelta<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
    #[serde(borrow)]
    stop_reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Counts {
    #[serde(alias = "input_tokens")]
    prompt_tokens: Option<u64>,
    #[serde(alias = "output_tokens")]
    completion_tokens: Option<u64>,
}

fn read(dialect: Dialect, json: &[u8], told: &mut Told, tap: &mut dyn Tap) {
    // `[DONE]` and whatever else is not an object.
    let Ok(piece) = serde_json::from_slice::<Piece<'_>>(json) else {
        return;
    };
    told.failed |= piece.error.is_some();
    keep(&mut told.model, text(piece.model));
    add(&mut told.usage, of(piece.usage));
    for whole in [of::<Whole<'_>>(piece.message), of(piece.response)]
        .into_iter()
        .flatten()
    {
        keep(&mut told.model, whole.model);
        add(&mut told.usage, whole.usage);
        if dialect == Dialect::Responses {
            keep(&mut told.finish, whole.status);
        }
    }
    match dialect {
        Dialect::Chat => chat(piece.choices, told, tap),
        Dialect::Messages => {
            if let Some(delta) = of::<MessageDelta<'_>>(piece.delta) {
                if delta.kind.as_deref() == Some("text_delta")
                    && let Some(text) = delta.text
                {
                    tap.text(0, &text);
                }
                keep(&mut told.finish, delta.stop_reason);
            }
            parts(of(piece.content), "text", tap);
            keep(&mut told.finish, text(piece.stop_reason));
        }
        Dialect::Responses => {
            if text(piece.kind).as_deref() == Some("response.output_text.delta")
                && let Some(text) = text(piece.delta)
            {
                tap.text(0, &text);
            }
            for item in of::<Vec<Item<'_>>>(piece.output).into_iter().flatten() {
                parts(item.content, "output_text", tap);
            }
            keep(&mut told.finish, text(piece.status));
        }
        Dialect::Completions | Dialect::Embeddings => {}
    }
}

fn chat(choices: Raw<'_>, told: &mut Told, tap: &mut dyn Tap) {
    for choice in of::<Vec<Choice<'_>>>(choices).into_iter().flatten() {
        for words in [choice.delta, choice.message].into_iter().flatten() {
            if let Some(text) = words.content.filter(|text| !text.is_empty()) {
                tap.text(choice.index, &text);
            }
        }
        if choice.index == 0 {
            keep(&mut told.finish, choice.finish_reason);
        }
    }
}

fn parts(parts: Option<Vec<Part<'_>>>, kind: &str, tap: &mut dyn Tap) {
    for part in parts.into_iter().flatten() {
        if part.kind.as_deref() == Some(kind)
            && let Some(text) = part.text
        {
            tap.text(0, &text);
        }
    }
}

fn keep(slot: &mut Option<String>, value: Option<Cow<'_, str>>) {
    if let Some(value) = value
        && slot.as_deref() != Some(&*value)
    {
        *slot = Some(value.into_owned());
    }
}

/// Later counts replace earlier ones: the Anthropic shape gives input first and output last.
fn add(slot: &mut Option<Usage>, counts: Option<Counts>) {
    if let Some(counts) = counts {
        let usage = slot.get_or_insert_default();
        usage.input = counts.prompt_tokens.or(usage.input);
        usage.output = counts.completion_tokens.or(usage.output);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::govern::ReplyEnd;

    #[derive(Debug, Default, Clone)]
    struct Ear(Arc<Mutex<Vec<(u32, String)>>>);

    impl Tap for Ear {
        fn text(&mut self, choice: u32, text: &str) {
            self.0.lock().unwrap().push((choice, text.to_owned()));
        }
        fn end(self: Box<Self>, _end: &ReplyEnd) {}
    }

    fn heard(dialect: Dialect, kind: &str, body: &str) -> (Vec<(u32, String)>, Told) {
        let mut ear = Ear::default();
        let mut copy = Copy::new(dialect, kind, false);
        for piece in body.as_bytes().chunks(3) {
            copy.feed(piece, &mut ear);
        }
        let told = copy.finish(true, &mut ear);
        let texts = ear.0.lock().unwrap().clone();
        (texts, told)
    }

    const SSE: &str = "text/event-stream; charset=utf-8";

    #[test]
    fn chat_stream_with_two_choices_and_usage() {
        let body = "data: {\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n\
            data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"b\\u00e9\"},\"finish_reason\":null}]}\n\n\
            data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}],\"usage\":null,\"error\":null}\n\n\
            data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n\
            data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n";
        let (texts, told) = heard(Dialect::Chat, SSE, body);
        assert_eq!(texts, [(1, "bé".into()), (0, "a".into())]);
        assert_eq!(told.model.as_deref(), Some("m"));
        assert_eq!(told.finish.as_deref(), Some("stop"));
        let usage = Usage {
            input: Some(3),
            output: Some(2),
        };
        assert_eq!(told.usage, Some(usage));
        assert!(!told.failed);
    }

    #[test]
    fn json_replies() {
        let chat = r#"{"model":"m","choices":[{"index":0,"message":{"content":"hi"},"finish_reason":"length"}]}"#;
        let (texts, told) = heard(Dialect::Chat, "application/json", chat);
        assert_eq!((texts, told.usage), (vec![(0, "hi".into())], None));
        assert_eq!(told.finish.as_deref(), Some("length"));
        let messages = r#"{"content":[{"type":"text","text":"yo"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":2}}"#;
        let (texts, told) = heard(Dialect::Messages, "application/json", messages);
        assert_eq!(texts, [(0, "yo".into())]);
        assert_eq!(told.usage.unwrap().output, Some(2));
        let responses =
            r#"{"status":"completed","output":[{"content":[{"type":"output_text","text":"r"}]}]}"#;
        let (texts, told) = heard(Dialect::Responses, "application/json", responses);
        assert_eq!(
            (texts, told.finish.as_deref()),
            (vec![(0, "r".into())], Some("completed"))
        );
    }

    #[test]
    fn anthropic_and_responses_streams() {
        let body = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"c\",\"usage\":{\"input_tokens\":9,\"output_tokens\":1}}}\n\n\
            data: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"x\"}}\n\n\
            data: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"no\"}}\n\n\
            data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":5}}\n\n";
        let (texts, told) = heard(Dialect::Messages, SSE, body);
        assert_eq!(texts, [(0, "x".into())]);
        assert_eq!(
            told.usage,
            Some(Usage {
                input: Some(9),
                output: Some(5)
            })
        );
        assert_eq!(told.finish.as_deref(), Some("end_turn"));
        let body = "data: {\"type\":\"response.output_text.delta\",\"delta\":\"z\"}\n\n\
            data: {\"type\":\"response.completed\",\"response\":{\"status\":\"completed\",\"model\":\"m\"}}\n\n";
        let (texts, told) = heard(Dialect::Responses, SSE, body);
        assert_eq!(
            (texts, told.finish.as_deref()),
            (vec![(0, "z".into())], Some("completed"))
        );
    }

    #[test]
    fn a_field_of_an_odd_shape_does_not_hide_the_text() {
        for odd in [
            r#""message":"x""#,
            r#""usage":[1]"#,
            r#""status":3,"output":{},"content":"c","model":7"#,
            r#""response":"r","delta":false,"type":null"#,
        ] {
            let body =
                format!("data: {{{odd},\"choices\":[{{\"delta\":{{\"content\":\"a\"}}}}]}}\n\n");
            assert_eq!(
                heard(Dialect::Chat, SSE, &body).0,
                [(0, "a".into())],
                "{odd}"
            );
        }
    }

    #[test]
    fn an_error_in_the_stream_is_a_failure() {
        let (_, told) = heard(
            Dialect::Chat,
            SSE,
            "data: {\"error\":{\"message\":\"x\"}}\n\n",
        );
        assert!(told.failed);
    }
}
