//! Re-deriving a chain from its file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{AuditError, Digest, Entry, Kind};

/// Longest line that is read: far above any entry, far below memory.
const LONGEST_LINE: u64 = 1 << 20;

/// First line of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    /// Version of the format.
    pub(super) driftlead_audit: u32,
    /// Random name of the chain, hexadecimal.
    pub(super) chain: String,
}

impl Header {
    pub(super) fn line(&self) -> String {
        format!(
            r#"{{"driftlead_audit":{},"chain":"{}"}}"#,
            self.driftlead_audit, self.chain
        )
    }

    /// What stands before the first entry.
    pub(super) fn genesis(&self) -> Digest {
        Digest::of(&[b"driftlead/chain/1", self.chain.as_bytes()])
    }
}

/// A file whose chain holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Name of the chain.
    pub chain: String,
    /// Entries.
    pub entries: u64,
    /// Entries by kind.
    pub kinds: BTreeMap<Kind, u64>,
    /// Microseconds since 1970 of the first and the last entry.
    pub span: Option<(i64, i64)>,
    /// Hash of the last entry, or what stands before the first.
    #[serde(serialize_with = "as_text")]
    pub head: Digest,
    /// Bytes of the header and of whole entries.
    pub bytes: u64,
    /// Bytes after them: a record that was being written when the process was killed.
    pub torn: u64,
}

fn as_text<S: serde::Serializer>(digest: &Digest, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(digest)
}

/// Checks a file from its first to its last byte.
///
/// # Errors
/// [`AuditError::Broken`] with the line and what is wrong, [`AuditError::Io`] when it cannot be read. A
/// last line without its line end is not an error: see [`Verified::torn`].
pub fn verify(path: &Path) -> Result<Verified, AuditError> {
    walk(path, |_| {})
}

/// Checks a file and shows every entry that holds, in order.
///
/// # Errors
/// As [`verify`]; entries before the broken line have been shown then.
pub fn walk(path: &Path, mut see: impl FnMut(&Entry)) -> Result<Verified, AuditError> {
    let name = path.display().to_string();
    let io = |source| AuditError::Io {
        file: name.clone(),
        source,
    };
    let mut reader = BufReader::with_capacity(1 << 16, File::open(path).map_err(io)?);
    let mut number = 1;
    let broken = |line, what| AuditError::Broken {
        file: name.clone(),
        line,
        what,
    };
    let mut line = String::new();
    let header = match next(&mut reader, &mut line).map_err(|e| e.at(&name, number))? {
        Some(true) => serde_json::from_str::<Header>(&line)
            .ok()
            .filter(|h| h.line() == line)
            .ok_or_else(|| broken(1, "not the header of an audit log"))?,
        _ => return Err(broken(1, "no header: this is not an audit log")),
    };
    if header.driftlead_audit != 1 {
        return Err(broken(1, "written by another version of the format"));
    }
    let mut found = Verified {
        head: header.genesis(),
        bytes: line.len() as u64 + 1,
        chain: header.chain,
        entries: 0,
        kinds: BTreeMap::new(),
        span: None,
        torn: 0,
    };
    while let Some(whole) = next(&mut reader, &mut line).map_err(|e| e.at(&name, number + 1))? {
        number += 1;
        if !whole {
            found.torn = line.len() as u64;
            break;
        }
        let entry = Entry::from_line(&line).map_err(|_| broken(number, "not a valid entry"))?;
        if entry.seq != found.entries + 1 {
            return Err(broken(
                number,
                "an entry is missing, repeated or out of order",
            ));
        }
        if entry.prev != found.head {
            return Err(broken(number, "does not follow from the entry before"));
        }
        if entry.rehash() != entry.hash {
            return Err(broken(number, "was changed: its hash does not match"));
        }
        if found.span.is_some_and(|(_, last)| entry.time < last) {
            return Err(broken(number, "is earlier than the entry before"));
        }
        found.entries += 1;
        *found.kinds.entry(entry.kind).or_default() += 1;
        let first = found.span.map_or(entry.time, |(first, _)| first);
        found.span = Some((first, entry.time));
        found.head = entry.hash;
        found.bytes += line.len() as u64 + 1;
        see(&entry);
    }
    Ok(found)
}

