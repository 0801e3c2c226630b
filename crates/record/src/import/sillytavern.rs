//! SillyTavern chat (formats.md §6): JSON Lines, a header and one message per line with its swipes.
//! Chats of other programs in the same form (Chub, the exports of CAI Tools) are read here too.

mod clock;
mod shape;
mod swipes;

use std::borrow::Cow;
use std::sync::Arc;

use self::clock::Stamps;
use self::shape::Record;
use super::rows::{self, Head, Ids, Line};
use super::{Parsed, Unit, UnitError, surrogate};
use crate::when::{Clock, Stamp};
use crate::{Accounting, Event, Format, Kind, Reason, Role, SystemSource, Time, TimeQuality, text};

/// Name that current versions write into the header instead of a name.
const UNUSED: &str = "unused";

/// Clock for ids: they must not change with the zone that the caller names.
const AS_WRITTEN: Clock<'static> = Clock::local(None);

/// Reads one chat file.
///
/// # Errors
/// [`UnitError::Structure`] where no line is a header or a message.
pub(crate) fn parse(unit: &Unit<'_>) -> Result<Parsed, UnitError> {
    let mut parsed = Parsed::default();
    let lines = lines(unit.bytes, &mut parsed.accounting);
    let mut chat = Chat::default();
    for (number, line) in &lines {
        match serde_json::from_str::<Record<'_>>(line) {
            Err(_) => parsed.accounting.units.skip(Reason::MalformedJson),
            Ok(record) if record.is_header() && chat.header.is_none() => {
                parsed.accounting.units.parse();
                chat.header = Some(record);
            }
            Ok(record) if record.mes.0.is_some() => chat.messages.push((*number, record)),
            Ok(_) => parsed.accounting.units.skip(Reason::NotAMessage),
        }
    }
    if chat.header.is_none() && chat.messages.is_empty() {
        return Err(UnitError::Structure(
            "neither a header nor a message".to_owned(),
        ));
    }
    chat.read(unit, &mut parsed);
    Ok(parsed)
}

/// Lines that are text, with their numbers from 1. Blank lines are none.
fn lines<'a>(bytes: &'a [u8], accounting: &mut Accounting) -> Vec<(u64, Cow<'a, str>)> {
    let mut lines = Vec::new();
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    for (number, line) in (1..).zip(bytes.split(|b| *b == b'\n')) {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        match simdutf8::basic::from_utf8(line) {
            Err(_) => accounting.units.skip(Reason::NotUtf8),
            Ok(line) => lines.push((number, without_lone_surrogates(line, accounting))),
        }
    }
    lines
}

fn without_lone_surrogates<'a>(line: &'a str, accounting: &mut Accounting) -> Cow<'a, str> {
    if !line.contains("\\u") {
        return Cow::Borrowed(line);
    }
    let replaced = surrogate::replace_lone(line.as_bytes());
    match replaced.and_then(|(bytes, n)| Some((String::from_utf8(bytes).ok()?, n))) {
        Some((line, n)) => {
            (0..n).for_each(|_| accounting.note("lone_surrogate_replaced"));
            Cow::Owned(line)
        }
        None => Cow::Borrowed(line),
    }
}

#[derive(Default)]
struct Chat<'a> {
    header: Option<Record<'a>>,
    /// Line number and message.
    messages: Vec<(u64, Record<'a>)>,
}

