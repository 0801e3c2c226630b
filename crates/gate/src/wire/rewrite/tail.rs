//! The last hand on each event of a stream: words that were replaced, the text for the person behind the
//! reply's own, the `driftlead` object, a usage chunk that nobody asked for. Whatever none of these
//! concerns passes as it is.

use std::collections::{HashMap, HashSet, VecDeque};

use bytes::Bytes;

use super::frames::Frame;
use super::json::{Changes, Node, changed};
use super::texts::{self, Channel, Piece, is};
use crate::dialect::Dialect;
use crate::request::json_string;

/// Words of an event, and what stands in their place.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) piece: Piece,
    pub(super) new: Option<String>,
}

/// State over one stream.
#[derive(Debug)]
pub(super) struct Tail {
    dialect: Dialect,
    /// What the person is told; taken by a dialect in which it is said once.
    told: Option<String>,
    without_usage: bool,
    /// Content of a `driftlead` object that has not been sent yet.
    object: Option<String>,
    /// Choices with words, and with tool calls.
    said: HashSet<u32>,
    tools: HashSet<u32>,
    /// Index of the next content block (Messages).
    blocks: u32,
    /// Events put in so far (Responses numbers its events).
    shift: u64,
    /// Texts of channels as they were sent, kept from the first one on where words may be replaced:
    /// Responses repeats them.
    sent: Option<HashMap<Channel, String>>,
    replaced: HashSet<Channel>,
    /// Parts that were put into an item of the output.
    added: HashMap<u32, String>,
}

impl Tail {
    pub(super) fn new(
        dialect: Dialect,
        told: Option<String>,
        without_usage: bool,
        holds: bool,
    ) -> Self {
        Tail {
            dialect,
            told,
            without_usage,
            object: None,
            said: HashSet::new(),
            tools: HashSet::new(),
            blocks: 0,
            shift: 0,
            sent: (holds && dialect == Dialect::Responses).then(HashMap::new),
            replaced: HashSet::new(),
            added: HashMap::new(),
        }
    }

    /// A `driftlead` object to send before the reply ends.
    pub(super) fn object(&mut self, object: String) {
        self.object = Some(object);
    }

    /// Sends one event.
    pub(super) fn pass(&mut self, frame: Frame, words: Vec<Words>, out: &mut VecDeque<Bytes>) {
        let mut changes = Changes::new();
        for word in &words {
            let channel = word.piece.channel;
            self.said.insert(channel.0);
            if let Some(sent) = &mut self.sent {
                let text = word.new.as_deref().unwrap_or(&word.piece.text);
                sent.entry(channel).or_default().push_str(text);
            }
            if let Some(new) = &word.new {
                self.replaced.insert(channel);
                changes.extend(replaced(&word.piece, new));
            }
        }
        let idle = self.told.is_none()
            && self.object.is_none()
            && self.replaced.is_empty()
            && self.shift == 0;
        let data = frame.data.as_deref().unwrap_or_default();
        let concerned = !idle || self.without_usage && data.contains("\"usage\"");
        let Some(node) = Node::of(data).filter(|node| concerned && node.is_object()) else {
            return out.push_back(finished(&frame, data, &changes));
        };
        match self.dialect {
            Dialect::Chat => {
                if self.without_usage && is_usage(node) {
                    return;
                }
                self.chat(node, &words, &mut changes, out);
            }
            Dialect::Messages => self.messages(node, &mut changes, out),
            Dialect::Responses => self.responses(node, &mut changes, out),
            _ => {}
        }
        out.push_back(finished(&frame, data, &changes));
        if self.dialect == Dialect::Chat
            && let Some(object) = self.object.take()
        {
            out.push_back(chunk(node, "", &format!(",\"driftlead\":{object}")));
        }
    }

