//! ZIP archives: which members may be opened, and their bytes.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use zip::ZipArchive;
use zip::result::ZipError;

use super::limit::{Declared, MEMBERS};
use super::{Found, Item, problem, unreadable};
use crate::Reason;
use crate::error::Problem;

const ASK_AGAIN: &str = "Download the export again, or unpack it and name the folder";

/// Lists the members of an archive that may be opened, and accounts for the others.
pub(super) fn list(path: &Path, root: usize, found: &mut Found) -> Result<(), Problem> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|e| unreadable(path, &e))?;
    let file = SharedFile {
        file: Arc::new(Mutex::new(file)),
        at: 0,
    };
    let mut archive = ZipArchive::new(file).map_err(|e| broken(&name, &e))?;
    if archive.len() > MEMBERS {
        return Err(problem(
            &name,
            "the archive holds more than 100,000 members",
            ASK_AGAIN,
        ));
    }
    // The reading library keeps one of two members of a name; which one is meant is not for us to say.
    if archive.has_duplicate_names() {
        return Err(problem(
            &name,
            "the archive holds two members of one name",
            ASK_AGAIN,
        ));
    }
    let shared = archive.clone();
    for index in 0..archive.len() {
        let member = archive.by_index_raw(index).map_err(|e| broken(&name, &e))?;
        let own = member
            .name()
            .map_or_else(|_| "(unreadable name)".to_owned(), |n| n.into_owned());
        if member.is_dir() {
            continue;
        }
        if let Some(what) = refusal(&own, member.encrypted(), member.is_symlink()) {
            found.skipped.skip(Reason::Refused);
            found
                .refused
                .push(problem(&format!("{name}!{own}"), what, "It was not opened"));
            continue;
        }
        let declared = Declared {
            compressed: member.compressed_size(),
            size: member.size(),
        };
        found.items.push(Item {
            name: format!("{name}!{own}").into(),
            path: path.to_owned(),
            member: Some(Member {
                archive: shared.clone(),
                index,
                declared,
            }),
            is_named: false,
            size: declared.size,
            root,
        });
    }
    Ok(())
}

fn refusal(name: &str, is_encrypted: bool, is_link: bool) -> Option<&'static str> {
    let mut parts = name.split(['/', '\\']);
    let is_absolute = name.starts_with(['/', '\\']) || name.get(1..2) == Some(":");
    let lower = name.to_ascii_lowercase();
    if is_encrypted {
        Some("the member is encrypted")
    } else if is_link {
        Some("the member is a link")
    } else if is_absolute {
        Some("the member has an absolute name")
    } else if parts.any(|p| p == "..") {
        Some("the member's name climbs out of the archive")
    } else if [".zip", ".gz", ".7z", ".rar", ".tar", ".tgz"]
        .iter()
        .any(|e| lower.ends_with(e))
    {
        Some("the member is an archive itself")
    } else {
        None
    }
}

fn broken(name: &str, error: &ZipError) -> Problem {
    let what = match error {
        ZipError::Io(e) => format!("the archive cannot be read ({e})"),
        _ => "the archive is cut short or damaged: its directory cannot be read".to_owned(),
    };
    problem(name, &what, ASK_AGAIN)
}

/// A file that members share: each keeps its own place, none its own handle.
#[derive(Debug, Clone)]
struct SharedFile {
    file: Arc<Mutex<File>>,
    at: u64,
}

impl Read for SharedFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // A panic of another reader leaves no state behind: every read seeks first.
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.at))?;
        let n = file.read(buffer)?;
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for SharedFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.at))?;
        self.at = file.seek(to)?;
        Ok(self.at)
    }
}

/// A member by its place in the directory. The directory is parsed once and shared.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    archive: ZipArchive<SharedFile>,
    index: usize,
    declared: Declared,
}

impl Member {
    pub(super) fn declared(&self) -> Declared {
        self.declared
    }

    /// The first `n` bytes.
    pub(super) fn head(&self, n: u64) -> io::Result<Vec<u8>> {
        let mut archive = self.archive.clone();
        let mut head = Vec::new();
        archive
            .by_index(self.index)?
            .take(n)
            .read_to_end(&mut head)?;
        Ok(head)
    }

    /// All bytes. A thread decompresses ahead of the reader, so that decompression and splitting
    /// overlap.
    pub(super) fn stream(&self) -> io::Result<Stream> {
        let (mut archive, index) = (self.archive.clone(), self.index);
        let (sender, receiver) = sync_channel(4);
        let inflate = move || match archive.by_index(index) {
            Ok(mut member) => pump(&mut member, &sender),
            Err(e) => {
                // The reader may have gone; there is nobody else to tell.
                sender.send(Err(io::Error::other(e.to_string()))).ok();
            }
        };
        std::thread::Builder::new()
            .name("inflate".to_owned())
            .spawn(inflate)?;
        Ok(Stream {
            receiver,
            chunk: Vec::new(),
            at: 0,
        })
    }
}

fn pump(member: &mut dyn Read, sender: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut chunk = Vec::with_capacity(1 << 18);
        let read = member.take(1 << 18).read_to_end(&mut chunk);
        let is_end = chunk.is_empty() || read.is_err();
        if !chunk.is_empty() && sender.send(Ok(chunk)).is_err() {
            return;
        }
        if let Err(e) = read {
            sender.send(Err(e)).ok();
        }
        if is_end {
            return;
        }
    }
}

/// Reads what the decompressing thread sends.
pub(super) struct Stream {
    receiver: Receiver<io::Result<Vec<u8>>>,
    chunk: Vec<u8>,
    at: usize,
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.chunk.len() {
            match self.receiver.recv() {
                Ok(chunk) => (self.chunk, self.at) = (chunk?, 0),
                Err(_) => return Ok(0),
            }
        }
        let n = self.chunk.get(self.at..).unwrap_or_default().read(buffer)?;
        self.at += n;
        Ok(n)
    }
}