impl Chat<'_> {
    fn read(&self, unit: &Unit<'_>, parsed: &mut Parsed) {
        let clock = Clock::local(unit.options.zone.as_ref());
        let id = self.id();
        let mut reading = Reading {
            clock,
            ids: Ids::new(&id),
            accounting: std::mem::take(&mut parsed.accounting),
            line: Line::default(),
            stamps: Vec::new(),
            is_greeting: true,
        };
        for (number, message) in &self.messages {
            reading.message(*number, message);
        }
        let is_cai = self.is_cai();
        let created = self.header.as_ref().and_then(|h| h.create_date.time(clock));
        let sent: Vec<Stamps> = reading.stamps.iter().map(|(_, stamps)| *stamps).collect();
        let is_converted = clock::is_converted(created, &sent, is_cai);
        let has_zone = unit.options.zone.is_some();
        reading.settle_times(is_converted, has_zone);
        parsed.accounting = reading.accounting;
        let format = if is_cai && is_converted {
            Format::CaiTools
        } else {
            Format::SillyTavern
        };
        let deployment = self.characters(&mut parsed.accounting);
        let head = Head {
            format,
            deployment,
            person: None,
            id,
        };
        rows::finish(unit, head, reading.line.events, parsed);
    }

    /// Id of the chat: what its beginning says, which stays as the chat grows.
    fn id(&self) -> Arc<str> {
        let header = self.header.as_ref();
        let metadata = header.and_then(|h| h.chat_metadata.0.as_ref());
        let first = self.messages.first().map(|(_, m)| m);
        let micros = |t: Option<Time>| t.map(|t| t.micros.to_string()).unwrap_or_default();
        rows::content_id(&[
            "sillytavern",
            metadata.and_then(|m| m.integrity.get()).unwrap_or_default(),
            header
                .and_then(|h| h.character_name.get())
                .unwrap_or_default(),
            &micros(header.and_then(|h| h.create_date.time(AS_WRITTEN))),
            &micros(first.and_then(|m| m.send_date.time(AS_WRITTEN))),
            first.and_then(|m| m.mes.0.as_deref()).unwrap_or_default(),
        ])
    }

    /// Names of the characters that speak, in order of appearance.
    fn characters(&self, accounting: &mut Accounting) -> Arc<str> {
        let mut names: Vec<&str> = Vec::new();
        for (_, message) in self
            .messages
            .iter()
            .filter(|(_, m)| !m.is_user.0 && !m.is_system.0)
        {
            let name = message.name.get().unwrap_or_default();
            if !name.is_empty() && !names.contains(&name) {
                names.push(name);
            }
        }
        if names.len() > 1 {
            accounting.note("group_chat");
        }
        let header = self.header.as_ref().and_then(|h| h.character_name.get());
        match (names.as_slice(), header.filter(|n| *n != UNUSED)) {
            ([_, _, ..], _) => names.join(" + ").into(),
            (_, Some(name)) => name.into(),
            ([name], None) => (*name).into(),
            ([], None) => "sillytavern".into(),
        }
    }

    /// Whether the header and the messages look like an export of CAI Tools.
    fn is_cai(&self) -> bool {
        let header = self.header.as_ref();
        header.is_some_and(|h| h.user_name.get() == Some("You") && h.chat_metadata.0.is_none())
            && self
                .messages
                .iter()
                .all(|(_, m)| m.is_name.0 && m.swipes.0.is_empty())
    }
}

struct Reading<'a> {
    clock: Clock<'a>,
    ids: Ids,
    accounting: Accounting,
    line: Line,
    /// For every message with a row: its index among the rows, and what it says about time.
    stamps: Vec<(usize, Stamps)>,
    /// No message yet: a character's text is its author's greeting.
    is_greeting: bool,
}