    fn chat(
        &mut self,
        node: Node<'_>,
        words: &[Words],
        changes: &mut Changes,
        out: &mut VecDeque<Bytes>,
    ) {
        for choice in node.key("choices").map(Node::list).unwrap_or_default() {
            let number = texts::index(choice, "index");
            let delta = choice.key("delta");
            let calls = |key| delta.and_then(|d| d.key(key)).is_some_and(|n| !n.is_null());
            if calls("tool_calls") || calls("function_call") {
                self.tools.insert(number);
            }
            let Some(finish) = choice.key("finish_reason").and_then(Node::text) else {
                continue;
            };
            let Some(told) = &self.told else { continue };
            let calls = finish == "tool_calls" || finish == "function_call";
            if calls || self.tools.contains(&number) || !self.said.contains(&number) {
                continue;
            }
            match words.iter().find(|word| word.piece.channel.0 == number) {
                // The last words come with the end: the text goes behind them.
                Some(word) => {
                    let own = word.new.as_deref().unwrap_or(&word.piece.text);
                    changes.extend(replaced(&word.piece, &format!("{own}{told}")));
                }
                None => {
                    let told = json_string(told);
                    let choice = format!(
                        r#"{{"index":{number},"delta":{{"content":{told}}},"finish_reason":null}}"#
                    );
                    out.push_back(chunk(node, &choice, ""));
                }
            }
        }
    }