/// The name of a file's chain.
pub(crate) fn chain_name(path: &Path) -> Result<String, AuditError> {
    let name = path.display().to_string();
    let mut reader = File::open(path)
        .map(BufReader::new)
        .map_err(|source| AuditError::Io {
            file: name.clone(),
            source,
        })?;
    let mut line = String::new();
    next(&mut reader, &mut line).map_err(|e| e.at(&name, 1))?;
    let header: Header = serde_json::from_str(&line).map_err(|_| AuditError::Broken {
        file: name,
        line: 1,
        what: "not the header of an audit log",
    })?;
    Ok(header.chain)
}

/// Where a receipt says that the log stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// Name of the log; receipts of early versions do not have it.
    pub log: Option<String>,
    /// The entry.
    pub entry: u64,
    /// Its hash.
    pub hash: Digest,
}

impl Witness {
    /// Reads it from a receipt's JSON; `None` where it holds none.
    pub fn of_receipt(json: &str) -> Option<Self> {
        let receipt: serde_json::Value = serde_json::from_str(json).ok()?;
        let witness = receipt.get("witness")?;
        Some(Witness {
            log: witness
                .get("log")
                .and_then(serde_json::Value::as_str)
                .map(str::to_owned),
            entry: witness.get("log_entry")?.as_u64()?,
            hash: witness.get("log_head")?.as_str()?.parse().ok()?,
        })
    }
}

/// Checks a file, and that it holds what receipts say it held.
///
/// # Errors
/// As [`verify`]; [`AuditError::OtherLog`] where a receipt names another log, [`AuditError::NotWitnessed`]
/// where a receipt and the file disagree.
pub fn verify_against(path: &Path, witnesses: &[Witness]) -> Result<Verified, AuditError> {
    let mut agree = vec![false; witnesses.len()];
    let found = walk(path, |entry| {
        for (witness, agrees) in witnesses.iter().zip(&mut agree) {
            *agrees |= witness.entry == entry.seq && witness.hash == entry.hash;
        }
    })?;
    let elsewhere = witnesses
        .iter()
        .filter_map(|witness| witness.log.as_ref())
        .find(|log| **log != found.chain);
    if let Some(log) = elsewhere {
        return Err(AuditError::OtherLog {
            file: path.display().to_string(),
            log: log.clone(),
            chain: found.chain,
        });
    }
    match witnesses.iter().zip(&agree).find(|(_, agrees)| !**agrees) {
        Some((witness, _)) => Err(AuditError::NotWitnessed {
            file: path.display().to_string(),
            entry: witness.entry,
        }),
        None => Ok(found),
    }
}

enum ReadError {
    Io(std::io::Error),
    TooLong,
    NotText,
}

impl ReadError {
    fn at(self, file: &str, line: u64) -> AuditError {
        let broken = |what| AuditError::Broken {
            file: file.to_owned(),
            line,
            what,
        };
        match self {
            ReadError::Io(source) => AuditError::Io {
                file: file.to_owned(),
                source,
            },
            ReadError::TooLong => broken("longer than any entry"),
            ReadError::NotText => broken("not text"),
        }
    }
}

/// Reads a line without its end. `Some(false)`: the file ends inside it; its bytes may be anything then.
fn next(reader: &mut impl BufRead, line: &mut String) -> Result<Option<bool>, ReadError> {
    let mut bytes = std::mem::take(line).into_bytes();
    bytes.clear();
    let mut limited = std::io::Read::take(&mut *reader, LONGEST_LINE);
    limited
        .read_until(b'\n', &mut bytes)
        .map_err(ReadError::Io)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    let whole = bytes.last() == Some(&b'\n');
    if whole {
        bytes.pop();
    } else if bytes.len() as u64 >= LONGEST_LINE {
        return Err(ReadError::TooLong);
    } else {
        // A torn record may end in the middle of anything; only its length matters.
        *line = "?".repeat(bytes.len());
        return Ok(Some(false));
    }
    *line = String::from_utf8(bytes).map_err(|_| ReadError::NotText)?;
    Ok(Some(whole))
}
