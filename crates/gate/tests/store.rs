//! What a store promises, checked on every back end with the same code.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed test stops here"
)]

#[cfg(all(feature = "postgres", unix))]
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "postgres/mod.rs"]
mod server;

use std::sync::Arc;

use driftlead_gate::audit::SubjectKey;
use driftlead_gate::store::{Revision, Row, Since, Store, pseudonym};

fn row(state: &[u8]) -> Row {
    Row {
        key: SubjectKey::random().unwrap(),
        pseudonym: pseudonym().unwrap(),
        state: state.to_vec(),
        revision: Revision::new().unwrap(),
    }
}

fn next(of: &Row, state: &[u8]) -> Row {
    Row {
        state: state.to_vec(),
        revision: Revision::new().unwrap(),
        ..of.clone()
    }
}

/// The whole promise. `again` opens the same store once more.
async fn conforms(again: &dyn Fn() -> Store) {
    let store = again();
    let other = again();
    assert_eq!(store.own(), other.own());
    assert_eq!(store.tag("a"), other.tag("a"));
    assert_ne!(store.tag("a"), store.tag("b"));
    people(&store, &other).await;
    erasures(&store, &other).await;
    values(&store, &other).await;
    many_at_once(Arc::new(store), Arc::new(other)).await;
}

async fn people(store: &Store, other: &Store) {
    let tag = store.tag("canary-77aa-name");
    assert_eq!(store.person(&tag).await.unwrap(), None);
    assert_eq!(store.since(&tag, None).await.unwrap(), Since::Gone);
    let first = row(b"canary-77aa-state");
    assert!(store.keep(&tag, &first, None).await.unwrap());
    assert_eq!(other.person(&tag).await.unwrap(), Some(first.clone()));
    let at = Some(first.revision);
    assert_eq!(other.since(&tag, at).await.unwrap(), Since::Same);
    // Somebody who is there already is not made again, and whoever holds an old copy changes nothing.
    assert!(!other.keep(&tag, &row(b"x"), None).await.unwrap());
    let second = next(&first, b"second");
    assert!(other.keep(&tag, &second, at).await.unwrap());
    assert!(!store.keep(&tag, &next(&first, b"lost"), at).await.unwrap());
    let changed = store.since(&tag, at).await.unwrap();
    assert_eq!(changed, Since::Changed(second.clone()));
    let changed = store.since(&tag, None).await.unwrap();
    assert_eq!(changed, Since::Changed(second.clone()));
    // Erased, nobody comes back from a copy; the next is somebody else.
    assert!(store.erase(&tag).await.unwrap());
    assert!(!store.erase(&tag).await.unwrap());
    let at = Some(second.revision);
    assert_eq!(other.since(&tag, at).await.unwrap(), Since::Gone);
    assert!(!other.keep(&tag, &next(&second, b"z"), at).await.unwrap());
    assert_eq!(other.person(&tag).await.unwrap(), None);
    let fresh = row(b"fresh");
    assert!(other.keep(&tag, &fresh, None).await.unwrap());
    assert!(!store.keep(&tag, &next(&second, b"z"), at).await.unwrap());
    assert_eq!(store.since(&tag, at).await.unwrap(), Since::Changed(fresh));
    assert!(store.erase(&tag).await.unwrap());
}

async fn erasures(store: &Store, other: &Store) {
    let tag = store.tag("b");
    let kept = row(b"x");
    for name in ["one", "two", "one"] {
        store.join(name).await.unwrap();
    }
    assert_eq!(other.gateways().await.unwrap(), ["one", "two"]);
    assert!(store.keep(&tag, &kept, None).await.unwrap());
    assert!(store.erase(&tag).await.unwrap());
    let told = [kept.pseudonym.clone()];
    assert_eq!(store.erasures("one").await.unwrap(), told);
    store.done_with("one", &kept.pseudonym).await.unwrap();
    assert!(store.erasures("one").await.unwrap().is_empty());
    assert_eq!(other.erasures("two").await.unwrap(), told);
    other.done_with("two", &kept.pseudonym).await.unwrap();
    assert!(other.erasures("two").await.unwrap().is_empty());
}

