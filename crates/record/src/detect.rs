//! Recognises a format by the shape of its first bytes (formats.md §3), never by a name alone.

mod outline;

pub(crate) use self::outline::{Outline, outline};

use crate::Format;
use crate::source::split::Target;

/// How a file is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Values to be parsed one by one. The format is that of the first value, if it has a known one.
    Values(Target, Option<Format>),
    /// The whole file is one unit.
    Whole(Format),
    /// A stream of lines that depend on one another.
    Stream(Format),
    /// Parquet.
    Table,
    /// A web page that may embed an export.
    Page,
    /// Known, and no conversations.
    Sibling,
    /// Nothing that can be read.
    No(Unreadable),
}

impl Plan {
    /// The format that the first bytes speak for.
    pub(crate) fn format(&self) -> Option<Format> {
        match self {
            Plan::Values(_, format) => *format,
            Plan::Whole(format) | Plan::Stream(format) => Some(*format),
            Plan::Table => Some(Format::Driftlead),
            Plan::Page | Plan::Sibling | Plan::No(_) => None,
        }
    }
}

/// Why a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unreadable {
    Empty,
    EmptyHistory,
    Encoding(&'static str),
    /// JSON with unknown keys at the top; keys only, never values.
    UnknownKeys(Vec<String>),
    NotText,
    Unknown,
    /// Its first bytes could not be read.
    Failed {
        what: String,
        is_limit: bool,
    },
}

/// Decides from the first bytes of a file.
pub(crate) fn plan(head: &[u8]) -> Plan {
    if head.starts_with(b"PAR1") {
        return Plan::Table;
    }
    if let Some(encoding) = wrong_encoding(head) {
        return Plan::No(Unreadable::Encoding(encoding));
    }
    let text = head
        .strip_prefix(b"\xEF\xBB\xBF")
        .unwrap_or(head)
        .trim_ascii_start();
    match text.first() {
        None => Plan::No(Unreadable::Empty),
        Some(b'[' | b'{') => json(&outline(text), text),
        Some(b'<') => Plan::Page,
        Some(_) if text.contains(&0) => Plan::No(Unreadable::NotText),
        Some(_) => Plan::No(Unreadable::Unknown),
    }
}

fn wrong_encoding(head: &[u8]) -> Option<&'static str> {
    match head {
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => Some("UTF-32"),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [b'[' | b'{', 0, ..] | [0, b'[' | b'{', ..] => {
            Some("UTF-16")
        }
        _ => None,
    }
}

fn json(o: &Outline, text: &[u8]) -> Plan {
    if o.is_list {
        if o.is_empty {
            return Plan::No(Unreadable::EmptyHistory);
        }
        let format = unit_format(o, "[].");
        if format.is_none() && is_sibling(o, "[].") {
            return Plan::Sibling;
        }
        if format.is_none() && is_request_log(o, "[].") {
            return Plan::Stream(Format::RequestLog);
        }
        return Plan::Values(Target::Array, format);
    }
    if is_sibling(o, "") {
        return Plan::Sibling;
    }
    if let Some(plan) = line_format(o) {
        return plan;
    }
    for key in ["conversations", "chats"] {
        if o.has(&format!("{key}.[]"))
            && let Some(format) = unit_format(o, &format!("{key}.[]."))
        {
            return Plan::Values(Target::Under(key), Some(format));
        }
    }
    match unit_format(o, "") {
        // One broken line costs one line, where values stand one on a line.
        Some(format) if is_one_per_line(text) => Plan::Values(Target::Lines, Some(format)),
        Some(format) => Plan::Values(Target::Values, Some(format)),
        None if o.is_empty_list("conversations") || o.is_empty_list("chats") => {
            Plan::No(Unreadable::EmptyHistory)
        }
        None => Plan::No(Unreadable::UnknownKeys(o.top_keys())),
    }
}

