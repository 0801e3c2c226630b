//! The shared store: a PostgreSQL database behind several gateways.
//!
//! One connection, on a thread of its own that also makes it anew when it breaks; requests wait for their
//! answers without holding a thread of the proxy, and many of them are on their way at once. Every
//! operation is one statement, so it is whole or not at all and needs no lock: a gateway that is killed
//! leaves nothing behind. The key of a person is written once, in a table that is never updated.
//!
//! Without a connection an operation waits until a second after the loss, then fails at once; with one it
//! waits five seconds for its answer. Every two seconds a silent connection is asked whether it lives.
//!
//! On the way to another machine it is encrypted, unless the address says `sslmode=disable` ([`address`]).

mod address;
mod tls;

use std::future::Future;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use secrecy::SecretString;
use tls::Tls;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Error, NoTls, Socket, Statement};

use super::{Sealed, SealedSince, StoreError, Tag};
use crate::audit::SubjectKey;

/// Until a connection stands.
const CONNECT: Duration = Duration::from_secs(5);
/// Until an answer is there.
const ANSWER: Duration = Duration::from_secs(5);
/// From the loss of the connection, how long operations wait for another.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two attempts to connect, first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// How often a connection is asked whether it lives.
const PULSE: Duration = Duration::from_secs(2);

const VERSION: &[u8] = b"1";
/// All gateways may start at once, so the tables are made under a lock.
const TABLES: &str = "
    BEGIN;
    SELECT pg_advisory_xact_lock(7527436120193);
    CREATE TABLE IF NOT EXISTS driftlead_own (name TEXT PRIMARY KEY, value BYTEA NOT NULL);
    CREATE TABLE IF NOT EXISTS driftlead_person (
        tag BYTEA PRIMARY KEY, key BYTEA NOT NULL, pseudonym TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS driftlead_state (
        tag BYTEA PRIMARY KEY, revision BIGINT NOT NULL, state BYTEA NOT NULL);
    CREATE TABLE IF NOT EXISTS driftlead_gateway (name TEXT PRIMARY KEY);
    CREATE TABLE IF NOT EXISTS driftlead_erasure (
        gateway TEXT NOT NULL, pseudonym TEXT NOT NULL, PRIMARY KEY (gateway, pseudonym));
    COMMIT;";
/// A statement decides on what it finds when it comes to a row, and none waits for ever.
const SETTINGS: &str = "SET default_transaction_isolation = 'read committed';
    SET statement_timeout = '5s'; SET client_min_messages = 'warning';";

/// The statements, by their names below.
macro_rules! statements {
    ($($name:ident = $text:literal;)*) => {
        /// A connection, with what is said over it.
        struct Ready {
            client: Client,
            $($name: Statement,)*
        }

        impl Ready {
            async fn new(client: Client) -> Result<Self, Error> {
                Ok(Ready { $($name: client.prepare($text).await?,)* client })
            }
        }
    };
}

statements! {
    value = "SELECT value FROM driftlead_own WHERE name = $1";
    put_value = "INSERT INTO driftlead_own (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    swap_value = "UPDATE driftlead_own SET value = $3 WHERE name = $1 AND value = $2";
    since = "SELECT s.revision, s.revision IS NOT DISTINCT FROM $2 AS same,
        CASE WHEN s.revision IS DISTINCT FROM $2 THEN p.key END,
        CASE WHEN s.revision IS DISTINCT FROM $2 THEN p.pseudonym END,
        CASE WHEN s.revision IS DISTINCT FROM $2 THEN s.state END
        FROM driftlead_person p JOIN driftlead_state s USING (tag) WHERE p.tag = $1";
    insert = "WITH p AS (
            INSERT INTO driftlead_person (tag, key, pseudonym) VALUES ($1, $2, $3)
            ON CONFLICT DO NOTHING RETURNING tag)
        INSERT INTO driftlead_state (tag, revision, state) SELECT tag, $4::bigint, $5::bytea FROM p";
    update = "UPDATE driftlead_state SET state = $3, revision = $4 WHERE tag = $1 AND revision = $2";
    erase = "WITH gone AS (DELETE FROM driftlead_person WHERE tag = $1 RETURNING pseudonym),
        state AS (DELETE FROM driftlead_state WHERE tag = $1),
        told AS (INSERT INTO driftlead_erasure (gateway, pseudonym)
            SELECT g.name, gone.pseudonym FROM driftlead_gateway g, gone ON CONFLICT DO NOTHING)
        SELECT count(*) FROM gone";
    rows_after = "SELECT p.tag, p.key, p.pseudonym, s.state, s.revision
        FROM driftlead_person p JOIN driftlead_state s USING (tag)
        WHERE p.tag > $1 ORDER BY p.tag LIMIT 500";
    join = "INSERT INTO driftlead_gateway (name) VALUES ($1) ON CONFLICT DO NOTHING";
    gateways = "SELECT name FROM driftlead_gateway ORDER BY name";
    erasures = "SELECT pseudonym FROM driftlead_erasure WHERE gateway = $1";
    done_with = "DELETE FROM driftlead_erasure WHERE gateway = $1 AND pseudonym = $2";
}

