//! One row of the record, and the conversation that groups rows.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Time;

/// Who an event comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The person whose record this is.
    Person,
    /// The model, feed or assistant.
    System,
    /// A tool the system called.
    Tool,
    /// Another human in the same conversation.
    OtherHuman,
}

/// What an event is. Only [`Kind::Message`] rows lie on the main path of a conversation; the other
/// text-bearing kinds are alternatives to a message and never enter rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A message on the main path.
    Message,
    /// Another reply of the *same* system to the same context (regeneration, swipe).
    Replicate,
    /// Another reply to the same context by a different, differently set or unknown system.
    Variant,
    /// Another wording by the person at the same place.
    Edit,
    /// An item shown.
    Impression,
    /// A reaction to an item or a message (rating, dwell, click), in `reaction`.
    Reaction,
    /// A change of consent.
    Consent,
    /// A repair signal through a channel of its own.
    Repair,
    /// Start or end of a randomised off-period.
    Pause,
    /// Anything else worth a row, such as a changed system prompt.
    Note,
}

/// Where the system id of an event was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum SystemSource {
    /// Recorded on the message itself.
    Message,
    /// Recorded on one swipe.
    Swipe,
    /// Only a default of the conversation or file.
    Conversation,
    /// A resource attribute of the exporter.
    Resource,
    /// Nothing recorded.
    #[default]
    Unknown,
}

/// One row of the record. See the crate docs for the column-by-column schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The export's own id, or one derived from (conversation, role, time, text); never a position.
    pub id: Arc<str>,
    /// Id of the event this one answers or follows; `None` at the start of a conversation.
    pub parent: Option<Arc<str>>,
    /// When, and how far that can be trusted; `None` where nothing is recorded.
    pub time: Option<Time>,
    /// Who.
    pub role: Role,
    /// What.
    pub kind: Kind,
    /// Visible words, after the cleaning of formats.md §2.5; `None` for rows without text.
    pub text: Option<Box<str>>,
    /// Item id of an impression or reaction.
    pub item: Option<Arc<str>>,
    /// Value of a reaction: +1 / −1 for thumbs, otherwise in the unit of the source.
    pub reaction: Option<f64>,
    /// System id and version as recorded, for instance `gpt-4o`.
    pub system: Option<Arc<str>>,
    /// Where `system` was read from.
    pub system_source: SystemSource,
    /// Policy in force, where a governor or experiment set one.
    pub policy: Option<Arc<str>>,
    /// Probability of the randomised choice that was made, in (0, 1].
    pub propensity: Option<f64>,
    /// Byte offset (of the enclosing unit, for JSON) or line number in the source.
    pub position: u64,
}

impl Event {
    /// A main-path message with text and nothing else known.
    pub fn message(id: impl Into<Arc<str>>, role: Role, text: impl Into<Box<str>>) -> Self {
        Event {
            id: id.into(),
            parent: None,
            time: None,
            role,
            kind: Kind::Message,
            text: Some(text.into()),
            item: None,
            reaction: None,
            system: None,
            system_source: SystemSource::Unknown,
            policy: None,
            propensity: None,
            position: 0,
        }
    }
}

/// All events of one conversation, in order: main-path messages by tree order (never by time), each
/// directly followed by its alternatives. `seq` of a row is its index here.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversation {
    /// The system in use by people, for instance `chatgpt` or a character's name.
    pub deployment: Arc<str>,
    /// Account or person id as recorded; `None` where the format carries none.
    pub person: Option<Arc<str>>,
    /// Conversation id.
    pub id: Arc<str>,
    /// Source file (and member of an archive, after `!`).
    pub source: Arc<str>,
    /// Format it was read from; see [`crate::Format`].
    pub format: crate::Format,
    /// The rows.
    pub events: Vec<Event>,
}

impl Conversation {
    /// Main-path messages only.
    pub fn messages(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(|e| e.kind == Kind::Message)
    }
}
