//! The one writer of a log file.
//!
//! Callers queue events and wait; nothing is dropped. Whoever finds the writer free writes everything
//! that is queued, with one system call, and answers. An answered event survives the end of the process,
//! however it ends; with [`Sync::Each`] it survives the loss of power.
//!
//! Writing to the operating system takes some microseconds, less than waking another thread to do it, so
//! the caller does it: one at a time, while the others wait without holding a thread. A disk flush takes
//! much longer, so with [`Sync::Each`] a thread of its own does it.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{self, Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, oneshot};

use super::key::random_bytes;
use super::verify::Header;
use super::{AuditError, Digest, Entry, Kind, SubjectKey, verify};
use crate::clock::Clock;

/// Events that may wait before callers do.
const WAITING: usize = 1024;
/// How long another gateway may still hold the file.
const PATIENCE: Duration = Duration::from_secs(2);

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

/// A log that is open for writing. Clones write to the same file; it is let go when all are dropped.
#[derive(Clone)]
pub struct Log(Arc<Hands>);

/// What the clones of a log share.
struct Hands {
    desk: Arc<Desk>,
    /// The thread that writes, where callers do not.
    thread: Option<JoinHandle<()>>,
}

/// The queue, and whoever writes it down.
struct Desk {
    /// Only of callers that can await: they wait for a place when there are too many.
    places: Semaphore,
    queue: Mutex<VecDeque<Job>>,
    writer: Mutex<Writer>,
    writable: Arc<AtomicBool>,
    /// No event will come any more.
    over: AtomicBool,
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
    /// seals what is not about a person.
    ///
    /// # Errors
    /// [`AuditError::Broken`] for a file that does not verify, [`AuditError::InUse`] when another
    /// process holds it, [`AuditError::Io`].
    pub fn open(
        path: &Path,
        sync: Sync,
        key: SubjectKey,
        clock: Clock,
    ) -> Result<Self, AuditError> {
        let mut writer = Writer::open(path, sync, clock)?;
        writer.recover(&key)?;
        Self::start(writer)
    }

    fn start(writer: Writer) -> Result<Self, AuditError> {
        let sync = writer.sync;
        let file = writer.path.display().to_string();
        let desk = Arc::new(Desk {
            places: Semaphore::new(WAITING),
            queue: Mutex::default(),
            writable: Arc::clone(&writer.writable),
            writer: Mutex::new(writer),
            over: AtomicBool::new(false),
        });
        let thread = match sync {
            Sync::Process => None,
            Sync::Each => {
                let desk = Arc::clone(&desk);
                let thread = std::thread::Builder::new().name("audit".to_owned());
                let thread = thread.spawn(move || {
                    while !desk.over.load(Ordering::Acquire) {
                        desk.write_queued();
                        std::thread::park();
                    }
                    desk.write_queued();
                });
                Some(thread.map_err(|source| AuditError::Io { file, source })?)
            }
        };
        Ok(Log(Arc::new(Hands { desk, thread })))
    }

    /// Whether the last write succeeded.
    pub fn is_writable(&self) -> bool {
        self.0.desk.writable.load(Ordering::Acquire)
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
        self.append_behind(None, key, (kind, event)).await
    }

    /// As [`Self::append`], right behind another event about the same subject, where there is one: both
    /// are written at once, and the answer is that of the second.
    ///
    /// # Errors
    /// As there, if either could not be written.
    pub async fn append_behind(
        &self,
        first: Option<(Kind, Vec<u8>)>,
        key: &SubjectKey,
        (kind, event): (Kind, Vec<u8>),
    ) -> Result<Head, AuditError> {
        let place = self.0.desk.places.acquire().await;
        let _place = place.map_err(|_| AuditError::Closed)?;
        let (job, answered) = Job::new(kind, key, event);
        match first.map(|(kind, event)| Job::new(kind, key, event)) {
            None => self.0.hand_over([job]),
            Some((first, written)) => {
                self.0.hand_over([first, job]);
                written.await.map_err(|_| AuditError::Closed)??;
            }
        }
        answered.await.map_err(|_| AuditError::Closed)?
    }

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
            self.0.hand_over([job]);
            answered.blocking_recv().map_err(|_| AuditError::Closed)?
        };
        std::thread::scope(|scope| scope.spawn(wait).join()).map_err(|_| AuditError::Closed)?
    }
}

impl Hands {
    fn hand_over(&self, jobs: impl IntoIterator<Item = Job>) {
        lock(&self.desk.queue).extend(jobs);
        match &self.thread {
            Some(thread) => thread.thread().unpark(),
            None => self.desk.write_queued(),
        }
    }
}

impl Drop for Hands {
    fn drop(&mut self) {
        self.desk.over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // Nobody waits for an answer any more, so at most one flush is left.
            let _ = thread.join();
        }
    }
}

impl Desk {
    /// Writes what is queued, unless somebody is writing: they look again when they are done. A job that is
    /// queued while the writer is taken is seen by whoever has it, because they look at the queue after
    /// they gave the writer back.
    fn write_queued(&self) {
        while !lock(&self.queue).is_empty() {
            let mut writer = match self.writer.try_lock() {
                Ok(writer) => writer,
                Err(sync::TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(sync::TryLockError::WouldBlock) => return,
            };
            let group = std::mem::take(&mut *lock(&self.queue));
            writer.write(group);
        }
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Writer {
    file: File,
    path: PathBuf,
    sync: Sync,
    clock: Clock,
    /// Bytes that are known to be good.
    bytes: u64,
    /// Whether the next write goes behind them by itself.
    in_place: bool,
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
            in_place: false,
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
    fn write(&mut self, jobs: impl IntoIterator<Item = Job>) {
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
        let mut lines = Vec::new();
        for entry in entries {
            entry.push_line(&mut lines);
            lines.push(b'\n');
        }
        let result = self.put_bytes(&lines);
        self.in_place = result.is_ok();
        match &result {
            Ok(()) => self.bytes += lines.len() as u64,
            // What a full disk took of the line goes again; should that fail too, the next start
            // finds a torn record.
            Err(_) => drop(self.file.set_len(self.bytes)),
        }
        result
    }

    fn put_bytes(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        if !self.in_place {
            self.file.seek(SeekFrom::Start(self.bytes))?;
        }
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
