//! The store: one row per person who did something that must be kept.
//!
//! A row holds the person's key, a pseudonym, and their state sealed under that key. A person is found
//! by a keyed hash of the client's name for them, so no name is in it. Erasing deletes the row: what
//! was sealed under the key, here and in the audit log, can no longer be read.
//!
//! There are two back ends with one behaviour (`tests/store.rs` runs the same checks on both): a file that
//! one gateway has for itself ([`Store::open`]), and a PostgreSQL database that several gateways share
//! (`Store::connect`, with the feature `postgres`). They move sealed bytes; what the bytes are is known here
//! alone.
//!
//! **Several gateways.** A row carries a revision, a random number that is new with every change. A change
//! names the revision that it rests on and is not made where another is there ([`Store::keep`] is false
//! then), so nothing is lost between two gateways, and a row that was erased is never made again by a copy
//! in some gateway's memory. A gateway asks [`Store::since`] at every request whether its copy still holds:
//! one round trip. Whoever erases leaves a note for every gateway, with the pseudonym, so that each takes
//! the person's rows out of its own record.

#[cfg(feature = "postgres")]
mod postgres;
mod sqlite;

use std::path::Path;

use crate::audit::{AuditError, SubjectKey, random_bytes};
use sqlite::Sqlite;

/// A person's place in the store: a keyed hash of their name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag([u8; 32]);

impl std::fmt::Debug for Tag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tag([redacted])")
    }
}

impl Tag {
    /// 48 bits of it, for keying random draws.
    pub fn number(&self) -> u64 {
        let mut bytes = [0; 8];
        bytes
            .iter_mut()
            .zip(self.0.iter().take(6))
            .for_each(|(to, from)| *to = *from);
        u64::from_le_bytes(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Self {
        Tag(bytes)
    }
}

/// Which of its states a row holds. Only equality means anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision(i64);

impl Revision {
    /// A new one, of 63 random bits.
    ///
    /// # Errors
    /// [`AuditError::Randomness`].
    pub fn new() -> Result<Self, AuditError> {
        Ok(Revision(i64::from_le_bytes(random_bytes()?) & i64::MAX))
    }
}

/// What is kept of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Seals everything of theirs.
    pub key: SubjectKey,
    /// A random name that is local to this store.
    pub pseudonym: String,
    /// Their state, opened.
    pub state: Vec<u8>,
    /// Which state this is.
    pub revision: Revision,
}

/// What became of a row since a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Since {
    /// It is as it was.
    Same,
    /// It holds another state, or belongs to another key by now.
    Changed(Row),
    /// There is none.
    Gone,
}

