//! Google AI Studio prompt file (formats.md §10): one object with its chunks.

mod shape;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use self::shape::{Chunk, File};
use super::rows::{self, Head, Ids, Leaf, Line};
use super::{Parsed, Unit, UnitError};
use crate::when::Clock;
use crate::{Accounting, Event, Format, Reason, Role, SystemSource, Time, TimeQuality, text};

/// Reads one prompt file.
///
/// # Errors
/// [`UnitError::Json`] where it is no JSON, [`UnitError::Structure`] where it has no chunks.
pub(crate) fn parse(unit: &Unit<'_>) -> Result<Parsed, UnitError> {
    let file: File<'_> = rows::json(unit)?;
    let Some(chunks) = file.chunks() else {
        return Err(UnitError::Structure("no `chunks`".to_owned()));
    };
    let id = file
        .id
        .get()
        .map_or_else(|| derived_id(&file, chunks), Arc::from);
    let mut reading = Reading::new(unit, &file, &id);
    let rows: Vec<Option<Event>> = chunks.iter().map(|c| reading.row(c.0.as_ref())).collect();
    reading.count_the_rest();
    let mut parsed = reading.parsed;
    let events = order(chunks, rows, &mut parsed.accounting);
    let head = Head {
        format: Format::AiStudio,
        deployment: "ai_studio".into(),
        person: None,
        id,
    };
    rows::finish(unit, head, events, &mut parsed);
    Ok(parsed)
}

type Chunks<'a> = [super::lenient::Object<Chunk<'a>>];

/// Id of a file without one: its title, its time and its first words. The file grows at its end.
fn derived_id(file: &File<'_>, chunks: &Chunks<'_>) -> Arc<str> {
    let began = file
        .create_time
        .time(Clock::utc(None))
        .map(|t| t.micros.to_string());
    let first = chunks.iter().filter_map(|c| c.0.as_ref()).map(Chunk::words);
    let words = first
        .into_iter()
        .find(|w| !w.trim().is_empty())
        .unwrap_or_default();
    rows::content_id(&[
        "ai_studio",
        file.title().unwrap_or_default(),
        &began.unwrap_or_default(),
        &words,
    ])
}

struct Reading<'a> {
    unit: &'a Unit<'a>,
    file: &'a File<'a>,
    ids: Ids,
    model: Option<Arc<str>>,
    time: Option<Time>,
    parsed: Parsed,
}

impl<'a> Reading<'a> {
    fn new(unit: &'a Unit<'a>, file: &'a File<'a>, id: &Arc<str>) -> Self {
        let mut parsed = Parsed::default();
        // Only the file has a time, and at best one: when it was begun or last changed.
        let clock = Clock::utc(unit.options.zone.as_ref());
        let time = [&file.create_time, &file.update_time]
            .into_iter()
            .find_map(|stamp| rows::time(stamp, clock, &mut parsed.accounting))
            .map(|t| Time {
                quality: TimeQuality::Conversation,
                ..t
            });
        let model = file
            .run_settings
            .0
            .as_ref()
            .and_then(|s| s.model.get())
            .map(Arc::from);
        Reading {
            unit,
            file,
            ids: Ids::new(id),
            model,
            time,
            parsed,
        }
    }

    /// The row of a chunk; `None`, and counted, if it makes none.
    fn row(&mut self, chunk: Option<&Chunk<'_>>) -> Option<Event> {
        let accounting = &mut self.parsed.accounting;
        let (chunk, role, words) = match classify(chunk, accounting) {
            Ok(row) => row,
            Err(reason) => {
                accounting.units.skip(reason);
                return None;
            }
        };
        accounting.units.parse();
        if chunk.is_edited.0 {
            accounting.note("edited_message");
        }
        let system = self.model.clone().filter(|_| role == Role::System);
        let system_source = match system {
            Some(_) => SystemSource::Conversation,
            None => SystemSource::Unknown,
        };
        Some(Event {
            time: self.time,
            system,
            system_source,
            position: self.unit.position,
            ..Event::message(self.ids.of(chunk.id.get(), role, None, &words), role, words)
        })
    }

    /// What is no chunk: unsent input, and instructions.
    fn count_the_rest(&mut self) {
        let accounting = &mut self.parsed.accounting;
        accounting
            .units
            .skip_many(Reason::PendingDraft, self.file.drafts() as u64);
        if self.file.has_instruction() {
            accounting.note("instructions_present");
        }
    }
}

