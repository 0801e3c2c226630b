//! Logs of OpenAI-style requests, one per line (formats.md §12).
//!
//! Request and response are looked for where common loggers put them: nested as `request` and
//! `response` (each perhaps with a `body`), as `request_body`/`response_body`, or side by side at the
//! top (`messages` with `response` or `choices`), as objects or as JSON inside a string.

mod fields;
#[cfg(test)]
mod tests;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::BufRead;
use std::sync::Arc;

use serde_json::Value;

use super::lines::{Line, Lines};
use super::message::{Message, first_id, message};
use super::{Options, Parsed, UnitError};
use crate::prefix::{Exchange, Threads, Turn};
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
    let mut lines = Lines::new(reader);
    let mut threads = Threads::new(source, Format::RequestLog, deliver);
    loop {
        let position = lines.next_position();
        let Some(line) = lines.next()? else { break };
        let units = &mut threads.accounting().units;
        match line {
            Line::Blank => {}
            Line::TooLong => units.skip(Reason::OverLimit),
            Line::NotUtf8 => units.skip(Reason::NotUtf8),
            Line::Text(text) => match serde_json::from_str::<Value>(text) {
                Err(_) => units.skip(Reason::MalformedJson),
                Ok(value) => match exchange(&value, position, options, threads.accounting()) {
                    Some(exchange) => threads.take(exchange),
                    None => threads.accounting().units.skip(Reason::NotAMessage),
                },
            },
        }
    }
    threads.finish();
    Ok(())
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
