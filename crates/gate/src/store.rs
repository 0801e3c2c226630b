//! The embedded store: one row per person who did something that must be kept.
//!
//! A row holds the person's key, a pseudonym, and their state sealed under that key. A person is found
//! by a keyed hash of the client's name for them, so no name is on the disk. Erasing deletes the row: what
//! was sealed under the key, here and in the audit log, can no longer be read. SQLite is told to overwrite
//! what it deletes, and its write-ahead log is cut to nothing afterwards.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, params};

use crate::audit::{AuditError, SubjectKey, random_bytes};

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
}

/// What is kept of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Seals everything of theirs.
    pub key: SubjectKey,
    /// A random name that is local to this gateway.
    pub pseudonym: String,
    /// Their state, opened.
    pub state: Vec<u8>,
}

/// Why the store cannot be used. No name, key or text is in it.
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
    /// A cipher or the generator of random bytes failed.
    #[error(transparent)]
    Crypto(#[from] AuditError),
}

const VERSION: i64 = 1;
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS own (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS person (
        tag BLOB PRIMARY KEY, key BLOB NOT NULL, pseudonym TEXT NOT NULL, state BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
";

/// The store.
#[derive(Debug)]
pub struct Store {
    file: String,
    connection: Mutex<Connection>,
    /// The gateway's own key: seals what is about no person, and hides names.
    own: SubjectKey,
}

impl Store {
    /// Opens or creates a store.
    ///
    /// # Errors
    /// [`StoreError`]; a store of another version is refused.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let file = path.display().to_string();
        let failed = |source| StoreError::Sqlite {
            file: file.clone(),
            source,
        };
        private_file(path)
            .map_err(|error| failed(rusqlite::Error::ToSqlConversionFailure(Box::new(error))))?;
        let connection = Connection::open(path).map_err(failed)?;
        connection
            .busy_timeout(std::time::Duration::from_secs(5))
            .map_err(failed)?;
        for (name, value) in [
            ("journal_mode", "WAL"),
            ("synchronous", "NORMAL"),
            ("secure_delete", "ON"),
            ("temp_store", "MEMORY"),
        ] {
            connection
                .pragma_update(None, name, value)
                .map_err(failed)?;
        }
        let version: i64 = connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(failed)?;
        if version != 0 && version != VERSION {
            return Err(StoreError::Damaged {
                file,
                what: "written by another version of the gateway",
            });
        }
        connection.execute_batch(TABLES).map_err(failed)?;
        connection
            .pragma_update(None, "user_version", VERSION)
            .map_err(failed)?;
        let mut store = Store {
            file,
            connection: Mutex::new(connection),
            own: SubjectKey::from_bytes([0; 32]),
        };
        store.own = store.own_key()?;
        Ok(store)
    }

    fn own_key(&self) -> Result<SubjectKey, StoreError> {
        if let Some(bytes) = self.value("key")? {
            return self.key(&bytes);
        }
        let key = SubjectKey::random()?;
        self.set_value("key", key.as_bytes())?;
        Ok(key)
    }

    /// The gateway's own key.
    pub fn own(&self) -> &SubjectKey {
        &self.own
    }

    /// Where a person is kept, by the client's name for them.
    pub fn tag(&self, name: &str) -> Tag {
        Tag(self.own.mac(b"driftlead/person/1", name.as_bytes()))
    }

    /// A value of the gateway's own, such as the ledger of releases.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn value(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.with(|db| {
            db.query_row("SELECT value FROM own WHERE name = ?1", [name], |row| {
                row.get(0)
            })
            .optional()
        })
    }

    /// Sets a value of the gateway's own.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn set_value(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        self.with(|db| {
            db.execute(
                "INSERT INTO own (name, value) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                params![name, value],
            )
        })
        .map(drop)
    }

    /// What is kept of a person.
    ///
    /// # Errors
    /// [`StoreError`], also where the row cannot be opened.
    pub fn person(&self, tag: &Tag) -> Result<Option<Row>, StoreError> {
        let found = self.with(|db| {
            db.query_row(
                "SELECT key, pseudonym, state FROM person WHERE tag = ?1",
                [tag.0.as_slice()],
                sealed_row,
            )
            .optional()
        })?;
        found.map(|sealed| self.open_row(sealed)).transpose()
    }

    /// Keeps a person: a new one, or their changed state.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keep(&self, tag: &Tag, row: &Row) -> Result<(), StoreError> {
        let state = row.key.seal(b"state", &row.state)?;
        self.with(|db| {
            db.execute(
                "INSERT INTO person (tag, key, pseudonym, state) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (tag) DO UPDATE SET state = excluded.state",
                params![tag.0.as_slice(), row.key.as_bytes(), row.pseudonym, state],
            )
        })
        .map(drop)
    }

    /// Destroys a person's key and state; whether there were any.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn erase(&self, tag: &Tag) -> Result<bool, StoreError> {
        let rows =
            self.with(|db| db.execute("DELETE FROM person WHERE tag = ?1", [tag.0.as_slice()]))?;
        // Overwritten pages reach the main file, and the log that still holds the old ones is cut.
        let left: i64 =
            self.with(|db| db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)))?;
        if left != 0 {
            return Err(StoreError::Damaged {
                file: self.file.clone(),
                what: "the write-ahead log could not be cut: another program reads the store",
            });
        }
        Ok(rows > 0)
    }

    /// Shows everybody, one at a time, in no meaningful order.
    ///
    /// # Errors
    /// [`StoreError`]; those before were shown.
    pub fn everybody(&self, mut see: impl FnMut(Row)) -> Result<(), StoreError> {
        let rows = self.with(|db| {
            db.prepare("SELECT key, pseudonym, state FROM person")?
                .query_map([], sealed_row)?
                .collect::<Result<Vec<_>, _>>()
        })?;
        for sealed in rows {
            see(self.open_row(sealed)?);
        }
        Ok(())
    }

    fn open_row(&self, (key, pseudonym, state): Sealed) -> Result<Row, StoreError> {
        let key = self.key(&key)?;
        let state = key.open(b"state", &state)?;
        Ok(Row {
            key,
            pseudonym,
            state,
        })
    }

    fn key(&self, bytes: &[u8]) -> Result<SubjectKey, StoreError> {
        let bytes = bytes.try_into().map_err(|_| StoreError::Damaged {
            file: self.file.clone(),
            what: "a key has another length than 32 bytes",
        })?;
        Ok(SubjectKey::from_bytes(bytes))
    }

    fn with<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, StoreError> {
        work(&self.lock()).map_err(|source| StoreError::Sqlite {
            file: self.file.clone(),
            source,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

type Sealed = (Vec<u8>, String, Vec<u8>);

fn sealed_row(row: &rusqlite::Row<'_>) -> Result<Sealed, rusqlite::Error> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
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

/// Creates the file for its owner alone before SQLite does for everybody.
fn private_file(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(state: &[u8]) -> Row {
        Row {
            key: SubjectKey::random().unwrap(),
            pseudonym: pseudonym().unwrap(),
            state: state.to_vec(),
        }
    }

    fn on_disk(folder: &Path, needle: &[u8]) -> bool {
        std::fs::read_dir(folder).unwrap().any(|file| {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            bytes.windows(needle.len()).any(|part| part == needle)
        })
    }

    #[test]
    fn keeps_a_person_across_openings_and_no_name_or_state_in_the_open() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gate.db");
        let kept = row(b"canary-state");
        {
            let store = Store::open(&path).unwrap();
            let tag = store.tag("canary-alice");
            store.keep(&tag, &kept).unwrap();
        }
        let store = Store::open(&path).unwrap();
        let tag = store.tag("canary-alice");
        assert_eq!(store.person(&tag).unwrap(), Some(kept));
        assert_eq!(store.person(&store.tag("bob")).unwrap(), None);
        assert!(!on_disk(folder.path(), b"canary"));
    }

    #[test]
    fn erasing_leaves_no_byte_of_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("gate.db")).unwrap();
        let (tag, kept) = (store.tag("a"), row(b"x"));
        store.keep(&tag, &kept).unwrap();
        assert!(on_disk(folder.path(), kept.key.as_bytes()));
        let again = Row {
            state: b"y".to_vec(),
            ..kept.clone()
        };
        store.keep(&tag, &again).unwrap();
        assert!(store.erase(&tag).unwrap());
        assert!(!store.erase(&tag).unwrap());
        assert!(!on_disk(folder.path(), kept.key.as_bytes()));
        assert!(!on_disk(folder.path(), kept.pseudonym.as_bytes()));
        assert_eq!(store.person(&tag).unwrap(), None);
    }

    #[test]
    fn a_store_of_another_version_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gate.db");
        drop(Store::open(&path).unwrap());
        let raw = Connection::open(&path).unwrap();
        raw.pragma_update(None, "user_version", 9).unwrap();
        drop(raw);
        let error = Store::open(&path).unwrap_err().to_string();
        assert!(error.contains("another version"), "{error}");
        std::fs::write(
            &path,
            "no database at all, but long enough to be read as one",
        )
        .unwrap();
        assert!(Store::open(&path).is_err());
    }

    #[test]
    fn names_are_uuids_and_differ() {
        let (a, b) = (pseudonym().unwrap(), pseudonym().unwrap());
        assert_ne!(a, b);
        assert_eq!((a.len(), &a[14..15]), (36, "4"));
    }
}