/// Who says what, or why there is no row.
fn classify<'m, 'a>(
    chunk: Option<&'m Chunk<'a>>,
    accounting: &mut Accounting,
) -> Result<(&'m Chunk<'a>, Role, Box<str>), Reason> {
    let chunk = chunk.ok_or(Reason::BadMapping)?;
    let role = match chunk.role.get() {
        Some("user") => Role::Person,
        Some("model") => Role::System,
        other => {
            accounting.unknown("role", other.unwrap_or_default());
            return Err(Reason::UnknownRole);
        }
    };
    if chunk.is_thought.0 {
        return Err(Reason::Reasoning);
    }
    if chunk.has_thoughts() {
        accounting.note("reasoning_removed");
    }
    if chunk.error_message.get().is_some() {
        accounting.note("answer_with_error");
    }
    match text::clean(&chunk.words(), accounting) {
        Some(words) => Ok((chunk, role, words)),
        None => Err(chunk.why_no_words()),
    }
}

/// Chunks follow one another, except where they name another parent.
fn order(chunks: &Chunks<'_>, rows: Vec<Option<Event>>, accounting: &mut Accounting) -> Vec<Event> {
    let branches = Branches::of(chunks);
    if branches.is_line() {
        let mut line = Line::default();
        rows.into_iter().flatten().for_each(|row| line.message(row));
        return line.events;
    }
    let ids = node_ids(chunks);
    let mut leaves = Vec::with_capacity(rows.len());
    let mut previous = None;
    for ((chunk, id), row) in chunks.iter().zip(&ids).zip(rows) {
        let system = row.as_ref().and_then(|r| r.system.clone());
        let parent = match chunk.0.as_ref() {
            Some(chunk) => branches.parent(chunk, previous),
            None => previous,
        };
        leaves.push((
            Leaf {
                id,
                parent,
                system: None,
                row,
            },
            system,
        ));
        previous = Some(id);
    }
    let leaves = leaves.iter_mut().map(|(leaf, system)| Leaf {
        system: system.as_deref(),
        ..std::mem::take(leaf)
    });
    rows::branch(leaves.collect(), None, accounting)
}

/// Ids that the tree can be built on, where a chunk has none of its own.
fn node_ids<'a>(chunks: &'a Chunks<'_>) -> Vec<Cow<'a, str>> {
    let own = |i: usize| {
        chunks
            .get(i)
            .and_then(|c| c.0.as_ref())
            .and_then(|c| c.id.get())
    };
    let id = |i| own(i).map_or_else(|| format!("chunk without id {i}").into(), Cow::Borrowed);
    (0..chunks.len()).map(id).collect()
}

/// Who claims whom.
#[derive(Default)]
struct Branches<'a> {
    /// Known ids.
    ids: Vec<&'a str>,
    /// Child to the parents that list it.
    claims: BTreeMap<&'a str, Vec<&'a str>>,
    has_parents: bool,
}

impl<'a> Branches<'a> {
    fn of(chunks: &'a Chunks<'_>) -> Self {
        let mut branches = Branches::default();
        for chunk in chunks.iter().filter_map(|c| c.0.as_ref()) {
            let Some(id) = chunk.id.get() else { continue };
            branches.ids.push(id);
            for child in chunk.branch_children.0.iter().filter_map(|c| c.get()) {
                branches.claims.entry(child).or_default().push(id);
            }
        }
        branches.ids.sort_unstable();
        let known = |c: &Chunk<'_>| c.branch_parent.get().is_some_and(|p| branches.knows(p));
        branches.has_parents = chunks.iter().filter_map(|c| c.0.as_ref()).any(known);
        branches
    }

    fn knows(&self, id: &str) -> bool {
        self.ids.binary_search(&id).is_ok()
    }

    fn is_line(&self) -> bool {
        !self.has_parents && self.claims.is_empty()
    }

    /// A child claimed by two parents has none.
    fn parent<'b>(&self, chunk: &'b Chunk<'_>, previous: Option<&'b str>) -> Option<&'b str>
    where
        'a: 'b,
    {
        let named = chunk.branch_parent.get().filter(|p| self.knows(p));
        let claims = chunk.id.get().and_then(|id| self.claims.get(id));
        match (named, claims.map(Vec::as_slice)) {
            (Some(parent), _) => Some(parent),
            (None, Some([parent])) => Some(parent),
            (None, Some(_)) => None,
            (None, None) => previous,
        }
    }
}

#[cfg(test)]
mod tests;
