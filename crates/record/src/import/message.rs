//! One chat message as model interfaces write it: OpenAI-style, its Responses variant, and the parts
//! of the OpenTelemetry conventions.

use std::sync::Arc;

use serde_json::Value;

use crate::prefix::Turn;
use crate::{Accounting, Reason, Role, text};

/// What a message is to the record.
#[derive(Debug)]
pub(crate) enum Message {
    /// A turn of the conversation, visible or not.
    Turn(Turn),
    /// A system prompt, with its words, or an injected summary, without.
    Context(Option<String>),
}

/// Beginnings of summaries that front ends inject in the place of a cut history, in lower case.
const SUMMARIES: &[&str] = &[
    "conversation so far:",
    "summary of the conversation",
    "summary of conversation",
    "summary of our conversation",
    "previous conversation summary",
    "conversation summary:",
    "this session is being continued from a previous conversation",
];

/// Reads a message. `role` stands in where the message names none.
pub(crate) fn message(value: &Value, role: Option<&str>, accounting: &mut Accounting) -> Message {
    let mut content = Content::default();
    if value.is_string() {
        content.add(value, accounting);
    } else {
        for key in ["content", "parts", "text", "refusal"] {
            if let Some(part) = value.get(key) {
                content.add(part, accounting);
            }
        }
    }
    for call in items(value.get("tool_calls")).chain(items(value.get("toolCalls"))) {
        content.call(call);
    }
    if value.get("function_call").is_some_and(Value::is_object) {
        content.calls.push(String::new());
    }
    let written = value.get("role").and_then(Value::as_str).or(role);
    let of_type = value.get("type").and_then(Value::as_str);
    let id = value
        .get("tool_call_id")
        .or(value.get("call_id"))
        .and_then(Value::as_str);
    content.answers.extend(id.map(str::to_owned));
    match (written, of_type) {
        (None, Some("function_call")) => return hidden(content, Reason::ToolCall),
        (None, Some("function_call_output")) => return hidden(content, Reason::ToolResult),
        (None, Some("reasoning")) => return hidden(content, Reason::Reasoning),
        _ => {}
    }
    by_role(written.unwrap_or(""), content, accounting)
}

fn items(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

fn by_role(role: &str, content: Content, accounting: &mut Accounting) -> Message {
    match role {
        "user" | "human" | "User" => content.turn(Role::Person, accounting),
        "assistant" | "ai" | "model" | "bot" | "Assistant" => {
            content.turn(Role::System, accounting)
        }
        "system" | "developer" => Message::Context(Some(content.text)),
        "tool" | "function" | "ipython" => hidden(content, Reason::ToolResult),
        other => {
            accounting.unknown("role", other);
            hidden(content, Reason::UnknownRole)
        }
    }
}

fn hidden(content: Content, reason: Reason) -> Message {
    Message::Turn(content.finish(Role::Tool, Err(reason)))
}

/// What was found inside a message.
#[derive(Debug, Default)]
struct Content {
    text: String,
    calls: Vec<String>,
    answers: Vec<String>,
    has_attachment: bool,
    has_reasoning: bool,
    has_unknown: bool,
}

impl Content {
    fn add(&mut self, value: &Value, accounting: &mut Accounting) {
        match value {
            Value::String(text) => self.words(text),
            Value::Array(parts) => parts.iter().for_each(|p| self.part(p, accounting)),
            Value::Object(_) => self.part(value, accounting),
            _ => {}
        }
    }

    fn words(&mut self, text: &str) {
        if !self.text.is_empty() && !text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(text);
    }

    fn part(&mut self, part: &Value, accounting: &mut Accounting) {
        if let Some(text) = part.as_str() {
            return self.words(text);
        }
        let text = ["text", "content", "refusal", "value"]
            .into_iter()
            .find_map(|k| part.get(k)?.as_str());
        match part.get("type").and_then(Value::as_str) {
            Some("text" | "input_text" | "output_text" | "refusal") | None => match text {
                Some(text) => self.words(text),
                None => self.has_unknown = true,
            },
            Some("tool_call" | "tool_use" | "tool-call" | "function_call" | "server_tool_call") => {
                self.call(part);
            }
            Some(
                "tool_call_response"
                | "tool_result"
                | "tool-result"
                | "function_call_output"
                | "server_tool_call_response",
            ) => self.answers.push(id(part).to_owned()),
            Some("reasoning" | "thinking" | "redacted_thinking") => self.has_reasoning = true,
            Some(
                "image_url" | "image" | "input_image" | "input_audio" | "audio" | "file"
                | "input_file" | "document" | "video_url" | "blob" | "uri",
            ) => self.has_attachment = true,
            Some(other) => {
                accounting.unknown("part", other);
                self.has_unknown = true;
            }
        }
    }

    fn call(&mut self, call: &Value) {
        self.calls.push(id(call).to_owned());
    }

    fn turn(self, role: Role, accounting: &mut Accounting) -> Message {
        if role == Role::Person && is_summary(&self.text) {
            return Message::Context(None);
        }
        let body = match text::clean(&self.text, accounting) {
            Some(text) => Ok(Some(text)),
            None => Err(self.why_empty()),
        };
        Message::Turn(self.finish(role, body))
    }

    fn why_empty(&self) -> Reason {
        match self {
            c if !c.answers.is_empty() => Reason::ToolResult,
            c if !c.calls.is_empty() => Reason::ToolCall,
            c if c.has_unknown => Reason::UnknownBlockType,
            c if c.has_attachment => Reason::AttachmentOnly,
            c if c.has_reasoning => Reason::Reasoning,
            _ => Reason::EmptyText,
        }
    }

    fn finish(self, role: Role, body: Result<Option<Box<str>>, Reason>) -> Turn {
        let ids: Vec<&str> = self
            .calls
            .iter()
            .chain(&self.answers)
            .map(String::as_str)
            .collect();
        // A tool's answer is told from others by its id; only without one do its words count.
        Turn::new(role, &self.text, &ids, body)
    }
}

fn id(of: &Value) -> &str {
    ["id", "tool_call_id", "tool_use_id", "toolCallId", "call_id"]
        .into_iter()
        .find_map(|k| of.get(k)?.as_str())
        .unwrap_or("")
}

fn is_summary(text: &str) -> bool {
    let start: String = text
        .trim_start()
        .chars()
        .take(64)
        .collect::<String>()
        .to_lowercase();
    SUMMARIES.iter().any(|s| start.starts_with(s))
}

/// The first of some paths that holds a string or a number. Keys are separated by `.`.
pub(crate) fn first<'v>(value: &'v Value, paths: &[&str]) -> Option<&'v Value> {
    paths.iter().find_map(|path| {
        path.split('.')
            .try_fold(value, |at, key| at.get(key))
            .filter(|found| matches!(found, Value::String(s) if !s.is_empty()) || found.is_number())
    })
}

/// [`first`] as a shared string.
pub(crate) fn first_id(value: &Value, paths: &[&str]) -> Option<Arc<str>> {
    first(value, paths).map(|v| match v {
        Value::String(s) => Arc::from(s.as_str()),
        other => Arc::from(other.to_string()),
    })
}
