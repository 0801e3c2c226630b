//! Where the model's words lie in a reply, in each dialect.

use std::ops::Range;

use super::json::Node;
use crate::dialect::Dialect;

/// One run of text: the choice; the content block; or the item of the output and the part in it.
pub(super) type Channel = (u32, u32);

/// The channel as a governor sees it.
pub(super) fn number(channel: Channel) -> u64 {
    u64::from(channel.0) << 32 | u64::from(channel.1)
}

/// A text in the data of an event, or in a whole reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) channel: Channel,
    /// The JSON string, with its quotes.
    pub(super) at: Range<usize>,
    pub(super) text: String,
    /// Log-probabilities beside it: the same words once more.
    pub(super) beside: Option<(Range<usize>, &'static str)>,
}

fn piece(
    channel: Channel,
    text: Option<Node<'_>>,
    beside: Option<(Node<'_>, &'static str)>,
) -> Option<Piece> {
    let node = text?;
    let text = node.text().filter(|text| !text.is_empty())?.into_owned();
    Some(Piece {
        channel,
        at: node.range(),
        text,
        beside: beside
            .filter(|(node, _)| !node.is_null())
            .map(|(node, empty)| (node.range(), empty)),
    })
}

/// A number under a key, 0 where there is none.
pub(super) fn index(node: Node<'_>, key: &str) -> u32 {
    node.key(key)
        .and_then(Node::number)
        .and_then(|n| u32::try_from(n).ok())
        .unwrap_or(0)
}

/// Whether an event or item is of a kind.
pub(super) fn is(node: Node<'_>, kind: &str) -> bool {
    node.key("type")
        .and_then(Node::text)
        .is_some_and(|found| found == kind)
}

/// New words of the model in one event of a stream.
pub(super) fn of_event(dialect: Dialect, node: Node<'_>) -> Vec<Piece> {
    match dialect {
        Dialect::Chat => choices(node, "delta"),
        Dialect::Messages => {
            let channel = (index(node, "index"), 0);
            let delta = node.key("delta").filter(|delta| is(*delta, "text_delta"));
            let start = node.key("content_block").filter(|block| is(*block, "text"));
            let text = delta.or(start).and_then(|delta| delta.key("text"));
            piece(channel, text, None).into_iter().collect()
        }
        Dialect::Responses if is(node, "response.output_text.delta") => {
            let channel = (index(node, "output_index"), index(node, "content_index"));
            let beside = node.key("logprobs").map(|node| (node, "[]"));
            piece(channel, node.key("delta"), beside)
                .into_iter()
                .collect()
        }
        _ => Vec::new(),
    }
}

/// The model's words in a whole reply.
pub(super) fn of_whole(dialect: Dialect, node: Node<'_>) -> Vec<Piece> {
    match dialect {
        Dialect::Chat => choices(node, "message"),
        Dialect::Messages => content(node, "text", |at| (at, 0)),
        Dialect::Responses => output(node),
        _ => Vec::new(),
    }
}

fn choices(node: Node<'_>, words: &str) -> Vec<Piece> {
    let choices = node.key("choices").map(Node::list).unwrap_or_default();
    choices
        .into_iter()
        .filter_map(|choice| {
            let channel = (index(choice, "index"), 0);
            let beside = choice.key("logprobs").map(|node| (node, "null"));
            piece(channel, choice.key(words)?.key("content"), beside)
        })
        .collect()
}

/// The parts of an item of the output.
pub(super) fn parts(item: Node<'_>, output: u32) -> Vec<Piece> {
    content(item, "output_text", |at| (output, at))
}

/// The parts of all items.
pub(super) fn output(response: Node<'_>) -> Vec<Piece> {
    let items = response.key("output").map(Node::list).unwrap_or_default();
    (0..)
        .zip(items)
        .flat_map(|(at, item)| parts(item, at))
        .collect()
}

fn content(node: Node<'_>, kind: &str, channel: impl Fn(u32) -> Channel) -> Vec<Piece> {
    let parts = node.key("content").map(Node::list).unwrap_or_default();
    (0..)
        .zip(parts)
        .filter(|(_, part)| is(*part, kind))
        .filter_map(|(at, part)| {
            let beside = part.key("logprobs").map(|node| (node, "[]"));
            piece(channel(at), part.key("text"), beside)
        })
        .collect()
}