fn is_one_per_line(text: &[u8]) -> bool {
    let first = memchr::memchr(b'\n', text).and_then(|end| text.get(..end));
    first.is_some_and(|line| serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok())
}

/// Formats whose lines belong together.
fn line_format(o: &Outline) -> Option<Plan> {
    let is_tavern = o.has("chat_metadata") || (o.has("user_name") && o.has("character_name"));
    if is_tavern {
        return Some(Plan::Whole(Format::SillyTavern));
    }
    if o.has(crate::schema::VERSION_KEY) || (o.has("conversation") && o.has("seq") && o.has("kind"))
    {
        return Some(Plan::Stream(Format::Driftlead));
    }
    let is_span = o.has("resourceSpans")
        || (o.has("attributes") && (o.has("traceId") || o.has("trace_id") || o.has("span_id")));
    if is_span {
        return Some(Plan::Stream(Format::Otel));
    }
    is_request_log(o, "").then_some(Plan::Stream(Format::RequestLog))
}

/// Whether the value whose keys start with `at` is a logged request.
fn is_request_log(o: &Outline, at: &str) -> bool {
    let has = |key: &str| o.has(&format!("{at}{key}"));
    let asks = |prefix: &str| {
        let has = |key: &str| has(&format!("{prefix}{key}"));
        has("messages.[].role") || (has("input") && has("model"))
    };
    let bodies = [
        "",
        "request.",
        "body.",
        "request.body.",
        "request_body.",
        "requestBody.",
        "kwargs.",
    ];
    // Some loggers write both bodies as JSON inside a string, where no key can be seen.
    let has_both = [
        ("request", "response"),
        ("request_body", "response_body"),
        ("requestBody", "responseBody"),
    ]
    .iter()
    .any(|(request, response)| has(request) && has(response));
    let is_log = bodies.iter().any(|prefix| asks(prefix)) || has_both;
    is_log && !has("sessionId")
}

/// Format of one value whose keys start with `at`.
pub(crate) fn unit_format(o: &Outline, at: &str) -> Option<Format> {
    let has = |key: &str| o.has(&format!("{at}{key}"));
    let under = |key: &str, last: &str| o.has_below(&format!("{at}{key}."), last);
    let message = |list: &str| {
        (has(&format!("{list}.[].sender")) || has(&format!("{list}.[].role")))
            && (has(&format!("{list}.[].text")) || has(&format!("{list}.[].content")))
    };
    let is_node = under("mapping", "message") || under("mapping", "parent");
    if has("mapping") && (is_node || has("current_node") || has("conversation_id")) {
        return Some(Format::ChatGpt);
    }
    let is_claude = message("chat_messages")
        || message("conversation.chat_messages")
        || (o.is_empty_list(&format!("{at}chat_messages")) && has("uuid") && has("created_at"));
    if is_claude {
        return Some(Format::Claude);
    }
    if has("chat.history.messages") || has("history.messages") || message("chat.messages") {
        return Some(Format::OpenWebUi);
    }
    if has("conversation") && has("responses") {
        return Some(Format::Grok);
    }
    if has("chunkedPrompt.chunks") || has("chunks.[].role") {
        return Some(Format::AiStudio);
    }
    if has("sessionId") && has("projectHash") && has("messages") {
        return Some(Format::GeminiCli);
    }
    if has("histories.histories") || has("turns.[].turn_key") || has("msgs.[].src.is_human") {
        return Some(Format::CaiTools);
    }
    let is_share_gpt = has("conversations.[].from") && has("conversations.[].value");
    is_share_gpt.then_some(Format::ShareGpt)
}

/// Files that exports carry beside conversations.
fn is_sibling(o: &Outline, at: &str) -> bool {
    let has = |key: &str| o.has(&format!("{at}{key}"));
    (has("account_uuid") && (has("conversations_memory") || has("project_memories")))
        || (has("messages") && has("project"))
}

#[cfg(test)]
mod tests;
