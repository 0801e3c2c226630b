//! Exact import accounting: `in = parsed + Σ skipped(reason)` at every level (formats.md §2.1).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal, $bad:literal;)+) => {
        /// Why a unit was skipped. A closed list: a new reason needs a new name, never "other".
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Reason { $($(#[doc = $doc])+ $name,)+ }

        impl Reason {
            /// Every reason, in the order of the reference.
            pub const ALL: &'static [Reason] = &[$(Reason::$name,)+];

            /// The word printed and stored.
            pub fn word(self) -> &'static str {
                match self { $(Reason::$name => $word,)+ }
            }

            /// Whether it counts as unreadable input: above 5 % of the units a warning is shown,
            /// above 50 % the import is refused (formats.md §2.2).
            pub fn is_bad(self) -> bool {
                match self { $(Reason::$name => $bad,)+ }
            }
        }
    };
}

reasons! {
    /// Node without a message (tree root).
    StructuralRoot = "structural_root", false;
    /// Node hidden by flag or weight 0.
    HiddenSystem = "hidden_system", false;
    /// Injected context: custom instructions, memory, project text.
    HiddenContext = "hidden_context", false;
    /// Front-end message marked as not part of the prompt.
    HiddenFromPrompt = "hidden_from_prompt", false;
    /// No visible text and no attachment.
    EmptyText = "empty_text", false;
    /// Image, audio or file without text.
    AttachmentOnly = "attachment_only", false;
    /// Thinking or reasoning block or node.
    Reasoning = "reasoning", false;
    /// A call to a tool.
    ToolCall = "tool_call", false;
    /// What a tool returned.
    ToolResult = "tool_result", false;
    /// Unsent input.
    PendingDraft = "pending_draft", false;
    /// Content type that is not in the importer's table.
    UnknownContentType = "unknown_content_type", true;
    /// Block type that is not in the importer's table.
    UnknownBlockType = "unknown_block_type", true;
    /// Role that is not in the importer's table.
    UnknownRole = "unknown_role", true;
    /// A conversation tree that cannot be followed.
    BadMapping = "bad_mapping", true;
    /// JSON that cannot be parsed.
    MalformedJson = "malformed_json", true;
    /// A line that cannot be parsed.
    MalformedLine = "malformed_line", true;
    /// Bytes that are not UTF-8.
    NotUtf8 = "not_utf8", true;
    /// Already seen: same id and content, or same prefix.
    Duplicate = "duplicate", false;
    /// A notice of the service, not a message.
    SystemLine = "system_line", false;
    /// Stand-in for omitted media.
    MediaPlaceholder = "media_placeholder", false;
    /// Header or metadata.
    NotAMessage = "not_a_message", false;
    /// Above a limit on size, ratio, count or depth.
    OverLimit = "over_limit", true;
    /// Archive member that is not opened: encrypted, a link, a nested archive, an unsafe name.
    Refused = "refused_member", true;
    /// Belongs to another account.
    OtherAccount = "other_account", false;
    /// No usable time where one is required.
    NoTime = "no_time", false;
}

/// Counts at one level: units seen, units parsed, and the rest by reason.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// Units seen.
    pub seen: u64,
    /// Units that became rows.
    pub parsed: u64,
    /// Units that did not, by reason.
    pub skipped: BTreeMap<Reason, u64>,
}

impl Level {
    /// Counts one parsed unit.
    pub fn parse(&mut self) {
        self.seen += 1;
        self.parsed += 1;
    }

    /// Counts one skipped unit.
    pub fn skip(&mut self, reason: Reason) {
        self.skip_many(reason, 1);
    }

    /// Counts `n` skipped units.
    pub fn skip_many(&mut self, reason: Reason, n: u64) {
        if n > 0 {
            self.seen += n;
            *self.skipped.entry(reason).or_default() += n;
        }
    }

    /// Adds another level of the same kind.
    pub fn merge(&mut self, other: &Level) {
        self.seen += other.seen;
        self.parsed += other.parsed;
        for (&reason, &n) in &other.skipped {
            *self.skipped.entry(reason).or_default() += n;
        }
    }

    /// The accounting identity. Holds by construction; checked at run time and in tests.
    pub fn balances(&self) -> bool {
        self.seen == self.parsed + self.skipped.values().sum::<u64>()
    }

    /// Share of units skipped for a bad reason, 0 when nothing was seen.
    pub fn bad_share(&self) -> f64 {
        let bad: u64 = self
            .skipped
            .iter()
            .filter(|(r, _)| r.is_bad())
            .map(|(_, n)| n)
            .sum();
        if self.seen == 0 {
            0.0
        } else {
            bad as f64 / self.seen as f64
        }
    }
}

/// Accounting of one import, level by level.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accounting {
    /// Files and archive members.
    pub members: Level,
    /// Conversations, spans, samples.
    pub containers: Level,
    /// Messages, nodes, lines.
    pub units: Level,
    /// Regenerations, swipes and edits that hang off a unit without being one (SillyTavern swipes).
    pub swipes: Level,
    /// Values met that no importer table knows, such as a new content type, with their counts.
    pub unknown: BTreeMap<String, u64>,
    /// Noteworthy things that skip nothing, such as lone surrogates replaced, with their counts.
    pub notes: BTreeMap<String, u64>,
}

impl Accounting {
    /// Adds the counts of another part of the same import.
    pub fn merge(&mut self, other: &Accounting) {
        self.members.merge(&other.members);
        self.containers.merge(&other.containers);
        self.units.merge(&other.units);
        self.swipes.merge(&other.swipes);
        for (k, n) in &other.unknown {
            *self.unknown.entry(k.clone()).or_default() += n;
        }
        for (k, n) in &other.notes {
            *self.notes.entry(k.clone()).or_default() += n;
        }
    }

    /// Counts a noteworthy thing.
    pub fn note(&mut self, what: &str) {
        *self.notes.entry(what.to_owned()).or_default() += 1;
    }

    /// Counts a value that no table knows. Long values are cut: they could be text.
    pub fn unknown(&mut self, what: &str, value: &str) {
        let value: String = value.chars().take(40).filter(|c| !c.is_control()).collect();
        *self.unknown.entry(format!("{what} {value:?}")).or_default() += 1;
    }

    /// The identity at all levels.
    pub fn balances(&self) -> bool {
        [&self.members, &self.containers, &self.units, &self.swipes]
            .iter()
            .all(|l| l.balances())
    }
}
