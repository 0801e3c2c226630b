//! What is read of a chat. Everything else is skipped without being kept.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess};

use crate::import::lenient::{Count, List, Loose, Number, Object, Text, loose};
use crate::import::parts::Parts;
use crate::when::Stamp;

/// An item of the export with its `chat`, or that chat itself, which is also what old exports hold.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Chat<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) user_id: Text<'a>,
    #[serde(borrow)]
    pub(super) chat: Object<Box<Chat<'a>>>,
    #[serde(borrow)]
    models: List<Text<'a>>,
    #[serde(borrow)]
    history: Object<History<'a>>,
    /// A copy of the active path; the only content of very old chats.
    #[serde(borrow)]
    pub(super) messages: List<Object<Message<'a>>>,
    #[serde(borrow, rename = "currentId")]
    current_id: Text<'a>,
    #[serde(borrow, rename = "branchPointMessageId")]
    branch_point: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct History<'a> {
    #[serde(borrow)]
    messages: Entries<'a>,
    #[serde(borrow)]
    current_id: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) parent_id: Text<'a>,
    #[serde(borrow)]
    pub(super) role: Text<'a>,
    #[serde(borrow)]
    pub(super) content: Parts<'a>,
    pub(super) timestamp: Stamp,
    #[serde(borrow)]
    pub(super) model: Text<'a>,
    pub(super) done: Switch,
    pub(super) files: Count,
    pub(super) annotation: Object<Annotation>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Annotation {
    pub(super) rating: Number,
}

#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) key: Cow<'a, str>,
    pub(super) message: Object<Message<'a>>,
}

/// A map of messages; `None` where it is no map.
#[derive(Debug, Default)]
struct Entries<'a>(Option<Vec<Entry<'a>>>);

/// A truth value that may be absent.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Switch(pub(super) Option<bool>);

impl<'a> Chat<'a> {
    /// The messages of the history, in no meaningful order.
    pub(super) fn nodes(&self) -> &[Entry<'a>] {
        let history = self.history.0.as_ref();
        history
            .and_then(|h| h.messages.0.as_deref())
            .unwrap_or_default()
    }

    /// Whether there is anything to read messages from.
    pub(super) fn is_chat(&self) -> bool {
        let has_history = self
            .history
            .0
            .as_ref()
            .is_some_and(|h| h.messages.0.is_some());
        has_history || !self.messages.0.is_empty()
    }

    /// The message that was last shown, as far as the chat says. It can be missing, or no leaf.
    pub(super) fn current(&self) -> Option<&str> {
        let own = self.history.0.as_ref().and_then(|h| h.current_id.get());
        let wanted = [own, self.current_id.get(), self.branch_point.get()];
        let is_known = |id: &&str| self.nodes().iter().any(|e| e.key == *id);
        wanted.into_iter().flatten().find(is_known)
    }

    /// The model of the chat, where it has exactly one.
    pub(super) fn only_model(&self) -> Option<&str> {
        match self.models.0.as_slice() {
            [model] => model.get(),
            _ => None,
        }
    }
}

impl<'de> Loose<'de> for Entries<'de> {
    fn object<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Text<'de>>()? {
            let message = map.next_value()?;
            entries.push(Entry {
                key: key.0.unwrap_or_default(),
                message,
            });
        }
        Ok(Entries(Some(entries)))
    }
}

impl<'de> Loose<'de> for Switch {
    fn flag(value: bool) -> Self {
        Switch(Some(value))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        loose::<Entries<'de>, D>(d)
    }
}

impl<'de> Deserialize<'de> for Switch {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        loose(d)
    }
}
