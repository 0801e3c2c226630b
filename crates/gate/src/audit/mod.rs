//! The audit log: what was decided, when, under which consent and with which propensity; readable by
//! the person, verifiable by anyone, and unreadable once the person is erased.
//!
//! One append-only file per gateway, one JSON line per entry. Each entry commits to a salted event and
//! to the entry before it; the event itself is sealed under the key of its subject. Erasing a subject
//! destroys the key: the chain still verifies, and what remains are times, kinds and the number of
//! entries. The head of the chain is printed in every receipt, so that the people who hold receipts are
//! witnesses against a rewritten file.
//!
//! Not in the log: message text, API keys, addresses of upstreams, ids of subjects.

mod entry;
mod key;
mod log;
mod verify;

pub(crate) use entry::hex;
pub use entry::{Digest, Entry, Kind};
pub use key::SubjectKey;
pub(crate) use key::random_bytes;
pub use log::{Head, Log, Sync};
pub(crate) use verify::chain_name;
pub use verify::{Verified, Witness, verify, verify_against, walk};

/// Why the log could not be written, read or trusted.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    Randomness,
    /// A sealed payload does not open.
    #[error("a sealed payload does not open: it was changed, moved, or belongs to another key")]
    Sealed,
    /// A payload holds another event than the one committed to.
    #[error("a payload is not the event that was committed to")]
    Commitment,
    /// A line is not an entry in its one accepted spelling.
    #[error("not an entry of an audit log")]
    Malformed,
    /// The file as a whole is wrong.
    #[error("{file}, line {line}: {what}")]
    Broken {
        /// The file.
        file: String,
        /// Line, from 1.
        line: u64,
        /// What is wrong there.
        what: &'static str,
    },
    /// A receipt witnesses another log than this.
    #[error(
        "{file}: a receipt says otherwise about entry {entry}: it is not there, or it is another one"
    )]
    NotWitnessed {
        /// The file.
        file: String,
        /// The entry that the receipt names.
        entry: u64,
    },
    /// A receipt is of another log than this.
    #[error("{file}: a receipt is of the log {log} of another gateway, and this one is {chain}")]
    OtherLog {
        /// The file.
        file: String,
        /// Name of the log that the receipt is of.
        log: String,
        /// Name of this one.
        chain: String,
    },
    /// Another process writes this file.
    #[error("{file} is in use by another gateway")]
    InUse {
        /// The file.
        file: String,
    },
    /// Reading or writing failed.
    #[error("{file}: {source}")]
    Io {
        /// The file.
        file: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The writer has ended.
    #[error("the audit log is closed")]
    Closed,
}