async fn values(store: &Store, other: &Store) {
    assert_eq!(store.value("v").await.unwrap(), None);
    assert!(!store.swap_value("v", Some(b"0"), b"1").await.unwrap());
    assert!(store.swap_value("v", None, b"1").await.unwrap());
    assert!(!other.swap_value("v", None, b"2").await.unwrap());
    assert!(other.swap_value("v", Some(b"1"), b"2").await.unwrap());
    assert!(!store.swap_value("v", Some(b"1"), b"3").await.unwrap());
    assert_eq!(store.value("v").await.unwrap().unwrap(), b"2");
}

/// Two gateways add to one row at once until both are through: every addition is there at the end.
async fn many_at_once(store: Arc<Store>, other: Arc<Store>) {
    let mut people: Vec<String> = (0..600).map(|n| format!("p{n}")).collect();
    for name in &people {
        let kept = row(name.as_bytes());
        assert!(store.keep(&store.tag(name), &kept, None).await.unwrap());
    }
    let tag = store.tag("p0");
    let tasks: Vec<_> = [Arc::clone(&store), other, Arc::clone(&store)]
        .into_iter()
        .map(|store| {
            tokio::spawn(async move {
                for _ in 0..20 {
                    loop {
                        let row = store.person(&tag).await.unwrap().unwrap();
                        let mut state = row.state.clone();
                        state.push(b'+');
                        let at = Some(row.revision);
                        if store.keep(&tag, &next(&row, &state), at).await.unwrap() {
                            break;
                        }
                        tokio::task::yield_now().await;
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    people[0].push_str(&"+".repeat(60));
    let mut found = Vec::new();
    let shown = store.everybody(|row| found.push(String::from_utf8(row.state).unwrap()));
    shown.await.unwrap();
    found.sort();
    people.sort();
    assert_eq!(found, people);
}

#[tokio::test]
async fn a_file_conforms() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gate.db");
    conforms(&|| Store::open(&path).unwrap()).await;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(6).any(|part| part == b"canary"));
    }
}

#[cfg(all(feature = "postgres", unix))]
mod postgres {
    use std::time::{Duration, Instant};

    use driftlead_gate::store::StoreError;
    use secrecy::SecretString;

    use super::server::{PASSWORD, Server};
    use super::*;

    fn connect(address: &str) -> Result<Store, StoreError> {
        Store::connect(&SecretString::from(address.to_owned()), None)
    }

    #[tokio::test]
    async fn a_database_conforms() {
        let Some(server) = Server::start() else {
            return;
        };
        conforms(&|| connect(&server.address()).unwrap()).await;
        assert!(!server.tables().contains("canary"));
        let log = server.log();
        assert!(log.contains("driftlead_person") && !log.contains("canary"));
        let wrong = server.address().replace(PASSWORD, "canary-77aa-wrong");
        let error = connect(&wrong).unwrap_err().to_string();
        assert!(error.contains("28P01"), "{error}");
        server.ask("UPDATE driftlead_own SET value = '9' WHERE name = 'version'");
        let error = connect(&server.address()).unwrap_err().to_string();
        assert!(error.contains("another version"), "{error}");
    }

    /// Gone, it is said to be gone within a bounded time; back, it is used again by itself.
    #[tokio::test]
    async fn a_database_may_go_and_come_back() {
        let Some(mut server) = Server::start() else {
            return;
        };
        let store = connect(&server.address()).unwrap();
        let (tag, kept) = (store.tag("a"), row(b"x"));
        assert!(store.keep(&tag, &kept, None).await.unwrap());
        server.down();
        let begun = Instant::now();
        let error = store.person(&tag).await.unwrap_err();
        assert!(matches!(error, StoreError::Away(_)), "{error}");
        let error = store.person(&tag).await.unwrap_err();
        assert!(matches!(error, StoreError::Away(_)), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(8));
        assert!(!store.is_reachable());
        let begun = Instant::now();
        assert!(store.person(&tag).await.is_err());
        assert!(
            begun.elapsed() < Duration::from_millis(100),
            "at once by now"
        );
        assert!(connect(&server.address()).is_err());
        server.up();
        let end = Instant::now() + Duration::from_secs(30);
        while !store.is_reachable() {
            assert!(Instant::now() < end);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(store.person(&tag).await.unwrap(), Some(kept));
    }
}
