//! What is read of a prompt file. Everything else is skipped without being kept.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess};

use crate::Reason;
use crate::import::lenient::{Count, Flag, List, Loose, Object, Text, loose};
use crate::import::parts::Parts;
use crate::when::Stamp;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct File<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    title: Text<'a>,
    #[serde(borrow)]
    display_name: Text<'a>,
    pub(super) create_time: Stamp,
    pub(super) update_time: Stamp,
    #[serde(borrow)]
    pub(super) run_settings: Object<RunSettings<'a>>,
    system_instruction: Instruction,
    #[serde(borrow)]
    chunked_prompt: Object<ChunkedPrompt<'a>>,
    #[serde(borrow)]
    chunks: Option<List<Object<Chunk<'a>>>>,
    pending_inputs: Count,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RunSettings<'a> {
    #[serde(borrow)]
    pub(super) model: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ChunkedPrompt<'a> {
    #[serde(borrow)]
    chunks: Option<List<Object<Chunk<'a>>>>,
    pending_inputs: Count,
}

/// Whether there are words in `{}`, `{parts: […]}` or a string.
#[derive(Debug, Default)]
struct Instruction(bool);

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct InstructionObject<'a> {
    #[serde(borrow)]
    parts: Parts<'a>,
}

impl<'de> Loose<'de> for Instruction {
    fn string(words: Cow<'de, str>) -> Self {
        Instruction(!words.trim().is_empty())
    }
    fn object<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        let object = Object::<InstructionObject<'de>>::object(map)?
            .0
            .unwrap_or_default();
        Ok(Instruction(!object.parts.words().trim().is_empty()))
    }
}

impl<'de> Deserialize<'de> for Instruction {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        loose(d)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Chunk<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) role: Text<'a>,
    #[serde(borrow)]
    text: Text<'a>,
    #[serde(borrow)]
    parts: List<Object<Part<'a>>>,
    pub(super) is_thought: Flag,
    pub(super) is_edited: Flag,
    #[serde(borrow)]
    pub(super) branch_parent: Text<'a>,
    #[serde(borrow)]
    pub(super) branch_children: List<Text<'a>>,
    #[serde(borrow)]
    pub(super) error_message: Text<'a>,
    executable_code: Count,
    code_execution_result: Count,
    drive_document: Count,
    drive_image: Count,
    drive_audio: Count,
    drive_video: Count,
    inline_image: Count,
    inline_audio: Count,
    inline_file: Count,
    youtube_video: Count,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Part<'a> {
    #[serde(borrow)]
    text: Text<'a>,
    thought: Flag,
}

impl<'a> File<'a> {
    pub(super) fn chunks(&self) -> Option<&[Object<Chunk<'a>>]> {
        let nested = self
            .chunked_prompt
            .0
            .as_ref()
            .and_then(|p| p.chunks.as_ref());
        nested
            .or(self.chunks.as_ref())
            .map(|list| list.0.as_slice())
    }

    pub(super) fn title(&self) -> Option<&str> {
        self.title.get().or_else(|| self.display_name.get())
    }

    /// Unsent inputs, which stand beside the chunks or at the top.
    pub(super) fn drafts(&self) -> usize {
        let nested = self
            .chunked_prompt
            .0
            .as_ref()
            .map_or(0, |p| p.pending_inputs.0);
        nested + self.pending_inputs.0
    }

    pub(super) fn has_instruction(&self) -> bool {
        self.system_instruction.0
    }
}

impl Chunk<'_> {
    /// Visible words. `text` may repeat the thoughts, so it counts only where there are no parts.
    pub(super) fn words(&self) -> Cow<'_, str> {
        if self.is_thought.0 {
            return Cow::Borrowed("");
        }
        if self.parts.0.is_empty() {
            return Cow::Borrowed(self.text.get().unwrap_or_default());
        }
        self.said()
            .filter(|p| !p.thought.0)
            .filter_map(|p| p.text.get())
            .collect()
    }

    pub(super) fn has_thoughts(&self) -> bool {
        self.said().any(|p| p.thought.0)
    }

    fn said(&self) -> impl Iterator<Item = &Part<'_>> {
        self.parts.0.iter().filter_map(|p| p.0.as_ref())
    }

    /// What a chunk without words is.
    pub(super) fn why_no_words(&self) -> Reason {
        let attachments = [
            self.drive_document,
            self.drive_image,
            self.drive_audio,
            self.drive_video,
            self.inline_image,
            self.inline_audio,
            self.inline_file,
            self.youtube_video,
        ];
        let is_there = |count: &Count| count.0 > 0;
        if attachments.iter().any(is_there) {
            Reason::AttachmentOnly
        } else if is_there(&self.executable_code) {
            Reason::ToolCall
        } else if is_there(&self.code_execution_result) {
            Reason::ToolResult
        } else if self.has_thoughts() {
            Reason::Reasoning
        } else {
            Reason::EmptyText
        }
    }
}
