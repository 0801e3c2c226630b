//! Days of the record as Parquet: a day's JSON Lines file, once it has been still for half an hour, becomes
//! `DATE.parquet`, or is added to it. Conversations are told apart by their ids, so that a step that a
//! killed process left half done is done again without doubling a row.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::{BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use driftlead_record::write::{WriteError, Writer};
use driftlead_record::{Conversation, Options, ReadError, read};

use super::events::private_file;

/// How long a file must not have been written to.
const STILL: Duration = Duration::from_secs(30 * 60);

/// Why a day stays as it is.
#[derive(Debug, thiserror::Error)]
pub(super) enum PackError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// JSON Lines files that are due: all of them, or those that are still.
pub(super) fn due(folder: &Path, all: bool) -> std::io::Result<Vec<PathBuf>> {
    let now = SystemTime::now();
    let mut due = files(folder, "jsonl", false)?;
    due.retain(|path| {
        let written = std::fs::metadata(path).and_then(|meta| meta.modified());
        // A clock that was set back must not keep a file open for ever.
        all || written.is_ok_and(|at| now.duration_since(at).map_or(true, |age| age >= STILL))
    });
    Ok(due)
}

/// Files of the folder with an extension, by name; the hidden ones or the others.
pub(super) fn files(folder: &Path, extension: &str, hidden: bool) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if name.is_some_and(|name| name.starts_with('.') == hidden)
            && path.extension().is_some_and(|e| e == extension)
        {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Puts a file out of the way of the writer, under a hidden name, which readers of the folder skip: its
/// rows are nowhere for as long as [`pack`] takes, and never twice.
pub(super) fn set_aside(path: &Path) -> std::io::Result<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let aside = path.with_file_name(format!(".{name}"));
    std::fs::rename(path, &aside)?;
    Ok(aside)
}

/// Adds a file that was set aside to its day's Parquet file, and removes it.
pub(super) fn pack(aside: &Path, text: bool) -> Result<(), PackError> {
    let name = aside.file_name().unwrap_or_default().to_string_lossy();
    let day = aside
        .with_file_name(name.trim_start_matches('.'))
        .with_extension("parquet");
    let mut all = conversations(&day)?;
    let known: BTreeSet<_> = all.iter().map(|c| c.id.clone()).collect();
    let new = conversations(aside)?;
    all.extend(new.into_iter().filter(|c| !known.contains(&c.id)));
    replace(&day, &all, text)?;
    wipe(aside)?;
    std::fs::remove_file(aside)?;
    Ok(())
}

/// Rewrites a Parquet file without a person's rows; how many conversations there were.
pub(super) fn without(path: &Path, person: &str, text: bool) -> Result<u64, PackError> {
    let mut all = conversations(path)?;
    let before = all.len();
    all.retain(|conversation| conversation.person.as_deref() != Some(person));
    let removed = before - all.len();
    if removed > 0 {
        replace(path, &all, text)?;
    }
    Ok(removed as u64)
}

/// What a file holds; nothing where there is none.
fn conversations(path: &Path) -> Result<Vec<Conversation>, PackError> {
    let mut all = Vec::new();
    if path.exists() && std::fs::metadata(path)?.len() > 0 {
        read(&[path.to_owned()], &Options::default(), &mut all)?;
    }
    Ok(all)
}

/// Writes a file beside the old one, and puts it in its place when it is whole.
fn replace(path: &Path, all: &[Conversation], text: bool) -> Result<(), PackError> {
    let beside = path.with_extension("parquet.new");
    let file = private_file(&beside)?;
    file.set_len(0)?;
    let mut out = BufWriter::new(file);
    let mut writer = Writer::parquet(&mut out, text)?;
    writer.write(all)?;
    writer.finish()?;
    out.flush()?;
    out.get_ref().sync_all()?;
    if path.exists() {
        wipe(path)?;
    }
    std::fs::rename(&beside, path)?;
    Ok(())
}

/// Overwrites what is let go.
pub(super) fn wipe(path: &Path) -> std::io::Result<()> {
    let mut old = OpenOptions::new().write(true).open(path)?;
    let length = old.metadata()?.len();
    std::io::copy(&mut std::io::repeat(0).take(length), &mut old)?;
    old.sync_all()
}