/// The connection, or when it was lost.
#[derive(Clone)]
enum Link {
    Up(Arc<Ready>),
    Down(Instant),
}

pub(super) struct Postgres {
    link: watch::Receiver<Link>,
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Postgres")
            .field("reachable", &self.is_reachable())
            .finish_non_exhaustive()
    }
}

impl Postgres {
    /// Connects; with it comes the gateways' own key. Waits on a channel, so it may be called anywhere.
    pub(super) fn open(
        address: &SecretString,
        ca: Option<&Path>,
    ) -> Result<(Self, Vec<u8>), StoreError> {
        let way = address::read(address, ca)?;
        let (tell, link) = watch::channel(Link::Down(Instant::now()));
        let (first, opened) = mpsc::channel();
        std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build();
                match runtime {
                    Ok(runtime) => runtime.block_on(hold(&way, &tell, &first)),
                    Err(error) => drop(first.send(Err(StoreError::Away(error.kind().to_string())))),
                }
            })
            .map_err(|error| StoreError::Away(error.kind().to_string()))?;
        let own = opened
            .recv()
            .map_err(|_| StoreError::Away("its thread ended".to_owned()))??;
        Ok((Postgres { link }, own))
    }

    pub(super) fn is_reachable(&self) -> bool {
        matches!(*self.link.borrow(), Link::Up(_))
    }

    /// The connection, waited for if it was lost just now.
    async fn ready(&self) -> Result<Arc<Ready>, StoreError> {
        let mut link = self.link.clone();
        let until = match &*link.borrow() {
            Link::Up(ready) => return Ok(Arc::clone(ready)),
            Link::Down(lost) => *lost + PATIENCE,
        };
        let up = timeout_at(until, link.wait_for(|link| matches!(link, Link::Up(_)))).await;
        if let Ok(Ok(link)) = &up
            && let Link::Up(ready) = &**link
        {
            return Ok(Arc::clone(ready));
        }
        Err(away("there is no connection"))
    }

    pub(super) async fn value(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let ready = self.ready().await?;
        value(&ready, name).await
    }

    pub(super) async fn swap_value(
        &self,
        name: &str,
        before: Option<&[u8]>,
        value: &[u8],
    ) -> Result<bool, StoreError> {
        let to = self.ready().await?;
        let changed = match before {
            None => bounded(to.client.execute(&to.put_value, &[&name, &value])).await?,
            Some(before) => {
                bounded(to.client.execute(&to.swap_value, &[&name, &before, &value])).await?
            }
        };
        Ok(changed > 0)
    }

    pub(super) async fn person(&self, tag: &Tag) -> Result<Option<Sealed>, StoreError> {
        Ok(match self.since(tag, None).await? {
            SealedSince::Changed(row) => Some(row),
            SealedSince::Same | SealedSince::Gone => None,
        })
    }

    pub(super) async fn since(
        &self,
        tag: &Tag,
        known: Option<i64>,
    ) -> Result<SealedSince, StoreError> {
        let to = self.ready().await?;
        let tag = tag.0.as_slice();
        let row = bounded(to.client.query_opt(&to.since, &[&tag, &known])).await?;
        let Some(row) = row else {
            return Ok(SealedSince::Gone);
        };
        if read(&row, 1)? {
            return Ok(SealedSince::Same);
        }
        Ok(SealedSince::Changed(Sealed {
            key: read(&row, 2)?,
            pseudonym: read(&row, 3)?,
            state: read(&row, 4)?,
            revision: read(&row, 0)?,
        }))
    }

    pub(super) async fn keep(
        &self,
        tag: &Tag,
        row: &Sealed,
        before: Option<i64>,
    ) -> Result<bool, StoreError> {
        let to = self.ready().await?;
        let tag = tag.0.as_slice();
        let changed = match before {
            None => {
                let values: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
                    [&tag, &row.key, &row.pseudonym, &row.revision, &row.state];
                bounded(to.client.execute(&to.insert, &values)).await?
            }
            Some(before) => {
                let values: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
                    [&tag, &before, &row.state, &row.revision];
                bounded(to.client.execute(&to.update, &values)).await?
            }
        };
        Ok(changed > 0)
    }

    pub(super) async fn erase(&self, tag: &Tag) -> Result<bool, StoreError> {
        let to = self.ready().await?;
        let tag = tag.0.as_slice();
        let row = bounded(to.client.query_one(&to.erase, &[&tag])).await?;
        Ok(read::<i64>(&row, 0)? > 0)
    }

    /// Some people in the order of their tags, from the one behind `after`; none at the end.
    pub(super) async fn rows_after(
        &self,
        after: &[u8],
    ) -> Result<Vec<(Vec<u8>, Sealed)>, StoreError> {
        let to = self.ready().await?;
        let rows = bounded(to.client.query(&to.rows_after, &[&after])).await?;
        rows.iter()
            .map(|row| {
                let sealed = Sealed {
                    key: read(row, 1)?,
                    pseudonym: read(row, 2)?,
                    state: read(row, 3)?,
                    revision: read(row, 4)?,
                };
                Ok((read(row, 0)?, sealed))
            })
            .collect()
    }

    pub(super) async fn join(&self, gateway: &str) -> Result<(), StoreError> {
        let to = self.ready().await?;
        bounded(to.client.execute(&to.join, &[&gateway]))
            .await
            .map(drop)
    }

    pub(super) async fn gateways(&self) -> Result<Vec<String>, StoreError> {
        let to = self.ready().await?;
        let rows = bounded(to.client.query(&to.gateways, &[])).await?;
        rows.iter().map(|row| read(row, 0)).collect()
    }

    pub(super) async fn erasures(&self, gateway: &str) -> Result<Vec<String>, StoreError> {
        let to = self.ready().await?;
        let rows = bounded(to.client.query(&to.erasures, &[&gateway])).await?;
        rows.iter().map(|row| read(row, 0)).collect()
    }

    pub(super) async fn done_with(&self, gateway: &str, pseudonym: &str) -> Result<(), StoreError> {
        let to = self.ready().await?;
        bounded(to.client.execute(&to.done_with, &[&gateway, &pseudonym]))
            .await
            .map(drop)
    }
}