/// Why the store cannot be used. No name, key, password or text is in it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite refused.
    #[error("{file}: {source}")]
    Sqlite {
        /// The file.
        file: String,
        /// SQLite's reason.
        source: rusqlite::Error,
    },
    /// A row or key of another shape.
    #[error("{file}: {what}")]
    Damaged {
        /// The file.
        file: String,
        /// What is wrong.
        what: &'static str,
    },
    /// The address of the database cannot be used.
    #[error("the address of the database (govern.database_url_env): {0}")]
    Address(&'static str),
    /// The file with authorities cannot be used.
    #[error("govern.database_ca: {file}: {what}")]
    Authority {
        /// The file.
        file: String,
        /// What is wrong.
        what: String,
    },
    /// The way to the database cannot be encrypted, or whoever is there is not who the address names.
    #[error("TLS with the database: {0}")]
    Tls(&'static str),
    /// The database refused. What it said may hold values, so it is not repeated.
    #[error("the database refused with SQLSTATE {0}")]
    Refused(String),
    /// The database cannot be reached, or did not answer in time.
    #[error("the database cannot be reached: {0}")]
    Away(String),
    /// Others changed the row again and again.
    #[error("the row was changed by other gateways again and again")]
    Contended,
    /// A cipher or the generator of random bytes failed.
    #[error(transparent)]
    Crypto(#[from] AuditError),
}

/// A row as the back ends move it.
#[derive(Debug)]
struct Sealed {
    key: Vec<u8>,
    pseudonym: String,
    state: Vec<u8>,
    revision: i64,
}

/// As [`Since`], sealed.
#[derive(Debug)]
enum SealedSince {
    Same,
    Changed(Sealed),
    Gone,
}

#[derive(Debug)]
enum Backend {
    Sqlite(Sqlite),
    #[cfg(feature = "postgres")]
    Postgres(postgres::Postgres),
}

/// Calls the same method of whichever back end there is. A file answers at once.
macro_rules! ask {
    ($store:expr, $method:ident ( $($argument:expr),* )) => {
        match &$store.backend {
            Backend::Sqlite(file) => file.$method($($argument),*),
            #[cfg(feature = "postgres")]
            Backend::Postgres(database) => database.$method($($argument),*).await,
        }
    };
}

/// The store.
#[derive(Debug)]
pub struct Store {
    backend: Backend,
    /// The gateways' own key: seals what is about no person, and hides names.
    own: SubjectKey,
}

impl Store {
    /// Opens or creates a file.
    ///
    /// # Errors
    /// [`StoreError`]; a store of another version is refused.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let (file, own) = Sqlite::open(path)?;
        Ok(Store {
            own: Self::key(&own)?,
            backend: Backend::Sqlite(file),
        })
    }

    /// Connects to a database, and makes the tables where there are none. It waits, at most ten seconds.
    ///
    /// `ca` is a file in PEM with the authorities that may vouch for the database, in the place of the public
    /// ones; with it, only a socket is plain.
    ///
    /// # Errors
    /// [`StoreError`]; a store of another version is refused.
    #[cfg(feature = "postgres")]
    pub fn connect(address: &secrecy::SecretString, ca: Option<&Path>) -> Result<Self, StoreError> {
        let (database, own) = postgres::Postgres::open(address, ca)?;
        Ok(Store {
            own: Self::key(&own)?,
            backend: Backend::Postgres(database),
        })
    }

    /// Whether other gateways may change it.
    pub fn is_shared(&self) -> bool {
        !matches!(self.backend, Backend::Sqlite(_))
    }

    /// Whether it can be reached now, as far as is known.
    pub fn is_reachable(&self) -> bool {
        match &self.backend {
            Backend::Sqlite(_) => true,
            #[cfg(feature = "postgres")]
            Backend::Postgres(database) => database.is_reachable(),
        }
    }

    /// The gateways' own key, the same for all that share the store.
    pub fn own(&self) -> &SubjectKey {
        &self.own
    }

    /// Where a person is kept, by the client's name for them.
    pub fn tag(&self, name: &str) -> Tag {
        Tag(self.own.mac(b"driftlead/person/1", name.as_bytes()))
    }

    /// A value of the gateways' own, such as the ledger of releases.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn value(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        ask!(self, value(name))
    }

    /// Sets a value of the gateways' own, if it is still `before`; whether it was.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn swap_value(
        &self,
        name: &str,
        before: Option<&[u8]>,
        value: &[u8],
    ) -> Result<bool, StoreError> {
        ask!(self, swap_value(name, before, value))
    }

    /// What is kept of a person.
    ///
    /// # Errors
    /// [`StoreError`], also where the row cannot be opened.
    pub async fn person(&self, tag: &Tag) -> Result<Option<Row>, StoreError> {
        let found = ask!(self, person(tag))?;
        found.map(Self::open_row).transpose()
    }

    /// What became of a person's row since `known`; `None`: there was none.
    ///
    /// # Errors
    /// As [`Self::person`].
    pub async fn since(&self, tag: &Tag, known: Option<Revision>) -> Result<Since, StoreError> {
        Ok(match ask!(self, since(tag, known.map(|of| of.0)))? {
            SealedSince::Same => Since::Same,
            SealedSince::Gone => Since::Gone,
            SealedSince::Changed(row) => Since::Changed(Self::open_row(row)?),
        })
    }

    /// Keeps a person whose row is at `before` (`None`: has none). False, and nothing is changed, where it
    /// is not.
    ///
    /// # Errors
    /// [`StoreError`]. After [`StoreError::Away`] it may be kept all the same.
    pub async fn keep(
        &self,
        tag: &Tag,
        row: &Row,
        before: Option<Revision>,
    ) -> Result<bool, StoreError> {
        let sealed = Sealed {
            key: row.key.as_bytes().to_vec(),
            pseudonym: row.pseudonym.clone(),
            state: row.key.seal(b"state", &row.state)?,
            revision: row.revision.0,
        };
        ask!(self, keep(tag, &sealed, before.map(|of| of.0)))
    }

    /// Destroys a person's key and state, and leaves a note for every gateway that joined; whether there
    /// were any.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn erase(&self, tag: &Tag) -> Result<bool, StoreError> {
        ask!(self, erase(tag))
    }

    /// Shows everybody, one at a time, in no meaningful order.
    ///
    /// # Errors
    /// [`StoreError`]; those before were shown.
    pub async fn everybody(&self, mut see: impl FnMut(Row) + Send) -> Result<(), StoreError> {
        let mut after = Vec::new();
        loop {
            let rows = ask!(self, rows_after(&after))?;
            let Some((last, _)) = rows.last() else {
                return Ok(());
            };
            after.clone_from(last);
            for (_, sealed) in rows {
                see(Self::open_row(sealed)?);
            }
        }
    }

    /// Takes a gateway, by the name of its log, among those that are told of erasures.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn join(&self, gateway: &str) -> Result<(), StoreError> {
        ask!(self, join(gateway))
    }

    /// The gateways that joined.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn gateways(&self) -> Result<Vec<String>, StoreError> {
        ask!(self, gateways())
    }

    /// Pseudonyms of the erased people that a gateway was not yet done with.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn erasures(&self, gateway: &str) -> Result<Vec<String>, StoreError> {
        ask!(self, erasures(gateway))
    }

    /// A gateway is done with an erased person: its note goes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn done_with(&self, gateway: &str, pseudonym: &str) -> Result<(), StoreError> {
        ask!(self, done_with(gateway, pseudonym))
    }

    fn open_row(sealed: Sealed) -> Result<Row, StoreError> {
        let key = Self::key(&sealed.key)?;
        Ok(Row {
            state: key.open(b"state", &sealed.state)?,
            key,
            pseudonym: sealed.pseudonym,
            revision: Revision(sealed.revision),
        })
    }

    fn key(bytes: &[u8]) -> Result<SubjectKey, StoreError> {
        let bytes = bytes.try_into().map_err(|_| StoreError::Damaged {
            file: "the store".to_owned(),
            what: "a key has another length than 32 bytes",
        })?;
        Ok(SubjectKey::from_bytes(bytes))
    }
}

/// A new random name, as a version-4 UUID.
///
/// # Errors
/// [`AuditError::Randomness`].
pub fn pseudonym() -> Result<String, AuditError> {
    let mut bytes = random_bytes::<16>()?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = crate::audit::hex(&bytes);
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    Ok(format!(
        "{}-{}-{}-{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_uuids_and_differ() {
        let (a, b) = (pseudonym().unwrap(), pseudonym().unwrap());
        assert_ne!(a, b);
        assert_eq!((a.len(), &a[14..15]), (36, "4"));
    }
}
