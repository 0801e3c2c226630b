//! The one writer of a log file.
//!
//! Callers hand over events through a bounded channel and wait; nothing is dropped when it is full.
//! The writer takes all that is waiting, writes it with one system call and answers. An answered event
//! survives the end of the process, however it ends; with [`Sync::Each`] it survives the loss of power.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use super::key::random_bytes;
use super::verify::Header;
use super::{AuditError, Digest, Entry, Kind, SubjectKey, verify};
use crate::clock::Clock;

/// Events that may wait before callers do.
const WAITING: usize = 1024;
/// How long another gateway may still hold the file.
const PATIENCE: Duration = Duration::from_secs(2);
/// Events written together at most.
const GROUP: usize = 256;

/// How far an answered event has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[derive(schemars::JsonSchema)]
pub enum Sync {
    /// With the operating system: safe from the end of the process.
    #[default]
    Process,
    /// On the disk: safe from the loss of power, at the price of a disk flush per group.
    Each,
}

/// Where the chain stood after an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Sequence number of the event's entry.
    pub seq: u64,
    /// Its hash.
    pub hash: Digest,
}

struct Job {
    kind: Kind,
    key: SubjectKey,
    event: Vec<u8>,
    answer: oneshot::Sender<Result<Head, AuditError>>,
}

impl Job {
    /// The job, and where its answer comes.
    fn new(
        kind: Kind,
        key: &SubjectKey,
        event: Vec<u8>,
    ) -> (Self, oneshot::Receiver<Result<Head, AuditError>>) {
        let (answer, answered) = oneshot::channel();
        let job = Job {
            kind,
            key: key.clone(),
            event,
            answer,
        };
        (job, answered)
    }
}

/// A log that is open for writing. Clones write to the same file.
#[derive(Clone)]
pub struct Log {
    jobs: mpsc::Sender<Job>,
    writable: Arc<AtomicBool>,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log")
            .field("writable", &self.is_writable())
            .finish_non_exhaustive()
    }
}

impl Log {
    /// Opens or creates a log. The whole chain is verified first; a torn last record, left by a
    /// process that was killed, is cut off and said so in the log. `key` is the gateway's own: it
    /// seals what is not about a person. The returned handle ends when all clones are dropped.
    ///
    /// # Errors
    /// [`AuditError::Broken`] for a file that does not verify, [`AuditError::InUse`] when another
    /// process holds it, [`AuditError::Io`].
    pub fn open(
        path: &Path,
        sync: Sync,
        key: SubjectKey,
        clock: Clock,
    ) -> Result<(Self, JoinHandle<()>), AuditError> {
        let mut writer = Writer::open(path, sync, clock)?;
        writer.recover(&key)?;
        Self::start(writer)
    }

    fn start(mut writer: Writer) -> Result<(Self, JoinHandle<()>), AuditError> {
        let (jobs, mut queue) = mpsc::channel::<Job>(WAITING);
        let log = Log {
            jobs,
            writable: Arc::clone(&writer.writable),
        };
        let file = writer.path.display().to_string();
        let thread = std::thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || {
                let mut group = Vec::with_capacity(GROUP);
                while queue.blocking_recv_many(&mut group, GROUP) > 0 {
                    writer.write(group.drain(..));
                }
            })
            .map_err(|source| AuditError::Io { file, source })?;
        Ok((log, thread))
    }

    /// Whether the last write succeeded.
    pub fn is_writable(&self) -> bool {
        self.writable.load(Ordering::Acquire)
    }

    /// Adds an event and waits until it is written.
    ///
    /// # Errors
    /// [`AuditError::Io`] when the disk refused it (the log is as before then, and the next event is
    /// tried afresh), [`AuditError::Closed`].
    pub async fn append(
        &self,
        kind: Kind,
        key: &SubjectKey,
        event: Vec<u8>,
    ) -> Result<Head, AuditError> {
        let (job, answered) = Job::new(kind, key, event);
        self.jobs.send(job).await.map_err(|_| AuditError::Closed)?;
        answered.await.map_err(|_| AuditError::Closed)?
    }
}

impl Log {
    /// As [`Self::append`], for callers that cannot await. It waits on a thread of its own, because a
    /// runtime's threads must not wait.
    ///
    /// # Errors
    /// As there.
    pub fn append_blocking(
        &self,
        kind: Kind,
        key: &SubjectKey,
        event: Vec<u8>,
    ) -> Result<Head, AuditError> {
        let (job, answered) = Job::new(kind, key, event);
        let wait = || {
            let sent = self.jobs.blocking_send(job);
            sent.map_err(|_| AuditError::Closed)?;
            answered.blocking_recv().map_err(|_| AuditError::Closed)?
        };
        std::thread::scope(|scope| scope.spawn(wait).join()).map_err(|_| AuditError::Closed)?
    }
}

struct Writer {
    file: File,
    path: PathBuf,
    sync: Sync,
    clock: Clock,
    /// Bytes that are known to be good.
    bytes: u64,
    torn: u64,
    seq: u64,
    time: i64,
    head: Digest,
    writable: Arc<AtomicBool>,
}