/// Where the database is, and what encrypts the way there.
type Way = (Config, Option<Tls>);

/// Keeps a connection until nobody wants it any more.
async fn hold(
    way: &Way,
    tell: &watch::Sender<Link>,
    first: &mpsc::Sender<Result<Vec<u8>, StoreError>>,
) {
    let mut begun = false;
    let mut pause = PAUSES.0;
    while !tell.is_closed() {
        match connect(way).await {
            Ok((ready, own, mut connection)) => {
                pause = PAUSES.0;
                let ready = Arc::new(ready);
                tell.send_replace(Link::Up(Arc::clone(&ready)));
                if !std::mem::replace(&mut begun, true) {
                    let _ = first.send(Ok(own));
                }
                tokio::select! {
                    _ = &mut connection => {}
                    () = pulse(&ready) => {}
                    () = tell.closed() => {}
                }
                connection.abort();
                tell.send_replace(Link::Down(Instant::now()));
            }
            Err(error) if !begun => {
                let _ = first.send(Err(error));
                return;
            }
            Err(_) => {
                tokio::select! {
                    () = sleep(pause) => {}
                    () = tell.closed() => {}
                }
                pause = (pause * 2).min(PAUSES.1);
            }
        }
    }
}

/// Returns once the connection does not answer any more.
async fn pulse(ready: &Ready) {
    loop {
        sleep(PULSE).await;
        let answer = timeout(ANSWER, ready.client.simple_query("")).await;
        if !matches!(answer, Ok(Ok(_))) {
            return;
        }
    }
}

