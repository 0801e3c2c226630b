//! One entry of the chain: what is hashed, and its line in the file.
//!
//! ```text
//! commit_i  = SHA-256("driftlead/commit/1" | salt_i | event_i)       salt_i: 32 random bytes
//! handle_i  = HMAC-SHA-256(key of the subject, seq_i)
//! payload_i = XChaCha20-Poly1305(key of the subject, seq_i, salt_i ‖ event_i)
//! hash_i    = SHA-256("driftlead/entry/1" | seq | time | kind | handle | commit | SHA-256(payload) | hash_{i−1})
//! ```
//!
//! `|` puts the length in front of each part, so no two lists of parts give the same bytes. The salt
//! keeps an event with few possible values (given, refused) from being guessed from its commitment.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::key::{NONCE, random_bytes};
use super::{AuditError, SubjectKey};

/// What an entry is about. Visible to whoever reads the file; the rest is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A gateway began to write here.
    Start,
    /// It ended in order.
    Stop,
    /// It found a torn last record and cut it off.
    Recovery,
    /// A change of consent.
    Consent,
    /// A person said that something landed wrong.
    Repair,
    /// A randomised choice, with its propensity.
    Decision,
    /// A policy came into force.
    Policy,
    /// The governor acted on a request or a reply.
    Act,
    /// A person exported what is kept about them.
    Export,
    /// A subject was erased; earlier entries of theirs can no longer be read.
    Erased,
    /// Numbers about a cohort were released, with their privacy cost.
    Release,
}

/// 32 bytes, written as hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// SHA-256 over the parts, each with its length in front.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Digest(hasher.finalize().into())
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Digest {
    type Err = AuditError;

    fn from_str(text: &str) -> Result<Self, AuditError> {
        let bytes = unhex(text).ok_or(AuditError::Malformed)?;
        bytes
            .try_into()
            .map(Digest)
            .map_err(|_| AuditError::Malformed)
    }
}

/// One entry. Its fields are public for readers; [`Entry::seal`] is the way to make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Place in the chain, from 1.
    pub seq: u64,
    /// Microseconds since 1970, UTC. Never less than the entry before.
    pub time: i64,
    /// What it is about.
    pub kind: Kind,
    /// Whose, to the holder of the key.
    pub handle: Digest,
    /// Commitment to the salted event.
    pub commit: Digest,
    /// The salted event, sealed.
    pub payload: Vec<u8>,
    /// Hash of the entry before.
    pub prev: Digest,
    /// Hash of this entry.
    pub hash: Digest,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    seq: u64,
    time: i64,
    kind: Kind,
    handle: &'a str,
    commit: &'a str,
    payload: &'a str,
    prev: &'a str,
    hash: &'a str,
}

impl Entry {
    /// Commits to `event` and seals it under `key`.
    ///
    /// # Errors
    /// [`AuditError::Randomness`] or [`AuditError::Sealed`].
    pub fn seal(
        seq: u64,
        time: i64,
        kind: Kind,
        key: &SubjectKey,
        event: &[u8],
        prev: Digest,
    ) -> Result<Self, AuditError> {
        // One call of the operating system for both.
        let (salt, nonce) = split(random_bytes()?);
        let salted = [&salt[..], event].concat();
        let mut entry = Entry {
            seq,
            time,
            kind,
            handle: key.handle(seq),
            commit: commitment(&salt, event),
            payload: key.seal_with(nonce, &seq.to_le_bytes(), &salted)?,
            prev,
            hash: prev,
        };
        entry.hash = entry.rehash();
        Ok(entry)
    }

    /// The hash that the other fields give.
    pub fn rehash(&self) -> Digest {
        Digest::of(&[
            b"driftlead/entry/1",
            &self.seq.to_le_bytes(),
            &self.time.to_le_bytes(),
            kind_name(self.kind).as_bytes(),
            &self.handle.0,
            &self.commit.0,
            &Digest::of(&[&self.payload]).0,
            &self.prev.0,
        ])
    }

    /// Whether `key` made this entry.
    pub fn belongs_to(&self, key: &SubjectKey) -> bool {
        key.handle(self.seq) == self.handle
    }

    /// The event, if `key` opens it and it is what was committed to.
    ///
    /// # Errors
    /// [`AuditError::Sealed`] when it does not open, [`AuditError::Commitment`] when it is another event.
    pub fn open(&self, key: &SubjectKey) -> Result<Vec<u8>, AuditError> {
        let salted = key.open(&self.seq.to_le_bytes(), &self.payload)?;
        let (salt, event) = salted
            .split_first_chunk::<32>()
            .ok_or(AuditError::Commitment)?;
        if commitment(salt, event) == self.commit {
            Ok(event.to_vec())
        } else {
            Err(AuditError::Commitment)
        }
    }

    /// The entry as its line, without the line end.
    pub fn to_line(&self) -> String {
        let mut line = Vec::new();
        self.push_line(&mut line);
        text(line)
    }

