//! What is read of a conversation object. Everything else is skipped without being kept.

use serde::Deserialize;

use crate::import::lenient::{Count, Flag, List, Object, Text};
use crate::when::Stamp;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Root<'a> {
    #[serde(borrow)]
    pub(super) uuid: Text<'a>,
    #[serde(borrow)]
    pub(super) conversation_id: Text<'a>,
    #[serde(borrow)]
    pub(super) account: Object<Account<'a>>,
    #[serde(borrow)]
    pub(super) model: Text<'a>,
    #[serde(borrow)]
    pub(super) current_leaf_message_uuid: Text<'a>,
    pub(super) is_temporary: Flag,
    #[serde(borrow)]
    pub(super) chat_messages: Option<List<Object<Message<'a>>>>,
    /// A wrapper that some captures put around the conversation.
    #[serde(borrow)]
    pub(super) conversation: Object<Box<Root<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Account<'a> {
    #[serde(borrow)]
    pub(super) uuid: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    pub(super) uuid: Text<'a>,
    #[serde(borrow)]
    pub(super) sender: Text<'a>,
    #[serde(borrow)]
    pub(super) role: Text<'a>,
    #[serde(borrow)]
    pub(super) text: Text<'a>,
    #[serde(borrow)]
    pub(super) content: List<Block<'a>>,
    pub(super) created_at: Stamp,
    #[serde(borrow)]
    pub(super) parent_message_uuid: Text<'a>,
    #[serde(borrow)]
    pub(super) model: Text<'a>,
    pub(super) attachments: Count,
    pub(super) files: Count,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Block<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow)]
    pub(super) text: Text<'a>,
    #[serde(borrow)]
    pub(super) transcript: Text<'a>,
}
