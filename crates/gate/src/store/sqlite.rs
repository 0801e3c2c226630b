//! The embedded store: a file of one gateway. SQLite is told to overwrite what it deletes, and its
//! write-ahead log is cut to nothing after an erasure.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, params};

use super::{Sealed, SealedSince, StoreError, Tag};
use crate::audit::SubjectKey;

const VERSION: i64 = 2;
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS own (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS person (
        tag BLOB PRIMARY KEY, key BLOB NOT NULL, pseudonym TEXT NOT NULL, state BLOB NOT NULL,
        revision INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS gateway (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS erasure (
        gateway TEXT NOT NULL, pseudonym TEXT NOT NULL, PRIMARY KEY (gateway, pseudonym)
    ) STRICT, WITHOUT ROWID;
";
/// What version 1 lacked.
const FROM_1: &str = "ALTER TABLE person ADD COLUMN revision INTEGER NOT NULL DEFAULT 0";
const ROW: &str = "SELECT key, pseudonym, state, revision FROM person WHERE tag = ?1";

#[derive(Debug)]
pub(super) struct Sqlite {
    file: String,
    connection: Mutex<Connection>,
}

impl Sqlite {
    /// Opens or creates a file; with it comes the gateway's own key.
    pub(super) fn open(path: &Path) -> Result<(Self, Vec<u8>), StoreError> {
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
        if !(0..=VERSION).contains(&version) {
            return Err(StoreError::Damaged {
                file,
                what: "written by another version of the gateway",
            });
        }
        if version == 1 {
            connection.execute_batch(FROM_1).map_err(failed)?;
        }
        connection.execute_batch(TABLES).map_err(failed)?;
        connection
            .pragma_update(None, "user_version", VERSION)
            .map_err(failed)?;
        let store = Sqlite {
            file,
            connection: Mutex::new(connection),
        };
        let own = store.own_key()?;
        Ok((store, own))
    }

    fn own_key(&self) -> Result<Vec<u8>, StoreError> {
        if let Some(bytes) = self.value("key")? {
            return Ok(bytes);
        }
        let key = SubjectKey::random()?;
        self.swap_value("key", None, key.as_bytes())?;
        Ok(key.as_bytes().to_vec())
    }

    pub(super) fn value(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.with(|db| {
            db.query_row("SELECT value FROM own WHERE name = ?1", [name], |row| {
                row.get(0)
            })
            .optional()
        })
    }

    pub(super) fn swap_value(
        &self,
        name: &str,
        before: Option<&[u8]>,
        value: &[u8],
    ) -> Result<bool, StoreError> {
        let changed = self.with(|db| match before {
            None => db.execute(
                "INSERT INTO own (name, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                params![name, value],
            ),
            Some(before) => db.execute(
                "UPDATE own SET value = ?3 WHERE name = ?1 AND value = ?2",
                params![name, before, value],
            ),
        })?;
        Ok(changed > 0)
    }

    pub(super) fn person(&self, tag: &Tag) -> Result<Option<Sealed>, StoreError> {
        self.with(|db| {
            db.query_row(ROW, [tag.0.as_slice()], |row| sealed(row, 0))
                .optional()
        })
    }

    pub(super) fn since(&self, tag: &Tag, known: Option<i64>) -> Result<SealedSince, StoreError> {
        Ok(match self.person(tag)? {
            None => SealedSince::Gone,
            Some(row) if Some(row.revision) == known => SealedSince::Same,
            Some(row) => SealedSince::Changed(row),
        })
    }

    pub(super) fn keep(
        &self,
        tag: &Tag,
        row: &Sealed,
        before: Option<i64>,
    ) -> Result<bool, StoreError> {
        let tag = tag.0.as_slice();
        let changed = self.with(|db| match before {
            None => db.execute(
                "INSERT INTO person (tag, key, pseudonym, state, revision)
                 VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
                params![tag, row.key, row.pseudonym, row.state, row.revision],
            ),
            Some(before) => db.execute(
                "UPDATE person SET state = ?3, revision = ?4 WHERE tag = ?1 AND revision = ?2",
                params![tag, before, row.state, row.revision],
            ),
        })?;
        Ok(changed > 0)
    }

    pub(super) fn erase(&self, tag: &Tag) -> Result<bool, StoreError> {
        let tag = tag.0.as_slice();
        let rows = self.with(|db| {
            let both = db.unchecked_transaction()?;
            both.execute(
                "INSERT INTO erasure (gateway, pseudonym)
                 SELECT gateway.name, person.pseudonym FROM gateway, person WHERE person.tag = ?1
                 ON CONFLICT DO NOTHING",
                [tag],
            )?;
            let rows = both.execute("DELETE FROM person WHERE tag = ?1", [tag])?;
            both.commit()?;
            Ok(rows)
        })?;
        self.cut()?;
        Ok(rows > 0)
    }

    /// Overwritten pages reach the main file, and the log that still holds the old ones is cut.
    fn cut(&self) -> Result<(), StoreError> {
        let left: i64 =
            self.with(|db| db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)))?;
        if left != 0 {
            return Err(StoreError::Damaged {
                file: self.file.clone(),
                what: "the write-ahead log could not be cut: another program reads the store",
            });
        }
        Ok(())
    }

    /// Some people in the order of their tags, from the one behind `after`; none at the end.
    pub(super) fn rows_after(&self, after: &[u8]) -> Result<Vec<(Vec<u8>, Sealed)>, StoreError> {
        self.with(|db| {
            db.prepare(
                "SELECT tag, key, pseudonym, state, revision FROM person WHERE tag > ?1
                 ORDER BY tag LIMIT 500",
            )?
            .query_map([after], |row| Ok((row.get(0)?, sealed(row, 1)?)))?
            .collect()
        })
    }

    pub(super) fn join(&self, gateway: &str) -> Result<(), StoreError> {
        self.with(|db| {
            db.execute(
                "INSERT INTO gateway (name) VALUES (?1) ON CONFLICT DO NOTHING",
                [gateway],
            )
        })
        .map(drop)
    }

    pub(super) fn gateways(&self) -> Result<Vec<String>, StoreError> {
        self.with(|db| {
            db.prepare("SELECT name FROM gateway ORDER BY name")?
                .query_map([], |row| row.get(0))?
                .collect()
        })
    }

    pub(super) fn erasures(&self, gateway: &str) -> Result<Vec<String>, StoreError> {
        self.with(|db| {
            db.prepare("SELECT pseudonym FROM erasure WHERE gateway = ?1")?
                .query_map([gateway], |row| row.get(0))?
                .collect()
        })
    }

    pub(super) fn done_with(&self, gateway: &str, pseudonym: &str) -> Result<(), StoreError> {
        self.with(|db| {
            db.execute(
                "DELETE FROM erasure WHERE gateway = ?1 AND pseudonym = ?2",
                [gateway, pseudonym],
            )
        })?;
        self.cut()
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

/// A row whose columns begin at `from`.
fn sealed(row: &rusqlite::Row<'_>, from: usize) -> Result<Sealed, rusqlite::Error> {
    Ok(Sealed {
        key: row.get(from)?,
        pseudonym: row.get(from + 1)?,
        state: row.get(from + 2)?,
        revision: row.get(from + 3)?,
    })
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
    use super::super::{Revision, Row, Store, pseudonym};
    use super::*;

    fn on_disk(folder: &Path, needle: &[u8]) -> bool {
        std::fs::read_dir(folder).unwrap().any(|file| {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            bytes.windows(needle.len()).any(|part| part == needle)
        })
    }

    #[tokio::test]
    async fn erasing_leaves_no_byte_of_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("gate.db")).unwrap();
        store.join("log").await.unwrap();
        let tag = store.tag("canary-a");
        let kept = Row {
            key: SubjectKey::random().unwrap(),
            pseudonym: pseudonym().unwrap(),
            state: b"canary".to_vec(),
            revision: Revision::new().unwrap(),
        };
        assert!(store.keep(&tag, &kept, None).await.unwrap());
        assert!(on_disk(folder.path(), kept.key.as_bytes()));
        let again = Row {
            state: b"y".to_vec(),
            revision: Revision::new().unwrap(),
            ..kept.clone()
        };
        assert!(store.keep(&tag, &again, Some(kept.revision)).await.unwrap());
        assert!(store.erase(&tag).await.unwrap());
        assert!(!on_disk(folder.path(), kept.key.as_bytes()));
        assert_eq!(
            store.erasures("log").await.unwrap(),
            [kept.pseudonym.as_str()]
        );
        store.done_with("log", &kept.pseudonym).await.unwrap();
        assert!(!on_disk(folder.path(), kept.pseudonym.as_bytes()));
        assert!(!on_disk(folder.path(), b"canary"));
    }

    #[tokio::test]
    async fn the_version_before_is_taken_over_and_another_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gate.db");
        let raw = Connection::open(&path).unwrap();
        raw.execute_batch(
            "CREATE TABLE person (tag BLOB PRIMARY KEY, key BLOB NOT NULL, pseudonym TEXT NOT NULL,
             state BLOB NOT NULL) STRICT, WITHOUT ROWID;
             CREATE TABLE own (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
             INSERT INTO own VALUES ('key', zeroblob(32)); PRAGMA user_version = 1;",
        )
        .unwrap();
        let key = SubjectKey::from_bytes([0; 32]);
        let tag = Tag(key.mac(b"driftlead/person/1", b"a"));
        raw.execute(
            "INSERT INTO person VALUES (?1, ?2, 'p', ?3)",
            params![
                tag.0.as_slice(),
                key.as_bytes(),
                key.seal(b"state", b"{}").unwrap()
            ],
        )
        .unwrap();
        drop(raw);
        let store = Store::open(&path).unwrap();
        let row = store.person(&store.tag("a")).await.unwrap().unwrap();
        assert_eq!(
            (row.pseudonym.as_str(), row.state.as_slice()),
            ("p", &b"{}"[..])
        );
        drop(store);
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
}
