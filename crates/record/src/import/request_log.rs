//! Logs of OpenAI-style requests (formats.md §12), one per line or as one JSON array.
//!
//! Request and response are looked for where common loggers put them: nested as `request` and
//! `response` (each perhaps with a `body`), as `request_body`/`response_body`, or side by side at the
//! top (`messages` with `response` or `choices`), as objects or as JSON inside a string.

mod fields;
#[cfg(test)]
mod tests;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, Read};
use std::sync::Arc;

use serde_json::Value;

use super::lines::{Line, Lines};
use super::message::{Message, first_id, message};
use super::{Options, Parsed, UnitError};
use crate::prefix::{Exchange, Threads, Turn};
use crate::source::split::{SplitError, Target, split};
use crate::when::Clock;
use crate::{Accounting, Format, Reason, Role, SystemSource};

/// Reads a request log. Rows of a conversation are delivered when it is complete; see
/// [`crate::prefix`] for what is held until then.
pub(crate) fn read_stream(
    reader: &mut dyn BufRead,
    source: &Arc<str>,
    options: &Options,
    deliver: &mut dyn FnMut(Parsed),
) -> Result<(), UnitError> {
    let mut threads = Threads::new(source, Format::RequestLog, deliver);
    let (head, is_array) = head(reader)?;
    let mut reader = head.chain(reader);
    let result = if is_array {
        read_array(&mut reader, options, &mut threads)
    } else {
        read_lines(&mut reader, options, &mut threads)
    };
    threads.finish();
    result
}

/// The bytes up to the first that is no space, and whether it opens an array.
fn head(reader: &mut dyn BufRead) -> Result<(std::io::Cursor<Vec<u8>>, bool), UnitError> {
    let mut head = Vec::new();
    let first = loop {
        let chunk = reader
            .fill_buf()
            .map_err(|e| UnitError::Structure(format!("reading stopped ({e})")))?;
        let (n, is_end) = (chunk.len(), chunk.is_empty());
        head.extend_from_slice(chunk);
        reader.consume(n);
        let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&head);
        let first = text.iter().find(|b| !b.is_ascii_whitespace());
        // A byte order mark may arrive in parts.
        if is_end || (first.is_some() && head.len() > 3) {
            break first.copied();
        }
    };
    Ok((std::io::Cursor::new(head), first == Some(b'[')))
}

fn read_lines(
    reader: &mut dyn BufRead,
    options: &Options,
    threads: &mut Threads<'_>,
) -> Result<(), UnitError> {
    let mut lines = Lines::new(reader);
    loop {
        let position = lines.next_position();
        let Some(line) = lines.next()? else { break };
        let units = &mut threads.accounting().units;
        match line {
            Line::Blank => {}
            Line::TooLong => units.skip(Reason::OverLimit),
            Line::NotUtf8 => units.skip(Reason::NotUtf8),
            Line::Text(text) => take(text, position, options, threads),
        }
    }
    Ok(())
}

/// Elements are found and read one batch after another: memory does not grow with the array.
fn read_array(
    reader: &mut dyn Read,
    options: &Options,
    threads: &mut Threads<'_>,
) -> Result<(), UnitError> {
    let result = split(reader, &Target::Array, true, &mut |batch| {
        let units = &mut threads.accounting().units;
        units.skip_many(Reason::OverLimit, batch.over_limit);
        for range in batch.values {
            let position = batch.base + range.start as u64;
            let bytes = batch.bytes.get(range).unwrap_or_default();
            match simdutf8::basic::from_utf8(bytes) {
                Ok(text) => take(text, position, options, threads),
                Err(_) => threads.accounting().units.skip(Reason::NotUtf8),
            }
        }
        true
    });
    let (offset, message) = match result {
        Ok(()) | Err(SplitError::Stopped) => return Ok(()),
        Err(SplitError::Io { offset, source }) => {
            let what = format!("reading stopped at byte {offset} ({source})");
            return Err(UnitError::Structure(what));
        }
        Err(SplitError::Truncated { offset, .. }) => (offset, "ends too early"),
        Err(SplitError::Malformed { offset }) => (offset, "not valid JSON"),
    };
    threads.accounting().units.skip(Reason::MalformedJson);
    Err(UnitError::Json {
        offset,
        message: message.to_owned(),
    })
}

