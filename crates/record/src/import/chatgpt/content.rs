//! What a node is: a visible message with its words, or a reason why it is none.

use std::borrow::Cow;

use super::shape::{Content, Message, Part};
use crate::{Accounting, Reason, Role, text};

/// What becomes of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Class {
    Row(Role, Box<str>),
    Skip(Reason),
}

/// Classifies by hiding first, then by content type, recipient and author (formats.md §4).
pub(super) fn classify(message: &Message<'_>, accounting: &mut Accounting) -> Class {
    let empty = Content::default();
    let content = message.content.0.as_ref().unwrap_or(&empty);
    let role = message
        .author
        .0
        .as_ref()
        .and_then(|a| a.role.get())
        .unwrap_or_default();
    if let Some(reason) = hidden(message, content) {
        return Class::Skip(reason);
    }
    let content_type = content.content_type.get().unwrap_or("text");
    if let Some(reason) = machinery(content_type) {
        return Class::Skip(reason);
    }
    if !matches!(content_type, "text" | "multimodal_text") {
        accounting.unknown("content_type", content_type);
        return Class::Skip(Reason::UnknownContentType);
    }
    let role = match role {
        "tool" => return Class::Skip(Reason::ToolResult),
        "assistant" if message.recipient.get().is_some_and(|r| r != "all") => {
            return Class::Skip(Reason::ToolCall);
        }
        "assistant" => Role::System,
        "user" => Role::Person,
        "system" => return Class::Skip(instructions(content, accounting)),
        other => {
            accounting.unknown("role", other);
            return Class::Skip(Reason::UnknownRole);
        }
    };
    match words(content, accounting) {
        Some(text) => Class::Row(role, text),
        None if has_attachment(message, content) => Class::Skip(Reason::AttachmentOnly),
        None => Class::Skip(Reason::EmptyText),
    }
}

fn hidden(message: &Message<'_>, content: &Content<'_>) -> Option<Reason> {
    let metadata = message.metadata.0.as_ref();
    let is_context = matches!(
        content.content_type.get(),
        Some("user_editable_context" | "model_editable_context" | "model_set_context")
    );
    if is_context || metadata.is_some_and(|m| m.is_user_system_message.0) {
        return Some(Reason::HiddenContext);
    }
    let is_flagged = metadata.is_some_and(|m| m.is_visually_hidden_from_conversation.0);
    (is_flagged || message.weight.0 == Some(0.0)).then_some(Reason::HiddenSystem)
}

/// Content types that are never words of the person or of the system.
fn machinery(content_type: &str) -> Option<Reason> {
    Some(match content_type {
        "thoughts" | "reasoning_recap" => Reason::Reasoning,
        "code" => Reason::ToolCall,
        "execution_output"
        | "computer_output"
        | "tether_quote"
        | "tether_browsing_display"
        | "sonic_webpage"
        | "system_error"
        | "citable_code_output" => Reason::ToolResult,
        _ => return None,
    })
}

/// A visible node of the export's own `system` role: old exports start with an empty one.
fn instructions(content: &Content<'_>, accounting: &mut Accounting) -> Reason {
    match words(content, accounting) {
        Some(_) => Reason::HiddenContext,
        None => Reason::EmptyText,
    }
}

/// Strings and transcriptions, in order.
fn words(content: &Content<'_>, accounting: &mut Accounting) -> Option<Box<str>> {
    let mut pieces = content
        .parts
        .0
        .iter()
        .filter_map(|part| match part {
            Part::Words(words) => Some(words.as_ref()),
            Part::Object(object) => object.text.get(),
            Part::Nothing => None,
        })
        .chain(content.text.get().filter(|_| content.parts.0.is_empty()))
        .filter(|piece| !piece.is_empty());
    let first = pieces.next()?;
    let mut joined = Cow::Borrowed(first);
    for piece in pieces {
        let whole = joined.to_mut();
        whole.push('\n');
        whole.push_str(piece);
    }
    text::clean(&joined, accounting)
}

fn has_attachment(message: &Message<'_>, content: &Content<'_>) -> bool {
    let is_file = |part: &Part<'_>| match part {
        Part::Object(object) => object.content_type.get().is_some(),
        _ => false,
    };
    content.parts.0.iter().any(is_file)
        || message
            .metadata
            .0
            .as_ref()
            .is_some_and(|m| m.attachments.0 > 0)
}