impl Reading<'_> {
    fn message(&mut self, number: u64, message: &Record<'_>) {
        if message.is_system.0 {
            self.accounting.units.skip(Reason::HiddenFromPrompt);
            return;
        }
        let written = message.mes.0.as_deref().unwrap_or_default();
        let Some(words) = text::clean(written, &mut self.accounting) else {
            let reason = if message.has_attachment() {
                Reason::AttachmentOnly
            } else {
                Reason::EmptyText
            };
            self.accounting.units.skip(reason);
            return;
        };
        self.accounting.units.parse();
        let role = if message.is_user.0 {
            Role::Person
        } else {
            Role::System
        };
        let is_greeting = std::mem::take(&mut self.is_greeting) && role == Role::System;
        let nothing = Stamp::Missing;
        let finished = if role == Role::System {
            &message.gen_finished
        } else {
            &nothing
        };
        let written = Stamps::of(&message.send_date, finished, AS_WRITTEN);
        let stamps = Stamps::of(&message.send_date, finished, self.clock);
        if stamps.sent.is_none() && message.send_date != Stamp::Missing {
            self.accounting.note("unreadable_time");
        }
        let id = self.ids.of(None, role, written.best(), &words);
        let model = message.model().filter(|_| role == Role::System);
        let event = Event {
            time: stamps.best(),
            system: model.map(Into::into),
            system_source: model.map_or(SystemSource::Unknown, |_| SystemSource::Message),
            position: number,
            ..Event::message(id, role, words)
        };
        self.stamps.push((self.line.events.len(), stamps));
        self.line.message(event);
        self.swipes(number, message, role, is_greeting);
    }

    fn swipes(&mut self, number: u64, message: &Record<'_>, role: Role, is_greeting: bool) {
        let chosen = swipes::chosen(message, &mut self.accounting);
        for (i, swipe) in message
            .swipes
            .0
            .iter()
            .enumerate()
            .filter(|(i, _)| Some(*i) != chosen)
        {
            let written = swipe.0.as_deref().unwrap_or_default();
            let Some(words) = text::clean(written, &mut self.accounting) else {
                self.accounting.swipes.skip(Reason::EmptyText);
                continue;
            };
            self.accounting.swipes.parse();
            let kind = match role {
                Role::System if is_greeting => Kind::Variant,
                Role::System => swipes::kind(message, i, chosen.is_some()),
                _ => Kind::Edit,
            };
            let info = message.info(i);
            let stamps = |clock| {
                info.map(|s| Stamps::of(&s.send_date, &s.gen_finished, clock))
                    .unwrap_or_default()
            };
            let written = stamps(AS_WRITTEN).best();
            let id = self.ids.of(None, role, written, &words);
            let stamps = stamps(self.clock);
            let model = info
                .and_then(|s| s.extra.0.as_ref()?.model.get())
                .filter(|_| role == Role::System);
            // Swipes of one call share a copied stamp, so that they say nothing about offsets.
            let sent_only = Stamps {
                finished: None,
                ..stamps
            };
            self.stamps.push((self.line.events.len(), sent_only));
            self.line.alternative(Event {
                time: stamps.best(),
                kind,
                system: model.map(Into::into),
                system_source: model.map_or(SystemSource::Unknown, |_| SystemSource::Swipe),
                position: number,
                ..Event::message(id, role, words)
            });
        }
        if is_greeting && message.swipes.0.len() > 1 {
            self.accounting.note("alternate_greetings");
        }
    }

    /// Times of a conversion mean nothing; wall clocks become instants where the machine's offset
    /// can be told from its answers and the caller names no zone.
    fn settle_times(&mut self, is_converted: bool, has_zone: bool) {
        if is_converted {
            self.accounting.note("times_of_a_conversion");
            for time in self.line.events.iter_mut().filter_map(|e| e.time.as_mut()) {
                time.quality = TimeQuality::Imported;
            }
            return;
        }
        let stamps: Vec<Stamps> = self.stamps.iter().map(|(_, s)| *s).collect();
        let is_local = |s: &Stamps| s.sent.is_some_and(|t| t.quality == TimeQuality::Local);
        if has_zone || !stamps.iter().any(is_local) {
            return;
        }
        let offsets = clock::offsets(&stamps);
        if offsets.iter().any(Option::is_some) {
            self.accounting.note("clock_offset_from_answers");
        }
        for ((row, _), offset) in self.stamps.iter().zip(offsets) {
            if let (Some(event), Some(offset)) = (self.line.events.get_mut(*row), offset) {
                clock::apply(offset, event);
            }
        }
    }
}

#[cfg(test)]
mod tests;