/// Reads one request with its answer.
fn take(text: &str, position: u64, options: &Options, threads: &mut Threads<'_>) {
    match serde_json::from_str::<Value>(text) {
        Err(_) => threads.accounting().units.skip(Reason::MalformedJson),
        Ok(value) => match exchange(&value, position, options, threads.accounting()) {
            Some(exchange) => threads.take(exchange),
            None => threads.accounting().units.skip(Reason::NotAMessage),
        },
    }
}

/// One line as an exchange; `None` if it holds no request or answer.
fn exchange(
    line: &Value,
    position: u64,
    options: &Options,
    accounting: &mut Accounting,
) -> Option<Exchange> {
    let request = fields::request(line);
    let response = fields::response(line);
    let sent = request.as_deref().map(fields::messages).unwrap_or_default();
    if sent.is_empty() && response.is_none() {
        return None;
    }
    let clock = Clock::utc(options.zone.as_ref());
    let none = Value::Null;
    let asked_of = request.as_deref().unwrap_or(&none);
    let answered_of = response.as_deref().unwrap_or(&none);
    let person = first_id(line, fields::PERSON).or(first_id(asked_of, fields::PERSON_OF_REQUEST));
    let mut exchange = Exchange {
        person: person.or(options.owner.as_deref().map(Arc::from)),
        conversation: first_id(line, fields::CONVERSATION)
            .or(first_id(asked_of, fields::CONVERSATION)),
        asked: fields::time(line, fields::ASKED, clock),
        answered: fields::time(line, fields::ANSWERED, clock).or(fields::time(
            answered_of,
            fields::CREATED,
            clock,
        )),
        system: first_id(answered_of, &["model"])
            .or(first_id(asked_of, &["model"]))
            .or(first_id(line, &["model"])),
        settings: fields::settings(asked_of),
        position,
        ..Exchange::default()
    };
    exchange.answered = exchange.answered.or(exchange.asked);
    exchange.asked = exchange.asked.or(exchange.answered);
    if exchange.system.is_some() {
        exchange.system_source = SystemSource::Message;
    }
    take_messages(&mut exchange, sent.into_iter(), accounting);
    exchange.answers = answers(line, answered_of, response.is_some(), accounting);
    Some(exchange)
}

/// Sorts messages into turns and context.
pub(crate) fn take_messages<'v>(
    exchange: &mut Exchange,
    messages: impl Iterator<Item = &'v Value>,
    accounting: &mut Accounting,
) {
    for value in messages {
        match message(
            value,
            Some("user").filter(|_| value.is_string()),
            accounting,
        ) {
            Message::Turn(turn) => exchange.turns.push(turn),
            Message::Context(words) => exchange.context(words.as_deref()),
        }
    }
}

impl Exchange {
    /// Counts a message that is context, and takes the words of a system prompt into its fingerprint.
    pub(crate) fn context(&mut self, words: Option<&str>) {
        self.context += 1;
        if let Some(words) = words {
            let mut h = DefaultHasher::new();
            (self.prompt, words).hash(&mut h);
            self.prompt = Some(h.finish());
        }
    }
}

/// The answers of a response. A response without words, as streaming loggers write it, is an answer
/// without content: it tells when, and nothing else.
fn answers(
    line: &Value,
    response: &Value,
    is_there: bool,
    accounting: &mut Accounting,
) -> Vec<Turn> {
    let failed = [line, response]
        .iter()
        .any(|v| v.get("error").is_some_and(|e| !e.is_null()));
    let mut turns: Vec<Turn> = Vec::new();
    for choice in fields::choices(response) {
        if let Message::Turn(mut turn) = message(choice, Some("assistant"), accounting) {
            if turn.body == Err(Reason::EmptyText) {
                turn.body = Ok(None);
            }
            turn.id = answer_id(response, turns.len());
            turns.push(turn);
        }
    }
    if turns.is_empty() && is_there && !failed {
        let mut silent = Turn::new(Role::System, "", &[], Ok(None));
        silent.id = answer_id(response, 0);
        turns.push(silent);
    }
    turns
}

fn answer_id(response: &Value, index: usize) -> Option<Arc<str>> {
    let id = response.get("id")?.as_str().filter(|id| !id.is_empty())?;
    Some(match index {
        0 => Arc::from(id),
        n => Arc::from(format!("{id}#{n}")),
    })
}
