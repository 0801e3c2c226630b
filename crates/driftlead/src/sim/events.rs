//! `--events`: some people of a simulated feed as the common record.

use std::io::BufWriter;
use std::path::Path;

use driftlead_record::write::{WriteError, Writer};
use driftlead_record::{Conversation, Event};

use crate::failure::Failure;
use crate::file::Draft;
use crate::number::thousands;

/// Bytes that one event holds beside its own size: its name.
const NAME: u64 = 40;
/// Fewest bytes of a row on disk.
const PARQUET_ROW: u64 = 8;
const JSON_ROW: u64 = 250;

/// How large a panel is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Panel {
    /// People.
    pub(super) people: u64,
    /// Things shown to one person, at most.
    pub(super) shown: u64,
}

enum Format {
    Parquet,
    Json,
}

/// Writes the people one by one and says how many rows of how many people there are.
pub(super) fn write(
    target: &Path,
    panel: Panel,
    people: impl Iterator<Item = Vec<Conversation>>,
) -> Result<String, Failure> {
    let format = match target.extension().and_then(|e| e.to_str()) {
        Some("parquet") => Format::Parquet,
        Some("jsonl") => Format::Json,
        _ => {
            let place = target.display();
            let what = format!("--events {place}: the name must end in .parquet or .jsonl");
            return Err(Failure::Input(what));
        }
    };
    has_room(target, panel, &format)?;
    let failed = |e: WriteError| Failure::cannot_write(target, &e);
    let draft = Draft::start(target)?;
    let file = BufWriter::new(draft.writer()?);
    let mut writer = match format {
        Format::Parquet => Writer::parquet(file, false),
        Format::Json => Writer::json_lines(file, false),
    }
    .map_err(failed)?;
    for days in people {
        writer.write(&days).map_err(failed)?;
    }
    let rows = writer.finish().map_err(failed)?;
    draft.keep()?;
    let people = thousands(panel.people);
    Ok(format!("{} rows of {people} people", thousands(rows)))
}

/// One person's history is held at a time, and the file needs a place on the disk.
fn has_room(target: &Path, panel: Panel, format: &Format) -> Result<(), Failure> {
    let refuse = |what: String| {
        let place = target.display();
        Err(Failure::Input(format!("--events {place}: {what}")))
    };
    // Each thing shown is an impression and a reaction.
    let rows = panel.shown.saturating_mul(2);
    let needed = rows.saturating_mul(size_of::<Event>() as u64 + NAME);
    if let Some(free) = super::room::memory()
        && needed > free
    {
        return refuse(format!(
            "one person's {} rows need about {} of memory, and {} are available; fewer --steps are needed",
            thousands(rows),
            super::room::bytes(needed),
            super::room::bytes(free)
        ));
    }
    let row = match format {
        Format::Parquet => PARQUET_ROW,
        Format::Json => JSON_ROW,
    };
    let needed = rows.saturating_mul(panel.people).saturating_mul(row);
    if let Some(free) = super::room::disk(target)
        && needed > free
    {
        return refuse(format!(
            "a panel of {} people with {} rows each needs at least {} on the disk, and {} are free; \
             make panel smaller in the scenario, or take fewer --steps",
            thousands(panel.people),
            thousands(rows),
            super::room::bytes(needed),
            super::room::bytes(free)
        ));
    }
    Ok(())
}
