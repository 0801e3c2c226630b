//! The common record, written as conversations end: one JSON Lines file per day, which `driftlead me` and
//! `driftlead record` read as they read any other record; where Parquet is asked for, days become that.
//!
//! Rows are those of people who consented to keep them, under a pseudonym, without text unless the
//! operator asked for it. A conversation is written whole, into the file of the day on which it began. A
//! process that is killed loses the conversations under way, and cuts no line of those before.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use driftlead_record::write::{WriteError, Writer};
use driftlead_record::{Conversation, Time, civil};

use super::daily::{self, PackError};
use super::settings::RecordFormat;

/// A folder of records.
#[derive(Debug)]
pub(super) struct Events {
    folder: PathBuf,
    text: bool,
    format: RecordFormat,
    /// One writer at a time; the days whose file is known to end in a whole line.
    whole: Mutex<BTreeSet<i32>>,
    /// Held while days are packed or a person is taken out, which cannot cross. Taken before `whole`.
    packing: Mutex<()>,
}

impl Events {
    /// Makes the folder.
    pub(super) fn open(folder: &Path, text: bool, format: RecordFormat) -> std::io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Events {
            folder: folder.to_owned(),
            text,
            format,
            whole: Mutex::default(),
            packing: Mutex::default(),
        })
    }

    /// Where days become Parquet: packs what is due, or all of it at the end. What cannot be packed stays
    /// as it is, and readable.
    pub(super) fn pack(&self, all: bool) -> Result<(), PackError> {
        if self.format == RecordFormat::JsonLines {
            return Ok(());
        }
        let _one = self.packing.lock().unwrap_or_else(PoisonError::into_inner);
        for path in daily::due(&self.folder, all)? {
            let mut whole = self.whole.lock().unwrap_or_else(PoisonError::into_inner);
            let mut file = private_file(&path)?;
            let end = file.seek(SeekFrom::End(0))?;
            cut_torn(&mut file, end)?;
            daily::set_aside(&path)?;
            // Rows of these days to come begin new files.
            whole.clear();
        }
        // Among them what an earlier process left.
        for aside in daily::files(&self.folder, "jsonl", true)? {
            daily::pack(&aside, self.text)?;
        }
        Ok(())
    }

    pub(super) fn text(&self) -> bool {
        self.text
    }

    /// Adds a conversation that began at `started`, µs since 1970 UTC.
    pub(super) fn write(&self, of: &Conversation, started: i64) -> Result<(), WriteError> {
        let day = Time::exact(started).day();
        let mut whole = self.whole.lock().unwrap_or_else(PoisonError::into_inner);
        let mut file = private_file(&self.day(day))?;
        let mut end = file.seek(SeekFrom::End(0))?;
        if whole.insert(day) {
            end = cut_torn(&mut file, end)?;
        }
        let mut lines = Vec::new();
        let mut writer = Writer::json_lines(&mut lines, self.text)?;
        writer.write(std::slice::from_ref(of))?;
        writer.finish()?;
        // A file has one header line, at its start.
        let from = if end == 0 {
            0
        } else {
            lines
                .iter()
                .position(|b| *b == b'\n')
                .map_or(0, |at| at + 1)
        };
        file.seek(SeekFrom::Start(end))?;
        if let Err(error) = file.write_all(lines.get(from..).unwrap_or_default()) {
            // What a full disk took goes again.
            let _ = file.set_len(end);
            return Err(error.into());
        }
        Ok(())
    }

    /// Removes every row of a person, by pseudonym; how many there were.
    pub(super) fn erase(&self, pseudonym: &str) -> Result<u64, PackError> {
        let _packing = self.packing.lock().unwrap_or_else(PoisonError::into_inner);
        let _one = self.whole.lock().unwrap_or_else(PoisonError::into_inner);
        let own = format!("\"person\":\"{pseudonym}\"");
        let mut removed = 0;
        for hidden in [false, true] {
            for path in daily::files(&self.folder, "jsonl", hidden)? {
                removed += without(&path, &own)?;
            }
        }
        for path in daily::files(&self.folder, "parquet", false)? {
            removed += daily::without(&path, pseudonym, self.text)?;
        }
        Ok(removed)
    }

    fn day(&self, day: i32) -> PathBuf {
        self.folder.join(format!("{}.jsonl", civil(day)))
    }
}

/// Opens a file that nobody else reads, new or not.
pub(super) fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Cuts what follows the last line end: a killed process left it.
fn cut_torn(file: &mut File, end: u64) -> std::io::Result<u64> {
    const STEP: u64 = 1 << 16;
    let mut at = end;
    while at > 0 {
        let from = at.saturating_sub(STEP);
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        (&mut *file).take(at - from).read_to_end(&mut bytes)?;
        if let Some(last) = bytes.iter().rposition(|b| *b == b'\n') {
            let whole = from + last as u64 + 1;
            file.set_len(whole)?;
            return Ok(whole);
        }
        at = from;
    }
    file.set_len(0)?;
    Ok(0)
}