impl Writer {
    fn open(path: &Path, sync: Sync, clock: Clock) -> Result<Self, AuditError> {
        let name = || path.display().to_string();
        let io = |source| AuditError::Io {
            file: name(),
            source,
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(io)?;
        let end = Instant::now() + PATIENCE;
        // One that is just ending gets a moment to let go.
        while let Err(error) = file.try_lock() {
            match error {
                TryLockError::WouldBlock if Instant::now() < end => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                TryLockError::WouldBlock => return Err(AuditError::InUse { file: name() }),
                TryLockError::Error(source) => return Err(io(source)),
            }
        }
        if !has_header(path, &file).map_err(io)? {
            let header = Header {
                driftlead_audit: 1,
                chain: Digest(random_bytes()?).to_string(),
            };
            file.set_len(0).map_err(io)?;
            file.write_all(format!("{}\n", header.line()).as_bytes())
                .map_err(io)?;
            file.sync_all().map_err(io)?;
        }
        let found = verify(path)?;
        Ok(Writer {
            file,
            path: path.to_owned(),
            sync,
            clock,
            bytes: found.bytes,
            torn: found.torn,
            seq: found.entries,
            time: found.span.map_or(i64::MIN, |(_, last)| last),
            head: found.head,
            writable: Arc::new(AtomicBool::new(true)),
        })
    }

    /// Cuts off a torn record and says so.
    fn recover(&mut self, key: &SubjectKey) -> Result<(), AuditError> {
        if self.torn == 0 {
            return Ok(());
        }
        let event = format!(r#"{{"torn_bytes":{}}}"#, self.torn);
        let entry = self.seal(Kind::Recovery, key, event.as_bytes())?;
        self.put(&[entry]).map_err(|source| self.io(source))?;
        self.torn = 0;
        Ok(())
    }

    /// Writes a group and answers.
    fn write(&mut self, jobs: impl Iterator<Item = Job>) {
        let (before_seq, before_time, before_head) = (self.seq, self.time, self.head);
        let mut entries = Vec::new();
        let mut answers = Vec::new();
        for job in jobs {
            match self.seal(job.kind, &job.key, &job.event) {
                Ok(entry) => {
                    let head = Head {
                        seq: entry.seq,
                        hash: entry.hash,
                    };
                    entries.push(entry);
                    answers.push((job.answer, head));
                }
                Err(error) => drop(job.answer.send(Err(error))),
            }
        }
        let written = self.put(&entries);
        self.writable.store(written.is_ok(), Ordering::Release);
        if written.is_err() {
            (self.seq, self.time, self.head) = (before_seq, before_time, before_head);
        }
        for (answer, head) in answers {
            // Whoever asked may be gone; the entry stands all the same.
            let _ = answer.send(match &written {
                Ok(()) => Ok(head),
                Err(source) => Err(self.io(std::io::Error::new(source.kind(), source.to_string()))),
            });
        }
    }

    fn seal(&mut self, kind: Kind, key: &SubjectKey, event: &[u8]) -> Result<Entry, AuditError> {
        // A clock that was set back must not make the chain look reordered.
        let time = self.clock.now_micros().max(self.time);
        let entry = Entry::seal(self.seq + 1, time, kind, key, event, self.head)?;
        self.seq = entry.seq;
        self.time = time;
        self.head = entry.hash;
        Ok(entry)
    }

    /// Writes whole lines behind the last good byte, or leaves the file as it was.
    fn put(&mut self, entries: &[Entry]) -> std::io::Result<()> {
        let mut lines = String::new();
        for entry in entries {
            lines.push_str(&entry.to_line());
            lines.push('\n');
        }
        let result = self.put_bytes(lines.as_bytes());
        match &result {
            Ok(()) => self.bytes += lines.len() as u64,
            // What a full disk took of the line goes again; should that fail too, the next start
            // finds a torn record.
            Err(_) => drop(self.file.set_len(self.bytes)),
        }
        result
    }

    fn put_bytes(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.file.seek(SeekFrom::Start(self.bytes))?;
        self.file.write_all(bytes)?;
        // A shorter record than the torn one that it replaces must not leave the rest standing.
        if self.torn > 0 {
            self.file.set_len(self.bytes + bytes.len() as u64)?;
        }
        match self.sync {
            Sync::Process => Ok(()),
            Sync::Each => self.file.sync_data(),
        }
    }

    fn io(&self, source: std::io::Error) -> AuditError {
        AuditError::Io {
            file: self.path.display().to_string(),
            source,
        }
    }
}

/// Whether the first line is complete. A process killed while it created the file leaves less.
fn has_header(path: &Path, file: &File) -> std::io::Result<bool> {
    if file.metadata()?.len() > 4096 {
        return Ok(true);
    }
    Ok(std::fs::read(path)?.contains(&b'\n'))
}

#[cfg(test)]
mod tests;
