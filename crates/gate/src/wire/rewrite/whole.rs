//! Replies that come as one JSON document: the same decisions as in a stream.

use bytes::Bytes;

use super::json::{Changes, Node, changed};
use super::tail::{part, replaced};
use super::texts::{self, Piece, is};
use super::{Will, object_of};
use crate::dialect::Dialect;
use crate::govern::{Recorded, Verdict};
use crate::request::json_string;

/// A reply, with what was done to it.
#[derive(Debug)]
pub(in crate::wire) struct Changed {
    pub(in crate::wire) body: Bytes,
    /// Whether what was replaced was written down; `None` where nothing was.
    pub(in crate::wire) recorded: Option<Recorded>,
    /// It could not be read, so nobody was asked about it.
    pub(in crate::wire) unread: bool,
}

/// Makes the changes.
pub(in crate::wire) async fn whole(dialect: Dialect, body: Bytes, mut will: Will) -> Changed {
    let text = std::str::from_utf8(&body).unwrap_or_default();
    let Some(node) = Node::of(text).filter(|node| node.is_object()) else {
        return Changed {
            unread: will.hold.is_some(),
            recorded: None,
            body,
        };
    };
    let pieces = texts::of_whole(dialect, node);
    let mut others: Vec<Option<String>> = vec![None; pieces.len()];
    let mut recorded = None;
    if let Some(mut hold) = will.hold.take() {
        for (piece, other) in pieces.iter().zip(&mut others) {
            let channel = texts::number(piece.channel);
            let verdict = hold.release(channel, "", &piece.text, true);
            if let Verdict::Replace(new) = verdict
                && new != piece.text
            {
                *other = Some(new);
            }
        }
        if others.iter().any(Option::is_some) {
            recorded = Some(hold.record().await);
        }
    }
    if !matches!(recorded, Some(Recorded::Entry { .. })) {
        others.fill(None);
    }
    let mut changes = Changes::new();
    for (piece, other) in pieces.iter().zip(&others) {
        if let Some(other) = other {
            changes.extend(replaced(piece, other));
        }
    }
    if let Some(told) = &will.told {
        changes.extend(tell(dialect, node, (&pieces, &others), told));
    }
    if let Some(object) = recorded.as_ref().and_then(object_of) {
        changes.extend(node.field(&format!("\"driftlead\":{object}")));
    }
    let body = if changes.is_empty() {
        body
    } else {
        changed(text, &changes).into()
    };
    Changed {
        body,
        recorded,
        unread: false,
    }
}

/// Puts the text for the person behind the model's.
fn tell(
    dialect: Dialect,
    node: Node<'_>,
    (pieces, others): (&[Piece], &[Option<String>]),
    told: &str,
) -> Changes {
    match dialect {
        Dialect::Chat => {
            let choices = node.key("choices").map(Node::list).unwrap_or_default();
            let calls = |number: u32| {
                choices.iter().any(|choice| {
                    let message = choice.key("message");
                    let has = |key| {
                        message
                            .and_then(|m| m.key(key))
                            .is_some_and(|n| !n.is_null())
                    };
                    texts::index(*choice, "index") == number
                        && (has("tool_calls") || has("function_call"))
                })
            };
            let spoken = pieces.iter().zip(others);
            spoken
                .filter(|(piece, _)| !calls(piece.channel.0))
                .flat_map(|(piece, other)| {
                    let own = other.as_deref().unwrap_or(&piece.text);
                    replaced(piece, &format!("{own}{told}"))
                })
                .collect()
        }
        Dialect::Messages => {
            let Some(content) = node.key("content").filter(|_| !pieces.is_empty()) else {
                return Changes::new();
            };
            let calls = content.list().into_iter().any(|block| {
                let kind = block.key("type").and_then(Node::text);
                kind.is_some_and(|kind| kind.ends_with("tool_use"))
            });
            let told = json_string(told);
            content
                .element(&format!(r#"{{"type":"text","text":{told}}}"#))
                .filter(|_| !calls)
                .into_iter()
                .collect()
        }
        Dialect::Responses => {
            let items = node.key("output").map(Node::list).unwrap_or_default();
            let spoken = (0..).zip(items).find(|(at, item)| {
                is(*item, "message") && pieces.iter().any(|piece| piece.channel.0 == *at)
            });
            spoken
                .and_then(|(_, item)| item.key("content")?.element(&part(told)))
                .into_iter()
                .collect()
        }
        _ => Changes::new(),
    }
}