/// Rewrites a file without the lines that hold `own`, if it has any.
fn without(path: &Path, own: &str) -> std::io::Result<u64> {
    let mut kept = Vec::new();
    let mut removed = 0;
    for line in BufReader::new(File::open(path)?).split(b'\n') {
        let line = line?;
        if memchr::memmem::find(&line, own.as_bytes()).is_some() {
            removed += 1;
        } else {
            kept.extend_from_slice(&line);
            kept.push(b'\n');
        }
    }
    if removed > 0 {
        let beside = path.with_extension("jsonl.new");
        let mut file = private_file(&beside)?;
        file.set_len(0)?;
        file.write_all(&kept)?;
        file.sync_all()?;
        // The old bytes are overwritten before they are let go.
        daily::wipe(path)?;
        std::fs::rename(&beside, path)?;
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use driftlead_record::{Event, Format, Options, Role, read};

    use super::*;

    fn conversation(person: &str, id: &str, text: &str) -> Conversation {
        let mut event = Event::message(format!("{id}-0"), Role::Person, text);
        event.time = Some(Time::exact(1_700_000_000_000_000));
        Conversation {
            deployment: "gate".into(),
            person: Some(person.into()),
            id: id.into(),
            source: "gateway".into(),
            format: Format::Driftlead,
            events: vec![event],
        }
    }

    fn read_back(folder: &Path) -> Vec<Conversation> {
        let mut all: Vec<Conversation> = Vec::new();
        read(&[folder.to_owned()], &Options::default(), &mut all).unwrap();
        all
    }

    #[test]
    fn a_day_is_a_record_that_reads_back_and_a_person_can_be_taken_out() {
        let folder = tempfile::tempdir().unwrap();
        let at = 1_700_000_000_000_000;
        let events = Events::open(folder.path(), true, RecordFormat::JsonLines).unwrap();
        events.write(&conversation("a", "c1", "one"), at).unwrap();
        events.write(&conversation("b", "c2", "two"), at).unwrap();
        drop(events);
        let path = folder.path().join("2023-11-14.jsonl");
        let mut torn = OpenOptions::new().append(true).open(&path).unwrap();
        torn.write_all(b"{\"deployment\":\"ga").unwrap();
        let events = Events::open(folder.path(), true, RecordFormat::JsonLines).unwrap();
        events.write(&conversation("a", "c3", "three"), at).unwrap();
        let found = read_back(folder.path());
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].events[0].text.as_deref(), Some("one"));
        assert_eq!(events.erase("a").unwrap(), 2);
        assert_eq!(events.erase("a").unwrap(), 0);
        let left = read_back(folder.path());
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].person.as_deref(), Some("b"));
    }
    #[test]
    fn a_day_becomes_parquet_and_a_later_conversation_is_added() {
        let folder = tempfile::tempdir().unwrap();
        let at = 1_700_000_000_000_000;
        let events = Events::open(folder.path(), true, RecordFormat::Parquet).unwrap();
        events.write(&conversation("a", "c1", "one"), at).unwrap();
        events.write(&conversation("b", "c2", "two"), at).unwrap();
        let lines = read_back(folder.path());
        events.pack(false).unwrap();
        assert_eq!(names(folder.path()), ["2023-11-14.jsonl"], "not still yet");
        // A process that was killed behind the first step, and one behind the last but one.
        let jsonl = folder.path().join("2023-11-14.jsonl");
        let copy = std::fs::read(&jsonl).unwrap();
        events.pack(true).unwrap();
        assert_eq!(names(folder.path()), ["2023-11-14.parquet"]);
        std::fs::write(folder.path().join(".2023-11-14.jsonl"), copy).unwrap();
        drop(events);
        let events = Events::open(folder.path(), true, RecordFormat::Parquet).unwrap();
        events.write(&conversation("a", "c3", "three"), at).unwrap();
        events.pack(true).unwrap();
        let packed = read_back(folder.path());
        assert_eq!(packed.len(), 3);
        for (line, row) in lines.iter().zip(&packed) {
            assert_eq!((&line.person, &line.id), (&row.person, &row.id));
            let (line, row) = (&line.events[0], &row.events[0]);
            assert_eq!(
                (&line.text, line.time, &line.id),
                (&row.text, row.time, &row.id)
            );
        }
        assert_eq!(names(folder.path()), ["2023-11-14.parquet"]);
        assert_eq!(events.erase("a").unwrap(), 2);
        let left = read_back(folder.path());
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].person.as_deref(), Some("b"));
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}