    fn messages(&mut self, node: Node<'_>, changes: &mut Changes, out: &mut VecDeque<Bytes>) {
        if is(node, "content_block_start") {
            self.blocks = self.blocks.max(texts::index(node, "index") + 1);
            let kind = node
                .key("content_block")
                .and_then(|block| block.key("type"));
            if kind
                .and_then(Node::text)
                .is_some_and(|kind| kind.ends_with("tool_use"))
            {
                self.tools.insert(0);
            }
        }
        if !is(node, "message_delta") {
            return;
        }
        if let Some(told) = self.told.take()
            && !self.said.is_empty()
            && self.tools.is_empty()
        {
            let (at, told) = (self.blocks, json_string(&told));
            for (name, rest) in [
                (
                    "content_block_start",
                    r#""content_block":{"type":"text","text":""}"#.to_owned(),
                ),
                (
                    "content_block_delta",
                    format!(r#""delta":{{"type":"text_delta","text":{told}}}"#),
                ),
                ("content_block_stop", String::new()),
            ] {
                let comma = if rest.is_empty() { "" } else { "," };
                let event = format!(
                    "event: {name}\ndata: {{\"type\":\"{name}\",\"index\":{at}{comma}{rest}}}\n\n"
                );
                out.push_back(event.into());
            }
        }
        if let Some(object) = self.object.take() {
            changes.extend(node.field(&format!("\"driftlead\":{object}")));
        }
    }

    fn responses(&mut self, node: Node<'_>, changes: &mut Changes, out: &mut VecDeque<Bytes>) {
        let output = texts::index(node, "output_index");
        let item = node.key("item");
        let number = node.key("sequence_number").and_then(Node::number);
        if is(node, "response.output_item.done")
            && let Some(item) = item.filter(|item| is(*item, "message"))
        {
            self.repeat(&texts::parts(item, output), changes);
            if let Some(content) = item.key("content")
                && self.said.contains(&output)
                && let Some(told) = self.told.take()
            {
                let id = item.key("id").map_or("null", Node::raw);
                let at = content.list().len();
                let part = part(&told);
                let from = number.map(|number| number + self.shift);
                self.shift += put_part(id, output, at, &told, from, out);
                changes.extend(content.element(&part));
                self.added.insert(output, part);
            }
        } else if is(node, "response.output_text.done") || is(node, "response.content_part.done") {
            let channel = (output, texts::index(node, "content_index"));
            let text = node.key("text");
            let text = text.or_else(|| node.key("part").and_then(|part| part.key("text")));
            let beside = node
                .key("logprobs")
                .or_else(|| node.key("part")?.key("logprobs"));
            if let Some(text) = text {
                let piece = Piece {
                    channel,
                    at: text.range(),
                    text: String::new(),
                    beside: beside.map(|node| (node.range(), "[]")),
                };
                self.repeat(&[piece], changes);
            }
        } else if let Some(response) = node.key("response")
            && ["completed", "incomplete", "failed"]
                .iter()
                .any(|end| is(node, &format!("response.{end}")))
        {
            self.repeat(&texts::output(response), changes);
            let items = response.key("output").map(Node::list).unwrap_or_default();
            for (at, item) in (0..).zip(items) {
                if let (Some(part), Some(content)) = (self.added.get(&at), item.key("content")) {
                    changes.extend(content.element(part));
                }
            }
            if let Some(object) = self.object.take() {
                changes.extend(response.field(&format!("\"driftlead\":{object}")));
            }
        }
        if let (Some(number), Some(place)) = (number, node.key("sequence_number"))
            && self.shift > 0
        {
            changes.push((place.range(), (number + self.shift).to_string()));
        }
    }

    /// Texts that are repeated as a whole are repeated as they were sent.
    fn repeat(&self, pieces: &[Piece], changes: &mut Changes) {
        for piece in pieces {
            if self.replaced.contains(&piece.channel)
                && let Some(text) = self.sent.as_ref().and_then(|sent| sent.get(&piece.channel))
            {
                changes.extend(replaced(piece, text));
            }
        }
    }
}

/// The changes that put other words in the place of a piece.
pub(super) fn replaced(piece: &Piece, new: &str) -> Changes {
    let mut changes = vec![(piece.at.clone(), json_string(new))];
    if let Some((range, empty)) = &piece.beside {
        changes.push((range.clone(), (*empty).to_owned()));
    }
    changes
}

/// The part of an output that holds what the person is told.
pub(super) fn part(told: &str) -> String {
    let told = json_string(told);
    format!(r#"{{"type":"output_text","text":{told},"annotations":[]}}"#)
}

/// The events of a part, numbered from `from`; how many there are.
fn put_part(
    item: &str,
    output: u32,
    at: usize,
    told: &str,
    from: Option<u64>,
    out: &mut VecDeque<Bytes>,
) -> u64 {
    let place = format!(r#""item_id":{item},"output_index":{output},"content_index":{at}"#);
    let text = json_string(told);
    let events = [
        (
            "response.content_part.added",
            format!(r#""part":{}"#, part("")),
        ),
        (
            "response.output_text.delta",
            format!(r#""delta":{text},"logprobs":[]"#),
        ),
        (
            "response.output_text.done",
            format!(r#""text":{text},"logprobs":[]"#),
        ),
        (
            "response.content_part.done",
            format!(r#""part":{}"#, part(told)),
        ),
    ];
    let mut count = 0;
    for (name, rest) in events {
        let number = from.map_or_else(String::new, |from| {
            format!(r#""sequence_number":{},"#, from + count)
        });
        let event =
            format!("event: {name}\ndata: {{\"type\":\"{name}\",{number}{place},{rest}}}\n\n");
        out.push_back(event.into());
        count += 1;
    }
    count
}

fn finished(frame: &Frame, data: &str, changes: &Changes) -> Bytes {
    if changes.is_empty() {
        frame.raw.clone().into()
    } else {
        frame.with_data(&changed(data, changes)).into()
    }
}

/// A chunk of the gateway's own among the upstream's: like them in everything but its choices.
fn chunk(like: Node<'_>, choice: &str, more: &str) -> Bytes {
    let mut fields = String::new();
    for key in ["id", "object", "created", "model", "system_fingerprint"] {
        if let Some(value) = like.key(key) {
            fields.push_str(&format!("\"{key}\":{},", value.raw()));
        }
    }
    // Where usage is asked for, every chunk but the last says null.
    let usage = like.key("usage").map_or("", |_| ",\"usage\":null");
    format!("data: {{{fields}\"choices\":[{choice}]{usage}{more}}}\n\n").into()
}

/// Whether a chunk holds the counts and nothing else.
fn is_usage(node: Node<'_>) -> bool {
    node.key("usage").is_some_and(Node::is_object)
        && node
            .key("choices")
            .is_some_and(|choices| choices.raw().starts_with('[') && choices.list().is_empty())
}