type Driven = tokio::task::JoinHandle<Result<(), Error>>;

async fn connect((config, tls): &Way) -> Result<(Ready, Vec<u8>, Driven), StoreError> {
    let connected = timeout(CONNECT, async {
        match tls {
            Some(tls) => drive(config, tls.clone()).await,
            None => drive(config, NoTls).await,
        }
    });
    let (client, driven) = connected
        .await
        .map_err(|_| away("it does not answer"))?
        .map_err(|error| refused(&error))?;
    let prepared = timeout(CONNECT, prepare(client)).await;
    let (ready, own) = prepared.map_err(|_| away("it does not answer"))??;
    Ok((ready, own, driven))
}

async fn drive<T>(config: &Config, tls: T) -> Result<(Client, Driven), Error>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: AsyncRead + AsyncWrite + Send + 'static,
{
    let (client, connection) = config.connect(tls).await?;
    Ok((client, tokio::spawn(connection)))
}

async fn prepare(client: Client) -> Result<(Ready, Vec<u8>), StoreError> {
    let failed = |error: Error| refused(&error);
    client.batch_execute(SETTINGS).await.map_err(failed)?;
    // A gateway that may not make tables must be able to use those that are there.
    let there = client
        .query_one("SELECT to_regclass('driftlead_erasure') IS NOT NULL", &[])
        .await
        .map_err(failed)?;
    if !read::<bool>(&there, 0)? {
        client.batch_execute(TABLES).await.map_err(failed)?;
    }
    let ready = Ready::new(client).await.map_err(failed)?;
    if settled(&ready, "version", VERSION).await? != VERSION {
        return Err(StoreError::Damaged {
            file: "the database".to_owned(),
            what: "written by another version of the gateway",
        });
    }
    let own = settled(&ready, "key", SubjectKey::random()?.as_bytes()).await?;
    Ok((ready, own))
}

/// A value of the gateways' own: the first to set it decides for all.
async fn settled(to: &Ready, name: &str, wish: &[u8]) -> Result<Vec<u8>, StoreError> {
    if let Some(value) = value(to, name).await? {
        return Ok(value);
    }
    bounded(to.client.execute(&to.put_value, &[&name, &wish])).await?;
    value(to, name).await?.ok_or_else(|| StoreError::Damaged {
        file: "the database".to_owned(),
        what: "a value that was written is not there",
    })
}

async fn value(to: &Ready, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let row = bounded(to.client.query_opt(&to.value, &[&name])).await?;
    row.map(|row| read(&row, 0)).transpose()
}

async fn bounded<T>(answer: impl Future<Output = Result<T, Error>>) -> Result<T, StoreError> {
    match timeout(ANSWER, answer).await {
        Ok(answer) => answer.map_err(|error| refused(&error)),
        Err(_) => Err(away("it does not answer")),
    }
}

fn read<'a, T: tokio_postgres::types::FromSql<'a>>(
    row: &'a tokio_postgres::Row,
    at: usize,
) -> Result<T, StoreError> {
    row.try_get(at).map_err(|_| StoreError::Damaged {
        file: "the database".to_owned(),
        what: "a column has another type",
    })
}

fn away(why: &str) -> StoreError {
    StoreError::Away(why.to_owned())
}

/// What went wrong, without what the server said: that may hold values.
fn refused(error: &Error) -> StoreError {
    if let Some(code) = error.code() {
        return StoreError::Refused(code.code().to_owned());
    }
    if let Some(why) = tls::trouble(error) {
        return StoreError::Tls(why);
    }
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            return StoreError::Away(io.kind().to_string());
        }
        cause = error.source();
    }
    away("the connection broke")
}