    /// Adds the bytes of the line.
    pub(super) fn push_line(&self, to: &mut Vec<u8>) {
        let mut number = |name: &str, number: &str| {
            to.extend_from_slice(name.as_bytes());
            to.extend_from_slice(number.as_bytes());
        };
        number("{\"seq\":", &self.seq.to_string());
        number(",\"time\":", &self.time.to_string());
        number(",\"kind\":\"", kind_name(self.kind));
        to.reserve(320 + 2 * self.payload.len());
        for (name, bytes) in [
            ("\",\"handle\":\"", &self.handle.0[..]),
            ("\",\"commit\":\"", &self.commit.0),
            ("\",\"payload\":\"", &self.payload),
            ("\",\"prev\":\"", &self.prev.0),
            ("\",\"hash\":\"", &self.hash.0),
        ] {
            to.extend_from_slice(name.as_bytes());
            push_hex(to, bytes);
        }
        to.extend_from_slice(b"\"}");
    }

    /// Reads a line. Exactly one spelling of an entry is accepted, so that no byte can be changed
    /// without notice.
    ///
    /// # Errors
    /// [`AuditError::Malformed`].
    pub fn from_line(line: &str) -> Result<Self, AuditError> {
        let fields: Line<'_> = serde_json::from_str(line).map_err(|_| AuditError::Malformed)?;
        let entry = Entry {
            seq: fields.seq,
            time: fields.time,
            kind: fields.kind,
            handle: fields.handle.parse()?,
            commit: fields.commit.parse()?,
            payload: unhex(fields.payload).ok_or(AuditError::Malformed)?,
            prev: fields.prev.parse()?,
            hash: fields.hash.parse()?,
        };
        if entry.to_line() == line {
            Ok(entry)
        } else {
            Err(AuditError::Malformed)
        }
    }
}

fn commitment(salt: &[u8; 32], event: &[u8]) -> Digest {
    Digest::of(&[b"driftlead/commit/1", salt, event])
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Start => "start",
        Kind::Stop => "stop",
        Kind::Recovery => "recovery",
        Kind::Consent => "consent",
        Kind::Repair => "repair",
        Kind::Decision => "decision",
        Kind::Policy => "policy",
        Kind::Act => "act",
        Kind::Export => "export",
        Kind::Erased => "erased",
        Kind::Release => "release",
    }
}

/// Two hexadecimal digits per byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut digits = Vec::with_capacity(bytes.len() * 2);
    push_hex(&mut digits, bytes);
    text(digits)
}

/// Two digits per byte. Nearly all of an entry is written in them, so they are not formatted one by one.
fn push_hex(to: &mut Vec<u8>, bytes: &[u8]) {
    let digit = |nibble: u8| if nibble < 10 { b'0' } else { b'a' - 10 } + nibble;
    to.extend(bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]));
}

/// What was put together from ASCII alone.
fn text(ascii: Vec<u8>) -> String {
    String::from_utf8(ascii).unwrap_or_default()
}

/// Salt and nonce.
fn split(random: [u8; 32 + NONCE]) -> ([u8; 32], [u8; NONCE]) {
    let (mut salt, mut nonce) = ([0; 32], [0; NONCE]);
    let both = salt.iter_mut().chain(&mut nonce);
    both.zip(random).for_each(|(to, from)| *to = from);
    (salt, nonce)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| (b as char).to_digit(16).map(|d| d as u8);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        let key = SubjectKey::from_bytes([7; 32]);
        let prev = Digest::of(&[b"start"]);
        Entry::seal(3, 1_700_000_000_000_000, Kind::Consent, &key, b"{}", prev).unwrap()
    }

    #[test]
    fn a_line_reads_back_and_no_changed_byte_passes() {
        let entry = entry();
        let line = entry.to_line();
        assert_eq!(Entry::from_line(&line).unwrap(), entry);
        assert_eq!(entry.rehash(), entry.hash);
        for at in 0..line.len() {
            for bit in 0..8 {
                let mut bytes = line.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let passes = std::str::from_utf8(&bytes)
                    .ok()
                    .and_then(|text| Entry::from_line(text).ok())
                    .is_some_and(|changed| changed.rehash() == changed.hash);
                assert!(!passes, "byte {at}, bit {bit}");
            }
        }
    }

    #[test]
    fn opens_for_its_subject_only() {
        let entry = entry();
        let key = SubjectKey::from_bytes([7; 32]);
        assert!(entry.belongs_to(&key));
        assert_eq!(entry.open(&key).unwrap(), b"{}");
        assert!(!entry.belongs_to(&SubjectKey::from_bytes([8; 32])));
        assert!(entry.open(&SubjectKey::from_bytes([8; 32])).is_err());
    }

    #[test]
    fn parts_cannot_run_into_each_other() {
        assert_ne!(Digest::of(&[b"ab", b"c"]), Digest::of(&[b"a", b"bc"]));
    }

    #[test]
    fn the_same_event_commits_differently_each_time() {
        assert_ne!(entry().commit, entry().commit);
    }
}
