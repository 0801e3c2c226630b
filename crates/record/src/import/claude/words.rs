//! What a message is: words of the person or of the system, or a reason why it is neither.

use std::borrow::Cow;

use super::shape::{Block, Message};
use crate::{Accounting, Reason, Role, text};

/// What becomes of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Class {
    Row(Role, Box<str>),
    Skip(Reason),
}

/// Classifies by author, then by blocks.
pub(super) fn classify(message: &Message<'_>, accounting: &mut Accounting) -> Class {
    let author = message.sender.get().or_else(|| message.role.get());
    let role = match author.unwrap_or_default() {
        "human" | "user" => Role::Person,
        "assistant" => Role::System,
        other => {
            accounting.unknown("sender", other);
            return Class::Skip(Reason::UnknownRole);
        }
    };
    let blocks = Blocks::of(&message.content.0, accounting);
    let words = match blocks.words {
        Some(words) => Some(words),
        None if blocks.has_tools => None,
        None => message.text.get().map(Cow::Borrowed),
    };
    let cleaned = words.and_then(|words| match role {
        Role::System => text::clean(&without_inline_tags(&words, accounting), accounting),
        _ => text::clean(&words, accounting),
    });
    match (cleaned, blocks.machinery) {
        (Some(text), _) => Class::Row(role, text),
        (None, Some(reason)) => Class::Skip(reason),
        (None, None) if message.attachments.0 + message.files.0 > 0 => {
            Class::Skip(Reason::AttachmentOnly)
        }
        (None, None) => Class::Skip(Reason::EmptyText),
    }
}

#[derive(Default)]
struct Blocks<'a> {
    /// Text blocks in order, a blank line between them.
    words: Option<Cow<'a, str>>,
    /// Tool traffic is present: the derived top-level text is then no words of the author.
    has_tools: bool,
    /// What a message without words consists of.
    machinery: Option<Reason>,
}

impl<'a> Blocks<'a> {
    fn of(blocks: &'a [Block<'a>], accounting: &mut Accounting) -> Self {
        let mut found = Blocks::default();
        for block in blocks {
            let kind = block.kind.get().unwrap_or_default();
            let reason = match kind {
                "text" | "voice_note" => {
                    found.add(block.text.get().or_else(|| block.transcript.get()));
                    continue;
                }
                "thinking" => Reason::Reasoning,
                "tool_use" => Reason::ToolCall,
                "tool_result" => Reason::ToolResult,
                other => {
                    accounting.unknown("block_type", other);
                    Reason::UnknownBlockType
                }
            };
            accounting.note(match reason {
                Reason::Reasoning => "reasoning_block",
                Reason::ToolCall => "tool_call_block",
                Reason::ToolResult => "tool_result_block",
                _ => "unknown_block",
            });
            found.has_tools |= matches!(reason, Reason::ToolCall | Reason::ToolResult);
            found.machinery.get_or_insert(reason);
        }
        found
    }

    fn add(&mut self, words: Option<&'a str>) {
        let Some(words) = words else { return };
        match &mut self.words {
            None => self.words = Some(Cow::Borrowed(words)),
            Some(joined) => {
                let joined = joined.to_mut();
                joined.push_str("\n\n");
                joined.push_str(words);
            }
        }
    }
}

/// Old answers carry reasoning and artefacts inline. An unclosed tag runs to the end.
fn without_inline_tags<'a>(words: &'a str, accounting: &mut Accounting) -> Cow<'a, str> {
    let mut out = String::new();
    let mut rest = words;
    while let Some((before, inside)) = rest.split_once("<ant") {
        let (close, note) = if inside.starts_with("Thinking") {
            ("</antThinking>", "inline_reasoning_removed")
        } else if inside.starts_with("Artifact") {
            ("</antArtifact>", "inline_artifact_removed")
        } else {
            out.push_str(before);
            out.push_str("<ant");
            rest = inside;
            continue;
        };
        accounting.note(note);
        out.push_str(before);
        rest = inside.split_once(close).map_or("", |(_, after)| after);
    }
    if rest.len() == words.len() {
        return Cow::Borrowed(words);
    }
    out.push_str(rest);
    Cow::Owned(out)
}
